/*
 * Progress messages while scripts run: one line per step when it ends.  While a step runs, a line on a terminal is
 * redrawn; elsewhere a line is printed after 10 s and then every 30 s.  Everything goes to standard error; silent
 * with -q.
 */
#ifndef MIG_MIGRATIONS_PROGRESS_H
#define MIG_MIGRATIONS_PROGRESS_H

#include <stddef.h>

#include "base/bytes.h"
#include "records/model.h"
#include "sql/sql.h"

struct progress {
	size_t steps;       /* number of steps in the plan */
	size_t name_width;
	long long next_ms;  /* when the next message about the running statement is due */
	long long next_waiting_ms; /* when the next message about waiting is due */
};

void progress_begin(struct progress *progress, const struct step *steps, size_t count);

/* Call it when a step, or a new statement of it, begins. */
void progress_step(struct progress *progress);
void progress_restart(struct progress *progress);

/* Call it while a statement runs, or the step waits: for ms so far, for limit_ms at most; `note` may be "". */
void progress_running(struct progress *progress, const struct step *step, long long ms, const char *note);
void progress_waiting(struct progress *progress, const struct step *step, long long ms, long long limit_ms,
    const char *note);

/*
 * Appends what is running: "statement 2 of 3, line 7: CREATE INDEX"; if several statements were sent together it
 * is unknown which of them is running: "one of statements 1 to 3".
 */
void progress_statements(struct bytes *note, const char *sql, const struct sql_script *script, size_t first,
    size_t count);

/* Call it when a step has ended. */
void progress_end(struct progress *progress, const struct step *step, const char *status, long long ms,
    const char *note);

#endif
