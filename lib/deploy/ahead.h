/*
 * A connection to the target while the plan is still on its way.  What announces its stream (writer_announce()) has work for us.
 */
#ifndef MIG_DEPLOY_AHEAD_H
#define MIG_DEPLOY_AHEAD_H

#include <stdbool.h>

#include "postgres/connection.h"
#include "secret/source.h"

struct ahead {
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
bool ahead_connect(void *ahead);

/*
 * Hands over what there is, and opens the source where that has not been done: source_open()'s code, with its error reported.  *db is
 * NULL where nobody answered, or the server has closed the session in the meantime.
 */
int ahead_take(struct ahead *ahead, struct source *source, struct db **db);

void ahead_free(struct ahead *ahead);

#endif
