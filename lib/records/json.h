/*
 * One line of JSON to a record, and values to text.
 *
 * Our own programs write one shape: a flat object without blanks, of texts, whole numbers, true, false, null and lists of texts.  That
 * shape is read here, in place, at the speed of memory: a migration of 100 MB passes five such readers and writers.
 * Whatever else a line is goes to jansson, which knows all of JSON and says what is wrong and at which column.
 */
#ifndef MIG_RECORDS_JSON_H
#define MIG_RECORDS_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* Only a line that is so long may be kept. */
enum { RECORD_LARGE = 1 << 18 };

struct record; /* the values of one object, by key */

enum value_type {
	VALUE_NULL,
	VALUE_TEXT,
	VALUE_NUMBER, /* a whole number that a long long holds */
	VALUE_FLAG,
	VALUE_LIST,   /* of texts and nulls; its text is for json_list_next() */
	VALUE_OTHER   /* another list, an object, another number: of no use here */
};

struct value {
	enum value_type type;
	const char *text;  /* ends in NUL, which it has nowhere else */
	long long number;  /* of a flag: 0 or 1 */
};

struct json_flaw {
	int column;     /* in bytes from 1 */
	char text[160]; /* what is wrong there; "" where the line is JSON, but no object */
};

/*
 * Reads line[0..len), behind which a NUL stands, and uses it up.  *kept: the record has the line now, and gives it to
 * free(); that is so where a text in it is large.  Returns NULL with *flaw set for what is no object, is no UTF-8, has a
 * key twice or a NUL in a text.  The record is the caller's, for record_free().
 */
struct record *record_parse(char *line, size_t len, bool *kept, struct json_flaw *flaw);
void record_free(struct record *record); /* NULL is allowed */

/*
 * The value of a key, or NULL.  *next, which begins as 0, is where the search begins: who asks in the order of the line
 * finds each at once.  next may be NULL.
 */
const struct value *record_get(const struct record *record, const char *key, size_t *next);

/* Takes a key out and gives the memory of its text back; pointers to other texts stay good. */
void record_forget(struct record *record, const char *key);

/*
 * The next element of a VALUE_LIST: *at begins as its text.  The element is in *item, which is overwritten, unless *null.
 * Returns false at the end.
 */
bool json_list_next(const char **at, struct bytes *item, bool *null);

/* Gives text as JSON, quotes and all, in pieces.  What is no UTF-8, which JSON cannot carry, becomes U+FFFD. */
typedef void json_sink(void *context, const char *data, size_t len);
void json_write_text(json_sink *sink, void *context, const char *text);

/* A list of texts; NULL is null. */
void json_write_list(json_sink *sink, void *context, const char *const items[], size_t count);

#endif
