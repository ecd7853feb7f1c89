/* Whether this is the database, and the history, that the plan was made for. */
#include "deploy/deploy_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/page.h"
#include "database/inspect.h"
#include "database/pooler.h"
#include "deploy/next_command.h"
#include "deploy/marks_check.h"
#include "migrations/folder.h"
#include "migrations/history.h"
#include "migrations/journal.h"
#include "postgres/connection.h"
#include "records/record.h"
#include "records/words.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

/* --- the target --- */

static void
say_place(const char *word, const char *database, const char *host, long long port, const char *schema,
    const char *system)
{
	struct bytes text = { 0 };

	page_place(&text, database, host, port, schema);
	message_line("  %-11s %s, system %s", word, text.data, system != NULL ? system : "not known");
	bytes_free(&text);
}

static int
check_target(struct run_state *s)
{
	const struct plan *plan = &s->plan->plan;
	const struct database *d = &s->inspection.database;
	bool same = strcmp(plan->database, d->database) == 0 && strcmp(plan->schema, d->schema) == 0;

	if (plan->system_identifier != NULL && d->system_identifier != NULL)
		same = same && strcmp(plan->system_identifier, d->system_identifier) == 0;
	if (!same) {
		(void)message_error(MIG_DATA, "this plan is for another database; nothing was touched");
		say_place("plan", plan->database, plan->host, plan->port, plan->schema, plan->system_identifier);
		say_place("connected", d->database, d->host, d->port, d->schema, d->system_identifier);
		message_line("next: scan and plan with the same -d as here");
		return MIG_DATA;
	}
	if (d->in_recovery) {
		(void)message_error(MIG_BUSY, "this server is a standby, which takes no changes; nothing was touched");
		message_line("next: name the primary, or several hosts with target_session_attrs=read-write");
		return MIG_BUSY;
	}
	if (s->inspection.read_only) {
		(void)message_error(MIG_BUSY, "this database is read-only now (default_transaction_read_only is on); "
		                              "nothing was touched");
		message_line("next: see who set it:  select * from pg_db_role_setting;");
		return MIG_BUSY;
	}
	return 0;
}

int
deploy_inspect(struct run_state *s, bool lock)
{
	if (lock)
		restore_point_ask(&s->restore, s->db);
	return inspect_take(s->db, &s->source.target, lock, &s->inspection);
}

/*
 * A deploy needs a session of its own, for the lock and what it sets.  A pooler gives libpq a number of its own for the
 * server's process; whether it gives us one for good is asked of it.
 */
static int
check_pooler(struct run_state *s)
{
	int code;

	if (s->inspection.backend_pid == db_backend_pid(s->db))
		return 0;
	code = pooler_refuse(s->db, &s->source, s->inspection.backend_pid);
	if (code != 0 || s->deploy->dry_run)
		return code;
	return deploy_inspect(s, true);
}

int
deploy_connect_to_target(struct run_state *s)
{
	const struct db_patience patience = { s->deploy->wait_ms, s->deploy->absent_ms };
	struct bytes place = { 0 };
	int code = kept_session_take(s->deploy->kept, !s->deploy->dry_run, &s->source, &s->db, &s->inspection.held);

	if (code == 0 && s->db == NULL)
		s->db = db_open(&s->source, "mig-apply", &patience, &code);
	if (code != 0)
		s->deploy->kept->failed = code;
	if (code == 0) {
		db_release_on_death(s->db);
		code = deploy_inspect(s, !s->deploy->dry_run);
	}
	if (code == 0)
		code = check_target(s);
	if (code == 0)
		code = check_pooler(s);
	if (code != 0)
		return code;
	page_place(&place, s->inspection.database.database, s->inspection.database.host, s->inspection.database.port,
	    s->inspection.database.schema);
	message_info("%s, user %s%s%s; plan %.16s, %zu step%s", place.data, s->inspection.database.user,
	    s->deploy->role != NULL ? ", role " : "", s->deploy->role != NULL ? s->deploy->role : "", s->plan->digest,
	    s->plan->step_count, s->plan->step_count == 1 ? "" : "s");
	bytes_free(&place);
	return 0;
}

/* --- the history, under the lock --- */

static struct step *
step_named(struct step *steps, size_t count, const char *migration)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(steps[i].migration, migration) == 0)
			return &steps[i];
	return NULL;
}

/* The step that takes back the migration of this row, or NULL. */
static struct step *
step_reverting(struct step *steps, size_t count, const struct history_row *row)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (steps[i].action == ACTION_REVERT && strcmp(steps[i].row_id, row->id) == 0)
			return &steps[i];
	return NULL;
}

/*
 * Another deployer's work, which the plan did not know: a finished row of one of the steps, or one that was half taken back when the plan
 * was made.
 */
bool
deploy_is_others_work(const struct history_row *row, const void *context)
{
	const struct plan_stream *plan = context;
	const struct step *step = step_reverting(plan->steps, plan->step_count, row);

	if (step != NULL)
		return step_resumes(step);
	if (row->finished_at == NULL || row->rolled_back_at != NULL)
		return false;
	step = step_named(plan->steps, plan->step_count, row->migration);
	return step != NULL && step->action == ACTION_APPLY &&
	    migration_checksum_matches(row->checksum, step->checksum, step->sql);
}

static int
say_changed(const struct run_state *s)
{
	size_t known = s->plan->plan.history_rows > 0 ? (size_t)s->plan->plan.history_rows : 0, i;
	char when[CLOCK_INSTANT];

	(void)message_error(MIG_DATA, "the history has changed since this plan was made; nothing was touched");
	for (i = known; i < s->inspection.count; i++) {
		const struct history_row *row = &s->inspection.rows[i];

		message_line("  new since then   %s, %s %s", row->migration,
		    row->finished_at != NULL ? "applied" : "begun",
		    clock_readable(row->finished_at != NULL ? row->finished_at : row->started_at, when));
	}
	next_command_plan("next: review a new plan");
	return MIG_DATA;
}

static int
say_unfinished(const struct history_row *row)
{
	char when[CLOCK_INSTANT];

	(void)message_error(MIG_FAILED, "%s was started at %s and not finished (P3009); nothing was touched",
	    row->migration, clock_readable(row->started_at, when));
	message_line("  No deployer is working on it: this deploy holds the lock.");
	next_command_ask("shows what to do about it");
	return MIG_FAILED;
}

/* Whether a step resumes this row, and the row is still as the plan saw it. */
static bool
is_resumed(const struct step *step, const struct history_row *row)
{
	struct journal journal;

	if (!step_resumes(step) || strcmp(step->row_id, row->id) != 0)
		return false;
	/* a row without a journal, or one that was told where to go on, is the operator's word */
	return !journal_read(row->logs, &journal) || step->resume_told ||
	    ((long long)journal.next == step->resume_at && journal.begun == step->resume_begun);
}

/*
 * Whether a row belongs to another run of ours that started before or after the plan was made, and is interrupted
 * now: the script is the same, and the journal says where to resume.
 */
static bool
can_go_on(struct step *step, const struct history_row *row)
{
	struct journal journal;
	struct sql_script script;
	struct session_behind behind;
	bool fits, reverts = step->action == ACTION_REVERT;

	if (step_resumes(step) || step->sql == NULL || !journal_read(row->logs, &journal) || journal.moved || journal.reverts != reverts)
		return false;
	if (reverts ? strcmp(step->row_id, row->id) != 0 : row->checksum == NULL || strcmp(row->checksum, step->checksum) != 0)
		return false;
	script = sql_split(step->sql, strlen(step->sql));
	fits = journal_fits(&journal, step->sql, &script) == JOURNAL_FITS;
	if (fits) {
		behind = session_behind(step->sql, &script, journal.next - 1);
		fits = behind.lost == NULL;
		session_behind_free(&behind);
	}
	sql_script_free(&script);
	if (!fits)
		return false;
	step->row_id = row->id;
	step->resume_at = (long long)journal.next;
	step->resume_begun = journal.begun;
	return true;
}

/* When it was applied, of a row that is half taken back; the caller frees it.  NULL: its logs do not tell. */
static char *
was_finished(const struct history_row *row)
{
	const char *at = row->logs != NULL ? strstr(row->logs, JOURNAL_FINISHED) : NULL;

	return at != NULL ? xstrndup(at + strlen(JOURNAL_FINISHED), strcspn(at + strlen(JOURNAL_FINISHED), "\n")) : NULL;
}

/* The digest of the history as the plan knew it: what has been taken back since, or half, counts as it was. */
static void
digest_as_planned(const struct run_state *s, char digest[RECORD_DIGEST_HEX])
{
	size_t count = s->inspection.count, i;
	struct history_row *rows = xcalloc(count + 1, sizeof *rows);
	char **times = xcalloc(count + 1, sizeof *times);

	for (i = 0; i < count; i++) {
		const struct step *step = step_reverting(s->plan->steps, s->plan->step_count, &s->inspection.rows[i]);

		rows[i] = s->inspection.rows[i];
		if (step == NULL || step_resumes(step))
			continue;
		rows[i].rolled_back_at = NULL;
		if (rows[i].finished_at == NULL) {
			rows[i].finished_at = times[i] = was_finished(&rows[i]);
			rows[i].logs = rows[i].applied_steps_count == 0 ? "" : NULL;
		}
	}
	history_digest(rows, count, deploy_is_others_work, s->plan, digest);
	for (i = 0; i < count; i++)
		free(times[i]);
	free(times);
	free(rows);
}

int
deploy_check_history(struct run_state *s)
{
	bool runs = s->steps[0].sql != NULL;
	char digest[RECORD_DIGEST_HEX];
	size_t i;

	digest_as_planned(s, digest);
	if (strcmp(digest, s->plan->plan.history_digest) != 0)
		return say_changed(s);
	for (i = 0; runs && i < s->inspection.count; i++) {
		const struct history_row *row = &s->inspection.rows[i];
		struct step *step;

		if (!history_row_unfinished(row))
			continue;
		step = step_named(s->steps, s->plan->step_count, row->migration);
		if (step == NULL || (!is_resumed(step, row) && !can_go_on(step, row)))
			return say_unfinished(row);
	}
	return 0;
}

int
deploy_check_claims(struct run_state *s)
{
	int code = 0;
	size_t i, j;

	for (i = 0; code == 0 && i < s->plan->step_count; i++) {
		const struct step *step = &s->steps[i];
		const struct history_row *row = NULL;

		for (j = 0; step_resumes(step) && j < s->inspection.count && row == NULL; j++)
			if (strcmp(s->inspection.rows[j].id, step->row_id) == 0)
				row = &s->inspection.rows[j];
		if (row != NULL || step->begun_sql != NULL)
			code = marks_check(s->db, step, row);
	}
	return code;
}
