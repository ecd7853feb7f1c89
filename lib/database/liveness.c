#include "database/liveness.h"

#include <string.h>

#include "base/message.h"

enum {
	LIMIT_MS = 10000,     /* a server under load may be slow to accept a connection */
	PATIENCE_MS = 30000
};

static const char lost_waits[] = "the answer was lost: nothing was received, and the server process is idle",
	lost_gone[] = "nothing was received, and the server process is gone",
	lost_silent[] = "nothing was received, and a second connection could not reach the server either";

static enum backend
look(struct liveness *l, char since[LOCKS_SINCE])
{
	enum backend backend;
	bool refused = false;

	if (*l->watch == NULL)
		*l->watch = locks_open(l->source, l->application, LIMIT_MS, &refused);
	if (*l->watch == NULL)
		return refused ? BACKEND_NOT_KNOWN : BACKEND_NOT_SEEN;
	if (db_backend_pid(l->db) != 0)
		l->pid = db_backend_pid(l->db);
	backend = locks_backend(*l->watch, l->pid, l->pid_is_sure, since);
	if (locks_is_lost(*l->watch)) {
		locks_close(*l->watch);
		*l->watch = NULL;
	}
	return backend;
}

static void
on_silence(void *context, long long ms)
{
	struct liveness *l = context;
	char since[LOCKS_SINCE] = "";
	enum backend backend = look(l, since);
	bool again = l->waits && strcmp(since, l->since) == 0;
	long long least = l->patience_ms > PATIENCE_MS ? l->patience_ms : PATIENCE_MS;

	if (ms < l->asked_ms) /* something came in between */
		l->asked_ms = 0;
	l->waits = backend == BACKEND_WAITS;
	memcpy(l->since, since, sizeof l->since);
	switch (backend) {
	case BACKEND_NOT_SEEN:
		message_verbose("no answer for %lld s, and the server could not be asked for pid %d", ms / 1000,
		    db_backend_pid(l->db));
		if (ms - l->asked_ms >= least)
			db_hang_up(l->db, lost_silent);
		return;
	case BACKEND_GONE:
		db_hang_up(l->db, lost_gone);
		return;
	case BACKEND_WAITS:
		if (again) {
			locks_end_backend(*l->watch, l->pid, since);
			db_hang_up(l->db, lost_waits);
		}
		break;
	case BACKEND_WORKS:
	case BACKEND_NOT_KNOWN:
		break;
	}
	l->asked_ms = ms;
}

void
liveness_end_left_behind(struct liveness *l)
{
	char since[LOCKS_SINCE] = "";
	bool waits = look(l, since) == BACKEND_WAITS;

	if (waits && l->waits && strcmp(since, l->since) == 0)
		locks_end_backend(*l->watch, l->pid, since);
	l->waits = waits;
	memcpy(l->since, since, sizeof l->since);
}

void
liveness_begin(struct liveness *l)
{
	l->waits = false;
	l->asked_ms = 0;
	l->pid = db_backend_pid(l->db);
	db_on_silence(l->db, on_silence, l);
}
