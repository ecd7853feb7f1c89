#!/usr/bin/env bats
# Many databases: one approval, one folder scan, one verdict; mig-fleet.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start --tcp; }
teardown_file() { server_stop; }
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
