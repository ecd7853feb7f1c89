/*
 * schema.prisma, as Prisma Migrate up to 6.19 understands it for PostgreSQL, to a catalog.
 *
 * Pure: knows neither database nor file; datamodel/files.h reads those.  A file that Prisma refuses is refused, and
 * so is by name what is not known here: no input makes a catalog of which something was guessed.
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
	size_t more;                 /* so many are not kept */
	struct arena arena;          /* of their texts: arena_free() */
};

/*
 * Files in the order of datamodel/files.h.  Returns whether it is a datamodel; else *errors says what is wrong, and the catalog has
 * nothing.  catalog_free() and arena_free(&errors->arena) are due in either case; origin is copied.
 */
bool datamodel_read(const struct source_file *files, size_t count, const char *origin, struct catalog *catalog,
    struct datamodel_errors *errors);

#endif
