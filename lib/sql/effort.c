#include "sql/effort.h"

#include <stddef.h>

#include "sql/words.h"

static bool
is_any(const char *text, struct sql_token token, const char *const words[])
{
	size_t i;

	for (i = 0; words[i] != NULL; i++)
		if (sql_is(text, token, words[i]))
			return true;
	return false;
}

static bool
is_sign(const char *text, struct sql_token token, char sign)
{
	return token.kind == SQL_SIGN && text[token.start] == sign;
}

/* A word before a parenthesis that is no function. */
static bool
is_operator(const char *text, struct sql_token token)
{
	static const char *const words[] = { "CHECK", "AND", "OR", "NOT", "IN", "ANY", "ALL", "BETWEEN", "IS", "USING", "WHERE", "WHEN",
		"THEN", "ELSE", "KEY", "INCLUDE", NULL };

	return token.kind != SQL_WORD || is_any(text, token, words);
}

static bool
computes(const char *text, struct sql_token before, struct sql_token token, size_t depth, bool index)
{
	static const char *const patterns[] = { "LIKE", "ILIKE", "SIMILAR", NULL };

	if (is_sign(text, token, '~') || is_any(text, token, patterns))
		return true;
	if (is_sign(text, token, ':') && is_sign(text, before, ':') && depth > 0)
		return true;
	return is_sign(text, token, '(') && depth > 0 && (index || !is_operator(text, before));
}

/* What begins with none of these may run anything. */
static bool
is_plain(const char *text, struct sql_token first)
{
	static const char *const words[] = { "ALTER", "CREATE", "REINDEX", "VACUUM", "CLUSTER", "REFRESH", "DROP", "TRUNCATE", NULL };

	return is_any(text, first, words);
}

static void
note_word(struct sql_effort *e, const char *text, struct sql_token before, struct sql_token token)
{
	static const char *const keys[] = { "FOREIGN", "REFERENCES", NULL };
	static const char *const tests[] = { "CHECK", "VALIDATE", "ATTACH", "PARTITION", "DOMAIN", "REFRESH", NULL };
	static const char *const methods[] = { "GIN", "GIST", "SPGIST", "HNSW", "IVFFLAT", "BLOOM", "RUM", NULL };

	e->key |= is_any(text, token, keys);
	e->expression |= is_any(text, token, tests);
	if (!sql_is(text, before, "USING"))
		return;
	e->summary |= sql_is(text, token, "BRIN");
	e->many_entries |= is_any(text, token, methods);
}

struct sql_effort
sql_effort(const char *text, const struct sql_statement *statement)
{
	struct words words = words_of(text, statement);
	struct sql_token before = words_next(&words), token;
	struct sql_effort e = { 0 };
	bool index = false;
	size_t depth = 0;

	if (!is_plain(text, before)) {
		e.expression = e.computes = e.key = true;
		return e;
	}
	note_word(&e, text, before, before);
	for (; (token = words_next(&words)).kind != SQL_END; before = token) {
		index |= depth == 0 && sql_is(text, token, "INDEX");
		note_word(&e, text, before, token);
		e.some_rows |= index && depth == 0 && sql_is(text, token, "WHERE");
		e.computes |= computes(text, before, token, depth, index);
		if (is_sign(text, token, '('))
			depth++;
		else if (is_sign(text, token, ')') && depth > 0)
			depth--;
	}
	e.expression |= index && e.computes;
	return e;
}
