/* What the server or libpq said: taken from libpq, kept, told. */
#include "postgres/connection_internal.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"
#include "postgres/sqlstate.h"

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

char *
db_first_line(const char *text)
{
	return xstrndup(text, strcspn(text, "\n"));
}

enum db_outcome
db_error_from_result(struct db *db, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	struct db_error *e = &db->error;

	db_error_free(e);
	snprintf(e->sqlstate, sizeof e->sqlstate, "%s", state != NULL ? state : "");
	e->message = primary != NULL ? xstrdup(primary) : db_first_line(PQresultErrorMessage(result));
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

enum db_outcome
db_error_from_connection(struct db *db)
{
	bool lost = PQstatus(db->conn) != CONNECTION_OK;
	const char *text = PQerrorMessage(db->conn), *severity = strstr(text, "FATAL:  ");

	db_error_free(&db->error);
	db->error.message = db->given_up != NULL ? xstrdup(db->given_up)
	                                         : db_first_line(severity != NULL ? severity + strlen("FATAL:  ") : text);
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
	return strcmp(error->sqlstate, SQLSTATE_LOCK_NOT_AVAILABLE) == 0 ||
	    strcmp(error->sqlstate, SQLSTATE_DEADLOCK_DETECTED) == 0;
}

bool
db_is_statement_pooled(const struct db_error *error)
{
	return error->message != NULL && strstr(error->message, "not allowed in statement pooling mode") != NULL;
}

int
db_exit_code(const struct db_error *error)
{
	static const struct {
		const char *state; /* a whole SQLSTATE, or a class of two characters */
		int code;
	} codes[] = {
		{ SQLSTATE_INSUFFICIENT_PRIVILEGE, MIG_DENIED },
		{ "28", MIG_DENIED },       /* authentication */
		{ SQLSTATE_INVALID_CATALOG_NAME, MIG_CONFIG }, /* no such database */
		{ SQLSTATE_READ_ONLY_SQL_TRANSACTION, MIG_BUSY },      /* read-only: a standby, or set so */
		{ SQLSTATE_LOCK_NOT_AVAILABLE, MIG_BUSY },
		{ SQLSTATE_DEADLOCK_DETECTED, MIG_BUSY },
		{ SQLSTATE_SERIALIZATION_FAILURE, MIG_BUSY },
		{ SQLSTATE_CANNOT_CONNECT_NOW, MIG_BUSY },      /* starting up */
		{ "53", MIG_BUSY },         /* out of connections, memory, disk */
		{ SQLSTATE_ADMIN_SHUTDOWN, MIG_UNREACHABLE }, /* our session was terminated */
		{ SQLSTATE_CRASH_SHUTDOWN, MIG_UNREACHABLE },
		{ SQLSTATE_IDLE_SESSION_TIMEOUT, MIG_UNREACHABLE },
		{ "08", MIG_UNREACHABLE },
	};
	size_t i;

	if (db_is_statement_pooled(error))
		return MIG_CONFIG;
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
	if (outcome == DB_STOPPED)
		return 128 + signals_caught();
	return db_error_say(&db->error, outcome == DB_LOST ? MIG_UNREACHABLE : db_exit_code(&db->error), what);
}

int
db_error_say(const struct db_error *e, int code, const char *what)
{
	bool pooled = db_is_statement_pooled(e);

	code = pooled ? MIG_CONFIG : code;
	if (e->sqlstate[0] != '\0')
		(void)message_error(code, "could not %s: %s [%s]", what, e->message, e->sqlstate);
	else
		(void)message_error(code, "could not %s: %s", what, e->message);
	if (e->detail != NULL)
		message_quote("  ", e->detail);
	if (e->hint != NULL)
		message_quote("  ", e->hint);
	if (pooled) {
		message_line("  This address is a pooler in statement mode, which has no transactions.");
		message_line("%s", DB_DIRECT_ADDRESS);
	}
	return code;
}
