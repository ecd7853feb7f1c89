/*
 * Sends ordinary steps without waiting for the answers of earlier ones.
 *
 * Each step is a transaction of its own that includes its history row.  An error leaves its transaction open and
 * failed, which stops everything sent after it.  If the COMMIT failed, the next step's row requires the row of the
 * failed step, and fails too.  Nothing of the failed step stays; step_run() then retries it, finds the position of
 * the error, and reports.
 *
 * Commits before the last one need not wait for the disk, because a row and its change are committed together.
 * The last commit waits, and then all earlier ones are on disk too.  No step is reported as applied before that.
 */
#ifndef MIG_DEPLOY_BATCH_H
#define MIG_DEPLOY_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "deploy/step.h"
#include "records/model.h"

/*
 * Whether a step may be sent in a batch: one transaction of ours, of moderate size, whose words do not change what
 * a deploy depends on in its session.
 */
bool batch_fits(const struct step *step);

/*
 * Sends steps[0..count), for each of which batch_fits() is true.  Fills results[0..return): these steps are
 * committed and on disk.  If the return value is less than count, *outcome has the reason.  STEP_FAILED or
 * STEP_STOPPED: the next step was rolled back.  STEP_LOST: *lost (in shared->texts) has the error, and *known says
 * whether it could be determined what is committed.  Unless it is lost, the session has its own lock_timeout and
 * synchronous_commit again.
 */
size_t batch_send(struct step_context *shared, const struct step *steps, size_t count, struct result results[],
    enum step_outcome *outcome, const char **lost, bool *known);

#endif
