/*
 * How a deploy ended, said on standard error: what is committed, what was rolled back, what was not started,
 * and what to type.
 */
#ifndef MIG_DEPLOY_REPORT_H
#define MIG_DEPLOY_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "deploy/step.h"
#include "records/model.h"

struct report {
	const struct step *steps;
	const struct result *results;  /* one a step */
	size_t count;
	const char *folder;            /* of the migrations; NULL: not known */
	long long took_ms;
	long long max_stall_ms;
};

/* All went well. */
void report_success(const struct report *report);

/* The step `at` ended in another way than applied.  Returns the exit code. */
int report_trouble(const struct report *report, size_t at, const struct step_end *end, const struct step_context *shared);

/* A signal came between two steps; `at` is the first that was not started.  Returns the exit code. */
int report_stopped(const struct report *report, size_t at);

#endif
