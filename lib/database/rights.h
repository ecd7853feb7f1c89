/*
 * Asks the server which rights a role lacks on what statements name (sql/targets.h).
 */
#ifndef MIG_DATABASE_RIGHTS_H
#define MIG_DATABASE_RIGHTS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "postgres/connection.h"
#include "sql/targets.h"

/* A question: `role` as written, or NULL: the session's. */
struct right_asked {
	const struct sql_target *target;
	const char *role;
};

/* A right that is missing.  Texts live as long as the answer; names are quoted where SQL needs it. */
struct right_lacked {
	size_t asked;         /* which question */
	const char *role;
	const char *object;   /* "public.t" */
	const char *kind;     /* "TABLE", "SEQUENCE", "TYPE", "SCHEMA": as GRANT has it */
	const char *owner;
	const char *right;    /* "owner", or as in GRANT; also "USAGE" of the schema that it is in */
};

/*
 * All in one query.  What is not there is passed over.  *answer is the caller's on DB_OK; each of its rows is
 * right_lacked_row().
 */
enum db_outcome rights_lacked(struct db *db, const struct right_asked asked[], size_t count, struct answer **answer);
struct right_lacked right_lacked_row(const struct answer *answer, size_t row);

/* What gives the right: "GRANT INSERT ON t TO dep;", "deploy as postgres, or: GRANT postgres TO dep;". */
void right_remedy(struct bytes *out, const struct right_lacked *lacked);

/*
 * What the role lacks on the history and its schema: to read it, or, with `deploy`, to make and write it as well.  A right
 * a row of *answer, which is the caller's on DB_OK.
 */
enum db_outcome rights_of_history(struct db *db, const char *schema, bool deploy, struct answer **answer);

/* The same as a question among others: its parameters are the schema (NULL: the session's) and "deploy" or "read". */
struct db_ask rights_of_history_ask(const char *const parameters[2]);
const char *right_of_history(const struct answer *answer, size_t row);   /* "INSERT on app._prisma_migrations" */

/* What an owner types: "GRANT INSERT on app._prisma_migrations TO dep;". */
void right_grant(struct bytes *out, const struct answer *answer, size_t row);

#endif
