/*
 * "Did you mean ...?": finds the known name nearest to the one typed.
 */
#ifndef MIG_BASE_SUGGEST_H
#define MIG_BASE_SUGGEST_H

#include <stddef.h>

/*
 * Returns the element of names[0..count) that `typed` (len bytes) probably means: at most a third of its letters,
 * and at most three, may be missing, added, changed or swapped with a neighbour.  Case-insensitive.  NULL if no
 * name is that near.  Pure.
 */
const char *suggest_nearest(const char *typed, size_t len, const char *const names[], size_t count);

#endif
