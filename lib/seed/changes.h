/*
 * Changes, row by row, as they are told: to records, and to people.
 */
#ifndef MIG_SEED_CHANGES_H
#define MIG_SEED_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "postgres/connection.h"
#include "records/output.h"
#include "seed/table.h"

struct change;
struct changes {
	struct output *out;
	bool keep;               /* nothing is told before it has happened (-v) */
	struct change *kept;
	size_t count, cap;
	bool any;                /* out: one was told */
};

/* For a seed_job, with a struct changes as its context: a row of upsert_changes(); and an attempt that came to nothing. */
void changes_take(void *context, const struct seed_table *table, const struct answer *row);
void changes_forget(void *context);

/* Tells those that were kept. */
void changes_tell_kept(struct changes *changes);

void changes_free(struct changes *changes);

#endif
