/*
 * Computes the schema that a migrations folder produces, by means of a scratch database.
 */
#ifndef MIG_SCRATCH_REPLAY_FOLDER_H
#define MIG_SCRATCH_REPLAY_FOLDER_H

#include <stdbool.h>

#include "catalog/catalog.h"
#include "migrations/folder.h"
#include "scratch/scratch.h"

struct replay_wish {
	const char *to;        /* the last migration to run; NULL: all */
	bool grants;           /* includes grants in the schema */
	struct scratch_order order;   /* without the steps */
};

/*
 * Returns 0 with the schema in *catalog, or an exit code with the error reported; MIG_DATA if `to` does not exist,
 * or a migration has no script that can be run.  Call catalog_free() in every case, and signals_begin() before.
 */
int replay_folder(struct folder *folder, const struct replay_wish *wish, struct catalog *catalog);

/* Reports a --to, or another option, that is none of these migrations, with the one that was probably meant; returns MIG_DATA.  path: NULL if not known. */
int replay_refuse_name(const char *option, const char *to, const char *path, const char *const names[], size_t count);

#endif
