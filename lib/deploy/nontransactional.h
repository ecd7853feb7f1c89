/*
 * Statements that stand alone: CREATE INDEX CONCURRENTLY, VACUUM and the like, which no transaction can hold.
 *
 * The row says that such a one begins before it does, and that it ended when it has.  Its waits have no time-out, they are
 * watched (deploy/stall.h); and what it leaves where it does not end, an index that is not valid, is put right.
 */
#ifndef MIG_DEPLOY_NONTRANSACTIONAL_H
#define MIG_DEPLOY_NONTRANSACTIONAL_H

#include "deploy/step_exec.h"

/* Runs the statement `at`, until it has ended or the step has.  `last`: the row is finished with it. */
bool alone_run(struct going *g, size_t at, bool last);

/*
 * The statement `at` had begun when an earlier run was cut off: what it left is looked at, and put right.  True where
 * that ends it, or, with *gone_wrong, the step; else it is to be run.
 */
bool alone_settle(struct going *g, size_t at, bool last, bool *gone_wrong);

#endif
