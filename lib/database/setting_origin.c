#include "database/setting_origin.h"

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
