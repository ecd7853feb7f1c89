/* The settings of our sessions: made at the start, and made again after a script. */
#include "postgres/connection_internal.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "secret/conninfo.h"

/* The same on the server's side: a client that vanishes must not keep its locks for longer. */
static const char server_lively_sql[] =
    "SELECT pg_catalog.set_config('tcp_keepalives_idle', '10', false), "
    "pg_catalog.set_config('tcp_keepalives_interval', '5', false), "
    "pg_catalog.set_config('tcp_keepalives_count', '4', false), "
    "pg_catalog.set_config('tcp_user_timeout', '30000', false)";

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

void
db_restore_readings(struct db *db)
{
	size_t i;

	for (i = 0; db->async == NULL && i < sizeof readings / sizeof *readings; i++)
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

void
db_filter_rows(struct db *db)
{
	db->filters = true;
	queue_setting(db, "SET row_security = on");
}

/* The settings of every session of ours. */
static void
queue_session(struct db *db)
{
	if (db->filters)
		db_filter_rows(db);
	else
		db_show_all_rows(db);
	if (db->search_path.len > 0)
		queue_setting(db, db->search_path.data);
}

static void
queue_release_on_death(struct db *db)
{
	const char *host = PQhost(db->conn);

	if (host != NULL && *host != '/')
		queue_setting(db, server_lively_sql);
	if (PQserverVersion(db->conn) >= 140000) {
		queue_setting(db, "SET client_connection_check_interval = '2s'");
		queue_setting(db, "SET idle_session_timeout = 0");
	}
}

/* What a session as the server made it has to be told. */
static void
queue_new_session(struct db *db, const struct conninfo *target)
{
	db_restore_readings(db);
	memset(db->restored, 0, sizeof db->restored); /* no script did it */
	db->search_path.len = 0;
	if (target->schema != NULL) {
		bytes_str(&db->search_path, "SET search_path = ");
		bytes_sql_name(&db->search_path, target->schema);
	}
	queue_session(db);
}

void
db_session_begin(struct db *db, const struct conninfo *target)
{
	const char *version = PQparameterStatus(db->conn, "server_version");

	/* "15.18 (Debian 15.18-0+deb12u1)": who packaged it says nothing here */
	if (version == NULL) /* it was there at the login: db_connect_end() */
		bytes_out_of_memory();
	snprintf(db->version, sizeof db->version, "%.*s", (int)strcspn(version, " "), version);
	PQsetnonblocking(db->conn, 1);
	PQsetErrorVerbosity(db->conn, PQERRORS_DEFAULT);
	queue_new_session(db, target);
}

void
db_release_on_death(struct db *db)
{
	db->releases_on_death = true;
	queue_release_on_death(db);
}

enum db_outcome
db_session_reset(struct db *db)
{
	enum db_outcome outcome = db_run(db,
	    "SET LOCAL statement_timeout = 0; RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; CLOSE ALL; DISCARD TEMP", NULL);

	queue_session(db);
	if (db->releases_on_death)
		queue_release_on_death(db);
	return outcome;
}

void
db_session_again(struct db *db, const struct conninfo *target)
{
	queue_new_session(db, target);
	if (db->releases_on_death)
		queue_release_on_death(db);
}

bool
db_run_best_effort(struct db *db, const char *sql)
{
	size_t i;

	for (i = 0; i < sizeof readings / sizeof *readings; i++)
		if (db->given_up == NULL && is_changed(db, i))
			db->restored[i] = db_send_aside(db, readings[i].sql);
	return db_send_aside(db, sql);
}
