/*
 * Shows a schema as a page in the style of psql's \d, the same for all sources.  Pure.
 */
#ifndef MIG_CATALOG_PAGE_H
#define MIG_CATALOG_PAGE_H

#include "base/bytes.h"
#include "catalog/catalog.h"

void page_schema(struct bytes *out, const struct catalog *catalog);

/* Appends a column's type: "character varying(20)" for a live catalog, "varchar(20)" for a datamodel. */
void page_type(struct bytes *out, const struct column *column);

#endif
