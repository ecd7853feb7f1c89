#include "sql/segments.h"

#include "base/bytes.h"
#include "check.h"

/* A script → its segments: a letter for the kind and how many statements; '+' where a transaction is left open. */
static const struct {
	const char *sql, *segments;
} cases[] = {
	{ "", "" },
	{ "-- nothing", "" },
	{ "SELECT 1; SELECT 2", "T2" },
	{ "BEGIN; SELECT 1; COMMIT", "C3" },
	{ "BEGIN; SELECT 1; COMMIT; SELECT 2", "C3 T1" },
	{ "SELECT 1; BEGIN; SELECT 2; COMMIT", "C4" },
	{ "BEGIN; SELECT 1; ROLLBACK; SELECT 2", "R3 T1" },
	{ "SELECT 1; COMMIT; SELECT 2", "C2 T1" },
	{ "BEGIN; SELECT 1", "T2+" },
	{ "BEGIN; PREPARE TRANSACTION 'x'", "P2" },
	{ "CREATE INDEX CONCURRENTLY i ON t (a)", "A1" },
	{ "SELECT 1; VACUUM; SELECT 2", "T1 A1 T1" },
	{ "CREATE INDEX CONCURRENTLY i ON t (a); REINDEX TABLE CONCURRENTLY t", "A1 A1" },
	{ "BEGIN; SAVEPOINT s; ROLLBACK TO s; COMMIT", "C4" },
};

int
main(void)
{
	static const char letters[] = { [SEGMENT_TOGETHER] = 'T', [SEGMENT_COMMIT] = 'C', [SEGMENT_PREPARE] = 'P',
		[SEGMENT_ROLLBACK] = 'R', [SEGMENT_ALONE] = 'A' };
	size_t i, j;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sql_script script = sql_split(cases[i].sql, strlen(cases[i].sql));
		struct segments segments = segments_of(cases[i].sql, &script);
		struct bytes out = { 0 };

		for (j = 0; j < segments.count; j++)
			bytes_format(&out, "%s%c%zu", j > 0 ? " " : "", letters[segments.list[j].kind], segments.list[j].count);
		if (segments.open)
			bytes_char(&out, '+');
		check_text(cases[i].sql, bytes_text(&out), cases[i].segments);
		bytes_free(&out);
		segments_free(&segments);
		sql_script_free(&script);
	}
	return checks_failed();
}
