#include "postgres/cancel.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"

enum { ARRIVES_MS = 2000 };

enum state { ON_ITS_WAY, TAKEN, REFUSED, DROPPED };

struct cancel {
	PGcancel *request;
	atomic_int state;   /* who finds that the other one is done with it frees it */
	long long began_ms;
	char why[256];
};

static void
cancel_free(struct cancel *c)
{
	PQfreeCancel(c->request);
	free(c);
}

static void *
run(void *context)
{
	struct cancel *c = context;
	int on_its_way = ON_ITS_WAY;
	bool taken = PQcancel(c->request, c->why, sizeof c->why);

	if (!atomic_compare_exchange_strong(&c->state, &on_its_way, taken ? TAKEN : REFUSED))
		cancel_free(c);
	return NULL;
}

/* Signals stay the main thread's. */
static bool
start(struct cancel *c)
{
	pthread_t thread;
	sigset_t all, before;
	bool started;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&thread, NULL, run, c) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started)
		(void)pthread_detach(thread);
	return started;
}

void
cancel_send(struct cancel **last, struct pg_conn *conn)
{
	struct cancel *c = *last;
	PGcancel *request;

	if (c != NULL && atomic_load(&c->state) == ON_ITS_WAY && clock_now_ms() - c->began_ms < ARRIVES_MS)
		return;
	cancel_drop(last);
	if ((request = PQgetCancel(conn)) == NULL)
		return;
	c = xcalloc(1, sizeof *c);
	c->request = request;
	c->began_ms = clock_now_ms();
	if (start(c))
		*last = c;
	else
		cancel_free(c);
}

void
cancel_settle(struct cancel **last)
{
	struct cancel *c = *last;

	while (c != NULL && atomic_load(&c->state) == ON_ITS_WAY && clock_now_ms() - c->began_ms < ARRIVES_MS)
		clock_sleep_ms(1);
	if (c != NULL && atomic_load(&c->state) != ON_ITS_WAY)
		cancel_drop(last);
}

void
cancel_drop(struct cancel **last)
{
	struct cancel *c = *last;
	int on_its_way = ON_ITS_WAY;

	*last = NULL;
	if (c == NULL || atomic_compare_exchange_strong(&c->state, &on_its_way, DROPPED))
		return;
	if (on_its_way == REFUSED)
		message_verbose("the server did not accept the cancel request: %s", c->why);
	cancel_free(c);
}
