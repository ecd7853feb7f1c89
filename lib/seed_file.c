#include "seed_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database.h"
#include "message.h"
#include "mig.h"
#include "seed_text.h"
#include "sql.h"

static const char nothing[] = "  Nothing was seeded.";

static int
cannot_read(const char *path, int error)
{
	return message_error(error == EACCES ? MIG_DENIED : MIG_DATA, "cannot read %s: %s", path, strerror(error));
}

int
seed_refuse(const struct seed_file *file, unsigned long line, const char *format, ...)
{
	struct bytes text = { 0 };
	va_list args;

	va_start(args, format);
	bytes_vformat(&text, format, args);
	va_end(args);
	if (line > 0)
		(void)message_error(MIG_DATA, "%s:%lu: %s", file->path, line, text.data);
	else
		(void)message_error(MIG_DATA, "%s: %s", file->path, text.data);
	message_line("%s", nothing);
	bytes_free(&text);
	return MIG_DATA;
}

/* --- names --- */

char
seed_delimiter(const struct seed_file *file)
{
	return file->kind == SEED_TSV ? '\t' : ',';
}

bool
seed_names_have(const struct seed_names *names, const char *name)
{
	size_t i;

	for (i = 0; i < names->count; i++)
		if (strcmp(names->names[i], name) == 0)
			return true;
	return false;
}

void
seed_names_add(struct seed_names *names, char *name)
{
	names->names = xrealloc(names->names, (names->count + 1) * sizeof *names->names);
	names->names[names->count++] = name;
}

void
seed_names_free(struct seed_names *names)
{
	while (names->count > 0)
		free(names->names[--names->count]);
	free(names->names);
	*names = (struct seed_names){ 0 };
}

/* "a, b, "c, d"" to names; false where one is empty or comes twice. */
static bool
names_parse(struct seed_names *names, const char *text, size_t len)
{
	const char *at = text, *end = text + len;
	struct bytes field = { 0 };
	bool more = true, good = true;

	while (more && good) {
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		more = seed_csv_field(&at, end, ',', &field, NULL);
		while (field.len > 0 && (field.data[field.len - 1] == ' ' || field.data[field.len - 1] == '\t'))
			field.data[--field.len] = '\0';
		good = field.len > 0 && !seed_names_have(names, field.data);
		if (good)
			seed_names_add(names, xstrdup(field.data));
	}
	bytes_free(&field);
	return good;
}

void
seed_table_name(const char *text, size_t len, char **schema, char **table)
{
	const char *dot = memchr(text, '.', len);

	*schema = dot != NULL ? xstrndup(text, (size_t)(dot - text)) : NULL;
	*table = dot != NULL ? xstrndup(dot + 1, len - (size_t)(dot - text) - 1) : xstrndup(text, len);
}

static bool
same_name(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* --- settings: seed.conf, and words of the command line --- */

#define CONF_NAME "seed.conf"

void
seed_settings_free(struct seed_settings *s)
{
	seed_names_free(&s->key);
	seed_names_free(&s->insert_only);
	seed_names_free(&s->hide);
}

static const char *
skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

static size_t
trimmed(const char *text, size_t len)
{
	while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
		len--;
	return len;
}

/* One "name = value" for a table; returns what is wrong with it, or NULL. */
static const char *
setting_take(struct seed_settings *s, const char *name, size_t name_len, const char *value, size_t len)
{
	struct {
		const char *name;
		struct seed_names *names;
	} lists[] = { { "key", &s->key }, { "insert-only", &s->insert_only }, { "hide", &s->hide } };
	size_t i;

	for (i = 0; i < sizeof lists / sizeof *lists; i++) {
		if (strlen(lists[i].name) != name_len || strncmp(lists[i].name, name, name_len) != 0)
			continue;
		seed_names_free(lists[i].names);
		return names_parse(lists[i].names, value, len) ? NULL : "columns, each once, with commas between them";
	}
	if (name_len == strlen("prune") && strncmp(name, "prune", name_len) == 0) {
		s->kept = len == 2 && strncmp(value, "no", 2) == 0;
		return s->kept || (len == 3 && strncmp(value, "yes", 3) == 0) ? NULL : "yes or no";
	}
	return "";
}

/* Whether a folder has a data file of a table. */
static bool
folder_has_table(const char *folder, const char *table, size_t len)
{
	static const char *const endings[] = { "csv", "tsv", "ndjson" };
	size_t i;
	bool found = false;

	for (i = 0; !found && i < sizeof endings / sizeof *endings; i++) {
		char *path = xformat("%s/%.*s.%s", folder, (int)len, table, endings[i]);

		found = access(path, F_OK) == 0;
		free(path);
	}
	return found;
}

struct conf {
	const char *folder;
	const struct seed_file *file; /* to complain with: seed.conf */
	const char *schema, *table;   /* whose settings are wanted */
	struct seed_settings *settings;
	bool exporting;               /* a section may be of a table that has no file yet */
	bool here;                    /* the section is the table's */
	bool section;                 /* there was one */
};

static int
conf_section(struct conf *conf, unsigned long line, const char *text, size_t len)
{
	char *schema, *table;

	if (len < 3 || text[len - 1] != ']')
		return seed_refuse(conf->file, line, "a section is the name of a table in [ ]");
	text++;
	len -= 2;
	if (!conf->exporting && !folder_has_table(conf->folder, text, len))
		return seed_refuse(conf->file, line, "[%.*s]: there is no %.*s.csv, .tsv or .ndjson beside this file",
		    (int)len, text, (int)len, text);
	seed_table_name(text, len, &schema, &table);
	conf->section = true;
	conf->here = same_name(schema, conf->schema) && same_name(table, conf->table);
	free(schema);
	free(table);
	return 0;
}

static int
conf_line(struct conf *conf, unsigned long line, const char *text, size_t len)
{
	struct seed_settings other = { 0 };
	const char *equals = memchr(text, '=', len), *value, *why;
	size_t name_len, value_len;

	if (len == 0 || *text == '#' || *text == ';')
		return 0;
	if (*text == '[')
		return conf_section(conf, line, text, len);
	if (equals == NULL)
		return seed_refuse(conf->file, line, "this is neither [TABLE] nor NAME = VALUE");
	if (!conf->section)
		return seed_refuse(conf->file, line, "a setting belongs below the [TABLE] that it is for");
	name_len = trimmed(text, (size_t)(equals - text));
	value = skip_blanks(equals + 1);
	value_len = trimmed(value, (size_t)(text + len - value));
	why = setting_take(conf->here ? conf->settings : &other, text, name_len, value, value_len);
	seed_settings_free(&other);
	if (why != NULL && *why == '\0')
		return seed_refuse(conf->file, line, "there is no setting \"%.*s\"; there are key, insert-only, hide and prune",
		    (int)name_len, text);
	return why == NULL ? 0 : seed_refuse(conf->file, line, "%.*s: it takes %s", (int)name_len, text, why);
}

static int
conf_read(struct conf *conf, const struct bytes *text)
{
	const char *at = bytes_text(text);
	unsigned long line = 0;
	int code = 0;

	while (code == 0 && *at != '\0') {
		size_t len = strcspn(at, "\n");
		const char *from = skip_blanks(at);

		code = conf_line(conf, ++line, from, from < at + len ? trimmed(from, (size_t)(at + len - from)) : 0);
		at += len + (at[len] == '\n');
	}
	return code;
}

/* Words of the command line count for the table that they name, or for all. */
static int
words_take(struct seed_settings *settings, const char *schema, const char *table, const struct seed_word *words,
    size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const char *value = words[i].value, *colon = strchr(value, ':');
		char *for_schema = NULL, *for_table = NULL;
		bool ours = true;

		if (colon != NULL) {
			seed_table_name(value, (size_t)(colon - value), &for_schema, &for_table);
			ours = same_name(for_table, table) && same_name(for_schema, schema);
			value = colon + 1;
		}
		free(for_schema);
		free(for_table);
		if (ours && setting_take(settings, words[i].option, strlen(words[i].option), value, strlen(value)) != NULL)
			return message_error(MIG_USAGE, "--%s=%s: it takes [TABLE:]COLUMN,..., each column once",
			    words[i].option, words[i].value);
	}
	return 0;
}

static int
settings_find(struct conf *conf, const struct seed_word *words, size_t word_count)
{
	struct seed_file file = { .path = xformat("%s%s" CONF_NAME, conf->folder, *conf->folder != '\0' ? "/" : "") };
	int fd = open(file.path, O_RDONLY | O_CLOEXEC), code = 0, error;

	conf->file = &file;
	if (fd >= 0) {
		error = bytes_read_fd(&file.text, fd);
		close(fd);
		code = error != 0 ? cannot_read(file.path, error) : conf_read(conf, &file.text);
	} else if (errno != ENOENT) {
		code = cannot_read(file.path, errno);
	}
	bytes_free(&file.text);
	free(file.path);
	return code != 0 ? code : words_take(conf->settings, conf->schema, conf->table, words, word_count);
}

int
seed_settings_find(struct seed_settings *settings, const char *folder, const char *schema, const char *table,
    const struct seed_word *words, size_t word_count)
{
	struct conf conf = { .folder = folder, .schema = schema, .table = table, .settings = settings, .exporting = true };

	return settings_find(&conf, words, word_count);
}

/* --- the data, line by line --- */

enum { BLOCK = 65536 };

/* Fills the block so that it begins with at least one whole line, or with the last one; false at the end, or said. */
static bool
feed_block(struct seed_feed *feed)
{
	struct bytes *b = &feed->block;
	ssize_t got;

	memmove(b->data, b->data + feed->used, b->len - feed->used);
	b->len -= feed->used;
	feed->used = 0;
	while (!feed->ended) {
		size_t from = b->len;

		bytes_room(b, BLOCK);
		while ((got = read(feed->fd, b->data + b->len, BLOCK)) < 0 && errno == EINTR)
			;
		if (got < 0) {
			feed->code = cannot_read(feed->file->path, errno);
			return false;
		}
		feed->ended = got == 0;
		b->len += (size_t)got;
		b->data[b->len] = '\0';
		if (memchr(b->data + from, '\n', b->len - from) != NULL)
			break;
	}
	return b->len > 0;
}

/* How much of the block is whole lines. */
static size_t
whole_lines(const struct seed_feed *feed)
{
	size_t len = feed->block.len;

	while (!feed->ended && len > 0 && feed->block.data[len - 1] != '\n')
		len--;
	return len;
}

int
seed_feed_open(struct seed_feed *feed, const struct seed_file *file, bool gone)
{
	static const char bom[] = "\xEF\xBB\xBF"; /* spreadsheets write it; to COPY it would be part of a name */

	*feed = (struct seed_feed){ .file = file, .gone = gone };
	if (file->standard) {
		feed->fd = STDIN_FILENO;
		if (lseek(feed->fd, 0, SEEK_SET) < 0)
			return cannot_read(file->path, errno);
	} else if ((feed->fd = open(file->path, O_RDONLY | O_CLOEXEC)) < 0) {
		return cannot_read(file->path, errno);
	}
	bytes_str(&feed->block, "");
	if (feed_block(feed) && strncmp(feed->block.data, bom, 3) == 0)
		feed->used = 3;
	return feed->code;
}

void
seed_feed_close(struct seed_feed *feed)
{
	if (feed->file != NULL && !feed->file->standard && feed->fd >= 0)
		close(feed->fd);
	bytes_free(&feed->block);
	bytes_free(&feed->out);
	*feed = (struct seed_feed){ 0 };
}

/*
 * CSV goes as it is.  A line of \. would end it for a server before 18, and the rest would be passed over without a
 * word.
 */
static size_t
feed_csv(struct seed_feed *feed, const char **data)
{
	const char *from = feed->block.data + feed->used, *at;
	size_t len = whole_lines(feed) - feed->used;

	for (at = from; (at = memchr(at, '\\', (size_t)(from + len - at))) != NULL; at++) {
		bool first = at == from || at[-1] == '\n';

		if (first && at[1] == '.' && (at[2] == '\n' || at[2] == '\r' || at + 2 == from + len)) {
			for (; from < at; from++)
				feed->line += *from == '\n';
			feed->code = seed_refuse(feed->file, feed->line + 1, "a line of \\. would end the data here");
			return DB_FEED_BAD;
		}
	}
	for (at = from; (at = memchr(at, '\n', (size_t)(from + len - at))) != NULL; at++)
		feed->line++;
	feed->used += len;
	*data = from;
	return len;
}

/* Text as COPY's own format has it. */
static void
add_escaped(struct bytes *out, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] == '\\')
			bytes_str(out, "\\\\");
		else if (text[i] == '\t' || text[i] == '\r')
			bytes_char(out, ' '); /* between two tokens: in a JSON text they cannot stand */
		else
			bytes_char(out, text[i]);
	}
}

/* --- rows of a stream --- */

/* What mig-seed looks at in a `row` record; all empty: it is another record. */
struct row {
	struct seed_span schema, table, change, key, new;
};

static bool
row_of(const char *line, size_t len, struct row *row)
{
	const char *at = line, *end = line + len;
	struct seed_span key, value;
	bool is_row = false;

	*row = (struct row){ 0 };
	while (seed_json_member(&at, end, &key, &value)) {
		if (seed_span_is(key, "\"record\""))
			is_row = seed_span_is(value, "\"row\"");
		else if (seed_span_is(key, "\"schema\""))
			row->schema = value;
		else if (seed_span_is(key, "\"table\""))
			row->table = value;
		else if (seed_span_is(key, "\"change\""))
			row->change = value;
		else if (seed_span_is(key, "\"key\""))
			row->key = value;
		else if (seed_span_is(key, "\"new\""))
			row->new = value;
	}
	return is_row;
}

static bool
row_is_gone(const struct row *row)
{
	return seed_span_is(row->change, "\"delete\"");
}

static bool
span_is_name(struct seed_span span, const char *name)
{
	char *text = seed_json_text(span);
	bool same = same_name(text, name);

	free(text);
	return same;
}

/* The object of a row: its key, and what is new, in one. */
static void
add_row(struct bytes *out, const struct row *row)
{
	add_escaped(out, row->key.text, row->key.len - 1);
	if (row->new.len > 2 && *row->new.text == '{') {
		bytes_char(out, ',');
		add_escaped(out, row->new.text + 1, row->new.len - 2);
	}
	bytes_str(out, "}\n");
}

/* One line to a row of the feed, or to none. */
static int
feed_line(struct seed_feed *feed, const char *line, size_t len)
{
	const struct seed_file *file = feed->file;
	const char *from = seed_json_blanks(line, line + len);
	struct row row;

	if (from == line + len)
		return 0;
	if (file->kind == SEED_ROWS) {
		if (!row_of(from, (size_t)(line + len - from), &row) || row_is_gone(&row) != feed->gone ||
		    !span_is_name(row.table, file->table) || !span_is_name(row.schema, file->schema))
			return 0;
		add_row(&feed->out, &row);
	} else {
		if (*from != '{')
			return seed_refuse(file, feed->line, "this is no JSON object: NDJSON has one a line%s",
			    *from == '[' ? " (of a list, jq -c '.[]' makes them)" : "");
		if (memchr(from, '\0', (size_t)(line + len - from)) != NULL)
			return seed_refuse(file, feed->line, "there is a NUL byte in the line");
		add_escaped(&feed->out, from, (size_t)(line + len - from));
		bytes_char(&feed->out, '\n');
	}
	feed->row++;
	return 0;
}

/* Lines of JSON, until there is a block of them; or, where `until` is not 0, until that row. */
static void
feed_lines(struct seed_feed *feed, unsigned long until)
{
	feed->out.len = 0;
	while (feed->code == 0 && feed->out.len < BLOCK && (until == 0 || feed->row < until)) {
		const char *from, *newline;
		size_t len;

		if (feed->used >= whole_lines(feed) && !feed_block(feed))
			return;
		from = feed->block.data + feed->used;
		newline = memchr(from, '\n', feed->block.len - feed->used);
		len = newline != NULL ? (size_t)(newline - from) : feed->block.len - feed->used;
		feed->used += len + (newline != NULL);
		feed->line++;
		feed->code = feed_line(feed, from, len);
	}
}

bool
seed_is_csv(const struct seed_file *file)
{
	return file->kind == SEED_CSV || file->kind == SEED_TSV;
}

size_t
seed_feed_next(void *context, const char **data)
{
	struct seed_feed *feed = context;

	if (seed_is_csv(feed->file)) {
		if (feed->used >= whole_lines(feed) && !feed_block(feed))
			return feed->code != 0 ? DB_FEED_BAD : 0;
		return feed_csv(feed, data);
	}
	feed_lines(feed, 0);
	*data = feed->out.data;
	return feed->code != 0 ? DB_FEED_BAD : feed->out.len;
}

size_t
seed_feed_look(struct seed_feed *feed, const char **data)
{
	size_t len;

	if (feed->used == feed->block.len && !feed_block(feed))
		return 0;
	*data = feed->block.data + feed->used;
	len = feed->block.len - feed->used;
	feed->used += len;
	return len;
}

/* Where records begin: a newline inside quotes ends none. */
static unsigned long
csv_line_of_row(struct seed_feed *feed, unsigned long row)
{
	unsigned long line = 1, begun = 1, seen = 0; /* the header is record 0 */
	bool quoted = false;

	for (;;) {
		if (feed->used == feed->block.len && !feed_block(feed))
			return seen == row ? begun : 0;
		for (; feed->used < feed->block.len; feed->used++) {
			char c = feed->block.data[feed->used];

			quoted ^= c == '"';
			line += c == '\n';
			if (c != '\n' || quoted)
				continue;
			if (seen++ == row)
				return begun;
			begun = line;
		}
	}
}

unsigned long
seed_line_of_row(const struct seed_file *file, unsigned long row)
{
	struct seed_feed feed;
	unsigned long line = 0;

	if (row > 0 && seed_feed_open(&feed, file, false) == 0) {
		if (seed_is_csv(file)) {
			line = csv_line_of_row(&feed, row);
		} else {
			while (feed.row < row && feed.code == 0) {
				unsigned long before = feed.row;

				feed_lines(&feed, row);
				if (feed.row == before && feed.ended)
					break;
			}
			line = feed.row == row ? feed.line : 0;
		}
	}
	seed_feed_close(&feed);
	return line;
}

/* --- finding files --- */

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
	message_line("%s", nothing);
	return MIG_DATA;
}

/* All files are one transaction, so none may end it. */
static int
check_statements(const struct seed_file *file)
{
	struct sql_script script = sql_split(file->text.data, file->text.len);
	int code = 0;
	size_t i;

	for (i = 0; code == 0 && i < script.count; i++) {
		const struct sql_statement *s = &script.statements[i];

		if (s->kind == SQL_BEGIN || s->kind == SQL_COMMIT || s->kind == SQL_ROLLBACK)
			code = refuse_statement(file, s, "has no place here: all files run in one transaction");
		else if (s->kind == SQL_ALONE)
			code = refuse_statement(file, s, "cannot run in a transaction: make it a migration");
		else if (s->kind == SQL_COPY_CLIENT)
			code = refuse_statement(file, s, "wants rows from the client: put them into a .csv beside it");
	}
	sql_script_free(&script);
	return code;
}

static int
check_sql(struct seed_file *file, int fd)
{
	int error = bytes_read_fd(&file->text, fd);
	size_t bad;

	if (error != 0)
		return cannot_read(file->path, error);
	bytes_str(&file->text, "");
	bad = utf8_check(file->text.data, file->text.len);
	if (bad != file->text.len || memchr(file->text.data, '\0', file->text.len) != NULL)
		return message_error(MIG_DATA, "%s is no text in UTF-8", file->path);
	return check_statements(file);
}

static size_t
header_end(const struct bytes *block, size_t from)
{
	bool quoted = false;

	for (; from < block->len && (quoted || block->data[from] != '\n'); from++)
		quoted ^= block->data[from] == '"';
	return from;
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
			                                           : "column \"%s\" is named twice", field.data);
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
	char *folder = file->standard ? xstrdup("") : slash != NULL ? xstrndup(file->path, (size_t)(slash - file->path))
	                                                            : xstrdup(".");
	struct conf conf = { .folder = folder, .schema = file->schema, .table = file->table, .settings = &file->settings };
	int code = 0;

	if (file->table[0] == '\0' || (file->schema != NULL && file->schema[0] == '\0'))
		code = seed_refuse(file, 0, "a data file is named after its table: [SCHEMA.]TABLE.csv");
	else if (file->standard)
		code = words_take(&file->settings, file->schema, file->table, request->words, request->word_count);
	else
		code = settings_find(&conf, request->words, request->word_count);
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
		code = fd < 0 ? cannot_read(path, errno)
		              : message_error(MIG_DATA, "%s is no seed file: those end in .sql, .csv, .tsv, .ndjson", path);
		free(path);
		return code;
	}
	file = add_file(input, kind, path);
	file->name = folder ? name : path;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return cannot_read(path, errno);
	if (fstat(fd, &what) == 0 && S_ISDIR(what.st_mode)) {
		close(fd);
		return cannot_read(path, EISDIR);
	}
	if (kind == SEED_SQL) {
		code = check_sql(file, fd);
	} else {
		seed_table_name(name, stem, &file->schema, &file->table);
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
		return cannot_read(folder, errno);
	for (i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (code == 0 && kind_of(name, &kind, &stem))
			code = take_file(input, request,
			    xformat("%s%s%s", folder, tail > 0 && folder[tail - 1] == '/' ? "" : "/", name), true);
		else if (code == 0 && strcmp(name, CONF_NAME) != 0 && strncmp(name, "README", 6) != 0)
			message_warning("%s/%s is no seed file and is passed over", folder, name);
		free(entries[i]);
	}
	free(entries);
	if (code == 0 && input->count == before)
		code = message_error(MIG_DATA, "%s has no seed file: those end in .sql, .csv, .tsv, .ndjson", folder);
	return code;
}

/* --- standard input --- */

/* A pipe can be read once, an attempt may have to be repeated: what comes is kept in a file that has no name. */
static int
keep_standard_input(void)
{
	struct stat what;
	FILE *kept;
	char chunk[BLOCK];
	ssize_t got;
	int error = 0;

	if (fstat(STDIN_FILENO, &what) == 0 && S_ISREG(what.st_mode) && lseek(STDIN_FILENO, 0, SEEK_CUR) == 0)
		return 0;
	if ((kept = tmpfile()) == NULL)
		return message_error(MIG_BUSY, "cannot keep standard input in a temporary file: %s", strerror(errno));
	while ((got = read(STDIN_FILENO, chunk, sizeof chunk)) != 0 && error == 0)
		if (got > 0 ? fwrite(chunk, 1, (size_t)got, kept) != (size_t)got : errno != EINTR)
			error = errno;
	if (error == 0 && (fflush(kept) != 0 || dup2(fileno(kept), STDIN_FILENO) < 0))
		error = errno;
	fclose(kept);
	if (error != 0)
		return message_error(MIG_BUSY, "cannot keep standard input in a temporary file: %s", strerror(error));
	return lseek(STDIN_FILENO, 0, SEEK_SET) < 0 ? cannot_read("standard input", errno) : 0;
}

static struct seed_file *
table_of_stream(struct seed_input *input, const char *schema, const char *table)
{
	size_t i;

	for (i = 0; i < input->count; i++)
		if (input->files[i].kind == SEED_ROWS && same_name(input->files[i].table, table) &&
		    same_name(input->files[i].schema, schema))
			return &input->files[i];
	return NULL;
}

/* The first row of a table says what its key is. */
static int
note_row(struct seed_input *input, const struct seed_feed *feed, const struct row *row,
    const struct seed_request_files *request)
{
	char *schema = seed_json_text(row->schema), *table = seed_json_text(row->table);
	struct seed_file *file = table != NULL ? table_of_stream(input, schema, table) : NULL;
	const char *at = row->key.text;
	struct seed_span key, value;
	int code = 0;

	if (table == NULL || row->key.len < 3 || *at != '{' ||
	    (!row_is_gone(row) && (row->new.len < 2 || *row->new.text != '{')))
		code = seed_refuse(feed->file, feed->line, "a row record has a \"table\", a \"key\" and a \"new\"");
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
		file->gone |= row_is_gone(row);
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
	while (got == READING_RECORD && (got = reader_next(input->reader, &record)) == READING_RECORD)
		record_free(record);
	if (got == READING_FAILED) {
		input->failure = reader_failure(input->reader);
		message_line("%s: nothing was seeded (%s failed)", message_tool(), input->failure->tool);
		return (int)input->failure->exit_code;
	}
	return got == READING_END ? 0 : MIG_DATA;
}

static int
take_stream(struct seed_input *input, const struct seed_request_files *request)
{
	struct seed_file whole = { .kind = SEED_NDJSON, .path = (char[]){ "standard input" }, .standard = true };
	struct seed_feed feed;
	struct row row;
	int code = check_stream(input);

	if (code != 0)
		return code;
	code = seed_feed_open(&feed, &whole, false);
	while (code == 0) {
		const char *from, *newline;

		if (feed.used >= whole_lines(&feed) && !feed_block(&feed))
			break;
		from = feed.block.data + feed.used;
		newline = memchr(from, '\n', feed.block.len - feed.used);
		feed.used += (size_t)(newline - from) + 1; /* the reader has seen that each line ends */
		feed.line++;
		if (row_of(from, (size_t)(newline - from), &row))
			code = note_row(input, &feed, &row, request);
	}
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
		return message_error(MIG_USAGE, "standard input is a terminal; rows come from a pipe:  mig-seed --dry-run prisma/seed | mig-seed -");
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
	return code;
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
