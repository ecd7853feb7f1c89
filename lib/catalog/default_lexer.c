/* A default as PostgreSQL prints it, in tokens. */
#include "catalog/default_text_internal.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

size_t
default_behind_quotes(const char *text, size_t at, char quote, bool escapes, bool doubled)
{
	for (at++; text[at] != '\0'; at++) {
		if (escapes && text[at] == '\\' && text[at + 1] != '\0')
			at++;
		else if (text[at] == quote && doubled && text[at + 1] == quote)
			at++;
		else if (text[at] == quote)
			return at + 1;
	}
	return 0;
}

static struct default_token
quoted(const char *text, size_t start, size_t at, enum default_token_kind kind)
{
	size_t end = default_behind_quotes(text, at, text[at], kind == ESCAPED, kind == STRING);

	return end != 0 ? (struct default_token){ kind, start, end } : (struct default_token){ BAD, start, start + 1 };
}

static struct default_token
token_at(const char *text, size_t at)
{
	size_t start, end;
	char c;

	while (is_space(text[at]))
		at++;
	start = end = at;
	c = text[at];
	if (c == '\0')
		return (struct default_token){ END, at, at };
	if (c == '\'')
		return quoted(text, start, at, STRING);
	if ((c == 'E' || c == 'e') && text[at + 1] == '\'')
		return quoted(text, start, at + 1, ESCAPED);
	if (c == '"')
		return quoted(text, start, at, QUOTED);
	if (c == ':' && text[at + 1] == ':')
		return (struct default_token){ CAST, at, at + 2 };
	while (is_digit(text[end]))
		end++;
	if (end > start)
		return (struct default_token){ DIGITS, start, end };
	if (is_letter(c)) {
		while (is_letter(text[end]) || is_digit(text[end]) || text[end] == '-')
			end++;
		return (struct default_token){ WORD, start, end };
	}
	return (struct default_token){ strchr(",()[]{}.-", c) != NULL ? SIGN : BAD, start, start + 1 };
}

struct default_parser
default_parser_of(struct catalog *catalog, const char *text)
{
	return (struct default_parser){ catalog, text, token_at(text, 0) };
}

struct default_token
default_next(struct default_parser *p)
{
	struct default_token token = p->token;

	if (token.kind != END)
		p->token = token_at(p->text, token.end);
	return token;
}

bool
default_is_sign(const struct default_parser *p, char sign)
{
	return p->token.kind == SIGN && p->text[p->token.start] == sign;
}

bool
default_take_sign(struct default_parser *p, char sign)
{
	bool is = default_is_sign(p, sign);

	if (is)
		(void)default_next(p);
	return is;
}

bool
default_is_word(const struct default_parser *p, struct default_token token, const char *word)
{
	size_t len = strlen(word);

	return token.kind == WORD && token.end - token.start == len && strncasecmp(p->text + token.start, word, len) == 0;
}

char *
default_part(const struct default_parser *p, size_t start, size_t end)
{
	return xstrndup(p->text + start, end - start);
}

bool
default_skip_bracket(struct default_parser *p)
{
	while (p->token.kind != END)
		if (default_take_sign(p, ')'))
			return true;
		else
			(void)default_next(p);
	return false;
}

void
default_skip_cast(struct default_parser *p)
{
	if (p->token.kind != CAST)
		return;
	(void)default_next(p);
	while (p->token.kind == QUOTED || p->token.kind == WORD || default_is_sign(p, '.'))
		(void)default_next(p);
	if (default_take_sign(p, '(') && !default_skip_bracket(p))
		return;
	if (default_take_sign(p, '['))
		(void)default_take_sign(p, ']');
}
