#include "plan/effects.h"

#include <string.h>

#include "sql/segments.h"

struct effects_view
effects_view(const struct rehearsal_records *rehearsed, const char *migration, const char *sql)
{
	struct effects_view view = { .rehearsed = rehearsed, .sql = sql };
	size_t from = 0, to;

	while (from < rehearsed->count && strcmp(rehearsed->effects[from].migration, migration) != 0)
		from++;
	for (to = from; to < rehearsed->count && strcmp(rehearsed->effects[to].migration, migration) == 0; to++)
		;
	view.list = to > from ? &rehearsed->effects[from] : NULL;
	view.count = to - from;
	if (view.count > 0 && view.list[view.count - 1].effect == EFFECT_DOWN)
		view.down = &view.list[--view.count];
	if (sql != NULL) {
		view.script = sql_split(sql, strlen(sql));
		view.segments = segments_of(sql, &view.script);
	}
	return view;
}

void
effects_view_free(struct effects_view *view)
{
	segments_free(&view->segments);
	sql_script_free(&view->script);
}

enum effects_waits
effects_waits(const struct effect *lock)
{
	switch (lock->mode) {
	case LOCK_ACCESS_EXCLUSIVE:
		return WAITS_ALL;
	case LOCK_SHARE:
	case LOCK_SHARE_ROW_EXCLUSIVE:
	case LOCK_EXCLUSIVE:
		return WAITS_WRITERS;
	case LOCK_NULL:
	case LOCK_ACCESS_SHARE:
	case LOCK_ROW_SHARE:
	case LOCK_ROW_EXCLUSIVE:
	case LOCK_SHARE_UPDATE_EXCLUSIVE:
		break;
	}
	return WAITS_NOBODY;
}

bool
effects_is_work(const struct effect *e)
{
	return e->effect == EFFECT_SCAN || e->effect == EFFECT_REWRITE || e->effect == EFFECT_BUILD || e->effect == EFFECT_MOVE;
}

bool
effects_is_noticed(const struct effect *e)
{
	switch (e->effect) {
	case EFFECT_EMPTY:
	case EFFECT_DROP:
	case EFFECT_RENAME:
	case EFFECT_RETYPE:
	case EFFECT_REQUIRE:
	case EFFECT_RESTRICT:
		return true;
	case EFFECT_LOCK:
	case EFFECT_SCAN:
	case EFFECT_REWRITE:
	case EFFECT_BUILD:
	case EFFECT_MOVE:
	case EFFECT_ROWS:
	case EFFECT_REFUSE:
	case EFFECT_ERROR:
	case EFFECT_DOWN:
		break;
	}
	return false;
}

/* The last statement of the transaction that this one is in. */
static long long
transaction_end(const struct effects_view *view, long long statement)
{
	size_t i;

	for (i = 0; i < view->segments.count; i++) {
		const struct segment *s = &view->segments.list[i];

		if (statement > (long long)s->first && statement <= (long long)(s->first + s->count))
			return (long long)(s->first + s->count);
	}
	return statement;
}

long long
effects_last_work(const struct effects_view *view, long long statement)
{
	long long end = transaction_end(view, statement), last = 0;
	size_t i;

	for (i = 0; i < view->count; i++)
		if (view->list[i].statement >= statement && view->list[i].statement <= end && effects_is_work(&view->list[i]))
			last = view->list[i].statement;
	return last;
}

/* A lock on the same relation that is still held then. */
static bool
is_held_for(const struct effects_view *view, const struct effect *lock, const struct effect *later)
{
	return lock->effect == EFFECT_LOCK && lock->detail == NULL && strcmp(lock->schema, later->schema) == 0 &&
	    strcmp(lock->relation, later->relation) == 0 && transaction_end(view, lock->statement) >= later->statement;
}

long long
effects_held_since(const struct effects_view *view, const struct effect *work)
{
	long long since = work->line;
	size_t i;

	for (i = 0; i < view->count && view->list[i].statement <= work->statement; i++) {
		const struct effect *e = &view->list[i];

		if (is_held_for(view, e, work) && e->mode == work->mode)
			return e->line;
	}
	return since;
}

bool
effects_is_covered(const struct effects_view *view, const struct effect *lock)
{
	size_t i;

	for (i = 0; i < view->count && view->list[i].statement < lock->statement; i++)
		if (is_held_for(view, &view->list[i], lock) && view->list[i].mode > lock->mode)
			return true;
	return false;
}
