/*
 * What production has that the effects of a rehearsal mean something for: how large its relations are and how busy, and who has
 * locks on them.  Any role may ask that; nothing is written, and no row of a table is read.
 */
#ifndef MIG_REHEARSE_LOAD_H
#define MIG_REHEARSE_LOAD_H

#include "base/arena.h"
#include "postgres/connection.h"
#include "records/model.h"

/*
 * Adds to the records what is known of each relation that an effect names and that is there, and what goes on in the database.
 * window_ms: how long reads and writes are counted; 0: since the server's counters began.  Returns 0, or an exit code, said.
 */
int load_take(struct db *production, long long window_ms, struct rehearsal_records *rehearsed, struct arena *texts);

#endif
