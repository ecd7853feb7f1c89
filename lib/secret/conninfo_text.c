/* Characters of a connection string: escapes, references, and errors with their place. */
#include "secret/conninfo_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* --- small things --- */

bool
conninfo_fail(struct parse *p, size_t at, const char *rule, const char *hint)
{
	p->error->position = utf8_count(p->text, at) + 1;
	p->error->rule = rule;
	p->error->hint = hint;
	return false;
}

bool
conninfo_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool
conninfo_is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7F;
}

bool
conninfo_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
conninfo_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The first of `set` in text[start..end), or end. */
size_t
conninfo_find(const char *text, size_t start, size_t end, const char *set)
{
	while (start < end && (text[start] == '\0' || strchr(set, text[start]) == NULL))
		start++;
	return start;
}

/* The last c in text[start..end), or end. */
size_t
conninfo_find_last(const char *text, size_t start, size_t end, char c)
{
	size_t i;

	for (i = end; i > start; i--)
		if (text[i - 1] == c)
			return i - 1;
	return end;
}

bool
conninfo_begins_with(const char *text, size_t start, size_t end, const char *word)
{
	size_t len = strlen(word);

	return end - start >= len && memcmp(text + start, word, len) == 0;
}

int
conninfo_hex_value(char c)
{
	if (conninfo_is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that the escape at text[at] stands for, or -1 where it is none. */
int
conninfo_escape_value(const char *text, size_t at, size_t end)
{
	if (text[at] != '%' || end - at < 3 || conninfo_hex_value(text[at + 1]) < 0 ||
	    conninfo_hex_value(text[at + 2]) < 0)
		return -1;
	return conninfo_hex_value(text[at + 1]) * 16 + conninfo_hex_value(text[at + 2]);
}

/* Decodes like web browsers: what is not an escape is kept. */
size_t
conninfo_percent_decode(const char *text, size_t start, size_t end, char *out)
{
	size_t len = 0;

	while (start < end) {
		int byte = conninfo_escape_value(text, start, end);

		out[len++] = byte >= 0 ? (char)byte : text[start];
		start += byte >= 0 ? 3 : 1;
	}
	out[len] = '\0';
	return len;
}

/* An escaped zero byte would end a C string early: find one, or end. */
static size_t
find_zero_escape(const char *text, size_t start, size_t end)
{
	for (; start < end; start++)
		if (conninfo_escape_value(text, start, end) == 0)
			break;
	return start;
}

/*
 * A part of the input that is not secret, decoded; NULL if it has a zero byte.  As in Prisma, bytes that do not
 * decode to UTF-8 are kept.
 */
char *
conninfo_decode_part(struct parse *p, size_t start, size_t end)
{
	size_t zero = find_zero_escape(p->text, start, end);
	char *out = xmalloc(end - start + 1);
	size_t len;

	if (zero < end) {
		(void)conninfo_fail(p, zero, ZERO_RULE, NULL);
		free(out);
		return NULL;
	}
	len = conninfo_percent_decode(p->text, start, end, out);
	if (utf8_check(out, len) < len) {
		memcpy(out, p->text + start, end - start);
		out[end - start] = '\0';
	}
	return out;
}

/* The same for a query, where + is a blank and what is not UTF-8 is mended. */
char *
conninfo_decode_query(struct parse *p, size_t start, size_t end)
{
	struct bytes raw = { 0 }, mended = { 0 };
	size_t i;

	if (find_zero_escape(p->text, start, end) < end) {
		(void)conninfo_fail(p, find_zero_escape(p->text, start, end), ZERO_RULE, NULL);
		return NULL;
	}
	bytes_add(&raw, p->text + start, end - start);
	for (i = 0; i < raw.len; i++)
		if (raw.data[i] == '+')
			raw.data[i] = ' ';
	raw.len = conninfo_percent_decode(raw.data, 0, raw.len, raw.data);
	bytes_add(&mended, "", 0);
	utf8_repair(&mended, raw.data, raw.len);
	bytes_free(&raw);
	return mended.data;
}

void
conninfo_replace(char **field, char *value)
{
	free(*field);
	*field = value;
}

static bool
is_reference(const char *text, size_t start, size_t end)
{
	return (conninfo_begins_with(text, start, end, "${") && text[end - 1] == '}') ||
	    (conninfo_begins_with(text, start, end, "$(") && text[end - 1] == ')') ||
	    (conninfo_begins_with(text, start, end, "{{") && end - start > 3 && conninfo_begins_with(text, end - 2, end, "}}"));
}

/* A `$` may be part of any password, but one that is a reference from end to end is none. */
bool
conninfo_check_password(struct parse *p, size_t start, size_t end)
{
	size_t zero = find_zero_escape(p->text, start, end);

	if (is_reference(p->text, start, end))
		return conninfo_fail(p, start, REFERENCE_RULE, REFERENCE_HINT);
	if (end - start > 2 && p->text[start] == '[' && p->text[end - 1] == ']' &&
	    (conninfo_begins_with(p->text, start, end, "[YOUR") || conninfo_begins_with(p->text, start, end, "[PASSWORD")))
		return conninfo_fail(p, start, "the password is still the example's placeholder",
		    "Replace it with the password, without the brackets.");
	if (zero < end && p->target->is_url)
		return conninfo_fail(p, zero, ZERO_RULE, NULL);
	return true;
}

bool
conninfo_check_no_reference(struct parse *p, size_t start, size_t end)
{
	size_t dollar = conninfo_find(p->text, start, end, "$");

	if (dollar + 1 < end && (p->text[dollar + 1] == '{' || p->text[dollar + 1] == '('))
		return conninfo_fail(p, dollar, REFERENCE_RULE, REFERENCE_HINT);
	return true;
}
