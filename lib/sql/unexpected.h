/*
 * Finds content that does not belong in a migration: psql commands, a "down" part, work that the script itself
 * rolls back.
 *
 * Pure.
 */
#ifndef MIG_SQL_UNEXPECTED_H
#define MIG_SQL_UNEXPECTED_H

#include <stddef.h>

#include "sql/sql.h"

/* Each returns the byte offset of what it finds, or len if there is nothing. */

/* A backslash outside of quotes and comments: \restrict, \connect, ...; SQL never has one there. */
size_t unexpected_psql(const char *text, size_t len);

/*
 * A comment line that starts the "down" part in another tool's format (dbmate, goose, sql-migrate, Play, MyBatis),
 * if a statement follows.
 */
size_t unexpected_down(const char *text, size_t len);

/* The ROLLBACK of a script of which nothing stays except session settings. */
size_t unexpected_rollback(const char *text, size_t len, const struct sql_script *script);

#endif
