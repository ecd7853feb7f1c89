/*
 * What a run, a dry run or an export came to, file by file: as records, as a page, as lines.
 */
#ifndef MIG_SEED_SUMMARY_H
#define MIG_SEED_SUMMARY_H

#include <stdbool.h>

#include "records/output.h"
#include "seed/inputs.h"
#include "seed/seed.h"
#include "seed/table.h"

struct summary {
	const struct seed_job *job;
	bool export;
	const char *command;     /* what does it, behind a dry run */
};

/* `any`: changes stand above it.  The output is complete then. */
void summary_tell(const struct summary *summary, const struct seed_input *input, const struct seed_tables *tables,
    struct output *out, bool any);

#endif
