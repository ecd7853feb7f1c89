/*
 * What a JSON text has at a path: "status", ".db.status", "checks.0.state".
 */
#ifndef MIG_RECORDS_JSON_PATH_H
#define MIG_RECORDS_JSON_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* What is wrong with a path, or NULL: `.list[0].name`, as jq has it, is none. */
const char *jsonpath_flaw(const char *path);

/*
 * Puts the value at the path into out: a text as it is, anything else as JSON; a byte order mark before the text is
 * passed over.  False where the text is no JSON, or has
 * nothing there; *why says which.
 */
bool jsonpath_get(const char *json, size_t len, const char *path, struct bytes *out, const char **why);

#endif
