/*
 * SIGINT, SIGTERM and SIGHUP, for programs that must roll back before they end.
 *
 * The handler only notes the signal and wakes signals_wait().  Who waits asks signals_caught() then.
 * A second SIGINT is like the first: ending a deploy at once would leave the server to find out.
 */
#ifndef MIG_BASE_SIGNALS_H
#define MIG_BASE_SIGNALS_H

#include <stdbool.h>

/* Installs the handlers and ignores SIGPIPE and SIGXFSZ: a lost reader and a limit show as a failed write. */
void signals_begin(void);

/*
 * For a program that has nothing to roll back: the signal ends it at once, but `last` is called before, in the handler.
 * Ignores SIGXFSZ.
 */
void signals_end_after(void (*last)(void));

/* The signal that arrived, or 0. */
int signals_caught(void);

/* What signals_wait() waits for on a descriptor, and what it found. */
enum { SIGNALS_READ = 1, SIGNALS_WRITE = 2 };

/*
 * Waits until fd (-1: none) can be read or written as `want` says, ms milliseconds at most (-1: for
 * ever), or until a signal is caught.  Returns what fd is ready for: an error on fd counts as ready;
 * 0 when time or a signal ended the wait, at once where a signal had been caught before and fd is -1.
 */
int signals_wait(int fd, int want, long long ms);

/*
 * What to do while signals_wait() would only wait: `work` does a piece of a few milliseconds at most, and returns false
 * when there is no more of it, and then is not called again.  NULL: nothing.
 */
void signals_meanwhile(bool (*work)(void *context), void *context);

/* Ends the program as the caught signal would have: so that the shell sees 128 + N. */
void signals_reraise(void);

#endif
