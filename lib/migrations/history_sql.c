/* What is asked of the history table, and how it is made. */
#include "migrations/history_internal.h"

#include <string.h>

#include "base/own_sql.h"

/* What pg_locks and pg_stat_activity show, from the functions below them: a new session plans those views for 2 ms. */
#define HOLDER                                                                                           \
	"SELECT l.pid, pg_catalog.pg_get_userbyid(a.usesysid) AS usename, a.application_name, "          \
	"host(a.client_addr) AS client, a.backend_start "                                                \
	"FROM pg_catalog.pg_lock_status() l LEFT JOIN LATERAL pg_catalog.pg_stat_get_activity(l.pid) a ON true " \
	"WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objsubid = 1 "              \
	"AND l.objid = " HISTORY_LOCK_KEY                                                                \
	" AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) LIMIT 1"
#define UTC(value) "to_char(" value " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

/*
 * `table`: the oid of what has the history's name; `schema`: where it would be made.  A new session looks at each catalog
 * for the first time, so as few as possible.  Ordinary tables alone make a schema non-empty, and PostGIS's own do not
 * (P3005).
 */
#define LOOK(history_table, schema)                                                                              \
	"SELECT coalesce((SELECT nspname FROM pg_catalog.pg_namespace WHERE oid = s.oid), " schema "), t.relkind, " \
	"NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = s.oid AND c.relkind = 'r' " \
	"AND lower(c.relname) NOT IN (" HISTORY_NO_TABLES ")), "                                         \
	"s.oid IS NOT NULL, "                                                                            \
	"CASE WHEN t.oid IS NOT NULL THEN has_table_privilege(t.oid, 'INSERT') AND has_table_privilege(t.oid, 'UPDATE') " \
	"WHEN s.oid IS NOT NULL THEN has_schema_privilege(s.oid, 'CREATE') "                             \
	"ELSE has_database_privilege(current_database(), 'CREATE') END, pg_is_in_recovery(), "           \
	"current_setting('default_transaction_read_only') = 'on', "                                      \
	"h.pid, h.usename, h.application_name, h.client, " UTC("h.backend_start") ", pg_catalog.pg_backend_pid(), " \
	"row_security_active(t.oid), pg_get_userbyid(t.relowner), o.first, o.count, current_user"                      \
	" FROM (SELECT) one LEFT JOIN pg_catalog.pg_class t ON t.oid = " history_table                           \
	" CROSS JOIN LATERAL (SELECT coalesce(t.relnamespace, pg_catalog.to_regnamespace(quote_ident(" schema "))::oid) " \
	"AS oid) s LEFT JOIN (" HOLDER ") h ON true "                                                    \
	"CROSS JOIN LATERAL (SELECT min(n.nspname::text COLLATE \"C\") AS first, nullif(count(*), 0) AS count FROM pg_catalog.pg_class c " \
	"JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE t.oid IS NULL AND c.relname = '" HISTORY_TABLE \
	"' AND c.relkind = 'r' AND NOT starts_with(n.nspname::text, 'pg_')) o"
#define BARE_TABLE "(SELECT " OWN_SQL_AS_SESSION("to_regclass('" HISTORY_TABLE "')") ")"
/* not by to_regclass(), which is an error where the role may not use the schema */
#define TABLE_IN "(SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n " \
	"ON n.oid = c.relnamespace WHERE n.nspname = $1::text AND c.relname = '" HISTORY_TABLE "')"
const char history_look_sql[] = LOOK(BARE_TABLE, "(SELECT " OWN_SQL_AS_SESSION("current_schema()") ")");
const char history_look_in_sql[] = LOOK(TABLE_IN, "$1::text");

#define SOUND(history_table)                                                                                     \
	"SELECT 1 / (CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = " history_table " AND (c.relkind <> 'r' OR " \
	"EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid >= 16384 " \
	"AND a.attname IN ('id', 'checksum', 'finished_at', 'migration_name', 'logs', 'rolled_back_at', 'started_at', " \
	"'applied_steps_count')))) THEN 0 ELSE 1 END)"
const char history_sound_sql[] = SOUND(BARE_TABLE), history_sound_in_sql[] = SOUND(TABLE_IN);

const char history_holder_sql[] = "SELECT h.pid, h.usename, h.application_name, h.client, " UTC("h.backend_start")
    ", (extract(epoch FROM clock_timestamp() - h.backend_start) * 1000)::bigint FROM (" HOLDER ") h";

const char history_lock_held_sql[] =
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() AND granted "
    "AND locktype = 'advisory' AND classid = 0 AND objsubid = 1 AND objid = " HISTORY_LOCK_KEY ")";

const char history_try_lock_sql[] = "SELECT pg_catalog.pg_try_advisory_lock(" HISTORY_LOCK_KEY ")";

const char history_try_lock_in_sql[] =
    "SELECT CASE WHEN pg_catalog.pg_backend_pid()" EQUALS "$1::pg_catalog.int4 "
    "THEN pg_catalog.pg_try_advisory_lock(" HISTORY_LOCK_KEY ") ELSE false END";

const char history_unlock_sql[] = "SELECT pg_catalog.pg_advisory_unlock(" HISTORY_LOCK_KEY ")";

const char history_system_sql[] = "SELECT system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system()";

/* Types as format_type() writes them; a text is as good as a varchar. */
const char history_oddities_sql[] =
    "WITH t AS (SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = $1::text AND c.relname = '" HISTORY_TABLE "'), wanted (name, type, length) AS (VALUES "
    "('id', 'character varying', 36), ('checksum', 'character varying', 64), ('finished_at', 'timestamp with time zone', 0), "
    "('migration_name', 'character varying', 255), ('logs', 'text', 0), ('rolled_back_at', 'timestamp with time zone', 0), "
    "('started_at', 'timestamp with time zone', 0), ('applied_steps_count', 'integer', 0)), "
    "has AS (SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, NULL) AS type, a.attnotnull, a.atthasdef, "
    "a.attidentity::text || a.attgenerated::text AS made, CASE WHEN a.atttypmod > 4 THEN a.atttypmod - 4 END AS length, "
    "pg_catalog.format_type(a.atttypid, a.atttypmod) AS whole FROM t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid "
    "AND a.attnum > 0 AND NOT a.attisdropped) "
    "SELECT 'trigger ' || pg_catalog.quote_ident(g.tgname::text) FROM t JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid "
    "WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' "
    "UNION ALL SELECT 'rule ' || pg_catalog.quote_ident(r.rulename::text) FROM t JOIN pg_catalog.pg_rewrite r ON r.ev_class = t.oid "
    "WHERE r.rulename <> '_RETURN' "
    "UNION ALL SELECT 'constraint ' || pg_catalog.quote_ident(k.conname::text) FROM t JOIN pg_catalog.pg_constraint k "
    "ON k.conrelid = t.oid WHERE k.contype IN ('c', 'u', 'f', 'x') "
    "UNION ALL SELECT 'no column ' || w.name FROM wanted w WHERE NOT EXISTS (SELECT FROM has h WHERE h.name = w.name) "
    "UNION ALL SELECT 'column ' || pg_catalog.quote_ident(h.name) || ' has to be given and has no default' FROM has h "
    "WHERE h.attnotnull AND NOT h.atthasdef AND h.made = '' AND NOT EXISTS (SELECT FROM wanted w WHERE w.name = h.name) "
    "UNION ALL SELECT 'column ' || h.name || ' is ' || h.whole || ', not ' || w.type || CASE WHEN w.length > 0 "
    "THEN '(' || w.length::text || ')' ELSE '' END FROM has h JOIN wanted w ON w.name = h.name "
    "WHERE NOT (h.type = w.type OR (h.type IN ('text', 'character varying') AND w.type IN ('text', 'character varying'))) "
    "OR (h.type = 'character varying' AND h.length < CASE WHEN w.type = 'text' THEN 1048576 ELSE w.length END) "
    "UNION ALL SELECT 'row level security applies to ' || pg_catalog.quote_ident(current_user::text) FROM t "
    "WHERE pg_catalog.row_security_active(t.oid) "
    "UNION ALL SELECT pg_catalog.quote_ident(current_user::text) || ' lacks ' || p FROM t, "
    "pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) p WHERE NOT pg_catalog.has_table_privilege(t.oid, p)";

const char history_deferrable_sql[] =
    "SELECT string_agg(quote_ident(k.nspname) || '.' || quote_ident(k.conname), ', ') FROM (SELECT s.nspname::text, x.conname::text "
    "FROM pg_catalog.pg_constraint x JOIN pg_catalog.pg_namespace s ON s.oid = x.connamespace JOIN pg_catalog.pg_class c "
    "ON c.oid = x.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1::text "
    "AND c.relname = '" HISTORY_TABLE "' AND x.condeferrable) k";

void
history_table(struct bytes *out, const char *schema)
{
	bytes_sql_name(out, schema);
	bytes_str(out, ".\"" HISTORY_TABLE "\"");
}

/* A type that is not built in has functions of its owner's, which would run as we do. */
#define BUILT_IN(column) "pg_catalog.pg_typeof(" column ")::pg_catalog.oid OPERATOR(pg_catalog.<) 16384::pg_catalog.oid"

void
history_rows_sql(struct bytes *out, const char *schema)
{
	/*
	 * a column may be text, uuid or timestamp if the table was made by hand; the caller's transaction has
	 * TimeZone UTC, so that a time without a zone is UTC, like in Prisma; infinity has no format
	 */
	static const char time[] = ", coalesce(pg_catalog.to_char(%s::pg_catalog.timestamptz, "
	                           "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), %s::pg_catalog.text)";

	bytes_str(out, "SELECT migration_name::pg_catalog.text, id::pg_catalog.text, checksum::pg_catalog.text");
	bytes_format(out, time, "started_at", "started_at");
	bytes_format(out, time, "finished_at", "finished_at");
	bytes_format(out, time, "rolled_back_at", "rolled_back_at");
	bytes_str(out, ", applied_steps_count, logs::pg_catalog.text FROM ");
	if (schema != NULL)
		history_table(out, schema);
	else
		bytes_str(out, HISTORY_TABLE);
	bytes_str(out, " WHERE 1 OPERATOR(pg_catalog./) CASE WHEN " BUILT_IN("migration_name") " AND " BUILT_IN("id") " AND "
	               BUILT_IN("checksum") " AND " BUILT_IN("started_at") " AND " BUILT_IN("finished_at") " AND "
	               BUILT_IN("rolled_back_at") " AND " BUILT_IN("applied_steps_count") " AND " BUILT_IN("logs")
	               " THEN 1 ELSE 0 END" EQUALS "1");
}

void
history_row_state_sql(struct bytes *out, const char *schema)
{
	bytes_str(out, "SELECT finished_at IS NOT NULL, logs, rolled_back_at IS NOT NULL FROM ");
	history_table(out, schema);
	bytes_str(out, " WHERE id" EQUALS "$1");
}

void
history_resolves_sql(struct bytes *out, const char *schema)
{
	struct bytes name = { 0 };

	history_table(&name, schema);
	/* where pg_temp is first, what is made without a schema is gone with the session, also where the table is found behind it */
	bytes_str(out, "SELECT pg_catalog.current_setting('search_path'::pg_catalog.text) OPERATOR(pg_catalog.!~) '^[ \"]*pg_temp'::pg_catalog.text "
	               "AND coalesce(a.oid" EQUALS "b.oid, a.oid IS NULL AND b.oid IS NULL) FROM (SELECT pg_catalog.to_regclass('"
	               HISTORY_TABLE "')::pg_catalog.oid) a(oid), (SELECT pg_catalog.to_regclass(");
	bytes_sql_text(out, name.data);
	bytes_str(out, ")::pg_catalog.oid) b(oid)");
	bytes_free(&name);
}

void
history_create_sql(struct bytes *out, const char *schema, bool with_schema)
{
	if (with_schema) {
		bytes_str(out, "CREATE SCHEMA ");
		bytes_sql_name(out, schema);
		bytes_str(out, "; ");
	}
	bytes_str(out, "CREATE TABLE ");
	history_table(out, schema);
	bytes_str(out, " (\n"
	               "    id                      VARCHAR(36) PRIMARY KEY NOT NULL,\n"
	               "    checksum                VARCHAR(64) NOT NULL,\n"
	               "    finished_at             pg_catalog.TIMESTAMPTZ,\n"
	               "    migration_name          VARCHAR(255) NOT NULL,\n"
	               "    logs                    pg_catalog.TEXT,\n"
	               "    rolled_back_at          pg_catalog.TIMESTAMPTZ,\n"
	               "    started_at              pg_catalog.TIMESTAMPTZ NOT NULL DEFAULT pg_catalog.now(),\n"
	               "    applied_steps_count     INTEGER NOT NULL DEFAULT 0\n"
	               ")");
}
