/*
 * The name of a relation or a column, as it is typed behind a check: NAME, NAME.COLUMN, SCHEMA.NAME or SCHEMA.NAME.COLUMN; what
 * contains a dot is in double quotes.
 */
#ifndef MIG_CHECK_RELATION_NAME_H
#define MIG_CHECK_RELATION_NAME_H

#include <stddef.h>

#include "base/bytes.h"
#include "check/check.h"
#include "postgres/connection.h"

/* Appends the parts, with unit separators between them, and returns their number. */
size_t relation_parts(struct bytes *parts, const char *text);

/* Whether it exists, and what else there is; $1 has the parts. */
extern const char relation_find_sql[];

/* Says that it does not exist, by the answer to that, and what was probably meant.  CRITICAL. */
void relation_say_missing(struct check_job *job, const char *parts, size_t count, const struct answer *answer);

#endif
