/*
 * A folder of migrations → the schema that they make, by way of a scratch database.
 */
#ifndef MIG_SCRATCH_REPLAY_FOLDER_H
#define MIG_SCRATCH_REPLAY_FOLDER_H

#include <stdbool.h>

#include "catalog/catalog.h"
#include "migrations/folder.h"
#include "scratch/scratch.h"

struct replay_wish {
	const char *to;        /* the last migration to run; NULL: all */
	bool grants;           /* in the schema, too */
	struct scratch_order order;   /* but for the steps */
};

/*
 * Returns 0 with the schema, or an exit code, said; MIG_DATA where `to` is not there, or a migration has no script that can
 * be run.  catalog_free() is due in any case, and signals_begin() is to be called before.
 */
int replay_folder(struct folder *folder, const struct replay_wish *wish, struct catalog *catalog);

#endif
