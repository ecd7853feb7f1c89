/*
 * Finds the schema.prisma that belongs to seed files.
 */
#ifndef MIG_SEED_FIND_DATAMODEL_H
#define MIG_SEED_FIND_DATAMODEL_H

#include <stddef.h>

/*
 * Looks for schema.prisma, a folder schema/ with *.prisma, and both below prisma/: in the folder of each path, in the two
 * folders above it, then in the current folder.  Returns the first; the caller frees it.  NULL: there is none.
 */
char *find_datamodel(char *const *paths, size_t count);

#endif
