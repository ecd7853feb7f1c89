/*
 * The path of a migration's script, for editors and shells.  Pure: does not check that the file exists.
 */
#ifndef MIG_MIGRATIONS_SCRIPT_PATH_H
#define MIG_MIGRATIONS_SCRIPT_PATH_H

#include "base/bytes.h"

/* "prisma/migrations/20261120_x/migration.sql"; without the folder if that is NULL (unknown). */
void script_path(struct bytes *out, const char *folder, const char *migration);

/* The same of another file of the migration's folder: "down.sql". */
void script_path_of(struct bytes *out, const char *folder, const char *migration, const char *file);

/* The same, quoted as an operand of a shell command. */
void script_path_word(struct bytes *out, const char *folder, const char *migration);

#endif
