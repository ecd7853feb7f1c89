/*
 * What comes back if a step must be undone after it was applied, and what does not.  Where its down.sql was tried, that is what
 * counts; else it is said of what its statements leave.  Pure.
 */
#ifndef MIG_PLAN_UNDO_H
#define MIG_PLAN_UNDO_H

#include <stdbool.h>

#include "base/bytes.h"
#include "plan/effects.h"
#include "records/model.h"
#include "records/words.h"

/* One line of text.  measured: the view has the effects of a rehearsal; else the words of the script have to do. */
void undo_text(struct bytes *out, const struct effects_view *view, bool measured);

/* What no down.sql and no new migration brings back after it, only a restore: "the rows of orders, ..."; nothing if nothing. */
void undo_gone(struct bytes *out, const struct effects_view *view, bool measured);

/* The same line for a step that itself takes back. */
void undo_again(struct bytes *out, const struct effects_view *view);

/* What one of the two scripts of a migration takes away for good, by a rehearsal: "the rows of orders, ..."; nothing if nothing. */
void undo_losses(struct bytes *out, const struct rehearsal_records *rehearsed, const char *migration, enum loss_by by);

#endif
