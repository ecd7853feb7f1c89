/*
 * Prisma's schema language, up to 6.19: text to blocks.  Pure.  Only the grammar is held here; what blocks may mean is
 * datamodel/'s other files'.
 */
#ifndef MIG_DATAMODEL_PARSE_H
#define MIG_DATAMODEL_PARSE_H

#include <stdbool.h>

#include "base/arena.h"
#include "datamodel/ast.h"

/* The first fault. */
struct syntax_error {
	struct place place;
	const char *text;  /* in the arena */
};

/*
 * Appends the blocks of a file to *last, which begins as the address of a NULL list head and is moved on.  False, with *error
 * set, where the file does not keep to the grammar; blocks before the fault may have been appended.
 */
bool parse_file(const struct source_file *file, struct arena *arena, struct block ***last, struct syntax_error *error);

/* Line and column, both from 1; the column in characters. */
void place_find(const struct place *place, size_t *line, size_t *column);

#endif
