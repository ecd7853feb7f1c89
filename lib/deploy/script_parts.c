/* Sends statements of a script, a large one in parts. */
#include "deploy/step_exec_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/signals.h"
#include "deploy/stall.h"
#include "migrations/progress.h"
#include "sql/sql.h"

static void
forget_statements(struct step_exec *g)
{
	size_t count = g->script.count;

	sql_script_free(&g->script);
	g->script.count = count;
}

/* --- sending parts of the script --- */

/* Statements that go as one message. */
struct part {
	size_t first, count;
	size_t start, end;   /* in the script */
};

static enum db_outcome
run_part(struct step_exec *g, const struct part *part)
{
	struct bytes text = { 0 };
	enum db_outcome outcome;

	g->in_script = true;
	g->end.own_row = false;
	g->first = part->first;
	g->running = part->count;
	g->ended = 0;
	g->offset = part->start;
	g->run_ms = clock_now_ms();
	progress_restart(g->shared->progress);
	bytes_add(&text, g->step->sql + part->start, part->end - part->start);
	outcome = step_exec_check_answers(g, db_run(g->shared->db, text.data, &g->ended), part->count);
	bytes_free(&text);
	return outcome;
}

/*
 * A message is parsed whole before its first statement runs, so a large one costs the server many times its size, and
 * us two copies in libpq.  In parts of 64 KiB, 100 MB of INSERTs take three quarters of the time.  All of them are in one
 * transaction, and one message is what authors have tested, so only scripts that are large are sent so.
 */
enum { PART_FROM = 1 << 20, PART_BYTES = 1 << 16, PART_MAX = 1 << 24 };

/*
 * The size of a part.  Between two parts there is a round trip, so the size doubles as long as a part of double
 * size takes less than twice the time.  While a part runs we keep our locks and cannot be cancelled, so a part may
 * only take a fraction of --max-stall.
 */
struct pace {
	size_t most;
	long long half_us; /* what a part of half the size took; 0: none was sent */
	bool final;
};

static void
pace_after(struct pace *p, long long took_us, long long max_stall_ms)
{
	if (took_us > max_stall_ms * 500 && p->most > PART_BYTES) {
		p->most /= 2;
		p->final = true;
	} else if (!p->final && p->most < PART_MAX && took_us < max_stall_ms * 250 &&
	    (p->half_us == 0 || took_us * 10 < p->half_us * 17)) {
		p->half_us = took_us;
		p->most *= 2;
	} else {
		p->final = true;
	}
}

/* Cuts count statements into parts; the caller frees them. */
static size_t
make_parts(struct step_exec *g, size_t first, size_t count, struct part **parts)
{
	size_t n = 0, cap = 0, i, start, end, most;

	(void)step_exec_statements(g);
	segment_bytes(&g->script, first, count, &start, &end);
	most = end - start > PART_FROM ? PART_BYTES : end - start;
	*parts = NULL;
	for (i = first; i < first + count; i++) {
		struct part *last = n > 0 ? &(*parts)[n - 1] : NULL;

		segment_bytes(&g->script, i, 1, &start, &end);
		if (last == NULL || end - last->start > most) {
			ARRAY_ROOM(*parts, n, cap);
			last = &(*parts)[n++];
			*last = (struct part){ .first = i, .start = start };
		}
		last->count++;
		last->end = end;
	}
	return n;
}

enum db_outcome
step_exec_run(struct step_exec *g, size_t first, size_t count)
{
	enum db_outcome outcome = DB_OK;
	struct pace pace = { .most = PART_BYTES };
	size_t n, i, more;
	struct part *parts;

	if (count == 0)
		return DB_OK;
	n = make_parts(g, first, count, &parts);
	if (first == 0 && count == g->script.count)
		forget_statements(g);
	for (i = 0; i < n && outcome == DB_OK; i = more) {
		long long began = clock_now_us();

		for (more = i + 1; more < n && parts[more].end - parts[i].start <= pace.most; more++) {
			parts[i].count += parts[more].count;
			parts[i].end = parts[more].end;
		}
		outcome = run_part(g, &parts[i]);
		pace_after(&pace, clock_now_us() - began, g->shared->stall.max_stall_ms);
		/* a cancel that arrived before the next part had no effect; sent again, it takes effect here */
		if (outcome == DB_OK && more < n && (g->shared->stall.verdict != STALL_FINE || signals_caught() != 0))
			outcome = db_run(g->shared->db, "SELECT pg_catalog.pg_sleep(60)", NULL);
	}
	free(parts);
	return outcome;
}
