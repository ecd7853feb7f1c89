/*
 * Restores the session between two steps: a script may have changed what a deploy depends on.
 */
#ifndef MIG_DATABASE_SESSION_RESTORE_H
#define MIG_DATABASE_SESSION_RESTORE_H

#include <stdbool.h>

#include "postgres/connection.h"
#include "records/model.h"
#include "secret/conninfo.h"
#include "sql/sql.h"

/* What the following steps depend on. */
struct session_wanted {
	const char *schema;             /* of the history */
	const struct conninfo *target;
	const char *role;               /* --role, or NULL: a role that a script has set stays for later ones */
};

/*
 * Restores and reports what a script changed: the deploy lock (DISCARD ALL), a search path in which the history,
 * which is in `schema`, does not resolve, the role, the settings of db_release_on_death(), and how the server parses text
 * (db_restored()).  Other settings stay for later scripts, as with Prisma.  Queries the server only if the script
 * has statements that can do this.  `keeps`: it is known that it has none (session_note()).  Returns 0, or an exit code with the
 * error reported.
 */
int restore_session(struct db *db, const struct session_wanted *wanted, const struct step *step, bool keeps);

/*
 * Only the parts that affect later scripts: a search path in which the history does not resolve, and how the
 * server parses text.
 */
int restore_settings(struct db *db, const char *schema, const struct conninfo *target, const struct step *step,
    const struct sql_script *script);

/*
 * Between two deploys in one session: sets it back to its start, as DISCARD ALL does, and then as db_open() begins one for `target`.
 * `locks`: the deploy lock stays held meanwhile.  *locked: it is held, and once.  Returns false if it did not succeed; then the
 * session is good for nothing but db_close().  Errors are not reported.
 */
bool restore_as_new(struct db *db, const struct conninfo *target, bool locks, bool *locked);

#endif
