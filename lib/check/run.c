#include "check/run.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/signals.h"
#include "check/run_internal.h"
#include "postgres/poller.h"
#include "secret/secret.h"

void
check_run_wait_for(const struct polls *polls, long long until_ms)
{
	struct pollfd on[sizeof polls->on / sizeof *polls->on];
	long long ms = until_ms - clock_now_ms();
	size_t i;

	for (i = 0; i < polls->count; i++)
		on[i] = (struct pollfd){ .fd = polls->on[i].fd,
			.events = (short)((polls->on[i].want & SIGNALS_READ ? POLLIN : 0) |
			    (polls->on[i].want & SIGNALS_WRITE ? POLLOUT : 0)) };
	(void)poll(on, (nfds_t)polls->count, ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms);
}

/* --- when it is clear --- */

/* So many answers in a row that are no answer of one that still starts. */
enum { FIRM_LOOKS = 3 };

static bool
for_all(const struct check_run *run, bool (*holds)(const struct check_job *job))
{
	size_t i;

	for (i = 0; i < run->options->jobs->count; i++)
		if (!holds(&run->options->jobs->jobs[i]))
			return false;
	return true;
}

static bool
has_looked(const struct check_job *job)
{
	return job->looks > 0;
}

static bool
is_settled(const struct check_job *job)
{
	return job->outcome.final;
}

static bool
is_ok(const struct check_job *job)
{
	return job->looks > 0 && job->outcome.state == CHECK_OK;
}

static bool
is_clear(const struct check_job *job)
{
	return is_ok(job) || (job->looks > 0 && job->outcome.final) || job->firm_in_row >= FIRM_LOOKS;
}

static bool
is_bearable(const struct check_job *job)
{
	return job->outcome.state == CHECK_OK || job->outcome.state == CHECK_WARNING;
}

/* No hope: whatever the others say, this will be the verdict. */
static bool
is_not_lost(const struct check_job *job)
{
	return is_bearable(job) || !(job->outcome.final || job->firm_in_row >= FIRM_LOOKS);
}

static bool
has_stayed(const struct check_job *job)
{
	return job->bad_in_row == 0 || (job->bad_in_row == 1 && !job->outcome.final);
}

static bool
is_as_before(const struct check_job *job)
{
	return job->bad_in_row == 0;
}

static void
begin_watch(struct check_run *run, long long now)
{
	char span[CLOCK_SPAN];
	size_t i;

	run->phase = PHASE_WATCH;
	run->watch_until = now + run->options->watch_ms;
	for (i = 0; i < run->options->jobs->count; i++) {
		struct check_job *job = &run->options->jobs->jobs[i];

		job->at_first = job->outcome.state;
		job->bad_in_row = 0;
		if (job->kind->watch != NULL && !job->outcome.final)
			job->kind->watch(job);
	}
	message_verbose("all checks passed; watching for %s", clock_age(run->options->watch_ms, span));
}

/* Whether the run can end; also advances from one part to the next. */
static bool
is_decided(struct check_run *run, long long now)
{
	const struct check_run_options *o = run->options;

	if (!for_all(run, has_looked))
		return false;
	if (run->phase == PHASE_FIRST) {
		if (!for_all(run, is_not_lost) || (o->wait_ms == 0 && o->watch_ms == 0))
			return true;
		run->phase = PHASE_WAIT;
	}
	if (run->phase == PHASE_WAIT) {
		if (!for_all(run, is_not_lost))
			return true;
		if (!for_all(run, is_clear) && now < run->wait_until)
			return false;
		if (o->watch_ms == 0 || !for_all(run, is_bearable))
			return true;
		begin_watch(run, now);
	}
	if (!for_all(run, has_stayed) || for_all(run, is_settled))
		return true;
	/* a bad look that came last waits for the one that confirms it */
	return now >= run->watch_until && for_all(run, is_as_before);
}

/* --- all of it --- */

static void
say_unanswered(struct check_run *run)
{
	size_t i;
	char span[CLOCK_SPAN];

	for (i = 0; i < run->options->jobs->count; i++) {
		struct check_job *job = &run->options->jobs->jobs[i];

		if (job->looks > 0)
			continue;
		check_outcome_clear(&job->outcome);
		if (run->no_time)
			check_say(&job->outcome, CHECK_UNKNOWN, "not checked: --timeout was over");
		else
			check_say(&job->outcome, CHECK_CRITICAL, "no answer; gave up after %s (--timeout)",
			    clock_span(run->options->timeout_ms, span));
	}
}

static void
keep(struct check_run *run)
{
	struct polls polls;
	long long now, until;

	run->wait_until = clock_now_ms() + run->options->wait_ms;
	for (;;) {
		check_run_step(run, &polls);
		now = clock_now_ms();
		if (is_decided(run, now))
			return;
		if (now >= run->timeout_at) {
			say_unanswered(run);
			return;
		}
		until = run->timeout_at;
		if (polls.until_ms >= 0 && polls.until_ms < until)
			until = polls.until_ms;
		if (run->phase == PHASE_WAIT && run->wait_until < until)
			until = run->wait_until;
		if (run->phase == PHASE_WATCH && now < run->watch_until && run->watch_until < until)
			until = run->watch_until;
		check_run_wait_for(&polls, until);
	}
}

/* A line for each check that is polled; a stream may have the steps. */
static void
begin_picture(const struct check_run_options *options)
{
	size_t i;

	for (i = 0; i < options->jobs->count && options->picture != NULL; i++) {
		struct check_job *job = &options->jobs->jobs[i];

		job->picture = options->picture;
		if (job->kind->look != NULL || job->kind->ask != NULL)
			job->picture_line = picture_add_line(options->picture, job->name);
	}
}

enum check_state
check_run(const struct check_run_options *options)
{
	struct check_run run = { .options = options, .began_ms = clock_now_ms() };
	enum check_state worst = CHECK_OK;
	size_t i;

	run.timeout_at = run.began_ms + (options->timeout_ms > 0 ? options->timeout_ms
	    : 365LL * 24 * 3600 * 1000);
	check_run_make_units(&run);
	begin_picture(options);
	secret_drop_taken();
	for (i = 0; i < options->jobs->count; i++)
		if (options->jobs->jobs[i].kind->read != NULL && !options->jobs->jobs[i].outcome.final)
			check_run_read_stream(&run, &options->jobs->jobs[i]);
	keep(&run);
	for (i = 0; i < options->jobs->count; i++)
		if (options->jobs->jobs[i].kind->last != NULL && options->jobs->jobs[i].data != NULL)
			options->jobs->jobs[i].kind->last(&options->jobs->jobs[i]);
	for (i = 0; i < options->jobs->count; i++)
		worst = check_worse(worst, options->jobs->jobs[i].outcome.state);
	check_run_free_units(&run);
	return worst;
}
