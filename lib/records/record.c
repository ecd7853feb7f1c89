#include "records/record.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/signals.h"

/* --- the three records of the framing itself --- */

struct frame_stream {
	const char *kind;
	long long version;
};
struct frame_end {
	long long records;
	const char *digest;
	const char *command;
	const char *place;
	const char *seal;
};

#define AT(type, member) offsetof(struct type, member)

static const struct field stream_fields[] = {
	{ "kind", FIELD_TEXT, false, AT(frame_stream, kind) },
	{ "version", FIELD_NUMBER, false, AT(frame_stream, version) },
	{ NULL, FIELD_TEXT, false, 0 },
};
static const struct field end_fields[] = {
	{ "command", FIELD_TEXT, true, AT(frame_end, command) },
	{ "place", FIELD_TEXT, true, AT(frame_end, place) },
	{ "seal", FIELD_TEXT, true, AT(frame_end, seal) },
	{ "records", FIELD_NUMBER, false, AT(frame_end, records) },
	{ "digest", FIELD_TEXT, false, AT(frame_end, digest) },
	{ NULL, FIELD_TEXT, false, 0 },
};
static const struct field failed_fields[] = {
	{ "tool", FIELD_TEXT, false, AT(failure, tool) },
	{ "exit_code", FIELD_NUMBER, false, AT(failure, exit_code) },
	{ "message", FIELD_TEXT, false, AT(failure, message) },
	{ NULL, FIELD_TEXT, false, 0 },
};
static const struct record_form stream_form = { "stream", stream_fields };
static const struct record_form end_form = { "end", end_fields };
static const struct record_form plain_end_form = { "end", end_fields + 3 }; /* where no command is known */
static const struct record_form failed_form = { "failed", failed_fields };

/* Which tool writes a kind: who was cut off. */
static const struct {
	const char *kind;
	const char *tool;
} writers[] = { { "scan", "mig-scan" }, { "plan", "mig-plan" }, { "results", "mig-apply" },
	{ "rows", "mig-seed" }, { "checks", "mig-check" } };

enum { PLACE_HEX = 17, SEAL_HEX = 17 };

static void
short_digest(const struct bytes *text, char hex[SEAL_HEX])
{
	unsigned char digest[crypto_generichash_BYTES_MIN];

	crypto_generichash(digest, sizeof digest, (const unsigned char *)text->data, text->len, NULL, 0);
	sodium_bin2hex(hex, SEAL_HEX, digest, (SEAL_HEX - 1) / 2);
}

/* Stands for this host and current folder, where the relative paths of a command mean the same. */
static void
place_here(char hex[PLACE_HEX])
{
	char host[256] = "", folder[4096] = "";
	struct bytes text = { 0 };

	if (gethostname(host, sizeof host - 1) != 0 || getcwd(folder, sizeof folder) == NULL)
		*host = *folder = '\0';
	bytes_format(&text, "%s:%s", host, folder);
	short_digest(&text, hex);
	bytes_free(&text);
}

/*
 * The digest leaves the command out, since the same plan has one digest however it was asked for.  The seal binds the
 * two: what is changed in the last line shows as well.
 */
static void
seal_of(const struct frame_end *end, char hex[SEAL_HEX])
{
	struct bytes text = { 0 };

	bytes_format(&text, "%s\n%s\n%s", end->digest, end->place != NULL ? end->place : "",
	    end->command != NULL ? end->command : "");
	short_digest(&text, hex);
	bytes_free(&text);
}

static bool
is_sealed(const struct frame_end *end)
{
	char seal[SEAL_HEX];

	if (end->command == NULL && end->place == NULL && end->seal == NULL)
		return true;
	seal_of(end, seal);
	return end->seal != NULL && strcmp(end->seal, seal) == 0;
}

/* Whether words are commands of ours: what a stream says is shown to be typed. */
static bool
is_pipeline(const char *words)
{
	static const char *const programs[] = { "mig-scan", "mig-plan" };
	size_t program = 0;
	bool begins = true, good = true;

	while (good && *words != '\0') {
		char *word = xstrndup(words, strcspn(words, "\n"));

		words += strlen(word);
		words += *words == '\n';
		good = !utf8_has_control(word);
		if (begins)
			good = good && program < 2 && strcmp(word, programs[program++]) == 0;
		begins = strcmp(word, "|") == 0;
		free(word);
	}
	return good && program > 0 && !begins;
}

static void
digest_hex(const crypto_generichash_state *running, char hex[RECORD_DIGEST_HEX])
{
	crypto_generichash_state copy = *running;
	unsigned char digest[RECORD_DIGEST_BYTES];

	crypto_generichash_final(&copy, digest, sizeof digest);
	sodium_bin2hex(hex, RECORD_DIGEST_HEX, digest, sizeof digest);
}

/* --- reading --- */

enum { CHUNK = 65536, LONGEST_LINE = 256 << 20 };

struct reader {
	int fd;
	const char *name;        /* for messages */
	const char *consequence;
	unsigned long line;      /* the line being read, or last read; from 1 */
	char *text;              /* what was read: of it, */
	size_t from, end, cap;   /* what no line has used yet is text[from..end) */
	bool ended;              /* read() has said end of file */
	int error;               /* errno of a failed read() */
	int code;                /* what READING_BAD means */
	crypto_generichash_state digest; /* of all lines so far */
	crypto_generichash_state before; /* of all lines before the one last read */
	char hex[RECORD_DIGEST_HEX];
	struct record *head;     /* the stream record; owns kind */
	const char *kind;
	struct record *tail;     /* the failed record; owns failure's texts */
	struct failure failure;
	char *command;
};

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
	if (!standard && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
		(void)message_error(errno == EACCES ? MIG_DENIED : MIG_DATA, "cannot open %s: %s", path,
		    strerror(errno));
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

/* Makes room for a chunk more; false where a line would get longer than any record is, or than the memory. */
static bool
reader_grow(struct reader *r)
{
	size_t cap = r->cap == 0 ? (size_t)CHUNK * 2 : r->cap * 2 < LONGEST_LINE ? r->cap * 2 : LONGEST_LINE + CHUNK;
	char *text = cap > r->cap ? realloc(r->text, cap) : NULL;

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
	return "the tool before";
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
		(void)reader_refuse(r, "no record: column %d: %s", flaw->column, flaw->text);
	else
		(void)reader_refuse(r, "no record: it is not an object with a \"record\"");
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
		(void)reader_refuse(r, "the line has no end within %zu MB: it is no record", len >> 20);
	else if (r->error != 0)
		(void)reader_refuse(r, "cannot read: %s", strerror(r->error));
	else if (len > 0)
		(void)reader_refuse(r, "the line is cut short: no newline at its end");
	else if (r->line == 1)
		(void)reader_refuse(r, "there is nothing: the tool before wrote no record");
	else
		(void)reader_refuse(r, "the stream ends without its end record: %s was cut off", record_tool(r));
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
		(void)reader_refuse(r, "there is a NUL byte in the line");
		return READING_BAD;
	}
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
		(void)reader_refuse(r, "there is something after the %s record", name);
		return false;
	}
	return true;
}

static enum reading
read_failed(struct reader *r, struct record *record)
{
	r->tail = record;
	if (record_fill(r, record, &failed_form, &r->failure) != 0)
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

	if (record_fill(r, record, &end_form, &end) != 0)
		return READING_BAD;
	if (end.records != (long long)r->line - 1) {
		(void)reader_refuse(r, "the stream is not whole: %lld records were written, %lu are here",
		    end.records, r->line - 1);
		return READING_BAD;
	}
	digest_hex(&r->before, r->hex);
	if (strcmp(end.digest, r->hex) != 0 || !is_sealed(&end)) {
		(void)reader_refuse(r, "the stream was changed on its way: its digest is not that of its lines");
		return READING_BAD;
	}
	place_here(here);
	if (end.command != NULL && end.place != NULL && strcmp(end.place, here) == 0 && is_pipeline(end.command))
		r->command = xstrdup(end.command);
	return reader_at_end(r, "end") ? READING_END : READING_BAD;
}

static enum reading
reader_any(struct reader *r, struct record **out)
{
	enum reading got = reader_line(r, out);

	if (got == READING_RECORD && record_is(*out, &failed_form))
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
	if (!record_is(record, &stream_form)) {
		(void)reader_refuse(r, "a stream begins with its \"stream\" record, not with \"%s\"",
		    record_name(record));
		return READING_BAD;
	}
	if (record_fill(r, record, &stream_form, &stream) != 0)
		return READING_BAD;
	r->kind = stream.kind;
	if (stream.version != RECORD_VERSION) {
		(void)reader_refuse(r, "version %lld of these records is not known, only %d", stream.version,
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
	while ((got = reader_any(r, &record)) == READING_RECORD && !record_is(record, &end_form))
		record_free(record);
	if (got == READING_FAILED)
		return got;
	if (got == READING_RECORD)
		record_free(record);
	if (got != READING_BAD) {
		r->line = 1;
		(void)reader_refuse(r, "this is a stream of kind \"%s\"; wanted is \"%s\"", stream.kind,
		    kinds[0]);
	}
	return READING_BAD;
}

const char *
reader_kind(const struct reader *r)
{
	return r->kind;
}

enum reading
reader_next(struct reader *r, struct record **out)
{
	enum reading got = reader_any(r, out);

	if (got != READING_RECORD)
		return got;
	if (record_is(*out, &end_form)) {
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
reader_digest(const struct reader *r)
{
	return r->hex;
}

const char *
record_name(const struct record *record)
{
	const struct value *value = record_get(record, "record", NULL);

	return value != NULL && value->type == VALUE_TEXT ? value->text : NULL;
}

bool
record_is(const struct record *record, const struct record_form *form)
{
	return strcmp(record_name(record), form->name) == 0;
}

static const char *
type_name(enum field_type type)
{
	switch (type) {
	case FIELD_TEXT:
		return "a text";
	case FIELD_NUMBER:
		return "a whole number";
	case FIELD_FLAG:
		return "true or false";
	case FIELD_OBJECT:
		return "an object";
	case FIELD_LIST:
		return "a list of texts";
	}
	return "";
}

/* Puts one value where its field says; false where it is of another type. */
static bool
fill_field(const struct field *field, const struct value *value, char *at)
{
	static const enum value_type types[] = {
		[FIELD_TEXT] = VALUE_TEXT,
		[FIELD_NUMBER] = VALUE_NUMBER,
		[FIELD_FLAG] = VALUE_FLAG,
		[FIELD_OBJECT] = VALUE_OTHER,
		[FIELD_LIST] = VALUE_LIST,
	};
	bool null = value->type == VALUE_NULL;

	if (null ? !field->nullable : value->type != types[field->type])
		return false;
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_LIST:
		*(const char **)(void *)at = value->text;
		break;
	case FIELD_NUMBER:
		*(long long *)(void *)at = null ? RECORD_NULL : value->number;
		break;
	case FIELD_FLAG:
		*(bool *)at = value->number != 0;
		break;
	case FIELD_OBJECT:
		*(const char **)(void *)at = NULL;
		break;
	}
	return true;
}

int
record_fill(struct reader *r, const struct record *record, const struct record_form *form, void *out)
{
	static const struct value null = { VALUE_NULL, NULL, 0 };
	const struct field *field;
	size_t next = 1; /* behind "record" */

	for (field = form->fields; field->key != NULL; field++) {
		const struct value *value = record_get(record, field->key, &next);

		if (value == NULL && field->nullable)
			value = &null;
		if (value == NULL)
			return reader_refuse(r, "the %s record has no \"%s\"", form->name, field->key);
		if (!fill_field(field, value, (char *)out + field->offset))
			return reader_refuse(r, "\"%s\" of the %s record is not %s%s", field->key, form->name,
			    type_name(field->type), field->nullable ? " or null" : "");
	}
	return 0;
}

/* --- writing --- */

struct writer {
	int fd;              /* -1: nowhere */
	char *path;          /* as given; NULL: standard output */
	bool open;           /* path is; else it will be, by what is written first */
	struct beside place; /* of path */
	struct bytes unfinished; /* what is there if the program ends before */
	long long records;
	char *command;       /* for the end */
	int error;           /* errno of the first write that failed */
	size_t len;          /* of the chunk, not yet hashed and written */
	char chunk[CHUNK];
	crypto_generichash_state digest;
};

/* Opens the file; false: errno says why. */
static bool
place_open(struct writer *w)
{
	if (!beside_open(&w->place, w->path))
		return false;
	if (w->unfinished.len > 0)
		beside_last_words(&w->place, w->unfinished.data, w->unfinished.len);
	w->fd = w->place.fd;
	w->open = true;
	return true;
}

static void
writer_flush(struct writer *w)
{
	size_t done = 0;

	if (w->path != NULL && !w->open && w->error == 0 && !place_open(w))
		w->error = errno;

	crypto_generichash_update(&w->digest, (const unsigned char *)w->chunk, w->len);
	while (w->fd >= 0 && w->error == 0 && done < w->len) {
		ssize_t wrote = write(w->fd, w->chunk + done, w->len - done);

		if (wrote >= 0)
			done += (size_t)wrote;
		else if (errno != EINTR)
			w->error = errno;
	}
	w->len = 0;
}

static void
writer_bytes(void *context, const char *data, size_t len)
{
	struct writer *w = context;

	while (len > 0) {
		size_t part = CHUNK - w->len < len ? CHUNK - w->len : len;

		memcpy(w->chunk + w->len, data, part);
		w->len += part;
		data += part;
		len -= part;
		if (w->len == CHUNK)
			writer_flush(w);
	}
}

static void
writer_text(struct writer *w, const char *text)
{
	writer_bytes(w, text, strlen(text));
}

static void
put_field(struct writer *w, const struct field *field, const char *at)
{
	const char *text;
	long long number;
	char digits[24];

	switch (field->type) {
	case FIELD_TEXT:
		if ((text = *(const char *const *)(const void *)at) != NULL)
			json_write_text(writer_bytes, w, text);
		else
			writer_text(w, "null");
		break;
	case FIELD_NUMBER:
		number = *(const long long *)(const void *)at;
		snprintf(digits, sizeof digits, "%lld", number);
		writer_text(w, number != RECORD_NULL ? digits : "null");
		break;
	case FIELD_FLAG:
		writer_text(w, *(const bool *)at ? "true" : "false");
		break;
	case FIELD_OBJECT:
	case FIELD_LIST:
		text = *(const char *const *)(const void *)at;
		writer_text(w, text != NULL ? text : "null");
		break;
	}
}

void
writer_put(struct writer *w, const struct record_form *form, const void *from)
{
	const struct field *field;

	writer_text(w, "{\"record\":");
	json_write_text(writer_bytes, w, form->name);
	for (field = form->fields; field->key != NULL; field++) {
		writer_text(w, ",\"");
		writer_text(w, field->key);
		writer_text(w, "\":");
		put_field(w, field, (const char *)from + field->offset);
	}
	writer_text(w, "}\n");
	w->records++;
}

static void
begin_stream(struct writer *w, const char *kind)
{
	struct frame_stream stream = { kind, RECORD_VERSION };

	writer_put(w, &stream_form, &stream);
}

struct writer *
writer_digest_only(const char *kind)
{
	struct writer *w = xcalloc(1, sizeof *w);

	w->fd = -1;
	crypto_generichash_init(&w->digest, NULL, 0, RECORD_DIGEST_BYTES);
	if (kind != NULL)
		begin_stream(w, kind);
	return w;
}

static void
add_bytes(void *context, const char *data, size_t len)
{
	bytes_add(context, data, len);
}

/* The stream of a program that was killed. */
static void
unfinished(struct bytes *out, const char *kind)
{
	bytes_str(out, "{\"record\":\"stream\",\"kind\":");
	json_write_text(add_bytes, out, kind);
	bytes_format(out, ",\"version\":%d}\n{\"record\":\"failed\",\"tool\":", RECORD_VERSION);
	json_write_text(add_bytes, out, message_tool());
	bytes_format(out, ",\"exit_code\":%d,\"message\":\"it has not finished: it was killed, or is still running\"}\n",
	    MIG_FAILED);
}

static struct writer *
cannot_write(struct writer *w)
{
	(void)message_error(errno == EACCES || errno == EPERM ? MIG_DENIED : MIG_OUTPUT, "cannot write %s: %s", w->path,
	    strerror(errno));
	free(w->path);
	bytes_free(&w->unfinished);
	free(w);
	return NULL;
}

/* A writer of which nothing is written yet; NULL, said, where it cannot be.  kind NULL: of no stream. */
static struct writer *
writer_at(const char *path, const char *kind)
{
	struct writer *w = writer_digest_only(NULL);

	w->fd = STDOUT_FILENO;
	if (path == NULL)
		return w;
	w->path = xstrdup(path);
	if (kind != NULL)
		unfinished(&w->unfinished, kind);
	return place_open(w) ? w : cannot_write(w);
}

struct writer *
writer_open(const char *path, const char *kind)
{
	struct writer *w = writer_at(path, kind);

	if (w != NULL)
		begin_stream(w, kind);
	return w;
}

struct writer *
writer_replace(const char *path, const char *kind)
{
	struct writer *w = writer_at(path, kind);

	if (w == NULL)
		return NULL;
	if (w->place.beside != NULL) { /* a FIFO gets one stream only */
		writer_text(w, w->unfinished.data);
		writer_flush(w);
		w->open = false;
		if ((errno = beside_close(&w->place, w->error)) != 0)
			return cannot_write(w);
		crypto_generichash_init(&w->digest, NULL, 0, RECORD_DIGEST_BYTES);
	}
	begin_stream(w, kind);
	return w;
}

void
writer_digest(struct writer *w, char hex[RECORD_DIGEST_HEX])
{
	writer_flush(w);
	digest_hex(&w->digest, hex);
}

/* Flushes, puts a file into its place, frees; returns code, or MIG_OUTPUT where that hides nothing worse. */
static int
writer_close(struct writer *w, int code)
{
	writer_flush(w);
	if (w->open)
		w->error = beside_close(&w->place, w->error);
	/* a reader that has gone is not missed where worse has happened */
	if (w->error != 0 && (code == 0 || w->error != EPIPE)) {
		(void)message_error(MIG_OUTPUT, "cannot write %s: %s", w->path != NULL ? w->path : "standard output",
		    strerror(w->error));
		code = code != 0 ? code : MIG_OUTPUT;
	}
	free(w->path);
	free(w->command);
	bytes_free(&w->unfinished);
	free(w);
	return code;
}

int
writer_file(const char *path, const struct bytes *text)
{
	struct writer *w = writer_at(path, NULL);

	if (w == NULL)
		return message_code();
	writer_bytes(w, bytes_text(text), text->len);
	return writer_close(w, 0);
}

void
writer_command(struct writer *w, const char *words)
{
	if (w != NULL && words != NULL)
		w->command = xstrdup(words);
}

int
writer_end(struct writer *w, int code)
{
	char hex[RECORD_DIGEST_HEX], place[PLACE_HEX], seal[SEAL_HEX];
	struct frame_end end = { .digest = hex };

	if (w == NULL)
		return code;
	writer_digest(w, hex);
	end.records = w->records;
	end.command = w->command;
	place_here(place);
	end.place = end.command != NULL ? place : NULL;
	if (end.command != NULL) {
		seal_of(&end, seal);
		end.seal = seal;
	}
	writer_put(w, end.command != NULL ? &end_form : &plain_end_form, &end);
	return writer_close(w, code);
}

int
writer_fail(struct writer *w, const struct failure *failure)
{
	if (w == NULL)
		return (int)failure->exit_code;
	writer_put(w, &failed_form, failure);
	return writer_close(w, (int)failure->exit_code);
}
