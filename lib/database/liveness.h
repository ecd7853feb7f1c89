/*
 * Finds out whether an answer can still arrive: a statement may be silent for hours, but so is a network that lost
 * its answer.
 *
 * After some silence (db_on_silence()), a second connection checks the session's server process.  While that
 * process works, we wait, however long it takes.  If it is gone, or waits for its client in two consecutive
 * checks, no answer will come: it is terminated, so that its locks are released, and the session is given up.  The
 * same happens if the check itself is impossible for longer than patience_ms, but at least 30 s.
 */
#ifndef MIG_DATABASE_LIVENESS_H
#define MIG_DATABASE_LIVENESS_H

#include <stdbool.h>

#include "database/locks.h"
#include "postgres/connection.h"
#include "secret/source.h"

struct liveness {
	struct db *db;              /* the session; its process is db_backend_pid() */
	bool pid_is_sure;           /* that pid came from the server itself */
	struct source *source;      /* for the second connection */
	const char *application;    /* the second connection's application_name */
	struct lock_watch **watch;       /* that connection, possibly shared; opened here if NULL */
	long long patience_ms;

	int pid;                    /* of its process, also once it is lost */

	/* while the session is silent */
	bool waits;                 /* in the last check its process was waiting for us */
	char since[LOCKS_SINCE];    /* since when */
	long long asked_ms;         /* length of the silence when a server last answered a check; larger than
	                             * the silence: from an earlier one */
};

/* Starts the checks; both structs must stay alive.  Missing fields are filled in. */
void liveness_begin(struct liveness *liveness);

/*
 * Behind a connection that was given up: terminates the session's process if this call and the one before found it waiting
 * for us since the same moment.  Whatever stands between may hold the server's end open for ever, and with it our locks.
 */
void liveness_end_left_behind(struct liveness *liveness);

#endif
