#!/usr/bin/env bats
# mig-check: whether all is well, with the exit codes of monitoring plugins: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() { folder_new; }
teardown() {
  sessions_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

# What is in the folder and the database, checked.
check_history() {
  mig-scan -o scan.rec >/dev/null
  run --separate-stderr mig-check "$@" history <scan.rec
}

# mig-apply OPTION… of what is pending, checked.
check_deploy() {
  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply "$@" 2>/dev/null | mig-check deploy' - "$@"
}

## history

@test "history: all as recorded is OK, one line" {
  database_new
  migration 1_one 'SELECT 1;'
  migration 2_two 'SELECT 1;'
  recorded_all
  check_history
  assert_code 0
  assert_output 'OK: history: 2 applied, 0 pending'
  assert_equal "$stderr" ''
}

@test "history: with -q nothing is said when all is well, so that cron sends no mail" {
  database_new
  migration 1_one 'SELECT 1;'
  recorded_all
  check_history -q
  assert_code 0
  assert_equal "$output$stderr" ''
  migration 2_two 'SELECT 1;'
  check_history -q
  assert_code 1
  shows 2_two
}

@test "history: pending, late, edited and missing are WARNING, each with its migration" {
  database_new
  migration 1_late 'SELECT 1;'
  migration 2_edited 'SELECT 1;'
  migration 4_pending 'SELECT 1;'
  recorded 2_edited finished "$(sha256sum <<<other)"
  recorded 3_missing
  check_history
  assert_code 1
  assert_line --index 0 --regexp '^WARNING +history +2 pending \(1 of them late\), 1 edited, 1 missing$'
  assert_line --regexp '^ +late +1_late$'
  assert_line --regexp '^ +edited +2_edited, applied 2026-01-01 12:01:01Z$'
  assert_line --regexp '^ +missing +3_missing, applied 2026-01-01 12:02:01Z$'
  assert_line --regexp '^ +pending +4_pending$'
  assert_line --regexp '^ +next +mig-scan \| mig-plan$'
  assert_line --index -1 --regexp '^WARNING: history: .* 1 edited, 1 missing$'
}

@test "history: each of them alone is WARNING" {
  database_new
  migration 2_two 'SELECT 1;'
  check_history
  assert_code 1
  recorded 2_two
  check_history
  assert_code 0
  migration 2_two 'SELECT 2;'
  check_history
  assert_code 1
  migration 2_two 'SELECT 1;'
  migration 1_one 'SELECT 1;'
  check_history
  assert_code 1
  rm -r "$FOLDER/1_one" "$FOLDER/2_two"
  check_history
  assert_code 1
}

@test "history: an unfinished migration is CRITICAL, while somebody deploys it is WARNING" {
  database_new
  migration 1_failed 'SELECT 1;'
  migration 2_pending 'SELECT 1;'
  recorded 1_failed failed
  check_history
  assert_code 2
  assert_line --index 0 --regexp '^CRITICAL +history +1 failed, 1 pending$'
  assert_line --regexp '^ +failed +1_failed, begun 2026-01-01 12:01:00Z$'
  session_begin 'SELECT pg_advisory_lock(72707369)'
  check_history
  assert_code 1
  shows '1 running'
}

@test "history: what is rolled back and what only a row is left of is no trouble" {
  database_new
  migration 1_one 'SELECT 1;'
  recorded 1_one rolled_back
  recorded 1_one
  recorded 0_over rolled_back
  check_history
  assert_code 0
}

@test "history: a scan without a database is UNKNOWN, and so is one that is broken" {
  migration 1_one 'SELECT 1;'
  run --separate-stderr bash -c 'mig-scan --offline | mig-check history'
  assert_code 3
  shows UNKNOWN 'no database side'
  run --separate-stderr bash -c 'mig-scan --offline | head -n 1 | mig-check history'
  assert_code 3
  shows UNKNOWN
  says 'line 2'
}

## deploy

@test "deploy: all applied is OK, nothing to do as well" {
  database_new
  migration 1_one 'CREATE TABLE one ();'
  migration 2_two 'CREATE TABLE two ();'
  check_deploy
  assert_code 0
  assert_output 'OK: deploy: 2 of 2 applied'
  check_deploy
  assert_code 0
  assert_output --partial OK
}

@test "deploy: what another deployer applied and what was marked counts as done" {
  database_new
  migration 1_one 'CREATE TABLE one ();'
  migration 2_two 'CREATE TABLE two ();'
  mig-scan | mig-plan -o plan.rec >/dev/null
  recorded 1_one
  run --separate-stderr bash -c 'mig-apply plan.rec 2>/dev/null | mig-check deploy'
  assert_code 0
  assert_output 'OK: deploy: 2 of 2 applied'
  migration 3_three 'SELECT 1;'
  run --separate-stderr bash -c 'mig-scan | mig-plan --mark-applied=3_three | mig-apply 2>/dev/null | mig-check deploy'
  assert_code 0
}

@test "deploy: a migration that failed is CRITICAL, with its error, and those not started are named" {
  database_new
  migration 1_one 'CREATE TABLE one ();'
  migration 2_broken 'SELECT nope;'
  migration 3_three 'CREATE TABLE three ();'
  check_deploy
  assert_code 2
  assert_line --index 0 --regexp '^CRITICAL +deploy +1 of 3 applied$'
  assert_line --regexp '^ +failed +2_broken: column "nope" does not exist$'
  assert_line --regexp '^ +not_started +3_three$'
}

@test "deploy: a table that stayed busy is CRITICAL" {
  database_new
  migration 1_one 'CREATE TABLE one ();'
  pipeline
  migration 2_two 'ALTER TABLE one ADD a int;'
  session_begin 'BEGIN; SELECT * FROM one'
  check_deploy --wait=0 --max-stall=100ms
  assert_code 2
  shows deferred 2_two
}

@test "deploy: a dry run is UNKNOWN, since nothing was deployed" {
  database_new
  migration 1_one 'CREATE TABLE one ();'
  check_deploy --dry-run
  assert_code 3
  shows UNKNOWN 'dry run'
}

@test "deploy: broken results are UNKNOWN" {
  database_new
  migration 1_one 'CREATE TABLE one ();'
  mig-scan | mig-plan | mig-apply -o results.rec
  run --separate-stderr mig-check deploy < <(head -n 2 results.rec)
  assert_code 3
  says 'mig-apply was cut off'
  run --separate-stderr mig-check deploy < <(sed 's/"status":"applied"/"status":"failed"/' results.rec)
  assert_code 3
  run --separate-stderr mig-check deploy <results.rec
  assert_code 0
}

## What failed before

@test "a tool that failed is CRITICAL for 1, 69, 75 and 77, UNKNOWN for the rest, with its cause" {
  local code wanted check
  for check in history deploy; do
    for code in 1 2 64 65 69 70 74 75 77 78 130 143; do
      case $code in
      1 | 69 | 75 | 77) wanted=2 ;;
      *) wanted=3 ;;
      esac
      run --separate-stderr mig-check "$check" <<<"$(forged mig-scan "$code" 'what was the matter')"
      assert_equal "$check $code: $status" "$check $code: $wanted"
      shows 'what was the matter'
      run --separate-stderr mig-check -q "$check" <<<"$(forged mig-scan "$code" 'what was the matter')"
      shows 'what was the matter'
    done
  done
}

@test "a server that cannot be reached is CRITICAL at the end of every pipe" {
  export DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere
  run --separate-stderr bash -c 'mig-scan | mig-check history'
  assert_code 2
  shows 'cannot reach 127.0.0.1:1'
  error_count 1
  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply | mig-check deploy'
  assert_code 2
  error_count 1
}

@test "the crontab line of --help tells of a server that cannot be reached" {
  local line
  line=$(mig-check --help | sed -n 's/^.*\* *cd [^ ]* && \(.*\) *(crontab)$/\1/p')
  [[ $line == mig-scan*mig-check* ]] || fail "no crontab line: $line"
  DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere run --separate-stderr bash -c "$line"
  assert_code 2
  shows 'cannot reach 127.0.0.1:1'
}

## Faces

@test "text is the face everywhere, records where they are asked for" {
  database_new
  migration 1_one 'SELECT 1;'
  check_history --format=records
  assert_code 1
  assert_equal "$(records .record | tr '\n' ' ')" 'stream check end '
  assert_equal "$(records 'select(.record == "check") | "\(.check) \(.status) \(.code) \(.message)"')" 'history warning 1 1 pending'
  check_history -o checks.rec
  assert_code 1
  shows WARNING
  assert_equal "$(jq -r 'select(.record == "check").status' checks.rec)" warning
  recorded_all
  check_history --format=records
  assert_code 0
  assert_equal "$(records 'select(.record == "check") | "\(.status) \(.code)"')" 'ok 0'
  check_history --format=records -q
  assert_equal "$(records 'select(.record == "check") | "\(.status) \(.code)"')" 'ok 0'
}

@test "no word of a stream reaches the terminal as a command to it" {
  CLICOLOR_FORCE=1 run --separate-stderr mig-check history <<<"$(forged mig-scan 69 'x\u001b[2J\u0001y\u009b2J')"
  assert_code 2
  shows_not $'\e[2J' $'\u009b'
  assert_equal "$(tr -cd '\033' <<<"$output" | wc -c)" 2
}
