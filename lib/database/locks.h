/*
 * Who waits for whom: a second connection that looks at the session that migrates.
 *
 * All of it works for a role that may see no more than its own sessions: the locks are there for everybody; of the
 * sessions that hold them such a role sees the process, the user and the database.
 */
#ifndef MIG_DATABASE_LOCKS_H
#define MIG_DATABASE_LOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/page.h"
#include "postgres/connection.h"
#include "secret/source.h"

/* A session that holds what ours waits for. */
struct holder {
	struct page_session session; /* its age is that of its transaction */
	const char *transaction;  /* tells one transaction of the session from the next; NULL: not asked for */
	bool yields;              /* an autovacuum that ends when somebody waits for it longer than deadlock_timeout */
};

/* What a session waits for, and who has it. */
struct waits {
	const char *relation;     /* as SQL writes it; NULL: it waits for something else */
	const char *mode;         /* "ACCESS EXCLUSIVE" */
	const char *oid;          /* of the relation, */
	const char *lock;         /* and the mode, as the server names it */
	struct holder *holders;
	size_t count;
	struct answer *answer;    /* owns the texts */
};

/* One look at a session. */
#define LOCKS_TEXT 160
struct lock_view {
	bool waiting;             /* it waits for a lock itself */
	size_t behind;            /* so many sessions wait for it, */
	long long longest_ms;     /* this one for the longest time, */
	char relation[LOCKS_TEXT]; /* for this; "" where it is no relation */
	char progress[LOCKS_TEXT]; /* "index: building index: scanning table, 62 %", or "" */
};

/* Parameter $1: a relation's oid.  Of the prepared transactions that hold it, the oldest first: gid as SQL has it, owner. */
extern const char locks_prepared_sql[];

struct lock_watch;

/*
 * Connects.  A watcher is a convenience: NULL where it cannot; *refused as db_try_open() has it.  limit_ms: the most that
 * this, and then each look, may take; 0: 3 s.
 */
struct lock_watch *locks_open(struct source *source, const char *application, long long limit_ms, bool *refused);
void locks_close(struct lock_watch *watch);

/* Whether its connection is gone: it sees nothing any more. */
bool locks_is_lost(const struct lock_watch *watch);

/*
 * Whom the session `pid` keeps waiting, and how far it is.  Only locks that stop traffic count, SHARE and stronger, and
 * rows; and only sessions that may be traffic: who wants SHARE UPDATE EXCLUSIVE is a VACUUM or the like, and who waits
 * for the deploy lock is another deployer.  False where nothing could be seen.
 */
bool locks_look(struct lock_watch *watch, int pid, struct lock_view *view);

/*
 * Whom the session `pid` waits for now.  Where it waits for somebody, replaces what *waits has; else leaves it
 * alone, so that the last view is kept.
 */
void locks_waits(struct lock_watch *watch, int pid, struct waits *waits);

/* Who holds now what `waits` was about, but for the session `pid`, into *holders, which is replaced.  False where nothing
 * could be seen. */
bool locks_holders(struct lock_watch *watch, int pid, const struct waits *waits, struct waits *holders);

/*
 * What the process `pid` is at, that some session of ours belongs to.  `sure`: that number is the server's own; else it may
 * be one that a pooler made up, which is asked for by looking at the watcher's.
 */
enum backend {
	BACKEND_NOT_SEEN,    /* the watcher could not ask: it is lost, or has no answer */
	BACKEND_NOT_KNOWN,   /* it asked a server, but one that cannot tell */
	BACKEND_WORKS,
	BACKEND_WAITS,       /* it waits for its client: for a statement, or for what it says to be taken */
	BACKEND_GONE
};
#define LOCKS_SINCE 96
enum backend locks_backend(struct lock_watch *watch, int pid, bool sure, char since[LOCKS_SINCE]);

/* Ends that process where it still waits like that, since `since`: its locks go, and what it did not commit. */
void locks_end_backend(struct lock_watch *watch, int pid, const char *since);

/* The server's deadlock_timeout. */
long long locks_deadlock_ms(struct lock_watch *watch);

void waits_free(struct waits *waits);

#endif
