/*
 * Where scratch servers live: a folder of the user that they run as, which nobody else may look into.  In it are cache/,
 * clusters to start from (scratch/template.h), and run/, a folder for each run that goes on.
 *
 * It is XDG_CACHE_HOME/mig, else (not for root, whose home that user may not enter) ~/.cache/mig, else TMPDIR/mig-UID, else /tmp/mig-UID: the first that can be made, that
 * the user can get to, and in which a socket's path is not too long.
 *
 * A run has two locks on files in its folder, which end with the processes that hold them, however those end: `lock` is
 * ours, `server.lock` the server's.  So the next run knows what a killed one left, and whether its server is still there.
 */
#ifndef MIG_SCRATCH_PLACE_H
#define MIG_SCRATCH_PLACE_H

#include "scratch/child.h"

struct server_place {
	const struct child_user *user;
	char *base;        /* the folder */
	char *run;         /* this run's folder in it: also that of the socket */
	int lock;          /* of this run */
	int server_lock;   /* for the server to inherit */
};

/*
 * Finds the folder, removes what killed runs left in it, with a word about each, and makes this run's folder.  Returns 0,
 * or an exit code, said.  place_close() is due in any case; it removes the run's folder.
 */
int place_open(struct server_place *place, const struct child_user *user);
void place_close(struct server_place *place);

#endif
