/*
 * Whether a pooler between us and the server gives us a session, or only transactions.
 */
#ifndef MIG_DATABASE_POOLER_H
#define MIG_DATABASE_POOLER_H

#include <stdbool.h>

#include "postgres/connection.h"
#include "secret/source.h"

/*
 * Whether another connection is given the server process `pid`, in which db asked something before, or db itself is given
 * another one.  Either proves that transactions share sessions.  That a pooler hides it cannot be ruled out, but takes
 * one that many others use meanwhile.  Where it is so, what db has set in the session is reset.
 */
bool pooler_shares(struct db *db, struct source *source, int pid);

/*
 * The same for who has to hold the deploy lock: `pid` is what pg_backend_pid() said.  0: the session is ours
 * (and db knows its process); or an exit code, said.
 */
int pooler_refuse(struct db *db, struct source *source, int pid);

#endif
