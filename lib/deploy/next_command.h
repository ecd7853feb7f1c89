/*
 * Prints the next command to type, with the folder, -d and options of this deploy.  If these are unknown or must
 * not be shown, prints advice without a command.
 */
#ifndef MIG_DEPLOY_NEXT_COMMAND_H
#define MIG_DEPLOY_NEXT_COMMAND_H

#include "base/bytes.h"

/*
 * Commands (base/shell_quote.h) of the scan and plan, and of mig-apply; NULL: unknown.  `file`: the kept plan;
 * NULL: it came from a pipe.  The texts are kept, not copied.
 */
void next_command_begin(const char *plan, const char *apply, const char *file);

/* Each prints the text, followed by the commands. */
void next_command_plan(const char *text);                               /* to see a new plan */
void next_command_ask(const char *format, ...) MIG_PRINTF(1, 2);        /* the same, with a remark on what the
                                                                         * plan will show */
void next_command_deploy(const char *format, ...) MIG_PRINTF(1, 2);     /* scan, plan and apply: the plan has to
                                                                         * be made again */
void next_command_with(const char *text, const char *option, const char *value); /* the same, with one more option of
                                                                                  * mig-plan */
void next_command_retry(const char *format, ...) MIG_PRINTF(1, 2);      /* only mig-apply, if the plan was kept */
void next_command_without_marks(const char *text);                      /* scan, plan and apply, without
                                                                         * --mark-applied and the like */

#endif
