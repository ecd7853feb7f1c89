/*
 * Reports changed rows one by one: as records, and as lines for users.
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
	bool keep;               /* keep them until they have happened (-v) */
	struct change *kept;
	size_t count, cap;
	bool any;                /* out: at least one was reported */
};

/*
 * Callbacks for a seed_job, with a struct changes as context: a row of upsert_changes(); and an attempt that was
 * rolled back.
 */
void changes_take(void *context, const struct seed_table *table, const struct answer *row);
void changes_forget(void *context);

/* Reports the kept changes. */
void changes_tell_kept(struct changes *changes);

void changes_free(struct changes *changes);

#endif
