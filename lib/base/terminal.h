/*
 * The terminal that output goes to: its width, and wrapping of text to fit.
 */
#ifndef MIG_BASE_TERMINAL_H
#define MIG_BASE_TERMINAL_H

#include <stddef.h>

#include "base/bytes.h"

/*
 * The bytes of the control character that text begins with, else 0: C0 except newline and tab, DEL, C1 in UTF-8, and the ones
 * that turn the direction of what follows or break its line (U+061C, U+200E, U+202A, U+2028, U+2066, ...), by which a script
 * would read otherwise than the server reads it.
 */
size_t terminal_control(const char *text);

/* The current width in columns of the terminal behind a descriptor; 0 if it is not a terminal: no limit. */
size_t terminal_width(int fd);

/* The same for a page; 0 with -v, since then nothing is truncated. */
size_t terminal_page_width(int fd);

/*
 * Appends lines of text.  Wraps lines wider than `columns` at blanks and indents the continuation to the start of
 * the text.  Never breaks a word, nor a command meant for pasting, which gets a line of its own.  Script lines
 * with a caret below them are not wrapped.  With columns 0 nothing is.
 */
void terminal_wrap(struct bytes *out, const char *text, size_t columns);

/*
 * Where a command meant for pasting begins in a line of len bytes, and in *end where it ends; len if it has none: behind a colon and
 * two blanks, or one of mig's, git's, psql's or SQL's where a line, or what follows two blanks or a colon, begins with it.
 */
size_t terminal_command(const char *line, size_t len, size_t *end);

#endif
