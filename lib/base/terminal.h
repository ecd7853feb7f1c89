/*
 * The terminal that is written to: how wide it is, and text that is broken to fit it.
 */
#ifndef MIG_BASE_TERMINAL_H
#define MIG_BASE_TERMINAL_H

#include <stddef.h>

#include "base/bytes.h"

/* The columns of the terminal behind a descriptor, as they are now; 0: it is no terminal, and has no limit. */
size_t terminal_width(int fd);

/* The same for a page that is written there: with -v nothing is cut, 0. */
size_t terminal_page_width(int fd);

/*
 * Appends a text of lines, those that are wider than `columns` broken at blanks and indented below what they begin with.
 * A word is never broken, and neither is a command that is to be pasted: it gets a line of its own.  Rows of scripts with
 * a caret below them stay as they are.  columns 0: all does.
 */
void terminal_wrap(struct bytes *out, const char *text, size_t columns);

#endif
