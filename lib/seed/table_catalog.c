/* What is asked of the catalog. */
#include "seed/table_internal.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own_sql.h"

void
table_names_sql(struct bytes *out, const struct seed_file *files, size_t count)
{
	struct bytes name = { 0 };
	size_t i;

	bytes_str(out, "SELECT c.oid, c.relkind, n.nspname, c.relname, c.relkind = 'r' AND "
	               "EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid), "
	               "(SELECT pg_catalog.min(o.relname) "
	               "FROM pg_catalog.pg_class o WHERE pg_catalog.lower(o.relname) = pg_catalog.lower(u.bare) "
	               "AND o.relkind IN ('r', 'p') AND " OWN_SQL_AS_SESSION("pg_table_is_visible(o.oid)") "), "
	               "EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE NOT g.tgisinternal AND (g.tgrelid = c.oid "
	               "OR g.tgrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree(c.oid) p))) "
	               "FROM (SELECT u.*, " OWN_SQL_AS_SESSION("to_regclass(u.name)") " AS oid FROM ROWS FROM (unnest(ARRAY[");
	for (i = 0; i < count; i++) {
		name.len = 0;
		if (files[i].schema != NULL) {
			bytes_sql_name(&name, files[i].schema);
			bytes_char(&name, '.');
		}
		bytes_sql_name(&name, files[i].table);
		bytes_str(out, i > 0 ? ", " : "");
		bytes_sql_text(out, name.data);
	}
	bytes_str(out, "]::text[]), unnest(ARRAY[");
	for (i = 0; i < count; i++) {
		bytes_str(out, i > 0 ? ", " : "");
		bytes_sql_text(out, files[i].table);
	}
	bytes_str(out, "]::text[])) WITH ORDINALITY u(name, bare, i)) u "
	               "LEFT JOIN pg_catalog.pg_class c ON c.oid = u.oid AND c.relpersistence <> 't' "
	               "LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ORDER BY u.i");
	bytes_free(&name);
}

/*
 * Exact types: an enum, a text whose collation distinguishes all texts, and types with one form per value.  A
 * default is cast to its column's type, because it stands in a CASE with values of that type: next to 1.5 a bigint
 * would become a float and be rounded.  A sequence is reported only for numeric columns; a text default may merely
 * be built from one.
 */
static const char columns_sql[] =
    "SELECT a.attrelid, a.attname, a.attgenerated <> '', a.attidentity, "
    "y.typtype = 'e' OR a.atttypid IN ('bool'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype, "
    "'oid'::regtype, 'uuid'::regtype, 'date'::regtype, 'time'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, "
    "'bytea'::regtype) OR a.atttypid IN ('text'::regtype, 'varchar'::regtype) AND coalesce(l.collisdeterministic, true), "
    "y.typcategory, a.atttypid::regtype, a.attcollation <> 0, q.name, "
    "coalesce(CASE WHEN a.attidentity <> '' THEN 'pg_catalog.nextval(' || quote_literal(q.name) || '::pg_catalog.regclass)' END, "
    "'(' || coalesce(pg_get_expr(d.adbin, d.adrelid), pg_get_expr(y.typdefaultbin, 0)) || ')::' "
    "|| pg_catalog.format_type(a.atttypid, -1), 'NULL'), a.attnotnull "
    "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type y ON y.oid = a.atttypid "
    "LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation "
    "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = '' "
    "LEFT JOIN LATERAL (SELECT coalesce(pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname), "
    "(SELECT format('%I.%I', m.nspname, s.relname) FROM pg_catalog.pg_depend p JOIN pg_catalog.pg_class s ON s.oid = p.refobjid "
    "JOIN pg_catalog.pg_namespace m ON m.oid = s.relnamespace WHERE p.classid = 'pg_catalog.pg_attrdef'::regclass "
    "AND p.objid = d.oid AND p.refclassid = 'pg_catalog.pg_class'::regclass AND s.relkind = 'S' LIMIT 1)) AS name "
    "WHERE y.typcategory = 'N') q ON true "
    "WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = ANY (ARRAY[%s]::oid[]) "
    "ORDER BY a.attrelid, a.attnum";

/* Unique keys that cover all rows, each with the equality operator of its index. */
static const char keys_sql[] =
    "SELECT i.indrelid, x.relname, i.indisprimary, a.attname, format('OPERATOR(%I.%s)', m.nspname, o.oprname) "
    "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid "
    "JOIN pg_catalog.pg_am b ON b.oid = x.relam AND b.amname = 'btree' "
    "CROSS JOIN LATERAL ROWS FROM (unnest(i.indkey::int2[]), unnest(i.indclass::oid[])) WITH ORDINALITY k(attnum, class, n) "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
    "JOIN pg_catalog.pg_opclass c ON c.oid = k.class "
    "JOIN pg_catalog.pg_amop p ON p.amopfamily = c.opcfamily AND p.amoplefttype = c.opcintype "
    "AND p.amoprighttype = c.opcintype AND p.amopstrategy = 3 "
    "JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr JOIN pg_catalog.pg_namespace m ON m.oid = o.oprnamespace "
    "WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.n <= i.indnkeyatts "
    "AND i.indrelid = ANY (ARRAY[%s]::oid[]) ORDER BY i.indrelid, NOT i.indisprimary, x.relname, k.n";

static const char links_sql[] =
    "SELECT DISTINCT conrelid, confrelid FROM pg_catalog.pg_constraint WHERE contype = 'f' AND conrelid <> confrelid "
    "AND conrelid = ANY (ARRAY[%s]::oid[]) AND confrelid = ANY (ARRAY[%s]::oid[])";

void
table_fill_in(struct bytes *out, const char *sql, const char *text)
{
	const char *at;

	for (; (at = strstr(sql, "ARRAY[%s]")) != NULL; sql = at + strlen("ARRAY[%s]")) {
		bytes_add(out, sql, (size_t)(at - sql));
		bytes_format(out, "ARRAY[%s]", text);
	}
	bytes_str(out, sql);
}

/* Whether no value is missing, but in a column that may be NULL; -1: in none. */
static bool
has_all_values(const struct answer *a, int columns, int may_be_null)
{
	size_t row;
	int i;

	for (row = 0; row < answer_rows(a); row++)
		for (i = 0; i < columns; i++)
			if (i != may_be_null && answer_text(a, row, i) == NULL)
				return false;
	return true;
}

enum db_outcome
table_ask_catalog(struct db *db, struct seed_tables *tables)
{
	static const char *const queries[] = { columns_sql, keys_sql, links_sql };
	struct bytes oids = { 0 }, texts[3] = { { 0 } };
	struct db_ask asks[3];
	enum db_outcome outcome;
	size_t i;

	bytes_str(&oids, "");
	for (i = 0; i < tables->count; i++)
		bytes_format(&oids, "%s%s", i > 0 ? "," : "", tables->tables[i].oid);
	for (i = 0; i < 3; i++) {
		table_fill_in(&texts[i], queries[i], oids.data);
		asks[i] = (struct db_ask){ .sql = texts[i].data, .ours = true };
	}
	outcome = db_query_batch(db, asks, 3);
	for (i = 0; i < 3; i++) {
		tables->answers[i + 1] = asks[i].answer;
		if (outcome == DB_OK && asks[i].outcome != DB_OK)
			outcome = DB_ERROR;
		bytes_free(&texts[i]);
	}
	bytes_free(&oids);
	if (outcome == DB_OK && (!has_all_values(tables->answers[1], COLUMN_REQUIRED + 1, COLUMN_SEQUENCE) ||
	    !has_all_values(tables->answers[2], KEY_EQUALS + 1, -1)))
		outcome = db_give_up(db);
	return outcome;
}
