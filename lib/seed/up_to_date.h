/*
 * A first look at small files: is everything as they say already?
 *
 * That is what most runs find, and it can be known without a temporary table, whose making and going writes
 * to the catalog: then a run that has nothing to do writes nothing at all, and is possible on a standby and
 * without the right to make temporary tables.  Only the answer "all the same" counts.  Whatever else comes of
 * it (a difference, an error, a file that is large or unusual) is left to COPY and to the comparison behind
 * it, which alone decide what is written.
 */
#ifndef MIG_SEED_UP_TO_DATE_H
#define MIG_SEED_UP_TO_DATE_H

#include <stdbool.h>

#include "postgres/connection.h"
#include "seed/table.h"

/*
 * True: all tables are as their files say, and tables has the numbers.  The transaction may have failed by
 * then, where it is not so.  prune: rows that only the table has count as a difference.
 */
bool up_to_date_check(struct db *db, struct seed_tables *tables, bool prune, int *code);

#endif
