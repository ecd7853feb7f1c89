/*
 * Reads the schema of a database from pg_catalog only, so that a role without any rights sees the same as the
 * owner.  Takes one round trip, in one read-only snapshot, with an empty search path while texts are read.
 *
 * Excludes objects of extensions except tables, which Prisma sees (is_extensions); also temporary objects, the
 * history, and the PostGIS tables that Prisma excludes by name.
 */
#ifndef MIG_CATALOG_READ_H
#define MIG_CATALOG_READ_H

#include <stdbool.h>

#include "catalog/catalog.h"
#include "postgres/connection.h"

struct catalog_wish {
	const char *source;          /* SOURCE_* */
	const char *origin;          /* the name shown to users */
	const char *default_schema;  /* NULL: current_schema(), else public */
	bool grants;
};

/*
 * Returns 0, with all kinds covered (OBJECT_GRANT only with `grants`); or an exit code with the error reported.
 * Call catalog_free() in every case.
 */
int catalog_of_database(struct db *db, const struct catalog_wish *wish, struct catalog *catalog);

#endif
