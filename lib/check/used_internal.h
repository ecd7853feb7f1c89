/*
 * Shared by the files of the check "used" (check/check.h: check_used_kind); private to them.
 *
 * The first look takes three round trips: what is meant; what depends on it; which statements name any of that.  Later looks take
 * one, and tell what has been used since.
 */
#ifndef MIG_CHECK_USED_INTERNAL_H
#define MIG_CHECK_USED_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "check/check.h"
#include "postgres/connection.h"
#include "sql/uses.h"

enum { USED_SINCE, USED_STANDBYS };

/* --- used_sql.c --- */

/* What is meant, and what the server can tell; $1 has the parts of the name. */
enum { FIND_TARGET, FIND_NAMES, FIND_SYSTEM, FIND_SERVER, FINDS };
extern const char *const used_find[FINDS];

/* About the relation ($1) and the column ($2, 0: none), whose names are $3 and $4; each takes the first of these parameters. */
enum { LOOK_OTHERS, LOOK_DEPENDENTS, LOOK_FUNCTIONS, LOOK_SESSIONS, LOOK_TABLE, LOOK_INDEXES, LOOK_STANDBYS, LOOKS };
struct used_question {
	const char *sql;
	int parameters;
};
extern const struct used_question used_look[LOOKS];
enum { USED_PARAMETERS = 4 };

/* The statements that name one of the names ($1), and how the statistics stand; the extension is in this schema. */
void used_statements_sql(struct bytes *sql, const char *schema);
void used_statistics_sql(struct bytes *sql, const char *schema, bool has_info);

/* --- state of a job --- */

struct used_statement {
	const char *text;
	long long calls, first_calls;   /* now, and at the first look */
	enum uses uses;
	const char *through;            /* "view public.names", or NULL: it names the table itself */
};

enum used_how { USED_VIEW, USED_CALLED, USED_BY_TEXT, USED_ALWAYS };

/* Something in the catalog that depends on it. */
struct used_dependent {
	enum used_how how;              /* ALWAYS: a policy, a trigger, a key of another table */
	const char *what;               /* "view public.names" */
	const char *schema, *name;      /* of a view or a function */
	bool seen;                      /* a statement names it */
};

struct used_counter {
	long long first, last;          /* NUMBER_UNKNOWN: not known */
};

struct used_job {
	struct arena arena;             /* owns what the first look found */
	struct bytes parts;
	const char *parts_text;
	size_t part_count;
	enum { USED_FINDING, USED_LOOKING, USED_READING, USED_AGAIN } stage;

	/* what is meant */
	const char *oid, *column_number;
	const char *parameters[USED_PARAMETERS];
	struct bytes names;             /* that statements may have, in lower case, with unit separators */
	const char *names_text;
	struct uses_target target;
	struct uses_relation *others;

	/* the server */
	const char *system_identifier, *database, *extension, *role;
	bool sees_all, has_info, tracks_all, tracks_none, in_recovery;
	struct bytes statements_sql, statistics_sql;

	struct used_dependent *dependents;
	size_t dependent_count;
	size_t goes;                    /* indexes and constraints of its own, that go with it */
	struct used_statement *statements;
	size_t statement_count, statement_cap;
	bool many;                      /* and more of them than are read */
	struct bytes sessions;          /* lines of details: who uses it right now */
	size_t session_count, session_perhaps;
	struct used_counter reads, writes, index_reads;
	const char *last_read;          /* the time of the last scan, PostgreSQL 16 */
	long long since_read_ms;
	struct bytes standbys;
	size_t standby_count;

	long long evicted, first_evicted;    /* NUMBER_UNKNOWN: the release does not tell */
	long long reset_ms;                  /* age of the statistics; NUMBER_UNKNOWN */
	const char *unread;                  /* SQLSTATE, or "": why the statements could not be read; NULL: they were */
	long long first_look_ms, quiet_from_ms, last_look_ms;
	bool finished;                       /* --watch is over */
	long long covers_ms;                 /* of the last verdict: so long nobody used it */
};

/* --- used_take.c --- */

/* Take what a round trip brought.  used_take_target() returns false, with the outcome set, where there is nothing to look at. */
bool used_take_target(struct check_job *job, struct used_job *u, struct db_ask *asks);
void used_take_look(struct used_job *u, struct db_ask *asks, bool first);
void used_take_statements(struct used_job *u, struct db_ask *statistics, struct db_ask *statements);

/* --- used_judge.c --- */

void used_judge(struct check_job *job, struct used_job *u);

#endif
