/*
 * The session between two steps: a script may have changed what a deploy needs of it.
 */
#ifndef MIG_DATABASE_SESSION_RESTORE_H
#define MIG_DATABASE_SESSION_RESTORE_H

#include "postgres/connection.h"
#include "records/model.h"
#include "secret/conninfo.h"
#include "sql/sql.h"

/*
 * Restores, and names, what a script changed: the deploy lock (DISCARD ALL), a search path in which the history, which
 * is in `schema`, does not resolve, what db_release_on_death() set, and how the server reads text (db_restored()).  Other settings
 * stay for the scripts that follow, as with Prisma.  Asks the server only where the script has statements that can do
 * this.  Returns 0, or an exit code, said.
 */
int restore_session(struct db *db, const char *schema, const struct conninfo *target, const struct step *step);

/*
 * The part of it that concerns scripts alone: a search path in which the history does not resolve, and how the server reads
 * text.
 */
int restore_settings(struct db *db, const char *schema, const struct conninfo *target, const struct step *step,
    const struct sql_script *script);

#endif
