#include "migrations/history.h"

#include "base/bytes.h"
#include "check.h"

/* Logs that are no journal of ours. */
static const char *const foreign[] = { "", "ERROR: relation does not exist", "mig", "mig 1", "mig: next 0 of 3",
	"A migration failed to apply." };

static void
round_trip(struct journal written)
{
	struct bytes logs = { 0 };
	struct journal read = { 0 };

	history_journal_write(&logs, &written);
	check("what was written is read", history_journal_read(bytes_text(&logs), &read));
	check("next", read.next == written.next && read.count == written.count && read.begun == written.begun);
	check_text("before", read.before, written.before);
	bytes_str(&logs, "\nERROR: later lines are for people");
	check("only its first line counts", history_journal_read(logs.data, &read) && read.next == written.next);
	bytes_free(&logs);
}

int
main(void)
{
	static const char sql[] = "SELECT 1; CREATE INDEX CONCURRENTLY i ON t (a); SELECT 2";
	struct sql_script script = sql_split(sql, strlen(sql));
	struct journal journal = { .next = 2, .count = 3, .begun = true }, read;
	char id[HISTORY_ID];
	unsigned char random[16] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
	size_t i;

	history_journal_before(sql, script.statements[0].end, journal.before);
	round_trip(journal);
	round_trip((struct journal){ .next = 4, .count = 3, .before = "0123456789abcdef0123456789abcdef" });
	for (i = 0; i < sizeof foreign / sizeof *foreign; i++)
		check(foreign[i], !history_journal_read(foreign[i], &read));
	check("the statement that had begun", history_journal_begun(&journal, sql, &script) == &script.statements[1]);
	journal.before[0] = journal.before[0] == '0' ? '1' : '0';
	check("not where the text before it was changed", history_journal_begun(&journal, sql, &script) == NULL);
	history_format_id(random, id);
	check_text("an id of version 4, variant 1", id, "ffffffff-ffff-4fff-bf00-000000000000");
	sql_script_free(&script);
	return checks_failed();
}
