#include "deploy/deploy.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/page.h"
#include "base/signals.h"
#include "database/inspect.h"
#include "database/liveness.h"
#include "database/role.h"
#include "database/session_restore.h"
#include "deploy/next_command.h"
#include "deploy/batch.h"
#include "deploy/deploy_internal.h"
#include "deploy/in_the_way.h"
#include "deploy/kept_session.h"
#include "deploy/preflight.h"
#include "deploy/published.h"
#include "deploy/stall.h"
#include "deploy/together.h"
#include "migrations/progress.h"
#include "deploy/report.h"
#include "deploy/step.h"
#include "migrations/history.h"
#include "postgres/connection.h"
#include "records/words.h"

/* --- the deploy lock --- */

/* The holder of the lock according to the last inspection; if that saw none, the one known before. */
static void
name_holder(const struct run_state *s, struct bytes *out)
{
	const struct database *d = &s->inspection.database;
	struct page_session holder;

	if (d->deployer_pid == NUMBER_UNKNOWN)
		return;
	holder = database_deployer(d);
	out->len = 0;
	page_session(out, &holder);
}

static int
say_locked_out(const struct run_state *s, const struct bytes *holder)
{
	char span[CLOCK_SPAN];

	(void)message_error(MIG_BUSY, "another deployer holds the lock; gave up after %s (--wait)",
	    clock_span(clock_now_ms() - s->began_ms, span));
	if (clock_now_ms() < s->deadline_ms)
		message_line("  --wait        the next attempt would start after its end");
	if (holder->len > 0)
		message_line("  held by       %s", holder->data);
	message_line("  nothing was touched");
	next_command_retry("next: run the same command again later");
	return MIG_BUSY;
}

/* Reports whom we wait for: on a terminal at once, in a log after 10 s and then every 30 s. */
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

	while (code == 0 && !s->inspection.locked) {
		name_holder(s, &holder);
		pause = backoff_poll(++look, randombytes_random());
		if (signals_caught() != 0)
			code = 128 + signals_caught();
		else if (clock_now_ms() + pause > s->deadline_ms)
			code = s->deploy->kept->failed = say_locked_out(s, &holder);
		if (code != 0)
			break;
		clock_sleep_ms(pause);
		say_waiting(&holder, clock_now_ms() - began, s->deadline_ms - began, &next);
		code = deploy_inspect(s, true);
	}
	if (code == 0 && holder.len > 0 && message_verbosity >= 0)
		message_line("      waited %s for another deployer: %s", clock_span(clock_now_ms() - began, span),
		    holder.data);
	bytes_free(&holder);
	return code;
}

/* The first change. */
static int
make_history(struct run_state *s)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	int code;

	if (s->inspection.database.has_history)
		return 0;
	deploy_announce_begin(s);
	bytes_format(&sql, "BEGIN; %s", s->login_writes ? HISTORY_AS_LOGIN : "");
	bytes_str(&sql, "SET LOCAL synchronous_commit = off; "); /* the steps wait for the disk */
	history_create_sql(&sql, s->inspection.database.schema, !s->inspection.has_schema);
	bytes_str(&sql, "; COMMIT");
	outcome = together_tell(s->db, sql.data);
	bytes_free(&sql);
	if (outcome == DB_OK)
		return 0;
	code = db_say(s->db, outcome, "create the history table " HISTORY_TABLE);
	(void)db_rollback(s->db);
	return code;
}

/* --- the steps --- */

static bool
done_by_another(const struct run_state *s, const struct step *step)
{
	const struct history_row *row;
	size_t i;

	for (i = 0; step->action == ACTION_REVERT && i < s->inspection.count; i++)
		if (strcmp(s->inspection.rows[i].id, step->row_id) == 0)
			return s->inspection.rows[i].rolled_back_at != NULL;
	row = history_find(&s->index, step->migration, NULL);
	return row != NULL && deploy_is_others_work(row, s->plan);
}

static struct report
report_of(const struct run_state *s)
{
	return (struct report){ .steps = s->steps,
		.results = s->results,
		.count = s->plan->step_count,
		.folder = s->plan->folder,
		.took_ms = clock_now_ms() - s->began_ms,
		.max_stall_ms = s->deploy->max_stall_ms,
		.server_time = s->run.server_time,
		.lsn = s->run.lsn,
		.restore_point = notify_has_restore_point(&s->notify) ? s->restore_name : NULL };
}

/* For people: what a signal ended has not failed by itself. */
static const char *
shown_status(enum result_status status, enum step_outcome outcome)
{
	return outcome == STEP_STOPPED ? "stopped" : result_status_words[status];
}

/* Runs one step; returns 0 if it was applied, else the exit code with the error reported. */
static int
run_step(struct run_state *s, size_t at)
{
	const struct step *step = &s->steps[at];
	struct step_end end;
	struct bytes note = { 0 };
	char span[CLOCK_SPAN];
	int code = 0;

	if (done_by_another(s, step)) {
		s->results[at].status = STATUS_SKIPPED;
		progress_end(&s->progress, step, result_status_words[STATUS_SKIPPED], 0,
		    step->action == ACTION_REVERT ? "another deployer took it back" : "another deployer applied it");
		return 0;
	}
	deploy_announce_begin(s);
	end = step->sql != NULL ? step_run(&s->shared, step) : step_mark(&s->shared, step);
	s->results[at] = end.result;
	if (end.outcome == STEP_APPLIED && end.result.waited_ms > 0)
		bytes_format(&note, "after %s for %s", clock_span(end.result.waited_ms, span),
		    end.result.waited_for != NULL ? end.result.waited_for : "a lock");
	progress_end(&s->progress, step, shown_status(end.result.status, end.outcome),
	    end.result.took_ms - end.result.waited_ms,
	    bytes_text(&note));
	if (end.outcome != STEP_APPLIED) {
		struct report report = report_of(s);

		if (message_verbosity >= 0)
			message_line("%s", "");
		code = report_trouble(&report, at, &end, &s->shared);
	}
	if (end.outcome == STEP_APPLIED)
		code = restore_session(s->db,
		    &(struct session_wanted){ s->inspection.database.schema, &s->source.target, s->deploy->role }, step,
		    end.keeps_session);
	bytes_free(&note);
	return code;
}

/* How many steps from `at` on can be sent ahead together; none behind one that was stopped there before. */
static size_t
ahead_from(const struct run_state *s, size_t at)
{
	size_t n = 0;

	if (at < s->alone_until || s->login_writes) /* the rows of a batch are written in the role of its scripts */
		return 0;
	while (at + n < s->plan->step_count && s->steps[at + n].sql != NULL &&
	    !done_by_another(s, &s->steps[at + n]) && batch_fits(&s->steps[at + n]))
		n++;
	return n;
}

/* A step that was sent ahead, and whose end the connection or a signal prevented: nothing of it stays. */
static int
ended_ahead(struct run_state *s, size_t at, size_t behind, enum step_outcome outcome, const char *lost, bool known)
{
	struct report report;
	struct step_end end = { .outcome = outcome, .lost = lost, .known = known };
	int code;

	end.result = s->results[at];
	end.result.status = STATUS_FAILED;
	end.result.attempts = 1;
	end.result.message = lost;
	if (outcome == STEP_LOST && !known) {
		end.also_unknown = behind;
		for (; behind > 0; behind--) {
			s->results[at + behind].status = STATUS_FAILED;
			s->results[at + behind].message = "the connection was lost; it is not known whether it is committed";
		}
	}
	progress_end(&s->progress, &s->steps[at], shown_status(STATUS_FAILED, outcome), 0, "");
	s->results[at] = end.result;
	report = report_of(s);
	code = report_trouble(&report, at, &end, &s->shared);
	return code;
}

/*
 * Sends `count` steps in a batch; *at is then the first that is not applied.  Returns 0, or the exit code with the
 * error reported.
 */
static int
run_ahead(struct run_state *s, size_t *at, size_t count)
{
	enum step_outcome outcome;
	const char *lost = NULL;
	bool known = false;
	size_t done, i;

	deploy_announce_begin(s);
	done = batch_send(&s->shared, s->steps + *at, count, s->results + *at, &outcome, &lost, &known);
	for (i = *at; i < *at + done; i++)
		progress_end(&s->progress, &s->steps[i], result_status_words[s->results[i].status], s->results[i].took_ms, "");
	*at += done;
	if (done < count)
		s->alone_until = *at + 1; /* the one that was stopped runs on its own */
	if (outcome == STEP_APPLIED || outcome == STEP_FAILED)
		return 0;
	if (*at == s->plan->step_count) {
		if (lost != NULL)
			message_warning("the connection was lost, but only after the last commit: %s", lost);
		return 0;
	}
	return ended_ahead(s, *at, done < count ? count - done - 1 : 0, outcome, lost, known);
}

static int
run_steps(struct run_state *s)
{
	struct report report;
	size_t i;

	s->shared = (struct step_context){ .db = s->db,
		.source = &s->source,
		.schema = s->inspection.database.schema,
		.role = s->deploy->role != NULL ? s->deploy->role : s->inspection.role,
		.as_role = s->deploy->role,
		.own_role = s->login_writes,
		.stall = { .db = s->db,
		    .pid = db_backend_pid(s->db),
		    .source = &s->source,
		    .max_stall_ms = s->deploy->max_stall_ms,
		    .deadline_ms = s->deadline_ms },
		.progress = &s->progress,
		.texts = &s->texts };
	s->shared.stall.liveness = (struct liveness){ .db = s->db,
		.pid_is_sure = true,
		.source = &s->source,
		.application = "mig-apply watch",
		.watch = &s->shared.stall.watch,
		.patience_ms = s->deploy->wait_ms };
	liveness_begin(&s->shared.stall.liveness);
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
		stall_extend_deadline(&s->shared.stall, worked);
	}
	report = report_of(s);
	report_success(&report);
	return 0;
}

/* --- a dry run --- */

static int
dry_run(struct run_state *s)
{
	const struct preflight asked = { .folder = s->plan->folder };
	const struct database *d = &s->inspection.database;
	struct bytes holder = { 0 };
	int code = deploy_check_history(s);

	if (code == 0)
		code = deploy_check_claims(s);
	if (code == 0)
		code = s->deploy->role != NULL ? deploy_become_role(s) : deploy_say_rights(s);
	if (code == 0 && s->deploy->role == NULL)
		code = preflight_rights(s->db, &asked, s->steps, s->plan->step_count);
	if (code == 0 && s->deploy->role != NULL) /* who is in the way, pg_monitor sees */
		code = role_leave(s->db);
	if (code != 0)
		return code;
	if (d->deployer_pid != NUMBER_UNKNOWN) {
		name_holder(s, &holder);
		message_info("the deploy lock is held: %s", holder.data);
	} else {
		message_info("nobody holds the deploy lock");
	}
	in_the_way_say(s->db, s->plan, s->deploy->wait_ms);
	published_say(s->db, s->plan, !d->has_history);
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
		code = deploy_check_history(s);
	if (code == 0)
		code = deploy_check_claims(s);
	if (code == 0 && s->deploy->role != NULL)
		code = deploy_become_role(s);
	else if (code == 0 && !s->inspection.may_write)
		code = deploy_say_rights(s);
	if (code == 0)
		deploy_take_restore_point(s);
	if (code == 0)
		code = make_history(s);
	s->index = history_index(s->inspection.rows, s->inspection.count);
	return code;
}

static void
free_run(struct run_state *s)
{
	stall_end(&s->shared.stall);
	free(s->shared.deferrable);
	restore_point_free(&s->restore);
	history_index_free(&s->index);
	inspect_free(&s->inspection);
	kept_session_give(s->deploy->kept, &s->source, s->db); /* closed, it gives the deploy lock back */
	notify_free(&s->notify);
	arena_free(&s->texts);
	free(s->results);
	free(s->steps);
}

int
deploy_run(const struct deploy *deploy, const struct plan_stream *plan, struct output *out)
{
	struct run_state s = { .deploy = deploy, .plan = plan, .out = out, .began_ms = clock_now_ms() };
	int code = 0;

	s.deadline_ms = s.began_ms + deploy->wait_ms;
	clock_now_utc(s.started_at);
	deploy_begin_results(&s);
	if (plan->step_count == 0) {
		message_info("nothing to do");
	} else {
		code = deploy_connect_to_target(&s);
		if (code == 0)
			code = deploy->dry_run ? dry_run(&s) : under_lock(&s);
		if (code != 0) {
			free_run(&s);
			return code;
		}
	}
	if (plan->step_count > 0 && !deploy->dry_run)
		code = run_steps(&s);
	deploy_announce_end(&s, code);
	if (out->writer != NULL || out->page)
		deploy_write_results(&s);
	free_run(&s);
	return code;
}
