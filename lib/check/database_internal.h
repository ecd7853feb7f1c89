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

/* --- database_sql.c --- */

extern const char *const database_questions[ASKS];

#endif
