#include "scratch/replay.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"
#include "database/session_restore.h"
#include "migrations/progress.h"
#include "migrations/script_error.h"
#include "postgres/connection.h"
#include "postgres/sqlstate.h"
#include "scratch/obstacle.h"
#include "secret/conninfo.h"
#include "sql/segments.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

#define BEGIN "BEGIN;"

struct replay {
	struct scratch *scratch;
	struct db *db;
	const char *folder;
	const struct step *step;
	struct sql_script script;
	struct progress progress;
	struct obstacles obstacles;
	size_t first, count;       /* the statements that were sent last */
	size_t at;                 /* of these, the one that failed; script.count: none of them (COMMIT) */
	size_t offset;             /* the error's place in the script, in bytes; strlen(sql): not known */
	bool committed;            /* part of the step is committed: a cluster with it is not clean */
	struct bytes locals;       /* SET LOCAL of statements before, where each has a transaction of its own */
	char *advice;
	const struct replay_watcher *watcher;   /* or NULL */
	bool failed;               /* the watcher was told why */
};

static void
tick(void *context, long long ms)
{
	struct replay *r = context;
	struct bytes note = { 0 };

	progress_statements(&note, r->step->sql, &r->script, r->first, r->count);
	progress_running(&r->progress, r->step, ms, note.data);
	bytes_free(&note);
}

/* Which statement failed, and where. */
static void
note_place(struct replay *r, size_t ended, size_t prefix)
{
	const char *sql = r->step->sql;
	size_t position = db_error(r->db)->position, start, end;

	r->at = r->first + ended < r->first + r->count ? r->first + ended : r->script.count;
	r->offset = r->at < r->script.count ? r->script.statements[r->at].start : strlen(sql);
	segment_bytes(&r->script, r->first, r->count, &start, &end);
	if (position > prefix) /* it is in characters, and what is in front is ASCII */
		r->offset = start + utf8_offset(sql + start, strlen(sql) - start, position - 1 - prefix);
}

static enum db_outcome
send_watched(struct replay *r, size_t first, size_t count, enum replay_wrap wrap)
{
	size_t done = 0;
	enum db_outcome outcome = r->watcher->send(r->watcher->context, first, count, wrap, bytes_text(&r->locals), &done);

	r->first = done < count ? first + done : first;
	r->count = done < count ? 1 : count;
	if (outcome == DB_ERROR)
		note_place(r, done < count ? 0 : count, 0);
	return outcome;
}

static enum db_outcome
send(struct replay *r, size_t first, size_t count, enum replay_wrap wrap)
{
	struct bytes text = { 0 };
	enum db_outcome outcome;
	size_t start, end, done = 0, prefix, ours = 0;

	if (count == 0)
		return DB_OK;
	if (r->watcher != NULL)
		return send_watched(r, first, count, wrap);
	r->first = first;
	r->count = count;
	segment_bytes(&r->script, first, count, &start, &end);
	if (wrap != REPLAY_NONE) {
		struct sql_script locals = sql_split(bytes_text(&r->locals), r->locals.len);

		bytes_str(&text, BEGIN);
		bytes_add(&text, r->locals.data, r->locals.len);
		ours = 1 + locals.count;
		sql_script_free(&locals);
	}
	prefix = utf8_count(bytes_text(&text), text.len);
	bytes_add(&text, r->step->sql + start, end - start);
	if (wrap == REPLAY_BOTH)
		bytes_str(&text, ";COMMIT");
	outcome = db_run(r->db, text.data, &done);
	bytes_free(&text);
	if (outcome == DB_OK)
		r->committed = true;
	else if (outcome == DB_ERROR)
		note_place(r, done > ours ? done - ours : 0, prefix);
	return outcome;
}

static bool
error_is(const struct replay *r, const char *sqlstate)
{
	return strcmp(db_error(r->db)->sqlstate, sqlstate) == 0;
}

/* Errors of statements that could not be together, or not inside a transaction. */
static bool
wants_to_be_alone(const struct replay *r)
{
	return error_is(r, SQLSTATE_ACTIVE_SQL_TRANSACTION) || error_is(r, SQLSTATE_INVALID_TRANSACTION_TERMINATION) || error_is(r, SQLSTATE_UNSAFE_NEW_ENUM_VALUE_USAGE);
}

static enum db_outcome run_statements(struct replay *r, size_t first, size_t count, enum replay_wrap wrap, bool block);

/* A SET LOCAL was for one transaction with those behind it, and each of them has one of its own now. */
static void
keep_local(struct replay *r, size_t at)
{
	const struct sql_statement *s = &r->script.statements[at];
	struct session_change change = session_change_of(r->step->sql, s);

	if (change.effect != SESSION_LOCAL || change.name.kind == SQL_END)
		return;
	bytes_add(&r->locals, r->step->sql + s->start, s->end - s->start);
	bytes_str(&r->locals, ";\n");
}

static enum db_outcome
one_by_one(struct replay *r, size_t first, size_t count)
{
	enum db_outcome outcome = DB_OK;
	size_t i;

	r->locals.len = 0;
	for (i = first; outcome == DB_OK && i < first + count; i++) {
		outcome = run_statements(r, i, 1, REPLAY_BOTH, true);
		if (outcome == DB_ERROR && (error_is(r, SQLSTATE_ACTIVE_SQL_TRANSACTION) || error_is(r, SQLSTATE_INVALID_TRANSACTION_TERMINATION))) {
			(void)db_rollback(r->db);
			outcome = send(r, i, 1, REPLAY_NONE);
		}
		if (outcome == DB_OK)
			keep_local(r, i);
	}
	r->locals.len = 0;
	return outcome;
}

/* A statement that needs more than the scripts' role has was done, or left out: what is in front of it, and behind. */
static enum db_outcome
around(struct replay *r, size_t first, size_t count, enum replay_wrap wrap, bool block)
{
	size_t at = r->at;
	enum db_outcome outcome = run_statements(r, first, at - first, REPLAY_BOTH, block);

	if (outcome == DB_OK && !obstacle_take(&r->obstacles, r->step, &r->script, at))
		outcome = send(r, at, 1, REPLAY_NONE); /* for its error */
	if (outcome == DB_OK)
		outcome = run_statements(r, at + 1, first + count - at - 1, wrap, block);
	return outcome;
}

/* `block`: they are to stay together, or are alone already. */
static enum db_outcome
run_statements(struct replay *r, size_t first, size_t count, enum replay_wrap wrap, bool block)
{
	for (;;) {
		enum db_outcome outcome = send(r, first, count, wrap);

		if (outcome != DB_ERROR)
			return outcome;
		if (wrap == REPLAY_BOTH && !block && wants_to_be_alone(r)) {
			(void)db_rollback(r->db);
			return one_by_one(r, first, count);
		}
		switch (obstacle_look(&r->obstacles, db_error(r->db), r->step, &r->script, r->at)) {
		case OBSTACLE_NONE:
			return outcome;
		case OBSTACLE_AGAIN:
			(void)db_rollback(r->db);
			continue;
		case OBSTACLE_AROUND:
			(void)db_rollback(r->db);
			return around(r, first, count, wrap, block);
		}
	}
}

static enum db_outcome
run_segment(struct replay *r, const struct segment *s)
{
	switch (s->kind) {
	case SEGMENT_ALONE:
		return run_statements(r, s->first, s->count, REPLAY_NONE, true);
	case SEGMENT_TOGETHER:
		return run_statements(r, s->first, s->count, REPLAY_BOTH, s->block);
	default:
		return run_statements(r, s->first, s->count, REPLAY_BEGIN, true);
	}
}

/* --- how it went --- */

static void
say_error(const struct replay *r, const struct db_error *e)
{
	size_t len = strlen(r->step->sql);
	struct sql_place none = { 0 };

	script_error_say(&(struct script_error){ .folder = r->folder,
	    .migration = r->step->migration,
	    .sql = r->step->sql,
	    .place = r->offset < len || e->position > 0 ? sql_place(r->step->sql, len, r->offset) : none,
	    .message = e->message,
	    .sqlstate = e->sqlstate[0] != '\0' ? e->sqlstate : NULL,
	    .detail = e->detail,
	    .hint = e->hint,
	    .advice = r->advice,
	    .context = e->context });
}

/* The line that says it in one, and the next command. */
static int
say_failed(const struct replay *r)
{
	struct bytes place = { 0 };
	int code;

	scratch_place(r->scratch, &place);
	code = message_error(MIG_FAILED, "migration %lld of %zu failed, %s", r->step->step, r->progress.steps, r->step->migration);
	message_line("  %-13s %s; nothing of it remains", "tried on", place.data);
	if (r->step->step > 1)
		message_line("  %-13s the %lld before it", "succeeded", r->step->step - 1);
	message_line("next: correct the file, then run the same command again");
	bytes_free(&place);
	return code;
}

/* Of a watched script, whose fault is no failure of ours.  Always MIG_FAILED. */
static int
tell(struct replay *r, size_t at, size_t offset, const char *sqlstate, const char *message)
{
	r->watcher->fails(r->watcher->context, at, offset, sqlstate, message);
	r->failed = true;
	return MIG_FAILED;
}

static int
fail(struct replay *r, enum db_outcome outcome)
{
	struct db_error error;

	if (outcome == DB_STOPPED)
		return message_error(128 + signals_caught(), "stopped by a signal in migration %lld of %zu, %s", r->step->step,
		    r->progress.steps, r->step->migration);
	error = db_error_take(r->db);
	if (r->watcher != NULL) { /* the server may be gone as well: whoever looks at it next will see */
		int code = outcome == DB_LOST ? tell(r, r->first, r->script.statements[r->first].start, SQLSTATE_ADMIN_SHUTDOWN, "the session that runs the script was ended")
		                              : tell(r, r->at, r->offset, error.sqlstate, error.message);

		db_error_free(&error);
		(void)db_rollback(r->db);
		return code;
	}
	if (outcome == DB_LOST) {
		int code = message_error(MIG_UNREACHABLE, "the connection to the scratch server was lost in migration %lld of %zu, %s: %s",
		    r->step->step, r->progress.steps, r->step->migration, error.message);

		db_error_free(&error);
		return code;
	}
	(void)db_rollback(r->db);
	r->advice = obstacle_advice(&r->obstacles, &error, r->step, &r->script, r->at);
	say_error(r, &error);
	db_error_free(&error);
	return say_failed(r);
}

/* What would leave the database is found before anything of the script runs. */
static int
refuse(struct replay *r)
{
	const char *what;
	size_t at;

	if ((what = obstacle_forbidden(&r->obstacles, r->step->sql, &r->script, &at)) == NULL)
		return 0;
	if (r->watcher != NULL)
		return tell(r, at, r->script.statements[at].start, SQLSTATE_INSUFFICIENT_PRIVILEGE, what);
	script_error_say(&(struct script_error){ .folder = r->folder,
	    .migration = r->step->migration,
	    .sql = r->step->sql,
	    .place = sql_place(r->step->sql, strlen(r->step->sql), r->script.statements[at].start),
	    .message = what,
	    .advice = "a migration may not do that here; it is up to the server's administrator" });
	return say_failed(r);
}

static int
left_open(struct replay *r)
{
	(void)db_rollback(r->db);
	if (r->watcher != NULL)
		return tell(r, r->script.count, strlen(r->step->sql), SQLSTATE_INVALID_TRANSACTION_STATE,
		     "the script leaves its last transaction open; what that did was rolled back");
	script_error_say(&(struct script_error){ .folder = r->folder,
	    .migration = r->step->migration,
	    .sql = r->step->sql,
	    .message = "the script leaves its last transaction open; the work of that transaction was rolled back" });
	return say_failed(r);
}

static int
run_step(struct replay *r)
{
	struct segments segments = segments_of(r->step->sql, &r->script);
	enum db_outcome outcome = DB_OK;
	bool open = segments.open;
	int code = refuse(r);
	size_t i;

	for (i = 0; code == 0 && i < segments.count; i++) {
		if (signals_caught() != 0)
			outcome = DB_STOPPED;
		else
			outcome = run_segment(r, &segments.list[i]);
		if (outcome != DB_OK)
			code = fail(r, outcome);
	}
	segments_free(&segments);
	if (code == 0 && (open || db_transaction(r->db) != DB_IDLE))
		code = left_open(r);
	return code;
}

static int
replay_step(struct replay *r, const struct step *step)
{
	struct db_hooks hooks = { tick, NULL, r };
	const struct conninfo target = { .schema = (char *)scratch_schema(r->scratch) };
	int code;

	r->step = step;
	r->committed = false;
	r->script = sql_split(step->sql, strlen(step->sql));
	progress_step(&r->progress);
	if (message_is_live())
		progress_running(&r->progress, step, 0, "");
	if (r->watcher != NULL)
		r->watcher->begins(r->watcher->context, step, &r->script);
	else
		db_hooks(r->db, &hooks);
	code = run_step(r);
	db_hooks(r->db, NULL);
	if (code == 0)
		code = restore_settings(r->db, scratch_schema(r->scratch), &target, step, &r->script);
	sql_script_free(&r->script);
	return code;
}

static void
say_ran(const struct replay *r, size_t count, size_t ready, long long ms)
{
	struct bytes place = { 0 };
	char span[CLOCK_SPAN];

	scratch_place(r->scratch, &place);
	if (count == 0)
		message_info("there are no migrations to run (%s)", place.data);
	else if (ready == 1 && count == 1)
		message_info("the migration was not run again; its saved result was used (%s)", place.data);
	else if (ready == count)
		message_info("the %zu migrations were not run again; their saved result was used (%s)", count, place.data);
	else
		message_info("%zu migration%s ran in %s%s (%s)", count - ready, count - ready == 1 ? "" : "s", clock_span(ms, span),
		    ready > 0 ? ", behind those that had run before" : "", place.data);
	bytes_free(&place);
}

int
replay_run(struct scratch *scratch, const char *folder, const struct step *steps, size_t count)
{
	struct replay r = { .scratch = scratch, .folder = folder, .db = scratch_db(scratch), .obstacles = { .scratch = scratch } };
	size_t ready = scratch_ready(scratch), i;
	long long began = clock_now_ms();
	int code = 0;

	progress_begin(&r.progress, steps, count);
	for (i = ready; code == 0 && i < count; i++)
		code = replay_step(&r, &steps[i]);
	if (code == 0)
		scratch_keep(scratch, count);
	else if (!r.committed) /* those before it are as they are to be */
		scratch_keep(scratch, i - 1);
	message_live_clear();
	if (code == 0)
		say_ran(&r, count, ready, clock_now_ms() - began);
	obstacles_free(&r.obstacles);
	bytes_free(&r.locals);
	free(r.advice);
	return code;
}

int
replay_watched(struct scratch *scratch, const char *folder, const struct step *steps, size_t count,
    const struct replay_watcher *watcher, size_t *ran)
{
	struct replay r = { .scratch = scratch, .folder = folder, .db = scratch_db(scratch), .obstacles = { .scratch = scratch },
		.watcher = watcher };
	int code = 0;

	progress_begin(&r.progress, steps, count);
	for (*ran = 0; code == 0 && *ran < count; *ran += code == 0)
		code = replay_step(&r, &steps[*ran]);
	message_live_clear();
	obstacles_free(&r.obstacles);
	bytes_free(&r.locals);
	free(r.advice);
	return r.failed ? 0 : code;
}
