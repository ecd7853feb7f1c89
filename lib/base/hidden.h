/*
 * Invisible characters, which editors, chats and web pages leave in names, and blanks other than U+0020.  Pure.
 */
#ifndef MIG_BASE_HIDDEN_H
#define MIG_BASE_HIDDEN_H

#include <stdbool.h>

#include "base/bytes.h"

/* Appends UTF-8 text, with each invisible character as <U+200B>. */
void hidden_reveal(struct bytes *out, const char *text);

/* Appends the text without invisible characters and without blanks at either end. */
void hidden_strip(struct bytes *out, const char *text);

/*
 * For an error near a text of a file: what its first invisible character or typographic quote is, and the command that
 * takes it out of that line.  `file` is the path as a word of the shell.  Appends nothing and returns false if the text has
 * none.
 */
bool hidden_remedy(struct bytes *out, const char *text, const char *file, unsigned long line);

#endif
