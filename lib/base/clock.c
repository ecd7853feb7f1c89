#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/signals.h"

long long
clock_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

long long
clock_now_ms(void)
{
	return clock_now_us() / 1000;
}

long long
clock_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
clock_utc(long long wall_ms, char out[CLOCK_INSTANT])
{
	time_t then = (time_t)(wall_ms / 1000);
	struct tm utc;
	char seconds[24];

	gmtime_r(&then, &utc);
	strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(out, CLOCK_INSTANT, "%s.%03dZ", seconds, (int)(wall_ms % 1000));
}

void
clock_now_utc(char out[CLOCK_INSTANT])
{
	clock_utc(clock_wall_ms(), out);
}

void
clock_sleep_ms(long long ms)
{
	(void)signals_wait(-1, 0, ms);
}

bool
clock_parse(const char *text, long long *ms)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = { { "us", 0.001 }, { "ms", 1 }, { "s", 1000 }, { "min", 60e3 }, { "h", 3600e3 },
		{ "d", 86400e3 } };
	const char *at = text + strspn(text, " ");
	char *end;
	double number;
	size_t i;

	if (!isdigit((unsigned char)*at) && *at != '.')
		return false;       /* strtod() would take signs, hex, "inf" */
	if (strspn(at, "0123456789.") != strcspn(at, " udhms"))
		return false;
	number = strtod(at, &end);
	if (end == at)
		return false;
	end += strspn(end, " ");
	if (*end == '\0') {
		*ms = 0;
		return number == 0;
	}
	for (i = 0; i < sizeof units / sizeof *units; i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(end, units[i].name, len) == 0 && strspn(end + len, " ") == strlen(end + len)) {
			number *= units[i].ms;
			if (number > 2147483647.0)
				return false;
			*ms = (long long)(number + 0.5);
			return true;
		}
	}
	return false;
}

const char *
clock_span(long long ms, char out[CLOCK_SPAN])
{
	long long seconds = (ms + 500) / 1000;

	if (ms < 60000 - 5)
		snprintf(out, CLOCK_SPAN, "%lld.%02lld s", (ms + 5) / 1000, (ms + 5) / 10 % 100);
	else if (seconds < 3600)
		snprintf(out, CLOCK_SPAN, "%lld min %lld s", seconds / 60, seconds % 60);
	else if (seconds < 86400)
		snprintf(out, CLOCK_SPAN, "%lld h %lld min", seconds / 3600, seconds / 60 % 60);
	else
		snprintf(out, CLOCK_SPAN, "%lld d %lld h", seconds / 86400, seconds / 3600 % 24);
	return out;
}

const char *
clock_age(long long ms, char out[CLOCK_SPAN])
{
	long long seconds = ms / 1000;

	if (seconds < 120)
		snprintf(out, CLOCK_SPAN, "%lld s", seconds);
	else if (seconds < 2 * 3600)
		snprintf(out, CLOCK_SPAN, "%lld min", seconds / 60);
	else if (seconds < 2 * 86400)
		snprintf(out, CLOCK_SPAN, "%lld h", seconds / 3600);
	else
		snprintf(out, CLOCK_SPAN, "%lld d", seconds / 86400);
	return out;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static long long
days_to(long long year, int month, int day)
{
	year -= month <= 2; /* years that begin in March end with the leap day */
	month += month <= 2 ? 9 : -3;
	return year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719468;
}

long long
clock_since_ms(const char *instant)
{
	int year, month, day, hour, minute, second;
	struct timespec now;
	long long then;

	if (sscanf(instant, "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) != 6 || month < 1 ||
	    month > 12)
		return -1;
	then = ((days_to(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec > then ? ((long long)now.tv_sec - then) * 1000 : 0;
}

const char *
clock_readable(const char *instant, char out[CLOCK_INSTANT])
{
	if (instant == NULL)
		instant = "an unknown time";
	if (strlen(instant) < 20 || instant[10] != 'T') {
		snprintf(out, CLOCK_INSTANT, "%s", instant);
		return out;
	}
	snprintf(out, CLOCK_INSTANT, "%.10s %.8sZ", instant, instant + 11);
	return out;
}
