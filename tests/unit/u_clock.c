#include "base/clock.h"

#include "check.h"

/* A TIME → milliseconds, or -1: refused. */
static const struct {
	const char *text;
	long long ms;
} times[] = {
	{ "0", 0 }, { " 0 ", 0 }, { "1ms", 1 }, { "1500us", 2 }, { "1.5 s", 1500 }, { ".5s", 500 }, { "2min", 120000 },
	{ "1h", 3600000 }, { "1d", 86400000 }, { "24.8d", 2142720000 },
	{ "5", -1 }, { "", -1 }, { " ", -1 }, { "-1s", -1 }, { "+1s", -1 }, { "1e3s", -1 }, { "0x1s", -1 }, { "inf", -1 },
	{ "nan", -1 }, { "25d", -1 }, { "1m", -1 }, { "1 s s", -1 }, { "1.2.3s", -1 }, { "1S", -1 }, { "s", -1 },
};

static const struct {
	long long ms;
	const char *span, *age;
} spans[] = {
	{ 0, "0.00 s", "0 s" }, { 4, "0.00 s", "0 s" }, { 5, "0.01 s", "0 s" }, { 994, "0.99 s", "0 s" },
	{ 999, "1.00 s", "0 s" }, { 59994, "59.99 s", "59 s" }, { 59995, "1 min 0 s", "59 s" }, { 115000, "1 min 55 s", "115 s" },
	{ 120000, "2 min 0 s", "2 min" }, { 7200000, "2 h 0 min", "2 h" }, { 172800000, "2 d 0 h", "2 d" },
};

int
main(void)
{
	char out[CLOCK_SPAN], instant[CLOCK_INSTANT];
	size_t i;

	for (i = 0; i < sizeof times / sizeof *times; i++) {
		long long ms = -1;
		bool taken = clock_parse(times[i].text, &ms);

		check(times[i].text, taken == (times[i].ms >= 0) && (!taken || ms == times[i].ms));
	}
	for (i = 0; i < sizeof spans / sizeof *spans; i++) {
		check_text("clock_span", clock_span(spans[i].ms, out), spans[i].span);
		check_text("clock_age", clock_age(spans[i].ms, out), spans[i].age);
	}
	check_text("readable", clock_readable("2026-11-20T15:04:31.118000Z", instant), "2026-11-20 15:04:31Z");
	check_text("readable, infinity", clock_readable("infinity", instant), "infinity");
	check_text("readable, NULL", clock_readable(NULL, instant), "an unknown time");
	check("an instant of long ago", clock_since_ms("1970-01-01T00:00:00Z") > 1700000000000LL);
	check("no instant", clock_since_ms("yesterday") == -1);
	return checks_failed();
}
