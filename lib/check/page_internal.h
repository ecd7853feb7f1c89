/*
 * Shared by the files that format outcomes (check/page.h); private to them.
 */
#ifndef MIG_CHECK_PAGE_INTERNAL_H
#define MIG_CHECK_PAGE_INTERNAL_H

#include "base/bytes.h"
#include "check/check.h"
#include "check/page.h"

/* The worst of the outcomes. */
enum check_state check_page_worst(const struct check_jobs *jobs);

/* Appends text without line breaks, so that text from a server cannot forge a line of the page. */
void check_page_one_line(struct bytes *out, const char *text);

/* Appends what is not OK, each with its message; the names if everything is OK. */
void check_page_summary(struct bytes *out, const struct check_jobs *jobs);

/* Appends text for XML, also in an attribute; a character that XML 1.0 does not allow as U+FFFD. */
void check_page_xml(struct bytes *out, const char *text);

/* Appends a number in the base unit of plugins and Prometheus: seconds instead of milliseconds. */
void check_page_number(struct bytes *out, const struct metric *metric, long long value);

#endif
