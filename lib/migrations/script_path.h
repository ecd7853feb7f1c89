/* Where a migration's script is, as an editor and a shell take it.  Pure: the file is not looked for. */
#ifndef MIG_MIGRATIONS_SCRIPT_PATH_H
#define MIG_MIGRATIONS_SCRIPT_PATH_H

#include "base/bytes.h"

/* "prisma/migrations/20261120_x/migration.sql"; without the folder where that is NULL: not known. */
void script_path(struct bytes *out, const char *folder, const char *migration);

/* The same as a word of a shell's command, behind its options. */
void script_path_word(struct bytes *out, const char *folder, const char *migration);

#endif
