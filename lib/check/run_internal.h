/*
 * Shared by the files that run checks (check/run.h); private to them.
 */
#ifndef MIG_CHECK_RUN_INTERNAL_H
#define MIG_CHECK_RUN_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "check/check.h"
#include "check/run.h"
#include "postgres/poller.h"

/* What is polled together: one check, or all checks of one database. */
struct check_unit {
	struct poller *session;   /* NULL: not a database, or it could not be opened */
	struct poller own;        /* storage for session */
	bool is_session;
	const char *word;          /* the -d value or source it was opened with, or NULL */
	int code;                  /* exit code if it could not be opened */
	struct check_job **jobs;
	size_t count;
	bool looking;
	bool more;                 /* the current poll takes another round trip, for the jobs that say so */
	bool stale;                /* the current poll began before the deploy ended */
	size_t looks;
	long long due_ms, began_ms;
};

enum run_phase { PHASE_FIRST, PHASE_WAIT, PHASE_WATCH };

struct check_run {
	const struct check_run_options *options;
	struct check_unit *units;
	size_t count;
	enum run_phase phase;
	bool no_time;              /* the stream has used up --timeout */
	long long began_ms, wait_until, watch_until, timeout_at;
};

/* --- run.c --- */

void check_run_wait_for(const struct polls *polls, long long until_ms);

/* --- units.c --- */

bool check_run_asks_database(const struct check_job *job);
/* Opens the default connection string first, because reading its source consumes it. */
void check_run_make_units(struct check_run *run);
void check_run_free_units(struct check_run *run);
void check_run_begin_look(struct check_unit *u, long long now);
/* The interval, with a minimum that keeps the program from polling all the time. */
long long check_run_interval_of(const struct check_run *run);
void check_run_end_look(struct check_run *run, struct check_unit *u);
bool check_run_go_on(struct check_unit *u, struct polls *polls);
/* Advances every unit as far as it can without waiting; adds what they wait for to polls. */
void check_run_step(struct check_run *run, struct polls *polls);

/* --- run_stream.c --- */

void check_run_read_stream(struct check_run *run, struct check_job *job);

#endif
