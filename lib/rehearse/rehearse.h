/*
 * What a deploy would do to production, because it was done: the applied migrations run in a scratch database, then the
 * pending ones, a statement at a time, and what each of these did is measured.
 *
 * All on empty tables: they tell locks, rewrites, scans and what breaks, and not how many rows there are.
 */
#ifndef MIG_REHEARSE_REHEARSE_H
#define MIG_REHEARSE_REHEARSE_H

#include <stdbool.h>

#include "base/arena.h"
#include "migrations/status.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "rehearse/draft_text.h"
#include "rehearse/effects.h"
#include "rehearse/losses.h"
#include "rehearse/prefixes.h"
#include "rehearse/statements.h"
#include "scratch/scratch.h"

struct rehearse_wish {
	const struct scan *scan;       /* its migrations have their scripts */
	const struct status *status;   /* of it */
	const char *folder;            /* for messages; NULL: not known */
	struct db *production;         /* to be asked which relations it has; or NULL */
	struct statements *statements; /* of production, to be tried out; or NULL */
	const char *to;                /* compare what the folder makes up to here with production; NULL: find where that is, if it has
	                                * tables and none of the folder is recorded */
	bool drafts;                   /* make a draft of down.sql for each pending migration that has none */
	long long limit_ms;            /* how long a statement of a pending script may take */
	struct scratch_order order;    /* but for the steps */
};

struct rehearsed {
	struct rehearsal rehearsal;
	struct effects effects;        /* as they are written */
	struct losses losses;
	struct drafts drafts;
	struct prefixes prefixes;
	struct arena texts;
};

/*
 * Returns 0 with what was found, also that a pending script does not run; or an exit code, said: MIG_FAILED where the
 * applied ones do not run, and those of scratch_open().  Call rehearsed_free() in every case, and signals_begin()
 * before.
 */
int rehearse_run(const struct rehearse_wish *wish, struct rehearsed *rehearsed);

/*
 * Makes a draft of the down.sql of one migration of the folder, and nothing else; it is the only one in rehearsed->drafts.  Returns 0, also
 * where the draft does not take the migration back; or an exit code, said.  Call as rehearse_run().
 */
int rehearse_draft(const struct rehearse_wish *wish, const char *migration, struct rehearsed *rehearsed);

/* The records of what was found, whose arrays are then the caller's; their texts stay here. */
struct rehearsal_records rehearsed_records(struct rehearsed *rehearsed);
void rehearsed_free(struct rehearsed *rehearsed);

#endif
