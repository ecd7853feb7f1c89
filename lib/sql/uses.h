/*
 * Whether a statement that clients send uses a table or a column, as far as its names tell.
 *
 * A lexer, nested scopes and the aliases in them; no grammar.  A column may be named alone, behind its table, or behind an alias;
 * SELECT *, RETURNING *, a whole row, and an INSERT without a list of columns use all columns of a table.  A * inside of FROM (...)
 * or WITH counts only as far as the query around it takes the column.
 *
 * Only SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, TABLE, COPY, TRUNCATE and LOCK, also behind WITH, PREPARE and DECLARE: what
 * migrations do to a table is no use of it.  Nor is the COPY ... TO stdout of pg_dump, which asks the catalog for the columns.
 *
 * Pure.  Not found: names inside of strings (EXECUTE, DO), NATURAL JOIN, and names written as U&"...".
 */
#ifndef MIG_SQL_USES_H
#define MIG_SQL_USES_H

#include <stdbool.h>
#include <stddef.h>

struct uses_relation {
	const char *schema, *name;
};

struct uses_target {
	const char *schema, *table;           /* as the catalog has them, as all names here */
	const char *column;                   /* NULL: the table */
	bool plain;                           /* its name without a schema can only mean this table */
	const struct uses_relation *others;   /* what else has a column of that name */
	size_t other_count;
};

enum uses {
	USES_NOT,
	USES_PERHAPS,   /* the name is there, and may be that of another table */
	USES_SURELY
};

/* The statement is one, without a semicolon in it; anything is allowed. */
enum uses uses_of(const char *text, const struct uses_target *target);

/* Whether it calls a function of that name. */
bool uses_calls(const char *text, const char *function);

#endif
