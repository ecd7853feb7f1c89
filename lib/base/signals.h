/*
 * SIGINT, SIGTERM and SIGHUP, for programs that must roll back before they exit.
 *
 * The handler only records the signal and wakes signals_wait().  The waiting code then asks signals_caught().  A
 * second SIGINT does no more than the first: exiting at once would leave the server to detect the lost client.
 */
#ifndef MIG_BASE_SIGNALS_H
#define MIG_BASE_SIGNALS_H

#include <stdbool.h>

/*
 * Installs the handlers and ignores SIGPIPE and SIGXFSZ, so that a lost reader or a file size limit appears as a
 * failed write.
 */
void signals_begin(void);

/*
 * For a program that has nothing to roll back: the signal ends it at once, after the handler has called `last`.
 * Ignores SIGXFSZ.
 */
void signals_end_after(void (*last)(void));

/* The signal that was caught, or 0. */
int signals_caught(void);

/* Events that signals_wait() waits for on a descriptor and returns. */
enum { SIGNALS_READ = 1, SIGNALS_WRITE = 2 };

/*
 * Waits until fd (-1: none) is ready as `want` says, for at most ms milliseconds (-1: no limit), or until a signal
 * is caught.  Returns the events that fd is ready for; an error on fd counts as ready.  Returns 0 if the time is
 * up or a signal ended the wait; with fd -1 and a signal already caught it returns at once.
 */
int signals_wait(int fd, int want, long long ms);

/*
 * Sets work to do while signals_wait() waits.  `work` runs for a few milliseconds at most and returns false when
 * there is nothing left; it is not called again then.  NULL: no work.
 */
void signals_meanwhile(bool (*work)(void *context), void *context);

/* Kills the program with the caught signal, so that the shell sees 128 + N. */
void signals_reraise(void);

#endif
