/*
 * What the command line of mig-apply asks for.
 */
#ifndef MIG_TOOLS_APPLY_REQUEST_H
#define MIG_TOOLS_APPLY_REQUEST_H

#include <stddef.h>

#include "base/shell_quote.h"
#include "deploy/deploy.h"
#include "records/output.h"

struct apply_request {
	struct deploy deploy;
	const char *const *plans; /* paths, or "-" */
	size_t plan_count;
	const char *folder;       /* -o, where that is one: gets the results of each plan in a file of its name; else NULL */
	long long max_failed;     /* NUMBER_UNKNOWN: any number */
	struct shell_words words; /* to be typed again */
};

/* 0, or MIG_USAGE, said.  Points into argv; apply_request_free() is due in any case. */
int apply_request_read(int argc, char *argv[], struct apply_request *request, struct output *out);

/* With a folder: the file in it for the results of a plan.  The caller frees it. */
char *apply_request_results(const struct apply_request *request, const char *plan);

/* What to type where standard input is a terminal: the commands that make a plan for the same database.  The caller frees it. */
char *apply_request_pipeline(const struct apply_request *request, int argc, char *argv[]);

void apply_request_free(struct apply_request *request);

#endif
