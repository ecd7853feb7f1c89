/*
 * Shows differences as a page.  Pure.
 */
#ifndef MIG_DIFF_PAGE_H
#define MIG_DIFF_PAGE_H

#include "base/bytes.h"
#include "catalog/catalog.h"
#include "diff/diff.h"

/* FROM NULL: an empty schema. */
void page_diff(struct bytes *out, const struct catalog *from, const struct catalog *to, const struct diff *diff);

/* "prisma/schema.prisma (datamodel)", "shop (catalog)". */
void page_origin(struct bytes *out, const struct catalog *c);

#endif
