/*
 * Characters that do not show: what editors, chats and web pages leave in names, and blanks that are no blanks.  Pure.
 */
#ifndef MIG_BASE_HIDDEN_H
#define MIG_BASE_HIDDEN_H

#include "base/bytes.h"

/* Appends UTF-8 text, each of them as <U+200B>. */
void hidden_reveal(struct bytes *out, const char *text);

/* Appends it without them, and without blanks at its ends. */
void hidden_strip(struct bytes *out, const char *text);

#endif
