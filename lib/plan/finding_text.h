/* A finding as people read it: where it is, and what to type.  Pure. */
#ifndef MIG_PLAN_FINDING_TEXT_H
#define MIG_PLAN_FINDING_TEXT_H

#include "base/bytes.h"
#include "records/model.h"

/* "prisma/migrations/20261120_x/migration.sql:5:1: ", "20261120_x: " or "". */
void finding_place(struct bytes *out, const char *folder, const struct finding *finding);

/*
 * The remedy, with commands that name the folder.  The record leaves the folder out: a plan has one digest, however
 * its folder was named.  Nothing is added where there is no remedy.
 */
void finding_remedy(struct bytes *out, const char *folder, const struct finding *finding);

#endif
