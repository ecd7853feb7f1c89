#!/usr/bin/env bats
# What becomes of a deploy when something breaks: a program is killed, a session ended, the server stopped, the plan cut,
# or the network gone at the very moment of the commit. Afterwards what mig-apply said is true, and the same pipeline
# again finishes the work.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154
load helper

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
  DIRECT=$DATABASE_URL
}
teardown() {
  [[ -z ${proxy-} ]] || kill "$proxy"
  [[ -z ${proxies-} ]] || kill "${proxies[@]}"
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
  [[ -z ${own-} ]] || server_end "$own"
}

## Given

five_migrations() {
  local i
  for i in {1..5}; do
    migration "2024010100000${i}_t$i" "CREATE TABLE t$i (id INTEGER); INSERT INTO t$i VALUES ($i);"
  done
}

# A network that breaks as the options say (see tests/tool_proxy.c): from now on DATABASE_URL leads through it.
proxy() {
  local port fd
  exec {fd}< <(exec "$BUILD/tests/tool_proxy" "$@" "$MIG_TEST_SERVER/.s.PGSQL.$(server_port)" 3>&-)
  proxy=$!
  read -r port <&"$fd"
  exec {fd}<&-
  export DATABASE_URL="postgresql://tester@127.0.0.1:$port/$PGDATABASE?sslmode=disable&connect_timeout=2"
}

# Succeeds if the proxy had cause to do what it was asked to.
proxy_end() {
  local proxy_code=0
  kill "$proxy"
  wait "$proxy" || proxy_code=$?
  proxy=
  export DATABASE_URL=$DIRECT
  return "$proxy_code"
}

# mig-apply goes through the proxy, the others do not. Sets status, output and stderr.
deploy_through_proxy() {
  run --separate-stderr bash -c 'DATABASE_URL=$1 mig-scan | mig-plan | mig-apply --wait 20s' - "$DIRECT"
}

# Only mig-apply, in the background, with a plan made before: sets apply to its process id.
apply_behind() {
  DATABASE_URL=$DIRECT mig-scan | mig-plan >"$BATS_TEST_TMPDIR/plan.rec"
  mig-apply --wait 20s "$BATS_TEST_TMPDIR/plan.rec" >"$BATS_TEST_TMPDIR/results.rec" 2>"$BATS_TEST_TMPDIR/apply.err" 3>&- &
  apply=$!
}

# Its exit code and what it said, as `run` has them.
apply_ended() {
  status=0
  { wait "$apply"; } 2>/dev/null || status=$?
  output=$(<"$BATS_TEST_TMPDIR/results.rec")
  stderr=$(<"$BATS_TEST_TMPDIR/apply.err")
}

# Waits until a session runs something like this.
until_runs() {
  local i
  for i in {1..300}; do
    [[ $(sql "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND datname = current_database() AND query LIKE '$1' AND pid <> pg_backend_pid()") == 0 ]] || return 0
    sleep 0.05
  done
  fail "nothing runs that is like $1"
}

# `SELECT gate.wait()` in a script lasts until gate_open.
gate_new() {
  sql <<'SQL'
CREATE SCHEMA gate;
CREATE TABLE gate.closed AS SELECT;
CREATE FUNCTION gate.wait() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  WHILE EXISTS (SELECT FROM gate.closed) LOOP PERFORM pg_sleep(0.01); END LOOP;
END $$;
SQL
}

gate_open() {
  sql 'DELETE FROM gate.closed'
}

# `SELECT pg_sleep(s) FROM gate.pause` in a script is longer than anybody takes to disturb it, and nothing once pause_over.
pause_new() {
  sql 'CREATE SCHEMA gate; CREATE TABLE gate.pause AS SELECT 15.0::float8 AS s'
}

pause_over() {
  sql 'UPDATE gate.pause SET s = 0'
}

# Opens the gate as soon as a second mig-apply has found the lock taken.
open_once_waited_for() {
  eventually 30 another_waits
  gate_open
}

another_waits() {
  [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name LIKE 'mig-apply%'
    AND query NOT LIKE '%gate.wait%' AND (state LIKE 'idle%' OR wait_event_type = 'Lock')") -gt 0 ]]
}

apply_is_gone() {
  ! kill -0 "$apply" 2>/dev/null
}

# Waits until mig-apply in the background has said this.
until_said() {
  eventually 15 grep -qF -e "$1" "$BATS_TEST_TMPDIR/apply.err" || fail "not said: $1"$'\n'"$(<"$BATS_TEST_TMPDIR/apply.err")"
}

# Waits until a session waits for this.
until_waits() { # WAIT EVENT
  local i
  for i in {1..300}; do
    [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE wait_event = '$1' AND datname = current_database() AND application_name LIKE 'mig-apply%'") == 0 ]] || return 0
    sleep 0.05
  done
  fail "nothing waits for $1"
}

until_applied() { # HOW MANY
  local i
  for i in {1..300}; do
    [[ $(applied 2>/dev/null | wc -l) == "$1" ]] && return 0
    sleep 0.05
  done
  fail "it never was $1 that were applied"
}

own_server() {
  own=$(server_new)
  server_use "$own"
  database_new
  DIRECT=$DATABASE_URL
}

## Then

assert_said() {
  [[ $stderr =~ $1 ]] || fail "not said: $1"$'\n'"$stderr"
}

refute_said() {
  [[ ! $stderr =~ $1 ]] || fail "said: $1"$'\n'"$stderr"
}

# What the results call applied is applied, and nothing else is.
assert_results_are_true() {
  run diff <(jq -r 'select(.record == "result" and (.status == "applied" or .status == "skipped")).migration' <<<"$output") <(applied 2>/dev/null)
  assert_success
}

# The same again ends with 0, and leaves each migration applied once.
assert_next_run_finishes() {
  local name names=("$FOLDER"/*/)
  pipeline apply: --wait 20s
  assert_code 0
  assert_equal "$codes" '0 0 0'
  for name in "${names[@]}"; do
    name=${name%/}
    echo "${name##*/}|$(checksum "${name##*/}")|finished|-|1|-"
  done >"$BATS_TEST_TMPDIR/wanted"
  run diff "$BATS_TEST_TMPDIR/wanted" <(history)
  assert_success
}

assert_untouched() {
  assert_equal "$(relations)" ''
}

## The commit

# The first COMMIT is that of the history table.
# Later steps may be on their way already: the one in which the loss shows need not be the one that was committed last.
@test "the answer to a COMMIT is lost: mig-apply looks, says committed, ends with 69, and the next run goes on behind it" {
  five_migrations
  proxy --cut-on COMMIT --nth 4 --forward
  deploy_through_proxy
  proxy_end
  assert_code 69
  assert_said 'the connection was lost in step [1-5] of 5'
  assert_said $'committed +(steps 1 to 3|steps 1 and 2\n *committed +all of step 3)'
  refute_said '(rolled back|not started) +steps? [123]'
  assert_equal "$(applied | wc -l)" 3
  assert_results_are_true
  assert_next_run_finishes
  assert_equal "$(sql 'SELECT count(*) FROM t3')" 1
}

# All that was wanted is there, and known to be: 0 would be as true as 69.
@test "the answer to the last COMMIT is lost: mig-apply looks, says so, and then there is nothing to do" {
  five_migrations
  proxy --cut-on COMMIT --nth 6 --forward
  deploy_through_proxy
  proxy_end
  [[ $status == 0 ]] || assert_code 69
  assert_said 'the connection was lost'
  assert_said 'committed +all of step 5|committed +steps 1 to 5|applied 5 of 5'
  refute_said 'rolled back|not started'
  assert_equal "$(applied | wc -l)" 5
  assert_results_are_true
  run --separate-stderr bash -c 'set -o pipefail; mig-scan | mig-plan --exit-code'
  assert_code 0
  assert_next_run_finishes
}

@test "a COMMIT does not get to the server: rolled back, 69, and the next run does it" {
  five_migrations
  proxy --cut-on COMMIT --nth 4
  deploy_through_proxy
  proxy_end
  assert_code 69
  assert_said 'rolled back +all of step 3'
  assert_said 'not started +steps 4 and 5'
  assert_equal "$(applied | wc -l)" 2
  assert_results_are_true
  assert_next_run_finishes
}

@test "the server commits while mig-apply is connecting again: it waits for the outcome, and says committed" {
  migration 20240101000001_late 'CREATE TABLE t (id INTEGER);
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.7); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow();
INSERT INTO t VALUES (1);'
  proxy --cut-on COMMIT --nth 2 --forward
  deploy_through_proxy
  proxy_end
  assert_code 69
  if [[ -n $(applied) ]]; then
    assert_said 'committed +all of step 1'
  else
    # the server may look whether its client is there (client_connection_check_interval)
    assert_said 'rolled back +all of step 1'
  fi
  assert_results_are_true
  assert_next_run_finishes
}

@test "the answer to a COMMIT is lost and nobody can connect again: mig-apply says of no step what it does not know" {
  five_migrations
  proxy --cut-on COMMIT --nth 4 --forward --refuse
  apply_behind
  until_said 'finding out the outcome of'
  kill -0 "$apply" # still trying
  kill -TERM "$apply"
  apply_ended
  proxy_end
  assert_equal "$(applied | wc -l)" 3
  [[ $status == 69 || $status == 143 ]] || assert_code 69
  assert_said 'unknown +step'
  refute_said $'rolled back|not started +steps? [123]|committed +nothing|committed +[^\n]*[45]'
  run jq -r 'select(.record == "result" and .step <= 3 and .status == "not_started").step' <<<"$output"
  assert_output ''
  assert_next_run_finishes
}

## The network

@test "a server that accepts and says nothing: 69 when connect_timeout is over" {
  five_migrations
  proxy --hang-on user
  run --separate-stderr timeout 20 bash -c 'mig-scan | mig-plan | mig-apply'
  proxy_end
  assert_code 69
  assert_said 'no answer in time'
}

@test "a server that accepts and hangs up: 69" {
  five_migrations
  proxy --cut-after-messages 0 --always
  pipeline
  proxy_end
  assert_code 69
  assert_equal "$codes" '69 69 69'
}

@test "the network falls silent in a script: SIGTERM ends mig-apply, and the next run finishes once the server knows" {
  five_migrations
  proxy --hang-on 'TABLE t3'
  apply_behind
  until_applied 2
  kill -TERM "$apply"
  if ! eventually 20 apply_is_gone; then
    kill -9 "$apply"
    fail "mig-apply still runs 20 s after SIGTERM"
  fi
  apply_ended
  proxy_end
  [[ $status == 143 || $status == 69 ]] || assert_code 143
  # the session that may still commit holds the deploy lock, so nobody can look: that is what is to be said
  assert_said 'unknown +steps? 1 to 5'
  assert_next_run_finishes
}

@test "the network falls silent in a script and mig-apply is killed: the next run finishes once the server knows" {
  five_migrations
  proxy --hang-on 'TABLE t3'
  apply_behind
  until_applied 2
  kill -9 "$apply"
  apply_ended
  DATABASE_URL=$DIRECT pipeline apply: --wait 0.5s
  assert_code 75
  assert_said 'another deployer holds the lock'
  proxy_end
  assert_next_run_finishes
}

# mig-apply, or the tool that is given, in the background, in a database and folder of its own, through a network that falls
# silent as the options say.  What it needs is made by `given`; how it ended is in $BATS_TEST_TMPDIR/NAME.*
silenced() { # NAME "PROXY OPTIONS" [TOOL…]
  local name=$1 options port fd
  read -ra options <<<"$2"
  shift 2
  database_new "test_$$_$name"
  folder_new "$BATS_TEST_TMPDIR/$name"
  "given_$name"
  [[ $# -gt 0 ]] || set -- mig-apply -v --wait=1s plan.rec
  mig-scan | mig-plan >plan.rec
  exec {fd}< <(exec "$BUILD/tests/tool_proxy" "${options[@]}" "$MIG_TEST_SERVER/.s.PGSQL.$(server_port)" 3>&-)
  proxies+=($!)
  read -r port <&"$fd"
  exec {fd}<&-
  (
    code=0
    before=$(plain_run_ms)
    SECONDS=0
    DATABASE_URL="postgresql://tester@127.0.0.1:$port/$PGDATABASE?sslmode=disable" timeout 90 "$@" \
      >"../$name.rec" 2>"../$name.err" </dev/null || code=$?
    seconds=$SECONDS
    after=$(plain_run_ms)
    echo "$code $seconds $((before > after ? before : after))" >"../$name.end"
  ) 3>&- &
  started+=($!)
}

# How long the shortest of all runs takes here and now.
plain_run_ms() {
  local begun=${EPOCHREALTIME/[.,]/}
  mig-scan --format=text >"$BATS_TEST_TMPDIR/plain.$BASHPID" 2>&1
  echo "$(((${EPOCHREALTIME/[.,]/} - begun) / 1000))"
}

# Its words, and its database and folder, are the current ones from now on.  Beside the limits of the tool stands what it works
# besides, in units of a plain run: a second where nothing else runs.
silenced_ended() { # NAME CODE AT_LEAST AT_MOST
  local seconds plain most
  export PGDATABASE=test_$$_$1
  DATABASE_URL=$(database_url)
  FOLDER=$BATS_TEST_TMPDIR/$1/prisma/migrations
  cd "$BATS_TEST_TMPDIR/$1" || return 1
  stderr=$(<"../$1.err") output=$(<"../$1.rec")
  read -r status seconds plain <"../$1.end"
  assert_code "$2"
  most=$(($4 + 20 * plain / 1000))
  ((seconds >= $3 && seconds <= most)) || fail "$1 took $seconds s, at most $most wanted: $stderr"
}

given_script() { migration 20240101000001_t 'CREATE TABLE t (id INTEGER); COMMENT ON TABLE t IS $$lost answer$$;'; }
given_commit() { given_script; }
given_ahead() { five_migrations; }
given_index() {
  sql 'CREATE SCHEMA other; CREATE TABLE other.t (id INTEGER)'
  migration 20240101000001_i 'CREATE INDEX CONCURRENTLY i ON other.t (id);'
}
given_between() { given_index; }
given_works() { migration 20240101000001_slow 'CREATE TABLE t (id INTEGER); SELECT pg_sleep(17);'; }
given_refused() { given_script; }
given_seed() {
  sql 'CREATE SCHEMA other; CREATE TABLE other.t (id INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)'
  printf 'id\n1\n2\n' >other.t.csv
}
given_seeded() { given_seed; }

@test "an answer that is lost ends with 69 once the server is seen to work on nothing, and a statement that works is waited for" {
  local name
  proxies=() started=()
  silenced refused '--hang-on lost --forward --refuse'
  silenced script '--hang-on lost --forward'
  silenced commit '--hang-on COMMIT --nth 2 --forward'
  silenced ahead '--hang-on (4) --forward'
  silenced index '--hang-on CONCURRENTLY --forward'
  silenced between '--hang-on mig.lock_timeout'
  silenced works ''
  silenced seed '--hang-on COPY --forward' mig-seed -v --wait=1s other.t.csv
  silenced seeded '--hang-on setval --forward' mig-seed -v --wait=1s other.t.csv
  wait "${started[@]}"
  kill "${proxies[@]}"
  proxies=()

  silenced_ended script 69 14 28
  assert_said 'the answer was lost'
  assert_said 'rolled back +all of step 1'
  assert_next_run_finishes

  silenced_ended commit 69 14 28
  assert_said 'committed +all of step 1, before the connection was lost'
  assert_equal "$(applied)" 20240101000001_t
  assert_results_are_true

  silenced_ended ahead 69 14 28
  assert_results_are_true
  assert_next_run_finishes

  silenced_ended index 69 14 28
  assert_said 'not known +whether statement 1 ended; the next run reads it from the catalog'
  assert_next_run_finishes
  assert_equal "$(sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'other.i'::regclass")" t

  # the server's end stays open, and its locks would be waited for
  silenced_ended between 69 10 28
  assert_said 'finding out the outcome'
  refute_said 'unknown|could not find out'
  assert_results_are_true
  assert_next_run_finishes

  silenced_ended works 0 17 28
  assert_results_are_true

  # for as long as a server is waited for that is not there, and then until nobody can say what became of it
  silenced_ended refused 69 30 55
  assert_said 'a second connection could not reach the server either'
  assert_said 'unknown +step 1'
  assert_next_run_finishes

  silenced_ended seed 69 14 28
  assert_said 'the answer was lost'
  assert_said 'Nothing was seeded'
  assert_equal "$(sql 'SELECT count(*) FROM other.t')" 0

  silenced_ended seeded 69 14 28
  assert_said 'the answer was lost'
  assert_said 'It is not known whether it was committed'
  assert_equal "$(sql 'SELECT count(*) FROM other.t')" 2
}

## Programs and sessions that are killed

@test "mig-apply is killed in a slow statement: the next run waits for its session to end, and finishes" {
  (($(sql 'SHOW server_version_num') >= 140000)) || skip 'the server looks for its client since PostgreSQL 14'
  gate_new
  five_migrations
  # the server would look every 2 s whether its client is there
  migration 20240101000006_slow "SET LOCAL client_connection_check_interval = 0; CREATE TABLE slow (id INTEGER); SELECT gate.wait();"
  apply_behind
  until_runs '%gate.wait%'
  kill -9 "$apply"
  apply_ended
  assert_code 137
  assert_equal "$(applied | wc -l)" 5
  open_once_waited_for 3>&- &
  assert_next_run_finishes
  wait $!
  assert_said 'waited .* for another deployer'
}

@test "the session of mig-apply is ended in a slow statement: rolled back, 69, and the next run finishes" {
  gate_new
  five_migrations
  migration 20240101000006_slow "CREATE TABLE slow (id INTEGER); SELECT gate.wait();"
  apply_behind
  until_runs '%gate.wait%'
  sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'mig-apply%' AND datname = current_database()"
  apply_ended
  gate_open
  assert_code 69
  assert_said 'lost in step 6 of 6, 20240101000006_slow: terminating connection due to administrator command'
  assert_said 'committed +steps 1 to 5'
  assert_said 'rolled back +all of step 6'
  assert_results_are_true
  assert_next_run_finishes
}

# Three parts, each of which is committed by itself; a second run of any of them would show.
two_transactions() {
  pause_new
  migration 20240101000001_table 'CREATE TABLE log (what TEXT);'
  migration 20240101000002_parts "BEGIN; CREATE TABLE a (id INTEGER); INSERT INTO log VALUES ('first'); COMMIT;
SELECT pg_sleep(s) FROM gate.pause;
BEGIN; INSERT INTO log VALUES ('second'); COMMIT;
INSERT INTO log VALUES ('last');"
  migration 20240101000003_after "INSERT INTO log VALUES ('after');"
}

@test "mig-apply is killed between two transactions of a script: a next run at once waits, and goes on behind the first" {
  two_transactions
  apply_behind
  until_runs '%pg_sleep%'
  kill -9 "$apply"
  apply_ended
  pause_over
  assert_next_run_finishes
  assert_equal "$(sql "SELECT string_agg(what, ' ') FROM log")" 'first second last after'
}

@test "the session is ended between two transactions of a script: 69, half done is said, and the next run goes on behind the first" {
  two_transactions
  apply_behind
  until_runs '%pg_sleep%'
  sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'mig-apply%' AND datname = current_database()"
  apply_ended
  pause_over
  assert_code 69
  refute_said $'(committed|rolled back) +all of step 2'
  assert_results_are_true
  assert_next_run_finishes
  assert_equal "$(sql "SELECT string_agg(what, ' ') FROM log")" 'first second last after'
}

slow_index() {
  pause_new
  migration 20240101000001_table 'CREATE TABLE t (id INTEGER); INSERT INTO t SELECT generate_series(1, 50);
CREATE FUNCTION slowly(i INTEGER) RETURNS INTEGER IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(s / 50) FROM gate.pause; RETURN i; END $$;'
  migration 20240101000002_index 'CREATE INDEX CONCURRENTLY t_slowly ON t (slowly(id));'
  migration 20240101000003_after 'CREATE TABLE u (id INTEGER);'
}

index_is_there() {
  [[ $(sql "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('t_slowly')") == 1 ]]
}

@test "mig-apply is killed in CREATE INDEX CONCURRENTLY: a next run at once waits, and the index is valid" {
  slow_index
  apply_behind
  until_runs 'CREATE INDEX CONCURRENTLY%'
  eventually index_is_there
  kill -9 "$apply"
  apply_ended
  pause_over
  assert_next_run_finishes
  assert_equal "$(sql "SELECT indisvalid FROM pg_index WHERE indrelid = 't'::regclass")" t
}

@test "the session is ended in CREATE INDEX CONCURRENTLY: 69, and the next run leaves the index valid" {
  slow_index
  apply_behind
  until_runs 'CREATE INDEX CONCURRENTLY%'
  eventually index_is_there
  sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'mig-apply%' AND datname = current_database()"
  apply_ended
  pause_over
  assert_code 69
  assert_results_are_true
  assert_next_run_finishes
  assert_equal "$(sql "SELECT indisvalid FROM pg_index WHERE indrelid = 't'::regclass")" t
}

@test "mig-scan or mig-plan is killed while it writes: 65, and nothing was touched" {
  local tool pid fd part=$BATS_TEST_TMPDIR/part pipe=$BATS_TEST_TMPDIR/pipe
  five_migrations
  # longer than what fits into a pipe, so that whoever is killed is not done yet
  migration 20240101000006_long "SELECT '$(printf '%0300000d' 0)';"
  mkfifo "$pipe"
  for tool in mig-scan mig-plan; do
    if [[ $tool == mig-scan ]]; then
      mig-scan >"$pipe" 3>&- &
    else
      mig-scan 3>&- | mig-plan >"$pipe" 3>&- &
    fi
    pid=$!
    exec {fd}<"$pipe"
    head -c 700 <&"$fd" >"$part"
    kill -9 "$pid"
    cat <&"$fd" >>"$part"
    exec {fd}<&-
    if [[ $tool == mig-scan ]]; then
      run --separate-stderr bash -c 'mig-plan <"$1" | mig-apply' - "$part"
    else
      run --separate-stderr mig-apply "$part"
    fi
    assert_code 65
    assert_said "the stream ends without its end record|truncated|cut off"
    assert_untouched
  done
}

@test "short round of tests/fuzz/faults: what is disturbed at any message of a deploy, a revert or a seed is finished by the next run" {
  JOBS=1 run "$BATS_TEST_DIRNAME/fuzz/faults" 15
  echo "$output"
  assert_success
}

## The server

@test "the server is stopped at once and started again: 69, rolled back, and the next run finishes" {
  own_server
  gate_new
  five_migrations
  migration 20240101000006_slow "CREATE TABLE slow (id INTEGER); SELECT gate.wait();"
  apply_behind
  until_runs '%gate.wait%'
  server_ctl stop -m immediate
  until_said 'the connection is lost'
  server_ctl -w start
  apply_ended
  gate_open
  # a commit that was not waited for may be gone with the server
  assert_code 69
  assert_said 'rolled back +all of step [1-6]'
  assert_results_are_true
  assert_next_run_finishes

  # in the same server, since one takes a while to make
  sql 'INSERT INTO gate.closed DEFAULT VALUES'
  migration 20240101000007_slow "SELECT gate.wait();"
  migration 20240101000008_last "CREATE TABLE last (id INTEGER);"
  apply_behind
  until_runs '%gate.wait%'
  server_ctl restart -m fast
  apply_ended
  gate_open
  assert_code 69
  assert_said 'rolled back +all of step 1'
  assert_next_run_finishes
}

# A trigger holds the COMMIT before it is written, a standby that does not come holds it behind that.
@test "the server is stopped at once during a COMMIT and started again: mig-apply looks again, and says which it was" {
  own_server
  migration 20240101000001_before 'CREATE TABLE t (id INTEGER);
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow();
INSERT INTO t VALUES (1);'
  apply_behind
  until_runs '%COMMIT'
  server_ctl stop -m immediate
  server_ctl -w start
  apply_ended
  assert_code 69
  assert_said 'rolled back +all of step 1'
  assert_equal "$(sql "SELECT to_regclass('t') IS NULL")" t

  rm -r "$FOLDER/20240101000001_before"
  migration 20240101000002_behind 'CREATE TABLE u (id INTEGER);'
  echo "synchronous_standby_names = 'nobody'" | as_server tee -a "$own/data/postgresql.auto.conf" >/dev/null
  server_ctl reload
  apply_behind
  until_waits SyncRep
  server_ctl stop -m immediate
  echo "synchronous_standby_names = ''" | as_server tee -a "$own/data/postgresql.auto.conf" >/dev/null
  server_ctl -w start
  apply_ended
  assert_code 69
  assert_said 'committed +all of step 1, before the connection was lost'
  assert_results_are_true
  assert_next_run_finishes
}

@test "mig-apply waits for a server that starts late" {
  own_server
  five_migrations
  mig-scan | mig-plan >"$BATS_TEST_TMPDIR/plan.rec"
  server_ctl stop -m fast
  mig-apply --wait 30s "$BATS_TEST_TMPDIR/plan.rec" >"$BATS_TEST_TMPDIR/results.rec" 2>"$BATS_TEST_TMPDIR/apply.err" 3>&- &
  apply=$!
  until_said retrying
  server_ctl -w start
  apply_ended
  assert_code 0
  assert_said 'retrying for .* \(--wait\)'
  assert_results_are_true
}

refused_again() {
  (($(grep -c 'FATAL:  the database system is' "$own/server.log") > refused))
}

@test "the server is starting up: 75, or 0 with --wait" {
  own_server
  five_migrations
  server_ctl stop -m fast
  # a standby that nobody may read from answers as one that is starting up: 57P03
  as_server touch "$own/data/standby.signal"
  echo "hot_standby = off" | as_server tee -a "$own/data/postgresql.auto.conf" >/dev/null
  server_ctl -W start
  for _ in {1..50}; do
    pipeline
    [[ $status != 69 ]] && break # the socket is not there yet
    sleep 0.1
  done
  assert_code 75
  assert_equal "$codes" '75 75 75'
  assert_equal "$(grep -c error <<<"$stderr")" 1
  refused=$(grep -c 'FATAL:  the database system is' "$own/server.log")
  (eventually 30 refused_again && server_ctl promote) 3>&- 4>&- &
  pipeline scan: --wait 20s
  wait $!
  assert_code 0
  assert_results_are_true
}

## The plan

# 65 and nothing touched, whatever the function of a position makes of the plan there.
assert_refused_at() { # FUNCTION POSITION…
  local change=$1 at
  shift
  for at; do
    run --separate-stderr mig-apply <("$change" "$at")
    [[ $status == 65 ]] || fail "$change $at: mig-apply ended with $status"$'\n'"$output"$'\n'"$stderr"
  done
  assert_untouched
}

cut_at() {
  head -c "$1" "$BATS_TEST_TMPDIR/plan.rec"
}

changed_at() {
  perl -0777 -pe 'BEGIN { $at = shift } substr($_, $at, 1) ^= chr(1 << $at % 7)' "$1" "$BATS_TEST_TMPDIR/plan.rec"
}

# As many random positions, the seed of which is said.
positions() {
  local len seed=$RANDOM
  len=$(wc -c <"$BATS_TEST_TMPDIR/plan.rec")
  echo "seed $seed, of $len bytes" >&2
  perl -e 'srand shift; print int(rand $ARGV[1]), "\n" for 1 .. $ARGV[0]' "$seed" "$1" "$len"
}

@test "a plan cut anywhere is refused, and nothing was touched" {
  five_migrations
  mig-scan | mig-plan >"$BATS_TEST_TMPDIR/plan.rec"
  mapfile -t at < <(positions 30)
  # behind each line, before its newline, and before the very last byte
  mapfile -t -O 30 at < <(grep -ob '$' "$BATS_TEST_TMPDIR/plan.rec" | cut -d: -f1)
  assert_refused_at cut_at "${at[@]}"
}

@test "a plan with another byte anywhere is refused, and nothing was touched" {
  five_migrations
  mig-scan | mig-plan >"$BATS_TEST_TMPDIR/plan.rec"
  mapfile -t at < <(positions 40)
  # and the end record, byte for byte: its newline, its digest, its count
  len=$(wc -c <"$BATS_TEST_TMPDIR/plan.rec")
  mapfile -t -O 40 at < <(seq $((len - $(tail -n 1 "$BATS_TEST_TMPDIR/plan.rec" | wc -c))) 3 $((len - 1)))
  assert_refused_at changed_at "${at[@]}" $((len - 1))
}

@test "a scan cut anywhere is refused by mig-plan, and 65 goes down the pipe" {
  five_migrations
  mig-scan >"$BATS_TEST_TMPDIR/plan.rec"
  for at in $(positions 15); do
    run --separate-stderr bash -c 'head -c "$1" "$2" | mig-plan | mig-apply' - "$at" "$BATS_TEST_TMPDIR/plan.rec"
    assert_code 65
  done
  assert_untouched
}
