/*
 * Whether down.sql takes a migration back: up, down, up in a scratch database of its own, and what there is then is compared with
 * what there was before.
 *
 * Of the applied migrations those are tried that could be taken back now: the last ones, as far as each has a down.sql.  Of
 * the pending ones all that have one.
 */
#ifndef MIG_REHEARSE_DOWNS_H
#define MIG_REHEARSE_DOWNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "records/model.h"
#include "rehearse/draft_text.h"
#include "rehearse/effects.h"
#include "rehearse/losses.h"
#include "scratch/scratch.h"

/* A migration with both its scripts; `down.sql` is NULL where it has none that can be sent. */
struct downs_step {
	struct step up, down;
};

/* No drafts; or one for each pending migration that has no down.sql. */
#define DOWNS_DRAFT_NONE ((size_t)-1)
#define DOWNS_DRAFT_PENDING ((size_t)-2)

struct downs_wish {
	const char *folder;             /* for messages; NULL: not known */
	const struct downs_step *steps; /* the applied ones, then the pending ones */
	size_t count, applied;
	size_t draft_of;                /* make a draft of this one's down.sql, and nothing else; or one of the two below */
	const char *time_zone;          /* of production; NULL: not known */
	long long limit_ms;             /* for one statement */
	struct scratch_order order;     /* but for its steps */
};

/* Whether there is anything to try. */
bool downs_any(const struct downs_wish *wish);

struct downs_found {
	struct effects *effects;        /* a verdict is added for each down.sql, behind those of its migration */
	struct losses losses;           /* what the scripts of these take away for good */
	struct drafts drafts;
};

/*
 * Uses *scratch for it, and sets it to the database that there is in the end, or NULL.  Returns 0, or an exit code, said.
 */
int downs_verify(const struct downs_wish *wish, struct scratch **scratch, struct downs_found *found, struct arena *texts);

#endif
