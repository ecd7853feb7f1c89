/*
 * Finds the package of an extension.  Pure.
 */
#ifndef MIG_SCRATCH_PACKAGES_H
#define MIG_SCRATCH_PACKAGES_H

#include "base/bytes.h"

/* Appends what to install, for users: "the package postgresql-17-pgvector"; or that the extension is unknown. */
void packages_extension(struct bytes *out, const char *extension, int major);

#endif
