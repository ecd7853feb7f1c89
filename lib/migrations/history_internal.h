/*
 * Shared by the files that build statements for the history table (migrations/history.h); private to them.
 */
#ifndef MIG_MIGRATIONS_HISTORY_INTERNAL_H
#define MIG_MIGRATIONS_HISTORY_INTERNAL_H

#include "base/bytes.h"
#include "migrations/history.h"

/* Operators are qualified too: these statements are sent with the session's own search path. */
#define EQUALS " OPERATOR(pg_catalog.=) "

/* Ordinary tables alone make a schema non-empty, and these do not: the history and PostGIS's own (P3005). */
#define HISTORY_NO_TABLES "'" HISTORY_TABLE "', 'spatial_ref_sys', 'geometry_columns', 'geography_columns', 'raster_columns', " \
	"'raster_overviews'"

/* Appends the table's name with its schema. */
void history_table(struct bytes *out, const char *schema);

#endif
