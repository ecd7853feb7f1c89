/*
 * A scratch database: migrations run in it to see what they do, and it is removed afterwards.
 *
 * If --scratch or SHADOW_DATABASE_URL names a server, it is a new database on that server.  Otherwise it is on a
 * server of our own (scratch/server.h), whose clusters with migrations already applied are kept for later runs
 * (scratch/template.h).  After a kill at any point, the next run removes what was left.
 *
 * Production is queried only for its identity, and only if the named server could be production.
 */
#ifndef MIG_SCRATCH_SCRATCH_H
#define MIG_SCRATCH_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "scratch/template.h"
#include "secret/source.h"

struct scratch;

struct scratch_order {
	const char *source;          /* value of --scratch; NULL: SHADOW_DATABASE_URL if set, else a server of
	                              * our own */
	bool same_server;            /* another database on production's server is allowed */
	struct source *production;   /* NULL: unknown */
	const struct database *scanned; /* what a scan says of production, which is then not asked; or NULL */
	const char *schema;          /* schema for unqualified names; NULL: that of the connection string, else
	                              * public */
	long long wait_ms;           /* how long to wait for a named server */
	const struct template_step *steps;   /* the steps that will be run */
	size_t count;
	bool watched;                /* scratch_settle() will be called */
	bool renewed;                /* scratch_renew() may be called */
};

/*
 * Creates the database and connects to it, as a role that owns it and, on a server of our own, is not a superuser.
 * Returns NULL with the error reported; *code is then MIG_CONFIG (no server, or it is production), MIG_DENIED (may
 * not create databases), a code of db_open(), or 128 + N.  Call signals_begin() before.
 */
struct scratch *scratch_open(const struct scratch_order *order, int *code);

/*
 * Another database instead of this one, for these steps; the sessions of the old one are gone.  A connection string can be read only
 * once, so this uses what scratch_open() was given.  Returns NULL as that does; the old one is closed in every case.
 */
struct scratch *scratch_renew(struct scratch *scratch, const struct scratch_order *order, int *code);

/* The number of steps that the database already contains. */
size_t scratch_ready(const struct scratch *scratch);

/* The session that runs the scripts. */
struct db *scratch_db(const struct scratch *scratch);

/* Whether the server is one of our own. */
bool scratch_is_own(const struct scratch *scratch);

/* The default schema. */
const char *scratch_schema(const struct scratch *scratch);

/*
 * A superuser's session in the same database, opened on the first call; NULL unless the server is one of our own.
 * Such a server's messages are in English.
 */
struct db *scratch_admin(struct scratch *scratch);

/* Appends "PostgreSQL 15.18, started for this" or "the scratch server db.example.com:5432". */
void scratch_place(const struct scratch *scratch, struct bytes *out);

/* Call it when exactly the first `count` steps were run: a server of our own keeps that state for later runs. */
void scratch_keep(struct scratch *scratch, size_t count);

/*
 * Call it when exactly the first `count` steps were run: they are kept for later runs now, and what follows is for this run
 * alone.  The session is a new one, in `time_zone` (NULL: unchanged), and there are three more, to watch it: those of a
 * superuser on a server of our own, else of the same role.  Returns 0, or an exit code with the error reported.
 */
enum { SCRATCH_WATCHERS = 3 };
int scratch_settle(struct scratch *scratch, size_t count, const char *time_zone);
struct db *scratch_watcher(const struct scratch *scratch, size_t i);

/* Drops the database, or stops and removes the server.  NULL is fine. */
void scratch_close(struct scratch *scratch);

#endif
