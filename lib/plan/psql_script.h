/*
 * Writes a plan as a script for psql.  The script takes the deploy lock, checks target and history, applies and
 * records the steps, and stops at the first error without leaving a half-recorded step.
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
 * Writes the script of a plan, made by `command` (base/shell_quote.h; NULL: unknown).  Returns 0, or MIG_DATA with the
 * reason and the migration's name in *refusal: the plan has no target, or was made by a release that did not keep what
 * the script checks; psql would change a script (:NAME or a backslash outside quotes), or only the server's answer can
 * tell how to send it (a DO or CALL that commits, an enum value used where it was added).
 */
int psql_script(struct bytes *out, const struct planned *planned, const char *digest, const char *command,
    struct refusal *refusal);

#endif
