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
#include <regex.h>
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

#define NAME "(\"[^\"]{1,120}\"|[^ ]{1,150})"
static const char *const disagreements[] = {
	"(column|relation|table|view|type|sequence|function) " NAME "( of relation " NAME ")? does not exist",
	"cached plan must not change result type",
	"null value in column " NAME "( of relation " NAME ")? violates not-null constraint",
	("invalid input value for enum " NAME),
	"(^|[^[:alnum:]])(P2021|P2022|42P01|42703)([^[:alnum:]]|$)",
};
enum { DISAGREEMENTS = sizeof disagreements / sizeof *disagreements };

/* A field of a structured log that says that there was none. */
static const char no_error[] = "\"?(error|err|fatal|panic)\"?[[:space:]]*[:=][[:space:]]*"
    "(null|nil|<nil>|none|undefined|false|0|\"\"|''|\\{\\}|\\[\\])([,;[:space:]}]|$)";

static const struct metric lines_metric = { "lines", NULL, "mig_log_lines", NULL, "Lines that were read.",
    METRIC_COUNT, false };
static const struct metric errors_metric = { "errors", "errors", "mig_log_error_lines", NULL,
    "Of these, lines of errors.", METRIC_COUNT, false };
static const struct metric found_metric = { "disagreements", "disagreements", "mig_log_disagreement_lines",
    NULL,
	"Of these, lines that show that schema and code disagree, or match a pattern.", METRIC_COUNT, false };

enum { SHOWN = 5, TAIL_BYTES = 16 << 20, BEFORE_BYTES = 1 << 20, LONGEST_LINE = 65536 };

struct expressions {
	regex_t *all;
	size_t count;
};

struct log_job {
	struct expressions wanted, ignored;
	regex_t errors, no_error;
	int fd;                  /* -1: not open */
	bool piped;              /* it is no file: what comes until it ends is read once */
	bool ended;              /* such a one has */
	int error;               /* errno of the last open() or read() */
	struct stat file;
	off_t at;
	struct bytes line;       /* of which no end has come */
	bool before;             /* what is read now was there before */
	bool passing;            /* the rest of a line whose beginning was truncated */
	long long lines, lines_before, errors_now, errors_before, found;
	struct bytes shown;      /* what matched, a line each */
	size_t shown_count;
};

/* --- expressions --- */

static int
add_expression(struct expressions *e, const char *text, const char *setting)
{
	char why[128];
	int code;

	e->all = xrealloc(e->all, (e->count + 1) * sizeof *e->all);
	code = regcomp(&e->all[e->count], text, REG_EXTENDED | REG_ICASE);
	if (code == 0) {
		e->count++;
		return 0;
	}
	regerror(code, &e->all[e->count], why, sizeof why);
	return options_wrong("log.%s=%s: %s", setting, text, why);
}

static int
add_expressions(struct expressions *e, const struct bytes *lines, const char *setting)
{
	const char *at = bytes_text(lines);
	int code = 0;
	size_t len;

	for (; code == 0 && *at != '\0'; at += len + 1) {
		char *one;

		len = strcspn(at, "\n");
		one = xstrndup(at, len);
		code = add_expression(e, one, setting);
		free(one);
	}
	return code;
}

static void
free_expressions(struct expressions *e)
{
	while (e->count > 0)
		regfree(&e->all[--e->count]);
	free(e->all);
}

static bool
matches(const struct expressions *e, const char *line, regmatch_t *where)
{
	size_t i;

	for (i = 0; i < e->count; i++)
		if (regexec(&e->all[i], line, where != NULL ? 1 : 0, where, 0) == 0)
			return true;
	return false;
}

/* --- lines --- */

static void
note(struct log_job *g, const char *line, const regmatch_t *where)
{
	regoff_t len = where->rm_eo - where->rm_so;
	char *text = xformat("%.*s\n", (int)(len > 160 ? 160 : len), line + where->rm_so);

	g->found++;
	if (g->shown_count < SHOWN && strstr(bytes_text(&g->shown), text) == NULL) {
		g->shown_count++;
		bytes_str(&g->shown, text);
	}
	free(text);
}

/* Not one that says that there is none: "error":null, errors are looked for behind it. */
static bool
is_error(const struct log_job *g, const char *line)
{
	regmatch_t none;
	char *rest = NULL;
	bool error = regexec(&g->errors, line, 0, NULL, 0) == 0;

	while (error && regexec(&g->no_error, rest != NULL ? rest : line, 1, &none, 0) == 0) {
		rest = rest != NULL ? rest : xstrdup(line);
		memset(rest + none.rm_so, ' ', (size_t)(none.rm_eo - none.rm_so));
		error = regexec(&g->errors, rest, 0, NULL, 0) == 0;
	}
	free(rest);
	return error;
}

static void
take_line(struct log_job *g, const char *line)
{
	regmatch_t where;
	bool error;

	if (matches(&g->ignored, line, NULL))
		return;
	error = is_error(g, line);
	if (g->before) {
		g->lines_before++;
		g->errors_before += error;
		return;
	}
	g->lines++;
	g->errors_now += error;
	if (matches(&g->wanted, line, &where))
		note(g, line, &where);
}

/* A log that was truncated while it was written to begins with NULs: they must not hide what stands behind them. */
static void
add_text(struct bytes *line, const char *data, size_t len)
{
	const char *nul;

	while ((nul = memchr(data, '\0', len)) != NULL) {
		size_t part = (size_t)(nul - data);

		bytes_add(line, data, part);
		if (line->len > 0 && line->data[line->len - 1] != ' ')
			bytes_char(line, ' ');
		data += part + 1;
		len -= part + 1;
	}
	bytes_add(line, data, len);
}

static void
take_bytes(struct log_job *g, const char *data, size_t len)
{
	while (len > 0) {
		const char *newline = memchr(data, '\n', len);
		size_t part = newline != NULL ? (size_t)(newline - data) : len;

		add_text(&g->line, data, part);
		if (newline != NULL || g->line.len > LONGEST_LINE) {
			if (!g->passing)
				take_line(g, bytes_text(&g->line));
			g->passing = false;
			g->line.len = 0;
		}
		data += part + (newline != NULL);
		len -= part + (newline != NULL);
	}
}

/* A last line without a line break is a line. */
static void
end_line(struct log_job *g)
{
	if (g->line.len > 0)
		take_bytes(g, "\n", 1);
}

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
		take_bytes(g, chunk, (size_t)got);
	}
	g->error = got < 0 && errno != EAGAIN && errno != EINTR ? errno : 0;
	g->ended = g->piped;
	/* a last line without its end may still grow, but not on a pipe that was closed */
	if (g->ended)
		end_line(g);
}

/* --- the file --- */

static void
start_at(struct log_job *g, off_t back)
{
	off_t at = g->file.st_size > back ? g->file.st_size - back : 0;

	g->at = lseek(g->fd, at, SEEK_SET);
	g->passing = at > 0;
	g->line.len = 0;
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
	g->before = true;
	drain(g);
	g->before = false;
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
		end_line(g);
		(void)close(g->fd);
		open_file(job, g, false);
		if (g->fd >= 0)
			drain(g);
	} else if (S_ISREG(now.st_mode) && now.st_size < g->at) {
		end_line(g);
		g->at = lseek(g->fd, 0, SEEK_SET);
		drain(g);
	}
}

/* --- the check --- */

static int
begin(struct check_job *job)
{
	struct log_job *g = xcalloc(1, sizeof *g);
	struct expressions one = { 0 };
	size_t i;
	int code = 0;

	job->data = g;
	g->fd = -1;
	for (i = 0; code == 0 && i < DISAGREEMENTS; i++)
		code = add_expression(&g->wanted, disagreements[i], "pattern");
	if (code == 0)
		code = add_expressions(&g->wanted, &job->settings[PATTERN].lines, "pattern");
	if (code == 0)
		code = add_expressions(&g->ignored, &job->settings[IGNORE].lines, "ignore");
	if (code == 0)
		code = add_expression(&one, job->settings[ERRORS].text, "errors");
	if (code == 0)
		g->errors = one.all[0];
	else
		(void)regcomp(&g->errors, "", 0);
	(void)regcomp(&g->no_error, no_error, REG_EXTENDED | REG_ICASE);
	free(one.all);
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

	if (!job->watches || g->lines_before == 0 || g->errors_now < 5)
		return;
	before = (double)g->errors_before / (double)g->lines_before;
	now = (double)g->errors_now / (double)g->lines;
	if (now <= 3 * before)
		return;
	check_say(&job->outcome, CHECK_WARNING, "%.0f %% of its lines are errors, before %.0f %%", now * 100,
	    before * 100);
}

static void
judge(struct check_job *job, struct log_job *g)
{
	struct check_outcome *o = &job->outcome;
	const char *line = bytes_text(&g->shown);
	size_t len;

	if (g->error != 0) {
		check_say(o, CHECK_UNKNOWN, "cannot read %s: %s", job->value, file_why(g->error));
		return;
	}
	(void)check_measure(o, &lines_metric, g->lines, NUMBER_UNKNOWN, NUMBER_UNKNOWN);
	(void)check_measure(o, &errors_metric, g->errors_now, NUMBER_UNKNOWN, NUMBER_UNKNOWN);
	if (check_measure(o, &found_metric, g->found, NUMBER_UNKNOWN, 0) != CHECK_OK) {
		check_say(o, CHECK_CRITICAL, "%lld line%s that show%s that schema and code disagree: %.*s",
		    g->found, g->found == 1 ? "" : "s",
		    g->found == 1 ? "s" : "", (int)strcspn(line, "\n"), line);
		for (; *line != '\0'; line += len + 1) {
			len = strcspn(line, "\n");
			check_detail(o, "log", "%.*s", (int)len, line);
		}
		o->final = true;
		return;
	}
	judge_errors(job, g);
	check_aside(o, "%lld line%s, %lld of errors", g->lines, g->lines == 1 ? "" : "s", g->errors_now);
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

	g->lines_before += g->lines;
	g->errors_before += g->errors_now;
	g->lines = g->errors_now = 0;
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

	if (g->line.len == 0 || g->error != 0)
		return;
	end_line(g);
	check_outcome_clear(&job->outcome);
	judge(job, g);
}

static void
end(struct check_job *job)
{
	struct log_job *g = job->data;

	free_expressions(&g->wanted);
	free_expressions(&g->ignored);
	regfree(&g->errors);
	regfree(&g->no_error);
	if (g->fd > STDIN_FILENO)
		(void)close(g->fd);
	bytes_free(&g->line);
	bytes_free(&g->shown);
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
