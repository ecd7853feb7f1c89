/*
 * A connection to the target that is there before a deploy begins: made while the plan is still on its way, since what announces its
 * stream (writer_announce()) has work for us.
 */
#ifndef MIG_DEPLOY_KEPT_SESSION_H
#define MIG_DEPLOY_KEPT_SESSION_H

#include <stdbool.h>

#include "postgres/connection.h"
#include "secret/source.h"

struct kept_session {
	const char *database, *schema; /* -d and --schema, or NULL */
	struct source source;          /* opened: it is asked for its string once */
	struct db *db;                 /* or NULL: not connected */
	bool opened;
	int code;                      /* of source_open() */
};

/*
 * Work for signals_meanwhile(): one attempt, of 3 s at most.  Silent where nobody answers, since whoever needs the connection tries
 * again and says what is wrong.
 */
bool kept_session_connect(void *kept);

/*
 * Hands over what there is, and opens the source where that has not been done: source_open()'s code, with its error reported.  *db is
 * NULL where nobody answered, or the server has closed the session in the meantime.
 */
int kept_session_take(struct kept_session *kept, struct source *source, struct db **db);

void kept_session_free(struct kept_session *kept);

#endif
