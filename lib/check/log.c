/*
 * Check "log": searches an application's log for lines that show that schema and code disagree.
 *
 * A single poll reads all of the log (of a large one the end).  With several polls only new lines count, and the
 * earlier lines show how many errors are usual.  Of a line only the match is shown, because the rest may be
 * confidential.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/null.h"
#include "base/options.h"
#include "base/signals.h"
#include "check/check.h"
#include "check/log_lines.h"
#include "postgres/poller.h"

enum { PATTERN, IGNORE, ERRORS };
static const struct setting settings[] = {
	[PATTERN] = { "pattern", "REGEX", NULL,
	    "additional pattern for CRITICAL lines (extended regular expression); repeatable",
	    SETTING_TEXT, true },
	[IGNORE] = { "ignore", "REGEX", NULL, "pattern for lines to ignore; repeatable", SETTING_TEXT,
	    true },
	[ERRORS] = { "errors", "REGEX", "(^|[^[:alpha:]])(error|fatal|panic)([^[:alpha:]]|$)",
	    "pattern for error lines, case-insensitive (not \"error\":null);\nwith --watch, many more of them than before "
	    "are WARNING", SETTING_TEXT, false },
	{ NULL, NULL, NULL, NULL, SETTING_TEXT, false },
};

enum { TAIL_BYTES = 16 << 20, BEFORE_BYTES = 1 << 20 };

struct log_job {
	struct log_lines read;   /* what was read */
	int fd;                  /* -1: not open */
	bool piped;              /* it is no file: what comes until it ends is read once */
	bool ended;              /* such a one has */
	int error;               /* errno of the last open() or read() */
	struct stat file;
	off_t at;
};

static const struct metric lines_metric = { "lines", NULL, "mig_log_lines", NULL, "Lines that were read.",
    METRIC_COUNT, false };
static const struct metric errors_metric = { "errors", "errors", "mig_log_error_lines", NULL,
    "Of these, lines of errors.", METRIC_COUNT, false };
static const struct metric found_metric = { "disagreements", "disagreements", "mig_log_disagreement_lines",
    NULL,
	"Of these, lines that show that schema and code disagree, or match a pattern.", METRIC_COUNT, false };

/* Reads what there is. */
static void
drain(struct log_job *g)
{
	static char chunk[65536];
	ssize_t got = 0;

	for (;;) {
		if (g->piped && poll(&(struct pollfd){ .fd = g->fd, .events = POLLIN }, 1,
		    0) <= 0)
			return;
		got = read(g->fd, chunk, sizeof chunk);
		if (got <= 0)
			break;
		g->at += got;
		log_lines_add(&g->read, chunk, (size_t)got);
	}
	g->error = got < 0 && errno != EAGAIN && errno != EINTR ? errno : 0;
	g->ended = g->piped;
	/* a last line without its end may still grow, but not on a pipe that was closed */
	if (g->ended)
		log_lines_end(&g->read);
}

/* --- the file --- */

static void
start_at(struct log_job *g, off_t back)
{
	off_t at = g->file.st_size > back ? g->file.st_size - back : 0;

	g->at = lseek(g->fd, at, SEEK_SET);
	g->read.passing = at > 0;
	g->read.line.len = 0;
}

/*
 * A FIFO with a name may have no writer yet, or no more: who looks only once learns nothing from one that is empty.
 * Returns -1 with errno set.
 */
static int
open_fifo(const struct check_job *job)
{
	int fd = open(job->value, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat file;
	bool written = fd >= 0 && fstat(fd, &file) == 0 && S_ISFIFO(file.st_mode) &&
	    (job->waits || job->watches || poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 0) > 0);

	if (fd >= 0 && !written) {
		(void)close(fd);
		fd = -1;
		errno = ENXIO;
	}
	return fd;
}

static void
open_file(struct check_job *job, struct log_job *g, bool first)
{
	bool fifo = false;

	g->fd = open_given(job->value);
	if (g->fd < 0 && errno == ENXIO) {
		g->fd = open_fifo(job);
		fifo = true;
	}
	g->at = 0;
	g->error = g->fd < 0 || fstat(g->fd, &g->file) != 0 ? errno : 0;
	g->piped = g->error == 0 && !S_ISREG(g->file.st_mode) && !fifo;
	if (g->error != 0 || !first || fifo || g->piped)
		return;
	if (!job->waits && !job->watches) {
		start_at(g, TAIL_BYTES);
		return;
	}
	start_at(g, BEFORE_BYTES);
	g->read.before = true;
	drain(g);
	g->read.before = false;
}

/* After rotation a log continues in a new file; a truncated log starts again. */
static void
follow(struct check_job *job, struct log_job *g)
{
	struct stat now;

	if (stat(job->value, &now) != 0)
		return; /* between two files */
	if (now.st_ino != g->file.st_ino || now.st_dev != g->file.st_dev) {
		drain(g);
		log_lines_end(&g->read);
		(void)close(g->fd);
		open_file(job, g, false);
		if (g->fd >= 0)
			drain(g);
	} else if (S_ISREG(now.st_mode) && now.st_size < g->at) {
		log_lines_end(&g->read);
		g->at = lseek(g->fd, 0, SEEK_SET);
		drain(g);
	}
}

/* --- the check --- */

static int
begin(struct check_job *job)
{
	struct log_job *g = xcalloc(1, sizeof *g);
	int code;

	job->data = g;
	g->fd = -1;
	code = log_lines_begin(&g->read, &job->settings[PATTERN].lines, &job->settings[IGNORE].lines, job->settings[ERRORS].text);
	if (code != 0)
		return code;
	if (strcmp(job->value, "-") == 0) {
		g->fd = STDIN_FILENO;
		g->piped = true;
	} else {
		open_file(job, g, true); /* now: what comes from here on is not missed */
	}
	return 0;
}

static void
judge_errors(struct check_job *job, const struct log_job *g)
{
	double before, now;

	if (!job->watches || g->read.lines_before == 0 || g->read.errors_now < 5)
		return;
	before = (double)g->read.errors_before / (double)g->read.lines_before;
	now = (double)g->read.errors_now / (double)g->read.lines;
	if (now <= 3 * before)
		return;
	check_say(&job->outcome, CHECK_WARNING, "%.0f %% of its lines are errors, before %.0f %%", now * 100,
	    before * 100);
}

static void
judge(struct check_job *job, struct log_job *g)
{
	struct check_outcome *o = &job->outcome;
	const char *line = bytes_text(&g->read.shown);
	size_t len;

	if (g->error != 0) {
		check_say(o, CHECK_UNKNOWN, "cannot read %s: %s", job->value, file_why(g->error));
		return;
	}
	(void)check_measure(o, &lines_metric, g->read.lines, NUMBER_UNKNOWN, NUMBER_UNKNOWN);
	(void)check_measure(o, &errors_metric, g->read.errors_now, NUMBER_UNKNOWN, NUMBER_UNKNOWN);
	if (check_measure(o, &found_metric, g->read.found, NUMBER_UNKNOWN, 0) != CHECK_OK) {
		check_say(o, CHECK_CRITICAL, "%lld line%s that show%s that schema and code disagree: %.*s",
		    g->read.found, g->read.found == 1 ? "" : "s",
		    g->read.found == 1 ? "s" : "", (int)strcspn(line, "\n"), line);
		for (; *line != '\0'; line += len + 1) {
			len = strcspn(line, "\n");
			check_detail(o, "log", "%.*s", (int)len, line);
		}
		o->final = true;
		return;
	}
	judge_errors(job, g);
	check_aside(o, "%lld line%s, %lld of errors", g->read.lines, g->read.lines == 1 ? "" : "s", g->read.errors_now);
	/* nothing more can come */
	o->final = g->ended || (!job->watches && !job->waits);
}

static void
look(struct check_job *job)
{
	struct log_job *g = job->data;

	if (g->fd < 0)
		open_file(job, g, false);
	if (g->error != 0)
		return;
	drain(g);
	if (!g->piped)
		follow(job, g);
}

/* What came while it was waited for is how it is as a rule. */
static void
watch(struct check_job *job)
{
	struct log_job *g = job->data;

	g->read.lines_before += g->read.lines;
	g->read.errors_before += g->read.errors_now;
	g->read.lines = g->read.errors_now = 0;
}

static bool
go_on(struct check_job *job, struct polls *polls)
{
	struct log_job *g = job->data;

	if (g->piped && !g->ended && !job->watches && !job->waits) {
		drain(g);
		if (!g->ended) {
			polls_add(polls, g->fd, SIGNALS_READ);
			return false;
		}
	}
	check_outcome_clear(&job->outcome);
	judge(job, g);
	return true;
}

static void
last(struct check_job *job)
{
	struct log_job *g = job->data;

	if (g->read.line.len == 0 || g->error != 0)
		return;
	log_lines_end(&g->read);
	check_outcome_clear(&job->outcome);
	judge(job, g);
}

static void
end(struct check_job *job)
{
	struct log_job *g = job->data;

	log_lines_free(&g->read);
	if (g->fd > STDIN_FILENO)
		(void)close(g->fd);
	free(g);
}

const struct check_kind check_log_kind = {
	.name = "log",
	.value = "FILE|-",
	.dash_is_stdin = true,
	.help = "an application's log: do schema and code disagree?\n"
	        "No such column or table, cached plan, P2021, P2022; - is standard input. With --wait and --watch: "
	        "what comes from now on",
	.settings = settings,
	.begin = begin,
	.look = look,
	.go_on = go_on,
	.watch = watch,
	.last = last,
	.end = end,
};
