/* A pipe of tools within one program: each in a process of its own, the last in this one. */
#ifndef MIG_TOOLS_CHAIN_H
#define MIG_TOOLS_CHAIN_H

#include "route.h"

/*
 * Runs them, all at once, and returns the exit code.
 *
 * The last one's code and signals are those of the program, as it is this process; so no process more holds what is
 * secret.  (It may also end the program by itself.)  An error of one before it travels down the pipe; where nothing of it came through, since
 * somebody killed it, that is said, and is 128 plus the signal where all else was well.
 *
 * To be called before anything is read, printed or taken from the environment: the others are forks of this process.
 */
int chain_run(const struct route *route);

#endif
