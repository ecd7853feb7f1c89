/*
 * Lines in and out: framing, positions, digest.  What a record means is records/model.h's.
 *
 * A stream is one JSON object a line: a `stream` record first, which names its kind; at the end an
 * `end` record, which counts the lines before it and has the BLAKE2b digest of their bytes; or a
 * `failed` record, with which a tool says that it gave up.  A stream with neither is cut.
 * mig-records(5) is the reference for users.
 *
 * JSON is records/json.h's, the digest libsodium's, which does not show here.  The reader hashes the bytes as they come in and
 * decodes a line where it stands, so that a large text is held once.  A line ends the reading at once where it has a NUL,
 * and where it is longer than 256 MB or than the memory.
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
 * A form says which keys a record has, in the order in which they are written, and where each stands
 * in a struct.  One table serves writer and reader, so they cannot drift apart.  A key that may be null may
 * also be absent when it is read.
 */
enum field_type {
	FIELD_TEXT,   /* const char *; NULL is null */
	FIELD_NUMBER, /* long long; NUMBER_UNKNOWN is null */
	FIELD_FLAG,   /* bool; null is false */
	FIELD_OBJECT, /* const char *, JSON text of an object, written as it is; NULL is null; when read, NULL in any case */
	FIELD_LIST,   /* const char *, JSON text of a list of texts and nulls, for json_list_next(); NULL is null */
	FIELD_WORD    /* an enum whose values are places in `words`; an unknown word is refused */
};

struct field {
	const char *key;
	enum field_type type;
	bool nullable;
	size_t offset;
	const char *const *words;   /* of FIELD_WORD: ends with NULL; a nullable one's first word is "", which stands for null */
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
	READING_RECORD, /* one more record: *record is the caller's, for record_free() */
	READING_END,    /* the stream is complete and its digest is right */
	READING_FAILED, /* the tool before gave up: reader_failure() says why */
	READING_BAD     /* the stream is broken, or a signal came: said; reader_code() is the exit code */
};

/* What a `failed` record says.  Lives as long as the reader. */
struct failure {
	const char *tool;
	long long exit_code;
	const char *message;
};

/*
 * Reads from `path`, or from standard input where it is "-".  `consequence` is the line that follows a
 * complaint about the stream, e.g. "Nothing was planned, and nothing will be applied."; it is kept, not
 * copied.  Returns NULL with the error said (message_code() has the exit code) where the file cannot
 * be opened, or where standard input is a terminal: `pipeline` is then what to type.
 */
struct reader *reader_open(const char *path, const char *consequence, const char *pipeline);
void reader_free(struct reader *reader);

/*
 * Reads the `stream` record.  `kinds` are the kinds that the caller can use, ending with NULL.  Returns
 * READING_RECORD when it is one of them (reader_kind() says which), else READING_FAILED or READING_BAD.
 */
enum reading reader_begin(struct reader *reader, const char *const kinds[]);
const char *reader_kind(const struct reader *reader);

/* The next record between `stream` and `end`.  After anything but READING_RECORD: do not call again. */
enum reading reader_next(struct reader *reader, struct record **record);

/* Complains about the line last read: "standard input, line N: ...", then the consequence.
 * Returns MIG_DATA. */
int reader_refuse(struct reader *reader, const char *format, ...) MIG_PRINTF(2, 3);

/* The exit code of READING_BAD: MIG_DATA, or 128+N where signals_caught() ended it. */
int reader_code(const struct reader *reader);

const struct failure *reader_failure(const struct reader *reader);

/* The digest of a stream that was read to its end, in hex. */
const char *reader_digest(const struct reader *reader);

/*
 * The words (base/shell_quote.h) that made a stream which was read to its end; NULL where that is not known, or where it
 * was made on another host or in another folder.  Lives as long as the reader.
 */
const char *reader_command(const struct reader *reader);

/* The migrations folder of such a stream, as its scan was given it, wherever that was; NULL: not known. */
const char *reader_folder(const struct reader *reader);

/* Whether record is of a form. */
bool record_is(const struct record *record, const struct record_form *form);
const char *record_name(const struct record *record); /* NULL where a record has none; the reader refuses that */

/*
 * Fills a struct from a record.  Its texts point into the record and live as long as that.
 * Keys that the form does not know are passed over.  Returns 0, or MIG_DATA once it has been said what
 * is missing or of the wrong type.
 */
int record_fill(struct reader *reader, const struct record *record, const struct record_form *form,
    void *out);

/* --- writing --- */

struct writer;

/*
 * Begins a stream of a kind.  `path` NULL is standard output.  Another path is written as base/atomic_file.h has it,
 * and put into its place by writer_end() or writer_fail(); a signal or exit() before that puts a stream there which
 * says that the program has not finished.  Returns NULL with the error said.
 */
struct writer *writer_open(const char *path, const char *kind);

/*
 * The same for a file that must not keep what an earlier run wrote: at once it gets a stream that ends with `failed`,
 * which says that this run has not finished, and keeps that one if the program is killed.
 */
struct writer *writer_replace(const char *path, const char *kind);

/* Writes a text that is no stream, to the same kinds of places and in the same way.  Returns 0, or an exit code, said. */
int writer_file(const char *path, const struct bytes *text);

/* Writes one record.  A failure to write is kept for writer_end(). */
void writer_put(struct writer *writer, const struct record_form *form, const void *from);

/*
 * Ends the stream: with `end`, or with `failed`, which tells the next tool to do nothing and to exit
 * with the same code.  Both free the writer, and accept NULL, for a tool that writes no records.
 *
 * Return the code (writer_fail: the failure's); or MIG_OUTPUT, said, where that code is 0 and
 * something of what was written is lost.
 */
int writer_end(struct writer *writer, int code);
int writer_fail(struct writer *writer, const struct failure *failure);

/* What makes this stream again, for the `end` record; outside the digest.  NULL, for writer and words: nothing is said. */
void writer_command(struct writer *writer, const char *words);

/* The migrations folder, likewise; one that is not UTF-8, or has control characters, is not said. */
void writer_folder(struct writer *writer, const char *path);

/* The digest of all lines so far, in hex: that of the `end` record, right before writer_end(). */
void writer_digest(struct writer *writer, char hex[RECORD_DIGEST_HEX]);

/* A writer that writes nowhere, for a digest alone.  kind NULL: of records without a stream around them. */
struct writer *writer_digest_only(const char *kind);

#endif
