#include "deploy/nontransactional.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/signals.h"
#include "database/deploy_lock.h"
#include "database/leftovers.h"
#include "deploy/stall.h"
#include "deploy/step.h"
#include "migrations/history.h"
#include "migrations/journal.h"
#include "postgres/connection.h"
#include "postgres/sqlstate.h"
#include "records/model.h"
#include "sql/interrupted.h"
#include "sql/sql.h"

/* Whether our row still waits for the statement `at`; if so, no other deployer has run in between. */
static bool
is_where_we_left_it(struct step_exec *g, size_t at)
{
	struct answer *answer = NULL;
	struct journal journal;
	bool same;

	same = step_ask_row(g->shared->db, g->shared->schema, g->id, g->shared->own_role, &answer) && answer_rows(answer) == 1 &&
	    !answer_flag(answer, 0, 0) && journal_read(answer_text(answer, 0, 1), &journal) &&
	    journal.next == at + 1;
	answer_free(answer);
	return same;
}

enum { OTHERS_WAIT_MS = 11000 };

/*
 * A session that waits for the deploy lock inside pg_advisory_lock(), like Prisma, has a snapshot that CREATE
 * INDEX CONCURRENTLY waits for, and each time we are the deadlock victim.  Prisma gives up after 10 s, but its
 * session keeps waiting until it gets the lock.  After that we hand the lock over: no deployer can get past our
 * unfinished row.
 */
static bool
let_others_through(struct step_exec *g, size_t at)
{
	struct step_context *s = g->shared;
	bool locked = false, finished = g->finished;

	if (g->deadlocked_ms == 0)
		g->deadlocked_ms = clock_now_ms();
	if (!step_exec_error_is(g, SQLSTATE_DEADLOCK_DETECTED) || clock_now_ms() - g->deadlocked_ms < OTHERS_WAIT_MS)
		return true;
	message_verbose("%s: releasing the deploy lock to a waiting deployer", g->step->migration);
	if (!deploy_lock_release(s->db))
		return false;
	g->finished = true; /* without the lock the row is not ours to write: another run may go on with it */
	while (!locked && clock_now_ms() < s->stall.deadline_ms && signals_caught() == 0) {
		clock_sleep_ms(200);
		if (deploy_lock_try(s->db, &locked) != DB_OK)
			return false;
	}
	if (!locked || !is_where_we_left_it(g, at))
		return false;
	g->finished = finished;
	return true;
}

/* --- limits --- */

/*
 * A time-out would cancel the harmless waits of a non-transactional statement and leave an invalid index.  The
 * session's values are saved in the session and restored after the statement.
 */
#define KEEP(name) "pg_catalog.set_config('mig." name "', pg_catalog.current_setting('" name "'), false)"
#define OFF(name)  "pg_catalog.set_config('" name "', '0', false)"
#define BACK(name) \
	"pg_catalog.set_config('" name "', coalesce(CASE WHEN pg_catalog.current_setting('mig." name "', true) OPERATOR(pg_catalog.<>) '' " \
	"THEN pg_catalog.current_setting('mig." name "', true) END, " \
	"pg_catalog.current_setting('" name "')), false)"
static const char limits_off[] = "SELECT " KEEP("lock_timeout") ", " KEEP("statement_timeout") ", "
    OFF("lock_timeout") ", " OFF("statement_timeout") ";";
static const char limits_on[] = "SELECT " BACK("lock_timeout") ", " BACK("statement_timeout") ";";

/* In front of the row that is written next; or NULL: they are off already. */
static const char *
limits_to_lift(struct step_exec *g)
{
	if (g->unlimited)
		return NULL;
	g->unlimited = true;
	message_verbose("%s: lock_timeout and statement_timeout are off for this non-transactional statement; "
	                "its waits are monitored", g->step->migration);
	return limits_off;
}

/* For work before the statement: what it left is removed or finished. */
static void
lift_limits(struct step_exec *g)
{
	const char *sql = limits_to_lift(g);

	if (sql != NULL)
		(void)db_run_best_effort(g->shared->db, sql);
}

/* --- what it left --- */

/* An error from here on is shown at the statement. */
static void
point_at(struct step_exec *g, size_t at)
{
	g->in_script = true;
	g->first = at;
	g->running = 1;
	g->ended = 0;
	g->offset = step_exec_statements(g)[at].start;
}

static enum left
settle(struct step_exec *g, size_t at, enum db_outcome *outcome)
{
	struct interrupted aim = interrupted_of(g->step->sql, &step_exec_statements(g)[at]);
	enum left left;

	g->in_script = false;
	stall_attempt(&g->shared->stall, !g->unlimited);
	left = left_settle(g->shared->db, &aim, outcome);
	g->verdict = stall_ended(&g->shared->stall);
	if (left == LEFT_REMOVED)
		message_verbose("%s: removed an invalid index", g->step->migration);
	interrupted_free(&aim);
	return left;
}

/* The row behind the statement, together with the demand that what was built is valid. */
static enum db_outcome
write_row_behind(struct step_exec *g, size_t at, bool last, bool demand)
{
	struct bytes before = { 0 };
	struct interrupted aim = interrupted_of(g->step->sql, &step_exec_statements(g)[at]);
	enum db_outcome outcome;

	bytes_str(&before, limits_on);
	if (demand)
		left_demand_sql(&before, &aim);
	outcome = step_exec_write_row(g, before.data, last ? HISTORY_FINISHED : HISTORY_GOES_ON, at + 1);
	if (outcome == DB_OK)
		g->unlimited = false;
	interrupted_free(&aim);
	bytes_free(&before);
	return outcome;
}

/* Record the start first: the end cannot be committed with the statement. */
static enum db_outcome
try_alone(struct step_exec *g, size_t at, bool last)
{
	bool demand = !g->rebuilt, may_commit = interrupted_may_commit(g->step->sql, &step_exec_statements(g)[at]);
	enum left left;
	enum db_outcome outcome = step_exec_write_row(g, limits_to_lift(g), HISTORY_BEGINS_ALONE, at), settled;

	g->end.result.attempts++;
	stall_attempt(&g->shared->stall, false);
	if (outcome == DB_OK) {
		g->end.unsure = g->end.outside = true;
		outcome = step_exec_run(g, at, 1);
	}
	if (outcome == DB_ERROR && (!g->in_script || !may_commit))
		g->end.unsure = false; /* it did not finish; the code that has the error checks the leftovers */
	if (outcome != DB_OK)
		return outcome;
	outcome = write_row_behind(g, at, last, demand);
	if (outcome == DB_ERROR && demand) {
		/* IF NOT EXISTS skipped an invalid index; if there is none, trust the server */
		g->rebuilt = true;
		db_rollback(g->shared->db);
		left = settle(g, at, &settled);
		if (left == LEFT_REMOVED)
			return try_alone(g, at, last);
		if (left == LEFT_ERROR) { /* it is still there: the row must not say that it was done */
			point_at(g, at);
			g->end.unsure = settled != DB_ERROR;
			return settled;
		}
		outcome = write_row_behind(g, at, last, false);
	}
	g->end.unsure = outcome != DB_OK;
	return outcome;
}

/* An earlier attempt had begun: what it left is settled, and if that ends it, the row written. */
static enum db_outcome
settle_first(struct step_exec *g, size_t at, bool last, bool *done)
{
	enum db_outcome outcome;
	enum left left;

	lift_limits(g);
	g->end.unsure = g->end.outside = true;
	while ((left = settle(g, at, &outcome)) == LEFT_BEING_BUILT && step_exec_pause(g))
		;
	*done = left == LEFT_DONE;
	if (left == LEFT_ERROR) {
		point_at(g, at);
		return outcome;
	}
	if (!*done) {
		g->end.unsure = false;
		return DB_OK;
	}
	outcome = write_row_behind(g, at, last, false);
	g->end.unsure = outcome != DB_OK;
	return outcome;
}

/* --- errors --- */

/*
 * Whether a leftover of an interrupted statement was blocking: an invalid index (42P07), removed now; or a
 * partition that waits for FINALIZE (55000), to be settled first.
 */
static bool
leftover_settled(struct step_exec *g, size_t at, bool *look)
{
	enum db_outcome outcome;

	if (g->rebuilt || !g->in_script)
		return false;
	if (step_exec_error_is(g, SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE)) {
		struct interrupted aim = interrupted_of(g->step->sql, &step_exec_statements(g)[at]);

		g->rebuilt = *look = aim.act == INTERRUPTED_DETACH;
		interrupted_free(&aim);
		return *look;
	}
	if (!step_exec_error_is(g, SQLSTATE_DUPLICATE_TABLE))
		return false;
	g->rebuilt = true;
	if (settle(g, at, &outcome) == LEFT_REMOVED)
		return true;
	point_at(g, at);
	return false;
}

/* For people: what the next run has to finish or remove. */
static const char *
leftover_in_words(struct arena *texts, const struct interrupted *aim)
{
	switch (aim->act) {
	case INTERRUPTED_DETACH:
		return arena_format(texts, "%s waits for FINALIZE: readers of %s no longer see its rows; the next run finishes it",
		    aim->name.data, aim->table.data);
	case INTERRUPTED_DROP_INDEX:
		return arena_format(texts, "the index %s is invalid: queries no longer use it; the next run drops it", aim->name.data);
	case INTERRUPTED_CREATE_INDEX:
	case INTERRUPTED_REINDEX:
		return "an invalid index; the next run drops it";
	case INTERRUPTED_REPEAT:
		return "the tables that it had finished; it can run again";
	case INTERRUPTED_NONE:
	case INTERRUPTED_CREATE:
	case INTERRUPTED_DROP:
		break;
	}
	return NULL;
}

/* Removes what a failed build left there and then, if that takes no longer than a moment; of others it only looks. */
static enum left
tidy(struct step_exec *g, size_t at, const struct interrupted *aim)
{
	bool builds = aim->act == INTERRUPTED_REINDEX ||
	    (aim->act == INTERRUPTED_CREATE_INDEX && !step_exec_error_is(g, SQLSTATE_DUPLICATE_TABLE));
	struct sql_place place = g->end.place;
	size_t statement = g->end.statement;
	enum db_outcome outcome;
	enum left left;

	if (builds) {
		if (!db_run_best_effort(g->shared->db, "SET lock_timeout = '1s'"))
			return LEFT_ERROR;
		g->unlimited = false;
		left = settle(g, at, &outcome);
		if (left == LEFT_DONE)
			left = LEFT_HALF; /* the next run says so */
	} else if (aim->act == INTERRUPTED_DETACH || aim->act == INTERRUPTED_DROP_INDEX) {
		left = left_look(g->shared->db, aim, &outcome);
	} else {
		left = LEFT_NOTHING;
	}
	g->end.place = place;
	g->end.statement = statement;
	return left;
}

/* It is not tried again. */
static void
clean_up(struct step_exec *g, size_t at)
{
	struct interrupted aim = interrupted_of(g->step->sql, &step_exec_statements(g)[at]);
	enum left left = tidy(g, at, &aim);

	g->end.leaves = left == LEFT_HALF || left == LEFT_ERROR || left == LEFT_BEING_BUILT;
	if (g->end.leaves || aim.act == INTERRUPTED_REPEAT)
		g->end.left = leftover_in_words(g->shared->texts, &aim);
	interrupted_free(&aim);
}

/* A deadlock was broken, or others had to wait, or it waited itself. */
static bool
ready_to_try_again(struct step_exec *g, size_t at)
{
	g->end.outcome = STEP_BUSY;
	if (let_others_through(g, at) && step_exec_pause(g))
		return true;
	if (signals_caught() != 0)
		g->end.outcome = STEP_STOPPED;
	return false;
}

bool
nontransactional_run(struct step_exec *g, size_t at, bool last, bool begun)
{
	/* what CALL and DO have committed is there: they are not tried again */
	bool once = interrupted_may_commit(g->step->sql, &step_exec_statements(g)[at]), look = begun, done = false;

	g->rebuilt = false;
	for (;;) {
		long long began = clock_now_ms();
		enum db_outcome outcome = look ? settle_first(g, at, last, &done) : DB_OK;

		if (outcome == DB_OK && !done)
			outcome = try_alone(g, at, last);
		g->verdict = stall_ended(&g->shared->stall);
		if (outcome == DB_ERROR && leftover_settled(g, at, &look))
			continue;
		if (!step_exec_give_up(g, outcome))
			return true;
		if (outcome != DB_ERROR)
			return false;
		if (once || !step_exec_is_busy(g) || !ready_to_try_again(g, at)) {
			clean_up(g, at);
			return false;
		}
		look = true;
		g->end.result.waited_ms += clock_now_ms() - began;
	}
}
