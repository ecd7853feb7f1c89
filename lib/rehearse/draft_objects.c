/* What a look takes besides relations and columns. */
#include "rehearse/draft_look_internal.h"

#define NAME_IN(schema, name) "CASE WHEN " schema " = 'public' THEN '' ELSE " schema " || '.' END || " name
#define Q(schema, name) "quote_ident(" schema ") || '.' || quote_ident(" name ")"
#define TYPE_OWNER "pg_get_userbyid(t.typowner)::text"

/* A table's constraint has the table's words, a domain's the domain's. */
#define CONSTRAINT_ON "CASE WHEN k.conrelid <> 0 THEN 'ALTER TABLE ' || k.q ELSE 'ALTER DOMAIN ' || k.q END || "
/* Those of partitions, and inherited ones, come with those of the parent. */
#define IS_FIRST "k.conparentid = 0 AND (k.conislocal OR k.coninhcount = 0)"

const char draft_objects_sql[] =
    SELECT_OBJECT("'n:' || n.oid", "NULL", "NULL", "'schema ' || n.nspname", "n.oid") "n"
    WITH_FACETS(OBJECT("400", "'CREATE SCHEMA ' || quote_ident(n.nspname)", "840", "'DROP SCHEMA ' || quote_ident(n.nspname)", "")
        NAMED("name", "n.nspname", "380", "'ALTER SCHEMA ' || quote_ident(n.nspname) || ' RENAME TO '")
        FACET("owner", "pg_get_userbyid(n.nspowner)::text", "NULL", SCRATCH_OWNER, "660", "'ALTER SCHEMA ' || quote_ident(n.nspname) || ' OWNER TO ' || quote_ident(pg_get_userbyid(n.nspowner))", "")
        RIGHTS_FACET(RIGHTS_LIST("n.nspacl", "'n'", "n.nspowner"), "acldefault('n', n.nspowner)", "'SCHEMA ' || quote_ident(n.nspname)"))
    " UNION ALL "
    /* a constraint that is renamed has its definition in other words, and `raw` tells */
    SELECT_OBJECT("'k:' || k.oid", "'k:' || k.conrelid || ':' || k.contypid || ':' || k.contype::text || ':' || k.conname",
        "CASE WHEN k.conparentid <> 0 THEN 'k:' || k.conparentid WHEN k.contype = 'f' THEN NULL WHEN k.conrelid <> 0 THEN 'c:' || k.conrelid ELSE 'y:' || k.contypid END",
        "'constraint ' || k.conname || ' of ' || k.title", "k.oid")
    "(SELECT k.*, coalesce(c.q, " Q("n.nspname", "t.typname") ") AS q, coalesce(c.title, " NAME_IN("n.nspname", "t.typname") ") AS title, pg_get_constraintdef(k.oid) AS def, "
    "(to_jsonb(k) - '{oid,conname,connamespace,conindid,conparentid,coninhcount,conislocal}'::text[])::text AS same FROM pg_constraint k "
    "LEFT JOIN r c ON c.oid = k.conrelid LEFT JOIN pg_type t ON t.oid = k.contypid LEFT JOIN n ON n.oid = t.typnamespace "
    "WHERE k.contype NOT IN ('n', 't') AND (c.oid IS NOT NULL OR n.oid IS NOT NULL)" OF_NO_EXTENSION("pg_constraint", "k.oid") ") k"
    WITH_FACETS(
        OBJECT("CASE k.contype WHEN 'f' THEN 580 ELSE 560 END", "CASE WHEN " IS_FIRST " THEN " CONSTRAINT_ON "' ADD CONSTRAINT ' || quote_ident(k.conname) || ' ' || k.def END",
            "CASE WHEN NOT (" IS_FIRST ") THEN 130 WHEN k.contype = 'f' THEN 60 ELSE 70 END", CONSTRAINT_ON "' DROP CONSTRAINT ' || quote_ident(k.conname)", "")
        FACET("definition", "k.def", "k.same", "k.def", "560", "NULL", "r")
        ", ('name', k.conname::text, NULL, k.conname::text, 320, CASE WHEN " IS_FIRST " THEN quote_ident(k.conname) END, 0, NULL, " CONSTRAINT_ON "' RENAME CONSTRAINT ' || quote_ident(k.conname) || ' TO ', '')")
    " UNION ALL "
    /* indexes that are no constraint's: what a constraint made of an index goes with the constraint */
    SELECT_OBJECT("'i:' || i.oid", "'i:' || x.indrelid || ':' || i.relname", "coalesce((SELECT 'i:' || h.inhparent FROM pg_inherits h WHERE h.inhrelid = i.oid), 'c:' || x.indrelid)",
        "'index ' || i.title", "i.oid")
    "r i JOIN pg_index x ON x.indexrelid = i.oid AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x')) "
    "JOIN pg_class t ON t.oid = x.indrelid"
    WITH_FACETS(OBJECT("CASE t.relkind WHEN 'm' THEN 610 ELSE 550 END", "CASE WHEN NOT i.relispartition THEN replace(pg_get_indexdef(i.oid), ' ON ONLY ', CASE WHEN x.indisvalid THEN ' ON ' ELSE ' ON ONLY ' END) END",
            "CASE WHEN i.relispartition THEN 130 ELSE 80 END", "'DROP INDEX ' || i.q", "")
        NAMED("name", "i.relname", "330", "'ALTER INDEX ' || i.q || ' RENAME TO '")
        FACET("definition", "pg_get_indexdef(i.oid)", "(to_jsonb(x) - '{indexrelid,indisclustered,indisreplident,indcheckxmin,indisvalid}'::text[])::text || i.relam", "pg_get_indexdef(i.oid)", "550", "NULL", "r")
        FACET("valid", "x.indisvalid::text", "NULL", "x.indisvalid::text", "550", "NULL", "r")
        FACET_UNDO("options", "array_to_string(i.reloptions, ', ')", "NULL", "array_to_string(i.reloptions, ', ')", "555", "'ALTER INDEX ' || i.q || ' SET (' || array_to_string(i.reloptions, ', ') || ')'",
            "140", "'ALTER INDEX ' || i.q || ' RESET (' || (SELECT string_agg(split_part(o, '=', 1), ', ') FROM unnest(i.reloptions) o) || ')'", ""))
    " UNION ALL "
    SELECT_OBJECT("'y:' || t.oid", "'y:' || n.nspname || '.' || t.typname || ':' || t.typtype::text", "NULL", "t.word || ' ' || " NAME_IN("n.nspname", "t.typname"), "t.oid")
    "(SELECT t.*, CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'type' END AS word, CASE t.typtype WHEN 'd' THEN 'DOMAIN ' ELSE 'TYPE ' END AS kind, "
    "(SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels, "
    "(SELECT string_agg(e.oid::text, ' ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS label_ids, "
    "(SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum) FROM pg_attribute a "
    "WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS attributes FROM pg_type t "
    "WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')))" OF_NO_EXTENSION("pg_type", "t.oid") ") t "
    "JOIN n ON n.oid = t.typnamespace CROSS JOIN LATERAL (SELECT " Q("n.nspname", "t.typname") " AS q) w"
    WITH_FACETS(OBJECT("420", "CASE t.typtype WHEN 'e' THEN 'CREATE TYPE ' || w.q || ' AS ENUM (' || coalesce(t.labels, '') || ')' WHEN 'c' THEN 'CREATE TYPE ' || w.q || ' AS (' || coalesce(t.attributes, '') || ')' "
            "WHEN 'd' THEN 'CREATE DOMAIN ' || w.q || ' AS ' || format_type(t.typbasetype, t.typtypmod) || coalesce(' DEFAULT ' || t.typdefault, '') || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END END",
            "820", "'DROP ' || t.kind || w.q", "")
        NAMED("name", "t.typname", "350", "'ALTER ' || t.kind || w.q || ' RENAME TO '")
        MOVED("n.nspname", "n.oid", "370", "'ALTER ' || t.kind || w.q || ' SET SCHEMA '")
        FACET("attributes", "t.attributes", "NULL", "t.attributes", "420", "NULL", "r")
        FACET("default", "CASE t.typtype WHEN 'd' THEN t.typdefault END", "NULL", "CASE t.typtype WHEN 'd' THEN t.typdefault END", "490", "'ALTER DOMAIN ' || w.q || coalesce(' SET DEFAULT ' || t.typdefault, ' DROP DEFAULT')", "")
        FACET("not null", "t.typnotnull::text", "NULL", "t.typnotnull::text", "500", "'ALTER DOMAIN ' || w.q || CASE WHEN t.typnotnull THEN ' SET NOT NULL' ELSE ' DROP NOT NULL' END", "")
        FACET("values", "t.labels", "t.label_ids", "t.labels", "470", "E'-- fails if a row has a value that goes; PostgreSQL takes none away, so a new type takes the place of this one\\nALTER TYPE ' || w.q || ' RENAME TO ' || quote_ident(t.typname || '_old') || E';\\nCREATE TYPE ' || w.q || ' AS ENUM (' || t.labels || ')' || "
            "coalesce((SELECT string_agg(coalesce(E';\\nALTER TABLE ' || c.q || ' ALTER COLUMN ' || quote_ident(a.attname) || ' DROP DEFAULT' || left(d.adbin::text, 0), '') || E';\\nALTER TABLE ' || c.q || "
            "' ALTER COLUMN ' || quote_ident(a.attname) || ' TYPE ' || format_type(a.atttypid, a.atttypmod) || ' USING ' || quote_ident(a.attname) || '::text' || CASE WHEN a.atttypid = t.typarray THEN '[]' ELSE '' END || '::' || "
            "format_type(a.atttypid, a.atttypmod) || coalesce(E';\\nALTER TABLE ' || c.q || ' ALTER COLUMN ' || quote_ident(a.attname) || ' SET DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), ''), '' ORDER BY c.oid, a.attnum) "
            "FROM pg_attribute a JOIN r c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
            "WHERE a.atttypid IN (t.oid, t.typarray) AND a.attnum > 0 AND NOT a.attisdropped AND a.attinhcount = 0), '') || E';\\nDROP TYPE ' || quote_ident(n.nspname) || '.' || quote_ident(t.typname || '_old')", "")
        FACET("owner", TYPE_OWNER, "NULL", SCRATCH_OWNER, "660", "'ALTER ' || t.kind || w.q || ' OWNER TO ' || quote_ident(" TYPE_OWNER ")", "")
        RIGHTS_FACET(RIGHTS_LIST("t.typacl", "'T'", "t.typowner"), "acldefault('T', t.typowner)", "'TYPE ' || w.q"))
    " UNION ALL "
    SELECT_OBJECT("'l:' || e.oid", "NULL", "'y:' || t.oid", "'value ' || quote_literal(e.enumlabel) || ' of enum ' || " NAME_IN("n.nspname", "t.typname"), "e.oid")
    "pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN n ON n.oid = t.typnamespace"
    WITH_FACETS(OBJECT("420", "NULL", "820", "NULL", "p")
        ", ('name', e.enumlabel::text, NULL, e.enumlabel::text, 300, quote_literal(e.enumlabel), 0, NULL, 'ALTER TYPE ' || " Q("n.nspname", "t.typname") " || ' RENAME VALUE ' || quote_literal(e.enumlabel) || ' TO ', '')");

#define ROUTINE "n.q || '.' || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')'"
#define POLICY_ON "quote_ident(p.polname) || ' ON ' || c.q"
#define TRIGGER_ON "quote_ident(g.tgname) || ' ON ' || c.q"
/* What can be dropped by the words that the server has for it, and is not created again. */
#define OTHER(catalog, id, from) \
	" UNION ALL " SELECT_OBJECT("'o:" catalog ":' || " id, "NULL", "NULL", "w.type || ' ' || w.identity", id) from \
	" CROSS JOIN LATERAL (SELECT * FROM pg_identify_object('pg_catalog." catalog "'::regclass, " id ", 0)) w CROSS JOIN LATERAL (VALUES " \
	OBJECT("0", "NULL::text", "40", "'DROP ' || upper(replace(w.type, '-', ' ')) || ' ' || w.identity", "") \
	") facets (facet, value, raw, initial, phase, make, undo_phase, undo, head, flags) WHERE " id " >= 16384" OF_NO_EXTENSION(catalog, id)

const char draft_others_sql[] =
    SELECT_OBJECT("'f:' || p.oid", "'f:' || n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'", "NULL",
        "'function ' || " NAME_IN("n.nspname", "p.proname") " || '(' || pg_get_function_identity_arguments(p.oid) || ')'", "p.oid")
    "(SELECT n.*, quote_ident(n.nspname) AS q FROM n) n JOIN pg_proc p ON p.pronamespace = n.oid AND p.prokind <> 'a'" OF_NO_EXTENSION("pg_proc", "p.oid")
    "JOIN pg_language l ON l.oid = p.prolang"
    WITH_FACETS(OBJECT("CASE l.lanname WHEN 'sql' THEN 530 ELSE 440 END", "rtrim(pg_get_functiondef(p.oid), E'\\n')", "800", "'DROP ROUTINE ' || " ROUTINE, "")
        NAMED("name", "p.proname", "350", "'ALTER ROUTINE ' || " ROUTINE " || ' RENAME TO '")
        MOVED("n.nspname", "n.oid", "370", "'ALTER ROUTINE ' || " ROUTINE " || ' SET SCHEMA '")
        FACET("result", "concat_ws(' ', p.prokind, pg_get_function_result(p.oid), pg_get_function_arguments(p.oid))", "concat_ws(' ', p.prokind, p.prorettype, p.proretset, p.proallargtypes, p.proargnames, p.proargmodes, p.proargdefaults)",
            "concat_ws(' ', p.prokind, pg_get_function_result(p.oid), pg_get_function_arguments(p.oid))", "440", "NULL", "r")
        FACET("definition", "pg_get_functiondef(p.oid)", "(to_jsonb(p) - '{oid,proname,pronamespace,proowner,proacl}'::text[])::text", "pg_get_functiondef(p.oid)",
            "CASE l.lanname WHEN 'sql' THEN 530 ELSE 440 END", "rtrim(pg_get_functiondef(p.oid), E'\\n')", "")
        FACET("owner", "pg_get_userbyid(p.proowner)::text", "NULL", SCRATCH_OWNER, "660", "'ALTER ROUTINE ' || " ROUTINE " || ' OWNER TO ' || quote_ident(pg_get_userbyid(p.proowner))", "")
        RIGHTS_FACET(RIGHTS_LIST("p.proacl", "'f'", "p.proowner"), "acldefault('f', p.proowner)", "'ROUTINE ' || " ROUTINE))
    " UNION ALL "
    SELECT_OBJECT("'g:' || g.oid", "NULL", "'c:' || c.oid", "'trigger ' || g.tgname || ' of ' || c.title", "g.oid") "r c JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal"
    WITH_FACETS(OBJECT("620", "CASE WHEN g.tgparentid = 0 THEN pg_get_triggerdef(g.oid) END", "30", "CASE WHEN g.tgparentid = 0 THEN 'DROP TRIGGER ' || " TRIGGER_ON " END", "")
        NAMED("name", "g.tgname", "340", "'ALTER TRIGGER ' || " TRIGGER_ON " || ' RENAME TO '")
        FACET("definition", "pg_get_triggerdef(g.oid)", "(to_jsonb(g) - '{oid,tgname,tgenabled,tgparentid}'::text[])::text", "pg_get_triggerdef(g.oid)", "620", "NULL", "r")
        FACET("enabled", "g.tgenabled::text", "NULL", "'O'", "630", "'ALTER TABLE ' || c.q || CASE g.tgenabled WHEN 'D' THEN ' DISABLE' WHEN 'R' THEN ' ENABLE REPLICA' WHEN 'A' THEN ' ENABLE ALWAYS' "
            "ELSE ' ENABLE' END || ' TRIGGER ' || quote_ident(g.tgname)", ""))
    " UNION ALL "
    SELECT_OBJECT("'w:' || w.oid", "NULL", "'c:' || c.oid", "'rule ' || w.rulename || ' of ' || c.title", "w.oid") "r c JOIN pg_rewrite w ON w.ev_class = c.oid AND w.rulename <> '_RETURN'"
    WITH_FACETS(OBJECT("620", "rtrim(pg_get_ruledef(w.oid), ';')", "40", "'DROP RULE ' || quote_ident(w.rulename) || ' ON ' || c.q", "")
        FACET("definition", "pg_get_ruledef(w.oid)", "w.ev_action::text || w.ev_qual::text || w.rulename", "pg_get_ruledef(w.oid)", "620", "NULL", "r")
        FACET("enabled", "w.ev_enabled::text", "NULL", "'O'", "630", "'ALTER TABLE ' || c.q || CASE w.ev_enabled WHEN 'D' THEN ' DISABLE' WHEN 'R' THEN ' ENABLE REPLICA' WHEN 'A' THEN ' ENABLE ALWAYS' "
            "ELSE ' ENABLE' END || ' RULE ' || quote_ident(w.rulename)", ""))
    " UNION ALL "
    SELECT_OBJECT("'p:' || p.oid", "NULL", "'c:' || c.oid", "'policy ' || p.polname || ' of ' || c.title", "p.oid")
    "r c JOIN (SELECT p.*, (SELECT string_agg(CASE WHEN o = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o)) END, ', ') FROM unnest(p.polroles) o) AS roles, "
    "coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '') || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '') AS checks FROM pg_policy p) p ON p.polrelid = c.oid"
    WITH_FACETS(OBJECT("620", "'CREATE POLICY ' || " POLICY_ON " || CASE WHEN p.polpermissive THEN '' ELSE ' AS RESTRICTIVE' END || ' FOR ' || CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' "
            "WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END || ' TO ' || p.roles || p.checks", "20", "'DROP POLICY ' || " POLICY_ON, "")
        NAMED("name", "p.polname", "340", "'ALTER POLICY ' || " POLICY_ON " || ' RENAME TO '")
        FACET("definition", "concat_ws(' ', p.polcmd, p.polpermissive, p.roles, p.checks)", "(to_jsonb(p) - '{oid,polname,checks,roles}'::text[])::text", "concat_ws(' ', p.polcmd, p.polpermissive, p.roles, p.checks)", "620", "NULL", "r"))
    " UNION ALL "
    SELECT_OBJECT("'s:' || s.oid", "NULL", "'c:' || s.stxrelid", "'statistics ' || s.stxname", "s.oid") "n JOIN pg_statistic_ext s ON s.stxnamespace = n.oid"
    WITH_FACETS(OBJECT("620", "pg_get_statisticsobjdef(s.oid)", "90", "'DROP STATISTICS ' || " Q("n.nspname", "s.stxname"), "")
        NAMED("name", "s.stxname", "350", "'ALTER STATISTICS ' || " Q("n.nspname", "s.stxname") " || ' RENAME TO '"))
    " UNION ALL "
    SELECT_OBJECT("'e:' || e.oid", "'e:' || e.extname", "NULL", "'extension ' || e.extname", "e.oid") "pg_extension e"
    WITH_FACETS(OBJECT("410", "'CREATE EXTENSION ' || quote_ident(e.extname) || ' WITH SCHEMA ' || e.extnamespace::regnamespace", "830", "'DROP EXTENSION ' || quote_ident(e.extname)", ""))
    " UNION ALL "
    SELECT_OBJECT("'d:' || d.classoid || ':' || d.objoid || ':' || d.objsubid", "NULL",
        "CASE d.classoid WHEN 'pg_class'::regclass THEN CASE WHEN d.objsubid > 0 THEN 'a:' || d.objoid || ':' || d.objsubid WHEN EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = d.objoid) THEN 'i:' || d.objoid "
        "ELSE 'c:' || d.objoid END WHEN 'pg_constraint'::regclass THEN 'k:' || d.objoid WHEN 'pg_type'::regclass THEN 'y:' || d.objoid WHEN 'pg_proc'::regclass THEN 'f:' || d.objoid "
        "WHEN 'pg_trigger'::regclass THEN 'g:' || d.objoid WHEN 'pg_policy'::regclass THEN 'p:' || d.objoid WHEN 'pg_namespace'::regclass THEN 'n:' || d.objoid WHEN 'pg_extension'::regclass THEN 'e:' || d.objoid END",
        "'comment on ' || w.type || ' ' || w.identity", "d.objoid")
    "(SELECT d.* FROM pg_description d WHERE d.objoid >= 16384 AND d.classoid <> 'pg_catalog.pg_extension'::regclass AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')) d "
    "CROSS JOIN LATERAL (SELECT * FROM pg_identify_object(d.classoid, d.objoid, d.objsubid)) w CROSS JOIN LATERAL (SELECT 'COMMENT ON ' || CASE WHEN w.type LIKE '% column' THEN 'COLUMN ' || w.identity "
    "WHEN w.type = 'domain constraint' THEN 'CONSTRAINT ' || replace(w.identity, ' on ', ' ON DOMAIN ') WHEN w.type LIKE '% constraint' THEN 'CONSTRAINT ' || w.identity "
    "ELSE upper(w.type) || ' ' || w.identity END || ' IS ' AS comment) o"
    WITH_FACETS(OBJECT("680", "o.comment || quote_literal(d.description)", "140", "o.comment || 'NULL'", "")
        FACET("text", "d.description", "NULL", "d.description", "680", "o.comment || quote_literal(d.description)", ""))
    OTHER("pg_operator", "z.oid", "n JOIN pg_operator z ON z.oprnamespace = n.oid")
    OTHER("pg_proc", "z.oid", "n JOIN pg_proc z ON z.pronamespace = n.oid AND z.prokind = 'a'")
    OTHER("pg_collation", "z.oid", "n JOIN pg_collation z ON z.collnamespace = n.oid")
    OTHER("pg_ts_config", "z.oid", "n JOIN pg_ts_config z ON z.cfgnamespace = n.oid")
    OTHER("pg_ts_dict", "z.oid", "n JOIN pg_ts_dict z ON z.dictnamespace = n.oid")
    OTHER("pg_cast", "z.oid", "pg_cast z")
    OTHER("pg_publication", "z.oid", "pg_publication z")
    OTHER("pg_event_trigger", "z.oid", "pg_event_trigger z")
    OTHER("pg_foreign_server", "z.oid", "pg_foreign_server z")
    OTHER("pg_foreign_data_wrapper", "z.oid", "pg_foreign_data_wrapper z");
