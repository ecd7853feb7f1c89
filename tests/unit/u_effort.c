#include "sql/effort.h"

#include "base/bytes.h"
#include "check.h"

/* One statement → what of it takes time for each row: key, expression, computes, some rows, ranges, many entries. */
static const struct {
	const char *sql, *effort;
} cases[] = {
	{ "ALTER TABLE t ALTER a SET NOT NULL", "" },
	{ "ALTER TABLE t ALTER a TYPE varchar(20) USING substr(b, 1, 20)", "" },
	{ "ALTER TABLE t ADD CHECK (a > 0 AND (b IN (1, 2)))", "expression" },
	{ "alter table t add check (length(a) > 1)", "expression computes" },
	{ "ALTER TABLE t ADD CHECK (a::text <> 'b')", "expression computes" },
	{ "ALTER TABLE t ADD CHECK (a ~ '^b')", "expression computes" },
	{ "ALTER TABLE t ADD CHECK (a LIKE 'b%')", "expression computes" },
	{ "ALTER TABLE t VALIDATE CONSTRAINT c", "expression" },
	{ "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (b)", "key" },
	{ "ALTER TABLE t ADD a int REFERENCES u", "key" },
	{ "ALTER TABLE t ADD UNIQUE (a, b)", "" },
	{ "CREATE INDEX CONCURRENTLY i ON t (a, b) INCLUDE (c)", "" },
	{ "CREATE INDEX ON t ((a + b))", "expression computes" },
	{ "CREATE INDEX ON t (lower(a)) WHERE a IS NULL", "expression computes some" },
	{ "CREATE INDEX ON t USING brin (a)", "ranges" },
	{ "CREATE INDEX ON t USING gin (to_tsvector('english', a))", "expression computes many" },
	{ "CREATE INDEX ON t USING hash (a)", "" },
	{ "CREATE TABLE p PARTITION OF t FOR VALUES IN (1)", "expression" },
	{ "DO 'BEGIN END'", "key expression computes" },
	{ "SELECT f()", "key expression computes" },
	{ "-- CHECK (f(a))\nALTER TABLE \"FOREIGN\" ALTER \"CHECK\" SET NOT NULL", "" },
};

static void
add(struct bytes *out, bool is, const char *word)
{
	if (is)
		bytes_format(out, "%s%s", out->len > 0 ? " " : "", word);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sql_script script = sql_split(cases[i].sql, strlen(cases[i].sql));
		struct sql_effort e = sql_effort(cases[i].sql, &script.statements[0]);
		struct bytes have = { 0 };

		add(&have, e.key, "key");
		add(&have, e.expression, "expression");
		add(&have, e.computes, "computes");
		add(&have, e.some_rows, "some");
		add(&have, e.summary, "ranges");
		add(&have, e.many_entries, "many");
		check_text(cases[i].sql, bytes_text(&have), cases[i].effort);
		bytes_free(&have);
		sql_script_free(&script);
	}
	return checks_failed();
}
