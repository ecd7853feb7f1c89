#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
#include "seed/rights.h"
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

static bool
has_hidden(const struct seed_table *t)
{
	size_t i;

	for (i = 0; i < t->sql.count; i++)
		if (t->sql.columns[i].in_file && t->sql.columns[i].hidden)
			return true;
	return false;
}

/* What nobody asked for, and is not to lie in a repository. */
static void
say_left_out(const struct seed_table *t)
{
	struct bytes list = { 0 };
	bool needed = false;
	size_t i;

	for (i = 0; i < t->sql.count; i++) {
		const struct upsert_column *c = &t->sql.columns[i];

		if (!c->left_out)
			continue;
		bytes_format(&list, "%s%s", list.len > 0 ? ", " : "", c->name);
		needed |= c->required && strcmp(c->absent, "NULL") == 0;
	}
	if (list.len > 0)
		message_info("%s: left out, since their values are hidden: %s%s; --with-hidden writes them", t->file->path, list.data,
		    needed ? " (NOT NULL: new rows need them, e.g. as env:NAME)" : "");
	bytes_free(&list);
}

/* With those above it. */
static int
make_folder(const char *folder)
{
	char *path = xstrdup(folder), *at;
	int error = 0;

	for (at = path + 1; *folder != '\0' && error == 0; at++) {
		char end = *at;

		if (end != '/' && end != '\0')
			continue;
		*at = '\0';
		error = mkdir(path, 0777) != 0 && errno != EEXIST ? errno : 0;
		*at = end;
		if (end == '\0')
			break;
	}
	free(path);
	return error == 0 ? 0 : message_error(error == EACCES ? MIG_DENIED : MIG_OUTPUT, "cannot make the folder %s: %s", folder, strerror(error));
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
	if (has_hidden(t) && fchmod(place.fd, 0600) != 0)
		sink.error = errno;
	upsert_export(&sql, &t->sql, t->file->settings.where, json ? '\0' : t->file->kind == SEED_TSV ? '\t' : ',');
	outcome = json ? db_each(db, sql.data, take_object, &sink)
	               : db_copy_out(db, sql.data, true, take_line, &sink);
	if (fclose(sink.file) != 0 && sink.error == 0)
		sink.error = errno;
	error = atomic_file_close(&place, sink.error != 0 ? sink.error : outcome != DB_OK ? ECANCELED : 0);
	if (error == 0 && has_hidden(t) && chmod(path, 0600) != 0) /* also one that was there, and is the same */
		error = errno;
	if (error != 0 && (sink.error != 0 || outcome == DB_OK) && outcome != DB_STOPPED)
		*code = cannot_write(path, error);
	t->read = sink.lines - (json ? 0 : 1);
	t->took_ms = clock_now_ms() - began;
	if (outcome == DB_OK && *code == 0)
		say_left_out(t);
	bytes_free(&sql);
	return outcome;
}

/* Columns to write are known like those of a header, so that role.slug is one, too. */
static int
take_columns(struct seed_file *file)
{
	const struct seed_names *columns = &file->settings.columns;
	size_t without = 0, i;

	for (i = 0; i < columns->count; i++)
		without += *columns->names[i] == '-';
	if (without > 0 && without < columns->count)
		return message_error(MIG_USAGE, "--columns: of table \"%s\" either name the columns to write, or each with a - those to leave out",
		    file->table);
	for (i = 0; without == 0 && i < columns->count; i++)
		seed_names_add(&file->header, xstrdup(columns->names[i]));
	return 0;
}

/* --where=[TABLE:]CONDITION: a colon may also belong to the condition. */
static int
take_where(struct seed_input *input, const char *value)
{
	const char *colon = seed_table_colon(value);
	char *schema = NULL, *table = NULL;
	bool named = false;
	size_t i;
	int code = 0;

	if (colon != NULL && colon[1] != ':')
		seed_table_read(value, (size_t)(colon - value), &schema, &table);
	for (i = 0; table != NULL && i < input->count; i++)
		named |= seed_same_name(table, input->files[i].table) && seed_same_name(schema, input->files[i].schema);
	for (i = 0; code == 0 && i < input->count; i++) {
		struct seed_file *file = &input->files[i];

		if (named && !(seed_same_name(table, file->table) && seed_same_name(schema, file->schema)))
			continue;
		if (file->settings.where != NULL)
			code = message_error(MIG_USAGE, "--where=%s and --where=%s are for the same table: join them with AND", file->settings.where, value);
		else
			file->settings.where = xstrdup(named ? colon + 1 : value);
	}
	free(schema);
	free(table);
	return code;
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
	for (i = 0; code == 0 && i < files->word_count; i++)
		if (strcmp(files->words[i].option, "where") == 0)
			code = take_where(input, files->words[i].value);
	for (i = 0; code == 0 && i < files->count; i++)
		code = take_columns(&input->files[i]);
	return code != 0 ? code : seed_settings_unused(files->words, files->word_count, true);
}

/* The condition is the user's: an error may be in it. */
static int
say_failed(struct db *db, enum db_outcome outcome, const struct seed_tables *tables, size_t done)
{
	const struct seed_table *t = done > 0 && done <= tables->count ? &tables->tables[done - 1] : NULL;
	int code = db_say(db, outcome, "export");

	if (t != NULL && t->file->settings.where != NULL && outcome == DB_ERROR)
		message_line("  with        --where=%s", t->file->settings.where);
	return code;
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
		outcome = seed_tables_export(db, files, count, job->client, job->with_hidden, job->natural, tables, &code);
	if (outcome == DB_OK && code == 0)
		code = make_folder(folder);
	for (i = 0; outcome == DB_OK && code == 0 && i < tables->count; i++)
		outcome = export_table(db, &tables->tables[i], folder, &code);
	if (outcome != DB_OK && code == 0)
		code = outcome == DB_STOPPED ? message_error(128 + signals_caught(), "stopped by a signal")
		                             : say_failed(db, outcome, tables, i);
	if (code == MIG_DENIED && db_rollback(db)) {
		struct db_error e = db_error_take(db);

		if (!job->row_security)
			error_row_say_policies(db, &e);
		db_error_free(&e);
		rights_say_lacked(db, tables, true);
	}
	return code;
}
