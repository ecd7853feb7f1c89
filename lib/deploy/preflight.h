/*
 * Checks before a deploy whether the role may do what the words of the plan ask for: who owns what it alters, CREATE and USAGE on
 * schemas, the rights to write.  Changes nothing.
 */
#ifndef MIG_DEPLOY_PREFLIGHT_H
#define MIG_DEPLOY_PREFLIGHT_H

#include <stddef.h>

#include "postgres/connection.h"
#include "records/model.h"

/*
 * Says what is missing, each with what gives it, and returns MIG_DENIED; else 0, and says what was checked and what was not:
 * what the plan makes or renames itself, names without a schema behind a changed search path, statements that only the server
 * can judge, and what is only read.
 */
int preflight_rights(struct db *db, const char *folder, const struct step steps[], size_t count);

#endif
