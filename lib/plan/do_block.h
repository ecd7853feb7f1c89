/*
 * A block of PL/pgSQL as a statement.  Pure.
 */
#ifndef MIG_PLAN_DO_BLOCK_H
#define MIG_PLAN_DO_BLOCK_H

#include "base/bytes.h"

/* Appends DO with this body, in a dollar quote that does not occur in it: names can contain anything.  Frees the body. */
void do_block(struct bytes *out, struct bytes *body);

#endif
