/* What a rehearsal found, as people read it.  Pure. */
#ifndef MIG_PLAN_EFFECTS_PAGE_H
#define MIG_PLAN_EFFECTS_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "plan/effects.h"
#include "records/model.h"

/* The head: on what it was done, and how it went. */
void effects_page_head(struct bytes *out, const struct rehearsal *rehearsal);

/*
 * Under each statement that has an effect, what it does, a line for each relation: who waits and for what, what breaks.  Long
 * lines of SQL are cut to `columns` (0: there is no limit).  Nothing where there are none.
 */
void effects_page(struct bytes *out, const struct effects_view *view, size_t columns);

/* The same for each of these steps, below its name; folded to some lines a step, unless `unfold`. */
void effects_page_steps(struct bytes *out, const struct rehearsal_records *rehearsed, const struct step *steps, size_t count,
    size_t columns, bool unfold);

#endif
