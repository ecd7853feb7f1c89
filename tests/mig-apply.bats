#!/usr/bin/env bats
# mig-apply: a plan carried out, and what is said and left behind where that is not possible.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
}
teardown() {
  sessions_end
  roles_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

# A plan of what is there now, in plan.rec.
planned() {
  mig-scan | mig-plan -q -o plan.rec >/dev/null
}

apply() {
  run --separate-stderr mig-apply "$@" plan.rec
}

# "1 applied", a line a step
results() {
  records 'select(.record == "result") | "\(.step) \(.status)"'
}

tables() {
  sql "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = '${1:-public}'::regnamespace
    AND relkind IN ('r', 'v', 'p') AND relname <> '_prisma_migrations' AND pg_get_userbyid(relowner) <> 'mallory'"
}

# The steps before and after the one that fails.
three_with() {
  migration 1_before 'CREATE TABLE before ();'
  migration 2_middle "$1"
  migration 3_after 'CREATE TABLE after ();'
}

lock_is_free() {
  [[ $(sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 0 ]]
}

## What is done

@test "what is pending is applied, in order, and recorded as Prisma records it" {
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  migration 20240102000000_more $'ALTER TABLE a ADD b text;\r\nINSERT INTO a VALUES (1, \'x\');\r\n'
  migration 20240103000000_empty ''
  migration 20240104000000_comment '-- This is an empty migration.'
  pipeline
  assert_code 0
  assert_equal "$codes" '0 0 0'
  assert_equal "$(history)" "20240101000000_init|$(checksum 20240101000000_init)|finished|-|1|-
20240102000000_more|$(checksum 20240102000000_more)|finished|-|1|-
20240103000000_empty|$(checksum 20240103000000_empty)|finished|-|1|-
20240104000000_comment|$(checksum 20240104000000_comment)|finished|-|1|-"
  assert_equal "$(sql 'SELECT * FROM a')" '1|x'
  assert_equal "$(sql "SELECT count(*) FROM _prisma_migrations WHERE started_at <= finished_at
    AND finished_at BETWEEN now() - interval '1 min' AND now()
    AND id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\$'")" 4
  assert_equal "$(sql 'SELECT count(DISTINCT started_at) FROM _prisma_migrations')" 4
}

@test "the history table is the one that Prisma makes" {
  migration 1_one 'SELECT 1;'
  pipeline
  assert_equal "$(sql "SELECT column_name, data_type, character_maximum_length, is_nullable, column_default
    FROM information_schema.columns WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position")" \
    'id|character varying|36|NO|
checksum|character varying|64|NO|
finished_at|timestamp with time zone||YES|
migration_name|character varying|255|NO|
logs|text||YES|
rolled_back_at|timestamp with time zone||YES|
started_at|timestamp with time zone||NO|now()
applied_steps_count|integer||NO|0'
  assert_equal "$(sql "SELECT conname, contype FROM pg_constraint WHERE conrelid = '_prisma_migrations'::regclass AND contype <> 'n'")" \
    '_prisma_migrations_pkey|p'
}

@test "realistic migrations of ten kinds are applied" {
  migrations_many 30
  pipeline
  assert_code 0
  assert_equal "$(applied | wc -l)" 30
  assert_equal "$(sql "SELECT count(*) FROM _prisma_migrations WHERE applied_steps_count = 1 AND logs IS NULL")" 30
  assert_equal "$(sql 'SELECT count(*) FROM pg_index WHERE NOT indisvalid')" 0
}

@test "progress and success are said, and the results are records of their own kind" {
  three_with 'SELECT 1; SELECT 2;'
  planned
  apply
  assert_code 0
  says "mig-apply: $PGDATABASE at " ', schema public, user tester; plan ' ', 3 steps' 'applied 3 of 3 in '
  assert_equal "$(grep -cE '^ [123]/3  [123]_[a-z]+ +applied +[0-9.]+ s$' <<<"$stderr")" 3
  assert_equal "$(results)" $'1 applied\n2 applied\n3 applied'
  assert_equal "$(records 'select(.record == "result" and .step == 2) | "\(.statement_count) \(.statements_done) \(.attempts) \(.waited_ms) \(.sqlstate)"')" \
    '2 2 1 0 null'
  assert_equal "$(records 'select(.record == "run") | "\(.plan_digest) \(.database) \(.user) \(.dry_run)"')" \
    "$(tail -n 1 plan.rec | jq -r .digest) $PGDATABASE tester false"
}

@test "a second run has nothing to do, and does not even connect" {
  migration 1_one 'CREATE TABLE one ();'
  pipeline
  pipeline
  assert_code 0
  says 'nothing to do'
  assert_equal "$(results)" ''
  planned
  DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere apply
  assert_code 0
}

@test "schema= of the string is made where it does not exist, and everything lands in it" {
  DATABASE_URL+='&schema=My%20App'
  migration 1_one 'CREATE TABLE one ();'
  pipeline
  assert_code 0
  assert_equal "$(tables '"My App"')" one
  assert_equal "$(tables)" ''
  assert_equal "$(applied 'My App')" 1_one
  pipeline
  assert_code 0
  says 'nothing to do'
}

@test "notices of the server are shown with their migration, and -q keeps them back" {
  migration 1_loud $'DO $$ BEGIN RAISE NOTICE \'hello there\'; RAISE WARNING \'mind this\'; END $$;\nDROP TABLE IF EXISTS nowhere;'
  planned
  apply
  assert_code 0
  says 'mig-apply: 1_loud: NOTICE: hello there' 'mig-apply: 1_loud: WARNING: mind this' 'table "nowhere" does not exist, skipping'
  migration 2_loud $'DO $$ BEGIN RAISE NOTICE \'hello there\'; END $$;'
  planned
  apply -q
  assert_code 0
  assert_equal "$stderr" ''
}

@test "what a script sets for its session does not keep it from being recorded" {
  migration 1_dump "SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE public.one ();"
  migration 2_set "SET search_path = pg_catalog; SET lock_timeout = '1ms'; SET TimeZone = 'Asia/Tokyo'; SET standard_conforming_strings = off;"
  migration 3_read_only 'SET default_transaction_read_only = off;'
  pipeline
  assert_code 0
  assert_equal "$(history | cut -d'|' -f1,3,5,6)" $'1_dump|finished|1|-\n2_set|finished|1|-\n3_read_only|finished|1|-'
}

## Scripts that one transaction cannot hold

@test "CREATE INDEX CONCURRENTLY runs outside a transaction, and is recorded" {
  migration 1_table 'CREATE TABLE a (b int);'
  migration 2_index 'CREATE INDEX CONCURRENTLY "a_b_idx" ON a (b);'
  pipeline
  assert_code 0
  assert_equal "$(sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_b_idx'::regclass")" t
  assert_equal "$(history | tail -n 1)" "2_index|$(checksum 2_index)|finished|-|1|-"
}

@test "a script with BEGIN and COMMIT of its own is applied and recorded" {
  migration 1_own $'BEGIN;\nCREATE TABLE one ();\nCOMMIT;'
  migration 2_two $'CREATE TABLE two ();\nBEGIN;\nCREATE TABLE three ();\nCOMMIT;\nCREATE TABLE four ();\nSTART TRANSACTION;\nCREATE TABLE five ();\nEND;'
  pipeline
  assert_code 0
  assert_equal "$(tables)" 'five four one three two'
  assert_equal "$(history | cut -d'|' -f1,3,5,6)" $'1_own|finished|1|-\n2_two|finished|1|-'
  says_not WARNING
}

@test "a script that is one BEGIN and COMMIT is as atomic as an ordinary one" {
  three_with $'BEGIN;\nCREATE TABLE one ();\nSELECT nope;\nCOMMIT;'
  pipeline
  assert_code 1
  assert_equal "$(tables)" before
  assert_equal "$(applied)" 1_before
  assert_equal "$(history | wc -l)" 1
  says 2_middle/migration.sql:3:8: 'rolled back'
}

@test "what stands alone may stand beside other statements" {
  migration 1_index $'CREATE TABLE a (b int);\nCREATE INDEX CONCURRENTLY i ON a (b);\nCREATE INDEX CONCURRENTLY j ON a (b);\nCREATE TABLE c ();'
  migration 2_enum $'CREATE TYPE e AS ENUM (\'x\');'
  migration 3_value $'ALTER TYPE e ADD VALUE \'y\';\nCREATE TABLE d (e e DEFAULT \'y\');'
  migration 4_vacuum $'VACUUM a;\nANALYZE a;'
  migration 5_do $'CREATE TABLE f ();\nDO $$ BEGIN CREATE TABLE g (); COMMIT; CREATE TABLE h (); END $$;\nCREATE TABLE k ();'
  pipeline
  assert_code 0
  assert_equal "$(tables)" 'a c d f g h k'
  assert_equal "$(history | cut -d'|' -f3,5,6 | sort -u)" 'finished|1|-'
  assert_equal "$(sql 'SELECT count(*) FROM pg_index WHERE NOT indisvalid')" 0
}

# 30,000 INSERTs, 1.8 MB, which go to the server in several messages.
large_script() {
  local text
  text=$(seq 1 30000 | sed "s/.*/INSERT INTO large VALUES (&, 'größe – some words of no meaning');/")
  migration 1_large $'CREATE TABLE large (id INTEGER, words TEXT);\n'"$text"$'\n'"$1"
}

@test "a script of megabytes is one transaction, though it goes in parts" {
  large_script ''
  pipeline
  assert_code 0
  assert_equal "$(sql 'SELECT count(*), sum(id), count(DISTINCT xmin::text) FROM large')" '30000|450015000|1'
  assert_equal "$(history)" "1_large|$(checksum 1_large)|finished|-|1|-"
  assert_equal "$(sql 'SELECT l.xmin = h.xmin FROM large l, _prisma_migrations h LIMIT 1')" t
}

@test "an error at the end of megabytes has its place, and leaves nothing" {
  large_script "SELECT 'ä', nope;"
  pipeline
  assert_code 1
  says 1_large/migration.sql:30002:13: 'column "nope" does not exist'
  assert_equal "$(tables)" ''
  assert_equal "$(sql 'SELECT count(*) FROM _prisma_migrations')" 0
}

@test "megabytes with transactions of their own keep them" {
  large_script $'COMMIT;\nCREATE TABLE small ();\nSELECT nope;\n'
  pipeline
  assert_code 1
  says 1_large/migration.sql:30004:8: 'half done'
  assert_equal "$(sql 'SELECT count(*) FROM large')" 30000
  sed -i '30004s/nope/1/' "$FOLDER/1_large/migration.sql"
  pipeline
  assert_code 0
  assert_equal "$(tables)" 'large small'
  assert_equal "$(sql 'SELECT count(*) FROM large')" 30000
}

@test "what was committed before a failure stays, is recorded as begun, and a mended file goes on from there" {
  migration 1_parts $'BEGIN;\nCREATE TABLE one ();\nCOMMIT;\nBEGIN;\nCREATE TABLE two ();\nSELECT nope;\nCOMMIT;\nCREATE TABLE three ();\n'
  pipeline
  assert_code 1
  says 1_parts/migration.sql:6:8: 'half done'
  assert_equal "$(tables)" one
  assert_equal "$(sql 'SELECT finished_at IS NULL, rolled_back_at IS NULL, applied_steps_count, logs IS NOT NULL FROM _prisma_migrations')" 't|t|3|t'

  migration 1_parts $'BEGIN;\nCREATE TABLE one ();\nCOMMIT;\nBEGIN;\nCREATE TABLE two ();\nSELECT 1;\nCOMMIT;\nCREATE TABLE three ();\n'
  pipeline
  assert_code 0
  assert_equal "$(tables)" 'one three two'
  assert_equal "$(history)" "1_parts|$(checksum 1_parts)|finished|-|1|-"
}

@test "a script that leaves a transaction open is not applied, since what it did would be lost" {
  migration 1_open $'BEGIN;\nCREATE TABLE one ();'
  pipeline
  assert_code 1
  says 1_open transaction
  assert_equal "$(tables)" ''
}

## A migration fails

@test "a failing script stops the deploy: what is committed, rolled back and not started is said, and what to type" {
  three_with $'CREATE TABLE middle ();\nALTER TABLE before ADD "currency" TEXT NOT NULL DEFALT \'EUR\';'
  planned
  apply
  assert_code 1
  error_count 1
  says $'\nprisma/migrations/2_middle/migration.sql:2:49: error: syntax error at or near "DEFALT" [42601]\n' \
    $'\n    2 | ALTER TABLE before ADD "currency" TEXT NOT NULL DEFALT \'EUR\';\n      |                                                 ^\n' \
    'mig-apply: error: step 2 of 3 failed, 2_middle' \
    '  committed     step 1' '  rolled back   all of step 2' '  not started   step 3' \
    'next: correct the file, then run the same command again:  mig-scan | mig-plan | mig-apply'
  assert_equal "$(tables)" before
  assert_equal "$(history | cut -d'|' -f1,3)" '1_before|finished'
  assert_equal "$(results)" $'1 applied\n2 failed\n3 not_started'
  assert_equal "$(records 'select(.step == 2) | "\(.sqlstate) \(.line):\(.column) \(.statements_done) \(.message)"')" \
    '42601 2:49 0 syntax error at or near "DEFALT"'
  lock_is_free

  migration 2_middle 'CREATE TABLE middle ();'
  pipeline
  assert_code 0
  assert_equal "$(tables)" 'after before middle'
}

@test "colour repeats what a deploy says: applied green, failed and error red, the next command bold" {
  local escape=$'\033['
  database_new
  migration 1_one 'CREATE TABLE a (id int);'
  migration 2_two 'CREATE TABLE b (id integre);'
  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply --color=always'
  assert_code 1
  says " 1/2  1_one  ${escape}32mapplied${escape}0m " " 2/2  2_two  ${escape}1;31mfailed${escape}0m " \
    "migration.sql:1:20: ${escape}1;31merror:${escape}0m type" "| $(printf '%19s' '')${escape}1;31m^${escape}0m" \
    "mig-apply: ${escape}1;31merror:${escape}0m step 2 of 2" "  ${escape}1mmig-scan | mig-plan | mig-apply${escape}0m"
  migration 2_two 'CREATE TABLE b (id integer);'
  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply --color=always'
  says "${escape}32mapplied${escape}0m 1 of 1 in "
}

@test "a statement that fails in the middle leaves nothing of those before it" {
  three_with $'CREATE TABLE one ();\nINSERT INTO nowhere VALUES (1);\nCREATE TABLE two ();'
  pipeline
  assert_code 1
  says '2_middle/migration.sql:2:13: error: relation "nowhere" does not exist [42P01]' \
    $'\n    2 | INSERT INTO nowhere VALUES (1);\n      |             ^\n'
  assert_equal "$(tables)" before
}

@test "a failure without a place of the server's is placed where its statement begins, with detail and hint" {
  migration 1_unique $'CREATE TABLE a (b int PRIMARY KEY);\n\nINSERT INTO a VALUES (7);\n\n  INSERT INTO a VALUES (7);\nSELECT 1;'
  pipeline
  assert_code 1
  says '1_unique/migration.sql:5:3: error: duplicate key value' '[23505]' 'detail: Key (b)=(7) already exists.'
  migration 1_unique $'DO $$\nBEGIN\n  PERFORM 1 / 0;\nEND $$;'
  pipeline
  says '1_unique/migration.sql:1:1: error: division by zero [22012]' 'where: ' 'line 3 at PERFORM'
  migration 1_unique $'SELECT 1;\nSELECT lower(ARRAY[1]);'
  pipeline
  says '1_unique/migration.sql:2:8: ' 'hint: No function matches'
}

# caret: the two lines of an excerpt, without their heads
caret() {
  grep -A1 -E '^ +[0-9]+ \| ' <<<"$stderr" | sed -e 's/^ *[0-9]* | //'
}

@test "the caret stands below the place, behind tabs and characters of several bytes as well" {
  migration 1_caret $'SELECT 1;\n\tSELECT\t1,\tnope;'
  pipeline
  says 1_caret/migration.sql:2:12:
  assert_equal "$(caret)" $'\tSELECT\t1,\tnope;\n\t      \t  \t^'
  migration 1_caret $'SELECT \'äöü€🐘\', nope;'
  pipeline
  says 1_caret/migration.sql:1:17:
  # an elephant is two columns wide
  assert_equal "$(caret)" $'SELECT \'äöü€🐘\', nope;\n                 ^'
  migration 1_caret $'SELECT 1;\r\nSELECT nope;\r\nSELECT 2;\r\n'
  pipeline
  says 1_caret/migration.sql:2:8:
  assert_equal "$(caret)" $'SELECT nope;\n       ^'
}

@test "of a very long line only what is around the place is shown" {
  local excerpt pointer
  migration 1_long "SELECT $(seq -s, 5000), nope, $(seq -s, 5000);"
  pipeline
  assert_code 1
  excerpt=$(caret | head -n 1)
  pointer=$(caret | sed -n 2p)
  ((${#excerpt} <= 100)) || fail "${#excerpt} characters"
  assert_equal "${excerpt:${#pointer}-1:4}" nope
}

@test "a constraint that is looked at when committing undoes the whole script" {
  three_with $'CREATE TABLE a (id int PRIMARY KEY);\nCREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO b VALUES (1);'
  pipeline
  assert_code 1
  says '[23503]' 'step 2 of 3 failed, 2_middle' 'rolled back   all of step 2' 'Key (a)=(1) is not present'
  assert_equal "$(tables)" before
  assert_equal "$(history | cut -d'|' -f1)" 1_before
}

@test "a migration that was begun by another program and never finished refuses the deploy with 1" {
  migration 1_begun 'CREATE TABLE one ();'
  migration 2_two 'CREATE TABLE two ();'
  recorded 1_begun failed
  # The plan is made while that program has the lock; then it is killed.
  session_begin 'SELECT pg_advisory_lock(72707369)'
  planned
  session_end "$SESSION"
  apply
  assert_code 1
  says 1_begun P3009 'nothing was touched'
  assert_equal "$(tables)" ''
}

## The plan and its target

@test "--expect takes the digest of the plan, in full or at least 16 digits of it" {
  local digest
  migration 1_one 'CREATE TABLE one ();'
  planned
  digest=$(tail -n 1 plan.rec | jq -r .digest)
  apply --expect="${digest:0:15}"
  assert_code 64
  apply --expect="${digest}0"
  assert_code 64
  apply --expect="${digest:1:16}"
  assert_code 65
  says 'not the plan that was expected; nothing was touched' "${digest:1:16}" "${digest:0:16}"
  assert_equal "$(tables)" ''
  apply --expect="${digest:0:16}" --dry-run
  assert_code 0
  apply --expect="$digest"
  assert_code 0
}

@test "a plan for another database is refused, naming both" {
  local first=$PGDATABASE
  migration 1_one 'CREATE TABLE one ();'
  planned
  database_new
  apply
  assert_code 65
  error_count 1
  says 'this plan is for another database; nothing was touched' "plan        $first at " "connected   $PGDATABASE at " \
    'next: scan and plan with the same -d as here'
  assert_equal "$(tables)" ''
}

@test "a plan for another schema or another cluster is refused, naming both" {
  migration 1_one 'CREATE TABLE one ();'
  planned
  DATABASE_URL+='&schema=other' apply
  assert_code 65
  says 'schema public' 'schema other'
  assert_equal "$(sql "SELECT to_regnamespace('other') IS NULL")" t
  sed 's/"system_identifier":"[0-9]*"/"system_identifier":"7399120448120311042"/' plan.rec | seal >other.rec
  run --separate-stderr mig-apply other.rec
  assert_code 65
  says 'system 7399120448120311042'
  assert_equal "$(tables)" ''
}

@test "a plan that was made before the history changed is refused, naming what is new" {
  migration 1_one 'CREATE TABLE one ();'
  migration 0_known 'SELECT 1;'
  recorded 0_known
  planned
  recorded 2_hotfix
  apply
  assert_code 65
  error_count 1
  says 'the history has changed since this plan was made; nothing was touched' 'new since then   2_hotfix, applied 2026-01-01 12:02:01Z' \
    'next: review a new plan:  mig-scan | mig-plan'
  sql "DELETE FROM _prisma_migrations WHERE migration_name = '2_hotfix'"
  apply --dry-run
  assert_code 0
  # what it knew has to be as it was
  sql 'UPDATE _prisma_migrations SET rolled_back_at = now()'
  apply
  assert_code 65
  sql 'DELETE FROM _prisma_migrations'
  apply
  assert_code 65
  assert_equal "$(tables)" ''
}

@test "steps that another deployer applied meanwhile are skipped" {
  three_with 'CREATE TABLE middle ();'
  planned
  sql 'CREATE TABLE before ()'
  recorded 1_before
  apply
  assert_code 0
  assert_equal "$(results)" $'1 skipped\n2 applied\n3 applied'
  apply
  assert_code 0
  says 'nothing to do: another deployer applied all 3 steps'
  assert_equal "$(results)" $'1 skipped\n2 skipped\n3 skipped'
  assert_equal "$(history | wc -l)" 3
}

@test "a step that another deployer applied from another file is not skipped: the plan is refused" {
  migration 1_one $'CREATE TABLE one ();\n'
  planned
  recorded 1_one finished "$(sha256sum <<<other)"
  apply
  assert_code 65
  sql 'DELETE FROM _prisma_migrations'
  # line ends do not count
  recorded 1_one finished "$(printf 'CREATE TABLE one ();\r\n' | sha256sum)"
  apply
  assert_code 0
  assert_equal "$(results)" '1 skipped'
}

@test "SQL that was exchanged in a plan is seen, even where the digest was made anew" {
  migration 1_one 'CREATE TABLE one ();'
  planned
  sed 's/CREATE TABLE one/CREATE TABLE two/' plan.rec | seal >other.rec
  run --separate-stderr mig-apply other.rec
  assert_code 65
  says 'its checksum is not that of its SQL'
  sed 's/"action":"apply"/"action":"destroy"/' plan.rec | seal >other.rec
  run --separate-stderr mig-apply other.rec
  assert_code 65
  sed 's/"sql":".*"}/"sql":null}/' plan.rec | seal >other.rec
  run --separate-stderr mig-apply other.rec
  assert_code 65
  assert_equal "$(tables)" ''
}

## --dry-run

@test "--dry-run checks and sends no SQL of the plan" {
  sql_admin "ALTER DATABASE \"$PGDATABASE\" SET log_statement = 'all'"
  migration 1_one "CREATE TABLE one (); SELECT 'marker of the script';"
  planned
  apply --dry-run
  assert_code 0
  says 'dry run' 'no SQL of the plan was sent' 'nobody holds the deploy lock'
  assert_equal "$(results)" '1 not_started'
  assert_equal "$(records 'select(.record == "run").dry_run')" true
  run grep -c "@$PGDATABASE mig-apply.*LOG:" "$MIG_TEST_SERVER/server.log"
  refute_output 0
  run grep -F 'marker of the script' "$MIG_TEST_SERVER/server.log"
  assert_output ''
  assert_equal "$(relations)" ''
  apply
  run grep -cF 'marker of the script' "$MIG_TEST_SERVER/server.log"
  refute_output 0
}

@test "--dry-run names who holds the deploy lock, and does not wait for it" {
  migration 1_one 'CREATE TABLE one ();'
  planned
  session_begin PGAPPNAME=their-deploy 'SELECT pg_advisory_lock(72707369)'
  SECONDS=0
  apply --dry-run
  assert_code 0
  says "pid $SESSION, their-deploy, tester"
  ((SECONDS < 5)) || fail "it waited $SECONDS s"
}

# That many transactions of this database have lasted for more than a second.
have_lasted() {
  [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND xact_start < clock_timestamp() - interval '1.1 s'") == "$1" ]]
}

@test "--dry-run names who is in the way now, and who waits already" {
  local waiter
  migration 1_tables 'CREATE TABLE "Order" (id int); CREATE TABLE logs (id int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  session_begin PGAPPNAME=export 'BEGIN; SELECT FROM "Order"; SELECT FROM logs'
  PGAPPNAME=other client psql -XAtqc 'ALTER TABLE "Order" ADD y int' >/dev/null 2>&1 3>&- 4>&- &
  waiter=$!
  # to read logs does not stop who builds an index on it
  migration 2_change 'ALTER TABLE public."Order" ADD x int; CREATE INDEX ON logs (id);'
  planned
  eventually have_lasted 2
  apply --dry-run
  assert_code 0
  says "in the way now: pid $SESSION, export, tester, idle in transaction for " 'holds Order (AccessShare)' \
    ', other, tester, ' 'waits for Order (AccessExclusive)' 'mig-apply waits for them to end, up to 10 min (--wait)'
  says_not logs
  sessions_end
  wait "$waiter"
  apply --dry-run
  says 'nobody is in the way now, as far as the words of the plan tell'
}

@test "--dry-run finds rights that are missing" {
  migration 1_one 'CREATE TABLE one ();'
  role_new stranger
  DATABASE_URL=$(database_url "$ROLE")
  planned
  apply --dry-run
  assert_code 77
  says "the role $ROLE lacks a right: CREATE on schema public"
  migration 0_zero 'SELECT 1;'
  recorded 0_zero
  sql "GRANT SELECT ON _prisma_migrations TO \"$ROLE\"; GRANT CREATE ON SCHEMA public TO \"$ROLE\""
  planned
  apply --dry-run
  assert_code 77
  says 'INSERT on public._prisma_migrations' 'UPDATE on public._prisma_migrations'
  DATABASE_URL+='&schema=other'
  planned
  apply --dry-run
  assert_code 77
  says 'CREATE on database'
}

@test "--dry-run refuses what a deploy would refuse" {
  migration 1_one 'CREATE TABLE one ();'
  planned
  recorded 2_hotfix
  apply --dry-run
  assert_code 65
  database_new
  apply --dry-run
  assert_code 65
}

@test "a role that may not make the history is 77, and nothing is touched" {
  migration 1_one 'CREATE TABLE one ();'
  role_new stranger
  DATABASE_URL=$(database_url "$ROLE")
  planned
  apply
  assert_code 77
  error_count 1
  says public
  assert_equal "$(tables)" ''
  migration 0_zero 'SELECT 1;'
  recorded 0_zero
  sql "GRANT SELECT ON _prisma_migrations TO \"$ROLE\"; GRANT CREATE ON SCHEMA public TO \"$ROLE\""
  planned
  apply
  assert_code 77
  says '_prisma_migrations'
  assert_equal "$(tables)" ''
}

## Not now

@test "while another deployer holds the lock, it waits, names the holder, and gives up with 75" {
  migration 1_one 'CREATE TABLE one ();'
  planned
  session_begin PGAPPNAME=their-deploy 'SELECT pg_advisory_lock(72707369)'
  apply --wait=1s
  assert_code 75
  error_count 1
  says 'another deployer holds the lock' "pid $SESSION, their-deploy, tester" 'nothing was touched' 'next: run the same command again'
  assert_equal "$(tables)" ''
  assert_equal "$(tail -n 1 <<<"$output" | jq -r '"\(.record) \(.exit_code)"')" 'failed 75'
}

@test "when the other deployer is done, it goes on by itself" {
  migration 1_one 'CREATE TABLE one ();'
  planned
  session_begin 'SELECT pg_advisory_lock(72707369)'
  begin mig-apply plan.rec
  eventually eval '[[ $(sql "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '\''mig-apply%'\''") == 1 ]]'
  session_end "$SESSION"
  finish
  assert_code 0
  says "for another deployer: pid $SESSION"
  assert_equal "$(applied)" 1_one
}

@test "of many that start at once one works, and all exit 0" {
  local i
  migrations_many 10
  planned
  for ((i = 0; i < 6; i++)); do
    { mig-apply -o "results.$i" plan.rec >/dev/null 2>"err.$i" 3>&-; echo $? >"code.$i"; } &
  done
  wait
  assert_equal "$(cat code.* | tr '\n' ' ')" '0 0 0 0 0 0 '
  assert_equal "$(history | wc -l)" 10
  assert_equal "$(cat results.* | jq -r 'select(.record == "result").status' | sort | uniq -c | tr -s ' \n' ' ')" ' 10 applied 50 skipped '
}

busy_table() {
  migration 1_order 'CREATE TABLE "Order" (id int); INSERT INTO "Order" VALUES (1);'
  pipeline
  migration 2_before 'CREATE TABLE before ();'
  migration 3_busy $'-- AlterTable\nALTER TABLE "Order" ADD "currency" TEXT;'
  migration 4_after 'CREATE TABLE after ();'
  planned
  session_begin PGAPPNAME=web "BEGIN; SELECT 'secret of a customer' FROM \"Order\""
}

@test "a table that stays busy is given up with 75, naming who holds it and what to type" {
  busy_table
  apply --wait=3s
  assert_code 75
  error_count 1
  says 'mig-apply: error: "Order" stayed busy; gave up after ' '[55P03]' \
    'wanted by     prisma/migrations/3_busy/migration.sql:2, ACCESS EXCLUSIVE' \
    "held by       pid $SESSION" web 'idle in transaction' SELECT \
    '  committed     step 1' '  rolled back   all of step 2' '  not started   step 3' --max-stall \
    "next: wait until pid $SESSION has finished, or end it in psql:  select pg_terminate_backend($SESSION);" \
    'then run the same command again; it resumes at step 2:  mig-apply --wait=3s plan.rec'
  says_not customer
  assert_equal "$(tables)" 'Order before'
  assert_equal "$(applied | tr '\n' ' ')" '1_order 2_before '
  assert_equal "$(results)" $'1 applied\n2 deferred\n3 not_started'

  session_end "$SESSION"
  pipeline
  assert_code 0
  assert_equal "$(tables)" 'Order after before'
}

gave_way_once() {
  server_log 400 | grep -q 'canceling statement due to lock timeout'
}

@test "a table that is busy for a while is waited for, and no step by hand is needed" {
  busy_table
  begin mig-apply plan.rec
  eventually gave_way_once
  sleep 0.5 # so much longer it stays busy; nothing has to have happened by then
  session_end "$SESSION"
  finish
  assert_code 0
  says 'applied 3 of 3'
  assert_equal "$(grep -cE '^ 2/3  3_busy +applied .* after [0-9.]+ s for' <<<"$stderr")" 1
  output=$(cat "$JOB_OUT")
  (($(records 'select(.step == 2).attempts') > 1))
  (($(records 'select(.step == 2).waited_ms') > 200))
  assert_equal "$(applied | wc -l)" 4
}

@test "others do not wait for us longer than --max-stall at a time" {
  busy_table
  begin mig-apply --max-stall=150ms --wait=20s plan.rec
  eventually waiting
  # While we wait for the table, a reader that comes after us waits behind us.
  run sql "SET statement_timeout = '2s'; SELECT id FROM \"Order\""
  assert_output 1
  session_end "$SESSION"
  finish
  assert_code 0
}

@test "a server that only reads, a standby or set so, is 75" {
  local name=$PGDATABASE
  migration 1_one 'CREATE TABLE one ();'
  planned
  sql_admin "ALTER DATABASE \"$name\" SET default_transaction_read_only = on"
  apply
  assert_code 75
  says 'read-only'
  error_count 1
  PGDATABASE=postgres sql_admin "ALTER DATABASE \"$name\" RESET default_transaction_read_only"
  apply
  assert_code 0

  migration 2_two 'CREATE TABLE two ();'
  planned
  sql_admin "ALTER DATABASE \"$name\" SET default_transaction_read_only = on"
  apply
  assert_code 75
  says 'read-only'
  assert_equal "$(applied)" 1_one
}

## Interrupted

sleeping_plan() {
  three_with $'CREATE TABLE middle ();\nSELECT pg_sleep(60);'
  planned
}

@test "Ctrl-C and SIGTERM while a statement runs roll back, report, and give the lock back" {
  local signal code
  sleeping_plan
  for signal in INT:130 TERM:143; do
    code=${signal#*:} signal=${signal%:*}
    begin mig-apply plan.rec
    eventually running pg_sleep || fail "$(cat "$JOB_ERR")"
    assert_equal "$(sql "SELECT application_name FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()
      AND datname = current_database()")" \
      'mig-apply 2_middle'
    kill -s "$signal" "$JOB"
    finish
    assert_code "$code"
    error_count 1
    says 'stopped by a signal in step 2 of 3, 2_middle' 'rolled back   all of step 2' 'not started   step 3' 'run the same command again'
    assert_equal "$(records 'select(.step == 3).status')" not_started
    assert_equal "$(tables)" before
    eventually lock_is_free
  done
  assert_equal "$(history | cut -d'|' -f1)" 1_before
}

@test "the process ends by the signal itself, so that its caller knows" {
  command -v perl >/dev/null || skip "no perl"
  sleeping_plan
  begin perl -e 'defined($p = fork) or die; if (!$p) { exec @ARGV or die }
    open F, ">", "child"; print F $p; close F; waitpid $p, 0; print STDERR "signal ", $? & 127, "\n"' mig-apply plan.rec
  eventually running pg_sleep
  kill -INT "$(cat child)"
  finish
  says 'signal 2'
}

@test "a signal while waiting for a table or for another deployer ends at once, and nothing is half done" {
  busy_table
  begin mig-apply plan.rec
  eventually waiting
  kill -TERM "$JOB"
  finish
  assert_code 143
  assert_equal "$(tables)" 'Order before'
  session_begin 'SELECT pg_advisory_lock(72707369)'
  planned
  begin mig-apply plan.rec
  eventually eval '[[ $(sql "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '\''mig-apply%'\''") == 1 ]]'
  kill -INT "$JOB"
  finish
  assert_code 130
  assert_equal "$(tables)" 'Order before'
}

@test "a deploy goes on when those who read its output are gone" {
  local i
  for ((i = 1; i < 9; i++)); do
    migration "${i}_x" "CREATE TABLE t$i (); SELECT pg_sleep(0.05);"
  done
  planned
  run --separate-stderr bash -c 'mig-apply plan.rec | true; exit "${PIPESTATUS[0]}"'
  assert_code 74
  assert_equal "$(applied | wc -l)" 8
  database_new
  planned
  run bash -c '{ mig-apply plan.rec 2>&1; echo $? >code; } | head -n 1'
  assert_output --partial 'mig-apply: '
  [[ $(cat code) == 74 ]] || fail "exit code $(cat code)"
  assert_equal "$(applied | wc -l)" 8
}

@test "a connection that is cut during a statement is 69, and the row says what became of it" {
  sleeping_plan
  begin mig-apply plan.rec
  eventually running pg_sleep
  sql_admin "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND application_name LIKE 'mig-apply%'
    AND datname = current_database()" >/dev/null
  finish
  assert_code 69
  error_count 1
  says 'the connection was lost in step 2 of 3, 2_middle' 'committed     step 1' 'rolled back   all of step 2' 'not started   step 3'
  assert_equal "$(tables)" before
  assert_equal "$(history | cut -d'|' -f1)" 1_before
}

@test "a mig-apply that is killed does not leave its lock behind" {
  (($(sql 'SHOW server_version_num') >= 140000)) || skip 'the server looks for its client since PostgreSQL 14'
  sleeping_plan
  begin mig-apply plan.rec
  eventually running pg_sleep
  kill -KILL "$JOB"
  finish
  eventually 15 lock_is_free || fail "the lock is still held"
  assert_equal "$(tables)" before
}

@test "where there is no terminal, a statement that takes longer than 10 s says so (11 s)" {
  migration 1_slow $'CREATE TABLE slow ();\n\nSELECT pg_sleep(10.8);'
  planned
  apply
  assert_code 0
  assert_equal "$(grep -cE '^ 1/1  1_slow +running +10\.[0-9]+ s' <<<"$stderr")" 1
  # what is not known is not said: it is the second statement that takes so long
  says_not 'statement 1 of 2'
}
