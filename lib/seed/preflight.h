/*
 * Predicts in a dry run what a run would be refused for: NULL in NOT NULL columns, foreign keys that reference
 * nothing.
 *
 * Only what catalog and data show for sure: tables with triggers or rules are skipped.  CHECK, EXCLUDE and unique
 * constraints, and rows of other tables that reference rows deleted by --prune, are left to the run.
 */
#ifndef MIG_SEED_PREFLIGHT_H
#define MIG_SEED_PREFLIGHT_H

#include "postgres/connection.h"
#include "seed/table.h"

/* Call it after the comparison.  *code: 0, or the exit code that the run would have, with the row reported. */
enum db_outcome seed_preflight(struct db *db, const struct seed_tables *tables, int *code);

#endif
