#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"
#include "postgres/connection.h"
#include "seed/error_row.h"
#include "seed/file.h"
#include "seed/inputs.h"
#include "seed/seed.h"
#include "seed/settings.h"
#include "seed/table.h"
#include "seed/upsert.h"

struct sink {
	FILE *file;
	long long lines;
	int error; /* errno of what could not be written, or 0 */
};

static bool
take_line(void *context, const char *data, size_t len)
{
	struct sink *sink = context;

	sink->lines++;
	if (fwrite(data, 1, len, sink->file) != len)
		sink->error = errno;
	return sink->error == 0;
}

static void
take_object(void *context, const struct answer *row)
{
	struct sink *sink = context;

	sink->lines++;
	if (sink->error == 0 && (fputs(answer_word(row, 0, 0), sink->file) < 0 || putc('\n', sink->file) < 0))
		sink->error = errno;
}

static int
cannot_write(const char *path, int error)
{
	return message_error(error == EACCES ? MIG_DENIED : MIG_OUTPUT, "cannot write %s: %s", path,
	    strerror(error));
}

/* The name of a file that leads back to its table. */
static char *
file_name(const struct seed_table *t, const char *folder)
{
	static const char *const endings[] = { "sql", "csv", "tsv", "ndjson" };
	bool dotted = strchr(t->sql.table, '.') != NULL;
	const char *schema = t->file->schema != NULL || dotted ? t->sql.schema : NULL;

	if (strchr(t->sql.table, '/') != NULL || *t->sql.table == '.' ||
	    (schema != NULL && strpbrk(schema, "/.") != NULL))
		return NULL;
	return xformat("%s%s%s%s%s.%s", folder, *folder != '\0' ? "/" : "", schema != NULL ? schema : "",
	    schema != NULL ? "." : "", t->sql.table, endings[t->file->kind]);
}

static enum db_outcome
export_table(struct db *db, struct seed_table *t, const char *folder, int *code)
{
	char *path = file_name(t, folder);
	bool json = t->file->kind == SEED_NDJSON;
	struct sink sink = { 0 };
	struct atomic_file place;
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	long long began = clock_now_ms();
	int error;

	if (path == NULL) {
		*code = message_error(MIG_DATA, "table \"%s\" has a name that a file cannot have", t->sql.table);
		return DB_OK;
	}
	free(t->file->path);
	t->file->name = t->file->path = path;
	if (!atomic_file_open(&place, path)) {
		*code = cannot_write(path, errno);
		return DB_OK;
	}
	if ((sink.file = fdopen(dup(place.fd), "w")) == NULL) {
		*code = cannot_write(path, atomic_file_close(&place, errno));
		return DB_OK;
	}
	upsert_export(&sql, &t->sql, json ? '\0' : t->file->kind == SEED_TSV ? '\t' : ',');
	outcome = json ? db_each(db, sql.data, take_object, &sink)
	               : db_copy_out(db, sql.data, true, take_line, &sink);
	if (fclose(sink.file) != 0 && sink.error == 0)
		sink.error = errno;
	error = atomic_file_close(&place, sink.error != 0 ? sink.error : outcome != DB_OK ? ECANCELED : 0);
	if (error != 0 && (sink.error != 0 || outcome == DB_OK) && outcome != DB_STOPPED)
		*code = cannot_write(path, error);
	t->read = sink.lines - (json ? 0 : 1);
	t->took_ms = clock_now_ms() - began;
	bytes_free(&sql);
	return outcome;
}

int
seed_export_names(struct seed_input *input, const struct seed_request_files *files, enum seed_kind kind, const char *folder)
{
	const struct seed_levels levels = { .folders = { folder }, .count = 1, .exporting = true };
	size_t i;
	int code = 0;

	input->files = xcalloc(files->count + 1, sizeof *input->files);
	input->count = files->count;
	for (i = 0; i < files->count; i++) {
		struct seed_file *file = &input->files[i];

		*file = (struct seed_file){ .kind = kind, .path = xstrdup(files->paths[i]) };
		seed_table_name(file->path, strlen(file->path), &file->schema, &file->table);
	}
	for (i = 0; code == 0 && i < files->count; i++)
		code = seed_settings_find(&input->files[i].settings, &levels, input->files[i].schema, input->files[i].table,
		    files->words, files->word_count);
	return code != 0 ? code : seed_settings_unused(files->words, files->word_count);
}

int
seed_export(struct db *db, struct seed_file *files, size_t count, const struct seed_job *job, const char *folder,
    struct seed_tables *tables)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	size_t i;
	int code = 0;

	bytes_str(&sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ");
	seed_session_sql(&sql, job);
	outcome = db_tell(db, sql.data);
	bytes_free(&sql);
	if (outcome == DB_OK)
		outcome = seed_tables_export(db, files, count, tables, &code);
	for (i = 0; outcome == DB_OK && code == 0 && i < tables->count; i++)
		outcome = export_table(db, &tables->tables[i], folder, &code);
	if (outcome != DB_OK && code == 0)
		code = outcome == DB_STOPPED ? message_error(128 + signals_caught(), "stopped by a signal")
		                             : db_say(db, outcome, "export");
	if (code == MIG_DENIED && !job->row_security && db_rollback(db)) {
		struct db_error e = db_error_take(db);

		error_row_say_policies(db, &e);
		db_error_free(&e);
	}
	return code;
}
