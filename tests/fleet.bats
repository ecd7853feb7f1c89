#!/usr/bin/env bats
# Many databases: one approval, one folder scan, one verdict; mig-fleet.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start --tcp; }
teardown_file() { server_stop; }
teardown() {
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
  sql_admin 'DROP DATABASE IF EXISTS slow' 2>/dev/null || true
}
setup() { folder_new; }

steps_of() { jq -r 'select(.record == "plan").steps_digest' "$1"; }

## One approval

@test "databases that would get the same have one digest of steps, and others another" {
  migration 1_one 'CREATE TABLE one ();'
  migration 2_two 'CREATE TABLE two ();'
  database_new
  mig-scan | mig-plan -o a.rec >a.page
  database_new
  mig-scan | mig-plan -o b.rec >/dev/null
  mig-scan | mig-plan --to 1_one | mig-apply -q >/dev/null
  mig-scan | mig-plan -o c.rec >/dev/null
  mig-scan --offline | mig-plan --from-empty -o d.rec >/dev/null

  assert_not_equal "$(mig-plan --format=digest a.rec)" "$(mig-plan --format=digest b.rec)"
  assert_equal "$(steps_of a.rec)" "$(steps_of b.rec)"
  assert_equal "$(steps_of a.rec)" "$(steps_of d.rec)"
  assert_not_equal "$(steps_of a.rec)" "$(steps_of c.rec)"
  # as the page of the records says
  assert_equal "$(steps_of a.rec)" "$(grep '^{"record":"step",' a.rec | b2sum -l 256 | cut -d ' ' -f 1)"
  grep -q "^steps $(steps_of a.rec | cut -c 1-16), " a.page || fail "$(cat a.page)"
  mig-plan --format=markdown a.rec | grep -q "steps <code>$(steps_of a.rec | cut -c 1-16)</code>"
}

@test "--expect-steps applies the approved steps to any database, and refuses what would do anything else" {
  local digest
  migration 1_one 'CREATE TABLE one ();'
  migration 2_two 'CREATE TABLE two ();'
  digest=$(mig-scan --offline | mig-plan --from-empty | jq -r 'select(.record == "plan").steps_digest')
  database_new
  mig-scan | mig-plan --to 1_one | mig-apply -q >/dev/null

  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply --expect-steps "$1" -o results.rec' - "$digest"
  assert_code 65
  says 'these steps were not expected: ' 'nothing was touched' "  expected      $digest"
  assert_equal "$(applied)" 1_one
  assert_equal "$(jq -r 'select(.record == "failed").exit_code' results.rec)" 65
  run --separate-stderr mig-apply --expect-steps "${digest:0:15}" results.rec
  assert_code 64

  database_new
  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply --expect-steps "$1" -o results.rec' - "${digest:0:16}"
  assert_code 0
  assert_equal "$(applied)" $'1_one\n2_two'
  assert_equal "$(jq -r 'select(.record == "run").steps_digest' results.rec)" "$digest"

  # there is nothing to do any more, which is nothing else
  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply --expect-steps "$1"' - "$digest"
  assert_code 0
}

@test "--expect-steps looks at the steps, whatever the plan says of them" {
  local approved
  migration 1_one 'CREATE TABLE one ();'
  database_new
  mig-scan | mig-plan -o plan.rec >/dev/null
  approved=$(printf 'a%.0s' {1..64})
  sed "s/$(steps_of plan.rec)/$approved/" plan.rec | seal >forged.rec
  assert_equal "$(steps_of forged.rec)" "$approved"

  run --separate-stderr mig-apply --expect-steps "$approved" forged.rec
  assert_code 65
  says "these steps were not expected: $(steps_of plan.rec | cut -c 1-16); nothing was touched"
  grep -q "steps <code>$(steps_of plan.rec | cut -c 1-16)</code>" <(mig-plan --format=markdown forged.rec)
}

## One secret, many schemas

@test "--schema takes the place of the string's, for every tool, and next commands repeat it" {
  migration 1_one 'CREATE TABLE one (id int PRIMARY KEY);'
  database_new
  local url
  url=$(database_url tester)
  [[ $url == *\?* ]] && url="$url&schema=other" || url="$url?schema=other"
  printf '%s\n' "$url" >url
  chmod 600 url
  mig-scan --offline -o folder.rec >/dev/null
  local tenant
  for tenant in a 'B c'; do
    sql "CREATE SCHEMA \"$tenant\" AUTHORIZATION tester" >/dev/null
    mig-scan -d file:url --schema "$tenant" - <folder.rec >scan.rec
    mig-plan -o plan.rec <scan.rec >page
    mig-apply -q -d file:url --schema "$tenant" plan.rec >/dev/null
    assert_equal "$(sql "SELECT count(*) FROM \"$tenant\"._prisma_migrations")" 1
    run --separate-stderr mig-check -d file:url --schema "$tenant" relation=one
    assert_code 0
  done
  printf 'id\n1\n' >one.csv
  run --separate-stderr mig-seed -d file:url --schema a one.csv
  assert_code 0
  assert_equal "$(sql 'SELECT count(*) FROM a.one')" 1
  run --separate-stderr mig-check -d file:url relation=one
  assert_code 2
  migration 2_two 'CREATE TABLE two ();'
  run --separate-stderr bash -c "mig-scan -d file:url --schema a | mig-plan --format=text"
  shows 'mig-apply -d file:url --schema=a --expect'
  for tenant in pg_catalog '' $'a\tb'; do
    run --separate-stderr mig-scan -d file:url --schema "$tenant"
    assert_code 64
  done
}

## One session, many schemas

# Schemas a, b, c, ... of a new database, each with a plan for what is pending, in plans/.
schemas_planned() { # NAME...
  local tenant
  [[ -d plans ]] || mkdir plans out
  for tenant; do
    sql "CREATE SCHEMA IF NOT EXISTS \"$tenant\" AUTHORIZATION tester" >/dev/null
    mig-scan --schema "$tenant" | mig-plan -q -o "plans/$tenant.rec" >/dev/null
  done
}
in_schemas() { # SQL NAME...: one value for each, with _ for the schema
  local query=$1 tenant
  shift
  for tenant; do sql "${query//_./\"$tenant\".}"; done | paste -s -d ' ' -
}
applied_in() { in_schemas 'SELECT count(finished_at) FROM _._prisma_migrations' "$@"; }

@test "several plans run in one session under one deploy lock, and each has its results and its line" {
  migration 1_one "CREATE TABLE one (pid int DEFAULT pg_backend_pid(), schema text DEFAULT current_schema(), path text DEFAULT current_setting('search_path')); INSERT INTO one DEFAULT VALUES;"
  migration 2_two 'CREATE INDEX CONCURRENTLY ON one (pid);'
  database_new
  schemas_planned a 'B c' d
  run --separate-stderr mig-apply --dry-run -o out plans/a.rec 'plans/B c.rec' plans/d.rec
  assert_code 0
  assert_equal "$(grep -c 'dry run passed' <<<"$stderr") $(grep -c 'nobody holds the deploy lock' <<<"$stderr")" '3 3'
  run --separate-stderr mig-apply --role=tester -o out plans/a.rec 'plans/B c.rec' plans/d.rec
  assert_code 0
  assert_output $'0\tplans/a.rec\n0\tplans/B c.rec\n0\tplans/d.rec'
  says 'mig-apply: plans/B c.rec' '3 of 3 plans done, 0 failed, 0 not begun'
  assert_equal "$(applied_in a 'B c' d)" '2 2 2'
  assert_equal "$(sql 'SELECT count(DISTINCT pid) FROM (SELECT pid FROM a.one UNION SELECT pid FROM "B c".one UNION SELECT pid FROM d.one) x')" 1
  # as with --schema
  assert_equal "$(in_schemas 'SELECT schema || path FROM _.one' a 'B c' d)" 'aa B c"B c" dd'
  run --separate-stderr mig-check fleet=out
  assert_code 0
  shows '3 of 3 databases done'
  assert_equal "$(jq -r 'select(.record == "run").schema' 'out/B c.rec')" 'B c'
  # typed again, there is nothing left to do, and the results are of this run
  run --separate-stderr mig-apply -q -o out plans/a.rec 'plans/B c.rec' plans/d.rec
  assert_code 0
  assert_equal "$stderr" ''
  assert_equal "$(jq -r 'select(.record == "result").status' out/d.rec | sort -u)" skipped
}

@test "a plan that fails does not keep the others back, and is named with what it says" {
  migration 1_one 'CREATE TABLE one ();'
  migration 2_two 'CREATE TABLE two ();'
  database_new
  schemas_planned a b c
  sql 'CREATE VIEW b.two AS SELECT 1'
  run --separate-stderr mig-apply -q -o out plans/a.rec plans/b.rec plans/c.rec
  assert_code 1
  assert_output $'0\tplans/a.rec\n1\tplans/b.rec\n0\tplans/c.rec'
  assert_equal "${stderr_lines[0]}" 'mig-apply: plans/b.rec'
  says 'relation "two" already exists'
  local said=$stderr
  refute grep -q 'plans/[ac].rec' <<<"$stderr"
  assert_equal "$(applied_in a b c)" '2 1 2'
  run --separate-stderr mig-check fleet=out
  assert_code 2
  shows 'failed      b: 2_two: relation "two" already exists'

  # what is printed is about this one alone, and is typed
  sql 'DROP VIEW b.two'
  run --separate-stderr bash -c "$(sed -n 's/^next: .*: *\(mig-scan .*\)$/\1/p' <<<"$said")"
  assert_code 0
  assert_equal "$(applied_in b)" 2
}

@test "--max-failed begins no more plans when more have failed; another folder's steps, a lost plan and another database are one failure each" {
  migration 1_one 'CREATE TABLE one ();'
  database_new
  schemas_planned a b c
  sql 'CREATE VIEW a.one AS SELECT 1'
  touch out/b.rec
  run --separate-stderr mig-apply --max-failed=0 -o out plans/a.rec plans/b.rec plans/c.rec
  assert_code 1
  says '0 of 3 plans done, 1 failed, 2 not begun'
  assert_output $'1\tplans/a.rec'
  assert_equal "$(ls out)" a.rec
  assert_equal "$(sql "SELECT to_regclass('b._prisma_migrations') IS NULL")" t

  # each is checked when its turn comes
  sql 'DROP VIEW a.one'
  local digest
  digest=$(mig-plan --format=records plans/a.rec | jq -r 'select(.record == "plan").steps_digest')
  migration 2_two 'CREATE TABLE two ();'
  schemas_planned d
  printf 'x' >>plans/b.rec
  database_new
  schemas_planned e
  run --separate-stderr mig-apply -q --max-failed=9 --expect-steps="$digest" -o out plans/{a,b,c,d,e}.rec plans/nowhere.rec
  assert_code 65
  assert_output --regexp $'^65\tplans/a.rec\n65\tplans/b.rec\n65\tplans/c.rec\n65\tplans/d.rec\n65\tplans/e.rec\n[0-9]+\tplans/nowhere.rec$'
  says 'this plan is for another database' 'these steps were not expected'
}

@test "what a script leaves in the session does not reach the next plan" {
  migration 1_state "CREATE TABLE seen AS SELECT current_setting('search_path') AS path, current_user::text AS who, current_setting('work_mem') AS work_mem,
      (SELECT count(*) FROM pg_prepared_statements WHERE from_sql) AS prepared, (SELECT count(*) FROM pg_cursors WHERE name = 'left_open') AS cursors,
      (SELECT count(*) FROM pg_listening_channels()) AS channels, to_regclass('pg_temp.left_over') IS NOT NULL AS temporary,
      (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objid <> 72707369) AS advisory,
      (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objid = 72707369) AS deploy;"
  migration 2_leaves "CREATE TABLE leaves (); SET work_mem = '77kB'; SET lock_timeout = '7s'; CREATE TEMPORARY TABLE left_over (); PREPARE p AS SELECT 1;
      DECLARE left_open CURSOR WITH HOLD FOR SELECT 1; LISTEN elsewhere; SELECT pg_advisory_lock(7), pg_advisory_lock(7);
      SET default_transaction_read_only = on; SET ROLE tester; SET search_path = pg_catalog;"
  database_new
  schemas_planned a b
  mig-apply -q -o out plans/a.rec plans/b.rec >lines 2>said || fail "$(cat lines said)"
  assert_equal "$(in_schemas "SELECT (seen.*)::text FROM _.seen" b)" "(b,$(sql 'SELECT current_user'),$(sql 'SHOW work_mem'),0,0,0,f,0,1)"
  assert_equal "$(applied_in a b)" '2 2'
}

@test "another deployer is kept out until the last plan is done" {
  migration 1_one 'CREATE TABLE one ();'
  database_new
  schemas_planned a b c
  # the session of the first is the one that holds the lock in the last, and in between nobody got it
  migration 1_one "CREATE TABLE one AS SELECT pg_backend_pid() AS pid; SELECT pg_sleep(60) FROM pg_namespace WHERE nspname = 'slow_' || current_schema();"
  schemas_planned a b c
  sql 'CREATE SCHEMA slow_b' >/dev/null
  begin mig-apply -o out plans/a.rec plans/b.rec plans/c.rec
  eventually running pg_sleep || fail "$(cat "$JOB_ERR")"
  schemas_planned d
  run --separate-stderr mig-apply --schema d --wait=0s plans/d.rec
  assert_code 75
  says 'another deployer holds the lock'
  # a signal ends at the step that runs, and the later ones are not begun
  kill -TERM "$JOB"
  finish
  assert_code 143
  assert_output $'0\tplans/a.rec\n143\tplans/b.rec'
  assert_equal "$(applied_in a)" 1
  assert_equal "$(sql "SELECT to_regclass('c._prisma_migrations') IS NULL")" t

  # and killed instead, typed again
  begin mig-apply -o out plans/a.rec plans/b.rec plans/c.rec
  eventually running pg_sleep || fail "$(cat "$JOB_ERR")"
  kill -KILL "$JOB"
  finish
  sql 'DROP SCHEMA slow_b' >/dev/null
  run --separate-stderr mig-apply -o out plans/a.rec plans/b.rec plans/c.rec
  assert_code 0
  assert_equal "$(applied_in a b c)" '1 1 1'
  assert_equal "$(in_schemas 'SELECT count(*) FROM _._prisma_migrations' a b c)" '1 1 1'
}

@test "a session that is lost is followed by a new one, and without a server the others are refused at once" {
  migration 1_one "CREATE TABLE one (); SELECT pg_terminate_backend(pg_backend_pid()) FROM pg_namespace WHERE nspname = 'ends_' || current_schema();"
  database_new
  schemas_planned a b c
  sql 'CREATE SCHEMA ends_b' >/dev/null
  run --separate-stderr mig-apply -o out plans/a.rec plans/b.rec plans/c.rec
  assert_code 69
  assert_output --regexp $'^0\tplans/a.rec\n69\tplans/b.rec\n0\tplans/c.rec$'
  assert_equal "$(applied_in a c)" '1 1'
  schemas_planned d e
  run --separate-stderr mig-apply --wait=0s -d 'host=127.0.0.1 port=1 user=tester dbname=none' -o out plans/d.rec plans/e.rec
  assert_code 69
  assert_output $'69\tplans/d.rec\n69\tplans/e.rec'
  says 'as an earlier plan got no connection'
}

@test "what several plans cannot have is refused before anything is done" {
  migration 1_one 'CREATE TABLE one ();'
  database_new
  schemas_planned a b
  mkdir more
  cp plans/a.rec more/
  local arguments
  while read -r arguments; do
    # shellcheck disable=SC2086
    run --separate-stderr mig-apply $arguments
    [[ $status == 64 && -z $output ]] || fail "mig-apply $arguments: $status $output$stderr"
  done <<'END'
-o plain.rec plans/a.rec plans/b.rec
-o out plans/a.rec more/a.rec
-o plans plans/a.rec
-o out --schema=a plans/a.rec plans/b.rec
-o out --expect=0123456789abcdef plans/a.rec plans/b.rec
-o out --format=records plans/a.rec
-o out --max-failed=x plans/a.rec plans/b.rec
-o out -
-o out
END
  assert_equal "$(ls out)" ''
  # one plan, as always, into a folder
  run --separate-stderr mig-apply --schema=a -o out plans/a.rec
  assert_code 0
  assert_output $'0\tplans/a.rec'
}

## One verdict

@test "mig-check fleet=DIR judges a folder of results as one, and names who is not done" {
  migration 1_one 'CREATE TABLE one ();'
  mkdir out
  local i
  for i in 1 2; do
    database_new
    mig-scan | mig-plan | mig-apply -q -o out/t$i.rec >/dev/null
  done
  run --separate-stderr mig-check fleet=out
  assert_code 0
  shows '2 of 2 databases done'

  migration 2_bad 'CREATE TABLE bad (id no_such_type);'
  mig-scan | mig-plan | mig-apply -q -o out/t3.rec >/dev/null 2>&1 || true
  mig-scan | mig-plan | mig-apply -q --expect-steps 0123456789abcdef -o out/t4.rec >/dev/null 2>&1 || true
  head -n 2 out/t1.rec >out/t5.rec
  run --separate-stderr mig-check fleet=out
  assert_code 2
  shows '2 of 5 databases done' '1 failed' '1 refused' '1 broken' 'failed      t3: 2_bad: type "no_such_type" does not exist [42704]' \
    'refused     t4: these steps were not expected'
  run --separate-stderr mig-check --format=nagios fleet=out
  shows 'fleet_failed=1;;0;0'
  run --separate-stderr mig-check --format=prometheus fleet=out
  shows 'mig_fleet_databases{' 'state="refused"'
  run --separate-stderr mig-check --format=junit fleet=out
  shows '<failure' 'failed      t3: 2_bad'
  run --separate-stderr bash -c 'mig-check --format=records fleet=out fleet.names=1 | jq -r "select(.record == \"check\").measures.done"'
  assert_output 2
  run --separate-stderr mig-check fleet=out fleet.names=1
  shows '… ' '2 more (fleet.names)'
  run --separate-stderr mig-check fleet=nowhere
  assert_code 3
  mkdir empty
  run --separate-stderr mig-check fleet=empty
  assert_code 3
}

## mig-fleet

# N databases d1 ..., and a list of them in `targets`, in two waves.
fleet_new() { # N
  local i
  database_new
  # as database_new; before PostgreSQL 15 there is no other
  (($(sql 'SHOW server_version_num') < 150000)) || how=' STRATEGY file_copy'
  for ((i = 1; i <= $1; i++)); do
    printf 'DROP DATABASE IF EXISTS d%d;\nCREATE DATABASE d%d OWNER tester%s;\n' "$i" "$i" "${how-}"
  done | psql -q -U postgres 2>/dev/null
  for ((i = 1; i <= $1; i++)); do
    printf 'd%d\tpg1\t%d\t%s\n' "$i" "$((1 + (i > $1 / 2)))" "host=$MIG_TEST_SERVER port=$(server_port) user=tester dbname=d$i"
  done >targets
  migration 1_shop 'CREATE TABLE shop (id int PRIMARY KEY, name text);'
  migration 2_index 'CREATE INDEX CONCURRENTLY shop_name ON shop (name);'
  migration 3_note 'ALTER TABLE shop ADD COLUMN note text;'
}
in_database() { psql -XAtq -d "$1" -c "$2"; }
# "d1 3 3 true": rows, finished ones, no invalid index
how_far() { # DATABASE...
  local database
  for database; do
    echo "$database $(in_database "$database" "SELECT count(*) || ' ' || count(finished_at) || ' ' || (SELECT bool_and(indisvalid) FROM pg_index) FROM _prisma_migrations" 2>/dev/null || echo none)"
  done
}
fleet() { run --separate-stderr mig-fleet "$@"; }
run_folder() { find . -maxdepth 1 -name 'fleet-*' | sort | tail -n 1; }

@test "mig-fleet plans in groups, applies what was approved wherever it is the same, lists the others, and resumes" {
  local digest
  fleet_new 4
  in_database d3 'CREATE TABLE stranger ()'

  fleet plan targets
  assert_code 1
  shows '3 the same, 1 without a plan' '       3  steps ' '  d3  exit code 1  '
  digest=$(sed -n 's/.*--expect-steps=\([0-9a-f]*\) targets$/\1/p' <<<"$output")
  # what is printed is typed
  run --separate-stderr bash -c "$(sed -n 's/^to see the SQL of the first group: *//p' <<<"$output")"
  assert_code 0
  shows 'CREATE TABLE shop' "steps $digest"

  in_database d4 'CREATE TABLE stranger ()'
  fleet apply --expect-steps "$digest" targets
  assert_code 1
  shows '2 of 4 databases done' 'failed      d3: schema public has tables but no history (P3005)' 'failed      d4: '
  assert_equal "$(how_far d1 d2)" $'d1 3 3 true\nd2 3 3 true'
  assert_equal "$(ls "$(run_folder)/done")" $'d1\nd2'
  assert_equal "$(cut -c 1 "$(run_folder)/failed/d3")" 1
  run find "$(run_folder)" -perm /077
  assert_output ''

  in_database d3 'DROP TABLE stranger'
  in_database d4 'DROP TABLE stranger'
  run --separate-stderr bash -c "$(sed -n 's/^to go on: *//p' <<<"$(mig-fleet report "$(run_folder)")")"
  assert_code 0
  shows '4 of 4 databases done'
  assert_equal "$(how_far d3 d4)" $'d3 3 3 true\nd4 3 3 true'
  fleet status targets
  assert_code 0
  shows '       4  up to date  d1, d2, d3, ...'
  # a database that is done has nothing to do, which is nothing else
  fleet apply --expect-steps "$digest" targets
  assert_code 0
}

@test "a failing canary, or wave, leaves all that come later untouched; --max-failed lets a wave go on" {
  fleet_new 4
  in_database d1 'CREATE VIEW shop AS SELECT 1'
  fleet apply --canary 1 targets
  assert_code 1
  shows '0 of 4 databases done, 1 failed, 3 not begun' 'failed      d1: 1_shop: relation "shop" already exists [42P07]' 'stopped after the canary: 1 not done'
  assert_equal "$(how_far d2 d3 d4)" $'d2 none\nd3 none\nd4 none'
  fleet apply targets
  assert_code 1
  shows '1 of 4 databases done, 1 failed, 2 not begun' 'stopped after wave 1: 1 not done'
  assert_equal "$(how_far d2 d3)" $'d2 3 3 true\nd3 none'
  fleet apply --max-failed 25% targets
  assert_code 1
  shows '3 of 4 databases done, 1 failed'
  assert_equal "$(how_far d3 d4)" $'d3 3 3 true\nd4 3 3 true'
}

# A migration that is slow while there is a database of this name.
slow() {
  sql_admin 'CREATE DATABASE slow'
  migration 3_note "ALTER TABLE shop ADD COLUMN note text; SELECT pg_sleep(60) FROM pg_database WHERE datname = 'slow';"
}
sleeping() { (($(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND datname ~ '^d[0-9]+$'") == $1)); }

@test "killed with all its processes, it is finished by one plain resume" {
  local session pids
  fleet_new 4
  slow
  session=$(setsid mig-fleet apply --per-server 2 targets >page 2>said 3>&- & echo $!)
  eventually 30 sleeping 2
  # GNU parallel gives each job a process group of its own, but not a session
  while pids=$(ps -o pid= -s "$session") && [[ -n $pids ]]; do
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null || true
  done
  sql_admin 'DROP DATABASE slow'
  fleet resume "$(run_folder)"
  assert_code 0
  shows '4 of 4 databases done'
  assert_equal "$(how_far d1 d2 d3 d4)" $'d1 3 3 true\nd2 3 3 true\nd3 3 3 true\nd4 3 3 true'
  assert_equal "$(ls "$(run_folder)/plan")" ''
  fleet resume "$(run_folder)"
  assert_code 0
}

@test "SIGTERM ends what runs, says how to go on, and that goes on" {
  local pid code=0
  fleet_new 2
  slow
  mig-fleet apply targets >page 2>said 3>&- &
  pid=$!
  eventually 30 sleeping 1
  run --separate-stderr mig-fleet resume "$(run_folder)"
  assert_code 75
  says "another mig-fleet (pid $pid) is working on"
  kill -TERM "$pid"
  wait "$pid" || code=$?
  assert_equal "$code" 143
  assert_equal "$(how_far d1)" 'd1 2 2 true'
  assert_equal "$(ps -o pid= -g "$pid" | wc -l)" 0
  sql_admin 'DROP DATABASE slow'
  run --separate-stderr bash -c "$(sed -n 's/^.*to go on: //p' said)"
  assert_code 0
  assert_equal "$(how_far d1 d2)" $'d1 3 3 true\nd2 3 3 true'
}

@test "the schemas of one database are one lane, each with its schema" {
  fleet_new 1
  local tenant
  for tenant in a b c; do
    in_database d1 "CREATE SCHEMA $tenant"
    printf '%s\tpg1\t1\t%s\t%s\n' "$tenant" "$(cut -f 4 targets)" "$tenant"
  done >schemas
  # as on another host, which sees the same folder
  mkdir bin
  printf '#!/bin/sh\nwhile [ "$1" != worker ]; do shift; done\nshift 2\nexec sh -c "$*"\n' >bin/ssh
  chmod 755 bin/ssh
  PATH=$PWD/bin:$PATH fleet apply --per-server 1 --ssh worker --strict=destructive --allow=not_empty schemas
  assert_code 0
  assert_equal "$(cat "$(run_folder)"/queue/*)" 'a b c'
  grep -q $'\tworker\t' "$(run_folder)"/log/1
  assert_equal "$(in_database d1 'SELECT (SELECT count(*) FROM a._prisma_migrations), (SELECT count(*) FROM b._prisma_migrations), (SELECT count(*) FROM c._prisma_migrations)')" '3|3|3'
}

# N schemas s1, ... of d1, as a list in `schemas`.
lane_new() { # N
  local i
  fleet_new 1
  for ((i = 1; i <= $1; i++)); do
    in_database d1 "CREATE SCHEMA s$i"
    printf 's%d\tpg1\t1\t%s\ts%d\n' "$i" "$(cut -f 4 targets)" "$i"
  done >schemas
}
lane_how_far() { in_database d1 "SELECT string_agg(n::text || ' ' || query_to_xml(format('SELECT count(*) AS c FROM s%s._prisma_migrations WHERE finished_at IS NOT NULL', n), true, true, '')::text, '' ORDER BY n) FROM generate_series(1, $1) n" | sed -n 's/^ *<c>\(.*\)<\/c>$/\1/p' | paste -s -d ' ' -; }

@test "of a lane one schema that fails is named with its own words, the others are done, and resume goes on" {
  lane_new 23
  in_database d1 'CREATE VIEW s10.shop AS SELECT 1'
  in_database d1 'CREATE TABLE s23.stranger ()'
  fleet apply --max-failed 5 --per-server 1 schemas
  assert_code 1
  shows '21 of 23 databases done, 2 failed' 'failed      s10: 1_shop: relation "shop" already exists [42P07]' 'failed      s23: schema s23 has tables but no history (P3005)'
  assert_equal "$(<"$(run_folder)/failed/s10")" '1 relation "shop" already exists [42P07]'
  assert_equal "$(cat "$(run_folder)"/err/s1 "$(run_folder)"/err/s9 "$(run_folder)"/err/s22)" ''
  grep -q 'rolled back' "$(run_folder)/err/s10"
  in_database d1 'DROP VIEW s10.shop'
  in_database d1 'DROP TABLE s23.stranger'
  fleet resume "$(run_folder)"
  assert_code 0
  assert_equal "$(lane_how_far 23)" "$(yes 3 | head -n 23 | paste -s -d ' ' -)"
}

@test "of a lane none is begun any more when too many have failed" {
  lane_new 6
  in_database d1 'CREATE VIEW s2.shop AS SELECT 1'
  fleet apply --canary 3 schemas
  assert_code 1
  shows '1 of 6 databases done, 1 failed, 4 not begun' 'stopped after the canary: 2 not done'
  assert_equal "$(ls "$(run_folder)/done")" s1
  assert_equal "$(in_database d1 "SELECT count(*) FROM pg_tables WHERE tablename = 'shop'")" 1
}

@test "a lane that is killed in the middle is finished by one plain resume, and by mig alone" {
  local session pids
  lane_new 4
  slow
  migration 3_note "ALTER TABLE shop ADD COLUMN note text; SELECT pg_sleep(60) FROM pg_database WHERE datname = 'slow' AND current_schema() = 's3';"
  # the one file that is all of them
  mkdir bin
  ln -s "$BUILD/mig" "$BUILD/mig-fleet" bin/
  session=$(PATH="$PWD/bin:$(printf %s "$PATH" | tr : '\n' | grep -vxF "$BUILD" | paste -s -d : -)" setsid mig-fleet apply schemas >page 2>said 3>&- & echo $!)
  eventually 30 sleeping 1 || fail "$(cat page said)"
  eventually test -e "$(run_folder)/done/s2" # mig-fleet is told by mig-apply
  assert_equal "$(ls "$(run_folder)/done")" $'s1\ns2'
  while pids=$(ps -o pid= -s "$session") && [[ -n $pids ]]; do
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null || true
  done
  sql_admin 'DROP DATABASE slow'
  in_database d1 'CREATE VIEW s4.shop AS SELECT 1'
  PATH="$PWD/bin:$(printf %s "$PATH" | tr : '\n' | grep -vxF "$BUILD" | paste -s -d : -)" fleet resume "$(run_folder)"
  assert_code 1
  assert_equal "$(<"$(run_folder)/failed/s4")" '1 relation "shop" already exists [42P07]'
  in_database d1 'DROP VIEW s4.shop'
  fleet resume "$(run_folder)"
  assert_code 0
  assert_equal "$(lane_how_far 4)" '3 3 3 3'
  assert_equal "$(in_database d1 "SELECT count(*) FROM (SELECT 1 FROM s1._prisma_migrations UNION ALL SELECT 1 FROM s2._prisma_migrations UNION ALL SELECT 1 FROM s3._prisma_migrations UNION ALL SELECT 1 FROM s4._prisma_migrations) x")" 12
}

@test "a list that cannot be used is refused before anything is done, and no password of it is repeated" {
  migration 1_one 'CREATE TABLE one ();'
  printf 'a\tpg1\t1\tservice=a\nb\tpg1\t1\tpostgresql://u:s3cr3t-word@db/b\n' >targets
  fleet plan targets
  assert_code 65
  says 'targets:2: its source contains a password' 'nothing was done'
  refute grep -q s3cr3t-word <<<"$output$stderr"
  cp targets 'a&b|c\d'
  fleet plan 'a&b|c\d'
  assert_code 65
  says 'a&b|c\d:2: its source contains a password'
  printf 'a\tpg1\t1\tservice=a\na\tpg1\t1\tservice=b\n' >targets
  fleet plan targets
  assert_code 65
  says 'two targets have the name a'
  fleet plan nowhere
  assert_code 65
  fleet resume .
  assert_code 65
  local wrong
  for wrong in 'plan' 'deploy targets' 'plan --canary=1 targets' 'apply --expect-steps=abc targets' 'apply --max-failed=x targets' 'plan --nonsense targets' 'plan --engine=x targets'; do
    # shellcheck disable=SC2086
    fleet $wrong
    assert_code 64
  done
  run find . -name 'fleet-*'
  assert_output ''
  mkdir bin
  ln -s "$BUILD"/mig* bin/
  run --separate-stderr env "PATH=$PWD/bin" /bin/sh bin/mig-fleet plan targets
  assert_code 78
  says 'parallel is missing; install it: apt-get install parallel'
}
