/*
 * Shared by the files of the database check (check/check.h: check_database_kind); nobody else includes it.
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
	BLOCKED_CRIT, LAG_WARN, LAG_CRIT, CONNECTIONS_WARN, CONNECTIONS_CRIT, SEQUENCE_WARN, SEQUENCE_CRIT, IDS_WARN,
	IDS_CRIT
};

/* --- what is asked --- */

/* So many of what is found are told by name: the LIMIT of each question. */
enum { SHOWN = 5 };

enum {
	ASK_WHO, ASK_INDEXES, ASK_CONSTRAINTS, ASK_TRANSACTIONS, ASK_PREPARED, ASK_BLOCKED, ASK_STANDBY, ASK_STANDBYS,
	ASK_SEQUENCES, ASK_IDS, ASK_COUNTERS, ASKS
};

/* --- what a job keeps --- */

struct database_counters {
	long long at_ms;      /* 0: none yet */
	long long rollbacks, deadlocks;
	long long since_s;    /* the server has counted for so long; or NUMBER_UNKNOWN */
};

struct database_job {
	struct database_counters first, begun, last; /* the first look, the last before the watch, the last of all */
	bool watching;
};

/* One look, while it is judged. */
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

/* A setting that is a number. */
long long database_limit(const struct database_look *l, int setting);

/* Notes a measure, and judges it by two settings, `warning` and the one behind it. */
enum check_state database_measure(const struct database_look *l, const struct metric *metric, long long value, int warning);

/* The answer to a question; NULL where there is none, which is said. */
const struct answer *database_answer(const struct database_look *l, int ask, const char *what);

/* A column of its first row that is a count. */
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


/* --- database_sql.c --- */

extern const char *const database_questions[ASKS];

#endif
