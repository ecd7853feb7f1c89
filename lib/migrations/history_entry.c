/* A migration's row: begun, brought up to date with its journal, finished, marked. */
#include "migrations/history_internal.h"

#include <string.h>

#include "migrations/journal.h"
#include "sql/custom_settings.h"

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

/* The role in force; where the row is written as another (own_role), it is kept before. */
#define CURRENT_ROLE "current_user::pg_catalog.text"
#define CURRENT_ROLE_KEPT "pg_catalog.current_setting('mig.role')"
static const char keep_role_sql[] = "SELECT pg_catalog.set_config('mig.role', " CURRENT_ROLE ", true)",
	keep_role_in_psql[] = "DO $mig$ BEGIN PERFORM pg_catalog.set_config('mig.role', " CURRENT_ROLE ", true); END $mig$";

/*
 * A function, a procedure or a script before this one can change settings of the session: only the server knows.  What we
 * set ourselves does not count.
 */
static const char moved_sql[] =
    " OPERATOR(pg_catalog.||) CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_settings WHERE source" EQUALS "'session' "
    "AND pg_catalog.lower(name) OPERATOR(pg_catalog.<>) ALL (ARRAY['application_name', 'lock_timeout', 'statement_timeout', "
    "'synchronous_commit', 'client_encoding', 'standard_conforming_strings', 'row_security', 'idle_session_timeout', "
    "'client_connection_check_interval', 'tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count', "
    "'tcp_user_timeout', 'transaction_isolation', 'transaction_read_only', 'transaction_deferrable'";

static const char temporary_sql[] =
    " OR EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace" EQUALS "pg_catalog.pg_my_temp_schema())";

/* One of the application's own, which pg_settings leaves out, unless the role or the database has it so. */
static void
custom_moved_sql(struct bytes *out, const struct history_entry *e)
{
	struct bytes mentioned = { 0 };

	custom_settings_sql(&mentioned, e->text);
	if (mentioned.len > 0)
		bytes_format(out, " OR EXISTS (SELECT FROM pg_catalog.unnest(ARRAY[%s]) n (name) "
		    "WHERE n.name OPERATOR(pg_catalog.<>) ALL (ARRAY['mig.role'%s]) "
		    "AND pg_catalog.current_setting(n.name, true) OPERATOR(pg_catalog.<>) '' "
		    "AND NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting d WHERE n.name OPERATOR(pg_catalog.||) '=' "
		    "OPERATOR(pg_catalog.||) pg_catalog.current_setting(n.name) OPERATOR(pg_catalog.=) ANY (d.setconfig)))",
		    mentioned.data, e->names);
	bytes_free(&mentioned);
}

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
	custom_moved_sql(out, e);
	bytes_str(out, " THEN E'\\n" JOURNAL_MOVED "' ELSE '' END");
}

/* NULL unless the other row counts: an error, since nothing may be committed behind a step that is not. */
static void
behind_sql(struct bytes *out, const char *schema, const struct history_entry *e, const char *column)
{
	bytes_format(out, " OPERATOR(pg_catalog./) (SELECT pg_catalog.count(%s)::integer FROM ", column);
	history_table(out, schema);
	bytes_str(out, " WHERE id" EQUALS);
	bytes_sql_text(out, e->behind_id);
	bytes_char(out, ')');
}

/* When it had been applied, out of its logs; in UTC, as records have it, so that no setting of the session matters. */
#define WHEN_FINISHED "pg_catalog.substring(logs, '" JOURNAL_FINISHED "([^\n]*)')"
#define LOGS_AT_FIRST "CASE WHEN applied_steps_count" EQUALS "0 THEN '' END"

static void
revert_entry(struct bytes *out, const char *schema, const struct history_entry *e, const char *logs)
{
	bytes_str(out, "UPDATE ");
	history_table(out, schema);
	if (e->progress == HISTORY_FINISHED) {
		bytes_str(out, " SET rolled_back_at = CASE WHEN 1");
		if (e->behind_id != NULL)
			behind_sql(out, schema, e, "rolled_back_at");
		bytes_str(out, EQUALS "1 THEN pg_catalog.clock_timestamp() END, finished_at = coalesce(finished_at, " WHEN_FINISHED "::pg_catalog.timestamptz), "
		               "logs = CASE WHEN finished_at IS NULL THEN " LOGS_AT_FIRST " ELSE logs END");
	} else {
		bytes_str(out, " SET finished_at = NULL, logs = ");
		logs_sql(out, schema, e, logs);
		bytes_str(out, " OPERATOR(pg_catalog.||) E'\\n" JOURNAL_FINISHED "' OPERATOR(pg_catalog.||) "
		               "coalesce(pg_catalog.to_char(pg_catalog.timezone('UTC', finished_at), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), " WHEN_FINISHED ", '')");
	}
	bytes_str(out, " WHERE rolled_back_at IS NULL AND id" EQUALS);
	bytes_sql_text(out, e->id);
}

static void
insert_entry(struct bytes *out, const char *schema, const struct history_entry *e, const char *logs)
{
	const char *const values[] = { e->id, e->checksum, e->migration };
	bool finished = e->progress == HISTORY_FINISHED;

	bytes_str(out, "INSERT INTO ");
	history_table(out, schema);
	bytes_str(out, " (id, checksum, migration_name, started_at, applied_steps_count, logs, finished_at) VALUES (");
	list_of_texts(out, values, 3);
	bytes_format(out, ", pg_catalog.now(), %zu", finished ? 1 : e->done);
	if (e->behind_id != NULL)
		behind_sql(out, schema, e, "finished_at");
	bytes_str(out, ", ");
	logs_sql(out, schema, e, logs);
	bytes_str(out, finished ? ", pg_catalog.clock_timestamp())" : ", NULL)");
}

static void
update_entry(struct bytes *out, const char *schema, const struct history_entry *e, const char *logs)
{
	bool finished = e->progress == HISTORY_FINISHED;

	bytes_str(out, "UPDATE ");
	history_table(out, schema);
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
		.begun = e->progress == HISTORY_BEGINS_ALONE,
		.reverts = e->reverts };
	struct bytes logs = { 0 };
	bool wrap = (e->own_role || e->all_rows) && e->alone;
	size_t count = 1;

	if (e->progress != HISTORY_FINISHED) {
		journal_before(e->text, e->behind, journal.before);
		journal_write(&logs, &journal);
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
		bytes_str(out, HISTORY_AS_LOGIN);
		count += 2;
	}
	if (e->reverts)
		revert_entry(out, schema, e, logs.data);
	else if (e->exists)
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
	history_table(out, schema);
	bytes_str(out, " WHERE finished_at IS NULL AND id" EQUALS);
	bytes_sql_text(out, id);
}

void
history_restore_sql(struct bytes *out, const char *schema, const char *id)
{
	bytes_str(out, "UPDATE ");
	history_table(out, schema);
	bytes_str(out, " SET finished_at = " WHEN_FINISHED "::pg_catalog.timestamptz, logs = " LOGS_AT_FIRST " WHERE finished_at IS NULL "
	               "AND rolled_back_at IS NULL AND id" EQUALS);
	bytes_sql_text(out, id);
}

void
history_mark_rolled_back_sql(struct bytes *out, const char *schema, const char *migration)
{
	bytes_str(out, "UPDATE ");
	history_table(out, schema);
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
	history_table(out, schema);
	bytes_str(out, " (id, checksum, migration_name, logs, started_at, finished_at, applied_steps_count) VALUES (");
	list_of_texts(out, values, 4);
	bytes_str(out, ", pg_catalog.now(), pg_catalog.now(), 0)");
}
