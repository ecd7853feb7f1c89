/*
 * A scratch database: where migrations are run to see what they do, and which is gone afterwards.
 *
 * It comes from the server that --scratch or SHADOW_DATABASE_URL names, as a new database beside the one named there; else
 * from a server of our own (scratch/server.h), whose clusters with migrations already run are kept for the next time
 * (scratch/template.h).  Killed at any point, the next run removes what was left.
 *
 * Production is only asked who it is, and only where a server is named that it could be.
 */
#ifndef MIG_SCRATCH_SCRATCH_H
#define MIG_SCRATCH_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "postgres/connection.h"
#include "scratch/template.h"
#include "secret/source.h"

struct scratch;

struct scratch_order {
	const char *source;          /* what --scratch said; NULL: SHADOW_DATABASE_URL where it is set, else a server of our own */
	bool same_server;            /* another database of production's server will do */
	struct source *production;   /* NULL: there is none that is known */
	const char *schema;          /* where unqualified names go; NULL: as the named string says, else public */
	long long wait_ms;           /* how long a named server is waited for */
	const struct template_step *steps;   /* what is going to be run */
	size_t count;
};

/*
 * Makes the database and connects to it, as a role that owns it and on a server of our own is no superuser.  Returns
 * NULL with the error said; *code is then MIG_CONFIG (no server, or it is production), MIG_DENIED (may not create
 * databases), what db_open() has, or 128 + N.  signals_begin() is to be called before.
 */
struct scratch *scratch_open(const struct scratch_order *order, int *code);

/* How many of the steps are in it already. */
size_t scratch_ready(const struct scratch *scratch);

/* The session of the scripts. */
struct db *scratch_db(const struct scratch *scratch);

/* Whether its server is one of our own. */
bool scratch_is_own(const struct scratch *scratch);

/* The default schema. */
const char *scratch_schema(const struct scratch *scratch);

/*
 * A superuser's session in the same database, on a server of our own, opened when it is first asked for; else NULL.  On
 * such a server messages are in English.
 */
struct db *scratch_admin(struct scratch *scratch);

/* "PostgreSQL 15.18, started for this" or "the scratch server db.example.com:5432", for people. */
void scratch_place(const struct scratch *scratch, struct bytes *out);

/* The first `count` steps are done, and nothing else: a server of our own keeps that for the next run. */
void scratch_keep(struct scratch *scratch, size_t count);

/* Drops the database, or ends and removes the server.  NULL is fine. */
void scratch_close(struct scratch *scratch);

#endif
