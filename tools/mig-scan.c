/*
 * mig-scan: reads the migrations folder and the database's history, and shows which migrations are applied,
 * pending or failed; or writes a schema: of a datamodel, of a database, or the one that the migrations produce in
 * a scratch database.  Changes nothing else.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/shell_quote.h"
#include "base/signals.h"
#include "base/terminal.h"
#include "catalog/catalog.h"
#include "catalog/page.h"
#include "catalog/read.h"
#include "catalog/stream.h"
#include "database/inspect.h"
#include "datamodel/files.h"
#include "deploy/log.h"
#include "migrations/folder.h"
#include "migrations/history.h"
#include "migrations/status.h"
#include "plan/pages.h"
#include "postgres/connection.h"
#include "records/json.h"
#include "records/model.h"
#include "records/output.h"
#include "records/record.h"
#include "rehearse/effects.h"
#include "rehearse/load.h"
#include "rehearse/losses.h"
#include "rehearse/prefixes.h"
#include "rehearse/rehearse.h"
#include "rehearse/statements.h"
#include "scratch/replay_folder.h"
#include "scratch/scratch.h"
#include "secret/secret.h"
#include "secret/source.h"
#include "program.h"
#include "programs.h"
#include "scan_request.h"

/* What is to be freed, in one place. */
struct job {
	struct source source;
	struct db *db;
	struct inspection inspection;
	struct history_index index;
	struct folder folder;
	struct reader *reader;
	bool reader_is_scan;        /* it is taken as it is, with a database side or without */
	struct scan scan;
	size_t cap;
	struct shell_words words;   /* this scan, to be typed again */
	struct catalog catalog;     /* of the modes that read a schema */
	bool keeps_scripts;
	struct arena texts;         /* scripts that are kept for a rehearsal */
	struct rehearsed rehearsed;
	struct statements statements;   /* that production runs */
};

/* What to type for this scan; not known where it came through a pipe, or -d may not be shown. */
static void
take_words(struct job *job, const struct scan_request *request)
{
	struct shell_words *words = &job->words;

	shell_program(words, "mig-scan");
	scan_request_words(words, request);
	if (request->dir != NULL || (job->folder.path != NULL && strcmp(job->folder.path, "prisma/migrations") != 0))
		shell_path(words, request->dir != NULL ? request->dir : job->folder.path);
	words->unknown |= job->reader != NULL;
	job->scan.command = shell_words(words);
}

static int
read_database(struct job *job, const struct scan_request *request)
{
	const struct db_patience patience = { request->wait_ms, request->wait_ms };
	int code;

	if (request->offline || job->reader_is_scan)
		return 0;
	code = source_open(&job->source, request->database, request->schema);
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
	if (job->keeps_scripts) {
		kept.sql = arena_copy(&job->texts, m->sql);
		kept.checksum = arena_copy(&job->texts, m->checksum);
		kept.down_sql = arena_copy(&job->texts, m->down_sql);
		kept.down_checksum = arena_copy(&job->texts, m->down_checksum);
	}
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
			        ? "this scan already has a database; expected an offline one: mig-scan --offline"
			        : "unexpected record");
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

/* The same for a rehearsal: as it is, with all scripts. */
static int
read_whole_stream(struct job *job, struct output *out)
{
	static const char *const kinds[] = { "scan", NULL };
	enum reading got = reader_begin(job->reader, kinds);
	size_t i;

	if (got == READING_RECORD)
		got = scan_read(job->reader, &job->scan, NULL, NULL);
	if (got == READING_FAILED) {
		out->upstream = reader_failure(job->reader);
		return (int)out->upstream->exit_code;
	}
	if (got != READING_END)
		return MIG_DATA;
	job->index = history_index(job->scan.history, job->scan.history_count);
	write_database(&job->scan, out->writer);
	for (i = 0; i < job->scan.migration_count; i++) {
		status_look_at(&job->index, &job->scan.migrations[i]);
		if (out->writer != NULL)
			writer_put(out->writer, &migration_form, &job->scan.migrations[i]);
	}
	writer_folder(out->writer, reader_folder(job->reader));
	return 0;
}

static struct rehearse_wish
wish_of(struct job *job, const struct scan_request *request, const struct status *status)
{
	enum { STATEMENT_MS = 60000 };

	return (struct rehearse_wish){ .scan = &job->scan,
		.status = status,
		.folder = job->reader != NULL ? reader_folder(job->reader) : job->folder.path,
		.production = job->db,
		.statements = request->statements ? &job->statements : NULL,
		.to = request->to,
		.drafts = message_verbosity > 0,
		.limit_ms = request->wait_ms > 0 ? request->wait_ms : STATEMENT_MS,
		.order = { .source = request->scratch,
		    .same_server = request->same_server,
		    .scanned = job->scan.has_database ? &job->scan.database : NULL,
		    .schema = job->scan.has_database ? job->scan.database.schema : NULL,
		    .wait_ms = request->wait_ms } };
}

static int
rehearse(struct job *job, const struct scan_request *request, struct output *out)
{
	struct status status = status_make(&job->scan, &job->index);
	struct rehearse_wish wish = wish_of(job, request, &status);
	int code = request->statements ? statements_take(job->db, &job->statements) : 0;

	if (code == 0)
		code = rehearse_run(&wish, &job->rehearsed);
	if (code == 0) {
		rehearsal_records_free(&job->scan.rehearsed);
		job->scan.rehearsed = rehearsed_records(&job->rehearsed);
	}
	if (code == 0 && request->load)
		code = load_take(job->db, request->load_ms, &job->scan.rehearsed, &job->texts);
	if (code == 0 && out->writer != NULL)
		rehearsal_put(out->writer, &job->scan.rehearsed);
	status_free(&status);
	return code;
}

static int
open_input(struct job *job, const struct scan_request *request)
{
	struct shell_words words = { 0 };
	char *pipeline;

	if (request->dir == NULL || strcmp(request->dir, "-") != 0)
		return folder_open(&job->folder, request->dir);
	shell_program(&words, "mig-scan");
	shell_option(&words, "--offline", NULL);
	shell_program(&words, "mig-scan");
	scan_request_words(&words, request);
	shell_option(&words, "-", NULL);
	pipeline = shell_sentence("an offline scan is read from a pipe", &words, "mig-scan --offline writes it");
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

static int
scan(struct job *job, const struct scan_request *request, struct output *out)
{
	int code;

	if (request->rehearse)
		signals_begin(); /* a scratch database is dropped, whatever ends us */
	code = open_input(job, request);
	job->keeps_scripts = request->rehearse;
	job->reader_is_scan = request->rehearse && job->reader != NULL;
	take_words(job, request);
	if (code == 0)
		code = output_open(out);
	writer_command(out->writer, job->scan.command);
	writer_folder(out->writer, job->folder.path);
	job->inspection.announced = request->rehearse ? NULL : out->writer; /* mig-apply's session should not wait for a rehearsal */
	job->inspection.expected = job->folder.count;
	if (job->reader == NULL)
		signals_meanwhile(folder_read_ahead, &job->folder);
	if (code == 0)
		code = read_database(job, request);
	signals_meanwhile(NULL, NULL);
	if (code != 0)
		return code;
	if (job->reader_is_scan) {
		code = read_whole_stream(job, out);
	} else {
		write_database(&job->scan, out->writer);
		code = job->reader != NULL ? read_stream(job, out) : read_folder(job, out->writer);
	}
	if (code == 0 && request->rehearse)
		code = rehearse(job, request, out);
	out->complete = code == 0;
	if (code == 0 && out->page)
		show_page(job);
	return code;
}

/* --- a draft of a down.sql --- */

/* Production's string says the schema; it is only asked who it is, and that where a scratch server is named. */
static int
open_production(struct job *job, const struct scan_request *request, bool *known)
{
	*known = request->database != NULL || request->schema != NULL || source_is_set("MIG_DATABASE") || source_is_set("DATABASE_URL");
	return *known ? source_open(&job->source, request->database, request->schema) : 0;
}

static int
draft(struct job *job, const struct scan_request *request, struct output *out)
{
	struct status status = { 0 };
	struct rehearse_wish wish;
	const struct draft *made;
	bool known = false;
	int code;

	out->format = "text"; /* whatever happens, no records are written */
	signals_begin(); /* a scratch database is dropped, whatever ends us */
	code = open_input(job, request);
	job->keeps_scripts = true;
	if (code == 0)
		code = output_open(out);
	if (code == 0)
		code = open_production(job, request, &known);
	if (code == 0)
		code = read_folder(job, NULL);
	if (code != 0)
		return code;
	status = status_make(&job->scan, &job->index);
	wish = wish_of(job, request, &status);
	wish.order.production = known ? &job->source : NULL;
	wish.order.schema = job->source.target.schema;
	code = rehearse_draft(&wish, request->draft, &job->rehearsed);
	made = code == 0 ? job->rehearsed.drafts.list : NULL;
	if (made != NULL && made->sql != NULL)
		fwrite(made->sql, 1, strlen(made->sql), stdout);
	else if (made != NULL)
		code = message_error(MIG_FAILED, "%s: there is no draft of its down.sql that takes it back: %s", made->migration, made->detail);
	out->complete = code == 0;
	status_free(&status);
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
read_catalog(struct job *job, const struct scan_request *request)
{
	const struct db_patience patience = { request->wait_ms, request->wait_ms };
	int code = source_open(&job->source, request->database, request->schema);

	if (code != 0)
		return code;
	if ((job->db = db_open(&job->source, "mig-scan", &patience, &code)) == NULL)
		return code;
	secret_free(job->source.password); /* connected: it is not needed again */
	job->source.password = NULL;
	return catalog_of_database(job->db,
	    &(struct catalog_wish){ SOURCE_CATALOG, db_database(job->db), job->source.target.schema, request->grants }, &job->catalog);
}

static int
read_replay(struct job *job, const struct scan_request *request)
{
	bool known;
	struct replay_wish wish = { .to = request->to, .grants = request->grants };
	int code = open_production(job, request, &known);

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
read_schema(struct job *job, const struct scan_request *request)
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
scan_schema(struct job *job, const struct scan_request *request, struct output *out)
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
	struct scan_request request = { 0 };
	struct output out = { .kind = "scan", .formats = "text|records" };
	struct job job = { .folder.fd = -1 };
	int code;

	program_begin(&out, &mig_scan_program, argc, argv, 0);
	code = scan_request_read(argc, argv, &request, &out);
	if (code == 0 && request.mode == MODE_LOG)
		code = log_show(request.files, request.file_count, &out);
	else if (code == 0)
		code = request.mode == MODE_DRAFT ? draft(&job, &request, &out) : request.mode != MODE_SCAN ? scan_schema(&job, &request, &out) : scan(&job, &request, &out);
	code = program_end(&out, code);
	history_index_free(&job.index);
	inspect_free(&job.inspection);
	db_close(job.db);
	source_free(&job.source);
	folder_close(&job.folder);
	if (!job.reader_is_scan)
		job.scan.history = NULL; /* the inspection's */
	scan_free(&job.scan);
	rehearsed_free(&job.rehearsed);
	statements_free(&job.statements);
	arena_free(&job.texts);
	shell_words_free(&job.words);
	catalog_free(&job.catalog);
	reader_free(job.reader);
	return code;
}
