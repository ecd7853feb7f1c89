/* Findings about tables that are published, what their subscribers lack, and WAL that is kept for slots. */
#include "plan/plan_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "migrations/replicated.h"
#include "records/model.h"
#include "sql/sql.h"

/* The steps so far. */
static struct replicated_plan
plan_of(const struct plan_maker *m)
{
	return (struct replicated_plan){ &m->scan->rehearsed, m->scan->database.schema, m->out->steps, m->out->step_count,
		m->scan->has_database && !m->scan->database.has_history };
}

void
plan_find_published(struct plan_maker *m, const struct migration *script, const struct sql_script *split)
{
	const struct replicated_plan plan = plan_of(m);
	struct replicated found;
	size_t i;

	if (!plan.records->live_known || !m->scan->has_database)
		return;
	found = replicated_by_script(&plan, script->sql, split);
	for (i = 0; i < found.count; i++) {
		struct replicated_finding *f = &found.list[i];

		(void)plan_excusable(m, f->rule, script->migration, script->sql, split, f->statement, f->message, f->remedy);
		f->message = f->remedy = NULL; /* the finding has them */
	}
	replicated_free(&found);
}

void
plan_find_published_before(struct plan_maker *m)
{
	const struct replicated_plan plan = plan_of(m);
	struct replicated found = replicated_before(&plan);
	size_t i;

	for (i = 0; i < found.count; i++) {
		struct replicated_finding *f = &found.list[i];

		(void)plan_add_finding(m, f->rule, NULL, f->message, f->remedy);
		f->message = f->remedy = NULL;
	}
	replicated_free(&found);
}
