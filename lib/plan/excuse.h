/*
 * What a script itself allows: a line above a statement,
 *     -- mig: allow RULE[,RULE ...], REASON
 * Without a reason it does not count.  Pure.
 */
#ifndef MIG_PLAN_EXCUSE_H
#define MIG_PLAN_EXCUSE_H

#include <stddef.h>

#include "sql/sql.h"

/* The reason why the rule is allowed for statement `at` (from 0), which the caller frees; NULL: it is not. */
char *excuse_of(const char *text, const struct sql_script *script, size_t at, const char *rule);

#endif
