#include "sql/unexpected.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "sql/segments.h"

size_t
unexpected_psql(const char *text, size_t len)
{
	struct sql_token token;

	if (memchr(text, '\\', len) == NULL)
		return len;
	for (token = sql_token(text, len, 0); token.kind != SQL_END; token = sql_token(text, len, token.end))
		if (token.kind == SQL_SIGN && text[token.start] == '\\')
			return token.start;
	return len;
}

/* Letters in either case, and any number of blanks where the word has one. */
static bool
begins_with(const char *text, size_t len, const char *word)
{
	size_t at = 0;

	for (; *word != '\0'; word++) {
		if (*word == ' ') {
			while (at < len && (text[at] == ' ' || text[at] == '\t'))
				at++;
			continue;
		}
		if (at == len || tolower((unsigned char)text[at++]) != *word)
			return false;
	}
	return at == len || !isalnum((unsigned char)text[at]);
}

static bool
is_down_line(const char *line, size_t len)
{
	static const char *const markers[] = { " -- migrate:down", " -- +goose down", " -- +migrate down", " -- !downs",
		" -- //@undo", " -- rambler down" };
	size_t i;

	for (i = 0; i < sizeof markers / sizeof *markers; i++)
		if (begins_with(line, len, markers[i]))
			return true;
	return false;
}

size_t
unexpected_down(const char *text, size_t len)
{
	struct sql_token token = { SQL_WORD, 0, 0 };
	size_t at, end;

	if (!sql_mentions(text, len, "down") && !sql_mentions(text, len, "undo"))
		return len;
	/* comments stand between tokens; behind the last one there is nothing that would run */
	for (at = 0; token.kind != SQL_END; at = token.end) {
		token = sql_token(text, len, at);
		for (; token.kind != SQL_END && at < token.start; at = end + 1) {
			const char *line_end = memchr(text + at, '\n', token.start - at);

			end = line_end != NULL ? (size_t)(line_end - text) : token.start;
			if (is_down_line(text + at, end - at))
				return at;
		}
	}
	return len;
}

/* Only sets or shows something of the session, or opens and closes a transaction. */
static bool
is_idle(const char *text, const struct sql_statement *s)
{
	struct sql_token first = sql_token(text, s->end, s->start);

	return s->kind == SQL_BEGIN || s->kind == SQL_COMMIT || s->kind == SQL_ROLLBACK || sql_is(text, first, "SET") ||
	    sql_is(text, first, "RESET") || sql_is(text, first, "SHOW");
}

static bool
works(const char *text, const struct sql_script *script, const struct segment *segment)
{
	size_t i;

	for (i = segment->first; i < segment->first + segment->count; i++)
		if (!is_idle(text, &script->statements[i]))
			return true;
	return false;
}

size_t
unexpected_rollback(const char *text, size_t len, const struct sql_script *script)
{
	struct segments segments = segments_of(text, script);
	size_t found = len, i;

	for (i = 0; i < segments.count; i++) {
		const struct segment *s = &segments.list[i];

		if (!works(text, script, s))
			continue;
		if (s->kind != SEGMENT_ROLLBACK) {
			found = len;
			break;
		}
		if (found == len)
			found = script->statements[s->first + s->count - 1].start;
	}
	segments_free(&segments);
	return found;
}
