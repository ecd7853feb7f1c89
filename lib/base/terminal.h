/*
 * The terminal that output goes to: its width, and wrapping of text to fit.
 */
#ifndef MIG_BASE_TERMINAL_H
#define MIG_BASE_TERMINAL_H

#include <stddef.h>

#include "base/bytes.h"

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

#endif
