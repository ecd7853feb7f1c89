/*
 * The characters and words of schema.prisma under a cursor.  Pure.
 */
#ifndef MIG_DATAMODEL_LEXER_H
#define MIG_DATAMODEL_LEXER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "datamodel/ast.h"
#include "datamodel/parse.h"

struct cursor {
	const struct source_file *file;
	size_t at;
	struct arena *arena;
	struct syntax_error *error;
	bool failed;               /* error is set: nothing is read any more */
};

struct place cursor_place(const struct cursor *c);

/* Keeps the first fault; returns false. */
bool cursor_fail(struct cursor *c, struct place place, const char *format, ...) MIG_PRINTF(3, 4);

bool cursor_ends(const struct cursor *c);             /* the end of the file */
bool cursor_sees(const struct cursor *c, const char *text);
bool cursor_eat(struct cursor *c, const char *text);  /* passes over text if it is there */
void cursor_blanks(struct cursor *c);                 /* passes over tabs and space separators; a line end is none */
bool cursor_line_end(struct cursor *c);               /* LF, CRLF or CR; passes over it */
bool cursor_sees_line_end(const struct cursor *c);
bool cursor_comment(struct cursor *c);                /* passes over blanks, and over a comment if one is there */
void cursor_rest_of_line(struct cursor *c);           /* to its end, which stays */

/* Each reads one and returns its text in the arena, or NULL where none is there.  cursor_string: also where it is wrong. */
const char *cursor_name(struct cursor *c);
const char *cursor_path(struct cursor *c);            /* names with dots between */
const char *cursor_number(struct cursor *c);
const char *cursor_string(struct cursor *c);

#endif
