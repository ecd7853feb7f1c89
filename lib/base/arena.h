/*
 * An allocator for many small objects with one lifetime.  {0} is an empty arena.  Memory from it is zeroed, never
 * moves, and is freed all at once by arena_free().  Like xmalloc(), allocation does not fail.
 */
#ifndef MIG_BASE_ARENA_H
#define MIG_BASE_ARENA_H

#include <stddef.h>

#include "base/bytes.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunk; /* the newest chunk; it points to the one before it */
	size_t used;               /* bytes used in that chunk */
};

void *arena_alloc(struct arena *arena, size_t size);
char *arena_text(struct arena *arena, const char *text, size_t len); /* a copy, NUL-terminated */
char *arena_copy(struct arena *arena, const char *text);             /* NULL for NULL */
char *arena_format(struct arena *arena, const char *format, ...) MIG_PRINTF(2, 3);
void arena_free(struct arena *arena);                                /* frees everything; the arena is empty again */

#endif
