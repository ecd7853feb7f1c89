/* The stream on standard input, read within the time that there is. */
#include "check/run_internal.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/shell_quote.h"
#include "base/signals.h"
#include "postgres/poller.h"
#include "records/record.h"

/* --- standard input --- */

static volatile sig_atomic_t out_of_time;

/* Handles a --timeout in the middle of a stream: ends the reading. */
static void
on_alarm(int number)
{
	int nothing[2]; /* a pipe at its end: an empty container has no /dev/null */

	(void)number;
	out_of_time = 1;
	if (pipe(nothing) != 0)
		return;
	(void)dup2(nothing[0], STDIN_FILENO);
	(void)close(nothing[0]);
	(void)close(nothing[1]);
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

/* An endpoint: a look at it reads nothing that a later one would miss. */
static bool
is_drawn(const struct check_unit *u)
{
	return u->jobs[0]->picture != NULL && u->jobs[0]->kind->look != NULL && u->jobs[0]->kind->watch == NULL;
}

/* Until the tool before says something, the sessions look how things are now.  False: it never did. */
static bool
wait_for_stream(struct check_run *run)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	struct polls polls;
	long long now;

	while (poll(&in, 1, 0) == 0 && (now = clock_now_ms()) < run->timeout_at) {
		size_t i;

		polls = (struct polls){ .until_ms = now + check_run_interval_of(run) };
		polls_add(&polls, STDIN_FILENO, SIGNALS_READ);
		for (i = 0; i < run->count && run->options->watch_ms > 0; i++) {
			struct check_unit *u = &run->units[i];

			if (u->count == 0 || (u->session == NULL && !is_drawn(u)))
				continue;
			if (!u->looking && u->due_ms <= now)
				check_run_begin_look(u, now);
			while (u->looking && check_run_go_on(u, &polls))
				check_run_end_look(run, u);
		}
		check_run_wait_for(&polls, polls.until_ms < run->timeout_at ? polls.until_ms : run->timeout_at);
	}
	return clock_now_ms() < run->timeout_at;
}

static void
forget_looks(struct check_run *run)
{
	size_t i;

	for (i = 0; i < run->count; i++) {
		run->units[i].looks = 0;
		run->units[i].stale = run->units[i].looking;
	}
	for (i = 0; i < run->options->jobs->count; i++)
		if (!run->options->jobs->jobs[i].outcome.final)
			run->options->jobs->jobs[i].looks = 0;
}

/* Within what is left of --timeout; false when that was not enough. */
static bool
read_in_time(struct check_run *run, struct check_job *job, struct reader *reader)
{
	long long left;

	if (!wait_for_stream(run))
		return false;
	left = run->timeout_at - clock_now_ms();
	forget_looks(run);
	check_outcome_clear(&job->outcome);
	if (run->options->timeout_ms == 0) {
		job->kind->read(job, reader);
		return true;
	}
	arm(left > 0 ? left : 1);
	job->kind->read(job, reader);
	(void)setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 0 }, { 0, 0 } }, NULL);
	return !out_of_time;
}

/* What to type where standard input is a terminal: the pipeline of the check, on the same database. */
static char *
pipeline_text(const struct check_run *run, const struct check_job *job)
{
	struct shell_words words = { 0 };
	const char *at = job->kind->pipeline;
	size_t len;

	for (; *at != '\0'; at += len + (at[len] == '\n')) {
		char *word = xstrndup(at, len = strcspn(at, "\n"));

		if (strcmp(word, "|") == 0) {
			free(word);
			continue;
		}
		if (strncmp(word, "mig-", 4) == 0)
			shell_program(&words, word);
		else
			shell_option(&words, word, NULL);
		if (run->options->database != NULL && strncmp(word, "mig-", 4) == 0 && strcmp(word, "mig-plan") != 0)
			shell_option(&words, "-d", run->options->database);
		if (run->options->schema != NULL && strncmp(word, "mig-", 4) == 0 && strcmp(word, "mig-plan") != 0)
			shell_option(&words, "--schema", run->options->schema);
		free(word);
	}
	shell_pipe(&words);
	shell_append(&words, run->options->command);
	return shell_sentence("records are read from a pipe", &words, "as mig-check(1) shows for this check");
}

void
check_run_read_stream(struct check_run *run, struct check_job *job)
{
	char *pipeline = pipeline_text(run, job);
	struct reader *reader = reader_open("-", NULL, pipeline);
	long long began = clock_now_ms();

	free(pipeline);
	if (reader == NULL) {
		check_cannot(&job->outcome, true);
		job->looks = 1;
		return;
	}
	if (!read_in_time(run, job, reader)) {
		check_outcome_clear(&job->outcome);
		check_say(&job->outcome, CHECK_UNKNOWN,
		    "the previous command was still running when --timeout was over");
		job->outcome.final = true;
		run->no_time = true;
	}
	job->outcome.final |= !check_run_asks_database(job);
	job->outcome.took_ms = clock_now_ms() - began;
	job->looks = job->outcome.final;
	reader_free(reader);
}
