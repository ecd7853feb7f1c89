/*
 * Reports on standard error how a deploy ended: what is committed, what was rolled back, what was not started, and
 * the next command.
 */
#ifndef MIG_DEPLOY_REPORT_H
#define MIG_DEPLOY_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "deploy/step.h"
#include "records/model.h"

struct report {
	const struct step *steps;
	const struct result *results;  /* one per step */
	size_t count;
	const char *folder;            /* the migrations folder; NULL: unknown */
	long long took_ms;
	long long max_stall_ms;
	const char *server_time, *lsn, *restore_point; /* of the state before the first step; or NULL */
};

/* All steps succeeded. */
void report_success(const struct report *report);

/* The step `at` was not applied.  Returns the exit code. */
int report_trouble(const struct report *report, size_t at, const struct step_end *end, const struct step_context *shared);

/* A signal arrived between two steps; `at` is the first step that was not started.  Returns the exit code. */
int report_stopped(const struct report *report, size_t at);

#endif
