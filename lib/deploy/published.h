/*
 * Reports, in a dry run, what a plan means for tables that are published now and for their subscribers, and slots that keep WAL.
 */
#ifndef MIG_DEPLOY_PUBLISHED_H
#define MIG_DEPLOY_PUBLISHED_H

#include "postgres/connection.h"
#include "records/model.h"

/* Says nothing where nothing is published and no slot is behind.  That it could not be asked is a warning. */
void published_say(struct db *db, const struct plan_stream *plan);

#endif
