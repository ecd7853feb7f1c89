#include "deploy/step_exec.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/signals.h"
#include "database/setting_origin.h"
#include "deploy/cause.h"
#include "sql/hints.h"
#include "sql/session_effects.h"

const struct sql_statement *
going_statements(struct going *g)
{
	if (g->script.statements == NULL)
		g->script = sql_split(g->step->sql, strlen(g->step->sql));
	return g->script.statements;
}

static void
forget_statements(struct going *g)
{
	size_t count = g->script.count;

	sql_script_free(&g->script);
	g->script.count = count;
}

/* --- while the server is at work --- */

static size_t
going_running(const struct going *g)
{
	return g->first + g->ended;
}

void
going_tick(void *context, long long ms)
{
	struct going *g = context;
	struct bytes note = { 0 };

	traffic_tick(&g->send->traffic);
	if (g->in_script && (g->running != 1 || going_statements(g) != NULL))
		progress_statements(&note, g->step->sql, &g->script, g->first, g->running);
	traffic_note(&g->send->traffic, &note);
	progress_running(g->send->progress, g->step, ms, bytes_text(&note));
	bytes_free(&note);
}

void
going_notice(void *context, const struct db_message *message)
{
	const struct going *g = context;

	/* 25001, 25P01: "there is already a transaction", "... no transaction": of BEGIN and COMMIT beside ours */
	if (g->in_script && strcmp(message->sqlstate, "25001") != 0 && strcmp(message->sqlstate, "25P01") != 0)
		message_info("%s: %s: %s", g->step->migration, message->severity, message->text);
}

/* --- errors --- */

bool
going_error_is(const struct going *g, const char *sqlstate)
{
	return strcmp(db_error(g->send->db)->sqlstate, sqlstate) == 0;
}

/* Whether it was cancelled, and by us. */
static bool
is_ours(const struct going *g)
{
	return g->verdict != TRAFFIC_FINE && going_error_is(g, "57014");
}

bool
going_is_busy(const struct going *g)
{
	return db_is_busy(db_error(g->send->db)) || (is_ours(g) && g->verdict != TRAFFIC_HELD);
}

/* Texts that an earlier attempt left. */
static void
forget_texts(struct going *g)
{
	free(g->sent.extra);
	free(g->sent.advice);
	g->sent.extra = g->sent.advice = NULL;
}

/*
 * What we cancelled ourselves: the server can only say that somebody did.  Waiting, it may be tried again; at work, it
 * would take as long again.
 */
static void
note_cancelled(struct going *g)
{
	const struct traffic *t = &g->send->traffic;
	struct bytes why = { 0 }, advice = { 0 };
	char limit[CLOCK_SPAN];

	if (g->verdict == TRAFFIC_HELD) {
		bytes_format(&why, "this needs longer than --max-stall allows, %s, while %zu session%s wait%s",
		    clock_span(t->max_stall_ms, limit), t->sight.behind, t->sight.behind == 1 ? "" : "s",
		    t->sight.behind == 1 ? "s" : "");
		if (t->sight.relation[0] != '\0')
			bytes_format(&why, " for %s", t->sight.relation);
		bytes_format(&advice, "%s; or allow more: --max-stall=%llds",
		    remedy_of(g->step->sql, g->sent.statement > 0 ? &going_statements(g)[g->sent.statement - 1] : NULL),
		    t->max_stall_ms < 1000 ? 10 : t->max_stall_ms / 100);
		g->sent.advice = advice.data;
		g->sent.result.hint = g->sent.advice;
	} else {
		bytes_str(&why, "cancelled by mig-apply while it waited for a lock");
	}
	g->sent.extra = why.data;
	g->sent.result.message = g->sent.extra;
}

/* Where in the script it happened. */
static void
note_place(struct going *g)
{
	size_t position = db_error(g->send->db)->position;
	const char *sql = g->step->sql;
	size_t len, at;
	struct result *r = &g->sent.result;

	r->line = r->column = RECORD_NULL;
	g->sent.statement = 0;
	g->sent.place = (struct sql_place){ 0 };
	if (!g->in_script)
		return;
	len = at = strlen(sql);
	if (going_running(g) < g->script.count) {
		g->sent.statement = going_running(g) + 1;
		at = going_statements(g)[g->sent.statement - 1].start;
	}
	if (position > 0)
		at = g->offset + utf8_offset(sql + g->offset, len - g->offset, position - 1);
	if (at < len || position > 0) {
		g->sent.place = sql_place(sql, len, at);
		r->line = (long long)g->sent.place.line;
		r->column = (long long)g->sent.place.column;
	}
}

void
going_note_error(struct going *g)
{
	const struct db_error *e = db_error(g->send->db);
	struct result *r = &g->sent.result;

	r->sqlstate = e->sqlstate[0] != '\0' ? e->sqlstate : NULL;
	r->message = e->message;
	r->detail = e->detail;
	r->hint = e->hint;
	g->sent.context = e->context;
	note_place(g);
	forget_texts(g);
	if (is_ours(g))
		note_cancelled(g);
	else if (g->sent.own_row) {
		g->sent.extra = xformat("its row in %s." HISTORY_TABLE " could not be written: %s", g->send->schema, e->message);
		r->message = g->sent.extra;
	}
}

/* --- the row and its journal --- */

static const char *
names_of(struct going *g)
{
	(void)going_statements(g);
	if (!g->named) {
		session_names_sql(&g->names, g->step->sql, &g->script);
		g->makes_temporary = session_makes_objects(g->step->sql, &g->script);
		if (g->send->role != NULL)
			bytes_sql_text(&g->role, g->send->role);
	}
	g->named = true;
	return bytes_text(&g->names);
}

/*
 * All well, but for answers that were lost, or that nobody asked for: what happened is not known.  A script is read by the
 * server as the plan has split it (tests/sql.bats), so each of its statements has one answer.
 */
static enum db_outcome
check_answers(struct going *g, enum db_outcome outcome, size_t sent)
{
	return outcome == DB_OK && db_answered(g->send->db) != sent ? db_give_up(g->send->db) : outcome;
}

/* The same of a text of ours. */
static enum db_outcome
check_answers_of(struct going *g, enum db_outcome outcome, const struct bytes *sql)
{
	struct sql_script script;

	if (outcome != DB_OK)
		return outcome;
	script = sql_split(sql->data, sql->len);
	outcome = check_answers(g, outcome, script.count);
	sql_script_free(&script);
	return outcome;
}

size_t
going_row_text(struct going *g, struct bytes *out, enum history_progress progress, size_t done, const char *why,
    bool alone)
{
	struct history_entry entry = { .id = g->id,
		.migration = g->step->migration,
		.checksum = g->step->checksum,
		.progress = progress,
		.done = done,
		.count = g->script.count,
		.behind = done > 0 && progress != HISTORY_FINISHED ? going_statements(g)[done - 1].end : 0,
		.text = g->step->sql,
		.why = why,
		.exists = g->rowed,
		.own_role = g->send->own_role,
		.all_rows = g->sets_row_security,
		.alone = alone };

	if (progress != HISTORY_FINISHED) {
		entry.names = names_of(g);
		entry.role_sql = g->role.len > 0 ? g->role.data : NULL;
		entry.makes_temporary = g->makes_temporary;
	}
	return history_entry_sql(out, g->send->schema, &entry);
}

enum db_outcome
going_run_text(struct going *g, struct bytes *sql, int row_statements)
{
	enum db_outcome outcome;
	size_t done = 0;
	const char *table;

	g->in_script = false;
	outcome = check_answers_of(g, db_run(g->send->db, sql->data, &done), sql);
	bytes_free(sql);
	table = outcome == DB_ERROR ? db_error(g->send->db)->table : NULL;
	g->sent.own_row = outcome == DB_ERROR && row_statements != 0 &&
	    (row_statements == GOING_ALL || done < (size_t)row_statements || (table != NULL && strcmp(table, HISTORY_TABLE) == 0));
	return outcome;
}

enum db_outcome
going_tell_text(struct going *g, struct bytes *sql, bool row)
{
	enum db_outcome outcome;

	g->in_script = false;
	outcome = check_answers_of(g, db_tell(g->send->db, sql->data), sql);
	bytes_free(sql);
	g->sent.own_row = row && outcome == DB_ERROR;
	return outcome;
}

enum db_outcome
going_write_row(struct going *g, const char *before, enum history_progress progress, size_t done)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	bytes_str(&sql, before != NULL ? before : "");
	going_row_text(g, &sql, progress, done, NULL, true);
	outcome = going_tell_text(g, &sql, true);
	if (outcome == DB_ERROR && going_error_is(g, "42501") && !g->send->own_role) {
		db_rollback(g->send->db);
		g->send->own_role = true;
		return going_write_row(g, before, progress, done);
	}
	if (outcome == DB_OK) {
		g->rowed = true;
		g->finished = progress == HISTORY_FINISHED;
	}
	return outcome;
}

/*
 * A first statement that stands alone and failed has left nothing: then its row goes as well, and there is nothing to
 * resolve.  Where the role may not delete, the row stays and says so.
 */
static bool
take_row_back(struct going *g)
{
	struct bytes sql = { 0 };
	bool gone;

	if (g->done > 0 || g->sent.unsure || g->sent.leaves || g->step->row_id != NULL)
		return false;
	history_delete_sql(&sql, g->send->schema, g->id);
	gone = db_run_aside(g->send->db, sql.data);
	bytes_free(&sql);
	if (gone)
		g->rowed = g->sent.kept = false;
	return gone;
}

void
going_note_unfinished(struct going *g)
{
	struct bytes why = { 0 }, sql = { 0 };

	if (!g->rowed || g->finished || take_row_back(g))
		return;
	bytes_str(&why, g->sent.extra != NULL ? g->sent.extra
	        : g->sent.result.message != NULL ? g->sent.result.message : "it did not end");
	if (g->sent.extra == NULL && g->sent.result.sqlstate != NULL)
		bytes_format(&why, " [%s]", g->sent.result.sqlstate);
	going_row_text(g, &sql, g->sent.unsure || g->sent.leaves ? HISTORY_BEGINS_ALONE : HISTORY_GOES_ON, g->done, why.data,
	    true);
	db_run_aside(g->send->db, sql.data);
	bytes_free(&why);
	bytes_free(&sql);
}

/* --- sending parts of the script --- */

/* Statements that go as one message. */
struct part {
	size_t first, count;
	size_t start, end;   /* in the script */
};

static enum db_outcome
run_part(struct going *g, const struct part *part)
{
	struct bytes text = { 0 };
	enum db_outcome outcome;

	g->in_script = true;
	g->sent.own_row = false;
	g->first = part->first;
	g->running = part->count;
	g->ended = 0;
	g->offset = part->start;
	g->run_ms = clock_now_ms();
	progress_restart(g->send->progress);
	bytes_add(&text, g->step->sql + part->start, part->end - part->start);
	outcome = check_answers(g, db_run(g->send->db, text.data, &g->ended), part->count);
	bytes_free(&text);
	return outcome;
}

/*
 * A message is parsed whole before its first statement runs, so a large one costs the server many times its size, and
 * us two copies in libpq.  In parts of 64 KiB, 100 MB of INSERTs take three quarters of the time.  All of them are in one
 * transaction, and one message is what authors have tested, so only scripts that are large are sent so.
 */
enum { PART_FROM = 1 << 20, PART_BYTES = 1 << 16, PART_MAX = 1 << 24 };

/*
 * How large a part may be.  The wait between two is a round trip, so they are made twice as large as long as that takes
 * less than twice the time.  While a part is on its way we hold what we hold and cannot be cancelled, so none may take
 * more than a fraction of what others may wait.
 */
struct pace {
	size_t most;
	long long half_us; /* what a part of half the size took; 0: none was sent */
	bool settled;
};

static void
pace_after(struct pace *p, long long took_us, long long max_stall_ms)
{
	if (took_us > max_stall_ms * 500 && p->most > PART_BYTES) {
		p->most /= 2;
		p->settled = true;
	} else if (!p->settled && p->most < PART_MAX && took_us < max_stall_ms * 250 &&
	    (p->half_us == 0 || took_us * 10 < p->half_us * 17)) {
		p->half_us = took_us;
		p->most *= 2;
	} else {
		p->settled = true;
	}
}

/* Cuts count statements into parts; the caller frees them. */
static size_t
make_parts(struct going *g, size_t first, size_t count, struct part **parts)
{
	size_t n = 0, cap = 0, i, start, end, most;

	(void)going_statements(g);
	segment_bytes(&g->script, first, count, &start, &end);
	most = end - start > PART_FROM ? PART_BYTES : end - start;
	*parts = NULL;
	for (i = first; i < first + count; i++) {
		struct part *last = n > 0 ? &(*parts)[n - 1] : NULL;

		segment_bytes(&g->script, i, 1, &start, &end);
		if (last == NULL || end - last->start > most) {
			ARRAY_ROOM(*parts, n, cap);
			last = &(*parts)[n++];
			*last = (struct part){ .first = i, .start = start };
		}
		last->count++;
		last->end = end;
	}
	return n;
}

enum db_outcome
going_run(struct going *g, size_t first, size_t count)
{
	enum db_outcome outcome = DB_OK;
	struct pace pace = { .most = PART_BYTES };
	size_t n, i, more;
	struct part *parts;

	if (count == 0)
		return DB_OK;
	n = make_parts(g, first, count, &parts);
	if (first == 0 && count == g->script.count)
		forget_statements(g);
	for (i = 0; i < n && outcome == DB_OK; i = more) {
		long long began = clock_now_us();

		for (more = i + 1; more < n && parts[more].end - parts[i].start <= pace.most; more++) {
			parts[i].count += parts[more].count;
			parts[i].end = parts[more].end;
		}
		outcome = run_part(g, &parts[i]);
		pace_after(&pace, clock_now_us() - began, g->send->traffic.max_stall_ms);
		/* a cancel that came while the next part was on its way hit nothing: here it does, sent again */
		if (outcome == DB_OK && more < n && (g->send->traffic.verdict != TRAFFIC_FINE || signals_caught() != 0))
			outcome = db_run(g->send->db, "SELECT pg_catalog.pg_sleep(60)", NULL);
	}
	free(parts);
	return outcome;
}

/* --- what became of it --- */

enum { SETTLE_MS = 10000, AGAIN_MS = 250 };

/* One attempt: connects, where there is no connection, and asks for the lock. */
static bool
lock_again(struct send *s, struct db **db)
{
	struct answer *answer;
	bool locked = false;

	if (*db == NULL && (*db = db_open_quietly(s->source, "mig-apply", 0, NULL)) != NULL)
		db_let_go(*db);
	if (*db == NULL)
		return false;
	if (db_query(*db, &answer, history_try_lock_sql, 0, NULL) == DB_OK) {
		locked = answer_flag(answer, 0, 0);
		answer_free(answer);
	} else {
		db_close(*db);
		*db = NULL;
	}
	return locked;
}

bool
send_look_again(struct send *s, const char *migration, bool (*look)(struct db *db, void *context), void *context)
{
	long long now = clock_now_ms(), until = now + SETTLE_MS;
	struct db *db = NULL;
	char span[CLOCK_SPAN];
	bool seen = false;

	if (s->traffic.deadline_ms > until)
		until = s->traffic.deadline_ms;
	db_hang_up(s->db, "the connection was lost"); /* where it is open still, the server keeps its locks */
	message_info("the connection is lost; looking what became of %s, for %s at most", migration,
	    clock_span(until - now, span));
	while (!seen && clock_now_ms() < until && signals_caught() == 0) {
		if (lock_again(s, &db)) {
			seen = look(db, context);
			db_close(db);
			db = NULL;
		}
		if (!seen)
			clock_sleep_ms(AGAIN_MS);
	}
	db_close(db);
	return seen;
}

/* The row decides what became of the step. */
static bool
look_at_row(struct db *db, void *context)
{
	struct going *g = context;
	struct bytes sql = { 0 };
	struct answer *answer = NULL;
	const char *const parameters[] = { g->id };
	struct journal journal;
	bool seen;

	history_row_state_sql(&sql, g->send->schema);
	seen = db_query(db, &answer, sql.data, 1, parameters) == DB_OK;
	bytes_free(&sql);
	if (seen) {
		g->sent.kept = answer_rows(answer) > 0;
		g->sent.finished = g->sent.kept && answer_flag(answer, 0, 0);
		if (g->sent.kept && history_journal_read(answer_text(answer, 0, 1), &journal)) {
			g->done = journal.next - 1;
			g->sent.unsure = journal.begun;
			g->sent.statement = journal.next;
		}
	}
	answer_free(answer);
	return seen;
}

/* The connection went away, perhaps while committing. */
static void
settle(struct going *g)
{
	g->sent.outcome = SEND_LOST;
	g->sent.kept = g->rowed;
	g->sent.lost = xstrdup(db_error(g->send->db)->message);
	g->sent.known = send_look_again(g->send, g->step->migration, look_at_row, g);
}

static void
still_waiting(void *context)
{
	const struct going *g = context;
	const struct send *s = g->send;
	struct bytes note = { 0 };

	bytes_format(&note, "for %s, attempt %lld", s->traffic.waits.relation != NULL ? s->traffic.waits.relation : "a lock",
	    g->sent.result.attempts + 1);
	if (s->traffic.waits.count > 0) {
		bytes_str(&note, "; ");
		traffic_name_holder(&s->traffic.waits, &note);
	}
	progress_waiting(s->progress, g->step, clock_now_ms() - g->began_ms, s->traffic.deadline_ms - g->began_ms, note.data);
	bytes_free(&note);
}

/* A script may have set how long its session may be idle, as it is while we wait. */
static void
stay_while_idle(struct going *g)
{
	(void)going_statements(g);
	if (g->done > 0 && db_server_version_num(g->send->db) >= 140000 &&
	    session_may_set(g->step->sql, &g->script, "idle_session_timeout"))
		(void)db_run_aside(g->send->db, "SET idle_session_timeout = 0");
}

bool
going_pause(struct going *g)
{
	struct traffic *t = &g->send->traffic;
	long long now = clock_now_ms(), pause, until;

	if (now >= t->deadline_ms)
		return false;
	if (g->verdict == TRAFFIC_WAITED && g->lock_timeout_ms < t->max_stall_ms)
		g->tries = 0; /* several waits added up: each has to be short again */
	g->tries++;
	/* whom we see we can wait for; else each further attempt is a guess, and should be rarer */
	pause = patience_pause(t->waits.oid != NULL ? 1 : g->tries, randombytes_random());
	until = now + pause < t->deadline_ms ? now + pause : t->deadline_ms; /* one last attempt sees who is in the way */
	t->waited = true;
	stay_while_idle(g);
	message_verbose("%s: %s; pausing %lld ms", g->step->migration, g->sent.result.message, pause);
	while ((now = clock_now_ms()) < until && signals_caught() == 0) {
		still_waiting(g);
		clock_sleep_ms(until - now < 200 ? until - now : 200);
	}
	g->lock_timeout_ms = traffic_look_first(t, patience_lock_timeout(g->tries + 1, t->max_stall_ms), still_waiting, g);
	return signals_caught() == 0;
}

/* A statement_timeout that struck: what the script did not set itself is said to be whose it is. */
static void
name_timeout(struct going *g)
{
	struct result *r = &g->sent.result;
	struct answer *a;
	struct bytes hint = { 0 };

	if (r->sqlstate == NULL || !going_error_is(g, "57014") || is_ours(g) || r->hint != NULL)
		return;
	if (setting_origin(g->send->db, "statement_timeout", &a) != DB_OK) {
		going_note_error(g);
		return;
	}
	if (answer_rows(a) > 0 && clock_now_ms() - g->run_ms >= answer_number(a, 0, SETTING_NUMBER)) {
		bytes_format(&hint, "statement_timeout is %s here, %s; a script that needs longer begins with  "
		    "SET LOCAL statement_timeout = 0;", answer_text(a, 0, SETTING_VALUE), answer_text(a, 0, SETTING_BY));
		g->sent.advice = hint.data;
		r->hint = g->sent.advice;
	}
	answer_free(a);
}

/* A cause that is not in the file: a right that the role lacks, or the history table. */
static void
name_cause(struct going *g)
{
	struct result *r = &g->sent.result;
	enum db_outcome outcome = DB_OK;
	char *cause = NULL;

	if (r->sqlstate == NULL || g->sent.advice != NULL)
		return;
	if (g->sent.own_row && going_error_is(g, "25006"))
		cause = xstrdup("the script leaves its transaction read-only: take SET TRANSACTION READ ONLY, or "
		                "default_transaction_read_only, out of it");
	else if (g->sent.own_row)
		cause = cause_history(g->send->db, g->send->schema, &outcome);
	else if (going_error_is(g, "42501") && g->sent.statement > 0 && going_statements(g) != NULL)
		cause = cause_right(g->send->db, g->step->sql, &g->script, g->sent.statement - 1, &outcome);
	if (outcome != DB_OK) {
		going_note_error(g);
		return;
	}
	g->sent.advice = cause;
	if (r->hint == NULL)
		r->hint = cause;
}

bool
going_give_up(struct going *g, enum db_outcome outcome)
{
	g->verdict = traffic_ended(&g->send->traffic);
	switch (outcome) {
	case DB_OK:
		return false;
	case DB_LOST:
		going_note_error(g);
		settle(g);
		return true;
	case DB_STOPPED:
		forget_texts(g);
		g->sent.outcome = SEND_STOPPED;
		g->sent.statement = g->in_script ? going_running(g) + 1 : 0;
		g->sent.result.sqlstate = g->sent.result.message = NULL;
		g->sent.result.detail = g->sent.result.hint = NULL;
		g->sent.extra = xstrdup("stopped by a signal");
		break;
	case DB_ERROR:
		going_note_error(g);
		g->sent.outcome = SEND_FAILED;
		break;
	}
	db_rollback(g->send->db);
	if (outcome == DB_ERROR) {
		name_timeout(g);
		name_cause(g);
	}
	g->sent.kept = g->rowed;
	return true;
}
