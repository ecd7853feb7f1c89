/*
 * Checks before a deploy whether the role has the rights that the plan's statements need: ownership of what they
 * alter, CREATE and USAGE on schemas, the rights to write.  Changes nothing.
 */
#ifndef MIG_DEPLOY_PREFLIGHT_H
#define MIG_DEPLOY_PREFLIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "postgres/connection.h"
#include "records/model.h"

struct preflight {
	const char *folder;   /* of the migrations; NULL: not known */
	const char *login;    /* --role, which is in force: the role that RESET ROLE returns to; NULL: there is no --role */
	bool quiet;           /* reports only what is missing */
};

/*
 * Reports what is missing, each with its remedy, and returns MIG_DENIED.  Otherwise returns 0 and reports what was
 * and was not checked.  Not checked: what the plan itself creates or renames, unqualified names after a change of
 * search_path or, with --role, after a statement that may change rights, statements that only the server can judge,
 * and what is only read.
 */
int preflight_rights(struct db *db, const struct preflight *preflight, const struct step steps[], size_t count);

#endif
