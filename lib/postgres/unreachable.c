/* What is said when a server cannot be reached, and the exit code that it means. */
#include "postgres/connection_internal.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "postgres/sqlstate.h"
#include "secret/conninfo.h"
#include "secret/host_hint.h"

void
db_place_of(const char *host, const char *port, struct bytes *out)
{
	if (host == NULL || *host == '\0')
		bytes_str(out, "the local socket");
	else if (*host == '/')
		bytes_str(out, host);
	else
		bytes_format(out, "%s:%s", host, port != NULL && *port != '\0' ? port : "5432");
}

bool
db_needs_password(const struct db *db)
{
	return db->needs_password;
}

int
db_refusal_code(const struct db *db)
{
	if (db->needs_password)
		return MIG_DENIED;
	switch (db->refusal) {
	case REFUSAL_SETTING:
	case REFUSAL_TLS:
	case REFUSAL_USER:
	case REFUSAL_ABSENT:
	case REFUSAL_OPTIONS:
		return MIG_CONFIG;
	case REFUSAL_POOLER:
		return MIG_UNREACHABLE;
	case REFUSAL_OTHER:
		break;
	}
	/* what else a login is refused for: a template that takes no connections */
	return db_exit_code(&db->error) == MIG_FAILED ? MIG_CONFIG : db_exit_code(&db->error);
}

int
db_unreachable(const struct db *db, const struct source *source, struct bytes *why)
{
	int code = db_refusal_code(db);
	bool pooler = db->refusal == REFUSAL_POOLER;

	bytes_format(why, "cannot %s ", code == MIG_UNREACHABLE && !pooler ? "reach" : "connect to");
	db_place_of(source->target.host, source->target.port, why);
	bytes_format(why, ": %s%s", pooler ? "FATAL: " : "", db->error.message);
	if (pooler && db->error.sqlstate[0] != '\0')
		bytes_format(why, " [%s]", db->error.sqlstate);
	conninfo_cut_values(&source->target, why);
	return code;
}

/* A name as SQL has it.  The server's own text shows it as it is: where that is cut, there is no command to be typed. */
static bool
add_name(struct bytes *sql, const struct source *source, const char *name)
{
	struct bytes cut = { 0 };
	bool whole = false;

	if (name != NULL) {
		bytes_str(&cut, name);
		conninfo_cut_values(&source->target, &cut);
		whole = strcmp(cut.data, name) == 0 && !utf8_has_control(name);
		bytes_sql_name(sql, name);
	}
	bytes_free(&cut);
	return whole;
}

static void
say_no_database(const struct source *source)
{
	struct bytes name = { 0 };

	if (add_name(&name, source, source->target.database))
		message_line("  mig does not create databases. Check the name, or create it from another database:  CREATE DATABASE %s;",
		    name.data);
	else
		message_line("  mig does not create databases. Check the name, or create it.");
	bytes_free(&name);
}

void
db_connect_grant(const struct db *db, const struct source *source, struct bytes *grant)
{
	struct bytes database = { 0 }, role = { 0 };

	if (strcmp(db->error.sqlstate, SQLSTATE_INSUFFICIENT_PRIVILEGE) == 0 && add_name(&database, source, PQdb(db->conn)) &&
	    add_name(&role, source, PQuser(db->conn)))
		bytes_format(grant, "GRANT CONNECT ON DATABASE %s TO %s;", database.data, role.data);
	bytes_free(&role);
	bytes_free(&database);
}

/* What is known of this host, if it fails in that way. */
static bool
say_host_hint(const struct db *db, const struct source *source, int code)
{
	struct bytes hint = { 0 };
	enum host_trouble trouble = db->refusal == REFUSAL_POOLER ? HOST_POOLED : code == MIG_UNREACHABLE ? HOST_NOT_REACHED : HOST_NOT_LOGGED_IN;
	bool refused = strncmp(db->error.sqlstate, "28", 2) == 0;
	bool found = (trouble != HOST_NOT_LOGGED_IN || refused) && host_hint(&hint, &source->target, trouble, db->error.message);

	if (found)
		message_line("  %s", hint.data);
	bytes_free(&hint);
	return found;
}

static void
say_remedy(const struct db *db, const struct source *source, int code)
{
	struct bytes grant = { 0 };

	if (say_host_hint(db, source, code))
		return;
	switch (db->refusal) {
	case REFUSAL_SETTING:
		message_line("  A setting in the connection string or in a variable PG... is wrong. No server was contacted.");
		return;
	case REFUSAL_TLS:
		message_line("  sslmode, sslrootcert, sslcert, sslkey and channel_binding in the connection string decide this (P1011).");
		return;
	case REFUSAL_USER:
		message_line("  The string has no user, and /etc/passwd has none for this process: add user=NAME, or NAME@ in a URL.");
		return;
	case REFUSAL_ABSENT:
		message_line("  This static program does not include it. Use the packaged programs, or log in with TLS and a password.");
		return;
	case REFUSAL_OPTIONS:
		message_line("  This server does not accept the value of options=. Remove it; it is for another host.");
		return;
	case REFUSAL_POOLER:
		message_line("  The message is from a pooler or proxy in front of the server. If the server has its own address:  "
		             "MIG_DATABASE=env:DIRECT_URL");
		return;
	case REFUSAL_OTHER:
		break;
	}
	if (code == MIG_UNREACHABLE)
		message_line("  Hosted databases change host and port when they restart: copy the string again, "
		             "or use -d cmd:...");
	else if (db->needs_password)
		message_line("  Neither the connection string nor a password file has a password.");
	else if (code == MIG_BUSY)
		message_line("  The same command may work later.");
	else if (strcmp(db->error.sqlstate, SQLSTATE_INVALID_CATALOG_NAME) == 0)
		say_no_database(source);
	db_connect_grant(db, source, &grant);
	if (grant.len > 0)
		message_line("  %s", grant.data);
	bytes_free(&grant);
}

int
db_say_unreachable(const struct db *db, const struct source *source)
{
	struct bytes why = { 0 };
	int code = db_unreachable(db, source, &why);

	(void)message_error(code, "%s", why.data);
	say_remedy(db, source, code);
	bytes_free(&why);
	return code;
}
