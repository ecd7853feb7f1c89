/*
 * Reads the migrations folder: its migrations, their order, and their scripts.
 *
 * Follows Prisma Migrate 6.6 to 7 (packages/migrate/src/utils/listMigrations.ts, schema-connector/src/checksum.rs
 * and migrations_directory.rs): every real directory is a migration, its name is the migration's name byte for
 * byte, and only migration.sql in it is read.  Beside it mig reads down.sql, which undoes it and which Prisma passes over.
 */
#ifndef MIG_MIGRATIONS_FOLDER_H
#define MIG_MIGRATIONS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "records/model.h"

/*
 * Compares names in Prisma's order: ICU's root collation, which localeCompare() uses without a locale.  Exact for
 * printable ASCII.  Letters of the Latin-1 and Latin Extended-A blocks sort with their base letter; all other
 * characters come after those, by code point.  Returns < 0, 0, > 0; 0 only for equal names.
 */
int migration_compare(const char *a, const char *b);

/* Prisma's checksum: SHA-256 of the script's bytes, in lower-case hex. */
#define MIGRATION_CHECKSUM 65
void migration_checksum(const char *text, size_t len, char hex[MIGRATION_CHECKSUM]);

/*
 * Whether a recorded checksum matches a script: its text as is, with every CRLF as LF, or with every LF as CRLF
 * (naively).  If the recorded checksum is neither empty nor 64 characters long, also the format of very old
 * versions, which wrote bytes below 0x10 with one digit.
 */
bool migration_checksum_matches(const char *recorded, const char *checksum, const char *text);

/*
 * Whether a script that does not match differs only in whitespace at the ends of lines or of the file.  The old
 * text is not available, so this tries the new text without such whitespace, and with a final newline added or
 * removed.
 */
bool migration_differs_in_blanks(const char *recorded, const char *text);

/* A script that was read from a folder. */
struct script {
	struct migration migration;   /* points into the fields below and to the folder's name */
	struct bytes text, down;
	char path[300];               /* a name has at most 255 bytes */
	char checksum[MIGRATION_CHECKSUM], down_checksum[MIGRATION_CHECKSUM];
};
void script_free(struct script *script);

/* A migrations folder, open for reading. */
struct folder {
	const char *path;   /* as given */
	int fd;
	char **names;       /* in Prisma's order */
	size_t count;
	struct script *ahead;     /* the first ahead_count scripts, read before folder_read() asked for them */
	size_t ahead_count, ahead_cap, ahead_bytes;
};

/*
 * Opens path (NULL: prisma/migrations, else migrations), lists it and reads its lock file.  Returns 0, or an exit
 * code with the error reported: MIG_DATA (no folder; a lock file for another provider; a name that is not UTF-8),
 * MIG_DENIED.  Call folder_close() after success.
 */
int folder_open(struct folder *folder, const char *path);
void folder_close(struct folder *folder);

/*
 * Reads the script of names[i] into `script` and reuses its memory; call script_free() at the end.  A missing or
 * unusable script is not a failure: see migration.flaw.  Returns 0, or an exit code with the error reported.
 */
int folder_read(struct folder *folder, size_t i, struct script *script);

/*
 * Work for signals_meanwhile(), on a struct folder: reads one more script ahead of folder_read().  Returns false if none
 * is left, if more than 2 MB would be kept, or if the script cannot be read; folder_read() will report that.
 */
bool folder_read_ahead(void *folder);

#endif
