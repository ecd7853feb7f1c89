/*
 * Where in the folder's history a database is that has none: the first migrations are run one after another in a scratch database, and
 * the schema behind each is compared with the database's.
 *
 * Objects that only the database has count where the migrations have something in their schema; extensions that only the database has do
 * not.
 */
#ifndef MIG_REHEARSE_PREFIXES_H
#define MIG_REHEARSE_PREFIXES_H

#include <stddef.h>

#include "base/arena.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "scratch/scratch.h"

struct prefixes_wish {
	const char *folder;             /* for messages; NULL: not known */
	const struct step *steps;       /* all of the folder, in its order */
	size_t count;
	const char *to;                 /* compare behind this one alone; NULL: behind each */
	struct db *production;
	const char *schema;             /* its default schema */
	long long limit_ms;             /* for one statement */
	struct scratch_order order;     /* but for its steps */
};

struct prefixes {
	struct prefix *list;
	size_t count, cap;
};

/*
 * Uses *scratch for it, and sets it to the database that there is in the end, or NULL.  Adds all prefixes that are equal, else the nearest
 * one; with `to` that one.  Returns 0, or an exit code, said.
 */
int prefixes_find(const struct prefixes_wish *wish, struct scratch **scratch, struct prefixes *found, struct arena *texts);

#endif
