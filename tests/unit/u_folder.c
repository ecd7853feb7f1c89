#include "migrations/folder.h"

#include "check.h"

/* In Prisma's order, each before the next. */
static const char *const ordered[] = { "_a", "-a", "0_init", "1_a", "10_a", "2_a", "20240101_a", "a", "A", "a_b", "ab", "B", "\xC3\xA9" };

static const struct {
	const char *what, *recorded, *text;
	bool same;
} checksums[] = {
	{ "the text as it is", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "x", true },
	{ "another text", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "y", false },
	{ "nothing recorded", "", "x", false },
	{ "an old rendering without leading zeros", "2d711642b726b0441627ca9fbac32f5c853fb1903cc4db2258717921a4881", "x", true },
};

int
main(void)
{
	char one[MIGRATION_CHECKSUM], two[MIGRATION_CHECKSUM];
	size_t i, j;

	for (i = 0; i < sizeof ordered / sizeof *ordered; i++)
		for (j = 0; j < sizeof ordered / sizeof *ordered; j++)
			if ((migration_compare(ordered[i], ordered[j]) < 0) != (i < j)) {
				check(ordered[i], false);
				check(ordered[j], false);
			}
	for (i = 0; i < sizeof checksums / sizeof *checksums; i++) {
		migration_checksum(checksums[i].text, strlen(checksums[i].text), one);
		check(checksums[i].what, migration_checksum_matches(checksums[i].recorded, one, checksums[i].text) == checksums[i].same);
	}
	migration_checksum("a\r\nb\r\n", 6, one);
	migration_checksum("a\nb\n", 4, two);
	check("recorded with LF, now CRLF", migration_checksum_matches(two, one, "a\r\nb\r\n"));
	check("recorded with CRLF, now LF", migration_checksum_matches(one, two, "a\nb\n"));
	migration_checksum("SELECT 1;", 9, one);
	check("a final newline more", migration_differs_in_blanks(one, "SELECT 1;\n"));
	check("more than blanks", !migration_differs_in_blanks(one, "SELECT 2;\n"));
	return checks_failed();
}
