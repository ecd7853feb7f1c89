/*
 * Finds which members the objects of a JSON file have, before a table is staged for them.
 */
#ifndef MIG_SEED_MEMBERS_H
#define MIG_SEED_MEMBERS_H

#include <stdbool.h>

#include "seed/file.h"
#include "seed/text.h"

/* Fills file->members, member_rows and rows.  Returns 0, or an exit code with the error reported. */
int members_read(struct seed_file *file);

/* Adds the members of one more object, which must be valid JSON, or of a part of it. */
void members_add(struct seed_file *file, struct seed_span object);

/* Whether all objects have a member; whether any has it. */
bool members_all(const struct seed_file *file, const char *name);
bool members_any(const struct seed_file *file, const char *name);

#endif
