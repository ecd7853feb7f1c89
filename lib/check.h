/*
 * Checks and their verdicts, with the codes of monitoring plugins (monitoring-plugins.org, "Development Guidelines"):
 * mig-check exits with the worst of them and with nothing else.
 */
#ifndef MIG_CHECK_H
#define MIG_CHECK_H

#include <stddef.h>

#include "bytes.h"
#include "model.h"
#include "record.h"

enum check_state { CHECK_OK = 0, CHECK_WARNING = 1, CHECK_CRITICAL = 2, CHECK_UNKNOWN = 3 };

struct check_outcome {
	const char *name;         /* "history" */
	enum check_state state;
	struct bytes message;     /* one line: "2 pending, 1 edited" */
	struct bytes details;     /* further lines, each with a word at its start; may be empty */
	long long took_ms;
};

/* "OK", "WARNING", ...; and in lower case, as records have it. */
const char *check_word(enum check_state state);
const char *check_status(enum check_state state);

/* The worse of two: CRITICAL, then UNKNOWN, WARNING, OK. */
enum check_state check_worse(enum check_state a, enum check_state b);

/* Raises the state of an outcome. */
void check_raise(struct check_outcome *outcome, enum check_state state);

/* What the `failed` record of another tool means here. */
void check_failed_upstream(struct check_outcome *outcome, const struct failure *failure);

/* A scan: does production have what the folder has? */
void check_history(struct check_outcome *outcome, struct reader *reader);

/* Results of mig-apply: was everything applied? */
void check_deploy(struct check_outcome *outcome, struct reader *reader);

/* A dry run of mig-seed: are tables as the seed files say? */
void check_seeds(struct check_outcome *outcome, struct reader *reader);

void check_free(struct check_outcome *outcome);

#endif
