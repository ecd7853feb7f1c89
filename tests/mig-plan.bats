#!/usr/bin/env bats
# mig-plan: what a deploy would do, and what it says about it. It decides; it does nothing.
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
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

# mig-scan | mig-plan OPTION…; the scan stays in scan.rec. Records, unless --format says otherwise.
plan() {
  mig-scan -o scan.rec >/dev/null
  run --separate-stderr mig-plan "$@" scan.rec
}

# The same without a database.
plan_offline() {
  mig-scan --offline -o scan.rec >/dev/null
  run --separate-stderr mig-plan --from-empty "$@" scan.rec
}

steps() {
  records 'select(.record == "step") | "\(.step) \(.action) \(.migration)"'
}

findings() {
  records 'select(.record == "finding") | "\(.rule) \(.severity) \(.migration)"'
}

nothing_was_touched() {
  assert_equal "$(relations | grep -v '^_prisma_migrations')" ''
}

## Which migrations run

@test "what is not recorded runs, in order" {
  migration 20240102000000_b 'CREATE TABLE b ();'
  migration 20240101000000_a 'CREATE TABLE a ();'
  plan
  assert_code 0
  assert_equal "$(steps)" $'1 apply 20240101000000_a\n2 apply 20240102000000_b'
  assert_equal "$(findings)$stderr" ''
  nothing_was_touched
}

@test "a step has the script as it is, its checksum, how many statements it has and how it commits" {
  migration 1_mig $'-- äöü\r\nSELECT 1;\n;SELECT \';\''
  migration 2_script 'BEGIN; SELECT 1; COMMIT;'
  migration 3_none 'CREATE INDEX CONCURRENTLY i ON a (b);'
  migration 4_empty ''
  plan
  assert_code 0
  assert_equal "$(records 'select(.record == "step") | "\(.transaction) \(.statement_count) \(.size_bytes) \(.checksum)"')" \
    "mig 2 32 $(checksum 1_mig)
script 3 24 $(checksum 2_script)
none 1 37 $(checksum 3_none)
mig 0 0 $(checksum 4_empty)"
  assert_equal "$(records -j 'select(.step == 1).sql' | sha256sum)" "$(sha256sum <"$FOLDER/1_mig/migration.sql")"
}

@test "names are compared as sets: one that sorts before an applied one runs too, and is late" {
  migration 1_early 'SELECT 1;'
  migration 2_applied 'SELECT 1;'
  migration 3_late 'SELECT 1;'
  migration 4_applied 'SELECT 1;'
  migration 5_new 'SELECT 1;'
  recorded 2_applied
  recorded 4_applied
  plan
  assert_code 0
  assert_equal "$(steps)" $'1 apply 1_early\n2 apply 3_late\n3 apply 5_new'
  assert_equal "$(findings)" $'late warning 1_early\nlate warning 3_late'
  says 'mig-plan: warning: 1_early: sorts before 4_applied'
}

@test "when everything is recorded there is nothing to do" {
  migration 1_one 'SELECT 1;'
  migration 2_two 'SELECT 1;'
  recorded_all
  plan
  assert_code 0
  assert_equal "$(steps)$(findings)" ''
  plan --format=text
  assert_line --index 0 --regexp "^$PGDATABASE at .*, schema public: all 2 migrations are recorded as applied\$"
  assert_line --index 1 'nothing to do'
  assert_equal "${#lines[@]}" 2
}

@test "an empty folder is nothing to do" {
  plan --format=text
  assert_code 0
  shows 'no migrations' 'nothing to do'
}

@test "a rolled back migration runs again, also one that was finished and rolled back" {
  migration 1_rolled 'SELECT 1;'
  migration 2_undone 'SELECT 1;'
  migration 3_again 'SELECT 1;'
  recorded 1_rolled rolled_back
  recorded 2_undone undone
  recorded 3_again rolled_back
  recorded 3_again
  plan
  assert_code 0
  assert_equal "$(steps)" $'1 apply 1_rolled\n2 apply 2_undone'
}

@test "a migration that was marked as applied does not run" {
  migration 1_one 'SELECT 1;'
  recorded 1_one resolved
  plan
  assert_code 0
  assert_equal "$(steps)" ''
}

## What is not as it should be

@test "a file that differs from what was applied is a warning, with the way to see what changed" {
  migration 1_one 'SELECT 1;'
  migration 2_two 'SELECT 2;'
  recorded 1_one finished "$(sha256sum <<<other)"
  plan
  assert_code 0
  assert_equal "$(findings)" 'edited warning 1_one'
  assert_equal "$(steps)" '1 apply 2_two'
  assert_equal "$(records 'select(.rule == "edited").remedy')" "git log -p -- '*/1_one/*'"
}

@test "another checksum is no edit where only line ends differ, or where an old Prisma wrote it without zeros" {
  migration 1_lf $'SELECT 1;\n'
  recorded 1_lf finished "$(printf 'SELECT 1;\r\n' | sha256sum)"
  migration 2_crlf $'SELECT 1;\r\n'
  recorded 2_crlf finished "$(printf 'SELECT 1;\n' | sha256sum)"
  migration 3_old 'SELECT 9;'
  [[ $(checksum 3_old | fold -w 2) == *$'\n'0[0-9a-f]* ]] || fail 'this checksum has no leading zero to lose'
  recorded 3_old finished "$(checksum 3_old | fold -w 2 | sed 's/^0//' | tr -d '\n')"
  plan
  assert_code 0
  assert_equal "$(findings)" ''
  migration 4_upper 'SELECT 1;'
  recorded 4_upper finished "$(checksum 4_upper | tr a-f A-F)"
  plan
  assert_equal "$(findings)" 'edited warning 4_upper'
}

@test "what is recorded but not in the folder is a warning, and stops nothing" {
  migration 0_common 'SELECT 1;'
  migration 2_two 'SELECT 2;'
  recorded 0_common
  recorded 1_gone
  plan
  assert_code 0
  assert_equal "$(findings)" 'missing warning 1_gone'
  assert_equal "$(steps)" '1 apply 2_two'
  assert_equal "$(records 'select(.rule == "missing").remedy')" "git log --diff-filter=D -- '*/1_gone/*'"
  # what was rolled back and deleted is over
  recorded 0_over rolled_back
  plan
  assert_equal "$(findings)" 'missing warning 1_gone'
}

@test "a folder and a history that have nothing in common are refused: this may be the wrong database" {
  migration 1_ours 'CREATE TABLE ours ();'
  recorded 1_theirs
  plan
  assert_code 1
  error_count 1
  says '[unrelated]' --allow=unrelated 'mig-scan | mig-plan --baseline=1_ours | mig-apply'
  plan --allow=unrelated
  assert_code 0
  assert_equal "$(steps)" '1 apply 1_ours'
}

@test "an unfinished migration refuses the plan with 1, and the ways out are said in full" {
  migration 1_failed 'SELECT 1;'
  migration 2_two 'CREATE TABLE two ();'
  recorded 1_failed failed
  plan
  assert_code 1
  says 'mig-plan: error: 1_failed: started at 2026-01-01 12:01:00Z and not finished' P3009 \
    "mig-scan | mig-plan --mark-rolled-back=1_failed | mig-apply" "mig-scan | mig-plan --mark-applied=1_failed | mig-apply" \
    'Nothing will be applied.'
  assert_equal "$(tail -n 1 <<<"$output" | jq -r '"\(.record) \(.tool) \(.exit_code)"')" 'failed mig-plan 1'
  pipeline
  assert_code 1
  assert_equal "$codes" '0 1 1'
  error_count 1
  nothing_was_touched
}

@test "an unfinished row refuses the plan also when its folder is gone, or another row of its name is finished" {
  recorded 1_gone failed
  plan
  assert_code 1
  says 1_gone
  sql 'DELETE FROM _prisma_migrations'
  migration 2_twice 'SELECT 1;'
  recorded 2_twice failed
  recorded 2_twice
  plan
  assert_code 1
  says 2_twice
}

@test "while somebody deploys, what is unfinished is only noted: mig-apply looks again under the lock" {
  migration 1_running 'SELECT 1;'
  migration 2_two 'SELECT 1;'
  recorded 1_running failed
  session_begin 'SELECT pg_advisory_lock(72707369)'
  plan
  assert_code 0
  assert_equal "$(findings)" 'running note 1_running'
  assert_equal "$(steps)" $'1 apply 1_running\n2 apply 2_two'
}

@test "a pending folder without migration.sql is 65, before anything is planned" {
  migration 1_one 'CREATE TABLE one ();'
  mkdir "$FOLDER/2_nothing"
  migration 3_three 'CREATE TABLE three ();'
  plan
  assert_code 65
  says 'mig-plan: error: 2_nothing: ' P3015 'Nothing was planned, and nothing will be applied.'
  assert_equal "$(steps)" ''
  pipeline
  assert_equal "$codes" '0 65 65'
  nothing_was_touched
  plan --to=1_one
  assert_code 0
}

@test "a recorded folder without migration.sql is only noted" {
  mkdir "$FOLDER/1_nothing"
  migration 2_two 'SELECT 1;'
  recorded 1_nothing
  plan
  assert_code 0
  assert_equal "$(findings)" 'no_script note 1_nothing'
  assert_equal "$(steps)" '1 apply 2_two'
}

@test "a pending script with a NUL is 65, a recorded one is not read" {
  migration 1_one 'CREATE TABLE one ();'
  mkdir "$FOLDER/2_utf16"
  printf 'S\0E\0' >"$FOLDER/2_utf16/migration.sql"
  plan
  assert_code 65
  says 2_utf16/migration.sql NUL UTF-16
  recorded 2_utf16
  plan
  assert_code 0
}

@test "bytes that are not UTF-8 are a warning: they run as Prisma runs them" {
  migration 1_latin $'SELECT \'\xe4\';'
  plan
  assert_code 0
  assert_equal "$(findings)" 'not_utf8 warning 1_latin'
}

@test "COPY from or to the client is refused with its place, and cannot be allowed" {
  migration 1_copy $'CREATE TABLE a (b text);\n\n  COPY a FROM STDIN;\nx\n\\.\n'
  plan_offline
  assert_code 1
  says 'mig-plan: error: prisma/migrations/1_copy/migration.sql:3:3: COPY' '[copy]' INSERT
  plan_offline --allow=copy
  assert_code 64
  migration 1_copy $'COPY (SELECT 1) TO STDOUT;'
  plan_offline
  assert_code 1
  migration 1_copy $'COPY a FROM \'/srv/rows.csv\'; SELECT \'COPY a FROM STDIN\';'
  plan_offline
  assert_code 0
}

@test "what destroys data is a warning with its place" {
  migration 1_drop $'-- AlterTable\nALTER TABLE "Order" DROP COLUMN "couponCode";\n\n-- DropTable\nDROP TABLE "LegacyCoupon";\n'
  plan_offline
  assert_code 0
  assert_equal "$(records 'select(.rule == "destructive") | "\(.severity) \(.line):\(.column) \(.message)"')" \
    $'warning 2:21 DROP COLUMN destroys data: "Order"."couponCode"\nwarning 5:1 DROP TABLE destroys data: "LegacyCoupon"'
  says 'mig-plan: warning: prisma/migrations/1_drop/migration.sql:2:21: DROP COLUMN destroys data'
}

## A database that was not made by migrations

@test "tables without a history are P3005, in the cases in which Prisma says so" {
  local kind n=0
  migration 1_one 'CREATE TABLE one ();'
  sql_admin 'CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; GRANT USAGE ON FOREIGN SERVER s TO tester'
  sql 'CREATE TABLE public.elsewhere ()'
  while IFS='|' read -r code kind; do
    n=$((n + 1))
    sql "SET client_min_messages = error; CREATE SCHEMA n$n; SET search_path = n$n; $kind"
    DATABASE_URL="$DATABASE_URL&schema=n$n" plan
    [[ $status == "$code" ]] || fail "$kind: exit code $status" || return 1
    ((code == 0)) || says 'mig-plan: error: schema n' P3005 "mig-scan | mig-plan --baseline=1_one | mig-apply"
  done <<'CASES'
1|CREATE TABLE a ()
1|CREATE UNLOGGED TABLE a (b int)
1|CREATE TABLE "_Migration" ()
1|CREATE TABLE spatial_ref_sys (); CREATE TABLE a ()
0|CREATE VIEW v AS SELECT 1
0|CREATE MATERIALIZED VIEW v AS SELECT 1
0|CREATE TYPE e AS ENUM ('x')
0|CREATE TYPE c AS (x int)
0|CREATE SEQUENCE s
0|CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'
0|CREATE TABLE p (a int) PARTITION BY LIST (a)
0|CREATE FOREIGN TABLE f (a int) SERVER s
0|CREATE TABLE spatial_ref_sys (); CREATE TABLE "GEOMETRY_COLUMNS" (); CREATE TABLE geography_columns ()
0|CREATE TABLE raster_columns (); CREATE TABLE "Raster_Overviews" ()
0|SELECT 1
CASES
}

@test "P3005 is raised for an empty folder as well, and --allow=not_empty overrules it" {
  sql 'CREATE TABLE a ()'
  plan
  assert_code 1
  says P3005
  migration 1_one 'CREATE TABLE one ();'
  plan --allow=not_empty
  assert_code 0
  assert_equal "$(steps)" '1 apply 1_one'
  assert_equal "$(findings)" 'not_empty warning null'
}

## --to, --from-empty

@test "--to plans no further than a migration, and says how many stay pending" {
  migration 1_one 'SELECT 1;'
  migration 2_two 'SELECT 1;'
  migration 3_three 'SELECT 1;'
  migration 4_four 'SELECT 1;'
  plan --to=2_two
  assert_code 0
  assert_equal "$(steps)" $'1 apply 1_one\n2 apply 2_two'
  plan --to=2_two --format=text
  shows 'still pending, not part of this plan: 2 migrations'
  plan --to=2
  assert_code 64
  says '--to 2' P3017
  recorded 5_gone
  plan --to=5_gone
  assert_code 64
}

@test "--from-empty plans as if nothing were recorded, and such a plan is not for applying" {
  migration 1_one 'CREATE TABLE one ();'
  migration 2_two 'CREATE TABLE two ();'
  recorded 1_one
  recorded 2_two failed
  plan --from-empty -o plan.rec
  assert_code 0
  assert_equal "$(jq -r 'select(.record == "step").migration' plan.rec | tr '\n' ' ')" '1_one 2_two '
  plan --from-empty --format=text
  shows 'for an empty database'
  shows_not '--expect'
  run --separate-stderr mig-apply plan.rec
  assert_code 65
  says 'without a database'
  nothing_was_touched
}

@test "an offline scan alone cannot be planned, since nobody knows what is applied" {
  migration 1_one 'SELECT 1;'
  run --separate-stderr bash -c 'mig-scan --offline | mig-plan'
  assert_code 65
  says 'Scan without --offline' --from-empty
}

## --strict, --allow, --exit-code

# One late, one edited, one missing, one destructive.
all_warnings() {
  migration 1_late 'SELECT 1;'
  migration 2_edited 'SELECT 1;'
  migration 4_drop 'DROP TABLE IF EXISTS x;'
  recorded 2_edited finished "$(sha256sum <<<other)"
  recorded 3_missing
}

@test "--strict refuses a plan with any warning, --strict=RULE one with these findings" {
  all_warnings
  plan
  assert_code 0
  assert_equal "$(findings | cut -d' ' -f1,2 | sort | tr '\n' ' ')" 'destructive warning edited warning late warning missing warning '
  plan --strict
  assert_code 1
  error_count 4
  for rule in late edited missing destructive; do
    plan --strict="$rule"
    assert_code 1
    error_count 1
    says "[$rule]"
  done
  plan --strict=edited,late
  error_count 2
  plan --strict=not_empty
  assert_code 0
}

@test "--strict has nothing against a plan without warnings" {
  migration 1_one 'SELECT 1;'
  plan --strict
  assert_code 0
}

@test "--allow lets single rules pass, also where --strict refuses them" {
  all_warnings
  plan --strict --allow=late,edited,missing
  assert_code 1
  error_count 1
  says '[destructive]'
  plan --strict --allow=late,edited,missing,destructive
  assert_code 0
  assert_equal "$(findings | wc -l)" 4
}

@test "--exit-code says with 2 that there is something to do, and the plan is whole" {
  migration 1_one 'CREATE TABLE one ();'
  pipeline plan: --exit-code
  assert_equal "$codes" '0 2 0'
  assert_equal "$(applied)" 1_one
  plan --exit-code
  assert_code 0
  recorded 1_one failed
  plan --exit-code
  assert_code 1
}

## Marks

@test "--baseline marks all that is pending up to a name, and only that" {
  sql 'CREATE TABLE a ()'
  migration 0_init 'CREATE TABLE a ();'
  migration 1_more 'CREATE TABLE b ();'
  migration 2_new 'CREATE TABLE c ();'
  plan --baseline=1_more
  assert_code 0
  assert_equal "$(steps)" $'1 mark_applied 0_init\n2 mark_applied 1_more'
  assert_equal "$(records 'select(.step == 1) | .checksum, .sql' | tr '\n' ' ')" "$(checksum 0_init) null "
  plan --baseline=1_more --format=text
  shows 'is marked as applied; its SQL does not run' 'still pending, not part of this plan: 1 migration'
  pipeline plan: --baseline=1_more
  assert_code 0
  assert_equal "$(history)" "0_init|$(checksum 0_init)|finished|-|0|logs
1_more|$(checksum 1_more)|finished|-|0|logs"
  assert_equal "$(sql "SELECT count(*) FROM _prisma_migrations WHERE logs = '' AND started_at = finished_at")" 2
  pipeline
  assert_code 0
  assert_equal "$(sql "SELECT to_regclass('b') IS NULL, to_regclass('c') IS NULL")" 't|f'
}

@test "--baseline of all that is recorded already is nothing to do" {
  migration 0_init 'SELECT 1;'
  recorded_all
  plan --baseline=0_init
  assert_code 0
  assert_equal "$(steps)" ''
}

@test "--mark-applied ends a failed migration: its row is rolled back, and a new one is finished" {
  migration 1_failed 'SELECT 1;'
  migration 2_two 'SELECT 1;'
  recorded 1_failed failed
  pipeline plan: --mark-applied=1_failed
  assert_code 0
  assert_equal "$(history)" "1_failed|$(checksum 1_failed)|-|rolled_back|0|logs
1_failed|$(checksum 1_failed)|finished|-|0|logs"
  plan
  assert_code 0
  assert_equal "$(steps)" '1 apply 2_two'
}

@test "--mark-applied takes what is pending, several and in any order" {
  migration 1_one 'CREATE TABLE one ();'
  migration 2_two 'CREATE TABLE two ();'
  migration 3_three 'CREATE TABLE three ();'
  pipeline plan: --mark-applied=3_three --mark-applied=1_one
  assert_code 0
  assert_equal "$(applied | sort | tr '\n' ' ')" '1_one 3_three '
  nothing_was_touched
}

@test "--mark-rolled-back lets a failed migration run again, and keeps its log" {
  migration 1_failed 'CREATE TABLE one ();'
  recorded 1_failed failed
  pipeline plan: --mark-rolled-back=1_failed
  assert_code 0
  assert_equal "$(history)" "1_failed|$(checksum 1_failed)|-|rolled_back|0|logs"
  # doing it again does no harm, as with Prisma
  pipeline plan: --mark-rolled-back=1_failed
  assert_code 0
  pipeline
  assert_code 0
  assert_equal "$(applied)" 1_failed
}

@test "--mark-rolled-back needs no folder" {
  recorded 1_gone failed
  pipeline plan: --mark-rolled-back=1_gone
  assert_code 0
  plan
  assert_code 0
}

@test "marks are refused where Prisma refuses them: P3008, P3011, P3012, P3017" {
  local code option name state
  while read -r code option name state; do
    sql 'DROP TABLE IF EXISTS _prisma_migrations' 2>/dev/null
    rm -rf "${FOLDER:?}"/*/
    [[ $name != 1_* ]] || migration "$name" 'SELECT 1;'
    [[ $state == - ]] || recorded "$name" "$state"
    plan "$option=$name"
    [[ $status == 64 && $stderr == "mig-plan: error: $option $name: "*"($code)"* ]] ||
      fail "$option $name $state: exit code $status, $stderr" || return 1
    assert_equal "$(steps)" ''
  done <<'CASES'
P3008 --mark-applied 1_one finished
P3008 --mark-applied 1_one resolved
P3008 --mark-applied 1_one undone
P3017 --mark-applied 2_nowhere -
P3017 --mark-applied 2_gone failed
P3017 --baseline 2_nowhere -
P3011 --mark-rolled-back 1_one -
P3011 --mark-rolled-back 2_nowhere -
P3012 --mark-rolled-back 1_one finished
P3012 --mark-rolled-back 1_one undone
CASES
  mkdir "$FOLDER/3_nothing"
  plan --mark-applied=3_nothing
  assert_code 64
  says P3017
}

@test "a name of a migration or a rule with a slip, or a part of it, is shown as it was probably meant" {
  migration 20260102120000_tags 'SELECT 1;'
  migration "20260103120000_it's" 'SELECT 1;'
  recorded 20260102120000_tags failed
  plan --to=20260102
  says $'\n  Did you mean --to 20260102120000_tags?\n'
  plan --mark-applied=20260102120000_tgas
  says $'\n  Did you mean --mark-applied 20260102120000_tags?\n'
  plan --mark-rolled-back=tags
  says $'\n  Did you mean --mark-rolled-back 20260102120000_tags?\n'
  plan --resume=tags:2
  says $'\n  Did you mean --resume 20260102120000_tags:2?\n'
  plan --to="20260103120000_it"
  says "  Did you mean --to '20260103120000_it'\''s'?"
  # one that exists is not meant for itself
  plan --mark-rolled-back="20260103120000_it's"
  says P3011 'Give the full name'
  says_not 'Did you mean'
  plan --to=20260
  says P3017
  says_not 'Did you mean'
  run --separate-stderr mig-plan --allow=late,destructve </dev/null
  assert_code 64
  says '"destructve" is not a rule that --strict and --allow move; did you mean destructive?'
  run --separate-stderr mig-plan --strict=psql </dev/null
  says_not 'did you mean'
}

@test "a line that was meant to allow a finding, and does not, is told with it" {
  migration 1_a 'CREATE TABLE a (b int, c int, d int, e int, f int, g int);'
  migration 2_b '-- mig: allow destructve, gone for good
ALTER TABLE a DROP b;
-- mig: allow destructive
ALTER TABLE a DROP c;
-- mig: allow destructive
-- mig: allow breaks, nobody reads it
ALTER TABLE a DROP d;
-- mig: allow it
-- mig: allow destructive, gone for good
ALTER TABLE a DROP e;
-- mig: allow breaks, nobody reads it
ALTER TABLE a DROP f;
-- mig: allow destructive , gone
ALTER TABLE a DROP g;
'
  run --separate-stderr bash -c 'mig-scan --offline | mig-plan --from-empty -q'
  assert_code 0
  assert_equal "$(records 'select(.record == "finding") | "\(.severity) \(.message)"')" \
    'warning DROP COLUMN destroys data: a.b; the script allows "destructve", which is no rule (destructive?)
warning DROP COLUMN destroys data: a.c; the script allows it without a reason, which does not count
warning DROP COLUMN destroys data: a.d; the script allows it without a reason, which does not count
note DROP COLUMN destroys data: a.e; allowed in the script: gone for good
warning DROP COLUMN destroys data: a.f
note DROP COLUMN destroys data: a.g; allowed in the script: gone'
}

@test "a mark that is given twice, or against itself, is refused by name" {
  migration 1_one 'SELECT 1;'
  recorded 1_one failed
  plan --mark-applied=1_one --mark-applied=1_one
  assert_code 64
  says 1_one
  plan --mark-rolled-back=1_one --mark-rolled-back=1_one
  assert_code 64
  says 1_one
  plan --mark-rolled-back=1_one --mark-applied=1_one
  assert_code 64
  says 1_one
}

## The plan

@test "the plan names its target and what it starts from" {
  migration 1_one 'SELECT 1;'
  migration 2_two 'SELECT 1;'
  recorded 1_one
  recorded 0_rolled rolled_back
  plan
  assert_equal "$(records 'select(.record == "plan") | "\(.system_identifier) \(.database) \(.schema) \(.history_rows) \(.last_applied)"')" \
    "$(sql_admin 'SELECT system_identifier FROM pg_control_system()') $PGDATABASE public 2 1_one"
}

@test "the digest of the history is that of its settled records, so that anybody can make it" {
  local sum
  migration 1_one 'SELECT 1;'
  recorded 1_one
  recorded 0_rolled rolled_back
  plan
  sum=$(grep '"record":"history"' scan.rec | b2sum -l 256)
  assert_equal "$(records 'select(.record == "plan").history_digest')" "${sum%% *}"
}

@test "the same scan gives the same plan, byte for byte, wherever and whenever it is made" {
  all_warnings
  plan -o one.rec
  run --separate-stderr env -i LC_ALL=C TZ=Asia/Tokyo PATH="$PATH" HOME=/tmp mig-plan -o other.rec scan.rec
  assert_code 0
  run cmp one.rec other.rec
  assert_success
  run --separate-stderr mig-plan scan.rec
  assert_equal "$output" "$(cat one.rec)"
}

@test "a plan that was kept is verified and shown again" {
  all_warnings
  plan -o plan.rec
  run --separate-stderr mig-plan plan.rec
  assert_code 0
  assert_equal "$output" "$(cat plan.rec)"
  run --separate-stderr mig-plan --format=text plan.rec
  assert_code 0
  shows "plan $(tail -n 1 plan.rec | jq -r '.digest[:16]') for $PGDATABASE at " 1_late 4_drop '[destructive]'
  run --separate-stderr mig-plan < <(sed 's/SELECT 1/SELECT 2/' plan.rec)
  assert_code 65
  says 'line '
  run --separate-stderr mig-plan < <(head -n 2 plan.rec)
  assert_code 65
}

@test "a plan that another release kept passes through byte for byte, with its digest" {
  local digest way
  all_warnings
  plan -o plan.rec
  # one that has none of the keys that may be absent, one that is not known today, and its own way of writing
  sed '$d' plan.rec | jq -c 'with_entries(select(.value != null)) + if .record == "plan" then {later: [1]} else {} end' |
    sed '1s/^{/{ /' | seal >sealed.rec
  digest=$(tail -n 1 sealed.rec | jq -r .digest)
  refute cmp -s plan.rec sealed.rec
  for way in file pipe -o; do
    case $way in
    file) mig-plan sealed.rec >again.rec ;;
    pipe) mig-plan --format=records <sealed.rec | cat >again.rec ;;
    -o) mig-plan -o again.rec sealed.rec >/dev/null ;;
    esac
    cmp sealed.rec again.rec
  done
  [[ $(mig-plan --format=text sealed.rec) == *$'\n'"plan ${digest:0:16} for "* ]]
  # what is broken does not pass
  run --separate-stderr bash -c 'sed "\$d" sealed.rec | mig-plan --format=records'
  assert_code 65
  assert_equal "$(tail -n 1 <<<"$output" | jq -r .record)" failed
}

@test "the page has the digest that --expect takes" {
  local digest
  migration 1_one 'CREATE TABLE one ();'
  plan --format=text
  digest=$(tail -n 1 <<<"$output" | sed -n 's/^to apply this plan: *mig-scan | mig-plan | mig-apply --expect \([0-9a-f]*\)$/\1/p')
  assert_equal "${#digest}" 16
  assert_line --index 0 '0 of 1 steps need attention, as far as the text tells'
  assert_line --index 1 --regexp "^plan $digest for $PGDATABASE at .*, schema public\$"
  pipeline apply: --expect "$digest"
  assert_code 0
}

@test "the page shows steps, findings and the sum" {
  all_warnings
  migration 5_own 'BEGIN; SELECT 1; COMMIT;'
  migration 6_index 'CREATE INDEX CONCURRENTLY i ON a (b);'
  plan --format=text
  assert_code 0
  assert_line --regexp 'starts from 2 history rows, the last applied is 3_missing'
  assert_line --index 0 '2 of 4 steps need attention: 1 late, 1 destructive'
  assert_line --regexp '^ +1 +1_late +late +1 statement, in one transaction$'
  assert_line --regexp '^ +2 +4_drop +destructive +1 statement, in one transaction$'
  assert_line --regexp "^ +3 +5_own +3 statements, in the script's own transactions; resumable\$"
  assert_line --regexp '^ +4 +6_index +1 statement, not in a transaction; resumable$'
  assert_line '     1 | DROP TABLE IF EXISTS x'
  assert_line '         warning: DROP TABLE destroys data: x [destructive]'
  assert_line '      locks  x: how strong and for how long is not known without a rehearsal'
  assert_line '      undo   a new migration takes it back, but only a backup has what DROP TABLE x takes away'
  assert_line --regexp '^not looked at: locks, .*; down.sql$'
  assert_line --regexp '^to know it: +mig-scan --rehearse --load \| mig-plan$'
  assert_line --regexp '^2_edited: warning: .* \[edited\]$'
  assert_line --regexp '^ +git -C prisma/migrations log -p -- 2_edited$'
  assert_line --regexp '^4 steps, 6 statements, 4 warnings\. Nothing has been changed\.$'
}

@test "a long plan folds on the page, and -v unfolds it; the records have it all" {
  local i
  for ((i = 100; i < 130; i++)); do
    migration "${i}_x" 'SELECT 1;'
  done
  plan --format=text
  shows 100_x 129_x more
  shows_not 115_x
  plan --format=text -v
  shows 115_x
  shows_not …
  plan
  assert_equal "$(steps | wc -l)" 30
}

@test "warnings beyond ten are counted on standard error, and -v and -q are heard" {
  local i
  for ((i = 100; i < 115; i++)); do
    migration "${i}_x" 'DROP TABLE x;'
  done
  plan_offline
  assert_equal "$(grep -c '^mig-plan: warning: .*destructive' <<<"$stderr")" 10
  says '5 more'
  plan_offline -v
  assert_equal "$(grep -c '^mig-plan: warning: .*destructive' <<<"$stderr")" 15
  plan_offline -q
  assert_equal "$stderr" ''
}

@test "deciding does no I/O: no socket is made, and no file opened but the scan" {
  command -v strace >/dev/null || skip "no strace"
  ((EUID == 0)) || skip "only root can read the memory of our programs, and with it the names of files"
  all_warnings
  mig-scan -o scan.rec >/dev/null
  strace -f -o trace -e trace=%network,openat,open,execve,fork,vfork mig-plan scan.rec >/dev/null 2>&1 || skip "strace may not trace here"
  grep -q 'scan.rec' trace || fail "the trace is empty"
  # what the loader and the C library look at belongs to any program
  run grep -vE 'execve\(|exited with|/ld\.so|\.so[."]|/(dev/(u?random|null)|proc/sys/[^"]*|proc/self/[^"]*)"|locale|gconv|"scan\.rec"|ENOENT' trace
  assert_output ''
  run grep -cE 'execve\(' trace
  assert_output 1
}
