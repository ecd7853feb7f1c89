/*
 * What an interrupted statement on an index has left, looked at and put right.
 *
 * CREATE INDEX CONCURRENTLY that is interrupted leaves an index that is not valid; IF NOT EXISTS would pass it
 * over as if it were good.  DROP INDEX CONCURRENTLY leaves an invalid one as well, and can run again.
 */
#ifndef MIG_DATABASE_INVALID_INDEX_H
#define MIG_DATABASE_INVALID_INDEX_H

#include "postgres/connection.h"
#include "sql/index_command.h"

enum index_found {
	INDEX_ENDED,       /* what the statement was to do is done */
	INDEX_AGAIN,       /* it is not, and nothing is in its way */
	INDEX_REMOVED,     /* it is not, and what was in its way is removed */
	INDEX_BEING_BUILT, /* what is in its way is being built by another session */
	INDEX_ERROR        /* could not be looked up or cleaned: db_error() */
};

/*
 * Looks what an interrupted statement has left, and removes an index that is not valid, so that it can run again.  An
 * index that the statement gives no name is found by its definition: the server makes the same one on an empty
 * twin of the table, in a transaction that is rolled back, and says how it reads there.
 */
enum index_found index_settle(struct db *db, const struct aim *aim);

/* Appends a statement, with its semicolon, that fails (22012) unless the index of a CREATE INDEX CONCURRENTLY with a
 * name is there and valid; nothing for other aims. */
void index_demand_sql(struct bytes *out, const struct aim *aim);

#endif
