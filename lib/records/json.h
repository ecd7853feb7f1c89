/*
 * Parses one line of JSON into a record, and writes values as JSON.
 *
 * Our own programs write one shape: a flat object without blanks, of texts, whole numbers, true, false, null and
 * lists of texts.  That shape is decoded here, in place, because a migration of 100 MB passes through five such
 * readers and writers.  Every other line goes to jansson, which parses all of JSON and reports an error with its
 * column.
 */
#ifndef MIG_RECORDS_JSON_H
#define MIG_RECORDS_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* A record keeps only lines at least this long, in bytes. */
enum { RECORD_LARGE = 1 << 18 };

struct record; /* the values of one object, by key */

enum value_type {
	VALUE_NULL,
	VALUE_TEXT,
	VALUE_NUMBER, /* a whole number that fits a long long */
	VALUE_FLAG,
	VALUE_LIST,   /* of texts and nulls; its text is for json_list_next() */
	VALUE_OTHER   /* another list, an object, another number: not usable here */
};

struct value {
	enum value_type type;
	const char *text;  /* NUL-terminated; contains no other NUL */
	long long number;  /* for a flag: 0 or 1 */
};

struct json_flaw {
	int column;     /* in bytes from 1 */
	char text[160]; /* the error; "" if the line is JSON but not an object */
};

/*
 * Parses line[0..len), which a NUL follows, and overwrites it.  *kept: the record now owns the line and frees it
 * with free(); this happens if a text in it is large.  Returns NULL and sets *flaw if the line is not an object or
 * not UTF-8, or has a duplicate key or a NUL in a text.  The caller frees the record with record_free().
 */
struct record *record_parse(char *line, size_t len, bool *kept, struct json_flaw *flaw);
void record_free(struct record *record); /* NULL is fine */

/*
 * Returns the value of a key, or NULL.  The search starts at *next, which begins as 0: a caller that asks in the
 * order of the line finds each key at once.  next may be NULL.
 */
const struct value *record_get(const struct record *record, const char *key, size_t *next);

/* Removes a key and frees its text; pointers to other texts stay valid. */
void record_forget(struct record *record, const char *key);

/*
 * Reads the next element of a VALUE_LIST; *at begins as the list's text.  Overwrites *item with the element, or
 * sets *null.  Returns false at the end.
 */
bool json_list_next(const char **at, struct bytes *item, bool *null);

/*
 * Receives JSON text in pieces, quotes included.  Bytes that are not UTF-8, which JSON cannot represent, become
 * U+FFFD.
 */
typedef void json_sink(void *context, const char *data, size_t len);
void json_write_text(json_sink *sink, void *context, const char *text);

/* Appends the same. */
void json_add_text(struct bytes *out, const char *text);

/* Appends a list of texts; a NULL item becomes null. */
void json_add_list(struct bytes *out, const char *const items[], size_t count);

#endif
