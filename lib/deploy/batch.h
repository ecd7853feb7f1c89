/*
 * Ordinary steps, sent ahead: without waiting for the answers of those before.
 *
 * Each step is a transaction of its own with its row in it.  An error leaves its transaction open and failed, which
 * stops all that was sent behind it; where it was the COMMIT that failed, the next row demands that of the step before,
 * and fails.  Nothing of the failed step stays: it is then the business of step_run(), which retries, looks for
 * the place of the error, and reports.
 *
 * Commits before the last need not wait for the disk, since each row lives and dies with its change; the last one waits,
 * and so all before it are on disk too.  Nothing is told as applied before that.
 */
#ifndef MIG_DEPLOY_BATCH_H
#define MIG_DEPLOY_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "deploy/step.h"
#include "records/model.h"

/* Whether a step may be sent ahead: one transaction of ours, of a moderate size, and no word in it that can change
 * what a deploy needs of its session. */
bool batch_fits(const struct step *step);

/*
 * Sends steps[0..count), which all fit.  results[0..return) are filled: those steps are committed, and on disk.
 * Where fewer than count are, *outcome says why: STEP_FAILED or STEP_STOPPED: the next one was rolled back;
 * STEP_LOST: *lost (of shared->texts) says what happened, and *known whether it could be looked up what is committed.
 */
size_t batch_send(struct step_context *shared, const struct step *steps, size_t count, struct result results[],
    enum step_outcome *outcome, const char **lost, bool *known);

#endif
