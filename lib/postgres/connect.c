/* Attempts to connect: one host after the other, each within its limit, and what libpq made of it. */
#include "postgres/connection_internal.h"

#include <ctype.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/signals.h"
#include "base/trust.h"
#include "postgres/sqlstate.h"
#include "secret/conninfo.h"
#include "secret/secret.h"

/* "system", the system's own list of authorities, is known to libpq 16 and later; before, the file must be named. */
static const char *
parameter_value(const struct conninfo_parameter *parameter)
{
	const char *file;

	if (strcmp(parameter->keyword, "sslrootcert") != 0 || strcmp(parameter->value, "system") != 0)
		return parameter->value;
	file = trust_file();
	if (PQlibVersion() < 160000)
		return file != NULL ? file : parameter->value;
#ifdef MIG_STATIC /* OpenSSL would look where it was built */
	if (file != NULL)
		(void)setenv("SSL_CERT_FILE", file, 0);
#endif
	return parameter->value;
}

/* A network that fell silent shows within half a minute, also to a cancel request. */
static const struct {
	const char *keyword;
	const char *value;
} lively[] = { { "keepalives_idle", "10" }, { "keepalives_interval", "5" }, { "keepalives_count", "4" },
	{ "tcp_user_timeout", "30000" } };

const char db_session_attrs[] = "target_session_attrs";

/* libpq's keywords from the target; called with the password readable. */
static void *
start(const char *password, void *context)
{
	struct attempt *a = context;
	const struct conninfo *t = &a->source->target;
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
		if (a->session_attrs != NULL && strcmp(t->parameters[i].keyword, db_session_attrs) == 0)
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

long long
db_connect_limit_ms(PGconn *conn)
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

	if (strncmp(sqlstate, "22", 2) == 0 || (strncmp(sqlstate, "42", 2) == 0 && strcmp(sqlstate, SQLSTATE_INSUFFICIENT_PRIVILEGE) != 0) ||
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
	if (strstr(text, "local user") != NULL)
		return REFUSAL_USER;
	return strstr(text, "connection to server") == NULL && strstr(text, "could not translate host name") == NULL
	    ? REFUSAL_SETTING
	    : REFUSAL_OTHER;
}

/* Libpq's own words are all that it says behind the address; a server's have a severity in front. */
static bool
ends_out_of_memory(const char *text)
{
	static const char words[] = "out of memory\n";
	size_t len = strlen(text), tail = sizeof words - 1;

	if (strstr(text, ":  ") != NULL || len < tail || strcmp(text + len - tail, words) != 0)
		return false;
	return len == tail || (len >= tail + 2 && memcmp(text + len - tail - 2, ": ", 2) == 0);
}

static void
connect_error(struct db *db, bool timed_out)
{
	const char *text = PQerrorMessage(db->conn), *at = text, *found, *c;
	struct db_error *e = &db->error;

	if (ends_out_of_memory(text))
		bytes_out_of_memory();
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
#ifdef MIG_STATIC
	if (db_absent != NULL) {
		db->refusal = REFUSAL_ABSENT;
		e->message = xstrdup(db_absent);
		return;
	}
#endif
	e->message = timed_out ? xstrdup("no answer in time") : db_first_line(at);
	if (*e->message == '\0') {
		free(e->message);
		e->message = xstrdup("the connection was closed");
	}
	if (isupper((unsigned char)e->message[0]) && islower((unsigned char)e->message[1]))
		e->message[0] = (char)tolower((unsigned char)e->message[0]);
}

void
db_connect_begin(struct db *db, struct attempt *attempt)
{
	struct source *source = attempt->source;

	PQfinish(db->conn);
	db->conn = NULL; /* while a command is asked, which a signal may end */
	source_renew(source);
	secret_use(source->password, start, attempt);
	db->conn = attempt->conn;
	if (db->conn == NULL)
		bytes_out_of_memory();
	PQsetErrorVerbosity(db->conn, PQERRORS_VERBOSE);
	PQsetNoticeReceiver(db->conn, db_on_notice, db); /* libpq's own prints them, as they come */
}

bool
db_connect_end(struct db *db, struct source *source)
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
		db->error.message = xstrdup("it does not report a version, so it is not a PostgreSQL server");
	}
	return connected;
}

static bool
connect_once(struct db *db, struct attempt *attempt, long long limit_ms)
{
	db_connect_begin(db, attempt);
	if (PQstatus(db->conn) != CONNECTION_BAD)
		finish_connecting(db->conn, clock_now_ms() + (limit_ms > 0 ? limit_ms : db_connect_limit_ms(db->conn)));
	return db_connect_end(db, attempt->source);
}

char *
db_nth(const char *list, size_t i)
{
	const char *at = list;

	if (list == NULL || strchr(list, ',') == NULL)
		return list != NULL ? xstrdup(list) : NULL;
	for (; i > 0 && *at != '\0'; at++)
		i -= *at == ',';
	return xstrndup(at, strcspn(at, ","));
}

const char *
db_parameter(const struct conninfo *t, const char *keyword)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (strcmp(t->parameters[i].keyword, keyword) == 0)
			return t->parameters[i].value;
	return NULL;
}

size_t
db_host_count(const struct conninfo *t)
{
	const char *c;
	size_t n = 1;

	if (db_parameter(t, "hostaddr") != NULL || db_parameter(t, "load_balance_hosts") != NULL)
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
	const struct conninfo *t = &source->target;
	size_t count = db_host_count(t), i;
	bool connected = false, refused = false;

	for (i = 0; i < count && !connected && !refused && signals_caught() == 0; i++) {
		char *host = count > 1 ? db_nth(t->host, i) : NULL, *port = count > 1 ? db_nth(t->port, i) : NULL;
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

bool
db_connect_any(struct db *db, struct source *source, const char *application, long long limit_ms)
{
	const char *wanted = db_parameter(&source->target, db_session_attrs);

	if (wanted != NULL && strcmp(wanted, "prefer-standby") == 0 && db_host_count(&source->target) > 1)
		return connect_in_turn(db, source, application, "standby", limit_ms) ||
		    connect_in_turn(db, source, application, "any", limit_ms);
	return connect_in_turn(db, source, application, NULL, limit_ms);
}

bool
db_is_wrong_kind(struct db *db, struct source *source, const char *application)
{
	const char *wanted = db_parameter(&source->target, db_session_attrs);
	struct bytes why = { 0 };

	if (wanted == NULL || strcmp(wanted, "any") == 0 || db->error.sqlstate[0] != '\0' ||
	    !connect_in_turn(db, source, application, "any", 0))
		return false;
	db_error_free(&db->error);
	bytes_format(&why, "it answers, but does not match %s=%s", db_session_attrs, wanted);
	db->error.message = why.data;
	bytes_copy(db->error.sqlstate, sizeof db->error.sqlstate, SQLSTATE_READ_ONLY_SQL_TRANSACTION);
	return true;
}

void
db_forget_session_variables(const struct conninfo *target)
{
	static const char *const names[] = { "PGHOSTADDR", "PGSERVICE", "PGTARGETSESSIONATTRS", "PGOPTIONS", "PGTZ",
		"PGDATESTYLE", "PGGEQO", "PGCLIENTENCODING" };
	size_t i;

	for (i = 0; target->is_url && i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
}
