/*
 * The effects of a statement in words: who waits for what and about how long, and what is no longer there.  Pure.
 */
#ifndef MIG_PLAN_EFFECTS_TEXT_H
#define MIG_PLAN_EFFECTS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "plan/effects.h"
#include "records/model.h"

/* The column of "| " in lines of a script; what is said of them begins below the text. */
enum { EFFECTS_NUMBER = 6, EFFECTS_INDENT = EFFECTS_NUMBER + 3 };

/* Which of the effects are told that the running release may notice: findings may stand beside them. */
enum effects_noticed { NOTICED_ALL, NOTICED_IF_MADE_BY_PLAN, NOTICED_NONE };

/*
 * The lines below a statement, for its effects of[0..count): the relation, then a sentence; sizes below it, where they are
 * known.  More than a few relations are folded, unless `unfold`.
 */
void effects_text(struct bytes *out, const struct effects_view *view, const struct effect of[], size_t count,
    enum effects_noticed noticed, bool unfold);

/* Statements of production that fail from then on, a line each, cut to `columns` (0: never); some of them, unless `unfold`. */
void effects_refused(struct bytes *out, const struct effect of[], size_t count, size_t columns, bool unfold);

/* How to write a statement so that no session waits, by its words and by what it was measured to do; static text. */
const char *effects_remedy(const struct effects_view *view, long long statement);

/* The same as a line of the page, if a session waits for work of unknown length; else nothing. */
void effects_hint(struct bytes *out, const struct effects_view *view, const struct effect of[], size_t count);

/* "User", or "audit.User" where the schema is not public. */
void effects_name(struct bytes *out, const struct effect *effect);

#endif
