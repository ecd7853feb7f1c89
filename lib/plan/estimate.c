#include "plan/estimate.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/null.h"
#include "records/words.h"

enum { SCAN_BYTES_MS = 1000000, KEY_BYTES_MS = 500000, REWRITE_BYTES_MS = 75000, BUILD_ROWS_MS = 1500, BUILD_BYTES_MS = 150000 };

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
		/* only a foreign key reads all rows under this lock, and looks each of them up */
		return l->main_bytes / (e->mode == LOCK_SHARE_ROW_EXCLUSIVE ? KEY_BYTES_MS : SCAN_BYTES_MS);
	case EFFECT_BUILD:
		return l->rows != NUMBER_UNKNOWN ? l->rows / BUILD_ROWS_MS + l->main_bytes / SCAN_BYTES_MS : l->main_bytes / BUILD_BYTES_MS;
	default:
		return (l->main_bytes + l->toast_bytes + l->index_bytes) / REWRITE_BYTES_MS;
	}
}

long long
estimate_held_ms(const struct effects_view *view, const struct effect *lock, long long *longest)
{
	long long last = effects_last_work(view, lock->statement), sum = 0, most = -1;
	size_t i;

	*longest = lock->statement;
	for (i = 0; i < view->count; i++) {
		const struct effect *e = &view->list[i];
		long long ms;

		if (e->statement < lock->statement || e->statement > last)
			continue;
		ms = estimate_work_ms(view->rehearsed, e);
		if (ms == NUMBER_UNKNOWN)
			continue; /* what the size is not known of is not guessed at */
		sum += ms;
		if (ms > most && effects_is_work(e)) {
			most = ms;
			*longest = e->statement;
		}
	}
	return sum;
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

bool
estimate_is_short(long long ms)
{
	enum { SHORT = 100 };

	return ms * 3 < SHORT;
}

void
estimate_band(struct bytes *out, long long ms)
{
	enum { SECOND = 1000, MINUTE = 60000 };
	long long unit = ms >= 2 * MINUTE ? MINUTE : ms * 3 >= SECOND ? SECOND : 1;

	if (estimate_is_short(ms)) {
		bytes_str(out, "less than 0.1 s");
		return;
	}
	bytes_str(out, "about ");
	number(out, ms / 3, unit);
	bytes_str(out, "–");
	number(out, ms * 3, unit);
	bytes_str(out, unit == MINUTE ? " min" : unit == SECOND ? " s" : " ms");
}

/* 2900: "2,900". */
static void
grouped(struct bytes *out, long long n)
{
	if (n >= 1000) {
		grouped(out, n / 1000);
		bytes_format(out, ",%03lld", n % 1000);
	} else {
		bytes_format(out, "%lld", n);
	}
}

static void
a_second(struct bytes *out, long long n, const char *what)
{
	grouped(out, n);
	bytes_format(out, " %s", what);
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
	if (l->reads_per_s == NUMBER_UNKNOWN || l->writes_per_s == NUMBER_UNKNOWN)
		return;
	if (l->reads_per_s == 0 && l->writes_per_s == 0) {
		bytes_str(out, ", less than one read or write a second");
		return;
	}
	bytes_str(out, ", ");
	a_second(out, l->reads_per_s, "reads and ");
	a_second(out, l->writes_per_s, "writes a second");
}
