/* Writes a stream: to a pipe, or to a file that is put in place at its end. */
#include "records/record_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"

struct writer {
	int fd;              /* -1: nowhere */
	char *path;          /* as given; NULL: standard output */
	bool replaces;       /* writer_replace() */
	bool open;           /* path is; else it will be, by what is written first */
	struct atomic_file place; /* of path */
	struct bytes unfinished; /* what is there if the program ends before */
	long long records;
	char *command, *folder;  /* for the end */
	bool copied;             /* writer_copy(): its end is there */
	int error;           /* errno of the first write that failed */
	size_t len;          /* of the chunk, not yet written, */
	size_t hashed;       /* and of it those that are in the digest */
	char chunk[CHUNK];
	crypto_generichash_state digest;
};

/* Opens the file; false: errno says why. */
static bool
place_open(struct writer *w)
{
	if (!atomic_file_open(&w->place, w->path))
		return false;
	if (w->unfinished.len > 0)
		atomic_file_last_words(&w->place, w->unfinished.data, w->unfinished.len);
	w->fd = w->place.fd;
	w->open = true;
	return true;
}

static void
writer_hash(struct writer *w)
{
	crypto_generichash_update(&w->digest, (const unsigned char *)w->chunk + w->hashed, w->len - w->hashed);
	w->hashed = w->len;
}

static void
writer_flush(struct writer *w)
{
	size_t done = 0;

	if (w->path != NULL && !w->open && w->error == 0 && !place_open(w))
		w->error = errno;

	writer_hash(w);
	while (w->fd >= 0 && w->error == 0 && done < w->len) {
		ssize_t wrote = write(w->fd, w->chunk + done, w->len - done);

		if (wrote >= 0)
			done += (size_t)wrote;
		else if (errno != EINTR)
			w->error = errno;
	}
	w->len = w->hashed = 0;
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
		writer_text(w, number != NUMBER_UNKNOWN ? digits : "null");
		break;
	case FIELD_FLAG:
		writer_text(w, *(const bool *)at ? "true" : "false");
		break;
	case FIELD_WORD:
		text = field->words[*(const int *)(const void *)at];
		if (*text != '\0')
			json_write_text(writer_bytes, w, text);
		else
			writer_text(w, "null");
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

	writer_put(w, &frame_stream_form, &stream);
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

/* The stream of a program that was killed, behind its first records. */
static void
add_failed(struct bytes *out)
{
	bytes_str(out, "{\"record\":\"failed\",\"tool\":");
	json_add_text(out, message_tool());
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

/*
 * A writer to which nothing has been written yet; NULL with the error reported on failure.  kind NULL: without a
 * stream.
 */
static struct writer *
writer_at(const char *path, const char *kind)
{
	struct writer *w = writer_digest_only(NULL);

	w->fd = STDOUT_FILENO;
	if (path == NULL)
		return w;
	w->path = xstrdup(path);
	if (kind != NULL) {
		begin_stream(w, kind);
		bytes_add(&w->unfinished, w->chunk, w->len);
		add_failed(&w->unfinished);
		w->len = 0;
		w->records = 0;
	}
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

/* Puts what a killed program leaves into the file's place; false: errno says why. */
static bool
leave_unfinished(struct writer *w)
{
	size_t done = 0;
	int error = 0;

	while (error == 0 && done < w->unfinished.len) {
		ssize_t wrote = write(w->fd, w->unfinished.data + done, w->unfinished.len - done);

		if (wrote >= 0)
			done += (size_t)wrote;
		else if (errno != EINTR)
			error = errno;
	}
	w->open = false;
	errno = atomic_file_close(&w->place, error);
	return errno == 0;
}

struct writer *
writer_replace(const char *path, const char *kind)
{
	struct writer *w = writer_at(path, kind);

	if (w == NULL)
		return NULL;
	w->replaces = w->place.beside != NULL; /* a FIFO gets one stream only */
	if (w->replaces && !leave_unfinished(w))
		return cannot_write(w);
	begin_stream(w, kind);
	return w;
}

void
writer_unfinished(struct writer *w, const struct record_form *form, const void *from)
{
	struct writer *record;

	if (w == NULL || !w->replaces || w->open || w->len == 0)
		return;
	record = writer_digest_only(NULL);
	writer_put(record, form, from);
	w->unfinished.len = 0;
	bytes_add(&w->unfinished, w->chunk, w->len); /* the stream record, which is not written yet */
	if (record->records == 1 && record->len < CHUNK)
		bytes_add(&w->unfinished, record->chunk, record->len);
	add_failed(&w->unfinished);
	free(record);
	if (place_open(w))
		(void)leave_unfinished(w);
}

void
writer_digest(struct writer *w, char hex[RECORD_DIGEST_HEX])
{
	writer_hash(w);
	frame_digest_hex(&w->digest, hex);
}

void
writer_announce(struct writer *w)
{
	if (w != NULL && w->path == NULL)
		writer_flush(w);
}

/* Flushes, puts a file into its place, frees; returns code, or MIG_OUTPUT where that hides nothing worse. */
static int
writer_close(struct writer *w, int code)
{
	writer_flush(w);
	if (w->open)
		w->error = atomic_file_close(&w->place, w->error);
	/* a reader that has gone is not missed where worse has happened */
	if (w->error != 0 && (code == 0 || w->error != EPIPE)) {
		(void)message_error(MIG_OUTPUT, "cannot write %s: %s", w->path != NULL ? w->path : "standard output",
		    strerror(w->error));
		code = code != 0 ? code : MIG_OUTPUT;
	}
	free(w->path);
	free(w->command);
	free(w->folder);
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

void
writer_folder(struct writer *w, const char *path)
{
	if (w != NULL && path != NULL && !utf8_has_control(path) && utf8_check(path, strlen(path)) == strlen(path))
		w->folder = xstrdup(path);
}

void
writer_copy(struct writer *w, const struct bytes *stream)
{
	if (w == NULL)
		return;
	w->len = 0; /* the stream record, which this stream has itself */
	w->copied = true;
	writer_bytes(w, stream->data, stream->len);
}

int
writer_end(struct writer *w, int code)
{
	char hex[RECORD_DIGEST_HEX], place[PLACE_HEX], seal[SEAL_HEX];
	struct frame_end end = { .digest = hex };
	bool known;

	if (w == NULL)
		return code;
	if (w->copied)
		return writer_close(w, code);
	writer_digest(w, hex);
	end.records = w->records;
	end.command = w->command;
	end.folder = w->folder;
	known = end.command != NULL || end.folder != NULL;
	if (known) {
		frame_place_here(place);
		end.place = place;
		frame_seal(&end, seal);
		end.seal = seal;
	}
	writer_put(w, known ? &frame_end_form : &frame_plain_end_form, &end);
	return writer_close(w, code);
}

int
writer_fail(struct writer *w, const struct failure *failure)
{
	if (w == NULL)
		return (int)failure->exit_code;
	writer_put(w, &frame_failed_form, failure);
	return writer_close(w, (int)failure->exit_code);
}
