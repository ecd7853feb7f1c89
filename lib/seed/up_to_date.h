/*
 * Fast path for small files: do the tables equal the files already?
 *
 * Most runs find that they do.  This check needs no temporary table, whose creation and removal write to the
 * catalog.  So a run with nothing to do writes nothing at all, and works on a standby and without the TEMPORARY
 * privilege.  Only the result "all equal" is used.  In all other cases (a difference, an error, a large or unusual
 * file) COPY and the full comparison decide what is written.
 */
#ifndef MIG_SEED_UP_TO_DATE_H
#define MIG_SEED_UP_TO_DATE_H

#include <stdbool.h>

#include "postgres/connection.h"
#include "seed/table.h"

/*
 * Returns true if all tables equal their files; tables then has the numbers.  If it returns false, the transaction
 * may have failed.  prune: rows that are only in the table count as a difference.
 */
bool up_to_date_check(struct db *db, struct seed_tables *tables, bool prune, int *code);

#endif
