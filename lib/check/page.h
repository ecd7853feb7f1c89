/*
 * Verdicts for people, for monitoring plugins, for Prometheus and for records: four pages of the same outcomes.
 *
 * Pure: outcomes come in, text goes out.
 */
#ifndef MIG_CHECK_PAGE_H
#define MIG_CHECK_PAGE_H

#include <stdbool.h>

#include "base/bytes.h"
#include "check/check.h"

/* "1 invalid index; answers in 4 ms, primary; not seen: replication lag: ...", on one line. */
void check_page_message(struct bytes *out, const struct check_outcome *outcome);

/*
 * The page.  All well is one line.  Of one check the first line is the verdict, with the facts below it; of several each
 * has its lines, and the verdict is the last.  A verdict that is not OK names the database or host that it speaks of, and
 * says a cause that checks have in common once.  `unfold`: each has its lines in any case.
 */
void check_page_text(struct bytes *out, const struct check_jobs *jobs, bool unfold);

/* "MIG CRITICAL - ... | history_pending=2;;0;0 ...", one line, as monitoring plugins write it. */
void check_page_nagios(struct bytes *out, const struct check_jobs *jobs);

/* The same where it is known only that nothing is known. */
void check_page_nagios_unknown(struct bytes *out, const char *why);

/* The text format of Prometheus; now: Unix time. */
void check_page_prometheus(struct bytes *out, const struct check_jobs *jobs, long long now);

/* The same without a sample: a comment that says why. */
void check_page_prometheus_unknown(struct bytes *out, const char *why);

/* What a check measured, and within which limits, as JSON objects. */
void check_page_measures(struct bytes *out, const struct check_outcome *outcome);
void check_page_limits(struct bytes *out, const struct check_outcome *outcome);

#endif
