/*
 * What a migration and its down.sql take away for good, from looks before and after each: tables, columns, and types that not every
 * value fits.
 */
#ifndef MIG_REHEARSE_LOSSES_H
#define MIG_REHEARSE_LOSSES_H

#include <stddef.h>

#include "base/arena.h"
#include "postgres/connection.h"
#include "records/model.h"

struct losses {
	struct loss *list;
	size_t count, cap;
};

/* Fingerprints (rehearse/fingerprint.h) before the migration, after it, and after its down.sql. */
struct losses_looks {
	const struct answer *before, *up, *down;
};

/*
 * Adds them.  `db` is in the state in which they would be looked for, after the migration: a probe that the server does not parse
 * there is replaced by a coarser one.
 */
void losses_add(struct losses *losses, struct db *db, const char *migration, const struct losses_looks *looks, struct arena *texts);

#endif
