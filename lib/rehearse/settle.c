/* The end of a script: what its statements were seen to do goes out. */
#include "rehearse/measure.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "records/words.h"
#include "rehearse/effects.h"
#include "rehearse/look.h"
#include "rehearse/statements.h"

void
measure_free_seen(struct measure *m)
{
	size_t i;

	for (i = 0; i < m->seen_count; i++)
		effects_free(&m->seen[i].effects);
	free(m->seen);
	m->seen = NULL;
	m->seen_count = 0;
}

static void
add_to(struct measure *m, const struct effect *e)
{
	struct effects *of = &m->seen[e->statement].effects;

	ARRAY_ROOM(of->list, of->count, of->cap);
	of->list[of->count++] = *e;
}

/* What is so at the end began with the first statement since which it is so without a break. */
static void
add_settled(struct measure *m)
{
	size_t i;

	for (i = 0; i < m->differences.count; i++)
		add_to(m, &m->differences.list[i]);
}

/* And so with production's statements. */
static enum db_outcome
add_refused(struct measure *m)
{
	struct effects refused = { 0 };
	enum db_outcome outcome = DB_OK;
	size_t i;

	if (m->statements != NULL && m->seen_count > 0)
		outcome = statements_settle(m->statements, m->runs, m->seen_count - 1, &refused, &m->script_texts);
	for (i = 0; i < refused.count; i++)
		add_to(m, &refused.list[i]);
	effects_free(&refused);
	return outcome;
}

/* The effects of a script go out, with texts that stay. */
static void
give(struct measure *m)
{
	struct effects all = { 0 };
	size_t i, k;

	for (i = 0; i < m->seen_count; i++)
		for (k = 0; k < m->seen[i].effects.count; k++) {
			struct effect e = m->seen[i].effects.list[k];

			e.migration = m->step->migration;
			e.statement = (long long)i + 1;
			if (e.effect != EFFECT_ERROR)
				e.line = m->seen[i].line;
			e.schema = arena_copy(m->texts, e.schema);
			e.relation = arena_copy(m->texts, e.relation);
			e.detail = arena_copy(m->texts, e.detail);
			ARRAY_ROOM(all.list, all.count, all.cap);
			all.list[all.count++] = e;
		}
	effects_sort(&all);
	for (i = 0; i < all.count; i++) {
		ARRAY_ROOM(m->out->list, m->out->count, m->out->cap);
		m->out->list[m->out->count++] = all.list[i];
	}
	effects_free(&all);
}

enum db_outcome
measure_settle(struct measure *m, bool well)
{
	struct arena texts = { 0 };
	struct look after;
	enum db_outcome outcome = DB_OK;

	if (well) {
		add_settled(m);
		outcome = add_refused(m);
	} else if (m->statements != NULL) {
		statements_forget(m->statements, 0);
	}
	give(m);
	measure_free_seen(m);
	arena_free(&m->script_texts);
	if (outcome == DB_OK)
		outcome = look_all(m->observes, LOOK_TRANSACTION, &texts, &after);
	if (outcome == DB_OK) {
		made_add(&m->made, &m->before, &after, m->step->migration);
		look_free(&m->before);
		arena_free(&m->before_texts);
		m->before = after;
		m->before_texts = texts;
	}
	return outcome;
}
