/*
 * Reads the catalog of a database, from pg_catalog alone: a role that has no rights on anything sees the same as its
 * owner.  All of it is one round trip, in one read-only snapshot, with an empty search path while texts are read.
 *
 * What an extension owns is left out, but for tables, which Prisma sees (is_extensions); so are temporary objects, the history, and the tables of
 * PostGIS that Prisma leaves out by name.
 */
#ifndef MIG_CATALOG_READ_H
#define MIG_CATALOG_READ_H

#include <stdbool.h>

#include "catalog/catalog.h"
#include "postgres/connection.h"

struct catalog_wish {
	const char *source;          /* SOURCE_* */
	const char *origin;          /* as people know it */
	const char *default_schema;  /* NULL: current_schema(), else public */
	bool grants;
};

/* Returns 0 with all kinds but, without `grants`, OBJECT_GRANT covered; or an exit code, said.  catalog_free() is due in any case. */
int catalog_of_database(struct db *db, const struct catalog_wish *wish, struct catalog *catalog);

#endif
