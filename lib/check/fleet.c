/*
 * Check "fleet": the results of a deploy to many databases, a stream for each, judged as one.
 *
 * Of one stream after the other only counts stay in memory, and a line for each database that is not well.  A file instead of a
 * folder is a list of targets, which is judged before anything is done (fleet_list.h).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/page.h"
#include "check/check.h"
#include "check/fleet_list.h"
#include "postgres/poller.h"
#include "records/json.h"
#include "records/model.h"
#include "records/record.h"
#include "records/words.h"

enum { NAMES };
static const struct setting settings[] = {
	[NAMES] = { "names", "COUNT", "100", "how many of the databases that are not done are named", SETTING_COUNT, false },
	{ NULL, NULL, NULL, NULL, SETTING_TEXT, false },
};

enum fate { FATE_DONE, FATE_FAILED, FATE_REFUSED, FATE_UNREACHABLE, FATE_BUSY, FATE_BROKEN, FATE_DRY_RUN, FATE_NOT_BEGUN, FATES };

static const char *const fate_words[FATES] = { "done", "failed", "refused", "unreachable", "busy", "broken", "dry run", "not begun" };

#define DATABASES(word) "mig_fleet_databases", "state=\"" word "\"", "Databases of a fleet by how their deploy ended.", METRIC_COUNT, false
static const struct metric metrics[FATES] = {
	[FATE_DONE] = { "done", "done", DATABASES("done") },
	[FATE_FAILED] = { "failed", "failed", DATABASES("failed") },
	[FATE_REFUSED] = { "refused", "refused", DATABASES("refused") },
	[FATE_UNREACHABLE] = { "unreachable", "unreachable", DATABASES("unreachable") },
	[FATE_BUSY] = { "busy", "busy", DATABASES("busy") },
	[FATE_BROKEN] = { "broken", "broken", DATABASES("broken") },
	[FATE_DRY_RUN] = { "dry_run", NULL, DATABASES("dry_run") },
	[FATE_NOT_BEGUN] = { "not_begun", "not_begun", DATABASES("not_begun") },
};

/* How one database fared, and why. */
struct verdict {
	enum fate fate;
	struct bytes why;
};

struct tally {
	size_t of[FATES], all;
	char **lines;        /* of those that are not done, behind a letter by which they are sorted */
	size_t line_count;
	struct bytes path;   /* of the folder of streams, with "/" at its end */
	size_t stem;         /* its length */
};

/* Databases that are judged next. */
enum { AHEAD = 512 };
struct next {
	char *names[AHEAD];
	ino_t inodes[AHEAD];   /* of their streams, as the folder has them; 0: not known */
	size_t count;
};

/* --- one stream --- */

static enum fate
fate_of_code(long long exit_code)
{
	switch (exit_code) {
	case MIG_DATA:
		return FATE_REFUSED;
	case MIG_UNREACHABLE:
		return FATE_UNREACHABLE;
	case MIG_BUSY:
		return FATE_BUSY;
	default:
		return FATE_FAILED;
	}
}

/* The first step that was not done tells; those behind it were not begun. */
static void
take_result(struct verdict *v, const struct result *r)
{
	if (v->fate != FATE_DONE || r->status == STATUS_APPLIED || r->status == STATUS_SKIPPED || r->status == STATUS_MARKED ||
	    r->status == STATUS_REVERTED)
		return;
	v->fate = r->status == STATUS_DEFERRED ? FATE_BUSY : FATE_FAILED;
	bytes_str(&v->why, r->migration);
	check_result_why(&v->why, r);
	if (r->sqlstate != NULL)
		bytes_format(&v->why, " [%s]", r->sqlstate);
}

static enum reading
read_results(struct reader *reader, struct verdict *v)
{
	struct record *record;
	enum reading got;
	bool dry_run = false;
	int code = 0;

	while (code == 0 && (got = reader_next(reader, &record)) == READING_RECORD) {
		struct run run;
		struct result result;

		if (record_is(record, &run_form)) {
			code = record_fill(reader, record, &run_form, &run);
			dry_run = code == 0 && run.dry_run;
		} else if (record_is(record, &result_form)) {
			code = record_fill(reader, record, &result_form, &result);
			if (code == 0 && !dry_run)
				take_result(v, &result);
		} else {
			code = reader_refuse(reader, "unexpected \"%s\" record", record_name(record));
		}
		record_free(record);
	}
	if (dry_run)
		v->fate = FATE_DRY_RUN;
	return code == 0 ? got : READING_BAD;
}

/* The stream of `path`, which is there. */
static void
judge_stream(const char *path, struct verdict *v)
{
	static const char *const kinds[] = { "results", NULL };
	struct reader *reader = reader_open(path, NULL, NULL);
	enum reading got = reader != NULL ? reader_begin(reader, kinds) : READING_BAD;

	if (got == READING_RECORD)
		got = read_results(reader, v);
	if (got == READING_FAILED) {
		v->fate = fate_of_code(reader_failure(reader)->exit_code);
		v->why.len = 0;
		bytes_str(&v->why, reader_failure(reader)->message);
	} else if (got == READING_BAD) {
		v->fate = FATE_BROKEN;
		v->why.len = 0;
		bytes_str(&v->why, "its results are incomplete or invalid");
	}
	reader_free(reader);
}

static void
note(struct tally *t, const struct verdict *v, const char *name, size_t len)
{
	t->all++;
	t->of[v->fate]++;
	if (v->fate == FATE_DONE || v->fate == FATE_DRY_RUN)
		return;
	if ((t->line_count & (t->line_count - 1)) == 0)
		t->lines = xrealloc(t->lines, (t->line_count > 0 ? t->line_count * 2 : 1) * sizeof *t->lines);
	t->lines[t->line_count++] = xformat("%c%-11s %.*s%s%s", 'a' + (int)v->fate, fate_words[v->fate], (int)len, name, v->why.len > 0 ? ": " : "",
	    bytes_text(&v->why));
}

static const char *
path_of(struct tally *t, const char *name)
{
	t->path.len = t->stem;
	bytes_str(&t->path, name);
	bytes_str(&t->path, ".rec");
	return t->path.data;
}

/* The database NAME, whose results are in NAME.rec. */
static void
judge_one(struct tally *t, const char *name, bool begun)
{
	struct verdict v = { .fate = FATE_DONE };

	if (begun)
		judge_stream(path_of(t, name), &v);
	else
		v.fate = FATE_NOT_BEGUN;
	note(t, &v, name, strlen(name));
	bytes_free(&v.why);
}

/* --- many, of which the next are on their way from the disk while one is judged --- */

/* Tells the kernel that the stream will be read.  Returns false if there is none. */
static bool
fetch(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno != ENOENT;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
	(void)close(fd);
	return true;
}

static int
by_inode(const void *a, const void *b)
{
	const ino_t x = *(const ino_t *)a, y = *(const ino_t *)b;

	return x < y ? -1 : x > y;
}

static void
judge_next(struct tally *t, struct next *next)
{
	/* a folder's order is by a hash; a disk has its files by their numbers */
	struct by_place {
		ino_t inode;
		size_t at;
	} order[AHEAD];
	bool begun[AHEAD];
	size_t i;

	for (i = 0; i < next->count; i++)
		order[i] = (struct by_place){ next->inodes[i], i };
	if (next->count > 0 && next->inodes[0] != 0)
		qsort(order, next->count, sizeof *order, by_inode);
	for (i = 0; i < next->count; i++)
		begun[order[i].at] = fetch(path_of(t, next->names[order[i].at]));
	for (i = 0; i < next->count; i++) {
		judge_one(t, next->names[order[i].at], begun[order[i].at]);
		free(next->names[order[i].at]);
	}
	next->count = 0;
}

static void
add_next(struct tally *t, struct next *next, const char *name, size_t len, ino_t inode)
{
	if (next->count == AHEAD)
		judge_next(t, next);
	next->names[next->count] = xstrndup(name, len);
	next->inodes[next->count++] = inode;
}

/* --- all of them --- */

/* Those of a run's list; what its folder has beside them is of no database. */
static void
judge_list(struct tally *t, FILE *list)
{
	struct next next = { .count = 0 };
	char *line = NULL;
	size_t room = 0;

	while (file_next_line(list, &line, &room))
		if (fleet_list_is_target(line))
			add_next(t, &next, line, strcspn(line, "\t\n"), 0);
	judge_next(t, &next);
	free(line);
}

static void
judge_folder(struct tally *t, DIR *folder)
{
	struct next next = { .count = 0 };
	struct dirent *entry;

	while ((entry = readdir(folder)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 4, ".rec") == 0)
			add_next(t, &next, entry->d_name, len - 4, entry->d_ino);
	}
	judge_next(t, &next);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
name_them(struct check_job *job, struct tally *t)
{
	size_t most = (size_t)job->settings[NAMES].number, i;
	struct bytes *details = &job->outcome.details;

	if (t->line_count > 0)
		qsort(t->lines, t->line_count, sizeof *t->lines, by_text);
	for (i = 0; i < t->line_count && i < most; i++)
		bytes_format(details, "%s\n", t->lines[i] + 1);
	if (i < t->line_count)
		bytes_format(details, "…           %zu more (fleet.names)\n", t->line_count - i);
}

static void
judge(struct check_job *job, struct tally *t)
{
	struct check_outcome *o = &job->outcome;
	size_t i;

	if (t->all == 0) {
		check_say(o, CHECK_UNKNOWN, "there are no results in %s", job->value);
		return;
	}
	check_say(o, CHECK_OK, "%zu of ", t->of[FATE_DONE]);
	page_count(&o->message, t->all, "database");
	bytes_str(&o->message, " done");
	for (i = FATE_FAILED; i < FATES; i++)
		if (t->of[i] > 0)
			check_say(o, i == FATE_DRY_RUN ? CHECK_UNKNOWN : CHECK_CRITICAL, "%zu %s", t->of[i], fate_words[i]);
	name_them(job, t);
	for (i = 0; i < FATES; i++)
		(void)check_measure(o, &metrics[i], (long long)t->of[i], NUMBER_UNKNOWN, i == FATE_DONE ? NUMBER_UNKNOWN : 0);
}

static void
cannot_read(struct check_outcome *outcome, const char *path)
{
	check_say(outcome, CHECK_UNKNOWN, "cannot read %s: %s", path, file_why(errno));
	outcome->final = true;
}

/* A run of mig-fleet, which has its streams in out/, or a folder of streams. */
static void
judge_run(struct check_job *job)
{
	char *list_path = xformat("%s/list", job->value), *out = xformat("%s/out", job->value);
	FILE *list = fopen(list_path, "re");
	DIR *folder = open_listing(out);
	struct tally t = { 0 };
	size_t i;

	bytes_format(&t.path, "%s/", folder != NULL || list != NULL ? out : job->value);
	t.stem = t.path.len;
	if (folder == NULL && list == NULL)
		folder = open_listing(job->value);
	if (list != NULL)
		judge_list(&t, list);
	else if (folder != NULL)
		judge_folder(&t, folder);
	if (list == NULL && folder == NULL)
		cannot_read(&job->outcome, job->value);
	else
		judge(job, &t);
	if (list != NULL)
		(void)fclose(list);
	if (folder != NULL)
		(void)closedir(folder);
	for (i = 0; i < t.line_count; i++)
		free(t.lines[i]);
	free(t.lines);
	bytes_free(&t.path);
	free(list_path);
	free(out);
}

/* --- a list, before a run --- */

static void
judge_targets(struct check_job *job)
{
	struct check_outcome *o = &job->outcome;
	FILE *list = fopen(job->value, "re");
	size_t targets = 0, wrong = 0, number = 0, room = 0;
	char *line = NULL;

	if (list == NULL) {
		cannot_read(o, job->value);
		return;
	}
	while (file_next_line(list, &line, &room)) {
		const char *fault;

		number++;
		if (!fleet_list_is_target(line))
			continue;
		targets++;
		if ((fault = fleet_list_fault(line)) == NULL)
			continue;
		if (wrong++ < (size_t)job->settings[NAMES].number)
			bytes_format(&o->details, "%s:%zu: %s\n", job->value, number, fault);
	}
	free(line);
	(void)fclose(list);
	o->final = true;
	if (wrong > 0)
		check_say(o, CHECK_CRITICAL, "%zu of %zu lines of %s are wrong", wrong, targets, job->value);
	else
		check_say(o, targets > 0 ? CHECK_OK : CHECK_UNKNOWN, "%zu target%s in %s", targets, targets == 1 ? "" : "s", job->value);
}

static void
look(struct check_job *job)
{
	struct stat at;

	if (stat(job->value, &at) != 0)
		cannot_read(&job->outcome, job->value);
	else if (S_ISDIR(at.st_mode))
		judge_run(job);
	else
		judge_targets(job);
}

static bool
go_on(struct check_job *job, struct polls *polls)
{
	(void)job;
	(void)polls;
	return true;
}

const struct check_kind check_fleet_kind = {
	.name = "fleet",
	.value = "DIR",
	.help = "a run of mig-fleet: was everything applied?\nOr any folder of results; a file: its list of targets, before a run.",
	.settings = settings,
	.look = look,
	.go_on = go_on,
};
