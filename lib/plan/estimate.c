#include "plan/estimate.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/null.h"
#include "base/page.h"
#include "records/words.h"
#include "sql/effort.h"

/* In a millisecond: at most, and at least where the machine, the disk or the rows are slow. */
enum {
	SCAN_BYTES_MOST = 2000000, SCAN_BYTES_LEAST = 500000, SCAN_ROWS_LEAST = 5000,
	EXPRESSION_ROWS_LEAST = 500, LARGE_BYTES_LEAST = 100000,
	KEY_ROWS_MOST = 15000, KEY_ROWS_LEAST = 1000,
	REWRITE_BYTES_MOST = 200000, REWRITE_BYTES_LEAST = 20000,
	BUILD_BYTES_LEAST = 300000, BUILD_ROWS_MOST = 6000, BUILD_ROWS_LEAST = 350,
	ENTRIES_ROWS_MOST = 300, ENTRIES_ROWS_LEAST = 12, ENTRIES_BYTES_LEAST = 20000,
	MOVE_BYTES_MOST = 400000, MOVE_BYTES_LEAST = 40000
};

const struct load *
estimate_load(const struct rehearsal_records *r, const char *schema, const char *relation)
{
	size_t i;

	for (i = 0; i < r->load_count; i++)
		if (strcmp(r->loads[i].schema, schema) == 0 && strcmp(r->loads[i].relation, relation) == 0)
			return &r->loads[i];
	return NULL;
}

static const struct estimate unknown = { NUMBER_UNKNOWN, NUMBER_UNKNOWN };

static struct sql_effort
effort_of(const struct effects_view *view, const struct effect *e)
{
	static const struct sql_effort nothing;

	if (view->sql == NULL || e->statement > (long long)view->script.count)
		return nothing;
	return sql_effort(view->sql, &view->script.statements[e->statement - 1]);
}

/* As the server estimates them; else as many as rows of a usual length are. */
static long long
rows_of(const struct load *l)
{
	enum { USUAL_BYTES = 100 };

	return l->rows != NUMBER_UNKNOWN ? l->rows : l->main_bytes / USUAL_BYTES;
}

static struct estimate
scan(const struct load *l, const struct sql_effort *effort)
{
	struct estimate t = { l->main_bytes / SCAN_BYTES_MOST, l->main_bytes / SCAN_BYTES_LEAST };

	t.high_ms += rows_of(l) / (effort->computes && effort->expression ? EXPRESSION_ROWS_LEAST : SCAN_ROWS_LEAST);
	if (effort->expression)
		t.high_ms += l->toast_bytes / LARGE_BYTES_LEAST;
	return t;
}

/*
 * The rows of the other tables that the statement locks are read as well, unless they are so many that each row is looked up in
 * an index.
 */
static struct estimate
key(const struct effects_view *view, const struct effect *e, const struct load *l)
{
	enum { LOOKED_UP_FROM = 10 };
	struct estimate t = { l->main_bytes / SCAN_BYTES_MOST + rows_of(l) / KEY_ROWS_MOST,
		l->main_bytes / SCAN_BYTES_LEAST + rows_of(l) / KEY_ROWS_LEAST };
	size_t i;

	for (i = 0; i < view->count; i++) {
		const struct effect *lock = &view->list[i];
		const struct load *other;
		long long most;

		if (lock->statement != e->statement || lock->effect != EFFECT_LOCK || lock->mode < LOCK_SHARE_ROW_EXCLUSIVE ||
		    (other = estimate_load(view->rehearsed, lock->schema, lock->relation)) == NULL || other == l)
			continue;
		most = rows_of(l) * LOOKED_UP_FROM;
		t.high_ms += rows_of(other) <= most ? other->main_bytes / SCAN_BYTES_LEAST + rows_of(other) / KEY_ROWS_LEAST
		                                    : most / KEY_ROWS_LEAST;
	}
	return t;
}

static struct estimate
build(const struct load *l, const struct sql_effort *effort)
{
	long long rows = rows_of(l);
	struct estimate t = { l->main_bytes / SCAN_BYTES_MOST, l->main_bytes / BUILD_BYTES_LEAST };

	if (effort->summary) {
		t.high_ms += rows / SCAN_ROWS_LEAST;
		return t;
	}
	if (!effort->some_rows)
		t.low_ms += rows / (effort->many_entries ? ENTRIES_ROWS_MOST : BUILD_ROWS_MOST);
	t.high_ms += rows / (effort->many_entries ? ENTRIES_ROWS_LEAST : BUILD_ROWS_LEAST);
	if (effort->many_entries)
		t.high_ms += l->toast_bytes / ENTRIES_BYTES_LEAST;
	else if (effort->computes)
		t.high_ms += rows / EXPRESSION_ROWS_LEAST + l->toast_bytes / LARGE_BYTES_LEAST;
	return t;
}

struct estimate
estimate_work(const struct effects_view *view, const struct effect *e)
{
	const struct load *l;
	struct sql_effort effort;
	long long all;

	if (e->effect != EFFECT_SCAN && e->effect != EFFECT_REWRITE && e->effect != EFFECT_BUILD && e->effect != EFFECT_MOVE)
		return (struct estimate){ 0, 0 };
	if ((l = estimate_load(view->rehearsed, e->schema, e->relation)) == NULL)
		return unknown;
	effort = effort_of(view, e);
	all = l->main_bytes + l->toast_bytes + l->index_bytes;
	switch (e->effect) {
	case EFFECT_SCAN:
		/* only a foreign key reads all rows under this lock */
		return effort.key || e->mode == LOCK_SHARE_ROW_EXCLUSIVE ? key(view, e, l) : scan(l, &effort);
	case EFFECT_BUILD:
		return build(l, &effort);
	case EFFECT_MOVE:
		return (struct estimate){ all / MOVE_BYTES_MOST, all / MOVE_BYTES_LEAST };
	default:
		return (struct estimate){ all / REWRITE_BYTES_MOST, all / REWRITE_BYTES_LEAST };
	}
}

bool
estimate_is_known(struct estimate t)
{
	return t.high_ms != NUMBER_UNKNOWN;
}

struct estimate
estimate_held(const struct effects_view *view, const struct effect *lock, long long *longest)
{
	long long last = effects_last_work(view, lock->statement), most = -1;
	struct estimate sum = { 0, 0 };
	size_t i;

	*longest = lock->statement;
	for (i = 0; i < view->count; i++) {
		const struct effect *e = &view->list[i];
		struct estimate t;

		if (e->statement < lock->statement || e->statement > last || !estimate_is_known(t = estimate_work(view, e)))
			continue; /* what the size is not known of is not guessed at */
		sum.low_ms += t.low_ms;
		sum.high_ms += t.high_ms;
		if (t.high_ms > most && effects_is_work(e)) {
			most = t.high_ms;
			*longest = e->statement;
		}
	}
	return sum;
}

/* The geometric mean: as many times the least as the most is of it. */
long long
estimate_middle(struct estimate t)
{
	long long square = (t.low_ms > 0 ? t.low_ms : 1), root = 1;

	if (t.high_ms <= 0)
		return 0;
	square *= t.high_ms;
	while (root <= square / root)
		root = root * 2;
	for (; root > square / root; root = (root + square / root) / 2)
		;
	return root;
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
estimate_is_short(struct estimate t)
{
	enum { SHORT = 100 };

	return t.high_ms < SHORT;
}

void
estimate_band(struct bytes *out, struct estimate t)
{
	enum { SECOND = 1000, MINUTE = 60000, FROM_MINUTES = 6 * MINUTE };
	long long unit = t.high_ms >= FROM_MINUTES ? MINUTE : t.low_ms >= SECOND || t.high_ms >= 5 * SECOND ? SECOND : 1;

	if (estimate_is_short(t)) {
		bytes_str(out, "less than 0.1 s");
		return;
	}
	bytes_str(out, "about ");
	number(out, t.low_ms, unit);
	bytes_str(out, "–");
	number(out, t.high_ms, unit);
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

void
estimate_size(struct bytes *out, const struct load *l)
{
	static const char *const counts[] = { " rows", " k rows", " M rows", " G rows", NULL };

	if (l->rows != NUMBER_UNKNOWN) {
		page_large(out, l->rows, counts);
		bytes_str(out, ", ");
	}
	page_bytes(out, l->main_bytes + l->toast_bytes + l->index_bytes);
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
