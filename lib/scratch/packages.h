/*
 * In which package an extension comes.  Pure.
 */
#ifndef MIG_SCRATCH_PACKAGES_H
#define MIG_SCRATCH_PACKAGES_H

#include "base/bytes.h"

/* Appends what to install, for people: "the package postgresql-17-pgvector"; for an unknown one that it is not known. */
void packages_extension(struct bytes *out, const char *extension, int major);

#endif
