#include "deploy/step.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/null.h"
#include "base/signals.h"
#include "database/locks.h"
#include "deploy/nontransactional.h"
#include "deploy/step_exec.h"
#include "migrations/history.h"
#include "postgres/sqlstate.h"
#include "records/words.h"
#include "sql/segments.h"
#include "sql/session_effects.h"

/* --- transactions --- */

static enum db_outcome
begin(struct step_exec *g)
{
	struct bytes sql = { 0 }, name = { 0 };

	g->end.result.attempts++;
	stall_attempt(&g->shared->stall, true);
	bytes_str(&sql, "BEGIN; ");
	stall_displace(&g->shared->stall, &sql);
	bytes_format(&sql, "SET LOCAL lock_timeout = %lld; SET LOCAL application_name = ", g->lock_timeout_ms);
	bytes_format(&name, "mig-apply %s", g->step->migration);
	bytes_sql_text(&sql, name.data);
	bytes_free(&name);
	if (g->locals.len > 0) {
		bytes_str(&sql, ";\n");
		bytes_add(&sql, g->locals.data, g->locals.len);
	}
	return step_exec_begin_text(g, &sql);
}

/*
 * A transaction of ours, or one that ends by the script's own COMMIT: the row's text goes in front of it.
 * `last`: the row is finished with it.
 */
static enum db_outcome
commit_segment(struct step_exec *g, const struct segment *s, bool last)
{
	size_t behind = s->first + s->count, start, end, row;
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	row = step_exec_row_text(g, &sql, last ? HISTORY_FINISHED : HISTORY_GOES_ON, behind, NULL, false);
	if (g->shared->deferrable != NULL) { /* its errors are then told from those that the script has left for COMMIT */
		bytes_format(&sql, ";\nSET CONSTRAINTS %s IMMEDIATE", g->shared->deferrable);
		row++;
	}
	if (g->shared->own_role && g->shared->as_role != NULL) { /* triggers that are deferred run at COMMIT */
		bytes_str(&sql, ";\nSET LOCAL ROLE ");
		bytes_sql_name(&sql, g->shared->as_role);
		row++;
	}
	if (s->kind == SEGMENT_TOGETHER) {
		bytes_str(&sql, "; COMMIT");
	} else {
		(void)step_exec_statements(g);
		segment_bytes(&g->script, behind - 1, 1, &start, &end);
		bytes_str(&sql, "; ");
		bytes_add(&sql, g->step->sql + start, end - start);
	}
	outcome = step_exec_run_text(g, &sql, (int)row);
	if (outcome == DB_OK) {
		g->rowed = true;
		g->finished = last;
	}
	return outcome;
}

/* Of a step that takes back, before the first statement of its script. */
static enum db_outcome
look_for_losses(struct step_exec *g, const struct segment *s)
{
	struct bytes sql = { 0 };

	if (g->step->guard_sql == NULL || s->first > 0)
		return DB_OK;
	bytes_str(&sql, g->step->guard_sql);
	return step_exec_run_text(g, &sql, 0);
}

static enum db_outcome
try_transaction(struct step_exec *g, const struct segment *s, bool last)
{
	bool ours = s->kind == SEGMENT_TOGETHER, carries = ours || s->kind == SEGMENT_COMMIT;
	enum db_outcome outcome = begin(g);

	if (outcome == DB_ERROR) /* only an autovacuum that should give way can block this */
		stall_autovacuum_stays(&g->shared->stall);
	if (outcome == DB_OK)
		outcome = look_for_losses(g, s);
	if (outcome == DB_OK)
		outcome = step_exec_run(g, s->first, s->count - (s->kind == SEGMENT_COMMIT));
	if (outcome == DB_OK && carries)
		outcome = commit_segment(g, s, last);
	/* a script's own ROLLBACK leaves nothing to record; PREPARE TRANSACTION would hide the row */
	if (outcome == DB_OK && s->kind == SEGMENT_PREPARE)
		outcome = step_exec_write_row(g, NULL, last ? HISTORY_FINISHED : HISTORY_GOES_ON, s->first + s->count);
	return outcome;
}

/* --- segments --- */

static bool run_one_by_one(struct step_exec *g, const struct segment *s, bool last);

/* Errors of statements that could not be together, or not inside a transaction. */
static bool
wants_to_be_alone(const struct step_exec *g)
{
	return step_exec_error_is(g, SQLSTATE_ACTIVE_SQL_TRANSACTION) ||
	    step_exec_error_is(g, SQLSTATE_INVALID_TRANSACTION_TERMINATION) ||
	    step_exec_error_is(g, SQLSTATE_UNSAFE_NEW_ENUM_VALUE_USAGE);
}

/* The text in front of ours failed: there is an autovacuum that we may not displace, so it is waited for. */
static bool
must_not_displace(const struct step_exec *g)
{
	return stall_displaces_in_vain(&g->shared->stall) && !step_exec_is_busy(g);
}

/* COMMIT failed: where the history has something that is deferred until then, it is run once more, so that it is seen whose
 * error that was.  The error stays where there is none. */
static bool
may_be_deferred_row(struct step_exec *g)
{
	struct step_context *s = g->shared;
	const char *const parameters[] = { s->schema };
	struct answer *answer;

	if (s->deferrable_known || g->end.own_row || step_exec_is_busy(g))
		return false;
	s->deferrable_known = true;
	db_rollback(s->db);
	if (db_query_ours(s->db, &answer, history_deferrable_sql, 1, parameters) != DB_OK)
		return false;
	if (answer_text(answer, 0, 0) != NULL)
		s->deferrable = xstrdup(answer_text(answer, 0, 0));
	answer_free(answer);
	return s->deferrable != NULL;
}

static bool
run_transaction(struct step_exec *g, const struct segment *s, bool last)
{
	for (;;) {
		long long began = clock_now_ms();
		enum db_outcome outcome = try_transaction(g, s, last);
		bool in_script = g->in_script;

		g->verdict = stall_ended(&g->shared->stall);
		if (outcome == DB_OK)
			return true;
		if (outcome == DB_ERROR && must_not_displace(g)) {
			db_rollback(g->shared->db);
			g->shared->stall.yields[0] = '\0';
			continue;
		}
		if (outcome == DB_ERROR && !in_script && step_exec_error_is(g, SQLSTATE_INSUFFICIENT_PRIVILEGE) && !g->shared->own_role) {
			db_rollback(g->shared->db);
			g->shared->own_role = true; /* the script changed the role; the row is written as ourselves */
			continue;
		}
		if (outcome == DB_ERROR && !in_script && may_be_deferred_row(g))
			continue;
		if (outcome == DB_ERROR && in_script && !s->block && s->kind == SEGMENT_TOGETHER && wants_to_be_alone(g)) {
			db_rollback(g->shared->db);
			return run_one_by_one(g, s, last);
		}
		if (step_exec_give_up(g, outcome) && (outcome != DB_ERROR || !step_exec_is_busy(g)))
			return false;
		if (!step_exec_pause(g)) {
			g->end.outcome = signals_caught() != 0 ? STEP_STOPPED : STEP_BUSY;
			return false;
		}
		g->end.result.waited_ms += clock_now_ms() - began;
	}
}

/* A SET LOCAL was for one transaction with those behind it, and each of them has one of its own now. */
static void
keep_local(struct step_exec *g, size_t at)
{
	const struct sql_statement *s = &step_exec_statements(g)[at];
	struct session_change change = session_change_of(g->step->sql, s);

	if (change.effect != SESSION_LOCAL || change.name.kind == SQL_END)
		return;
	bytes_add(&g->locals, g->step->sql + s->start, s->end - s->start);
	bytes_str(&g->locals, ";\n");
	/* outside a transaction nothing is local; but time-outs are off there anyway */
	g->bound_by_locals |= !session_sets(g->step->sql, s, "lock_timeout") &&
	    !session_sets(g->step->sql, s, "statement_timeout");
}

/*
 * A segment that cannot be one transaction after all: each statement in one of its own, with the journal; outside of
 * any where that is what it wants.
 */
static bool
run_one_by_one(struct step_exec *g, const struct segment *s, bool last)
{
	size_t i;

	for (i = s->first; i < s->first + s->count; i++) {
		struct segment one = { .kind = SEGMENT_TOGETHER, .first = i, .count = 1, .block = true };
		bool end = last && i + 1 == s->first + s->count;

		if (!run_transaction(g, &one, end)) {
			if (g->end.outcome != STEP_FAILED || (!step_exec_error_is(g, SQLSTATE_ACTIVE_SQL_TRANSACTION) &&
			                                             !step_exec_error_is(g, SQLSTATE_INVALID_TRANSACTION_TERMINATION)))
				return false;
			if (g->bound_by_locals) {
				g->end.advice = "SET LOCAL before it cannot hold for a statement that runs outside a "
				                         "transaction: write SET";
				g->end.result.hint = g->end.advice;
				return false;
			}
			if (!nontransactional_run(g, i, end, false))
				return false;
		}
		g->done = i + 1;
		keep_local(g, i);
	}
	return true;
}

static bool
run_segment(struct step_exec *g, const struct segment *s, bool last)
{
	bool begun = g->step->resume_begun && (long long)s->first + 1 == g->step->resume_at;

	return s->kind == SEGMENT_ALONE ? nontransactional_run(g, s->first, last, begun) : run_transaction(g, s, last);
}

static void
run_segments(struct step_exec *g)
{
	size_t i;

	for (i = 0; i < g->segments.count; i++) {
		struct segment s = g->segments.list[i];
		size_t behind = s.first + s.count;

		if (behind <= g->done)
			continue;
		g->locals.len = 0;
		g->bound_by_locals = false;
		if (s.first < g->done) { /* an earlier run went through it statement by statement */
			for (; s.first < g->done; s.first++)
				keep_local(g, s.first);
			s.count = behind - g->done;
		}
		if (signals_caught() != 0 && g->rowed) {
			(void)step_exec_give_up(g, DB_STOPPED);
			return;
		}
		if (!run_segment(g, &s, i + 1 == g->segments.count))
			return;
		g->done = behind;
	}
	if (db_transaction(g->shared->db) != DB_IDLE) {
		g->end.extra = "the script leaves its last transaction open; the work of that transaction was rolled back";
		g->end.outcome = STEP_FAILED;
		g->end.result.message = g->end.extra;
		g->end.kept = g->rowed;
		db_rollback(g->shared->db);
		return;
	}
	if (!g->finished && step_exec_give_up(g, step_exec_write_row(g, NULL, HISTORY_FINISHED, g->script.count)))
		return;
	g->end.outcome = STEP_APPLIED;
}

/* --- a step --- */

static struct result
first_result(const struct step *step)
{
	return (struct result){ .step = step->step,
		.migration = step->migration,
		.status = STATUS_NOT_STARTED,
		.statement_count = step->statement_count,
		.worst_stall_ms = NUMBER_UNKNOWN,
		.line = NUMBER_UNKNOWN,
		.column = NUMBER_UNKNOWN };
}

/* Who was waited for. */
static void
note_waits(struct step_exec *g)
{
	const struct waits *waits = &g->shared->stall.waits;
	struct bytes session = { 0 };

	if (waits->count == 0)
		return;
	stall_name_holder(waits, &session);
	g->end.result.waited_session = arena_copy(g->shared->texts, session.data);
	g->end.result.waited_for = arena_copy(g->shared->texts, waits->relation);
	bytes_free(&session);
}

static void
close_result(struct step_exec *g)
{
	struct result *r = &g->end.result;

	r->took_ms = clock_now_ms() - g->began_ms;
	r->status = g->end.outcome == STEP_BUSY ? STATUS_DEFERRED : STATUS_FAILED;
	r->statements_done = (long long)(g->end.kept ? g->done : 0);
	g->end.done = g->end.kept ? g->done : 0;
	if (g->end.outcome == STEP_APPLIED || g->end.finished) {
		r->status = g->step->action == ACTION_REVERT ? STATUS_REVERTED : g->step->sql != NULL ? STATUS_APPLIED : STATUS_MARKED;
		r->statements_done = (long long)g->script.count;
		r->sqlstate = r->message = r->detail = r->hint = NULL;
		r->line = r->column = NUMBER_UNKNOWN;
	}
}

/* What the done part of the script set in its session is set in this one before the rest runs. */
static bool
make_session(struct step_exec *g)
{
	struct session_behind behind = session_behind(g->step->sql, &g->script, g->done);
	enum db_outcome outcome = behind.settings.len > 0 ? step_exec_run_text(g, &behind.settings, 0) : DB_OK;
	bool made = !step_exec_give_up(g, outcome);

	if (!made && outcome == DB_ERROR) {
		g->end.extra = arena_format(g->shared->texts, "could not restore the settings of the completed statements: %s",
		    g->end.result.message);
		g->end.result.message = g->end.extra;
	}
	session_behind_free(&behind);
	return made;
}

/* It was cancelled for good when it was sent ahead; the error is still that one. */
static void
fail_overdue(struct step_exec *g)
{
	g->in_script = true;
	g->first = g->shared->batch.overdue - 1;
	g->verdict = STALL_HELD;
	step_exec_note_error(g);
	g->end.outcome = STEP_FAILED;
}

struct step_end
step_run(struct step_context *shared, const struct step *step)
{
	struct step_exec g = { .shared = shared, .step = step, .began_ms = clock_now_ms() };
	struct db_hooks hooks = { step_exec_tick, step_exec_notice, &g };

	g.end.result = first_result(step);
	g.script = sql_split(step->sql, strlen(step->sql));
	g.end.keeps_session = session_note(step->sql, &g.script);
	g.segments = segments_of(step->sql, &g.script);
	g.sets_row_security = session_may_set(step->sql, &g.script, "row_security");
	history_new_id(g.id);
	progress_step(shared->progress);
	stall_step(&shared->stall, step->migration);
	g.end.result.attempts = (long long)shared->batch.attempts;
	g.tries = (unsigned)shared->batch.attempts;
	if (g.tries > 0) {
		g.began_ms -= shared->batch.took_ms;
		g.end.result.waited_ms = shared->batch.overdue > 0 ? 0 : shared->batch.took_ms;
		stall_resume(&shared->stall, shared->batch.worst_ms);
	}
	g.lock_timeout_ms = backoff_lock_timeout(g.tries + 1, shared->stall.max_stall_ms);
	if (step->row_id != NULL)
		bytes_copy(g.id, sizeof g.id, step->row_id);
	if (step_resumes(step)) {
		g.rowed = true;
		g.done = (size_t)step->resume_at - 1;
	}
	db_hooks(shared->db, &hooks);
	if (shared->batch.overdue > 0)
		fail_overdue(&g);
	else if (!step_resumes(step) || make_session(&g))
		run_segments(&g);
	db_hooks(shared->db, NULL);
	shared->batch = (struct batch_attempt){ 0 };
	if (g.end.outcome != STEP_APPLIED && g.end.outcome != STEP_LOST)
		step_exec_note_unfinished(&g);
	if (g.end.kept && (g.end.outcome == STEP_FAILED || g.end.outcome == STEP_BUSY))
		step_exec_note_moved(&g);
	g.end.result.worst_stall_ms = shared->stall.worst_ms;
	if (g.end.result.waited_ms > 0 || g.end.outcome == STEP_BUSY)
		note_waits(&g);
	close_result(&g);
	bytes_free(&g.locals);
	bytes_free(&g.names);
	bytes_free(&g.role);
	segments_free(&g.segments);
	sql_script_free(&g.script);
	return g.end;
}

struct step_end
step_mark(struct step_context *shared, const struct step *step)
{
	struct step_exec g = { .shared = shared, .step = step, .began_ms = clock_now_ms() };
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	g.end.result = first_result(step);
	g.end.result.attempts = 1;
	history_new_id(g.id);
	bytes_str(&sql, "BEGIN; ");
	bytes_str(&sql, shared->own_role ? HISTORY_AS_LOGIN : "");
	if (step->action == ACTION_MARK_APPLIED)
		history_mark_applied_sql(&sql, shared->schema, g.id, step->migration, step->checksum);
	else
		history_mark_rolled_back_sql(&sql, shared->schema, step->migration);
	bytes_str(&sql, "; COMMIT");
	outcome = step_exec_run_text(&g, &sql, STEP_EXEC_ALL);
	if (outcome == DB_ERROR) {
		(void)step_exec_give_up(&g, outcome);
	} else if (outcome != DB_OK) {
		g.end.outcome = outcome == DB_STOPPED ? STEP_STOPPED : STEP_LOST;
		db_rollback(shared->db);
	}
	close_result(&g);
	return g.end;
}
