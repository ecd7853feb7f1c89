/*
 * What a run would be refused for, found by a dry run: NULL in columns that are NOT NULL, foreign keys that point at nothing.
 *
 * Only what catalog and data tell for sure: where a trigger or a rule may have a say, nothing is foreseen.  CHECK, EXCLUDE
 * and unique constraints, and rows of other tables that point at what --prune deletes, are left to the run.
 */
#ifndef MIG_SEED_PREFLIGHT_H
#define MIG_SEED_PREFLIGHT_H

#include "postgres/connection.h"
#include "seed/table.h"

/* Behind the comparison.  *code: 0, or the exit code that the run would have, said with the row. */
enum db_outcome seed_preflight(struct db *db, const struct seed_tables *tables, int *code);

#endif
