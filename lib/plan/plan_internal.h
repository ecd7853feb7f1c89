/*
 * Shared by the files that make a plan (plan/plan.h); nobody else includes it.
 */
#ifndef MIG_PLAN_PLAN_INTERNAL_H
#define MIG_PLAN_PLAN_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "migrations/status.h"
#include "plan/plan.h"
#include "records/model.h"
#include "records/words.h"
#include "sql/sql.h"

struct plan_maker {
	const struct scan *scan;
	const struct status *status;
	const struct plan_options *options;
	struct planned *out;
	struct refusal *refusal;  /* of `out` */
	size_t finding_cap, step_cap, text_cap;
};

/* Where an unfinished migration goes on. */
struct plan_resume {
	const char *row_id;
	size_t at;        /* statement, from 1 */
	bool begun;       /* it had begun */
	bool told;        /* --resume said so */
};

/* --- plan.c --- */

struct step *plan_add_step(struct plan_maker *m, enum step_action action, const char *migration);
int plan_add_apply(struct plan_maker *m, const struct migration *script, const struct plan_resume *resume);
const struct migration_status *plan_status_named(const struct status *status, const char *name);
int plan_no_such(const struct plan_maker *m, const char *option, const char *name);
/* A line of the refusal: the text, and the scan to type; `option` is added to it, NULL: none. */
void plan_refusal_scan(const struct plan_maker *m, const char *text, const char *option);

/* --- findings.c --- */

/* A text that lives as long as the plan; the caller fills it at once. */
struct bytes *plan_new_text(struct plan_maker *m);
/* Takes over message and remedy; remedy may be NULL. */
struct finding *plan_add_finding(struct plan_maker *m, const char *name, const char *migration, char *message,
    char *remedy);
void plan_find_in_history(struct plan_maker *m, const struct migration_status *s);
void plan_find_in_script(struct plan_maker *m, const struct migration *script, const struct sql_script *split);

/* --- marks.c --- */

int plan_mark_applied(struct plan_maker *m, const char *option, const char *name);
int plan_mark_rolled_back(struct plan_maker *m, const char *name);

/* --- resume.c --- */

/* A line with the commands that deploy with this option of mig-plan, and what it says. */
void plan_deploy_with(const struct plan_maker *m, struct bytes *out, const char *option, const char *value,
    const char *meaning);
/* A row that is neither finished nor rolled back. */
int plan_add_resume(struct plan_maker *m, const struct migration_status *s);
int plan_check_resumes(const struct plan_maker *m);

#endif
