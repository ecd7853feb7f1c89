/* A statement read token by token, as settings are written. */
#include "sql/session_effects_internal.h"

#include <ctype.h>
#include <string.h>

#include "sql/sql_internal.h"

struct session_words
session_words_of(const char *text, size_t start, size_t end)
{
	return (struct session_words){ text, end, sql_token(text, end, start) };
}

void
session_next(struct session_words *w)
{
	sql_token_read(&w->token, w->text, w->end, w->token.end);
}

bool
session_is_sign(const struct session_words *w, char sign)
{
	return w->token.kind == SQL_SIGN && w->text[w->token.start] == sign;
}

const char *
session_plain(const char *text, struct sql_token token, char *out, size_t size)
{
	bool quoted = token.kind == SQL_NAME || token.kind == SQL_STRING;
	size_t i = token.start + quoted, end = token.end - quoted, n = 0;

	for (; i < end && n + 1 < size; i++)
		out[n++] = (char)tolower((unsigned char)text[i]);
	out[n] = '\0';
	return out;
}

bool
session_is_word(const char *text, struct sql_token token, const char *word)
{
	char have[64];

	return (token.kind == SQL_WORD || token.kind == SQL_NAME || token.kind == SQL_STRING) &&
	    strcmp(session_plain(text, token, have, sizeof have), word) == 0;
}

bool
session_same(const char *text, struct sql_token a, struct sql_token b)
{
	char one[64];

	return a.kind != SQL_END && b.kind != SQL_END && session_is_word(text, b, session_plain(text, a, one, sizeof one));
}

bool
session_is_any(const char *word, const char *const list[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

struct sql_token
session_last_part(struct session_words w)
{
	struct sql_token name = w.token;

	for (session_next(&w); session_is_sign(&w, '.'); session_next(&w)) {
		session_next(&w);
		name = w.token;
	}
	return name.kind == SQL_WORD || name.kind == SQL_NAME || name.kind == SQL_STRING ? name : (struct sql_token){ .kind = SQL_END };
}

bool
session_has_word(const char *text, const struct sql_statement *s, const char *word)
{
	struct session_words w;

	if (!sql_mentions(text + s->start, s->end - s->start, word)) /* which most have not, and reads no tokens */
		return false;
	for (w = session_words_of(text, s->start, s->end); w.token.kind != SQL_END; session_next(&w))
		if (w.token.kind == SQL_WORD && session_is_word(text, w.token, word))
			return true;
	return false;
}

const char *
session_called(const struct session_words *w, char *name, size_t size)
{
	struct sql_token behind = sql_token(w->text, w->end, w->token.end);

	if ((w->token.kind != SQL_WORD && w->token.kind != SQL_NAME) || behind.kind != SQL_SIGN || w->text[behind.start] != '(')
		return NULL;
	return session_plain(w->text, w->token, name, size);
}
