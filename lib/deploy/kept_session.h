/*
 * A connection to the target that outlives a plan, or is there before one: made while the plan is still on its way, since what announces
 * its stream (writer_announce()) has work for us; or that of the plan before, where several are for one database.
 *
 * Between two plans the session is set back to its start, and the deploy lock stays held: it is one of the database, and would be taken
 * again at once.
 */
#ifndef MIG_DEPLOY_KEPT_SESSION_H
#define MIG_DEPLOY_KEPT_SESSION_H

#include <stdbool.h>

#include "postgres/connection.h"
#include "secret/source.h"

struct kept_session {
	const char *database, *schema; /* -d, and the schema if that is told, or NULL */
	bool keeps;                    /* kept_session_give() keeps it for the next plan */
	struct source source;          /* opened: it is asked for its string once */
	struct db *db;                 /* or NULL: not connected */
	bool opened;
	bool used;                     /* db has run a plan */
	bool lent;                     /* what was taken is to be given back */
	int code;                      /* of source_open() */
	int failed;                    /* why a plan could not begin that holds for all others, too; or 0 */
};

/*
 * Work for signals_meanwhile(): one attempt, of 3 s at most.  Silent where nobody answers, since whoever needs the connection tries
 * again and says what is wrong.
 */
bool kept_session_connect(void *kept);

/*
 * Hands over what there is, and opens the source where that has not been done: source_open()'s code, with its error reported; or that of
 * `failed`.  *db is NULL where nobody answered, or the session has ended in the meantime, or could not be set back.  `locks`: for a
 * deploy that takes the lock; *locked: the session has it already.
 */
int kept_session_take(struct kept_session *kept, bool locks, struct source *source, struct db **db, bool *locked);

/* Takes back what was handed over; does nothing if nothing was. Closes db, and so gives the lock back, unless another plan can use it. */
void kept_session_give(struct kept_session *kept, struct source *source, struct db *db);

void kept_session_free(struct kept_session *kept);

#endif
