/*
 * What a column's default is for Prisma, read from the text that pg_get_expr() gives.
 *
 * The text is parsed by the column's type; what does not parse to its end is an expression.  Pure.
 */
#ifndef MIG_CATALOG_DEFAULT_TEXT_H
#define MIG_CATALOG_DEFAULT_TEXT_H

#include <stdbool.h>

#include "catalog/catalog.h"

/* How the values of a type are written; what is in no family is always an expression. */
enum default_family {
	FAMILY_NONE,      /* uuid, and what Prisma does not know */
	FAMILY_TEXT,      /* also json, xml, inet, bit */
	FAMILY_INTEGER,
	FAMILY_DECIMAL,
	FAMILY_BOOLEAN,
	FAMILY_TIME,
	FAMILY_BYTES,
	FAMILY_ENUM
};

/* Fills *value, whose texts the catalog then owns.  text NULL: there is none. */
void default_parse(struct catalog *catalog, const char *text, enum default_family family, bool is_list,
    struct column_default *value);

#endif
