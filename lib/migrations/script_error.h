/*
 * Reports an error in a script, in the format of compilers: NAME/FILE:LINE:COLUMN, the server's message
 * and SQLSTATE, the line with a caret, and the other fields of the server's error.
 */
#ifndef MIG_MIGRATIONS_SCRIPT_ERROR_H
#define MIG_MIGRATIONS_SCRIPT_ERROR_H

#include <stdbool.h>

#include "sql/sql.h"

struct script_error {
	const char *folder;        /* of the migrations; NULL: unknown */
	const char *migration, *sql;
	const char *file;          /* that the SQL is from; NULL: migration.sql */
	bool own_row;              /* the error is in the row of the history, not in the script */
	struct sql_place place;    /* line 0: none */
	const char *message;       /* or NULL; likewise the fields below */
	const char *sqlstate, *detail, *hint;
	const char *advice;        /* our own; may repeat hint */
	const char *context;
};

void script_error_say(const struct script_error *error);

#endif
