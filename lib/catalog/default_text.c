#include "catalog/default_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"

/* --- tokens --- */

enum kind { END, STRING, ESCAPED, QUOTED, CAST, DIGITS, WORD, SIGN, BAD };

struct token {
	enum kind kind;
	size_t start, end;
};

struct parser {
	struct catalog *catalog;
	const char *text;
	struct token token;       /* the one that comes next */
};

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

/* Behind a literal that begins at `at` with its quote; 0: it does not end.  `escapes`: a backslash takes the next along. */
static size_t
behind_quotes(const char *text, size_t at, char quote, bool escapes, bool doubled)
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

static struct token
quoted(const char *text, size_t start, size_t at, enum kind kind)
{
	size_t end = behind_quotes(text, at, text[at], kind == ESCAPED, kind == STRING);

	return end != 0 ? (struct token){ kind, start, end } : (struct token){ BAD, start, start + 1 };
}

static struct token
token_at(const char *text, size_t at)
{
	size_t start, end;
	char c;

	while (is_space(text[at]))
		at++;
	start = end = at;
	c = text[at];
	if (c == '\0')
		return (struct token){ END, at, at };
	if (c == '\'')
		return quoted(text, start, at, STRING);
	if ((c == 'E' || c == 'e') && text[at + 1] == '\'')
		return quoted(text, start, at + 1, ESCAPED);
	if (c == '"')
		return quoted(text, start, at, QUOTED);
	if (c == ':' && text[at + 1] == ':')
		return (struct token){ CAST, at, at + 2 };
	while (is_digit(text[end]))
		end++;
	if (end > start)
		return (struct token){ DIGITS, start, end };
	if (is_letter(c)) {
		while (is_letter(text[end]) || is_digit(text[end]) || text[end] == '-')
			end++;
		return (struct token){ WORD, start, end };
	}
	return (struct token){ strchr(",()[]{}.-", c) != NULL ? SIGN : BAD, start, start + 1 };
}

static struct parser
parser_of(struct catalog *catalog, const char *text)
{
	return (struct parser){ catalog, text, token_at(text, 0) };
}

static struct token
next(struct parser *p)
{
	struct token token = p->token;

	if (token.kind != END)
		p->token = token_at(p->text, token.end);
	return token;
}

static bool
is_sign(const struct parser *p, char sign)
{
	return p->token.kind == SIGN && p->text[p->token.start] == sign;
}

static bool
take_sign(struct parser *p, char sign)
{
	bool is = is_sign(p, sign);

	if (is)
		(void)next(p);
	return is;
}

static bool
is_word(const struct parser *p, struct token token, const char *word)
{
	size_t len = strlen(word);

	return token.kind == WORD && token.end - token.start == len && strncasecmp(p->text + token.start, word, len) == 0;
}

/* A copy of a part of the text, which the caller frees. */
static char *
part(const struct parser *p, size_t start, size_t end)
{
	return xstrndup(p->text + start, end - start);
}

/* Behind an opening bracket, to its end. */
static bool
skip_bracket(struct parser *p)
{
	while (p->token.kind != END)
		if (take_sign(p, ')'))
			return true;
		else
			(void)next(p);
	return false;
}

/* ::name, ::"schema".name, ::character varying(3), ::name[]; or nothing. */
static void
skip_cast(struct parser *p)
{
	if (p->token.kind != CAST)
		return;
	(void)next(p);
	while (p->token.kind == QUOTED || p->token.kind == WORD || is_sign(p, '.'))
		(void)next(p);
	if (take_sign(p, '(') && !skip_bracket(p))
		return;
	if (take_sign(p, '['))
		(void)take_sign(p, ']');
}

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

/* A string literal with the cast behind it; its value is the caller's.  NULL: there is none, and nothing is read. */
static char *
take_string(struct parser *p)
{
	struct token token = p->token;
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
	(void)next(p);
	skip_cast(p);
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

static char *
integer_of_text(const char *text)
{
	bool negative = *text == '-';
	const char *digits = text + (*text == '-' || *text == '+');

	return *digits != '\0' && digits[strspn(digits, "0123456789")] == '\0' ? integer_text(negative, digits) : NULL;
}

/* The value of a literal of a family, the caller's; NULL: it is none. */
static char *
take_integer(struct parser *p)
{
	bool negative;
	char *text, *value = NULL;
	struct token token;

	if (p->token.kind == STRING || p->token.kind == ESCAPED) {
		text = take_string(p);
		value = integer_of_text(text);
		free(text);
		return value;
	}
	negative = take_sign(p, '-');
	if (p->token.kind != DIGITS)
		return NULL;
	token = next(p);
	text = part(p, token.start, token.end);
	value = integer_text(negative, text);
	free(text);
	return value;
}

/* (-12.5), -12.5, or the same in a string. */
static char *
take_decimal_within(struct parser *p)
{
	bool bracket = take_sign(p, '('), negative;
	struct token whole, fraction;
	char *text, *value;

	if (!bracket && (p->token.kind == STRING || p->token.kind == ESCAPED)) {
		struct parser inner;

		text = take_string(p);
		inner = parser_of(p->catalog, text);
		value = take_decimal_within(&inner);
		free(text);
		return value;
	}
	negative = take_sign(p, '-');
	if (p->token.kind != DIGITS)
		return NULL;
	whole = fraction = next(p);
	if (take_sign(p, '.')) {
		if (p->token.kind != DIGITS)
			return NULL;
		fraction = next(p);
	}
	if (bracket && !take_sign(p, ')'))
		return NULL;
	text = part(p, whole.start, whole.end);
	value = fraction.start == whole.start
	    ? xformat("%s%s", negative ? "-" : "", text)
	    : xformat("%s%s.%.*s", negative ? "-" : "", text, (int)(fraction.end - fraction.start), p->text + fraction.start);
	free(text);
	return value;
}

static char *
take_decimal(struct parser *p)
{
	char *value = take_decimal_within(p);

	if (value != NULL)
		skip_cast(p);
	return value;
}

static char *
take_boolean(struct parser *p)
{
	struct token token = next(p);

	if (is_word(p, token, "t") || is_word(p, token, "true"))
		return xstrdup("true");
	return is_word(p, token, "f") || is_word(p, token, "false") ? xstrdup("false") : NULL;
}

/* '\x4869' → 4869 */
static char *
take_bytes(struct parser *p)
{
	char *text = take_string(p), *value = NULL, *c;

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

static char *
take_enum(struct parser *p)
{
	struct token token;

	if (p->token.kind != WORD)
		return take_string(p);
	token = next(p);
	skip_cast(p);
	return part(p, token.start, token.end);
}

/* --- defaults --- */

static enum literal_kind
literal_of(enum default_family family)
{
	switch (family) {
	case FAMILY_INTEGER: return LITERAL_INTEGER;
	case FAMILY_DECIMAL: return LITERAL_DECIMAL;
	case FAMILY_BOOLEAN: return LITERAL_BOOLEAN;
	case FAMILY_BYTES: return LITERAL_BYTES;
	case FAMILY_ENUM: return LITERAL_ENUM;
	default: return LITERAL_STRING;
	}
}

static char *
take_value(struct parser *p, enum default_family family)
{
	switch (family) {
	case FAMILY_TEXT: return take_string(p);
	case FAMILY_INTEGER: return take_integer(p);
	case FAMILY_DECIMAL: return take_decimal(p);
	case FAMILY_BOOLEAN: return take_boolean(p);
	case FAMILY_BYTES: return take_bytes(p);
	case FAMILY_ENUM: return take_enum(p);
	default: return NULL;
	}
}

/* The last part of a name with its schema, without quotes. */
static char *
sequence_name(const char *name)
{
	size_t behind = *name == '"' ? behind_quotes(name, 0, '"', false, false)
	                             : strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
	const char *last = behind > 0 && name[behind] == '.' ? name + behind + 1 : name;
	size_t len = strlen(last);

	while (*last == '"') {
		last++;
		len--;
	}
	while (len > 0 && last[len - 1] == '"')
		len--;
	return xstrndup(last, len);
}

/* nextval('s'::regclass) → s */
static char *
take_sequence(struct parser *p)
{
	char *text, *name = NULL;

	if (!is_word(p, next(p), "nextval") || !take_sign(p, '('))
		return NULL;
	(void)take_sign(p, '(');
	if ((text = take_string(p)) != NULL) {
		name = sequence_name(text);
		free(text);
	}
	if (name != NULL && !skip_bracket(p)) {
		free(name);
		return NULL;
	}
	skip_cast(p);
	(void)take_sign(p, ')');
	skip_cast(p);
	return name;
}

/* now(), CURRENT_TIMESTAMP */
static bool
take_now(struct parser *p)
{
	struct token token = next(p);

	if (take_sign(p, '(') && !take_sign(p, ')'))
		return false;
	skip_cast(p);
	return is_word(p, token, "now") || is_word(p, token, "current_timestamp");
}

static void
set(struct parser *p, struct column_default *value, enum default_kind kind, enum literal_kind literal, char *text)
{
	if (text != NULL && p->token.kind == END)
		*value = (struct column_default){ .kind = kind, .literal = literal, .text = catalog_text(p->catalog, text) };
	free(text);
}

static void
parse_one(struct parser *p, enum default_family family, struct column_default *value)
{
	if (family == FAMILY_TIME) {
		if (take_now(p) && p->token.kind == END)
			*value = (struct column_default){ .kind = DEFAULT_NOW };
	} else if (family == FAMILY_INTEGER && p->token.kind == WORD) {
		set(p, value, DEFAULT_SEQUENCE, LITERAL_STRING, take_sequence(p));
	} else {
		set(p, value, DEFAULT_VALUE, literal_of(family), take_value(p, family));
	}
}

/* --- lists --- */

struct values {
	char **items;
	size_t count, cap;
};

static bool
add(struct values *values, char *item)
{
	if (item == NULL)
		return false;
	ARRAY_ROOM(values->items, values->count, values->cap);
	values->items[values->count++] = item;
	return true;
}

/* ARRAY[a, b] */
static bool
take_constructor(struct parser *p, enum default_family family, struct values *values)
{
	(void)take_sign(p, '(');
	if (!is_word(p, next(p), "array") || !take_sign(p, '['))
		return false;
	while (!take_sign(p, ']')) {
		if (!add(values, take_value(p, family)))
			return false;
		if (take_sign(p, ']'))
			return true;
		if (!take_sign(p, ','))
			return false;
	}
	return true;
}

/* An element of {a,"b c"}, which is a word or in quotes: what it means to the family. */
static char *
element_value(struct parser *p, enum default_family family, struct token token)
{
	struct bytes text = { 0 };
	size_t at = token.start + (token.kind == QUOTED), end = token.end - (token.kind == QUOTED);
	char *value = NULL;

	for (; at < end; at++) {
		if (token.kind == QUOTED && p->text[at] == '\\' && at + 1 < end)
			at++;
		bytes_char(&text, p->text[at]);
	}
	if (family == FAMILY_INTEGER)
		value = integer_of_text(bytes_text(&text));
	else if (family == FAMILY_BOOLEAN)
		value = xstrdup(strcasecmp(bytes_text(&text), "t") == 0 || strcasecmp(bytes_text(&text), "true") == 0 ? "true" : "false");
	else if (family == FAMILY_TEXT || family == FAMILY_ENUM)
		value = xstrdup(bytes_text(&text));
	bytes_free(&text);
	return value;
}

static bool
take_element(struct parser *p, enum default_family family, struct values *values)
{
	if (p->token.kind == WORD || p->token.kind == QUOTED)
		return add(values, element_value(p, family, next(p)));
	if (p->token.kind != DIGITS && !is_sign(p, '-'))
		return false;
	if (family == FAMILY_INTEGER)
		return add(values, take_integer(p));
	return family == FAMILY_DECIMAL && add(values, take_decimal(p));
}

/* {a,"b c"} */
static bool
parse_array(struct catalog *catalog, const char *text, enum default_family family, struct values *values)
{
	struct parser p = parser_of(catalog, text);

	if (!take_sign(&p, '{'))
		return false;
	while (!take_sign(&p, '}')) {
		if (!take_element(&p, family, values))
			return false;
		if (!take_sign(&p, ',') && !is_sign(&p, '}'))
			return false;
	}
	return true;
}

static bool
take_list(struct parser *p, enum default_family family, struct values *values)
{
	char *text = take_string(p);
	bool is;

	if (text == NULL)
		return take_constructor(p, family, values);
	is = parse_array(p->catalog, text, family, values);
	free(text);
	return is;
}

static void
parse_list(struct parser *p, enum default_family family, struct column_default *value)
{
	struct values values = { 0 };
	size_t i;

	if (take_list(p, family, &values)) {
		*value = (struct column_default){ .kind = DEFAULT_LIST, .literal = literal_of(family) };
		value->list = catalog_list(p->catalog, (const char *const *)values.items, values.count);
	}
	for (i = 0; i < values.count; i++)
		free(values.items[i]);
	free(values.items);
}

void
default_parse(struct catalog *catalog, const char *text, enum default_family family, bool is_list,
    struct column_default *value)
{
	struct parser p;

	*value = (struct column_default){ 0 };
	if (text == NULL || strncmp(text + strspn(text, " \t\n"), "NULL", 4) == 0)
		return;
	*value = (struct column_default){ .kind = DEFAULT_EXPRESSION, .text = catalog_text(catalog, text) };
	p = parser_of(catalog, text);
	if (is_list)
		parse_list(&p, family, value);
	else
		parse_one(&p, family, value);
}
