/*
 * Reports the result of a run, a dry run or an export, file by file: as records, as a page, as lines.
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
	const char *command;     /* after a dry run: the command that does it */
};

/* `any`: changes were printed above.  The output is complete after this. */
void summary_tell(const struct summary *summary, const struct seed_input *input, const struct seed_tables *tables,
    struct output *out, bool any);

#endif
