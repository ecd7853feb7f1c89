/*
 * Checks what a person says of an interrupted statement (--mark-applied, --mark-rolled-back, --resume) against the catalog.
 */
#ifndef MIG_DEPLOY_MARKS_CHECK_H
#define MIG_DEPLOY_MARKS_CHECK_H

#include "postgres/connection.h"
#include "records/model.h"

/*
 * `row`: the unfinished row that the step resumes, or NULL.  0: nothing is said, the catalog cannot tell, or it agrees; else
 * the exit code, said: MIG_DATA where the catalog contradicts.
 */
int marks_check(struct db *db, const struct step *step, const struct history_row *row);

#endif
