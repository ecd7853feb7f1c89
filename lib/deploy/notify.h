/*
 * Marks a deploy on the server, where others see it.  Before the first step: a named restore point, and a notification on the
 * channel `mig` (deploy/announce.h).  After the last: another one, and a line in the server's log, which comes only then because
 * PL/pgSQL, which writes it, costs a new session 2 ms.
 *
 * Each is a transaction of its own, and none of them can fail a deploy.  The first ones go along with what is sent anyway.
 */
#ifndef MIG_DEPLOY_NOTIFY_H
#define MIG_DEPLOY_NOTIFY_H

#include <stdbool.h>

#include "base/bytes.h"
#include "deploy/announce.h"
#include "postgres/connection.h"

struct notify {
	struct db_ask asks[6];
	size_t count;
	bool begun;
	struct bytes line, payload;
	const char *texts[2];         /* parameters: these two */
	const char *restore_point;    /* created by the first of them; NULL: none */
};

/*
 * With the next message.  run->restore_point is the name of the restore point, NULL: none.  Must not move, and run must live,
 * until the message was sent.  A second call does nothing.
 */
void notify_begin(struct notify *notify, struct db *db, const struct announce *announce);

/* Whether the restore point was created. */
bool notify_has_restore_point(const struct notify *notify);

/*
 * In a round trip of its own, also after a signal; does nothing if none was begun, or the connection was lost.  `logs`: the role
 * may run a DO block.
 */
void notify_end(struct notify *notify, struct db *db, const struct announce *announce, bool logs);

void notify_free(struct notify *notify);

#endif
