/* What the check "used" asks. */
#include "check/used_internal.h"

#include "base/own_sql.h"
#include "check/relation_name.h"

#define EXTENSION "pg_stat_statements"

/* Marks what is asked here: its text stands in the statistics that it reads. */
#define MARK "/* mig-check used */ "

#define AGE_MS(since) "(extract(epoch FROM clock_timestamp() - " since ") * 1000)::int8"
#define NOT_SYSTEM(schema) schema " NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"

/* A name for people, that can be typed. */
#define SPELLED(schema, name) "quote_ident(" schema "::text) || '.' || quote_ident(" name "::text)"

#define IS_COLUMN "coalesce(cardinality(p) = 2 AND c.relname = p[1] AND a.attname = p[2] AND " OWN_SQL_AS_SESSION("pg_table_is_visible(c.oid)") ", false)"

/* Every way to read the name; a column of a visible relation first. */
static const char target_sql[] =
    "SELECT " MARK "c.oid, n.nspname, c.relname, coalesce(a.attnum, 0), a.attname, "
    "NOT EXISTS (SELECT FROM pg_class o JOIN pg_namespace m ON m.oid = o.relnamespace WHERE o.relname = c.relname AND o.oid <> c.oid "
    "AND o.relkind IN ('r', 'p', 'v', 'm', 'f') AND " NOT_SYSTEM("m.nspname") "), "
    "cardinality(p) = 3 OR " IS_COLUMN " FROM (SELECT string_to_array($1, E'\\x1f')) AS x (p), pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relname = ANY (p) AND CASE "
    "WHEN cardinality(p) = 1 THEN a.attnum IS NOT DISTINCT FROM (SELECT min(f.attnum) FROM pg_attribute f WHERE f.attrelid = c.oid AND f.attnum > 0 AND NOT f.attisdropped) "
    "AND " OWN_SQL_AS_SESSION("pg_table_is_visible(c.oid)") " "
    "WHEN cardinality(p) = 2 THEN " IS_COLUMN " "
    "OR (n.nspname = p[1] AND c.relname = p[2]) "
    "ELSE n.nspname = p[1] AND c.relname = p[2] AND a.attname = p[3] END "
    "ORDER BY " IS_COLUMN " DESC, a.attnum LIMIT 1";

static const char system_sql[] = "SELECT " MARK "system_identifier FROM pg_catalog.pg_control_system()";

static const char server_sql[] =
    "SELECT " MARK "n.nspname, EXISTS (SELECT FROM pg_class i WHERE i.relnamespace = n.oid AND i.relname = '" EXTENSION "_info'), "
    "pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), quote_ident(current_user), current_database(), pg_is_in_recovery(), "
    "current_setting('" EXTENSION ".track', true) "
    "FROM (SELECT) one LEFT JOIN pg_extension e ON e.extname = '" EXTENSION "' LEFT JOIN pg_namespace n ON n.oid = e.extnamespace";

const char *const used_find[FINDS] = { [FIND_TARGET] = target_sql, [FIND_NAMES] = relation_find_sql, [FIND_SYSTEM] = system_sql,
	[FIND_SERVER] = server_sql };

static const char others_sql[] =
    "SELECT " MARK "n.nspname, c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE a.attname = (SELECT attname FROM pg_attribute WHERE attrelid = $1::oid AND attnum = $2::int) AND a.attrelid <> $1::oid "
    "AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND " NOT_SYSTEM("n.nspname");

/*
 * What DROP would refuse, or silently take with it: views, also those on views; functions with a body in SQL (14); policies, triggers,
 * keys of other tables, generated columns, publications.  What goes with the table or column itself is only counted.
 */
static const char dependents_sql[] =
    "WITH RECURSIVE direct AS (SELECT d.classid, d.objid, d.objsubid, d.deptype FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass "
    "AND d.refobjid = $1::oid AND ($2::int = 0 OR d.refobjsubid = $2::int)), "
    "views (oid) AS (SELECT w.ev_class FROM direct d JOIN pg_rewrite w ON w.oid = d.objid AND d.classid = 'pg_rewrite'::regclass "
    "WHERE w.ev_class <> $1::oid UNION SELECT w.ev_class FROM views v JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass "
    "AND d.refobjid = v.oid AND d.classid = 'pg_rewrite'::regclass JOIN pg_rewrite w ON w.oid = d.objid WHERE w.ev_class <> v.oid) "
    "SELECT " MARK "'view', n.nspname, c.relname, CASE c.relkind WHEN 'm' THEN 'materialized view ' WHEN 'v' THEN 'view ' ELSE 'a rule of ' END || "
    SPELLED("n.nspname", "c.relname") " FROM views JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace "
    "UNION SELECT CASE d.classid WHEN 'pg_proc'::regclass THEN 'function' "
    "WHEN 'pg_constraint'::regclass THEN CASE WHEN k.conrelid = $1::oid THEN 'goes' ELSE 'always' END "
    "WHEN 'pg_attrdef'::regclass THEN CASE WHEN d.deptype = 'a' AND f.attgenerated <> '' AND f.attnum <> $2::int AND $2::int <> 0 THEN 'always' END "
    "WHEN 'pg_class'::regclass THEN CASE WHEN d.deptype = 'a' THEN CASE WHEN r.relkind IN ('i', 'I') THEN 'goes' END "
    "WHEN d.deptype = 'n' AND r.relkind <> 'S' THEN 'always' END "
    "WHEN 'pg_policy'::regclass THEN CASE WHEN d.deptype = 'n' AND ($2::int <> 0 OR l.polrelid <> $1::oid) THEN 'always' END "
    "WHEN 'pg_trigger'::regclass THEN CASE WHEN d.deptype = 'n' AND ($2::int <> 0 OR t.tgrelid <> $1::oid) AND NOT t.tgisinternal THEN 'always' END "
    "ELSE CASE WHEN d.deptype = 'n' AND d.classid <> 'pg_rewrite'::regclass THEN 'always' END END, "
    "fn.nspname, p.proname, CASE d.classid WHEN 'pg_proc'::regclass THEN 'function ' || " SPELLED("fn.nspname", "p.proname") " "
    "ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END FROM direct d "
    "LEFT JOIN pg_proc p ON p.oid = d.objid AND d.classid = 'pg_proc'::regclass LEFT JOIN pg_namespace fn ON fn.oid = p.pronamespace "
    "LEFT JOIN pg_constraint k ON k.oid = d.objid AND d.classid = 'pg_constraint'::regclass "
    "LEFT JOIN pg_attrdef e ON e.oid = d.objid AND d.classid = 'pg_attrdef'::regclass "
    "LEFT JOIN pg_attribute f ON f.attrelid = e.adrelid AND f.attnum = e.adnum "
    "LEFT JOIN pg_class r ON r.oid = d.objid AND d.classid = 'pg_class'::regclass "
    "LEFT JOIN pg_policy l ON l.oid = d.objid AND d.classid = 'pg_policy'::regclass "
    "LEFT JOIN pg_trigger t ON t.oid = d.objid AND d.classid = 'pg_trigger'::regclass ORDER BY 1, 4";

/*
 * A body that is text: it has the name as a word; of a column also the table's, unless a trigger of that table runs it.  Whether
 * the word is that column nobody can tell.
 */
#define HAS_WORD(name) "p.prosrc ~* ('\\m' || regexp_replace(" name ", '([^[:alnum:]_ ])', '\\\\\\1', 'g') || '\\M')"
static const char functions_sql[] =
    "SELECT " MARK "n.nspname, p.proname, 'function ' || " SPELLED("n.nspname", "p.proname") " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
    "JOIN pg_language l ON l.oid = p.prolang WHERE l.lanname NOT IN ('c', 'internal') AND " NOT_SYSTEM("n.nspname") " "
    "AND (" HAS_WORD("$3") " OR ($2::int <> 0 AND EXISTS (SELECT FROM pg_trigger t "
    "WHERE t.tgfoid = p.oid AND t.tgrelid = $1::oid AND NOT t.tgisinternal))) AND ($2::int = 0 OR " HAS_WORD("$4") ") ORDER BY 3 LIMIT 50";

static const char sessions_sql[] =
    "SELECT " MARK "pid, usename, application_name, host(client_addr), query FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND state IN ('active', 'idle in transaction', 'fastpath function call') "
    "AND strpos(lower(query), (SELECT lower(relname) FROM pg_class WHERE oid = $1::oid)) > 0 "
    "ORDER BY query_start LIMIT 100";

/* A partitioned table has those of its partitions. */
static const char table_sql[] =
    "SELECT " MARK "sum(seq_scan + coalesce(idx_scan, 0))::int8, sum(n_tup_ins + n_tup_upd + n_tup_del)::int8, "
    AGE_MS("max(greatest((to_jsonb(s) ->> 'last_seq_scan')::timestamptz, (to_jsonb(s) ->> 'last_idx_scan')::timestamptz))") " "
    "FROM pg_stat_all_tables s WHERE s.relid IN (SELECT $1::oid UNION SELECT relid FROM pg_partition_tree($1::oid::regclass))";

static const char indexes_sql[] =
    "SELECT " MARK "sum(idx_scan)::int8 FROM pg_stat_all_indexes s JOIN pg_index i USING (indexrelid) WHERE s.relid = $1::oid "
    "AND $2::int2 = ANY (i.indkey::int2[])";

static const char standbys_sql[] =
    "SELECT " MARK "coalesce(nullif(application_name, ''), 'a standby') || coalesce(' at ' || host(client_addr), '') FROM pg_stat_replication r "
    "WHERE NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical') "
    "AND application_name <> 'pg_basebackup' ORDER BY 1";

const struct used_question used_look[LOOKS] = { [LOOK_OTHERS] = { others_sql, 2 }, [LOOK_DEPENDENTS] = { dependents_sql, 2 },
	[LOOK_FUNCTIONS] = { functions_sql, 4 }, [LOOK_SESSIONS] = { sessions_sql, 1 }, [LOOK_TABLE] = { table_sql, 1 },
	[LOOK_INDEXES] = { indexes_sql, 2 }, [LOOK_STANDBYS] = { standbys_sql, 0 } };

void
used_statements_sql(struct bytes *sql, const char *schema)
{
	bytes_str(sql, "SELECT " MARK "s.query, sum(s.calls)::int8 FROM ");
	bytes_sql_name(sql, schema);
	bytes_str(sql, "." EXTENSION " s WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) "
	               "AND strpos(s.query, 'mig-check used') = 0 "
	               "AND EXISTS (SELECT FROM unnest(string_to_array($1, E'\\x1f')) n WHERE strpos(lower(s.query), n) > 0) "
	               "GROUP BY s.query ORDER BY 2 DESC, s.query COLLATE \"C\" LIMIT 5001");
}

void
used_statistics_sql(struct bytes *sql, const char *schema, bool has_info)
{
	if (!has_info) {
		bytes_str(sql, "SELECT " MARK "NULL, NULL");
		return;
	}
	bytes_str(sql, "SELECT " MARK "dealloc, " AGE_MS("stats_reset") " FROM ");
	bytes_sql_name(sql, schema);
	bytes_str(sql, "." EXTENSION "_info");
}
