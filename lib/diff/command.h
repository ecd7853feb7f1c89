/*
 * mig-plan --diff: two schemas are read, compared, and the differences shown.
 */
#ifndef MIG_DIFF_COMMAND_H
#define MIG_DIFF_COMMAND_H

#include <stdbool.h>

#include "records/output.h"

#define DIFF_STREAM "diff"

struct diff_request {
	const char *from;    /* a kept stream, "-", a *.prisma or a folder of them; NULL: nothing is there */
	const char *to;
	bool exit_code;      /* MIG_TODO where they differ */
};

/* Also ends the output (output_close()).  Returns the exit code of the program; all is said. */
int diff_command(const struct diff_request *request, struct output *out);

#endif
