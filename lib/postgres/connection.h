/*
 * A connection to PostgreSQL: open, ask, run, cancel.  libpq stays in this folder.
 *
 * Every wait can be ended by a signal (base/signals.h) and calls a `tick` so that progress can be shown
 * and deadlines kept.  Decisions are made by SQLSTATE, never by message text, which is translated.
 */
#ifndef MIG_POSTGRES_CONNECTION_H
#define MIG_POSTGRES_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "secret/source.h"

struct db;

/* What the server, or libpq, said when something did not work.  Texts are never NULL but where noted. */
struct db_error {
	char sqlstate[6];        /* "" where the error did not come from the server */
	char *message;           /* primary message, without "ERROR:" */
	char *detail, *hint;     /* or NULL */
	char *context;           /* or NULL */
	char *constraint;        /* or NULL; likewise table and column of a row that was refused */
	char *schema, *table, *column;
	size_t position;         /* in characters from 1 within the text sent; 0: none */
};

enum db_outcome {
	DB_OK,
	DB_ERROR,    /* the server refused: db_error() */
	DB_LOST,     /* the connection is gone: db_error() */
	DB_STOPPED   /* a signal came, and what ran was cancelled; what had ended well by then is DB_OK */
};

/* How long a server is waited for that says "not now" (starting up, too many connections), and one that is not there:
 * refused, of a name that is not known, silent, or a pooler's that has none. */
struct db_patience {
	long long busy_ms, absent_ms;
};

/* Of --wait where it was not given, in tools that wait for minutes: a host with a typing error is no reason to. */
enum { DB_ABSENT_MS = 10000 };

/*
 * Connects, and has the schema set as search path with the first round trip, where the string has one; row level
 * security is off: what it would hide from us is an error of the server (42501).  `application` is what other sessions see.  Wipes libpq's copies of the password after the attempt, failed or not.  An attempt takes
 * 10 s at most for each host, unless the string has a connect_timeout.
 * Returns NULL with the error said; *code is then MIG_UNREACHABLE, MIG_BUSY, MIG_DENIED, MIG_CONFIG, or
 * 128 + N after a signal.  Keeps no pointer into source.
 */
struct db *db_open(struct source *source, const char *application, const struct db_patience *patience, int *code);
void db_close(struct db *db);

/*
 * For a session that takes locks: asks the server, with the next round trip, to end it soon after we are gone, killed
 * (PostgreSQL 14 and later) or with our host or the network (half a minute), and not because it is idle.  To be called
 * again where a script may have changed that.
 */
void db_release_on_death(struct db *db);

/*
 * Has row level security refuse (42501) instead of hiding rows, from the next message on: so each session begins, and a
 * script may have changed it.
 */
void db_show_all_rows(struct db *db);

/* Has it hide rows instead, from the next message on and also behind db_session_reset(): for who asks for that view. */
void db_filter_rows(struct db *db);

/*
 * All that is sent is UTF-8, with standard_conforming_strings on: where a script, a role or a database has it otherwise,
 * both are set back before the next message.  Returns the setting that a script had changed since the last call, to be
 * called until NULL.
 */
const char *db_restored(struct db *db);

/*
 * The session as it was at its start, whatever a script did to it, also within a transaction: user and role, settings,
 * cursors, temporary tables; then our own settings again.  What is SET LOCAL is gone, too.
 */
enum db_outcome db_session_reset(struct db *db);

/* One attempt that says nothing when it fails: for what is only a convenience.  limit_ms: the most that it, and then
 * each answer, may take (DB_LOST), or 0: what the string allows, and what db_limit() has by itself.  *refused (may be
 * NULL): a server answered, and did not want us (too many connections, a password, ...). */
struct db *db_try_open(struct source *source, const char *application, long long limit_ms, bool *refused);

/*
 * The same beside other work: none of these waits, but for the name of a host.  db_connect_start() starts one attempt
 * to connect, in which several hosts share limit_ms; to be called until true, db_connect_poll() goes on with it as far
 * as it can, and says meanwhile for which descriptor and what (base/signals.h) to wait, and until when.  *outcome is
 * then DB_OK, or DB_LOST, and db_unreachable() says why.  source must live until then.  Nothing is set for the
 * session, not the schema either: behind a pooler it is soon somebody else's.
 */
struct db *db_connect_start(struct source *source, const char *application, long long limit_ms);
bool db_connect_poll(struct db *db, int *fd, int *want, long long *until_ms, enum db_outcome *outcome);

/* It was refused for want of a password: the string has none, and no password file has one for it. */
bool db_needs_password(const struct db *db);

/* "cannot reach db.example.com:5432: connection refused"; returns the exit code that it means. */
int db_unreachable(const struct db *db, const struct source *source, struct bytes *why);

/* Who and where, for people and records; as long as db lives. */
const char *db_host(const struct db *db);       /* NULL: libpq's default socket */
long long db_port(const struct db *db);
const char *db_user(const struct db *db);
const char *db_database(const struct db *db);
const char *db_tls(const struct db *db);        /* "TLSv1.3", or NULL */
const char *db_server_version(const struct db *db);
int db_server_version_num(const struct db *db);
int db_backend_pid(const struct db *db);        /* the server process, as libpq was told */

/* There is a pooler in between, which told libpq a number of its own: this is the process. */
void db_is_pooled(struct db *db, int pid);

/* "shop at db.example.com:5432" */
void db_place(const struct db *db, struct bytes *out);

/* Called about every 50 ms while the server is at work, with the milliseconds since the statement began. */
typedef void db_tick(void *context, long long ms);
/* Called for every notice and warning of the server.  Texts live for the time of the call. */
struct db_message {
	const char *severity; /* "NOTICE", "WARNING", ...: not translated */
	const char *sqlstate;
	const char *text;
};
typedef void db_notice(void *context, const struct db_message *message);

struct db_hooks {
	db_tick *tick;
	db_notice *notice;
	void *context;
};
/* The hooks in force from now on; NULL: none, and notices are passed over. */
void db_hooks(struct db *db, const struct db_hooks *hooks);

/*
 * How long the server may take to answer db_query() and db_query_batch(), by itself 10 s: then the connection is given up
 * (DB_LOST).  Notices are no answer; an answer that keeps coming may take longer.  0: as long as it takes, for what works
 * on the data of tables; -1: as by itself.  db_run(), db_send_ahead(), db_copy_in(), db_copy_out() and db_each() run what
 * the user wants, and are never limited; db_run_best_effort() always is.  What was cancelled has 10 s to end, after a signal 5 s.
 */
void db_limit(struct db *db, long long limit_ms);

/*
 * What db_limit() does not limit may be silent for hours, and also where its answer was lost on the way.  `silence` is
 * called when the server has taken all that was sent and no byte has come from it for 10 s, and then every 5 s; it finds out
 * what to think of that, and calls db_hang_up() if nothing will come.  NULL: nobody does.
 */
typedef void db_silence(void *context, long long ms);
void db_on_silence(struct db *db, db_silence *silence, void *context);

/* Gives the connection up, if that has not happened yet, so that the server can see it: whatever waits on db ends with
 * DB_LOST.  `why` is static. */
void db_hang_up(struct db *db, const char *why);

/* What was answered cannot be the answer to what was asked: the connection is of no use any more.  Always DB_LOST. */
enum db_outcome db_give_up(struct db *db);

/* Rows.  Texts live as long as the answer; NULL is SQL's NULL, or what the server did not send.  NULL is an answer
 * without rows. */
struct answer;
size_t answer_rows(const struct answer *answer);
const char *answer_text(const struct answer *answer, size_t row, int column);
long long answer_number(const struct answer *answer, size_t row, int column);  /* NULL: NUMBER_UNKNOWN */
bool answer_flag(const struct answer *answer, size_t row, int column);

/* The same where SQL allows no NULL: "" or 0, should the server send one all the same. */
const char *answer_word(const struct answer *answer, size_t row, int column);
long long answer_count(const struct answer *answer, size_t row, int column);

/* Whether there is a row, and none of its first columns is NULL: else the answer is none (db_give_up()). */
bool answer_has(const struct answer *answer, int columns);
void answer_free(struct answer *answer);

/*
 * One statement with text parameters ($1 ...; NULL is NULL).  *answer (may be NULL: not wanted) is the
 * caller's on DB_OK, and NULL else.
 */
enum db_outcome db_query(struct db *db, struct answer **answer, const char *sql, int count,
    const char *const parameters[]);

/* The same for a statement whose names are pg_catalog's: nobody else's are looked at (base/own_sql.h). */
enum db_outcome db_query_ours(struct db *db, struct answer **answer, const char *sql, int count,
    const char *const parameters[]);

/*
 * One simple-protocol message of any number of statements.  *done counts the statements that the server
 * finished before the end or the error; it keeps the answers back until then, so while it works nobody knows how
 * far it is.  Rows are thrown away.
 */
enum db_outcome db_run(struct db *db, const char *sql, size_t *done);

/* The same for a text of ours, which takes no time: limited as db_query() is. */
enum db_outcome db_tell(struct db *db, const char *sql);

/* How many statements of the last db_run() or db_tell() were answered well: also where none was an error, an answer may have
 * been lost on the way. */
size_t db_answered(const struct db *db);

/*
 * Several statements in one round trip (a pipeline; libpq 14).  An error stops what follows up to the next one
 * that is a unit's last.
 */
enum db_ask_kind { DB_ASK_PLAIN, DB_ASK_BEGINS, DB_ASK_ENDS };
struct db_ask {
	const char *sql;              /* one statement */
	enum db_ask_kind kind;        /* whether it begins or ends a transaction; who asks says so */
	bool ours;                    /* its names are pg_catalog's: parsed with that alone, see base/own_sql.h */
	const char *const *parameter; /* of $1, or NULL: it has none; *parameter may be NULL: SQL's NULL */
	int more;                     /* parameters behind $1 */
	bool ends_unit;               /* an error before it does not touch what comes after it */
	struct answer *answer;        /* out: the caller's, or NULL */
	enum db_outcome outcome;      /* out: DB_OK, or DB_ERROR also where it was passed over */
	char sqlstate[6];             /* out: of its own error, or "" */
};
/* DB_OK: all were answered, each in its own way; db_error() is the first error.  Else as for db_query(). */
enum db_outcome db_query_batch(struct db *db, struct db_ask asks[], size_t count);

/* The same beside other work, on a session of db_connect_start(): to be called until true.  asks must live until then. */
void db_query_batch_start(struct db *db, struct db_ask asks[], size_t count);
bool db_query_batch_poll(struct db *db, int *fd, int *want, enum db_outcome *outcome);

/*
 * Sends units of statements without waiting for the answers of those before, and reads answers as they come; never
 * more than a bounded part of it is on the way.  A unit that fails inside its transaction leaves that open and failed,
 * which stops all units after it (25P02); a COMMIT that fails does not, so units must not build on that alone.
 *
 * `next` gives the next statement of a unit, NULL behind its last; the text may be overwritten by the next call.
 * `ended` is called when a unit has been answered well.  *finished counts those, and *failed the statements of the
 * next one that were.  The server keeps the answers of single statements back until their unit ends.
 */
struct db_units {
	size_t count;
	const char *(*next)(void *context, size_t unit, size_t statement);
	void (*ended)(void *context, size_t unit);
	void *context;
};
enum db_outcome db_send_ahead(struct db *db, const struct db_units *units, size_t *finished, size_t *failed);

/*
 * COPY ... FROM STDIN.  `feed` gives the next part of the data, which it keeps until it is called again; 0: there is
 * no more; DB_FEED_BAD: there is no more, and what was sent is not to stay (the caller says why).  Never more
 * than one part is held.  What the server refuses is DB_ERROR, as is a feed that was bad.
 */
#define DB_FEED_BAD ((size_t)-1)
typedef size_t db_feed(void *context, const char **data);
enum db_outcome db_copy_in(struct db *db, const char *sql, db_feed *feed, void *context);

/*
 * COPY ... TO STDOUT: `take` gets the data as it comes, a line at a time, and says whether it wants more.  `header`: the
 * first line is one.  Where those that are whole lines are not as many as the server says in the end, the connection
 * counts as lost.
 */
typedef bool db_take(void *context, const char *data, size_t len);
enum db_outcome db_copy_out(struct db *db, const char *sql, bool header, db_take *take, void *context);

/* One statement, whose rows are given one by one as they come: an answer of one row each, which lives for the call.
 * Their number is held against the server's as in db_copy_out(). */
typedef void db_row(void *context, const struct answer *row);
enum db_outcome db_each(struct db *db, const char *sql, db_row *each, void *context);

/* The state of the session's transaction, as the protocol tells. */
enum db_transaction { DB_IDLE, DB_IN_TRANSACTION, DB_IN_FAILED_TRANSACTION, DB_UNKNOWN };
enum db_transaction db_transaction(const struct db *db);

/* Runs a text whatever signal came, and keeps db_error() as it is: to note an error after it happened.
 * Waits without ticks, and 10 s at most.  False when it did not work. */
bool db_run_best_effort(struct db *db, const char *sql);

/* Rolls back whatever is open; false when the connection is gone. */
bool db_rollback(struct db *db);

/* Asks the server to end what runs on db; never waits.  Safe while another call on db waits (from its tick). */
void db_cancel(struct db *db);

/* The error of the last call that gave DB_ERROR or DB_LOST. */
const struct db_error *db_error(const struct db *db);

/* Takes that error away from db, to be kept while more is asked; the caller frees it. */
struct db_error db_error_take(struct db *db);
void db_error_free(struct db_error *error);

/* Whether a table was busy (55P03) or a deadlock was broken (40P01): the same may work when tried again. */
bool db_is_busy(const struct db_error *error);

/* What to type where a pooler is in the way. */
#define DB_DIRECT_ADDRESS "next: put the server's own address into a variable, and name it:  MIG_DATABASE=env:DIRECT_URL"

/* Whether a pooler in statement mode refused a transaction: PgBouncer's words, since it has no SQLSTATE for it. */
bool db_is_statement_pooled(const struct db_error *error);

/* The exit code that an error means where nothing better is known. */
int db_exit_code(const struct db_error *error);

/* Says the error as "could not WHAT: message [SQLSTATE]" with detail and hint; returns its exit code. */
int db_say(const struct db *db, enum db_outcome outcome, const char *what);

/* The same of an error that was taken, and with another exit code; returns it, or that of a pooler in statement mode. */
int db_error_say(const struct db_error *error, int code, const char *what);

#endif
