#!/usr/bin/env bats
# To which state a backup is restored to undo a deploy, who deployed, and who is told of it.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load helper
load words

setup_file() {
  server_start --own --tcp
  sql_admin 'CREATE ROLE marker LOGIN'
}
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
  unset GITHUB_ACTOR GITHUB_TRIGGERING_ACTOR GITHUB_RUN_ID GITLAB_USER_LOGIN CI_JOB_URL BUILD_URL SUDO_USER LOGNAME
  export USER=alice
}
teardown() {
  if [[ -n ${holds-} ]]; then
    sql_admin 'ALTER SYSTEM RESET synchronous_standby_names'
    sql_admin 'SELECT pg_reload_conf()' >/dev/null
  fi
  sessions_end
  roles_end
  pgbouncer_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

# Everything to results.rec; RUN is the run record.
deploy() {
  run --separate-stderr bash -c 'mig-scan -q | mig-plan -q "${@:2:$1}" | mig-apply "${@:2+$1}" -o results.rec' deploy "${plan_words:-0}" "$@"
  RUN=$(jq -c 'select(.record == "run")' results.rec)
}
run_has() { jq -re "$1" <<<"$RUN" || fail "not so: $1 of $RUN"; }

# A session that listens; heard prints what came, a JSON object a line.
listen() {
  session_begin 'LISTEN mig'
  listener=$BATS_TEST_TMPDIR/session.$session_count
  exec {listening}>"$listener"
}
heard() {
  local asked=$EPOCHREALTIME
  echo "SELECT 'heard until ' || '$asked';" >&"$listening"
  eventually grep -q "heard until $asked" "$listener.out"
  sed -n 's/^Asynchronous notification "mig" with payload "\(.*\)" received from server process with PID [0-9]*\.$/\1/p' "$listener.out"
}
log_lines() { server_log 400 | grep -F 'LOG:  mig-apply: '; }

two() {
  migration 20240101000000_a 'CREATE TABLE a (id int);'
  migration 20240102000000_b 'CREATE TABLE b (id int);'
}

@test "a role without rights: time, position and timeline are said before the first step and recorded, and all listeners are told" {
  two
  listen
  before=$(sql 'SELECT pg_current_wal_lsn()')
  CI_JOB_URL=https://ci.example.com/7 deploy --note 'ships ä'
  assert_code 0
  assert_line_of_stderr "mig-apply: to get back: restore to [0-9]{4}-[0-9-]{5} [0-9:]{8}\.[0-9]{3}\+00, before lsn [0-9A-F]+/[0-9A-F]+"
  run_has '.restore_point == null and .timeline == 1 and .note == "ships ä" and .deployer == "alice" and .job == "https://ci.example.com/7"'
  run_has ".deployer_host == \"$(uname -n)\""
  assert_equal "$(sql "SELECT '$(run_has .lsn)'::pg_lsn >= '$before', '$(run_has .server_time)'::timestamptz BETWEEN now() - interval '1 min' AND now(),
    (SELECT min(started_at) FROM _prisma_migrations) >= '$(run_has .server_time)'")" 't|t|t'
  # begin and end, each valid JSON, in order
  assert_equal "$(heard | jq -r '[.event, .plan_digest == $run.plan_digest, .database, .action, .steps, .first, .last, .lsn == $run.lsn, .deployer, .job, .note,
    .done, .exit_code, .stopped_at] | map(tostring) | join("|")' --argjson run "$RUN")" \
    "begin|true|$PGDATABASE|apply|2|20240101000000_a|20240102000000_b|true|alice|https://ci.example.com/7|ships ä|null|null|null
end|true|$PGDATABASE|apply|2|20240101000000_a|20240102000000_b|true|alice|https://ci.example.com/7|ships ä|2|0|null"
  run log_lines
  assert_output --regexp "mig-apply: LOG:  mig-apply: plan [0-9a-f]{16}, 2 of 2 steps done in 0\.[0-9]+ s, 20240101000000_a to 20240102000000_b, to get back: restore to .*, before lsn .*, by alice, from .*, job https://ci.example.com/7, note: ships ä$"
}

assert_line_of_stderr() {
  grep -qxE "$1" <<<"$stderr" || fail "no line $1 in: $stderr"
}

@test "a superuser and a role with the right also name a restore point; pg_monitor is not enough" {
  two
  DATABASE_URL=$(database_url postgres) deploy
  assert_code 0
  name=$(run_has .restore_point)
  [[ $name =~ ^mig-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$ ]]
  run_has ".restore_point | endswith($(jq '.plan_digest[:8]' <<<"$RUN"))"
  server_log 400 | grep -qF "LOG:  restore point \"$name\" created at"

  sql_admin 'GRANT EXECUTE ON FUNCTION pg_create_restore_point(text) TO marker; GRANT tester TO marker; ALTER TABLE _prisma_migrations OWNER TO tester;
    ALTER ROLE marker SET role = tester; GRANT CREATE ON SCHEMA public TO marker'
  migration 20240103000000_c 'CREATE TABLE c (id int);'
  sql_admin 'ALTER ROLE marker RESET role; GRANT ALL ON _prisma_migrations TO marker'
  DATABASE_URL=$(database_url marker) deploy
  assert_code 0
  server_log 400 | grep -qF "LOG:  restore point \"$(run_has .restore_point)\" created at"

  sql_admin 'REVOKE EXECUTE ON FUNCTION pg_create_restore_point(text) FROM marker; GRANT pg_monitor TO marker'
  migration 20240104000000_d 'CREATE TABLE d (id int);'
  DATABASE_URL=$(database_url marker) deploy
  assert_code 0
  run_has '.restore_point == null and .lsn != null'
}

@test "with --role the restore point is the login's, and the launcher passes a note on" {
  two
  sql_admin 'GRANT EXECUTE ON FUNCTION pg_create_restore_point(text) TO marker; GRANT tester TO marker'
  DATABASE_URL=$(database_url marker) deploy --role=tester
  assert_code 0
  server_log 400 | grep -qF "LOG:  restore point \"$(run_has .restore_point)\" created at"
  run_has '.user == "marker" and .role == "tester"'
  migration 20240103000000_c 'CREATE TABLE c (id int);'
  run --separate-stderr mig deploy --note 'by the launcher' -o results.rec
  assert_code 0
  assert_equal "$(jq -r 'select(.record == "run").note' results.rec)" 'by the launcher'
}

@test "each is asked by itself: a right that is missing leaves the others, and makes no deploy fail" {
  local n=0
  while read -r lacked expected; do
    n=$((n + 1))
    migration "2024010100000${n}_x" "CREATE TABLE t$n (id int);"
    sql_admin "$(for f in ${lacked//;/ }; do echo "REVOKE EXECUTE ON FUNCTION $f FROM PUBLIC;"; done)"
    deploy
    assert_code 0
    assert_equal "$lacked: $(jq -c '[.server_time != null, .lsn != null, .timeline]' <<<"$RUN")" "$lacked: $expected"
    sql_admin "$(for f in ${lacked//;/ }; do echo "GRANT EXECUTE ON FUNCTION $f TO PUBLIC;"; done)"
  done <<-'END'
	pg_control_checkpoint() [true,true,1]
	pg_walfile_name(pg_lsn) [true,true,1]
	pg_current_wal_lsn() [true,false,1]
	pg_control_checkpoint();pg_walfile_name(pg_lsn) [true,true,null]
	pg_control_checkpoint();pg_current_wal_lsn() [true,false,null]
	pg_notify(text,text) [true,true,1]
	END
  assert_line_of_stderr 'mig-apply: to get back: .*'
  # without PL/pgSQL no line is tried
  migration 20240102000000_x 'CREATE TABLE x (id int);'
  sql_admin 'REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC'
  logged=$(log_lines | wc -l)
  deploy
  assert_code 0
  assert_equal "$(log_lines | wc -l)" "$logged"
  server_log 400 | grep -q 'permission denied for language' && fail 'it was tried'
  assert_equal "$(applied | wc -l)" 7
}

@test "the first step's failure is told too, what is committed can be taken back by a restore, and what is not begun has no restore point" {
  two
  DATABASE_URL=$(database_url postgres)
  deploy
  migration 20240103000000_c 'CREATE TABLE c (id int);'
  migration 20240104000000_d 'CREATE TABLE a (id int);'
  listen
  deploy
  assert_code 1
  says "  to get back   restore to $(jq -r '.server_time[:10] + " " + .server_time[11:23]' <<<"$RUN")+00, before lsn $(run_has .lsn)
                or to the restore point $(run_has .restore_point)
next: "
  assert_equal "$(heard | jq -r '"\(.event) \(.done) \(.stopped_at) \(.exit_code)"')" $'begin null null null\nend 1 20240104000000_d 1'
  # nothing is committed: nothing to get back
  deploy
  assert_code 1
  says_not '  to get back '
  run log_lines
  assert_output --partial ', 0 of 1 step done in '

  rm -r "$FOLDER/20240104000000_d"
  deploy
  assert_code 0
  run_has '.server_time == null and .lsn == null and .timeline == null and .restore_point == null and .deployer == "alice"'
  migration 20240105000000_e 'CREATE TABLE e (id int);'
  logged=$(log_lines | wc -l)
  deploy --dry-run
  assert_code 0
  run_has '.server_time == null and .dry_run'
  assert_equal "$(log_lines | wc -l)" "$logged"
  assert_equal "$(heard | wc -l)" 4
}

@test "steps that are sent by themselves have it too: outside a transaction, resumed, marked, taken back" {
  migration 20240101000000_a 'CREATE TABLE a (id int);'
  deploy
  migration 20240102000000_alone 'CREATE INDEX CONCURRENTLY i ON a (id);'
  deploy
  assert_code 0
  run_has '.lsn != null'

  migration 20240103000000_half 'CREATE INDEX CONCURRENTLY j ON a (id); SELECT 1/0;'
  deploy
  assert_code 1
  says '  to get back   restore to '
  migration 20240103000000_half 'CREATE INDEX CONCURRENTLY j ON a (id); SELECT 1/1;'
  deploy
  assert_code 0
  run_has '.lsn != null'

  migration 20240104000000_mark 'SELECT 1/0;'
  plan_words=2 deploy --mark-applied 20240104000000_mark
  assert_code 0
  run_has '.lsn != null'

  migration 20240105000000_back 'CREATE TABLE back (id int);'
  echo 'DROP TABLE back;' >"$FOLDER/20240105000000_back/down.sql"
  deploy
  plan_words=3 deploy --down-to 20240104000000_mark --allow=unverified_down
  assert_code 0
  run_has '.lsn != null'
  assert_equal "$(log_lines | wc -l)" 7
}

@test "what is killed leaves the state before in its file" {
  migration 20240101000000_a 'CREATE TABLE a (id int);'
  deploy
  session_begin 'BEGIN; LOCK TABLE a'
  migration 20240102000000_b 'ALTER TABLE a ADD b int;'
  mig-scan -q | mig-plan -q -o plan.rec
  killed_in 'ALTER TABLE a' mig-apply --max-stall=1min -o results.rec plan.rec
  assert_equal "$(jq -c '[.record, .lsn != null, .deployer, .exit_code]' results.rec)" \
    $'["stream",false,null,null]\n["run",true,"alice",null]\n["failed",false,null,1]'
  run --separate-stderr mig-check deploy <results.rec
  assert_code 2
  shows 'it was killed, or is still running'
}

@test "neither a note nor a variable brings a password or a control character along" {
  migration 20240101000000_a 'CREATE TABLE a (id int);'
  local note
  for note in 'see postgres://u:hunter2@h/d' 'host=h password=hunter2'; do
    deploy --note "$note"
    assert_code 64
    says '--note could contain a password'
    says_not hunter2
  done
  listen
  BUILD_URL='https://bot:hunter2@jenkins.example.com/job/1/?token=hunter2' GITHUB_ACTOR='postgres://u:hunter2@h/d' \
    USER=$'al\e[31mice\nLOG:  forged' deploy --note $'one\ntwo\t\e[1mthree'
  assert_code 0
  run_has '.note == "one two  [1mthree" and .deployer == "al [31mice LOG:  forged" and .job == "https://jenkins.example.com/job/1/"'
  assert_equal "$(heard | jq -r .deployer | sort -u)" 'al [31mice LOG:  forged'
  run cat results.rec <(server_log 400)
  refute_output --partial hunter2
  refute_output --partial $'\e'
  # the password of the connection string is wiped from memory, wherever it is
  migration 20240102000000_b 'CREATE TABLE b (id int);'
  DATABASE_URL=$(database_url tester:correcthorse) deploy --note 'ships correcthorse'
  assert_code 0
  run cat results.rec <(server_log 400)
  refute_output --partial correcthorse
}

@test "a listener that holds up all notifications delays nothing, and a database without a letter gets all the same" {
  two
  deploy
  # a commit with a notification that waits for a standby, which there is not, keeps the lock of notifications
  holds=yes
  sql_admin 'ALTER ROLE tester SET synchronous_commit = local'
  sql_admin "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"
  sql_admin 'SELECT pg_reload_conf()' >/dev/null
  PGAPPNAME=holds client psql -XAtqU postgres -c "BEGIN; CREATE TABLE held (); NOTIFY other; COMMIT" >/dev/null 2>&1 3>&- 4>&- &
  eventually sql_admin "SELECT 1 / count(*) FROM pg_stat_activity WHERE application_name = 'holds' AND wait_event = 'SyncRep'"
  migration 20240103000000_c 'CREATE TABLE c (id int);'
  began=$EPOCHREALTIME
  deploy
  took=$((${EPOCHREALTIME/./} - ${began/./}))
  sql_admin 'ALTER SYSTEM RESET synchronous_standby_names'
  sql_admin 'SELECT pg_reload_conf()' >/dev/null
  sql_admin 'ALTER ROLE tester RESET synchronous_commit'
  assert_code 0
  ((took < 5000000)) || fail "it took $took us"
  assert_equal "$(applied | wc -l)" 3

  sql_admin "CREATE DATABASE \"latin_$PGDATABASE\" OWNER tester TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'"
  PGDATABASE=latin_$PGDATABASE
  DATABASE_URL=$(database_url)
  listen
  deploy --note 'ä costs 1 €'
  assert_code 0
  run_has '.note == "ä costs 1 €"'
  assert_equal "$(heard | jq -r .note | sort -u)" 'ä costs 1 €'
  run log_lines
  assert_output --partial 'note: ? costs 1 ?'
}

@test "a pooler in session mode is no obstacle" {
  two
  pgbouncer_begin session
  deploy
  assert_code 0
  run_has '.lsn != null and .timeline == 1'
  assert_equal "$(log_lines | wc -l)" 1
}

@test "where the log has too little for a restore, or the server is too little for it, there is no restore point" {
  local dir
  dir=$(server_new wal_level=minimal max_wal_senders=0)
  (
    server_use "$dir"
    database_new
    two
    DATABASE_URL=$(database_url postgres) deploy
    assert_code 0
    run_has '.restore_point == null and .lsn != null and .timeline == 1'
    run cat "$dir/server.log"
    refute_output --partial ERROR:.*restore
  )
  server_end "$dir"
}
