#include "deploy/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "records/json.h"
#include "records/record.h"
#include "records/words.h"

/* A file with a deploy in it. */
struct kept {
	char *path;
	char started_at[CLOCK_INSTANT];
};

struct log {
	struct output *out;
	struct kept *files;
	size_t count, cap;
	size_t shown;
	int code;             /* of the first file that could not be read */
};

/* The deploy that is being read; its texts are the records'. */
struct deploy_read {
	struct deployed deployed;
	struct record *run;
	struct record *stopped;  /* the result that was not done */
	char **names;            /* of the migrations that are done */
	size_t count, cap;
};

static void
read_free(struct deploy_read *r)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		free(r->names[i]);
	free(r->names);
	record_free(r->run);
	record_free(r->stopped);
	*r = (struct deploy_read){ .count = 0 };
}

static void
note_failure(struct log *log, int code)
{
	log->code = log->code != 0 ? log->code : code;
}

/* --- one file --- */

static void
take_run(struct deployed *d, const struct run *run)
{
	d->plan_digest = run->plan_digest;
	d->system_identifier = run->system_identifier;
	d->database = run->database;
	d->schema = run->schema;
	d->host = run->host;
	d->port = run->port;
	d->user = run->user;
	d->role = run->role;
	d->started_at = run->started_at;
	d->server_time = run->server_time;
	d->lsn = run->lsn;
	d->timeline = run->timeline;
	d->restore_point = run->restore_point;
	d->deployer = run->deployer;
	d->deployer_host = run->deployer_host;
	d->job = run->job;
	d->note = run->note;
}

/* Takes ownership of the record. */
static void
take_result(struct deploy_read *r, struct record *record, const struct result *result)
{
	struct deployed *d = &r->deployed;
	bool done = result->status == STATUS_APPLIED || result->status == STATUS_MARKED || result->status == STATUS_REVERTED;

	d->steps++;
	if (done) {
		ARRAY_ROOM(r->names, r->count, r->cap);
		r->names[r->count++] = xstrdup(result->migration);
		d->done++;
		if (d->status == DEPLOYED_NOTHING)
			d->status = result->status == STATUS_REVERTED ? DEPLOYED_REVERTED
			    : result->status == STATUS_MARKED         ? DEPLOYED_MARKED
			                                              : DEPLOYED_APPLIED;
	} else if (result->status == STATUS_FAILED || result->status == STATUS_DEFERRED) {
		d->status = result->status == STATUS_FAILED ? DEPLOYED_FAILED : DEPLOYED_DEFERRED;
		d->stopped_at = result->migration;
		d->sqlstate = result->sqlstate;
		d->message = result->message;
		record_free(r->stopped);
		r->stopped = record;
		return;
	}
	record_free(record);
}

static enum reading
read_records(struct reader *reader, struct deploy_read *r)
{
	struct record *record;
	enum reading got;

	while ((got = reader_next(reader, &record)) == READING_RECORD) {
		struct run run;
		struct result result;

		if (r->run == NULL && record_is(record, &run_form)) {
			r->run = record;
			if (record_fill(reader, record, &run_form, &run) != 0)
				return READING_BAD;
			r->deployed.status = run.dry_run ? DEPLOYED_DRY : DEPLOYED_NOTHING;
			take_run(&r->deployed, &run);
		} else if (r->run != NULL && record_is(record, &result_form)) {
			if (record_fill(reader, record, &result_form, &result) != 0) {
				record_free(record);
				return READING_BAD;
			}
			if (r->deployed.status == DEPLOYED_DRY)
				record_free(record);
			else
				take_result(r, record, &result);
		} else {
			(void)reader_refuse(reader, "unexpected \"%s\" record", record_name(record));
			record_free(record);
			return READING_BAD;
		}
	}
	return got;
}

/* Whether the file has a deploy that began a step; one that is broken is reported. */
static bool
read_file(struct log *log, const char *path, struct deploy_read *r)
{
	static const char *const kinds[] = { "results", NULL };
	struct reader *reader = reader_open(path, NULL, "results are read from a file or a pipe");
	enum reading got = READING_BAD;
	bool shows = false;

	if (reader == NULL) {
		note_failure(log, message_code());
		return false;
	}
	*r = (struct deploy_read){ .deployed.file = path };
	got = reader_begin(reader, kinds);
	if (got == READING_RECORD)
		got = read_records(reader, r);
	if (got == READING_BAD)
		note_failure(log, reader_code(reader));
	if (got == READING_FAILED && r->run != NULL) {
		r->deployed.status = DEPLOYED_UNFINISHED; /* killed, or running: what it did is in the history */
		r->deployed.message = "it was killed, or is still running";
	}
	if (got == READING_END || got == READING_FAILED)
		shows = r->run != NULL && r->deployed.status != DEPLOYED_NOTHING && r->deployed.status != DEPLOYED_DRY;
	reader_free(reader);
	if (!shows)
		read_free(r);
	return shows;
}

/* --- which files --- */

static void
add_file(struct log *log, const char *path)
{
	struct deploy_read r;

	if (!read_file(log, path, &r))
		return;
	ARRAY_ROOM(log->files, log->count, log->cap);
	log->files[log->count].path = xstrdup(path);
	bytes_copy(log->files[log->count].started_at, CLOCK_INSTANT, r.deployed.started_at);
	log->count++;
	read_free(&r);
}

/* A folder has plans and scans, too; a file that is empty was being written when its writer was killed. */
static bool
has_other_kind(const char *path)
{
	static const char head[] = "{\"record\":\"stream\",\"kind\":\"", kind[] = "results\"";
	char text[sizeof head + sizeof kind] = "";
	int fd = open_regular(AT_FDCWD, path, 0);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

	if (fd >= 0)
		close(fd);
	return len >= 0 && strncmp(text, head, sizeof head - 1) == 0 && strncmp(text + sizeof head - 1, kind, sizeof kind - 1) != 0;
}

static void add_folder(struct log *log, const char *path, unsigned depth);

static void
add_entry(struct log *log, const char *folder, const char *name, unsigned depth)
{
	enum { DEEPEST = 8 };
	char *path = xformat("%s/%s", folder, name);
	size_t len = strlen(name);
	struct stat st;

	if (*name != '.' && lstat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode) && depth < DEEPEST)
			add_folder(log, path, depth + 1);
		else if (S_ISREG(st.st_mode) && len > 4 && strcmp(name + len - 4, ".rec") == 0 && !has_other_kind(path))
			add_file(log, path);
	}
	free(path);
}

static void
add_folder(struct log *log, const char *path, unsigned depth)
{
	DIR *folder = open_listing(path);
	struct dirent *entry;

	if (folder == NULL) {
		note_failure(log, message_error(errno == EACCES ? MIG_DENIED : MIG_DATA, "cannot read %s: %s", path, file_why(errno)));
		return;
	}
	while ((entry = readdir(folder)) != NULL)
		add_entry(log, path, entry->d_name, depth);
	closedir(folder);
}

/* Without a trailing slash, so that names of files have only one. */
static void
add_path(struct log *log, const char *path)
{
	size_t len = strlen(path);
	char *given = xstrndup(path, len > 1 && path[len - 1] == '/' ? len - 1 : len);
	struct stat st;

	if (strcmp(path, "-") != 0 && stat(given, &st) == 0 && S_ISDIR(st.st_mode))
		add_folder(log, given, 0);
	else
		add_file(log, given);
	free(given);
}

/* --- showing --- */

static int
newest_first(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;
	int order = strcmp(y->started_at, x->started_at);

	return order != 0 ? order : strcmp(x->path, y->path);
}

static void
show(struct log *log, struct deploy_read *r)
{
	struct bytes list = { 0 }, page = { 0 };

	json_add_list(&list, (const char *const *)r->names, r->count);
	r->deployed.migrations = list.data;
	if (log->out->writer != NULL)
		writer_put(log->out->writer, &deployed_form, &r->deployed);
	if (log->out->page) {
		ARRAY_ROOM(r->names, r->count, r->cap);
		r->names[r->count] = NULL;
		if (log->shown > 0)
			bytes_char(&page, '\n');
		log_page(&page, &r->deployed, (const char *const *)r->names);
		output_page(&page);
	}
	log->shown++;
	bytes_free(&list);
	bytes_free(&page);
}

int
log_show(char *const paths[], size_t count, struct output *out)
{
	static char releases[] = "releases";
	char *const usual[] = { releases };
	struct log log = { .out = out };
	struct deploy_read r;
	size_t i;
	int code = output_open(out);

	if (code != 0)
		return code;
	if (count == 0 && access(releases, F_OK) != 0)
		return message_error(MIG_DATA, "no releases here: name the result files of mig-apply -o, or their folder");
	for (i = 0; i < (count > 0 ? count : 1); i++)
		add_path(&log, count > 0 ? paths[i] : usual[i]);
	if (log.count > 0)
		qsort(log.files, log.count, sizeof *log.files, newest_first);
	for (i = 0; i < log.count; i++) {
		if (read_file(&log, log.files[i].path, &r)) {
			show(&log, &r);
			read_free(&r);
		}
		free(log.files[i].path);
	}
	free(log.files);
	if (out->page && log.shown == 0 && log.code == 0)
		message_info("no deploy in these files");
	out->complete = log.code == 0;
	return log.code;
}
