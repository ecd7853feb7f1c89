/*
 * The role as which scripts run (--role): a session logs in as one role, and SET ROLE makes it the other, which then owns what is
 * made.
 *
 * It is not named in the options of the connection: RESET ROLE and DISCARD ALL of a script would return to it and not to the
 * login, and a pooler may refuse it.  A ROLLBACK undoes SET ROLE, so the server is asked which role is in force.
 */
#ifndef MIG_DATABASE_ROLE_H
#define MIG_DATABASE_ROLE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "postgres/connection.h"

/*
 * Whether the login may become the role.  Returns 0, or with the error and the GRANT reported: MIG_CONFIG if there is no such
 * role, MIG_DENIED if the login is not a member of it.
 */
int role_check(struct db *db, const char *role);

/* Appends the statements that make it the role in force, whatever it was before, without a semicolon behind the last. */
void role_sql(struct bytes *out, const char *role);

/* Makes it the role in force; returns 0, or an exit code with the error reported. */
int role_take(struct db *db, const char *role);

/* The login is in force again: for queries that need its rights, like those of pg_monitor. */
int role_leave(struct db *db);

/* Whether it is in force, in a session of the login.  Returns 0, or an exit code with the error reported. */
int role_is_in_force(struct db *db, const char *role, bool *in_force);

#endif
