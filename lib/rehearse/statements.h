/*
 * The statements that production runs, as its statistics have them (pg_stat_statements): parsed in the scratch database before
 * the pending scripts and after each, which says what the running release can no longer ask.
 *
 * Only SELECT, INSERT, UPDATE, DELETE and MERGE, and none of their values (sql/literals.h).  Parsing finds names and types; it
 * does not find a row that a new rule refuses.
 */
#ifndef MIG_REHEARSE_STATEMENTS_H
#define MIG_REHEARSE_STATEMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "postgres/connection.h"
#include "rehearse/effects.h"

struct statement {
	const char *text;         /* to be parsed */
	long long calls;          /* since the counters began */
	bool gone;                /* it does not parse before the scripts, or an earlier one broke it */
	bool breaks;              /* it does not parse at this moment of a script, and did before: */
	size_t since;             /* after this statement of it, from 0 */
	char sqlstate[6];
};

struct statements {
	struct statement *list;   /* the most called ones first */
	size_t count;
	size_t untried;           /* of them, those that did not parse before the scripts */
	long long counted_ms;     /* since when calls are counted; NUMBER_UNKNOWN: the server does not know */
	struct arena texts;
};

/* Reads them from production.  Returns 0, or an exit code, said: MIG_CONFIG without the extension, MIG_DENIED without the right. */
int statements_take(struct db *production, struct statements *statements);
void statements_free(struct statements *statements);

/* Leaves out what does not parse before the first script. */
enum db_outcome statements_begin(struct statements *statements, struct db *scratch);

/*
 * Behind statement `at` (from 0) of a script, in its transaction or outside: notes which no longer parse.  Only those are tried that
 * mention a relation which is dropped, renamed or retyped in `differences` since this statement, or all where the server's tag tells
 * of something else that others name; that is what makes the place of a fault known in time.
 */
enum db_outcome statements_note(struct statements *statements, struct db *scratch, size_t at, const char *tag,
    const struct effects *differences);

/* What was noted behind statement `first` or a later one counts no more: the transaction runs again, or the script failed. */
void statements_forget(struct statements *statements, size_t first);

/*
 * The script has ended: tries all, and adds an effect for each that does not parse and did before the script.  Its `statement`
 * is that behind which it was noted, from 0; `last` where it was not.
 */
enum db_outcome statements_settle(struct statements *statements, struct db *scratch, size_t last, struct effects *effects,
    struct arena *arena);

#endif
