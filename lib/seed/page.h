/*
 * mig-seed's page: what differs, file by file.  Pure, as plan/pages.h.
 */
#ifndef MIG_SEED_PAGE_H
#define MIG_SEED_PAGE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "records/model.h"

/* A line for a change: what, table, key, and what is new. */
void seed_face_change(struct bytes *out, const char *change, const char *table, const char *key,
    const char *values);

/* The table of files.  seeded: one for each, SQL with NUMBER_UNKNOWN for numbers.  columns: as in plan/pages.h. */
void seed_face_files(struct bytes *out, const struct seeded *seeded, size_t count, bool pruned, size_t columns);

/* "3 inserts, 2 updates, 273 rows the same." */
void seed_face_sum(struct bytes *out, const struct seeded *seeded, size_t count);

/* How many rows differ. */
long long seed_face_changes(const struct seeded *seeded, size_t count);

#endif
