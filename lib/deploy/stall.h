/*
 * What a deploy does to others, and what others do to it: looked at through a second connection (database/locks.h) while a
 * statement lasts, and ended before somebody has waited for us longer than was allowed.
 *
 * The connection is made when a statement has lasted for a while, or something was waited for: a deploy that nobody
 * notices has only one.  Where it cannot be had nobody counts who waits; lock_timeout still bounds each wait of ours.
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

/* Why what ran was cancelled. */
enum stall_verdict {
	STALL_FINE,    /* it was not */
	STALL_WAITED,  /* others waited too long while we waited ourselves: it may be tried again */
	STALL_HELD,    /* they waited too long for our work: it would be the same again */
	STALL_LATE     /* it waits without a time-out, and the deadline is over */
};

struct stall {
	struct db *db;              /* the session that deploys, */
	int pid;                    /* and its server process */
	struct source *source;      /* of the second connection */
	long long max_stall_ms;
	long long deadline_ms;      /* on clock_now_ms() */
	struct lock_watch *watch;   /* NULL: not yet, or it cannot be had */
	struct liveness liveness;   /* makes and uses the same one */
	bool locks_tried;

	/* the step so far */
	const char *migration;
	long long worst_ms;         /* how long somebody was seen waiting for us; NUMBER_UNKNOWN: nobody looked */
	bool waited;                /* something was waited for in vain: who is in the way is looked at from the start */
	struct waits waits;         /* whom the last wait was for */
	char yields[LOCKS_TEXT];    /* the relation that a plain autovacuum holds, which ends for who waits; or "" */
	bool autovacuum_stays;      /* such a one did not end */
	long long life_ms;          /* the longest that a transaction lasted that was in the way, and has ended */

	/* the attempt under way */
	enum stall_verdict verdict;
	bool bounded;               /* its waits for locks have a time-out of their own */
	long long began_ms, next_ms, cancelled_ms;
	long long waiting_ms;       /* how long of it we were seen waiting */
	struct lock_view view;      /* what was seen last, */
	long long view_ms;          /* and when; 0: nothing yet */
	long long behind_ms;        /* since when somebody was seen at each look to wait for us; 0: nobody is */
};

/* A step begins; waits_free() and so on are stall_end()'s. */
void stall_step(struct stall *stall, const char *migration);
void stall_end(struct stall *stall);

/* An attempt begins: a transaction, or a statement that stands alone, whose waits have no time-out. */
void stall_attempt(struct stall *stall, bool bounded);

/* From the tick of a session at work: looks, where it is time to, and cancels, where it has to be. */
void stall_tick(struct stall *stall);

/* The attempt has ended; what it was cancelled for. */
enum stall_verdict stall_ended(struct stall *stall);

/*
 * Before a further attempt: waits until nobody holds what we last waited for who would outlast an attempt that waits for
 * lock_timeout_ms; until the deadline at most.  A relation that is never free is not waited for like this for ever: where
 * transactions of others follow each other without a gap, it waits for a moment in which all of them are near
 * their end.  `waiting` is called meanwhile.  Returns the time-out that the attempt should have.
 */
long long stall_look_first(struct stall *stall, long long lock_timeout_ms, void (*waiting)(void *context),
    void *context);

/* A step that a batch has met begins where that left it: others were seen waiting so long; or NUMBER_UNKNOWN. */
void stall_resume(struct stall *stall, long long worst_ms);

/* --wait is for waiting: the deadline is later by what was worked. */
void stall_extend_deadline(struct stall *stall, long long ms);

/* The text that goes in front of the transaction to make a plain autovacuum end; nothing where none is in the way. */
void stall_displace(struct stall *stall, struct bytes *sql);

/* That text failed: the autovacuum does not end for who waits.  From then on it is waited for; and whether that is so. */
void stall_autovacuum_stays(struct stall *stall);
bool stall_displaces_in_vain(const struct stall *stall);

/* For the line of progress: what we wait for, or how far it is; appends nothing where nothing is known. */
void stall_note(const struct stall *stall, struct bytes *note);

/* "pid 20117, web, shop_app from 10.0.3.21, idle in transaction for 3 min": the first of those who are in the way. */
void stall_name_holder(const struct waits *waits, struct bytes *out);

#endif
