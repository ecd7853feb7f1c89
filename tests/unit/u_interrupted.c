#include "sql/interrupted.h"

#include "check.h"

static const struct {
	const char *sql;
	enum aim_act act;
	const char *name, *table;
} cases[] = {
	{ "CREATE INDEX CONCURRENTLY i ON t (a)", AIM_CREATE_INDEX, "i", "t" },
	{ "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I x\" ON ONLY \"S\".\"T\" (a)", AIM_CREATE_INDEX, "\"I x\"", "\"S\".\"T\"" },
	{ "CREATE INDEX CONCURRENTLY ON t (a)", AIM_CREATE_INDEX, "", "t" },
	{ "DROP INDEX CONCURRENTLY IF EXISTS s.i", AIM_DROP_INDEX, "s.i", "" },
	{ "REINDEX INDEX CONCURRENTLY i", AIM_REINDEX, "i", "" },
	{ "REINDEX (VERBOSE) TABLE CONCURRENTLY t", AIM_REINDEX, "t", "" },
	{ "ALTER TABLE p DETACH PARTITION q CONCURRENTLY", AIM_DETACH, "q", "p" },
	{ "CREATE DATABASE d", AIM_CREATE, "d", "" },
	{ "DROP TABLESPACE IF EXISTS ts", AIM_DROP, "ts", "" },
	{ "VACUUM ANALYZE t", AIM_REPEAT, "", "" },
};

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sql_script script = sql_split(cases[i].sql, strlen(cases[i].sql));
		struct aim aim = aim_of(cases[i].sql, &script.statements[0]);

		check(cases[i].sql, aim.act == cases[i].act);
		check_text(cases[i].sql, bytes_text(&aim.name), cases[i].name);
		check_text(cases[i].sql, bytes_text(&aim.table), cases[i].table);
		aim_free(&aim);
		sql_script_free(&script);
	}
	return checks_failed();
}
