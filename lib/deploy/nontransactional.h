/*
 * Statements that stand alone: CREATE INDEX CONCURRENTLY, VACUUM and the like, which no transaction can hold.
 *
 * The row says that such a one begins before it does, and that it ended when it has.  Its waits have no time-out, they are
 * watched (deploy/stall.h); and what it leaves where it does not end is read from the catalog, and removed or finished.
 */
#ifndef MIG_DEPLOY_NONTRANSACTIONAL_H
#define MIG_DEPLOY_NONTRANSACTIONAL_H

#include <stdbool.h>

#include "deploy/step_exec.h"

/*
 * Runs the statement `at`, until it has ended or the step has.  `last`: the row is finished with it.  `begun`: an earlier run
 * was interrupted in it, so what that left is settled first, and where the catalog says that it is done, it does not run.
 */
bool nontransactional_run(struct step_exec *g, size_t at, bool last, bool begun);

#endif
