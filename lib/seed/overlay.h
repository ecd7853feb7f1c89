/*
 * Rows of an environment over rows of the base: a row with the same key replaces, in the columns that it has, the row of
 * the base; the others are added.
 */
#ifndef MIG_SEED_OVERLAY_H
#define MIG_SEED_OVERLAY_H

#include "seed/file.h"
#include "seed/table.h"

/*
 * Makes of two files of a table, whose structs it takes over, one that has the rows of both.  Their columns are known
 * from now on, their rows from overlay_merge() on.  Returns 0, or an exit code with the error reported.
 */
int overlay_join(struct seed_file *joined, struct seed_file *base, struct seed_file *overlay);

/*
 * Merges the rows by the key of the table, as text, once that and the types are known: 01 and 1 are two keys here, and one for
 * the server, which then refuses them.  Returns 0, or an exit code with the error reported.
 */
int overlay_merge(struct seed_table *t);

#endif
