/*
 * Shared by json.c and json_line.c, which parse a line, and json_write.c.  Private to these files.
 */
#ifndef MIG_RECORDS_JSON_INTERNAL_H
#define MIG_RECORDS_JSON_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "records/json.h"

enum { VALUES_MAX = 64 };

/* A text in the line, before it is decoded. */
struct json_span {
	char *at;
	size_t len;
	bool escaped;
};

struct json_pair {
	struct json_span key;
	struct json_span text;
	struct value value;
	char *own; /* the buffer a list was written to; else NULL */
};

/* The bytes that need no escape in a JSON text. */
extern const unsigned char json_plain[256];

/*
 * Scans a line of our own shape into pairs; does not change the line.  Returns false if it has another shape,
 * valid or not.
 */
bool json_line_scan(char *line, size_t len, struct json_pair pairs[VALUES_MAX], size_t *count);

/* The byte that the escape at p (one letter or \u00XX) stands for. */
char json_unescaped(const char *p);

/* Decodes a text in place; it never grows.  A list, which is never `escaped`, is only terminated. */
void json_line_decode(struct json_span *span);

#endif
