/*
 * What the effects of a rehearsal mean together: who waits, for what, and what no longer works.  Pure.
 *
 * Effects are those of one migration, in the order in which they are written.
 */
#ifndef MIG_PLAN_EFFECTS_H
#define MIG_PLAN_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "records/model.h"
#include "records/words.h"
#include "sql/segments.h"
#include "sql/sql.h"

/* The effects of one migration beside its script. */
struct effects_view {
	const struct rehearsal_records *rehearsed;
	const struct effect *list;
	size_t count;
	const struct effect *down;   /* the verdict about its down.sql, which is not in the list; NULL: none was tried */
	const char *sql;
	struct sql_script script;
	struct segments segments;
};

/* Those of this migration; NULL sql: nobody has the script, and each statement counts as a transaction of its own. */
struct effects_view effects_view(const struct rehearsal_records *rehearsed, const char *migration, const char *sql);
void effects_view_free(struct effects_view *view);

/* Who waits for a lock: nobody who reads or writes, who writes, everybody. */
enum effects_waits { WAITS_NOBODY, WAITS_WRITERS, WAITS_ALL };
enum effects_waits effects_waits(const struct effect *lock);

/* Whether it is work that takes the longer the larger the relation is. */
bool effects_is_work(const struct effect *effect);

/*
 * The last statement with work on whatever relation while the transaction of this one goes on, from this one on; 0: there
 * is none.
 */
long long effects_last_work(const struct effects_view *view, long long statement);

/* The line in which the lock was taken that this work is done under. */
long long effects_held_since(const struct effects_view *view, const struct effect *work);

/* Whether its transaction had a stronger lock on the relation before. */
bool effects_is_covered(const struct effects_view *view, const struct effect *lock);

/* Whether it is of those that the running release may notice: drop, rename, retype, require, restrict, empty. */
bool effects_is_noticed(const struct effect *effect);

#endif
