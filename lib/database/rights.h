/*
 * Asks the server which rights a role lacks on the objects that statements name (sql/targets.h).
 */
#ifndef MIG_DATABASE_RIGHTS_H
#define MIG_DATABASE_RIGHTS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "postgres/connection.h"
#include "sql/targets.h"

/* A query: `role` as written, or NULL: the session's. */
struct right_asked {
	const struct sql_target *target;
	const char *role;
};

/* A missing right.  Texts live as long as the answer; names are quoted if SQL requires it. */
struct right_lacked {
	size_t asked;         /* index of the query */
	const char *role;
	const char *object;   /* "public.t" */
	const char *kind;     /* "TABLE", "SEQUENCE", "TYPE", "SCHEMA": as in GRANT */
	const char *owner;
	const char *right;    /* "owner", or as in GRANT; also "USAGE" on the schema of the object */
	const char *owned;    /* what its owner owns, as in ALTER: "TABLE public.t", also of an index of it */
};

/*
 * Sends all in one query.  Skips objects that do not exist.  On DB_OK the caller owns *answer; read each row with
 * right_lacked_row().
 */
enum db_outcome rights_lacked(struct db *db, const struct right_asked asked[], size_t count, struct answer **answer);
struct right_lacked right_lacked_row(const struct answer *answer, size_t row);

/*
 * Appends the statement that grants the right: "GRANT INSERT ON t TO dep;", "deploy as postgres, or: GRANT
 * postgres TO dep;".
 */
void right_remedy(struct bytes *out, const struct right_lacked *lacked);

/* The same where the object shall belong to that role: "ALTER TABLE t OWNER TO dep;". */
void right_remedy_of_role(struct bytes *out, const struct right_lacked *lacked);

/* As SQL: the schemas of the session's search path that exist and that the role may not use: their oid and nspname. */
#define RIGHTS_HIDDEN_PATH \
	"(SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n WHERE NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') " \
	"AND n.nspname::text IN (SELECT CASE pg_catalog.btrim(w, ' \"') WHEN '$user' THEN current_user::text " \
	"ELSE pg_catalog.btrim(w, ' \"') END FROM pg_catalog.regexp_split_to_table(pg_catalog.current_setting('mig.search_path'), ',') w))"

/*
 * Reads which rights the role lacks on the history and its schema: to read it and, with `deploy`, to create and
 * write it.  One right per row of *answer, which the caller owns on DB_OK.  Where no schema of the search path may be used:
 * USAGE on those that exist.
 */
enum db_outcome rights_of_history(struct db *db, const char *schema, bool deploy, struct answer **answer);

/*
 * The same as a query to send with others; its parameters are the schema (NULL: the session's) and "deploy" or
 * "read".
 */
struct db_ask rights_of_history_ask(const char *const parameters[2]);
const char *right_of_history(const struct answer *answer, size_t row);   /* "INSERT on app._prisma_migrations" */

/* The same of a table of that name (schema NULL: in the search path), which the role cannot see as it may not use its schema. */
enum db_outcome rights_to_see(struct db *db, const char *schema, const char *table, struct answer **answer);

/* Appends the statement for the owner to type: "GRANT INSERT on app._prisma_migrations TO dep;". */
void right_grant(struct bytes *out, const struct answer *answer, size_t row);

#endif
