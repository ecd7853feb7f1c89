/*
 * libFuzzer (make fuzzers): build/fuzz/fuzz_default -max_total_time=300 -max_len=1024 CORPUS
 *
 * The text of a default, as the server prints it, of each family of types, alone and as a list.  Whatever it is, it is taken
 * for the same thing again, and a NULL for no default.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "catalog/catalog.h"
#include "catalog/default_text.h"
#include "fuzz.h"

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void
parse(struct catalog *catalog, const char *text, enum default_family family, bool is_list)
{
	struct column_default one = { 0 }, two = { 0 };
	size_t i;

	default_parse(catalog, text, family, is_list, &one);
	default_parse(catalog, text, family, is_list, &two);
	check(one.kind == two.kind && one.list.count == two.list.count);
	check(same(one.text, two.text));
	check(one.kind == DEFAULT_LIST || one.list.count == 0);
	check(one.kind != DEFAULT_VALUE || one.text != NULL);
	for (i = 0; i < one.list.count; i++)
		check(one.list.items[i] != NULL && strcmp(one.list.items[i], two.list.items[i]) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size); /* exactly this long */
	struct catalog catalog = { 0 };
	int family;

	for (family = FAMILY_NONE; family <= FAMILY_ENUM; family++) {
		parse(&catalog, text, (enum default_family)family, false);
		parse(&catalog, text, (enum default_family)family, true);
	}
	catalog_free(&catalog);
	free(text);
	return 0;
}
