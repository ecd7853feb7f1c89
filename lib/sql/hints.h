/*
 * A statement that keeps traffic waiting → how to write it so that it does not.  mig-apply(1) has the same as a table.
 *
 * Pure: reads the statement's words.
 */
#ifndef MIG_SQL_HINTS_H
#define MIG_SQL_HINTS_H

#include "sql/sql.h"

/* In words, for a hint; always something.  statement NULL: which one it was is not known. */
const char *hint_of(const char *text, const struct sql_statement *statement);

#endif
