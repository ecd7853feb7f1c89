/*
 * A finding as text for users: its place and the remedy.  Pure.
 */
#ifndef MIG_PLAN_FINDING_TEXT_H
#define MIG_PLAN_FINDING_TEXT_H

#include "base/bytes.h"
#include "plan/plan.h"
#include "records/model.h"

/*
 * "prisma/migrations/20261120_x/migration.sql:5:1: ", "20261120_x: " or ""; a plan that takes back is one of scripts down.sql.
 */
void finding_place(struct bytes *out, const struct planned *planned, const struct finding *finding);

/*
 * Appends the remedy, with commands that name the folder; nothing if there is none.  The record omits the folder
 * so that a plan has the same digest however the folder was given.
 */
void finding_remedy(struct bytes *out, const char *folder, const struct finding *finding);

#endif
