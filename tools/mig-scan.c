/*
 * mig-scan: reads the migrations folder and the database's history, and says how they stand; or writes a schema: that of a
 * datamodel, of a database, or the one that the migrations make in a scratch database.
 * Changes nothing else.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/options.h"
#include "base/shell_quote.h"
#include "base/signals.h"
#include "base/terminal.h"
#include "catalog/catalog.h"
#include "catalog/page.h"
#include "catalog/read.h"
#include "catalog/stream.h"
#include "database/inspect.h"
#include "datamodel/files.h"
#include "migrations/folder.h"
#include "migrations/history.h"
#include "migrations/status.h"
#include "plan/pages.h"
#include "postgres/connection.h"
#include "records/json.h"
#include "records/model.h"
#include "records/output.h"
#include "records/record.h"
#include "scratch/replay_folder.h"
#include "scratch/scratch.h"
#include "secret/secret.h"
#include "secret/source.h"
#include "program.h"
#include "programs.h"

static const char *const usage[] = {
	"mig-scan [-d SOURCE] [--offline] [--wait=TIME] [-o FILE] [DIR | -]",
	"mig-scan --datamodel=FILE|DIR [-o FILE]",
	"mig-scan --catalog [-d SOURCE] [--grants] [--wait=TIME] [-o FILE]",
	"mig-scan --replay [--to=NAME] [--scratch=SOURCE [--same-server]] [--grants] [-o FILE] [DIR]",
	NULL,
};
enum { OPTION_OFFLINE = 128, OPTION_WAIT, OPTION_DATAMODEL, OPTION_CATALOG, OPTION_GRANTS, OPTION_REPLAY, OPTION_TO, OPTION_SCRATCH,
	OPTION_SAME_SERVER };
static const struct option_spec specs[] = {
	OPTION_DATABASE,
	{ OPTION_OFFLINE, "offline", NULL, "read the folder alone", false },
	{ OPTION_WAIT, "wait", "TIME",
	    "how long to go on trying while the server is not there yet, starts\nup, or has no connection left (default 0)", false },
	{ OPTION_DATAMODEL, "datamodel", "FILE|DIR",
	    "read schema.prisma, or all *.prisma of a folder, and nothing else:\nthe schema that the code expects", false },
	{ OPTION_CATALOG, "catalog", NULL, "read the catalog of the database: the schema that it has", false },
	{ OPTION_REPLAY, "replay", NULL, "run the migrations in a scratch database: the schema that they make", false },
	{ OPTION_TO, "to", "NAME", "with --replay: the last migration to run", false },
	{ OPTION_SCRATCH, "scratch", "SOURCE",
	    "a server for the scratch database, as for -d (default:\nSHADOW_DATABASE_URL where it is set, else one of our own)", false },
	{ OPTION_SAME_SERVER, "same-server", NULL, "--scratch may be another database of production's server", false },
	{ OPTION_GRANTS, "grants", NULL, "with --catalog or --replay: also who may do what", false },
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
	        "  mig-scan --replay                     do all migrations run, and what do they make?\n"
	        "  mig-scan --catalog                    what does the database have?\n"
	        "\n"
	        "exit codes: 0 done, 1 a migration does not run, 64 usage, 65 bad input, 69 unreachable,\n"
	        "74 output lost, 75 not now, 77 permission denied, 78 no usable connection string or no\n"
	        "scratch server\n",
};

/* What is read: the history and the folder, or one schema. */
enum mode { MODE_SCAN, MODE_DATAMODEL, MODE_CATALOG, MODE_REPLAY };
static const char *const mode_options[] = { "", "--datamodel", "--catalog", "--replay" };

struct request {
	const char *database;  /* -d */
	const char *dir;       /* NULL: the usual places; "-": standard input */
	bool offline;
	long long wait_ms;
	const char *wait;      /* as it was said */
	enum mode mode;
	const char *datamodel; /* --datamodel */
	bool grants;
	const char *to, *scratch; /* --replay's */
	bool same_server;
};

/* What is to be freed, in one place. */
struct job {
	struct source source;
	struct db *db;
	struct inspection inspection;
	struct history_index index;
	struct folder folder;
	struct reader *reader;
	struct scan scan;
	size_t cap;
	struct shell_words words;   /* this scan, to be typed again */
	struct catalog catalog;     /* of the modes that read a schema */
};

static int
set_mode(struct request *request, enum mode mode, struct output *out)
{
	if (request->mode != MODE_SCAN)
		return options_wrong("%s and %s contradict each other", mode_options[request->mode], mode_options[mode]);
	request->mode = mode;
	out->kind = SCHEMA_STREAM;
	return 0;
}

/* What only some modes take. */
static int
check_mode(const struct request *request)
{
	const char *mode = mode_options[request->mode];
	bool reads_folder = request->mode == MODE_SCAN || request->mode == MODE_REPLAY;

	if (request->mode == MODE_DATAMODEL &&
	    (request->database != NULL || request->offline || request->wait != NULL || request->dir != NULL))
		return options_wrong("--datamodel reads a datamodel alone: no database, and no folder of migrations");
	if (request->offline && request->mode != MODE_SCAN)
		return options_wrong("--offline and %s contradict each other", mode);
	if (request->dir != NULL && !reads_folder)
		return options_wrong("%s reads no folder: %s", mode, request->dir);
	if (request->dir != NULL && strcmp(request->dir, "-") == 0 && (request->offline || request->mode == MODE_REPLAY))
		return options_wrong("%s reads a folder, not standard input", request->offline ? "--offline" : mode);
	if (request->mode != MODE_REPLAY && (request->to != NULL || request->scratch != NULL || request->same_server))
		return options_wrong("--to, --scratch and --same-server are for --replay");
	if (request->grants && request->mode != MODE_CATALOG && request->mode != MODE_REPLAY)
		return options_wrong("--grants is for --catalog and --replay");
	return 0;
}

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
		case OPTION_CATALOG:
		case OPTION_REPLAY:
			if (set_mode(request, option == OPTION_DATAMODEL ? MODE_DATAMODEL : option == OPTION_CATALOG ? MODE_CATALOG : MODE_REPLAY, out) != 0)
				return MIG_USAGE;
			request->datamodel = option == OPTION_DATAMODEL ? o.value : NULL;
			break;
		case OPTION_GRANTS:
			request->grants = true;
			break;
		case OPTION_TO:
			request->to = o.value;
			break;
		case OPTION_SCRATCH:
			request->scratch = o.value;
			break;
		case OPTION_SAME_SERVER:
			request->same_server = true;
			break;
		case 'o':
		case 'F':
			if (output_option(out, option, o.value) != 0)
				return MIG_USAGE;
			break;
		}
	}
	if (request->offline && request->database != NULL)
		return options_wrong("--offline and --database contradict each other");
	if (options_one_operand(&o, &request->dir) != 0)
		return MIG_USAGE;
	return check_mode(request);
}

static void
add_options(struct shell_words *words, const struct request *request)
{
	if (request->database != NULL && source_word_is_public(request->database))
		shell_option(words, "-d", request->database);
	words->unknown |= !source_word_is_public(request->database) || !source_word_is_public(request->scratch);
	if (request->offline)
		shell_option(words, "--offline", NULL);
	if (request->mode != MODE_SCAN)
		shell_option(words, mode_options[request->mode], request->datamodel);
	if (request->to != NULL)
		shell_option(words, "--to", request->to);
	if (request->scratch != NULL && source_word_is_public(request->scratch))
		shell_option(words, "--scratch", request->scratch);
	if (request->same_server)
		shell_option(words, "--same-server", NULL);
	if (request->grants)
		shell_option(words, "--grants", NULL);
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
	code = inspect_take(job->db, &job->source.target, false, &job->inspection);
	job->scan.has_database = code == 0;
	job->scan.database = job->inspection.database;
	job->scan.history = job->inspection.rows;
	job->scan.history_count = job->inspection.count;
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
	bool deploying = job->scan.has_database && job->inspection.deploying_ms != NUMBER_UNKNOWN;

	pages_status(&page, &job->scan, &status, job->folder.path,
	    deploying ? clock_age(job->inspection.deploying_ms, age) : NULL,
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

/* --- schemas --- */

static void
show_schema(const struct catalog *catalog)
{
	struct bytes page = { 0 };

	page_schema(&page, catalog);
	output_page(&page);
	bytes_free(&page);
}

static int
read_catalog(struct job *job, const struct request *request)
{
	const struct db_patience patience = { request->wait_ms, request->wait_ms };
	int code = source_open(&job->source, request->database);

	if (code != 0)
		return code;
	if ((job->db = db_open(&job->source, "mig-scan", &patience, &code)) == NULL)
		return code;
	secret_free(job->source.password); /* connected: it is not needed again */
	job->source.password = NULL;
	return catalog_of_database(job->db,
	    &(struct catalog_wish){ SOURCE_CATALOG, db_database(job->db), job->source.target.schema, request->grants }, &job->catalog);
}

/* Production's string says the schema; it is only asked who it is, and that where a scratch server is named. */
static int
read_replay(struct job *job, const struct request *request)
{
	bool known = request->database != NULL || source_is_set("MIG_DATABASE") || source_is_set("DATABASE_URL");
	struct replay_wish wish = { .to = request->to, .grants = request->grants };
	int code = known ? source_open(&job->source, request->database) : 0;

	if (code != 0)
		return code;
	wish.order = (struct scratch_order){ .source = request->scratch,
		.same_server = request->same_server,
		.production = known ? &job->source : NULL,
		.schema = job->source.target.schema,
		.wait_ms = request->wait_ms };
	return replay_folder(&job->folder, &wish, &job->catalog);
}

static int
read_schema(struct job *job, const struct request *request)
{
	switch (request->mode) {
	case MODE_DATAMODEL:
		return datamodel_open(request->datamodel, &job->catalog);
	case MODE_CATALOG:
		return read_catalog(job, request);
	default:
		return read_replay(job, request);
	}
}

static int
scan_schema(struct job *job, const struct request *request, struct output *out)
{
	int code = 0;

	if (request->mode == MODE_REPLAY) {
		signals_begin(); /* a scratch database is dropped, whatever ends us */
		code = open_input(job, request);
	}
	take_words(job, request);
	if (code == 0)
		code = output_open(out);
	writer_command(out->writer, job->scan.command);
	if (code == 0)
		code = read_schema(job, request);
	if (code == 0 && out->writer != NULL)
		catalog_write(&job->catalog, out->writer);
	if (code == 0 && out->page)
		show_schema(&job->catalog);
	out->complete = code == 0;
	return code;
}

int
main(int argc, char *argv[])
{
	struct request request = { 0 };
	struct output out = { .kind = "scan", .formats = "text|records" };
	struct job job = { .folder.fd = -1 };
	size_t i;
	int code;

	program_begin(&out, &mig_scan_program, argc, argv, 0);
	code = read_command_line(argc, argv, &request, &out);
	if (code == 0)
		code = request.mode != MODE_SCAN ? scan_schema(&job, &request, &out) : scan(&job, &request, &out);
	code = program_end(&out, code);
	history_index_free(&job.index);
	inspect_free(&job.inspection);
	db_close(job.db);
	source_free(&job.source);
	folder_close(&job.folder);
	for (i = 0; i < job.scan.migration_count; i++)
		record_free(job.scan.migrations[i].record);
	free(job.scan.migrations);
	shell_words_free(&job.words);
	catalog_free(&job.catalog);
	reader_free(job.reader);
	return code;
}
