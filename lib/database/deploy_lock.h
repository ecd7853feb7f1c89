/*
 * The deploy lock: Prisma's advisory lock (migrations/history.h: HISTORY_LOCK_KEY), which belongs to a session.  Who wants
 * it asks again and again rather than waits: a session that waits inside pg_advisory_lock() has a snapshot, for which
 * CREATE INDEX CONCURRENTLY of the holder would wait in turn.
 *
 * A look at the whole database takes it in the same round trip: inspect_take().
 */
#ifndef MIG_DATABASE_DEPLOY_LOCK_H
#define MIG_DATABASE_DEPLOY_LOCK_H

#include <stdbool.h>

#include "base/bytes.h"
#include "postgres/connection.h"

/* Takes it if it is free, without waiting; *locked is set where that is DB_OK.  An error is not said. */
enum db_outcome deploy_lock_try(struct db *db, bool *locked);

/* Whether this session holds it, as a question beside others: a row with a flag. */
struct db_ask deploy_lock_ask_held(void);

/* What a script has left of it: DISCARD ALL and pg_advisory_unlock_all() release it, and no rollback takes that back. */
enum deploy_lock_kept {
	DEPLOY_LOCK_KEPT,
	DEPLOY_LOCK_TAKEN_AGAIN, /* it was released, and nobody else had taken it */
	DEPLOY_LOCK_LOST         /* another session holds it now */
};
enum db_outcome deploy_lock_keep(struct db *db, enum deploy_lock_kept *kept);

/* Releases it, for who waits for it.  False: that is not known to have happened. */
bool deploy_lock_release(struct db *db);

/* Writes who holds it, as a line (base/page.h), over what `out` has; leaves `out` alone where that cannot be seen. */
void deploy_lock_name_holder(struct db *db, struct bytes *out);

#endif
