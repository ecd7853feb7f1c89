/*
 * Backoff: how long one attempt may wait for locks, and how long to pause before the next one.  All times are in
 * milliseconds.
 *
 * A waiting request for a strong lock makes every later request queue behind it, so the wait of one attempt is the
 * stall that other sessions see.  The wait starts short and doubles up to the operator's limit: a constant short
 * wait starves on a busy table, and a long one stalls the table at once.
 *
 * Pure: the caller brings the randomness.
 */
#ifndef MIG_BASE_BACKOFF_H
#define MIG_BASE_BACKOFF_H

/* The lock_timeout of the n-th attempt (from 1): at least 1, at most max_stall_ms. */
long long backoff_lock_timeout(unsigned attempt, long long max_stall_ms);

/* The pause after the n-th attempt: doubles from 250 to 5000, ±50 % by `random`. */
long long backoff_pause(unsigned attempt, unsigned random);

/* The pause between the n-th poll of a lock that another session holds and the next: 50 to 1000. */
long long backoff_poll(unsigned look, unsigned random);

#endif
