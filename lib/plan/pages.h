/*
 * The pages of mig-scan and mig-plan.  Pure: structs in, text out.
 */
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
 * mig-scan's page.  folder NULL: the scan came from standard input.  deploying_for: "41 s", or NULL.  Names are
 * shortened in the middle to fit `columns`; 0: never.
 */
void pages_status(struct bytes *out, const struct scan *scan, const struct status *status,
    const char *folder, const char *deploying_for, size_t columns, bool unfold);

/* The line about --phase: which, and what waits for the other; nothing without it. */
void pages_phase(struct bytes *out, const struct plan *plan);

/* mig-plan's page. */
struct pages_plan {
	const struct planned *planned;
	const struct scan *scan;      /* NULL: a kept plan is shown again */
	const struct status *status;  /* of the scan */
	const char *digest;           /* of the plan's records */
	const char *command;          /* that makes this plan again (base/shell_quote.h); NULL: unknown */
	const char *file;             /* that has the plan; NULL: none, or standard input */
};
void pages_plan(struct bytes *out, const struct pages_plan *page, size_t columns, bool unfold);

#endif
