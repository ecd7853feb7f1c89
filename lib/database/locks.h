/*
 * Lock view: a second connection that shows who waits for whom around the migrating session.
 *
 * Works for a role that sees only its own sessions: pg_locks is visible to every role, and for the holding
 * sessions such a role sees process, user and database.
 */
#ifndef MIG_DATABASE_LOCKS_H
#define MIG_DATABASE_LOCKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/page.h"
#include "postgres/connection.h"
#include "secret/source.h"

/* A session that holds a lock that ours waits for. */
struct holder {
	struct page_session session; /* its age is that of its transaction */
	const char *transaction;  /* distinguishes transactions of the session; NULL: not requested */
	bool yields;              /* an autovacuum that is cancelled when another session waits for it longer
	                           * than deadlock_timeout */
};

/* What a session waits for, and the sessions that hold it. */
struct waits {
	const char *relation;     /* as SQL name; NULL: it waits for something else */
	const char *mode;         /* "ACCESS EXCLUSIVE" */
	const char *oid;          /* of the relation */
	const char *lock;         /* the mode, in the server's spelling */
	struct holder *holders;
	size_t count;
	struct answer *answer;    /* owns the texts */
};

/* A snapshot of one session. */
#define LOCKS_TEXT 160
struct lock_view {
	bool waiting;             /* it waits for a lock itself */
	size_t behind;            /* number of sessions that wait for it */
	long long longest_ms;     /* the longest of these waits */
	char relation[LOCKS_TEXT]; /* the relation of that wait; "" if it is not a relation */
	char progress[LOCKS_TEXT]; /* "index: building index: scanning table, 62 %", or "" */
};

/*
 * Parameter $1: a relation's oid.  Returns the prepared transactions that lock it, oldest first: gid as SQL
 * string, owner.
 */
extern const char locks_prepared_sql[];

struct lock_watch;

/*
 * Connects.  The watcher is optional: returns NULL on failure; *refused as in db_try_open().  limit_ms: the most
 * that connecting, and then each query, may take; 0: 3 s.
 */
struct lock_watch *locks_open(struct source *source, const char *application, long long limit_ms, bool *refused);
void locks_close(struct lock_watch *watch);

/* Whether its connection is lost; it then sees nothing any more. */
bool locks_is_lost(const struct lock_watch *watch);

/*
 * Reads which sessions wait for the session `pid`, and its progress.  Counts only locks that block traffic (SHARE
 * and stronger, and rows), and only sessions that may be traffic: a request for SHARE UPDATE EXCLUSIVE is a VACUUM
 * or the like, and a session that waits for the deploy lock is another deployer.  Returns false if nothing could
 * be seen.
 */
bool locks_look(struct lock_watch *watch, int pid, struct lock_view *view);

/*
 * Reads which sessions `pid` waits for.  If it waits, replaces *waits; otherwise leaves *waits alone, so that the
 * last state is kept.
 */
void locks_waits(struct lock_watch *watch, int pid, struct waits *waits);

/*
 * Reads the current holders of what `waits` was about, except the session `pid`, into *holders, which is replaced.
 * Returns false if nothing could be seen.
 */
bool locks_holders(struct lock_watch *watch, int pid, const struct waits *waits, struct waits *holders);

/*
 * Reads the state of the process `pid`, which serves a session of ours.  `sure`: the number came from the server;
 * otherwise a pooler may have made it up, which is checked by comparison with the watcher's own.
 */
enum backend {
	BACKEND_NOT_SEEN,    /* the watcher could not query: connection lost, or no answer */
	BACKEND_NOT_KNOWN,   /* a server answered, but it cannot tell */
	BACKEND_WORKS,
	BACKEND_WAITS,       /* it waits for its client: for a statement, or for its output to be read */
	BACKEND_GONE
};
#define LOCKS_SINCE 96
enum backend locks_backend(struct lock_watch *watch, int pid, bool sure, char since[LOCKS_SINCE]);

/*
 * Terminates that process if it has been waiting like that since `since`; its locks are released and its
 * transaction is rolled back.
 */
void locks_end_backend(struct lock_watch *watch, int pid, const char *since);

/* The server's deadlock_timeout in ms. */
long long locks_deadlock_ms(struct lock_watch *watch);

void waits_free(struct waits *waits);

#endif
