/*
 * "Did you mean ...?": finds the known name nearest to the one typed.
 */
#ifndef MIG_BASE_SUGGEST_H
#define MIG_BASE_SUGGEST_H

#include <stddef.h>

/*
 * Returns the element of names[0..count) that `typed` (len bytes) probably means: at most a third of its letters,
 * and at most three, may be missing, added, changed or swapped with a neighbour.  Otherwise the only name that contains
 * it, if it has three letters or more: the time or the words of a migration's name.  Case-insensitive.  NULL if there
 * is no such name.  Pure.
 *
 * Only for what is no secret: `typed` is repeated beside the answer.
 */
const char *suggest_nearest(const char *typed, size_t len, const char *const names[], size_t count);

#endif
