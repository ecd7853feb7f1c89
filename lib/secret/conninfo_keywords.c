/* Keyword strings, as libpq reads them: host=db.example.com password='it''s' */
#include "secret/conninfo_internal.h"

#include <string.h>

#include "base/bytes.h"

/* --- keyword strings: host=db.example.com password='it''s' --- */

static size_t
skip_blanks(const struct parse *p, size_t at)
{
	while (at < p->end && conninfo_is_blank(p->text[at]))
		at++;
	return at;
}

struct span {
	size_t start, end;
	bool escaped;   /* has backslashes */
	bool quoted;
};

/* Reads a value from *at on, which is then behind it. */
static bool
parse_value(struct parse *p, size_t *at, struct span *value)
{
	bool quoted = *at < p->end && p->text[*at] == '\'';
	size_t i = *at + quoted;

	*value = (struct span){ .start = i, .quoted = quoted };
	while (i < p->end && !(quoted ? p->text[i] == '\'' : conninfo_is_blank(p->text[i]))) {
		if (p->text[i] == '\\') {
			value->escaped = true;
			i++;
		}
		if (i < p->end)
			i++;
	}
	if (quoted && i == p->end)
		return conninfo_fail(p, *at, "a quote that is not closed",
		    "In a quoted value write ' as \\' and \\ as \\\\.");
	value->end = i;
	*at = i + quoted;
	return true;
}

size_t
conninfo_unescape(const char *text, size_t start, size_t end, char *out)
{
	size_t len = 0;

	for (; start < end; start++) {
		if (text[start] == '\\' && ++start == end)
			break;
		out[len++] = text[start];
	}
	out[len] = '\0';
	return len;
}

/* DATABASE_URL=postgresql://...: a line of an .env file was given, not its value. */
static bool
fail_keyword(struct parse *p, size_t start, size_t end, size_t value)
{
	size_t i;

	for (i = start; i < end; i++)
		if (conninfo_is_letter(p->text[i]) && (p->text[i] >= 'a' && p->text[i] <= 'z'))
			break;
	if (i == end &&
	    (conninfo_begins_with(p->text, value, p->end, "postgres") ||
		conninfo_begins_with(p->text, value, p->end, "\"postgres") ||
		conninfo_begins_with(p->text, value, p->end, "'postgres")))
		return conninfo_fail(p, start, "the name of a variable before its value",
		    "Remove the name and the =.");
	return conninfo_fail(p, start, "unknown connection parameter",
	    "A value with blanks needs quotes: password='two words'");
}

/* What belongs to a value only if it is quoted. */
static const char *
raw_refused(const struct parameter *parameter)
{
	if (parameter->kind == SCHEMA)
		return ":;&?\"/";
	return parameter->kind == DATABASE ? ":;&?" : ";&?";
}

static bool
keyword_set(struct parse *p, const struct parameter *parameter, struct span value, size_t at)
{
	char *text;

	if (!conninfo_check_secret_parameter(p, parameter, at))
		return false;
	if (parameter->kind == DATABASE && (conninfo_begins_with(p->text, value.start, value.end, "postgresql://") ||
	    conninfo_begins_with(p->text, value.start, value.end, "postgres://")))
		return conninfo_fail(p, at, "a URL as the value of dbname", "Use the URL alone.");
	if (parameter->kind != PASSWORD && (!conninfo_check_slot(p, value.start, value.end,
	    value.quoted ? "" : raw_refused(parameter)) ||
	    (parameter->kind == USER && !conninfo_check_user(p, value.start, value.end))))
		return false;
	if (parameter->kind == PASSWORD) {
		if (p->password->given)
			return conninfo_fail(p, at, "a second password", NULL);
		*p->password =
		    (struct conninfo_password){ .start = value.start, .end = value.end, .given = true, .quoted = value.escaped };
		return conninfo_check_password(p, value.start, value.end);
	}
	if ((parameter->kind == HOST || parameter->kind == USER || parameter->kind == DATABASE) &&
	    !conninfo_check_no_reference(p, value.start, value.end))
		return false;
	text = xmalloc(value.end - value.start + 1);
	conninfo_unescape(p->text, value.start, value.end, text);
	return conninfo_parameter_set(p, parameter, text, at);
}

bool
conninfo_parse_keywords(struct parse *p)
{
	size_t at = p->start;

	while (at < p->end) {
		size_t start = at, name_end = conninfo_find(p->text, at, p->end, "= \t\n\v\f\r");
		const struct parameter *parameter =
		    conninfo_parameter_find(p->text + start, name_end - start);
		struct span value;

		at = skip_blanks(p, name_end);
		if (at == p->end || p->text[at] != '=')
			return conninfo_fail(p, start, "a word without =",
			    "A value with blanks needs quotes: password='two words'");
		at = skip_blanks(p, at + 1);
		if (parameter == NULL)
			return fail_keyword(p, start, name_end, at);
		if (!parse_value(p, &at, &value) || !keyword_set(p, parameter, value, start))
			return false;
		at = skip_blanks(p, at);
	}
	return true;
}
