/*
 * Turns a JSON array of objects into NDJSON.
 *
 * Pure: no file, no message.
 */
#ifndef MIG_SEED_JSON_ARRAY_H
#define MIG_SEED_JSON_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/*
 * Appends the objects of text[0..len), one a line.  Each is on the line on which it begins, with empty lines for those
 * that it spans; where several begin on one line, each gets one of its own.  Objects are not validated.  Returns NULL,
 * or what is wrong, with *line (from 1).
 */
const char *json_array_lines(struct bytes *out, const char *text, size_t len, unsigned long *line);

#endif
