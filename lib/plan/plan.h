/*
 * Makes a plan: turns the state of each migration into findings and steps.
 *
 * Pure: no file, no socket, no clock.  The same scan and options always give the same plan.
 */
#ifndef MIG_PLAN_PLAN_H
#define MIG_PLAN_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/refusal.h"
#include "base/shell_quote.h"
#include "migrations/history.h"
#include "migrations/status.h"
#include "records/model.h"
#include "records/record.h"
#include "records/words.h"

/* The options of the command line.  Points into argv. */
struct plan_options {
	const char *to;              /* the last migration to apply, or NULL */
	const char *down_to;         /* take back what is applied behind this one, or NULL */
	bool from_empty;             /* ignore the history, as if nothing were applied */
	const char *strict;          /* rules to treat as errors, comma-separated; "" is all; NULL none */
	const char *allow;           /* rules that are errors and shall not stop the plan */
	const char *max_stall;       /* --max-stall as given, or NULL */
	long long max_stall_ms;      /* how long others may wait, as mig-apply has it */
	const char *baseline;        /* mark all pending ones up to this as applied, or NULL */
	const char **applied;        /* --mark-applied */
	size_t applied_count;
	const char **rolled_back;    /* --mark-rolled-back */
	size_t rolled_back_count;
	const char **resumes;        /* --resume NAME:STATEMENT */
	size_t resume_count;
	enum phase phase;            /* --phase */
	const struct plan_proof *proofs; /* what the files of --proof have */
	size_t proof_count;
	long long proof_age_ms;      /* how old they may be */
};

/* Whether a table or a column is still used, by mig-check. */
struct plan_proof {
	struct used used;
	long long age_ms;            /* since it was checked; -1: not known */
	const char *file;            /* that has it */
};

struct planned {
	struct plan plan;
	const char *folder;          /* the migrations folder as given to the scan; NULL: unknown */
	struct rehearsal_records rehearsed; /* as far as it is about the steps */
	struct finding *findings;
	size_t finding_count;
	struct step *steps;
	size_t step_count;
	size_t errors, warnings;     /* findings by severity */
	size_t statements;           /* of all steps */
	size_t still_pending;        /* not part of this plan */
	char history_digest[RECORD_DIGEST_HEX];
	char history_sha256[HISTORY_SHA256];
	char steps_digest[RECORD_DIGEST_HEX]; /* steps_digest(), in plan too */
	struct refusal refusal;      /* why plan_make() refused */
	struct bytes *texts;         /* owns the findings' messages and remedies */
	size_t text_count;
};

/*
 * Whether all rules in a comma-separated list are known and movable; if not, *word and *len give the first that is
 * not.
 */
bool plan_rules_known(const char *list, const char **word, size_t *len);

/* The rules listed by --help and mig-plan(1); ends with a NULL name. */
struct plan_rule {
	const char *name;
	enum severity severity;
	bool movable;  /* --strict and --allow may change its severity */
};
extern const struct plan_rule plan_rules[];

/*
 * Makes the plan of a scan.  Returns 0, or an exit code with the reason in planned->refusal: MIG_USAGE (an unknown
 * name, a mark that does not fit), MIG_DATA (a pending script that cannot be sent), MIG_FAILED (findings that are
 * errors; the plan is filled nevertheless, so that they can be shown).  Call plan_free() in every case.
 */
int plan_make(const struct scan *scan, const struct status *status, const struct plan_options *options,
    struct planned *planned);
void plan_free(struct planned *planned);

/* Which file of a migration's folder the plan is about: a plan takes back, or it does not. */
const char *planned_file(const struct planned *planned);

/* Appends a program, or mig-apply, with the -d option of the scan's command (base/shell_quote.h). */
void plan_words(struct shell_words *words, const char *program, const char *scan);
void plan_apply_words(struct shell_words *words, const char *scan);

#endif
