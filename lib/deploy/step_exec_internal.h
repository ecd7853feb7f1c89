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

size_t going_running(const struct going *g);
/* Whether it was cancelled, and by us. */
bool going_is_ours(const struct going *g);
/* Texts that an earlier attempt left. */
void going_forget_texts(struct going *g);
/*
 * All well, but for answers that were lost, or that nobody asked for: what happened is not known.  A script is read by the
 * server as the plan has split it (tests/sql.bats), so each of its statements has one answer.
 */
enum db_outcome going_check_answers(struct going *g, enum db_outcome outcome, size_t sent);

#endif
