/*
 * Runs non-transactional statements: CREATE INDEX CONCURRENTLY, VACUUM and the like.
 *
 * The row records that the statement starts before it starts, and that it has completed afterwards.  Its waits
 * have no time-out but are monitored (deploy/stall.h).  If it does not complete, the leftovers are read from the
 * catalog, and removed or finished.
 */
#ifndef MIG_DEPLOY_NONTRANSACTIONAL_H
#define MIG_DEPLOY_NONTRANSACTIONAL_H

#include <stdbool.h>

#include "deploy/step_exec.h"

/*
 * Runs the statement `at` until it has completed or the step has ended.  `last`: finishes the row with it.
 * `begun`: an earlier run was interrupted in this statement; its leftovers are settled first, and if the catalog
 * says that it completed, it is not run.
 */
bool nontransactional_run(struct step_exec *g, size_t at, bool last, bool begun);

#endif
