/*
 * A schema as a page that reads like psql's \d: one for all sources.  Pure.
 */
#ifndef MIG_CATALOG_PAGE_H
#define MIG_CATALOG_PAGE_H

#include "base/bytes.h"
#include "catalog/catalog.h"

void page_schema(struct bytes *out, const struct catalog *catalog);

/* A column's type as PostgreSQL writes it: "character varying(20)" of a catalog, "varchar(20)" of a datamodel. */
void page_type(struct bytes *out, const struct column *column);

#endif
