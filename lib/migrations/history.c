#include "migrations/history.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own_sql.h"
#include "records/record.h"

/* What pg_locks and pg_stat_activity show, from the functions below them: a new session plans those views for 2 ms. */
#define HOLDER                                                                                           \
	"SELECT l.pid, pg_catalog.pg_get_userbyid(a.usesysid) AS usename, a.application_name, "          \
	"host(a.client_addr) AS client, a.backend_start "                                                \
	"FROM pg_catalog.pg_lock_status() l LEFT JOIN LATERAL pg_catalog.pg_stat_get_activity(l.pid) a ON true " \
	"WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objsubid = 1 "              \
	"AND l.objid = " HISTORY_LOCK_KEY                                                                \
	" AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) LIMIT 1"
/* What stands beside it is qualified as well: these are sent with the session's own search path. */
#define EQUALS " OPERATOR(pg_catalog.=) "
#define UTC(value) "to_char(" value " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"

/*
 * `table`: the oid of what has the history's name; `schema`: where it would be made.  A new session looks at each catalog
 * for the first time, so as few as possible.  Ordinary tables alone make a schema non-empty, and PostGIS's own do not
 * (P3005).
 */
#define LOOK(table, schema)                                                                              \
	"SELECT coalesce((SELECT nspname FROM pg_catalog.pg_namespace WHERE oid = s.oid), " schema "), t.relkind, " \
	"NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = s.oid AND c.relkind = 'r' " \
	"AND lower(c.relname) NOT IN ('" HISTORY_TABLE                                                   \
	"', 'spatial_ref_sys', 'geometry_columns', 'geography_columns', 'raster_columns', 'raster_overviews')), " \
	"s.oid IS NOT NULL, "                                                                            \
	"CASE WHEN t.oid IS NOT NULL THEN has_table_privilege(t.oid, 'INSERT') AND has_table_privilege(t.oid, 'UPDATE') " \
	"WHEN s.oid IS NOT NULL THEN has_schema_privilege(s.oid, 'CREATE') "                             \
	"ELSE has_database_privilege(current_database(), 'CREATE') END, pg_is_in_recovery(), "           \
	"current_setting('default_transaction_read_only') = 'on', "                                      \
	"h.pid, h.usename, h.application_name, h.client, " UTC("h.backend_start") ", pg_catalog.pg_backend_pid(), " \
	"row_security_active(t.oid), pg_get_userbyid(t.relowner), o.first, o.count, current_user"                      \
	" FROM (SELECT) one LEFT JOIN pg_catalog.pg_class t ON t.oid = " table                           \
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

#define SOUND(table)                                                                                     \
	"SELECT 1 / (CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = " table " AND (c.relkind <> 'r' OR " \
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

const char history_try_lock_in_sql[] = "SELECT CASE WHEN pg_catalog.pg_backend_pid() = $1::int "
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

static void
table(struct bytes *out, const char *schema)
{
	bytes_sql_name(out, schema);
	bytes_str(out, ".\"" HISTORY_TABLE "\"");
}

void
history_rows_sql(struct bytes *out, const char *schema)
{
	/* a column may be text, uuid or timestamp where somebody made the table by hand; the caller's
	 * transaction has TimeZone UTC, so that a time without a zone is UTC, as Prisma reads it; infinity has no form */
	static const char time[] = ", coalesce(pg_catalog.to_char(%s::pg_catalog.timestamptz, "
	                           "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), %s::pg_catalog.text)";

	bytes_str(out, "SELECT migration_name::pg_catalog.text, id::pg_catalog.text, checksum::pg_catalog.text");
	bytes_format(out, time, "started_at", "started_at");
	bytes_format(out, time, "finished_at", "finished_at");
	bytes_format(out, time, "rolled_back_at", "rolled_back_at");
	bytes_str(out, ", applied_steps_count, logs::pg_catalog.text FROM ");
	if (schema != NULL)
		table(out, schema);
	else
		bytes_str(out, HISTORY_TABLE);
}

void
history_row_state_sql(struct bytes *out, const char *schema)
{
	bytes_str(out, "SELECT finished_at IS NOT NULL, logs FROM ");
	table(out, schema);
	bytes_str(out, " WHERE id" EQUALS "$1");
}

void
history_resolves_sql(struct bytes *out, const char *schema)
{
	struct bytes name = { 0 };

	table(&name, schema);
	bytes_str(out, "SELECT coalesce(a.oid" EQUALS "b.oid, a.oid IS NULL AND b.oid IS NULL) FROM (SELECT pg_catalog.to_regclass('"
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
	table(out, schema);
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

void
history_new_id(char id[HISTORY_ID])
{
	/* asking the system for each costs more than the rest of a small migration */
	static unsigned char random[64][16];
	static size_t left;

	if (left == 0) {
		randombytes_buf(random, sizeof random);
		left = sizeof random / sizeof *random;
	}
	history_format_id(random[--left], id);
}

void
history_format_id(unsigned char b[16], char id[HISTORY_ID])
{
	b[6] = (unsigned char)((b[6] & 0x0F) | 0x40); /* version 4 */
	b[8] = (unsigned char)((b[8] & 0x3F) | 0x80); /* RFC 4122 */
	snprintf(id, HISTORY_ID, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
	    b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static void
list_of_texts(struct bytes *out, const char *const texts[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (i > 0)
			bytes_str(out, ", ");
		bytes_sql_text(out, texts[i]);
	}
}

/*
 * A function, a procedure or a script before this one can change settings of the session: only the server knows.  What we
 * set ourselves does not count.
 */
static const char moved_words[] = "mig: its session has settings that its own statements do not make";
static const char moved_sql[] =
    " OPERATOR(pg_catalog.||) CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_settings WHERE source" EQUALS "'session' "
    "AND pg_catalog.lower(name) OPERATOR(pg_catalog.<>) ALL (ARRAY['application_name', 'lock_timeout', 'statement_timeout', "
    "'synchronous_commit', 'client_encoding', 'standard_conforming_strings', 'row_security', 'idle_session_timeout', "
    "'client_connection_check_interval', 'tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count', "
    "'tcp_user_timeout', 'transaction_isolation', 'transaction_read_only', 'transaction_deferrable'";

/* The role in force; where the row is written as another (own_role), it is kept before. */
#define CURRENT_ROLE "current_user::pg_catalog.text"
#define CURRENT_ROLE_KEPT "pg_catalog.current_setting('mig.role')"
static const char keep_role_sql[] = "SELECT pg_catalog.set_config('mig.role', " CURRENT_ROLE ", true)",
	keep_role_in_psql[] = "DO $mig$ BEGIN PERFORM pg_catalog.set_config('mig.role', " CURRENT_ROLE ", true); END $mig$";

static const char temporary_sql[] =
    " OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace" EQUALS "pg_catalog.pg_my_temp_schema())";

/* The text of `logs`, as SQL. */
static void
logs_sql(struct bytes *out, const char *schema, const struct history_entry *e, const char *logs)
{
	if (logs == NULL) {
		bytes_str(out, "NULL");
		return;
	}
	bytes_sql_text(out, logs);
	if (e->names == NULL)
		return;
	bytes_str(out, "::pg_catalog.text");
	bytes_str(out, moved_sql);
	bytes_str(out, e->names);
	bytes_str(out, "]::pg_catalog.text[]) AND NOT (name" EQUALS "'search_path' AND setting" EQUALS "pg_catalog.quote_ident(");
	bytes_sql_text(out, schema);
	bytes_str(out, "::pg_catalog.text)))");
	if (e->role_sql != NULL && strstr(e->names, "'role'") == NULL && strstr(e->names, "'session_authorization'") == NULL)
		bytes_format(out, " OR (%s OPERATOR(pg_catalog.<>) %s AND %s OPERATOR(pg_catalog.<>) '')",
		    e->own_role ? CURRENT_ROLE_KEPT : CURRENT_ROLE, e->role_sql, e->role_sql);
	if (!e->makes_temporary)
		bytes_str(out, temporary_sql);
	bytes_format(out, " THEN E'\\n%s' ELSE '' END", moved_words);
}

static const char journal_words[] = "mig: statement %zu of %zu is next%s; digest of the text before it: ";

void
history_journal_write(struct bytes *out, const struct journal *j)
{
	bytes_format(out, journal_words, j->next, j->count, j->begun ? ", and had begun" : "");
	bytes_str(out, j->before);
}

bool
history_journal_read(const char *logs, struct journal *j)
{
	struct bytes again = { 0 };
	const char *digest;
	bool same;

	if (logs == NULL || sscanf(logs, "mig: statement %zu of %zu is next", &j->next, &j->count) != 2)
		return false;
	digest = strstr(logs, "before it: ");
	if (digest == NULL || sscanf(digest, "before it: %32[0-9a-f]", j->before) != 1)
		return false;
	j->begun = strstr(logs, " is next, and had begun;") != NULL && strstr(logs, " is next, and had begun;") < digest;
	j->moved = strstr(logs, moved_words) != NULL;
	/* whoever wrote it, it must read as we would write it */
	history_journal_write(&again, j);
	same = strncmp(again.data, logs, again.len) == 0 && j->next >= 1 && j->next <= j->count + 1;
	bytes_free(&again);
	return same;
}

void
history_journal_before(const char *text, size_t len, char hex[HISTORY_BEFORE])
{
	unsigned char digest[crypto_generichash_BYTES_MIN];

	crypto_generichash(digest, sizeof digest, (const unsigned char *)text, len, NULL, 0);
	sodium_bin2hex(hex, HISTORY_BEFORE, digest, sizeof digest);
}

const struct sql_statement *
history_journal_begun(const struct journal *j, const char *text, const struct sql_script *script)
{
	char before[HISTORY_BEFORE];

	if (!j->begun || j->next > script->count)
		return NULL;
	history_journal_before(text, j->next > 1 ? script->statements[j->next - 2].end : 0, before);
	return strcmp(before, j->before) == 0 ? &script->statements[j->next - 1] : NULL;
}

static void
insert_entry(struct bytes *out, const char *schema, const struct history_entry *e, const char *logs)
{
	const char *const values[] = { e->id, e->checksum, e->migration };
	bool finished = e->progress == HISTORY_FINISHED;

	bytes_str(out, "INSERT INTO ");
	table(out, schema);
	bytes_str(out, " (id, checksum, migration_name, started_at, applied_steps_count, logs, finished_at) VALUES (");
	list_of_texts(out, values, 3);
	bytes_format(out, ", pg_catalog.now(), %zu", finished ? 1 : e->done);
	if (e->behind_id != NULL) {
		bytes_str(out, " OPERATOR(pg_catalog./) (SELECT pg_catalog.count(finished_at)::integer FROM ");
		table(out, schema);
		bytes_str(out, " WHERE id" EQUALS);
		bytes_sql_text(out, e->behind_id);
		bytes_char(out, ')');
	}
	bytes_str(out, ", ");
	logs_sql(out, schema, e, logs);
	bytes_str(out, finished ? ", pg_catalog.clock_timestamp())" : ", NULL)");
}

static void
update_entry(struct bytes *out, const char *schema, const struct history_entry *e, const char *logs)
{
	bool finished = e->progress == HISTORY_FINISHED;

	bytes_str(out, "UPDATE ");
	table(out, schema);
	bytes_format(out, " SET applied_steps_count = %zu, logs = ", finished ? 1 : e->done);
	logs_sql(out, schema, e, logs);
	bytes_str(out, ", checksum = ");
	bytes_sql_text(out, e->checksum);
	if (finished)
		bytes_str(out, ", finished_at = pg_catalog.clock_timestamp()");
	bytes_str(out, " WHERE id" EQUALS);
	bytes_sql_text(out, e->id);
}

size_t
history_entry_sql(struct bytes *out, const char *schema, const struct history_entry *e)
{
	struct journal journal = { .next = e->done + 1,
		.count = e->count,
		.begun = e->progress == HISTORY_BEGINS_ALONE };
	struct bytes logs = { 0 };
	bool wrap = (e->own_role || e->all_rows) && e->alone;
	size_t count = 1;

	if (e->progress != HISTORY_FINISHED) {
		history_journal_before(e->text, e->behind, journal.before);
		history_journal_write(&logs, &journal);
		if (e->why != NULL)
			bytes_format(&logs, "\n%s", e->why);
	}
	if (wrap) {
		bytes_str(out, "BEGIN;\n");
		count += 2; /* and its COMMIT */
	}
	if (e->all_rows) {
		bytes_str(out, "SET LOCAL row_security = off;\n");
		count++;
	}
	if (e->own_role && logs.len > 0 && e->names != NULL) {
		bytes_format(out, "%s;\n", e->in_psql ? keep_role_in_psql : keep_role_sql);
		count++;
	}
	if (e->own_role) {
		bytes_str(out, "SET LOCAL SESSION AUTHORIZATION DEFAULT;\nSET LOCAL ROLE NONE;\n");
		count += 2;
	}
	if (e->exists)
		update_entry(out, schema, e, logs.data);
	else
		insert_entry(out, schema, e, logs.data);
	bytes_str(out, wrap ? ";\nCOMMIT" : "");
	bytes_free(&logs);
	return count;
}

void
history_delete_sql(struct bytes *out, const char *schema, const char *id)
{
	bytes_str(out, "DELETE FROM ");
	table(out, schema);
	bytes_str(out, " WHERE finished_at IS NULL AND id" EQUALS);
	bytes_sql_text(out, id);
}

void
history_mark_rolled_back_sql(struct bytes *out, const char *schema, const char *migration)
{
	bytes_str(out, "UPDATE ");
	table(out, schema);
	bytes_str(out, " SET rolled_back_at = pg_catalog.now() WHERE finished_at IS NULL AND rolled_back_at IS NULL "
	               "AND migration_name" EQUALS);
	bytes_sql_text(out, migration);
}

void
history_mark_applied_sql(struct bytes *out, const char *schema, const char *id, const char *migration,
    const char *checksum)
{
	const char *const values[] = { id, checksum, migration, "" };

	history_mark_rolled_back_sql(out, schema, migration);
	bytes_str(out, "; INSERT INTO ");
	table(out, schema);
	bytes_str(out, " (id, checksum, migration_name, logs, started_at, finished_at, applied_steps_count) VALUES (");
	list_of_texts(out, values, 4);
	bytes_str(out, ", pg_catalog.now(), pg_catalog.now(), 0)");
}

bool
history_row_counts(const struct history_row *row)
{
	return row->rolled_back_at == NULL;
}

bool
history_row_unfinished(const struct history_row *row)
{
	return row->rolled_back_at == NULL && row->finished_at == NULL;
}

/* By name; rows of one name stay as they are ordered, by time. */
static int
compare_rows(const void *a, const void *b)
{
	const struct history_row *x = *(const struct history_row *const *)a;
	const struct history_row *y = *(const struct history_row *const *)b;
	int order = strcmp(x->migration, y->migration);

	return order != 0 ? order : x < y ? -1 : x > y;
}

struct history_index
history_index(const struct history_row *rows, size_t count)
{
	struct history_index index = { xcalloc(count, sizeof *index.rows), count };
	size_t i;

	for (i = 0; i < count; i++)
		index.rows[i] = &rows[i];
	qsort(index.rows, count, sizeof *index.rows, compare_rows);
	return index;
}

void
history_index_free(struct history_index *index)
{
	free(index->rows);
	*index = (struct history_index){ 0 };
}

/* The first row of a name or behind it. */
static size_t
lower_bound(const struct history_index *index, const char *migration)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(index->rows[middle]->migration, migration) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct history_row *
history_find(const struct history_index *index, const char *migration, size_t *runs)
{
	const struct history_row *found = NULL, *row;
	size_t first = lower_bound(index, migration), i;

	for (i = first; i < index->count; i++) {
		row = index->rows[i];
		if (strcmp(row->migration, migration) != 0)
			break;
		if (history_row_counts(row) &&
		    (found == NULL || !history_row_unfinished(found) || history_row_unfinished(row)))
			found = row;
	}
	if (runs != NULL)
		*runs = i - first;
	return found;
}

void
history_digest(const struct history_row *rows, size_t count,
    bool (*leave_out)(const struct history_row *, const void *), const void *context,
    char hex[RECORD_DIGEST_HEX])
{
	struct writer *writer = writer_digest_only(NULL);
	size_t i;

	for (i = 0; i < count; i++)
		if (!history_row_unfinished(&rows[i]) && (leave_out == NULL || !leave_out(&rows[i], context)))
			writer_put(writer, &history_form, &rows[i]);
	writer_digest(writer, hex);
	writer_end(writer, 0);
}
