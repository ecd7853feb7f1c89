#include "base/hidden.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Controls, formats, selectors of variants, and all blanks but U+0020. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{ 0x01, 0x1F }, { 0x7F, 0xA0 }, { 0xAD, 0xAD }, { 0x34F, 0x34F }, { 0x61C, 0x61C }, { 0x115F, 0x1160 }, { 0x1680, 0x1680 },
	{ 0x17B4, 0x17B5 }, { 0x180B, 0x180F }, { 0x2000, 0x200F }, { 0x2028, 0x202F }, { 0x205F, 0x206F }, { 0x3000, 0x3000 },
	{ 0x3164, 0x3164 }, { 0xFE00, 0xFE0F }, { 0xFEFF, 0xFEFF }, { 0xFFA0, 0xFFA0 }, { 0xFFF9, 0xFFFB }, { 0xE0000, 0xE0FFF },
};

/* The character at text, and how many bytes it has. */
static uint32_t
decode(const char *text, size_t *len)
{
	const unsigned char *c = (const unsigned char *)text;
	uint32_t code = c[0];
	size_t more = code >= 0xF0 ? 3 : code >= 0xE0 ? 2 : code >= 0xC0 ? 1 : 0, i;

	if (more > 0)
		code &= 0x3Fu >> more;
	for (i = 1; i <= more && (c[i] & 0xC0) == 0x80; i++)
		code = code << 6 | (c[i] & 0x3F);
	*len = i;
	return i > more ? code : 0xFFFD;
}

static bool
is_hidden(uint32_t code)
{
	size_t i;

	for (i = 0; i < sizeof hidden / sizeof *hidden; i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return true;
	return false;
}

void
hidden_reveal(struct bytes *out, const char *text)
{
	size_t len;

	bytes_str(out, "");
	for (; *text != '\0'; text += len) {
		uint32_t code = decode(text, &len);

		if (is_hidden(code))
			bytes_format(out, "<U+%04X>", (unsigned)code);
		else
			bytes_add(out, text, len);
	}
}

void
hidden_strip(struct bytes *out, const char *text)
{
	size_t begin, len;

	bytes_str(out, "");
	begin = out->len;
	for (; *text != '\0'; text += len)
		if (!is_hidden(decode(text, &len)) && (*text != ' ' || out->len > begin))
			bytes_add(out, text, len);
	while (out->len > begin && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
}

static bool
is_blank(uint32_t code)
{
	return code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x202F || code == 0x205F || code == 0x3000;
}

/* What belongs in its place, as sed has it between the quotes of the shell; NULL if the character is no offence. */
static const char *
replacement(uint32_t code)
{
	if (code >= 0x2018 && code <= 0x201B)
		return "'\\''";
	if (code >= 0x201C && code <= 0x201F)
		return "\"";
	if (code < 0x80 || !is_hidden(code))
		return NULL;
	return is_blank(code) ? " " : "";
}

bool
hidden_remedy(struct bytes *out, const char *text, const char *file, unsigned long line)
{
	const char *instead = NULL;
	uint32_t code = 0;
	size_t len = 0, i;

	for (; *text != '\0' && instead == NULL; text += len)
		instead = replacement(code = decode(text, &len));
	if (instead == NULL)
		return false;
	text -= len;
	bytes_format(out, "U+%04X in it %s; to %s it:  LC_ALL=C sed -i '%lus/", (unsigned)code,
	    is_hidden(code) ? is_blank(code) ? "is no blank of SQL" : "is invisible" : "is a typographic quote",
	    *instead != '\0' ? "replace" : "remove", line);
	for (i = 0; i < len; i++)
		bytes_format(out, "\\x%02X", (unsigned char)text[i]);
	bytes_format(out, "/%s/g' %s", instead, file);
	return true;
}
