/*
 * Sends a transaction of ours in one round trip, together with what waits to be sent along.
 */
#ifndef MIG_DEPLOY_TOGETHER_H
#define MIG_DEPLOY_TOGETHER_H

#include "postgres/connection.h"

/*
 * Short statements, the first of which is BEGIN.  If questions wait (db_send_along()), the statements are sent one by one behind
 * them; else like db_tell().  After an error the transaction is still open.
 */
enum db_outcome together_tell(struct db *db, const char *sql);

#endif
