/*
 * Looks, and looks again: the order of a run of mig-check.
 *
 *   1. A stream on standard input is read to its end first: what comes behind a deploy is judged after it.  Meanwhile
 *      checks that judge by change see how things were before.
 *   2. Every check looks once, all side by side in one thread.
 *   3. --wait: what is not well looks again until all is well, it is settled or firm, or the time is over.
 *   4. --watch: all look again until one is worse than when this part began, twice in a row or for good, or the time is over.
 *
 * It ends as soon as it is clear.  What has not ended its look when --timeout is over has not answered.
 */
#ifndef MIG_CHECK_RUN_H
#define MIG_CHECK_RUN_H

#include "check/check.h"

struct check_run_options {
	struct check_jobs *jobs;
	const char *database;      /* -d, or NULL */
	const char *command;       /* words (base/shell_quote.h) of this command; NULL: they may not be shown */
	long long wait_ms;         /* 0: looks once */
	long long watch_ms;
	long long timeout_ms;      /* 0: none */
	long long interval_ms;     /* from the end of a look to the next */
};

/*
 * Runs it; the outcome of each job is then its last.  What a terminal's user should know meanwhile is said.
 * Returns the worst of all.
 */
enum check_state check_run(const struct check_run_options *options);

#endif
