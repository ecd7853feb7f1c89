#include "check/run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"
#include "secret/secret.h"

/* What looks as one: a check by itself, or all that ask one database. */
struct unit {
	struct session *session;   /* NULL: a job by itself, or it could not be opened */
	struct session own;        /* the session's room */
	bool is_session;
	const char *word;          /* what it was opened with, or NULL */
	int code;                  /* why it could not be */
	struct check_job **jobs;
	size_t count;
	bool looking;
	bool stale;                /* the look that goes on began before the deploy had ended */
	size_t looks;
	long long due_ms, began_ms;
};

enum phase { PHASE_FIRST, PHASE_WAIT, PHASE_WATCH };

struct keeping {
	const struct vigil *vigil;
	struct unit *units;
	size_t count;
	enum phase phase;
	bool no_time;              /* the stream has used up --timeout */
	long long began_ms, wait_until, watch_until, timeout_at;
};

/* --- units --- */

static struct unit *
new_unit(struct keeping *run)
{
	/* a session is in its unit: the array has its full size from the start */
	struct unit *u = &run->units[run->count++];

	u->jobs = xcalloc(run->vigil->jobs->count, sizeof *u->jobs);
	return u;
}

static bool
same_word(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
asks_database(const struct check_job *job)
{
	return job->kind->ask != NULL && (job->kind->read == NULL || job->waits || job->watches);
}

/* The -d of a check that has one of its own. */
static const char *
database_of(const struct keeping *run, const struct check_job *job)
{
	return job->kind == &check_database_kind && job->value != NULL ? job->value : run->vigil->database;
}

static void
join_session(struct keeping *run, struct check_job *job)
{
	const char *word = database_of(run, job);
	struct unit *u = NULL;
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
		u->code = session_open(&u->own, word);
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

/* The default's connection string first: what holds it is used up by whoever asks. */
static void
make_units(struct keeping *run)
{
	struct check_jobs *jobs = run->vigil->jobs;
	size_t i;
	int own;

	run->units = xcalloc(jobs->count, sizeof *run->units);
	for (own = 0; own < 2; own++)
		for (i = 0; i < jobs->count; i++)
			if (!jobs->jobs[i].outcome.settled && asks_database(&jobs->jobs[i]) &&
			    (database_of(run, &jobs->jobs[i]) == run->vigil->database) == (own == 0))
				join_session(run, &jobs->jobs[i]);
	for (i = 0; i < jobs->count; i++) {
		struct check_job *job = &jobs->jobs[i];

		if (job->kind->look != NULL && !job->outcome.settled) {
			struct unit *u = new_unit(run);

			u->jobs[u->count++] = job;
		}
	}
}

static void
free_units(struct keeping *run)
{
	size_t i;

	for (i = 0; i < run->count; i++) {
		if (run->units[i].session != NULL)
			session_close(run->units[i].session);
		free(run->units[i].jobs);
	}
	free(run->units);
}

/* --- one look --- */

static void
begin_look(struct unit *u, long long now)
{
	struct db_ask *asks;
	size_t i, count = 0;

	u->looking = true;
	u->began_ms = now;
	if (u->session == NULL) {
		u->jobs[0]->kind->look(u->jobs[0]);
		return;
	}
	asks = xcalloc(u->count * CHECK_ASKS, sizeof *asks);
	for (i = 0; i < u->count; i++) {
		struct check_job *job = u->jobs[i];

		job->first_ask = count;
		job->asks = job->outcome.settled ? 0 : job->kind->ask(job, asks + count);
		count += job->asks;
	}
	session_look(u->session, asks, count);
	free(asks);
}

/* A job's look has ended. */
static void
conclude(struct unit *u, struct check_job *job, long long now)
{
	job->looks++;
	job->outcome.took_ms = now - u->began_ms;
	job->firm_in_row = job->outcome.firm ? job->firm_in_row + 1 : 0;
	job->bad_in_row = check_worse(job->outcome.state, job->at_first) == job->at_first ? 0
	    : job->bad_in_row + 1;
}

/* Never so short that it would do nothing else. */
static long long
interval_of(const struct keeping *run)
{
	return run->vigil->interval_ms > 10 ? run->vigil->interval_ms : 10;
}

static void
end_look(struct keeping *run, struct unit *u)
{
	long long now = clock_now_ms();
	size_t i;

	for (i = 0; i < u->count; i++) {
		struct check_job *job = u->jobs[i];

		if (u->session != NULL && job->asks > 0) {
			check_outcome_clear(&job->outcome);
			job->kind->answered(job, session_answers(u->session) + job->first_ask, u->session);
		}
		if (u->session == NULL || job->asks > 0)
			conclude(u, job, now);
	}
	u->looks++;
	u->looking = false;
	u->due_ms = now + interval_of(run);
}

static bool
go_on(struct unit *u, struct polls *polls)
{
	return u->session != NULL ? session_go_on(u->session, polls)
	    : u->jobs[0]->kind->go_on(u->jobs[0], polls);
}

/* To look again would change nothing. */
static bool
is_over(const struct unit *u)
{
	size_t i;

	for (i = 0; i < u->count; i++)
		if (!u->jobs[i]->outcome.settled)
			return false;
	return true;
}

/* Everyone as far as it can without waiting; what they wait for is in polls. */
static void
step(struct keeping *run, struct polls *polls)
{
	long long now = clock_now_ms();
	size_t i;

	*polls = (struct polls){ .until_ms = -1 };
	for (i = 0; i < run->count; i++) {
		struct unit *u = &run->units[i];

		if (!u->looking && (is_over(u) || (u->looks > 0 && run->phase == PHASE_FIRST)))
			continue;
		if (!u->looking && (u->looks == 0 || u->due_ms <= now))
			begin_look(u, now);
		if (u->looking && go_on(u, polls)) {
			if (u->stale)
				u->looking = u->stale = false;
			else
				end_look(run, u);
		}
		if (!u->looking)
			polls_until(polls, u->looks > 0 ? u->due_ms : now);
	}
}

static void
wait_for(const struct polls *polls, long long until_ms)
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
for_all(const struct keeping *run, bool (*holds)(const struct check_job *job))
{
	size_t i;

	for (i = 0; i < run->vigil->jobs->count; i++)
		if (!holds(&run->vigil->jobs->jobs[i]))
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
	return job->outcome.settled;
}

static bool
is_ok(const struct check_job *job)
{
	return job->looks > 0 && job->outcome.state == CHECK_OK;
}

static bool
is_clear(const struct check_job *job)
{
	return is_ok(job) || (job->looks > 0 && job->outcome.settled) || job->firm_in_row >= FIRM_LOOKS;
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
	return is_bearable(job) || !(job->outcome.settled || job->firm_in_row >= FIRM_LOOKS);
}

static bool
has_stayed(const struct check_job *job)
{
	return job->bad_in_row == 0 || (job->bad_in_row == 1 && !job->outcome.settled);
}

static bool
is_as_before(const struct check_job *job)
{
	return job->bad_in_row == 0;
}

static void
begin_watch(struct keeping *run, long long now)
{
	char span[CLOCK_SPAN];
	size_t i;

	run->phase = PHASE_WATCH;
	run->watch_until = now + run->vigil->watch_ms;
	for (i = 0; i < run->vigil->jobs->count; i++) {
		struct check_job *job = &run->vigil->jobs->jobs[i];

		job->at_first = job->outcome.state;
		job->bad_in_row = 0;
		if (job->kind->watch != NULL && !job->outcome.settled)
			job->kind->watch(job);
	}
	message_verbose("all looked well; watching for %s", clock_age(run->vigil->watch_ms, span));
}

/* Whether the verdict is due; goes from one part to the next. */
static bool
is_decided(struct keeping *run, long long now)
{
	const struct vigil *v = run->vigil;

	if (!for_all(run, has_looked))
		return false;
	if (run->phase == PHASE_FIRST) {
		if (!for_all(run, is_not_lost) || (v->wait_ms == 0 && v->watch_ms == 0))
			return true;
		run->phase = PHASE_WAIT;
	}
	if (run->phase == PHASE_WAIT) {
		if (!for_all(run, is_not_lost))
			return true;
		if (!for_all(run, is_clear) && now < run->wait_until)
			return false;
		if (v->watch_ms == 0 || !for_all(run, is_bearable))
			return true;
		begin_watch(run, now);
	}
	if (!for_all(run, has_stayed) || for_all(run, is_settled))
		return true;
	/* a bad look that came last waits for the one that confirms it */
	return now >= run->watch_until && for_all(run, is_as_before);
}

/* --- standard input --- */

static volatile sig_atomic_t out_of_time;

/* --timeout in the middle of a stream: there is no more of it. */
static void
on_alarm(int number)
{
	int nothing = open("/dev/null", O_RDONLY);

	(void)number;
	out_of_time = 1;
	(void)dup2(nothing, STDIN_FILENO);
}

static void
arm(long long ms)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_value = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) } };

	sigemptyset(&action.sa_mask);
	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

/* Until the tool before says something, the sessions look how things are now.  False: it never did. */
static bool
wait_for_stream(struct keeping *run)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	struct polls polls;
	long long now;

	while (poll(&in, 1, 0) == 0 && (now = clock_now_ms()) < run->timeout_at) {
		size_t i;

		polls = (struct polls){ .until_ms = now + interval_of(run) };
		polls_add(&polls, STDIN_FILENO, SIGNALS_READ);
		for (i = 0; i < run->count && run->vigil->watch_ms > 0; i++) {
			struct unit *u = &run->units[i];

			if (u->session == NULL || u->count == 0)
				continue;
			if (!u->looking && u->due_ms <= now)
				begin_look(u, now);
			if (u->looking && go_on(u, &polls))
				end_look(run, u);
		}
		wait_for(&polls, polls.until_ms < run->timeout_at ? polls.until_ms : run->timeout_at);
	}
	return clock_now_ms() < run->timeout_at;
}

static void
forget_looks(struct keeping *run)
{
	size_t i;

	for (i = 0; i < run->count; i++) {
		run->units[i].looks = 0;
		run->units[i].stale = run->units[i].looking;
	}
	for (i = 0; i < run->vigil->jobs->count; i++)
		if (!run->vigil->jobs->jobs[i].outcome.settled)
			run->vigil->jobs->jobs[i].looks = 0;
}

/* Within what is left of --timeout; false when that was not enough. */
static bool
read_in_time(struct keeping *run, struct check_job *job, struct reader *reader)
{
	long long left;

	if (!wait_for_stream(run))
		return false;
	left = run->timeout_at - clock_now_ms();
	forget_looks(run);
	check_outcome_clear(&job->outcome);
	if (run->vigil->timeout_ms == 0) {
		job->kind->read(job, reader);
		return true;
	}
	arm(left > 0 ? left : 1);
	job->kind->read(job, reader);
	(void)setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 0 }, { 0, 0 } }, NULL);
	return !out_of_time;
}

static void
read_stream(struct keeping *run, struct check_job *job)
{
	struct reader *reader = reader_open("-", NULL, job->kind->pipeline);
	long long began = clock_now_ms();

	if (reader == NULL) {
		check_cannot(&job->outcome, true);
		job->looks = 1;
		return;
	}
	if (!read_in_time(run, job, reader)) {
		check_outcome_clear(&job->outcome);
		check_say(&job->outcome, CHECK_UNKNOWN,
		    "the tool before had not ended when --timeout was over");
		job->outcome.settled = true;
		run->no_time = true;
	}
	job->outcome.settled |= !asks_database(job);
	job->outcome.took_ms = clock_now_ms() - began;
	job->looks = job->outcome.settled;
	reader_free(reader);
}

/* --- all of it --- */

static void
say_unanswered(struct keeping *run)
{
	size_t i;
	char span[CLOCK_SPAN];

	for (i = 0; i < run->vigil->jobs->count; i++) {
		struct check_job *job = &run->vigil->jobs->jobs[i];

		if (job->looks > 0)
			continue;
		check_outcome_clear(&job->outcome);
		if (run->no_time)
			check_say(&job->outcome, CHECK_UNKNOWN, "no time was left to look (--timeout)");
		else
			check_say(&job->outcome, CHECK_CRITICAL, "no answer; gave up after %s (--timeout)",
			    clock_span(run->vigil->timeout_ms, span));
	}
}

static void
keep(struct keeping *run)
{
	struct polls polls;
	long long now, until;

	run->wait_until = clock_now_ms() + run->vigil->wait_ms;
	for (;;) {
		step(run, &polls);
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
		wait_for(&polls, until);
	}
}

enum check_state
vigil_keep(const struct vigil *vigil)
{
	struct keeping run = { .vigil = vigil, .began_ms = clock_now_ms() };
	enum check_state worst = CHECK_OK;
	size_t i;

	run.timeout_at = run.began_ms + (vigil->timeout_ms > 0 ? vigil->timeout_ms
	    : 365LL * 24 * 3600 * 1000);
	make_units(&run);
	secret_drop_taken();
	for (i = 0; i < vigil->jobs->count; i++)
		if (vigil->jobs->jobs[i].kind->read != NULL && !vigil->jobs->jobs[i].outcome.settled)
			read_stream(&run, &vigil->jobs->jobs[i]);
	keep(&run);
	for (i = 0; i < vigil->jobs->count; i++)
		if (vigil->jobs->jobs[i].kind->last != NULL && vigil->jobs->jobs[i].data != NULL)
			vigil->jobs->jobs[i].kind->last(&vigil->jobs->jobs[i]);
	for (i = 0; i < vigil->jobs->count; i++)
		worst = check_worse(worst, vigil->jobs->jobs[i].outcome.state);
	free_units(&run);
	return worst;
}
