/*
 * Whether a pooler between us and the server gives us a session, or only transactions.
 */
#ifndef MIG_DATABASE_POOLER_H
#define MIG_DATABASE_POOLER_H

#include "postgres/connection.h"
#include "secret/source.h"

/*
 * For who has to hold the deploy lock; `pid` is what pg_backend_pid() said.  0: the session is ours (and db knows its
 * process); or an exit code, said, where a pooler shares sessions.  What db has set in the session is then reset.
 */
int pooler_refuse(struct db *db, struct source *source, int pid);

#endif
