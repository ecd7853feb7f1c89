/*
 * "Did you mean ...?": the known name that is nearest to one that was typed.
 */
#ifndef MIG_BASE_SUGGEST_H
#define MIG_BASE_SUGGEST_H

#include <stddef.h>

/*
 * The one of names[0..count) that `typed` (len bytes) is probably meant to be: at most a third of its letters, and no
 * more than three, are missing, added, changed or swapped with their neighbour; capitals do not count.  NULL where
 * none is that near.  Pure.
 */
const char *suggest_nearest(const char *typed, size_t len, const char *const names[], size_t count);

#endif
