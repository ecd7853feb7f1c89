/* The literals of a default: what they mean to a family of types. */
#include "catalog/default_text_internal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* --- literals --- */

static char
escape_value(char c)
{
	switch (c) {
	case 'n': return '\n';
	case 't': return '\t';
	case 'r': return '\r';
	case 'b': return '\b';
	case 'a': return '\a';
	default: return c;
	}
}

char *
default_take_string(struct default_parser *p)
{
	struct default_token token = p->token;
	bool escaped = token.kind == ESCAPED;
	size_t at = token.start + (escaped ? 2 : 1);
	struct bytes out = { 0 };

	if (token.kind != STRING && !escaped)
		return NULL;
	for (; at < token.end - 1; at++) {
		if (escaped && p->text[at] == '\\' && at + 1 < token.end - 1)
			bytes_char(&out, escape_value(p->text[++at]));
		else if (!escaped && p->text[at] == '\'')
			bytes_char(&out, p->text[++at]);
		else
			bytes_char(&out, p->text[at]);
	}
	(void)default_next(p);
	default_skip_cast(p);
	return out.data != NULL ? out.data : xstrdup("");
}

/* Digits as one number is written: without leading zeros, and zero without a sign. */
static char *
integer_text(bool negative, const char *digits)
{
	while (*digits == '0' && digits[1] != '\0')
		digits++;
	return xformat("%s%s", negative && strcmp(digits, "0") != 0 ? "-" : "", digits);
}

char *
default_integer_of_text(const char *text)
{
	bool negative = *text == '-';
	const char *digits = text + (*text == '-' || *text == '+');

	return *digits != '\0' && digits[strspn(digits, "0123456789")] == '\0' ? integer_text(negative, digits) : NULL;
}

char *
default_take_integer(struct default_parser *p)
{
	bool negative;
	char *text, *value = NULL;
	struct default_token token;

	if (p->token.kind == STRING || p->token.kind == ESCAPED) {
		text = default_take_string(p);
		value = default_integer_of_text(text);
		free(text);
		return value;
	}
	negative = default_take_sign(p, '-');
	if (p->token.kind != DIGITS)
		return NULL;
	token = default_next(p);
	text = default_part(p, token.start, token.end);
	value = integer_text(negative, text);
	free(text);
	return value;
}

/* (-12.5), -12.5, or the same in a string. */
static char *
take_decimal_within(struct default_parser *p)
{
	bool bracket = default_take_sign(p, '('), negative;
	struct default_token whole, fraction;
	char *text, *value;

	if (!bracket && (p->token.kind == STRING || p->token.kind == ESCAPED)) {
		struct default_parser inner;

		text = default_take_string(p);
		inner = default_parser_of(p->catalog, text);
		value = take_decimal_within(&inner);
		free(text);
		return value;
	}
	negative = default_take_sign(p, '-');
	if (p->token.kind != DIGITS)
		return NULL;
	whole = fraction = default_next(p);
	if (default_take_sign(p, '.')) {
		if (p->token.kind != DIGITS)
			return NULL;
		fraction = default_next(p);
	}
	if (bracket && !default_take_sign(p, ')'))
		return NULL;
	text = default_part(p, whole.start, whole.end);
	value = fraction.start == whole.start
	    ? xformat("%s%s", negative ? "-" : "", text)
	    : xformat("%s%s.%.*s", negative ? "-" : "", text, (int)(fraction.end - fraction.start), p->text + fraction.start);
	free(text);
	return value;
}

char *
default_take_decimal(struct default_parser *p)
{
	char *value = take_decimal_within(p);

	if (value != NULL)
		default_skip_cast(p);
	return value;
}

char *
default_take_boolean(struct default_parser *p)
{
	struct default_token token = default_next(p);

	if (default_is_word(p, token, "t") || default_is_word(p, token, "true"))
		return xstrdup("true");
	return default_is_word(p, token, "f") || default_is_word(p, token, "false") ? xstrdup("false") : NULL;
}

char *
default_take_bytes(struct default_parser *p)
{
	char *text = default_take_string(p), *value = NULL, *c;

	if (text != NULL && strncmp(text, "\\x", 2) == 0 && strspn(text + 2, "0123456789abcdefABCDEF") == strlen(text + 2) &&
	    strlen(text) % 2 == 0) {
		value = xstrdup(text + 2);
		for (c = value; *c != '\0'; c++)
			if (*c >= 'A' && *c <= 'F')
				*c = (char)(*c - 'A' + 'a');
	}
	free(text);
	return value;
}

char *
default_take_enum(struct default_parser *p)
{
	struct default_token token;

	if (p->token.kind != WORD)
		return default_take_string(p);
	token = default_next(p);
	default_skip_cast(p);
	return default_part(p, token.start, token.end);
}
