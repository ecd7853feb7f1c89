/*
 * Finds the cause of a failed step that is not in its file: a right that the role lacks, or a history table that is not as
 * Prisma makes it.
 */
#ifndef MIG_DEPLOY_CAUSE_H
#define MIG_DEPLOY_CAUSE_H

#include "postgres/connection.h"
#include "sql/sql.h"

/*
 * What the role in force lacks for the statement `at` of a script, and what gives it; NULL where nothing is found.  Both ask
 * the server, outside a failed transaction.  *outcome other than DB_OK: db_error() is that of the question.
 */
char *cause_right(struct db *db, const char *text, const struct sql_script *script, size_t at, enum db_outcome *outcome);

/* What in the history table may keep a row from being written: triggers, other columns, row level security; or NULL. */
char *cause_history(struct db *db, const char *schema, enum db_outcome *outcome);

#endif
