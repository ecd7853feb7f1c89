/*
 * The reason why something was refused, as text, for code that decides but prints no messages.  The caller prints
 * it.
 */
#ifndef MIG_BASE_REFUSAL_H
#define MIG_BASE_REFUSAL_H

#include "base/bytes.h"

/* Zeroed: nothing was refused. */
struct refusal {
	int code;           /* the exit code; 0: nothing was refused */
	struct bytes lines; /* the error, then facts and the next command; each ends in NUL */
};

/* Sets the error.  Returns the code, so that `return refusal_make(...)` works. */
int refusal_make(struct refusal *refusal, int code, const char *format, ...) MIG_PRINTF(3, 4);

/* Adds a line below the error, like message_line(). */
void refusal_line(struct refusal *refusal, const char *format, ...) MIG_PRINTF(2, 3);

/*
 * Prints the refusal with message_error() and message_line(), and frees it.  Returns its code, or 0 without
 * printing if there is none.
 */
int refusal_say(struct refusal *refusal);

void refusal_free(struct refusal *refusal);

#endif
