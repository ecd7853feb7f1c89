/*
 * What the words of a statement tell of how long its work takes for each row.
 *
 * Pure.  Of functions, and of DO, nothing can be told: they count as work of every kind.
 */
#ifndef MIG_SQL_EFFORT_H
#define MIG_SQL_EFFORT_H

#include <stdbool.h>

#include "sql/sql.h"

struct sql_effort {
	bool key;          /* a foreign key: each row is looked up in another table */
	bool expression;   /* one is evaluated for each row, and large values are read for it (TOAST) */
	bool computes;     /* it is more than comparisons: a function, a cast, a pattern */
	bool some_rows;    /* an index WHERE ... */
	bool summary;      /* an index of ranges of pages: BRIN */
	bool many_entries; /* an index with many entries for each row, or a slow one: GIN, GiST, those of extensions */
};

struct sql_effort sql_effort(const char *text, const struct sql_statement *statement);

#endif
