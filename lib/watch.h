/*
 * Who waits for whom: a second connection that looks at the session that migrates.
 */
#ifndef MIG_WATCH_H
#define MIG_WATCH_H

#include <stddef.h>

#include "database.h"
#include "source.h"

/* A session that holds what ours waits for.  NULL or RECORD_NULL: not known, or the role may not see it. */
struct holder {
	long long pid;            /* 0: a prepared transaction */
	const char *user;
	const char *client;       /* address; NULL: local */
	const char *application;
	const char *state;        /* "idle in transaction", ... */
	long long age_ms;         /* of its transaction */
	const char *word;         /* the first word of its statement */
	const char *kind;         /* backend_type: "client backend", "autovacuum worker", ... */
};

/* What was seen at one look. */
struct waits {
	const char *relation;     /* as SQL writes it; NULL: it waits for something else */
	const char *mode;         /* "ACCESS EXCLUSIVE" */
	struct holder *holders;
	size_t count;
	struct answer *answer;    /* owns the texts */
};

struct watch;

/* Connects.  A watcher is a convenience: NULL, with a word in -v, where it cannot. */
struct watch *watch_open(struct source *source);
void watch_close(struct watch *watch);

/*
 * Looks whom the session `pid` waits for now.  Where it waits for somebody, replaces what *waits has;
 * else leaves it alone, so that the last sight is kept.
 */
void watch_look(struct watch *watch, int pid, struct waits *waits);
void waits_free(struct waits *waits);

#endif
