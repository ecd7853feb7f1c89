/*
 * What a script itself allows: a line above a statement,
 *     -- mig: allow RULE[,RULE ...], REASON
 * Without a reason it does not count.  Pure.
 */
#ifndef MIG_PLAN_EXCUSE_H
#define MIG_PLAN_EXCUSE_H

#include <stddef.h>

#include "sql/sql.h"

/* Both are NULL where no line is about the rule; the caller frees them. */
struct excuse {
	char *reason; /* why the rule is allowed; NULL: it is not, */
	char *flaw;   /* and what is wrong with the line that may have been meant to allow it */
};

/* Of a rule, for statement `at` (from 0). */
struct excuse excuse_of(const char *text, const struct sql_script *script, size_t at, const char *rule);

#endif
