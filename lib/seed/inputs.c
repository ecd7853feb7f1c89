#include "seed/inputs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "base/mig.h"
#include "base/shell_quote.h"
#include "base/signals.h"
#include "seed/copy_source.h"
#include "sql/misfits.h"
#include "sql/sql.h"

static const struct {
	const char *ending;
	enum seed_kind kind;
} endings[] = { { ".sql", SEED_SQL }, { ".csv", SEED_CSV }, { ".tsv", SEED_TSV }, { ".ndjson", SEED_NDJSON } };

static bool
kind_of(const char *name, enum seed_kind *kind, size_t *stem)
{
	size_t len = strlen(name), i;

	for (i = 0; i < sizeof endings / sizeof *endings; i++) {
		size_t tail = strlen(endings[i].ending);

		if (len > tail && strcmp(name + len - tail, endings[i].ending) == 0) {
			*kind = endings[i].kind;
			*stem = len - tail;
			return true;
		}
	}
	return false;
}

static struct seed_file *
add_file(struct seed_input *input, enum seed_kind kind, char *path)
{
	struct seed_file *file;

	ARRAY_ROOM(input->files, input->count, input->cap);
	file = &input->files[input->count++];
	*file = (struct seed_file){ .kind = kind, .path = path, .name = path };
	return file;
}

static int
refuse_statement(const struct seed_file *file, const struct sql_statement *statement, const char *why)
{
	struct sql_place place = sql_place(file->text.data, file->text.len, statement->start);
	char words[48];

	sql_words(file->text.data, statement, words, sizeof words);
	(void)message_error(MIG_DATA, "%s:%lu:%lu: %s %s", file->path, place.line, place.column, words, why);
	message_line("  Nothing was seeded.");
	return MIG_DATA;
}

/* All files are one transaction, so none may end it; `until`: only what begins before. */
static int
check_statements(const struct seed_file *file, size_t until)
{
	struct sql_script script = sql_split(file->text.data, file->text.len);
	int code = 0;
	size_t i;

	for (i = 0; code == 0 && i < script.count && script.statements[i].start < until; i++) {
		const struct sql_statement *s = &script.statements[i];

		if (s->kind == SQL_BEGIN || s->kind == SQL_COMMIT || s->kind == SQL_ROLLBACK)
			code = refuse_statement(file, s, "has no place here: all files run in one transaction");
		else if (s->kind == SQL_ALONE)
			code = refuse_statement(file, s, "cannot run in a transaction: make it a migration");
		else if (s->kind == SQL_COPY_CLIENT)
			code = refuse_statement(file, s,
			    "wants rows from the client: put them into a .csv beside it");
	}
	sql_script_free(&script);
	return code;
}

/* \restrict, \connect, ...: pg_dump writes some. */
static int
check_psql(const struct seed_file *file, size_t at)
{
	struct bytes word = { 0 };
	struct sql_place place;

	if (at == file->text.len)
		return 0;
	place = sql_place(file->text.data, file->text.len, at);
	(void)message_error(MIG_DATA, "%s:%lu:%lu: a backslash command is for psql; no server takes it", file->path,
	    place.line, place.column);
	if (!file->standard) {
		shell_path_word(&word, file->path);
		message_line("  Take out the lines that begin with a backslash:  sed -i '/^\\\\/d' %s", word.data);
		bytes_free(&word);
	}
	message_line("  Nothing was seeded.");
	return MIG_DATA;
}

static int
check_sql(struct seed_file *file, int fd)
{
	int error = bytes_read_fd(&file->text, fd), code;
	size_t at;

	if (error != 0)
		return seed_cannot_read(file->path, error);
	bytes_str(&file->text, "");
	code = seed_check_text(file, file->text.data, file->text.len, 1);
	if (code != 0)
		return code;
	at = misfit_psql(file->text.data, file->text.len);
	code = check_statements(file, at);
	return code != 0 ? code : check_psql(file, at);
}

static size_t
header_end(const struct bytes *block, size_t from)
{
	bool quoted = false;

	for (; from < block->len && (quoted || block->data[from] != '\n'); from++)
		quoted ^= block->data[from] == '"';
	return from;
}

/* A first line that a spreadsheet wrote for itself, or whose names others than our delimiter separate. */
static int
check_first_line(const struct seed_file *file, int fd)
{
	char block[4096], *at = block;
	ssize_t got = pread(fd, block, sizeof block, 0);
	size_t len = got > 0 ? (size_t)got : 0;
	const char *newline;
	char separator;

	if (len >= 3 && memcmp(at, SEED_BOM, 3) == 0) {
		at += 3;
		len -= 3;
	}
	if ((newline = memchr(at, '\n', len)) == NULL)
		return 0; /* it is long, or all there is: said later */
	len = (size_t)(newline - at);
	len -= len > 0 && at[len - 1] == '\r';
	if (len == 5 && memcmp(at, "sep=", 4) == 0)
		return seed_refuse(file, 1, "\"sep=%c\" is for spreadsheets: take this line out, the first one names the columns",
		    at[4]);
	separator = seed_csv_separator(at, len, seed_delimiter(file));
	if (separator == '\0')
		return 0;
	if (separator == ',')
		return seed_refuse(file, 1, "fields are separated by commas: name it .csv (a name that has one stands in quotes)");
	if (separator == '\t')
		return seed_refuse(file, 1, "fields are separated by tabs: name it .tsv (a name that has one stands in quotes)");
	return seed_refuse(file, 1, "fields are separated by %c: write %s (a name that has one stands in quotes)", separator,
	    file->kind == SEED_TSV ? "tabs" : "commas");
}

/* The first record of CSV names the columns.  A name may have newlines in quotes, so one line need not do. */
static int
read_header(struct seed_file *file)
{
	struct seed_feed feed;
	struct bytes field = { 0 };
	const char *at, *end;
	bool more = true;
	int code = seed_feed_open(&feed, file, false);

	at = bytes_text(&feed.block) + feed.used;
	end = bytes_text(&feed.block) + header_end(&feed.block, feed.used);
	if (code == 0 && (at == end || *at == '\r'))
		code = seed_refuse(file, 1, "the first line must name the columns");
	while (code == 0 && more) {
		more = seed_csv_field(&at, end, seed_delimiter(file), &field, NULL);
		if (field.len == 0 || seed_names_have(&file->header, field.data))
			code = seed_refuse(file, 1, field.len == 0 ? "a column has no name"
			                                           : "column \"%s\" is named twice",
			                                           field.data);
		else
			seed_names_add(&file->header, xstrdup(field.data));
	}
	bytes_free(&field);
	seed_feed_close(&feed);
	return code;
}

static int
check_data(struct seed_file *file, const struct seed_request_files *request)
{
	const char *slash = strrchr(file->path, '/');
	char *folder = slash != NULL ? xstrndup(file->path, (size_t)(slash - file->path)) : xstrdup(".");
	int code = 0;

	if (file->table[0] == '\0' || (file->schema != NULL && file->schema[0] == '\0'))
		code = seed_refuse(file, 0, "a data file is named after its table: [SCHEMA.]TABLE.csv");
	else if (file->standard)
		code = seed_settings_words(&file->settings, file->schema, file->table, request->words,
		    request->word_count);
	else
		code = seed_settings_find(&file->settings, folder, false, file->schema, file->table,
		    request->words,
		    request->word_count);
	if (code == 0 && seed_is_csv(file))
		code = read_header(file);
	free(folder);
	return code;
}

/* Takes path; `folder` was given. */
static int
take_file(struct seed_input *input, const struct seed_request_files *request, char *path, bool folder)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	enum seed_kind kind;
	struct seed_file *file;
	struct stat what;
	size_t stem;
	int fd, code;

	if (!kind_of(name, &kind, &stem)) {
		fd = stat(path, &what);
		code = fd < 0 ? seed_cannot_read(path, errno)
		              : message_error(MIG_DATA,
		              "%s is no seed file: those end in .sql, .csv, .tsv, .ndjson", path);
		free(path);
		return code;
	}
	file = add_file(input, kind, path);
	file->name = folder ? name : path;
	if ((fd = open_regular(AT_FDCWD, path, 0)) < 0)
		return seed_cannot_read(path, errno);
	if (kind == SEED_SQL) {
		code = check_sql(file, fd);
	} else {
		seed_table_name(name, stem, &file->schema, &file->table);
		code = seed_is_csv(file) ? check_first_line(file, fd) : 0;
		if (code == 0)
			code = check_data(file, request);
	}
	close(fd);
	return code;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* All of a folder's files; what is none of ours is named, since a slip in an ending would drop a table. */
static int
take_folder(struct seed_input *input, const struct seed_request_files *request, const char *folder)
{
	struct dirent **entries;
	size_t before = input->count, stem, tail = strlen(folder);
	enum seed_kind kind;
	int count = scandir(folder, &entries, not_hidden, by_name), i, code = 0;

	if (count < 0)
		return seed_cannot_read(folder, errno);
	for (i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (code == 0 && kind_of(name, &kind, &stem))
			code = take_file(input, request,
			    xformat("%s%s%s", folder, tail > 0 && folder[tail - 1] == '/' ? "" : "/", name),
			    true);
		else if (code == 0 && strcmp(name, SEED_CONF) != 0 && strncmp(name, "README", 6) != 0)
			message_warning("%s/%s is no seed file and is passed over", folder, name);
		free(entries[i]);
	}
	free(entries);
	if (code == 0 && input->count == before)
		code = message_error(MIG_DATA, "%s has no seed file: those end in .sql, .csv, .tsv, .ndjson",
		    folder);
	return code;
}

/* --- standard input --- */

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

/* The first row of a table says what its key is. */
static int
note_row(struct seed_input *input, const struct seed_feed *feed, const struct seed_row *row,
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
		    "a row record has a \"table\", a \"key\" and a \"new\"");
	if (code == 0 && file == NULL) {
		file = add_file(input, SEED_ROWS, xstrdup("standard input"));
		file->standard = true;
		file->schema = schema;
		file->table = table;
		schema = table = NULL;
		while (seed_json_member(&at, row->key.text + row->key.len, &key, &value)) {
			char *name = seed_json_text(key);

			if (name != NULL)
				seed_names_add(&file->settings.key, name);
		}
		code = check_data(file, request);
	}
	if (code == 0)
		file->gone |= seed_row_is_gone(row);
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
		message_line("  Are these rows of one table, an object a line?  mig-seed --table=TABLE -");
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
	struct seed_feed feed;
	struct seed_row row;
	const char *line;
	size_t len;
	int code = check_stream(input);

	if (code != 0)
		return code;
	code = seed_feed_open(&feed, &whole, false);
	while (code == 0 && seed_feed_line(&feed, &line, &len))
		if (seed_row_of(line, len, &row))
			code = note_row(input, &feed, &row, request);
	seed_feed_close(&feed);
	return code;
}

static int
take_standard_input(struct seed_input *input, const struct seed_request_files *request)
{
	struct seed_file *file;
	char first = '\0';
	int code;

	if (isatty(STDIN_FILENO))
		return message_error(MIG_USAGE,
		    "standard input is a terminal; rows come from a pipe:  mig-seed --dry-run prisma/seed | mig-seed -");
	if ((code = keep_standard_input()) != 0)
		return code;
	while (read(STDIN_FILENO, &first, 1) == 1 && strchr(" \t\r\n", first) != NULL)
		first = '\0';
	lseek(STDIN_FILENO, 0, SEEK_SET);
	if (first == '\0')
		return message_error(MIG_DATA, "standard input: there is nothing");
	if (request->table == NULL && first == '{')
		return take_stream(input, request);
	file = add_file(input, request->table != NULL ? SEED_NDJSON : SEED_SQL, xstrdup("standard input"));
	file->standard = true;
	if (request->table == NULL)
		return check_sql(file, STDIN_FILENO);
	seed_table_name(request->table, strlen(request->table), &file->schema, &file->table);
	return check_data(file, request);
}

/* --- all together --- */

/* SQL first; else as it was. */
static void
order_files(struct seed_input *input)
{
	struct seed_file *ordered = xcalloc(input->count + 1, sizeof *ordered);
	size_t i, n = 0;

	for (i = 0; i < input->count; i++)
		if (input->files[i].kind == SEED_SQL)
			ordered[n++] = input->files[i];
	input->sql_count = n;
	for (i = 0; i < input->count; i++)
		if (input->files[i].kind != SEED_SQL)
			ordered[n++] = input->files[i];
	free(input->files);
	input->files = ordered;
}

int
seed_gather(struct seed_input *input, const struct seed_request_files *request)
{
	bool standard = false;
	struct stat what;
	size_t i;
	int code = 0;

	for (i = 0; code == 0 && i < request->count; i++) {
		const char *path = request->paths[i];

		if (strcmp(path, "-") == 0) {
			code = standard ? message_error(MIG_USAGE, "standard input is named twice")
			                : take_standard_input(input, request);
			standard = true;
		} else if (stat(path, &what) == 0 && S_ISDIR(what.st_mode)) {
			code = take_folder(input, request, path);
		} else {
			code = take_file(input, request, xstrdup(path), false);
		}
	}
	order_files(input);
	return code != 0 ? code : seed_settings_unused(request->words, request->word_count);
}

void
seed_input_free(struct seed_input *input)
{
	size_t i;

	for (i = 0; i < input->count; i++) {
		struct seed_file *file = &input->files[i];

		free(file->path);
		free(file->schema);
		free(file->table);
		bytes_free(&file->text);
		seed_names_free(&file->header);
		seed_settings_free(&file->settings);
	}
	free(input->files);
	reader_free(input->reader);
	*input = (struct seed_input){ 0 };
}
