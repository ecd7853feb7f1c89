/*
 * mig-seed's page: the differences, file by file.  Pure, like plan/pages.h.
 */
#ifndef MIG_SEED_PAGE_H
#define MIG_SEED_PAGE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "records/model.h"

/* A line for a change: kind, table, key, and new values. */
void seed_face_change(struct bytes *out, const char *change, const char *table, const char *key,
    const char *values);

/*
 * The table of files.  seeded: one per file, with NUMBER_UNKNOWN as numbers for SQL.  columns: as in plan/pages.h.
 */
void seed_face_files(struct bytes *out, const struct seeded *seeded, size_t count, bool pruned, bool full, size_t columns);

/* "3 inserts, 2 updates, 273 rows the same." */
void seed_face_sum(struct bytes *out, const struct seeded *seeded, size_t count);

/* The number of rows that differ. */
long long seed_face_changes(const struct seeded *seeded, size_t count);

#endif
