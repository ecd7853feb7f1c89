/*
 * What comes back if a step must be undone after it was applied, and what does not.  No script that undoes a migration
 * (down.sql) is read: this is said of what its statements leave.  Pure.
 */
#ifndef MIG_PLAN_UNDO_H
#define MIG_PLAN_UNDO_H

#include <stdbool.h>

#include "base/bytes.h"
#include "plan/effects.h"

/* One line of text.  measured: the view has the effects of a rehearsal; else the words of the script have to do. */
void undo_text(struct bytes *out, const struct effects_view *view, bool measured);

#endif
