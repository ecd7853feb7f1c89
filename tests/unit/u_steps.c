#include "records/model.h"

#include "base/null.h"
#include "check.h"

static const struct step ordinary = { .step = 1, .action = ACTION_APPLY, .migration = "1_a", .checksum = "x", .statement_count = 1,
	.size_bytes = 8, .resume_at = NUMBER_UNKNOWN, .sql = "SELECT 1" };

static bool
same(const struct step *a, size_t m, const struct step *b, size_t n)
{
	char of_a[RECORD_DIGEST_HEX], of_b[RECORD_DIGEST_HEX];

	steps_digest(a, m, of_a);
	steps_digest(b, n, of_b);
	return strcmp(of_a, of_b) == 0;
}

int
main(void)
{
	struct step one = ordinary, other = ordinary, two[2] = { ordinary, ordinary };

	check("equal steps", same(&one, 1, &other, 1));
	check("none at all", same(NULL, 0, NULL, 0));
	check("a step is not none", !same(&one, 1, NULL, 0));
	two[1].step = 2;
	two[1].migration = "2_b";
	check("two are not one", !same(two, 2, two, 1));
	one.row_id = "11929183-8432-439d-9679-662316f96d2d";
	other.row_id = "3d356026-288d-4823-a747-100ec5eec877";
	one.resume_at = other.resume_at = 2;
	check("the row that is resumed has an id of its own in each database", same(&one, 1, &other, 1));
	other.resume_at = 3;
	check("where it is resumed counts", !same(&one, 1, &other, 1));
	other = ordinary;
	check("and that it is resumed", !same(&one, 1, &other, 1));
	other.sql = "SELECT 2";
	check("the SQL counts", !same(&other, 1, &ordinary, 1));
	other = ordinary;
	other.guard_sql = "DO $$ $$";
	check("a guard counts", !same(&other, 1, &ordinary, 1));
	return checks_failed();
}
