/*
 * Stall guard: watches who waits for the deploy, through a second connection (database/locks.h), and cancels the
 * running statement before --max-stall is exceeded.  Also watches what the deploy waits for.
 *
 * The connection is opened when a statement has run for a while, or after a wait; a deploy that nobody notices has
 * only one connection.  If it cannot be opened, waiting sessions are not counted; lock_timeout still bounds each
 * wait of ours.
 */
#ifndef MIG_DEPLOY_STALL_H
#define MIG_DEPLOY_STALL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "database/liveness.h"
#include "database/locks.h"
#include "postgres/connection.h"
#include "secret/source.h"

/* Why the statement was cancelled. */
enum stall_verdict {
	STALL_FINE,    /* it was not cancelled */
	STALL_WAITED,  /* other sessions waited too long while we were waiting ourselves: may be retried */
	STALL_HELD,    /* other sessions waited too long for our work: a retry would do the same */
	STALL_LATE     /* it waits without a time-out, and the deadline has passed */
};

struct stall {
	struct db *db;              /* the deploying session */
	int pid;                    /* its server process */
	struct source *source;      /* for the second connection */
	long long max_stall_ms;
	long long deadline_ms;      /* on clock_now_ms()'s clock */
	struct lock_watch *watch;   /* NULL: not opened yet, or failed */
	struct liveness liveness;   /* shares that connection */
	bool locks_tried;

	/* The current step: */
	const char *migration;
	long long worst_ms;         /* longest observed wait of a session for us; NUMBER_UNKNOWN: not observed */
	bool waited;                /* a wait has failed: check for blockers from the start */
	struct waits waits;         /* the sessions of the last wait */
	char yields[LOCKS_TEXT];    /* the relation held by a plain autovacuum, which ends for waiting sessions;
	                             * or "" */
	bool autovacuum_stays;      /* such an autovacuum did not end */
	long long life_ms;          /* longest duration of a blocking transaction that has ended */

	/* The current attempt: */
	enum stall_verdict verdict;
	bool bounded;               /* its lock waits have a time-out of their own */
	long long began_ms, next_ms, cancelled_ms;
	long long waiting_ms;       /* how long of it we were seen waiting */
	struct lock_view view;      /* the last view */
	long long view_ms;          /* when it was taken; 0: not yet */
	long long behind_ms;        /* since when every view has shown a session waiting for us; 0: none waits */
};

/* Begins a step; stall_end() frees what it allocates. */
void stall_step(struct stall *stall, const char *migration);
void stall_end(struct stall *stall);

/* Begins an attempt: a transaction, or a non-transactional statement, whose waits have no time-out. */
void stall_attempt(struct stall *stall, bool bounded);

/* Call it from the tick of a working session: takes a view when it is due, and cancels when it must. */
void stall_tick(struct stall *stall);

/* Ends the attempt; returns why it was cancelled. */
enum stall_verdict stall_ended(struct stall *stall);

/*
 * Call it before another attempt.  Waits, at most until the deadline, until no session holds what we last waited
 * for that would outlast an attempt with lock_timeout_ms.  For a relation that is never free, because transactions
 * of other sessions follow each other without a gap, it waits for a moment when all of them are near their end.
 * Calls `waiting` during the wait.  Returns the lock_timeout in ms for the attempt.
 */
long long stall_look_first(struct stall *stall, long long lock_timeout_ms, void (*waiting)(void *context),
    void *context);

/*
 * Continues a step that a batch has tried; worst_ms: the longest observed wait of other sessions, or
 * NUMBER_UNKNOWN.
 */
void stall_resume(struct stall *stall, long long worst_ms);

/* Moves the deadline by the time spent working, because --wait is for waiting. */
void stall_extend_deadline(struct stall *stall, long long ms);

/*
 * Appends the statement that goes before the transaction to make a plain autovacuum end; nothing if none is
 * blocking.
 */
void stall_displace(struct stall *stall, struct bytes *sql);

/*
 * Records that this statement failed: the autovacuum does not end for waiting sessions, so from now on we wait for
 * it.  Returns whether that is the case.
 */
void stall_autovacuum_stays(struct stall *stall);
bool stall_displaces_in_vain(const struct stall *stall);

/* Appends what we wait for, or the progress, for the progress line; nothing if unknown. */
void stall_note(const struct stall *stall, struct bytes *note);

/* Appends the first blocker: "pid 20117, web, shop_app from 10.0.3.21, idle in transaction for 3 min". */
void stall_name_holder(const struct waits *waits, struct bytes *out);

#endif
