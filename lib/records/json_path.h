/*
 * What a JSON text has at a path: "status", ".db.status", "checks.0.state".
 */
#ifndef MIG_RECORDS_JSON_PATH_H
#define MIG_RECORDS_JSON_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/*
 * Puts the value at the path into out: a text as it is, anything else as JSON.  False where the text is no JSON, or has
 * nothing there; *why says which.
 */
bool jsonpath_get(const char *json, size_t len, const char *path, struct bytes *out, const char **why);

#endif
