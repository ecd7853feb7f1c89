/*
 * Finds what the manual says of a code: an exit code, an SQLSTATE, one of Prisma's, a rule, an option, a setting.  Pure.
 */
#ifndef MIG_TOOLS_MANUAL_SEARCH_H
#define MIG_TOOLS_MANUAL_SEARCH_H

#include <stdbool.h>

#include "base/bytes.h"

/*
 * Appends the items of lists whose tag has `topic` as a word, whatever the case of its letters, each below "PAGE, SECTION".  `text` is
 * the page as man(1) prints it to a file.  Returns whether there are any.
 */
bool manual_search(struct bytes *out, const char *page, const char *text, const char *topic);

#endif
