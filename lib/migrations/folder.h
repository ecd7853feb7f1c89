/*
 * The folder: which migrations it holds, in which order, and what each script is.
 *
 * All as Prisma Migrate 6.6 to 7 has it (packages/migrate/src/utils/listMigrations.ts,
 * schema-connector/src/checksum.rs and migrations_directory.rs): every real directory is a migration,
 * its name is the migration's name byte for byte, only migration.sql inside is read.
 */
#ifndef MIG_MIGRATIONS_FOLDER_H
#define MIG_MIGRATIONS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "records/model.h"

/*
 * Prisma's order: ICU's root collation, which is what localeCompare() does without a locale.  Exact
 * for printable ASCII; letters of the Latin-1 and Latin Extended-A blocks sort with their base letter; what
 * else there is comes after those, by code point.  Returns < 0, 0, > 0; 0 only for equal names.
 */
int migration_compare(const char *a, const char *b);

/* Prisma's checksum: SHA-256 of the script as it is, in lower-case hex. */
#define MIGRATION_CHECKSUM 65
void migration_checksum(const char *text, size_t len, char hex[MIGRATION_CHECKSUM]);

/*
 * Whether a recorded checksum is that of a script: of the text as it is, with every CRLF as LF, or with every
 * LF as CRLF (naively), or, where the recorded one is neither empty nor 64 long, in the rendering of very
 * old versions, which wrote bytes below 0x10 with one digit.
 */
bool migration_checksum_matches(const char *recorded, const char *checksum, const char *text);

/*
 * Whether a script that does not match differs only in white space at the ends of lines or of the file, as far as that
 * can be told without the old text: from the new one with such white space taken away, or with a final newline
 * more or less.
 */
bool migration_differs_in_blanks(const char *recorded, const char *text);

/* One script, read from a folder. */
struct script {
	struct migration migration;   /* points into the fields below and into the folder's name */
	struct bytes text;
	char path[300];               /* a name has 255 bytes at most */
	char checksum[MIGRATION_CHECKSUM];
};
void script_free(struct script *script);

/* A migrations folder, open for reading. */
struct folder {
	const char *path;   /* as given */
	int fd;
	char **names;       /* in Prisma's order */
	size_t count;
	struct script *ahead;     /* the first ahead_count scripts, those that no folder_read() took */
	size_t ahead_count, ahead_cap, ahead_bytes;
};

/*
 * Opens path, or where it is NULL prisma/migrations, else migrations; lists it and reads its lock file.
 * Returns 0, or an exit code, said: MIG_DATA (no folder; a lock file for another provider; a name that is no
 * UTF-8), MIG_DENIED.  folder_close() is due after success.
 */
int folder_open(struct folder *folder, const char *path);
void folder_close(struct folder *folder);

/*
 * Reads the script of names[i] into `script`, whose memory is used again; script_free() at the end.
 * What a script can be like is no failure: migration.flaw tells.  Returns 0, or an exit code, said.
 */
int folder_read(struct folder *folder, size_t i, struct script *script);

/*
 * Reads one more script before folder_read() asks for it, while something else is waited for.  False when there is none
 * left, when more than 2 MB would be kept, or when it cannot be read, which folder_read() will say.
 */
bool folder_read_ahead(struct folder *folder);

#endif
