#include "sql/interrupted.h"

#include "check.h"

static const struct {
	const char *sql;
	enum interrupted_act act;
	const char *name, *table;
} cases[] = {
	{ "CREATE INDEX CONCURRENTLY i ON t (a)", INTERRUPTED_CREATE_INDEX, "i", "t" },
	{ "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I x\" ON ONLY \"S\".\"T\" (a)", INTERRUPTED_CREATE_INDEX, "\"I x\"", "\"S\".\"T\"" },
	{ "CREATE INDEX CONCURRENTLY ON t (a)", INTERRUPTED_CREATE_INDEX, "", "t" },
	{ "DROP INDEX CONCURRENTLY IF EXISTS s.i", INTERRUPTED_DROP_INDEX, "s.i", "" },
	{ "REINDEX INDEX CONCURRENTLY i", INTERRUPTED_REINDEX, "i", "" },
	{ "REINDEX (VERBOSE) TABLE CONCURRENTLY t", INTERRUPTED_REINDEX, "t", "" },
	{ "ALTER TABLE p DETACH PARTITION q CONCURRENTLY", INTERRUPTED_DETACH, "q", "p" },
	{ "CREATE DATABASE d", INTERRUPTED_CREATE, "d", "" },
	{ "DROP TABLESPACE IF EXISTS ts", INTERRUPTED_DROP, "ts", "" },
	{ "VACUUM ANALYZE t", INTERRUPTED_REPEAT, "", "" },
};

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sql_script script = sql_split(cases[i].sql, strlen(cases[i].sql));
		struct interrupted aim = interrupted_of(cases[i].sql, &script.statements[0]);

		check(cases[i].sql, aim.act == cases[i].act);
		check_text(cases[i].sql, bytes_text(&aim.name), cases[i].name);
		check_text(cases[i].sql, bytes_text(&aim.table), cases[i].table);
		interrupted_free(&aim);
		sql_script_free(&script);
	}
	return checks_failed();
}
