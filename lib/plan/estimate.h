/*
 * How long the work of a rehearsal's effects takes in production, from sizes: orders of magnitude, and which is the longest.
 * Pure.
 *
 * The constants are those of tables in memory, measured on one machine: 1 GB is read in a second, 75 MB rewritten with their
 * indexes, an index built over 1.5 million rows.  From disk it may take ten times as long.
 */
#ifndef MIG_PLAN_ESTIMATE_H
#define MIG_PLAN_ESTIMATE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "plan/effects.h"
#include "records/model.h"

/* What is known of the effect's relation, or NULL. */
const struct load *estimate_load(const struct rehearsal_records *rehearsed, const char *schema, const char *relation);

/* Milliseconds of the work; 0: it is none; NUMBER_UNKNOWN: the size is not known. */
long long estimate_work_ms(const struct rehearsal_records *rehearsed, const struct effect *effect);

/*
 * Milliseconds of all work from the statement of this lock to the end of its transaction, which its relation is locked for;
 * work of unknown length is left out.  *longest: the statement with most of it.
 */
long long estimate_held_ms(const struct effects_view *view, const struct effect *lock, long long *longest);

/* Whether the band is "less than 0.1 s". */
bool estimate_is_short(long long ms);

/* "about 6–60 s", a third of it to three times; "less than 0.1 s". */
void estimate_band(struct bytes *out, long long ms);

/* Appends ", 38/s", ", 3/min" or ", 2/h"; nothing where it is less than once an hour, or over too short a time to be said. */
void estimate_rate(struct bytes *out, long long calls, long long counted_ms);

/* "41 M rows, 9.2 GB, 2,900 reads and 310 writes a second". */
void estimate_size(struct bytes *out, const struct load *load);

#endif
