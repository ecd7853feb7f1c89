/*
 * A PostgreSQL server of our own: started from a copy of a cached cluster, or of a new one, and ended with us.
 *
 * It listens on a socket in this run's folder alone, which only the user that it runs as can open, and syncs nothing.
 * Its superuser is SERVER_ADMIN.  Where there are several releases the one nearest to production's is taken.
 */
#ifndef MIG_SCRATCH_SERVER_H
#define MIG_SCRATCH_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "scratch/child.h"
#include "scratch/place.h"
#include "scratch/programs.h"

#define SERVER_ADMIN "mig_admin"
#define SERVER_TIME_ZONE "UTC"

struct server {
	struct child_user user;
	struct programs programs;
	struct server_place place;
	const char *locale;  /* static */
	char *data, *log;    /* in the run's folder */
	pid_t pid;           /* 0: it does not run */
};

/* Whether there is one that can be started, here and by us; else *why says what is missing. */
bool server_find(struct server *server, int major, struct bytes *why);

/* Makes this run's folder.  Returns 0, or an exit code, said. */
int server_open(struct server *server);

/*
 * Starts it, from a copy of the cluster `from`, or where that is NULL from the cached new one, which is made where there
 * is none.  Returns 0, or an exit code, said; ENOENT negated, unsaid, where `from` is not there or does not start.
 */
int server_start(struct server *server, const char *from);

/* Ends it; `clean`: its files are to be started from again.  False: it did not end cleanly. */
bool server_stop(struct server *server, bool clean);

/* Ends it, and removes this run's folder. */
void server_close(struct server *server);

#endif
