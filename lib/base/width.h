/*
 * The width of text on a terminal: two columns for East Asian wide characters, none for combining ones.  Has its
 * own table, because wcwidth() fails in the C locale and differs between systems.  Pure.
 */
#ifndef MIG_BASE_WIDTH_H
#define MIG_BASE_WIDTH_H

#include <stddef.h>

/*
 * The columns of the UTF-8 text[0..len).  A byte that is not valid UTF-8 takes one column, the marks of
 * base/page.h take none.
 */
size_t width_columns(const char *text, size_t len);

/* The number of bytes, from the start of text, that fit into `columns`. */
size_t width_fit(const char *text, size_t len, size_t columns);
size_t width_skip(const char *text, size_t len, size_t columns);

#endif
