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

/*
 * What separates the names of a first line that has no `delimiter`, as far as other signs stand there outside quotes:
 * ';', '|', a tab, a comma; or '\0'.
 */
char seed_csv_separator(const char *line, size_t len, char delimiter);

/*
 * CSV as it goes by, a part at a time.  COPY takes a quote anywhere for one, also in 5" x 6", and then two rows for
 * one value; and its words for lines that end in different ways help nobody.
 */
struct seed_csv_scan {
	char delimiter;
	enum { CSV_BEGIN, CSV_PLAIN, CSV_QUOTED, CSV_CLOSED } where; /* in a field */
	const char *ending;        /* of lines: "LF", "CRLF", "CR"; NULL: none has ended */
	bool cr;                   /* the last byte was a CR that ends a line, or begins CRLF */
	unsigned long line;        /* how many have ended, */
	unsigned long row;         /* and had when the row began */
	const char *fault;         /* out: what is wrong with the row; or NULL, and it */
	const char *other;         /* out: ends in this, and not in `ending` */
};
/* False at the first fault. */
bool seed_csv_scan(struct seed_csv_scan *scan, const char *text, size_t len);

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
