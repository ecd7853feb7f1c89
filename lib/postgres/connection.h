/*
 * A connection to PostgreSQL: open, query, run, cancel.  libpq is used only in this folder.
 *
 * Every wait ends on a signal (base/signals.h) and calls a `tick`, which shows progress and enforces deadlines.
 * Decisions depend on the SQLSTATE, never on message text, which is translated.
 */
#ifndef MIG_POSTGRES_CONNECTION_H
#define MIG_POSTGRES_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "secret/conninfo.h"
#include "secret/source.h"

struct db;

/* An error of the server or of libpq.  Texts are never NULL unless noted. */
struct db_error {
	char sqlstate[6];        /* "" if the error did not come from the server */
	char *message;           /* primary message, without "ERROR:" */
	char *detail, *hint;     /* or NULL */
	char *context;           /* or NULL */
	char *constraint;        /* or NULL; likewise table and column of a rejected row */
	char *schema, *table, *column;
	size_t position;         /* in characters from 1, within the text sent; 0: none */
};

enum db_outcome {
	DB_OK,
	DB_ERROR,    /* the server reported an error: db_error() */
	DB_LOST,     /* the connection is gone: db_error() */
	DB_STOPPED   /* a signal arrived and the statement was cancelled; if it completed first, the outcome is
	              * DB_OK */
};

/*
 * How long to keep retrying: a server that is busy (starting up, too many connections); and an absent one
 * (refused, unknown name, silent, or a pooler without a server).  In ms.
 */
struct db_patience {
	long long busy_ms, absent_ms;
};

/* The default for an absent server in tools that wait for minutes: a mistyped host is not worth a long wait. */
enum { DB_ABSENT_MS = 10000 };

/*
 * Connects.  The first round trip sets the string's schema, if any, as search path, and turns row_security off, so
 * that a policy that would hide rows from us causes an error (42501).  `application` is the name that other
 * sessions see.  Wipes libpq's copies of the password after each attempt, failed or not.  An attempt takes at most
 * 10 s per host, unless the string has a connect_timeout.  Returns NULL with the error reported and *code set to
 * MIG_UNREACHABLE, MIG_BUSY, MIG_DENIED, MIG_CONFIG, or 128 + N after a signal.  Keeps no pointer into source.
 */
struct db *db_open(struct source *source, const char *application, const struct db_patience *patience, int *code);
void db_close(struct db *db);

/* Whether the server has said something although nothing was asked, or has gone. */
bool db_has_news(const struct db *db);

/*
 * For a session that takes locks: with the next round trip, asks the server to end the session soon after this
 * client dies, by a kill (PostgreSQL 14 and later) or with its host or network (half a minute), and not to end it
 * for being idle.  Call it again after a script that may have changed these settings.
 */
void db_release_on_death(struct db *db);

/*
 * From the next message on, row level security causes an error (42501) instead of hiding rows.  Every session
 * starts like this; call it again after a script that may have changed it.
 */
void db_show_all_rows(struct db *db);

/*
 * From the next message on, and also after db_session_reset(), row level security hides rows.  For users who ask
 * for that.
 */
void db_filter_rows(struct db *db);

/*
 * All text is sent as UTF-8 with standard_conforming_strings on.  If a script, a role or a database changed either
 * setting, it is set back before the next message.  Returns a setting that a script has changed since the last
 * call; call it until it returns NULL.
 */
const char *db_restored(struct db *db);

/*
 * Resets the session to its state at the start, whatever a script did to it, even within a transaction: user and
 * role, settings, cursors, temporary tables.  Then applies our own settings again.  SET LOCAL is undone too.
 */
enum db_outcome db_session_reset(struct db *db);

/*
 * For a session that the caller has set back to its start, and that is to be used for another schema of the database: our settings
 * and this target's schema go with the next message.
 */
void db_session_again(struct db *db, const struct conninfo *target);

/*
 * A single attempt, silent on failure; for optional connections.  limit_ms: the most that the attempt, and then
 * each answer, may take (DB_LOST); 0: the string's limit, and db_limit()'s default.  *refused (may be NULL): a
 * server answered and rejected us (too many connections, a password, ...).  Returns NULL on failure.
 */
struct db *db_try_open(struct source *source, const char *application, long long limit_ms, bool *refused);

/*
 * The same without blocking, except for name resolution.  db_connect_start() starts one attempt, in which several
 * hosts share limit_ms.  Call db_connect_poll() until it returns true: it advances as far as it can without
 * waiting, and returns the descriptor and events (base/signals.h) to wait for, and until when.  Then *outcome is
 * DB_OK, or DB_LOST and db_unreachable() has the reason.  source must live until then.  Applies no settings, not
 * even the schema: behind a pooler, another client gets the session next.
 */
struct db *db_connect_start(struct source *source, const char *application, long long limit_ms);
bool db_connect_poll(struct db *db, int *fd, int *want, long long *until_ms, enum db_outcome *outcome);

/* The attempt was rejected because a password is missing: neither the string nor a password file has one. */
bool db_needs_password(const struct db *db);

/* Writes "cannot reach db.example.com:5432: connection refused" to why; returns the matching exit code. */
int db_unreachable(const struct db *db, const struct source *source, struct bytes *why);

/* Appends the GRANT without which the role may not connect to that database; nothing if it was refused for another reason. */
void db_connect_grant(const struct db *db, const struct source *source, struct bytes *grant);

/* User, host and so on, for messages and records; they live as long as db. */
const char *db_host(const struct db *db);       /* NULL: libpq's default socket */
long long db_port(const struct db *db);
const char *db_user(const struct db *db);
const char *db_database(const struct db *db);
const char *db_tls(const struct db *db);        /* "TLSv1.3", or NULL */
const char *db_server_version(const struct db *db);
int db_server_version_num(const struct db *db);
const char *db_time_zone(const struct db *db);  /* the TimeZone of the session, as the server reported it; or NULL */
bool db_encodes_utf8(const struct db *db);      /* the database has every character; false: it may lack some */
int db_backend_pid(const struct db *db);        /* the server process, as reported to libpq */

/* Sets the server process behind a pooler, which reported a number of its own to libpq. */
void db_is_pooled(struct db *db, int pid);

/* "shop at db.example.com:5432" */
void db_place(const struct db *db, struct bytes *out);

/* Called about every 50 ms while the server works, with the milliseconds since the statement began. */
typedef void db_tick(void *context, long long ms);
/* Called for every notice and warning of the server.  The texts live until the call returns. */
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
/* Sets the hooks from now on; NULL: none, and notices are ignored. */
void db_hooks(struct db *db, const struct db_hooks *hooks);

/*
 * Sets how long the server may take to answer db_query() and db_query_batch(), 10 s by default; after that the
 * connection is given up (DB_LOST).  Notices do not count as an answer.  An answer that keeps arriving may take
 * longer.  0: no limit, for queries on table data; -1: the default.  db_run(), db_send_ahead(), db_copy_in(),
 * db_copy_out() and db_each() run what the user wants and are never limited; db_run_best_effort() always is.  A
 * cancelled statement has 10 s to end, 5 s after a signal.
 */
void db_limit(struct db *db, long long limit_ms);

/*
 * Statements without a limit may be silent for hours, but so is a connection whose answer was lost.  `silence` is
 * called when the server has taken all that was sent and has sent nothing for 10 s, and then every 5 s.  It finds
 * out whether an answer can still come, and calls db_hang_up() if not.  NULL: no such check.
 */
typedef void db_silence(void *context, long long ms);
void db_on_silence(struct db *db, db_silence *silence, void *context);

/*
 * Closes the connection, if it is still open, in a way that the server notices; every wait on db ends with
 * DB_LOST.  `why` is static text.
 */
void db_hang_up(struct db *db, const char *why);

/* Gives up a connection whose answer does not match the question.  Always returns DB_LOST. */
enum db_outcome db_give_up(struct db *db);

/*
 * Rows.  Their texts live as long as the answer; NULL is SQL's NULL, or a value that the server did not send.  A
 * NULL answer has no rows.
 */
struct answer;
size_t answer_rows(const struct answer *answer);
const char *answer_text(const struct answer *answer, size_t row, int column);
long long answer_number(const struct answer *answer, size_t row, int column);  /* NULL: NUMBER_UNKNOWN */
bool answer_flag(const struct answer *answer, size_t row, int column);

/* The same for columns that cannot be NULL: "" or 0 if the server sends NULL nevertheless. */
const char *answer_word(const struct answer *answer, size_t row, int column);
long long answer_count(const struct answer *answer, size_t row, int column);

/* Whether a row has this text in the column. */
bool answer_finds(const struct answer *answer, int column, const char *text);

/*
 * Whether there is a row, and none of its first columns is NULL; otherwise the answer is invalid (db_give_up()).
 */
bool answer_has(const struct answer *answer, int columns);
void answer_free(struct answer *answer);

/*
 * Runs one statement with text parameters ($1 ...; NULL is NULL).  *answer (may be NULL: not wanted) is set on
 * DB_OK, and the caller frees it; otherwise it is NULL.
 */
enum db_outcome db_query(struct db *db, struct answer **answer, const char *sql, int count,
    const char *const parameters[]);

/* The same for a statement of ours, parsed with only pg_catalog in the search path (base/own_sql.h). */
enum db_outcome db_query_ours(struct db *db, struct answer **answer, const char *sql, int count,
    const char *const parameters[]);

/*
 * Runs one simple-protocol message with any number of statements.  *done counts the statements that finished
 * before the end or the error.  The server holds the answers back until then, so the progress is unknown during
 * the run.  Rows are discarded.
 */
enum db_outcome db_run(struct db *db, const char *sql, size_t *done);

/* The same for a short text of ours: limited like db_query(). */
enum db_outcome db_tell(struct db *db, const char *sql);

/*
 * The number of statements of the last db_run() or db_tell() that were answered without error.  It may be short
 * even without an error: an answer may have been lost.
 */
size_t db_answered(const struct db *db);

/* The command tag of the last one that ended well: "ALTER TABLE", "INSERT 0 1". */
const char *db_tag(const struct db *db);

/*
 * Several statements in one round trip (a pipeline; libpq 14).  After an error, the following statements are
 * skipped up to and including the next one that ends a unit.
 */
enum db_ask_kind { DB_ASK_PLAIN, DB_ASK_BEGINS, DB_ASK_ENDS };
struct db_ask {
	const char *sql;              /* one statement */
	enum db_ask_kind kind;        /* whether it begins or ends a transaction, set by the caller */
	bool ours;                    /* parse it with only pg_catalog in the search path, see base/own_sql.h */
	bool parses;                  /* only have it parsed: names and types are looked up, and nothing runs */
	const char *const *parameter; /* $1 and following, or NULL: no parameters; *parameter may be NULL: SQL's
	                               * NULL */
	int more;                     /* number of parameters after $1 */
	bool ends_unit;               /* an error before it does not affect what comes after it */
	void (*answered)(const struct answer *answer, void *context); /* called when its rows are here; or NULL */
	void *context;
	struct answer *answer;        /* out: the caller frees it; or NULL */
	enum db_outcome outcome;      /* out: DB_OK, or DB_ERROR, also if it was skipped */
	char sqlstate[6];             /* out: of its own error, or "" */
};
/*
 * Returns DB_OK if all were answered, with or without errors; db_error() is the first error.  Otherwise like
 * db_query().
 */
enum db_outcome db_query_batch(struct db *db, struct db_ask asks[], size_t count);

/*
 * Sends questions with the next message, whatever it is, in the same round trip where that is db_query_batch() or
 * db_send_ahead(): before it, or (only db_query_batch()) after it.  Each ends a unit, or is followed by one that does.  Their
 * errors are in the asks and nowhere else.  asks must live until then, and the caller frees the answers; one that was never sent
 * has the outcome DB_ERROR and no SQLSTATE.
 */
enum db_along { DB_ALONG_BEFORE, DB_ALONG_AFTER };
void db_send_along(struct db *db, struct db_ask asks[], size_t count, enum db_along where);

/* Whether they still have to be sent. */
bool db_has_along(const struct db *db);

/*
 * The same without blocking, on a session of db_connect_start(): call the second until it returns true.  asks must
 * live until then.
 */
void db_query_batch_start(struct db *db, struct db_ask asks[], size_t count);
bool db_query_batch_poll(struct db *db, int *fd, int *want, enum db_outcome *outcome);

/*
 * Sends units of statements without waiting for earlier answers, and reads answers as they arrive; the amount in
 * flight is bounded.  A unit that fails inside its transaction leaves it open and failed, which stops all later
 * units (25P02).  A COMMIT that fails does not stop them, so units must not rely on that alone.
 *
 * `next` returns the next statement of a unit, NULL after the last; the next call may overwrite the text.  `ended`
 * is called when a unit was answered without error.  *finished counts these units; *failed counts the statements
 * answered in the next one.  The server holds back the answers of single statements until their unit ends.
 */
struct db_units {
	size_t count;
	const char *(*next)(void *context, size_t unit, size_t statement);
	void (*ended)(void *context, size_t unit);
	void *context;
};
enum db_outcome db_send_ahead(struct db *db, const struct db_units *units, size_t *finished, size_t *failed);

/*
 * COPY ... FROM STDIN.  `feed` returns the next part of the data, valid until its next call; 0: end of data;
 * DB_FEED_BAD: end, and what was sent must not be kept (the caller reports why).  At most one part is in memory.
 * Returns DB_ERROR if the server rejects the data or the feed was bad.
 */
#define DB_FEED_BAD ((size_t)-1)
typedef size_t db_feed(void *context, const char **data);
enum db_outcome db_copy_in(struct db *db, const char *sql, db_feed *feed, void *context);

/*
 * COPY ... TO STDOUT.  `take` gets the data line by line as it arrives, and returns whether it wants more.
 * `header`: the first line is a header.  If the number of whole lines differs from the server's count, the
 * connection counts as lost.
 */
typedef bool db_take(void *context, const char *data, size_t len);
enum db_outcome db_copy_out(struct db *db, const char *sql, bool header, db_take *take, void *context);

/*
 * One statement whose rows are delivered one by one: `row` gets an answer with one row, valid during the call.
 * The number of rows is compared with the server's count as in db_copy_out().
 */
typedef void db_row(void *context, const struct answer *row);
enum db_outcome db_each(struct db *db, const char *sql, db_row *each, void *context);

/* The transaction status of the session, as the protocol reports it. */
enum db_transaction { DB_IDLE, DB_IN_TRANSACTION, DB_IN_FAILED_TRANSACTION, DB_UNKNOWN };
enum db_transaction db_transaction(const struct db *db);

/*
 * Runs a text even after a signal and keeps db_error(): to record an error after it happened.  Waits without
 * ticks, at most 10 s.  Returns false on failure.
 */
bool db_run_best_effort(struct db *db, const char *sql);

/* Rolls back an open transaction; returns false if the connection is gone. */
bool db_rollback(struct db *db);

/*
 * Asks the server to cancel what runs on db; never blocks.  Safe while another call on db waits (from its tick).
 */
void db_cancel(struct db *db);

/* The error of the last call that returned DB_ERROR or DB_LOST; owned by db. */
const struct db_error *db_error(const struct db *db);

/* Moves that error out of db, to keep it during further queries; the caller frees it. */
struct db_error db_error_take(struct db *db);
void db_error_free(struct db_error *error);

/* Whether a table was busy (55P03) or a deadlock was broken (40P01): a retry may succeed. */
bool db_is_busy(const struct db_error *error);

/* Advice for a connection through a pooler that does not work for us. */
#define DB_DIRECT_ADDRESS "next: put the server's own address into a variable, and name it:  MIG_DATABASE=env:DIRECT_URL"

/*
 * Whether a pooler in statement mode refused a transaction; compares PgBouncer's message, because it has no
 * SQLSTATE for this.
 */
bool db_is_statement_pooled(const struct db_error *error);

/* The default exit code for an error. */
int db_exit_code(const struct db_error *error);

/* Says the error as "could not WHAT: message [SQLSTATE]" with detail and hint; returns its exit code. */
int db_say(const struct db *db, enum db_outcome outcome, const char *what);

/* The same of an error that was taken, and with another exit code; returns it, or that of a pooler in statement mode. */
int db_error_say(const struct db_error *error, int code, const char *what);

#endif
