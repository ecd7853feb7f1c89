#include <string.h>

#include "base/suggest.h"

#include "check.h"

static const char *const names[] = { "health", "database", "history", "deploy", "relation", "seeds", "log" };

static const struct {
	const char *typed, *meant;
} cases[] = {
	{ "healt", "health" }, { "helath", "health" }, { "Health", "health" }, { "databse", "database" },
	{ "histroy", "history" }, { "seed", "seeds" }, { "deplyo", "deploy" }, { "lag", "log" }, { "relations", "relation" },
	{ "x", NULL }, { "", NULL }, { "certificate", NULL }, { "dtbs", NULL },
};

static const char *const folders[] = { "20260102120000_tags", "20260102130000_order_currency", "20260107100000_user_index",
	"20260107100000_order_index_with_a_name_that_is_longer_than_most_others_are" };

static const struct {
	const char *typed, *meant;
} parts[] = {
	{ "20260102120000_tgas", "20260102120000_tags" },
	/* the beginning, the end, and what only one has */
	{ "2026010212", "20260102120000_tags" }, { "tags", "20260102120000_tags" }, { "Currency", "20260102130000_order_currency" },
	{ "20260107100000_order_index_with_a_name_that_is_longer_than_most_other_are",
	    "20260107100000_order_index_with_a_name_that_is_longer_than_most_others_are" },
	/* what several have, or what is too short to tell */
	{ "20260102", NULL }, { "order", NULL }, { "gs", NULL },
};

int
main(void)
{
	char name[400];
	const char *const long_names[] = { name };
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		check_text(cases[i].typed,
		    suggest_nearest(cases[i].typed, strlen(cases[i].typed), names, sizeof names / sizeof *names), cases[i].meant);
	for (i = 0; i < sizeof parts / sizeof *parts; i++)
		check_text(parts[i].typed,
		    suggest_nearest(parts[i].typed, strlen(parts[i].typed), folders, sizeof folders / sizeof *folders), parts[i].meant);
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	check_text("a name of any length may contain it", suggest_nearest("xxxxx", 5, long_names, 1), name);
	check("but is not compared", suggest_nearest("yxxxx", 5, long_names, 1) == NULL);
	check_text("only its first bytes", suggest_nearest("seed=x", 4, names, sizeof names / sizeof *names), "seeds");
	check("of none", suggest_nearest("seed", 4, NULL, 0) == NULL);
	return checks_failed();
}
