/*
 * Shared by the files that run a step (deploy/step_exec.h); nobody else includes it.
 */
#ifndef MIG_DEPLOY_STEP_EXEC_INTERNAL_H
#define MIG_DEPLOY_STEP_EXEC_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "deploy/step_exec.h"
#include "postgres/connection.h"

/* --- step_exec.c --- */

size_t step_exec_running(const struct step_exec *g);
/* Whether it was cancelled, and by us. */
bool step_exec_is_ours(const struct step_exec *g);
/* Forgets what is wrong and what to do about it, of an earlier attempt. */
void step_exec_forget_texts(struct step_exec *g);
/*
 * All well, but for answers that were lost, or that nobody asked for: what happened is not known.  A script is read by the
 * server as the plan has split it (tests/sql.bats), so each of its statements has one answer.
 */
enum db_outcome step_exec_check_answers(struct step_exec *g, enum db_outcome outcome, size_t sent);

#endif
