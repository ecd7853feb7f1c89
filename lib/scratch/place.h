/*
 * The folder of the scratch servers, owned by the user that they run as and closed to others.  It contains cache/,
 * clusters to start from (scratch/template.h), and run/, with one folder per running program.
 *
 * It is XDG_CACHE_HOME/mig, else ~/.cache/mig (not for root, whose home that user cannot enter), else
 * TMPDIR/mig-UID, else /tmp/mig-UID: the first one that can be created, that the user can reach, and in which a
 * socket's path is not too long.
 *
 * A run locks two files in its folder; both locks end with the processes that hold them, however those end.
 * `lock` is ours, `server.lock` the server's.  So the next run knows what a killed run left, and whether that
 * run's server still runs.
 */
#ifndef MIG_SCRATCH_PLACE_H
#define MIG_SCRATCH_PLACE_H

#include "scratch/child.h"

struct server_place {
	const struct child_user *user;
	char *base;        /* the folder */
	char *run;         /* the folder of this run in it; also contains the socket */
	int lock;          /* the lock of this run */
	int server_lock;   /* inherited by the server */
};

/*
 * Finds the folder, removes what killed runs left in it (each is reported), and creates the folder of this run.
 * Returns 0, or an exit code with the error reported.  Call place_close() in every case; it removes the folder of
 * this run.
 */
int place_open(struct server_place *place, const struct child_user *user);
void place_close(struct server_place *place);

#endif
