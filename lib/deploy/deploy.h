/*
 * A plan, carried out: checked whole, under the deploy lock, against the history as it is then, a step after the other.
 */
#ifndef MIG_DEPLOY_DEPLOY_H
#define MIG_DEPLOY_DEPLOY_H

#include <stdbool.h>

#include "records/model.h"
#include "records/output.h"

struct deploy {
	const char *database;      /* -d, or NULL */
	bool dry_run;
	const char *expect;        /* leading digits of the plan's digest, or NULL */
	long long max_stall_ms;
	long long wait_ms;
	long long absent_ms;       /* how much of it for a server that is not there */
};

/* Checks what can be checked without a server.  Returns 0, or MIG_DATA or MIG_FAILED, said. */
int deploy_check_plan(const struct deploy *deploy, const struct plan_stream *plan);

/*
 * Carries the plan out.  Opens the output once the target is known to be the right one and the history is
 * as the plan expects; from then on the stream of results is complete whatever happens.
 * Returns the exit code; all has been said.
 */
int deploy_run(const struct deploy *deploy, const struct plan_stream *plan, struct output *out);

#endif
