/*
 * Shared by the files that write verdicts (check/page.h); nobody else includes it.
 */
#ifndef MIG_CHECK_PAGE_INTERNAL_H
#define MIG_CHECK_PAGE_INTERNAL_H

#include "base/bytes.h"
#include "check/check.h"
#include "check/page.h"

/* The worst of the outcomes. */
enum check_state check_page_worst(const struct check_jobs *jobs);

/* A line break in what a server said must not make a line of the page. */
void check_page_one_line(struct bytes *out, const char *text);

/* What is not OK, each with its message; where all is well the names. */
void check_page_summary(struct bytes *out, const struct check_jobs *jobs);

/* A number in the unit that plugins and Prometheus want: seconds for milliseconds. */
void check_page_number(struct bytes *out, const struct metric *metric, long long value);

#endif
