/*
 * Reads and writes streams of records: framing, positions, digest.  The meaning of records is in records/model.h.
 *
 * A stream has one JSON object per line.  A `stream` record comes first and names the kind.  An `end` record comes
 * last; it has the number of lines before it and the BLAKE2b digest of their bytes.  A tool that gave up ends with
 * a `failed` record instead.  A stream with neither is truncated.  mig-records(5) is the reference for users.
 *
 * The reader hashes the bytes as they arrive and decodes each line in place, so that a large text is in memory
 * once.  A line with a NUL, longer than 256 MB or larger than the available memory ends the reading at once.
 */
#ifndef MIG_RECORDS_RECORD_H
#define MIG_RECORDS_RECORD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/null.h"
#include "records/json.h"

/*
 * A form lists the keys of a record in the order they are written, and the struct member of each.  One table
 * serves writer and reader, so that they agree.  A key that may be null may also be absent on reading.
 */
enum field_type {
	FIELD_TEXT,   /* const char *; NULL is null */
	FIELD_NUMBER, /* long long; NUMBER_UNKNOWN is null */
	FIELD_FLAG,   /* bool; null is false */
	FIELD_OBJECT, /* const char *, JSON text of an object, written as is; NULL is null; reading sets NULL */
	FIELD_LIST,   /* const char *, JSON text of a list of texts and nulls, for json_list_next(); NULL is null */
	FIELD_WORD    /* an enum that indexes `words`; an unknown word is refused */
};

struct field {
	const char *key;
	enum field_type type;
	bool nullable;
	size_t offset;
	const char *const *words;   /* for FIELD_WORD: ends with NULL; "" as the first word stands for null */
};

struct record_form {
	const char *name;           /* the value of "record" */
	const struct field *fields; /* ends with a NULL key */
};

#define RECORD_DIGEST_BYTES 32
#define RECORD_DIGEST_HEX (RECORD_DIGEST_BYTES * 2 + 1)
#define RECORD_VERSION 1

/* --- reading --- */

struct reader;

enum reading {
	READING_RECORD, /* one more record: the caller frees *record with record_free() */
	READING_END,    /* the stream is complete and its digest matches */
	READING_FAILED, /* the previous tool failed: see reader_failure() */
	READING_BAD     /* the stream is broken or a signal arrived: reported; reader_code() has the exit code */
};

/* The content of a `failed` record.  Lives as long as the reader. */
struct failure {
	const char *tool;
	long long exit_code;
	const char *message;
};

/*
 * Opens `path`, or standard input for "-".  `consequence` is the line printed after an error about the stream,
 * e.g. "Nothing was planned, and nothing will be applied."; kept, not copied.  Returns NULL with the error
 * reported (message_code() has the exit code) if the file cannot be opened, or if standard input is a terminal:
 * the error then shows `pipeline` as the command to type.
 */
struct reader *reader_open(const char *path, const char *consequence, const char *pipeline);
void reader_free(struct reader *reader);

/*
 * Reads the `stream` record.  `kinds` lists the kinds that the caller accepts, ending with NULL.  Returns
 * READING_RECORD if it is one of them (reader_kind() says which), else READING_FAILED or READING_BAD.
 */
enum reading reader_begin(struct reader *reader, const char *const kinds[]);
const char *reader_kind(const struct reader *reader);

/* Whether nothing is here to be read on: who writes has announced a stream, and is still at work. */
bool reader_waits(const struct reader *reader);

/*
 * For a stream that is to be passed on as it came.  Right after reader_begin(): from now on the lines are kept.
 * reader_kept() has them all, once the stream was read to its end.
 */
void reader_keep(struct reader *reader);
const struct bytes *reader_kept(const struct reader *reader);

/* Reads the next record between `stream` and `end`.  Do not call it again after anything but READING_RECORD. */
enum reading reader_next(struct reader *reader, struct record **record);

/*
 * Reports an error about the line last read: "standard input, line N: ...", then the consequence.  Returns
 * MIG_DATA.
 */
int reader_refuse(struct reader *reader, const char *format, ...) MIG_PRINTF(2, 3);

/* The exit code for READING_BAD: MIG_DATA, or 128+N if signals_caught() ended the reading. */
int reader_code(const struct reader *reader);

const struct failure *reader_failure(const struct reader *reader);

/* The digest, in hex, of a stream that was read to its end. */
const char *reader_digest(const struct reader *reader);

/*
 * The command (base/shell_quote.h) that made a stream, once read to its end; NULL if unknown or if the stream was
 * made on another host or in another folder.  Lives as long as the reader.
 */
const char *reader_command(const struct reader *reader);

/* The migrations folder of such a stream, as given to its scan on whatever host; NULL: unknown. */
const char *reader_folder(const struct reader *reader);

/* Whether a record has this form. */
bool record_is(const struct record *record, const struct record_form *form);
const char *record_name(const struct record *record); /* NULL if it has no name; the reader refuses such a record */

/*
 * Fills a struct from a record.  Its texts point into the record and live as long as the record.  Ignores keys
 * that the form does not have.  Returns 0, or MIG_DATA with the error reported if a key is missing or has the
 * wrong type.
 */
int record_fill(struct reader *reader, const struct record *record, const struct record_form *form,
    void *out);

/* --- writing --- */

struct writer;

/*
 * Begins a stream of a kind.  `path` NULL is standard output.  Any other path is written as described in
 * base/atomic_file.h and renamed into place by writer_end() or writer_fail().  A signal or exit() before that
 * leaves a stream that says that the program did not finish.  Returns NULL with the error reported.
 */
struct writer *writer_open(const char *path, const char *kind);

/*
 * The same for a file that must not keep an earlier run's result: it gets a stream that ends with `failed` at
 * once, which says that this run has not finished, and keeps it if the program is killed.
 */
struct writer *writer_replace(const char *path, const char *kind);

/*
 * Adds a record to what such a file keeps if the program is killed.  Once, before anything was put; does nothing for another writer,
 * or NULL.  What cannot be written now is reported by writer_end().
 */
void writer_unfinished(struct writer *writer, const struct record_form *form, const void *from);

/*
 * Writes a text that is not a stream, to the same kinds of paths in the same way.  Returns 0, or an exit code with
 * the error reported.
 */
int writer_file(const char *path, const struct bytes *text);

/* Writes one record.  writer_end() reports a failed write. */
void writer_put(struct writer *writer, const struct record_form *form, const void *from);

/*
 * Writes a complete stream, byte for byte, instead of one of our own.  Only for a writer to which nothing was put; NULL
 * does nothing.  writer_end() then adds no `end`.
 */
void writer_copy(struct writer *writer, const struct bytes *stream);

/*
 * Ends the stream: with `end`, or with `failed`, which tells the next tool to do nothing and to exit with the same
 * code.  Both free the writer; NULL, for a tool that writes no records, is fine.
 *
 * Return the code (writer_fail: the failure's), or MIG_OUTPUT with the error reported if that code is 0 and output
 * was lost.
 */
int writer_end(struct writer *writer, int code);
int writer_fail(struct writer *writer, const struct failure *failure);

/*
 * Sets the command that makes this stream again, for the `end` record; not part of the digest.  NULL writer or
 * words: does nothing.
 */
void writer_command(struct writer *writer, const char *words);

/* Sets the migrations folder, likewise.  A path that is not UTF-8 or has control characters is left out. */
void writer_folder(struct writer *writer, const char *path);

/* The digest, in hex, of all lines so far; right before writer_end() it equals that of the `end` record. */
void writer_digest(struct writer *writer, char hex[RECORD_DIGEST_HEX]);

/*
 * Into a pipe: writes what there is already, the stream record, long before the rest.  Who reads it can prepare for work: see
 * reader_waits().  In all other places a stream comes in one piece.
 */
void writer_announce(struct writer *writer);

/* A writer that only computes a digest and writes nothing.  kind NULL: records without a stream around them. */
struct writer *writer_digest_only(const char *kind);

#endif
