/* Pages of mig-scan and mig-plan.  Pure: facts come in as structs, text goes out. */
#ifndef MIG_PLAN_PAGES_H
#define MIG_PLAN_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "migrations/folder.h"
#include "migrations/status.h"
#include "plan/plan.h"
#include "records/model.h"

/*
 * mig-scan's page.  folder NULL: the scan came from standard input.  deploying_for: "41 s", or NULL.  Names are cut in
 * their middle where `columns` are not enough; 0: whole.
 */
void pages_status(struct bytes *out, const struct scan *scan, const struct status *status,
    const char *folder, const char *deploying_for, size_t columns, bool unfold);

/*
 * mig-plan's page; digest: of the plan's records; command: the words (base/shell_quote.h) that make this plan
 * again, or NULL: not known.
 * scan and status NULL: a kept plan, shown again.
 */
void pages_plan(struct bytes *out, const struct scan *scan, const struct status *status,
    const struct planned *planned, const char *digest, const char *words, size_t columns, bool unfold);

#endif
