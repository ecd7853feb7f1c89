#include "datamodel/lexer.h"

#include <stdarg.h>
#include <string.h>

#include "base/bytes.h"
#include "datamodel/letters.h"

struct place
cursor_place(const struct cursor *c)
{
	return (struct place){ c->file, c->at };
}

bool
cursor_fail(struct cursor *c, struct place place, const char *format, ...)
{
	struct bytes text = { 0 };
	va_list args;

	if (c->failed)
		return false;
	va_start(args, format);
	bytes_vformat(&text, format, args);
	va_end(args);
	c->failed = true;
	c->error->place = place;
	c->error->text = arena_text(c->arena, bytes_text(&text), text.len);
	bytes_free(&text);
	return false;
}

void
place_find(const struct place *place, size_t *line, size_t *column)
{
	const char *text = place->file->text;
	size_t begin = 0, i;

	*line = 1;
	for (i = 0; i < place->offset; i++) {
		if (text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n')) {
			++*line;
			begin = i + 1;
		}
	}
	*column = utf8_count(text + begin, place->offset - begin) + 1;
}

bool
cursor_ends(const struct cursor *c)
{
	return c->failed || c->at >= c->file->len;
}

bool
cursor_sees(const struct cursor *c, const char *text)
{
	size_t len = strlen(text);

	return !c->failed && c->file->len - c->at >= len && memcmp(c->file->text + c->at, text, len) == 0;
}

bool
cursor_eat(struct cursor *c, const char *text)
{
	if (!cursor_sees(c, text))
		return false;
	c->at += strlen(text);
	return true;
}

/* The character at the cursor and how many bytes it has; 0 at the end. */
static unsigned long
character(const struct cursor *c, size_t *bytes)
{
	const unsigned char *p = (const unsigned char *)c->file->text + c->at;

	*bytes = 0;
	if (cursor_ends(c))
		return 0;
	*bytes = *p < 0x80 ? 1 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : 4;
	switch (*bytes) {
	case 1:
		return *p;
	case 2:
		return (unsigned long)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
	case 3:
		return (unsigned long)(p[0] & 0x0F) << 12 | (unsigned long)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
	}
	return (unsigned long)(p[0] & 0x07) << 18 | (unsigned long)(p[1] & 0x3F) << 12 |
	    (unsigned long)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
}

void
cursor_blanks(struct cursor *c)
{
	size_t bytes;
	unsigned long ch;

	while ((ch = character(c, &bytes)) == '\t' || is_space_separator(ch))
		c->at += bytes;
}

bool
cursor_sees_line_end(const struct cursor *c)
{
	return cursor_sees(c, "\n") || cursor_sees(c, "\r");
}

bool
cursor_line_end(struct cursor *c)
{
	return cursor_eat(c, "\r\n") || cursor_eat(c, "\n") || cursor_eat(c, "\r");
}

void
cursor_rest_of_line(struct cursor *c)
{
	while (!cursor_ends(c) && !cursor_sees_line_end(c))
		c->at++;
}

bool
cursor_comment(struct cursor *c)
{
	struct place begin;

	cursor_blanks(c);
	begin = cursor_place(c);
	if (cursor_eat(c, "//")) {
		cursor_rest_of_line(c);
		return true;
	}
	if (!cursor_eat(c, "/*"))
		return false;
	while (!cursor_eat(c, "*/")) {
		if (cursor_ends(c))
			return cursor_fail(c, begin, "this comment is not closed");
		c->at++;
	}
	return true;
}

static bool
is_digit(unsigned long c)
{
	return c >= '0' && c <= '9';
}

/* Passes over a name; returns whether there was one. */
static bool
pass_name(struct cursor *c)
{
	size_t bytes;
	unsigned long ch = character(c, &bytes);

	if (!is_digit(ch) && !is_letter(ch))
		return false;
	do {
		c->at += bytes;
		ch = character(c, &bytes);
	} while (is_digit(ch) || is_letter(ch) || ch == '_' || ch == '-');
	return true;
}

static const char *
text_since(const struct cursor *c, size_t begin)
{
	return arena_text(c->arena, c->file->text + begin, c->at - begin);
}

const char *
cursor_name(struct cursor *c)
{
	size_t begin = c->at;

	return pass_name(c) ? text_since(c, begin) : NULL;
}

const char *
cursor_path(struct cursor *c)
{
	size_t begin = c->at;

	if (!pass_name(c))
		return NULL;
	while (cursor_sees(c, ".")) {
		c->at++;
		if (!pass_name(c)) {
			cursor_fail(c, cursor_place(c), "expected a name after the dot");
			return NULL;
		}
	}
	return text_since(c, begin);
}

static bool
pass_digits(struct cursor *c)
{
	size_t begin = c->at;

	while (c->at < c->file->len && is_digit((unsigned char)c->file->text[c->at]))
		c->at++;
	return c->at > begin;
}

const char *
cursor_number(struct cursor *c)
{
	size_t begin = c->at, whole;

	if (cursor_ends(c))
		return NULL;
	(void)cursor_eat(c, "-");
	if (!pass_digits(c)) {
		c->at = begin;
		return NULL;
	}
	whole = c->at;
	if (cursor_eat(c, ".") && !pass_digits(c))
		c->at = whole;
	return text_since(c, begin);
}

/* --- strings --- */

/* Four hexadecimal digits; -1 where there are none. */
static long
hex_digits(struct cursor *c)
{
	long value = 0;
	int i;

	for (i = 0; i < 4; i++) {
		char d = c->at < c->file->len ? c->file->text[c->at] : '\0';
		const char *digits = "0123456789abcdef";
		const char *found = d != '\0' ? strchr(digits, d >= 'A' && d <= 'F' ? d - 'A' + 'a' : d) : NULL;

		if (found == NULL)
			return -1;
		value = value * 16 + (found - digits);
		c->at++;
	}
	return value;
}

/* Behind \u. */
static bool
unicode_escape(struct cursor *c, struct bytes *out, struct place place)
{
	long high = hex_digits(c), low;

	if (high < 0)
		return cursor_fail(c, place, "\\u needs four hexadecimal digits");
	if (high >= 0xDC00 && high < 0xE000)
		return cursor_fail(c, place, "this is the second half of a surrogate pair, and the first is missing");
	if (high >= 0xD800 && high < 0xDC00) {
		if (!cursor_eat(c, "\\u") || (low = hex_digits(c)) < 0xDC00 || low > 0xDFFF)
			return cursor_fail(c, place, "this is the first half of a surrogate pair, and the second is missing");
		bytes_utf8(out, 0x10000 + ((unsigned long)(high - 0xD800) << 10) + (unsigned long)(low - 0xDC00));
		return true;
	}
	if (high == 0)
		return cursor_fail(c, place, "a text in PostgreSQL cannot contain the character NUL");
	bytes_utf8(out, (unsigned long)high);
	return true;
}

static bool
escape(struct cursor *c, struct bytes *out)
{
	static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	struct place place = cursor_place(c);
	const char *found;

	c->at++;
	if (cursor_eat(c, "u"))
		return unicode_escape(c, out, place);
	found = !cursor_ends(c) && c->file->text[c->at] != '\0' ? strchr(letters, c->file->text[c->at]) : NULL;
	if (found == NULL)
		return cursor_fail(c, place, "an escape must be one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
	bytes_char(out, values[found - letters]);
	c->at++;
	return true;
}

const char *
cursor_string(struct cursor *c)
{
	struct place begin = cursor_place(c);
	struct bytes out = { 0 };
	const char *text = NULL;

	if (!cursor_eat(c, "\""))
		return NULL;
	while (!c->failed && !cursor_eat(c, "\"")) {
		unsigned char ch = c->at < c->file->len ? (unsigned char)c->file->text[c->at] : '\n';

		if (ch == '\\')
			(void)escape(c, &out);
		else if (ch == '\n' || ch == '\r')
			(void)cursor_fail(c, begin, "this string is not closed on its line");
		else if (ch < 0x20)
			(void)cursor_fail(c, cursor_place(c), "a control character in a string must be written as an escape");
		else
			bytes_char(&out, c->file->text[c->at++]);
	}
	if (!c->failed)
		text = arena_text(c->arena, bytes_text(&out), out.len);
	bytes_free(&out);
	return text;
}
