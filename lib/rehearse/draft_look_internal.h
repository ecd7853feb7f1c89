/* How the statements of a look are put together; for draft_look.c and draft_objects.c alone. */
#ifndef MIG_REHEARSE_DRAFT_LOOK_INTERNAL_H
#define MIG_REHEARSE_DRAFT_LOOK_INTERNAL_H

/* The columns of rehearse/draft_look.h from DRAFT_FACET on, without those of the object. */
#define OBJECT(phase, make, undo_phase, undo, flags) \
	"(''::text, NULL::text, NULL::text, NULL::text, " phase ", " make ", " undo_phase ", " undo ", NULL::text, '" flags "'::text)"
#define FACET_UNDO(name, value, raw, initial, phase, make, undo_phase, undo, flags) \
	", ('" name "', " value ", " raw ", " initial ", " phase ", " make ", " undo_phase ", " undo ", NULL, '" flags "')"
#define FACET(name, value, raw, initial, phase, make, flags) FACET_UNDO(name, value, raw, initial, phase, make, "0", "NULL", flags)
#define NAMED(facet, name, phase, head) ", ('" facet "', " name "::text, NULL, " name "::text, " phase ", quote_ident(" name "), 0, NULL, " head ", '')"

/* The schema that it is in, by OID: a schema with another name is the same. */
#define MOVED(name, oid, phase, head) ", ('schema', " name "::text, " oid "::text, " name "::text, " phase ", quote_ident(" name "), 0, NULL, " head ", '')"

/* One object with its facets. */
#define SELECT_OBJECT(key, alias, parent, title, order) \
	"SELECT " key " AS key, facets.facet, " alias "::text, " parent "::text, " title ", facets.value, facets.raw, facets.initial, facets.phase, facets.make, facets.undo_phase, " \
	"facets.undo, facets.head, facets.flags, " order "::bigint FROM "
#define WITH_FACETS(rows) " CROSS JOIN LATERAL (VALUES " rows \
	") facets (facet, value, raw, initial, phase, make, undo_phase, undo, head, flags)"

/* GRANT statements that give these rights, REVOKE statements that take all away; `on` is "TABLE public.users". */
#define RIGHTS_LIST(acl, kind, owner) "coalesce(" acl ", acldefault(" kind ", " owner "))"
#define GRANTEE "CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END"
#define GRANTS(list, on) \
	"(SELECT string_agg('GRANT ' || g.what || ' ON ' || " on " || ' TO ' || " GRANTEE " || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' " \
	"ELSE '' END, E';\\n' ORDER BY g.grantee, g.is_grantable) FROM (SELECT a.grantee, a.is_grantable, string_agg(a.privilege_type, ', ' " \
	"ORDER BY a.privilege_type) AS what FROM aclexplode(" list ") a GROUP BY 1, 2) g)"
#define REVOKES(list, on) \
	"(SELECT string_agg(DISTINCT 'REVOKE ALL ON ' || " on " || ' FROM ' || " GRANTEE ", E';\\n') FROM aclexplode(" list ") g)"
#define RIGHTS_FACET(list, initial, on) \
	FACET_UNDO("rights", "(SELECT string_agg(i::text, ' ' ORDER BY i::text COLLATE \"C\") FROM unnest(" list ") i)", "NULL", \
	    "(SELECT string_agg(i::text, ' ' ORDER BY i::text COLLATE \"C\") FROM unnest(" initial ") i)", "670", GRANTS(list, on), "140", REVOKES(list, on), "")

/* Whoever owns the database runs the scripts, whoever looks. */
#define SCRATCH_OWNER "(SELECT pg_get_userbyid(b.datdba)::text FROM pg_database b WHERE b.datname = current_database())"

/* Objects of extensions come and go with these. */
#define OF_NO_EXTENSION(catalog, id) \
	" AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_catalog." catalog "'::regclass AND e.objid = " id " AND e.deptype = 'e') "

/* SELECTs joined by UNION ALL: of relations and columns; and of the rest. */
extern const char draft_relations_sql[], draft_columns_sql[], draft_objects_sql[], draft_others_sql[];

#endif
