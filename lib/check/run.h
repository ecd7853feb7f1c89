/*
 * Runs the checks: once, with --wait until they pass, with --watch until one fails.
 *
 *   1. Reads a stream on standard input to its end first, because checks after a deploy are judged after it.  Checks
 *      that compare values over time take their first values during that.
 *   2. Polls every check once, all concurrently in one thread.
 *   3. --wait: polls the checks that are not OK until all are OK, final or conclusive, or the time is up.
 *   4. --watch: polls all until one is worse than when this part began, twice in a row or finally, or the time is up.
 *
 * With a picture, endpoints are polled during 1 as well.  Ends as soon as the result is certain.  A check whose poll is unfinished when --timeout expires has not answered.
 */
#ifndef MIG_CHECK_RUN_H
#define MIG_CHECK_RUN_H

#include "check/check.h"
#include "check/picture.h"

struct check_run_options {
	struct check_jobs *jobs;
	const char *database;      /* -d, or NULL */
	const char *schema;        /* --schema, or NULL: of the database of -d */
	const char *command;       /* this command (base/shell_quote.h); NULL: must not be shown */
	long long wait_ms;         /* 0: polls once */
	long long watch_ms;
	long long timeout_ms;      /* 0: none */
	long long interval_ms;     /* from the end of a poll to the next */
	struct picture *picture;   /* gets each poll, and the steps of a deploy; NULL: none */
};

/*
 * Runs the checks; each job then has the outcome of its last poll.  Prints progress on a terminal.  Returns the
 * worst state.
 */
enum check_state check_run(const struct check_run_options *options);

#endif
