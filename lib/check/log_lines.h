/*
 * Judges the lines of a log, as they come: errors, and what shows that schema and code disagree.  Of a line only the match
 * is kept, because the rest may be confidential.
 *
 * Pure.
 */
#ifndef MIG_CHECK_LOG_LINES_H
#define MIG_CHECK_LOG_LINES_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct log_expressions {
	regex_t *all;
	size_t count;
};

struct log_lines {
	struct log_expressions wanted, ignored;
	regex_t errors, no_error;
	struct bytes line;       /* of which no end has come */
	bool before;             /* set by the caller: what comes now was there before, and is only counted */
	bool passing;            /* set by the caller: the rest of a line whose beginning was truncated */
	long long lines, lines_before, errors_now, errors_before;
	long long found;         /* lines that matched */
	struct bytes shown;      /* what matched, a line each: the first few that differ */
	size_t shown_count;
};

/*
 * Begins with {0}.  The expressions (POSIX extended, any case) are those of mig, and the user's: one a line in `patterns` and
 * `ignored`, and `errors`.  Returns 0, or an exit code with the error reported.  Free in both cases.
 */
int log_lines_begin(struct log_lines *g, const struct bytes *patterns, const struct bytes *ignored, const char *errors);
void log_lines_free(struct log_lines *g);

/* Takes what was read.  NULs are passed over; a line of more than 64 KB is cut there. */
void log_lines_add(struct log_lines *g, const char *data, size_t len);
/* A last line without a line break is a line. */
void log_lines_end(struct log_lines *g);

#endif
