#include "postgres/connection.h"

#include <ctype.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/own_sql.h"
#include "base/signals.h"
#include "postgres/cancel.h"

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
	REFUSAL_OPTIONS,          /* a parameter in options= that the server does not take */
	REFUSAL_POOLER            /* whoever is in front of the server */
};

struct db {
	PGconn *conn;
	struct db_hooks hooks;
	struct db_error error;
	struct cancel *cancel;    /* the last cancel request, or NULL */
	bool cancelling;
	long long signalled_ms;   /* when we began to cancel for a signal, */
	long long cancelled_ms;   /* and sent the last request */
	long long cancel_ms;      /* when the first cancel request of this wait was sent, for whatever reason; 0: none */
	const char *given_up;     /* why the connection is of no use, open as it is; or NULL */
	long long limit_ms;       /* how long an answer of ours may take; 0: as long as it takes */
	struct wait {             /* for the answers to what was sent last: */
		long long limit_ms;   /*   they may take so long, or 0, */
		long long began_ms;   /*   from here on; 0: it has not begun */
		size_t received;      /*   bytes since then, */
		bool noticed;         /*   and there were notices among them */
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
	bool lets_go;             /* db_let_go() was called */
	struct db_beside *beside; /* NULL: of a session whose calls wait */
	size_t results;           /* that were read of what was sent last */
	const struct each *each;  /* rows are given one by one, while a statement runs that wants it so */
	bool streamed;            /* rows are not kept in a result: those of each, and the lines of COPY TO */
	long long streamed_rows;
};

struct answer {
	PGresult *result;
};

/* --- errors --- */

void
db_error_free(struct db_error *e)
{
	free(e->message);
	free(e->detail);
	free(e->hint);
	free(e->context);
	free(e->constraint);
	free(e->schema);
	free(e->table);
	free(e->column);
	*e = (struct db_error){ 0 };
}

static char *
copy_or_null(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

/* libpq's own texts end in newlines and have hints of their own on further lines: the first line is the
 * message. */
static char *
first_line(const char *text)
{
	return xstrndup(text, strcspn(text, "\n"));
}

static enum db_outcome
error_from_result(struct db *db, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	struct db_error *e = &db->error;

	db_error_free(e);
	snprintf(e->sqlstate, sizeof e->sqlstate, "%s", state != NULL ? state : "");
	e->message = primary != NULL ? xstrdup(primary) : first_line(PQresultErrorMessage(result));
	e->detail = copy_or_null(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
	e->hint = copy_or_null(PQresultErrorField(result, PG_DIAG_MESSAGE_HINT));
	e->context = copy_or_null(PQresultErrorField(result, PG_DIAG_CONTEXT));
	e->constraint = copy_or_null(PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
	e->schema = copy_or_null(PQresultErrorField(result, PG_DIAG_SCHEMA_NAME));
	e->table = copy_or_null(PQresultErrorField(result, PG_DIAG_TABLE_NAME));
	e->column = copy_or_null(PQresultErrorField(result, PG_DIAG_COLUMN_NAME));
	e->position = position != NULL ? strtoul(position, NULL, 10) : 0;
	if (PQstatus(db->conn) != CONNECTION_OK)
		return DB_LOST;
	/* an error that is libpq's own, and not the server's, says nothing about what became of the statement */
	return state != NULL ? DB_ERROR : db_give_up(db);
}

static enum db_outcome
error_from_connection(struct db *db)
{
	bool lost = PQstatus(db->conn) != CONNECTION_OK;
	const char *text = PQerrorMessage(db->conn), *severity = strstr(text, "FATAL:  ");

	db_error_free(&db->error);
	db->error.message = db->given_up != NULL ? xstrdup(db->given_up)
	                                         : first_line(severity != NULL ? severity + strlen("FATAL:  ") : text);
	if (*db->error.message == '\0') {
		free(db->error.message);
		db->error.message = xstrdup("the connection was lost");
	}
	return lost || db->given_up != NULL ? DB_LOST : DB_ERROR;
}

const struct db_error *
db_error(const struct db *db)
{
	return &db->error;
}

struct db_error
db_error_take(struct db *db)
{
	struct db_error taken = db->error;

	db->error = (struct db_error){ 0 };
	return taken;
}

bool
db_is_busy(const struct db_error *error)
{
	return strcmp(error->sqlstate, "55P03") == 0 || strcmp(error->sqlstate, "40P01") == 0;
}

int
db_exit_code(const struct db_error *error)
{
	static const struct {
		const char *state; /* a whole SQLSTATE, or a class of two characters */
		int code;
	} codes[] = {
		{ "42501", MIG_DENIED },
		{ "28", MIG_DENIED },       /* authentication */
		{ "3D000", MIG_CONFIG },    /* no such database */
		{ "25006", MIG_BUSY },      /* read-only: a standby, or set so */
		{ "55P03", MIG_BUSY },      /* lock not available */
		{ "40P01", MIG_BUSY },      /* deadlock */
		{ "40001", MIG_BUSY },
		{ "57P03", MIG_BUSY },      /* starting up */
		{ "53", MIG_BUSY },         /* out of connections, memory, disk */
		{ "57P01", MIG_UNREACHABLE }, /* somebody ended our session */
		{ "57P02", MIG_UNREACHABLE },
		{ "57P05", MIG_UNREACHABLE },
		{ "08", MIG_UNREACHABLE },
	};
	size_t i;

	if (error->sqlstate[0] == '\0')
		return MIG_UNREACHABLE;
	for (i = 0; i < sizeof codes / sizeof *codes; i++)
		if (strncmp(error->sqlstate, codes[i].state, strlen(codes[i].state)) == 0)
			return codes[i].code;
	return MIG_FAILED;
}

int
db_say(const struct db *db, enum db_outcome outcome, const char *what)
{
	const struct db_error *e = &db->error;
	int code;

	if (outcome == DB_STOPPED)
		return 128 + signals_caught();
	code = outcome == DB_LOST ? MIG_UNREACHABLE : db_exit_code(e);
	if (e->sqlstate[0] != '\0')
		(void)message_error(code, "could not %s: %s [%s]", what, e->message, e->sqlstate);
	else
		(void)message_error(code, "could not %s: %s", what, e->message);
	if (e->detail != NULL)
		message_quote("  ", e->detail);
	if (e->hint != NULL)
		message_quote("  ", e->hint);
	return code;
}

/* --- waiting --- */

enum {
	TICK_MS = 50,
	CANCEL_MS = 200,
	DRAIN_MS = 5000,          /* a signal came: the server may take so long to end what runs, */
	CANCELLED_MS = 10000,     /* and so long where it is we who do not want it any more */
	ANSWER_MS = 10000,
	FLOWING_BYTES = 16384     /* in that time: then the answer is long, and not late */
};

static const char no_answer[] = "no answer in time", no_end[] = "the server does not end what was cancelled",
	misfit[] = "the server's answers do not fit what was asked";

/* Something is sent now, whose answers may take limit_ms; 0: as long as it takes. */
static void
wait_begin(struct db *db, long long limit_ms)
{
	cancel_settle(&db->cancel);
	db->wait = (struct wait){ .limit_ms = limit_ms };
	db->cancelling = false;
	db->cancel_ms = 0;
}

void
db_cancel(struct db *db)
{
	if (db->cancel_ms == 0)
		db->cancel_ms = clock_now_ms();
	cancel_send(&db->cancel, db->conn);
}

/*
 * Once a signal came, cancels again and again: one request may hit between two statements and be lost.  False when the
 * server has not ended in time: where the network is silent, it never will.
 */
static bool
cancel_when_signalled(struct db *db)
{
	long long now;

	if (signals_caught() == 0 || db->wait.deaf)
		return true;
	now = clock_now_ms();
	if (!db->cancelling) {
		message_live_clear();
		db->signalled_ms = now;
		db->cancelled_ms = now - CANCEL_MS;
	}
	db->cancelling = true;
	if (now - db->signalled_ms > DRAIN_MS) {
		db->given_up = no_end;
		return false;
	}
	if (now - db->cancelled_ms >= CANCEL_MS) {
		db->cancelled_ms = now;
		db_cancel(db);
	}
	return true;
}

/*
 * A server, or what stands in front of it, may be silent on a connection that lives.  An answer that keeps coming is not
 * late; notices are no answer.
 */
static bool
takes_too_long(struct db *db)
{
	struct wait *w = &db->wait;
	long long now;

	if (db->given_up != NULL || (w->limit_ms == 0 && db->cancel_ms == 0))
		return db->given_up != NULL;
	now = clock_now_ms();
	if (db->cancel_ms != 0 && now - db->cancel_ms > CANCELLED_MS)
		db->given_up = no_end;
	if (w->began_ms == 0)
		w->began_ms = now;
	if (w->limit_ms > 0 && now - w->began_ms > w->limit_ms) {
		if (w->noticed || w->received < FLOWING_BYTES)
			db->given_up = no_answer;
		*w = (struct wait){ .limit_ms = w->limit_ms, .began_ms = now, .deaf = w->deaf };
	}
	return db->given_up != NULL;
}

/* Reads what has come. */
static bool
receive(struct db *db)
{
	int here = 0;

	if (db->wait.limit_ms > 0 && ioctl(PQsocket(db->conn), FIONREAD, &here) == 0 && here > 0)
		db->wait.received += (size_t)here;
	return PQconsumeInput(db->conn);
}

/*
 * Waits until the next result is there, sending what is still unsent.  *since is when the wait for it began, 0 where it
 * has not yet: of a million results most are there already, and asking the clock costs more than taking them.
 */
static bool
wait_result(struct db *db, long long *since)
{
	bool unsent = true;

	for (;;) {
		int flushed, ready;

		if (!cancel_when_signalled(db))
			return false;
		if (!unsent && !PQisBusy(db->conn))
			return true;
		if (unsent) {
			if ((flushed = PQflush(db->conn)) < 0)
				return false;
			unsent = flushed > 0;
			if (!PQisBusy(db->conn))
				return true;
		}
		if (*since == 0)
			*since = clock_now_ms();
		if (takes_too_long(db))
			return false;
		ready = signals_wait(PQsocket(db->conn), SIGNALS_READ | (unsent ? SIGNALS_WRITE : 0), TICK_MS);
		if ((ready & SIGNALS_READ) && !receive(db))
			return false;
		if (db->hooks.tick != NULL && !db->wait.deaf && PQisBusy(db->conn))
			db->hooks.tick(db->hooks.context, clock_now_ms() - *since);
	}
}

static void
on_notice(void *context, const PGresult *result)
{
	struct db *db = context;
	struct db_message message = { PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED),
		PQresultErrorField(result, PG_DIAG_SQLSTATE),
		PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) };

	db->wait.noticed = true;
	if (message.text == NULL)
		return;
	if (message.severity == NULL)
		message.severity = "NOTICE";
	if (db->announce > 0) {
		db->announce--;
		message_info("%s: %s", message.severity, message.text);
	}
	if (db->hooks.notice == NULL)
		return;
	if (message.sqlstate == NULL)
		message.sqlstate = "00000";
	db->hooks.notice(db->hooks.context, &message);
}

void
db_limit(struct db *db, long long limit_ms)
{
	db->limit_ms = limit_ms > 0 ? limit_ms : limit_ms < 0 ? ANSWER_MS : 0;
}

void
db_hooks(struct db *db, const struct db_hooks *hooks)
{
	db->hooks = hooks != NULL ? *hooks : (struct db_hooks){ 0 };
}

/* --- connecting --- */

struct attempt {
	struct source *source;
	const char *application;
	const char *host, *port;   /* one of the target's, or all */
	const char *session_attrs; /* instead of the target's, or NULL */
	PGconn *conn;
};

/* "system", the system's own list of authorities, is known to libpq 16 and later; before, the file must be named. */
static const char *
parameter_value(const struct target_parameter *parameter)
{
	static const char *const bundles[] = { "/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem" };
	size_t i;

	if (strcmp(parameter->keyword, "sslrootcert") != 0 || strcmp(parameter->value, "system") != 0 ||
	    PQlibVersion() >= 160000)
		return parameter->value;
	for (i = 0; i < sizeof bundles / sizeof *bundles; i++)
		if (access(bundles[i], R_OK) == 0)
			return bundles[i];
	return parameter->value;
}

/* A network that fell silent shows within half a minute, also to a cancel request. */
static const struct {
	const char *keyword;
	const char *value;
} lively[] = { { "keepalives_idle", "10" }, { "keepalives_interval", "5" }, { "keepalives_count", "4" },
	{ "tcp_user_timeout", "30000" } };

/* The same for the server's side of it: whoever is gone without a word keeps no lock for longer. */
static const char server_lively_sql[] =
    "SELECT pg_catalog.set_config('tcp_keepalives_idle', '10', false), "
    "pg_catalog.set_config('tcp_keepalives_interval', '5', false), "
    "pg_catalog.set_config('tcp_keepalives_count', '4', false), "
    "pg_catalog.set_config('tcp_user_timeout', '30000', false)";

static const char session_attrs[] = "target_session_attrs";

/* libpq's keywords from the target; called with the password readable. */
static void *
start(const char *password, void *context)
{
	struct attempt *a = context;
	const struct target *t = &a->source->target;
	size_t room = t->count + 16, n = 0, i;
	const char **keywords = xcalloc(room, sizeof *keywords);
	const char **values = xcalloc(room, sizeof *values);
	bool has_timeout = false;
	const struct {
		const char *keyword;
		const char *value;
	} given[] = { { "host", a->host }, { "port", a->port }, { "user", t->user },
		{ "dbname", t->database }, { "password", password } };

	/* what comes later wins: these are only defaults */
	for (i = 0; i < sizeof lively / sizeof *lively; i++) {
		keywords[n] = lively[i].keyword;
		values[n++] = lively[i].value;
	}
	for (i = 0; i < sizeof given / sizeof *given; i++) {
		keywords[n] = given[i].keyword;
		values[n] = given[i].value;
		n += given[i].value != NULL;
	}
	for (i = 0; i < t->count; i++) {
		keywords[n] = t->parameters[i].keyword;
		values[n++] = parameter_value(&t->parameters[i]);
		if (a->session_attrs != NULL && strcmp(t->parameters[i].keyword, session_attrs) == 0)
			values[n - 1] = a->session_attrs;
		has_timeout |= strcmp(t->parameters[i].keyword, "connect_timeout") == 0;
	}
	keywords[n] = "application_name";
	values[n++] = a->application;
	keywords[n] = "client_encoding";
	values[n++] = "UTF8";
	if (!has_timeout && getenv("PGCONNECT_TIMEOUT") == NULL) {
		keywords[n] = "connect_timeout";
		values[n++] = "10";
	}
	a->conn = PQconnectStartParams(keywords, values, 0);
	free(keywords);
	free(values);
	return NULL;
}

/* What libpq itself does in PQconnectdb(), but so that a signal ends it.  PQconnectPoll() leaves
 * connect_timeout to its caller. */
static void
finish_connecting(PGconn *conn, long long deadline)
{
	PostgresPollingStatusType polled = PGRES_POLLING_WRITING;

	while (polled != PGRES_POLLING_OK && polled != PGRES_POLLING_FAILED) {
		long long left = deadline - clock_now_ms();
		int want = polled == PGRES_POLLING_READING ? SIGNALS_READ : SIGNALS_WRITE;

		if (left <= 0 || signals_caught() != 0)
			return;
		if (signals_wait(PQsocket(conn), want, left) != 0)
			polled = PQconnectPoll(conn);
	}
}

static long long
connect_limit_ms(PGconn *conn)
{
	PQconninfoOption *options = PQconninfo(conn), *o;
	long long hosts = 1, seconds = 10;
	const char *c;

	for (o = options; o != NULL && o->keyword != NULL; o++) {
		if (strcmp(o->keyword, "connect_timeout") == 0 && o->val != NULL)
			seconds = strtoll(o->val, NULL, 10);
		if (strcmp(o->keyword, "host") == 0 && o->val != NULL)
			for (c = o->val; *c != '\0'; c++)
				hosts += *c == ',';
	}
	PQconninfoFree(options);
	return seconds > 0 ? seconds * 1000 * hosts : 24LL * 3600 * 1000;
}

/*
 * libpq gives no SQLSTATE for a refused connection, but writes it into the message where the verbosity is
 * set before the answer comes: "FATAL:  28P01: password authentication failed ...".
 */
/* Where libpq gets no SQLSTATE, it says itself what is wrong, and is never translated: we set no locale. */
static enum refusal
refusal_of(const char *text, const char *last, const char *sqlstate)
{
	static const char *const tls[] = { "SSL error", "does not support SSL", "certificate", "private key", "sslmode",
		"channel binding", "authentication method requirement", "GSSAPI" };
	size_t i;

	if (strncmp(sqlstate, "22", 2) == 0 || (strncmp(sqlstate, "42", 2) == 0 && strcmp(sqlstate, "42501") != 0) ||
	    strstr(last, "unsupported startup parameter") != NULL)
		return REFUSAL_OPTIONS;
	if (strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "XX", 2) == 0 ||
	    (sqlstate[0] == '\0' && strstr(text, "FATAL:  ") != NULL))
		return REFUSAL_POOLER;
	if (sqlstate[0] != '\0' || *text == '\0')
		return REFUSAL_OTHER;
	for (i = 0; i < sizeof tls / sizeof *tls; i++)
		if (strstr(last, tls[i]) != NULL)
			return REFUSAL_TLS;
	return strstr(text, "connection to server") == NULL && strstr(text, "could not translate host name") == NULL
	    ? REFUSAL_SETTING
	    : REFUSAL_OTHER;
}

static void
connect_error(struct db *db, bool timed_out)
{
	const char *text = PQerrorMessage(db->conn), *at = text, *found, *c;
	struct db_error *e = &db->error;

	db_error_free(e);
	while ((found = strstr(at, "failed: ")) != NULL) /* the last of several hosts is the one that counts */
		at = found + strlen("failed: ");
	for (c = at; (c = strstr(c, ":  ")) != NULL; c += 3) {
		if (strspn(c + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && c[8] == ':') {
			memcpy(e->sqlstate, c + 3, 5);
			at = c + 10;
			break;
		}
	}
	db->refusal = timed_out ? REFUSAL_OTHER : refusal_of(text, at, e->sqlstate);
	if (db->refusal == REFUSAL_POOLER && strncmp(at, "FATAL:  ", 8) == 0)
		at += 8;
	e->message = timed_out ? xstrdup("no answer in time") : first_line(at);
	if (*e->message == '\0') {
		free(e->message);
		e->message = xstrdup("the connection was closed");
	}
	if (isupper((unsigned char)e->message[0]) && islower((unsigned char)e->message[1]))
		e->message[0] = (char)tolower((unsigned char)e->message[0]);
}

static void
connect_begin(struct db *db, struct attempt *attempt)
{
	struct source *source = attempt->source;

	PQfinish(db->conn);
	secret_use(source->password, start, attempt);
	db->conn = attempt->conn;
	if (db->conn == NULL)
		MESSAGE_BUG("libpq has no memory for a connection");
	PQsetErrorVerbosity(db->conn, PQERRORS_VERBOSE);
	PQsetNoticeReceiver(db->conn, on_notice, db); /* libpq's own prints them, as they come */
}

/* The attempt is over, well or not: libpq's copies of the password go. */
static bool
connect_end(struct db *db, struct source *source)
{
	bool logged_in = PQstatus(db->conn) == CONNECTION_OK, connected;

	if (!logged_in)
		connect_error(db, PQstatus(db->conn) != CONNECTION_BAD);
	db->needs_password = !logged_in && PQconnectionNeedsPassword(db->conn); /* asks for what is wiped now */
	if (source->password == NULL && PQpass(db->conn) != NULL)
		secret_scrub_text(PQpass(db->conn));
	secret_scrub(source->password);
	connected = logged_in && PQparameterStatus(db->conn, "server_version") != NULL;
	if (logged_in && !connected) {
		db_error_free(&db->error);
		db->refusal = REFUSAL_OTHER;
		db->error.message = xstrdup("it does not say its version, as a PostgreSQL server does");
	}
	return connected;
}

static bool
connect_once(struct db *db, struct attempt *attempt, long long limit_ms)
{
	connect_begin(db, attempt);
	if (PQstatus(db->conn) != CONNECTION_BAD)
		finish_connecting(db->conn, clock_now_ms() + (limit_ms > 0 ? limit_ms : connect_limit_ms(db->conn)));
	return connect_end(db, attempt->source);
}

/* The i-th of a list with commas; its only one for all i; NULL of NULL.  The caller's. */
static char *
nth(const char *list, size_t i)
{
	const char *at = list;

	if (list == NULL || strchr(list, ',') == NULL)
		return list != NULL ? xstrdup(list) : NULL;
	for (; i > 0 && *at != '\0'; at++)
		i -= *at == ',';
	return xstrndup(at, strcspn(at, ","));
}

static const char *
parameter(const struct target *t, const char *keyword)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (strcmp(t->parameters[i].keyword, keyword) == 0)
			return t->parameters[i].value;
	return NULL;
}

/* How many hosts are tried one by one; 1 also where libpq has to choose. */
static size_t
host_count(const struct target *t)
{
	const char *c;
	size_t n = 1;

	if (parameter(t, "hostaddr") != NULL || parameter(t, "load_balance_hosts") != NULL)
		return 1;
	for (c = t->host != NULL ? t->host : ""; *c != '\0'; c++)
		n += *c == ',';
	return n;
}

/*
 * One host of the list after the other, each with a time-out of its own: PQconnectPoll() leaves that to its caller, who
 * cannot send it on to the next.  As in libpq, the first one that refuses the user ends it.
 */
static bool
connect_in_turn(struct db *db, struct source *source, const char *application, const char *attrs, long long limit_ms)
{
	const struct target *t = &source->target;
	size_t count = host_count(t), i;
	bool connected = false, refused = false;

	for (i = 0; i < count && !connected && !refused && signals_caught() == 0; i++) {
		char *host = count > 1 ? nth(t->host, i) : NULL, *port = count > 1 ? nth(t->port, i) : NULL;
		struct attempt attempt = { .source = source,
			.application = application,
			.host = count > 1 ? host : t->host,
			.port = count > 1 ? port : t->port,
			.session_attrs = attrs };

		connected = connect_once(db, &attempt, limit_ms);
		refused = !connected && (db->needs_password || strncmp(db->error.sqlstate, "28", 2) == 0);
		if (!connected && count > 1)
			message_verbose("%s: %s", host, db->error.message);
		free(host);
		free(port);
	}
	return connected;
}

static bool
connect_any(struct db *db, struct source *source, const char *application, long long limit_ms)
{
	const char *wanted = parameter(&source->target, session_attrs);

	if (wanted != NULL && strcmp(wanted, "prefer-standby") == 0 && host_count(&source->target) > 1)
		return connect_in_turn(db, source, application, "standby", limit_ms) ||
		    connect_in_turn(db, source, application, "any", limit_ms);
	return connect_in_turn(db, source, application, NULL, limit_ms);
}

/* Hosts that answer, but none of the kind that is asked for: while a standby takes over that is so for a while. */
static bool
is_wrong_kind(struct db *db, struct source *source, const char *application)
{
	const char *wanted = parameter(&source->target, session_attrs);
	struct bytes why = { 0 };

	if (wanted == NULL || strcmp(wanted, "any") == 0 || db->error.sqlstate[0] != '\0' ||
	    !connect_in_turn(db, source, application, "any", 0))
		return false;
	db_error_free(&db->error);
	bytes_format(&why, "it answers, but is not what %s=%s asks for", session_attrs, wanted);
	db->error.message = why.data;
	bytes_copy(db->error.sqlstate, sizeof db->error.sqlstate, "25006");
	return true;
}

static void
place_of(const char *host, const char *port, struct bytes *out)
{
	if (host == NULL || *host == '\0')
		bytes_str(out, "the local socket");
	else if (*host == '/')
		bytes_str(out, host);
	else
		bytes_format(out, "%s:%s", host, port != NULL && *port != '\0' ? port : "5432");
}

/* Variables of libpq that would send a URL's session elsewhere, or change what a migration means in it. */
static void
forget_session_variables(const struct target *target)
{
	static const char *const names[] = { "PGHOSTADDR", "PGSERVICE", "PGTARGETSESSIONATTRS", "PGOPTIONS", "PGTZ",
		"PGDATESTYLE", "PGGEQO", "PGCLIENTENCODING" };
	size_t i;

	for (i = 0; target->is_url && i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
}

bool
db_needs_password(const struct db *db)
{
	return db->needs_password;
}

/* The exit code that the last attempt means. */
static int
refusal_code(const struct db *db)
{
	if (db->needs_password)
		return MIG_DENIED;
	switch (db->refusal) {
	case REFUSAL_SETTING:
	case REFUSAL_TLS:
	case REFUSAL_OPTIONS:
		return MIG_CONFIG;
	case REFUSAL_POOLER:
		return MIG_UNREACHABLE;
	case REFUSAL_OTHER:
		break;
	}
	return db_exit_code(&db->error);
}

int
db_unreachable(const struct db *db, const struct source *source, struct bytes *why)
{
	int code = refusal_code(db);
	bool pooler = db->refusal == REFUSAL_POOLER;

	bytes_format(why, "cannot %s ", code == MIG_UNREACHABLE && !pooler ? "reach" : "connect to");
	place_of(source->target.host, source->target.port, why);
	bytes_format(why, ": %s%s", pooler ? "FATAL: " : "", db->error.message);
	if (pooler && db->error.sqlstate[0] != '\0')
		bytes_format(why, " [%s]", db->error.sqlstate);
	target_cut_values(&source->target, why);
	return code;
}

static void
say_remedy(const struct db *db, int code)
{
	switch (db->refusal) {
	case REFUSAL_SETTING:
		message_line("  A setting in the connection string, or of a variable PG..., is wrong. Nobody was asked.");
		return;
	case REFUSAL_TLS:
		message_line("  sslmode, sslrootcert, sslcert, sslkey and channel_binding in the connection string decide this (P1011).");
		return;
	case REFUSAL_OPTIONS:
		message_line("  This server does not take what options= says: leave it out; it belongs to another host.");
		return;
	case REFUSAL_POOLER:
		message_line("  A pooler or proxy in front of the server says this. Where the server has an address of its own:  "
		             "MIG_DATABASE=env:DIRECT_URL");
		return;
	case REFUSAL_OTHER:
		break;
	}
	if (code == MIG_UNREACHABLE)
		message_line("  Hosted databases change host and port when they restart: copy the string again, "
		             "or use -d cmd:...");
	else if (db->needs_password)
		message_line("  The connection string has no password, and no password file has one for it.");
	else if (code == MIG_BUSY)
		message_line("  The same command may work later.");
	else if (strcmp(db->error.sqlstate, "3D000") == 0)
		message_line("  No database is created here. Is the name right? Else: createdb, or CREATE DATABASE.");
}

static int
say_unreachable(const struct db *db, const struct source *source)
{
	struct bytes why = { 0 };
	int code = db_unreachable(db, source, &why);

	(void)message_error(code, "%s", why.data);
	say_remedy(db, code);
	bytes_free(&why);
	return code;
}

/* False: it waits to be sent already. */
static bool
queue_setting(struct db *db, const char *sql)
{
	size_t i;

	for (i = 0; i < db->prelude_count; i++)
		if (db->prelude[i].sql == sql)
			return false;
	if (db->prelude_count < sizeof db->prelude / sizeof *db->prelude)
		db->prelude[db->prelude_count++] = (struct db_ask){ .sql = sql, .ends_unit = true };
	return true;
}

/* How the server reads what we send: a script may have changed it, or who configured the database. */
static const struct {
	const char *setting, *wanted, *sql;
} readings[] = {
	{ "client_encoding", "UTF8", "SET client_encoding = 'UTF8'" },
	{ "standard_conforming_strings", "on", "SET standard_conforming_strings = on" },
};

/* The server says by itself when one of them changes.  A transaction that failed takes only ROLLBACK. */
static bool
is_changed(const struct db *db, size_t reading)
{
	const char *now = PQparameterStatus(db->conn, readings[reading].setting);

	return now != NULL && strcmp(now, readings[reading].wanted) != 0 &&
	    PQtransactionStatus(db->conn) != PQTRANS_INERROR;
}

/*
 * Set back before each message, so that a script in several of them is read as one message would have been.  Behind a
 * pooler the session is not ours.
 */
static void
restore_readings(struct db *db)
{
	size_t i;

	for (i = 0; db->beside == NULL && i < sizeof readings / sizeof *readings; i++)
		if (is_changed(db, i) && queue_setting(db, readings[i].sql))
			db->restored[i] = true;
}

const char *
db_restored(struct db *db)
{
	size_t i;

	for (i = 0; i < sizeof readings / sizeof *readings; i++)
		if (db->restored[i]) {
			db->restored[i] = false;
			return readings[i].setting;
		}
	return NULL;
}

void
db_show_all_rows(struct db *db)
{
	queue_setting(db, "SET row_security = off");
}

/* What every session of ours is told. */
static void
queue_session(struct db *db)
{
	db_show_all_rows(db);
	if (db->search_path.len > 0)
		queue_setting(db, db->search_path.data);
}

static void
queue_let_go(struct db *db)
{
	const char *host = PQhost(db->conn);

	if (host != NULL && *host != '/')
		queue_setting(db, server_lively_sql);
	if (PQserverVersion(db->conn) >= 140000) {
		queue_setting(db, "SET client_connection_check_interval = '2s'");
		queue_setting(db, "SET idle_session_timeout = 0");
	}
}

/* What a session is told goes with its first round trip. */
static void
session_begin(struct db *db, const struct target *target)
{
	const char *version = PQparameterStatus(db->conn, "server_version");

	/* "15.18 (Debian 15.18-0+deb12u1)": who packaged it says nothing here */
	snprintf(db->version, sizeof db->version, "%.*s", (int)strcspn(version, " "), version);
	PQsetnonblocking(db->conn, 1);
	PQsetErrorVerbosity(db->conn, PQERRORS_DEFAULT);
	restore_readings(db);
	memset(db->restored, 0, sizeof db->restored); /* no script did it */
	if (target->schema != NULL) {
		bytes_str(&db->search_path, "SET search_path = ");
		bytes_sql_name(&db->search_path, target->schema);
	}
	queue_session(db);
}

void
db_let_go(struct db *db)
{
	db->lets_go = true;
	queue_let_go(db);
}

enum db_outcome
db_session_reset(struct db *db)
{
	enum db_outcome outcome = db_run(db,
	    "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; CLOSE ALL; DISCARD TEMP", NULL);

	queue_session(db);
	if (db->lets_go)
		queue_let_go(db);
	return outcome;
}

/* A string without a password, and no password file that has one: asks on the terminal, as psql does. */
static bool
ask_password(const struct db *db, struct source *source)
{
	struct bytes prompt = { 0 };

	bytes_format(&prompt, "Password for user %s: ", PQuser(db->conn));
	source->password = secret_ask(prompt.data);
	bytes_free(&prompt);
	return source->password != NULL;
}

/* Once, for people: that it is waited for, and how long at most. */
static void
say_waiting(const struct db *db, const struct source *source, long long left_ms)
{
	struct bytes why = { 0 };
	char span[CLOCK_SPAN];

	(void)db_unreachable(db, source, &why);
	message_info("%s; trying again for %s (--wait)", why.data, clock_span(left_ms, span));
	bytes_free(&why);
}

/* Whether there is time for another attempt, which comes at the end of it at the latest. */
static bool
may_try_again(const struct db *db, const struct source *source, const struct db_patience *patience, long long began,
    unsigned attempt)
{
	int code = refusal_code(db);
	long long limit = code == MIG_BUSY ? patience->busy_ms : code == MIG_UNREACHABLE ? patience->absent_ms : 0;
	long long left = began + limit - clock_now_ms(), pause = attempt < 4 ? 250LL << attempt : 4000;

	if (left <= 0)
		return false;
	if (attempt == 0 && code == MIG_UNREACHABLE)
		say_waiting(db, source, left);
	message_verbose("not now: %s; trying again", db->error.message);
	clock_sleep_ms(pause < left ? pause : left);
	return signals_caught() == 0;
}

struct db *
db_open(struct source *source, const char *application, const struct db_patience *patience, int *code)
{
	struct db *db = xcalloc(1, sizeof *db);
	long long began = clock_now_ms();
	unsigned attempt = 0;

	db->limit_ms = ANSWER_MS;
	db->announce = 3;
	forget_session_variables(&source->target);
	*code = 0;
	while (!connect_any(db, source, application, 0)) {
		if (db->needs_password && source->password == NULL && ask_password(db, source))
			continue;
		if (is_wrong_kind(db, source, application))
			db->refusal = REFUSAL_OTHER;
		if (signals_caught() == 0 && may_try_again(db, source, patience, began, attempt++))
			continue;
		*code = signals_caught() != 0 ? 128 + signals_caught() : say_unreachable(db, source);
		db_close(db);
		return NULL;
	}
	db->announce = 0;
	session_begin(db, &source->target);
	return db;
}

struct db *
db_open_quietly(struct source *source, const char *application, long long limit_ms)
{
	struct db *db = xcalloc(1, sizeof *db);

	db->limit_ms = limit_ms > 0 ? limit_ms : ANSWER_MS;
	if (!connect_any(db, source, application, limit_ms)) {
		db_close(db);
		return NULL;
	}
	session_begin(db, &source->target);
	return db;
}

static void beside_free(struct db_beside *beside);

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	cancel_settle(&db->cancel);
	PQfinish(db->conn);
	cancel_drop(&db->cancel);
	db_error_free(&db->error);
	bytes_free(&db->search_path);
	beside_free(db->beside);
	free(db);
}

/* --- who and where --- */

const char *
db_host(const struct db *db)
{
	const char *host = PQhost(db->conn);

	return host != NULL && *host != '\0' ? host : NULL;
}

long long
db_port(const struct db *db)
{
	const char *port = PQport(db->conn);

	return port != NULL && *port != '\0' ? strtoll(port, NULL, 10) : 5432;
}

const char *
db_user(const struct db *db)
{
	return PQuser(db->conn);
}

const char *
db_database(const struct db *db)
{
	return PQdb(db->conn);
}

const char *
db_tls(const struct db *db)
{
	return PQsslInUse(db->conn) ? PQsslAttribute(db->conn, "protocol") : NULL;
}

const char *
db_server_version(const struct db *db)
{
	return db->version;
}

int
db_server_version_num(const struct db *db)
{
	return PQserverVersion(db->conn);
}

int
db_backend_pid(const struct db *db)
{
	return db->pid != 0 ? db->pid : PQbackendPID(db->conn);
}

void
db_is_pooled(struct db *db, int pid)
{
	db->pid = pid;
}

void
db_place(const struct db *db, struct bytes *out)
{
	bytes_format(out, "%s at ", db_database(db));
	place_of(db_host(db), PQport(db->conn), out);
}

/* --- asking --- */

static enum db_outcome send_prelude(struct db *db);

size_t
answer_rows(const struct answer *answer)
{
	return answer != NULL ? (size_t)PQntuples(answer->result) : 0;
}

const char *
answer_text(const struct answer *answer, size_t row, int column)
{
	if (row >= answer_rows(answer) || column >= PQnfields(answer->result) ||
	    PQgetisnull(answer->result, (int)row, column))
		return NULL;
	return PQgetvalue(answer->result, (int)row, column);
}

long long
answer_number(const struct answer *answer, size_t row, int column)
{
	const char *text = answer_text(answer, row, column);

	return text != NULL ? strtoll(text, NULL, 10) : RECORD_NULL;
}

bool
answer_flag(const struct answer *answer, size_t row, int column)
{
	const char *text = answer_text(answer, row, column);

	return text != NULL && *text == 't';
}

const char *
answer_word(const struct answer *answer, size_t row, int column)
{
	const char *text = answer_text(answer, row, column);

	return text != NULL ? text : "";
}

long long
answer_count(const struct answer *answer, size_t row, int column)
{
	long long number = answer_number(answer, row, column);

	return number != RECORD_NULL ? number : 0;
}

bool
answer_has(const struct answer *answer, int columns)
{
	int i;

	for (i = 0; i < columns; i++)
		if (answer_text(answer, 0, i) == NULL)
			return false;
	return true;
}

void
answer_free(struct answer *answer)
{
	if (answer == NULL)
		return;
	PQclear(answer->result);
	free(answer);
}

/* The next part of what a COPY gives: its length, 0 at its end; -1: the connection is of no use. */
static int
copy_next(struct db *db, char **data)
{
	int len;

	while ((len = PQgetCopyData(db->conn, data, 1)) == 0)
		if (!cancel_when_signalled(db) || takes_too_long(db) ||
		    ((signals_wait(PQsocket(db->conn), SIGNALS_READ, TICK_MS) & SIGNALS_READ) && !receive(db)))
			return -1;
	return len > 0 ? len : 0;
}

/* Whether a result has as many rows as its command tag says: none was lost on the way, and none came in. */
static bool
is_whole(PGresult *result)
{
	const char *tag = PQcmdStatus(result);

	return PQresultStatus(result) != PGRES_TUPLES_OK || strncmp(tag, "SELECT ", 7) != 0 ||
	    strtol(tag + 7, NULL, 10) == PQntuples(result);
}

/* The same for rows that were given away as they came. */
static bool
is_whole_stream(const struct db *db, PGresult *result)
{
	const char *tag = PQcmdStatus(result);
	size_t word = strncmp(tag, "SELECT ", 7) == 0 ? 7 : strncmp(tag, "COPY ", 5) == 0 ? 5 : 0;

	return word == 0 || strtoll(tag + word, NULL, 10) == db->streamed_rows;
}

/* Whether libpq waits for data of a COPY: it is told that there is none. */
static bool
refuse_copy(struct db *db, ExecStatusType status)
{
	char *data;
	int len = 0;

	if (status == PGRES_COPY_IN)
		PQputCopyEnd(db->conn, "mig sends no data");
	while (status == PGRES_COPY_OUT && (len = copy_next(db, &data)) > 0)
		PQfreemem(data);
	return len == 0;
}

/*
 * Reads all results of what was sent, until there is none left.  Keeps the first error, the number of
 * statements that ended well, and the last result with rows in *kept (where wanted).
 */
static enum db_outcome
drain(struct db *db, PGresult **kept, size_t *done)
{
	long long since = 0;
	enum db_outcome outcome = DB_OK;
	PGresult *result;

	for (;;) {
		ExecStatusType status;
		bool going = true;

		if (!wait_result(db, &since)) {
			outcome = error_from_connection(db);
			break;
		}
		if ((result = PQgetResult(db->conn)) == NULL)
			break;
		status = PQresultStatus(result);
		if (db->each != NULL && status == PGRES_SINGLE_TUPLE)
			db->streamed_rows++;
		else if (db->streamed ? !is_whole_stream(db, result) : !is_whole(result))
			outcome = db_give_up(db);
		if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
			if (outcome == DB_OK)
				outcome = error_from_result(db, result);
		} else {
			going = refuse_copy(db, status);
			/* a rule of several SELECTs gives results of its own, without a command tag */
			if (done != NULL && *PQcmdStatus(result) != '\0')
				++*done;
		}
		since = 0;
		if (status == PGRES_SINGLE_TUPLE && db->each != NULL) {
			struct answer row = { result };

			db->each->take(db->each->context, &row);
		}
		if (kept != NULL && *kept == NULL && status == PGRES_TUPLES_OK)
			*kept = result;
		else
			PQclear(result);
		db->results++;
		if (!going || PQstatus(db->conn) != CONNECTION_OK || (db->wait.limit_ms > 0 && takes_too_long(db)))
			break;
	}
	if (PQstatus(db->conn) != CONNECTION_OK || db->given_up != NULL)
		return outcome == DB_OK || db->given_up != NULL ? error_from_connection(db) : DB_LOST;
	/* what ended well before the cancel hit it has happened */
	return db->cancelling && outcome != DB_OK ? DB_STOPPED : outcome;
}

/* The same for what has at least one result, and at most so many; 0: any number. */
static enum db_outcome
drain_answers(struct db *db, PGresult **kept, size_t *done, size_t most)
{
	enum db_outcome outcome;

	db->results = 0;
	outcome = drain(db, kept, done);
	if ((outcome == DB_OK || outcome == DB_ERROR) && (db->results == 0 || (most > 0 && db->results > most)))
		return db_give_up(db);
	return outcome;
}

enum db_outcome
db_give_up(struct db *db)
{
	if (db->given_up == NULL)
		db->given_up = misfit;
	return error_from_connection(db);
}

enum db_outcome
db_query(struct db *db, struct answer **answer, const char *sql, int count,
    const char *const parameters[])
{
	enum { RESULTS = 2 }; /* its own, and the error of a commit behind it */
	PGresult *result = NULL;
	enum db_outcome outcome;

	if (answer != NULL)
		*answer = NULL;
	if ((outcome = send_prelude(db)) != DB_OK)
		return outcome;
	wait_begin(db, db->limit_ms);
	if (!PQsendQueryParams(db->conn, sql, count, NULL, parameters, NULL, NULL, 0))
		return error_from_connection(db);
	outcome = drain_answers(db, &result, NULL, RESULTS);
	if (outcome != DB_OK || answer == NULL) {
		PQclear(result);
		return outcome;
	}
	*answer = xcalloc(1, sizeof **answer);
	(*answer)->result = result;
	return DB_OK;
}

enum db_outcome
db_query_ours(struct db *db, struct answer **answer, const char *sql, int count, const char *const parameters[])
{
	struct db_ask ask = { .sql = sql, .ours = true, .ends_unit = true };
	enum db_outcome outcome;

	if (count > 0) {
		ask.parameter = parameters;
		ask.more = count - 1;
	}
	outcome = db_round(db, &ask, 1);
	if (outcome == DB_OK && ask.outcome != DB_OK)
		outcome = DB_ERROR;
	if (outcome != DB_OK || answer == NULL) {
		answer_free(ask.answer);
		ask.answer = NULL;
	}
	if (answer != NULL)
		*answer = ask.answer;
	return outcome;
}

enum db_outcome
db_run(struct db *db, const char *sql, size_t *done)
{
	enum { LARGE_BYTES = 1 << 20 };
	size_t ignored = 0;
	enum db_outcome outcome;
	bool large;
	int sent;

	if (done == NULL)
		done = &ignored;
	*done = 0;
	if ((outcome = send_prelude(db)) != DB_OK)
		return outcome;
	wait_begin(db, 0);
	/* Not blocking, libpq moves all that is left with each part that the socket takes: for a large text that is
	 * most of the time.  Blocking, it sends, and reads what comes meanwhile, by itself. */
	large = strlen(sql) > LARGE_BYTES;
	if (large)
		PQsetnonblocking(db->conn, 0);
	sent = PQsendQuery(db->conn, sql);
	if (large)
		PQsetnonblocking(db->conn, 1);
	if (!sent)
		return error_from_connection(db);
	return drain_answers(db, NULL, done, 0);
}

enum db_outcome
db_tell(struct db *db, const char *sql)
{
	enum db_outcome outcome = send_prelude(db);

	if (outcome != DB_OK)
		return outcome;
	wait_begin(db, ANSWER_MS);
	return PQsendQuery(db->conn, sql) ? drain_answers(db, NULL, NULL, 0) : error_from_connection(db);
}

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

enum { FED_AT_ONCE = 65536, SYNCS_AHEAD = 1024 };

static void
pipeline_sync(struct pipeline *p)
{
	if (PQpipelineSync(p->db->conn))
		p->syncs_sent++;
}

static void
pipeline_send(struct pipeline *p, const char *sql, int count, const char *const parameters[])
{
	if (PQsendQueryParams(p->db->conn, sql, count, NULL, parameters, NULL, NULL, 0))
		p->fed += strlen(sql) + 64;
}

/* All results that are here; the first error is kept. */
static void
pipeline_take(struct pipeline *p)
{
	bool between = false;

	while (p->syncs_got < p->syncs_sent && p->db->given_up == NULL && !PQisBusy(p->db->conn)) {
		PGresult *result = PQgetResult(p->db->conn);
		ExecStatusType status = PQresultStatus(result);

		if (result == NULL && between) {
			(void)db_give_up(p->db); /* libpq expects nothing more, and we do */
			return;
		}
		if ((between = result == NULL))
			continue;
		if (status == PGRES_FATAL_ERROR && p->outcome == DB_OK)
			p->outcome = error_from_result(p->db, result);
		p->syncs_got += status == PGRES_PIPELINE_SYNC;
		p->take(p, result);
		if (PQstatus(p->db->conn) != CONNECTION_OK)
			return;
	}
}

/*
 * Waking up for an answer costs more than taking it, so several are waited for; but never for so long that the server
 * could run out of work, which takes it more than a sixteenth of a millisecond for each unit.
 */
static void
nap(const struct pipeline *p)
{
	enum { UNITS_A_MS = 16, NAP_MS = 10 };
	size_t ms = (p->syncs_sent - p->syncs_got) / UNITS_A_MS;

	if (ms > 0)
		(void)signals_wait(-1, 0, ms < NAP_MS ? (long long)ms : NAP_MS);
}

/* Goes on as far as it can without waiting; true: *want is what to wait for, false: it is over. */
static bool
pipeline_go_on(struct pipeline *p, int *want)
{
	PGconn *conn = p->db->conn;
	int unsent;

	do {
		p->fed = 0;
		while (p->more && p->fed < FED_AT_ONCE && p->syncs_sent - p->syncs_got < SYNCS_AHEAD)
			p->more = p->feed(p);
		if ((unsent = PQflush(conn)) < 0 || PQstatus(conn) != CONNECTION_OK)
			return false;
		pipeline_take(p);
		if (p->db->given_up != NULL)
			return false;
		if (!p->more && p->syncs_got == p->syncs_sent)
			return false;
	} while (p->more && unsent == 0 && p->syncs_sent - p->syncs_got < SYNCS_AHEAD);
	/* never waits to write alone: a server whose answers nobody reads stops reading too */
	*want = SIGNALS_READ | (unsent ? SIGNALS_WRITE : 0);
	return true;
}

static bool
pipeline_begin(struct pipeline *p)
{
	wait_begin(p->db, p->limit_ms);
	p->more = true;
	return PQenterPipelineMode(p->db->conn);
}

static enum db_outcome
pipeline_end(struct pipeline *p)
{
	PGconn *conn = p->db->conn;

	if (p->db->given_up != NULL || PQstatus(conn) != CONNECTION_OK || !PQexitPipelineMode(conn)) {
		if (p->outcome == DB_OK || p->db->given_up != NULL)
			(void)error_from_connection(p->db);
		return DB_LOST;
	}
	return p->db->cancelling && p->outcome != DB_OK ? DB_STOPPED : p->outcome;
}

static enum db_outcome
pipeline_run(struct pipeline *p)
{
	PGconn *conn = p->db->conn;
	long long since = clock_now_ms(), ticked = since;
	int want;

	if (!pipeline_begin(p))
		return error_from_connection(p->db);
	while (cancel_when_signalled(p->db) && !takes_too_long(p->db) && pipeline_go_on(p, &want)) {
		int ready;

		nap(p);
		ready = signals_wait(PQsocket(conn), want, TICK_MS);
		if ((ready & SIGNALS_READ) && !receive(p->db))
			break;
		/* also where notices come all the time */
		if (p->db->hooks.tick != NULL && (ready == 0 || clock_now_ms() - ticked >= TICK_MS)) {
			ticked = clock_now_ms();
			p->db->hooks.tick(p->db->hooks.context, ticked - since);
		}
	}
	return pipeline_end(p);
}

struct round {
	struct db_ask *asks;
	size_t count, sent, got;
	int part; /* of the one that is being answered: those of ours are three statements */
};

static bool
ends_unit(const struct round *r, size_t ask)
{
	return r->asks[ask].ends_unit || ask + 1 == r->count;
}

static bool
round_feed(struct pipeline *p)
{
	struct round *r = p->context;
	const struct db_ask *ask = &r->asks[r->sent];

	if (ask->ours)
		pipeline_send(p, OWN_SQL_ENTER, 0, NULL);
	pipeline_send(p, ask->sql, ask->parameter != NULL ? 1 + ask->more : 0, ask->parameter);
	if (ask->ours)
		pipeline_send(p, OWN_SQL_LEAVE, 0, NULL);
	if (ends_unit(r, r->sent))
		pipeline_sync(p);
	return ++r->sent < r->count;
}

/* What arrives has to fit what was asked: never more answers than questions, and each unit whole. */
static void
round_take(struct pipeline *p, PGresult *result)
{
	struct round *r = p->context;
	struct db_ask *ask = &r->asks[r->got];
	ExecStatusType status = PQresultStatus(result);
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	bool rows = status == PGRES_TUPLES_OK, aborted = status == PGRES_FATAL_ERROR || status == PGRES_PIPELINE_ABORTED;

	if (status == PGRES_PIPELINE_SYNC) {
		if (r->part != 0 || r->got == 0 || !ends_unit(r, r->got - 1))
			(void)db_give_up(p->db);
	} else if (r->got >= r->count || (!rows && !aborted && status != PGRES_COMMAND_OK) || !is_whole(result)) {
		(void)db_give_up(p->db);
	} else {
		enum { ITSELF = 1, PARTS = 3 };
		bool itself = !ask->ours || r->part == ITSELF;

		if (!ask->ours || ++r->part == PARTS) {
			r->part = 0;
			r->got++;
		}
		if (itself && !aborted)
			ask->outcome = DB_OK;
		if (state != NULL)
			bytes_copy(ask->sqlstate, sizeof ask->sqlstate, state);
		if (itself && rows) {
			ask->answer = xcalloc(1, sizeof *ask->answer);
			ask->answer->result = result;
			return;
		}
	}
	PQclear(result);
}

static struct pipeline
round_pipeline(struct db *db, struct round *round, long long limit_ms)
{
	size_t i;

	for (i = 0; i < round->count; i++) {
		round->asks[i].answer = NULL;
		round->asks[i].outcome = DB_ERROR;
		round->asks[i].sqlstate[0] = '\0';
	}
	return (struct pipeline){ .db = db, .feed = round_feed, .take = round_take, .context = round,
		.limit_ms = limit_ms };
}

/* Each in its own way is well, where each was answered. */
static enum db_outcome
round_outcome(struct db *db, const struct round *round, enum db_outcome outcome)
{
	if ((outcome == DB_OK || outcome == DB_ERROR) && round->got < round->count)
		return db_give_up(db);
	return outcome == DB_ERROR ? DB_OK : outcome;
}

static enum db_outcome
run_round(struct db *db, struct db_ask asks[], size_t count, long long limit_ms)
{
	struct round round = { .asks = asks, .count = count };
	struct pipeline p = round_pipeline(db, &round, limit_ms);

	return round_outcome(db, &round, pipeline_run(&p));
}

static void
free_answers(struct db_ask asks[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		answer_free(asks[i].answer);
}

/* The asks, behind the settings that are still to be sent. */
static struct db_ask *
with_prelude(struct db *db, const struct db_ask asks[], size_t count)
{
	struct db_ask *all = xcalloc(db->prelude_count + count, sizeof *all);

	memcpy(all, db->prelude, db->prelude_count * sizeof *all);
	memcpy(all + db->prelude_count, asks, count * sizeof *all);
	db->prelude_count = 0;
	return all;
}

enum db_outcome
db_round(struct db *db, struct db_ask asks[], size_t count)
{
	struct db_ask *all;
	enum db_outcome outcome;
	size_t first;

	restore_readings(db);
	first = db->prelude_count;
	all = with_prelude(db, asks, count);
	outcome = run_round(db, all, first + count, db->limit_ms);
	free_answers(all, first);
	memcpy(asks, all + first, count * sizeof *all);
	free(all);
	return outcome;
}

/* For a session that asks nothing in rounds. */
static enum db_outcome
send_prelude(struct db *db)
{
	enum db_outcome outcome;
	size_t count;

	restore_readings(db);
	if ((count = db->prelude_count) == 0)
		return DB_OK;
	db->prelude_count = 0;
	outcome = run_round(db, db->prelude, count, ANSWER_MS);
	free_answers(db->prelude, count);
	return outcome;
}

/* --- beside other work --- */

struct db_beside {
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

static void
beside_free(struct db_beside *b)
{
	if (b != NULL && b->round.asks != NULL)
		free_answers(b->round.asks, b->round.count);
	if (b != NULL)
		free(b->round.asks);
	free(b);
}

/* Each host in its turn, as in connect_in_turn(); who prefers a standby is left to libpq. */
static void
beside_attempt(struct db *db)
{
	struct db_beside *b = db->beside;
	const struct target *t = &b->source->target;
	bool several = b->hosts > 1;
	char *host = several ? nth(t->host, b->host) : NULL, *port = several ? nth(t->port, b->host) : NULL;
	struct attempt attempt = { .source = b->source,
		.application = b->application,
		.host = several ? host : t->host,
		.port = several ? port : t->port };
	long long limit;

	connect_begin(db, &attempt);
	limit = connect_limit_ms(db->conn);
	b->polled = PGRES_POLLING_WRITING;
	b->deadline = clock_now_ms() + (!several || limit < b->limit_ms ? limit : b->limit_ms);
	free(host);
	free(port);
}

struct db *
db_begin(struct source *source, const char *application, long long limit_ms)
{
	struct db *db = xcalloc(1, sizeof *db);
	struct db_beside *b = db->beside = xcalloc(1, sizeof *db->beside);
	const char *wanted = parameter(&source->target, session_attrs);

	forget_session_variables(&source->target);
	b->source = source;
	b->application = application;
	b->hosts = wanted != NULL && strcmp(wanted, "prefer-standby") == 0 ? 1 : host_count(&source->target);
	b->limit_ms = limit_ms / (long long)b->hosts;
	beside_attempt(db);
	return db;
}

/* One step of connecting; true: the attempt goes on. */
static bool
beside_connect(struct db *db, int *want)
{
	struct db_beside *b = db->beside;

	for (;;) {
		if (PQstatus(db->conn) == CONNECTION_BAD || clock_now_ms() >= b->deadline)
			return false;
		*want = b->polled == PGRES_POLLING_READING ? SIGNALS_READ : SIGNALS_WRITE;
		if (signals_wait(PQsocket(db->conn), *want, 0) == 0) /* PQconnectPoll() must not be called before */
			return true;
		b->polled = PQconnectPoll(db->conn);
		if (b->polled == PGRES_POLLING_OK || b->polled == PGRES_POLLING_FAILED)
			return false;
	}
}

bool
db_begun(struct db *db, int *fd, int *want, long long *until_ms, enum db_outcome *outcome)
{
	struct db_beside *b = db->beside;
	struct source *source = b->source;

	for (;;) {
		if (beside_connect(db, want)) {
			*fd = PQsocket(db->conn);
			*until_ms = b->deadline;
			return false;
		}
		*outcome = connect_end(db, source) ? DB_OK : DB_LOST;
		if (*outcome == DB_OK || db->needs_password || strncmp(db->error.sqlstate, "28", 2) == 0 ||
		    ++b->host >= b->hosts)
			break;
		beside_attempt(db);
	}
	if (*outcome == DB_OK)
		session_begin(db, &source->target);
	db->prelude_count = 0; /* nothing is set for the session: behind a pooler it is not ours */
	return true;
}

void
db_round_begin(struct db *db, struct db_ask asks[], size_t count)
{
	struct db_beside *b = db->beside;
	size_t first = db->prelude_count;

	b->asks = asks;
	b->count = count;
	b->round = (struct round){ .asks = with_prelude(db, asks, count), .count = first + count };
	b->pipeline = round_pipeline(db, &b->round, 0); /* the caller looks at the clock */
	(void)pipeline_begin(&b->pipeline); /* what fails here shows in the first step */
}

bool
db_round_ended(struct db *db, int *fd, int *want, enum db_outcome *outcome)
{
	struct db_beside *b = db->beside;

	if (PQconsumeInput(db->conn) && pipeline_go_on(&b->pipeline, want)) {
		*fd = PQsocket(db->conn);
		return false;
	}
	*outcome = round_outcome(db, &b->round, pipeline_end(&b->pipeline));
	free_answers(b->round.asks, b->round.count - b->count);
	memcpy(b->asks, b->round.asks + (b->round.count - b->count), b->count * sizeof *b->asks);
	free(b->round.asks);
	b->round.asks = NULL;
	return true;
}

struct ahead {
	const struct db_units *units;
	size_t sent, taken;
	size_t *statements;      /* of each unit that was sent */
	size_t *finished;
	size_t *failed;
};

static bool
ahead_feed(struct pipeline *p)
{
	struct ahead *a = p->context;
	const struct db_units *u = a->units;
	const char *sql;
	size_t i;

	if (p->outcome != DB_OK) /* what is sent already is stopped by the server: no more of it */
		return false;
	for (i = 0; (sql = u->next(u->context, a->sent, i)) != NULL; i++)
		pipeline_send(p, sql, 0, NULL);
	pipeline_sync(p);
	a->statements[a->sent++] = i;
	return a->sent < u->count;
}

static void
ahead_take(struct pipeline *p, PGresult *result)
{
	struct ahead *a = p->context;
	ExecStatusType status = PQresultStatus(result);
	bool sync = status == PGRES_PIPELINE_SYNC;

	PQclear(result);
	if (p->outcome != DB_OK)
		return;
	/* a unit that was not answered statement by statement is not known to have ended */
	if (sync ? *a->failed != a->statements[a->taken++]
	         : status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY) {
		(void)db_give_up(p->db);
		return;
	}
	*a->failed = sync ? 0 : *a->failed + 1;
	if (sync)
		a->units->ended(a->units->context, (*a->finished)++);
}

enum db_outcome
db_send_ahead(struct db *db, const struct db_units *units, size_t *finished, size_t *failed)
{
	struct ahead ahead = { .units = units, .finished = finished, .failed = failed };
	struct pipeline p = { .db = db, .feed = ahead_feed, .take = ahead_take, .context = &ahead };
	enum db_outcome outcome = send_prelude(db);

	*finished = *failed = 0;
	if (outcome != DB_OK)
		return outcome;
	ahead.statements = xcalloc(units->count, sizeof *ahead.statements);
	outcome = pipeline_run(&p);
	free(ahead.statements);
	return outcome;
}

/* --- copying --- */

/* Sends a statement and waits for its first result: true where that is `wanted`, and nothing is read yet behind it. */
static bool
copy_begin(struct db *db, const char *sql, ExecStatusType wanted, enum db_outcome *outcome)
{
	long long since = 0;
	PGresult *result;
	ExecStatusType status;

	if ((*outcome = send_prelude(db)) != DB_OK)
		return false;
	wait_begin(db, 0);
	if (!PQsendQuery(db->conn, sql) || !wait_result(db, &since)) {
		*outcome = error_from_connection(db);
		return false;
	}
	result = PQgetResult(db->conn);
	status = PQresultStatus(result);
	if (status == PGRES_FATAL_ERROR)
		*outcome = error_from_result(db, result);
	PQclear(result);
	if (status != wanted) {
		enum db_outcome rest = drain(db, NULL, NULL);

		if (rest != DB_OK)
			*outcome = rest;
		else if (signals_caught() != 0)
			*outcome = DB_STOPPED;
	}
	return status == wanted;
}

/* Waits until all that was put is on its way; false when a signal came or the connection is gone. */
static bool
copy_flush(struct db *db)
{
	int unsent, ready;

	while ((unsent = PQflush(db->conn)) > 0) {
		ready = signals_wait(PQsocket(db->conn), SIGNALS_READ | SIGNALS_WRITE, TICK_MS);
		if ((ready & SIGNALS_READ) && !receive(db))
			return false;
		if (signals_caught() != 0)
			return false;
	}
	return unsent == 0 && signals_caught() == 0;
}

enum db_outcome
db_copy_in(struct db *db, const char *sql, db_feed *feed, void *context)
{
	enum db_outcome outcome;
	const char *data, *why = NULL;
	size_t len;

	if (!copy_begin(db, sql, PGRES_COPY_IN, &outcome))
		return outcome;
	do {
		if ((len = feed(context, &data)) == DB_FEED_BAD)
			why = "the data is not to stay";
		else if (len > 0 && (PQputCopyData(db->conn, data, (int)len) <= 0 || !copy_flush(db)))
			why = "stopped";
	} while (why == NULL && len > 0);
	if (PQputCopyEnd(db->conn, why) < 0)
		return error_from_connection(db);
	outcome = drain(db, NULL, NULL);
	return outcome == DB_ERROR && signals_caught() != 0 ? DB_STOPPED : outcome;
}

enum db_outcome
db_copy_out(struct db *db, const char *sql, bool header, db_take *take, void *context)
{
	enum db_outcome outcome;
	char *data;
	bool more = true;
	int len;

	if (!copy_begin(db, sql, PGRES_COPY_OUT, &outcome))
		return outcome;
	/* libpq gives a row at a time */
	db->streamed_rows = header ? -1 : 0;
	while ((len = copy_next(db, &data)) > 0) {
		db->streamed_rows++;
		if (more && !(more = take(context, data, (size_t)len)))
			db_cancel(db);
		PQfreemem(data);
	}
	if (len < 0)
		return error_from_connection(db);
	db->streamed = true;
	outcome = drain(db, NULL, NULL);
	db->streamed = false;
	return outcome == DB_ERROR && signals_caught() != 0 ? DB_STOPPED : outcome;
}

enum db_outcome
db_each(struct db *db, const char *sql, db_row *each, void *context)
{
	enum db_outcome outcome = send_prelude(db);
	struct each rows = { each, context };

	if (outcome != DB_OK)
		return outcome;
	wait_begin(db, 0);
	if (!PQsendQuery(db->conn, sql) || !PQsetSingleRowMode(db->conn))
		return error_from_connection(db);
	db->each = &rows;
	db->streamed = true;
	db->streamed_rows = 0;
	outcome = drain_answers(db, NULL, NULL, 0);
	db->streamed = false;
	db->each = NULL;
	return outcome;
}

enum db_transaction
db_transaction(const struct db *db)
{
	switch (PQtransactionStatus(db->conn)) {
	case PQTRANS_IDLE:
		return DB_IDLE;
	case PQTRANS_INTRANS:
		return DB_IN_TRANSACTION;
	case PQTRANS_INERROR:
		return DB_IN_FAILED_TRANSACTION;
	case PQTRANS_ACTIVE:
	case PQTRANS_UNKNOWN:
		break;
	}
	return DB_UNKNOWN;
}

static bool
send_aside(struct db *db, const char *sql)
{
	struct db_error kept;
	enum db_outcome outcome;

	if (db->given_up != NULL)
		return false;
	kept = db_error_take(db);
	wait_begin(db, ANSWER_MS);
	db->wait.deaf = true;
	outcome = PQsendQuery(db->conn, sql) ? drain_answers(db, NULL, NULL, 0) : error_from_connection(db);
	db_error_free(&db->error);
	db->error = kept;
	return outcome == DB_OK;
}

bool
db_run_aside(struct db *db, const char *sql)
{
	size_t i;

	for (i = 0; i < sizeof readings / sizeof *readings; i++)
		if (db->given_up == NULL && is_changed(db, i))
			db->restored[i] = send_aside(db, readings[i].sql);
	return send_aside(db, sql);
}

bool
db_rollback(struct db *db)
{
	if (db_transaction(db) == DB_UNKNOWN || db->given_up != NULL)
		return false;
	return db_transaction(db) == DB_IDLE || db_run_aside(db, "ROLLBACK");
}
