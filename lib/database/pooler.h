/*
 * Detects whether a pooler between us and the server gives us a session, or only transactions.
 */
#ifndef MIG_DATABASE_POOLER_H
#define MIG_DATABASE_POOLER_H

#include "postgres/connection.h"
#include "secret/source.h"

/*
 * For a tool that must hold the deploy lock; `pid` is the value of pg_backend_pid().  Returns 0 if the session is
 * ours (and sets its process in db), or an exit code with the error reported if a pooler shares sessions.  In that
 * case, resets what db has set in the session.
 */
int pooler_refuse(struct db *db, struct source *source, int pid);

#endif
