/*
 * Time: durations as users write them, timestamps as records contain them.  Only the *_now functions read a clock.
 */
#ifndef MIG_BASE_CLOCK_H
#define MIG_BASE_CLOCK_H

#include <stdbool.h>

/* A monotonic clock in milliseconds and microseconds, for deadlines and durations. */
long long clock_now_ms(void);
long long clock_now_us(void);

/* The wall clock, in milliseconds since 1970. */
long long clock_wall_ms(void);

/* The wall clock in UTC: "2026-11-20T15:04:31.118Z". */
#define CLOCK_INSTANT 32
void clock_now_utc(char out[CLOCK_INSTANT]);
/* Such a time in the same form. */
void clock_utc(long long wall_ms, char out[CLOCK_INSTANT]);

/* Sleeps; returns early if a signal that ends the program arrives. */
void clock_sleep_ms(long long ms);

/*
 * Parses a TIME in PostgreSQL's format: a number, decimals allowed, and a unit: us, ms, s, min, h or d; blanks
 * between them are fine.  A number without a unit is refused, except 0.  Returns false if text is not a time, is
 * negative, or exceeds 2^31 ms, the limit of server settings.
 */
bool clock_parse(const char *text, long long *ms);

/*
 * Writes a duration: "0.31 s", "12.00 s"; from one minute on "1 min 55 s", "2 h 5 min", "3 d 4 h".  Returns out.
 */
#define CLOCK_SPAN 32
const char *clock_span(long long ms, char out[CLOCK_SPAN]);

/* Writes the age of something in progress, in whole units: "41 s", "12 min", "3 h", "2 d".  Returns out. */
const char *clock_age(long long ms, char out[CLOCK_SPAN]);

/* Milliseconds since the timestamp "2026-11-20T15:04:31.118Z", by the wall clock; -1 if it is not a timestamp. */
long long clock_since_ms(const char *instant);

/*
 * Writes "2026-11-20T15:04:31.118000Z" as "2026-11-20 15:04:31Z".  Text that is not a timestamp is copied,
 * truncated to size; NULL gives "an unknown time".  Returns out.
 */
const char *clock_readable(const char *instant, char out[CLOCK_INSTANT]);

#endif
