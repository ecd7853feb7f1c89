/* Findings from a rehearsal with sizes: who would wait longer than is allowed. */
#include "plan/plan_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/null.h"
#include "plan/effects.h"
#include "plan/effects_text.h"
#include "plan/estimate.h"
#include "records/model.h"
#include "records/words.h"

static char *
message(const struct plan_maker *m, const struct effect *lock, struct estimate time)
{
	const struct load *load = estimate_load(&m->scan->rehearsed, lock->schema, lock->relation);
	struct bytes text = { 0 };
	char limit[CLOCK_SPAN];
	bool all = effects_waits(lock) == WAITS_ALL;

	bytes_str(&text, all ? "reads and writes of " : "writes of ");
	if (strcmp(lock->schema, "public") != 0)
		bytes_format(&text, "%s.", lock->schema);
	bytes_format(&text, "%s wait ", lock->relation);
	estimate_band(&text, time);
	if (load != NULL) {
		bytes_str(&text, " (");
		estimate_size(&text, load);
		bytes_char(&text, ')');
	}
	bytes_format(&text, "; " PLAN_WOULD_CANCEL " after %s", clock_span(m->options->max_stall_ms, limit));
	return text.data;
}

void
plan_find_stalls(struct plan_maker *m, const struct migration *script)
{
	struct effects_view view;
	size_t i;

	if (m->scan->rehearsed.load_count == 0)
		return;
	view = effects_view(&m->scan->rehearsed, script->migration, script->sql);
	for (i = 0; i < view.count; i++) {
		const struct effect *e = &view.list[i];
		long long longest;
		struct estimate time;

		/* REFRESH ... CONCURRENTLY has an ExclusiveLock, for which nobody waits who reads */
		if (e->effect != EFFECT_LOCK || e->detail != NULL || effects_waits(e) == WAITS_NOBODY || e->mode == LOCK_EXCLUSIVE ||
		    effects_is_covered(&view, e) || (e->made_by != NULL && !m->options->from_empty))
			continue;
		time = estimate_held(&view, e, &longest);
		if (estimate_middle(time) > m->options->max_stall_ms && (size_t)longest <= view.script.count)
			(void)plan_excusable(m, "stalls", script->migration, script->sql, &view.script, (size_t)longest - 1, message(m, e, time),
			    xstrdup(effects_remedy(&view, longest)));
	}
	effects_view_free(&view);
}
