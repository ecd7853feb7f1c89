/*
 * A statement that somebody ran, without the values that stand in it: they are customers' data, or passwords.
 *
 * PostgreSQL's statistics have $1, $2, ... for values, but not always: of a statement whose entry was dropped while it ran
 * they keep the text as it was sent, and comments stay in any case.
 *
 * Pure.
 */
#ifndef MIG_SQL_LITERALS_H
#define MIG_SQL_LITERALS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/*
 * Appends the statement without comments, and with a new parameter ($5) for each string, so that a server can still parse
 * it.  Returns false, with nothing appended, unless it is one whole SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES or TABLE,
 * also behind WITH or in parentheses; and if it has a backslash, since strings with one end elsewhere under other settings.
 */
bool literals_replace(struct bytes *out, const char *text);

/*
 * Appends the result of that for people: a question mark for each number, one blank for each run of them; cut to at most
 * `most` bytes, at the end of a character.
 */
void literals_hide(struct bytes *out, const char *replaced, size_t most);

#endif
