/* Marks: what `prisma migrate resolve` does, with its refusals. */
#include "plan/plan_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/mig.h"
#include "migrations/journal.h"
#include "records/words.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

static int
marked_already(const struct plan_maker *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->out->step_count; i++)
		if (strcmp(m->out->steps[i].migration, name) == 0) {
			(void)refusal_make(m->refusal, MIG_USAGE, "%s is marked twice", name);
			refusal_line(m->refusal, "  see mig-plan --help");
			return MIG_USAGE;
		}
	return 0;
}

/*
 * Of an unfinished migration: the non-transactional statement that had begun, behind the settings of its session, for
 * mig-apply to hold the mark against; or NULL.
 */
static const char *
begun_sql(struct plan_maker *m, const struct migration_status *s)
{
	const char *sql = s != NULL && s->script != NULL ? s->script->sql : NULL;
	const struct sql_statement *begun;
	struct session_behind behind = { 0 };
	struct sql_script split;
	struct bytes *text = NULL;
	struct journal journal;

	if (sql == NULL || s->row == NULL || s->row->finished_at != NULL || !journal_read(s->row->logs, &journal) ||
	    journal.moved)
		return NULL;
	split = sql_split(sql, strlen(sql));
	if ((begun = journal_begun(&journal, sql, &split)) != NULL)
		behind = session_behind(sql, &split, journal.next - 1);
	if (begun != NULL && !session_lost_before(&behind, journal.next - 1)) {
		text = plan_new_text(m);
		bytes_add(text, behind.settings.data, behind.settings.len);
		bytes_add(text, sql + begun->start, begun->end - begun->start);
	}
	session_behind_free(&behind);
	sql_script_free(&split);
	return text != NULL ? text->data : NULL;
}

int
plan_mark_applied(struct plan_maker *m, const char *option, const char *name)
{
	const struct migration_status *s = plan_status_named(m->status, name);
	struct step *step;
	size_t i;

	if (marked_already(m, name) != 0)
		return MIG_USAGE;
	if (s == NULL || s->script == NULL || s->script->checksum == NULL)
		return plan_no_such(m, option, name);
	for (i = 0; i < m->scan->history_count; i++) {
		const struct history_row *row = &m->scan->history[i];

		if (strcmp(row->migration, name) == 0 && row->finished_at != NULL) {
			(void)refusal_make(m->refusal, MIG_USAGE, "--%s %s: it is already recorded as applied (P3008)", option,
			    name);
			plan_refusal_scan(m, "  Nothing to do", NULL);
			return MIG_USAGE;
		}
	}
	step = plan_add_step(m, ACTION_MARK_APPLIED, name);
	step->checksum = s->script->checksum;
	step->begun_sql = begun_sql(m, s);
	return 0;
}

int
plan_mark_rolled_back(struct plan_maker *m, const char *name)
{
	bool any = false, unfinished = false;
	struct step *step;
	size_t i;

	if (marked_already(m, name) != 0)
		return MIG_USAGE;
	for (i = 0; i < m->scan->history_count; i++) {
		const struct history_row *row = &m->scan->history[i];

		if (strcmp(row->migration, name) != 0)
			continue;
		any = true;
		unfinished |= row->finished_at == NULL;
	}
	if (!any) {
		(void)refusal_make(m->refusal, MIG_USAGE, "--mark-rolled-back %s: it was never applied to this database (P3011)",
		    name);
		plan_refusal_name(m, "mark-rolled-back", name, strlen(name));
		plan_refusal_scan(m, "  All names", "-v");
		return MIG_USAGE;
	}
	if (!unfinished) {
		(void)refusal_make(m->refusal, MIG_USAGE, "--mark-rolled-back %s: it is not in a failed state (P3012)", name);
		refusal_line(m->refusal, "  To undo an applied migration, write a new one.");
		return MIG_USAGE;
	}
	step = plan_add_step(m, ACTION_MARK_ROLLED_BACK, name);
	step->begun_sql = begun_sql(m, plan_status_named(m->status, name));
	return 0;
}
