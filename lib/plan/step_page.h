/* A step on the page of mig-plan: its SQL, and below each statement what it does, what was found, and how to write it.  Pure. */
#ifndef MIG_PLAN_STEP_PAGE_H
#define MIG_PLAN_STEP_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "plan/plan.h"
#include "records/model.h"

/* The rules of the findings of each step that are more than notes: a bit for each, by its place in plan_rules. */
struct step_rules {
	unsigned long *of;            /* by step */
	bool *other;                  /* by finding: it is about no step */
};
struct step_rules step_rules(const struct planned *planned);
void step_rules_free(struct step_rules *rules);

/* Its number and name, how it runs, and its rules, on one line.  Names have `width` columns. */
void step_page_head(struct bytes *out, const struct step *step, unsigned long rules, size_t width);

/* How it runs: "2 statements, in one transaction". */
void step_page_runs(struct bytes *out, const struct step *step);

/* The rest.  SQL is cut to `columns` (0: never) and folded to some lines, unless `unfold`; what has a warning is shown. */
void step_page_body(struct bytes *out, const struct planned *planned, const struct step *step, size_t columns, bool unfold);

/* A finding in full: where it is, unless `place` is false, the remedy below it. */
void step_page_finding(struct bytes *out, const struct planned *planned, const struct finding *finding, bool place, size_t indent);

#endif
