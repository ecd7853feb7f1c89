/*
 * How each of the five programs starts and ends, and the options that several have.
 */
#ifndef MIG_TOOLS_PROGRAM_H
#define MIG_TOOLS_PROGRAM_H

#include "base/options.h"
#include "records/output.h"

enum {
	PROGRAM_ROLLS_BACK = 1,     /* a signal is noted (base/signals.h), so that a deploy can roll back; else it ends the program */
	PROGRAM_NEEDS_NO_SECRET = 2 /* what the environment has of them is zeroed at once */
};

/*
 * The first statement of a main.  In this order: secrets leave the environment, messages get their name, signals their
 * meaning, and the output is found on the command line for the case that it is refused.  out->kind and ->formats are set.
 */
void program_begin(struct output *out, const struct program *program, int argc, char *argv[], unsigned flags);

/*
 * Closes the output, which may still point into what was read, and returns the exit code.  Where a signal has ended the
 * work, it does not return: the program ends as the signal would have ended it.
 */
int program_end(struct output *out, int code);

/*
 * --role, as given or NULL: then it is MIG_ROLE.  Sets *role to NULL where none is wanted: "none", as in SET ROLE, or an empty
 * MIG_ROLE.  Returns 0, or MIG_USAGE, said.
 */
int program_role(const char *given, const char **role);

/* --max-stall: 0, or MIG_USAGE, said. */
int program_max_stall(const char *value, long long *ms);

#endif
