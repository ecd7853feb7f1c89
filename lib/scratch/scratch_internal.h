/*
 * The two kinds of scratch database, in one struct.
 */
#ifndef MIG_SCRATCH_SCRATCH_INTERNAL_H
#define MIG_SCRATCH_SCRATCH_INTERNAL_H

#include <stdbool.h>

#include "scratch/scratch.h"
#include "scratch/server.h"
#include "secret/source.h"

#define SCRATCH_APPLICATION "mig-scan scratch"

struct scratch {
	bool renewed;           /* scratch_renew() may be called: the password is kept */
	bool named;             /* on a named server; else on one of our own */
	struct source source;   /* for sessions in the database */
	char *schema;
	struct db *db;          /* runs the scripts */
	struct db *admin;       /* named: in another database, to drop this one; own: in it, or NULL */
	struct db *watchers[SCRATCH_WATCHERS];
	char *database;         /* named: the database to drop; or NULL */
	struct server server;   /* own */
	char **paths;           /* own: paths of the kept clusters */
	size_t count, ready, keep;
};

/* Sets the time zone of new sessions in the database; NULL: unchanged.  Returns 0, or an exit code with the error reported. */
int scratch_set_time_zone(struct db *db, const char *database, const char *time_zone);

/*
 * Starts a server of our own, found by server_find(), from the kept cluster with the most steps.  Returns 0, or an
 * exit code with the error reported.
 */
int own_database_open(struct scratch *scratch, const struct scratch_order *order);
struct db *own_database_admin(struct scratch *scratch);
int own_database_settle(struct scratch *scratch, size_t count, const char *time_zone);
void own_database_close(struct scratch *scratch);

/*
 * Creates the database on the server that `scratch->source` names.  Returns 0, or an exit code with the error
 * reported.
 */
int named_database_open(struct scratch *scratch, const struct scratch_order *order);
/* Drops it, and creates another one. */
int named_database_renew(struct scratch *scratch, const struct scratch_order *order);
int named_database_settle(struct scratch *scratch, const char *time_zone);
void named_database_close(struct scratch *scratch);

#endif
