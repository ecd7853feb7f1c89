#include "database/rights.h"

#include <string.h>

#include "base/own_sql.h"
#include "migrations/history.h"

/*
 * `asked` is (n, kind, name, need, role).  Names are split by parse_ident() and looked up in the catalog, since to_regclass() fails
 * where the role may not use the schema.  Of DROP the schema's owner will do as well.
 */
static const char lacked_sql[] =
    ", who AS (SELECT a.n, a.kind, a.need, coalesce(r.oid, c.oid) AS role, coalesce(r.rolname, c.rolname) AS rolname, "
    "pg_catalog.parse_ident(a.name::text) AS parts FROM asked a JOIN pg_catalog.pg_roles c ON c.rolname = current_user "
    "LEFT JOIN pg_catalog.pg_roles r ON r.rolname = (pg_catalog.parse_ident(a.role::text))[1]::name "
    "WHERE a.role IS NULL OR r.oid IS NOT NULL), "
    "object AS (SELECT w.n, w.need, w.role, w.rolname, 'relation' AS kind, o.oid, o.relowner AS owner, o.relnamespace AS space, "
    "o.relname AS name, CASE o.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS word, "
    "(SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = o.oid) AS of FROM who w JOIN pg_catalog.pg_class o "
    "ON o.relname = w.parts[pg_catalog.cardinality(w.parts)]::name WHERE w.kind = 'relation' AND CASE pg_catalog.cardinality(w.parts) "
    "WHEN 1 THEN " OWN_SQL_AS_SESSION("pg_table_is_visible(o.oid)") " WHEN 2 THEN o.relnamespace = "
    "(SELECT s.oid FROM pg_catalog.pg_namespace s WHERE s.nspname = w.parts[1]::name) ELSE false END "
    "UNION ALL SELECT w.n, w.need, w.role, w.rolname, 'type', t.oid, t.typowner, t.typnamespace, t.typname, 'TYPE', NULL "
    "FROM who w JOIN pg_catalog.pg_type t ON t.typname = w.parts[pg_catalog.cardinality(w.parts)]::name WHERE w.kind = 'type' "
    "AND CASE pg_catalog.cardinality(w.parts) WHEN 1 THEN " OWN_SQL_AS_SESSION("pg_type_is_visible(t.oid)") " WHEN 2 THEN t.typnamespace = "
    "(SELECT s.oid FROM pg_catalog.pg_namespace s WHERE s.nspname = w.parts[1]::name) ELSE false END "
    "UNION ALL SELECT w.n, w.need, w.role, w.rolname, 'schema', s.oid, s.nspowner, NULL, s.nspname, 'SCHEMA', NULL "
    "FROM who w JOIN pg_catalog.pg_namespace s ON s.nspname = coalesce(w.parts[1]::name, (SELECT " OWN_SQL_AS_SESSION("current_schema()") ")) "
    "WHERE w.kind = 'schema'), "
    "lacked AS (SELECT o.n, o.rolname, o.name, o.word, o.owner, o.space, o.of, CASE "
    "WHEN o.space IS NOT NULL AND NOT pg_catalog.has_schema_privilege(o.role, o.space, 'USAGE') THEN 'USAGE' "
    "WHEN pg_catalog.pg_has_role(o.role, o.owner, 'USAGE') THEN NULL "
    "WHEN o.need = 'drop' AND EXISTS (SELECT FROM pg_catalog.pg_namespace s WHERE s.oid = o.space AND "
    "pg_catalog.pg_has_role(o.role, s.nspowner, 'USAGE')) THEN NULL "
    "WHEN o.need IN ('owner', 'drop') OR o.kind = 'type' THEN 'owner' "
    "WHEN o.kind = 'schema' THEN CASE WHEN NOT pg_catalog.has_schema_privilege(o.role, o.oid, o.need) THEN o.need END "
    "WHEN o.need IN ('INSERT', 'UPDATE', 'REFERENCES') THEN "
    "CASE WHEN NOT pg_catalog.has_any_column_privilege(o.role, o.oid, o.need) THEN o.need END "
    "WHEN NOT pg_catalog.has_table_privilege(o.role, o.oid, o.need) THEN o.need END AS lacks FROM object o) "
    "SELECT l.n, pg_catalog.quote_ident(l.rolname::text), "
    "CASE WHEN s.oid IS NOT NULL AND l.lacks <> 'USAGE' THEN pg_catalog.quote_ident(s.nspname::text) || '.' ELSE '' END || "
    "pg_catalog.quote_ident(CASE WHEN l.lacks = 'USAGE' THEN s.nspname ELSE l.name END::text), "
    "CASE WHEN l.lacks = 'USAGE' THEN 'SCHEMA' ELSE l.word END, "
    "pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(l.owner)::text), l.lacks, "
    "l.word || ' ' || CASE WHEN s.oid IS NOT NULL THEN pg_catalog.quote_ident(s.nspname::text) || '.' ELSE '' END || "
    "pg_catalog.quote_ident(coalesce((SELECT c.relname FROM pg_catalog.pg_class c WHERE c.oid = l.of), l.name)::text) "
    "FROM lacked l LEFT JOIN pg_catalog.pg_namespace s ON s.oid = l.space WHERE l.lacks IS NOT NULL ORDER BY l.n";

static void
text_or_null(struct bytes *sql, const char *text)
{
	if (text != NULL)
		bytes_sql_text(sql, text);
	else
		bytes_str(sql, "NULL");
}

static const char *
kind_word(enum target_kind kind)
{
	return kind == TARGET_RELATION ? "relation" : kind == TARGET_TYPE ? "type" : kind == TARGET_SCHEMA ? "schema" : "none";
}

enum db_outcome
rights_lacked(struct db *db, const struct right_asked asked[], size_t count, struct answer **answer)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	size_t i;

	bytes_str(&sql, "WITH asked (n, kind, name, need, role) AS (VALUES (-1, 'none', NULL::text, NULL::text, NULL::text)");
	for (i = 0; i < count; i++) {
		bytes_format(&sql, ", (%zu, '%s', ", i, kind_word(asked[i].target->kind));
		text_or_null(&sql, asked[i].target->name);
		bytes_str(&sql, ", ");
		text_or_null(&sql, asked[i].target->right);
		bytes_str(&sql, ", ");
		text_or_null(&sql, asked[i].role);
		bytes_char(&sql, ')');
	}
	bytes_char(&sql, ')');
	bytes_str(&sql, lacked_sql);
	outcome = db_query_ours(db, answer, sql.data, 0, NULL);
	bytes_free(&sql);
	return outcome;
}

struct right_lacked
right_lacked_row(const struct answer *answer, size_t row)
{
	return (struct right_lacked){ .asked = (size_t)answer_number(answer, row, 0),
		.role = answer_text(answer, row, 1),
		.object = answer_text(answer, row, 2),
		.kind = answer_text(answer, row, 3),
		.owner = answer_text(answer, row, 4),
		.right = answer_text(answer, row, 5),
		.owned = answer_text(answer, row, 6) };
}

void
right_remedy(struct bytes *out, const struct right_lacked *l)
{
	if (strcmp(l->right, TARGET_OWNER) == 0)
		bytes_format(out, "deploy as %s, or:  GRANT %s TO %s;", l->owner, l->owner, l->role);
	else
		bytes_format(out, "GRANT %s ON %s%s%s TO %s;", l->right, strcmp(l->kind, "TABLE") == 0 ? "" : l->kind,
		    strcmp(l->kind, "TABLE") == 0 ? "" : " ", l->object, l->role);
}

void
right_remedy_of_role(struct bytes *out, const struct right_lacked *l)
{
	if (strcmp(l->right, TARGET_OWNER) == 0)
		bytes_format(out, "ALTER %s OWNER TO %s;", l->owned, l->role);
	else
		right_remedy(out, l);
}

/*
 * Names are qualified, because the granting user has another search path.  The rights are those of the role after
 * SET ROLE.
 */
static const char history_rights_sql[] =
    "WITH n AS (SELECT s.oid, pg_catalog.quote_ident(s.nspname::text) AS name, c.oid AS history FROM pg_catalog.pg_namespace s "
    "LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = '" HISTORY_TABLE "' AND c.relkind IN ('r', 'p') "
    "WHERE s.nspname = coalesce($1::text, (SELECT " OWN_SQL_AS_SESSION("current_schema()") ")::text)) "
    "SELECT l.lacked, pg_catalog.quote_ident(current_user::text) FROM ("
    "SELECT 0, 'USAGE on schema ' || pg_catalog.quote_ident(h.nspname::text) FROM " RIGHTS_HIDDEN_PATH " h "
    "WHERE $1::text IS NULL AND (SELECT " OWN_SQL_AS_SESSION("current_schema()") ") IS NULL UNION ALL "
    "SELECT 1, 'USAGE on schema ' || n.name FROM n WHERE NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') "
    "UNION ALL SELECT 2, 'CREATE on schema ' || n.name FROM n "
    "WHERE $2::text = 'deploy' AND n.history IS NULL AND NOT pg_catalog.has_schema_privilege(n.oid, 'CREATE') "
    "UNION ALL SELECT 3, 'CREATE on database ' || pg_catalog.quote_ident(pg_catalog.current_database()::text) "
    "WHERE $2::text = 'deploy' AND NOT EXISTS (SELECT FROM n) "
    "AND NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') "
    "UNION ALL SELECT p.i, p.word || ' on ' || n.name || '.' || pg_catalog.quote_ident('" HISTORY_TABLE "') FROM n, "
    "(VALUES (4, 'SELECT'), (5, 'INSERT'), (6, 'UPDATE')) p (i, word) WHERE n.history IS NOT NULL "
    "AND (p.i = 4 OR $2::text = 'deploy') AND NOT pg_catalog.has_table_privilege(n.history, p.word)"
    ") l (i, lacked) ORDER BY l.i";

enum db_outcome
rights_of_history(struct db *db, const char *schema, bool deploy, struct answer **answer)
{
	const char *const parameters[] = { schema, deploy ? "deploy" : "read" };

	return db_query_ours(db, answer, history_rights_sql, 2, parameters);
}

struct db_ask
rights_of_history_ask(const char *const parameters[2])
{
	return (struct db_ask){ .sql = history_rights_sql, .ours = true, .parameter = parameters, .more = 1, .ends_unit = true };
}

static const char to_see_sql[] =
    "SELECT 'USAGE on schema ' || pg_catalog.quote_ident(n.nspname::text), pg_catalog.quote_ident(current_user::text) "
    "FROM pg_catalog.pg_namespace n WHERE NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') "
    "AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = $2::name) "
    "AND CASE WHEN $1::text IS NULL THEN n.oid IN (SELECT h.oid FROM " RIGHTS_HIDDEN_PATH " h) ELSE n.nspname = $1::name END ORDER BY 1";

enum db_outcome
rights_to_see(struct db *db, const char *schema, const char *table, struct answer **answer)
{
	const char *const parameters[] = { schema, table };

	return db_query_ours(db, answer, to_see_sql, 2, parameters);
}

const char *
right_of_history(const struct answer *answer, size_t row)
{
	return answer_text(answer, row, 0);
}

void
right_grant(struct bytes *out, const struct answer *answer, size_t row)
{
	bytes_format(out, "GRANT %s TO %s;", answer_text(answer, row, 0), answer_text(answer, row, 1));
}
