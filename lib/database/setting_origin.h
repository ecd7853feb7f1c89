/*
 * Who gave a setting the value that a session has from outside: not a statement of the session.
 */
#ifndef MIG_DATABASE_SETTING_ORIGIN_H
#define MIG_DATABASE_SETTING_ORIGIN_H

#include "postgres/connection.h"

/*
 * Asks for one setting.  *answer, the caller's on DB_OK, has one row, or none where the setting is off: its value in its unit
 * (NUMBER_UNKNOWN: no number), the same as people write it, and "by ALTER ROLE app".
 */
enum { SETTING_NUMBER, SETTING_VALUE, SETTING_BY };
enum db_outcome setting_origin(struct db *db, const char *name, struct answer **answer);

#endif
