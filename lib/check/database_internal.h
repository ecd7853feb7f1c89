/*
 * Shared by the files of the database check (check/check.h: check_database_kind); private to them.
 */
#ifndef MIG_CHECK_DATABASE_INTERNAL_H
#define MIG_CHECK_DATABASE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "check/check.h"
#include "postgres/connection.h"
#include "postgres/poller.h"

enum {
	EXPECT, WARN, CRIT, TIMEOUT, INDEXES, CONSTRAINTS, TLS, TRANSACTION_WARN, TRANSACTION_CRIT, BLOCKED_WARN,
	BLOCKED_CRIT, IDENTITY, SLOT_WARN, SLOT_CRIT, LAG_WARN, LAG_CRIT, CONNECTIONS_WARN, CONNECTIONS_CRIT, SEQUENCE_WARN, SEQUENCE_CRIT, IDS_WARN,
	IDS_CRIT
};

/* --- queries --- */

/* The maximum number of objects that a message names: the LIMIT of each query. */
enum { SHOWN = 5 };

enum {
	ASK_WHO, ASK_INDEXES, ASK_CONSTRAINTS, ASK_TRANSACTIONS, ASK_PREPARED, ASK_BLOCKED, ASK_STANDBY, ASK_STANDBYS,
	ASK_SEQUENCES, ASK_IDS, ASK_PUBLISHED, ASK_SLOTS, ASK_COUNTERS, ASKS
};

/* --- state of a job --- */

struct database_counters {
	long long at_ms;      /* 0: no values yet */
	long long rollbacks, deadlocks;
	long long since_s;    /* age of the server's statistics; or NUMBER_UNKNOWN */
};

struct database_job {
	struct database_counters first, begun, last; /* at the first poll, at the last one before --watch, and
	                                              * at the last of all */
	bool watching;
};

/* A poll that is being evaluated. */
struct database_look {
	struct check_job *job;
	struct check_outcome *outcome;
	struct db_ask *asks;
	struct poller *session;
	bool standby;
	const char *role;
};

/* --- database_judge.c --- */

void database_judge(struct database_look *l);

/* A numeric setting. */
long long database_limit(const struct database_look *l, int setting);

/* Records a measure and compares it with two settings, `warning` and the one after it. */
enum check_state database_measure(const struct database_look *l, const struct metric *metric, long long value, int warning);

/* The answer to a query; NULL if there is none, which is noted in the outcome. */
const struct answer *database_answer(const struct database_look *l, int ask, const char *what);

/* A count in a column of the first row. */
size_t database_count_of(const struct answer *answer, int column);

#define METRIC(name, key, plugin, family, unit, help) \
	static const struct metric name##_metric = { key, plugin, "mig_database_" family, NULL, help, unit, \
		false }

/* --- database_sessions.c --- */

void database_judge_connections(const struct database_look *l, const struct answer *a);
void database_judge_transactions(const struct database_look *l);
void database_judge_prepared(const struct database_look *l);
void database_judge_blocked(const struct database_look *l);

/* --- database_standby.c --- */

void database_judge_standby(const struct database_look *l);
void database_judge_standbys(const struct database_look *l);

/* --- database_objects.c --- */

void database_judge_indexes(const struct database_look *l);
void database_judge_constraints(const struct database_look *l);
void database_judge_sequences(const struct database_look *l);
void database_judge_ids(const struct database_look *l);

/* --- database_published.c --- */

void database_judge_published(const struct database_look *l);
void database_judge_slots(const struct database_look *l);

/* --- database_sql.c --- */

const char *database_question(size_t ask);

#endif
