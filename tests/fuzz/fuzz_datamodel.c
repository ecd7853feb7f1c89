/*
 * libFuzzer (make fuzzers): build/fuzz/fuzz_datamodel -max_total_time=300 -max_len=4096 CORPUS
 *
 * Two datamodels with a NUL between.  Whatever they are: nothing is read outside them; what is refused has a place in its file;
 * what is taken is equal to itself, and gives a script from nothing, to the other, and back.
 */
#include <stdlib.h>
#include <string.h>

#include "catalog/page.h"
#include "datamodel/datamodel.h"
#include "diff/diff.h"
#include "diff/page.h"
#include "fuzz.h"

/* Lines of the script that say something. */
static size_t
compare(struct catalog *from, struct catalog *to)
{
	struct bytes script = { 0 }, page = { 0 };
	struct diff diff = { 0 };
	size_t steps;

	diff_make(from, to, &diff);
	diff_by_damage(&diff);
	diff_script(&diff, &script);
	page_diff(&page, from, to, &diff);
	check(script.len > 1 && script.data[script.len - 1] == '\n');
	steps = strcmp(script.data, "-- This is an empty migration.\n\n") == 0 ? 0 : script.len;
	bytes_free(&script);
	bytes_free(&page);
	diff_free(&diff);
	return steps;
}

static bool
read_one(const char *text, size_t len, struct catalog *c)
{
	const struct source_file file = { "x.prisma", text, len };
	struct datamodel_errors errors = { 0 };
	bool good = datamodel_read(&file, 1, "x.prisma", c, &errors);
	size_t i;

	check(good == (errors.count == 0));
	for (i = 0; i < errors.count; i++)
		check(errors.items[i].line > 0 && errors.items[i].column > 0 && *errors.items[i].text != '\0');
	arena_free(&errors.arena);
	return good;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog from = { 0 }, to = { 0 }, twin = { 0 };
	char *text = malloc(size + 2);
	struct bytes page = { 0 };
	const char *second;
	bool both;

	if (size > 0)
		memcpy(text, data, size);
	text[size] = text[size + 1] = '\0';
	second = memchr(text, '\0', size);
	second = second != NULL ? second + 1 : text + size;
	both = read_one(text, strlen(text), &from);
	if (both) {
		check(read_one(text, strlen(text), &twin));
		check(compare(&from, &twin) == 0);
		(void)compare(NULL, &twin);
		page_schema(&page, &twin);
	}
	both = read_one(second, strlen(second), &to) && both;
	if (both) {
		(void)compare(&from, &to);
		(void)compare(&to, &from);
	}
	bytes_free(&page);
	catalog_free(&from);
	catalog_free(&twin);
	catalog_free(&to);
	free(text);
	return 0;
}
