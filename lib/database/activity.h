/*
 * What goes on in a database that a migration would wait for, or disturb: transactions that have lasted, prepared ones,
 * autovacuum, backups, standbys.
 *
 * Any role may ask.  What it may not see of others' sessions (since when a transaction lasts, what state it is in) is null; locks
 * it sees.
 */
#ifndef MIG_DATABASE_ACTIVITY_H
#define MIG_DATABASE_ACTIVITY_H

#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "records/words.h"

/* A lock that is to be taken. */
struct activity_wanted {
	const char *schema, *relation;
	enum lock_mode mode;          /* LOCK_NULL: none; the relation is of interest nevertheless */
};

/* Sorts a list, each relation once, with the strongest mode; returns how many are left. */
size_t activity_wanted_sort(struct activity_wanted wanted[], size_t count);

/* All relations that effects name and that were there before, in that form.  The caller frees the list; it has the records' texts. */
struct activity_wanted *activity_wanted_of(const struct rehearsal_records *rehearsed, size_t *count);

/*
 * Appends their names as a function in FROM, of two columns: schema, name.  As lists of values, thousands took longer to be parsed
 * than to be found.
 */
void activity_wanted_sql(struct bytes *sql, const struct activity_wanted wanted[], size_t count);

/*
 * Appends the question to ask with db_ask's `ours`: the list may be empty.  Prepared transactions have no session, and are
 * found by the locks that they have.
 */
void activity_sql(struct bytes *sql, const struct activity_wanted wanted[], size_t count);

/*
 * Its answer, as records of which the caller frees the list: the locks, held or waited for, that stand in the way of those wanted,
 * the five oldest transactions besides, backups and standbys.  What has lasted for less than a second is left out.
 */
struct activity *activity_take(const struct answer *answer, const struct activity_wanted wanted[], size_t count, struct arena *texts,
    size_t *activity_count);

#endif
