/*
 * mig-scan: reads the migrations folder and the database's history, and says how they stand.
 * Changes nothing.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/atomic_file.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/options.h"
#include "base/shell_quote.h"
#include "base/signals.h"
#include "base/terminal.h"
#include "catalog/page.h"
#include "catalog/stream.h"
#include "database/inspect.h"
#include "datamodel/files.h"
#include "migrations/folder.h"
#include "migrations/history.h"
#include "migrations/status.h"
#include "plan/pages.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "records/output.h"
#include "records/record.h"
#include "secret/source.h"
#include "programs.h"

static const char *const usage[] = {
	"mig-scan [-d SOURCE] [--offline] [--wait=TIME] [-o FILE] [DIR | -]",
	"mig-scan --datamodel=FILE|DIR [-o FILE]",
	NULL,
};
enum { OPTION_OFFLINE = 128, OPTION_WAIT, OPTION_DATAMODEL };
static const struct option_spec specs[] = {
	OPTION_DATABASE,
	{ OPTION_OFFLINE, "offline", NULL, "read the folder alone", false },
	{ OPTION_WAIT, "wait", "TIME",
	    "how long to go on trying while the server is not there yet, starts\nup, or has no connection left (default 0)", false },
	{ OPTION_DATAMODEL, "datamodel", "FILE|DIR",
	    "read schema.prisma, or all *.prisma of a folder, and nothing else:\nthe schema that the code expects", false },
	OPTION_OUTPUT,
	OPTION_FORMAT("text|records"),
	OPTION_LAST,
};
const struct program mig_scan_program = {
	.name = "mig-scan",
	.about = "how a migrations folder and a database's history stand",
	.usage = usage,
	.options = specs,
	.more = "DIR is prisma/migrations by default, else migrations. With `-` an offline scan is\n"
	        "read from standard input, and the database side is added.\n"
	        "\n"
	        "examples:\n"
	        "  mig-scan                              the status page\n"
	        "  mig-scan | mig-plan                   what a deploy would do\n"
	        "  mig-scan | mig-plan | mig-apply       deploy\n"
	        "  mig-scan --offline | ssh bastion 'mig-scan - | mig-plan | mig-apply'\n"
	        "\n"
	        "exit codes: 0 done, 64 usage, 65 bad input, 69 unreachable, 74 output lost,\n"
	        "75 not now, 77 permission denied, 78 no usable connection string\n",
};

struct request {
	const char *database;  /* -d */
	const char *dir;       /* NULL: the usual places; "-": standard input */
	bool offline;
	long long wait_ms;
	const char *wait;      /* as it was said */
	const char *datamodel; /* --datamodel; NULL: a scan */
};

/* What is to be freed, in one place. */
struct job {
	struct source source;
	struct db *db;
	struct survey survey;
	struct history_index index;
	struct folder folder;
	struct reader *reader;
	struct scan scan;
	size_t cap;
	struct shell_words words;   /* this scan, to be typed again */
};

static int
read_command_line(int argc, char *argv[], struct request *request, struct output *out)
{
	struct options o;
	int option;

	options_begin(&o, &mig_scan_program, argc, argv);
	while ((option = options_next(&o)) != OPTIONS_DONE) {
		switch (option) {
		case OPTIONS_WRONG:
			return MIG_USAGE;
		case 'd':
			request->database = o.value;
			break;
		case OPTION_OFFLINE:
			request->offline = true;
			break;
		case OPTION_WAIT:
			if (options_time("wait", o.value, &request->wait_ms) != 0)
				return MIG_USAGE;
			request->wait = o.value;
			break;
		case OPTION_DATAMODEL:
			request->datamodel = o.value;
			break;
		case 'o':
		case 'F':
			if (output_option(out, option, o.value, "text|records") != 0)
				return MIG_USAGE;
			break;
		}
	}
	if (request->offline && request->database != NULL)
		return options_wrong("--offline and --database contradict each other");
	if (options_one_operand(&o, &request->dir) != 0)
		return MIG_USAGE;
	if (request->datamodel != NULL &&
	    (request->database != NULL || request->offline || request->wait != NULL || request->dir != NULL))
		return options_wrong("--datamodel reads a datamodel alone: no database, and no folder of migrations");
	if (request->offline && request->dir != NULL && strcmp(request->dir, "-") == 0)
		return options_wrong("--offline reads a folder, not standard input");
	return 0;
}

static void
add_options(struct shell_words *words, const struct request *request)
{
	if (request->database != NULL && source_word_is_public(request->database))
		shell_option(words, "-d", request->database);
	words->unknown |= !source_word_is_public(request->database);
	if (request->offline)
		shell_option(words, "--offline", NULL);
	if (request->wait != NULL)
		shell_option(words, "--wait", request->wait);
}

/* What to type for this scan; not known where it came through a pipe, or -d may not be shown. */
static void
take_words(struct job *job, const struct request *request)
{
	struct shell_words *words = &job->words;

	shell_program(words, "mig-scan");
	add_options(words, request);
	if (request->dir != NULL || (job->folder.path != NULL && strcmp(job->folder.path, "prisma/migrations") != 0))
		shell_path(words, request->dir != NULL ? request->dir : job->folder.path);
	words->unknown |= job->reader != NULL;
	job->scan.command = shell_words(words);
}

static int
read_database(struct job *job, const struct request *request)
{
	const struct db_patience patience = { request->wait_ms, request->wait_ms };
	int code;

	if (request->offline)
		return 0;
	code = source_open(&job->source, request->database);
	if (code != 0)
		return code;
	if ((job->db = db_open(&job->source, "mig-scan", &patience, &code)) == NULL)
		return code;
	secret_free(job->source.password); /* connected: it is not needed again */
	job->source.password = NULL;
	code = survey_take(job->db, &job->source.target, false, &job->survey);
	job->scan.has_database = code == 0;
	job->scan.database = job->survey.database;
	job->scan.history = job->survey.rows;
	job->scan.history_count = job->survey.count;
	job->index = history_index(job->scan.history, job->scan.history_count);
	return code;
}

static void
write_database(const struct scan *scan, struct writer *writer)
{
	size_t i;

	if (writer == NULL || !scan->has_database)
		return;
	writer_put(writer, &database_form, &scan->database);
	for (i = 0; i < scan->history_count; i++)
		writer_put(writer, &history_form, &scan->history[i]);
}

/* Writes a migration, and keeps of it what the page needs: not its text. */
static void
take_migration(struct job *job, struct migration *m, struct writer *writer)
{
	struct migration kept = { .migration = m->migration, .flaw = m->flaw, .record = m->record };

	status_look_at(&job->index, m);
	kept.edited = m->edited;
	kept.edited_blanks = m->edited_blanks;
	if (writer != NULL)
		writer_put(writer, &migration_form, m);
	ARRAY_ROOM(job->scan.migrations, job->scan.migration_count, job->cap);
	job->scan.migrations[job->scan.migration_count++] = kept;
}

static int
read_folder(struct job *job, struct writer *writer)
{
	struct script script = { 0 };
	int code = 0;
	size_t i;

	for (i = 0; code == 0 && i < job->folder.count; i++) {
		code = folder_read(&job->folder, i, &script);
		if (code == 0)
			take_migration(job, &script.migration, writer);
	}
	script_free(&script);
	return code;
}

/* An offline scan from another host: its migrations pass through, one at a time. */
static int
read_stream(struct job *job, struct output *out)
{
	static const char *const kinds[] = { "scan", NULL };
	enum reading got = reader_begin(job->reader, kinds);
	struct record *record;

	while (got == READING_RECORD && (got = reader_next(job->reader, &record)) == READING_RECORD) {
		struct migration m = { .record = record };

		if (!record_is(record, &migration_form)) {
			(void)reader_refuse(job->reader, record_is(record, &database_form)
			        ? "this scan has a database already; an offline one is wanted: mig-scan --offline"
			        : "this record does not belong here");
			record_free(record);
			return MIG_DATA;
		}
		if (migration_fill(job->reader, record, &m) != 0) {
			record_free(record);
			return MIG_DATA;
		}
		take_migration(job, &m, out->writer);
		record_forget(record, "sql");
	}
	if (got == READING_FAILED) {
		out->upstream = reader_failure(job->reader);
		return (int)out->upstream->exit_code;
	}
	if (got == READING_END)
		writer_folder(out->writer, reader_folder(job->reader));
	return got == READING_END ? 0 : MIG_DATA;
}

static int
open_input(struct job *job, const struct request *request)
{
	struct shell_words words = { 0 };
	char *pipeline;

	if (request->dir == NULL || strcmp(request->dir, "-") != 0)
		return folder_open(&job->folder, request->dir);
	shell_program(&words, "mig-scan");
	shell_option(&words, "--offline", NULL);
	shell_program(&words, "mig-scan");
	add_options(&words, request);
	shell_option(&words, "-", NULL);
	pipeline = shell_sentence("an offline scan is read from a pipe", &words, "mig-scan --offline makes it");
	job->reader = reader_open("-", "Nothing was scanned.", pipeline);
	free(pipeline);
	return job->reader != NULL ? 0 : message_code();
}

static void
show_page(const struct job *job)
{
	struct status status = status_make(&job->scan, &job->index);
	struct bytes page = { 0 };
	char age[CLOCK_SPAN];
	bool deploying = job->scan.has_database && job->survey.deploying_ms != RECORD_NULL;

	face_status(&page, &job->scan, &status, job->folder.path,
	    deploying ? clock_age(job->survey.deploying_ms, age) : NULL,
	    terminal_page_width(STDOUT_FILENO), message_verbosity > 0);
	output_page(&page);
	bytes_free(&page);
	status_free(&status);
}

static bool
read_ahead(void *context)
{
	return folder_read_ahead(context);
}

static int
scan(struct job *job, const struct request *request, struct output *out)
{
	int code = open_input(job, request);

	take_words(job, request);
	if (code == 0)
		code = output_open(out);
	writer_command(out->writer, job->scan.command);
	writer_folder(out->writer, job->folder.path);
	if (job->reader == NULL)
		signals_meanwhile(read_ahead, &job->folder);
	if (code == 0)
		code = read_database(job, request);
	signals_meanwhile(NULL, NULL);
	if (code != 0)
		return code;
	write_database(&job->scan, out->writer);
	code = job->reader != NULL ? read_stream(job, out) : read_folder(job, out->writer);
	out->complete = code == 0;
	if (code == 0 && out->page)
		show_page(job);
	return code;
}

/* --- --datamodel --- */

static void
show_schema(const struct catalog *catalog)
{
	struct bytes page = { 0 };

	face_schema(&page, catalog);
	output_page(&page);
	bytes_free(&page);
}

static int
scan_datamodel(const char *path, struct output *out)
{
	struct catalog catalog = { 0 };
	int code = output_open(out);

	if (code == 0)
		code = datamodel_open(path, &catalog);
	if (code == 0 && out->writer != NULL)
		catalog_write(&catalog, out->writer);
	if (code == 0 && out->page)
		show_schema(&catalog);
	out->complete = code == 0;
	catalog_free(&catalog);
	return code;
}

int
main(int argc, char *argv[])
{
	struct request request = { 0 };
	struct output out = { .kind = "scan" };
	struct job job = { .folder.fd = -1 };
	size_t i;
	int code;

	secret_begin(argc, argv);
	message_begin("mig-scan");
	signals_end_after(beside_abandon);
	output_begin(&out, &mig_scan_program, argc, argv, "text|records");
	code = read_command_line(argc, argv, &request, &out);
	out.kind = request.datamodel != NULL ? SCHEMA_STREAM : "scan";
	if (code == 0)
		code = request.datamodel != NULL ? scan_datamodel(request.datamodel, &out) : scan(&job, &request, &out);
	code = output_close(&out, code);
	history_index_free(&job.index);
	survey_free(&job.survey);
	db_close(job.db);
	source_free(&job.source);
	folder_close(&job.folder);
	for (i = 0; i < job.scan.migration_count; i++)
		record_free(job.scan.migrations[i].record);
	free(job.scan.migrations);
	shell_words_free(&job.words);
	reader_free(job.reader);
	return code;
}
