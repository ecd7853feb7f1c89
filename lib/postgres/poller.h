/*
 * A session with a database that is asked again and again, beside other work: nothing here waits.
 *
 * It connects when it is first asked, and again when it was lost.  One look is one round trip behind that, and is
 * given up after a time.  The server is told to end a statement of ours that takes longer, and not to queue for a lock,
 * so that a check never stands in the way of what it watches.
 */
#ifndef MIG_POSTGRES_POLLER_H
#define MIG_POSTGRES_POLLER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "postgres/connection.h"
#include "secret/source.h"

/* What a program waits for: descriptors, and a time. */
struct polls {
	struct {
		int fd;
		int want;        /* SIGNALS_READ, SIGNALS_WRITE */
	} on[64];
	size_t count;
	long long until_ms;      /* on clock_now_ms()'s clock; -1: none */
};
void polls_add(struct polls *polls, int fd, int want);
void polls_until(struct polls *polls, long long when_ms);

struct poller {
	struct source source;
	struct db *db;           /* NULL: not connected */
	long long limit_ms;      /* a look may take so long */
	bool asking;             /* connected, and the questions are on their way */
	long long began_ms;
	struct db_ask *asks;     /* the caller's, with our settings in each unit */
	size_t count;
	struct db_ask *answers;  /* the caller's */
	size_t *places, asked;   /* where they are in asks, and how many */
	struct bytes schema;
	const char *search_path; /* NULL: the role's own */
	/* of the last look */
	int code;                /* 0: it was answered; else an exit code, */
	struct bytes why;        /* and why: "cannot reach db.example.com:5432: connection refused" */
	long long took_ms;       /* how long the server took to answer */
};

/* Finds the connection string: word as of -d, or NULL.  Returns 0, or an exit code, said. */
int poller_open(struct poller *session, const char *word);
void poller_close(struct poller *session);

/* Begins a look with these questions, which are copied. */
void poller_look(struct poller *session, const struct db_ask asks[], size_t count);

/* Goes on; true: the look is over, and poller_answers() has the questions of poller_look(), answered. */
bool poller_go_on(struct poller *session, struct polls *polls);
struct db_ask *poller_answers(struct poller *session);

#endif
