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

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		check_text(cases[i].typed,
		    suggest_nearest(cases[i].typed, strlen(cases[i].typed), names, sizeof names / sizeof *names), cases[i].meant);
	check_text("only its first bytes", suggest_nearest("seed=x", 4, names, sizeof names / sizeof *names), "seeds");
	check("of none", suggest_nearest("seed", 4, NULL, 0) == NULL);
	return checks_failed();
}
