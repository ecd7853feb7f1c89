/*
 * A PostgreSQL server of our own: started from a copy of a cached or new cluster, and stopped when the program
 * ends.
 *
 * It listens only on a socket in the folder of this run, which only its own user can open, and does not fsync.
 * Its superuser is SERVER_ADMIN.  If several versions are installed, uses the one nearest to production's.
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
	const char *locale;  /* static text */
	char *data, *log;    /* in the folder of this run */
	pid_t pid;           /* 0: not running */
};

/* Whether there is a server that we can start here; if not, *why says what is missing. */
bool server_find(struct server *server, int major, struct bytes *why);

/* Creates the folder of this run.  Returns 0, or an exit code with the error reported. */
int server_open(struct server *server);

/*
 * Starts it from a copy of the cluster `from`; NULL: from the cached new one, which is created if missing.
 * Returns 0, or an exit code with the error reported; -ENOENT, not reported, if `from` does not exist or does not
 * start.
 */
int server_start(struct server *server, const char *from);

/* Starts it again after server_stop(), from its files.  Returns 0, or an exit code with the error reported. */
int server_resume(struct server *server);

/* Stops it; `clean`: its files will be used to start from.  Returns false if it did not stop cleanly. */
bool server_stop(struct server *server, bool clean);

/* Stops it, and removes the folder of this run. */
void server_close(struct server *server);

#endif
