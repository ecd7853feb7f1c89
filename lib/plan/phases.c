/* Which of the steps belong to the phase that --phase asks for. */
#include "plan/plan_internal.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "migrations/phase.h"
#include "records/json.h"
#include "sql/breaks.h"

/* Its script runs in this plan, or would without --phase. */
static bool
is_to_run(const struct migration_status *s)
{
	return s->script != NULL && (s->state == STATE_PENDING || s->state == STATE_LATE || s->state == STATE_RUNNING || s->state == STATE_FAILED);
}

/* The names in a list, for the plan's record. */
static const char *
list_of(struct plan_maker *m, const struct migration_status *from, const struct migration_status *end)
{
	const char **names = xcalloc(m->status->count + 1, sizeof *names);
	struct bytes *text = plan_new_text(m);
	size_t count = 0;

	for (; from < end; from++)
		if (is_to_run(from))
			names[count++] = from->migration;
	json_add_list(text, names, count);
	free(names);
	return text->data;
}

/* What comes before the contract phase has to be applied, and the code rolled out that no longer needs the old. */
static void
expand_first(struct plan_maker *m, const struct migration_status *first)
{
	struct bytes remedy = { 0 };

	plan_deploy_with(m, &remedy, "--phase", "expand", "first; then roll out the code that needs nothing of the old");
	plan_add_finding(m, "expand_first", first->migration, xstrdup("it comes before the contract phase, and is not applied yet"), remedy.data);
}

void
plan_find_phase(struct plan_maker *m, const struct migration_status *begin, const struct migration_status **end)
{
	const struct migration_status *s, *last = *end, *first = NULL, *contract = NULL;
	struct plan *plan = &m->out->plan;
	struct sql_made made = { 0 };
	struct bytes why = { 0 };

	plan->phase = m->options->phase;
	if (plan->phase == PHASE_NULL)
		return;
	for (s = begin; s < last && contract == NULL; s++) {
		if (!is_to_run(s))
			continue;
		if (phase_contracts(&m->scan->rehearsed, s->script, &made, &why))
			contract = s;
		else if (first == NULL)
			first = s;
	}
	sql_made_free(&made);
	if (contract == NULL)
		contract = last;
	if (contract < last)
		plan_add_finding(m, "contracts", contract->migration, xformat("begins the contract phase: %s", why.data), NULL);
	bytes_free(&why);
	plan->left = list_of(m, plan->phase == PHASE_EXPAND ? contract : last, last);
	if (plan->phase == PHASE_EXPAND)
		*end = contract;
	else if (first != NULL)
		expand_first(m, first);
}
