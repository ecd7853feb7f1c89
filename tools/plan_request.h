/*
 * What the command line of mig-plan asks for.
 */
#ifndef MIG_TOOLS_PLAN_REQUEST_H
#define MIG_TOOLS_PLAN_REQUEST_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/shell_quote.h"
#include "plan/plan.h"
#include "records/model.h"
#include "records/output.h"

/* The values of --format. */
#define PLAN_FORMATS "text|records|sql|markdown|github|digest"

struct plan_request {
	struct plan_options options;
	bool exit_code;
	const char *input;
	const char **names;   /* room for what the options list */
	struct bytes help, allowed;
	const char **proof_files;
	size_t proof_file_count;
	struct plan_proof *proofs;   /* what they have, one a record */
	struct record **records;     /* which own their texts */
	size_t record_count;
	bool diff;            /* --diff */
	const char *from, *to;
};

/* 0, or MIG_USAGE, said.  Points into argv; plan_request_free() is due in any case. */
int plan_request_read(int argc, char *argv[], struct plan_request *request, struct output *out);

/* Reads the files of --proof.  Returns 0, or an exit code with the error reported. */
int plan_request_proofs(struct plan_request *request);

/*
 * The options that this plan comes from, so that it can be asked for again.  --resume is for the plan as it is: once that
 * has begun, the journal knows better.
 */
void plan_request_words(struct shell_words *words, const struct scan *scan, const struct plan_options *options, bool resumes);

void plan_request_free(struct plan_request *request);

#endif
