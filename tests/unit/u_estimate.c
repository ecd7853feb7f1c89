#include "plan/estimate.h"

#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "check.h"
#include "plan/effects_text.h"
#include "records/words.h"

#define MB 1000000

/* A statement with one effect on t, of which production has `load` → the band. */
static const struct {
	const char *what, *sql;
	enum effect_kind effect;
	struct load load;
	const char *band;
} cases[] = {
	{ "an empty table", "ALTER TABLE t ALTER a TYPE bigint", EFFECT_REWRITE, { .rows = 0 }, "less than 0.1 s" },
	{ "a rewrite is of all that there is", "ALTER TABLE t ALTER a TYPE bigint", EFFECT_REWRITE,
	    { .rows = 1000, .main_bytes = 800LL * MB, .toast_bytes = 3000LL * MB, .index_bytes = 200LL * MB }, "about 20–200 s" },
	{ "and a long one in minutes", "ALTER TABLE t ALTER a TYPE bigint", EFFECT_REWRITE, { .rows = 1, .main_bytes = 48000LL * MB }, "about 4.0–40 min" },
	{ "NOT NULL does not read large values", "ALTER TABLE t ALTER a SET NOT NULL", EFFECT_SCAN,
	    { .rows = 1000000, .main_bytes = 400LL * MB, .toast_bytes = 90000LL * MB }, "about 200–1000 ms" },
	{ "a CHECK may", "ALTER TABLE t ADD CHECK (a <> '')", EFFECT_SCAN,
	    { .rows = 1000000, .main_bytes = 400LL * MB, .toast_bytes = 9000LL * MB }, "about 0.2–91 s" },
	{ "rows are counted from bytes where nobody counted them", "CREATE INDEX ON t (a)", EFFECT_BUILD,
	    { .rows = NUMBER_UNKNOWN, .main_bytes = 300LL * MB }, "about 0.7–10 s" },
	{ "an index of words is another thing", "CREATE INDEX ON t USING gin (a)", EFFECT_BUILD, { .rows = 300000, .main_bytes = 30LL * MB }, "about 1.0–25 s" },
	{ "one of some rows may read them all", "CREATE INDEX ON t (a) WHERE a = 1", EFFECT_BUILD, { .rows = 3000000, .main_bytes = 300LL * MB }, "about 0.2–10 s" },
	{ "a table of which nothing is known", "ALTER TABLE u ALTER a TYPE bigint", EFFECT_REWRITE, { .rows = 1, .main_bytes = 1 }, NULL },
};

/* What a change of type was measured to do, and how the remedy begins. */
static const struct {
	enum effect_kind done[3];
	size_t count;
	const char *begins;
} retypes[] = {
	{ { EFFECT_RETYPE, EFFECT_REWRITE, EFFECT_BUILD }, 3, "this rewrites the whole table" },
	{ { EFFECT_RETYPE, EFFECT_SCAN, EFFECT_BUILD }, 3, "this builds each index of the column anew" },
	{ { EFFECT_RETYPE, EFFECT_SCAN }, 2, "this reads all rows for a CHECK" },
	{ { EFFECT_REWRITE }, 1, "this rewrites the whole table" },
};

static void
check_remedies(void)
{
	size_t i, k;

	for (i = 0; i < sizeof retypes / sizeof *retypes; i++) {
		struct effect done[3] = { { .migration = "1_a" } };
		struct rehearsal_records records = { .known = true, .effects = done, .count = retypes[i].count };
		struct effects_view view;

		for (k = 0; k < retypes[i].count; k++)
			done[k] = (struct effect){ .migration = "1_a", .statement = 1, .line = 1, .effect = retypes[i].done[k], .schema = "public", .relation = "t" };
		view = effects_view(&records, "1_a", "ALTER TABLE t ALTER a TYPE citext");
		check(retypes[i].begins, strncmp(effects_remedy(&view, 1), retypes[i].begins, strlen(retypes[i].begins)) == 0);
		effects_view_free(&view);
	}
}

int
main(void)
{
	size_t i;

	check_remedies();

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct load load = cases[i].load;
		struct effect effect = { .migration = "1_a", .statement = 1, .line = 1, .effect = cases[i].effect, .schema = "public",
			.relation = cases[i].band != NULL ? "t" : "u", .mode = LOCK_ACCESS_EXCLUSIVE };
		struct rehearsal_records records = { .known = true, .loads = &load, .load_count = 1, .effects = &effect, .count = 1 };
		struct effects_view view = effects_view(&records, "1_a", cases[i].sql);
		struct bytes band = { 0 };
		struct estimate time;

		load.schema = "public";
		load.relation = "t";
		time = estimate_work(&view, &effect);
		if (estimate_is_known(time)) {
			estimate_band(&band, time);
			check(cases[i].what, estimate_middle(time) >= time.low_ms && estimate_middle(time) <= time.high_ms);
		}
		check_text(cases[i].what, band.data, cases[i].band);
		bytes_free(&band);
		effects_view_free(&view);
	}
	check("the middle is as far from one end as from the other", estimate_middle((struct estimate){ 100, 10000 }) == 1000);
	check("of nothing it is nothing", estimate_middle((struct estimate){ 0, 0 }) == 0);
	return checks_failed();
}
