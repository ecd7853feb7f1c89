/* Findings from a rehearsal with a look at production: who has a lock that a statement will wait for, and will hardly let go. */
#include "plan/plan_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "base/page.h"
#include "plan/effects.h"
#include "records/model.h"
#include "records/words.h"
#include "sql/sql.h"

/* Half of what mig-apply waits by itself: what has lasted so long may well last as long again. */
enum { LASTS_MS = 300000 };

/* It will not have ended by the time that mig-apply gives up, as far as can be told. */
static bool
lasts(const struct activity *a)
{
	switch (a->activity) {
	case ACTIVITY_PREPARED:
		return true;
	case ACTIVITY_AUTOVACUUM:
		return a->wraparound; /* any other is cancelled by who waits for it */
	case ACTIVITY_TRANSACTION:
		return a->age_ms != NUMBER_UNKNOWN && a->age_ms >= LASTS_MS;
	case ACTIVITY_BACKUP:
	case ACTIVITY_STANDBY:
		break;
	}
	return false;
}

/* A statement that builds an index CONCURRENTLY, or the like, waits for every older transaction of the database. */
static bool
waits_for_all(const struct effects_view *view, long long statement)
{
	const struct sql_statement *s;

	if (statement > (long long)view->script.count)
		return false;
	s = &view->script.statements[statement - 1];
	return s->kind == SQL_ALONE && sql_mentions(view->sql + s->start, s->end - s->start, "concurrently");
}

static bool
is_waited_for(const struct activity *a, const struct effects_view *view, const struct effect *e)
{
	if (e->effect != EFFECT_LOCK || e->detail != NULL)
		return false;
	if (a->relation == NULL)
		return a->activity == ACTIVITY_TRANSACTION && waits_for_all(view, e->statement);
	return strcmp(a->relation, e->relation) == 0 && strcmp(a->schema, e->schema) == 0 && lock_modes_conflict(a->mode, e->mode);
}

static char *
remedy(const struct activity *a)
{
	struct bytes text = { 0 };

	if (a->activity == ACTIVITY_AUTOVACUUM)
		return xstrdup("deploy when it has ended: it gives way to nobody");
	if (a->activity == ACTIVITY_TRANSACTION)
		return xformat("wait until pid %lld has finished, or end it in psql:  select pg_terminate_backend(%lld);", a->pid, a->pid);
	bytes_str(&text, "end it in psql:  ROLLBACK PREPARED ");
	bytes_sql_text(&text, a->gid != NULL ? a->gid : "");
	bytes_str(&text, ";    (or COMMIT PREPARED)");
	return text.data;
}

static char *
message(const struct activity *a, const struct effect *e)
{
	struct page_session session = activity_session(a);
	struct bytes text = { 0 };

	if (a->relation == NULL)
		bytes_str(&text, "CONCURRENTLY waits for every older transaction, and there is ");
	else
		bytes_format(&text, "the lock on %s%s%s waits for ", strcmp(e->schema, "public") == 0 ? "" : e->schema,
		    strcmp(e->schema, "public") == 0 ? "" : ".", e->relation);
	page_session(&text, &session);
	if (a->activity == ACTIVITY_AUTOVACUUM)
		bytes_str(&text, " to prevent wraparound");
	if (a->waiting)
		bytes_str(&text, ", which waits for it itself");
	return text.data;
}

static bool
is_same_holder(const struct activity *a, const struct activity *b)
{
	if (a->activity != b->activity || (a->gid == NULL) != (b->gid == NULL))
		return false;
	return a->gid != NULL ? strcmp(a->gid, b->gid) == 0 : a->pid == b->pid;
}

/* It may hold several relations: one finding a migration and holder. */
static bool
is_first(const struct rehearsal_records *r, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (is_same_holder(&r->activities[i], &r->activities[at]))
			return false;
	return true;
}

/* The first statement that waits for this holder, with any of its locks. */
static const struct effect *
first_wait(const struct rehearsal_records *r, const struct activity *holder, const struct effects_view *view, const struct activity **which)
{
	size_t i, k;

	for (i = 0; i < view->count; i++)
		for (k = 0; k < r->activity_count; k++)
			if (is_same_holder(&r->activities[k], holder) && is_waited_for(&r->activities[k], view, &view->list[i])) {
				*which = &r->activities[k];
				return &view->list[i];
			}
	return NULL;
}

void
plan_find_waits(struct plan_maker *m, const struct migration *script)
{
	const struct rehearsal_records *r = &m->scan->rehearsed;
	struct effects_view view;
	size_t i;

	if (r->activity_count == 0)
		return;
	view = effects_view(r, script->migration, script->sql);
	for (i = 0; i < r->activity_count; i++) {
		const struct activity *which;
		const struct effect *e;

		if (!lasts(&r->activities[i]) || !is_first(r, i) || (e = first_wait(r, &r->activities[i], &view, &which)) == NULL)
			continue;
		if ((size_t)e->statement <= view.script.count)
			(void)plan_excusable(m, "waits", script->migration, script->sql, &view.script, (size_t)e->statement - 1, message(which, e),
			    remedy(which));
	}
	effects_view_free(&view);
}
