/*
 * Shared by the files that read and write streams (records/record.h); private to them.
 */
#ifndef MIG_RECORDS_RECORD_INTERNAL_H
#define MIG_RECORDS_RECORD_INTERNAL_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "records/record.h"

struct frame_stream {
	const char *kind;
	long long version;
};
struct frame_end {
	long long records;
	const char *digest;
	const char *command;
	const char *folder;
	const char *place;
	const char *seal;
};

#define AT(type, member) offsetof(struct type, member)

enum { PLACE_HEX = 17, SEAL_HEX = 17 };

enum { CHUNK = 65536, LONGEST_LINE = 256 << 20 };

struct reader {
	int fd;
	const char *name;        /* for messages */
	const char *consequence;
	unsigned long line;      /* the line being read, or last read; from 1 */
	char *text;              /* the bytes read; the unused ones */
	size_t from, end, cap;   /* are text[from..end) */
	bool ended;              /* read() has returned end of file */
	int error;               /* errno of a failed read() */
	int code;                /* exit code for READING_BAD */
	crypto_generichash_state digest; /* of all lines so far */
	crypto_generichash_state before; /* of all lines before the one last read */
	char hex[RECORD_DIGEST_HEX];
	struct record *head;     /* the stream record; owns kind */
	const char *kind;
	struct record *tail;     /* the failed record; owns failure's texts */
	struct failure failure;
	char *command, *folder;
	bool keeps;
	struct bytes kept;       /* the first line; with `keeps`, all */
};

/* --- frame.c --- */

extern const struct record_form frame_stream_form, frame_end_form, frame_plain_end_form, frame_failed_form;
/* A hash of this host and current folder; relative paths in a command are valid only here. */
void frame_place_here(char hex[PLACE_HEX]);
/*
 * The digest covers neither command nor folder, so that the same plan has one digest however it was made.  The
 * seal binds both to the digest, so that a change in the last line is detected too.
 */
void frame_seal(const struct frame_end *end, char hex[SEAL_HEX]);
bool frame_is_sealed(const struct frame_end *end);
/* Whether the words are commands of ours.  A stream's command is shown for users to type, so it is checked. */
bool frame_is_pipeline(const char *words);
void frame_digest_hex(const crypto_generichash_state *running, char hex[RECORD_DIGEST_HEX]);

#endif
