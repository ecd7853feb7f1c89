/* Where a token ends, by the rules of PostgreSQL's scan.l. */
#include "sql/sql_internal.h"

#include <string.h>

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static bool
is_newline(char c)
{
	return c == '\n' || c == '\r';
}

bool
sql_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex_digit(char c)
{
	return sql_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool
sql_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    (unsigned char)c >= 0x80;
}

char
sql_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

char
sql_peek(const char *text, size_t len, size_t at)
{
	return at < len ? text[at] : '\0';
}

size_t
sql_behind(const char *text, size_t len, size_t at, char c)
{
	const char *found = at < len ? memchr(text + at, c, len - at) : NULL;

	return found != NULL ? (size_t)(found - text) + 1 : len + 1;
}

static size_t
line_comment_end(const char *text, size_t len, size_t at)
{
	while (at < len && !is_newline(text[at]))
		at++;
	return at;
}

/* Comments nest.  Returns len + 1 for one that is never closed, as all ..._end() below do. */
static size_t
block_comment_end(const char *text, size_t len, size_t at)
{
	size_t depth = 1;

	for (at += 2; at + 1 < len; at++) {
		if (text[at] == '*' && text[at + 1] == '/') {
			at++;
			if (--depth == 0)
				return at + 1;
		} else if (text[at] == '/' && text[at + 1] == '*') {
			at++;
			depth++;
		}
	}
	return len + 1;
}

/*
 * Blanks and comments.  An operator ends where a comment begins, so no look at what stands before
 * is needed.  Stops at an open comment.
 */
static size_t
skip_blanks(const char *text, size_t len, size_t at)
{
	size_t end;

	for (;;) {
		while (at < len && is_space(text[at]))
			at++;
		if (sql_peek(text, len, at) == '-' && sql_peek(text, len, at + 1) == '-') {
			at = line_comment_end(text, len, at);
		} else if (sql_peek(text, len, at) == '/' && sql_peek(text, len, at + 1) == '*') {
			if ((end = block_comment_end(text, len, at)) > len)
				return at;
			at = end;
		} else {
			return at;
		}
	}
}

/* From behind an opening quote to behind the closing one; a doubled one is part of the text. */
static size_t
quoted_end(const char *text, size_t len, size_t at, char quote)
{
	while ((at = sql_behind(text, len, at, quote)) <= len) {
		if (sql_peek(text, len, at) != quote)
			return at;
		at++;
	}
	return at;
}

/* The same for E'...', where a backslash takes the next character's meaning away. */
static size_t
escaped_end(const char *text, size_t len, size_t at)
{
	for (; at < len; at++) {
		if (text[at] == '\\') {
			at++;
		} else if (text[at] == '\'') {
			if (sql_peek(text, len, at + 1) != '\'')
				return at + 1;
			at++;
		}
	}
	return len + 1;
}

/*
 * A string continues if only blanks with a newline among them and -- comments precede the next quote.  Returns the
 * offset after that quote, or 0.  This matters for E'...', whose backslashes keep their meaning in the
 * continuation.
 */
static size_t
continued(const char *text, size_t len, size_t at)
{
	bool newline = false;

	for (; at < len; at++) {
		if (is_newline(text[at]))
			newline = true;
		else if (text[at] == '-' && sql_peek(text, len, at + 1) == '-')
			at = line_comment_end(text, len, at) - 1;
		else if (!is_space(text[at]))
			return newline && text[at] == '\'' ? at + 1 : 0;
	}
	return 0;
}

static size_t
string_end(const char *text, size_t len, size_t at, bool escapes)
{
	size_t end, more;

	do {
		end = escapes ? escaped_end(text, len, at) : quoted_end(text, len, at, '\'');
		more = end < len ? continued(text, len, end) : 0;
		at = more;
	} while (more != 0);
	return end;
}

/* How long the $tag$ at `at` is, or 0 if there is none. */
static size_t
dollar_tag(const char *text, size_t len, size_t at)
{
	size_t end = at + 1;

	if (sql_is_letter(sql_peek(text, len, end)))
		while (sql_is_letter(sql_peek(text, len, end)) || sql_is_digit(sql_peek(text, len, end)))
			end++;
	return sql_peek(text, len, end) == '$' ? end + 1 - at : 0;
}

/* The first identical tag closes: no other dollar can be inside one, so each is looked at once. */
static size_t
dollar_end(const char *text, size_t len, size_t at, size_t tag)
{
	const char *open = text + at;
	size_t end = at + tag;

	while ((end = sql_behind(text, len, end, '$')) <= len) {
		if (len - (end - 1) >= tag && memcmp(text + end - 1, open, tag) == 0)
			return end - 1 + tag;
	}
	return end;
}

/* 1_000: underscores between digits belong to a number since PostgreSQL 16. */
static size_t
digits_end(const char *text, size_t len, size_t at)
{
	while (sql_is_digit(sql_peek(text, len, at)) ||
	    (sql_peek(text, len, at) == '_' && sql_is_digit(sql_peek(text, len, at + 1))))
		at++;
	return at;
}

/* A letter straight after a number begins a word: 1a is 1 AS a for PostgreSQL 14, then an error. */
static size_t
number_end(const char *text, size_t len, size_t at)
{
	char base = sql_upper(sql_peek(text, len, at + 1));
	size_t end;

	if (text[at] == '0' && (base == 'X' || base == 'O' || base == 'B')) {
		end = at + 2;
		while (is_hex_digit(sql_peek(text, len, end)) || sql_peek(text, len, end) == '_')
			end++;
		if (end > at + 2)
			return end;
	}
	end = at;
	if (sql_is_digit(text[end]))
		end = digits_end(text, len, end + 1);
	if (sql_peek(text, len, end) == '.' && sql_peek(text, len, end + 1) != '.')
		end = digits_end(text, len, end + 1);
	if (sql_upper(sql_peek(text, len, end)) == 'E') {
		size_t sign = sql_peek(text, len, end + 1) == '-' || sql_peek(text, len, end + 1) == '+';

		if (sql_is_digit(sql_peek(text, len, end + 1 + sign)))
			end = digits_end(text, len, end + 2 + sign);
	}
	return end;
}

static size_t
word_end(const char *text, size_t len, size_t at)
{
	while (at < len && (sql_is_letter(text[at]) || sql_is_digit(text[at]) || text[at] == '$'))
		at++;
	return at;
}

/* Behind the one letter before a string, as in E'...' or U&'...'; `at` itself if none is there. */
static size_t
string_prefix(const char *text, size_t len, size_t at)
{
	char next = sql_peek(text, len, at + 1);

	switch (text[at]) {
	case 'e': case 'E': case 'b': case 'B': case 'x': case 'X': case 'n': case 'N':
		return next == '\'' ? at + 1 : at;
	case 'u': case 'U':
		next = next == '&' ? sql_peek(text, len, at + 2) : '\0';
		return next == '\'' || next == '"' ? at + 2 : at;
	default:
		return at;
	}
}

/* What starts with a dollar: $1, $tag$...$tag$, or a sign that means nothing. */
static enum sql_token_kind
dollar(const char *text, size_t len, size_t at, size_t *end)
{
	size_t tag;

	if (sql_is_digit(sql_peek(text, len, at + 1))) {
		*end = digits_end(text, len, at + 2);
		return SQL_PARAMETER;
	}
	if ((tag = dollar_tag(text, len, at)) > 0) {
		*end = dollar_end(text, len, at, tag);
		return SQL_STRING;
	}
	*end = at + 1;
	return SQL_SIGN;
}

/* The kind of what starts at `at`, and where it ends: len + 1 if it is never closed. */
static enum sql_token_kind
lex(const char *text, size_t len, size_t at, size_t *end)
{
	char c = text[at];
	size_t quote = at;

	if (sql_is_letter(c)) {
		if ((quote = string_prefix(text, len, at)) == at) {
			*end = word_end(text, len, at + 1);
			return SQL_WORD;
		}
	}
	if (text[quote] == '\'') {
		*end = string_end(text, len, quote + 1, sql_upper(c) == 'E');
		return SQL_STRING;
	}
	if (text[quote] == '"') {
		*end = quoted_end(text, len, quote + 1, '"');
		return SQL_NAME;
	}
	if (sql_is_digit(c) || (c == '.' && sql_is_digit(sql_peek(text, len, at + 1)))) {
		*end = number_end(text, len, at);
		return SQL_NUMBER;
	}
	if (c == '$')
		return dollar(text, len, at, end);
	/* Blanks are skipped up to here, so this can only be a comment that is never closed. */
	*end = c == '/' && sql_peek(text, len, at + 1) == '*' ? len + 1 : at + 1;
	return SQL_SIGN;
}

void
sql_token_read(struct sql_token *token, const char *text, size_t len, size_t at)
{
	size_t end = len;

	at = skip_blanks(text, len, at);
	token->start = at < len ? at : len;
	token->kind = at < len ? lex(text, len, at, &end) : SQL_END;
	if (end > len) {
		token->kind = SQL_BROKEN;
		end = len;
	}
	token->end = end;
}

struct sql_token
sql_token(const char *text, size_t len, size_t at)
{
	struct sql_token token;

	sql_token_read(&token, text, len, at);
	return token;
}

bool
sql_same_word(const char *text, const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (sql_upper(text[i]) != word[i])
			return false;
	}
	return true;
}

bool
sql_is(const char *text, struct sql_token token, const char *word)
{
	size_t len = token.end - token.start;

	return token.kind == SQL_WORD && strlen(word) == len &&
	    sql_same_word(text + token.start, word, len);
}

bool
sql_is_sign(const char *text, struct sql_token token, char sign)
{
	return token.kind == SQL_SIGN && text[token.start] == sign;
}
