#include "base/hidden.h"

#include "check.h"

/* A text, what is shown of it, and what is left of it. */
static const struct {
	const char *text, *revealed, *stripped;
} texts[] = {
	{ "", "", "" },
	{ "name", "name", "name" },
	{ "name\xE2\x80\x8B", "name<U+200B>", "name" },
	{ "\xEF\xBB\xBFname", "<U+FEFF>name", "name" },
	{ "na\xC2\xA0me", "na<U+00A0>me", "name" },
	{ "  two words ", "  two words ", "two words" },
	{ "\xC2\xA0 name", "<U+00A0> name", "name" },
	{ "caf\xC3\xA9 \xE5\x90\x8D \xF0\x9F\x98\x80", "caf\xC3\xA9 \xE5\x90\x8D \xF0\x9F\x98\x80", "caf\xC3\xA9 \xE5\x90\x8D \xF0\x9F\x98\x80" },
	{ "cafe\xCC\x81", "cafe\xCC\x81", "cafe\xCC\x81" },
	{ "a\tb\x7F", "a<U+0009>b<U+007F>", "ab" },
	{ "\xE2\x80\xAE" "eman", "<U+202E>eman", "eman" },
	{ "\xF3\xA0\x81\x81", "<U+E0041>", "" },
	{ "cut\xE2\x80", "cut\xE2\x80", "cut\xE2\x80" },
};

/* A text in an error, and what is said of it. */
static const struct {
	const char *text, *said;
} remedies[] = {
	{ "syntax error at or near \"x\"", "" },
	{ "column \"caf\xC3\xA9\\t\"\t", "" },
	{ "near \"\xEF\xBB\xBFSELECT\"", "U+FEFF in it is invisible; to remove it:  LC_ALL=C sed -i '7s/\\xEF\\xBB\\xBF//g' a.sql" },
	{ "near \"a\xC2\xA0" "b\"", "U+00A0 in it is no blank of SQL; to replace it:  LC_ALL=C sed -i '7s/\\xC2\\xA0/ /g' a.sql" },
	{ "\xE2\x80\x98x", "U+2018 in it is a typographic quote; to replace it:  LC_ALL=C sed -i '7s/\\xE2\\x80\\x98/'\\''/g' a.sql" },
};

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct bytes revealed = { 0 }, stripped = { 0 };

		hidden_reveal(&revealed, texts[i].text);
		hidden_strip(&stripped, texts[i].text);
		check_text(texts[i].text, revealed.data, texts[i].revealed);
		check_text(texts[i].text, stripped.data, texts[i].stripped);
		bytes_free(&revealed);
		bytes_free(&stripped);
	}
	for (i = 0; i < sizeof remedies / sizeof *remedies; i++) {
		struct bytes said = { 0 };
		bool found = hidden_remedy(&said, remedies[i].text, "a.sql", 7);

		check(remedies[i].text, found == (remedies[i].said[0] != '\0'));
		check_text(remedies[i].text, bytes_text(&said), remedies[i].said);
		bytes_free(&said);
	}
	return checks_failed();
}
