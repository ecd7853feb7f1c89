/*
 * Finds where the initial value of a setting in a session comes from.
 */
#ifndef MIG_DATABASE_SETTING_ORIGIN_H
#define MIG_DATABASE_SETTING_ORIGIN_H

#include <stdbool.h>

#include "base/bytes.h"
#include "postgres/connection.h"

/*
 * Queries one setting.  On DB_OK the caller owns *answer.  It has one row, or none if the setting is off: the
 * value in the setting's unit (NUMBER_UNKNOWN: not a number), the value for users, and the origin: "by ALTER ROLE
 * app".
 */
enum { SETTING_NUMBER, SETTING_VALUE, SETTING_BY };
enum db_outcome setting_origin(struct db *db, const char *name, struct answer **answer);

/*
 * Appends "  NAME is VALUE here, by ALTER ROLE app." and, for a time-out, how to do without it once.  Appends nothing and
 * returns false if it is off, if it is a time-out longer than took_ms, or if the server does not say.
 */
bool setting_origin_line(struct db *db, const char *name, long long took_ms, struct bytes *line);

/*
 * After a statement of ours that failed, and db_say(): prints which time-out of the session cancelled it.  Prints nothing if it was
 * none.  The session must be outside of a transaction.
 */
void setting_origin_say(struct db *db);

#endif
