/*
 * Shared by the files that read a catalog: one statement and one function per class of objects.
 */
#ifndef MIG_CATALOG_READ_INTERNAL_H
#define MIG_CATALOG_READ_INTERNAL_H

#include <stddef.h>

#include "catalog/catalog.h"
#include "postgres/connection.h"

/* A condition: n of pg_namespace is a user's schema. */
#define READ_OURS "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"

/* A condition: the object belongs to an extension. */
#define READ_EXTENSIONS(class, oid) \
	"EXISTS (SELECT FROM pg_depend e WHERE e.classid = '" class "'::regclass AND e.objid = " oid " AND e.deptype = 'e')"

/* A condition: c of pg_class, in schema n, is a table: not a partition, unless it has partitions itself. */
#define READ_TABLE \
	"((c.relkind = 'r' AND NOT c.relispartition) OR c.relkind = 'p' OR (c.relkind = 'f' AND NOT c.relispartition))" \
	" AND c.relpersistence <> 't' AND c.relname <> '_prisma_migrations' AND lower(c.relname) NOT IN" \
	" ('spatial_ref_sys', 'geometry_columns', 'geography_columns', 'raster_columns', 'raster_overviews') AND " READ_OURS

struct reading_state {
	struct catalog *catalog;
	const struct answer *defaults;    /* by relation and column, printed with the session's search path */
	size_t defaults_at;
};

struct read_part {
	const char *sql;
	void (*take)(struct reading_state *state, const struct answer *answer);  /* NULL: definitions */
	enum object_kind kind;            /* the kind that it reads */
};

/* Of read_tables.c and read_columns.c. */
extern const struct read_part read_part_namespaces, read_part_extensions, read_part_enums, read_part_relations, read_part_indexes, read_part_references;
extern const struct read_part read_part_defaults, read_part_columns;
/* Of read_definitions.c; ends with NULL. */
extern const struct read_part read_part_definitions[];
extern const struct read_part read_part_grants;
void read_take_definitions(struct reading_state *state, const struct answer *answer, enum object_kind kind);

#endif
