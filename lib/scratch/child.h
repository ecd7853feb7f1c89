/*
 * Work that PostgreSQL's server programs and their files want done as another user than root: what runs in a child, and
 * as whom.  Who is not root stays who he is.
 *
 * Nothing below a folder of that user is ever written or removed as root: it might be a link by then.
 */
#ifndef MIG_SCRATCH_CHILD_H
#define MIG_SCRATCH_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/bytes.h"

struct child_user {
	uid_t uid;
	gid_t gid;
	bool other;        /* it is not us: a child changes to it */
};

/* As whom servers run: us, or for root postgres, else nobody.  False: root, and there is neither. */
bool child_user_find(struct child_user *user);

/*
 * Does `work` as that user, in a child where that is another one; what it changes in memory is then lost.  Returns what
 * work returns, 0 to 255: by custom 0, or an errno.
 */
int child_do(const struct child_user *user, int (*work)(void *context), void *context);

/*
 * Starts a program, argv[0] by its path.  It reads nothing, and all that it says goes to the file `log`, which it makes.  `keep`: a descriptor that
 * it inherits, or -1.  `apart`: in a session of its own, so that Ctrl-C does not reach it.  It is ended (`death`) when
 * this process dies, where the system has that.  Returns its process, or -1 with errno.
 */
pid_t child_start(const struct child_user *user, const char *const argv[], const char *log, int keep, bool apart, int death);

/*
 * Waits until it ends, limit_ms at most (-1: as long as it takes), or until a signal is caught.  *status is that of
 * waitpid().  False: it runs still.
 */
bool child_wait(pid_t pid, long long limit_ms, int *status);

/* The last lines of what a program said, for a message; "" where there is nothing. */
void child_last_words(struct bytes *out, const char *log);

#endif
