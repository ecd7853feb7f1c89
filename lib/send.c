#include "send.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "history.h"
#include "aim.h"
#include "index.h"
#include "message.h"
#include "mig.h"
#include "patience.h"
#include "segment.h"
#include "remedy.h"
#include "signals.h"

/* How long a statement may take, in ms and as people write it, and who said so: of what the session has from outside. */
static const char timeout_sql[] =
    "SELECT setting, pg_catalog.current_setting(name), CASE source WHEN 'user' THEN 'by ALTER ROLE ' || quote_ident(session_user) "
    "WHEN 'database' THEN 'by ALTER DATABASE ' || quote_ident(current_database()) WHEN 'database user' THEN 'by ALTER ROLE ' "
    "|| quote_ident(session_user) || ' IN DATABASE ' || quote_ident(current_database()) WHEN 'global' THEN 'by ALTER ROLE ALL' "
    "WHEN 'configuration file' THEN 'by the configuration of the server' ELSE 'by the session (' || source || ')' END "
    "FROM pg_catalog.pg_settings WHERE name = 'statement_timeout' AND setting <> '0'";

/* A step under way. */
struct going {
	struct send *send;
	const struct step *step;
	struct sql_script script;
	struct segments segments;
	struct sent sent;
	char id[HISTORY_ID];
	bool rowed;              /* the row is committed */
	bool finished;           /* and finished */
	size_t done;             /* statements behind which we are: committed, or rolled back by the script itself */
	bool in_script;          /* a part of the script is running: */
	size_t first, running;   /*   its first statement, and how many they are, */
	size_t ended;            /*   and how many of them the server has finished */
	size_t offset;           /*   where the text that was sent begins in the script */
	long long round_trip_us; /* to the server, about */
	long long began_ms;      /* of the step, */
	long long run_ms;        /* and of what was sent last */
	unsigned tries;          /* since a short lock_timeout was begun with (again) */
	long long lock_timeout_ms; /* of the next attempt */
	enum traffic_verdict verdict; /* of the last one */
	bool unlimited;          /* lock_timeout and statement_timeout are off, for a statement that stands alone */
	bool rebuilt;            /* an index that was in the way and not valid was removed */
	char *texts[4];          /* own what the result says, where the error has to go before it */
	long long deadlocked_ms; /* when a statement that stands alone was first a deadlock's victim; 0: not yet */
};

/*
 * The statements of a script.  While the whole of it runs they are given back (of a million they take half as much
 * memory as the text), and found again when they are needed.
 */
static const struct sql_statement *
statements(struct going *g)
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
running_statement(const struct going *g)
{
	return g->first + g->ended;
}

static void
on_tick(void *context, long long ms)
{
	struct going *g = context;
	struct bytes note = { 0 };

	traffic_tick(&g->send->traffic);
	if (g->in_script && (g->running != 1 || statements(g) != NULL))
		progress_statements(&note, g->step->sql, &g->script, g->first, g->running);
	traffic_note(&g->send->traffic, &note);
	progress_running(g->send->progress, g->step, ms, bytes_text(&note));
	bytes_free(&note);
}

static void
on_notice(void *context, const struct db_message *message)
{
	const struct going *g = context;

	/* 25001, 25P01: "there is already a transaction", "... no transaction": of BEGIN and COMMIT beside ours */
	if (g->in_script && strcmp(message->sqlstate, "25001") != 0 && strcmp(message->sqlstate, "25P01") != 0)
		message_info("%s: %s: %s", g->step->migration, message->severity, message->text);
}

/* --- errors --- */

static bool
error_is(const struct going *g, const char *sqlstate)
{
	return strcmp(db_error(g->send->db)->sqlstate, sqlstate) == 0;
}

/* Whether it was cancelled, and by us. */
static bool
is_ours(const struct going *g)
{
	return g->verdict != TRAFFIC_FINE && error_is(g, "57014");
}

/* Whether the same may work when it is tried again. */
static bool
is_busy(const struct going *g)
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
		    remedy_of(g->step->sql, g->sent.statement > 0 ? &statements(g)[g->sent.statement - 1] : NULL),
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
	size_t len = strlen(sql), at = len;
	struct result *r = &g->sent.result;

	r->line = r->column = RECORD_NULL;
	g->sent.statement = 0;
	g->sent.place = (struct sql_place){ 0 };
	if (!g->in_script)
		return;
	if (running_statement(g) < g->script.count) {
		g->sent.statement = running_statement(g) + 1;
		at = statements(g)[g->sent.statement - 1].start;
	}
	if (position > 0)
		at = g->offset + utf8_offset(sql + g->offset, len - g->offset, position - 1);
	if (at < len || position > 0) {
		g->sent.place = sql_place(sql, len, at);
		r->line = (long long)g->sent.place.line;
		r->column = (long long)g->sent.place.column;
	}
}

static void
note_error(struct going *g)
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
}

/* --- the row and its journal --- */

/*
 * Text that brings the row up to date: `done` statements lie behind, `why` (or NULL) says why it stops there.
 * `alone`: it is no part of a transaction that is open.
 */
static void
row_text(struct going *g, struct bytes *out, enum history_progress progress, size_t done, const char *why, bool alone)
{
	struct history_entry entry = { .id = g->id,
		.migration = g->step->migration,
		.checksum = g->step->checksum,
		.progress = progress,
		.done = done,
		.count = g->script.count,
		.behind = done > 0 && progress != HISTORY_FINISHED ? statements(g)[done - 1].end : 0,
		.text = g->step->sql,
		.why = why,
		.exists = g->rowed,
		.own_role = g->send->own_role,
		.alone = alone };

	history_entry_sql(out, g->send->schema, &entry);
}

static enum db_outcome
run_text(struct going *g, struct bytes *sql)
{
	enum db_outcome outcome;

	g->in_script = false;
	outcome = db_run(g->send->db, sql->data, NULL);
	bytes_free(sql);
	return outcome;
}

/* `before`: statements in the same message, ends in a semicolon; or NULL. */
static enum db_outcome
write_row(struct going *g, const char *before, enum history_progress progress, size_t done)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	bytes_str(&sql, before != NULL ? before : "");
	row_text(g, &sql, progress, done, NULL, true);
	outcome = run_text(g, &sql);
	if (outcome == DB_ERROR && error_is(g, "42501") && !g->send->own_role) {
		db_rollback(g->send->db);
		g->send->own_role = true;
		return write_row(g, before, progress, done);
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

/* Notes why the row stays unfinished.  The error must outlive this: db_run_aside() keeps it. */
static void
note_unfinished(struct going *g)
{
	struct bytes why = { 0 }, sql = { 0 };

	if (!g->rowed || g->finished || take_row_back(g))
		return;
	bytes_str(&why, g->sent.extra != NULL ? g->sent.extra : db_error(g->send->db)->message);
	if (g->sent.extra == NULL && g->sent.result.sqlstate != NULL)
		bytes_format(&why, " [%s]", g->sent.result.sqlstate);
	row_text(g, &sql, g->sent.unsure || g->sent.leaves ? HISTORY_BEGINS_ALONE : HISTORY_GOES_ON, g->done, why.data,
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
	g->first = part->first;
	g->running = part->count;
	g->ended = 0;
	g->offset = part->start;
	g->run_ms = clock_now_ms();
	progress_restart(g->send->progress);
	bytes_add(&text, g->step->sql + part->start, part->end - part->start);
	outcome = db_run(g->send->db, text.data, &g->ended);
	bytes_free(&text);
	return outcome;
}

/*
 * A message is parsed whole before its first statement runs, so a large one costs the server many times its size, and
 * us two copies in libpq.  In parts of 64 KiB, 100 MB of INSERTs take three quarters of the time; the wait between two
 * parts is a round trip, so the farther away the server is, the larger they are.  All of them are in one transaction, and
 * one message is what authors have tested, so only scripts that are large are sent so.
 */
enum { PART_FROM = 1 << 20, PART_BYTES = 1 << 16, PART_BYTES_A_US = 1 << 7, PART_MAX = 1 << 24 };

static size_t
part_bytes(const struct going *g, size_t all)
{
	long long bytes = PART_BYTES + g->round_trip_us * PART_BYTES_A_US;

	if (all <= PART_FROM)
		return all;
	return bytes < PART_MAX ? (size_t)bytes : PART_MAX;
}

/* Cuts count statements into parts; the caller frees them. */
static size_t
make_parts(struct going *g, size_t first, size_t count, struct part **parts)
{
	size_t n = 0, cap = 0, i, start, end, most;

	(void)statements(g);
	segment_bytes(&g->script, first, count, &start, &end);
	most = part_bytes(g, end - start);
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

/* Statements first to first + count. */
static enum db_outcome
run_statements(struct going *g, size_t first, size_t count)
{
	enum db_outcome outcome = DB_OK;
	struct part *parts;
	size_t n, i;

	if (count == 0)
		return DB_OK;
	n = make_parts(g, first, count, &parts);
	if (first == 0 && count == g->script.count)
		forget_statements(g);
	for (i = 0; i < n && outcome == DB_OK; i++)
		outcome = run_part(g, &parts[i]);
	free(parts);
	return outcome;
}

static enum db_outcome
begin(struct going *g)
{
	struct bytes sql = { 0 }, name = { 0 };
	long long began = clock_now_us();
	enum db_outcome outcome;

	g->sent.result.attempts++;
	traffic_attempt(&g->send->traffic, true);
	bytes_str(&sql, "BEGIN; ");
	traffic_displace(&g->send->traffic, &sql);
	bytes_format(&sql, "SET LOCAL lock_timeout = %lld; SET LOCAL application_name = ", g->lock_timeout_ms);
	bytes_format(&name, "mig-apply %s", g->step->migration);
	bytes_sql_text(&sql, name.data);
	bytes_free(&name);
	outcome = run_text(g, &sql);
	g->round_trip_us = clock_now_us() - began; /* there was nothing to do */
	return outcome;
}

/*
 * A transaction of ours, or one that ends by the script's own COMMIT: the row's text goes in front of it.
 * `last`: the row is finished with it.
 */
static enum db_outcome
commit_segment(struct going *g, const struct segment *s, bool last)
{
	size_t behind = s->first + s->count, start, end;
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	row_text(g, &sql, last ? HISTORY_FINISHED : HISTORY_GOES_ON, behind, NULL, false);
	if (s->kind == SEGMENT_TOGETHER) {
		bytes_str(&sql, "; COMMIT");
	} else {
		(void)statements(g);
		segment_bytes(&g->script, behind - 1, 1, &start, &end);
		bytes_str(&sql, "; ");
		bytes_add(&sql, g->step->sql + start, end - start);
	}
	outcome = run_text(g, &sql);
	if (outcome == DB_OK) {
		g->rowed = true;
		g->finished = last;
	}
	return outcome;
}

static enum db_outcome
try_transaction(struct going *g, const struct segment *s, bool last)
{
	bool ours = s->kind == SEGMENT_TOGETHER, carries = ours || s->kind == SEGMENT_COMMIT;
	enum db_outcome outcome = begin(g);

	if (outcome == DB_ERROR) /* only an autovacuum that is to make way can be in the way of this */
		g->send->traffic.stubborn = true;
	if (outcome == DB_OK)
		outcome = run_statements(g, s->first, s->count - (s->kind == SEGMENT_COMMIT));
	if (outcome == DB_OK && carries)
		outcome = commit_segment(g, s, last);
	/* a script's own ROLLBACK leaves nothing to record; PREPARE TRANSACTION would hide the row */
	if (outcome == DB_OK && s->kind == SEGMENT_PREPARE)
		outcome = write_row(g, NULL, last ? HISTORY_FINISHED : HISTORY_GOES_ON, s->first + s->count);
	return outcome;
}

/* --- what became of it --- */

enum { SETTLE_MS = 30000 };

struct db *
send_connect_again(struct send *s)
{
	long long until = clock_now_ms() + SETTLE_MS;
	struct db *db = NULL;
	struct answer *answer;
	bool locked = false;

	while (!locked && clock_now_ms() < until && signals_caught() == 0) {
		if (db == NULL && (db = db_open_quietly(s->source, "mig-apply", 0)) == NULL) {
			clock_sleep_ms(500);
			continue;
		}
		if (db_query(db, &answer, history_try_lock_sql, 0, NULL) != DB_OK) {
			db_close(db);
			db = NULL;
			continue;
		}
		locked = answer_flag(answer, 0, 0);
		answer_free(answer);
		if (!locked)
			clock_sleep_ms(200);
	}
	if (locked)
		return db;
	db_close(db);
	return NULL;
}

/* The connection went away, perhaps while committing.  The row decides what became of the step. */
static void
settle(struct going *g)
{
	struct bytes sql = { 0 };
	struct db *db;
	struct answer *answer = NULL;
	const char *const parameters[] = { g->id };
	struct journal journal;

	g->sent.outcome = SEND_LOST;
	g->sent.kept = g->rowed;
	g->sent.lost = xstrdup(db_error(g->send->db)->message);
	message_verbose("the connection is lost; looking what became of %s", g->step->migration);
	if ((db = send_connect_again(g->send)) == NULL)
		return;
	history_row_state_sql(&sql, g->send->schema);
	if (db_query(db, &answer, sql.data, 1, parameters) == DB_OK) {
		g->sent.known = true;
		g->sent.kept = answer_rows(answer) > 0;
		g->sent.finished = g->sent.kept && answer_flag(answer, 0, 0);
		if (g->sent.kept && history_journal_read(answer_text(answer, 0, 1), &journal)) {
			g->done = journal.next - 1;
			g->sent.unsure = journal.begun;
			g->sent.statement = journal.next;
		}
	}
	answer_free(answer);
	bytes_free(&sql);
	db_close(db);
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
	progress_waiting(s->progress, g->step, clock_now_ms() - g->began_ms, note.data);
	bytes_free(&note);
}

/*
 * Pauses after a failed attempt, and then until nobody is in the way who would outlast the next one; false when the
 * deadline would pass, or a signal came.
 */
static bool
pause_before_next(struct going *g)
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

	if (r->sqlstate == NULL || !error_is(g, "57014") || is_ours(g) || r->hint != NULL)
		return;
	if (db_query(g->send->db, &a, timeout_sql, 0, NULL) != DB_OK) {
		note_error(g);
		return;
	}
	if (answer_rows(a) > 0 && clock_now_ms() - g->run_ms >= answer_number(a, 0, 0)) {
		bytes_format(&hint, "statement_timeout is %s here, %s; a script that needs longer begins with  "
		    "SET LOCAL statement_timeout = 0;", answer_text(a, 0, 1), answer_text(a, 0, 2));
		g->sent.advice = hint.data;
		r->hint = g->sent.advice;
	}
	answer_free(a);
}

/* Whatever ends a step before its end, but for a table that is busy and may be tried again. */
static bool
give_up(struct going *g, enum db_outcome outcome)
{
	g->verdict = traffic_ended(&g->send->traffic);
	switch (outcome) {
	case DB_OK:
		return false;
	case DB_LOST:
		note_error(g);
		settle(g);
		return true;
	case DB_STOPPED:
		forget_texts(g);
		g->sent.outcome = SEND_STOPPED;
		g->sent.statement = g->in_script ? running_statement(g) + 1 : 0;
		g->sent.result.sqlstate = g->sent.result.message = NULL;
		g->sent.result.detail = g->sent.result.hint = NULL;
		g->sent.extra = xstrdup("stopped by a signal");
		break;
	case DB_ERROR:
		note_error(g);
		g->sent.outcome = SEND_FAILED;
		break;
	}
	db_rollback(g->send->db);
	if (outcome == DB_ERROR)
		name_timeout(g);
	g->sent.kept = g->rowed;
	return true;
}

/* --- segments --- */

static bool run_one_by_one(struct going *g, const struct segment *s, bool last);

/* Errors of statements that could not be together, or not inside a transaction. */
static bool
wants_to_be_alone(const struct going *g)
{
	return error_is(g, "25001") || error_is(g, "2D000") || error_is(g, "55P04");
}

/* The text in front of ours failed: there is an autovacuum that we may not displace, so it is waited for. */
static bool
must_not_displace(const struct going *g)
{
	return g->send->traffic.stubborn && g->send->traffic.yields[0] != '\0' && !is_busy(g);
}

static bool
run_transaction(struct going *g, const struct segment *s, bool last)
{
	for (;;) {
		long long began = clock_now_ms();
		enum db_outcome outcome = try_transaction(g, s, last);
		bool in_script = g->in_script;

		g->verdict = traffic_ended(&g->send->traffic);
		if (outcome == DB_OK)
			return true;
		if (outcome == DB_ERROR && must_not_displace(g)) {
			db_rollback(g->send->db);
			g->send->traffic.yields[0] = '\0';
			continue;
		}
		if (outcome == DB_ERROR && !in_script && error_is(g, "42501") && !g->send->own_role) {
			db_rollback(g->send->db);
			g->send->own_role = true; /* the script changed the role; the row is written as ourselves */
			continue;
		}
		if (outcome == DB_ERROR && in_script && !s->block && s->kind == SEGMENT_TOGETHER && wants_to_be_alone(g)) {
			db_rollback(g->send->db);
			return run_one_by_one(g, s, last);
		}
		if (give_up(g, outcome) && (outcome != DB_ERROR || !is_busy(g)))
			return false;
		if (!pause_before_next(g)) {
			g->sent.outcome = signals_caught() != 0 ? SEND_STOPPED : SEND_BUSY;
			return false;
		}
		g->sent.result.waited_ms += clock_now_ms() - began;
	}
}

/* Whether our row still waits for the statement `at`: then nobody has deployed anything in between. */
static bool
is_where_we_left_it(struct going *g, size_t at)
{
	const char *const parameters[] = { g->id };
	struct bytes sql = { 0 };
	struct answer *answer = NULL;
	struct journal journal;
	bool same;

	history_row_state_sql(&sql, g->send->schema);
	same = db_query(g->send->db, &answer, sql.data, 1, parameters) == DB_OK && answer_rows(answer) == 1 &&
	    !answer_flag(answer, 0, 0) && history_journal_read(answer_text(answer, 0, 1), &journal) &&
	    journal.next == at + 1;
	answer_free(answer);
	bytes_free(&sql);
	return same;
}

enum { OTHERS_WAIT_MS = 11000 };

/*
 * Who waits for the deploy lock inside pg_advisory_lock(), as Prisma does, has a snapshot for which CREATE INDEX
 * CONCURRENTLY waits, and we are the deadlock's victim each time.  Prisma gives up after 10 s, but its session goes on
 * waiting until it gets the lock.  So after that time it is let through: nobody can deploy past our unfinished row.
 */
static bool
let_others_through(struct going *g, size_t at)
{
	struct send *s = g->send;
	bool locked = false, finished = g->finished;

	if (g->deadlocked_ms == 0)
		g->deadlocked_ms = clock_now_ms();
	if (!error_is(g, "40P01") || clock_now_ms() - g->deadlocked_ms < OTHERS_WAIT_MS)
		return true;
	message_verbose("%s: giving the deploy lock to who waits for it", g->step->migration);
	if (!db_run_aside(s->db, history_unlock_sql))
		return false;
	g->finished = true; /* without the lock the row is not ours to write: another run may go on with it */
	while (!locked && clock_now_ms() < s->traffic.deadline_ms && signals_caught() == 0) {
		struct answer *answer;

		clock_sleep_ms(200);
		if (db_query(s->db, &answer, history_try_lock_sql, 0, NULL) != DB_OK)
			return false;
		locked = answer_flag(answer, 0, 0);
		answer_free(answer);
	}
	if (!locked || !is_where_we_left_it(g, at))
		return false;
	g->finished = finished;
	return true;
}

/* --- limits --- */

/*
 * A time-out would end the waits of a statement that stands alone, which keep nobody waiting, and leave half an index.  What was
 * set for the session is kept in it, and comes back behind the statement.
 */
static const char limits_off[] =
    "SELECT pg_catalog.set_config('mig.' || n, pg_catalog.current_setting(n), false), pg_catalog.set_config(n, '0', false) "
    "FROM (VALUES ('lock_timeout'), ('statement_timeout')) v(n);";
static const char limits_on[] =
    "SELECT pg_catalog.set_config(n, coalesce(nullif(pg_catalog.current_setting('mig.' || n, true), ''), "
    "pg_catalog.current_setting(n)), false) FROM (VALUES ('lock_timeout'), ('statement_timeout')) v(n);";

/* In front of the row that is written next; or NULL: they are off already. */
static const char *
limits_to_lift(struct going *g)
{
	if (g->unlimited)
		return NULL;
	g->unlimited = true;
	message_verbose("%s: lock_timeout and statement_timeout are off for a statement that stands alone; its waits are watched",
	    g->step->migration);
	return limits_off;
}

/* For work before the statement: what it left, or what stands in its way, is removed. */
static void
lift_limits(struct going *g)
{
	const char *sql = limits_to_lift(g);

	if (sql != NULL)
		(void)db_run_aside(g->send->db, sql);
}

/* --- one statement --- */

static enum index_found
settle_index(struct going *g, size_t at)
{
	struct aim aim = aim_of(g->step->sql, &statements(g)[at]);
	enum index_found found;

	g->in_script = false;
	traffic_attempt(&g->send->traffic, !g->unlimited);
	found = index_settle(g->send->db, &aim);
	(void)traffic_ended(&g->send->traffic);
	if (found == INDEX_REMOVED)
		message_verbose("%s: an index that was not valid is removed", g->step->migration);
	aim_free(&aim);
	return found;
}

/* The row behind the statement, together with the demand that what was built is valid. */
static enum db_outcome
write_row_behind(struct going *g, size_t at, bool last, bool demand)
{
	struct bytes before = { 0 };
	struct aim aim = aim_of(g->step->sql, &statements(g)[at]);
	enum db_outcome outcome;

	bytes_str(&before, limits_on);
	if (demand)
		index_demand_sql(&before, &aim);
	outcome = write_row(g, before.data, last ? HISTORY_FINISHED : HISTORY_GOES_ON, at + 1);
	if (outcome == DB_OK)
		g->unlimited = false;
	aim_free(&aim);
	bytes_free(&before);
	return outcome;
}

/* That it begins is noted before, since its end cannot be noted with it. */
static enum db_outcome
try_alone(struct going *g, size_t at, bool last)
{
	bool demand = !g->rebuilt;
	enum db_outcome outcome = write_row(g, limits_to_lift(g), HISTORY_BEGINS_ALONE, at);

	g->sent.result.attempts++;
	traffic_attempt(&g->send->traffic, false);
	if (outcome == DB_OK) {
		g->sent.unsure = true;
		outcome = run_statements(g, at, 1);
	}
	if (outcome == DB_ERROR)
		g->sent.unsure = false; /* the server says that it did not happen */
	if (outcome != DB_OK)
		return outcome;
	outcome = write_row_behind(g, at, last, demand);
	if (outcome == DB_ERROR && demand) {
		g->rebuilt = true; /* IF NOT EXISTS passed over a carcass; or nothing is found, and the server's word is taken */
		db_rollback(g->send->db);
		if (settle_index(g, at) == INDEX_REMOVED)
			return try_alone(g, at, last);
		outcome = write_row_behind(g, at, last, false);
	}
	g->sent.unsure = outcome != DB_OK;
	return outcome;
}

/* Whether an index that is not valid was in the way of a build (42P07), and is removed now. */
static bool
carcass_removed(struct going *g, size_t at)
{
	bool removed;

	if (g->rebuilt || !g->in_script || !error_is(g, "42P07"))
		return false;
	g->rebuilt = true;
	removed = settle_index(g, at) == INDEX_REMOVED;
	g->in_script = true;
	return removed;
}

/* A build that failed leaves an invalid index; but not where there was one of that name before. */
static bool
leaves_an_index(struct going *g, size_t at)
{
	struct aim aim = aim_of(g->step->sql, &statements(g)[at]);

	aim_free(&aim);
	return aim.act == AIM_REINDEX || (aim.act == AIM_CREATE_INDEX && !error_is(g, "42P07"));
}

/* What the result says is the error's, which what follows may overwrite. */
static void
own_texts(struct going *g)
{
	struct result *r = &g->sent.result;
	const char **texts[] = { &r->sqlstate, &r->message, &r->detail, &r->hint };
	size_t i;

	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		char *copy = *texts[i] != NULL ? xstrdup(*texts[i]) : NULL;

		free(g->texts[i]);
		*texts[i] = g->texts[i] = copy;
	}
	g->sent.context = NULL;
}

/* It is not tried again: what it left is removed there and then, if that takes no longer than a moment. */
static void
clean_up(struct going *g, size_t at)
{
	struct sql_place place = g->sent.place;
	size_t statement = g->sent.statement;
	enum index_found found;

	if (!leaves_an_index(g, at))
		return;
	own_texts(g);
	g->sent.leaves = true;
	if (!db_run_aside(g->send->db, "SET lock_timeout = '1s'"))
		return;
	g->unlimited = false;
	found = settle_index(g, at);
	g->sent.leaves = found != INDEX_AGAIN && found != INDEX_REMOVED;
	g->sent.place = place;
	g->sent.statement = statement;
}

/*
 * A deadlock was broken, or others had to wait: what the statement left is put right before it is tried again, as after
 * a run that was cut off.
 */
static bool
ready_to_try_again(struct going *g, size_t at, bool last, bool *settled)
{
	enum index_found found;

	g->sent.outcome = SEND_BUSY;
	if (!let_others_through(g, at) || !pause_before_next(g)) {
		if (signals_caught() != 0)
			g->sent.outcome = SEND_STOPPED;
		return false;
	}
	while ((found = settle_index(g, at)) == INDEX_BEING_BUILT)
		if (!pause_before_next(g))
			return false;
	*settled = found == INDEX_ENDED;
	if (found == INDEX_ERROR)
		return !give_up(g, DB_ERROR);
	return !*settled || !give_up(g, write_row_behind(g, at, last, false));
}

static bool
run_alone(struct going *g, size_t at, bool last)
{
	bool settled = false;

	g->rebuilt = false;
	while (!settled) {
		long long began = clock_now_ms();
		enum db_outcome outcome = try_alone(g, at, last);

		g->verdict = traffic_ended(&g->send->traffic);
		if (outcome == DB_ERROR && carcass_removed(g, at))
			continue;
		if (!give_up(g, outcome))
			return true;
		if (outcome != DB_ERROR)
			return false;
		if (!is_busy(g) || !ready_to_try_again(g, at, last, &settled)) {
			clean_up(g, at);
			return false;
		}
		g->sent.result.waited_ms += clock_now_ms() - began;
	}
	return true;
}

/*
 * A segment that cannot be one transaction after all: each statement in one of its own, with the journal; outside of
 * any where that is what it wants.
 */
static bool
run_one_by_one(struct going *g, const struct segment *s, bool last)
{
	size_t i;

	for (i = s->first; i < s->first + s->count; i++) {
		struct segment one = { .kind = SEGMENT_TOGETHER, .first = i, .count = 1, .block = true };
		bool end = last && i + 1 == s->first + s->count;

		if (!run_transaction(g, &one, end)) {
			if (g->sent.outcome != SEND_FAILED || (!error_is(g, "25001") && !error_is(g, "2D000")))
				return false;
			if (!run_alone(g, i, end))
				return false;
		}
		g->done = i + 1;
	}
	return true;
}

/* A statement that had begun when an earlier run was cut off: what it left is looked at, and put right. */
static bool
settled_before(struct going *g, size_t at, bool last, bool *gone_wrong)
{
	enum index_found found;
	bool settled;

	lift_limits(g);
	found = settle_index(g, at);
	settled = found == INDEX_ENDED;
	*gone_wrong = found == INDEX_ERROR && give_up(g, DB_ERROR);
	if (settled)
		*gone_wrong = give_up(g, write_row_behind(g, at, last, false));
	return settled || *gone_wrong;
}

static bool
run_segment(struct going *g, const struct segment *s, bool last)
{
	bool wrong;

	if (s->kind != SEGMENT_ALONE)
		return run_transaction(g, s, last);
	if (g->step->resume_begun && (long long)s->first + 1 == g->step->resume_at &&
	    settled_before(g, s->first, last, &wrong))
		return !wrong;
	return run_alone(g, s->first, last);
}

static void
run_segments(struct going *g)
{
	size_t i;

	for (i = 0; i < g->segments.count; i++) {
		struct segment s = g->segments.list[i];
		size_t behind = s.first + s.count;

		if (behind <= g->done)
			continue;
		if (s.first < g->done) { /* an earlier run went through it statement by statement */
			s.count = behind - g->done;
			s.first = g->done;
		}
		if (signals_caught() != 0 && g->rowed) {
			(void)give_up(g, DB_STOPPED);
			return;
		}
		if (!run_segment(g, &s, i + 1 == g->segments.count))
			return;
		g->done = behind;
	}
	if (db_transaction(g->send->db) != DB_IDLE) {
		g->sent.extra = xstrdup("the script leaves its last transaction open; what that did was rolled back");
		g->sent.outcome = SEND_FAILED;
		g->sent.result.message = g->sent.extra;
		g->sent.kept = g->rowed;
		db_rollback(g->send->db);
		return;
	}
	if (!g->finished && give_up(g, write_row(g, NULL, HISTORY_FINISHED, g->script.count)))
		return;
	g->sent.outcome = SEND_APPLIED;
}

/* --- a step --- */

static struct result
first_result(const struct step *step)
{
	return (struct result){ .step = step->step,
		.migration = step->migration,
		.status = STATUS_NOT_STARTED,
		.statement_count = step->statement_count,
		.worst_stall_ms = RECORD_NULL,
		.line = RECORD_NULL,
		.column = RECORD_NULL };
}

/* Who was waited for, in texts of the step's own. */
static void
note_waits(struct going *g)
{
	const struct waits *waits = &g->send->traffic.waits;
	struct bytes session = { 0 };

	if (waits->count == 0)
		return;
	traffic_name_holder(waits, &session);
	g->sent.waited_session = session.data;
	g->sent.waited_for = waits->relation != NULL ? xstrdup(waits->relation) : NULL;
	g->sent.result.waited_for = g->sent.waited_for;
	g->sent.result.waited_session = g->sent.waited_session;
}

static void
close_result(struct going *g)
{
	struct result *r = &g->sent.result;

	r->took_ms = clock_now_ms() - g->began_ms;
	r->status = g->sent.outcome == SEND_BUSY ? STATUS_DEFERRED : STATUS_FAILED;
	r->statements_done = (long long)(g->sent.kept ? g->done : 0);
	g->sent.done = g->sent.kept ? g->done : 0;
	if (g->sent.outcome == SEND_APPLIED || g->sent.finished) {
		r->status = g->step->sql != NULL ? STATUS_APPLIED : STATUS_MARKED;
		r->statements_done = (long long)g->script.count;
		r->sqlstate = r->message = r->detail = r->hint = NULL;
		r->line = r->column = RECORD_NULL;
	}
}

/* It was cancelled for good when it was sent ahead; the error is still that one. */
static void
fail_overdue(struct going *g)
{
	g->in_script = true;
	g->first = g->send->ahead.overdue - 1;
	g->verdict = TRAFFIC_HELD;
	note_error(g);
	g->sent.outcome = SEND_FAILED;
}

struct sent
send_step(struct send *send, const struct step *step)
{
	struct going g = { .send = send, .step = step, .began_ms = clock_now_ms() };
	struct db_hooks hooks = { on_tick, on_notice, &g };

	g.sent.result = first_result(step);
	g.script = sql_split(step->sql, strlen(step->sql));
	g.segments = segments_of(step->sql, &g.script);
	history_new_id(g.id);
	progress_step(send->progress);
	traffic_step(&send->traffic, step->migration);
	g.sent.result.attempts = (long long)send->ahead.attempts;
	g.tries = (unsigned)send->ahead.attempts;
	if (g.tries > 0) {
		g.began_ms -= send->ahead.took_ms;
		g.sent.result.waited_ms = send->ahead.overdue > 0 ? 0 : send->ahead.took_ms;
		send->traffic.worst_ms = send->ahead.worst_ms;
		send->traffic.waited = true;
	}
	g.lock_timeout_ms = patience_lock_timeout(g.tries + 1, send->traffic.max_stall_ms);
	if (step->row_id != NULL) {
		bytes_copy(g.id, sizeof g.id, step->row_id);
		g.rowed = true;
		g.done = (size_t)step->resume_at - 1;
	}
	db_hooks(send->db, &hooks);
	if (send->ahead.overdue > 0)
		fail_overdue(&g);
	else
		run_segments(&g);
	db_hooks(send->db, NULL);
	send->ahead = (struct sent_ahead){ 0 };
	if (g.sent.outcome != SEND_APPLIED && g.sent.outcome != SEND_LOST)
		note_unfinished(&g);
	g.sent.result.worst_stall_ms = send->traffic.worst_ms;
	if (g.sent.result.waited_ms > 0 || g.sent.outcome == SEND_BUSY)
		note_waits(&g);
	close_result(&g);
	memcpy(g.sent.texts, g.texts, sizeof g.texts);
	segments_free(&g.segments);
	sql_script_free(&g.script);
	return g.sent;
}

struct sent
send_mark(struct send *send, const struct step *step)
{
	struct going g = { .send = send, .step = step, .began_ms = clock_now_ms() };
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	g.sent.result = first_result(step);
	g.sent.result.attempts = 1;
	history_new_id(g.id);
	bytes_str(&sql, "BEGIN; ");
	if (strcmp(step->action, ACTION_MARK_APPLIED) == 0)
		history_mark_applied_sql(&sql, send->schema, g.id, step->migration, step->checksum);
	else
		history_mark_rolled_back_sql(&sql, send->schema, step->migration);
	bytes_str(&sql, "; COMMIT");
	outcome = run_text(&g, &sql);
	if (outcome != DB_OK) {
		g.sent.outcome = outcome == DB_STOPPED ? SEND_STOPPED : outcome == DB_LOST ? SEND_LOST : SEND_FAILED;
		if (outcome == DB_ERROR) {
			g.sent.result.sqlstate = db_error(send->db)->sqlstate;
			g.sent.result.message = db_error(send->db)->message;
		}
		db_rollback(send->db);
	}
	close_result(&g);
	return g.sent;
}

void
sent_free(struct sent *sent)
{
	size_t i;

	for (i = 0; i < sizeof sent->texts / sizeof *sent->texts; i++)
		free(sent->texts[i]);
	free(sent->extra);
	free(sent->advice);
	free(sent->waited_for);
	free(sent->waited_session);
	free(sent->lost);
	*sent = (struct sent){ 0 };
}

/* --- the session between steps --- */

/* 1, 0, or -1 with the error said. */
static int
ask_flag(struct send *send, const char *sql)
{
	struct answer *answer;
	enum db_outcome outcome = db_query(send->db, &answer, sql, 0, NULL);
	int flag;

	if (outcome != DB_OK) {
		(void)db_say(send->db, outcome, "look at the session");
		return -1;
	}
	flag = answer_flag(answer, 0, 0);
	answer_free(answer);
	return flag;
}

static int
mend_lock(struct send *send, const struct step *step)
{
	int held = ask_flag(send, history_lock_held_sql);

	if (held == 0) {
		held = ask_flag(send, history_try_lock_sql);
		if (held == 1)
			message_warning("%s gave the deploy lock away; it was taken again", step->migration);
	}
	if (held == 1)
		return 0;
	if (held < 0)
		return message_code();
	return message_error(MIG_BUSY, "%s gave the deploy lock away, and another deployer has it now", step->migration);
}

static int
mend_search_path(struct send *send, const struct target *target, const struct step *step)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	int resolves;

	history_resolves_sql(&sql, send->schema);
	resolves = ask_flag(send, sql.data);
	sql.len = 0;
	if (resolves != 0) {
		bytes_free(&sql);
		return resolves < 0 ? message_code() : 0;
	}
	message_warning("%s moved the search path away from the history; it is set back for what follows",
	    step->migration);
	if (target->schema != NULL) {
		bytes_str(&sql, "SET search_path = ");
		bytes_sql_name(&sql, target->schema);
	} else {
		bytes_str(&sql, "RESET search_path");
	}
	outcome = db_run(send->db, sql.data, NULL);
	bytes_free(&sql);
	return outcome == DB_OK ? 0 : db_say(send->db, outcome, "set the search path back");
}

int
send_mend_session(struct send *send, const struct target *target, const struct step *step)
{
	bool discards;
	int code = 0;

	if (step->sql == NULL)
		return 0;
	discards = sql_mentions(step->sql, strlen(step->sql), "discard");
	if (discards || sql_mentions(step->sql, strlen(step->sql), "advisory_unlock"))
		code = mend_lock(send, step);
	if (code == 0 && (discards || sql_mentions(step->sql, strlen(step->sql), "search_path")))
		code = mend_search_path(send, target, step);
	return code;
}
