/*
 * Time: spans as people write them, instants as records carry them.
 * Only the *_now functions read a clock.
 */
#ifndef MIG_BASE_CLOCK_H
#define MIG_BASE_CLOCK_H

#include <stdbool.h>

/* Milliseconds and microseconds on a clock that only goes forward; for deadlines and durations. */
long long clock_now_ms(void);
long long clock_now_us(void);

/* The wall clock in UTC: "2026-11-20T15:04:31.118Z".  Fits in 32 bytes. */
#define CLOCK_INSTANT 32
void clock_now_utc(char out[CLOCK_INSTANT]);

/* Sleeps, unless a signal that ends the program arrives. */
void clock_sleep_ms(long long ms);

/*
 * A TIME as PostgreSQL writes it: a number, decimals allowed, and one of us, ms, s, min, h, d (blanks
 * between them are fine).  A bare number is refused, since it could be anything: except 0.
 * Returns false for what is no time, is negative, or is over 2^31 ms, as server settings are.
 */
bool clock_parse(const char *text, long long *ms);

/* "0.31 s", "12 s" is "12.00 s"; from a minute on "1 min 55 s", "2 h 5 min", "3 d 4 h".  Fits. */
#define CLOCK_SPAN 32
const char *clock_span(long long ms, char out[CLOCK_SPAN]);

/* Ages of what goes on, in whole units: "41 s", "12 min", "3 h", "2 d". */
const char *clock_age(long long ms, char out[CLOCK_SPAN]);

/* How long ago an instant "2026-11-20T15:04:31.118Z" was, by the wall clock; -1: it is no instant. */
long long clock_since_ms(const char *instant);

/* "2026-11-20T15:04:31.118000Z" as people read it: "2026-11-20 15:04:31Z".  What is no instant comes
 * back as it is, cut to size; NULL as "an unknown time". */
const char *clock_readable(const char *instant, char out[CLOCK_INSTANT]);

#endif
