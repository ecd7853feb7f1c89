/*
 * Shared by the files that use libpq (postgres/connection.h); private to them.
 */
#ifndef MIG_POSTGRES_CONNECTION_INTERNAL_H
#define MIG_POSTGRES_CONNECTION_INTERNAL_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "postgres/cancel.h"
#include "postgres/connection.h"
#include "secret/conninfo.h"
#include "secret/source.h"

/* The receiver of db_each()'s rows. */
struct each {
	db_row *take;
	void *context;
};

/* Why an attempt to connect failed, if the SQLSTATE alone does not tell. */
enum refusal {
	REFUSAL_OTHER,
	REFUSAL_SETTING,          /* libpq does not accept a setting of the string */
	REFUSAL_TLS,              /* the server does not offer the TLS mode or the login method that the string
	                           * requires */
	REFUSAL_USER,             /* no user was named, and the system has no name for our uid */
	REFUSAL_ABSENT,           /* needs something that a static binary does not contain */
	REFUSAL_OPTIONS,          /* the server does not accept a parameter in options= */
	REFUSAL_POOLER            /* a proxy in front of the server refused */
};

struct db {
	PGconn *conn;
	struct db_hooks hooks;
	db_silence *silence;
	void *silence_context;
	struct db_error error;
	struct cancel *cancel;    /* the last cancel request, or NULL */
	bool cancelling;
	long long signalled_ms;   /* when we began to cancel because of a signal */
	long long cancelled_ms;   /* when the last request was sent */
	long long cancel_ms;      /* when the first cancel request of this wait was sent, for any reason; 0: none */
	const char *given_up;     /* why the connection is unusable although it is open; or NULL */
	long long limit_ms;       /* limit for an answer to a query of ours; 0: none */
	struct db_wait {             /* for the answers to what was sent last: */
		long long limit_ms;   /* the limit, or 0 */
		long long began_ms;   /* start; 0: not started */
		size_t received;      /* bytes received since then */
		bool noticed;         /* these bytes included notices */
		bool heard;           /* bytes arrived, or may have, since heard_ms was set */
		long long heard_ms;   /* when the last ones arrived; 0: not checked yet */
		long long silent_ms;  /* when to call db_on_silence()'s hook next */
		bool deaf;            /* ignores signals and calls no ticks */
	} wait;
	int pid;                  /* the server process, if libpq was told another number; else 0 */
	bool needs_password;      /* the last attempt was rejected because a password is missing */
	enum refusal refusal;     /* the reason for the rejection */
	unsigned announce;        /* number of login notices to show */
	char version[32];
	struct db_ask prelude[8]; /* settings to send with the next message */
	size_t prelude_count;
	struct along {            /* the same for questions of the caller */
		struct db_ask *asks;
		size_t count;
		enum db_along where;
	} along;
	bool restored[2];         /* of readings[]: it was changed and is being set back */
	struct bytes search_path; /* backs one of the prelude's texts */
	bool releases_on_death;             /* db_release_on_death() was called */
	bool filters;             /* db_filter_rows() was called */
	struct db_async *async; /* NULL: a session with blocking calls */
	size_t results;           /* results read so far of what was sent last */
	size_t answered;          /* statements of db_run() and db_tell() that were answered */
	char tag[64];             /* command tag of the last of them */
	const struct each *each;  /* the receiver while a statement delivers rows one by one */
	bool streamed;            /* rows are not collected in a result: those of each, and the lines of COPY TO */
	long long streamed_rows;
};

struct answer {
	PGresult *result;
};

/* --- waiting --- */

enum {
	TICK_MS = 50,
	CANCEL_MS = 200,
	DRAIN_MS = 5000,          /* after a signal: time for the running statement to end */
	CANCELLED_MS = 10000,     /* the same after a cancel of our own */
	ANSWER_MS = 10000,
	SILENCE_MS = 10000,       /* silence before the first liveness check of an unlimited statement */
	SILENCE_AGAIN_MS = 5000,  /* interval of further checks */
	FLOWING_BYTES = 16384     /* received within that time: the answer is long, not late */
};

/* --- connecting --- */

struct attempt {
	struct source *source;
	const char *application;
	const char *host, *port;   /* one of the target's, or all of them */
	const char *session_attrs; /* overrides the target's; or NULL */
	PGconn *conn;
};

/* --- pipelines --- */

/* A conversation that sends without waiting for answers. */
struct pipeline {
	struct db *db;
	bool (*feed)(struct pipeline *p);           /* sends more; false: nothing is left */
	void (*take)(struct pipeline *p, PGresult *result); /* takes ownership of result */
	void *context;
	const struct round *head;                   /* the round that comes first; or NULL */
	size_t syncs_sent, syncs_got;
	size_t fed;                                 /* bytes since the last flush */
	bool more;                                  /* something is left to send */
	long long limit_ms;                         /* for all answers; 0: no limit */
	enum db_outcome outcome;
};

struct round {
	struct db_ask *asks;
	size_t count, sent, got;
	size_t quiet;  /* number of asks, from the first on, whose errors do not count */
	bool commits;  /* the answers of a unit are here, and its end is not */
	bool answered; /* all of them, and the end of the last unit has arrived */
	int part; /* part of the ask being answered: those of ours have three statements */
};

/* --- non-blocking --- */

struct db_async {
	struct source *source;          /* of the attempt in progress */
	PostgresPollingStatusType polled;
	const char *application;
	size_t host, hosts;             /* the host being tried, and the number of hosts to try one by one */
	long long limit_ms;             /* per host */
	long long deadline;             /* of the attempt */
	struct db_ask *asks;            /* the caller's */
	size_t count;
	struct round round;             /* the same after the prelude; we own its asks */
	struct pipeline pipeline;
};

/* --- static_stubs.c, in a static build --- */

/* Names the missing library that something needed; NULL: none. */
extern const char *db_absent;

/* --- error.c --- */

/*
 * libpq's own texts end in newlines and continue with hints on further lines: returns a copy of the first line.
 */
char *db_first_line(const char *text);
enum db_outcome db_error_from_result(struct db *db, const PGresult *result);
enum db_outcome db_error_from_connection(struct db *db);

/* --- wait.c --- */

/* Call it when something is sent; its answers may take limit_ms; 0: no limit. */
void db_wait_begin(struct db *db, long long limit_ms);
/*
 * After a signal, sends cancel requests repeatedly, because one may arrive between two statements and have no
 * effect.  Returns false if the server has not ended in time; on a dead network it never will.
 */
bool db_cancel_when_signalled(struct db *db);
/*
 * Whether an answer is overdue: a server, or a proxy in front of it, may be silent on an open connection.  An
 * answer that keeps arriving is not overdue; notices do not count as an answer.
 */
bool db_takes_too_long(struct db *db);
/* Reads the bytes that have arrived. */
bool db_receive(struct db *db);
/*
 * Waits for the next result, and sends what is still unsent.  *since is the start of that wait, or 0 if it has not
 * started: most of a million results have arrived already, and reading the clock costs more than taking them.
 */
bool db_wait_result(struct db *db, long long *since);
void db_on_notice(void *context, const PGresult *result);

/* --- connect.c --- */

extern const char db_session_attrs[];
long long db_connect_limit_ms(PGconn *conn);
void db_connect_begin(struct db *db, struct attempt *attempt);
/* Ends an attempt, successful or not: wipes libpq's copies of the password. */
bool db_connect_end(struct db *db, struct source *source);
/*
 * The i-th element of a comma-separated list; a single element for every i; NULL for NULL.  The caller frees it.
 */
char *db_nth(const char *list, size_t i);
const char *db_parameter(const struct conninfo *t, const char *keyword);
/* The number of hosts to try one by one; 1 if libpq has to choose. */
size_t db_host_count(const struct conninfo *t);
bool db_connect_any(struct db *db, struct source *source, const char *application, long long limit_ms);
/* Hosts answer, but none has the requested role.  During a failover this is temporary. */
bool db_is_wrong_kind(struct db *db, struct source *source, const char *application);
/* Unsets libpq's variables that would redirect a URL's session or change the meaning of a migration in it. */
void db_forget_session_variables(const struct conninfo *target);

/* --- unreachable.c --- */

void db_place_of(const char *host, const char *port, struct bytes *out);
/* The exit code for the last attempt. */
int db_refusal_code(const struct db *db);
int db_say_unreachable(const struct db *db, const struct source *source);

/* --- session.c --- */

/*
 * Call it before each message, so that a script sent in several messages is parsed like a single one.  Does
 * nothing behind a pooler, where the session is not ours.
 */
void db_restore_readings(struct db *db);
/* Queues the session's settings for its first round trip. */
void db_session_begin(struct db *db, const struct conninfo *target);

/* --- query.c --- */

/* The next part of COPY data: returns its length, 0 at the end, -1 if the connection is unusable. */
int db_copy_next(struct db *db, char **data);
/* Whether a result has the number of rows that its command tag says: none was lost or added on the way. */
bool db_is_whole(PGresult *result);
/*
 * Reads all results of what was sent.  Keeps the first error, the number of statements that succeeded, and the
 * last result with rows in *kept (if wanted).
 */
enum db_outcome db_drain(struct db *db, PGresult **kept, size_t *done);
/* The same if at least one and at most `most` results are expected; 0: any number. */
enum db_outcome db_drain_answers(struct db *db, PGresult **kept, size_t *done, size_t most);
bool db_send_aside(struct db *db, const char *sql);

/* --- pipeline.c --- */

/*
 * Advances as far as it can without waiting.  Returns true with the events to wait for in *want, or false when it
 * is finished.
 */
bool db_pipeline_go_on(struct pipeline *p, int *want);
bool db_pipeline_begin(struct pipeline *p);
enum db_outcome db_pipeline_end(struct pipeline *p);
bool db_ends_unit(const struct round *r, size_t ask);
struct pipeline db_round_pipeline(struct db *db, struct round *round, long long limit_ms);
/* DB_OK if every ask was answered, with or without error. */
enum db_outcome db_round_outcome(struct db *db, const struct round *round, enum db_outcome outcome);
void db_free_answers(struct db_ask asks[], size_t count);
/* For a session without blocking calls: the asks, after the settings that still have to be sent. */
struct db_ask *db_with_prelude(struct db *db, const struct db_ask asks[], size_t count);
/* Before a message that cannot be part of a round: a round trip of its own, if something waits to be sent. */
enum db_outcome db_send_prelude(struct db *db);

/* --- connect_async.c --- */

void db_async_free(struct db_async *b);

#endif
