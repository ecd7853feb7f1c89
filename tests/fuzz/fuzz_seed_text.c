/*
 * libFuzzer (make fuzzers): build/fuzz/fuzz_seed_text -max_total_time=300 -max_len=4096 CORPUS
 *
 * CSV and lines of JSON.  The first byte says what the rest is, and where it is cut in two.  CSV is judged alike in one part
 * and in two, and the fields of a record end where it ends; the members of whatever jansson takes for an object are inside it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "records/json_value.h"
#include "seed/text.h"
#include "fuzz.h"

static void
csv(const char *text, size_t len, size_t cut, char delimiter)
{
	struct seed_csv_scan whole = { .delimiter = delimiter }, parts = { .delimiter = delimiter };
	bool good = seed_csv_scan(&whole, text, len);
	const char *at = text, *last = NULL;
	struct bytes field = { 0 };
	bool quoted, more = true;

	check(good == (seed_csv_scan(&parts, text, cut) && seed_csv_scan(&parts, text + cut, len - cut)));
	check(good == (whole.fault == NULL && whole.other == NULL));
	check(whole.line == parts.line && whole.row == parts.row && whole.fault == parts.fault && whole.other == parts.other && whole.row <= whole.line);
	(void)seed_csv_separator(text, len, delimiter);
	while (more) {
		check(at != last && at <= text + len);
		last = at;
		field.len = 0;
		more = seed_csv_field(&at, text + len, delimiter, &field, &quoted);
		check(field.len <= len);
	}
	check(at == text + len || *at == '\n' || *at == '\r');
	bytes_free(&field);
}

static void
json(const char *text, size_t len)
{
	const char *end = text + len, *at = seed_json_blanks(text, end), *begin = at;
	struct seed_span key, value;
	char *plain;

	if (at == end || *at != '{' || strlen(text) != len || !json_is_valid(text))
		return;
	while (seed_json_member(&at, end, &key, &value)) {
		check(key.text > text && key.text + key.len < end && *key.text == '"' && key.len >= 2);
		check(value.text > key.text && value.len > 0 && value.text + value.len < end && at <= end);
		plain = seed_json_text(key);
		check(plain == NULL || strlen(plain) <= key.len - 2);
		free(plain);
		free(seed_json_text(value));
	}
	at = seed_json_blanks(at, end);
	check(at < end && *(at == begin ? seed_json_blanks(at + 1, end) : at) == '}');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;
	size_t len;

	if (size == 0)
		return 0;
	len = size - 1;
	text = xstrndup((const char *)data + 1, len);
	if (data[0] & 1)
		csv(text, len, len > 0 ? (data[0] >> 2) % len : 0, data[0] & 2 ? ',' : '\t');
	else
		json(text, len);
	free(text);
	return 0;
}
