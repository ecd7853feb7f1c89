/* The order of migrations: by name, as Prisma's sort has it. */
#include "migrations/folder.h"

#include <stdbool.h>
#include <string.h>

/*
 * The weights of printable ASCII in the CLDR root collation, first to last; a letter's two cases weigh
 * the same at first.  The blank comes before all of them.
 */
static const char ascii_order[] = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789"
                                  "aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyYzZ";

/* Base letters of U+00C0 to U+017F, an asterisk where there is none of one letter. */
static const char latin_bases[] = "AAAAAA*CEEEEIIIIDNOOOOO*OUUUUY**aaaaaa*ceeeeiiiidnooooo*ouuuuy*y"
                                  "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi**JjKk*LlLlLlLlLlNnNnNn***OoOoOo"
                                  "**RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

struct letter {
	unsigned long weight;  /* what counts first; 0: nothing, as control characters */
	unsigned long accent;  /* 0, or the code point of an accented letter */
	bool upper;
};

/* Takes one character off *text, which does not end there. */
static struct letter
next_letter(const char **text)
{
	const unsigned char *at = (const unsigned char *)*text;
	unsigned long code = *at, base;
	size_t len = 1;
	struct letter letter = { 0 };

	if (code >= 0xF0)
		code &= 0x07, len = 4;
	else if (code >= 0xE0)
		code &= 0x0F, len = 3;
	else if (code >= 0xC0)
		code &= 0x1F, len = 2;
	for (size_t i = 1; i < len && (at[i] & 0xC0) == 0x80; i++)
		code = code << 6 | (at[i] & 0x3F);
	*text += len;
	base = code;
	if (code >= 0xC0 && code < 0xC0 + sizeof latin_bases - 1 && latin_bases[code - 0xC0] != '*') {
		base = (unsigned char)latin_bases[code - 0xC0];
		letter.accent = code;
	}
	letter.upper = base >= 'A' && base <= 'Z';
	if (letter.upper)
		base += 'a' - 'A';
	if (base >= 0x20 && base < 0x7F)
		letter.weight = (unsigned long)(strchr(ascii_order, (int)base) - ascii_order) + 1;
	else if (base >= 0x80)
		letter.weight = base + 256;
	return letter;
}

int
migration_compare(const char *a, const char *b)
{
	const char *first = a, *second = b;
	int accent = 0, casing = 0;

	/* names of a folder have most of a time stamp in common, which decides nothing */
	while (*a == *b && *a >= 0x20 && *a < 0x7F)
		a++, b++;
	while (*a != '\0' || *b != '\0') {
		struct letter x = { 0 }, y = { 0 };

		while (*a != '\0' && x.weight == 0)
			x = next_letter(&a);
		while (*b != '\0' && y.weight == 0)
			y = next_letter(&b);
		if (x.weight != y.weight)
			return x.weight < y.weight ? -1 : 1;
		if (accent == 0 && x.accent != y.accent)
			accent = x.accent < y.accent ? -1 : 1;
		if (casing == 0 && x.upper != y.upper)
			casing = x.upper ? 1 : -1;
	}
	if (accent != 0)
		return accent;
	return casing != 0 ? casing : strcmp(first, second);
}
