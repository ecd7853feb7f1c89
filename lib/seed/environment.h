/*
 * Environments: a folder of seed files, and in it a folder for each environment.  The base is the folder `base` in it, or,
 * without one, the files of the folder itself.
 */
#ifndef MIG_SEED_ENVIRONMENT_H
#define MIG_SEED_ENVIRONMENT_H

#include <stdbool.h>

#include "seed/file.h"

#define SEED_BASE "base"

struct environment {
	char *folder;              /* as given, without a slash at its end */
	char *base;                /* the folder of the base */
	char *overlay;             /* that of the environment; NULL: the base only */
	struct seed_names names;   /* of all environments */
};

/*
 * Finds the folders.  name: of --env, or NULL.  Returns 0, or an exit code with the error reported: there is no such
 * environment (MIG_USAGE), there is a base and no name (MIG_USAGE), the base is in both places (MIG_DATA).  The caller
 * frees it in every case.
 */
int environment_find(struct environment *e, const char *folder, const char *name);
void environment_free(struct environment *e);

#endif
