#include "rehearse/draft_look.h"

#include "base/bytes.h"
#include "migrations/history.h"
#include "rehearse/column_options.h"
#include "rehearse/draft_look_internal.h"

/* A column as CREATE TABLE and ADD COLUMN take it. */
#define COLUMN_TEXT \
	"quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod) || coalesce((SELECT ' COLLATE ' || a.attcollation::regcollation::text " \
	"FROM pg_type t WHERE t.oid = a.atttypid AND a.attcollation <> t.typcollation), '') || CASE WHEN a.attgenerated = 's' THEN ' GENERATED ALWAYS AS (' || " \
	"pg_get_expr(d.adbin, d.adrelid) || ') STORED' WHEN a.attgenerated <> '' THEN ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ')' " \
	"ELSE coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') END || " IDENTITY_TEXT " || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END"
#define SEQUENCE_TEXT(q) \
	"'INCREMENT BY ' || " q ".seqincrement || ' MINVALUE ' || " q ".seqmin || ' MAXVALUE ' || " q ".seqmax || ' START WITH ' || " q ".seqstart || " \
	"' CACHE ' || " q ".seqcache || CASE WHEN " q ".seqcycle THEN ' CYCLE' ELSE ' NO CYCLE' END"
#define IDENTITY_TEXT \
	"coalesce((SELECT ' GENERATED ' || CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END || ' AS IDENTITY (' || " SEQUENCE_TEXT("q") " || ')' " \
	"FROM pg_depend y JOIN pg_sequence q ON q.seqrelid = y.objid WHERE a.attidentity <> '' AND y.classid = 'pg_class'::regclass AND y.refclassid = " \
	"'pg_class'::regclass AND y.refobjid = a.attrelid AND y.refobjsubid = a.attnum AND y.deptype = 'i'), '')"
#define JOIN_DEFAULT "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"

/* A view's words in ALTER, DROP and COMMENT. */
#define KIND "CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END"
#define IS_TABLE "c.relkind IN ('r', 'p')"
#define CLASS_RIGHTS RIGHTS_LIST("c.relacl", "CASE c.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r'::\"char\" END", "c.relowner")
#define CLASS_NO_RIGHTS "acldefault(CASE c.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r'::\"char\" END, c.relowner)"
#define ONLY_TABLES(value) "CASE WHEN " IS_TABLE " THEN " value " END"

const char draft_relations_sql[] =
    SELECT_OBJECT("'c:' || c.oid", "NULL", "(SELECT 'a:' || y.refobjid || ':' || y.refobjsubid FROM pg_depend y WHERE c.relkind = 'S' AND "
        "y.classid = 'pg_class'::regclass AND y.objid = c.oid AND y.refobjsubid > 0 AND y.deptype = 'a')", "lower(" KIND ") || ' ' || c.title", "c.oid")
    "(SELECT c.*, (SELECT string_agg(E'\\n\\t' || " COLUMN_TEXT ", ',' ORDER BY a.attnum) || E'\\n' FROM pg_attribute a " JOIN_DEFAULT
    " WHERE " IS_TABLE " AND a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns, "
    "(SELECT " SEQUENCE_TEXT("q") " FROM pg_sequence q WHERE q.seqrelid = c.oid) AS sequence, "
    "(SELECT format_type(q.seqtypid, NULL) FROM pg_sequence q WHERE q.seqrelid = c.oid) AS sequence_type, "
    "(SELECT y.refobjid || ':' || y.refobjsubid FROM pg_depend y WHERE c.relkind = 'S' AND y.classid = 'pg_class'::regclass AND y.objid = c.oid "
    "AND y.refobjsubid > 0 AND y.deptype = 'a') AS owned, "
    "(SELECT o.q || '.' || quote_ident(a.attname) FROM pg_depend y JOIN r o ON o.oid = y.refobjid JOIN pg_attribute a ON a.attrelid = y.refobjid "
    "AND a.attnum = y.refobjsubid WHERE c.relkind = 'S' AND y.classid = 'pg_class'::regclass AND y.objid = c.oid AND y.deptype = 'a') AS owner_column, "
    "(SELECT array_agg(i.inhparent ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid AND c.relkind IN ('r', 'p', 'f')) AS parents, "
    "(SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid) AS parent_names, "
    "CASE WHEN c.relkind IN ('v', 'm') THEN rtrim(pg_get_viewdef(c.oid), ';') END AS definition, "
    "(SELECT w.ev_action::text FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.rulename = '_RETURN') AS action, "
    "(SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum) FROM pg_attribute a "
    "WHERE c.relkind IN ('v', 'm') AND a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS shape, "
    "(SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisclustered) AS clustered, "
    "(SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid AND x.indisreplident) AS replica_index "
    "FROM r c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')) c"
    WITH_FACETS(
        OBJECT("CASE c.relkind WHEN 'v' THEN 600 WHEN 'm' THEN 600 WHEN 'S' THEN 430 ELSE 450 END",
            "CASE c.relkind WHEN 'v' THEN 'CREATE VIEW ' || c.q || E' AS\\n' || c.definition "
            "WHEN 'm' THEN 'CREATE MATERIALIZED VIEW ' || c.q || E' AS\\n' || c.definition || CASE WHEN c.relispopulated THEN '' ELSE ' WITH NO DATA' END "
            "WHEN 'S' THEN 'CREATE SEQUENCE ' || c.q || ' AS ' || c.sequence_type || ' ' || c.sequence "
            "WHEN 'f' THEN NULL ELSE 'CREATE ' || CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END || 'TABLE ' || c.q || ' (' || "
            "coalesce(c.columns, '') || ')' || CASE c.relkind WHEN 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(c.oid) ELSE '' END END",
            "CASE c.relkind WHEN 'v' THEN 50 WHEN 'm' THEN 50 WHEN 'S' THEN 810 ELSE 160 END", "'DROP ' || " KIND " || ' ' || c.q", "")
        NAMED("name", "c.relname", "360", "'ALTER ' || " KIND " || ' ' || c.q || ' RENAME TO '")
        MOVED("c.schema", "c.relnamespace", "370", "'ALTER ' || " KIND " || ' ' || c.q || ' SET SCHEMA '")
        FACET("columns", "c.shape", "c.action", "c.shape", "600", "NULL", "r")
        FACET("definition", "c.definition", "c.action", "c.definition", "600", "CASE c.relkind WHEN 'v' THEN 'CREATE OR REPLACE VIEW ' || c.q || E' AS\\n' || c.definition END", "")
        FACET("query", "CASE c.relkind WHEN 'm' THEN c.definition END", "c.action", "CASE c.relkind WHEN 'm' THEN c.definition END", "600", "NULL", "r")
        FACET("persistence", "c.relpersistence::text", "NULL", "c.relpersistence::text", "510",
            "'ALTER TABLE ' || c.q || CASE c.relpersistence WHEN 'u' THEN ' SET UNLOGGED' ELSE ' SET LOGGED' END", "")
        FACET_UNDO("options", "array_to_string(c.reloptions, ', ')", "NULL", "NULL", "510", "'ALTER TABLE ' || c.q || ' SET (' || array_to_string(c.reloptions, ', ') || ')'",
            "140", "'ALTER TABLE ' || c.q || ' RESET (' || (SELECT string_agg(split_part(o, '=', 1), ', ') FROM unnest(c.reloptions) o) || ')'", "")
        FACET("sequence", "c.sequence_type || c.sequence", "NULL", "c.sequence_type || c.sequence", "510",
            "'ALTER SEQUENCE ' || c.q || ' AS ' || c.sequence_type || ' ' || c.sequence", "")
        FACET("owned", "c.owner_column", "coalesce(c.owned, '-')", "NULL", "520", "CASE c.relkind WHEN 'S' THEN 'ALTER SEQUENCE ' || c.q || ' OWNED BY ' || coalesce(c.owner_column, 'NONE') END", "")
        FACET("replica identity", ONLY_TABLES("concat_ws(' ', c.relreplident::text, c.replica_index)"), "NULL", ONLY_TABLES("'d'"), "570",
            "'ALTER TABLE ' || c.q || ' REPLICA IDENTITY ' || CASE c.relreplident WHEN 'd' THEN 'DEFAULT' WHEN 'n' THEN 'NOTHING' WHEN 'f' THEN 'FULL' "
            "ELSE 'USING INDEX ' || quote_ident(c.replica_index) END", "")
        FACET("clustered", "c.clustered::text", "NULL", "NULL", "570", "'ALTER TABLE ' || c.q || coalesce(' CLUSTER ON ' || quote_ident(c.clustered), ' SET WITHOUT CLUSTER')", "")
        FACET("row security", ONLY_TABLES("c.relrowsecurity::text"), "NULL", ONLY_TABLES("'false'"), "650",
            "'ALTER TABLE ' || c.q || CASE WHEN c.relrowsecurity THEN ' ENABLE' ELSE ' DISABLE' END || ' ROW LEVEL SECURITY'", "")
        FACET("row security of the owner", ONLY_TABLES("c.relforcerowsecurity::text"), "NULL", ONLY_TABLES("'false'"), "650",
            "'ALTER TABLE ' || c.q || CASE WHEN c.relforcerowsecurity THEN ' FORCE' ELSE ' NO FORCE' END || ' ROW LEVEL SECURITY'", "")
        FACET_UNDO("parents", "c.parent_names", "coalesce(array_to_string(c.parents, ' ') || coalesce(pg_get_expr(c.relpartbound, c.oid), ''), '-')", "NULL", "590",
            "CASE WHEN c.relispartition THEN 'ALTER TABLE ' || c.parent_names || ' ATTACH PARTITION ' || c.q || ' ' || pg_get_expr(c.relpartbound, c.oid) "
            "ELSE (SELECT string_agg('ALTER TABLE ' || c.q || ' INHERIT ' || p::regclass, E';\\n') FROM unnest(c.parents) p) END",
            "120", "CASE WHEN c.relispartition THEN 'ALTER TABLE ' || c.parent_names || ' DETACH PARTITION ' || c.q "
            "ELSE (SELECT string_agg('ALTER TABLE ' || c.q || ' NO INHERIT ' || p::regclass, E';\\n') FROM unnest(c.parents) p) END", "")
        FACET("owner", "pg_get_userbyid(c.relowner)::text", "NULL", SCRATCH_OWNER, "660", "'ALTER ' || " KIND " || ' ' || c.q || ' OWNER TO ' || quote_ident(pg_get_userbyid(c.relowner))", "")
        RIGHTS_FACET(CLASS_RIGHTS, CLASS_NO_RIGHTS, "CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.q"));

/* Columns that are inherited come and go with those of the parent. */
#define IS_OWN "a.attinhcount = 0"
#define IF_OWN(value) "CASE WHEN " IS_OWN " THEN " value " END"
#define ALTER_COLUMN "'ALTER TABLE ' || c.q || ' ALTER COLUMN ' || quote_ident(a.attname) || "
#define PLAIN_DEFAULT "CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END"

const char draft_columns_sql[] =
    SELECT_OBJECT("'a:' || a.attrelid || ':' || a.attnum", "NULL", "'c:' || a.attrelid", "'column ' || a.attname || ' of ' || c.title", "a.attnum")
    "r c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND " IS_TABLE " " JOIN_DEFAULT
    WITH_FACETS(
        OBJECT("460", IF_OWN("CASE WHEN a.attnotnull AND d.adbin IS NULL AND a.attidentity = '' THEN E'-- fails if the table has rows: the column has no default\\n' ELSE '' END || "
            "'ALTER TABLE ' || c.q || ' ADD COLUMN ' || " COLUMN_TEXT), "150", IF_OWN("'ALTER TABLE ' || c.q || ' DROP COLUMN ' || quote_ident(a.attname)"), "p")
        ", ('name', a.attname::text, NULL, a.attname::text, 310, " IF_OWN("quote_ident(a.attname)") ", 0, NULL, 'ALTER TABLE ' || c.q || ' RENAME COLUMN ' || "
        "quote_ident(a.attname) || ' TO ', '')"
        FACET_UNDO("type", "format_type(a.atttypid, a.atttypmod) || ' ' || a.attcollation", "a.atttypid || ' ' || a.atttypmod || ' ' || a.attcollation",
            "format_type(a.atttypid, a.atttypmod) || ' ' || a.attcollation", "480",
            IF_OWN("E'-- fails if a value does not fit this type\\n' || " ALTER_COLUMN "' TYPE ' || format_type(a.atttypid, a.atttypmod) || coalesce((SELECT ' COLLATE ' || a.attcollation::regcollation::text FROM pg_type t "
            "WHERE t.oid = a.atttypid AND a.attcollation <> t.typcollation), '') || ' USING ' || quote_ident(a.attname) || '::' || format_type(a.atttypid, a.atttypmod)"),
            "100", "CASE WHEN " PLAIN_DEFAULT " IS NOT NULL THEN " ALTER_COLUMN "' DROP DEFAULT' END", "t")
        FACET("default", PLAIN_DEFAULT, "CASE WHEN a.attgenerated = '' THEN coalesce(d.adbin::text, '-') END", PLAIN_DEFAULT, "490",
            "CASE WHEN a.attgenerated = '' THEN " ALTER_COLUMN "coalesce(' SET DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), ' DROP DEFAULT') END", "d")
        FACET("generated", "CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END", "CASE WHEN a.attgenerated <> '' THEN d.adbin::text ELSE '-' END",
            "CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END", "500", "NULL", "r")
        FACET("not null", "a.attnotnull::text", "NULL", "a.attnotnull::text", "500", IF_OWN(ALTER_COLUMN "CASE WHEN a.attnotnull THEN ' SET NOT NULL' ELSE ' DROP NOT NULL' END"), "")
        FACET_UNDO("identity", "nullif(" IDENTITY_TEXT ", '')", "NULL", "nullif(" IDENTITY_TEXT ", '')", "505", "CASE WHEN a.attidentity <> '' THEN " ALTER_COLUMN "' ADD' || " IDENTITY_TEXT " END",
            "110", "CASE WHEN a.attidentity <> '' THEN " ALTER_COLUMN "' DROP IDENTITY' END", "")
        FACET("storage", "a.attstorage::text", "NULL", "(SELECT t.typstorage::text FROM pg_type t WHERE t.oid = a.atttypid)", "510", ALTER_COLUMN "' SET STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' "
            "WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END", "")
        FACET("statistics", "coalesce(a.attstattarget, -1)::text", "NULL", "'-1'", "510", ALTER_COLUMN "' SET STATISTICS ' || coalesce(a.attstattarget, -1)", "")
        FACET_UNDO("options", COLUMN_OPTIONS, "NULL", "NULL", "510", ALTER_COLUMN "' SET (' || " COLUMN_OPTIONS " || ')'",
            "140", ALTER_COLUMN "' RESET (' || " COLUMN_OPTION_NAMES " || ')'", ""));

/* Everything in schemas of our own that no extension brought; q: its name as a statement takes it. */
static const char begin_sql[] =
    "WITH n AS MATERIALIZED (SELECT * FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND NOT EXISTS (SELECT FROM pg_depend e "
    "WHERE e.classid = 'pg_namespace'::regclass AND e.objid = pg_namespace.oid AND e.deptype = 'e')), "
    "r AS MATERIALIZED (SELECT c.*, n.nspname::text AS schema, CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || c.relname AS title, "
    "quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS q FROM pg_class c JOIN n ON n.oid = c.relnamespace "
    "WHERE c.relname NOT IN ('" HISTORY_TABLE "', '" HISTORY_TABLE "_pkey')" OF_NO_EXTENSION("pg_class", "c.oid")
    "AND NOT EXISTS (SELECT FROM pg_depend i WHERE c.relkind = 'S' AND i.classid = 'pg_class'::regclass AND i.objid = c.oid AND i.deptype = 'i')) "
    "SELECT * FROM (";

enum db_outcome
draft_look_take(struct db *db, struct answer **look)
{
	static const char *const parts[] = { draft_relations_sql, draft_columns_sql, draft_objects_sql, draft_others_sql };
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	size_t i;

	bytes_str(&sql, begin_sql);
	for (i = 0; i < sizeof parts / sizeof *parts; i++) {
		bytes_str(&sql, i > 0 ? " UNION ALL " : "");
		bytes_str(&sql, parts[i]);
	}
	bytes_str(&sql, ") looked ORDER BY key COLLATE \"C\", facet COLLATE \"C\"");
	outcome = db_query_ours(db, look, sql.data, 0, NULL);
	bytes_free(&sql);
	return outcome;
}
