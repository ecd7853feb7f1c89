/*
 * The two kinds of scratch database behind one struct.
 */
#ifndef MIG_SCRATCH_SCRATCH_INTERNAL_H
#define MIG_SCRATCH_SCRATCH_INTERNAL_H

#include <stdbool.h>

#include "scratch/scratch.h"
#include "scratch/server.h"
#include "secret/source.h"

#define SCRATCH_APPLICATION "mig-scan scratch"

struct scratch {
	bool named;             /* on a server that was named; else on one of our own */
	struct source source;   /* of sessions in the database */
	char *schema;
	struct db *db;          /* the scripts' */
	struct db *admin;       /* named: beside the database, which drops it; own: in it, or NULL */
	char *database;         /* named: what is to be dropped; or NULL */
	struct server server;   /* own */
	char **paths;           /* own: of the kept clusters */
	size_t count, ready, keep;
};

/* A server of our own, found by server_find(): starts it, with the longest kept cluster.  0, or an exit code, said. */
int own_database_open(struct scratch *scratch, const struct scratch_order *order);
struct db *own_database_admin(struct scratch *scratch);
void own_database_close(struct scratch *scratch);

/* A server that `scratch->source` names.  0, or an exit code, said. */
int named_database_open(struct scratch *scratch, const struct scratch_order *order);
void named_database_close(struct scratch *scratch);

#endif
