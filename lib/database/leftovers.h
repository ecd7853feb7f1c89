/*
 * Finds what an interrupted statement left behind, and finishes or removes it.
 *
 * An interrupted CREATE INDEX CONCURRENTLY leaves an invalid index, which IF NOT EXISTS would skip as if it were
 * valid.  DROP INDEX CONCURRENTLY leaves an invalid index too, and can run again.  DETACH PARTITION CONCURRENTLY
 * leaves a partition that readers of the table no longer see, and that only FINALIZE detaches.
 */
#ifndef MIG_DATABASE_LEFTOVERS_H
#define MIG_DATABASE_LEFTOVERS_H

#include "base/bytes.h"
#include "postgres/connection.h"
#include "sql/interrupted.h"

enum left {
	LEFT_DONE,        /* the statement's work is complete */
	LEFT_NOTHING,     /* it is not, and nothing blocks a retry */
	LEFT_HALF,        /* part of it is committed, or there is an invalid index (left_look() only) */
	LEFT_REMOVED,     /* it is not, and the blocking invalid index was removed (left_settle() only) */
	LEFT_BEING_BUILT, /* another session is building the index */
	LEFT_UNKNOWN,     /* the catalog cannot tell */
	LEFT_ERROR        /* could not be read, removed or finished: db_error() */
};

/*
 * Reads the catalog and changes nothing; may roll back an open transaction for that.  *outcome (for LEFT_ERROR):
 * DB_ERROR, DB_LOST, DB_STOPPED.
 */
enum left left_look(struct db *db, const struct interrupted *aim, enum db_outcome *outcome);

/*
 * The same; then finishes a DETACH, and removes an invalid index so that the statement can run again.  An index
 * that the statement does not name is found by its definition: the server makes the same index on an empty copy of
 * the table, in a transaction that is rolled back, and returns the definition.
 */
enum left left_settle(struct db *db, const struct interrupted *aim, enum db_outcome *outcome);

/*
 * Appends a statement, with its semicolon, that fails (22012) unless the named index of a CREATE INDEX
 * CONCURRENTLY exists and is valid.  Appends nothing for other statements.
 */
void left_demand_sql(struct bytes *out, const struct interrupted *aim);

#endif
