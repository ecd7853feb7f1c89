/*
 * Check "database": does it answer, is it the expected one, and is a problem developing?  One round trip.
 *
 * Every query works for a role that may only connect.  What the role may not see comes back as NULL and is
 * reported.  database_sql.c has the queries; database_judge.c has one function per subject that evaluates the
 * answers.
 */
#include "check/database_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "check/check.h"
#include "postgres/connection.h"
#include "postgres/poller.h"

#define STATE_SETTING(name, help)            { name, "STATE", "warning", help, SETTING_STATE, false }
#define TIME_SETTING(name, standard, help)    { name, "TIME", standard, help, SETTING_TIME, false }
#define PERCENT_SETTING(name, standard, help) { name, "PERCENT", standard, help, SETTING_PERCENT, false }
#define CRITICAL                             "critical threshold"

static const struct setting settings[] = {
	[EXPECT] = { "expect", "primary|standby|any", "primary", "the server's expected role", SETTING_WORD, false },
	[WARN] = TIME_SETTING("warn", "1s", "longest time to connect and answer before WARNING"),
	[CRIT] = TIME_SETTING("crit", "5s", CRITICAL),
	[TIMEOUT] = TIME_SETTING("timeout", "10s", "when a look is given up"),
	[INDEXES] = STATE_SETTING("indexes", "state to report for an invalid index"),
	[CONSTRAINTS] = STATE_SETTING("constraints", "state to report for a constraint that is not validated"),
	[TLS] = STATE_SETTING("tls", "state to report for a network connection without TLS"),
	[TRANSACTION_WARN] = TIME_SETTING("transaction-warn", "5min", "maximum age of a transaction, prepared or not"),
	[TRANSACTION_CRIT] = TIME_SETTING("transaction-crit", "1h", CRITICAL),
	[BLOCKED_WARN] = TIME_SETTING("blocked-warn", "10s", "maximum time that a session waits for another"),
	[BLOCKED_CRIT] = TIME_SETTING("blocked-crit", "1min", CRITICAL),
	[IDENTITY] = STATE_SETTING("identity", "state to report for a published table that takes no UPDATE"),
	[SLOT_WARN] = PERCENT_SETTING("slot-warn", "100%", "WAL kept for a replication slot, as a share of max_wal_size"),
	[SLOT_CRIT] = PERCENT_SETTING("slot-crit", "1000%", CRITICAL),
	[LAG_WARN] = TIME_SETTING("lag-warn", "30s", "maximum replication lag"),
	[LAG_CRIT] = TIME_SETTING("lag-crit", "5min", CRITICAL),
	[CONNECTIONS_WARN] = PERCENT_SETTING("connections-warn", "80%", "connections in use, as a share of max_connections"),
	[CONNECTIONS_CRIT] = PERCENT_SETTING("connections-crit", "95%", CRITICAL),
	[SEQUENCE_WARN] = PERCENT_SETTING("sequence-warn", "80%", "numbers used of a sequence, or of the type of its column"),
	[SEQUENCE_CRIT] = PERCENT_SETTING("sequence-crit", "95%", CRITICAL),
	[IDS_WARN] = PERCENT_SETTING("ids-warn", "50%", "transaction ids used since the oldest that is not frozen"),
	[IDS_CRIT] = PERCENT_SETTING("ids-crit", "75%", CRITICAL),
	{ NULL, NULL, NULL, NULL, SETTING_STATE, false },
};

/* --- the check --- */

static size_t
ask(struct check_job *job, struct db_ask *asks)
{
	size_t i;

	job->session->limit_ms = job->settings[TIMEOUT].number;
	for (i = 0; i < ASKS; i++)
		asks[i] = (struct db_ask){ .ours = true, .sql = database_question(i), .ends_unit = true };
	return ASKS;
}

static void
answered(struct check_job *job, struct db_ask *asks, struct poller *session)
{
	struct database_look look = { .job = job, .outcome = &job->outcome, .asks = asks, .session = session };

	if (session->code != 0) {
		check_no_answer(job);
		return;
	}
	check_take_target(job, db_host(session->db), db_port(session->db), db_database(session->db));
	database_judge(&look);
}

static void
watch(struct check_job *job)
{
	struct database_job *d = job->data;

	d->watching = true;
	d->begun = d->last;
}

static int
begin(struct check_job *job)
{
	job->data = xcalloc(1, sizeof(struct database_job));
	return 0;
}

static void
end(struct check_job *job)
{
	free(job->data);
}

const struct check_kind check_database_kind = {
	.name = "database",
	.value = "SOURCE",
	.value_optional = true,
	.value_is_source = true,
	.help = "does it answer; locks, lag, indexes, what runs out\n"
	        "That of -d, or another. As primary or standby; invalid indexes, constraints not validated, published tables that take no "
	        "UPDATE, slots that hold back WAL, long and prepared "
	        "transactions and whom they block; connections, sequences, transaction ids; TLS; with --watch rollbacks and "
	        "deadlocks",
	.settings = settings,
	.begin = begin,
	.ask = ask,
	.answered = answered,
	.watch = watch,
	.end = end,
};
