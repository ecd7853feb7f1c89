#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 16 };

struct arena_chunk {
	struct arena_chunk *before;
	size_t size;
	max_align_t data[];
};

void *
arena_alloc(struct arena *arena, size_t size)
{
	size_t need = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	void *at;

	if (arena->chunk == NULL || arena->chunk->size - arena->used < need) {
		size_t room = need > CHUNK ? need : CHUNK;
		struct arena_chunk *chunk = xmalloc(sizeof *chunk + room);

		*chunk = (struct arena_chunk){ .before = arena->chunk, .size = room };
		arena->chunk = chunk;
		arena->used = 0;
	}
	at = (char *)arena->chunk->data + arena->used;
	arena->used += need;
	return memset(at, 0, size);
}

char *
arena_text(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	memcpy(copy, text, len);
	return copy;
}

char *
arena_copy(struct arena *arena, const char *text)
{
	return text != NULL ? arena_text(arena, text, strlen(text)) : NULL;
}

char *
arena_format(struct arena *arena, const char *format, ...)
{
	struct bytes b = { 0 };
	va_list args;
	char *copy;

	va_start(args, format);
	bytes_vformat(&b, format, args);
	va_end(args);
	copy = arena_text(arena, bytes_text(&b), b.len);
	bytes_free(&b);
	return copy;
}

void
arena_free(struct arena *arena)
{
	while (arena->chunk != NULL) {
		struct arena_chunk *before = arena->chunk->before;

		free(arena->chunk);
		arena->chunk = before;
	}
	*arena = (struct arena){ 0 };
}
