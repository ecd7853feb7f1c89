/* What is asked of a database in the usual case: as little as tells that it is one. */
#include "migrations/history_internal.h"

#include <strings.h>

#include "base/bytes.h"

/* The schema: as text, and its oid, NULL where there is none. */
static void
schema_name(struct bytes *out, const char *schema)
{
	if (schema != NULL)
		bytes_sql_text(out, schema);
	else
		bytes_str(out, "pg_catalog.current_schema()");
}

static void
schema_oid(struct bytes *out, const char *schema)
{
	bytes_str(out, "pg_catalog.to_regnamespace(pg_catalog.quote_ident(");
	schema_name(out, schema);
	bytes_str(out, "))::pg_catalog.oid");
}

/* An error (42501) where the role may not use the schema. */
static void
table_oid(struct bytes *out, const char *schema)
{
	struct bytes name = { 0 };

	if (schema != NULL)
		history_table(&name, schema);
	else
		bytes_str(&name, HISTORY_TABLE);
	bytes_str(out, "pg_catalog.to_regclass(");
	bytes_sql_text(out, name.data);
	bytes_str(out, ")::pg_catalog.oid");
	bytes_free(&name);
}

void
history_session_sql(struct bytes *out, const char *schema, bool writes)
{
	struct bytes oid = { 0 };

	schema_oid(&oid, schema);
	bytes_str(out, "SELECT ");
	schema_name(out, schema);
	bytes_format(out, ", pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('default_transaction_read_only'), "
	    "pg_catalog.pg_backend_pid(), current_user, %s IS NOT NULL, ", oid.data);
	if (writes)
		bytes_format(out, "NULL, CASE WHEN %s IS NULL THEN pg_catalog.has_database_privilege(pg_catalog.current_database(), "
		    "'CREATE') ELSE pg_catalog.has_schema_privilege(%s, 'CREATE') END", oid.data, oid.data);
	else
		bytes_format(out, "(SELECT o.relname FROM pg_catalog.pg_class o WHERE o.relnamespace" EQUALS "%s AND o.relkind" EQUALS
		    "'r' AND o.relname OPERATOR(pg_catalog.<>) ALL (ARRAY[" HISTORY_NO_TABLES "]::pg_catalog.name[]) LIMIT 1), NULL",
		    oid.data);
	bytes_free(&oid);
}

void
history_find_sql(struct bytes *out, const char *schema, bool writes)
{
	struct bytes table = { 0 };

	table_oid(&table, schema);
	bytes_format(out, "SELECT c.oid" EQUALS "%s, c.relnamespace" EQUALS, table.data);
	schema_oid(out, schema);
	bytes_str(out, writes ? ", pg_catalog.has_table_privilege(c.oid, 'INSERT') AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')"
	                      : ", NULL");
	bytes_format(out, ", 1 OPERATOR(pg_catalog./) CASE WHEN c.relkind" EQUALS "'r' OR %s IS NULL THEN 1 ELSE 0 END "
	    "FROM pg_catalog.pg_class c WHERE c.relname" EQUALS "'" HISTORY_TABLE "' AND (c.oid" EQUALS "%s OR %s IS NULL)",
	    table.data, table.data, table.data);
	bytes_free(&table);
}

bool
history_is_no_table(const char *name)
{
	static const char *const names[] = { HISTORY_TABLE, "spatial_ref_sys", "geometry_columns", "geography_columns",
		"raster_columns", "raster_overviews" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

const char history_calm_sql[] =
    "SELECT s.system_identifier::pg_catalog.text, EXISTS (SELECT FROM pg_catalog.pg_lock_status() l "
    "WHERE l.locktype" EQUALS "'advisory' AND l.granted AND l.classid" EQUALS "0::pg_catalog.oid AND l.objsubid" EQUALS
    "1::pg_catalog.int2 AND l.objid" EQUALS HISTORY_LOCK_KEY "::pg_catalog.oid) FROM pg_catalog.pg_control_system() s";
