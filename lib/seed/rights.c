#include "seed/rights.h"

#include "base/bytes.h"
#include "base/message.h"
#include "seed/upsert.h"

static void
add_need(struct bytes *sql, const char *oid, const char *right)
{
	bytes_format(sql, ", (%s::oid, '%s')", oid, right);
}

/* A column that the file has may move the sequence on behind its values; one that it has not draws from it. */
static void
add_sequences(struct bytes *sql, const struct seed_table *t)
{
	struct bytes oid = { 0 };
	size_t i;

	for (i = 0; i < t->sql.count; i++) {
		const struct upsert_column *c = &t->sql.columns[i];

		if (c->sequence == NULL || t->inserted == 0)
			continue;
		oid.len = 0;
		bytes_sql_text(&oid, c->sequence);
		bytes_str(&oid, "::regclass");
		if (c->in_file && !c->drawn) {
			add_need(sql, oid.data, "SELECT");
			add_need(sql, oid.data, "UPDATE");
		} else {
			add_need(sql, oid.data, "USAGE");
		}
	}
	bytes_free(&oid);
}

static void
add_table(struct bytes *sql, const struct seed_table *t)
{
	size_t i, j;

	if (t->oid == NULL)
		return;
	add_need(sql, t->oid, "SELECT");
	for (i = 0; i < t->sql.reference_count; i++)
		for (j = 0; j < t->sql.references[i].node_count; j++)
			add_need(sql, t->sql.references[i].nodes[j].oid, "SELECT");
	if (t->inserted > 0)
		add_need(sql, t->oid, "INSERT");
	if (t->updated > 0)
		add_need(sql, t->oid, "UPDATE");
	if (t->deleted > 0)
		add_need(sql, t->oid, "DELETE");
	add_sequences(sql, t);
}

/* Of SELECT, INSERT and UPDATE a right on some columns will do, if they are the right ones: then the server's message says which. */
static const char lacked_sql[] =
    "), lacked AS (SELECT DISTINCT c.oid, need.word, c.relkind, n.nspname, c.relname FROM need JOIN pg_class c ON c.oid = need.oid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, need.word) "
    "WHEN need.word = 'DELETE' THEN has_table_privilege(c.oid, need.word) ELSE has_any_column_privilege(c.oid, need.word) END) "
    "SELECT 'GRANT ' || g.what || ' TO ' || quote_ident(current_user) || ';' FROM ("
    "SELECT 1, 'TEMPORARY ON DATABASE ' || quote_ident(current_database()) WHERE $1 <> 'export' "
    "AND NOT has_database_privilege(current_database(), 'TEMPORARY') "
    "UNION ALL SELECT DISTINCT 2, format('USAGE ON SCHEMA %I', n.nspname) FROM need JOIN pg_class c ON c.oid = need.oid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT has_schema_privilege(n.oid, 'USAGE') "
    "UNION ALL SELECT 3, format('%s ON %s%I.%I', string_agg(word, ', ' ORDER BY word), CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE '' END, "
    "nspname, relname) FROM lacked GROUP BY oid, relkind, nspname, relname) g (i, what) ORDER BY g.i, g.what";

void
rights_say_lacked(struct db *db, const struct seed_tables *tables, bool exports)
{
	const char *const kind = exports ? "export" : "seed";
	struct bytes sql = { 0 };
	struct answer *a = NULL;
	size_t i;

	bytes_str(&sql, "WITH need (oid, word) AS (VALUES (NULL::oid, NULL::text)");
	for (i = 0; i < tables->count; i++)
		add_table(&sql, &tables->tables[i]);
	bytes_str(&sql, lacked_sql);
	if (db_query_ours(db, &a, sql.data, 1, &kind) == DB_OK)
		for (i = 0; i < answer_rows(a); i++)
			message_line("  %s", answer_word(a, i, 0));
	answer_free(a);
	bytes_free(&sql);
}
