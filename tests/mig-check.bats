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
  assert_line --index 0 "WARNING: $PGDATABASE at $MIG_TEST_SERVER: history: 2 pending (1 of them late), 1 edited, 1 missing"
  assert_line --regexp '^ +late +1_late$'
  assert_line --regexp '^ +edited +2_edited, applied 2026-01-01 12:01:01Z$'
  assert_line --regexp '^ +missing +3_missing, applied 2026-01-01 12:02:01Z$'
  assert_line --regexp '^ +pending +4_pending$'
  assert_line --regexp '^ +next +mig-scan \| mig-plan$'
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
  assert_line --index 0 --regexp '^CRITICAL: .*: history: 1 failed, 1 pending$'
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
  assert_output --regexp '^OK: deploy: 2 of 2 applied \(.*, plan [0-9a-f]{16}, [0-9]+ s ago\)$'
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
  assert_output --regexp '^OK: deploy: 2 of 2 applied \(.*, plan [0-9a-f]{16}, [0-9]+ s ago\)$'
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
  assert_line --index 0 --regexp '^CRITICAL: deploy: 1 of 3 applied \(.* at .*, plan .*\)$'
  assert_line --regexp '^ +failed +2_broken: column "nope" does not exist$'
  assert_line --regexp '^ +not_started +3_three$'
}

@test "deploy: a table that stayed busy is CRITICAL" {
  local wait
  database_new
  migration 1_one 'CREATE TABLE one ();'
  pipeline
  migration 2_two 'ALTER TABLE one ADD a int;'
  session_begin 'BEGIN; SELECT * FROM one'
  check_deploy --wait=0 --max-stall=100ms
  assert_code 2
  # whether somebody has looked by then is chance
  assert_line --regexp 'deferred +2_two: (a table that the step needs|"?one"?) stayed busy'
  for wait in 4s 15s; do
    check_deploy "--wait=$wait" --max-stall=100ms
    assert_code 2
    [[ $output != *'held by'* ]] || break
  done
  assert_line --regexp 'deferred +2_two: "?one"? stayed busy, held by pid [0-9]+'
}

@test "deploy: it is said which deploy is judged, and one that is older than deploy.age is WARNING" {
  database_new
  migration 1_one 'CREATE TABLE one ();'
  mig-scan | mig-plan -o plan.rec >/dev/null
  mig-apply -q -o results.rec plan.rec
  run --separate-stderr mig-check deploy deploy.age=1h <results.rec
  assert_code 0
  assert_output --partial "plan $(jq -r 'select(.record == "end").digest[:16]' plan.rec), "
  assert_output --partial "$(sql 'SELECT current_database()') at "
  jq -c 'if .record == "run" then .started_at = "2026-02-28T23:59:59.118Z" else . end' results.rec | seal >old.rec
  run --separate-stderr mig-check deploy <old.rec
  assert_code 0
  run --separate-stderr mig-check deploy deploy.age=1h <old.rec
  assert_code 1
  shows 'older than 60 min (deploy.age)'
  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply -q | mig-check deploy'
  assert_code 0
  assert_output --regexp '^OK: deploy: nothing to do \(.*\)$'
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
  says 'mig-apply was interrupted'
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
  line=$(mig-check --help=all | sed -n 's/^.*\* *cd [^ ]* && \(.*\) *(crontab)$/\1/p')
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

# A state of everything: four pending, an invalid index, an endpoint that is not there.
something_of_everything() {
  database_new
  migration 1_one 'SELECT 1;'
  migration 2_two 'SELECT 1;'
  recorded 1_one
  sql 'CREATE TABLE "Order" (a int); INSERT INTO "Order" VALUES (1), (1)'
  sql 'CREATE UNIQUE INDEX CONCURRENTLY "Order_a_key" ON "Order" (a)' 2>/dev/null || true
  mig-scan -o scan.rec >/dev/null
}

@test "several checks: each has its lines, and the last line is the verdict" {
  something_of_everything
  run --separate-stderr mig-check history database health=http://127.0.0.1:1/ <scan.rec
  assert_code 2
  assert_line --index 0 --regexp '^WARNING +history +1 pending$'
  assert_line --regexp '^WARNING +database +index "Order_a_key" is invalid; answers in .*, primary, no TLS$'
  assert_line --regexp '^CRITICAL +health +cannot connect: Connection refused$'
  assert_line --index -1 "CRITICAL: $PGDATABASE at $MIG_TEST_SERVER: history: 1 pending; database: index \"Order_a_key\" is invalid; health: cannot connect: Connection refused"
  run --separate-stderr mig-check -v database database.indexes=ok
  assert_code 0
  assert_line --index 0 --regexp '^OK +database '
}

@test "nagios: one line with performance data, in which nothing has to be escaped" {
  something_of_everything
  run --separate-stderr mig-check --format=nagios history database health=http://127.0.0.1:1/ <scan.rec
  assert_code 2
  assert_equal "${#lines[@]}" 1
  assert_output --regexp '^MIG CRITICAL - [^:]* at [^:]*: history: 1 pending; database: index Order_a_key is invalid; health: cannot connect: Connection refused \| '
  shows ' history_pending=1;0;;0' ' history_failed=0;;0;0' ' database_invalid_indexes=1;0;;0' ' database_oldest_transaction=0s;300;3600;0'
  assert_output --regexp ' database_answer=0\.[0-9]{3}s;1\.000;5\.000;0( |$)'
  [[ ${output%%|*} != *["'"\"\`\$\<\>]* ]] || fail "$output"
  # each datum as the guidelines have it
  run grep -vE "^[A-Za-z0-9_]+=-?[0-9.]+(s|%)?;[0-9.:]*;[0-9.:]*(;0)?;?$" <(tr ' ' '\n' <<<"${output#*| }")
  assert_output ''
  run --separate-stderr mig-check -q --format=nagios history <<<"$(forged mig-scan 69 'cannot reach `it` | $(x) <y>')"
  assert_code 2
  assert_output 'MIG CRITICAL - history: cannot reach it / (x) y'
  run --separate-stderr mig-check --format=nagios nonsense
  assert_code 3
  assert_output --regexp '^MIG UNKNOWN - there is no check nonsense'
  unset DATABASE_URL
  run --separate-stderr mig-check --format=nagios database
  assert_code 3
  assert_output 'MIG UNKNOWN - database: no connection string: DATABASE_URL is not set'
}

@test "nagios: a monitoring plugin reads it" {
  local negate=/usr/lib/nagios/plugins/negate
  [[ -x $negate ]] || skip "no negate (of monitoring-plugins-basic)"
  something_of_everything
  run --separate-stderr "$negate" --substitute --warning=OK "$BUILD/mig-check" --format=nagios database database.warn=1min database.crit=1min
  assert_code 0
  assert_output --regexp '^MIG OK - [^:]* at [^:]*: database: index Order_a_key is invalid \| '
  run --separate-stderr "$negate" --substitute "$BUILD/mig-check" --format=nagios relation=nowhere
  assert_code 0
  assert_output "MIG OK - $PGDATABASE at $MIG_TEST_SERVER: relation:nowhere: nowhere does not exist"
}

@test "prometheus: what was measured, one family once, in base units, with the time of the run" {
  local now
  something_of_everything
  run --separate-stderr mig-check --format=prometheus history database health:api=http://127.0.0.1:1/ relation='"No""where"' <scan.rec
  assert_code 2
  assert_line --regexp "^mig_check_status\{target=\".*/$PGDATABASE\",check=\"history\"\} 1$"
  assert_line --regexp "^mig_check_status\{target=\".*/$PGDATABASE\",check=\"health:api\"\} 2$"
  assert_line --regexp '^mig_check_status.*check="relation:\\"No\\"\\"where\\""} 2$'
  assert_line --regexp '^mig_history_migrations\{.*,state="pending"\} 1$'
  assert_line --regexp '^mig_database_answer_seconds\{.*\} 0\.[0-9]+$'
  assert_line --regexp '^mig_database_connections_used_ratio\{.*\} 0\.[0-9]+$'
  now=$(date +%s)
  [[ $(sed -n 's/^mig_check_last_run_timestamp_seconds{.*"history"} //p' <<<"$output") -gt $((now - 60)) ]]
  assert_equal "$(grep '^# TYPE' <<<"$output" | sort | uniq -d)" ''
  command -v promtool >/dev/null || skip "no promtool (of prometheus)"
  run promtool check metrics <<<"$output"
  assert_success
  assert_output ''
}

@test "-o writes what --format says beside the file and renames, and the text is shown" {
  local before
  something_of_everything
  echo old >mig.prom
  before=$(stat -c %i mig.prom)
  run --separate-stderr mig-check --format=prometheus -o mig.prom database
  assert_code 1
  assert_line --index 0 --regexp '^WARNING: .* at .*: database: '
  grep -q '^mig_check_status{' mig.prom
  [[ $(stat -c %i mig.prom) != "$before" ]]
  assert_equal "$(echo mig.prom*)" mig.prom
  run --separate-stderr mig-check -q --format=prometheus -o mig.prom database database.indexes=ok
  assert_code 0
  assert_equal "$output$stderr" ''
  run --separate-stderr mig-check --format=nagios -o nagios.txt database
  assert_code 1
  [[ $(<nagios.txt) == 'MIG WARNING - '* ]]
  run --separate-stderr mig-check --format=prometheus -o nowhere/mig.prom database
  assert_code 3
  says nowhere/mig.prom
}

@test "output that is lost is UNKNOWN, and is said" {
  local words
  something_of_everything
  for words in '--format=prometheus' '--format=records' '--format=nagios' '' 'relation=nowhere' '--format=records -o /dev/full'; do
    run --separate-stderr bash -c "mig-check $words database >/dev/full"
    assert_code 3
    error_count 1
    says 'No space left on device'
  done
}

@test "records carry what was measured, and within which limits" {
  something_of_everything
  run --separate-stderr mig-check --format=records history database:main history.failed=warning \
    database:main.warn=1min database:main.crit=1min <scan.rec
  assert_code 1
  assert_equal "$(records -c 'select(.check == "history") | [.measures.pending, .measures.applied, .limits.pending, .limits.failed]')" \
    '[1,1,{"warning":0},{"warning":0}]'
  [[ $(records 'select(.check == "database:main").message') == 'index "Order_a_key" is invalid; answers in '* ]]
  assert_equal "$(records -c 'select(.check == "database:main") | [.measures.invalid_indexes, .limits.oldest_transaction_seconds, (.measures | has("lag_ms"))]')" \
    '[1,{"warning":300,"critical":3600},false]'
}

@test "the textfile collector line of --help works as it stands" {
  local line
  database_new
  line=$(mig-check --help=all | sed -n 's/^ *\* \* \* \* \*  \(mig-check .*prom.*\)$/\1/p')
  [[ $line == *' -o /var/lib/prometheus/node-exporter/mig.prom '* ]] || fail "no such line: $line"
  run --separate-stderr bash -c "${line/\/var\/lib\/prometheus\/node-exporter/$PWD}"
  assert_code 0
  assert_equal "$output$stderr" ''
  grep -q '^mig_check_status{.*} 0$' mig.prom
}

## What a line that stands alone says

@test "an alert names its database or host, and a cause that checks have in common once, in every format" {
  local format line
  database_new
  sql 'CREATE TABLE t (x int)'
  DATABASE_URL='postgresql://u@127.0.0.1:1/shop' run --separate-stderr mig-check database relation=t relation=u
  assert_code 2
  assert_equal "$(grep -c 'connection refused' <<<"$output")" 2
  assert_line --index 0 --regexp '^CRITICAL +database, relation:t, relation:u  cannot reach 127.0.0.1:1: connection refused$'
  assert_line --index -1 'CRITICAL: shop at 127.0.0.1: database, relation:t, relation:u: cannot reach 127.0.0.1:1: connection refused'
  # two databases, and an endpoint
  export OTHER=$DATABASE_URL
  DATABASE_URL='postgresql://u@127.0.0.1:1/shop' run --separate-stderr mig-check --format=nagios \
    database:other=env:OTHER database:other.crit=0ms database
  assert_code 2
  assert_output --regexp "^MIG CRITICAL - $PGDATABASE at $MIG_TEST_SERVER: database:other: answers in .*; shop at 127.0.0.1: database: cannot reach 127.0.0.1:1: connection refused \\| "
  run --separate-stderr mig-check --format=nagios health=http://127.0.0.1:1/health
  assert_output --regexp '^MIG CRITICAL - 127.0.0.1:1: health: cannot connect: Connection refused'
  # records and Prometheus: without the port, which is told once
  DATABASE_URL='postgresql://u@127.0.0.1:1/shop' run --separate-stderr mig-check --format=records database relation=t health=http://127.0.0.1:1/
  assert_equal "$(jq -r 'select(.record == "check").target' <<<"$output")" $'127.0.0.1/shop\n127.0.0.1/shop\nnull'
  DATABASE_URL='postgresql://u@127.0.0.1:1/shop' run --separate-stderr mig-check --format=prometheus database relation=t
  assert_line 'mig_check_status{target="127.0.0.1/shop",check="relation:t"} 2'
  assert_equal "$(grep '^mig_check_target_info' <<<"$output")" 'mig_check_target_info{target="127.0.0.1/shop",server="127.0.0.1:1"} 1'
}

@test "no alert has a secret, wherever in the string it stands" {
  local string format
  for string in 'postgresql://u:s3cr3t@127.0.0.1:1/shop' 'postgresql://u%3As3cr3t@127.0.0.1:1/shop' 'postgresql://u@127.0.0.1:1/shop&password=s3cr3t' \
    'host=127.0.0.1 port=1 dbname=shop password=s3cr3t' 'host=127.0.0.1;port=1;password=s3cr3t' 'postgresql://u@127.0.0.1;password=s3cr3t:1/shop'; do
    for format in text nagios prometheus records; do
      DATABASE_URL=$string run --separate-stderr mig-check --format="$format" database relation=t
      [[ $output$stderr != *s3cr3t* ]] || fail "$format: $output$stderr"
    done
  done
}
