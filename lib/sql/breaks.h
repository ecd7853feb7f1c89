/*
 * The first statement of a script after which statements of the running release may fail, as far as its words tell: it drops or
 * renames what they name, gives a column another type, or requires a value that they do not give.
 *
 * Bodies of functions and DO blocks are not read.  Pure.
 */
#ifndef MIG_SQL_BREAKS_H
#define MIG_SQL_BREAKS_H

#include <stdbool.h>
#include <stddef.h>

#include "sql/sql.h"

struct sql_break {
	size_t statement;      /* from 0 */
	const char *what;      /* static: "drops", "renames", "retypes", "requires" */
	char *object;          /* as written, without blanks: "User".name; owned */
};

/* Tables and so on that scripts make: what they do to these breaks nothing.  {0} is empty. */
struct sql_made {
	char **names;          /* without their schemas, as the server reads them */
	size_t count, cap;
};

/*
 * Returns false if nothing breaks.  Adds what the script makes to `made`, which has what the scripts before it made.  The caller
 * frees found->object.
 */
bool sql_breaks(const char *text, const struct sql_script *script, struct sql_made *made, struct sql_break *found);
void sql_made_free(struct sql_made *made);

#endif
