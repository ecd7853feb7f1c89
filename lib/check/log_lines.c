/* What a line of a log says. */
#include "check/log_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/options.h"

#define NAME "(\"[^\"]{1,120}\"|[^ ]{1,150})"
static const char *const disagreements[] = {
	"(column|relation|table|view|type|sequence|function) " NAME "( of relation " NAME ")? does not exist",
	"cached plan must not change result type",
	"null value in column " NAME "( of relation " NAME ")? violates not-null constraint",
	("invalid input value for enum " NAME),
	"(^|[^[:alnum:]])(P2021|P2022|42P01|42703)([^[:alnum:]]|$)",
};
enum { DISAGREEMENTS = sizeof disagreements / sizeof *disagreements };

/* A field of a structured log that says that there was none. */
static const char no_error[] = "\"?(error|err|fatal|panic)\"?[[:space:]]*[:=][[:space:]]*"
    "(null|nil|<nil>|none|undefined|false|0|\"\"|''|\\{\\}|\\[\\])([,;[:space:]}]|$)";

enum { SHOWN = 5, LONGEST_LINE = 65536 };

/* --- expressions --- */

static int
add_expression(struct log_expressions *e, const char *text, const char *setting)
{
	char why[128];
	int code;

	e->all = xrealloc(e->all, (e->count + 1) * sizeof *e->all);
	code = regcomp(&e->all[e->count], text, REG_EXTENDED | REG_ICASE);
	if (code == 0) {
		e->count++;
		return 0;
	}
	regerror(code, &e->all[e->count], why, sizeof why);
	return options_wrong("log.%s=%s: %s", setting, text, why);
}

static int
add_expressions(struct log_expressions *e, const struct bytes *lines, const char *setting)
{
	const char *at = bytes_text(lines);
	int code = 0;
	size_t len;

	for (; code == 0 && *at != '\0'; at += len + 1) {
		char *one;

		len = strcspn(at, "\n");
		one = xstrndup(at, len);
		code = add_expression(e, one, setting);
		free(one);
	}
	return code;
}

static void
free_expressions(struct log_expressions *e)
{
	while (e->count > 0)
		regfree(&e->all[--e->count]);
	free(e->all);
}

static bool
matches(const struct log_expressions *e, const char *line, regmatch_t *where)
{
	size_t i;

	for (i = 0; i < e->count; i++)
		if (regexec(&e->all[i], line, where != NULL ? 1 : 0, where, 0) == 0)
			return true;
	return false;
}

/* --- lines --- */

static void
note(struct log_lines *g, const char *line, const regmatch_t *where)
{
	regoff_t len = where->rm_eo - where->rm_so;
	char *text = xformat("%.*s\n", (int)(len > 160 ? 160 : len), line + where->rm_so);

	g->found++;
	if (g->shown_count < SHOWN && strstr(bytes_text(&g->shown), text) == NULL) {
		g->shown_count++;
		bytes_str(&g->shown, text);
	}
	free(text);
}

/* Not one that says that there is none: "error":null, errors are looked for behind it. */
static bool
is_error(const struct log_lines *g, const char *line)
{
	regmatch_t none;
	char *rest = NULL;
	bool error = regexec(&g->errors, line, 0, NULL, 0) == 0;

	while (error && regexec(&g->no_error, rest != NULL ? rest : line, 1, &none, 0) == 0) {
		rest = rest != NULL ? rest : xstrdup(line);
		memset(rest + none.rm_so, ' ', (size_t)(none.rm_eo - none.rm_so));
		error = regexec(&g->errors, rest, 0, NULL, 0) == 0;
	}
	free(rest);
	return error;
}

static void
take_line(struct log_lines *g, const char *line)
{
	regmatch_t where;
	bool error;

	if (matches(&g->ignored, line, NULL))
		return;
	error = is_error(g, line);
	if (g->before) {
		g->lines_before++;
		g->errors_before += error;
		return;
	}
	g->lines++;
	g->errors_now += error;
	if (matches(&g->wanted, line, &where))
		note(g, line, &where);
}

/* A log that was truncated while it was written to begins with NULs: they must not hide what stands behind them. */
static void
add_text(struct bytes *line, const char *data, size_t len)
{
	const char *nul;

	while ((nul = memchr(data, '\0', len)) != NULL) {
		size_t part = (size_t)(nul - data);

		bytes_add(line, data, part);
		if (line->len > 0 && line->data[line->len - 1] != ' ')
			bytes_char(line, ' ');
		data += part + 1;
		len -= part + 1;
	}
	bytes_add(line, data, len);
}

void
log_lines_add(struct log_lines *g, const char *data, size_t len)
{
	while (len > 0) {
		const char *newline = memchr(data, '\n', len);
		size_t part = newline != NULL ? (size_t)(newline - data) : len;

		add_text(&g->line, data, part);
		if (newline != NULL || g->line.len > LONGEST_LINE) {
			if (!g->passing)
				take_line(g, bytes_text(&g->line));
			g->passing = false;
			g->line.len = 0;
		}
		data += part + (newline != NULL);
		len -= part + (newline != NULL);
	}
}

void
log_lines_end(struct log_lines *g)
{
	if (g->line.len > 0)
		log_lines_add(g, "\n", 1);
}

int
log_lines_begin(struct log_lines *g, const struct bytes *patterns, const struct bytes *ignored, const char *errors)
{
	struct log_expressions one = { 0 };
	size_t i;
	int code = 0;

	for (i = 0; code == 0 && i < DISAGREEMENTS; i++)
		code = add_expression(&g->wanted, disagreements[i], "pattern");
	if (code == 0)
		code = add_expressions(&g->wanted, patterns, "pattern");
	if (code == 0)
		code = add_expressions(&g->ignored, ignored, "ignore");
	if (code == 0)
		code = add_expression(&one, errors, "errors");
	if (code == 0)
		g->errors = one.all[0];
	else
		(void)regcomp(&g->errors, "", 0);
	(void)regcomp(&g->no_error, no_error, REG_EXTENDED | REG_ICASE);
	free(one.all);
	return code;
}

void
log_lines_free(struct log_lines *g)
{
	free_expressions(&g->wanted);
	free_expressions(&g->ignored);
	regfree(&g->errors);
	regfree(&g->no_error);
	bytes_free(&g->line);
	bytes_free(&g->shown);
}
