/*
 * What is said while scripts run: a line for each step when it ends; on a terminal one that is redrawn while it
 * runs, elsewhere one after 10 s and then every 30 s.  All on standard error, silent with -q.
 */
#ifndef MIG_MIGRATIONS_PROGRESS_H
#define MIG_MIGRATIONS_PROGRESS_H

#include <stddef.h>

#include "base/bytes.h"
#include "records/model.h"
#include "sql/sql.h"

struct progress {
	size_t steps;       /* of the plan */
	size_t name_width;
	long long next_ms;  /* when the next word about the running statement is due, */
	long long next_waiting_ms; /* and about waiting */
};

void progress_begin(struct progress *progress, const struct step *steps, size_t count);

/* A step begins; or only a new statement of it. */
void progress_step(struct progress *progress);
void progress_restart(struct progress *progress);

/* A statement goes on, or the step waits, for ms by now and for limit_ms at most; `note` may be "". */
void progress_running(struct progress *progress, const struct step *step, long long ms, const char *note);
void progress_waiting(struct progress *progress, const struct step *step, long long ms, long long limit_ms,
    const char *note);

/*
 * What runs, for a note: "statement 2 of 3, line 7: CREATE INDEX"; where several were sent together nobody knows which
 * of them it is: "one of statements 1 to 3".
 */
void progress_statements(struct bytes *note, const char *sql, const struct sql_script *script, size_t first,
    size_t count);

/* A step has ended. */
void progress_end(struct progress *progress, const struct step *step, const char *status, long long ms,
    const char *note);

#endif
