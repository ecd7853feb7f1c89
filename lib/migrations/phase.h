/*
 * Expand and contract: which migrations may run while the release before is still running, and which have to wait until it is gone.
 *
 * A migration contracts when a statement of it breaks the running release: by the rehearsal, if the scan has one, else by its words
 * (sql/breaks.h).  A line of its own in the script decides otherwise:
 *     -- mig: phase contract
 *     -- mig: phase expand
 * Pending migrations are never reordered: from the first that contracts on, all wait.
 *
 * Pure.
 */
#ifndef MIG_MIGRATIONS_PHASE_H
#define MIG_MIGRATIONS_PHASE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "records/model.h"
#include "records/words.h"
#include "sql/breaks.h"

/* What the script says of itself; PHASE_NULL: nothing. */
enum phase phase_marked(const char *script);

/*
 * Whether a pending migration contracts, and in `why` for what: "drops the column name of User".  `made` has what the pending ones
 * before it make; it gets what this one makes.
 */
bool phase_contracts(const struct rehearsal_records *rehearsed, const struct migration *script, struct sql_made *made, struct bytes *why);

#endif
