/*
 * Finds the setting that cancelled a statement or made it read-only: set by an SQL file, by us, by the role, the
 * database, or the server.  Settings made by code (DO, CALL, a function) are not seen.
 */
#ifndef MIG_SEED_ORIGIN_H
#define MIG_SEED_ORIGIN_H

#include "base/bytes.h"
#include "postgres/connection.h"
#include "seed/file.h"
#include "sql/sql.h"

/* The SQL files that ran, the last one possibly not to its end, and the total time. */
struct origin_run {
	const struct seed_file *files;
	size_t count;
	size_t done;               /* statements of the last file that succeeded; SIZE_MAX: all */
	long long took_ms;
	long long lock_timeout_ms; /* ours */
};

/*
 * Returns the file of the last statement that makes the transaction, or all later ones, read-only; NULL if the
 * words show none.
 */
const struct seed_file *origin_read_only(const struct origin_run *run, struct sql_place *place);

/*
 * Appends to `line` which setting caused an error with this SQLSTATE, and the remedy; nothing if unknown.  Queries
 * the server after the rollback, unless the connection is lost.  Returns the exit code that the error then means,
 * otherwise `code`.
 */
int origin_find(struct db *db, const char *sqlstate, int code, const struct origin_run *run, struct bytes *line);

#endif
