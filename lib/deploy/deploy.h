/*
 * Applies a plan: checks all of it under the deploy lock against the current history, then runs one step after
 * another.
 */
#ifndef MIG_DEPLOY_DEPLOY_H
#define MIG_DEPLOY_DEPLOY_H

#include <stdbool.h>

#include "deploy/kept_session.h"
#include "records/model.h"
#include "records/output.h"

struct deploy {
	const char *database;      /* -d, or NULL */
	const char *schema;        /* --schema, or NULL */
	const char *role;          /* --role: SET ROLE for the scripts; or NULL */
	bool dry_run;
	const char *note;          /* why, for those who read the records; or NULL */
	const char *expect;        /* leading digits of the expected digest of the plan, or NULL */
	const char *expect_steps;  /* of its steps; a plan without steps is accepted as well */
	long long max_stall_ms;
	long long wait_ms;
	long long absent_ms;       /* the part of it for a server that is absent */
	struct kept_session *kept; /* the connection, where it is there already, and for the next plan */
};

/* Checks what needs no server.  Returns 0, or MIG_DATA or MIG_FAILED with the error reported. */
int deploy_check_plan(const struct deploy *deploy, const struct plan_stream *plan);

/*
 * Applies the plan.  Opens the output when the target is known to be right and the history is as the plan expects;
 * from then on the stream of results is complete, whatever happens.  Returns the exit code; errors are reported.
 */
int deploy_run(const struct deploy *deploy, const struct plan_stream *plan, struct output *out);

#endif
