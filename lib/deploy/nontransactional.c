#include "deploy/nontransactional.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/signals.h"
#include "database/invalid_index.h"
#include "sql/index_command.h"

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
	if (!going_error_is(g, "40P01") || clock_now_ms() - g->deadlocked_ms < OTHERS_WAIT_MS)
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
 * A time-out would end the waits of a statement that stands alone, which keep nobody waiting, and leave half an index.
 * What was set for the session is kept in it, and comes back behind the statement.
 */
#define KEEP(name) "pg_catalog.set_config('mig." name "', pg_catalog.current_setting('" name "'), false)"
#define OFF(name)  "pg_catalog.set_config('" name "', '0', false)"
#define BACK(name) \
	"pg_catalog.set_config('" name "', coalesce(nullif(pg_catalog.current_setting('mig." name "', true), ''), " \
	"pg_catalog.current_setting('" name "')), false)"
static const char limits_off[] = "SELECT " KEEP("lock_timeout") ", " KEEP("statement_timeout") ", "
    OFF("lock_timeout") ", " OFF("statement_timeout") ";";
static const char limits_on[] = "SELECT " BACK("lock_timeout") ", " BACK("statement_timeout") ";";

/* In front of the row that is written next; or NULL: they are off already. */
static const char *
limits_to_lift(struct going *g)
{
	if (g->unlimited)
		return NULL;
	g->unlimited = true;
	message_verbose("%s: lock_timeout and statement_timeout are off for a statement that stands alone; "
	                "its waits are watched", g->step->migration);
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
	struct aim aim = aim_of(g->step->sql, &going_statements(g)[at]);
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
	struct aim aim = aim_of(g->step->sql, &going_statements(g)[at]);
	enum db_outcome outcome;

	bytes_str(&before, limits_on);
	if (demand)
		index_demand_sql(&before, &aim);
	outcome = going_write_row(g, before.data, last ? HISTORY_FINISHED : HISTORY_GOES_ON, at + 1);
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
	enum index_found found;
	enum db_outcome outcome = going_write_row(g, limits_to_lift(g), HISTORY_BEGINS_ALONE, at);

	g->sent.result.attempts++;
	traffic_attempt(&g->send->traffic, false);
	if (outcome == DB_OK) {
		g->sent.unsure = true;
		outcome = going_run(g, at, 1);
	}
	if (outcome == DB_ERROR)
		g->sent.unsure = false; /* the server says that it did not happen */
	if (outcome != DB_OK)
		return outcome;
	outcome = write_row_behind(g, at, last, demand);
	if (outcome == DB_ERROR && demand) {
		/* IF NOT EXISTS passed over a carcass; or none is found, and the server's word is taken */
		g->rebuilt = true;
		db_rollback(g->send->db);
		found = settle_index(g, at);
		if (found == INDEX_REMOVED)
			return try_alone(g, at, last);
		if (found == INDEX_ERROR) { /* it is still there: the row must not say that it was done */
			g->sent.unsure = false;
			return DB_ERROR;
		}
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

	if (g->rebuilt || !g->in_script || !going_error_is(g, "42P07"))
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
	struct aim aim = aim_of(g->step->sql, &going_statements(g)[at]);

	aim_free(&aim);
	return aim.act == AIM_REINDEX || (aim.act == AIM_CREATE_INDEX && !going_error_is(g, "42P07"));
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
	own_texts(g);
	if (!let_others_through(g, at) || !going_pause(g)) {
		if (signals_caught() != 0)
			g->sent.outcome = SEND_STOPPED;
		return false;
	}
	while ((found = settle_index(g, at)) == INDEX_BEING_BUILT)
		if (!going_pause(g))
			return false;
	*settled = found == INDEX_ENDED;
	if (found == INDEX_ERROR)
		return !going_give_up(g, DB_ERROR);
	return !*settled || !going_give_up(g, write_row_behind(g, at, last, false));
}

bool
alone_run(struct going *g, size_t at, bool last)
{
	bool settled = false;

	g->rebuilt = false;
	while (!settled) {
		long long began = clock_now_ms();
		enum db_outcome outcome = try_alone(g, at, last);

		g->verdict = traffic_ended(&g->send->traffic);
		if (outcome == DB_ERROR && carcass_removed(g, at))
			continue;
		if (!going_give_up(g, outcome))
			return true;
		if (outcome != DB_ERROR)
			return false;
		if (!going_is_busy(g) || !ready_to_try_again(g, at, last, &settled)) {
			clean_up(g, at);
			return false;
		}
		g->sent.result.waited_ms += clock_now_ms() - began;
	}
	return true;
}

bool
alone_settle(struct going *g, size_t at, bool last, bool *gone_wrong)
{
	enum index_found found;
	bool settled;

	lift_limits(g);
	found = settle_index(g, at);
	settled = found == INDEX_ENDED;
	*gone_wrong = found == INDEX_ERROR && going_give_up(g, DB_ERROR);
	if (settled)
		*gone_wrong = going_give_up(g, write_row_behind(g, at, last, false));
	return settled || *gone_wrong;
}
