/*
 * Finds the custom settings (app.tenant) that a script mentions, also inside the body of a DO.
 *
 * The server has no list of them: pg_settings omits settings that no extension has declared.
 *
 * Pure: reads the text.
 */
#ifndef MIG_SQL_CUSTOM_SETTINGS_H
#define MIG_SQL_CUSTOM_SETTINGS_H

#include "base/bytes.h"

/*
 * Appends their names as SQL strings in lower case: 'app.tenant', 'app.user'.  Covers set_config('app.tenant',
 * ...) for the session and current_setting('app.tenant').
 */
void custom_settings_sql(struct bytes *out, const char *text);

#endif
