/*
 * Finds what an interrupted statement left behind, and finishes or removes it.
 *
 * CREATE INDEX CONCURRENTLY that is interrupted leaves an invalid index; IF NOT EXISTS would pass it over as if it were
 * good.  DROP INDEX CONCURRENTLY leaves an invalid one as well, and can run again.  DETACH PARTITION CONCURRENTLY leaves
 * a partition that its table's readers no longer see, and that only FINALIZE takes out.
 */
#ifndef MIG_DATABASE_LEFTOVERS_H
#define MIG_DATABASE_LEFTOVERS_H

#include "base/bytes.h"
#include "postgres/connection.h"
#include "sql/interrupted.h"

enum left {
	LEFT_DONE,        /* what the statement was to do is done */
	LEFT_NOTHING,     /* it is not, and nothing is in its way */
	LEFT_HALF,        /* a part of it is committed, or an invalid index is there (left_look() only) */
	LEFT_REMOVED,     /* it is not, and the invalid index in its way was removed (left_settle() only) */
	LEFT_BEING_BUILT, /* what is in its way is being built by another session */
	LEFT_UNKNOWN,     /* the catalog cannot tell */
	LEFT_ERROR        /* could not be read, removed or finished: db_error() */
};

/* Reads the catalog and changes nothing; a transaction that is open may be rolled back for it.  *outcome (of LEFT_ERROR): DB_ERROR, DB_LOST, DB_STOPPED. */
enum left left_look(struct db *db, const struct interrupted *aim, enum db_outcome *outcome);

/*
 * The same; then finishes a DETACH, and removes an index that is not valid, so that the statement can run again.  An
 * index that the statement gives no name is found by its definition: the server makes the same one on an empty
 * twin of the table, in a transaction that is rolled back, and says how it reads there.
 */
enum left left_settle(struct db *db, const struct interrupted *aim, enum db_outcome *outcome);

/* Appends a statement, with its semicolon, that fails (22012) unless the index of a CREATE INDEX CONCURRENTLY with a
 * name is there and valid; nothing for other aims. */
void left_demand_sql(struct bytes *out, const struct interrupted *aim);

#endif
