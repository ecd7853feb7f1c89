/*
 * Reads the objects that Prisma does not see, as PostgreSQL's definitions.  Each statement returns schema,
 * relation, name, definition, state.
 */
#include "catalog/read_internal.h"

enum { DEFINITION_SCHEMA, DEFINITION_RELATION, DEFINITION_NAME, DEFINITION_TEXT, DEFINITION_STATE };

void
read_take_definitions(struct reading_state *s, const struct answer *a, enum object_kind kind)
{
	size_t i;

	for (i = 0; i < answer_rows(a); i++) {
		struct definition *d = catalog_add_definition(s->catalog, kind, answer_text(a, i, DEFINITION_SCHEMA),
		    answer_text(a, i, DEFINITION_RELATION), answer_word(a, i, DEFINITION_NAME));

		d->definition = catalog_text(s->catalog, answer_text(a, i, DEFINITION_TEXT));
		d->state = catalog_text(s->catalog, answer_text(a, i, DEFINITION_STATE));
	}
}

#define CONSTRAINTS(which) \
	"SELECT n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid), CASE WHEN NOT k.convalidated THEN 'not_valid' END" \
	" FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace" \
	" WHERE (" which ") AND " READ_TABLE

/* PostgreSQL 18: NOT NULL that is not valid yet, which the column alone does not say. */
#define CHECKS CONSTRAINTS("k.contype = 'c' OR (k.contype = 'n' AND NOT k.convalidated)")

/* PostgreSQL 18: keys WITHOUT OVERLAPS are such constraints, too. */
#define EXCLUSIONS \
	CONSTRAINTS("k.contype = 'x' OR (k.contype IN ('p', 'u') AND EXISTS" \
	            " (SELECT FROM pg_index i WHERE i.indexrelid = k.conindid AND i.indisexclusion))")

/* Any relation that triggers, rules and views stand on, by c and n; partitions are their parents' matter. */
#define HOLDER \
	"NOT c.relispartition AND c.relpersistence <> 't' AND c.relname <> '_prisma_migrations' AND " READ_OURS \
	" AND NOT " READ_EXTENSIONS("pg_class", "c.oid")

/* Row security knows 0 as everybody. */
#define ROLES(list) \
	"(SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', '" \
	" ORDER BY CASE r WHEN 0 THEN '' ELSE pg_get_userbyid(r) END) FROM unnest(" list ") r)"

static const char views_sql[] =
	"SELECT n.nspname, NULL, c.relname, coalesce('WITH (' || array_to_string(c.reloptions, ', ') || ') ', '')"
	" || pg_get_viewdef(c.oid) || coalesce((SELECT string_agg(E'\\n' || pg_get_indexdef(i.indexrelid) || ';', ''"
	" ORDER BY x.relname) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid), ''),"
	" CASE c.relkind WHEN 'm' THEN 'materialized' END FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" WHERE c.relkind IN ('v', 'm') AND " HOLDER;

/* Aggregates have no pg_get_functiondef(). */
static const char functions_sql[] =
	"SELECT n.nspname, NULL, format('%s(%s)', quote_ident(p.proname), pg_get_function_identity_arguments(p.oid)),"
	" CASE p.prokind WHEN 'a' THEN (SELECT format('AGGREGATE SFUNC = %s, STYPE = %s', g.aggtransfn, format_type(g.aggtranstype, NULL))"
	" || CASE WHEN g.aggfinalfn <> 0 THEN ', FINALFUNC = ' || g.aggfinalfn ELSE '' END"
	" || CASE WHEN g.aggcombinefn <> 0 THEN ', COMBINEFUNC = ' || g.aggcombinefn ELSE '' END"
	" || coalesce(', INITCOND = ' || quote_literal(g.agginitval), '')"
	" || CASE WHEN g.aggsortop <> 0 THEN ', SORTOP = ' || g.aggsortop::regoperator ELSE '' END"
	" FROM pg_aggregate g WHERE g.aggfnoid = p.oid) ELSE pg_get_functiondef(p.oid) END, NULL"
	" FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
	" WHERE " READ_OURS " AND NOT " READ_EXTENSIONS("pg_proc", "p.oid")
	/* constructors of range types come with the type */
	" AND NOT EXISTS (SELECT FROM pg_depend i WHERE i.classid = 'pg_proc'::regclass AND i.objid = p.oid AND i.deptype = 'i')";

/* Rules and event triggers are of their kind, too. */
static const char triggers_sql[] =
	"SELECT n.nspname, c.relname, t.tgname, pg_get_triggerdef(t.oid),"
	" CASE t.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END"
	" FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
	" WHERE NOT t.tgisinternal AND " HOLDER
	" UNION ALL SELECT n.nspname, c.relname, r.rulename, pg_get_ruledef(r.oid),"
	" CASE r.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END"
	" FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace"
	" WHERE r.rulename <> '_RETURN' AND " HOLDER
	" UNION ALL SELECT NULL, NULL, v.evtname, format('EVENT TRIGGER ON %s%s EXECUTE FUNCTION %s()', v.evtevent,"
	" coalesce(' WHEN TAG IN (' || (SELECT string_agg(quote_literal(tag), ', ' ORDER BY tag) FROM unnest(v.evttags) tag) || ')', ''),"
	" v.evtfoid::regproc), CASE v.evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' END"
	" FROM pg_event_trigger v WHERE NOT " READ_EXTENSIONS("pg_event_trigger", "v.oid");

static const char policies_sql[] =
	"SELECT n.nspname, c.relname, p.polname, CASE WHEN p.polpermissive THEN '' ELSE 'AS RESTRICTIVE ' END"
	" || CASE p.polcmd WHEN 'r' THEN 'FOR SELECT' WHEN 'a' THEN 'FOR INSERT' WHEN 'w' THEN 'FOR UPDATE'"
	" WHEN 'd' THEN 'FOR DELETE' ELSE 'FOR ALL' END || ' TO ' || " ROLES("p.polroles")
	" || coalesce(' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')"
	" || coalesce(' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', ''), NULL"
	" FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE " HOLDER;

static const char sequences_sql[] =
	"SELECT n.nspname, NULL, c.relname, format('AS %s START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s%s',"
	" format_type(q.seqtypid, NULL), q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache,"
	" CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END)"
	" || coalesce((SELECT format(' OWNED BY %s.%I', d.refobjid::regclass, a.attname) FROM pg_depend d"
	" JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid WHERE d.classid = 'pg_class'::regclass"
	" AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')), ''), NULL"
	" FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE " HOLDER;

/* Domains, composite and range types. */
static const char types_sql[] =
	"SELECT n.nspname, NULL, t.typname, CASE t.typtype"
	" WHEN 'd' THEN 'DOMAIN AS ' || format_type(t.typbasetype, t.typtypmod) || coalesce(' DEFAULT ' || t.typdefault, '')"
	" || CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END"
	" || coalesce((SELECT string_agg(format(' CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), '' ORDER BY k.conname)"
	" FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '')"
	" WHEN 'c' THEN 'AS (' || coalesce((SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '"
	" ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '') || ')'"
	" ELSE (SELECT 'RANGE SUBTYPE ' || format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid) END, NULL"
	" FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid"
	" WHERE (t.typtype IN ('d', 'r') OR (t.typtype = 'c' AND c.relkind = 'c')) AND " READ_OURS
	" AND NOT " READ_EXTENSIONS("pg_type", "t.oid");

static const char partitions_sql[] =
	"SELECT n.nspname, p.relname, c.relname, pg_get_expr(c.relpartbound, c.oid), NULL"
	" FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid JOIN pg_class p ON p.oid = i.inhparent"
	" JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f') AND " READ_OURS;

const struct read_part read_part_definitions[] = {
	{ .sql = CHECKS, .kind = OBJECT_CHECK },
	{ .sql = EXCLUSIONS, .kind = OBJECT_EXCLUSION },
	{ .sql = views_sql, .kind = OBJECT_VIEW },
	{ .sql = functions_sql, .kind = OBJECT_FUNCTION },
	{ .sql = triggers_sql, .kind = OBJECT_TRIGGER },
	{ .sql = policies_sql, .kind = OBJECT_POLICY },
	{ .sql = sequences_sql, .kind = OBJECT_SEQUENCE },
	{ .sql = types_sql, .kind = OBJECT_TYPE },
	{ .sql = partitions_sql, .kind = OBJECT_PARTITION },
	{ .sql = NULL }
};

#define GRANTEE "CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee) END"
#define PRIVILEGES \
	"string_agg(g.privilege_type || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, ', ' ORDER BY g.privilege_type)"

/* What others than the owner may.  A grant's name is the kind of what it is on, and the role. */
const struct read_part read_part_grants = {
	.sql = "SELECT n.nspname, c.relname, CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END || ' to ' || " GRANTEE ", " PRIVILEGES ", NULL"
	       " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(c.relacl) g"
	       " WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND g.grantee <> c.relowner AND " HOLDER " GROUP BY c.oid, n.nspname,"
	       " c.relname, c.relkind, g.grantee"
	       " UNION ALL SELECT n.nspname, NULL, 'schema to ' || " GRANTEE ", " PRIVILEGES ", NULL"
	       " FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) g WHERE g.grantee <> n.nspowner AND " READ_OURS
	       " GROUP BY n.oid, n.nspname, g.grantee"
	       " UNION ALL SELECT n.nspname, NULL, format('%s(%s)', quote_ident(p.proname), pg_get_function_identity_arguments(p.oid))"
	       " || ' to ' || " GRANTEE ", 'EXECUTE', NULL"
	       " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
	       " CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g"
	       " WHERE g.grantee <> p.proowner AND " READ_OURS " AND NOT " READ_EXTENSIONS("pg_proc", "p.oid"),
	.kind = OBJECT_GRANT
};
