/*
 * An error of a script, said as compilers do: NAME/migration.sql:LINE:COLUMN, the server's words and SQLSTATE, the line
 * with a caret, and what else the server said.
 */
#ifndef MIG_MIGRATIONS_SCRIPT_ERROR_H
#define MIG_MIGRATIONS_SCRIPT_ERROR_H

#include <stdbool.h>

#include "sql/sql.h"

struct script_error {
	const char *folder;        /* of the migrations; NULL: not known */
	const char *migration, *sql;
	bool own_row;              /* not of its file, but of its row in the history */
	struct sql_place place;    /* line 0: none */
	const char *message;       /* or NULL; likewise the others */
	const char *sqlstate, *detail, *hint;
	const char *advice;        /* ours, which hint may repeat */
	const char *context;
};

void script_error_say(const struct script_error *error);

#endif
