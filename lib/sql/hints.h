/*
 * Suggests how to rewrite a statement that blocks traffic so that it does not.  mig-apply(1) has the same table.
 *
 * Pure: reads the statement's words.
 */
#ifndef MIG_SQL_HINTS_H
#define MIG_SQL_HINTS_H

#include "sql/sql.h"

/* Returns a hint (static text), never NULL.  statement NULL: it is not known which statement it was. */
const char *hint_of(const char *text, const struct sql_statement *statement);

#endif
