/*
 * Runs migrations one after another in a scratch database, like a deploy: the same segments (sql/segments.h), the
 * same second attempt statement by statement, the session restored between scripts; but without locks, history
 * rows, retries and batches.
 *
 * Statements that affect something outside the database (ALTER SYSTEM, CREATE DATABASE, COPY to or from files and
 * programs, ...) are refused before the script runs.  On a server of our own, missing roles are created, without
 * login and rights, and extensions that only a superuser may create are created.
 */
#ifndef MIG_SCRATCH_REPLAY_H
#define MIG_SCRATCH_REPLAY_H

#include <stddef.h>

#include "postgres/connection.h"
#include "records/model.h"
#include "scratch/scratch.h"
#include "sql/sql.h"

/*
 * Runs the steps that are not in the database yet; each needs migration, checksum, sql and step.  Returns 0, and
 * the server keeps its state for later runs; or an exit code with the error reported: 1 if a script fails,
 * MIG_UNREACHABLE, 128 + N.
 */
int replay_run(struct scratch *scratch, const char *folder, const struct step *steps, size_t count);

/* How statements are sent. */
enum replay_wrap {
	REPLAY_NONE,    /* as they stand: one that wants no transaction */
	REPLAY_BEGIN,   /* BEGIN in front; they end it themselves */
	REPLAY_BOTH     /* and COMMIT behind */
};

/*
 * Who sends the statements instead, and looks at what each does.  Those of a transaction that was rolled back are sent
 * again: from the first one of it on, what was seen before does not count.
 */
struct replay_watcher {
	void *context;
	/* The next script. */
	void (*begins)(void *context, const struct step *step, const struct sql_script *script);
	/*
	 * Sends count statements from `first` on, with `locals` behind the BEGIN.  *done: how many of them ended well, also where the
	 * COMMIT did not; an error's position is that in the statement behind them.
	 */
	enum db_outcome (*send)(void *context, size_t first, size_t count, enum replay_wrap wrap, const char *locals, size_t *done);
	/* The script fails in this statement (script->count: in none of them), at this byte; its length: not known. */
	void (*fails)(void *context, size_t at, size_t offset, const char *sqlstate, const char *message);
};

/*
 * Runs all of the steps, watched.  What a script does wrong is told the watcher, and no message is said about it; the scripts behind
 * it do not run.  Returns 0, also then, with *ran how many ran to their ends; or an exit code, said: MIG_UNREACHABLE, 128 + N.
 */
int replay_watched(struct scratch *scratch, const char *folder, const struct step *steps, size_t count,
    const struct replay_watcher *watcher, size_t *ran);

#endif
