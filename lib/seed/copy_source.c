#include "seed/copy_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shell_quote.h"
#include "postgres/connection.h"
#include "seed/json_array.h"

enum { BLOCK = 65536 };

/* How much of the block is whole lines. */
static size_t
whole_lines(const struct copy_source *feed)
{
	size_t len = feed->block.len;

	while (!feed->ended && len > 0 && feed->block.data[len - 1] != '\n')
		len--;
	return len;
}

static int
check_csv(struct copy_source *feed, const char *text, size_t len)
{
	struct seed_csv_scan *scan = &feed->csv;

	if (!seed_csv_scan(scan, text, len) && scan->other != NULL)
		return seed_refuse(feed->file, scan->line, "the line ends with %s, the lines before it with %s", scan->other,
		    scan->ending);
	if (scan->fault != NULL)
		return seed_refuse(feed->file, scan->row + 1,
		    "%s: a value that contains quotes must be quoted, and each quote in it doubled", scan->fault);
	if (feed->ended && scan->where == CSV_QUOTED)
		return seed_refuse(feed->file, scan->row + 1,
		    "a quote in the row that begins here is not closed");
	return 0;
}

/* Validates a part of the file: only valid text and CSV is passed on. */
static bool
check_block(struct copy_source *feed)
{
	const char *text = feed->block.data + feed->checked, *at = text, *end;
	size_t len = whole_lines(feed);

	len -= len > feed->checked ? feed->checked : len;
	end = text + len;
	feed->code = seed_check_text(feed->file, text, len, feed->checked_lines + 1);
	if (feed->code == 0 && seed_is_csv(feed->file)) {
		bool bom = feed->checked_lines == 0 && feed->csv.line == 0 && strncmp(text, SEED_BOM, 3) == 0;

		feed->code = check_csv(feed, text + (bom ? 3 : 0), len - (bom ? 3 : 0));
	}
	for (; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
		feed->checked_lines++;
	feed->checked += len;
	return feed->code == 0;
}

/*
 * Fills the block so that it begins with at least one whole line, or with the last one; false at the end, or
 * said.
 */
static bool
feed_block(struct copy_source *feed)
{
	struct bytes *b = &feed->block;
	ssize_t got;

	memmove(b->data, b->data + feed->used, b->len - feed->used);
	b->len -= feed->used;
	feed->checked -= feed->used < feed->checked ? feed->used : feed->checked;
	feed->used = 0;
	while (!feed->ended) {
		size_t from = b->len;

		bytes_room(b, BLOCK);
		while ((got = read(feed->fd, b->data + b->len, BLOCK)) < 0 && errno == EINTR)
			;
		if (got < 0) {
			feed->code = seed_cannot_read(feed->file->path, errno);
			return false;
		}
		feed->ended = got < BLOCK; /* of a regular file that is its end */
		b->len += (size_t)got;
		b->data[b->len] = '\0';
		if (memchr(b->data + from, '\n', b->len - from) != NULL)
			break;
	}
	return check_block(feed) && b->len > 0;
}

/* An array is read as a whole, and its objects are lines from then on. */
static int
read_array(struct copy_source *feed)
{
	struct bytes text = { 0 };
	unsigned long line = 0;
	const char *wrong = NULL;
	int error;

	bytes_str(&text, "");
	error = bytes_read_fd(&text, feed->fd);
	feed->ended = true;
	if (error != 0)
		feed->code = seed_cannot_read(feed->file->path, error);
	else if ((feed->code = seed_check_text(feed->file, text.data, text.len, 1)) == 0) {
		size_t bom = strncmp(text.data, SEED_BOM, 3) == 0 ? 3 : 0;

		wrong = json_array_lines(&feed->block, text.data + bom, text.len - bom, &line);
	}
	if (wrong != NULL)
		feed->code = seed_refuse(feed->file, line, "%s", wrong);
	feed->checked = feed->block.len;
	bytes_free(&text);
	return feed->code;
}

int
copy_source_open(struct copy_source *feed, const struct seed_file *file, bool gone)
{
	*feed = (struct copy_source){ .file = file, .gone = gone, .csv = { .delimiter = seed_delimiter(file) } };
	if (file->overlay != NULL) { /* in memory */
		feed->fd = -1;
		feed->ended = true;
		bytes_add(&feed->block, bytes_text(&file->merged), file->merged.len);
		feed->checked = feed->block.len;
		return 0;
	}
	if (file->standard) {
		feed->fd = STDIN_FILENO;
		if (lseek(feed->fd, 0, SEEK_SET) < 0)
			return seed_cannot_read(file->path, errno);
	} else if ((feed->fd = open_regular(AT_FDCWD, file->path, 0)) < 0) {
		return seed_cannot_read(file->path, errno);
	}
	bytes_str(&feed->block, "");
	if (feed->file->array)
		return read_array(feed);
	if (feed_block(feed) && strncmp(feed->block.data, SEED_BOM, 3) == 0)
		feed->used = 3; /* to COPY it would be part of a name */
	return feed->code;
}

void
copy_source_close(struct copy_source *feed)
{
	if (feed->file != NULL && !feed->file->standard && feed->fd >= 0)
		close(feed->fd);
	bytes_free(&feed->block);
	bytes_free(&feed->out);
	*feed = (struct copy_source){ 0 };
}

/*
 * CSV goes as it is.  A line of \. would end it for a server before 18, and the rest would be passed over
 * without a word.
 */
static size_t
feed_csv(struct copy_source *feed, const char **data)
{
	const char *from = feed->block.data + feed->used, *at;
	size_t len = whole_lines(feed) - feed->used, all = len;

	/* blank lines at the end of the file are no rows */
	while (feed->ended && len > 1 && strchr("\r\n", from[len - 1]) != NULL && strchr("\r\n", from[len - 2]) != NULL &&
	    !(from[len - 2] == '\r' && from[len - 1] == '\n' && (len < 3 || strchr("\r\n", from[len - 3]) == NULL)))
		len--;
	for (at = from; (at = memchr(at, '\\', (size_t)(from + len - at))) != NULL; at++) {
		bool first = at == from || at[-1] == '\n' || at[-1] == '\r';

		if (first && at[1] == '.' && (at[2] == '\n' || at[2] == '\r' || at + 2 == from + len)) {
			for (; from < at; from++)
				feed->line += *from == '\n';
			feed->code =
			    seed_refuse(feed->file, feed->line + 1, "a line of \\. would end the data here");
			return DB_FEED_BAD;
		}
	}
	for (at = from; (at = memchr(at, '\n', (size_t)(from + len - at))) != NULL; at++)
		feed->line++;
	feed->used += all;
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

bool
seed_row_of(const char *line, size_t len, struct seed_row *row)
{
	const char *at = line, *end = line + len;
	struct seed_span key, value;
	bool is_row = false;

	*row = (struct seed_row){ 0 };
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
		else if (seed_span_is(key, "\"secret\""))
			row->secret = value;
	}
	return is_row;
}

bool
seed_row_is_gone(const struct seed_row *row)
{
	return seed_span_is(row->change, "\"delete\"");
}

static bool
span_is_name(struct seed_span span, const char *name)
{
	char *text = seed_json_text(span);
	bool same = seed_same_name(text, name);

	free(text);
	return same;
}

/* The object of a row: its key, and what is new, in one. */
static void
add_row(struct bytes *out, const struct seed_row *row)
{
	add_escaped(out, row->key.text, row->key.len - 1);
	if (row->new.len > 2 && *row->new.text == '{') {
		bytes_char(out, ',');
		add_escaped(out, row->new.text + 1, row->new.len - 2);
	}
	bytes_str(out, "}\n");
}

/* The 16 bits of the escape \uXXXX at text, or -1 if there is none. */
static long
unicode_escape(const char *text, const char *end)
{
	char digits[5] = { 0 };

	if (end - text < 6 || text[0] != '\\' || text[1] != 'u')
		return -1;
	memcpy(digits, text + 2, 4);
	return strspn(digits, "0123456789abcdefABCDEF") == 4 ? strtol(digits, NULL, 16) : -1;
}

/*
 * The first escape that no text of PostgreSQL can have: \u0000, or one half of a surrogate pair without the other; NULL
 * if there is none.  Behind an odd number of backslashes it is no escape.
 */
static const char *
escape_without_character(const char *text, size_t len)
{
	const char *end = text + len;

	for (; (text = memchr(text, '\\', (size_t)(end - text))) != NULL && end - text >= 2; text += 2) {
		long half = unicode_escape(text, end), other;

		if (half == 0 || (half >= 0xDC00 && half <= 0xDFFF))
			return text;
		if (half < 0xD800 || half > 0xDBFF)
			continue;
		other = unicode_escape(text + 6, end);
		if (other < 0xDC00 || other > 0xDFFF)
			return text;
		text += 6;
	}
	return NULL;
}

static int
refuse_other_json(const struct seed_file *file, unsigned long line, bool array)
{
	struct bytes word = { 0 };
	int code = seed_refuse(file, line, "this is not a JSON object: NDJSON has one per line");

	if (!file->standard)
		shell_path_word(&word, file->path);
	message_line("  To write such lines:  jq -c %s %s", array ? "'.[]'" : ".", bytes_text(&word));
	bytes_free(&word);
	return code;
}

/* One line to a row of the feed, or to none. */
static int
feed_line(struct copy_source *feed, const char *line, size_t len)
{
	const struct seed_file *file = feed->file;
	const char *from = seed_json_blanks(line, line + len), *escape;
	struct seed_row row;

	if (from == line + len)
		return 0;
	if (file->kind == SEED_ROWS) {
		if (!seed_row_of(from, (size_t)(line + len - from), &row) ||
		    seed_row_is_gone(&row) != feed->gone ||
		    !span_is_name(row.table, file->table) || !span_is_name(row.schema, file->schema))
			return 0;
		add_row(&feed->out, &row);
	} else {
		if (*from != '{')
			return refuse_other_json(file, feed->line, *from == '[' && feed->row == 0);
		if ((escape = escape_without_character(from, (size_t)(line + len - from))) != NULL)
			return seed_refuse(file, feed->line, "the line contains %.6s, which %s", escape,
			    unicode_escape(escape, line + len) == 0 ? "a text in PostgreSQL cannot contain"
			                                            : "is one half of a character without the other");
		add_escaped(&feed->out, from, (size_t)(line + len - from));
		bytes_char(&feed->out, '\n');
	}
	feed->row++;
	return 0;
}

bool
copy_source_line(struct copy_source *feed, const char **line, size_t *len)
{
	const char *newline;

	if (feed->used >= whole_lines(feed) && !feed_block(feed))
		return false;
	*line = feed->block.data + feed->used;
	newline = memchr(*line, '\n', feed->block.len - feed->used);
	*len = newline != NULL ? (size_t)(newline - *line) : feed->block.len - feed->used;
	feed->used += *len + (newline != NULL);
	feed->line++;
	return true;
}

/* Lines of JSON, until there is a block of them; or, where `until` is not 0, until that row. */
static void
feed_lines(struct copy_source *feed, unsigned long until)
{
	feed->out.len = 0;
	while (feed->code == 0 && feed->out.len < BLOCK && (until == 0 || feed->row < until)) {
		const char *line;
		size_t len;

		if (!copy_source_line(feed, &line, &len))
			return;
		feed->code = feed_line(feed, line, len);
	}
}

size_t
copy_source_next(void *context, const char **data)
{
	struct copy_source *feed = context;

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
copy_source_look(struct copy_source *feed, const char **data)
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
csv_line_of_row(struct copy_source *feed, unsigned long row)
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
copy_source_line_of_row(const struct seed_file *file, unsigned long row)
{
	struct copy_source feed;
	unsigned long line = 0;

	if (row > 0 && copy_source_open(&feed, file, false) == 0) {
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
	copy_source_close(&feed);
	return line;
}
