/* Histories in other schemas than the one that was read: what a connection string without its schema misses.  Pure. */
#ifndef MIG_MIGRATIONS_OTHER_SCHEMAS_H
#define MIG_MIGRATIONS_OTHER_SCHEMAS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "records/model.h"

/*
 * Says where there is one, and what to type: "there is a history in schema app: add schema=app to the connection string".
 * False, and nothing is said, where the schema has a history, or no other has.
 */
bool other_schemas(struct bytes *out, const struct database *database);

#endif
