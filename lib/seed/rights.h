/*
 * Which rights a run lacked, of those that it is seen to need.
 */
#ifndef MIG_SEED_RIGHTS_H
#define MIG_SEED_RIGHTS_H

#include <stdbool.h>

#include "postgres/connection.h"
#include "seed/table.h"

/*
 * Call it after the rollback, for a denied query: reports a GRANT for each right that the role lacks to read these tables and
 * those that they name, and to write what is known to be written.  exports: it needs no temporary table.
 */
void rights_say_lacked(struct db *db, const struct seed_tables *tables, bool exports);

#endif
