/*
 * Shared by the files that make a plan (plan/plan.h); private to them.
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

/* Where an interrupted migration resumes. */
struct plan_resume {
	const char *row_id;
	size_t at;        /* statement, from 1 */
	bool begun;       /* it had started */
	bool told;        /* set by --resume */
};

/* --- plan.c --- */

struct step *plan_add_step(struct plan_maker *m, enum step_action action, const char *migration);
int plan_add_apply(struct plan_maker *m, const struct migration *script, const struct plan_resume *resume);
const struct migration_status *plan_status_named(const struct status *status, const char *name);
int plan_no_such(const struct plan_maker *m, const char *option, const char *name);
/* Adds a line to the refusal of a name that is not known, which has len bytes: the one that was probably meant. */
void plan_refusal_name(const struct plan_maker *m, const char *option, const char *name, size_t len);
/* Adds a line to the refusal: the text, and the scan command to type, with `option` added (NULL: none). */
void plan_refusal_scan(const struct plan_maker *m, const char *text, const char *option);

/* The word of a script's transactions in a step. */
enum step_transaction plan_transaction(const struct sql_script *script);

/* --- revert.c --- */

/* --down-to: steps that take back. */
int plan_add_reverts(struct plan_maker *m);

/* --- findings.c --- */

/* Whether --allow names the rule. */
bool plan_allows(const struct plan_maker *m, const char *rule);
/* What makes a script fail, or leave something else than it says, whatever there is: errors all. */
void plan_find_faults(struct plan_maker *m, const struct migration *script, const struct sql_script *split);

/* Turns a finding into a note: it is known, and decided. */
void plan_excuse(struct plan_maker *m, struct finding *f);
/* A text that lives as long as the plan; the caller fills it immediately. */
struct bytes *plan_new_text(struct plan_maker *m);
/* Takes ownership of message and remedy; remedy may be NULL. */
struct finding *plan_add_finding(struct plan_maker *m, const char *name, const char *migration, char *message,
    char *remedy);
/* The same for statement `at` (from 0) of a script, at whose place it is; a note with the reason where the script allows it. */
struct finding *plan_excusable(struct plan_maker *m, const char *rule, const char *migration, const char *sql,
    const struct sql_script *script, size_t at, char *message, char *remedy);
void plan_find_in_history(struct plan_maker *m, const struct migration_status *s);
void plan_find_in_script(struct plan_maker *m, const struct migration *script, const struct sql_script *split);

/* --- measured.c --- */

/* What a pending script did in a rehearsal, and where that was another database than this one. */
void plan_find_measured(struct plan_maker *m, const struct migration *script);
void plan_find_differences(struct plan_maker *m);
/* Whether it is known by measure what this statement (from 1) destroys. */
bool plan_loss_is_measured(const struct plan_maker *m, const char *migration, long long statement);

/* What a message of the finding breaks says before it names the statements. */
#define PLAN_REFUSED "from then on"

/* --- phases.c --- */

/*
 * --phase: of the migrations from *begin to *end, sets *end to where those of the phase end, and fills the plan's head.  Adds
 * findings: what begins the contract phase, and what is to be applied before it.
 */
void plan_find_phase(struct plan_maker *m, const struct migration_status *begin, const struct migration_status **end);

/* --- proof.c --- */

/* What a step drops; its column, or NULL.  schema NULL: not known. */
struct plan_dropped {
	const char *schema, *relation, *column;
};

/* Of an object as it is written in a script; `names` owns the texts. */
struct plan_dropped plan_dropped_words(struct bytes *names, const char *object, bool column);

/*
 * Whether it is proven that it is not used, which is added to the message.  If not, adds to the message why a proof is not taken, and
 * to the remedy the command that tells it.
 */
bool plan_is_unused(struct plan_maker *m, const struct plan_dropped *dropped, struct bytes *message, struct bytes *remedy);

/* Whether it is proven that it is used: then the message of the finding `used`. */
bool plan_is_used(struct plan_maker *m, const struct plan_dropped *dropped, struct bytes *message);

/* --- stalls.c --- */

/* What a message of the finding ends with; before it stands who would wait. */
#define PLAN_WOULD_CANCEL "mig-apply would cancel it"

void plan_find_stalls(struct plan_maker *m, const struct migration *script);

/* --- waits.c --- */

/* Who has a lock now that a statement of the script will wait for, and will hardly let go in time. */
void plan_find_waits(struct plan_maker *m, const struct migration *script);

/* --- published.c --- */

/* What a script means for subscribers; and what is wrong with published tables and slots, whatever runs. */
void plan_find_published(struct plan_maker *m, const struct migration *script, const struct sql_script *split);
void plan_find_published_before(struct plan_maker *m);

/* --- baseline.c --- */

/* Whether it was compared, and found equal, that the database has what the migrations up to this one make. */
void plan_find_baseline(struct plan_maker *m, const char *last);

/* --- marks.c --- */

int plan_mark_applied(struct plan_maker *m, const char *option, const char *name);
int plan_mark_rolled_back(struct plan_maker *m, const char *name);

/* --- resume.c --- */

/* Adds a line with the commands that deploy with this option of mig-plan, and what the option states. */
void plan_deploy_with(const struct plan_maker *m, struct bytes *out, const char *option, const char *value,
    const char *meaning);
/* Handles a row that is neither finished nor rolled back. */
int plan_add_resume(struct plan_maker *m, const struct migration_status *s);
int plan_check_resumes(const struct plan_maker *m);

#endif
