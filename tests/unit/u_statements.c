#include "sql/sql.h"

#include "check.h"

/* One statement → its kind, its words for people, and what it destroys. */
static const struct {
	const char *sql;
	enum sql_kind kind;
	const char *words, *lost;
} cases[] = {
	{ "create table t (a int)", SQL_ORDINARY, "CREATE TABLE", NULL },
	{ "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", SQL_ALONE, "CREATE UNIQUE INDEX CONCURRENTLY", NULL },
	{ "ALTER TABLE public.\"Order\" DROP COLUMN \"couponCode\"", SQL_ORDINARY, "ALTER TABLE", "public.\"Order\".\"couponCode\"" },
	{ "DROP TABLE IF EXISTS a . b CASCADE", SQL_ORDINARY, "DROP TABLE", "a.b" },
	{ "TRUNCATE ONLY t", SQL_ORDINARY, "TRUNCATE", "t" },
	{ "DELETE FROM t", SQL_ORDINARY, "DELETE", "t" },
	{ "DELETE FROM t WHERE a = 1", SQL_ORDINARY, "DELETE", NULL },
	{ "WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x", SQL_ORDINARY, "WITH", "t" },
	{ "BEGIN", SQL_BEGIN, "BEGIN", NULL },
	{ "END", SQL_COMMIT, "END", NULL },
	{ "ROLLBACK TO s", SQL_SAVEPOINT, "ROLLBACK TO", NULL },
	{ "COPY t FROM STDIN", SQL_COPY_CLIENT, "COPY", NULL },
	{ "COPY t FROM '/file'", SQL_ORDINARY, "COPY", NULL },
	{ "VACUUM", SQL_ALONE, "VACUUM", NULL },
};

/* A text → how many statements it has. */
static const struct {
	const char *sql;
	size_t count;
} texts[] = {
	{ "", 0 }, { ";;;", 0 }, { "SELECT ';'; SELECT \";\"", 2 }, { "SELECT $a$;$b$;$a$; SELECT 1", 2 },
	{ "/* ; /* ; */ ; */ SELECT 1", 1 }, { "SELECT 1 -- ;\n; SELECT 2", 2 }, { "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", 1 },
	{ "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END; SELECT 2", 2 },
	{ "SELECT E'\\';'; SELECT 1", 2 }, { "SELECT 'a'\n';'; SELECT 1", 2 }, { "SELECT a$1$;", 1 },
};

int
main(void)
{
	char words[64];
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sql_script script = sql_split(cases[i].sql, strlen(cases[i].sql));
		struct sql_losses losses = sql_losses(cases[i].sql, &script);

		check(cases[i].sql, script.count == 1 && script.statements[0].kind == cases[i].kind);
		sql_words(cases[i].sql, &script.statements[0], words, sizeof words);
		check_text(cases[i].sql, words, cases[i].words);
		check_text(cases[i].sql, losses.count > 0 ? losses.losses[0].object : NULL, cases[i].lost);
		sql_losses_free(&losses);
		sql_script_free(&script);
	}
	for (i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct sql_script script = sql_split(texts[i].sql, strlen(texts[i].sql));

		check(texts[i].sql, script.count == texts[i].count);
		sql_script_free(&script);
	}
	return checks_failed();
}
