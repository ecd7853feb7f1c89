#include "seed/json_array.h"

#include <string.h>

#include "check.h"

/* An array → its lines, or what is wrong and where. */
static const struct {
	const char *text, *lines, *wrong;
	unsigned long line;
} cases[] = {
	{ "[]", "", NULL, 1 },
	{ " [\n] \n", "", NULL, 3 },
	{ "[{}]", "{}\n", NULL, 1 },
	{ "[{\"a\":1},{\"a\":2}]", "{\"a\":1}\n{\"a\":2}\n", NULL, 1 },
	{ "[\n{\n\"a\": [1,\n2]},\n{}]", "\n{ \"a\": [1, 2]}\n\n\n{}\n", NULL, 5 },
	{ "[{\"}\": \"\\\"]}\"}]", "{\"}\": \"\\\"]}\"}\n", NULL, 1 },
	{ "[\n{},\n", "", "the array does not end: a ] is missing", 3 },
	{ "[\n{\"a\": \"\\", "", "the object that begins here does not end", 2 },
	{ "[{}, 1]", "", "an element of the array is not an object", 1 },
	{ "", "", "a .json file must be an array of objects; one object per line is .ndjson", 1 },
	{ "[] x", "", "there is text after the array", 1 },
};

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes out = { 0 };
		unsigned long line;
		const char *wrong;

		bytes_str(&out, "");
		wrong = json_array_lines(&out, cases[i].text, strlen(cases[i].text), &line);
		check_text(cases[i].text, wrong, cases[i].wrong);
		check(cases[i].text, line == cases[i].line);
		if (wrong == NULL)
			check_text(cases[i].text, out.data, cases[i].lines);
		bytes_free(&out);
	}
	return checks_failed();
}
