/*
 * Reports, in a dry run, what a plan means for tables that are published now and for their subscribers, and slots that keep WAL.
 */
#ifndef MIG_DEPLOY_PUBLISHED_H
#define MIG_DEPLOY_PUBLISHED_H

#include <stdbool.h>

#include "postgres/connection.h"
#include "records/model.h"

/* makes_history: the plan makes the table of the history.  Says nothing where nothing is published and no slot is behind.  That it could not be asked is a warning. */
void published_say(struct db *db, const struct plan_stream *plan, bool makes_history);

#endif
