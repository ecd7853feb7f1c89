/*
 * A plan as a script for psql: takes the deploy lock, checks target and history, applies, records, and stops at the
 * first error with nothing half recorded.
 *
 * Pure: makes text.
 */
#ifndef MIG_PLAN_PSQL_SCRIPT_H
#define MIG_PLAN_PSQL_SCRIPT_H

#include "base/bytes.h"
#include "base/refusal.h"
#include "plan/plan.h"
#include "records/model.h"

/*
 * Writes the script of a plan that was made from `scan`, by the commands in `command` (base/shell_quote.h; NULL: not
 * known).  Returns 0; or MIG_DATA, with why in *refusal, by the migration's name, where
 * psql would change a script on its way (:NAME or a backslash outside quotes), or where only an answer of the
 * server can tell how to send it (a DO or CALL that commits, an enum value used where it was added).
 */
int psql_script(struct bytes *out, const struct scan *scan, const struct planned *planned, const char *digest,
    const char *command, struct refusal *refusal);

#endif
