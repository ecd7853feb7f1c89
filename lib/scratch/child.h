/*
 * Runs work as another user in a child process.  PostgreSQL's server programs refuse to run as root.  A user other
 * than root stays the same.
 *
 * Nothing below a folder of that user is ever written or removed as root, because it might have been replaced by a
 * link.
 */
#ifndef MIG_SCRATCH_CHILD_H
#define MIG_SCRATCH_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/bytes.h"

struct child_user {
	uid_t uid;
	gid_t gid;
	bool other;        /* not our own uid: a child changes to it */
};

/*
 * Finds the user that servers run as: ourselves, or for root postgres, else nobody.  Returns false for root if
 * neither exists.
 */
bool child_user_find(struct child_user *user);

/*
 * Runs `work` as that user, in a child process if it is another user; changes to memory are then lost.  Returns
 * the value of work, 0 to 255: by convention 0, or an errno.
 */
int child_do(const struct child_user *user, int (*work)(void *context), void *context);

/*
 * Starts the program with path argv[0].  Its standard input is empty, and its output goes to the file `log`, which
 * is created.  `keep`: a descriptor that it inherits, or -1.  `apart`: starts it in a session of its own, so that
 * Ctrl-C does not reach it.  It receives the signal `death` when this process dies, if the system supports that.
 * Returns the pid, or -1 with errno.
 */
pid_t child_start(const struct child_user *user, const char *const argv[], const char *log, int keep, bool apart, int death);

/*
 * Waits until it exits, for at most limit_ms (-1: no limit), or until a signal is caught.  *status is that of
 * waitpid().  Returns false if it is still running.
 */
bool child_wait(pid_t pid, long long limit_ms, int *status);

/* The last lines of a program's output, for a message; "" if there are none. */
void child_last_words(struct bytes *out, const char *log);

#endif
