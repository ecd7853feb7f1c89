/*
 * A draft as people read it: the statements with comments on top that say what was tried, what does not come back, and what is lost.
 * Pure.
 */
#ifndef MIG_REHEARSE_DRAFT_TEXT_H
#define MIG_REHEARSE_DRAFT_TEXT_H

#include "base/arena.h"
#include "base/bytes.h"
#include "records/model.h"
#include "rehearse/losses.h"

struct drafts {
	struct draft *list;
	size_t count, cap;
};

/*
 * Adds the draft of the step's opposite, all texts in the arena.  verdict: "verified", or why not; losses: what both scripts take away for
 * good; statements: what would be run.
 */
void drafts_add(struct drafts *drafts, const struct step *up, const char *verdict, const struct losses *losses, const struct bytes *statements,
    struct arena *texts);

#endif
