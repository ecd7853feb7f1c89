/*
 * Converts a schema.prisma to a catalog, following Prisma Migrate up to 6.19 for PostgreSQL.
 *
 * Pure: uses neither database nor file; datamodel/files.h reads the files.  A file that Prisma rejects is
 * rejected, and constructs unknown to mig are rejected by name: a catalog never contains a guess.
 */
#ifndef MIG_DATAMODEL_DATAMODEL_H
#define MIG_DATAMODEL_DATAMODEL_H

#include <stdbool.h>

#include "base/arena.h"
#include "catalog/catalog.h"
#include "datamodel/ast.h"

enum { DATAMODEL_ERRORS_MAX = 10 };

struct datamodel_error {
	const char *path;
	size_t line, column;         /* from 1; the column in characters */
	const char *text;
};

struct datamodel_errors {
	struct datamodel_error items[DATAMODEL_ERRORS_MAX]; /* in the order in which they were found */
	size_t count;
	size_t more;                 /* number of errors that were not kept */
	struct arena arena;          /* owns their texts: free it with arena_free() */
};

/*
 * Parses files, in the order of datamodel/files.h.  Returns true with the catalog filled; or false with *errors
 * filled and an empty catalog.  Call catalog_free() and arena_free(&errors->arena) in both cases; origin is
 * copied.
 */
bool datamodel_read(const struct source_file *files, size_t count, const char *origin, struct catalog *catalog,
    struct datamodel_errors *errors);

#endif
