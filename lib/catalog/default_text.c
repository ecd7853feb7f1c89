#include "catalog/default_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "catalog/default_text_internal.h"

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
take_value(struct default_parser *p, enum default_family family)
{
	switch (family) {
	case FAMILY_TEXT: return default_take_string(p);
	case FAMILY_INTEGER: return default_take_integer(p);
	case FAMILY_DECIMAL: return default_take_decimal(p);
	case FAMILY_BOOLEAN: return default_take_boolean(p);
	case FAMILY_BYTES: return default_take_bytes(p);
	case FAMILY_ENUM: return default_take_enum(p);
	default: return NULL;
	}
}

/* The last part of a name with its schema, without quotes. */
static char *
sequence_name(const char *name)
{
	size_t behind = *name == '"' ? default_behind_quotes(name, 0, '"', false, false)
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
take_sequence(struct default_parser *p)
{
	char *text, *name = NULL;

	if (!default_is_word(p, default_next(p), "nextval") || !default_take_sign(p, '('))
		return NULL;
	(void)default_take_sign(p, '(');
	if ((text = default_take_string(p)) != NULL) {
		name = sequence_name(text);
		free(text);
	}
	if (name != NULL && !default_skip_bracket(p)) {
		free(name);
		return NULL;
	}
	default_skip_cast(p);
	(void)default_take_sign(p, ')');
	default_skip_cast(p);
	return name;
}

/* now(), CURRENT_TIMESTAMP */
static bool
take_now(struct default_parser *p)
{
	struct default_token token = default_next(p);

	if (default_take_sign(p, '(') && !default_take_sign(p, ')'))
		return false;
	default_skip_cast(p);
	return default_is_word(p, token, "now") || default_is_word(p, token, "current_timestamp");
}

static void
set(struct default_parser *p, struct column_default *value, enum default_kind kind, enum literal_kind literal, char *text)
{
	if (text != NULL && p->token.kind == END)
		*value = (struct column_default){ .kind = kind, .literal = literal, .text = catalog_text(p->catalog, text) };
	free(text);
}

static void
parse_one(struct default_parser *p, enum default_family family, struct column_default *value)
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
take_constructor(struct default_parser *p, enum default_family family, struct values *values)
{
	(void)default_take_sign(p, '(');
	if (!default_is_word(p, default_next(p), "array") || !default_take_sign(p, '['))
		return false;
	while (!default_take_sign(p, ']')) {
		if (!add(values, take_value(p, family)))
			return false;
		if (default_take_sign(p, ']'))
			return true;
		if (!default_take_sign(p, ','))
			return false;
	}
	return true;
}

/* An element of {a,"b c"}, which is a word or in quotes: what it means to the family. */
static char *
element_value(struct default_parser *p, enum default_family family, struct default_token token)
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
		value = default_integer_of_text(bytes_text(&text));
	else if (family == FAMILY_BOOLEAN)
		value = xstrdup(strcasecmp(bytes_text(&text), "t") == 0 || strcasecmp(bytes_text(&text), "true") == 0 ? "true" : "false");
	else if (family == FAMILY_TEXT || family == FAMILY_ENUM)
		value = xstrdup(bytes_text(&text));
	bytes_free(&text);
	return value;
}

static bool
take_element(struct default_parser *p, enum default_family family, struct values *values)
{
	if (p->token.kind == WORD || p->token.kind == QUOTED)
		return add(values, element_value(p, family, default_next(p)));
	if (p->token.kind != DIGITS && !default_is_sign(p, '-'))
		return false;
	if (family == FAMILY_INTEGER)
		return add(values, default_take_integer(p));
	return family == FAMILY_DECIMAL && add(values, default_take_decimal(p));
}

/* {a,"b c"} */
static bool
parse_array(struct catalog *catalog, const char *text, enum default_family family, struct values *values)
{
	struct default_parser p = default_parser_of(catalog, text);

	if (!default_take_sign(&p, '{'))
		return false;
	while (!default_take_sign(&p, '}')) {
		if (!take_element(&p, family, values))
			return false;
		if (!default_take_sign(&p, ',') && !default_is_sign(&p, '}'))
			return false;
	}
	return true;
}

static bool
take_list(struct default_parser *p, enum default_family family, struct values *values)
{
	char *text = default_take_string(p);
	bool is;

	if (text == NULL)
		return take_constructor(p, family, values);
	is = parse_array(p->catalog, text, family, values);
	free(text);
	return is;
}

static void
parse_list(struct default_parser *p, enum default_family family, struct column_default *value)
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
	struct default_parser p;

	*value = (struct column_default){ 0 };
	if (text == NULL || strncmp(text + strspn(text, " \t\n"), "NULL", 4) == 0)
		return;
	*value = (struct column_default){ .kind = DEFAULT_EXPRESSION, .text = catalog_text(catalog, text) };
	p = default_parser_of(catalog, text);
	if (is_list)
		parse_list(&p, family, value);
	else
		parse_one(&p, family, value);
}
