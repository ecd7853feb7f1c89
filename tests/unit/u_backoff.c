#include "base/backoff.h"

#include "check.h"

int
main(void)
{
	unsigned n;

	for (n = 1; n < 200; n++) {
		long long timeout = backoff_lock_timeout(n, 1000), pause = backoff_pause(n, n * 2654435761U), poll = backoff_poll(n, n);

		check("a lock time-out is within what the operator allows", timeout >= 1 && timeout <= 1000);
		check("it never gets shorter", n == 1 || timeout >= backoff_lock_timeout(n - 1, 1000));
		check("a pause is between 0.125 s and 7.5 s", pause >= 125 && pause <= 7500);
		check("a look is between 25 ms and 1.5 s after the last", poll >= 25 && poll <= 1500);
	}
	check("it gets as long as allowed", backoff_lock_timeout(30, 1000) == 1000);
	check("the least is 1 ms: 0 would be without limit", backoff_lock_timeout(1, 0) == 1);
	check("attempts without number do no harm", backoff_pause(4000000000U, 0) > 0);
	return checks_failed();
}
