#include "sql/session_effects.h"

#include "check.h"

/* One statement → what it does to its session. */
static const struct {
	enum session_effect effect;
	const char *sql;
} statements[] = {
	{ SESSION_SET, "SET search_path TO app" },
	{ SESSION_SET, "set session work_mem = '5MB'" },
	{ SESSION_SET, "SET /* why */ TIME ZONE 'UTC'" },
	{ SESSION_SET, "SET ROLE app" },
	{ SESSION_SET, "SET SESSION AUTHORIZATION app" },
	{ SESSION_SET, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY" },
	{ SESSION_SET, "SET NAMES 'latin1'" },
	{ SESSION_SET, "RESET ALL" },
	{ SESSION_SET, "RESET SESSION AUTHORIZATION" },
	{ SESSION_SET, "SELECT set_config('search_path', '', false)" },
	{ SESSION_SET, "SELECT pg_catalog.set_config('a.b', 'x', FALSE) AS a, set_config('c', 'y', true)" },
	{ SESSION_SET, "SET search_path = app, pg_temp" },
	{ SESSION_LOCAL, "SET LOCAL ROLE app" },
	{ SESSION_LOCAL, "SET CONSTRAINTS ALL DEFERRED" },
	{ SESSION_LOCAL, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE" },
	{ SESSION_LOCAL, "SELECT set_config('search_path', 'app', true)" },
	{ SESSION_LOCAL, "CREATE TEMP TABLE t (n int) ON COMMIT DROP" },
	{ SESSION_DISCARD, "DISCARD ALL" },
	{ SESSION_UNLOCK, "SELECT pg_advisory_unlock_all()" },
	{ SESSION_OBJECT, "CREATE TEMP TABLE t AS SELECT 1" },
	{ SESSION_OBJECT, "create local temporary table if not exists t (n int)" },
	{ SESSION_OBJECT, "CREATE OR REPLACE TEMP VIEW v AS SELECT 1" },
	{ SESSION_OBJECT, "CREATE TABLE pg_temp.t (n int)" },
	{ SESSION_OBJECT, "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'" },
	{ SESSION_OBJECT, "SELECT 1 AS n INTO TEMP t" },
	{ SESSION_OBJECT, "WITH a AS (SELECT 1) SELECT * INTO TEMPORARY TABLE t FROM a" },
	{ SESSION_OBJECT, "SET search_path = pg_temp, public" },
	{ SESSION_OBJECT, "PREPARE p AS SELECT 1" },
	{ SESSION_OBJECT, "DECLARE c CURSOR WITH HOLD FOR SELECT 1" },
	{ SESSION_OBJECT, "LISTEN x" },
	{ SESSION_OBJECT, "LOAD 'auto_explain'" },
	{ SESSION_OBJECT, "SELECT pg_advisory_lock(1)" },
	{ SESSION_OBJECT, "SELECT pg_try_advisory_lock_shared(1)" },
	{ SESSION_OBJECT, "SET SEED TO 0.5" },
	{ SESSION_OBJECT, "SELECT setseed(0.5)" },
	{ SESSION_CODE, "CALL p()" },
	{ SESSION_CODE, "SELECT app.begin_session()" },
	{ SESSION_CODE, "SELECT set_config('search_path', current_setting('search_path') || ', app', false)" },
	{ SESSION_CODE, "INSERT INTO t VALUES (set_config('a.b', 'x', false))" },
	{ SESSION_CODE, "DO $$ BEGIN PERFORM set_config('search_path', 'app', false); END $$" },
	{ SESSION_CODE, "DO $$ BEGIN SET search_path = app; END $$" },
	{ SESSION_CODE, "DO 'BEGIN IF true THEN SET search_path = app; END IF; END'" },
	{ SESSION_CODE, "DO $$ BEGIN EXECUTE 'SET ' || 'ROLE x'; END $$" },
	{ SESSION_KEPT, "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_type) THEN UPDATE t SET a = 1; END IF; END $$" },
	{ SESSION_KEPT, "DO $$ BEGIN ALTER TABLE t ALTER a SET NOT NULL; END $$" },
	{ SESSION_KEPT, "PREPARE TRANSACTION 'x'" },
	{ SESSION_KEPT, "DECLARE c CURSOR FOR SELECT 1" },
	{ SESSION_KEPT, "SELECT setval('s', 1), count(*) FROM t WHERE a IN (1)" },
	{ SESSION_KEPT, "SELECT pg_sleep(1)" },
	{ SESSION_KEPT, "UPDATE t SET search_path = 'app'" },
	{ SESSION_KEPT, "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = app AS 'SELECT 1'" },
	{ SESSION_KEPT, "ALTER ROLE app SET search_path = app" },
	{ SESSION_KEPT, "INSERT INTO t VALUES ('SET search_path TO app; SELECT set_config(1)')" },
};

/* The first `done` statements of a script → what is run again before the rest, or what cannot be. */
static const struct {
	size_t done;
	const char *sql;
	const char *again, *locals, *lost;
} scripts[] = {
	{ 2, "SET a.b = 1; COMMIT; SELECT 1", "SET a.b = 1;\n", NULL, NULL },
	{ 0, "SET a.b = 1; COMMIT; SELECT 1", NULL, NULL, NULL },
	{ 3, "BEGIN; SET a.b = 1; ROLLBACK; SELECT 1", NULL, NULL, NULL },
	{ 5, "BEGIN; SAVEPOINT s; SET a.b = 1; ROLLBACK TO S; COMMIT; SELECT 1", NULL, NULL, NULL },
	{ 6, "BEGIN; SET a.b = 1; SAVEPOINT s; SET c.d = 2; ROLLBACK TO SAVEPOINT s; COMMIT; SELECT 1", "SET a.b = 1;\n", NULL,
	    NULL },
	{ 5, "BEGIN; SAVEPOINT s; SET a.b = 1; RELEASE s; COMMIT; SELECT 1", "SET a.b = 1;\n", NULL, NULL },
	{ 2, "SET LOCAL a.b = 1; COMMIT; SELECT 1", NULL, NULL, NULL },
	{ 1, "SET LOCAL a.b = 1; SELECT 1", NULL, "SET LOCAL a.b = 1;\n", NULL },
	{ 3, "SET my.a = '1'; SET \"my\".b = '2'; COMMIT; SELECT 1", "SET my.a = '1';\nSET \"my\".b = '2';\n", NULL, NULL },
	{ 3, "SET my.a = '1'; SET \"my\" . \"A\" = '2'; COMMIT; SELECT 1", "SET \"my\" . \"A\" = '2';\n", NULL, NULL },
	{ 3, "SET ROLE x; RESET ROLE; DROP ROLE x; COMMIT", "RESET ROLE;\n", NULL, NULL },
	{ 4, "SET a.b = 1; COMMIT; DISCARD ALL; SET c.d = 2; SELECT 1",
	    "SET SESSION AUTHORIZATION DEFAULT;\nRESET ALL;\nSET c.d = 2;\n", NULL, NULL },
	{ 2, "CREATE TEMP TABLE t (n int); COMMIT; SELECT 1", NULL, NULL, "a temporary object" },
	{ 3, "CREATE TEMP TABLE t (n int); DROP TABLE \"t\"; COMMIT; SELECT 1", NULL, NULL, NULL },
	{ 3, "CREATE TEMP TABLE t (n int); DROP TABLE u; COMMIT; SELECT 1", NULL, NULL, "a temporary object" },
	{ 3, "BEGIN; CREATE TEMP TABLE t (n int); ROLLBACK; SELECT 1", NULL, NULL, NULL },
	{ 3, "BEGIN; PREPARE p AS SELECT 1; ROLLBACK; SELECT 1", NULL, NULL, "a prepared statement" },
	{ 2, "PREPARE p AS SELECT 1; DEALLOCATE ALL; SELECT 1", NULL, NULL, NULL },
	{ 2, "INSERT INTO t DEFAULT VALUES; COMMIT; SELECT currval('s')", NULL, NULL, "the value of currval() or lastval()" },
};

/* What is noted changes no answer. */
static void
check_noted(const char *text)
{
	static const char *const settings[] = { "search_path", "row_security", "c", "a.b" };
	struct sql_script script = sql_split(text, strlen(text)), noted = sql_split(text, strlen(text));
	bool all = session_note(text, &noted), same = all == !session_changes(text, &script) || !all;
	size_t i;

	for (i = 0; i < script.count; i++)
		same = same && session_change_of(text, &script.statements[i]).effect == session_change_of(text, &noted.statements[i]).effect;
	for (i = 0; i < sizeof settings / sizeof *settings; i++)
		same = same && session_may_set(text, &script, settings[i]) == session_may_set(text, &noted, settings[i]);
	check(text, same);
	sql_script_free(&script);
	sql_script_free(&noted);
}

/* A cheap filter finds a word anywhere, in any case. */
static void
check_mentions(void)
{
	static const struct {
		const char *text, *word;
		bool there;
	} rows[] = { { "select SET_Config('a')", "set_config", true }, { "set_confi", "set_config", false },
		{ "_config", "set_config", false }, { "___set_config_", "set_config", true }, { "set config", "set_config", false },
		{ "pg_ADVISORY_lock", "advisory_", true }, { "advisory", "advisory_", false }, { "_", "advisory_", false },
		{ "x SetSeed(1)", "setseed", true }, { "setsee", "setseed", false }, { "", "a_b", false } };
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		check(rows[i].text, sql_mentions(rows[i].text, strlen(rows[i].text), rows[i].word) == rows[i].there);
}

int
main(void)
{
	size_t i;

	check_mentions();
	for (i = 0; i < sizeof statements / sizeof *statements; i++)
		check_noted(statements[i].sql);
	for (i = 0; i < sizeof scripts / sizeof *scripts; i++)
		check_noted(scripts[i].sql);

	for (i = 0; i < sizeof statements / sizeof *statements; i++) {
		struct sql_script script = sql_split(statements[i].sql, strlen(statements[i].sql));

		check(statements[i].sql, script.count == 1 &&
		    session_change_of(statements[i].sql, &script.statements[0]).effect == statements[i].effect);
		sql_script_free(&script);
	}
	for (i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		struct sql_script script = sql_split(scripts[i].sql, strlen(scripts[i].sql));
		struct session_behind behind = session_behind(scripts[i].sql, &script, scripts[i].done);

		check_text(scripts[i].sql, behind.settings.data, scripts[i].again);
		check_text(scripts[i].sql, behind.locals.data, scripts[i].locals);
		check_text(scripts[i].sql, behind.lost, scripts[i].lost);
		session_behind_free(&behind);
		sql_script_free(&script);
	}
	return checks_failed();
}
