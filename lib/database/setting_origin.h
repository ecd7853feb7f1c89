/*
 * Finds where the initial value of a setting in a session comes from.
 */
#ifndef MIG_DATABASE_SETTING_ORIGIN_H
#define MIG_DATABASE_SETTING_ORIGIN_H

#include "postgres/connection.h"

/*
 * Queries one setting.  On DB_OK the caller owns *answer.  It has one row, or none if the setting is off: the
 * value in the setting's unit (NUMBER_UNKNOWN: not a number), the value for users, and the origin: "by ALTER ROLE
 * app".
 */
enum { SETTING_NUMBER, SETTING_VALUE, SETTING_BY };
enum db_outcome setting_origin(struct db *db, const char *name, struct answer **answer);

#endif
