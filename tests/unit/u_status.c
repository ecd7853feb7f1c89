#include "migrations/status.h"

#include "base/bytes.h"
#include "base/null.h"
#include "check.h"

/*
 * A folder and a history → the state of each migration, in order.  Rows: name, then f for finished, u for unfinished,
 * r for rolled back.
 */
static const struct {
	const char *what;
	const char *folder[4];
	const char *rows[4];
	bool deploying;
	const char *states, *last_applied;
} cases[] = {
	{ "nothing at all", { NULL }, { NULL }, false, "", NULL },
	{ "a new database", { "1_a", "2_b" }, { NULL }, false, "1_a pending, 2_b pending", NULL },
	{ "names are compared, never a high-water mark", { "1_a", "2_b", "3_c" }, { "1_a f", "3_c f" }, false,
	    "1_a applied, 2_b late, 3_c applied", "3_c" },
	{ "a file that is gone", { "2_b" }, { "1_a f" }, false, "1_a missing, 2_b pending", "1_a" },
	{ "an unfinished row", { "1_a", "2_b" }, { "1_a f", "2_b u" }, false, "1_a applied, 2_b failed", "1_a" },
	{ "the same while somebody deploys", { "1_a" }, { "1_a u" }, true, "1_a running", NULL },
	{ "rolled back counts for nothing", { "1_a" }, { "1_a r" }, false, "1_a pending", NULL },
	{ "rolled back and gone is not missing", { NULL }, { "1_a r" }, false, "", NULL },
	{ "rolled back, then finished", { "1_a" }, { "1_a r", "1_a f" }, false, "1_a applied", "1_a" },
	{ "finished, then unfinished", { "1_a" }, { "1_a f", "1_a u" }, false, "1_a failed", NULL },
	{ "an unfinished row of a file that is gone", { NULL }, { "1_a u" }, false, "1_a failed", NULL },
};

static struct history_row
row_of(char *words, const char *when)
{
	char kind = words[strlen(words) - 1];

	words[strlen(words) - 2] = '\0';
	return (struct history_row){ .migration = words, .id = when, .checksum = "x", .started_at = when,
		.finished_at = kind == 'f' ? when : NULL, .rolled_back_at = kind == 'r' ? when : NULL };
}

int
main(void)
{
	size_t i, j;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct migration folder[4] = { 0 };
		struct history_row rows[4];
		char words[4][16], whens[4][32];
		struct scan scan = { .has_database = true, .migrations = folder, .history = rows };
		struct history_index index;
		struct status status;
		struct bytes out = { 0 };

		scan.database.deployer_pid = cases[i].deploying ? 1 : NUMBER_UNKNOWN;
		for (; scan.migration_count < 4 && cases[i].folder[scan.migration_count] != NULL; scan.migration_count++)
			folder[scan.migration_count].migration = cases[i].folder[scan.migration_count];
		for (; scan.history_count < 4 && cases[i].rows[scan.history_count] != NULL; scan.history_count++) {
			j = scan.history_count;
			bytes_copy(words[j], sizeof words[j], cases[i].rows[j]);
			snprintf(whens[j], sizeof whens[j], "2026-11-2%zuT00:00:00.000000Z", j);
			rows[j] = row_of(words[j], whens[j]);
		}
		index = history_index(rows, scan.history_count);
		status = status_make(&scan, &index);
		for (j = 0; j < status.count; j++)
			bytes_format(&out, "%s%s %s", j > 0 ? ", " : "", status.list[j].migration,
			    state_word(status.list[j].state));
		check_text(cases[i].what, bytes_text(&out), cases[i].states);
		check_text(cases[i].what, status.last_applied, cases[i].last_applied);
		bytes_free(&out);
		status_free(&status);
		history_index_free(&index);
	}
	return checks_failed();
}
