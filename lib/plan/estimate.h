/*
 * How long the work of a rehearsal's effects takes in production, from sizes and the words of the statements: a band, an
 * order of magnitude wide, and which is the longest.  Pure.
 *
 * The band is that of tables in memory, on machines from slow to fast and for rows from narrow to wide: of a table with its
 * indexes 20 to 200 MB are rewritten in a second, 0.35 to 6 million rows put into an index.  From disk it may take ten times
 * as long.  What indexes there are already is not known: a GIN or GiST index makes a rewrite longer.
 */
#ifndef MIG_PLAN_ESTIMATE_H
#define MIG_PLAN_ESTIMATE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "plan/effects.h"
#include "records/model.h"

/* What is known of the effect's relation, or NULL. */
const struct load *estimate_load(const struct rehearsal_records *rehearsed, const char *schema, const char *relation);

/* Milliseconds, at least and at most. */
struct estimate {
	long long low_ms, high_ms;     /* both NUMBER_UNKNOWN: the size is not known */
};
bool estimate_is_known(struct estimate time);
long long estimate_middle(struct estimate time);

/* How long the work takes; 0: it is none. */
struct estimate estimate_work(const struct effects_view *view, const struct effect *effect);

/*
 * How long all work takes from the statement of this lock to the end of its transaction, which its relation is locked for; work of
 * unknown length is left out.  *longest: the statement with most of it.
 */
struct estimate estimate_held(const struct effects_view *view, const struct effect *lock, long long *longest);

/* Whether the band is "less than 0.1 s". */
bool estimate_is_short(struct estimate time);

/* "about 6–60 s"; "less than 0.1 s". */
void estimate_band(struct bytes *out, struct estimate time);

/* Appends ", 38/s", ", 3/min" or ", 2/h"; nothing where it is less than once an hour, or over too short a time to be said. */
void estimate_rate(struct bytes *out, long long calls, long long counted_ms);

/* "41 M rows, 9.2 GB, 2,900 reads and 310 writes a second". */
void estimate_size(struct bytes *out, const struct load *load);

#endif
