#!/usr/bin/env bats
# What a script sets in its session: made again where the script is resumed, and never in force for what is not its own.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154
load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
  NAME=20240101000000_it
  DATABASE_URL=$(database_url postgres)
  export DATABASE_URL
}
teardown() {
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
  sessions_end
  roles_end
}

SEEN="INSERT INTO public.seen SELECT current_user = session_user, session_user = 'postgres', current_setting('search_path'), current_setting('work_mem'),
  current_setting('session_replication_role'), current_setting('TimeZone'), current_setting('my.own', true)"

fresh() {
  sql_admin "SET client_min_messages = error; DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS app CASCADE; CREATE SCHEMA public;
    CREATE SCHEMA app; CREATE TABLE public.seen (a bool, b bool, c text, d text, e text, f text, g text); CREATE TABLE public.gone (n int)"
  sql_admin "CREATE TABLE public._prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count int NOT NULL DEFAULT 0)"
}

seen() {
  sql_admin 'TABLE public.seen'
}

# The script stops at N1, which is corrected then. Sets wanted: what it sees of its session undisturbed.
half_done() { # SCRIPT
  migration "$NAME" "$1; $SEEN;"
  sed -i 's/N1/1/' "$FOLDER/$NAME/migration.sql"
  fresh
  pipeline
  assert_code 0
  wanted=$(seen)
  migration "$NAME" "$1; $SEEN;"
  sed -i 's/N1/1\/0/' "$FOLDER/$NAME/migration.sql"
  fresh
  pipeline
  assert_code 1
  assert_equal "$(seen)" ''
}

@test "a script that is resumed has the settings that its done statements had made, by mig-apply and by psql" {
  local script
  role_new member
  while IFS= read -r script; do
    script=${script//ROLE_NAME/\"$ROLE\"}
    half_done "$script"
    says 'next: correct statement '
    sed -i 's/1\/0/1/' "$FOLDER/$NAME/migration.sql"
    sql_admin 'CREATE TABLE public.kept AS TABLE public._prisma_migrations'
    pipeline
    assert_code 0
    assert_equal "$script: $(seen)" "$script: $wanted"
    sql_admin 'TRUNCATE public.seen, public._prisma_migrations; INSERT INTO public._prisma_migrations TABLE public.kept'
    run --separate-stderr bash -c 'set -o pipefail; mig-scan | mig-plan --format=sql >plan.sql'
    assert_code 0
    CLIENT_ROLE=postgres run psql -q -f plan.sql
    assert_success
    assert_equal "$script: $(seen)" "$script: $wanted"
  done <<'SQL'
SET search_path TO app; COMMIT; SELECT N1
SET search_path TO app; VACUUM public.gone; SELECT N1
SET ROLE ROLE_NAME; RESET ROLE; COMMIT; SELECT N1
SET SESSION session_replication_role = replica; COMMIT; SELECT N1
SELECT set_config('search_path', 'app', false), pg_catalog.set_config('work_mem', '5MB', false); COMMIT; SELECT N1
BEGIN; SET work_mem = '5MB'; SAVEPOINT s; SET work_mem = '6MB'; ROLLBACK TO s; SET TIME ZONE 'Asia/Tokyo'; COMMIT; SELECT N1
BEGIN; SET work_mem = '5MB'; ROLLBACK; VACUUM public.gone; SELECT N1
SET LOCAL work_mem = '5MB'; SET my.own = 'mine'; SET my.other = 'yours'; COMMIT; SELECT N1
SET work_mem = '5MB'; COMMIT; DISCARD ALL; SET TIME ZONE 'Asia/Tokyo'; COMMIT; SELECT N1
SQL
}

@test "a script that is resumed as another role acts as that role" {
  role_new worker
  half_done "GRANT ALL ON SCHEMA public TO \"$ROLE\"; GRANT INSERT ON public.seen TO \"$ROLE\"; COMMIT; SET ROLE \"$ROLE\"; COMMIT; SELECT N1"
  sed -i 's/1\/0/1/' "$FOLDER/$NAME/migration.sql"
  pipeline
  assert_code 0
  assert_equal "$(seen)" "$wanted"
  [[ $wanted == f\|t\|* ]]
}

@test "what no statement makes again is a question, before anything runs, and the answer works" {
  local script answer
  while IFS= read -r script; do
    half_done "$script"
    says 'next: mig-scan | mig-plan' 'lost'
    says_not 'next: correct statement '
    sed -i 's/1\/0/1/' "$FOLDER/$NAME/migration.sql"
    pipeline
    assert_code 1
    says 'ended with'
    assert_equal "$(seen)" ''
    run --separate-stderr bash -c 'set -o pipefail; mig-scan | mig-plan --format=sql'
    assert_code 1
    answer=$(mig-scan 2>/dev/null | mig-plan 2>/dev/null | jq -r 'select(.rule == "failed").remedy' | grep -F 'did not happen)')
    run --separate-stderr bash -c "${answer%%    (*}"
    assert_code 0
    assert_equal "$(seen)" "$wanted"
  done <<'SQL'
CREATE TEMP TABLE pick AS SELECT 1; COMMIT; SELECT N1
SELECT 1 AS n INTO TEMP pick; COMMIT; SELECT N1
BEGIN; CREATE TABLE pg_temp.pick (n int); COMMIT; SELECT N1
PREPARE p AS SELECT 1; COMMIT; SELECT N1
BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT; SELECT N1
SELECT pg_advisory_lock(42); COMMIT; SELECT N1
CREATE SEQUENCE s; COMMIT; SELECT N1; SELECT nextval('s'), currval('s')
SQL
}

@test "what a function or a procedure, or a script before, set in the session is a question as well" {
  local call
  role_new worker
  while IFS= read -r call; do
    migration 20231231000000_before "CREATE FUNCTION app.enter() RETURNS void LANGUAGE sql AS \$\$ SELECT set_config('search_path', 'app', false) \$\$;
      CREATE PROCEDURE app.proceed() LANGUAGE sql AS \$\$ SELECT set_config('search_path', 'app', false) \$\$;
      CREATE FUNCTION app.become() RETURNS void LANGUAGE sql AS \$\$ SELECT set_config('role', '$ROLE', false) \$\$;
      GRANT USAGE ON SCHEMA app, public TO \"$ROLE\"; GRANT INSERT ON public.seen TO \"$ROLE\";
      CREATE FUNCTION app.pick() RETURNS void LANGUAGE plpgsql AS \$\$ BEGIN CREATE TEMP TABLE pick (n int); END \$\$;
      CREATE FUNCTION app.as_tenant() RETURNS text LANGUAGE sql AS \$\$ SELECT set_config('app.tenant', '7', false) \$\$;
      CREATE FUNCTION app.nothing() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    migration 20231231010000_leaves "${call%%|*}"
    half_done "${call#*|}; COMMIT; SELECT N1"
    sed -i 's/1\/0/1/' "$FOLDER/$NAME/migration.sql"
    pipeline
    if [[ $call == *nothing* ]]; then
      assert_code 0
      continue
    fi
    assert_code 1
    says 'its session had settings from a function, a procedure or an earlier script'
    assert_equal "$(seen)" ''
  done <<'SQL'
|SELECT app.enter()
|CALL app.proceed()
|DO $$ BEGIN PERFORM app.enter(); END $$
|INSERT INTO public.gone SELECT 1 FROM app.enter()
|SELECT app.become()
|DO $$ BEGIN PERFORM app.become(); END $$
|SELECT app.pick()
|DO $$ BEGIN PERFORM set_config('app.Tenant', '7', false); END $$
|DO 'BEGIN PERFORM set_config(''app.tenant'', ''7'', false); END'
|SELECT set_config('app.tenant', length('seven')::text, false)
|INSERT INTO public.gone SELECT length(set_config('search_path', 'app', false))
|CREATE TABLE public.made AS SELECT set_config('search_path', 'app', false) AS path
|WITH path AS (SELECT set_config('search_path', 'app', false)) SELECT * FROM path
|EXPLAIN ANALYZE SELECT set_config('search_path', 'app', false)
|SELECT set_config('search_path', 'app, ' || current_setting('search_path'), false)
|SET search_path = public; SELECT set_config('search_path', concat('app'), false)
|SELECT app.as_tenant(), current_setting('app.tenant', true)
SET search_path = app, public;|SELECT 1
|SELECT app.nothing()
|SELECT app.nothing(), current_setting('app.tenant', true)
|DO $$ BEGIN PERFORM set_config('app.tenant', app.nothing()::text, true); END $$
SQL
}

@test "a script that switches row level security on has its row written all the same, or is told that it cannot be" {
  role_new worker
  local secured="ALTER TABLE public._prisma_migrations ENABLE ROW LEVEL SECURITY; GRANT ALL ON public._prisma_migrations TO \"$ROLE\""
  migration "$NAME" "SELECT 1; COMMIT; SET ROLE \"$ROLE\"; SET row_security = on; COMMIT; SELECT 2;"
  fresh
  sql_admin "$secured"
  pipeline
  assert_code 0
  assert_equal "$(sql_admin 'SELECT migration_name FROM public._prisma_migrations WHERE finished_at IS NOT NULL')" "$NAME"

  # as who is subject to it, there is nobody who could write it
  migration "$NAME" "SELECT 1; COMMIT; ALTER TABLE public._prisma_migrations FORCE ROW LEVEL SECURITY; SET row_security = on; COMMIT; SELECT 2;"
  fresh
  sql_admin "ALTER TABLE public._prisma_migrations OWNER TO tester; ALTER SCHEMA public OWNER TO tester"
  sql_admin "$secured"
  DATABASE_URL=$(database_url)
  mig-scan | mig-plan --format=sql >plan.sql
  pipeline
  assert_code 77
  says 'its row in public._prisma_migrations could not be written' 'row-level security'

  fresh
  sql_admin "ALTER TABLE public._prisma_migrations OWNER TO tester; ALTER SCHEMA public OWNER TO tester"
  sql_admin "$secured"
  CLIENT_ROLE=tester run psql -X -q -f plan.sql
  [[ $status != 0 && $output == *'row-level security'* ]] || fail "psql: $status $output"
}

@test "the script for psql is read alike whatever psqlrc or an option of psql sets: one line at a time, or by a cursor" {
  local how
  migration "$NAME" "CREATE TABLE a (v
int);
INSERT INTO a VALUES (1), (2);
WITH gone AS (DELETE FROM a
WHERE v = 1 RETURNING v) SELECT * FROM gone;
WITH gone AS (DELETE FROM a RETURNING v), n AS (SELECT count(*) FROM gone) SELECT * FROM n;"
  for how in SINGLELINE=on FETCH_COUNT=1 AUTOCOMMIT=off ON_ERROR_ROLLBACK=on; do
    fresh
    mig-scan | mig-plan --format=sql >plan.sql
    CLIENT_ROLE=postgres run psql -X -q -v "$how" -f plan.sql
    [[ $status == 0 ]] || fail "$how: $output"
    assert_equal "$how $(sql_admin 'SELECT count(*) FROM a; SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL')" "$how "$'0\n1'
  done
}

@test "where a function made settings, a failed deploy says to look at the plan, which asks, and not to run it again" {
  local next
  migration "$NAME" "DO \$\$ BEGIN PERFORM set_config('my.x', 'v', false); END \$\$; COMMIT; SELECT current_setting('my.x'); SELECT 1/0;"
  fresh
  pipeline
  assert_code 1
  says 'lost          settings that a function or a procedure made' "shows how to continue with $NAME"
  says_not 'run the same command again'
  next=$(sed -nE 's/^next: (mig-scan .*[^ ])  +\(shows.*$/\1/p' <<<"$stderr")
  run --separate-stderr sh -c "$next"
  assert_code 1
  says "--resume=$NAME:"
}

@test "a temporary table that the script has dropped again is not asked for" {
  half_done 'CREATE TEMP TABLE pick (n int); DROP TABLE pick; COMMIT; SELECT N1'
  sed -i 's/1\/0/1/' "$FOLDER/$NAME/migration.sql"
  pipeline
  assert_code 0
}

@test "SET LOCAL holds where statements turn out to need transactions of their own" {
  migration "$NAME" "CREATE TYPE mood AS ENUM ('a');"
  migration 20240102000000_local "SET LOCAL search_path = app, public; ALTER TYPE mood ADD VALUE 'b'; SELECT 'b'::mood; DELETE FROM t;"
  migration 20240103000000_alone 'SET LOCAL search_path = app, public; DO $$ BEGIN COMMIT; END $$; DELETE FROM t;'
  fresh
  sql_admin 'CREATE TABLE public.t AS SELECT 1; CREATE TABLE app.t AS SELECT 1'
  pipeline
  assert_code 1
  says 'SET LOCAL before it cannot hold' '20240103000000_alone'
  assert_equal "$(sql_admin 'SELECT count(*) FROM public.t; SELECT count(*) FROM app.t')" $'1\n0'
}

@test "client_encoding and standard_conforming_strings of a script are not those of the text that follows, nor of names" {
  local set
  while IFS= read -r set; do
    fresh
    rm -rf "${FOLDER:?}"/2024*
    migration 20240101000000_é "$set; INSERT INTO public.seen (c, d) VALUES ('é', 'a\\'); COMMIT; INSERT INTO public.seen (c, d) VALUES ('é', 'a\\');"
    migration 20240102000000_it\'s_é "INSERT INTO public.seen (c, d) VALUES ('é', 'a\\'); CREATE TABLE \"ö\" ();"
    migration 20240103000000_ü "VACUUM public.gone; INSERT INTO public.seen (c, d) VALUES ('é', 'a\\');"
    pipeline
    assert_code 0
    assert_equal "$set: $(CLIENT_ROLE=postgres applied | tr '\n' ' ')" "$set: 20240101000000_é 20240102000000_it's_é 20240103000000_ü "
    assert_equal "$set: $(sql_admin "SELECT count(*) FROM public.seen WHERE c = 'é' AND d = E'a\\\\'")" "$set: 4"
    [[ $set == *"'UTF8'"* ]] || says "20240101000000_é changed"
    [[ $set != *"'UTF8'"* ]] || says_not 'changed'
  done <<'SQL'
SET client_encoding = 'LATIN1'
SET NAMES 'latin1'
SELECT pg_catalog.set_config('client_encoding', 'WIN1252', false)
DO $$ BEGIN PERFORM set_config('client_encoding', 'LATIN1', false); END $$
SET standard_conforming_strings = off
SELECT set_config('standard_conforming_strings', 'off', false), set_config('client_encoding', 'LATIN9', false)
SET client_encoding = 'UTF8'
SQL
}

@test "a database that reads strings or sends text otherwise is set right for the session, without a word" {
  fresh
  sql_admin "ALTER DATABASE \"$PGDATABASE\" SET standard_conforming_strings = off; ALTER DATABASE \"$PGDATABASE\" SET client_encoding = 'LATIN1'"
  migration 20240101000000_é "INSERT INTO public.seen (c, d) VALUES ('é', 'a\\'); COMMIT; INSERT INTO public.seen (c, d) VALUES ('é', 'a\\');"
  pipeline
  assert_code 0
  says_not 'changed'
  assert_equal "$(sql_admin "SELECT count(*) FROM public.seen WHERE c = U&'\\00E9' AND length(d) = 2" 2>/dev/null)" 2 ||
    assert_equal "$(sql_admin "SELECT count(*) FROM public.seen WHERE length(c) = 1 AND length(d) = 2")" 2
}

idle_for_longer() {
  [[ $(sql_admin "SELECT bool_or(state = 'idle' AND clock_timestamp() - state_change > '400 ms') FROM pg_stat_activity
    WHERE application_name = 'mig-apply' AND datname = current_database()") == t ]]
}

@test "idle_session_timeout of a role, a database or a script does not end a session that waits" {
  role_new deployer PASSWORD "'x'"
  fresh
  sql_admin "CREATE TABLE busy (); ALTER TABLE busy OWNER TO \"$ROLE\"; GRANT ALL ON SCHEMA public TO \"$ROLE\"; GRANT ALL ON ALL TABLES IN SCHEMA public TO \"$ROLE\";
    ALTER ROLE \"$ROLE\" SET idle_session_timeout = '300ms'"
  DATABASE_URL=$(database_url "$ROLE")
  migration 1_set "SET idle_session_timeout = '300ms'; CREATE TABLE one (); COMMIT; ALTER TABLE busy ADD COLUMN a int;"
  migration 2_next 'ALTER TABLE busy ADD COLUMN n int;'
  session_begin CLIENT_ROLE=postgres 'BEGIN; LOCK TABLE busy IN ACCESS SHARE MODE'
  begin bash -c 'mig-scan | mig-plan | mig-apply --wait=60s -v'
  eventually grep -q 'retrying after' "$JOB_ERR"
  eventually idle_for_longer
  session_end "$SESSION"
  finish
  assert_code 0
}

# ---- the script for psql --------------------------------------------------------------------------------------------------

@test "no name of a folder, database, host or schema makes a line of the script for psql" {
  local name key
  migration 20240101000000_it 'SELECT 1;'
  mig-scan 2>/dev/null >scan.rec
  for name in $'x\n\\! touch pwned\n--' $'x\r\\! touch pwned' $'x$mig$; \\! touch pwned' $'x\'; \n\\! touch pwned' $'x\\\'\n\\! touch pwned'; do
    for key in '["migration"]' '["database", "schema", "host"]'; do
      grep -v '"record":"end"' scan.rec |
        jq -c --argjson keys "$key" --arg name "$name" 'reduce $keys[] as $key (.; if has($key) then .[$key] = $name else . end)' | seal >forged.rec
      rm -f plan.sql
      mig-plan --format=sql forged.rec >plan.sql 2>err || continue
      CLIENT_ROLE=postgres run psql -q -f plan.sql
      [[ ! -e pwned ]] || fail "$key: $name" || return 1
    done
  done
  assert [ -s plan.sql ]
}

@test "psql reads a script as the plan has read it, whatever its statements do to the session" {
  local script
  while IFS= read -r script; do
    fresh
    rm -rf "${FOLDER:?}"/2024*
    migration 20240101000000_it "${script//NEWLINE/$'\n'}"
    migration 20240102000000_after "INSERT INTO public.seen (c) VALUES ('é \\');"
    run --separate-stderr bash -c 'set -o pipefail; mig-scan | mig-plan --format=sql >plan.sql'
    if [[ $script == BROKEN* ]]; then
      assert_code 65
      continue
    fi
    assert_code 0
    CLIENT_ROLE=postgres run psql -q -f plan.sql
    [[ ! -e pwned ]] || fail "ran a command: $script" || return 1
    assert_success
    assert_equal "$script: $(sql_admin "SELECT count(*) FROM public.seen WHERE length(c) = 3")" "$script: 2"
  done <<'SQL'
SET standard_conforming_strings = off; INSERT INTO public.seen (c, d) VALUES ('é \', '\''; \! touch pwned '), ('', '');
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT set_config('standard_conforming_strings', 'off', false) $$; INSERT INTO public.gone SELECT 1 FROM f(); INSERT INTO public.seen (c, d) VALUES ('é \', '\''; \! touch pwned '), ('', '');
DO $$ BEGIN SET client_encoding = 'LATIN1'; SET standard_conforming_strings = off; END $$; BEGIN; INSERT INTO public.seen (c) VALUES ('é \'); COMMIT;
SET client_encoding = 'LATIN1'; VACUUM public.gone; INSERT INTO public.seen (c) VALUES ('é \');
RESET ALL; INSERT INTO public.seen (c) -- why; \' it'sNEWLINE VALUES ('é \');
BROKEN 'the string goes on
BROKEN /* the comment goes on
BROKEN (
SQL
}

@test "a script that puts pg_temp first in the search path has that for itself: what the next ones make stays" {
  local line
  for line in 'SELECT 1; SET search_path = pg_temp;' 'SET SESSION search_path TO "pg_temp", public;' \
    "SELECT set_config('search_path', 'pg_temp, public', false);"; do
    database_new
    rm -rf prisma
    folder_new
    migration 1_path "$line"
    migration 2_next 'CREATE TABLE stays (id int);'
    pipeline
    assert_code 0
    says '1_path changed search_path away from the history; restored for the following steps'
    assert_equal "$(sql "SELECT to_regclass('public.stays') IS NOT NULL")" t
  done
}
