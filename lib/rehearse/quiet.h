/*
 * Runs scripts in a scratch database without a word: how one ended is for the caller to tell.
 */
#ifndef MIG_REHEARSE_QUIET_H
#define MIG_REHEARSE_QUIET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "records/model.h"
#include "scratch/scratch.h"
#include "sql/sql.h"

struct quiet {
	const char *folder;        /* for messages about the server; NULL: not known */
	long long limit_ms;        /* for one statement */
	/* of the last call: */
	bool failed;               /* a script did not run to its end: */
	const struct step *step;   /* this one, */
	size_t statement;          /* in this statement, from 1, */
	struct sql_place place;
	struct bytes why;          /* "42P01 relation ... does not exist" */
	/* private: */
	struct scratch *scratch;
	const struct sql_script *script;
	bool too_long;
};

/* Runs them until one fails.  Returns 0, also then; or an exit code with the error reported.  The caller frees `why` in the end. */
int quiet_run(struct quiet *quiet, struct scratch *scratch, const struct step *steps, size_t count);

#endif
