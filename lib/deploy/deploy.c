#include "deploy/deploy.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/page.h"
#include "base/signals.h"
#include "database/inspect.h"
#include "database/pooler.h"
#include "database/rights.h"
#include "database/session_restore.h"
#include "deploy/again.h"
#include "deploy/batch.h"
#include "deploy/claims.h"
#include "deploy/foresight.h"
#include "migrations/progress.h"
#include "deploy/report.h"
#include "deploy/step.h"
#include "migrations/folder.h"
#include "migrations/history.h"
#include "postgres/connection.h"
#include "sql/interrupted.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

/* A deploy under way; everything here is freed at its end. */
struct run_state {
	const struct deploy *deploy;
	const struct plan_stream *plan;
	struct source source;
	struct db *db;
	struct survey survey;
	struct history_index index;
	struct send send;
	struct progress progress;
	struct step *steps;         /* the plan's, and where those go on that another run has begun */
	struct result *results;     /* one a step */
	size_t alone_until;         /* steps before this are not sent ahead (again) */
	char **texts;               /* own the texts of the one result that has some */
	size_t text_count;
	long long began_ms, deadline_ms;
	char started_at[CLOCK_INSTANT];
};

/* --- the plan itself --- */

static bool
is_action(const struct step *step, enum step_action action)
{
	return step->action == action;
}

/* Whether the statement that a step goes on with is there. */
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

	if (is_action(step, ACTION_MARK_ROLLED_BACK))
		return 0;
	if (is_action(step, ACTION_MARK_APPLIED) && step->checksum != NULL)
		return 0;
	if (!is_action(step, ACTION_APPLY) || step->checksum == NULL || step->sql == NULL ||
	    (step->row_id != NULL && !can_resume(step)))
		return message_error(MIG_DATA, "step %lld of the plan, %s, cannot be understood; nothing was touched",
		    step->step, step->migration);
	migration_checksum(step->sql, strlen(step->sql), checksum);
	if (strcmp(checksum, step->checksum) != 0)
		return message_error(MIG_DATA, "step %lld of the plan, %s: its checksum is not that of its SQL; "
		                               "nothing was touched",
		    step->step, step->migration);
	return 0;
}

int
deploy_check_plan(const struct deploy *deploy, const struct plan_stream *plan)
{
	size_t i;
	int code = 0;

	if (deploy->expect != NULL && strncmp(deploy->expect, plan->digest, strlen(deploy->expect)) != 0) {
		(void)message_error(MIG_DATA, "this is not the plan that was expected; nothing was touched");
		message_line("  expected    %s\n  this plan   %.16s", deploy->expect, plan->digest);
		again_plan("next: look at it again");
		return MIG_DATA;
	}
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

/* --- the target --- */

static void
say_place(const char *word, const char *database, const char *host, long long port, const char *schema,
    const char *system)
{
	struct bytes text = { 0 };

	face_place(&text, database, host, port, schema);
	message_line("  %-11s %s, system %s", word, text.data, system != NULL ? system : "not known");
	bytes_free(&text);
}

static int
check_target(struct run_state *s)
{
	const struct plan *plan = &s->plan->plan;
	const struct database *d = &s->survey.database;
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
	if (s->survey.read_only) {
		(void)message_error(MIG_BUSY, "this database is read-only now (default_transaction_read_only is on); "
		                              "nothing was touched");
		message_line("next: see who set it:  select * from pg_db_role_setting;");
		return MIG_BUSY;
	}
	return 0;
}

/*
 * A deploy needs a session of its own, for the lock and what it sets.  A pooler gives libpq a number of its own for the
 * server's process; whether it gives us one for good is asked of it.
 */
static int
check_pooler(struct run_state *s)
{
	int code;

	if (s->survey.backend_pid == db_backend_pid(s->db))
		return 0;
	code = pooler_refuse(s->db, &s->source, s->survey.backend_pid);
	if (code != 0 || s->deploy->dry_run)
		return code;
	return survey_take(s->db, &s->source.target, true, &s->survey);
}

static int
connect_to_target(struct run_state *s)
{
	const struct db_patience patience = { s->deploy->wait_ms, s->deploy->absent_ms };
	struct bytes place = { 0 };
	int code = source_open(&s->source, s->deploy->database);

	if (code == 0)
		s->db = db_open(&s->source, "mig-apply", &patience, &code);
	if (code == 0) {
		db_let_go(s->db);
		code = survey_take(s->db, &s->source.target, !s->deploy->dry_run, &s->survey);
	}
	if (code == 0)
		code = check_target(s);
	if (code == 0)
		code = check_pooler(s);
	if (code != 0)
		return code;
	face_place(&place, s->survey.database.database, s->survey.database.host, s->survey.database.port,
	    s->survey.database.schema);
	message_info("%s, user %s; plan %.16s, %zu step%s", place.data, s->survey.database.user, s->plan->digest,
	    s->plan->step_count, s->plan->step_count == 1 ? "" : "s");
	bytes_free(&place);
	return 0;
}

/* --- the deploy lock --- */

/* Who holds the lock, as the last survey saw it; what was known before where it saw nobody. */
static void
name_holder(const struct run_state *s, struct bytes *out)
{
	const struct database *d = &s->survey.database;
	struct page_session holder;

	if (d->deployer_pid == RECORD_NULL)
		return;
	holder = database_deployer(d);
	out->len = 0;
	face_session(out, &holder);
}

static int
say_locked_out(const struct run_state *s, const struct bytes *holder)
{
	char span[CLOCK_SPAN];

	(void)message_error(MIG_BUSY, "another deployer holds the lock; gave up after %s (--wait)",
	    clock_span(clock_now_ms() - s->began_ms, span));
	if (clock_now_ms() < s->deadline_ms)
		message_line("  --wait        the next attempt would come too late");
	if (holder->len > 0)
		message_line("  held by       %s", holder->data);
	message_line("  nothing was touched");
	again_retry("next: run the same again later");
	return MIG_BUSY;
}

/* Says for whom we wait: on a terminal always, in a log after 10 s and then every 30 s. */
static void
say_waiting(const struct bytes *holder, long long waited_ms, long long limit_ms, long long *next_ms)
{
	char span[CLOCK_SPAN], limit[CLOCK_SPAN];

	clock_span(waited_ms, span);
	clock_age(limit_ms + 500, limit);
	message_live("      waiting %s of %s for another deployer: %s", span, limit, bytes_text(holder));
	if (!message_is_live() && waited_ms >= *next_ms) {
		message_info("waiting %s of %s for another deployer: %s", span, limit, bytes_text(holder));
		*next_ms += 30000;
	}
}

/*
 * Polls: a session that waits inside pg_advisory_lock() has a snapshot, for which CREATE INDEX CONCURRENTLY of
 * the holder would wait in turn.  The history is read again with each look, so that what is there in the end was
 * read under the lock.
 */
static int
take_lock(struct run_state *s)
{
	struct bytes holder = { 0 };
	long long began = clock_now_ms(), next = 10000, pause;
	char span[CLOCK_SPAN];
	unsigned look = 0;
	int code = 0;

	while (code == 0 && !s->survey.locked) {
		name_holder(s, &holder);
		pause = patience_poll(++look, randombytes_random());
		if (signals_caught() != 0)
			code = 128 + signals_caught();
		else if (clock_now_ms() + pause > s->deadline_ms)
			code = say_locked_out(s, &holder);
		if (code != 0)
			break;
		clock_sleep_ms(pause);
		say_waiting(&holder, clock_now_ms() - began, s->deadline_ms - began, &next);
		code = survey_take(s->db, &s->source.target, true, &s->survey);
	}
	if (code == 0 && holder.len > 0 && message_verbosity >= 0)
		message_line("      waited %s for another deployer: %s", clock_span(clock_now_ms() - began, span),
		    holder.data);
	bytes_free(&holder);
	return code;
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

/* A finished row of one of the steps: another deployer's work, which the plan did not know. */
static bool
is_others_work(const struct history_row *row, const void *context)
{
	const struct plan_stream *plan = context;
	const struct step *step;

	if (row->finished_at == NULL || row->rolled_back_at != NULL)
		return false;
	step = step_named(plan->steps, plan->step_count, row->migration);
	return step != NULL && is_action(step, ACTION_APPLY) &&
	    migration_checksum_matches(row->checksum, step->checksum, step->sql);
}

static int
say_changed(const struct run_state *s)
{
	size_t known = s->plan->plan.history_rows > 0 ? (size_t)s->plan->plan.history_rows : 0, i;
	char when[CLOCK_INSTANT];

	(void)message_error(MIG_DATA, "the history has changed since this plan was made; nothing was touched");
	for (i = known; i < s->survey.count; i++) {
		const struct history_row *row = &s->survey.rows[i];

		message_line("  new since then   %s, %s %s", row->migration,
		    row->finished_at != NULL ? "applied" : "begun",
		    clock_readable(row->finished_at != NULL ? row->finished_at : row->started_at, when));
	}
	again_plan("next: look at a new plan");
	return MIG_DATA;
}

static int
say_unfinished(const struct history_row *row)
{
	char when[CLOCK_INSTANT];

	(void)message_error(MIG_FAILED, "%s was begun at %s and never finished (P3009); nothing was touched",
	    row->migration, clock_readable(row->started_at, when));
	message_line("  Nobody is at it now: this deploy holds the lock.");
	again_ask("says what to do about it");
	return MIG_FAILED;
}

/* Whether a step goes on with this row, and the row is still as the plan knew it. */
static bool
is_resumed(const struct step *step, const struct history_row *row)
{
	struct journal journal;

	if (step->row_id == NULL || strcmp(step->row_id, row->id) != 0)
		return false;
	/* a row without a journal, or one that was told where to go on, is the operator's word */
	return !history_journal_read(row->logs, &journal) || step->resume_told ||
	    ((long long)journal.next == step->resume_at && journal.begun == step->resume_begun);
}

/*
 * A row that another run of ours had begun when the plan was made, or has begun since, and that is cut off now: it is
 * the same script, and its journal says where to go on.
 */
static bool
can_go_on(struct step *step, const struct history_row *row)
{
	struct journal journal;
	struct sql_script script;
	struct aim aim = { .act = AIM_REPEAT };
	struct session_behind behind = { 0 };
	char before[HISTORY_BEFORE] = "";
	bool lost;

	if (step->row_id != NULL || step->sql == NULL || row->checksum == NULL ||
	    strcmp(row->checksum, step->checksum) != 0 ||
	    !history_journal_read(row->logs, &journal))
		return false;
	script = sql_split(step->sql, strlen(step->sql));
	if (journal.next <= script.count + 1)
		history_journal_before(step->sql, journal.next > 1 ? script.statements[journal.next - 2].end : 0, before);
	if (journal.begun && journal.next <= script.count) {
		aim = aim_of(step->sql, &script.statements[journal.next - 1]);
		aim_free(&aim);
	}
	if (journal.next <= script.count + 1)
		behind = session_behind(step->sql, &script, journal.next - 1);
	lost = behind.lost != NULL || journal.moved;
	session_behind_free(&behind);
	sql_script_free(&script);
	if (strcmp(before, journal.before) != 0 || aim.act == AIM_NONE || lost)
		return false;
	step->row_id = row->id;
	step->resume_at = (long long)journal.next;
	step->resume_begun = journal.begun;
	return true;
}

static int
check_history(struct run_state *s)
{
	bool applies = is_action(&s->steps[0], ACTION_APPLY);
	char digest[RECORD_DIGEST_HEX];
	size_t i;

	history_digest(s->survey.rows, s->survey.count, is_others_work, s->plan, digest);
	if (strcmp(digest, s->plan->plan.history_digest) != 0)
		return say_changed(s);
	for (i = 0; applies && i < s->survey.count; i++) {
		const struct history_row *row = &s->survey.rows[i];
		struct step *step;

		if (!history_row_unfinished(row))
			continue;
		step = step_named(s->steps, s->plan->step_count, row->migration);
		if (step == NULL || (!is_resumed(step, row) && !can_go_on(step, row)))
			return say_unfinished(row);
	}
	return 0;
}

static int
check_claims(struct run_state *s)
{
	int code = 0;
	size_t i, j;

	for (i = 0; code == 0 && i < s->plan->step_count; i++) {
		const struct step *step = &s->steps[i];
		const struct history_row *row = NULL;

		for (j = 0; step->row_id != NULL && j < s->survey.count && row == NULL; j++)
			if (strcmp(s->survey.rows[j].id, step->row_id) == 0)
				row = &s->survey.rows[j];
		if (row != NULL || step->begun_sql != NULL)
			code = claims_check(s->db, step, row);
	}
	return code;
}

static int
make_history(struct run_state *s)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	if (s->survey.database.has_history)
		return 0;
	bytes_str(&sql, "SET LOCAL synchronous_commit = off; "); /* the steps wait for the disk */
	history_create_sql(&sql, s->survey.database.schema, !s->survey.has_schema);
	outcome = db_tell(s->db, sql.data);
	bytes_free(&sql);
	return outcome == DB_OK ? 0 : db_say(s->db, outcome, "make the history table " HISTORY_TABLE);
}

/* --- the steps --- */

static bool
done_by_another(const struct run_state *s, const struct step *step)
{
	const struct history_row *row = history_find(&s->index, step->migration, NULL);

	return row != NULL && is_others_work(row, s->plan);
}

static const char *
keep(struct run_state *s, const char *text)
{
	if (text == NULL)
		return NULL;
	s->texts = xrealloc(s->texts, (s->text_count + 1) * sizeof *s->texts);
	return s->texts[s->text_count++] = xstrdup(text);
}

/* A result outlives the error that its texts come from. */
static void
keep_result(struct run_state *s, size_t at, const struct result *result)
{
	struct result *r = &s->results[at];

	*r = *result;
	r->sqlstate = keep(s, r->sqlstate);
	r->message = keep(s, r->message);
	r->detail = keep(s, r->detail);
	r->hint = keep(s, r->hint);
	r->waited_for = keep(s, r->waited_for);
	r->waited_session = keep(s, r->waited_session);
}

static struct report
report_of(const struct run_state *s)
{
	return (struct report){ .steps = s->steps,
		.results = s->results,
		.count = s->plan->step_count,
		.folder = s->plan->folder,
		.took_ms = clock_now_ms() - s->began_ms,
		.max_stall_ms = s->deploy->max_stall_ms };
}

/* For people: what a signal ended has not failed by itself. */
static const char *
shown_status(enum result_status status, enum send_outcome outcome)
{
	return outcome == SEND_STOPPED ? "stopped" : result_status_words[status];
}

/* One step; 0 when it is done, else the exit code, said. */
static int
run_step(struct run_state *s, size_t at)
{
	const struct step *step = &s->steps[at];
	struct sent sent;
	struct bytes note = { 0 };
	char span[CLOCK_SPAN];
	int code = 0;

	if (done_by_another(s, step)) {
		s->results[at].status = STATUS_SKIPPED;
		progress_end(&s->progress, step, result_status_words[STATUS_SKIPPED], 0, "another deployer applied it");
		return 0;
	}
	sent = is_action(step, ACTION_APPLY) ? send_step(&s->send, step) : send_mark(&s->send, step);
	keep_result(s, at, &sent.result);
	if (sent.outcome == SEND_APPLIED && sent.result.waited_ms > 0)
		bytes_format(&note, "after %s for %s", clock_span(sent.result.waited_ms, span),
		    sent.result.waited_for != NULL ? sent.result.waited_for : "a lock");
	progress_end(&s->progress, step, shown_status(sent.result.status, sent.outcome),
	    sent.result.took_ms - sent.result.waited_ms,
	    bytes_text(&note));
	if (sent.outcome != SEND_APPLIED) {
		struct report report = report_of(s);

		if (message_verbosity >= 0)
			message_line("%s", "");
		code = report_trouble(&report, at, &sent, &s->send);
	}
	if (sent.outcome == SEND_APPLIED)
		code = mend_session(s->db, s->survey.database.schema, &s->source.target, step);
	bytes_free(&note);
	sent_free(&sent);
	return code;
}

/* How many steps from `at` on can be sent ahead together; none behind one that was stopped there before. */
static size_t
ahead_from(const struct run_state *s, size_t at)
{
	size_t n = 0;

	if (at < s->alone_until)
		return 0;
	while (at + n < s->plan->step_count && is_action(&s->steps[at + n], ACTION_APPLY) &&
	    !done_by_another(s, &s->steps[at + n]) && ahead_fits(&s->steps[at + n]))
		n++;
	return n;
}

/* A step that was sent ahead, and whose end the connection or a signal prevented: nothing of it stays. */
static int
ended_ahead(struct run_state *s, size_t at, size_t behind, enum send_outcome outcome, char *lost, bool known)
{
	struct report report;
	struct sent sent = { .outcome = outcome, .lost = lost, .known = known };
	int code;

	sent.result = s->results[at];
	sent.result.status = STATUS_FAILED;
	sent.result.attempts = 1;
	sent.result.message = lost;
	if (outcome == SEND_LOST && !known) {
		sent.also_unknown = behind;
		for (; behind > 0; behind--) {
			s->results[at + behind].status = STATUS_FAILED;
			s->results[at + behind].message = "the connection was lost; whether it is committed is not known";
		}
	}
	progress_end(&s->progress, &s->steps[at], shown_status(STATUS_FAILED, outcome), 0, "");
	keep_result(s, at, &sent.result);
	report = report_of(s);
	code = report_trouble(&report, at, &sent, &s->send);
	sent_free(&sent);
	return code;
}

/* Sends `count` steps ahead; *at is then the first that is not done.  0, or the exit code, said. */
static int
run_ahead(struct run_state *s, size_t *at, size_t count)
{
	enum send_outcome outcome;
	char *lost = NULL;
	bool known = false;
	size_t done = ahead_send(&s->send, s->steps + *at, count, s->results + *at, &outcome, &lost, &known);
	size_t i;

	for (i = *at; i < *at + done; i++)
		progress_end(&s->progress, &s->steps[i], result_status_words[STATUS_APPLIED], s->results[i].took_ms, "");
	*at += done;
	if (done < count)
		s->alone_until = *at + 1; /* the one that was stopped runs on its own */
	if (outcome == SEND_APPLIED || outcome == SEND_FAILED)
		return 0;
	if (*at == s->plan->step_count) {
		if (lost != NULL)
			message_warning("the connection was lost, but only after the last commit: %s", lost);
		free(lost);
		return 0;
	}
	return ended_ahead(s, *at, done < count ? count - done - 1 : 0, outcome, lost, known);
}

static int
run_steps(struct run_state *s)
{
	struct report report;
	size_t i;

	s->send = (struct send){ .db = s->db,
		.source = &s->source,
		.schema = s->survey.database.schema,
		.role = s->survey.role,
		.traffic = { .db = s->db,
		    .pid = db_backend_pid(s->db),
		    .source = &s->source,
		    .max_stall_ms = s->deploy->max_stall_ms,
		    .deadline_ms = s->deadline_ms },
		.progress = &s->progress };
	s->send.traffic.liveness = (struct liveness){ .db = s->db,
		.pid_is_sure = true,
		.source = &s->source,
		.application = "mig-apply watch",
		.watch = &s->send.traffic.watch,
		.patience_ms = s->deploy->wait_ms };
	liveness_begin(&s->send.traffic.liveness);
	progress_begin(&s->progress, s->steps, s->plan->step_count);
	for (i = 0; i < s->plan->step_count;) {
		size_t ahead = ahead_from(s, i), j = i;
		long long worked = -clock_now_ms();
		int code = 0;

		if (signals_caught() != 0) {
			report = report_of(s);
			return report_stopped(&report, i);
		}
		if (ahead > 1)
			code = run_ahead(s, &i, ahead);
		else
			code = run_step(s, i++);
		if (code != 0)
			return code;
		/* --wait is for waiting: what the steps worked does not count */
		for (worked += clock_now_ms(); j < i; j++)
			worked -= s->results[j].waited_ms;
		s->send.traffic.deadline_ms += worked;
	}
	report = report_of(s);
	report_success(&report);
	return 0;
}

/* --- results --- */

static void
begin_results(struct run_state *s)
{
	size_t i;

	s->steps = xcalloc(s->plan->step_count, sizeof *s->steps);
	for (i = 0; i < s->plan->step_count; i++)
		s->steps[i] = s->plan->steps[i];
	s->results = xcalloc(s->plan->step_count, sizeof *s->results);
	for (i = 0; i < s->plan->step_count; i++)
		s->results[i] = (struct result){ .step = s->steps[i].step,
			.migration = s->steps[i].migration,
			.status = STATUS_NOT_STARTED,
			.statement_count = s->steps[i].statement_count,
			.worst_stall_ms = RECORD_NULL,
			.line = RECORD_NULL,
			.column = RECORD_NULL };
}

/* All at the end, when the lock is given back: a reader that is slow must not hold the deploy up. */
static void
write_results(const struct run_state *s, struct output *out)
{
	const struct plan *plan = &s->plan->plan;
	const struct database *d = &s->survey.database;
	struct run run = { .plan_digest = s->plan->digest,
		.system_identifier = d->system_identifier != NULL ? d->system_identifier : plan->system_identifier,
		.database = plan->database,
		.schema = plan->schema,
		.host = s->db != NULL ? d->host : plan->host,
		.port = s->db != NULL ? d->port : plan->port,
		.user = d->user,
		.dry_run = s->deploy->dry_run,
		.started_at = s->started_at };
	size_t i;

	out->complete = true;
	if (out->writer == NULL)
		return;
	writer_put(out->writer, &run_form, &run);
	for (i = 0; i < s->plan->step_count; i++)
		writer_put(out->writer, &result_form, &s->results[i]);
}

/* --- a dry run --- */

static int
say_rights(struct run_state *s)
{
	struct answer *a;
	enum db_outcome outcome = rights_of_history(s->db, s->survey.database.schema, true, &a);
	size_t i;
	int code = 0;

	if (outcome != DB_OK)
		return db_say(s->db, outcome, "ask for our rights");
	for (i = 0; i < answer_rows(a); i++) {
		struct bytes grant = { 0 };

		right_grant(&grant, a, i);
		code = message_error(MIG_DENIED, "the role %s lacks a right: %s", s->survey.database.user,
		    right_of_history(a, i));
		message_line("  %s    (nothing was touched)", grant.data);
		bytes_free(&grant);
	}
	answer_free(a);
	return code;
}

static int
dry_run(struct run_state *s)
{
	const struct database *d = &s->survey.database;
	struct bytes holder = { 0 };
	int code = check_history(s);

	if (code == 0)
		code = check_claims(s);
	if (code == 0)
		code = say_rights(s);
	if (code == 0)
		code = foresee_rights(s->db, s->plan->folder, s->steps, s->plan->step_count);
	if (code != 0)
		return code;
	if (d->deployer_pid != RECORD_NULL) {
		name_holder(s, &holder);
		message_info("the deploy lock is held now: %s", holder.data);
	} else {
		message_info("nobody holds the deploy lock");
	}
	message_info("dry run passed: right database, same history, the role may write the history; no SQL of the plan was sent");
	bytes_free(&holder);
	return 0;
}

/* --- the whole --- */

static int
under_lock(struct run_state *s)
{
	int code = take_lock(s);

	if (code == 0)
		code = check_history(s);
	if (code == 0)
		code = check_claims(s);
	if (code == 0 && !s->survey.may_write)
		code = say_rights(s);
	if (code == 0)
		code = make_history(s);
	s->index = history_index(s->survey.rows, s->survey.count);
	return code;
}

static void
free_run(struct run_state *s)
{
	size_t i;

	traffic_end(&s->send.traffic);
	history_index_free(&s->index);
	survey_free(&s->survey);
	db_close(s->db);    /* also gives the deploy lock back */
	source_free(&s->source);
	for (i = 0; i < s->text_count; i++)
		free(s->texts[i]);
	free(s->texts);
	free(s->results);
	free(s->steps);
}

int
deploy_run(const struct deploy *deploy, const struct plan_stream *plan, struct output *out)
{
	struct run_state s = { .deploy = deploy, .plan = plan, .began_ms = clock_now_ms() };
	int code = 0;

	s.deadline_ms = s.began_ms + deploy->wait_ms;
	clock_now_utc(s.started_at);
	begin_results(&s);
	if (plan->step_count == 0) {
		message_info("nothing to do");
	} else {
		code = connect_to_target(&s);
		if (code == 0)
			code = deploy->dry_run ? dry_run(&s) : under_lock(&s);
		if (code != 0) {
			free_run(&s);
			return code;
		}
	}
	if (plan->step_count > 0 && !deploy->dry_run)
		code = run_steps(&s);
	if (out->writer != NULL || out->page)
		write_results(&s, out);
	free_run(&s);
	return code;
}
