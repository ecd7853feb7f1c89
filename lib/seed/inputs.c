#include "seed/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "seed/copy_source.h"
#include "seed/inputs_internal.h"
#include "seed/members.h"
#include "seed/text.h"

struct seed_file *
inputs_add_file(struct seed_input *input, enum seed_kind kind, char *path)
{
	struct seed_file *file;

	ARRAY_ROOM(input->files, input->count, input->cap);
	file = &input->files[input->count++];
	*file = (struct seed_file){ .kind = kind, .path = path, .name = path };
	return file;
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
check_first_line(struct seed_file *file, int fd)
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
		return seed_refuse(file, 1, "\"sep=%c\" is for spreadsheets: remove this line; the first line must name the columns",
		    at[4]);
	separator = seed_csv_separator(at, len, seed_delimiter(file));
	if (separator == '\0')
		return 0;
	if (separator == ';' && file->kind == SEED_CSV) {
		file->delimiter = ';'; /* spreadsheets write them where the comma is for decimals */
		return 0;
	}
	if (separator == ',')
		return seed_refuse(file, 1, "fields are separated by commas: name it .csv (quote a name that contains one)");
	if (separator == '\t')
		return seed_refuse(file, 1, "fields are separated by tabs: name it .tsv (quote a name that contains one)");
	return seed_refuse(file, 1, "fields are separated by %c: write %s (quote a name that contains one)", separator,
	    file->kind == SEED_TSV ? "tabs" : "commas");
}

/* The first record of CSV names the columns.  A name may have newlines in quotes, so one line need not do. */
static int
read_header(struct seed_file *file)
{
	struct copy_source feed;
	struct bytes field = { 0 };
	const char *at, *end;
	bool more = true;
	int code = copy_source_open(&feed, file, false);

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
	copy_source_close(&feed);
	return code;
}

/* The settings of a data file: of its folder, or of base and environment. */
static int
find_settings(struct seed_file *file, const struct seed_request_files *request)
{
	const char *slash = strrchr(file->path, '/');
	char *folder = slash != NULL ? xstrndup(file->path, (size_t)(slash - file->path)) : xstrdup(".");
	const struct environment *in = request->in;
	struct seed_levels levels = { .folders = { folder }, .count = 1 };
	int code;

	if (in != NULL && in->names.count > 0) {
		levels = (struct seed_levels){ .folders = { in->base, in->overlay }, .count = in->overlay != NULL ? 2 : 1,
			.environments = &in->names, .environments_of = in->folder };
	}
	code = seed_settings_find(&file->settings, &levels, file->schema, file->table, request->words, request->word_count);
	free(folder);
	return code;
}

int
inputs_check_data(struct seed_file *file, const struct seed_request_files *request)
{
	int code;

	if (file->table[0] == '\0' || (file->schema != NULL && file->schema[0] == '\0'))
		code = seed_refuse(file, 0, "a data file is named after its table: [SCHEMA.]TABLE.csv");
	else if (file->standard)
		code = seed_settings_words(&file->settings, file->schema, file->table, request->words,
		    request->word_count);
	else
		code = find_settings(file, request);
	if (code == 0 && seed_is_csv(file))
		code = read_header(file);
	else if (code == 0 && file->kind == SEED_NDJSON)
		code = members_read(file);
	return code;
}

int
inputs_take_file(struct seed_input *input, const struct seed_request_files *request, char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	enum seed_kind kind;
	struct seed_file *file;
	struct stat what;
	size_t stem;
	int fd, code;

	if (!seed_file_kind(name, &kind, &stem)) {
		fd = stat(path, &what);
		code = fd < 0 ? seed_cannot_read(path, errno)
		              : message_error(MIG_DATA,
		              "%s is not a seed file: the name must end in .sql, .csv, .tsv, .ndjson, .jsonl or .json", path);
		free(path);
		return code;
	}
	file = inputs_add_file(input, kind, path);
	file->name = request->in != NULL ? path + strlen(request->in->folder) + 1 : path;
	file->array = kind == SEED_NDJSON && strcasecmp(name + stem, ".json") == 0;
	if ((fd = open_regular(AT_FDCWD, path, 0)) < 0)
		return seed_cannot_read(path, errno);
	if (kind == SEED_SQL) {
		code = inputs_check_sql(file, fd);
	} else {
		seed_table_name(name, stem, &file->schema, &file->table);
		code = seed_is_csv(file) ? check_first_line(file, fd) : 0;
		if (code == 0)
			code = inputs_check_data(file, request);
	}
	close(fd);
	return code;
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

/* Before anybody connects; of merged rows later, since the overlay may have another value. */
static int
collect_secrets(struct seed_input *input)
{
	size_t i;
	int code = 0;

	for (i = input->sql_count; code == 0 && i < input->count; i++)
		if (input->files[i].overlay == NULL && input->files[i].kind != SEED_ROWS)
			code = secrets_collect(&input->secrets, &input->files[i]);
	return code;
}

int
seed_gather(struct seed_input *input, const struct seed_request_files *request)
{
	bool standard = false, folders = false;
	struct stat what;
	size_t i;
	int code = 0;

	input->environment = request->environment;
	for (i = 0; code == 0 && i < request->count; i++) {
		const char *path = request->paths[i];

		if (strcmp(path, "-") == 0) {
			code = standard ? message_error(MIG_USAGE, "standard input is named twice")
			                : inputs_take_standard_input(input, request);
			standard = true;
		} else if (stat(path, &what) == 0 && S_ISDIR(what.st_mode)) {
			folders = true;
			code = inputs_take_folder(input, request, path);
		} else {
			code = inputs_take_file(input, request, xstrdup(path));
		}
	}
	if (code == 0 && request->environment != NULL && !folders)
		code = message_error(MIG_USAGE, "--env=%s needs the folder that has the environment, e.g. prisma/seed", request->environment);
	order_files(input);
	if (code == 0)
		code = seed_settings_unused(request->words, request->word_count, false);
	return code != 0 ? code : collect_secrets(input);
}

void
seed_input_free(struct seed_input *input)
{
	size_t i;

	for (i = 0; i < input->count; i++)
		seed_file_free(&input->files[i]);
	free(input->files);
	bytes_free(&input->overridden);
	secrets_free(&input->secrets);
	reader_free(input->reader);
	*input = (struct seed_input){ 0 };
}
