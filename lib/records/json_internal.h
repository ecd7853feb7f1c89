/*
 * Shared by json.c and json_line.c, which read a line, and json_write.c; nobody else includes it.
 */
#ifndef MIG_RECORDS_JSON_INTERNAL_H
#define MIG_RECORDS_JSON_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "records/json.h"

enum { VALUES_MAX = 64 };

/* A text as it stands in the line, and what it decodes to once that is known to be right. */
struct json_span {
	char *at;
	size_t len;
	bool escaped;
};

struct json_pair {
	struct json_span key;
	struct json_span text;
	struct value value;
	char *own; /* what a list was written to; else NULL */
};

/* Bytes that stand in a JSON text as they are. */
extern const unsigned char json_plain[256];

/* The pairs of a line in our own shape; changes nothing.  False: it is not, whatever else it may be. */
bool json_line_scan(char *line, size_t len, struct json_pair pairs[VALUES_MAX], size_t *count);

/* What the escape at p, of one letter or \u00XX, stands for. */
char json_unescaped(const char *p);

/* Decodes a text where it stands: it becomes no longer.  A list, which is never `escaped`, only gets its end. */
void json_line_decode(struct json_span *span);

#endif
