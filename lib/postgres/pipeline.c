/* Several statements in one round trip, and units sent ahead of their answers. */
#include "postgres/connection_internal.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/own_sql.h"
#include "base/signals.h"

enum { FED_AT_ONCE = 65536, SYNCS_AHEAD = 1024 };

/*
 * Where libpq did not take a message, nothing is sent behind it: the unit would be committed without that statement.  Only
 * memory can be the reason on a connection that is there.
 */
static void
pipeline_sent(struct pipeline *p, int taken, size_t len)
{
	if (!taken && PQstatus(p->db->conn) == CONNECTION_OK && p->db->given_up == NULL)
		p->db->given_up = "out of memory";
	p->fed += len;
}

static void
pipeline_sync(struct pipeline *p)
{
	int taken;

	if (p->db->given_up != NULL)
		return;
	if ((taken = PQpipelineSync(p->db->conn)))
		p->syncs_sent++;
	pipeline_sent(p, taken, 0);
}

static void
pipeline_send(struct pipeline *p, const char *sql, int count, const char *const parameters[])
{
	if (p->db->given_up == NULL)
		pipeline_sent(p, PQsendQueryParams(p->db->conn, sql, count, NULL, parameters, NULL, NULL, 0), strlen(sql) + 64);
}

/* The server keeps it until the next statement. */
static void
pipeline_parse(struct pipeline *p, const char *sql)
{
	if (p->db->given_up == NULL)
		pipeline_sent(p, PQsendPrepare(p->db->conn, "", sql, 0, NULL), strlen(sql) + 64);
}

/* An error of the server in what goes along; nobody reads it, and it must not hide that of a question behind it. */
static bool
is_ignored(const struct pipeline *p, const PGresult *result)
{
	const struct round *r = p->head;

	return r != NULL && (r->got < r->quiet || (r->got == r->quiet && r->commits)) &&
	    PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL;
}

/* The server, or a pooler, says why it closes the connection. */
static bool
is_farewell(const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (severity == NULL) /* PgBouncer sends only the other one */
		severity = PQresultErrorField(result, PG_DIAG_SEVERITY);
	return severity != NULL && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

/* All results that are here; the first error is kept, or the reason why the connection is closed. */
static void
pipeline_take(struct pipeline *p)
{
	bool between = false;

	while (p->syncs_got < p->syncs_sent && p->db->given_up == NULL && !PQisBusy(p->db->conn)) {
		PGresult *result = PQgetResult(p->db->conn);
		ExecStatusType status = PQresultStatus(result);

		if (result == NULL && between) {
			(void)db_give_up(p->db); /* libpq expects nothing more, and we do */
			return;
		}
		if ((between = result == NULL))
			continue;
		if (status == PGRES_FATAL_ERROR && ((p->outcome == DB_OK && !is_ignored(p, result)) || is_farewell(result)))
			p->outcome = db_error_from_result(p->db, result);
		p->syncs_got += status == PGRES_PIPELINE_SYNC;
		p->take(p, result);
		if (PQstatus(p->db->conn) != CONNECTION_OK)
			return;
	}
}

/*
 * Waking up for an answer costs more than reading it, so this waits for several.  It must not let the server run
 * out of work, and a unit takes the server more than a sixteenth of a millisecond.
 */
static void
nap(const struct pipeline *p)
{
	enum { UNITS_A_MS = 16, NAP_MS = 25 };
	size_t ms = (p->syncs_sent - p->syncs_got) / UNITS_A_MS;

	if (ms > 0)
		(void)signals_wait(-1, 0, ms < NAP_MS ? (long long)ms : NAP_MS);
}

bool
db_pipeline_go_on(struct pipeline *p, int *want)
{
	PGconn *conn = p->db->conn;
	int unsent;

	do {
		p->fed = 0;
		while (p->more && p->fed < FED_AT_ONCE && p->syncs_sent - p->syncs_got < SYNCS_AHEAD) {
			p->more = p->feed(p);
			/* a write that failed has read why; at the next one libpq forgets what it still expects */
			if (PQstatus(conn) == CONNECTION_OK)
				pipeline_take(p);
			if (p->db->given_up != NULL)
				return false;
		}
		if ((unsent = PQflush(conn)) < 0 || PQstatus(conn) != CONNECTION_OK)
			return false;
		pipeline_take(p);
		if (p->db->given_up != NULL)
			return false;
		if (!p->more && p->syncs_got == p->syncs_sent)
			return false;
	} while (p->more && unsent == 0 && p->syncs_sent - p->syncs_got < SYNCS_AHEAD);
	/* never waits only for writing: a server whose answers are not read stops reading too */
	*want = SIGNALS_READ | (unsent ? SIGNALS_WRITE : 0);
	return true;
}

bool
db_pipeline_begin(struct pipeline *p)
{
	db_wait_begin(p->db, p->limit_ms);
	p->more = true;
	return PQenterPipelineMode(p->db->conn);
}

enum db_outcome
db_pipeline_end(struct pipeline *p)
{
	PGconn *conn = p->db->conn;

	if (p->db->given_up != NULL || PQstatus(conn) != CONNECTION_OK || !PQexitPipelineMode(conn)) {
		if (p->outcome == DB_OK || p->db->given_up != NULL)
			(void)db_error_from_connection(p->db);
		return DB_LOST;
	}
	return p->db->cancelling && p->outcome != DB_OK ? DB_STOPPED : p->outcome;
}

static enum db_outcome
pipeline_run(struct pipeline *p)
{
	PGconn *conn = p->db->conn;
	long long since = clock_now_ms(), ticked = since;
	int want;

	if (!db_pipeline_begin(p))
		return db_error_from_connection(p->db);
	while (db_cancel_when_signalled(p->db) && !db_takes_too_long(p->db) && db_pipeline_go_on(p, &want)) {
		int ready;

		nap(p);
		ready = signals_wait(PQsocket(conn), want, TICK_MS);
		if ((ready & SIGNALS_READ) && !db_receive(p->db))
			break;
		/* also where notices come all the time */
		if (p->db->hooks.tick != NULL && (ready == 0 || clock_now_ms() - ticked >= TICK_MS)) {
			ticked = clock_now_ms();
			p->db->hooks.tick(p->db->hooks.context, ticked - since);
		}
	}
	return db_pipeline_end(p);
}

bool
db_ends_unit(const struct round *r, size_t ask)
{
	return r->asks[ask].ends_unit || ask + 1 == r->count;
}

static bool
send_ask(struct pipeline *p, struct round *r)
{
	const struct db_ask *ask = &r->asks[r->sent];

	if (ask->ours)
		pipeline_send(p, OWN_SQL_ENTER, 0, NULL);
	if (ask->parses)
		pipeline_parse(p, ask->sql);
	else
		pipeline_send(p, ask->sql, ask->parameter != NULL ? 1 + ask->more : 0, ask->parameter);
	if (ask->ours)
		pipeline_send(p, OWN_SQL_LEAVE, 0, NULL);
	if (db_ends_unit(r, r->sent))
		pipeline_sync(p);
	return ++r->sent < r->count;
}

static bool
round_feed(struct pipeline *p)
{
	return send_ask(p, p->context);
}

/* What arrives has to fit what was asked: never more answers than questions, and each unit whole. */
static void
take_answer(struct pipeline *p, struct round *r, PGresult *result)
{
	struct db_ask *ask = r->asks != NULL && r->got < r->count ? &r->asks[r->got] : NULL;
	ExecStatusType status = PQresultStatus(result);
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	bool rows = status == PGRES_TUPLES_OK, aborted = status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED;

	if (status == PGRES_FATAL_ERROR && r->commits) {
		/* the end of a unit is a commit, which may fail behind the answers */
		r->asks[r->got - 1].outcome = DB_ERROR;
		bytes_copy(r->asks[r->got - 1].sqlstate, sizeof ask->sqlstate, state != NULL ? state : "");
		r->commits = false;
	} else if (status == PGRES_PIPELINE_SYNC) {
		if (r->part != 0 || r->got == 0 || !db_ends_unit(r, r->got - 1))
			(void)db_give_up(p->db);
		r->answered = r->got == r->count;
		r->commits = false;
	} else if (r->got >= r->count || (!rows && !aborted && status != PGRES_COMMAND_OK) || !db_is_whole(result)) {
		(void)db_give_up(p->db);
	} else {
		enum { ITSELF = 1, PARTS = 3 };
		bool itself = !ask->ours || r->part == ITSELF;

		if (!ask->ours || ++r->part == PARTS) {
			r->part = 0;
			r->got++;
			r->commits = db_ends_unit(r, r->got - 1);
		}
		if (itself && !aborted)
			ask->outcome = DB_OK;
		if (state != NULL)
			bytes_copy(ask->sqlstate, sizeof ask->sqlstate, state);
		if (itself && rows) {
			ask->answer = xcalloc(1, sizeof *ask->answer);
			ask->answer->result = result;
			if (ask->answered != NULL)
				ask->answered(ask->answer, ask->context);
			return;
		}
	}
	PQclear(result);
}

static void
round_take(struct pipeline *p, PGresult *result)
{
	take_answer(p, p->context, result);
}

static void
round_begin(struct round *round)
{
	size_t i;

	for (i = 0; i < round->count; i++) {
		round->asks[i].answer = NULL;
		round->asks[i].outcome = DB_ERROR;
		round->asks[i].sqlstate[0] = '\0';
	}
}

struct pipeline
db_round_pipeline(struct db *db, struct round *round, long long limit_ms)
{
	round_begin(round);
	return (struct pipeline){ .db = db, .feed = round_feed, .take = round_take, .context = round, .head = round,
		.limit_ms = limit_ms };
}

enum db_outcome
db_round_outcome(struct db *db, const struct round *round, enum db_outcome outcome)
{
	if ((outcome == DB_OK || outcome == DB_ERROR) && round->got < round->count)
		return db_give_up(db);
	return outcome == DB_ERROR ? DB_OK : outcome;
}

static enum db_outcome
run_round(struct db *db, struct round *round, long long limit_ms)
{
	struct pipeline p = db_round_pipeline(db, round, limit_ms);

	return db_round_outcome(db, round, pipeline_run(&p));
}

void
db_free_answers(struct db_ask asks[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		answer_free(asks[i].answer);
}

struct db_ask *
db_with_prelude(struct db *db, const struct db_ask asks[], size_t count)
{
	struct db_ask *all = xcalloc(db->prelude_count + count, sizeof *all);

	memcpy(all, db->prelude, db->prelude_count * sizeof *all);
	memcpy(all + db->prelude_count, asks, count * sizeof *all);
	db->prelude_count = 0;
	return all;
}

void
db_send_along(struct db *db, struct db_ask asks[], size_t count, enum db_along where)
{
	struct round round = { .asks = asks, .count = count };

	round_begin(&round);
	db->along = (struct along){ asks, count, where };
}

bool
db_has_along(const struct db *db)
{
	return db->along.count > 0;
}

static size_t
along_before(const struct db *db, size_t count)
{
	return count == 0 || db->along.where == DB_ALONG_BEFORE ? db->along.count : 0;
}

/* The questions between what goes along with them: settings, and what db_send_along() was given. */
static struct round
gather(struct db *db, const struct db_ask asks[], size_t count)
{
	const struct along *along = &db->along;
	struct round round = { .count = 0 };
	size_t settings;

	db_restore_readings(db);
	settings = db->prelude_count;
	round.count = settings + along->count + count;
	round.quiet = settings + along_before(db, count);
	round.asks = xcalloc(round.count, sizeof *round.asks);
	memcpy(round.asks, db->prelude, settings * sizeof *round.asks);
	if (along->count > 0)
		memcpy(round.asks + (round.quiet > settings ? settings : settings + count), along->asks, along->count * sizeof *round.asks);
	if (count > 0) {
		memcpy(round.asks + round.quiet, asks, count * sizeof *round.asks);
		round.asks[round.quiet + count - 1].ends_unit = true;
	}
	db->prelude_count = 0;
	return round;
}

/* The answers to those who asked; frees the rest. */
static void
hand_out(struct db *db, struct round *round, struct db_ask asks[], size_t count)
{
	const struct along *along = &db->along;
	size_t settings = round->quiet - along_before(db, count);

	db_free_answers(round->asks, settings);
	if (along->count > 0)
		memcpy(along->asks, round->asks + (round->quiet > settings ? settings : settings + count), along->count * sizeof *along->asks);
	if (count > 0)
		memcpy(asks, round->asks + round->quiet, count * sizeof *asks);
	free(round->asks);
	db->along = (struct along){ 0 };
}

enum db_outcome
db_query_batch(struct db *db, struct db_ask asks[], size_t count)
{
	struct round round = gather(db, asks, count);
	enum db_outcome outcome = run_round(db, &round, db->limit_ms);

	hand_out(db, &round, asks, count);
	return outcome;
}

enum db_outcome
db_send_prelude(struct db *db)
{
	struct round round = gather(db, NULL, 0);
	enum db_outcome outcome = round.count > 0 ? run_round(db, &round, ANSWER_MS) : DB_OK;

	hand_out(db, &round, NULL, 0);
	return outcome;
}

struct ahead {
	struct round head;       /* what goes before the units */
	const struct db_units *units;
	size_t sent, taken;
	size_t *statements;      /* of each unit that was sent */
	size_t *finished;
	size_t *failed;
};

static bool
ahead_feed(struct pipeline *p)
{
	struct ahead *a = p->context;
	const struct db_units *u = a->units;
	const char *sql;
	size_t i;

	if (p->outcome != DB_OK) /* what is sent already is stopped by the server: no more of it */
		return false;
	if (a->head.sent < a->head.count)
		return send_ask(p, &a->head) || u->count > 0;
	for (i = 0; (sql = u->next(u->context, a->sent, i)) != NULL; i++)
		pipeline_send(p, sql, 0, NULL);
	pipeline_sync(p);
	a->statements[a->sent++] = i;
	return a->sent < u->count;
}

static void
ahead_take(struct pipeline *p, PGresult *result)
{
	struct ahead *a = p->context;
	ExecStatusType status = PQresultStatus(result);
	bool sync = status == PGRES_PIPELINE_SYNC;

	if (a->head.count > 0 && !a->head.answered) {
		take_answer(p, &a->head, result);
		return;
	}
	PQclear(result);
	if (p->outcome != DB_OK)
		return;
	/* a unit that was not answered statement by statement is not known to have ended */
	if (sync ? *a->failed != a->statements[a->taken++]
	         : status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
		(void)db_give_up(p->db);
		return;
	}
	*a->failed = sync ? 0 : *a->failed + 1;
	if (sync)
		a->units->ended(a->units->context, (*a->finished)++);
}

enum db_outcome
db_send_ahead(struct db *db, const struct db_units *units, size_t *finished, size_t *failed)
{
	struct ahead ahead = { .head = gather(db, NULL, 0), .units = units, .finished = finished, .failed = failed };
	struct pipeline p = { .db = db, .feed = ahead_feed, .take = ahead_take, .context = &ahead, .head = &ahead.head };
	enum db_outcome outcome;

	*finished = *failed = 0;
	round_begin(&ahead.head);
	ahead.statements = xcalloc(units->count, sizeof *ahead.statements);
	outcome = pipeline_run(&p);
	hand_out(db, &ahead.head, NULL, 0);
	free(ahead.statements);
	return outcome;
}
