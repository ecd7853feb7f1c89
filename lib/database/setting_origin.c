#include "database/setting_origin.h"

#include <limits.h>
#include <string.h>

#include "base/message.h"
#include "postgres/sqlstate.h"

static const char origin_sql[] =
    "SELECT CASE WHEN setting ~ '^-?[0-9]+$' THEN setting END, pg_catalog.current_setting(name), CASE source "
    "WHEN 'user' THEN 'by ALTER ROLE ' || quote_ident(session_user) "
    "WHEN 'database' THEN 'by ALTER DATABASE ' || quote_ident(current_database()) "
    "WHEN 'database user' THEN 'by ALTER ROLE ' || quote_ident(session_user) || ' IN DATABASE ' "
    "|| quote_ident(current_database()) WHEN 'global' THEN 'by ALTER ROLE ALL' "
    "WHEN 'configuration file' THEN 'by the configuration of the server' ELSE 'by the session (' || source || ')' END "
    "FROM pg_catalog.pg_settings WHERE name = $1::text AND setting NOT IN ('0', 'off')";

enum db_outcome
setting_origin(struct db *db, const char *name, struct answer **answer)
{
	return db_query_ours(db, answer, origin_sql, 1, &name);
}

bool
setting_origin_line(struct db *db, const char *name, long long took_ms, struct bytes *line)
{
	bool timeout = strstr(name, "_timeout") != NULL, found;
	struct answer *a = NULL;

	found = setting_origin(db, name, &a) == DB_OK && answer_rows(a) > 0 &&
	    (!timeout || took_ms >= answer_number(a, 0, SETTING_NUMBER));
	if (found) {
		bytes_format(line, "  %s is %s here, %s.", name, answer_word(a, 0, SETTING_VALUE), answer_word(a, 0, SETTING_BY));
		if (timeout)
			bytes_format(line, " For this run alone add options=-c%%20%s%%3D0 to the connection string", name);
	}
	answer_free(a);
	return found;
}

void
setting_origin_say(struct db *db)
{
	const char *state = db_error(db)->sqlstate;
	const char *name = strcmp(state, SQLSTATE_QUERY_CANCELED) == 0 ? "statement_timeout"
	    : strcmp(state, SQLSTATE_LOCK_NOT_AVAILABLE) == 0          ? "lock_timeout"
	                                                               : NULL;
	struct bytes line = { 0 };

	if (name != NULL && setting_origin_line(db, name, LLONG_MAX, &line))
		message_line("%s", line.data);
	bytes_free(&line);
}
