/* Statements matched against synopses written as in PostgreSQL's manual: whoever wants to know what is taken for what has only
 * the tables to read. */
#include "sql/sql_internal.h"

#include <string.h>

struct sql_reader
sql_reader_at(const char *text, size_t start, size_t end)
{
	struct sql_reader r = { text, end, sql_token(text, end, start) };

	return r;
}

void
sql_reader_advance(struct sql_reader *r)
{
	sql_token_read(&r->token, r->text, r->end, r->token.end);
}

bool
sql_accept_sign(struct sql_reader *r, char sign)
{
	if (!sql_is_sign(r->text, r->token, sign))
		return false;
	sql_reader_advance(r);
	return true;
}

static bool
accept_kind(struct sql_reader *r, enum sql_token_kind kind)
{
	if (r->token.kind != kind)
		return false;
	sql_reader_advance(r);
	return true;
}

bool
sql_accept_name(struct sql_reader *r)
{
	do {
		if (!accept_kind(r, SQL_WORD) && !accept_kind(r, SQL_NAME))
			return false;
	} while (sql_accept_sign(r, '.'));
	return true;
}

void
sql_skip_to_comma(struct sql_reader *r)
{
	size_t depth = 0;

	for (; r->token.kind != SQL_END; sql_reader_advance(r)) {
		if (sql_is_sign(r->text, r->token, '('))
			depth++;
		else if (depth > 0 && sql_is_sign(r->text, r->token, ')'))
			depth--;
		else if (depth == 0 && (sql_is_sign(r->text, r->token, ',') ||
		    sql_is_sign(r->text, r->token, ')')))
			return;
	}
}

bool
sql_accept_parentheses(struct sql_reader *r)
{
	if (!sql_accept_sign(r, '('))
		return false;
	do
		sql_skip_to_comma(r);
	while (sql_accept_sign(r, ','));
	return sql_accept_sign(r, ')');
}

/* ONE|OTHER */
static bool
accept_word(struct sql_reader *r, const char *words, size_t len)
{
	size_t have = r->token.end - r->token.start;
	const char *end = words + len;

	if (r->token.kind != SQL_WORD)
		return false;
	while (words < end) {
		const char *bar = memchr(words, '|', (size_t)(end - words));
		size_t n = (size_t)((bar != NULL ? bar : end) - words);

		if (n == have && sql_same_word(r->text + r->token.start, words, n)) {
			sql_reader_advance(r);
			return true;
		}
		words += n + 1;
	}
	return false;
}

static bool
accept_element(struct sql_reader *r, const char *element, size_t len)
{
	switch (*element) {
	case 'n': return sql_accept_name(r);
	case 't': return accept_kind(r, SQL_STRING);
	case 'e': return r->token.kind == SQL_END;
	case '(': return sql_accept_parentheses(r);
	case '*': return sql_accept_sign(r, '*');
	default:  return accept_word(r, element, len);
	}
}

/* Moves the reader only if all elements match. */
static bool
match_part(struct sql_reader *r, const char *part, size_t len)
{
	struct sql_reader try = *r;
	const char *end = part + len;

	while (part < end) {
		size_t n = strcspn(part, *part == '[' ? "]" : " ]");

		if (*part == '[')
			match_part(&try, part + 1, n - 1);
		else if (!accept_element(&try, part, n))
			return false;
		part += n;
		part += strspn(part, "] ");
	}
	*r = try;
	return true;
}

bool
sql_reader_match(struct sql_reader *r, const char *synopsis)
{
	return match_part(r, synopsis, strlen(synopsis));
}

size_t
sql_match(const char *text, size_t end, size_t at, const char *synopsis)
{
	struct sql_reader r = sql_reader_at(text, at, end);

	return sql_reader_match(&r, synopsis) ? r.token.start : 0;
}

bool
sql_begins_with(const struct sql_reader *r, const char *letters)
{
	return r->token.kind == SQL_WORD && strchr(letters, sql_upper(r->text[r->token.start])) != NULL;
}

bool
sql_reader_match_any(struct sql_reader *r, const char *const synopses[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (sql_reader_match(r, synopses[i]))
			return true;
	}
	return false;
}
