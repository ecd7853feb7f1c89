/*
 * mig-plan --diff: reads two schemas, compares them, and shows the differences.
 */
#ifndef MIG_DIFF_COMMAND_H
#define MIG_DIFF_COMMAND_H

#include <stdbool.h>

#include "records/output.h"

#define DIFF_STREAM "diff"

struct diff_request {
	const char *from;    /* a kept stream, "-", a *.prisma or a folder of them; NULL: empty */
	const char *to;
	bool exit_code;      /* return MIG_TODO if they differ */
};

/* Also closes the output (output_close()).  Returns the program's exit code; errors are reported. */
int diff_command(const struct diff_request *request, struct output *out);

#endif
