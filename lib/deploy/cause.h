/*
 * Finds the cause of a failed step when it is not in the script: a right that the role lacks, or a history table
 * that differs from Prisma's.
 */
#ifndef MIG_DEPLOY_CAUSE_H
#define MIG_DEPLOY_CAUSE_H

#include "postgres/connection.h"
#include "sql/sql.h"

/*
 * Returns what the current role lacks for statement `at` of a script, with the remedy; NULL if nothing is found.
 * The text is allocated; the caller frees it.  Both functions query the server and need a session without a failed
 * transaction.  *outcome other than DB_OK: db_error() is the error of this query.
 */
char *cause_right(struct db *db, const char *text, const struct sql_script *script, size_t at, enum db_outcome *outcome);

/*
 * Returns what in the history table may keep a row from being written: triggers, other columns, row level
 * security; or NULL.
 */
char *cause_history(struct db *db, const char *schema, enum db_outcome *outcome);

#endif
