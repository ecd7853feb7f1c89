/*
 * Why something was not done, as text: for files that decide and do not speak.  Whoever runs the program says it.
 */
#ifndef MIG_BASE_REFUSAL_H
#define MIG_BASE_REFUSAL_H

#include "base/bytes.h"

/* Zeroed: nothing was refused. */
struct refusal {
	int code;           /* the exit code; 0: nothing was refused */
	struct bytes lines; /* the error, then facts and the next command; each ends in NUL */
};

/* The error.  Returns the code, so that `return refusal_make(...)` reads well. */
int refusal_make(struct refusal *refusal, int code, const char *format, ...) MIG_PRINTF(3, 4);

/* A line below it, as message_line() has them. */
void refusal_line(struct refusal *refusal, const char *format, ...) MIG_PRINTF(2, 3);

/* Says it by message_error() and message_line(), and frees it.  Returns its code; 0, and says nothing, where there is none. */
int refusal_say(struct refusal *refusal);

void refusal_free(struct refusal *refusal);

#endif
