/*
 * libFuzzer (make fuzzers): build/fuzz/fuzz_json -max_total_time=300 CORPUS
 *
 * records/json.c reads our own shape of line itself.  Whatever it takes so, jansson has to take as well, with the same values;
 * and what is written of a text, both have to read as that text.
 */
#include <stdlib.h>
#include <string.h>

/* The room itself, since the question is which of its two readers takes a line. */
#include "../../lib/records/json.c"
#include "fuzz.h"

static void
same_lists(const char *a, const char *b)
{
	struct bytes x = { 0 }, y = { 0 };
	bool null_x = false, null_y = false, more;

	while ((more = json_list_next(&a, &x, &null_x)) == json_list_next(&b, &y, &null_y) && more)
		check(null_x == null_y && (null_x || strcmp(x.data, y.data) == 0));
	check(!more && !json_list_next(&b, &y, &null_y));
	bytes_free(&x);
	bytes_free(&y);
}

static void
same_values(const struct record *a, const struct record *b)
{
	size_t i;

	check(a->count == b->count);
	for (i = 0; i < a->count; i++) {
		const struct value *v = &a->entries[i].value, *w = record_get(b, a->entries[i].key, NULL);

		check(w != NULL && v->type == w->type && v->number == w->number);
		check(v->type != VALUE_TEXT || strcmp(v->text, w->text) == 0);
		if (v->type == VALUE_LIST)
			same_lists(v->text, w->text);
	}
}

static void
add(void *context, const char *data, size_t len)
{
	bytes_add(context, data, len);
}

static void
comes_back(const char *text)
{
	struct bytes line = { 0 }, mended = { 0 };
	struct json_flaw flaw;
	struct record *record;
	bool kept;

	utf8_repair(&mended, text, strlen(text));
	bytes_str(&line, "{\"record\":");
	json_write_text(add, &line, text);
	bytes_str(&line, "}");
	record = read_any(line.data, line.len, &flaw);
	check(record != NULL && strcmp(record->entries[0].value.text, bytes_text(&mended)) == 0);
	record_free(record);
	record = record_parse(line.data, line.len, &kept, &flaw);
	check(record != NULL && strcmp(record->entries[0].value.text, bytes_text(&mended)) == 0);
	record_free(record);
	if (!kept)
		bytes_free(&line);
	bytes_free(&mended);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = xstrndup((const char *)data, size), *again = xmalloc(size + 1);
	struct json_pair pairs[VALUES_MAX];
	struct record *ours, *theirs;
	struct json_flaw flaw;
	size_t count;
	bool kept;

	memcpy(again, data, size);
	again[size] = '\0';
	comes_back(line);
	if (memchr(again, '\n', size) == NULL && json_line_scan(again, size, pairs, &count)) {
		theirs = read_any(again, size, &flaw);
		check(theirs != NULL);
		ours = record_parse(again, size, &kept, &flaw);
		same_values(ours, theirs);
		record_free(ours);
		record_free(theirs);
		if (kept)
			again = NULL;
	}
	free(line);
	free(again);
	return 0;
}
