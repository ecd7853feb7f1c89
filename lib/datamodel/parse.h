/*
 * Parses Prisma's schema language, up to 6.19, into blocks.  Pure.  Checks only the grammar; the other files of
 * datamodel/ check the meaning.
 */
#ifndef MIG_DATAMODEL_PARSE_H
#define MIG_DATAMODEL_PARSE_H

#include <stdbool.h>

#include "base/arena.h"
#include "datamodel/ast.h"

/* The first error. */
struct syntax_error {
	struct place place;
	const char *text;  /* in the arena */
};

/*
 * Appends the blocks of a file to *last, which begins as the address of a NULL list head and is advanced.  Returns
 * false with *error set on a syntax error; the blocks before it may have been appended.
 */
bool parse_file(const struct source_file *file, struct arena *arena, struct block ***last, struct syntax_error *error);

/* The line and column, both from 1; the column in characters. */
void place_find(const struct place *place, size_t *line, size_t *column);

#endif
