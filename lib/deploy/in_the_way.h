/*
 * Who in the database has, or waits for, a lock that a statement of the plan will have to wait for.
 */
#ifndef MIG_DEPLOY_IN_THE_WAY_H
#define MIG_DEPLOY_IN_THE_WAY_H

#include "postgres/connection.h"
#include "records/model.h"

/*
 * Says it, for what is there now.  A rehearsed plan knows which locks its statements take; of another one the words of its
 * statements tell some: what functions and DO do is not seen.  Takes no lock, and waits for nobody.  What a role may not see of
 * others' sessions is left out; locks every role sees.  wait_ms: for how long a deploy would wait.
 */
void in_the_way_say(struct db *db, const struct plan_stream *plan, long long wait_ms);

#endif
