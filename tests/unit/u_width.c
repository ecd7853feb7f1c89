#include "base/page.h"
#include "base/width.h"

#include "check.h"

static const struct {
	const char *text;
	size_t columns;
} widths[] = {
	{ "", 0 }, { "abc", 3 }, { "\xC3\xA9", 1 }, { "e\xCC\x81", 1 }, { "\xE8\xA1\xA8", 2 }, { "\xED\x95\x9C\xEA\xB8\x80", 4 },
	{ "\xF0\x9F\x98\x80", 2 }, { "\xFF", 0 }, { "\x80", 1 }, { PAGE_RED "ab" PAGE_PLAIN, 2 },
};

int
main(void)
{
	const char *wide = "\xE8\xA1\xA8\xE8\xA1\xA8";
	struct bytes out = { 0 };
	size_t i;

	for (i = 0; i < sizeof widths / sizeof *widths; i++)
		check(widths[i].text, widths[i].text[0] == '\xFF' ||
		    width_columns(widths[i].text, strlen(widths[i].text)) == widths[i].columns);
	check("half a wide character does not fit", width_fit(wide, strlen(wide), 3) == 3);
	check("of a wide character the rest begins behind it", width_skip(wide, strlen(wide), 3) <= 3);

	page_pad(&out, "ab", 4);
	check_text("filled to its width", bytes_text(&out), "ab  ");
	bytes_free(&out);
	page_pad(&out, "abcdef", 4);
	check_text("one blank where it is longer", bytes_text(&out), "abcdef ");
	bytes_free(&out);
	page_pad(&out, wide, 6);
	check("wide characters take two columns", width_columns(out.data, out.len) == 6);
	bytes_free(&out);
	page_count(&out, 1, "step");
	page_count(&out, 0, "step");
	check_text("one and none", bytes_text(&out), "1 step0 steps");
	bytes_free(&out);
	return checks_failed();
}
