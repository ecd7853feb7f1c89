/*
 * Shared by the files that run a step (deploy/step_exec.h); private to them.
 */
#ifndef MIG_DEPLOY_STEP_EXEC_INTERNAL_H
#define MIG_DEPLOY_STEP_EXEC_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "deploy/step_exec.h"
#include "postgres/connection.h"

/* --- step_exec.c --- */

size_t step_exec_running(const struct step_exec *g);
/* Whether the statement was cancelled by us. */
bool step_exec_is_ours(const struct step_exec *g);
/* Clears the error and advice of an earlier attempt. */
void step_exec_forget_texts(struct step_exec *g);
/*
 * Turns DB_OK into an error if answers are missing or unexpected, because the outcome is then unknown.  The server
 * splits a script like the plan does (tests/sql.bats), so each statement has exactly one answer.
 */
enum db_outcome step_exec_check_answers(struct step_exec *g, enum db_outcome outcome, size_t sent);

#endif
