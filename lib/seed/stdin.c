/* Standard input: a stream of rows, NDJSON for one table, or SQL. */
#include "seed/inputs_internal.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"
#include "records/json.h"
#include "seed/copy_source.h"
#include "seed/members.h"
#include "seed/secrets.h"
#include "seed/text.h"

/*
 * A pipe can be read once, an attempt may have to be repeated: what comes is kept in a file that has no name.
 */
static int
keep_standard_input(void)
{
	struct stat what;
	FILE *kept;
	char chunk[65536];
	ssize_t got;
	int error = 0;

	if (fstat(STDIN_FILENO, &what) == 0 && S_ISREG(what.st_mode) && lseek(STDIN_FILENO, 0, SEEK_CUR) == 0)
		return 0;
	if ((kept = tmpfile()) == NULL)
		return message_error(MIG_BUSY, "cannot keep standard input in a temporary file: %s",
		    strerror(errno));
	while (error == 0 && signals_caught() == 0 && (got = read(STDIN_FILENO, chunk, sizeof chunk)) != 0)
		if (got > 0 ? fwrite(chunk, 1, (size_t)got, kept) != (size_t)got : errno != EINTR)
			error = errno;
	if (error == 0 && (fflush(kept) != 0 || dup2(fileno(kept), STDIN_FILENO) < 0))
		error = errno;
	fclose(kept);
	if (signals_caught() != 0)
		return message_error(128 + signals_caught(), "stopped by a signal. Nothing was seeded.");
	if (error != 0)
		return message_error(MIG_BUSY, "cannot keep standard input in a temporary file: %s",
		    strerror(error));
	return lseek(STDIN_FILENO, 0, SEEK_SET) < 0 ? seed_cannot_read("standard input", errno) : 0;
}

static struct seed_file *
table_of_stream(struct seed_input *input, const char *schema, const char *table)
{
	size_t i;

	for (i = 0; i < input->count; i++)
		if (input->files[i].kind == SEED_ROWS && seed_same_name(input->files[i].table, table) &&
		    seed_same_name(input->files[i].schema, schema))
			return &input->files[i];
	return NULL;
}

/* Columns of a row whose values are elsewhere: the record names them. */
static int
take_secrets(struct seed_input *input, struct seed_file *file, unsigned long line, const struct seed_row *row)
{
	const char *at = row->new.text, *next;
	char *list = row->secret.len > 0 && *row->secret.text == '[' ? xstrndup(row->secret.text, row->secret.len) : NULL;
	struct seed_names names = { 0 };
	struct bytes item = { 0 };
	bool null;
	struct seed_span key, value;
	size_t i;
	int code = 0;

	for (next = list; next != NULL && json_list_next(&next, &item, &null);) {
		if (!null && !seed_names_have(&file->settings.secret, item.data))
			seed_names_add(&file->settings.secret, xstrdup(item.data));
		if (!null)
			seed_names_add(&names, xstrdup(item.data));
	}
	bytes_free(&item);
	free(list);
	while (code == 0 && names.count > 0 && seed_json_member(&at, row->new.text + row->new.len, &key, &value)) {
		char *name = seed_json_text(key), *source = seed_json_text(value);

		for (i = 0; name != NULL && i < names.count; i++)
			if (strcmp(names.names[i], name) == 0 && !seed_span_is(value, "null"))
				code = secrets_take(&input->secrets, file, line, name, source != NULL ? source : "");
		free(name);
		free(source);
	}
	seed_names_free(&names);
	return code;
}

/* The first row of a table says what its key is. */
static int
note_row(struct seed_input *input, const struct copy_source *feed, const struct seed_row *row,
    const struct seed_request_files *request)
{
	char *schema = seed_json_text(row->schema), *table = seed_json_text(row->table);
	struct seed_file *file = table != NULL ? table_of_stream(input, schema, table) : NULL;
	const char *at = row->key.text;
	struct seed_span key, value;
	int code = 0;

	if (table == NULL || row->key.len < 3 || *at != '{' ||
	    (!seed_row_is_gone(row) && (row->new.len < 2 || *row->new.text != '{')))
		code = seed_refuse(feed->file, feed->line,
		    "a row record needs a \"table\", a \"key\" and a \"new\"");
	if (code == 0 && file == NULL) {
		file = inputs_add_file(input, SEED_ROWS, xstrdup("standard input"));
		file->standard = true;
		file->schema = schema;
		file->table = table;
		schema = table = NULL;
		while (seed_json_member(&at, row->key.text + row->key.len, &key, &value)) {
			char *name = seed_json_text(key);

			if (name != NULL)
				seed_names_add(&file->settings.key, name);
		}
		code = inputs_check_data(file, request);
	}
	if (code == 0)
		file->gone |= seed_row_is_gone(row);
	if (code == 0 && !seed_row_is_gone(row)) {
		members_add(file, row->key);
		members_add(file, row->new);
		file->rows++;
		code = take_secrets(input, file, feed->line, row);
	}
	free(schema);
	free(table);
	return code;
}

/* The stream as a whole first: its frame and its digest. */
static int
check_stream(struct seed_input *input)
{
	static const char *const kinds[] = { "rows", NULL };
	struct record *record;
	enum reading got;

	input->reader = reader_open("-", "Nothing was seeded.", "");
	if (input->reader == NULL)
		return message_code();
	got = reader_begin(input->reader, kinds);
	if (got == READING_BAD && signals_caught() == 0)
		message_line("  For rows of one table, one object per line, name the table: --table");
	while (got == READING_RECORD && (got = reader_next(input->reader, &record)) == READING_RECORD)
		record_free(record);
	if (got == READING_FAILED) {
		input->failure = reader_failure(input->reader);
		message_line("%s: nothing was seeded (%s failed)", message_tool(), input->failure->tool);
		return (int)input->failure->exit_code;
	}
	return got == READING_END ? 0 : reader_code(input->reader);
}

static int
take_stream(struct seed_input *input, const struct seed_request_files *request)
{
	struct seed_file whole =
	    { .kind = SEED_NDJSON, .path = (char[]){ "standard input" }, .standard = true };
	struct copy_source feed;
	struct seed_row row;
	const char *line;
	size_t len;
	int code = check_stream(input);

	if (code != 0)
		return code;
	code = copy_source_open(&feed, &whole, false);
	while (code == 0 && copy_source_line(&feed, &line, &len))
		if (seed_row_of(line, len, &row))
			code = note_row(input, &feed, &row, request);
	copy_source_close(&feed);
	return code;
}

int
inputs_take_standard_input(struct seed_input *input, const struct seed_request_files *request)
{
	struct seed_file *file;
	char first = '\0';
	int code;

	if (isatty(STDIN_FILENO))
		return message_error(MIG_USAGE,
		    "standard input is a terminal; rows are read from a pipe, for example from a dry run of mig-seed on another host");
	if ((code = keep_standard_input()) != 0)
		return code;
	while (read(STDIN_FILENO, &first, 1) == 1 && strchr(" \t\r\n", first) != NULL)
		first = '\0';
	lseek(STDIN_FILENO, 0, SEEK_SET);
	if (first == '\0')
		return message_error(MIG_DATA, "standard input: it is empty");
	if (request->table == NULL && first == '{')
		return take_stream(input, request);
	file = inputs_add_file(input, request->table != NULL ? SEED_NDJSON : SEED_SQL, xstrdup("standard input"));
	file->standard = true;
	if (request->table == NULL)
		return inputs_check_sql(file, STDIN_FILENO);
	seed_table_name(request->table, strlen(request->table), &file->schema, &file->table);
	return inputs_check_data(file, request);
}
