/*
 * Formats outcomes for users, monitoring plugins, Prometheus and records.
 *
 * Pure: outcomes in, text out.
 */
#ifndef MIG_CHECK_PAGE_H
#define MIG_CHECK_PAGE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "check/check.h"
#include "check/picture.h"

/* Appends "1 invalid index; answers in 4 ms, primary; not seen: replication lag: ...", on one line. */
void check_page_message(struct bytes *out, const struct check_outcome *outcome);

/*
 * The page for users.  If everything is OK it has one line.  For one check the first line is the result, with the
 * facts below; for several, each has its lines, and the result is last.  A result that is not OK names its
 * database or host, and a cause shared by several checks is printed once.  `unfold`: prints the lines of each
 * check in any case.
 */
void check_page_text(struct bytes *out, const struct check_jobs *jobs, bool unfold);

/* Appends "MIG CRITICAL - ... | history_pending=2;;0;0 ...", one line in the format of monitoring plugins. */
void check_page_nagios(struct bytes *out, const struct check_jobs *jobs);

/* The same for a run without any result. */
void check_page_nagios_unknown(struct bytes *out, const char *why);

/* The text format of Prometheus; now: Unix time in seconds. */
void check_page_prometheus(struct bytes *out, const struct check_jobs *jobs, long long now);

/* The same without a sample: a comment with the reason. */
void check_page_prometheus_unknown(struct bytes *out, const char *why);

/*
 * JUnit's XML: a test case for each check, in the class of its target.  WARNING and CRITICAL are a failure, UNKNOWN an error;
 * the type says which.
 */
void check_page_junit(struct bytes *out, const struct check_jobs *jobs);

/* The same for a run without any result: one test case with an error. */
void check_page_junit_unknown(struct bytes *out, const char *why);

/*
 * The times of all polls, and when the steps of a deploy ran (check/picture.h), as SVG; its title names the target.  The second: for
 * a run without any result.
 */
void check_page_svg(struct bytes *out, const struct check_jobs *jobs, const struct picture *picture);
void check_page_svg_unknown(struct bytes *out, const char *why);

/* A check's measures, and their limits, as JSON objects. */
void check_page_measures(struct bytes *out, const struct check_outcome *outcome);
void check_page_limits(struct bytes *out, const struct check_outcome *outcome);

#endif
