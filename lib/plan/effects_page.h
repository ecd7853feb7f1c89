/* What a rehearsal found, as people read it.  Pure. */
#ifndef MIG_PLAN_EFFECTS_PAGE_H
#define MIG_PLAN_EFFECTS_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "plan/effects.h"
#include "records/model.h"

/* The head: on what it was done, how it went, and who was in the way in production. */
void effects_page_head(struct bytes *out, const struct rehearsal_records *rehearsed);

/*
 * mig-scan's: under each statement that has an effect, what it does (effects_text.h).  Long lines of SQL are cut to `columns`
 * (0: there is no limit).  Nothing where there are none.
 */
void effects_page(struct bytes *out, const struct effects_view *view, size_t columns, bool unfold);

#endif
