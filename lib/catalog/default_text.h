/*
 * Parses the text of pg_get_expr() into a column default as Prisma sees it.
 *
 * The column's type decides how the text is parsed; a text that does not parse to its end is an expression.  Pure.
 */
#ifndef MIG_CATALOG_DEFAULT_TEXT_H
#define MIG_CATALOG_DEFAULT_TEXT_H

#include <stdbool.h>

#include "catalog/catalog.h"

/* How the values of a type are written; a default of a type without family is always an expression. */
enum default_family {
	FAMILY_NONE,      /* uuid, and types unknown to Prisma */
	FAMILY_TEXT,      /* also json, xml, inet, bit */
	FAMILY_INTEGER,
	FAMILY_DECIMAL,
	FAMILY_BOOLEAN,
	FAMILY_TIME,
	FAMILY_BYTES,
	FAMILY_ENUM
};

/* Fills *value; the catalog owns its texts.  text NULL: there is no default. */
void default_parse(struct catalog *catalog, const char *text, enum default_family family, bool is_list,
    struct column_default *value);

#endif
