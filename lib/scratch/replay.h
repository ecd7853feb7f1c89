/*
 * Runs migrations one after another in a scratch database, like a deploy: the same segments (sql/segments.h), the
 * same second attempt statement by statement, the session restored between scripts; but without locks, history
 * rows, retries and batches.
 *
 * Statements that affect something outside the database (ALTER SYSTEM, CREATE DATABASE, COPY to or from files and
 * programs, ...) are refused before the script runs.  On a server of our own, missing roles are created, without
 * login and rights, and extensions that only a superuser may create are created.
 */
#ifndef MIG_SCRATCH_REPLAY_H
#define MIG_SCRATCH_REPLAY_H

#include <stddef.h>

#include "records/model.h"
#include "scratch/scratch.h"

/*
 * Runs the steps that are not in the database yet; each needs migration, checksum, sql and step.  Returns 0, and
 * the server keeps its state for later runs; or an exit code with the error reported: 1 if a script fails,
 * MIG_UNREACHABLE, 128 + N.
 */
int replay_run(struct scratch *scratch, const char *folder, const struct step *steps, size_t count);

#endif
