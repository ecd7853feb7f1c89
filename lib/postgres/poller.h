/*
 * A session that queries a database repeatedly next to other work: nothing here blocks.
 *
 * It connects on the first query, and reconnects when the connection was lost.  One poll is one round trip after
 * that, and is given up after limit_ms.  Its settings make the server end a statement of ours that takes longer,
 * and not queue for a lock, so that a check never blocks what it monitors.
 */
#ifndef MIG_POSTGRES_POLLER_H
#define MIG_POSTGRES_POLLER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "postgres/connection.h"
#include "secret/source.h"

/* Descriptors and a time that a program waits for. */
struct polls {
	struct {
		int fd;
		int want;        /* SIGNALS_READ, SIGNALS_WRITE */
	} on[64];
	size_t count;
	long long until_ms;      /* deadline on clock_now_ms()'s clock; -1: none */
};
void polls_add(struct polls *polls, int fd, int want);
void polls_until(struct polls *polls, long long when_ms);

struct poller {
	struct source source;
	struct db *db;           /* NULL: not connected */
	long long limit_ms;      /* the most that a poll may take */
	bool asking;             /* connected, and the queries were sent */
	long long began_ms;
	struct db_ask *asks;     /* the caller's, with our settings in each unit */
	size_t count;
	struct db_ask *answers;  /* the caller's */
	size_t *places, asked;   /* their positions in asks, and their number */
	struct bytes schema;
	const char *search_path; /* NULL: the role's own */
	/* Of the last poll: */
	int code;                /* 0: answered; else an exit code */
	struct bytes why;        /* the reason: "cannot reach db.example.com:5432: connection refused" */
	struct bytes grant;      /* what lets the role connect; mostly empty */
	long long took_ms;       /* response time of the server */
};

/*
 * Finds the connection string: word is the value of -d, schema that of --schema, or NULL.  Returns 0, or an exit code with the error
 * reported.
 */
int poller_open(struct poller *session, const char *word, const char *schema);
void poller_close(struct poller *session);

/* Begins a poll with these queries, which are copied. */
void poller_look(struct poller *session, const struct db_ask asks[], size_t count);

/*
 * Advances the poll; true: it is finished, and poller_answers() returns the queries of poller_look() with their
 * answers.
 */
bool poller_go_on(struct poller *session, struct polls *polls);
struct db_ask *poller_answers(struct poller *session);

#endif
