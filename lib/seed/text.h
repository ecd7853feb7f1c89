/*
 * Where fields of CSV and members of JSON objects begin and end.  No value is understood here: that is
 * PostgreSQL's business.
 *
 * Pure: no file, no message.
 */
#ifndef MIG_SEED_TEXT_H
#define MIG_SEED_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct seed_span {
	const char *text;
	size_t len;
};
bool seed_span_is(struct seed_span span, const char *text);

/*
 * One field of a CSV record at *at, as COPY reads it: "quoted ""so""", plain, or both.  *at is moved behind
 * it and its delimiter, or to the end of the record.  True while another field follows.
 */
bool seed_csv_field(const char **at, const char *end, char delimiter, struct bytes *field, bool *had_quotes);

/* Behind the blanks of JSON. */
const char *seed_json_blanks(const char *at, const char *end);

/*
 * The next member of an object, where the text is known to be JSON; *at begins at its brace and ends at the
 * other.  Keys are given as they stand, with their quotes.
 */
bool seed_json_member(const char **at, const char *end, struct seed_span *key, struct seed_span *value);

/*
 * A text without its quotes, owned by the caller; NULL where it is none, or has other escapes than \" and \\.
 */
char *seed_json_text(struct seed_span span);

#endif
