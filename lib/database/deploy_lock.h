/*
 * The deploy lock: Prisma's session-level advisory lock (migrations/history.h: HISTORY_LOCK_KEY).  A session that
 * wants it polls instead of waiting: a session that waits inside pg_advisory_lock() has a snapshot, and the
 * holder's CREATE INDEX CONCURRENTLY would wait for that snapshot.
 *
 * inspect_take() takes the lock in the same round trip as it reads the database.
 */
#ifndef MIG_DATABASE_DEPLOY_LOCK_H
#define MIG_DATABASE_DEPLOY_LOCK_H

#include <stdbool.h>

#include "base/bytes.h"
#include "postgres/connection.h"

/* Takes the lock if it is free; never waits.  *locked is set on DB_OK.  Errors are not reported. */
enum db_outcome deploy_lock_try(struct db *db, bool *locked);

/* A query to send with others: whether this session holds the lock.  Returns one row with a boolean. */
struct db_ask deploy_lock_ask_held(void);

/*
 * State of the lock after a script: DISCARD ALL and pg_advisory_unlock_all() release it, and a rollback does not
 * undo that.
 */
enum deploy_lock_kept {
	DEPLOY_LOCK_KEPT,
	DEPLOY_LOCK_TAKEN_AGAIN, /* it was released, was free, and was taken again */
	DEPLOY_LOCK_LOST         /* another session holds it now */
};
enum db_outcome deploy_lock_keep(struct db *db, enum deploy_lock_kept *kept);

/* Releases the lock for waiting deployers.  Returns false if it is unknown whether that succeeded. */
bool deploy_lock_release(struct db *db);

/*
 * Replaces the content of `out` with the holder as a line (base/page.h); leaves `out` alone if the holder cannot
 * be seen.
 */
void deploy_lock_name_holder(struct db *db, struct bytes *out);

#endif
