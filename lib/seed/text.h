/*
 * Finds the fields of CSV and the members of JSON objects.  Does not interpret values; PostgreSQL does.
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
 * Reads one field of a CSV record at *at, like COPY: "quoted ""so""", plain, or both.  Moves *at past the field
 * and its delimiter, or to the end of the record.  Returns true if another field follows.
 */
bool seed_csv_field(const char **at, const char *end, char delimiter, struct bytes *field, bool *had_quotes);

/*
 * The likely separator of a header line that has no `delimiter`: ';', '|', a tab or a comma, if it occurs outside
 * quotes; or '\0'.
 */
char seed_csv_separator(const char *line, size_t len, char delimiter);

/*
 * Validates CSV part by part.  COPY treats every quote as one, as in 5" x 6", and then merges two rows into one
 * value; and its messages for mixed line ends do not help users.
 */
struct seed_csv_scan {
	char delimiter;
	enum { CSV_BEGIN, CSV_PLAIN, CSV_QUOTED, CSV_CLOSED } where; /* position in a field */
	const char *ending;        /* line end of the file: "LF", "CRLF", "CR"; NULL: no line has ended yet */
	bool cr;                   /* the last byte was a CR that ends a line or begins CRLF */
	unsigned long line;        /* number of lines that have ended */
	unsigned long row;         /* the same when the row began */
	const char *fault;         /* out: the error in the row; or NULL */
	const char *other;         /* out: the line end of the row that differs from `ending` */
};
/* Returns false at the first error. */
bool seed_csv_scan(struct seed_csv_scan *scan, const char *text, size_t len);

/* Skips JSON whitespace. */
const char *seed_json_blanks(const char *at, const char *end);

/*
 * Reads the next member of an object; the text must be valid JSON.  *at begins at the opening brace and ends at
 * the closing one; of an empty object it stays where it is.  Keys include their quotes.
 */
bool seed_json_member(const char **at, const char *end, struct seed_span *key, struct seed_span *value);

/*
 * A JSON string without its quotes; the caller frees it.  NULL if it is not a string or has escapes other than \"
 * and \\.
 */
char *seed_json_text(struct seed_span span);

#endif
