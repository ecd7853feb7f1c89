/*
 * Shared by the files that talk to libpq (postgres/connection.h); nobody else includes it.
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

/* Who gets the rows of db_each(). */
struct each {
	db_row *take;
	void *context;
};

/* Why an attempt to connect failed, where the error's SQLSTATE alone does not tell. */
enum refusal {
	REFUSAL_OTHER,
	REFUSAL_SETTING,          /* a setting of the string that libpq does not take */
	REFUSAL_TLS,              /* what the string wants of TLS, or of the login, and the server has not */
	REFUSAL_USER,             /* none was named, and the system has no name for who we are */
	REFUSAL_ABSENT,           /* something wants what is not in a static file */
	REFUSAL_OPTIONS,          /* a parameter in options= that the server does not take */
	REFUSAL_POOLER            /* whoever is in front of the server */
};

struct db {
	PGconn *conn;
	struct db_hooks hooks;
	db_silence *silence;
	void *silence_context;
	struct db_error error;
	struct cancel *cancel;    /* the last cancel request, or NULL */
	bool cancelling;
	long long signalled_ms;   /* when we began to cancel for a signal, */
	long long cancelled_ms;   /* and sent the last request */
	long long cancel_ms;      /* when the first cancel request of this wait was sent, for whatever reason; 0: none */
	const char *given_up;     /* why the connection is of no use, open as it is; or NULL */
	long long limit_ms;       /* how long an answer of ours may take; 0: as long as it takes */
	struct db_wait {             /* for the answers to what was sent last: */
		long long limit_ms;   /*   they may take so long, or 0, */
		long long began_ms;   /*   from here on; 0: it has not begun */
		size_t received;      /*   bytes since then, */
		bool noticed;         /*   and there were notices among them */
		bool heard;           /*   bytes came, or may have, since heard_ms was set: */
		long long heard_ms;   /*   when the last ones came; 0: not asked yet */
		long long silent_ms;  /*   when db_on_silence()'s is called next */
		bool deaf;            /*   whatever signal comes, and without ticks */
	} wait;
	int pid;                  /* of the server process, where libpq was given another; else 0 */
	bool needs_password;      /* the last attempt was refused for want of one */
	enum refusal refusal;     /* and by whom, or why */
	unsigned announce;        /* so many notices of a login are shown */
	char version[32];
	struct db_ask prelude[8]; /* settings that go with what is sent next */
	size_t prelude_count;
	bool restored[2];         /* of readings[]: it was changed, and is set back */
	struct bytes search_path; /* text of one of them */
	bool releases_on_death;             /* db_release_on_death() was called */
	bool filters;             /* db_filter_rows() was called */
	struct db_async *async; /* NULL: of a session whose calls wait */
	size_t results;           /* that were read of what was sent last */
	size_t answered;          /* statements of db_run() and db_tell() */
	const struct each *each;  /* rows are given one by one, while a statement runs that wants it so */
	bool streamed;            /* rows are not kept in a result: those of each, and the lines of COPY TO */
	long long streamed_rows;
};

struct answer {
	PGresult *result;
};

/* --- waiting --- */

enum {
	TICK_MS = 50,
	CANCEL_MS = 200,
	DRAIN_MS = 5000,          /* a signal came: the server may take so long to end what runs, */
	CANCELLED_MS = 10000,     /* and so long where it is we who do not want it any more */
	ANSWER_MS = 10000,
	SILENCE_MS = 10000,       /* what has no limit is looked after then, */
	SILENCE_AGAIN_MS = 5000,  /* and then again and again */
	FLOWING_BYTES = 16384     /* in that time: then the answer is long, and not late */
};

/* --- connecting --- */

struct attempt {
	struct source *source;
	const char *application;
	const char *host, *port;   /* one of the target's, or all */
	const char *session_attrs; /* instead of the target's, or NULL */
	PGconn *conn;
};

/* --- pipelines --- */

/* A conversation in which sending does not wait for answers. */
struct pipeline {
	struct db *db;
	bool (*feed)(struct pipeline *p);           /* sends some more; false: there is no more */
	void (*take)(struct pipeline *p, PGresult *result); /* owns it */
	void *context;
	size_t syncs_sent, syncs_got;
	size_t fed;                                 /* bytes since the last flush */
	bool more;                                  /* there is something left to send */
	long long limit_ms;                         /* for all answers; 0: none */
	enum db_outcome outcome;
};

struct round {
	struct db_ask *asks;
	size_t count, sent, got;
	int part; /* of the one that is being answered: those of ours are three statements */
};

/* --- beside other work --- */

struct db_async {
	struct source *source;          /* of the attempt that goes on */
	PostgresPollingStatusType polled;
	const char *application;
	size_t host, hosts;             /* the one that is tried, of so many that are tried one by one */
	long long limit_ms;             /* for each of them */
	long long deadline;             /* of the attempt */
	struct db_ask *asks;            /* the caller's */
	size_t count;
	struct round round;             /* the same behind the prelude; its asks are ours */
	struct pipeline pipeline;
};

/* --- static_stubs.c, in a static build --- */

/* What wants a library that is not there, in words; NULL: nothing did. */
extern const char *db_absent;

/* --- error.c --- */

/* libpq's own texts end in newlines and have hints of their own on further lines: the first line is the
 * message. */
char *db_first_line(const char *text);
enum db_outcome db_error_from_result(struct db *db, const PGresult *result);
enum db_outcome db_error_from_connection(struct db *db);

/* --- wait.c --- */

/* Something is sent now, whose answers may take limit_ms; 0: as long as it takes. */
void db_wait_begin(struct db *db, long long limit_ms);
/*
 * Once a signal came, cancels again and again: one request may hit between two statements and be lost.  False when the
 * server has not ended in time: where the network is silent, it never will.
 */
bool db_cancel_when_signalled(struct db *db);
/*
 * A server, or what stands in front of it, may be silent on a connection that lives.  An answer that keeps coming is not
 * late; notices are no answer.
 */
bool db_takes_too_long(struct db *db);
/* Reads what has come. */
bool db_receive(struct db *db);
/*
 * Waits until the next result is there, sending what is still unsent.  *since is when the wait for it began, 0 where it
 * has not yet: of a million results most are there already, and asking the clock costs more than taking them.
 */
bool db_wait_result(struct db *db, long long *since);
void db_on_notice(void *context, const PGresult *result);

/* --- connect.c --- */

extern const char db_session_attrs[];
long long db_connect_limit_ms(PGconn *conn);
void db_connect_begin(struct db *db, struct attempt *attempt);
/* The attempt is over, well or not: libpq's copies of the password go. */
bool db_connect_end(struct db *db, struct source *source);
/* The i-th of a list with commas; its only one for all i; NULL of NULL.  The caller's. */
char *db_nth(const char *list, size_t i);
const char *db_parameter(const struct conninfo *t, const char *keyword);
/* How many hosts are tried one by one; 1 also where libpq has to choose. */
size_t db_host_count(const struct conninfo *t);
bool db_connect_any(struct db *db, struct source *source, const char *application, long long limit_ms);
/* Hosts that answer, but none of the kind that is asked for: while a standby takes over that is so for a while. */
bool db_is_wrong_kind(struct db *db, struct source *source, const char *application);
/* Variables of libpq that would send a URL's session elsewhere, or change what a migration means in it. */
void db_forget_session_variables(const struct conninfo *target);

/* --- unreachable.c --- */

void db_place_of(const char *host, const char *port, struct bytes *out);
/* The exit code that the last attempt means. */
int db_refusal_code(const struct db *db);
int db_say_unreachable(const struct db *db, const struct source *source);

/* --- session.c --- */

/*
 * Set back before each message, so that a script in several of them is read as one message would have been.  Behind a
 * pooler the session is not ours.
 */
void db_restore_readings(struct db *db);
/* What a session is told goes with its first round trip. */
void db_session_begin(struct db *db, const struct conninfo *target);

/* --- query.c --- */

/* The next part of what a COPY gives: its length, 0 at its end; -1: the connection is of no use. */
int db_copy_next(struct db *db, char **data);
/* Whether a result has as many rows as its command tag says: none was lost on the way, and none came in. */
bool db_is_whole(PGresult *result);
/*
 * Reads all results of what was sent, until there is none left.  Keeps the first error, the number of
 * statements that ended well, and the last result with rows in *kept (where wanted).
 */
enum db_outcome db_drain(struct db *db, PGresult **kept, size_t *done);
/* The same for what has at least one result, and at most so many; 0: any number. */
enum db_outcome db_drain_answers(struct db *db, PGresult **kept, size_t *done, size_t most);
bool db_send_aside(struct db *db, const char *sql);

/* --- pipeline.c --- */

/* Goes on as far as it can without waiting; true: *want is what to wait for, false: it is over. */
bool db_pipeline_go_on(struct pipeline *p, int *want);
bool db_pipeline_begin(struct pipeline *p);
enum db_outcome db_pipeline_end(struct pipeline *p);
bool db_ends_unit(const struct round *r, size_t ask);
struct pipeline db_round_pipeline(struct db *db, struct round *round, long long limit_ms);
/* Each in its own way is well, where each was answered. */
enum db_outcome db_round_outcome(struct db *db, const struct round *round, enum db_outcome outcome);
void db_free_answers(struct db_ask asks[], size_t count);
/* The asks, behind the settings that are still to be sent. */
struct db_ask *db_with_prelude(struct db *db, const struct db_ask asks[], size_t count);
/* For a session that asks nothing in rounds. */
enum db_outcome db_send_prelude(struct db *db);

/* --- connect_async.c --- */

void db_async_free(struct db_async *b);

#endif
