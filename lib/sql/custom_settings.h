/*
 * Finds the settings of an application's own (app.tenant) that a script mentions, also where it does so in the body of a DO.
 *
 * The server has no list of them: pg_settings leaves out what no extension has declared.
 *
 * Pure: reads the text.
 */
#ifndef MIG_SQL_CUSTOM_SETTINGS_H
#define MIG_SQL_CUSTOM_SETTINGS_H

#include "base/bytes.h"

/*
 * Appends their names as SQL texts in lower case: 'app.tenant', 'app.user'.  Those that are meant: set_config('app.tenant', ...)
 * for the session, and current_setting('app.tenant').
 */
void custom_settings_sql(struct bytes *out, const char *text);

#endif
