/*
 * Attempt → time-outs.  How long one attempt may wait for locks, and how long to pause before the next.
 *
 * A waiting request for a strong lock makes everybody queue behind it, so the wait of one attempt is the stall
 * that others feel.  It starts short and doubles up to what the operator allows: a constant short one
 * starves on a busy table, a long one stalls it at once.
 *
 * Pure: the caller brings the randomness.
 */
#ifndef MIG_BASE_BACKOFF_H
#define MIG_BASE_BACKOFF_H

/* lock_timeout in ms of the n-th attempt (from 1), at most max_stall_ms, at least 1. */
long long backoff_lock_timeout(unsigned attempt, long long max_stall_ms);

/* How long to pause after the n-th attempt: doubling from 0.25 s to 5 s, ±50 % by `random`. */
long long backoff_pause(unsigned attempt, unsigned random);

/* How long to pause between the n-th and the next look at a lock that others hold: 50 ms to 1 s. */
long long backoff_poll(unsigned look, unsigned random);

#endif
