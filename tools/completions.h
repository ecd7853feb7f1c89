/* Completions for shells, made of the tables of options and checks. */
#ifndef MIG_TOOLS_COMPLETIONS_H
#define MIG_TOOLS_COMPLETIONS_H

#include "route.h"

/* Prints the script for "bash", "zsh" or "fish"; commands end with NULL.  Returns the exit code. */
int completions_show(const char *shell, const struct command *const commands[]);

#endif
