#include "postgres/connection.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"
#include "postgres/cancel.h"
#include "postgres/connection_internal.h"
#include "secret/secret.h"

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
	message_info("%s; retrying for %s (--wait)", why.data, clock_span(left_ms, span));
	bytes_free(&why);
}

/* Whether there is time for another attempt, which comes at the end of it at the latest. */
static bool
may_try_again(const struct db *db, const struct source *source, const struct db_patience *patience, long long began,
    unsigned attempt)
{
	int code = db_refusal_code(db);
	long long limit = code == MIG_BUSY ? patience->busy_ms : code == MIG_UNREACHABLE ? patience->absent_ms : 0;
	long long left = began + limit - clock_now_ms(), pause = attempt < 4 ? 250LL << attempt : 4000;

	if (left <= 0)
		return false;
	if (attempt == 0 && code == MIG_UNREACHABLE)
		say_waiting(db, source, left);
	message_verbose("%s; retrying", db->error.message);
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
	db_forget_session_variables(&source->target);
	*code = 0;
	while (!db_connect_any(db, source, application, 0)) {
		if (db->needs_password && source->password == NULL && ask_password(db, source))
			continue;
		if (db_is_wrong_kind(db, source, application))
			db->refusal = REFUSAL_OTHER;
		if (signals_caught() == 0 && may_try_again(db, source, patience, began, attempt++))
			continue;
		*code = signals_caught() != 0 ? 128 + signals_caught() : db_say_unreachable(db, source);
		db_close(db);
		return NULL;
	}
	db->announce = 0;
	db_session_begin(db, &source->target);
	return db;
}

struct db *
db_try_open(struct source *source, const char *application, long long limit_ms, bool *refused)
{
	struct db *db = xcalloc(1, sizeof *db);
	bool connected;

	db->limit_ms = limit_ms > 0 ? limit_ms : ANSWER_MS;
	db_forget_session_variables(&source->target);
	connected = db_connect_any(db, source, application, limit_ms);
	if (refused != NULL)
		*refused = !connected &&
		    (db->error.sqlstate[0] != '\0' || db->refusal == REFUSAL_POOLER || db->needs_password);
	if (!connected) {
		db_close(db);
		return NULL;
	}
	db_session_begin(db, &source->target);
	return db;
}

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
	db_async_free(db->async);
	free(db);
}

bool
db_has_news(const struct db *db)
{
	return signals_wait(PQsocket(db->conn), SIGNALS_READ, 0) != 0;
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

const char *
db_time_zone(const struct db *db)
{
	return PQparameterStatus(db->conn, "TimeZone");
}

bool
db_encodes_utf8(const struct db *db)
{
	const char *encoding = PQparameterStatus(db->conn, "server_encoding");

	return encoding != NULL && strcmp(encoding, "UTF8") == 0;
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
	db_place_of(db_host(db), PQport(db->conn), out);
}
