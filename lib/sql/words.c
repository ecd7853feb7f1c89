#include "sql/words.h"

#include <string.h>

struct words
words_of(const char *text, const struct sql_statement *statement)
{
	return (struct words){ text, statement->end, { .end = statement->start } };
}

struct sql_token
words_next(struct words *w)
{
	return w->token = sql_token(w->text, w->end, w->token.end);
}

bool
words_take(struct words *w, const char *word)
{
	struct sql_token token = sql_token(w->text, w->end, w->token.end);

	if (!sql_is(w->text, token, word))
		return false;
	w->token = token;
	return true;
}

bool
words_take_sign(struct words *w, char sign)
{
	struct sql_token token = sql_token(w->text, w->end, w->token.end);

	if (token.kind != SQL_SIGN || w->text[token.start] != sign)
		return false;
	w->token = token;
	return true;
}

bool
words_take_phrase(struct words *w, const char *phrase)
{
	struct words all = *w;

	while (*phrase != '\0') {
		char word[24];
		size_t len = strcspn(phrase, " ");

		bytes_copy(word, sizeof word, phrase);
		word[len] = '\0';
		if (!words_take(&all, word))
			return false;
		phrase += len;
		phrase += *phrase == ' ';
	}
	*w = all;
	return true;
}

bool
words_take_name(struct words *w, struct bytes *name)
{
	struct sql_token token = words_next(w);

	name->len = 0;
	while (token.kind == SQL_WORD || (token.kind == SQL_NAME && w->text[token.start] == '"')) {
		bytes_add(name, w->text + token.start, token.end - token.start);
		token = sql_token(w->text, w->end, token.end);
		if (token.kind != SQL_SIGN || w->text[token.start] != '.')
			return true;
		bytes_char(name, '.');
		w->token = token;
		token = words_next(w);
	}
	return false;
}
