/* Connecting and asking without waiting, next to other work. */
#include "postgres/connection_internal.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/signals.h"
#include "secret/conninfo.h"

void
db_async_free(struct db_async *b)
{
	if (b != NULL && b->round.asks != NULL)
		db_free_answers(b->round.asks, b->round.count);
	if (b != NULL)
		free(b->round.asks);
	free(b);
}

/* Each host in its turn, as in connect_in_turn(); who prefers a standby is left to libpq. */
static void
async_attempt(struct db *db)
{
	struct db_async *b = db->async;
	const struct conninfo *t = &b->source->target;
	bool several = b->hosts > 1;
	char *host = several ? db_nth(t->host, b->host) : NULL, *port = several ? db_nth(t->port, b->host) : NULL;
	struct attempt attempt = { .source = b->source,
		.application = b->application,
		.host = several ? host : t->host,
		.port = several ? port : t->port };
	long long limit;

	db_connect_begin(db, &attempt);
	limit = db_connect_limit_ms(db->conn);
	b->polled = PGRES_POLLING_WRITING;
	b->deadline = clock_now_ms() + (!several || limit < b->limit_ms ? limit : b->limit_ms);
	free(host);
	free(port);
}

struct db *
db_connect_start(struct source *source, const char *application, long long limit_ms)
{
	struct db *db = xcalloc(1, sizeof *db);
	struct db_async *b = db->async = xcalloc(1, sizeof *db->async);
	const char *wanted = db_parameter(&source->target, db_session_attrs);

	db_forget_session_variables(&source->target);
	b->source = source;
	b->application = application;
	b->hosts = wanted != NULL && strcmp(wanted, "prefer-standby") == 0 ? 1 : db_host_count(&source->target);
	b->limit_ms = limit_ms / (long long)b->hosts;
	async_attempt(db);
	return db;
}

/* Advances the attempt; returns true while it is in progress. */
static bool
async_connect(struct db *db, int *want)
{
	struct db_async *b = db->async;

	for (;;) {
		if (PQstatus(db->conn) == CONNECTION_BAD || clock_now_ms() >= b->deadline)
			return false;
		*want = b->polled == PGRES_POLLING_READING ? SIGNALS_READ : SIGNALS_WRITE;
		if (signals_wait(PQsocket(db->conn), *want, 0) == 0) /* PQconnectPoll() must not be called before */
			return true;
		b->polled = PQconnectPoll(db->conn);
		if (b->polled == PGRES_POLLING_OK || b->polled == PGRES_POLLING_FAILED)
			return false;
	}
}

bool
db_connect_poll(struct db *db, int *fd, int *want, long long *until_ms, enum db_outcome *outcome)
{
	struct db_async *b = db->async;
	struct source *source = b->source;

	for (;;) {
		if (async_connect(db, want)) {
			*fd = PQsocket(db->conn);
			*until_ms = b->deadline;
			return false;
		}
		*outcome = db_connect_end(db, source) ? DB_OK : DB_LOST;
		if (*outcome == DB_OK || db->needs_password || strncmp(db->error.sqlstate, "28", 2) == 0 ||
		    ++b->host >= b->hosts)
			break;
		async_attempt(db);
	}
	if (*outcome == DB_OK)
		db_session_begin(db, &source->target);
	db->prelude_count = 0; /* nothing is set for the session: behind a pooler it is not ours */
	return true;
}

void
db_query_batch_start(struct db *db, struct db_ask asks[], size_t count)
{
	struct db_async *b = db->async;
	size_t first = db->prelude_count;

	b->asks = asks;
	b->count = count;
	b->round = (struct round){ .asks = db_with_prelude(db, asks, count), .count = first + count };
	b->pipeline = db_round_pipeline(db, &b->round, 0); /* the caller looks at the clock */
	(void)db_pipeline_begin(&b->pipeline); /* what fails here shows in the first step */
}

bool
db_query_batch_poll(struct db *db, int *fd, int *want, enum db_outcome *outcome)
{
	struct db_async *b = db->async;

	if (PQconsumeInput(db->conn) && db_pipeline_go_on(&b->pipeline, want)) {
		*fd = PQsocket(db->conn);
		return false;
	}
	*outcome = db_round_outcome(db, &b->round, db_pipeline_end(&b->pipeline));
	db_free_answers(b->round.asks, b->round.count - b->count);
	memcpy(b->asks, b->round.asks + (b->round.count - b->count), b->count * sizeof *b->asks);
	free(b->round.asks);
	b->round.asks = NULL;
	return true;
}
