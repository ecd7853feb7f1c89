/*
 * Finds out whether an answer still comes: a statement may be silent for hours, and so is a network that lost its answer.
 *
 * Where nothing has come for a while (db_on_silence()), a second connection asks for the session's server process.  While
 * that works, however long, it is waited for.  Where it is gone, or waits for its client at two looks in a row, nothing
 * will come: that process is ended, so that its locks are free, and the session given up.  So it is where nobody can ask for
 * longer than patience_ms, but 30 s at least.
 */
#ifndef MIG_DATABASE_LIVENESS_H
#define MIG_DATABASE_LIVENESS_H

#include <stdbool.h>

#include "database/locks.h"
#include "postgres/connection.h"
#include "secret/source.h"

struct liveness {
	struct db *db;              /* the session; db_backend_pid() is its process, */
	bool pid_is_sure;           /* as the server itself said */
	struct source *source;      /* of the second connection, */
	const char *application;    /* and its name */
	struct lock_watch **watch;       /* that connection, whoever made it; made here where it is NULL */
	long long patience_ms;

	/* while it is silent */
	bool waits;                 /* the last look saw its process wait for us, */
	char since[LOCKS_SINCE];    /* since then */
	long long asked_ms;         /* how long it had been silent when a server answered last; beyond the silence: an earlier one's */
};

/* From now on, as long as both live; what is needed is filled in. */
void liveness_begin(struct liveness *liveness);

#endif
