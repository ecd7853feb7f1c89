/* Reads a stream: line by line, checked to its end. */
#include "records/record_internal.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"

/* The tool that writes a kind of stream, to name it if its output is truncated. */
static const struct {
	const char *kind;
	const char *tool;
} writers[] = { { "scan", "mig-scan" }, { "plan", "mig-plan" }, { "results", "mig-apply" },
	{ "rows", "mig-seed" }, { "checks", "mig-check" } };

struct reader *
reader_open(const char *path, const char *consequence, const char *pipeline)
{
	bool standard = strcmp(path, "-") == 0;
	struct reader *r;
	int fd = STDIN_FILENO;

	if (standard && isatty(STDIN_FILENO)) {
		(void)message_error(MIG_USAGE, "standard input is a terminal; %s", pipeline);
		return NULL;
	}
	if (!standard && (fd = open_given(path)) < 0) {
		(void)message_error(errno == EACCES ? MIG_DENIED : MIG_DATA, "cannot open %s: %s", path,
		    file_why(errno));
		return NULL;
	}
	r = xcalloc(1, sizeof *r);
	r->fd = fd;
	r->name = standard ? "standard input" : path;
	r->consequence = consequence;
	r->code = MIG_DATA;
	crypto_generichash_init(&r->digest, NULL, 0, RECORD_DIGEST_BYTES);
	return r;
}

void
reader_free(struct reader *r)
{
	if (r == NULL)
		return;
	if (r->fd != STDIN_FILENO)
		close(r->fd);
	record_free(r->head);
	record_free(r->tail);
	free(r->text);
	free(r->command);
	free(r->folder);
	bytes_free(&r->kept);
	free(r);
}

int
reader_refuse(struct reader *r, const char *format, ...)
{
	struct bytes text = { 0 };
	va_list args;

	va_start(args, format);
	bytes_vformat(&text, format, args);
	va_end(args);
	(void)message_error(MIG_DATA, "%s, line %lu: %s", r->name, r->line, text.data);
	if (r->consequence != NULL)
		message_line("  %s", r->consequence);
	bytes_free(&text);
	return MIG_DATA;
}

/* As read(), but a signal that ends the program is not waited through: EINTR. */
static ssize_t
read_some(struct reader *r)
{
	ssize_t got;

	do {
		while (signals_caught() == 0 && signals_wait(r->fd, SIGNALS_READ, -1) == 0)
			;
		if (signals_caught() != 0) {
			errno = EINTR;
			return -1;
		}
		got = read(r->fd, r->text + r->end, r->cap - r->end);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	return got;
}

/*
 * Makes room for a chunk more; false where a line would get longer than any record is, or, of those that are longer than
 * nearly all, than the memory.
 */
static bool
reader_grow(struct reader *r)
{
	enum { LONG_LINE = 16 << 20 };
	size_t cap = r->cap == 0 ? (size_t)CHUNK * 2 : r->cap * 2 < LONGEST_LINE ? r->cap * 2 : LONGEST_LINE + CHUNK;
	char *text = cap > r->cap ? realloc(r->text, cap) : NULL;

	if (text == NULL && cap > r->cap && r->cap < LONG_LINE)
		bytes_out_of_memory();
	if (text == NULL)
		return false;
	r->text = text;
	r->cap = cap;
	return true;
}

/* Reads what there is, behind what is there; false at the end of the file or on an error. */
static bool
reader_more(struct reader *r)
{
	ssize_t got;

	if (r->ended || r->error != 0)
		return false;
	if (r->cap - r->end < CHUNK && r->from > 0) {
		memmove(r->text, r->text + r->from, r->end - r->from);
		r->end -= r->from;
		r->from = 0;
	}
	if (r->cap - r->end < CHUNK && !reader_grow(r)) {
		r->error = EFBIG;
		return false;
	}
	if ((got = read_some(r)) < 0)
		r->error = errno;
	r->ended = got == 0;
	r->end += got > 0 ? (size_t)got : 0;
	return got > 0;
}

/*
 * Finds the next line and hashes it, newline and all, as it comes in.  *len is without the newline.  False where there is
 * none before the end.  What cannot be a record is not read to its end: it may have none.
 */
static bool
reader_next_line(struct reader *r, size_t *len)
{
	const char *newline = NULL;
	size_t seen = 0;
	bool hopeless = false;

	while (newline == NULL && !hopeless) {
		size_t more;

		if (r->from + seen == r->end && !reader_more(r))
			break;
		more = r->end - r->from - seen;
		newline = memchr(r->text + r->from + seen, '\n', more);
		if (newline != NULL)
			more = (size_t)(newline - (r->text + r->from)) - seen + 1;
		crypto_generichash_update(&r->digest, (const unsigned char *)r->text + r->from + seen, more);
		hopeless = memchr(r->text + r->from + seen, '\0', more) != NULL;
		seen += more;
		hopeless |= newline == NULL && seen > CHUNK && memchr("{ \t\r", r->text[r->from], 4) == NULL;
	}
	*len = newline != NULL || hopeless ? seen - 1 : seen;
	return newline != NULL || hopeless;
}

static const char *
record_tool(const struct reader *r)
{
	size_t i;

	for (i = 0; i < sizeof writers / sizeof *writers; i++)
		if (r->kind != NULL && strcmp(r->kind, writers[i].kind) == 0)
			return writers[i].tool;
	return "the previous command";
}

/* A record kept the text of its line: what was read behind it moves to memory of its own. */
static void
reader_let_go(struct reader *r)
{
	size_t rest = r->end - r->from;
	char *text = xmalloc(rest + CHUNK);

	memcpy(text, r->text + r->from, rest);
	r->text = text;
	r->from = 0;
	r->end = rest;
	r->cap = rest + CHUNK;
}

static enum reading
bad_line(struct reader *r, const struct json_flaw *flaw)
{
	if (flaw->text[0] != '\0')
		(void)reader_refuse(r, "not a record: column %d: %s", flaw->column, flaw->text);
	else
		(void)reader_refuse(r, "not a record: it is not an object with a \"record\"");
	return READING_BAD;
}

static void
say_stopped(struct reader *r)
{
	r->code = message_error(128 + signals_caught(), "stopped by a signal while reading %s", r->name);
	if (r->consequence != NULL)
		message_line("  %s", r->consequence);
}

static enum reading
no_line(struct reader *r, size_t len)
{
	if (signals_caught() != 0)
		say_stopped(r);
	else if (r->error == EFBIG)
		(void)reader_refuse(r, "the line is longer than %zu MB: it is not a record", len >> 20);
	else if (r->error != 0)
		(void)reader_refuse(r, "cannot read: %s", strerror(r->error));
	else if (len > 0)
		(void)reader_refuse(r, "the line is truncated: no newline at its end");
	else if (r->line == 1)
		(void)reader_refuse(r, "empty input: the previous command wrote no record");
	else
		(void)reader_refuse(r, "the stream ends without its end record: %s was interrupted", record_tool(r));
	return READING_BAD;
}

/* Any one line as a record, whatever it is. */
static enum reading
reader_line(struct reader *r, struct record **out)
{
	struct json_flaw flaw;
	size_t len;
	char *line;
	bool kept;

	r->line++;
	r->before = r->digest;
	if (!reader_next_line(r, &len))
		return no_line(r, len);
	if (r->from > 0 && len >= RECORD_LARGE) { /* a record may keep the line, and gives it to free() */
		memmove(r->text, r->text + r->from, r->end - r->from);
		r->end -= r->from;
		r->from = 0;
	}
	line = r->text + r->from;
	r->from += len + 1;
	if (memchr(line, '\0', len + 1) != NULL) {
		(void)reader_refuse(r, "the line contains a NUL byte");
		return READING_BAD;
	}
	if (r->keeps || r->line == 1)
		bytes_add(&r->kept, line, len + 1);
	line[len] = '\0';
	*out = record_parse(line, len, &kept, &flaw);
	if (kept)
		reader_let_go(r);
	if (*out != NULL && record_name(*out) == NULL) {
		record_free(*out);
		*out = NULL;
		flaw.text[0] = '\0';
	}
	return *out != NULL ? READING_RECORD : bad_line(r, &flaw);
}

static bool
reader_at_end(struct reader *r, const char *name)
{
	if (r->from < r->end || reader_more(r)) {
		r->line++;
		(void)reader_refuse(r, "unexpected data after the %s record", name);
		return false;
	}
	return true;
}

static enum reading
read_failed(struct reader *r, struct record *record)
{
	r->tail = record;
	if (record_fill(r, record, &frame_failed_form, &r->failure) != 0)
		return READING_BAD;
	if (r->failure.exit_code < 1 || r->failure.exit_code > 255) {
		(void)reader_refuse(r, "\"exit_code\" is not between 1 and 255");
		return READING_BAD;
	}
	return reader_at_end(r, "failed") ? READING_FAILED : READING_BAD;
}

static enum reading
read_end(struct reader *r, const struct record *record)
{
	struct frame_end end;
	char here[PLACE_HEX];

	if (record_fill(r, record, &frame_end_form, &end) != 0)
		return READING_BAD;
	if (end.records != (long long)r->line - 1) {
		(void)reader_refuse(r, "incomplete stream: %lld records written, %lu received",
		    end.records, r->line - 1);
		return READING_BAD;
	}
	frame_digest_hex(&r->before, r->hex);
	if (strcmp(end.digest, r->hex) != 0 || !frame_is_sealed(&end)) {
		(void)reader_refuse(r, "the stream was changed: its digest does not match its lines");
		return READING_BAD;
	}
	frame_place_here(here);
	if (end.command != NULL && end.place != NULL && strcmp(end.place, here) == 0 && frame_is_pipeline(end.command))
		r->command = xstrdup(end.command);
	if (end.folder != NULL && !utf8_has_control(end.folder))
		r->folder = xstrdup(end.folder);
	return reader_at_end(r, "end") ? READING_END : READING_BAD;
}

static enum reading
reader_any(struct reader *r, struct record **out)
{
	enum reading got = reader_line(r, out);

	if (got == READING_RECORD && record_is(*out, &frame_failed_form))
		return read_failed(r, *out);
	return got;
}

enum reading
reader_begin(struct reader *r, const char *const kinds[])
{
	struct frame_stream stream;
	struct record *record;
	enum reading got = reader_any(r, &record);
	size_t i;

	if (got != READING_RECORD)
		return got;
	r->head = record;
	if (!record_is(record, &frame_stream_form)) {
		(void)reader_refuse(r, "a stream must begin with its \"stream\" record, not with \"%s\"",
		    record_name(record));
		return READING_BAD;
	}
	if (record_fill(r, record, &frame_stream_form, &stream) != 0)
		return READING_BAD;
	r->kind = stream.kind;
	if (stream.version != RECORD_VERSION) {
		(void)reader_refuse(r, "version %lld of these records is not supported, only %d", stream.version,
		    RECORD_VERSION);
		return READING_BAD;
	}
	for (i = 0; kinds[i] != NULL; i++) {
		if (strcmp(stream.kind, kinds[i]) == 0) {
			r->kind = kinds[i];
			return READING_RECORD;
		}
	}
	/* a tool that gave up is the cause, whatever it would have written */
	while ((got = reader_any(r, &record)) == READING_RECORD && !record_is(record, &frame_end_form))
		record_free(record);
	if (got == READING_FAILED)
		return got;
	if (got == READING_RECORD)
		record_free(record);
	if (got != READING_BAD) {
		r->line = 1;
		(void)reader_refuse(r, "expected a stream of kind \"%s\", got \"%s\"", kinds[0],
		    stream.kind);
	}
	return READING_BAD;
}

bool
reader_waits(const struct reader *r)
{
	return r->from == r->end && !r->ended && r->error == 0 && signals_caught() == 0 && signals_wait(r->fd, SIGNALS_READ, 0) == 0;
}

const char *
reader_kind(const struct reader *r)
{
	return r->kind;
}

void
reader_keep(struct reader *r)
{
	r->keeps = true;
}

const struct bytes *
reader_kept(const struct reader *r)
{
	return &r->kept;
}

enum reading
reader_next(struct reader *r, struct record **out)
{
	enum reading got = reader_any(r, out);

	if (got != READING_RECORD)
		return got;
	if (record_is(*out, &frame_end_form)) {
		got = read_end(r, *out);
		record_free(*out);
		return got;
	}
	return READING_RECORD;
}

int
reader_code(const struct reader *r)
{
	return r->code;
}

const struct failure *
reader_failure(const struct reader *r)
{
	return &r->failure;
}

const char *
reader_command(const struct reader *r)
{
	return r->command;
}

const char *
reader_folder(const struct reader *r)
{
	return r->folder;
}

const char *
reader_digest(const struct reader *r)
{
	return r->hex;
}
