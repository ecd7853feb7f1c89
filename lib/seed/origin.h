/*
 * Whose setting ended a statement, or kept it from writing: an SQL file's, ours, or that of the role, the database, the
 * server.  What code sets (DO, CALL, a function) is not seen.
 */
#ifndef MIG_SEED_ORIGIN_H
#define MIG_SEED_ORIGIN_H

#include "base/bytes.h"
#include "postgres/connection.h"
#include "seed/file.h"
#include "sql/sql.h"

/* The SQL files that ran, the last of them maybe not to its end, and how long all of it took. */
struct origin_run {
	const struct seed_file *files;
	size_t count;
	size_t done;               /* statements of the last that ended well; SIZE_MAX: all */
	long long took_ms;
	long long lock_timeout_ms; /* ours */
};

/* The last statement of them that makes the transaction read-only, or all that follow; NULL: none, as far as words tell. */
const struct seed_file *origin_read_only(const struct origin_run *run, struct sql_place *place);

/*
 * Appends to `line` (left empty where nothing is known) whose setting is behind an error with this SQLSTATE, and what to do.
 * Asks the server, behind the rollback; not where the connection is lost.  Returns the exit code that the error then means;
 * `code` where it means nothing else.
 */
int origin_find(struct db *db, const char *sqlstate, int code, const struct origin_run *run, struct bytes *line);

#endif
