/*
 * A row of the base and the row of an environment with the same key, as one.
 *
 * Pure.
 */
#ifndef MIG_SEED_OVERLAY_ROW_H
#define MIG_SEED_OVERLAY_ROW_H

#include <stddef.h>

#include "seed/file.h"
#include "seed/rows.h"

/* A value of the one row: `over` takes the place of `base`; one of them may be NULL, as its row lacks the column. */
struct overlay_value {
	const struct row_value *base, *over;
};

/*
 * Fills `out`, which has room for base_count + over_count: first the columns of the base in their order, then those that it lacks.  The
 * columns of the key are those of the base, which are equal.  Returns how many there are.
 */
size_t overlay_row(const struct row_value *base, size_t base_count, const struct row_value *over, size_t over_count,
    const struct seed_names *key, struct overlay_value *out);

#endif
