/*
 * Checks what the user states about an interrupted statement (--mark-applied, --mark-rolled-back, --resume)
 * against the catalog.
 */
#ifndef MIG_DEPLOY_MARKS_CHECK_H
#define MIG_DEPLOY_MARKS_CHECK_H

#include "postgres/connection.h"
#include "records/model.h"

/*
 * `row`: the unfinished row that the step resumes, or NULL.  Returns 0 if nothing is stated, the catalog cannot
 * tell, or it agrees.  Otherwise returns an exit code with the error reported: MIG_DATA if the catalog
 * contradicts.
 */
int marks_check(struct db *db, const struct step *step, const struct history_row *row);

#endif
