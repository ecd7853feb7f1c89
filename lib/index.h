/*
 * What an interrupted statement on an index has left, looked at and put right.
 *
 * CREATE INDEX CONCURRENTLY that is interrupted leaves an index that is not valid; IF NOT EXISTS would pass it
 * over as if it were good.  DROP INDEX CONCURRENTLY leaves an invalid one as well, and can run again.
 */
#ifndef MIG_INDEX_H
#define MIG_INDEX_H

#include "aim.h"
#include "database.h"

enum index_found {
	INDEX_ENDED,   /* what the statement was to do is done */
	INDEX_AGAIN,   /* it is not, and nothing is in its way (any more) */
	INDEX_ERROR    /* could not be looked up or cleaned: db_error() */
};

/*
 * Looks what an interrupted statement has left, and removes an index that is not valid, so that it can run
 * again.
 */
enum index_found index_settle(struct db *db, const struct aim *aim);

#endif
