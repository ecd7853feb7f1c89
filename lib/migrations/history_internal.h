/*
 * Shared by the files that make statements about the history table (migrations/history.h); nobody else includes it.
 */
#ifndef MIG_MIGRATIONS_HISTORY_INTERNAL_H
#define MIG_MIGRATIONS_HISTORY_INTERNAL_H

#include "base/bytes.h"
#include "migrations/history.h"

/* What stands beside it is qualified as well: these are sent with the session's own search path. */
#define EQUALS " OPERATOR(pg_catalog.=) "

/* The table, with its schema. */
void history_table(struct bytes *out, const char *schema);

#endif
