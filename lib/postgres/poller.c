#include "postgres/poller.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mig.h"
#include "secret/conninfo.h"
#include "secret/source.h"

void
polls_add(struct polls *polls, int fd, int want)
{
	if (polls->count == sizeof polls->on / sizeof *polls->on)
		return;
	polls->on[polls->count].fd = fd;
	polls->on[polls->count++].want = want;
}

void
polls_until(struct polls *polls, long long when_ms)
{
	if (polls->until_ms < 0 || when_ms < polls->until_ms)
		polls->until_ms = when_ms;
}

int
poller_open(struct poller *s, const char *word, const char *schema)
{
	int code;

	*s = (struct poller){ .limit_ms = 10000 };
	if ((code = source_open(&s->source, word, schema)) == 0 && s->source.target.schema != NULL) {
		bytes_sql_name(&s->schema, s->source.target.schema);
		s->search_path = s->schema.data;
	}
	return code;
}

static void
drop_answers(struct poller *s)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		answer_free(s->asks[i].answer);
	for (i = 0; i < s->asked; i++)
		answer_free(s->answers[i].answer);
	free(s->asks);
	free(s->answers);
	free(s->places);
	s->asks = s->answers = NULL;
	s->places = NULL;
	s->count = s->asked = 0;
}

static void
disconnect(struct poller *s)
{
	db_close(s->db);
	s->db = NULL;
	s->asking = false;
}

void
poller_close(struct poller *s)
{
	disconnect(s);
	drop_answers(s);
	source_free(&s->source);
	bytes_free(&s->why);
	bytes_free(&s->grant);
	bytes_free(&s->schema);
}

/*
 * Goes with every unit, and ends with it: behind a pooler in transaction mode what a session sets would stay
 * in a session of the application.
 */
static const char manners_sql[] =
    "SELECT pg_catalog.set_config('statement_timeout', '8s', true), pg_catalog.set_config('lock_timeout', '1s', true), "
    "pg_catalog.set_config('transaction_read_only', 'on', true), pg_catalog.set_config('row_security', 'off', true), "
    "pg_catalog.set_config('search_path', coalesce($1, pg_catalog.current_setting('search_path')), true)";

/* Before each unit; behind a BEGIN, which has to come before any query, and behind what ends the transaction. */
static void
add_asks(struct poller *s, const struct db_ask asks[], size_t count)
{
	const struct db_ask manners = { .sql = manners_sql, .parameter = &s->search_path };
	bool first = true, inside = false;
	size_t i;

	for (i = 0; i < count; i++) {
		bool turns = asks[i].kind != DB_ASK_PLAIN;

		if (first && !turns && !inside)
			s->asks[s->count++] = manners;
		s->places[i] = s->count;
		s->asks[s->count++] = asks[i];
		if (turns) {
			inside = asks[i].kind == DB_ASK_BEGINS;
			s->asks[s->count++] = manners;
		}
		first = asks[i].ends_unit;
	}
	if (count == 0)
		s->asks[s->count++] = manners;
}

static void
take_answers(struct poller *s)
{
	size_t i;

	for (i = 0; i < s->asked; i++) {
		s->answers[i] = s->asks[s->places[i]];
		s->asks[s->places[i]].answer = NULL;
	}
}

void
poller_look(struct poller *s, const struct db_ask asks[], size_t count)
{
	drop_answers(s);
	s->asks = xcalloc(2 * count + 1, sizeof *s->asks);
	s->answers = xcalloc(count, sizeof *s->answers);
	s->places = xcalloc(count, sizeof *s->places);
	s->asked = count;
	add_asks(s, asks, count);
	s->code = 0;
	s->why.len = 0;
	s->grant.len = 0;
	s->began_ms = clock_now_ms();
	s->asking = false;
	if (s->db == NULL)
		s->db = db_connect_start(&s->source, "mig-check", s->limit_ms);
	else
		s->asking = true;
	if (s->asking)
		db_query_batch_start(s->db, s->asks, s->count);
}

static bool
fail(struct poller *s, int code)
{
	s->code = code;
	s->took_ms = clock_now_ms() - s->began_ms;
	disconnect(s);
	return true;
}

/* Nobody is asked for a password: a check has no terminal as a rule. */
static bool
not_connected(struct poller *s)
{
	int code = db_unreachable(s->db, &s->source, &s->why);

	db_connect_grant(s->db, &s->source, &s->grant);
	if (db_needs_password(s->db))
		bytes_str(&s->why, "; neither the connection string nor a password file has one");
	return fail(s, code);
}

static bool
took_too_long(struct poller *s)
{
	const char *host = conninfo_first_host(&s->source.target);
	char span[CLOCK_SPAN];

	bytes_format(&s->why, "%s does not answer; gave up after %s", host != NULL ? host : "the database",
	    clock_span(s->limit_ms, span));
	return fail(s, MIG_UNREACHABLE);
}

static bool
lost(struct poller *s)
{
	int code = db_exit_code(db_error(s->db));

	if (db_is_statement_pooled(db_error(s->db)))
		bytes_str(&s->why, "this address is a pooler in statement mode, which has no transactions: use the server's own");
	else
		bytes_format(&s->why, "the connection was lost: %s", db_error(s->db)->message);
	return fail(s, code == MIG_FAILED ? MIG_UNREACHABLE : code);
}

bool
poller_go_on(struct poller *s, struct polls *polls)
{
	enum db_outcome outcome;
	long long until = s->began_ms + s->limit_ms;
	int fd, want;

	if (!s->asking) {
		if (db_connect_poll(s->db, &fd, &want, &until, &outcome)) {
			if (outcome != DB_OK)
				return not_connected(s);
			s->asking = true;
			db_query_batch_start(s->db, s->asks, s->count);
		}
	}
	if (s->asking && db_query_batch_poll(s->db, &fd, &want, &outcome)) {
		s->took_ms = clock_now_ms() - s->began_ms;
		take_answers(s);
		return outcome == DB_OK ? true : lost(s);
	}
	if (clock_now_ms() - s->began_ms >= s->limit_ms)
		return took_too_long(s);
	polls_add(polls, fd, want);
	polls_until(polls, until);
	polls_until(polls, s->began_ms + s->limit_ms);
	return false;
}

struct db_ask *
poller_answers(struct poller *s)
{
	return s->answers;
}
