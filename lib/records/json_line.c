/* The shape that our own programs write: scanned without a change, then decoded where it stands. */
#include "records/json_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

const unsigned char json_plain[256] = {
#define ROW1 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
	[0x20] = 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	[0x30] = ROW1, ROW1,
	[0x50] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1,
	[0x60] = ROW1, ROW1, ROW1, ROW1, ROW1, ROW1, ROW1, ROW1, ROW1, ROW1,
#undef ROW1
};

/* What an escape of one letter stands for; 0: it is none. */
static const char escapes[256] = { ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f',
	['n'] = '\n', ['r'] = '\r', ['t'] = '\t' };

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* The length of the escape at p if it is one that our writers use: of a letter, or of a control character. */
static size_t
escape_length(const char *p)
{
	if (escapes[(unsigned char)p[1]] != 0)
		return 2;
	if (p[1] == 'u' && p[2] == '0' && p[3] == '0' && (p[4] == '0' || p[4] == '1') && is_hex(p[5]) &&
	    (p[4] != '0' || p[5] != '0'))
		return 6;
	return 0;
}

/* A text, whose first quote is at *p; leaves *p behind its last one. */
static bool
scan_text(char **p, struct json_span *span)
{
	const unsigned char *c = (const unsigned char *)*p;
	unsigned char high = 0;

	if (*c != '"')
		return false;
	span->at = *p + 1;
	span->escaped = false;
	for (c++; *c != '"';) {
		size_t json_escape;

		while (json_plain[*c])
			high |= *c++;
		if (*c == '"')
			break;
		if (*c != '\\' || (json_escape = escape_length((const char *)c)) == 0)
			return false;
		span->escaped = true;
		c += json_escape;
	}
	span->len = (size_t)((const char *)c - span->at);
	*p = span->at + span->len + 1;
	return (high & 0x80) == 0 || utf8_check(span->at, span->len) == span->len;
}

static bool
scan_word(char **p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*p, word, len) != 0)
		return false;
	*p += len;
	return true;
}

/* A whole number of up to 18 digits: fits. */
static bool
scan_number(char **p, long long *number)
{
	const char *digits;
	bool negative = **p == '-';
	long long n = 0;

	*p += negative;
	for (digits = *p; **p >= '0' && **p <= '9'; (*p)++) {
		if (*p - digits == 18)
			return false;
		n = n * 10 + (**p - '0');
	}
	*number = negative ? -n : n;
	return *p > digits && (*digits != '0' || *p == digits + 1) && strchr(".eE", **p) == NULL;
}

/* A list of texts and nulls, whose bracket is at *p: it is kept as it stands. */
static bool
scan_list(char **p, struct json_span *list)
{
	struct json_span item;

	*list = (struct json_span){ *p, 0, false };
	if (*++*p == ']') {
		++*p;
	} else {
		do {
			if (!scan_text(p, &item) && !scan_word(p, "null"))
				return false;
		} while (*(*p)++ == ',');
	}
	list->len = (size_t)(*p - list->at);
	return (*p)[-1] == ']';
}

static bool
scan_value(char **p, struct json_pair *pair)
{
	struct value *v = &pair->value;

	*v = (struct value){ VALUE_NULL, NULL, 0 };
	switch (**p) {
	case '[':
		v->type = VALUE_LIST;
		return scan_list(p, &pair->text);
	case '"':
		v->type = VALUE_TEXT;
		return scan_text(p, &pair->text);
	case 'n':
		return scan_word(p, "null");
	case 't':
	case 'f':
		v->type = VALUE_FLAG;
		v->number = **p == 't';
		return scan_word(p, v->number ? "true" : "false");
	}
	v->type = VALUE_NUMBER;
	return scan_number(p, &v->number) && (**p == ',' || **p == '}');
}

static bool
is_double(const struct json_pair *pairs, size_t count)
{
	const struct json_span *last = &pairs[count].key;
	size_t i;

	for (i = 0; i < count; i++)
		if (pairs[i].key.len == last->len && memcmp(pairs[i].key.at, last->at, last->len) == 0)
			return true;
	return false;
}

bool
json_line_scan(char *line, size_t len, struct json_pair pairs[VALUES_MAX], size_t *count)
{
	char *p = line;

	*count = 0;
	if (*p != '{')
		return false;
	do {
		struct json_pair *pair = &pairs[*count];

		p++;
		if (*count == VALUES_MAX || !scan_text(&p, &pair->key) || pair->key.escaped || *p++ != ':' ||
		    is_double(pairs, *count) || !scan_value(&p, pair))
			return false;
		(*count)++;
	} while (*p == ',');
	return *p == '}' && p + 1 == line + len;
}

char
json_unescaped(const char *p)
{
	if (p[1] == 'u') {
		char digits[3] = { p[4], p[5], '\0' };

		return (char)strtol(digits, NULL, 16);
	}
	return escapes[(unsigned char)p[1]];
}

void
json_line_decode(struct json_span *span)
{
	char *from = span->at, *to = span->at, *end = span->at + span->len, *json_escape;

	while (span->escaped && (json_escape = memchr(from, '\\', (size_t)(end - from))) != NULL) {
		memmove(to, from, (size_t)(json_escape - from));
		to += json_escape - from;
		*to++ = json_unescaped(json_escape);
		from = json_escape + (json_escape[1] == 'u' ? 6 : 2);
	}
	if (span->escaped) {
		memmove(to, from, (size_t)(end - from));
		span->len = (size_t)(to + (end - from) - span->at);
	}
	span->at[span->len] = '\0';
}
