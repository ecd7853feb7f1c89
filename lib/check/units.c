/* Units of a run: what is looked at together on one session, and one look at it. */
#include "check/run_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "postgres/connection.h"
#include "postgres/poller.h"

/* --- units --- */

static struct check_unit *
new_unit(struct check_run *run)
{
	/* a session is in its unit: the array has its full size from the start */
	struct check_unit *u = &run->units[run->count++];

	u->jobs = xcalloc(run->options->jobs->count, sizeof *u->jobs);
	return u;
}

static bool
same_word(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool
check_run_asks_database(const struct check_job *job)
{
	return job->kind->ask != NULL && (job->kind->read == NULL || job->waits || job->watches);
}

/* The -d of a check that has one of its own. */
static const char *
database_of(const struct check_run *run, const struct check_job *job)
{
	return job->kind->value_is_source && job->value != NULL ? job->value : run->options->database;
}

static void
join_session(struct check_run *run, struct check_job *job)
{
	const char *word = database_of(run, job);
	struct check_unit *u = NULL;
	bool first = true;
	size_t i;

	for (i = 0; i < run->count; i++)
		if (run->units[i].is_session && same_word(run->units[i].word, word))
			u = &run->units[i];
	if (u == NULL) {
		u = new_unit(run);
		u->is_session = true;
		u->word = word;
		first = message_cause() == NULL;
		u->code = poller_open(&u->own, word, word == run->options->database ? run->options->schema : NULL);
		if (u->code == 0)
			u->session = &u->own;
	}
	if (u->session == NULL) {
		check_cannot(&job->outcome, first);
		job->looks = 1;
		return;
	}
	job->session = u->session;
	u->jobs[u->count++] = job;
}

void
check_run_make_units(struct check_run *run)
{
	struct check_jobs *jobs = run->options->jobs;
	size_t i;
	int own;

	run->units = xcalloc(jobs->count, sizeof *run->units);
	for (own = 0; own < 2; own++)
		for (i = 0; i < jobs->count; i++)
			if (!jobs->jobs[i].outcome.final && check_run_asks_database(&jobs->jobs[i]) &&
			    (database_of(run, &jobs->jobs[i]) == run->options->database) == (own == 0))
				join_session(run, &jobs->jobs[i]);
	for (i = 0; i < jobs->count; i++) {
		struct check_job *job = &jobs->jobs[i];

		if (job->kind->look != NULL && !job->outcome.final) {
			struct check_unit *u = new_unit(run);

			u->jobs[u->count++] = job;
		}
	}
}

void
check_run_free_units(struct check_run *run)
{
	size_t i;

	for (i = 0; i < run->count; i++) {
		if (run->units[i].session != NULL)
			poller_close(run->units[i].session);
		free(run->units[i].jobs);
	}
	free(run->units);
}

/* --- one look --- */

/* All jobs of a session; or, in a further round trip, those that need it. */
static void
ask(struct check_unit *u)
{
	struct db_ask *asks = xcalloc(u->count * CHECK_ASKS, sizeof *asks);
	size_t i, count = 0;

	for (i = 0; i < u->count; i++) {
		struct check_job *job = u->jobs[i];
		bool asks_now = !job->outcome.final && (job->more || !u->more);

		job->more = false;
		job->first_ask = count;
		job->asks = asks_now ? job->kind->ask(job, asks + count) : 0;
		count += job->asks;
	}
	poller_look(u->session, asks, count);
	free(asks);
}

void
check_run_begin_look(struct check_unit *u, long long now)
{
	u->looking = true;
	u->more = false;
	u->began_ms = now;
	if (u->session == NULL)
		u->jobs[0]->kind->look(u->jobs[0]);
	else
		ask(u);
}

/* A job's look has ended. */
static void
conclude(struct check_unit *u, struct check_job *job, long long now)
{
	job->looks++;
	job->outcome.took_ms = now - u->began_ms;
	if (job->picture != NULL)
		picture_add_point(job->picture, job->picture_line, u->began_ms, job->outcome.took_ms * 1000,
		    job->outcome.state != CHECK_OK);
	job->firm_in_row = job->outcome.conclusive ? job->firm_in_row + 1 : 0;
	job->bad_in_row = check_worse(job->outcome.state, job->at_first) == job->at_first ? 0
	    : job->bad_in_row + 1;
}

long long
check_run_interval_of(const struct check_run *run)
{
	return run->options->interval_ms > 10 ? run->options->interval_ms : 10;
}

void
check_run_end_look(struct check_run *run, struct check_unit *u)
{
	long long now = clock_now_ms();
	size_t i;

	u->more = false;
	for (i = 0; i < u->count; i++) {
		struct check_job *job = u->jobs[i];

		if (u->session != NULL && job->asks > 0) {
			check_outcome_clear(&job->outcome);
			job->kind->answered(job, poller_answers(u->session) + job->first_ask, u->session);
		}
		u->more |= job->more;
		if (u->session == NULL || (job->asks > 0 && !job->more))
			conclude(u, job, now);
	}
	if (u->more) {
		ask(u);
		return;
	}
	u->looks++;
	u->looking = false;
	u->due_ms = now + check_run_interval_of(run);
}

bool
check_run_go_on(struct check_unit *u, struct polls *polls)
{
	return u->session != NULL ? poller_go_on(u->session, polls)
	    : u->jobs[0]->kind->go_on(u->jobs[0], polls);
}

/* To look again would change nothing. */
static bool
is_over(const struct check_unit *u)
{
	size_t i;

	for (i = 0; i < u->count; i++)
		if (!u->jobs[i]->outcome.final)
			return false;
	return true;
}

void
check_run_step(struct check_run *run, struct polls *polls)
{
	long long now = clock_now_ms();
	size_t i;

	*polls = (struct polls){ .until_ms = -1 };
	for (i = 0; i < run->count; i++) {
		struct check_unit *u = &run->units[i];

		if (!u->looking && (is_over(u) || (u->looks > 0 && run->phase == PHASE_FIRST)))
			continue;
		if (!u->looking && (u->looks == 0 || u->due_ms <= now))
			check_run_begin_look(u, now);
		while (u->looking && check_run_go_on(u, polls)) {
			if (u->stale)
				u->looking = u->stale = false;
			else
				check_run_end_look(run, u);
		}
		if (!u->looking)
			polls_until(polls, u->looks > 0 ? u->due_ms : now);
	}
}
