/*
 * What a script means for the subscribers of published tables, and for a published table itself.
 *
 * Pure.
 */
#ifndef MIG_MIGRATIONS_REPLICATED_H
#define MIG_MIGRATIONS_REPLICATED_H

#include <stdbool.h>
#include <stddef.h>

#include "records/model.h"
#include "sql/sql.h"

/* The rules of mig-plan(1) that the findings belong to. */
#define REPLICATED_NO_IDENTITY "no_identity"
#define REPLICATED_SUBSCRIBERS "subscribers"
#define REPLICATED_SLOTS       "slots"

struct replicated_finding {
	const char *rule;        /* one of the above */
	size_t statement;        /* from 0 */
	char *message, *remedy;  /* owned; remedy is never NULL */
};

struct replicated {
	struct replicated_finding *list;
	size_t count, cap;
};

/* What is known of the database, and the steps of a plan, whose names without a schema are in `schema`. */
struct replicated_plan {
	const struct rehearsal_records *records;
	const char *schema;
	const struct step *steps;
	size_t count;
	bool makes_history;      /* the table of the history is made by it */
};

/*
 * Of a script that runs behind the plan's steps.  At most one finding for a table, a column or an index in each statement.
 */
struct replicated replicated_by_script(const struct replicated_plan *plan, const char *sql, const struct sql_script *script);

/*
 * Of the database as it is, whatever runs: tables that take no UPDATE, unless a step repairs that; slots that keep too much WAL;
 * and of the history, if the plan makes it.  `statement` is 0.
 */
struct replicated replicated_before(const struct replicated_plan *plan);

void replicated_free(struct replicated *replicated);

#endif
