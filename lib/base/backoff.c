#include "base/backoff.h"

/* start, doubled n - 1 times, at most limit */
static long long
doubled(long long start, unsigned n, long long limit)
{
	while (--n > 0 && start < limit)
		start *= 2;
	return start < limit ? start : limit;
}

/* value ± 50 % */
static long long
jittered(long long value, unsigned random)
{
	return value / 2 + value * (long long)(random % 1024) / 1024;
}

long long
backoff_lock_timeout(unsigned attempt, long long max_stall_ms)
{
	long long ms = doubled(100, attempt, max_stall_ms);

	return ms > 0 ? ms : 1; /* 0 would be "for ever" */
}

long long
backoff_pause(unsigned attempt, unsigned random)
{
	return jittered(doubled(250, attempt, 5000), random);
}

long long
backoff_poll(unsigned look, unsigned random)
{
	return jittered(doubled(50, look, 1000), random);
}
