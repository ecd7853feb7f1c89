/*
 * A draft of down.sql: what leads from the second of two looks at a database back to the first one.  Pure.
 *
 * It is a draft: whoever has one tries it out (rehearse/downs.h).  Rows do not come back, and values that have been of another type do
 * not: objects that went are created again empty.  What else is not known here (rehearse/draft_look.h) is not in it.
 */
#ifndef MIG_REHEARSE_DRAFT_H
#define MIG_REHEARSE_DRAFT_H

#include <stddef.h>

#include "base/bytes.h"
#include "postgres/connection.h"

/* Appends the statements, a line each at least; returns how many. */
size_t draft_make(const struct answer *before, const struct answer *after, struct bytes *out);

#endif
