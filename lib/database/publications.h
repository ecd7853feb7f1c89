/*
 * Which tables are published by logical replication, what identifies their rows, and for which slots WAL is kept.
 *
 * Any role may ask.  PostgreSQL 13 to 18; publications have schemas and column lists since 15.
 */
#ifndef MIG_DATABASE_PUBLICATIONS_H
#define MIG_DATABASE_PUBLICATIONS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "database/activity.h"
#include "postgres/connection.h"
#include "records/model.h"

/* The tables of which a published UPDATE or DELETE fails (55000), at most five, as SQL names, and how many there are. */
extern const char publications_without_identity_sql[];

/* All replication slots, those for which most WAL is kept first. */
extern const char publications_slots_sql[];

/* The three questions, to be asked with db_ask's `ours`; `wanted` as for activity_sql(): NULL: all that are published. */
enum { PUBLICATIONS_NEW, PUBLICATIONS_TABLES, PUBLICATIONS_SLOTS, PUBLICATIONS_ASKS };
struct publications_sql {
	struct bytes text[PUBLICATIONS_ASKS];
};
void publications_sql(struct publications_sql *sql, int server_version_num, const struct activity_wanted *wanted, size_t count);
void publications_sql_free(struct publications_sql *sql);

/* Takes their answers (any may be NULL) into records; the caller frees these. */
void publications_take(const struct answer *const answers[PUBLICATIONS_ASKS], struct rehearsal_records *records, struct arena *texts);

#endif
