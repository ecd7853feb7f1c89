/*
 * Finds the value at a path in a JSON text: "status", ".db.status", "checks.0.state".
 */
#ifndef MIG_RECORDS_JSON_PATH_H
#define MIG_RECORDS_JSON_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* Returns what is wrong with a path (static text), or NULL.  `.list[0].name`, jq's syntax, is not accepted. */
const char *jsonpath_flaw(const char *path);

/*
 * Appends the value at the path to out: a string without quotes, anything else as JSON.  Skips a leading byte
 * order mark.  Returns false if the text is not JSON or has nothing at the path; *why (static) says which.
 */
bool jsonpath_get(const char *json, size_t len, const char *path, struct bytes *out, const char **why);

#endif
