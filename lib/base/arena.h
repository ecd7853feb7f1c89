/*
 * Memory for many small things that live and die together.  {0} is empty.  What it gives is zeroed, never moves, and
 * is freed all at once.  Like xmalloc() it does not fail.
 */
#ifndef MIG_BASE_ARENA_H
#define MIG_BASE_ARENA_H

#include <stddef.h>

#include "base/bytes.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk; /* the newest, which has a pointer to the one before it */
	size_t used;               /* of that one */
};

void *arena_alloc(struct arena *arena, size_t size);
char *arena_text(struct arena *arena, const char *text, size_t len); /* a copy that ends in NUL */
char *arena_copy(struct arena *arena, const char *text);             /* NULL: NULL */
char *arena_format(struct arena *arena, const char *format, ...) MIG_PRINTF(2, 3);
void arena_free(struct arena *arena);                                /* empty again */

#endif
