/* The lines of a script on a page: where its statements are, how many lines of them are shown, with their numbers.  Pure. */
#ifndef MIG_PLAN_SCRIPT_LINES_H
#define MIG_PLAN_SCRIPT_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "sql/sql.h"

struct script_lines_of {
	struct sql_place place;   /* of the first token */
	size_t lines;             /* that it has, */
	size_t shown;             /* and how many of them are to be shown */
	bool warned;              /* set by the caller: it is shown, whatever is folded, */
	bool does;                /* or it is before others: it has effects */
};

struct script_lines {
	const char *sql;
	const struct sql_script *script;
	struct script_lines_of *list; /* of all statements */
	size_t count;
	size_t first;             /* those before it are not shown */
};

struct script_lines script_lines(const char *sql, const struct sql_script *script, size_t first);
void script_lines_free(struct script_lines *lines);

/* The statement, from 0, that this place is in or behind. */
size_t script_lines_statement(const struct script_lines *lines, long long line, long long column);

/* Whether the place is not where the statement begins. */
bool script_lines_is_inside(const struct script_lines *lines, size_t statement, long long line, long long column);

/* Chooses how many lines are shown: 20 of a script, and some of each with a warning; or all. */
void script_lines_choose(struct script_lines *lines, bool all);

/* Appends the shown lines of a statement: "     5 | ALTER TABLE ...". */
void script_lines_write(struct bytes *out, const struct script_lines *lines, size_t statement, size_t columns);

/* Says how many lines are not shown; nothing for 0. */
void script_lines_hidden(struct bytes *out, size_t count);

#endif
