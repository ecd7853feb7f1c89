/*
 * Runs migrations in a scratch database, one after the other, as a deploy would: the same segments (sql/segments.h), the
 * same second attempt statement by statement where some cannot be together, the session set right between them; but
 * without locks, rows in the history, retries and batches.
 *
 * What would leave the database (ALTER SYSTEM, CREATE DATABASE, COPY to or from files and programs, ...) is refused before the
 * script runs.  On a server of our own, roles that it lacks are made, without login and rights, and extensions that only a
 * superuser may create are created.
 */
#ifndef MIG_SCRATCH_REPLAY_H
#define MIG_SCRATCH_REPLAY_H

#include <stddef.h>

#include "records/model.h"
#include "scratch/scratch.h"

/*
 * Runs those of the steps, of this folder, that are not in it yet; each needs migration, checksum, sql and step.  Returns 0, and the server
 * keeps what it is now; or an exit code, with all said: 1 where a script fails, MIG_UNREACHABLE, 128 + N.
 */
int replay_run(struct scratch *scratch, const char *folder, const struct step *steps, size_t count);

#endif
