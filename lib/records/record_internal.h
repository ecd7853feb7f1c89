/*
 * Shared by the files that read and write streams (records/record.h); nobody else includes it.
 */
#ifndef MIG_RECORDS_RECORD_INTERNAL_H
#define MIG_RECORDS_RECORD_INTERNAL_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>

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
	char *command, *folder;
};

/* --- frame.c --- */

extern const struct record_form frame_stream_form, frame_end_form, frame_plain_end_form, frame_failed_form;
/* Stands for this host and current folder, where the relative paths of a command mean the same. */
void frame_place_here(char hex[PLACE_HEX]);
/*
 * The digest leaves command and folder out, since the same plan has one digest however it was asked for.  The seal
 * binds them to it: what is changed in the last line shows as well.
 */
void frame_seal(const struct frame_end *end, char hex[SEAL_HEX]);
bool frame_is_sealed(const struct frame_end *end);
/* Whether words are commands of ours: what a stream says is shown to be typed. */
bool frame_is_pipeline(const char *words);
void frame_digest_hex(const crypto_generichash_state *running, char hex[RECORD_DIGEST_HEX]);

#endif
