#include "sql/replica.h"

#include "base/bytes.h"
#include "check.h"

/* A script → what subscribers lack: change:table.object@statement. */
static const struct {
	const char *sql, *told;
} cases[] = {
	{ "CREATE TABLE t (id int PRIMARY KEY)", "create:t@0" },
	{ "CREATE TABLE IF NOT EXISTS \"S\" . \"T\" (id int, CONSTRAINT p PRIMARY KEY (id))", "create:\"S\".\"T\"@0" },
	{ "CREATE TABLE t (a int, b int, UNIQUE (a, b))", "keyless:t@0" },
	{ "CREATE TABLE t (id int PRIMARY KEY DEFERRABLE)", "keyless:t@0" },
	{ "CREATE TABLE t (id int PRIMARY KEY NOT DEFERRABLE)", "create:t@0" },
	{ "CREATE TABLE t (id int, PRIMARY KEY (id) DEFERRABLE INITIALLY DEFERRED)", "keyless:t@0" },
	{ "CREATE TABLE t (id int, x int UNIQUE DEFERRABLE, PRIMARY KEY (id))", "create:t@0" },
	{ "CREATE TABLE t (d text DEFAULT 'PRIMARY KEY', c int CHECK (c > 0))", "keyless:t@0" },
	{ "CREATE TABLE t (LIKE u INCLUDING ALL)", "create:t@0" },
	{ "CREATE TABLE t AS SELECT 1 AS a", "keyless:t@0" },
	{ "CREATE TABLE p PARTITION OF t FOR VALUES IN (1)", "create:p@0" },
	{ "CREATE TEMP TABLE t (a int)", "" },
	{ "CREATE UNLOGGED TABLE t (a int)", "" },
	{ "CREATE TABLE t (a int); ALTER TABLE t ADD PRIMARY KEY (a)", "create:t@0 ok:t@1" },
	{ "CREATE TABLE t (a int); ALTER TABLE public.t ADD CONSTRAINT k PRIMARY KEY (a)", "create:t@0 ok:public.t@1" },
	{ "CREATE TABLE t (a int); ALTER TABLE t ADD PRIMARY KEY (a) DEFERRABLE", "keyless:t@0" },
	{ "CREATE TABLE \"_AB\" (\"A\" int NOT NULL); CREATE UNIQUE INDEX u ON \"_AB\" (\"A\")", "keyless:\"_AB\"@0" },
	{ "CREATE TABLE \"_AB\" (\"A\" int NOT NULL); ALTER TABLE \"_AB\" REPLICA IDENTITY USING INDEX u", "create:\"_AB\"@0 ok:\"_AB\"@1" },
	{ "ALTER TABLE ONLY t ADD COLUMN IF NOT EXISTS a int, ADD b text DEFAULT 'x, y', DROP c", "add:t.a@0 add:t.b@0 drop:t.c@0" },
	{ "ALTER TABLE t ADD g int GENERATED ALWAYS AS (a + 1) STORED, ADD i int GENERATED ALWAYS AS IDENTITY", "add:t.i@0" },
	{ "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0), ADD UNIQUE (a), ADD FOREIGN KEY (a) REFERENCES u", "" },
	{ "ALTER TABLE t ALTER COLUMN a TYPE text, ALTER b SET DATA TYPE int, ALTER c SET NOT NULL, ALTER type SET DEFAULT 1",
	    "retype:t.a@0 retype:t.b@0" },
	{ "ALTER TABLE t RENAME COLUMN a TO b; ALTER TABLE t RENAME a TO b; ALTER TABLE t RENAME TO u", "column:t.a@0 column:t.a@1 rename:t@2" },
	{ "ALTER TABLE t RENAME CONSTRAINT a TO b; ALTER INDEX i RENAME TO j", "" },
	{ "ALTER TABLE t SET SCHEMA s", "rename:t@0" },
	{ "ALTER TABLE t DROP CONSTRAINT t_pkey", "index:t.t_pkey@0" },
	{ "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD CONSTRAINT t_pkey PRIMARY KEY (a, b)", "ok:t@0" },
	{ "ALTER TABLE t REPLICA IDENTITY NOTHING", "identity:t@0" },
	{ "ALTER TABLE t REPLICA IDENTITY NOTHING; ALTER TABLE t REPLICA IDENTITY FULL", "ok:t@1" },
	{ "DROP INDEX CONCURRENTLY IF EXISTS i, s.j", "index:.i@0 index:.s.j@0" },
	{ "UPDATE t SET a = 1; DELETE FROM ONLY t; INSERT INTO t VALUES (1)", "write:t@0 write:t@1" },
	{ "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2; INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", "write:t@0" },
	{ "COMMENT ON TABLE t IS 'UPDATE t'; SELECT 1; TRUNCATE t; DROP TABLE IF EXISTS t, s.u", "ok:t@3 ok:s.u@3" },
};

static const char *const words[] = { "create", "keyless", "add", "drop", "retype", "column", "rename", "identity", "index", "write", "ok" };

int
main(void)
{
	size_t i, k;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sql_script script = sql_split(cases[i].sql, strlen(cases[i].sql));
		struct replica_steps steps = replica_steps(cases[i].sql, &script);
		struct bytes told = { 0 };

		for (k = 0; k < steps.count; k++)
			bytes_format(&told, "%s%s:%s%s%s@%zu", told.len > 0 ? " " : "", words[steps.list[k].change],
			    steps.list[k].table != NULL ? steps.list[k].table : "", steps.list[k].object != NULL ? "." : "",
			    steps.list[k].object != NULL ? steps.list[k].object : "", steps.list[k].statement);
		check_text(cases[i].sql, bytes_text(&told), cases[i].told);
		bytes_free(&told);
		replica_steps_free(&steps);
		sql_script_free(&script);
	}
	return checks_failed();
}
