/*
 * Reads schema.prisma character by character and word by word with a cursor.  Pure.
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
	bool failed;               /* error is set: nothing more is read */
};

struct place cursor_place(const struct cursor *c);

/* Records the first error; returns false. */
bool cursor_fail(struct cursor *c, struct place place, const char *format, ...) MIG_PRINTF(3, 4);

bool cursor_ends(const struct cursor *c);             /* at the end of the file */
bool cursor_sees(const struct cursor *c, const char *text);
bool cursor_eat(struct cursor *c, const char *text);  /* skips text if it comes next */
void cursor_blanks(struct cursor *c);                 /* skips tabs and space separators, but no line ends */
bool cursor_line_end(struct cursor *c);               /* skips LF, CRLF or CR */
bool cursor_sees_line_end(const struct cursor *c);
bool cursor_comment(struct cursor *c);                /* skips blanks and a comment */
void cursor_rest_of_line(struct cursor *c);           /* skips to the line end, exclusive */

/*
 * Each reads one and returns its text in the arena, or NULL if there is none; cursor_string also if it is
 * malformed.
 */
const char *cursor_name(struct cursor *c);
const char *cursor_path(struct cursor *c);            /* names separated by dots */
const char *cursor_number(struct cursor *c);
const char *cursor_string(struct cursor *c);

#endif
