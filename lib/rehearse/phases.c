/*
 * Statements that commit by themselves: CREATE INDEX CONCURRENTLY, VACUUM, ...  Their locks come and go before anybody could
 * look.  So two other sessions lock every table in turn: at each phase the statement has to wait for one of them, and is
 * looked at.
 */
#include "rehearse/measure.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/signals.h"
#include "postgres/connection.h"
#include "rehearse/held.h"
#include "rehearse/look.h"
#include "sql/sql.h"

enum { PHASES = 8, PHASES_MS = 10000 };

/*
 * Locks what can be had of the tables that were there, in a transaction that stays open.  VACUUM does not conflict with who
 * writes.
 */
static void
freeze(struct measure *m, struct db *db)
{
	struct bytes sql = { 0 };
	size_t i, n = 0;

	if (!db_run_best_effort(db, "BEGIN"))
		return;
	bytes_str(&sql, "DO $mig$ DECLARE r record; BEGIN FOR r IN SELECT n.nspname, c.relname FROM pg_class c "
	                "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ('{");
	for (i = 0; i < m->before.relation_count; i++)
		if (m->before.relations[i].kind == 'r' || m->before.relations[i].kind == 'p')
			bytes_format(&sql, "%s%lld", n++ > 0 ? "," : "", m->before.relations[i].oid);
	bytes_format(&sql, "}'::oid[]) LOOP BEGIN EXECUTE format('LOCK TABLE ONLY %%I.%%I IN %s MODE NOWAIT', r.nspname, r.relname); "
	                   "EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $mig$",
	    m->vacuum ? "SHARE UPDATE EXCLUSIVE" : "ROW EXCLUSIVE");
	(void)db_query_ours(db, NULL, sql.data, 0, NULL);
	bytes_free(&sql);
}

/* It waits for the one that freezes: what it has and wants is noted, and it goes on to where the other one holds it. */
static void
next_phase(struct measure *m, size_t phase)
{
	struct db *holds = m->freezes[phase % 2], *next = m->freezes[(phase + 1) % 2];

	if (phase + 1 < PHASES && !m->vacuum)
		freeze(m, next);
	(void)db_rollback(holds);
}

static bool
is_over(struct measure *m)
{
	char number[16];
	const char *const parameters[] = { number };
	struct answer *answer;
	bool over;

	snprintf(number, sizeof number, "%d", db_backend_pid(m->runs));
	if (db_query_ours(m->observes, &answer, "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $1::int4", 1, parameters) !=
	    DB_OK)
		return true;
	over = !answer_flag(answer, 0, 0);
	answer_free(answer);
	return over;
}

/* From the first tick on, by which time the statement is over or waits. */
static void
step_through(void *context, long long ms)
{
	struct measure *m = context;
	long long until = clock_now_ms() + PHASES_MS;
	size_t phase = 0;

	if (!m->stepping) {
		measure_tick(m, ms);
		return;
	}
	while (phase < PHASES && clock_now_ms() < until && signals_caught() == 0) {
		bool waits;

		if (held_add(m->observes, db_backend_pid(m->runs), &m->stepped, &waits) != DB_OK)
			break;
		if (waits)
			next_phase(m, phase++);
		else if (is_over(m))
			break;
		else
			clock_sleep_ms(1);
	}
	(void)db_rollback(m->freezes[0]);
	(void)db_rollback(m->freezes[1]);
	m->stepping = false;
}

enum db_outcome
phases_run(struct measure *m, size_t at)
{
	const struct sql_statement *s = &m->script->statements[at];
	struct db_hooks hooks = { step_through, NULL, m };
	char *text = xstrndup(m->step->sql + s->start, s->end - s->start), word[16];
	struct arena old_texts = { 0 }, new_texts = { 0 };
	struct look old, new;
	struct held none = { 0 };
	enum db_outcome outcome = measure_flush(m);
	size_t done = 0;

	sql_words(m->step->sql, s, word, sizeof word);
	m->vacuum = strcmp(word, "VACUUM") == 0;
	held_free(&m->stepped);
	m->too_long = m->ended = false;
	if (outcome == DB_OK && (outcome = look_all(m->observes, LOOK_TOTALS, &old_texts, &old)) == DB_OK) {
		m->stepping = true;
		freeze(m, m->freezes[0]);
		db_hooks(m->runs, &hooks);
		outcome = db_run(m->runs, text, &done);
		db_hooks(m->runs, NULL);
		(void)db_rollback(m->freezes[0]);
		m->stepping = false;
		bytes_copy(m->tag, sizeof m->tag, db_tag(m->runs));
		if (outcome == DB_OK && (outcome = measure_flush(m)) == DB_OK &&
		    (outcome = look_all(m->observes, LOOK_TOTALS, &new_texts, &new)) == DB_OK) {
			measure_note(m, at, &none, &m->stepped, &old, &new);
			look_free(&new);
		}
		look_free(&old);
	}
	arena_free(&old_texts);
	arena_free(&new_texts);
	free(text);
	return outcome;
}
