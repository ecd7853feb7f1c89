/*
 * Says what to type next, with the folder, -d and options that this deploy was called with; where they are not known,
 * or may not be shown, it says so and spells no command.
 */
#ifndef MIG_DEPLOY_NEXT_COMMAND_H
#define MIG_DEPLOY_NEXT_COMMAND_H

#include "base/bytes.h"

/*
 * Words (base/shell_quote.h) of the scan and plan, and of mig-apply; NULL: not known.  `file`: the kept plan, or NULL: it
 * came from a pipe.  The texts are kept, not copied.
 */
void next_command_begin(const char *plan, const char *apply, const char *file);

/* Each says the text, then the commands behind it. */
void next_command_plan(const char *text);                               /* to see a new plan */
void next_command_ask(const char *format, ...) MIG_PRINTF(1, 2);        /* the same, with a remark: what the plan will say */
void next_command_deploy(const char *format, ...) MIG_PRINTF(1, 2);     /* all of it: the plan has to be made again */
void next_command_retry(const char *format, ...) MIG_PRINTF(1, 2);      /* the same plan will do, where it was kept */
void next_command_without_marks(const char *text);                      /* all of it, without --mark-applied and the like */

#endif
