#include "deploy/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/backoff.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/null.h"
#include "deploy/stall.h"
#include "migrations/history.h"
#include "migrations/progress.h"
#include "postgres/connection.h"
#include "postgres/sqlstate.h"
#include "records/model.h"
#include "records/words.h"
#include "sql/segments.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

enum { MODERATE_BYTES = 65536 };

bool
batch_fits(const struct step *step)
{
	struct sql_script script;
	struct segments segments;
	size_t len;
	bool fits;

	if (step->sql == NULL || step_resumes(step) || (len = strlen(step->sql)) > MODERATE_BYTES)
		return false;
	script = sql_split(step->sql, len);
	segments = segments_of(step->sql, &script);
	fits = segments.count == 1 && segments.list[0].kind == SEGMENT_TOGETHER && !segments.list[0].block &&
	    !script.statements[script.count - 1].broken && !session_changes(step->sql, &script) &&
	    !sql_mentions(step->sql, len, "synchronous_commit");
	segments_free(&segments);
	sql_script_free(&script);
	return fits;
}

/* Steps on their way. */
struct batch {
	struct step_context *shared;
	const struct step *steps;
	size_t count;
	long long *took_ms;       /* of each step that was answered, */
	long long *worst_ms;      /* and how long others were seen waiting for it */
	char (*ids)[HISTORY_ID];
	struct sql_script guard;  /* of the step being sent: what comes before its script */
	struct sql_script script;
	struct bytes text;        /* the statement being sent */
	long long ended_ms;       /* when the last one was answered */
	size_t ended;
	size_t found;             /* after a lost connection: that are committed */
};

static long long
lock_limit(const struct batch *f)
{
	return backoff_lock_timeout(1, f->shared->stall.max_stall_ms);
}

/*
 * What all steps have in common is set before them, by a unit of its own, and taken back by the last one: a statement
 * less for each step is a tenth of what a small one takes.  Only the last one's commit waits for the disk, and so for
 * all before it.
 */
static const char *
settings_statement(struct batch *f, size_t at)
{
	f->text.len = 0;
	bytes_format(&f->text, "SET lock_timeout = %lld", lock_limit(f));
	return at == 0 ? f->text.data : at == 1 ? "SET synchronous_commit = off" : NULL;
}

/* What goes before a script. */
enum { HEAD_BEGIN, HEAD_NAME, HEAD_OF_MOST, HEAD_WAITS = HEAD_OF_MOST, HEAD_LIMIT_BACK, HEAD_LIMIT, HEAD_OF_LAST };

static size_t
head_count(const struct batch *f, size_t step)
{
	return step + 1 < f->count ? HEAD_OF_MOST : HEAD_OF_LAST;
}

static const char *
head_statement(struct batch *f, size_t step, size_t which)
{
	struct bytes name = { 0 };

	switch (which) {
	case HEAD_BEGIN:
		return "BEGIN";
	case HEAD_NAME:
		bytes_format(&name, "mig-apply %s", f->steps[step].migration);
		bytes_str(&f->text, "SET LOCAL application_name = ");
		bytes_sql_text(&f->text, name.data);
		bytes_free(&name);
		break;
	case HEAD_WAITS:
		return "RESET synchronous_commit";
	case HEAD_LIMIT_BACK:
		return "RESET lock_timeout";
	default:
		bytes_format(&f->text, "SET LOCAL lock_timeout = %lld", lock_limit(f));
	}
	return f->text.data;
}

static const char *
row_statement(struct batch *f, size_t number)
{
	const struct step *step = &f->steps[number];
	struct history_entry entry = { .id = f->ids[number],
		.migration = step->migration,
		.checksum = step->checksum,
		.progress = HISTORY_FINISHED,
		/* a COMMIT that fails (a deferred constraint) leaves no transaction that would stop the next one: this does */
		.behind_id = number > 0 ? f->ids[number - 1] : NULL,
		.reverts = step->action == ACTION_REVERT };

	(void)history_entry_sql(&f->text, f->shared->schema, &entry);
	return f->text.data;
}

static struct sql_script
guard_of(const struct step *step)
{
	return step->guard_sql != NULL ? sql_split(step->guard_sql, strlen(step->guard_sql)) : (struct sql_script){ 0 };
}

static const char *
step_statement(struct batch *f, size_t number, size_t at)
{
	const struct step *step = &f->steps[number];

	if (at == 0) {
		sql_script_free(&f->guard);
		sql_script_free(&f->script);
		f->guard = guard_of(step);
		f->script = sql_split(step->sql, strlen(step->sql));
	}
	f->text.len = 0;
	if (at < head_count(f, number))
		return head_statement(f, number, at);
	at -= head_count(f, number);
	if (at < f->guard.count) {
		const struct sql_statement *s = &f->guard.statements[at];

		bytes_add(&f->text, step->guard_sql + s->start, s->end - s->start);
		return f->text.data;
	}
	at -= f->guard.count;
	if (at < f->script.count) {
		const struct sql_statement *s = &f->script.statements[at];

		bytes_add(&f->text, step->sql + s->start, s->end - s->start);
		return f->text.data;
	}
	at -= f->script.count;
	return at == 0 ? row_statement(f, number) : at == 1 ? "COMMIT" : NULL;
}

/* The settings are the first unit, the steps those behind it. */
static const char *
next_statement(void *context, size_t unit, size_t at)
{
	return unit == 0 ? settings_statement(context, at) : step_statement(context, unit - 1, at);
}

static void
locks_begin(struct batch *f)
{
	stall_step(&f->shared->stall, f->steps[f->ended].migration);
	stall_attempt(&f->shared->stall, true);
}

static void
ended(void *context, size_t unit)
{
	struct batch *f = context;
	long long now = clock_now_ms(), took_ms = now - f->ended_ms;

	f->ended_ms = now;
	f->ended = unit;
	if (unit == 0)
		return;
	f->took_ms[unit - 1] = took_ms;
	(void)stall_ended(&f->shared->stall);
	f->worst_ms[unit - 1] = f->shared->stall.worst_ms;
	if (f->ended < f->count)
		locks_begin(f);
	progress_step(f->shared->progress);
}

static struct result
result_of(const struct batch *f, size_t unit)
{
	const struct step *step = &f->steps[unit];

	return (struct result){ .step = step->step,
		.migration = step->migration,
		.status = step->action == ACTION_REVERT ? STATUS_REVERTED : STATUS_APPLIED,
		.statement_count = step->statement_count,
		.statements_done = step->statement_count,
		.attempts = 1,
		.took_ms = f->took_ms[unit],
		.worst_stall_ms = f->worst_ms[unit],
		.line = NUMBER_UNKNOWN,
		.column = NUMBER_UNKNOWN };
}

static void
on_tick(void *context, long long ms)
{
	struct batch *f = context;
	const struct step *step = &f->steps[f->ended];
	struct sql_script script;
	struct bytes note = { 0 };

	(void)ms;
	if (f->ended == f->count)
		return;
	stall_tick(&f->shared->stall);
	script = sql_split(step->sql, strlen(step->sql));
	progress_statements(&note, step->sql, &script, 0, script.count);
	stall_note(&f->shared->stall, &note);
	progress_running(f->shared->progress, step, clock_now_ms() - f->ended_ms, note.data);
	bytes_free(&note);
	sql_script_free(&script);
}

static void
on_notice(void *context, const struct db_message *message)
{
	const struct batch *f = context;

	if (f->ended < f->count)
		message_info("%s: %s: %s", f->steps[f->ended].migration, message->severity, message->text);
}

/*
 * Leaves the session as it was before a batch that was stopped, and waits until what it has committed is on disk: a commit
 * that must be written out waits for all before it.
 */
static bool
settle(struct db *db)
{
	return db_run_best_effort(db, "BEGIN; RESET synchronous_commit; RESET lock_timeout; SET LOCAL synchronous_commit = on; "
	                        "SELECT pg_catalog.pg_logical_emit_message(true, 'mig', 'flush'); COMMIT");
}

/* Whether the row of a unit is there and finished. */
static bool
ask_whether_there(const struct batch *f, struct db *db, size_t unit, bool *there)
{
	struct answer *answer;
	bool known = step_ask_row(db, f->shared->schema, f->ids[unit], false, &answer);

	*there = known && answer_rows(answer) > 0 &&
	    answer_flag(answer, 0, f->steps[unit].action == ACTION_REVERT ? HISTORY_STATE_ROLLED_BACK : HISTORY_STATE_FINISHED);
	answer_free(answer);
	return known;
}

/* How many rows, from the first on, are there and finished. */
static bool
look_up(struct db *db, void *context)
{
	struct batch *f = context;
	bool known = true, there = true;

	f->found = 0;
	while (known && there && f->found < f->count) {
		known = ask_whether_there(f, db, f->found, &there);
		f->found += there;
	}
	return known && (f->found == 0 || settle(db));
}

/* For step_run(): what is known of the one that was stopped. */
static void
leave_word(struct batch *f, size_t failed)
{
	const struct db_error *e = db_error(f->shared->db);
	struct sql_script guard = guard_of(&f->steps[f->ended]);
	size_t head = head_count(f, f->ended) + guard.count;
	enum stall_verdict why = stall_ended(&f->shared->stall);
	bool ours = strcmp(e->sqlstate, SQLSTATE_QUERY_CANCELED) == 0 && why != STALL_FINE;

	sql_script_free(&guard);
	if (!ours && !db_is_busy(e))
		return;
	f->shared->batch = (struct batch_attempt){ .attempts = 1,
		.overdue = ours && why == STALL_HELD ? failed > head ? failed - head + 1 : 1 : 0,
		.took_ms = clock_now_ms() - f->ended_ms,
		.worst_ms = f->shared->stall.worst_ms };
}

size_t
batch_send(struct step_context *shared, const struct step *steps, size_t count, struct result results[],
    enum step_outcome *outcome, const char **lost, bool *known)
{
	struct batch f = { .shared = shared, .steps = steps, .count = count };
	struct db_units units = { 1 + count, next_statement, ended, &f };
	struct db_hooks hooks = { on_tick, on_notice, &f };
	enum db_outcome sent;
	size_t finished, failed, i;
	bool there = false;

	f.ids = xcalloc(count, sizeof *f.ids);
	f.took_ms = xcalloc(count, sizeof *f.took_ms);
	f.worst_ms = xcalloc(count, sizeof *f.worst_ms);
	for (i = 0; i < count; i++)
		if (steps[i].row_id != NULL)
			bytes_copy(f.ids[i], sizeof f.ids[i], steps[i].row_id);
		else
			history_new_id(f.ids[i]);
	f.ended_ms = clock_now_ms();
	db_hooks(shared->db, &hooks);
	progress_step(shared->progress);
	locks_begin(&f);
	sent = db_send_ahead(shared->db, &units, &finished, &failed);
	finished -= finished > 0; /* the settings */
	db_hooks(shared->db, NULL);
	if (sent == DB_ERROR)
		leave_word(&f, failed);
	*outcome = sent == DB_OK ? STEP_APPLIED : sent == DB_STOPPED ? STEP_STOPPED : STEP_FAILED;
	/*
	 * An error outside a transaction is that of its COMMIT, or none: where the migration is there nevertheless, something between us
	 * and the server answers, and to run it again by itself would end with "already exists".
	 */
	if (sent == DB_ERROR && db_transaction(shared->db) == DB_IDLE && ask_whether_there(&f, shared->db, finished, &there) && there)
		sent = db_give_up(shared->db);
	if (sent == DB_ERROR || sent == DB_STOPPED) {
		message_verbose("%s: %s%s", steps[finished].migration, db_error(shared->db)->message,
		    shared->batch.overdue > 0 ? "" : "; running it again by itself");
		if (!db_rollback(shared->db) || !settle(shared->db))
			sent = DB_LOST;
	}
	if (sent == DB_LOST) {
		*outcome = STEP_LOST;
		*lost = arena_copy(shared->texts, db_error(shared->db)->message);
		*known = step_look_again(shared, steps[finished < count ? finished : count - 1].migration, look_up, &f);
		finished = *known ? f.found : 0;
	}
	for (i = 0; i < finished; i++)
		results[i] = result_of(&f, i);
	sql_script_free(&f.guard);
	sql_script_free(&f.script);
	bytes_free(&f.text);
	free(f.worst_ms);
	free(f.took_ms);
	free(f.ids);
	return finished;
}
