/*
 * Deciding: the state of each migration → findings and steps.
 *
 * Pure: no file, no socket, no clock.  The same scan and the same options give the same plan.
 */
#ifndef MIG_PLAN_PLAN_H
#define MIG_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/refusal.h"
#include "base/shell_quote.h"
#include "migrations/status.h"
#include "records/model.h"
#include "records/record.h"
#include "records/words.h"

/* What the command line asks for.  Points into argv. */
struct plan_options {
	const char *to;              /* the last migration to apply, or NULL */
	bool from_empty;             /* as if nothing were recorded */
	const char *strict;          /* rules to make errors, with commas; "" is all; NULL none */
	const char *allow;           /* rules that are errors to let pass */
	const char *baseline;        /* mark all pending ones up to this, or NULL */
	const char **applied;        /* --mark-applied */
	size_t applied_count;
	const char **rolled_back;    /* --mark-rolled-back */
	size_t rolled_back_count;
	const char **resumes;        /* --resume NAME:STATEMENT */
	size_t resume_count;
};

struct planned {
	struct plan plan;
	const char *folder;          /* the migrations folder as the scan was given it; NULL: not known */
	struct finding *findings;
	size_t finding_count;
	struct step *steps;
	size_t step_count;
	size_t errors, warnings;     /* findings by severity */
	size_t statements;           /* of all steps */
	size_t still_pending;        /* not part of this plan */
	char history_digest[RECORD_DIGEST_HEX];
	struct refusal refusal;      /* why plan_make() did not make it */
	struct bytes *texts;         /* own the findings' messages and remedies */
	size_t text_count;
};

/* Whether all words of a list of rules (commas between them) are rules that may be moved; where not,
 * *word and *len say which is not. */
bool plan_rules_known(const char *list, const char **word, size_t *len);

/* The rules, which --help and mig-plan(1) list; ends with a NULL name. */
struct plan_rule {
	const char *name;
	enum severity severity;
	bool movable;  /* by --strict and --allow */
};
extern const struct plan_rule plan_rules[];

/*
 * Makes the plan of a scan.  Returns 0; or an exit code, with why in planned->refusal: MIG_USAGE (a name that is not
 * there, a mark that does not fit), MIG_DATA (a pending script that cannot be sent); or MIG_FAILED (findings that are
 * errors: the plan is then filled all the same, so that they can be shown).  plan_free() is due.
 */
int plan_make(const struct scan *scan, const struct status *status, const struct plan_options *options,
    struct planned *planned);
void plan_free(struct planned *planned);

/* Adds mig-apply, with the -d of a scan's words (base/shell_quote.h). */
void plan_apply_words(struct shell_words *words, const char *scan);

#endif
