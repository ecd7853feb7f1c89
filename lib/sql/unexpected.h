/*
 * Finds in a script what does not belong in a migration: commands of psql, the part that undoes it, work that it rolls back.
 *
 * Pure.
 */
#ifndef MIG_SQL_UNEXPECTED_H
#define MIG_SQL_UNEXPECTED_H

#include <stddef.h>

#include "sql/sql.h"

/* Each gives the byte offset of what it finds, or len. */

/* A backslash outside of quotes and comments: \restrict, \connect, ...; no SQL has one there. */
size_t unexpected_psql(const char *text, size_t len);

/*
 * A comment line with which other tools begin the part that undoes a migration (dbmate, goose, sql-migrate, Play, MyBatis),
 * with a statement behind it.
 */
size_t unexpected_down(const char *text, size_t len);

/* The ROLLBACK, where nothing stays of what the script does but settings of its session. */
size_t unexpected_rollback(const char *text, size_t len, const struct sql_script *script);

#endif
