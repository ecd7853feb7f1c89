#include "migrations/journal.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "check.h"
#include "migrations/history.h"
#include "sql/sql.h"

/* Logs that are no journal of ours. */
static const char *const foreign[] = { "", "ERROR: relation does not exist", "mig", "mig 1", "mig: next 0 of 3",
	"A migration failed to apply." };

static void
round_trip(struct journal written)
{
	struct bytes logs = { 0 };
	struct journal read = { 0 };

	journal_write(&logs, &written);
	check("what was written is read", journal_read(bytes_text(&logs), &read));
	check("next", read.next == written.next && read.count == written.count && read.begun == written.begun);
	check_text("before", read.before, written.before);
	bytes_str(&logs, "\nERROR: later lines are for people");
	check("only its first line counts", journal_read(logs.data, &read) && read.next == written.next);
	bytes_free(&logs);
}

static const struct {
	const char *name, *logs, *error;
} errors[] = {
	{ "no logs", NULL, NULL },
	{ "empty logs", " \n", NULL },
	{ "Prisma's", "A migration failed to apply.\n\nDatabase error code: 42P01\n\nDatabase error:\nERROR: no \"a\"\n\nPosition: 1",
	    "ERROR: no \"a\"" },
	{ "another program's", "\n  it broke\nhere", "it broke" },
};

static void
check_errors(const struct journal *journal)
{
	struct bytes logs = { 0 };
	char *error;
	size_t i;

	for (i = 0; i < sizeof errors / sizeof *errors; i++) {
		error = journal_error(errors[i].logs);
		check_text(errors[i].name, error, errors[i].error);
		free(error);
	}
	journal_write(&logs, journal);
	check("a journal alone is no error", journal_error(logs.data) == NULL);
	bytes_str(&logs, "\n" JOURNAL_MOVED "\nERROR: no \"b\"\nDETAIL: none");
	error = journal_error(logs.data);
	check_text("behind a journal", error, "ERROR: no \"b\"");
	free(error);
	bytes_free(&logs);
}

/* What is done of a script, and the script as it is now. */
static const struct {
	const char *name, *was, *is;
	size_t next;
	bool begun;
	enum journal_fit fit;
} fits[] = {
	{ "the rest may change", "SELECT 1; SELEC 2", "SELECT 1; SELECT 2; SELECT 3", 2, false, JOURNAL_FITS },
	{ "the rest may go", "SELECT 1; SELECT 2", "SELECT 1", 2, false, JOURNAL_FITS },
	{ "nothing is done", "SELECT 1", "SELECT 2", 1, false, JOURNAL_FITS },
	{ "the done part may not change", "SELECT 1; SELECT 2", "SELECT 0; SELECT 2", 2, false, JOURNAL_CHANGED },
	{ "nor become shorter", "SELECT 1; SELECT 2; SELECT 3", "SELECT 1", 3, false, JOURNAL_TOO_FAR },
	{ "an index tells whether it was built", "CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX CONCURRENTLY i ON t (a)", 1, true,
	    JOURNAL_FITS },
	{ "VACUUM leaves no trace, but may be repeated", "VACUUM t", "VACUUM t", 1, true, JOURNAL_FITS },
	{ "a call leaves no trace", "CALL p()", "CALL p()", 1, true, JOURNAL_IN_DOUBT },
};

static void
check_fits(void)
{
	size_t i;

	for (i = 0; i < sizeof fits / sizeof *fits; i++) {
		struct sql_script was = sql_split(fits[i].was, strlen(fits[i].was)), is = sql_split(fits[i].is, strlen(fits[i].is));
		struct journal journal = { .next = fits[i].next, .count = was.count, .begun = fits[i].begun };

		journal_before(fits[i].was, fits[i].next > 1 ? was.statements[fits[i].next - 2].end : 0, journal.before);
		check(fits[i].name, journal_fits(&journal, fits[i].is, &is) == fits[i].fit);
		sql_script_free(&was);
		sql_script_free(&is);
	}
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

	journal_before(sql, script.statements[0].end, journal.before);
	round_trip(journal);
	check_errors(&journal);
	round_trip((struct journal){ .next = 4, .count = 3, .before = "0123456789abcdef0123456789abcdef" });
	for (i = 0; i < sizeof foreign / sizeof *foreign; i++)
		check(foreign[i], !journal_read(foreign[i], &read));
	check("the statement that had begun", journal_begun(&journal, sql, &script) == &script.statements[1]);
	journal.before[0] = journal.before[0] == '0' ? '1' : '0';
	check("not where the text before it was changed", journal_begun(&journal, sql, &script) == NULL);
	check_fits();
	history_format_id(random, id);
	check_text("an id of version 4, variant 1", id, "ffffffff-ffff-4fff-bf00-000000000000");
	sql_script_free(&script);
	return checks_failed();
}
