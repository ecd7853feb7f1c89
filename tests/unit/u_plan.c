#include "plan/plan.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/null.h"
#include "check.h"

/* A pending script → its steps and findings: action:transaction:statements, then rule/severity@line:column. */
static const struct {
	const char *what, *sql, *strict, *allow, *plan;
} cases[] = {
	{ "an ordinary script", "SELECT 1; SELECT 2", NULL, NULL, "apply:mig:2" },
	{ "one with its own transaction", "BEGIN; SELECT 1; COMMIT", NULL, NULL, "apply:script:3" },
	{ "one that stands alone", "CREATE INDEX CONCURRENTLY i ON t (a)", NULL, NULL, "apply:none:1" },
	{ "an empty one", "-- nothing", NULL, NULL, "apply:mig:0" },
	{ "what destroys is a warning", "SELECT 1;\n DROP TABLE t", NULL, NULL, "apply:mig:2 destructive/warning@2:2" },
	{ "or an error where that is asked for", "DROP TABLE t", "destructive", NULL, "apply:mig:1 destructive/error@1:1" },
	{ "all warnings made errors", "DROP TABLE t", "", NULL, "apply:mig:1 destructive/error@1:1" },
	{ "a transaction that is left open", "SELECT 1;\nBEGIN;\nSELECT 2", NULL, NULL, "apply:script:3 open_transaction/error@2:1" },
	{ "no rule moves that", "BEGIN; SELECT 1", NULL, "open_transaction", "apply:script:2 open_transaction/error@1:1" },
	{ "a command of psql", "\\restrict x\nSELECT 1", NULL, NULL, "apply:mig:1 psql/error@1:1" },
};

static char *
told(const struct planned *planned)
{
	struct bytes out = { 0 };
	size_t i;

	for (i = 0; i < planned->step_count; i++)
		bytes_format(&out, "%s%s:%s:%lld", out.len > 0 ? " " : "", step_action_words[planned->steps[i].action],
		    step_transaction_words[planned->steps[i].transaction], planned->steps[i].statement_count);
	for (i = 0; i < planned->finding_count; i++)
		bytes_format(&out, "%s%s/%s@%lld:%lld", out.len > 0 ? " " : "", planned->findings[i].rule,
		    severity_words[planned->findings[i].severity], planned->findings[i].line, planned->findings[i].column);
	return out.data != NULL ? out.data : xstrdup("");
}

int
main(void)
{
	const char *word;
	size_t i, len;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct migration migration = { .migration = "1_a", .path = "1_a/migration.sql", .checksum = "x",
			.sql = cases[i].sql, .size_bytes = (long long)strlen(cases[i].sql) };
		struct scan scan = { .migrations = &migration, .migration_count = 1 };
		struct plan_options options = { .from_empty = true, .strict = cases[i].strict, .allow = cases[i].allow };
		struct history_index index = history_index(NULL, 0);
		struct status status = status_make(&scan, &index);
		struct planned planned = { 0 };
		char *have;

		(void)plan_make(&scan, &status, &options, &planned);
		have = told(&planned);
		check_text(cases[i].what, have, cases[i].plan);
		free(have);
		plan_free(&planned);
		status_free(&status);
		history_index_free(&index);
	}
	check("rules that may be moved", plan_rules_known("destructive,late", &word, &len));
	check("one that may not", !plan_rules_known("late,failed", &word, &len) && len == 6 && strncmp(word, "failed", 6) == 0);
	check("none that is known", !plan_rules_known("nonsense", &word, &len));
	return checks_failed();
}
