/* The plan itself, before anything is touched. */
#include "deploy/deploy_internal.h"

#include <string.h>

#include "base/message.h"
#include "base/mig.h"
#include "deploy/next_command.h"
#include "migrations/folder.h"
#include "migrations/history.h"
#include "records/record.h"
#include "records/words.h"
#include "sql/sql.h"

/* --- the plan itself --- */

/* Whether the statement at which a step resumes exists. */
static bool
can_resume(const struct step *step)
{
	struct sql_script script = sql_split(step->sql, strlen(step->sql));
	bool can = step->resume_at >= 1 && step->resume_at <= (long long)script.count + 1;

	sql_script_free(&script);
	return can;
}

static int
check_step(const struct step *step)
{
	char checksum[MIGRATION_CHECKSUM];

	if (step->action == ACTION_MARK_ROLLED_BACK)
		return 0;
	if (step->action == ACTION_MARK_APPLIED && step->checksum != NULL)
		return 0;
	if ((step->action != ACTION_APPLY && step->action != ACTION_REVERT) || step->checksum == NULL || step->sql == NULL ||
	    (step->action == ACTION_REVERT && step->row_id == NULL) || (step_resumes(step) && !can_resume(step)))
		return message_error(MIG_DATA, "step %lld of the plan, %s, is invalid; nothing was touched",
		    step->step, step->migration);
	migration_checksum(step->sql, strlen(step->sql), checksum);
	if (strcmp(checksum, step->checksum) != 0)
		return message_error(MIG_DATA, "step %lld of the plan, %s: its checksum is not that of its SQL; "
		                               "nothing was touched",
		    step->step, step->migration);
	return 0;
}

/* Of the steps as they are here, whatever the plan says of them. */
static int
check_steps_digest(const char *expected, const struct plan_stream *plan)
{
	char hex[RECORD_DIGEST_HEX];

	steps_digest(plan->steps, plan->step_count, hex);
	if (strncmp(expected, hex, strlen(expected)) == 0)
		return 0;
	(void)message_error(MIG_DATA, "these steps were not expected: %.16s; nothing was touched", hex);
	message_line("  expected      %s\n  these steps   %.16s", expected, hex);
	next_command_plan("next: review them");
	return MIG_DATA;
}

int
deploy_check_plan(const struct deploy *deploy, const struct plan_stream *plan)
{
	size_t i;
	int code = 0;

	if (deploy->expect != NULL && strncmp(deploy->expect, plan->digest, strlen(deploy->expect)) != 0) {
		(void)message_error(MIG_DATA, "this is not the plan that was expected; nothing was touched");
		message_line("  expected    %s\n  this plan   %.16s", deploy->expect, plan->digest);
		next_command_plan("next: review it again");
		return MIG_DATA;
	}
	if (deploy->expect_steps != NULL && plan->step_count > 0)
		code = check_steps_digest(deploy->expect_steps, plan);
	for (i = 0; code == 0 && i < plan->finding_count; i++)
		if (plan->findings[i].severity == SEVERITY_ERROR)
			code = message_error(MIG_FAILED, "the plan was refused by its findings: %s; nothing was touched",
			    plan->findings[i].message);
	for (i = 0; code == 0 && i < plan->step_count; i++)
		code = check_step(&plan->steps[i]);
	if (code == 0 && plan->step_count > 0 &&
	    (plan->plan.history_digest == NULL || plan->plan.database == NULL || plan->plan.schema == NULL)) {
		code = message_error(MIG_DATA, "this plan was made without a database; nothing was touched");
		message_line("next: make the plan from a scan that has the database, without --from-empty");
	}
	return code;
}
