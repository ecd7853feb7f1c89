/*
 * Shared by the files that apply a plan (deploy/deploy.h); private to them.
 */
#ifndef MIG_DEPLOY_DEPLOY_INTERNAL_H
#define MIG_DEPLOY_DEPLOY_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/clock.h"
#include "database/inspect.h"
#include "deploy/deploy.h"
#include "deploy/notify.h"
#include "deploy/restore_point.h"
#include "deploy/step.h"
#include "migrations/history.h"
#include "migrations/progress.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "records/output.h"
#include "records/words.h"
#include "secret/source.h"

/* A deploy in progress; everything here is freed at its end. */
struct run_state {
	const struct deploy *deploy;
	const struct plan_stream *plan;
	struct output *out;
	struct source source;
	struct db *db;
	struct inspection inspection;
	struct history_index index;
	struct step_context shared;   /* shared by the steps */
	struct progress progress;
	struct step *steps;         /* the plan's, with the resume position if an earlier run started them */
	struct result *results;     /* one per step */
	bool login_writes;          /* --role: the history is written as the login, since the role may not */
	size_t alone_until;         /* steps before this index are not sent in a batch (again) */
	struct arena texts;         /* of the results */
	long long began_ms, deadline_ms;
	char started_at[CLOCK_INSTANT];
	struct run run;             /* what is recorded of it */
	struct restore_point restore;
	char restore_name[RESTORE_NAME];
	struct notify notify;
};

/* --- target_check.c --- */

int deploy_connect_to_target(struct run_state *s);
/* inspect_take(); with the lock, also asks for the restore point. */
int deploy_inspect(struct run_state *s, bool lock);
/* Whether a row is the finished row of one of the steps: another deployer's work, unknown to the plan. */
bool deploy_is_others_work(const struct history_row *row, const void *context);
int deploy_check_history(struct run_state *s);
int deploy_check_claims(struct run_state *s);

/* --- as_role.c --- */

/* Which rights on the history the role in force lacks: reports each with its GRANT.  Returns 0 if none. */
int deploy_say_rights(struct run_state *s);
/*
 * --role: checks the role and the rights of the plan's statements, and makes it the role in force.  Changes nothing else.
 * Returns 0, or an exit code with the error reported.
 */
int deploy_become_role(struct run_state *s);

/* --- results.c --- */

void deploy_begin_results(struct run_state *s);
/* Under the lock, when all is checked and before anything is changed: to which state a backup would have to be restored. */
void deploy_take_restore_point(struct run_state *s);
/* With the next message, which begins the first step: tells others, and marks that state where the role may; the second call does nothing. */
void deploy_announce_begin(struct run_state *s);
void deploy_announce_end(struct run_state *s, int code);
/* Writes all results at the end, after the lock is released: a slow reader must not delay the deploy. */
void deploy_write_results(struct run_state *s);

#endif
