/*
 * How many columns of a terminal a text takes: East Asian wide characters two, combining ones none.  A table of its own,
 * since wcwidth() knows nothing in the C locale and each system something else.  Pure.
 */
#ifndef MIG_BASE_WIDTH_H
#define MIG_BASE_WIDTH_H

#include <stddef.h>

/* The columns of UTF-8 text[0..len); what is no UTF-8 takes one for each byte, and the
 * marks of base/page.h none. */
size_t width_columns(const char *text, size_t len);

/* How many bytes of it fit into so many columns, from its beginning; from where on the rest fits. */
size_t width_fit(const char *text, size_t len, size_t columns);
size_t width_skip(const char *text, size_t len, size_t columns);

#endif
