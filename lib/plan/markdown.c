#include "plan/markdown.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/page.h"
#include "base/shell_quote.h"
#include "base/terminal.h"
#include "plan/finding_text.h"
#include "plan/pages.h"
#include "plan/plan.h"
#include "plan/step_page.h"
#include "records/model.h"
#include "records/words.h"

static const char replaced[] = "\xEF\xBF\xBD";

/* Words of ours and names, on one line.  "@name" would notify a stranger, "#12" link to an issue. */
static void
line_of_text(struct bytes *out, const char *words)
{
	size_t skip;

	for (; *words != '\0'; words += skip > 0 ? skip : 1) {
		if ((skip = terminal_control(words)) > 0)
			bytes_str(out, replaced);
		else if (*words == '\n' || *words == '\t')
			bytes_char(out, ' ');
		else if (*words == '&')
			bytes_str(out, "&amp;");
		else if (*words == '<')
			bytes_str(out, "&lt;");
		else if (*words == '@' || *words == '#')
			bytes_format(out, "%c<!-- -->", *words);
		else if (strchr("\\`*_[]~|!", *words) != NULL)
			bytes_format(out, "\\%c", *words);
		else
			bytes_char(out, *words);
	}
}

/* The longest run of backticks in it: what is around it has to be longer. */
static size_t
backticks(const char *code)
{
	size_t most = 0, run = 0;

	for (; *code != '\0'; code++) {
		run = *code == '`' ? run + 1 : 0;
		most = run > most ? run : most;
	}
	return most;
}

static void
times(struct bytes *out, char c, size_t count)
{
	while (count-- > 0)
		bytes_char(out, c);
}

/* A block of code, each line behind `indent`. */
static void
block(struct bytes *out, const char *language, const char *code, const char *indent)
{
	size_t fence = backticks(code) < 3 ? 3 : backticks(code) + 1, skip;
	bool begins = true;

	bytes_str(out, indent);
	times(out, '`', fence);
	bytes_format(out, "%s\n", language);
	for (; *code != '\0'; code += skip > 0 ? skip : 1) {
		skip = terminal_control(code);
		if ((unsigned char)*code >= (unsigned char)PAGE_RED[0])
			continue; /* a mark of colour: never part of UTF-8 */
		if (*code == '\r' && code[1] == '\n')
			continue; /* as Windows ends lines */
		if (begins && *code != '\n')
			bytes_str(out, indent);
		if (skip > 0)
			bytes_str(out, replaced);
		else
			bytes_char(out, *code);
		begins = *code == '\n';
	}
	bytes_format(out, "%s%s", begins ? "" : "\n", indent);
	times(out, '`', fence);
	bytes_char(out, '\n');
}

/* A name as code.  A bar would end a cell of a table, even there. */
static void
name(struct bytes *out, const char *words)
{
	bytes_str(out, "<code>");
	line_of_text(out, words);
	bytes_str(out, "</code>");
}

static void
title(struct bytes *out, const struct planned *planned)
{
	struct bytes place = { 0 };
	struct step_rules rules = step_rules(planned);
	size_t needing = 0, i;

	for (i = 0; i < planned->step_count; i++)
		needing += rules.of[i] != 0;
	if (planned->plan.database != NULL)
		page_place(&place, planned->plan.database, planned->plan.host, planned->plan.port, planned->plan.schema);
	else
		bytes_str(&place, "an empty database");
	bytes_str(out, "**");
	if (planned->errors > 0) {
		bytes_str(out, "The plan is refused: ");
		page_count(out, planned->errors, "error");
	} else if (planned->step_count == 0) {
		bytes_str(out, "Nothing to do");
	} else {
		page_count(out, planned->step_count, "step");
		bytes_str(out, ", ");
		page_count(out, planned->statements, "statement");
	}
	bytes_str(out, "** for ");
	line_of_text(out, bytes_text(&place));
	if (planned->step_count > 0 && planned->errors == 0)
		bytes_format(out, "; %zu of %zu step%s need%s attention", needing, planned->step_count,
		    planned->step_count == 1 ? "" : "s", needing == 1 ? "s" : "");
	bytes_str(out, "\n\n");
	bytes_free(&place);
	step_rules_free(&rules);
}

static void
finding(struct bytes *out, const struct planned *planned, const struct finding *f)
{
	struct bytes place = { 0 }, remedy = { 0 };

	finding_place(&place, planned, f);
	finding_remedy(&remedy, planned->folder, f);
	bytes_format(out, "- **%s** ", severity_words[f->severity]);
	if (place.len > 2) {
		place.data[place.len - 2] = '\0'; /* without ": " */
		name(out, place.data);
		bytes_char(out, ' ');
	}
	line_of_text(out, f->message);
	bytes_format(out, " \\[%s\\]\n", f->rule);
	if (remedy.len > 0) {
		bytes_char(out, '\n');
		block(out, "text", remedy.data, "  ");
		bytes_char(out, '\n');
	}
	bytes_free(&place);
	bytes_free(&remedy);
}

static void
findings(struct bytes *out, const struct planned *planned)
{
	static const enum severity order[] = { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };
	size_t left = 0, i, k;

	for (k = 0; k < sizeof order / sizeof *order; k++)
		for (i = 0; i < planned->finding_count; i++) {
			if (planned->findings[i].severity != order[k])
				continue;
			if (out->len < MARKDOWN_MOST / 3)
				finding(out, planned, &planned->findings[i]);
			else
				left++;
		}
	if (left > 0)
		bytes_format(out, "- … %zu more\n", left);
	if (planned->finding_count > 0)
		bytes_char(out, '\n');
}

static void
table(struct bytes *out, const struct planned *planned)
{
	size_t i;

	bytes_str(out, "| step | migration | runs |\n|---:|---|---|\n");
	for (i = 0; i < planned->step_count && out->len < MARKDOWN_MOST / 2; i++) {
		const struct step *s = &planned->steps[i];

		bytes_format(out, "| %lld | ", s->step);
		name(out, s->migration);
		bytes_str(out, " | ");
		step_page_runs(out, s);
		bytes_str(out, " |\n");
	}
	if (i < planned->step_count)
		bytes_format(out, "| … | %zu more | |\n", planned->step_count - i);
	bytes_char(out, '\n');
}

/* What it takes; false where there is no room for it. */
static bool
step_sql(struct bytes *out, const struct planned *planned, const struct step *s)
{
	enum { WIDTH = 100, END = 2000 /* what comes after the SQL */ };
	struct bytes part = { 0 }, effects = { 0 };
	bool fits;

	bytes_format(&part, "<details><summary>%lld ", s->step);
	name(&part, s->migration);
	bytes_str(&part, "</summary>\n\n");
	block(&part, "sql", s->sql, "");
	if (planned->rehearsed.known)
		step_page_body(&effects, planned, s, WIDTH, false);
	if (effects.len > 0) {
		bytes_str(&part, "\nWhat it does, measured on a scratch server:\n\n");
		block(&part, "text", effects.data, "");
	}
	bytes_str(&part, "\n</details>\n");
	fits = out->len + part.len < MARKDOWN_MOST - END;
	if (fits)
		bytes_add(out, part.data, part.len);
	bytes_free(&part);
	bytes_free(&effects);
	return fits;
}

static void
scripts(struct bytes *out, const struct planned *planned)
{
	size_t left = 0, i;

	for (i = 0; i < planned->step_count; i++)
		if (planned->steps[i].sql != NULL && !step_sql(out, planned, &planned->steps[i]))
			left++;
	if (left > 0) {
		bytes_str(out, "\nThe SQL of ");
		page_count(out, left, "step");
		bytes_str(out, " is too long for a comment.\n");
	}
}

static void
how_to_apply(struct bytes *out, const struct planned *planned, const char *digest, const char *command)
{
	struct shell_words apply = { 0 };
	struct bytes line = { 0 };

	bytes_format(out, "\nPlan <code>%s</code>, steps <code>%.16s</code>.", digest, planned->steps_digest);
	if (command == NULL) {
		bytes_format(out, " To approve it: <code>mig-apply --expect %.16s</code>\n", digest);
		return;
	}
	plan_apply_words(&apply, command);
	shell_command(&line, command);
	bytes_str(&line, " | ");
	shell_command(&line, shell_words(&apply));
	bytes_format(&line, " --expect %.16s", digest);
	bytes_str(out, " To apply it:\n\n");
	block(out, "sh", line.data, "");
	bytes_free(&line);
	shell_words_free(&apply);
}

static void
phase(struct bytes *out, const struct plan *plan)
{
	struct bytes words = { 0 };

	pages_phase(&words, plan);
	if (words.len > 0) {
		bytes_char(out, '\n');
		line_of_text(out, words.data);
		bytes_char(out, '\n');
	}
	bytes_free(&words);
}

void
markdown_plan(struct bytes *out, const struct planned *planned, const char *digest, const char *command)
{
	bytes_str(out, MARKDOWN_MARK "\n");
	title(out, planned);
	phase(out, &planned->plan);
	findings(out, planned);
	if (planned->step_count > 0)
		table(out, planned);
	scripts(out, planned);
	if (planned->still_pending > 0) {
		bytes_str(out, "\nStill pending, not part of this plan: ");
		page_count(out, planned->still_pending, "migration");
		bytes_char(out, '\n');
	}
	if (planned->errors > 0 || planned->step_count == 0)
		return;
	if (planned->plan.history_digest != NULL)
		how_to_apply(out, planned, digest, command);
	else
		bytes_format(out, "\nSteps <code>%.16s</code>, the same for every empty database.\n", planned->steps_digest);
}
