/* Finds out what became of a step that did not end well, and whether it may be tried again. */
#include "deploy/step_exec_internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/signals.h"
#include "database/deploy_lock.h"
#include "database/liveness.h"
#include "database/setting_origin.h"
#include "deploy/cause.h"
#include "deploy/stall.h"
#include "migrations/history.h"
#include "migrations/journal.h"
#include "migrations/progress.h"
#include "postgres/sqlstate.h"
#include "records/model.h"
#include "records/words.h"
#include "sql/session_effects.h"

/* --- what became of it --- */

enum { SETTLE_MS = 10000, AGAIN_MS = 250, LEFT_BEHIND_MS = 2000 };

/* One attempt: connects if there is no connection, and requests the lock. */
static bool
lock_again(struct step_context *s, struct db **db)
{
	bool locked;

	if (*db == NULL && (*db = db_try_open(s->source, "mig-apply", 0, NULL)) != NULL)
		db_release_on_death(*db);
	if (*db == NULL)
		return false;
	if (deploy_lock_try(*db, &locked) != DB_OK) {
		db_close(*db);
		*db = NULL;
	}
	return locked;
}

bool
step_look_again(struct step_context *s, const char *migration, bool (*look)(struct db *db, void *context), void *context)
{
	long long now = clock_now_ms(), until = now + SETTLE_MS;
	long long check_ms = now + LEFT_BEHIND_MS;
	struct db *db = NULL;
	char span[CLOCK_SPAN];
	bool seen = false;

	if (s->stall.deadline_ms > until)
		until = s->stall.deadline_ms;
	db_hang_up(s->db, "the connection was lost"); /* where it is open still, the server keeps its locks */
	message_info("the connection is lost; finding out the outcome of %s, for at most %s", migration,
	    clock_span(until - now, span));
	while (!seen && clock_now_ms() < until && signals_caught() == 0) {
		if (lock_again(s, &db)) {
			seen = look(db, context);
			db_close(db);
			db = NULL;
		} else if (db != NULL && clock_now_ms() >= check_ms) {
			liveness_end_left_behind(&s->stall.liveness);
			check_ms = clock_now_ms() + LEFT_BEHIND_MS;
		}
		if (!seen)
			clock_sleep_ms(AGAIN_MS);
	}
	db_close(db);
	return seen;
}

/* DB_OK: it was asked, with or without success. */
static enum db_outcome
ask_as_login(struct db *db, const char *sql, const char *id, struct answer **answer)
{
	struct db_ask asks[] = { { .sql = "BEGIN READ ONLY", .kind = DB_ASK_BEGINS },
		{ .sql = "SET LOCAL ROLE NONE" },
		{ .sql = sql, .parameter = &id, .ends_unit = true },
		{ .sql = "END", .kind = DB_ASK_ENDS } };
	enum { ROW = 2, COUNT = 4 };
	enum db_outcome outcome = db_query_batch(db, asks, COUNT);
	size_t i;

	if (outcome == DB_OK)
		outcome = asks[ROW].outcome;
	*answer = asks[ROW].answer;
	asks[ROW].answer = NULL;
	for (i = 0; i < COUNT; i++)
		answer_free(asks[i].answer);
	return outcome;
}

bool
step_ask_row(struct db *db, const char *schema, const char *id, bool as_login, struct answer **answer)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	*answer = NULL;
	history_row_state_sql(&sql, schema);
	outcome = as_login ? ask_as_login(db, sql.data, id, answer) : db_query(db, answer, sql.data, 1, &id);
	bytes_free(&sql);
	return outcome == DB_OK || strcmp(db_error(db)->sqlstate, SQLSTATE_UNDEFINED_TABLE) == 0;
}

/* The row decides what became of the step. */
static bool
look_at_row(struct db *db, void *context)
{
	struct step_exec *g = context;
	struct answer *answer;
	struct journal journal;
	bool seen = step_ask_row(db, g->shared->schema, g->id, false, &answer);

	if (seen) {
		bool there = answer_rows(answer) > 0, reverts = g->step->action == ACTION_REVERT;

		g->end.finished = there && answer_flag(answer, 0, reverts ? HISTORY_STATE_ROLLED_BACK : HISTORY_STATE_FINISHED);
		g->end.kept = there && (!reverts || g->end.finished || !answer_flag(answer, 0, HISTORY_STATE_FINISHED));
		if (g->end.kept && journal_read(answer_text(answer, 0, HISTORY_STATE_LOGS), &journal)) {
			g->done = journal.next - 1;
			g->end.unsure = journal.begun;
			g->end.moved = journal.moved;
			g->end.statement = journal.next;
		}
	}
	answer_free(answer);
	return seen;
}

void
step_exec_note_moved(struct step_exec *g)
{
	struct answer *answer;
	struct journal journal;

	if (step_ask_row(g->shared->db, g->shared->schema, g->id, g->shared->own_role, &answer) && answer_rows(answer) > 0 &&
	    journal_read(answer_text(answer, 0, 1), &journal))
		g->end.moved = journal.moved;
	answer_free(answer);
}

/* The connection went away, perhaps while committing. */
static void
settle(struct step_exec *g)
{
	g->end.outcome = STEP_LOST;
	g->end.kept = g->rowed;
	g->end.lost = arena_copy(g->shared->texts, db_error(g->shared->db)->message);
	g->end.known = step_look_again(g->shared, g->step->migration, look_at_row, g);
}

static void
still_waiting(void *context)
{
	const struct step_exec *g = context;
	const struct step_context *s = g->shared;
	struct bytes note = { 0 };

	bytes_format(&note, "for %s, attempt %lld", s->stall.waits.relation != NULL ? s->stall.waits.relation : "a lock",
	    g->end.result.attempts + 1);
	if (s->stall.waits.count > 0) {
		bytes_str(&note, "; ");
		stall_name_holder(&s->stall.waits, &note);
	}
	progress_waiting(s->progress, g->step, clock_now_ms() - g->began_ms, s->stall.deadline_ms - g->began_ms, note.data);
	bytes_free(&note);
}

/* A script may have set how long its session may be idle, as it is while we wait. */
static void
stay_while_idle(struct step_exec *g)
{
	(void)step_exec_statements(g);
	if (g->done > 0 && db_server_version_num(g->shared->db) >= 140000 &&
	    session_may_set(g->step->sql, &g->script, "idle_session_timeout"))
		(void)db_run_best_effort(g->shared->db, "SET idle_session_timeout = 0");
}

bool
step_exec_pause(struct step_exec *g)
{
	struct stall *t = &g->shared->stall;
	long long now = clock_now_ms(), pause, until;

	if (now >= t->deadline_ms)
		return false;
	if (g->verdict == STALL_WAITED && g->lock_timeout_ms < t->max_stall_ms)
		g->tries = 0; /* several waits added up: each has to be short again */
	g->tries++;
	/* a known blocker can be waited for; otherwise each attempt is a guess, and should be rarer */
	pause = backoff_pause(t->waits.oid != NULL ? 1 : g->tries, randombytes_random());
	until = now + pause < t->deadline_ms ? now + pause : t->deadline_ms; /* one last attempt shows the blockers */
	stay_while_idle(g);
	message_verbose("%s: %s; retrying after %lld ms", g->step->migration, g->end.result.message, pause);
	while ((now = clock_now_ms()) < until && signals_caught() == 0) {
		still_waiting(g);
		clock_sleep_ms(until - now < 200 ? until - now : 200);
	}
	g->lock_timeout_ms = stall_look_first(t, backoff_lock_timeout(g->tries + 1, t->max_stall_ms), still_waiting, g);
	return signals_caught() == 0;
}

/* Reports the origin of a statement_timeout that the script did not set itself. */
static void
name_timeout(struct step_exec *g)
{
	struct result *r = &g->end.result;
	struct answer *a;

	if (r->sqlstate == NULL || !step_exec_error_is(g, SQLSTATE_QUERY_CANCELED) || step_exec_is_ours(g) || r->hint != NULL)
		return;
	if (setting_origin(g->shared->db, "statement_timeout", &a) != DB_OK) {
		step_exec_note_error(g);
		return;
	}
	if (answer_rows(a) > 0 && clock_now_ms() - g->run_ms >= answer_number(a, 0, SETTING_NUMBER)) {
		g->end.advice = arena_format(g->shared->texts, "statement_timeout is %s here, %s; a script that needs longer must begin with  "
		    "SET LOCAL statement_timeout = 0;", answer_text(a, 0, SETTING_VALUE), answer_text(a, 0, SETTING_BY));
		r->hint = g->end.advice;
	}
	answer_free(a);
}

/* A cause that is not in the file: a right that the role lacks, or the history table. */
static void
name_cause(struct step_exec *g)
{
	struct result *r = &g->end.result;
	enum db_outcome outcome = DB_OK;
	char *cause = NULL;

	if (r->sqlstate == NULL || g->end.advice != NULL)
		return;
	if (g->end.own_row && step_exec_error_is(g, SQLSTATE_READ_ONLY_SQL_TRANSACTION))
		cause = xstrdup("the script leaves its transaction read-only: remove SET TRANSACTION READ ONLY or "
		                "default_transaction_read_only from it");
	else if (g->end.own_row)
		cause = cause_history(g->shared->db, g->shared->schema, &outcome);
	else if (step_exec_error_is(g, SQLSTATE_INSUFFICIENT_PRIVILEGE) && g->end.statement > 0 && step_exec_statements(g) != NULL)
		cause = cause_right(g->shared->db, g->step->sql, &g->script, g->end.statement - 1, &outcome);
	if (outcome != DB_OK) {
		step_exec_note_error(g);
		return;
	}
	g->end.advice = arena_copy(g->shared->texts, cause);
	free(cause);
	if (r->hint == NULL)
		r->hint = g->end.advice;
}

bool
step_exec_give_up(struct step_exec *g, enum db_outcome outcome)
{
	g->verdict = stall_ended(&g->shared->stall);
	switch (outcome) {
	case DB_OK:
		return false;
	case DB_LOST:
		step_exec_note_error(g);
		settle(g);
		return true;
	case DB_STOPPED:
		step_exec_forget_texts(g);
		g->end.outcome = STEP_STOPPED;
		g->end.statement = g->in_script ? step_exec_running(g) + 1 : 0;
		g->end.result.sqlstate = g->end.result.message = NULL;
		g->end.result.detail = g->end.result.hint = NULL;
		g->end.extra = "stopped by a signal";
		break;
	case DB_ERROR:
		step_exec_note_error(g);
		g->end.outcome = STEP_FAILED;
		break;
	}
	db_rollback(g->shared->db);
	if (outcome == DB_ERROR) {
		name_timeout(g);
		name_cause(g);
	}
	g->end.kept = g->rowed;
	return true;
}
