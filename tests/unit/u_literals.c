#include "sql/literals.h"

#include "check.h"

/* What somebody ran → what a server is asked to parse (NULL: nothing) → what people see. */
static const struct {
	const char *text, *replaced, *shown;
} cases[] = {
	{ "SELECT \"User\".\"id\" FROM \"User\" WHERE 1=$1 LIMIT $2", "SELECT \"User\".\"id\" FROM \"User\" WHERE 1=$1 LIMIT $2",
	    "SELECT \"User\".\"id\" FROM \"User\" WHERE ?=$1 LIMIT $2" },
	{ "select * from u where password = 'hunter2' and pin = 4711 and id = $3", "select * from u where password = $4 and pin = 4711 and id = $3",
	    "select * from u where password = $4 and pin = ? and id = $3" },
	{ "/* token=hunter2 */ UPDATE t SET a = $1 -- by 'hunter2'\n WHERE b = $2", " UPDATE t SET a = $1 WHERE b = $2",
	    "UPDATE t SET a = $1 WHERE b = $2" },
	{ "INSERT INTO t VALUES ($tag$hunter2$tag$, E'hunter2', U&'hunter2', B'01', 'a''b')", "INSERT INTO t VALUES ($1, $2, $3, $4, $5)",
	    "INSERT INTO t VALUES ($1, $2, $3, $4, $5)" },
	{ "SELECT a FROM t WHERE b IN ($1 /*, ... */)", "SELECT a FROM t WHERE b IN ($1 )", "SELECT a FROM t WHERE b IN ($1 )" },
	{ "SELECT\n\t1 ;", "SELECT\n\t1", "SELECT ?" },
	{ "(SELECT 1) UNION ALL (SELECT 2)", "(SELECT 1) UNION ALL (SELECT 2)", "(SELECT ?) UNION ALL (SELECT ?)" },
	{ "WITH x AS (DELETE FROM t RETURNING id) SELECT id FROM x", "WITH x AS (DELETE FROM t RETURNING id) SELECT id FROM x",
	    "WITH x AS (DELETE FROM t RETURNING id) SELECT id FROM x" },
	{ "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE", "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE",
	    "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE" },
	{ "ALTER ROLE u PASSWORD 'hunter2'", NULL, NULL },
	{ "-- SELECT\nCREATE USER u PASSWORD 'hunter2'", NULL, NULL },
	{ "SELECT 'it\\'s hunter2'", NULL, NULL },
	{ "SELECT 1; SELECT 2", NULL, NULL },
	{ "SELECT 'hunter2", NULL, NULL },
	{ "SELECT $$hunter2", NULL, NULL },
	{ "<insufficient privilege>", NULL, NULL },
	{ "", NULL, NULL },
};

int
main(void)
{
	struct bytes cut = { 0 };
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes replaced = { 0 }, shown = { 0 };

		check(cases[i].text, literals_replace(&replaced, cases[i].text) == (cases[i].replaced != NULL));
		check_text(cases[i].text, bytes_text(&replaced), cases[i].replaced != NULL ? cases[i].replaced : "");
		if (cases[i].shown != NULL) {
			literals_hide(&shown, replaced.data, 2000);
			check_text(cases[i].text, bytes_text(&shown), cases[i].shown);
		}
		bytes_free(&replaced);
		bytes_free(&shown);
	}
	/* seven bytes would end within the umlaut */
	literals_hide(&cut, "SELECT \"\xC3\xA4\"", 9);
	check_text("a cut text", bytes_text(&cut), "SELECT \"");
	bytes_free(&cut);
	return checks_failed();
}
