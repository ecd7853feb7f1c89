#include "plan/estimate.h"

#include <stddef.h>
#include <string.h>

#include "base/null.h"
#include "records/words.h"

enum { SCAN_BYTES_MS = 1000000, REWRITE_BYTES_MS = 75000, BUILD_ROWS_MS = 1500, BUILD_BYTES_MS = 150000 };

const struct load *
estimate_load(const struct rehearsal_records *r, const char *schema, const char *relation)
{
	size_t i;

	for (i = 0; i < r->load_count; i++)
		if (strcmp(r->loads[i].schema, schema) == 0 && strcmp(r->loads[i].relation, relation) == 0)
			return &r->loads[i];
	return NULL;
}

long long
estimate_work_ms(const struct rehearsal_records *r, const struct effect *e)
{
	const struct load *l;

	if (e->effect != EFFECT_SCAN && e->effect != EFFECT_REWRITE && e->effect != EFFECT_BUILD && e->effect != EFFECT_MOVE)
		return 0;
	if ((l = estimate_load(r, e->schema, e->relation)) == NULL)
		return NUMBER_UNKNOWN;
	switch (e->effect) {
	case EFFECT_SCAN:
		return l->main_bytes / SCAN_BYTES_MS;
	case EFFECT_BUILD:
		return l->rows != NUMBER_UNKNOWN ? l->rows / BUILD_ROWS_MS : l->main_bytes / BUILD_BYTES_MS;
	default:
		return (l->main_bytes + l->toast_bytes + l->index_bytes) / REWRITE_BYTES_MS;
	}
}

/* --- in words --- */

/* Two digits at most, of whatever unit. */
static void
number(struct bytes *out, long long ms, long long unit)
{
	if (ms * 10 < unit * 95)
		bytes_format(out, "%lld.%lld", (ms * 10 + unit / 2) / unit / 10, (ms * 10 + unit / 2) / unit % 10);
	else if (ms < unit * 100)
		bytes_format(out, "%lld", (ms + unit / 2) / unit);
	else
		bytes_format(out, "%lld", (ms + unit * 5) / unit / 10 * 10);
}

void
estimate_band(struct bytes *out, long long ms)
{
	enum { SECOND = 1000, MINUTE = 60000 };
	long long unit = ms >= 2 * MINUTE ? MINUTE : SECOND;

	number(out, ms / 3, unit);
	bytes_str(out, "–");
	number(out, ms * 3, unit);
	bytes_str(out, unit == MINUTE ? " min" : " s");
}

void
estimate_rate(struct bytes *out, long long calls, long long counted_ms)
{
	static const struct {
		long long ms;
		const char *unit;
	} units[] = { { 1000, "s" }, { 60000, "min" }, { 3600000, "h" } };
	size_t i;

	for (i = 0; counted_ms != NUMBER_UNKNOWN && i < sizeof units / sizeof *units; i++)
		if (counted_ms >= units[i].ms && calls / (counted_ms / units[i].ms) > 0) {
			bytes_format(out, ", %lld/%s", calls / (counted_ms / units[i].ms), units[i].unit);
			return;
		}
}

/* 41000000, "rows": "41 M rows". */
static void
large(struct bytes *out, long long n, long long base, const char *const units[])
{
	size_t i = 0;
	long long unit = 1;

	for (; units[i + 1] != NULL && n / unit >= base; i++)
		unit *= base;
	if (i == 0)
		bytes_format(out, "%lld%s", n, units[0]);
	else if (n < unit * 10)
		bytes_format(out, "%lld.%lld%s", n / unit, n % unit * 10 / unit, units[i]);
	else
		bytes_format(out, "%lld%s", n / unit, units[i]);
}

void
estimate_size(struct bytes *out, const struct load *l)
{
	static const char *const counts[] = { " rows", " k rows", " M rows", " G rows", NULL };
	static const char *const sizes[] = { " bytes", " kB", " MB", " GB", " TB", NULL };

	if (l->rows != NUMBER_UNKNOWN) {
		large(out, l->rows, 1000, counts);
		bytes_str(out, ", ");
	}
	large(out, l->main_bytes + l->toast_bytes + l->index_bytes, 1000, sizes);
	if (l->reads_per_s != NUMBER_UNKNOWN && l->writes_per_s != NUMBER_UNKNOWN)
		bytes_format(out, ", %lld reads and %lld writes a second", l->reads_per_s, l->writes_per_s);
}
