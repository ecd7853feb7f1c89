#!/usr/bin/env bats
# Statements that are several transactions by themselves: what is said of one that did not finish is true, and the next plain
# run finishes it, since the catalog tells how far it came.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2153,SC2154
load helper
load words

setup_file() { server_start max_prepared_transactions=5; }
teardown_file() { server_stop; }
setup() {
  export CLIENT_ROLE=postgres
  folder_new
}
teardown() {
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
  sessions_end
  subscription_end
}

# A database that has one cannot be dropped.
subscription_end() {
  [[ -z ${SUBSCRIBED-} ]] || PGDATABASE=$SUBSCRIBED sql 'DROP SUBSCRIPTION IF EXISTS s' >/dev/null 2>&1
  SUBSCRIBED=
}

as_postgres() {
  subscription_end
  database_new
  SUBSCRIBED=$PGDATABASE
  DATABASE_URL=$(database_url postgres)
  sql 'CREATE SCHEMA "S p"; GRANT ALL ON SCHEMA "S p" TO public;
    CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); INSERT INTO p VALUES (1);
    CREATE TABLE "S p"."the P" (id int) PARTITION BY RANGE (id);
    CREATE TABLE "S p"."p ""1" PARTITION OF "S p"."the P" FOR VALUES FROM (0) TO (10); INSERT INTO "S p"."the P" VALUES (1);
    CREATE TABLE a (id int PRIMARY KEY); CREATE INDEX a_id ON a (id); CLUSTER a USING a_id;
    CREATE TABLE b (id int PRIMARY KEY); CREATE INDEX "b I" ON b (id); CLUSTER b USING "b I"; ALTER TABLE b SET SCHEMA "S p";
    CREATE SUBSCRIPTION s CONNECTION $$dbname=nowhere$$ PUBLICATION nothing WITH (connect = false);
    ALTER SUBSCRIPTION s SET (slot_name = NONE)' >/dev/null 2>&1
}

# NAME | what another session holds | the statement | a query, and what it says when the statement is done
statements() {
  cat <<'TABLE'
detach        |SELECT * FROM p|ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY|SELECT count(*) FROM pg_inherits WHERE inhrelid = 'p1'::regclass|0
detach quoted |SELECT * FROM "S p"."the P"|ALTER /* a ; */ TABLE IF EXISTS ONLY "S p" . "the P" DETACH PARTITION /* b */ "S p"."p ""1" CONCURRENTLY|SELECT count(*) FROM pg_inherits WHERE inhrelid = '"S p"."p ""1"'::regclass|0
cluster       |LOCK TABLE "S p".b IN ROW EXCLUSIVE MODE|CLUSTER|SELECT 1|1
drop          |SELECT * FROM a|DROP INDEX CONCURRENTLY a_id|SELECT to_regclass('a_id') IS NULL|t
drop quoted   |SELECT * FROM "S p".b|DROP INDEX /* i */ CONCURRENTLY IF EXISTS "S p"."b I" RESTRICT|SELECT to_regclass('"S p"."b I"') IS NULL|t
reindex schema|LOCK TABLE "S p".b IN ROW EXCLUSIVE MODE|REINDEX SCHEMA "S p"|SELECT 1|1
vacuum        |LOCK TABLE "S p".b IN ROW EXCLUSIVE MODE|VACUUM (FULL) a, "S p".b|SELECT 1|1
create db     |LOCK TABLE pg_database IN SHARE MODE|CREATE DATABASE "it's_%N%" TEMPLATE template0|SELECT count(*) FROM pg_database WHERE datname = $$it's_%N%$$|1
drop sub      |LOCK TABLE pg_subscription IN SHARE MODE|DROP SUBSCRIPTION s|SELECT count(*) FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())|0
TABLE
}

# each CALLBACK: with it (the migration), name, lock, statement, query and answer, one after the other in one database.
each() {
  local name lock statement query answer it n=10
  as_postgres
  while IFS='|' read -r name lock statement query answer; do
    statement=${statement//%N%/$$_$BATS_TEST_NUMBER} query=${query//%N%/$$_$BATS_TEST_NUMBER}
    it=$((n++))_it
    migration "$it" "$statement;"
    "$1" || fail "$name: $stderr" || return 1
  done < <(statements | grep -E "${ONLY-.}")
}

done_now() {
  assert_equal "$(sql "$query")" "$answer" && assert_equal "$(applied | tail -n 1)" "$it"
}

given_up() {
  session_begin "BEGIN; $lock" || return 1
  pipeline plan: --allow=not_empty apply: --wait=300ms
  assert_code 75 || return 1
  ! grep -E 'rolled back' <<<"$stderr" || return 1
  session_end "$SESSION"
  pipeline plan: --allow=not_empty
  assert_code 0 && done_now
}

@test "given up because a table stays busy: never called rolled back, and the next plain run finishes it" {
  each given_up
}

interrupted() {
  mig-scan 2>/dev/null | mig-plan --allow=not_empty >plan.rec 2>/dev/null
  session_begin "BEGIN; $lock" || return 1
  begin mig-apply plan.rec
  eventually waiting || return 1
  kill -TERM "$JOB"
  finish
  assert_code 143 || return 1
  ! grep -E 'rolled back' <<<"$stderr" || return 1
  says 'next: run the same command again' || return 1
  session_end "$SESSION"
  pipeline plan: --allow=not_empty
  assert_code 0 && done_now
}

@test "stopped by a signal: the next plain run reads the catalog and asks nobody" {
  ONLY='^detach|^drop|^create' each interrupted
}

# half_detached: DETACH of p1 was interrupted behind the first of its two transactions.
half_detached() {
  as_postgres
  migration 1_it 'ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;'
  session_begin 'BEGIN; SELECT * FROM p'
  pipeline plan: --allow=not_empty apply: --wait=100ms
  assert_code 75
  says 'left          p1 waits for FINALIZE: readers of p no longer see its rows; the next run finishes it'
  session_end "$SESSION"
  assert_equal "$(sql 'SELECT inhrelid::regclass FROM pg_inherits WHERE inhdetachpending')" p1
}

@test "an answer that the catalog contradicts is refused, also by a dry run, and a right one is taken" {
  local answer dry
  half_detached
  for answer in --mark-applied=1_it --mark-rolled-back=1_it --resume=1_it:1 --resume=1_it:2; do
    for dry in --wait=0s --dry-run; do
      pipeline plan: "$answer" apply: "$dry"
      assert_code 65
      says "${answer%%=*} 1_it: the catalog says otherwise: p1 waits for FINALIZE" 'nothing was touched' \
        'next: let mig-apply resume from the state in the catalog:  mig-scan | mig-plan | mig-apply'
    done
  done
  sql 'ALTER TABLE p DETACH PARTITION p1 FINALIZE'
  for answer in --mark-rolled-back=1_it --resume=1_it:1; do
    pipeline plan: "$answer"
    assert_code 65
    says 'p1 is no longer a partition of p'
  done
  pipeline plan: --resume=1_it:2
  assert_code 0
  assert_equal "$(history | cut -d'|' -f1,3-5)" '1_it|finished|-|1'
}

@test "an index that was interrupted: what is said of it is held against the catalog" {
  as_postgres
  migration 1_it 'CREATE INDEX CONCURRENTLY "a I" ON a (id);'
  mig-scan 2>/dev/null | mig-plan --allow=not_empty >plan.rec 2>/dev/null
  session_begin 'BEGIN; LOCK TABLE a IN ROW EXCLUSIVE MODE'
  begin mig-apply plan.rec
  eventually waiting
  kill -KILL "$JOB"
  finish
  session_end "$SESSION"
  eventually eval '[[ $(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '\''mig-apply%'\''") == 0 ]]'
  sql 'DROP INDEX IF EXISTS "a I"'
  pipeline plan: --mark-applied=1_it
  assert_code 65
  says '--mark-applied 1_it: the catalog says otherwise: the index "a I" is not there'
  sql 'CREATE INDEX "a I" ON a (id)'
  pipeline plan: --mark-rolled-back=1_it
  assert_code 65
  says 'the index "a I" is there, and valid'
  pipeline plan: --mark-applied=1_it
  assert_code 0
}

@test "what is said of an index is held against the names of the script's own session" {
  local session answer
  sql_admin 'DO $$ BEGIN CREATE ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $$'
  while IFS= read -r session; do
    as_postgres
    # `public` has the same names, and there nothing happened
    sql 'CREATE SCHEMA app AUTHORIZATION app; CREATE TABLE app.a (id int); ALTER TABLE app.a OWNER TO app'
    migration 1_it "$session CREATE INDEX CONCURRENTLY i ON a (id);"
    mig-scan | mig-plan --allow=not_empty --format=sql 2>/dev/null | sed '/CREATE INDEX/,$d' | psql -q >/dev/null
    for answer in --mark-applied=1_it --resume=1_it:3; do
      pipeline plan: "$answer" apply: --dry-run
      assert_code 65 || fail "$session $answer: $stderr" || return 1
      says "${answer%%=*} 1_it: the catalog says otherwise: the index i is not there"
    done
    sql 'CREATE INDEX i ON app.a (id)'
    for answer in --mark-rolled-back=1_it --resume=1_it:2; do
      pipeline plan: "$answer"
      assert_code 65 || fail "$session $answer: $stderr" || return 1
      says 'the index i is there, and valid'
    done
    pipeline plan: --resume=1_it:3
    assert_code 0 || fail "$session: $stderr" || return 1
    assert_equal "$(applied)" 1_it
  done <<'SQL'
SET SCHEMA 'app';
SET ROLE app;
SET search_path = app, public;
SELECT set_config('search_path', 'app', false);
SQL
}

@test "a partition that somebody else left half detached is finished" {
  half_detached
  sql 'DELETE FROM _prisma_migrations'
  pipeline
  assert_code 0
  assert_equal "$(sql "SELECT count(*) FROM pg_inherits WHERE inhrelid = 'p1'::regclass")" 0
}

@test "a procedure that fails behind its COMMIT is not called rolled back, does not run again, and a person is asked" {
  as_postgres
  sql 'CREATE PROCEDURE half() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO a VALUES (1); COMMIT; PERFORM 1 / 0; END $$'
  migration 1_it 'CALL half();'
  pipeline plan: --allow=not_empty
  assert_code 1
  says '[22012]' 'not known     what statement 1 committed before it failed' 'next: mig-scan | mig-plan' '(shows how to continue with 1_it)'
  says_not 'rolled back'
  pipeline
  says '--resume' '1_it:2' '1_it:1'
  assert_equal "$(sql 'SELECT count(*) FROM a')" 1
}

@test "a statement outside a transaction that fails and leaves nothing: not done, nothing to resolve" {
  local statement
  as_postgres
  while IFS= read -r statement; do
    migration 1_it "$statement;"
    pipeline plan: --allow=not_empty
    assert_code 1
    says 'not done      step 1: statement 1, which runs outside a transaction, did not finish; no `migrate resolve` needed'
    says_not 'rolled back'
    assert_equal "$(history)" ''
  done <<'SQL'
ALTER TABLE p DETACH PARTITION nothing CONCURRENTLY
ALTER TABLE p DETACH PARTITION a CONCURRENTLY
DROP INDEX CONCURRENTLY nothing
CREATE INDEX CONCURRENTLY i ON nothing (id)
VACUUM a, nothing
REINDEX TABLE CONCURRENTLY nothing
CREATE DATABASE postgres
CREATE SUBSCRIPTION t CONNECTION 'host=127.0.0.1 port=1' PUBLICATION nothing
SQL
}
