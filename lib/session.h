/*
 * The session between two steps: a script may have changed what a deploy needs of it.
 */
#ifndef MIG_SESSION_H
#define MIG_SESSION_H

#include "database.h"
#include "model.h"
#include "target.h"

/*
 * Puts right, and names, what a script changed: the deploy lock (DISCARD ALL), a search path in which the history, which
 * is in `schema`, does not resolve.  Asks the server only where the script has words that can do this.  Returns 0, or
 * an exit code, said.
 */
int session_mend(struct db *db, const char *schema, const struct target *target, const struct step *step);

#endif
