/*
 * Finds histories in schemas other than the one that was read, in case the connection string lacks its schema.
 * Pure.
 */
#ifndef MIG_MIGRATIONS_OTHER_SCHEMAS_H
#define MIG_MIGRATIONS_OTHER_SCHEMAS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "records/model.h"

/*
 * Appends "there is a history in schema app: add schema=app to the connection string".  Returns false and appends
 * nothing if the schema has a history, or no other schema has one.
 */
bool other_schemas(struct bytes *out, const struct database *database);

#endif
