/* Text in lower case, as Prisma's engine makes it: of all letters, whatever the locale; a sigma by where it stands. */
#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "base/bytes.h"
#include "diff/diff_internal.h"

enum { SIGMA = 0x3A3, SIGMA_SMALL = 0x3C3, SIGMA_FINAL = 0x3C2, I_DOTTED = 0x130 };

/* The character at *p, which is valid UTF-8, and *p behind it. */
static uint32_t
next_character(const char **p)
{
	const unsigned char *at = (const unsigned char *)*p;
	int more = at[0] < 0x80 ? 0 : at[0] < 0xE0 ? 1 : at[0] < 0xF0 ? 2 : 3;
	uint32_t c = more == 0 ? at[0] : at[0] & (0x3Fu >> more);
	int i;

	for (i = 1; i <= more; i++)
		c = c << 6 | (at[i] & 0x3F);
	*p += more + 1;
	return c;
}

static bool
is_cased(uint32_t c, locale_t letters)
{
	return towlower_l((wint_t)c, letters) != (wint_t)c || towupper_l((wint_t)c, letters) != (wint_t)c;
}

/* What stands inside a word without being a letter that has a case: dots, apostrophes, accents. */
static bool
is_passed_over(uint32_t c)
{
	return (c < 0x80 && c != 0 && strchr("'.:^`", (int)c) != NULL) || c == 0xA8 || c == 0xAD || c == 0xAF || c == 0xB4 ||
	    c == 0xB7 || c == 0xB8 || (c >= 0x2B0 && c <= 0x36F) || c == 0x2019;
}

/* Whether a letter with a case follows. */
static bool
goes_on(const char *p, locale_t letters)
{
	while (*p != '\0') {
		uint32_t c = next_character(&p);

		if (!is_passed_over(c))
			return is_cased(c, letters);
	}
	return false;
}

char *
lower_text(struct arena *arena, const char *text)
{
	locale_t letters = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	struct bytes out = { 0 };
	bool in_word = false;
	const char *p = text;
	char *lower;

	while (*p != '\0') {
		uint32_t c = next_character(&p);

		if (c == SIGMA)
			bytes_utf8(&out, letters != (locale_t)0 && in_word && !goes_on(p, letters) ? SIGMA_FINAL : SIGMA_SMALL);
		else if (c == I_DOTTED)
			bytes_str(&out, "i\xCC\x87");
		else if (letters != (locale_t)0)
			bytes_utf8(&out, (uint32_t)towlower_l((wint_t)c, letters));
		else
			bytes_utf8(&out, c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
		if (letters != (locale_t)0 && !is_passed_over(c))
			in_word = is_cased(c, letters);
	}
	if (letters != (locale_t)0)
		freelocale(letters);
	lower = arena_text(arena, bytes_text(&out), out.len);
	bytes_free(&out);
	return lower;
}
