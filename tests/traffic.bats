#!/usr/bin/env bats
# Without interrupting traffic: who waits for us, whom we wait for, statements that stand alone, poolers and standbys.
# shellcheck disable=SC2016,SC2030,SC2031,SC2119,SC2120,SC2154

load helper
load words

setup_file() { server_start --tcp max_wal_senders=5; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
}
teardown() {
  sessions_end
  roles_end
  pgbouncer_end
  [[ -z ${standby-} ]] || server_end "$standby"
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

# Two tables that exist, with a history.
given_tables() {
  migration 1_tables 'CREATE TABLE a (id int, b int); INSERT INTO a VALUES (1, 1); CREATE TABLE c (id int);'
  pipeline
  assert_code 0
}

traffic_flows() {
  [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name = 'pgbench'") -gt 0 ]]
}

# Reads the table all the time.
traffic_begin() {
  printf 'SELECT count(*) FROM %s;\n' "$1" >"$BATS_TEST_TMPDIR/read.sql"
  # shellcheck disable=SC2154
  PGHOST=$MIG_TEST_SERVER PGPORT=$(server_port) PGUSER=tester \
    command pgbench -n -c 2 -R 50 -T 30 -f "$BATS_TEST_TMPDIR/read.sql" "$PGDATABASE" >"$BATS_TEST_TMPDIR/pgbench.out" 2>&1 3>&- 4>&- &
  traffic=$!
  eventually traffic_flows
}
traffic_end() {
  kill -ALRM "$traffic" # its -T is over, it thinks
  wait "$traffic"
  ! grep -E 'ERROR|aborted' "$BATS_TEST_TMPDIR/pgbench.out" || fail "the traffic saw an error"
}

results() {
  output=$(cat "${1:-$JOB_OUT}")
}

result() { # FILTER
  records "select(.record == \"result\") | $1"
}

valid_indexes() {
  sql "SELECT string_agg(indexrelid::regclass || CASE WHEN indisvalid AND indisready THEN '' ELSE ' INVALID' END, ', ' ORDER BY indexrelid::regclass::text)
    FROM pg_index WHERE indrelid = '${1:-a}'::regclass"
}

# An index build on table a that cannot end, broken off: leaves an index that is not valid.
accident() { # NAME
  session_begin 'BEGIN; INSERT INTO a VALUES (9, 9)'
  PGOPTIONS='-c lock_timeout=50ms' run sql "CREATE INDEX CONCURRENTLY $1 ON a (b)"
  session_end "$SESSION"
  assert_equal "$(valid_indexes)" "$1 INVALID"
}

## Whom we keep waiting

# Validates for one and a half seconds, under ACCESS EXCLUSIVE.
slow_check='ALTER TABLE a ADD CONSTRAINT d CHECK (id > 0 AND pg_sleep(1.5) IS NOT NULL);'

@test "what keeps others waiting for longer than --max-stall is cancelled, once, and the way to write it is said" {
  given_tables
  migration 2_check "ALTER TABLE c ADD x int;"$'\n'"$slow_check"
  traffic_begin a
  pipeline apply: --max-stall=400ms
  traffic_end
  assert_code 1
  says '2_check/migration.sql:2:1: error: this needs longer than --max-stall allows, 0.40 s, while ' ' for a [57014]' \
    'NOT VALID' '--max-stall=10s' 'rolled back   all of step 1'
  error_count 1
  assert_equal "$(result '"\(.status) \(.attempts) \(.statements_done) \(.worst_stall_ms > 200)"')" 'failed 1 0 true'
  assert_equal "$(server_log | grep -c 'canceling statement due to user request')" 1
  assert_equal "$(history | wc -l)" 1
}

# Of each statement on stdin, up to the first comma.
remedies() {
  "$BUILD/tests/tool_sql" remedy | cut -d, -f1
}

@test "the way that is said fits the statement, whatever stands between its words" {
  run remedies <<'SQL'
create unique INDEX i ON a (b);
ALTER TABLE a ALTER COLUMN b /* not yet */ SET NOT NULL;
ALTER TABLE "set not null" ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES c (id);
ALTER TABLE a ADD d int REFERENCES c;
ALTER TABLE a ADD CONSTRAINT p PRIMARY KEY (id);
ALTER TABLE a ADD UNIQUE (b);
ALTER TABLE a ADD CHECK (b > 0);
ALTER TABLE a ALTER b TYPE text;
ALTER TABLE a ADD e uuid DEFAULT gen_random_uuid();
UPDATE a SET b = 'ALTER TABLE a SET NOT NULL';
REINDEX TABLE a;
REFRESH MATERIALIZED VIEW m;
VACUUM FULL a;
SELECT slow();
SQL
  assert_success
  assert_output 'build it with CREATE INDEX CONCURRENTLY
add CHECK (column IS NOT NULL) NOT VALID
add it NOT VALID
add the column
first CREATE UNIQUE INDEX CONCURRENTLY in a migration of its own
first CREATE UNIQUE INDEX CONCURRENTLY in a migration of its own
add it NOT VALID
this rewrites the whole table: add a new column
add the column without a default
use batches
use REINDEX ... CONCURRENTLY
use REFRESH MATERIALIZED VIEW CONCURRENTLY
use pg_repack or pg_squeeze
split it into smaller parts'
}

@test "the same among steps that are sent ahead: cancelled once, the others stay" {
  given_tables
  migration 2_before 'CREATE TABLE before ();'
  migration 3_check "ALTER TABLE c ADD x int;"$'\n'"$slow_check"
  migration 4_after 'CREATE TABLE after ();'
  traffic_begin a
  pipeline apply: --max-stall=400ms
  traffic_end
  assert_code 1
  says '3_check/migration.sql:2:1: error: this needs longer than --max-stall allows' 'committed     step 1' 'not started   step 3'
  assert_equal "$(result '"\(.status) \(.attempts)"')" $'applied 1\nfailed 1\nnot_started 0'
  assert_equal "$(server_log | grep -c 'canceling statement due to user request')" 1
}

# What mig-apply leaves in its session, by a pooler that writes it down before it gives the session to the next client.
runs_left() { [[ $(sql "SELECT count(*) FROM settings_left WHERE client = 'mig-apply'") -ge $1 ]]; }
settings_left() { # OF HOW MANY RUNS
  eventually runs_left "$1"
  sql 'SELECT DISTINCT limits, waits FROM settings_left'
}

@test "steps that are sent ahead leave the session as it was, whether they end or one is stopped by a lock" {
  local stopped name runs=1
  given_tables
  sql_admin "ALTER ROLE tester IN DATABASE $PGDATABASE SET lock_timeout = '77s'"
  sql_admin "ALTER ROLE tester IN DATABASE $PGDATABASE SET synchronous_commit = local"
  migration 2_one 'CREATE TABLE one ();'
  migration 3_two 'CREATE TABLE two ();'
  sql 'CREATE TABLE settings_left (client text, limits text, waits text)'
  pgbouncer_begin "session
    server_reset_query = SELECT pg_advisory_unlock_all(); INSERT INTO public.settings_left SELECT current_setting('application_name'), current_setting('lock_timeout'), current_setting('synchronous_commit')"
  pipeline
  assert_code 0
  assert_equal "$(settings_left 1)" '77s|local'

  for stopped in 4_first 5_second 6_last; do
    rm -r "$FOLDER"/[4-9]_* 2>/dev/null || true
    sql "DELETE FROM _prisma_migrations WHERE migration_name ~ '^[4-9]'"
    for name in 4_first 5_second 6_last; do
      migration $name 'SELECT 1;'
    done
    migration $stopped 'COMMENT ON TABLE c IS $$stopped$$;'
    session_begin 'BEGIN; LOCK TABLE c'
    begin bash -c 'mig-scan | mig-plan | mig-apply -v'
    eventually grep -q "$stopped: .*running it again by itself" "$JOB_ERR"
    session_end "$SESSION"
    finish
    assert_code 0
    assert_equal "$(settings_left $((++runs)))" '77s|local'
  done
}

@test "the same work disturbs nobody where --max-stall allows it, nobody waits, or the table is new" {
  given_tables
  migration 2_check "${slow_check/1.5/0.7}"
  migration 3_new 'CREATE TABLE e (id int); INSERT INTO e VALUES (1); ALTER TABLE e ADD CONSTRAINT f CHECK (id > 0 AND pg_sleep(0.7) IS NOT NULL);'
  traffic_begin c
  pipeline apply: --max-stall=200ms
  traffic_end
  assert_code 0
  assert_equal "$(result '"\(.status) \(.worst_stall_ms)"')" $'applied 0\napplied 0'
}

@test "a second connection that somebody ends is made again" {
  given_tables
  migration 2_check "${slow_check/1.5/4}"
  begin bash -c 'mig-scan | mig-plan | mig-apply --max-stall=400ms'
  watcher="SELECT pid FROM pg_stat_activity WHERE application_name = 'mig-apply watch' AND datname = current_database()"
  eventually eval '[[ -n $(sql "$watcher") ]]'
  first=$(sql "$watcher")
  session_end "$first"
  eventually eval '[[ -n $(sql "$watcher AND pid <> $first") ]]'
  traffic_begin a
  finish
  traffic_end
  assert_code 1
  says 'this needs longer than --max-stall allows'
}

@test "a lock that stops no traffic may be held for long, whoever waits for more" {
  given_tables
  migration 2_check 'ALTER TABLE a ADD CONSTRAINT d CHECK (id > 0 AND pg_sleep(3) IS NOT NULL) NOT VALID;'
  pipeline
  migration 3_validate 'ALTER TABLE a VALIDATE CONSTRAINT d;'
  session_begin 'BEGIN'
  begin bash -c 'mig-scan | mig-plan | mig-apply --max-stall=200ms'
  eventually running VALIDATE
  run sql "SET lock_timeout = '400ms'; ALTER TABLE a ADD x int"
  assert_failure
  finish
  assert_code 0
}

# By its lock_timeout, or since others waited for it.
gave_way_twice() {
  (($(server_log 400 | grep -cE 'canceling statement due to (lock timeout|user request)') > 1))
}

@test "short waits for several tables add up to no more than --max-stall" {
  given_tables
  sql 'CREATE TABLE e (id int); CREATE TABLE f (id int)'
  migration 2_three 'ALTER TABLE a ADD x int; ALTER TABLE c ADD x int; ALTER TABLE e ADD x int; ALTER TABLE f ADD x int;'
  session_begin "BEGIN; SELECT * FROM c; SELECT * FROM e; SELECT * FROM f"
  holder=$SESSION
  traffic_begin a
  begin bash -c 'mig-scan | mig-plan | mig-apply --max-stall=300ms -v'
  eventually gave_way_twice
  session_end "$holder"
  finish
  traffic_end
  assert_code 0
  says 'retrying after '
  results
  # three waits of their own would be 900 ms; whom the last attempt waited for is known if it looked before it was its turn
  assert_equal "$(result '"\(.status) \(.attempts > 2) \(.waited_for // "c") \(.waited_session // "pid '"$holder"', " | startswith("pid '"$holder"', ")) \(.worst_stall_ms < 700)"')" 'applied true c true true'
}

## Whom we wait for

@test "a role that may see no more than its own waits as patiently, and names what it can" {
  given_tables
  role_new weak
  sql "ALTER TABLE a OWNER TO tester; GRANT ALL ON SCHEMA public TO \"$ROLE\"; GRANT ALL ON _prisma_migrations TO \"$ROLE\""
  sql_admin "ALTER TABLE a OWNER TO \"$ROLE\""
  session_begin 'BEGIN; SET LOCAL ROLE NONE; LOCK TABLE c IN ACCESS SHARE MODE; SELECT 1'
  CLIENT_ROLE=postgres session_begin 'BEGIN; SELECT * FROM a'
  migration 2_add 'ALTER TABLE a ADD x int;'
  DATABASE_URL=$(database_url "$ROLE") pipeline apply: --wait=1s
  assert_code 75
  says "a stayed busy" "pid $SESSION, psql, postgres (more is visible to a role with pg_monitor)"
}

@test "where no second connection can be had that is said, and the deploy goes on" {
  given_tables
  role_new single CONNECTION LIMIT 1
  sql "GRANT ALL ON SCHEMA public TO \"$ROLE\"; GRANT ALL ON _prisma_migrations TO \"$ROLE\""
  migration 2_slow 'SELECT pg_sleep(0.6);'
  DATABASE_URL=$(database_url "$ROLE") pipeline
  assert_code 0
  says 'warning: could not open a second connection'
  assert_equal "$(result '.worst_stall_ms')" null
}

@test "a deploy that is short and that nobody is in the way of has one connection" {
  local before
  given_tables
  sql_admin 'ALTER SYSTEM SET log_connections = on; SELECT pg_reload_conf()'
  migrations_many 20
  mig-scan | mig-plan -o plan.rec -q >/dev/null
  before=$(grep -c "database=$PGDATABASE application_name=mig-apply" "$MIG_TEST_SERVER/server.log") || true
  run --separate-stderr mig-apply plan.rec
  sql_admin 'ALTER SYSTEM RESET log_connections; SELECT pg_reload_conf()'
  assert_code 0
  assert_equal "$(grep -c "database=$PGDATABASE application_name=mig-apply" "$MIG_TEST_SERVER/server.log")" $((before + 1))
}

@test "a statement_timeout that strikes is named, with who set it" {
  given_tables
  role_new hasty
  sql "GRANT ALL ON SCHEMA public TO \"$ROLE\"; GRANT ALL ON _prisma_migrations TO \"$ROLE\""
  sql_admin "ALTER ROLE \"$ROLE\" SET statement_timeout = '300ms'"
  migration 2_slow 'SELECT pg_sleep(5);'
  DATABASE_URL=$(database_url "$ROLE") pipeline
  assert_code 1
  says '[57014]' "hint: statement_timeout is 300ms here, by ALTER ROLE $ROLE; " 'SET LOCAL statement_timeout = 0;'
  sql_admin "ALTER ROLE \"$ROLE\" RESET statement_timeout; ALTER DATABASE \"$PGDATABASE\" SET statement_timeout = '310ms'"
  DATABASE_URL=$(database_url "$ROLE") pipeline
  says "hint: statement_timeout is 310ms here, by ALTER DATABASE "
  migration 2_slow 'SET LOCAL statement_timeout = 0; SELECT pg_sleep(0.5);'
  DATABASE_URL=$(database_url "$ROLE") pipeline
  assert_code 0
}

## Statements that stand alone

# waiting_for TIME: whether a statement of ours has run for so long.
waiting_for() {
  [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name LIKE 'mig-%'
    AND state = 'active' AND clock_timestamp() - query_start > '$1'") -gt 0 ]]
}

@test "CREATE INDEX CONCURRENTLY waits for an old transaction whatever the time-outs of role and script, and keeps them" {
  given_tables
  sql_admin "ALTER DATABASE \"$PGDATABASE\" SET statement_timeout = '300ms'; ALTER DATABASE \"$PGDATABASE\" SET lock_timeout = '100ms'"
  migration 2_index "SET lock_timeout = '70ms'; CREATE INDEX CONCURRENTLY a_b ON a (b); CREATE TABLE after AS SELECT
    current_setting('statement_timeout') AS s;"
  session_begin 'BEGIN; INSERT INTO a VALUES (2, 2)'
  begin bash -c 'mig-scan | mig-plan | mig-apply -v'
  eventually waiting_for 500ms
  session_end "$SESSION"
  finish
  assert_code 0
  says 'lock_timeout and statement_timeout are off for this non-transactional statement'
  assert_equal "$(valid_indexes)" a_b
  assert_equal "$(sql 'SELECT s FROM after')" 300ms
  results
  assert_equal "$(result '"\(.attempts)"')" 3
}

@test "while it waits, the line of progress names the old transaction; when --wait is over it is 75, and the next run goes on" {
  given_tables
  migration 2_index 'CREATE INDEX CONCURRENTLY a_b ON a (b);'
  session_begin PGAPPNAME=report 'BEGIN; INSERT INTO a VALUES (2, 2)'
  on_terminal 'export COLUMNS=200; mig-scan 2>/dev/null | mig-plan 2>/dev/null | mig-apply --wait=1s --format=text; echo "code $?"'
  shows 'code 75' "index: waiting for writers before build; waits for pid $SESSION, report, tester, idle in transaction for" \
    "held by       pid $SESSION" "select pg_terminate_backend($SESSION);" 'an invalid index; the next run drops it'
  session_end "$SESSION"
  pipeline
  assert_code 0
  assert_equal "$(valid_indexes)" a_b
  assert_equal "$(history | tail -n 1)" "2_index|$(checksum 2_index)|finished|-|1|-"
}

@test "an invalid namesake of an earlier accident is not passed over, with IF NOT EXISTS or without" {
  given_tables
  accident a_b
  migration 2_index 'CREATE INDEX CONCURRENTLY IF NOT EXISTS a_b ON a (b);'
  pipeline apply: -v
  assert_code 0
  says 'removed an invalid index'
  assert_equal "$(valid_indexes)" a_b
  sql 'DROP INDEX a_b'
  accident a_b
  migration 3_index 'CREATE INDEX CONCURRENTLY a_b ON a (b);'
  pipeline
  assert_code 0
  assert_equal "$(valid_indexes)" a_b
  # a good one is what IF NOT EXISTS is for, and else an error as ever
  migration 4_index 'CREATE INDEX CONCURRENTLY IF NOT EXISTS a_b ON a (b);'
  pipeline
  assert_code 0
  migration 5_index 'CREATE INDEX CONCURRENTLY a_b ON a (b);'
  pipeline
  assert_code 1
  says '[42P07]'
  assert_equal "$(valid_indexes)" a_b
}

@test "a build that fails leaves nothing, and nothing to resolve" {
  given_tables
  sql 'INSERT INTO a VALUES (1, 1)'
  migration 2_index 'CREATE UNIQUE INDEX CONCURRENTLY a_b ON a (b);'
  pipeline
  assert_code 1
  says '[23505]' 'Key (b)=(1) is duplicated.' 'not done      step 1'
  assert_equal "$(valid_indexes)" ''
  assert_equal "$(history | wc -l)" 1
}

@test "two runners at once, one in CREATE INDEX CONCURRENTLY and one waiting: no deadlock, both exit 0" {
  given_tables
  migration 2_index 'CREATE INDEX CONCURRENTLY a_b ON a (b);'
  mig-scan | mig-plan -o plan.rec -q >/dev/null
  session_begin 'BEGIN; INSERT INTO a VALUES (2, 2)'
  begin mig-apply plan.rec
  eventually waiting
  { mig-apply plan.rec >second.out 2>second.err 3>&-; echo $? >second.code; } &
  eventually eval '[[ $(sql "SELECT count(*) FROM pg_stat_activity WHERE application_name = '\''mig-apply'\''") == 2 ]]'
  sleep 1
  session_end "$SESSION"
  finish
  assert_code 0
  eventually test -s second.code
  assert_equal "$(cat second.code)" 0
  assert_equal "$(jq -r 'select(.record == "result").status' second.out)" skipped
  run ! grep -q 'deadlock detected' <(server_log 400)
  assert_equal "$(valid_indexes)" a_b
}

## Poolers and standbys

locks_left() {
  sql "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
}

@test "a pooler in transaction mode is refused with what to set, and keeps no lock" {
  migration 1_one 'CREATE TABLE one ();'
  pgbouncer_begin transaction
  for words in '' --dry-run; do
    # shellcheck disable=SC2086
    pipeline apply: $words
    assert_code 78
    error_count 1
    says 'a pooler in transaction mode' 'nothing was touched' 'MIG_DATABASE=env:DIRECT_URL'
  done
  assert_equal "$(locks_left)" 0
  assert_equal "$(sql "SELECT to_regclass('_prisma_migrations') IS NULL")" t
  DIRECT_URL=$(database_url) MIG_DATABASE=env:DIRECT_URL pipeline
  assert_code 0
}

@test "a pooler in statement mode is told with what to set, by every tool that needs a transaction" {
  local words
  migration 1_one 'CREATE TABLE one ();'
  mig-scan | mig-plan -q -o plan.rec >/dev/null
  printf 'a\n1\n' >one.csv
  pgbouncer_begin statement
  for words in mig-scan 'mig-apply plan.rec' 'mig-apply --dry-run plan.rec' 'mig-seed one.csv' 'mig-seed --dry-run one.csv'; do
    # shellcheck disable=SC2086
    run --separate-stderr $words
    [[ $status == 78 ]] || fail "$words: $status $stderr" || return 1
    error_count 1
    says 'a pooler in statement mode' 'next: put' 'MIG_DATABASE=env:DIRECT_URL'
  done
  run --separate-stderr bash -c 'mig-scan --offline | mig-check history --wait=1s'
  assert_code 3
  shows 'this address is a pooler in statement mode'
}

@test "a pooler in session mode is as good as none, and who waits is watched through it" {
  pgbouncer_begin session
  given_tables
  migration 2_index 'CREATE INDEX CONCURRENTLY a_b ON a (b);'
  migration 3_check "$slow_check"
  traffic_begin a
  pipeline apply: --max-stall=400ms -v
  traffic_end
  assert_code 1
  says 'connected through a pooler in session mode' 'this needs longer than --max-stall allows'
  assert_equal "$(valid_indexes)" a_b
  eventually eval '[[ $(locks_left) == 0 ]]'
  # nobody hung up on it in the middle of a cancel request, which ends one of release 1.18
  grep -qE '(sending|sent) cancel request' "$bouncer/log"
  run ! grep -E 'unexpected eof|FATAL' "$bouncer/log"
}

@test "of several hosts the primary is found behind a standby; a standby alone is 75 for mig-apply and fine for mig-scan" {
  needs_program pg_basebackup
  local port primary=$MIG_TEST_SERVER
  migration 1_one 'CREATE TABLE one ();'
  standby=$(mktemp -d /tmp/mig.XXXXXX)
  port=$(free_port)
  ((EUID)) || chown "$(server_user)" "$standby"
  chmod 711 "$standby"
  (cd "$standby" && as_server "$(server_programs)/pg_basebackup" -h "$primary" -p "$(server_port)" -U postgres -c fast -R -D "$standby/data" 3>&- 4>&-)
  printf "port = %s\nunix_socket_directories = '%s'\n" "$port" "$standby" | as_server tee -a "$standby/data/postgresql.auto.conf" >/dev/null
  echo "$port" >"$standby/port"
  sleep 1000 3>&- 4>&- &
  echo $! >"$standby/guard"
  (cd "$standby" && as_server "$(server_programs)/pg_ctl" -s -w -D data -l server.log start 3>&- 4>&- >/dev/null)
  DATABASE_URL="postgresql://tester@127.0.0.1:$port,127.0.0.1:$(server_port)/$PGDATABASE?target_session_attrs=read-write"
  pipeline
  assert_code 0
  assert_equal "$(applied)" 1_one
  migration 2_two 'CREATE TABLE two ();'
  DATABASE_URL="postgresql://tester@127.0.0.1:$port/$PGDATABASE"
  eventually eval '[[ $(mig-scan | jq -r "select(.record == \"history\").migration") == 1_one ]]'
  pipeline
  assert_code 75
  assert_equal "$codes" '0 0 75'
  says 'a standby'
  DATABASE_URL+='?target_session_attrs=read-write'
  pipeline
  assert_code 75
  says 'it answers, but does not match target_session_attrs=read-write'
}

@test "a host that does not answer costs its own time-out, and the next one is tried" {
  local fd pid port
  migration 1_one 'CREATE TABLE one ();'
  exec {fd}< <(exec "$BUILD/tests/tool_proxy" --hang-on user --always "$MIG_TEST_SERVER/.s.PGSQL.$(server_port)")
  pid=$!
  read -r port <&"$fd"
  DATABASE_URL="postgresql://tester@127.0.0.1:$port,127.0.0.1:$(server_port)/$PGDATABASE?connect_timeout=1"
  pipeline
  kill "$pid"
  exec {fd}<&-
  assert_code 0
  assert_equal "$(applied)" 1_one
}

## Batteries

@test "short round of tests/traffic/run: clients see no error, and the migration succeeds" {
  run "$BATS_TEST_DIRNAME/traffic/run" --short idle/column vacuum/key
  echo "$output"
  assert_success
}

## What must not be mistaken

@test "steps that are sent ahead are watched, also while they say something all the time" {
  local began waited
  given_tables
  migration 2_notices "ALTER TABLE a ADD x int; DO \$\$ BEGIN FOR i IN 1..400 LOOP RAISE NOTICE '%', i; PERFORM pg_sleep(0.01); END LOOP; END \$\$;"
  migration 3_next 'SELECT 1;'
  begin bash -c 'mig-scan | mig-plan | mig-apply --max-stall=400ms'
  eventually eval '[[ $(sql "SELECT count(*) FROM pg_locks WHERE mode = '"'AccessExclusiveLock'"' AND granted AND relation = '"'a'"'::regclass") == 1 ]]'
  began=${EPOCHREALTIME/./}
  sql 'SELECT count(*) FROM a' >/dev/null
  waited=$(((${EPOCHREALTIME/./} - began) / 1000))
  finish
  assert_code 1
  # the script takes 4 s and more
  ((waited < 2500)) || fail "somebody waited for $waited ms"
}

@test "an invalid index that cannot be removed now is not called made" {
  given_tables
  session_begin 'BEGIN; INSERT INTO a VALUES (2, 2)'
  run sql "SET lock_timeout = '50ms'" 'CREATE INDEX CONCURRENTLY a_b ON a (b)'
  migration 2_index 'CREATE INDEX CONCURRENTLY IF NOT EXISTS a_b ON a (b);'
  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply --wait=1s'
  assert_code 75
  assert_equal "$(sql "SELECT count(*) FROM _prisma_migrations WHERE migration_name = '2_index' AND finished_at IS NOT NULL")" 0
  session_end "$SESSION"
  pipeline
  assert_code 0
  assert_equal "$(sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_b'::regclass")" t
}

@test "--wait is for waiting: neither a long build nor the steps before use it up" {
  given_tables
  sql "INSERT INTO a SELECT i, i FROM generate_series(1, 150) i"
  # the last row waits for the session that is to be in the way
  sql "CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS \$\$ BEGIN
    FOR i IN 1..2000 LOOP
      EXIT WHEN \$1 <> 150 OR EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7);
      PERFORM pg_sleep(0.01);
    END LOOP;
    RETURN \$1; END \$\$"
  migration 2_index 'CREATE INDEX CONCURRENTLY a_b ON a (slow(b));'
  migration 3_column 'ALTER TABLE c ADD x int;'
  begin bash -c 'mig-scan | mig-plan | mig-apply --wait=4s'
  eventually waiting_for 5s
  session_begin 'BEGIN; UPDATE a SET b = b WHERE id = 1; SELECT * FROM c; SELECT pg_advisory_lock(7)'
  eventually waiting
  session_end "$SESSION"
  finish
  assert_code 0
  assert_equal "$(sql 'SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL')" 3
}

@test "Ctrl-C ends a large script between two of its messages" {
  given_tables
  migration 2_large "$(seq 1 20000 | sed 's/.*/INSERT INTO c SELECT & FROM pg_sleep(0.001); -- so that each line has some length/')"
  begin bash -c 'mig-scan | mig-plan >plan.rec; exec mig-apply plan.rec'
  eventually running 'INSERT INTO c'
  kill -INT "$JOB"
  finish
  assert_code 130
  assert_equal "$(sql 'SELECT count(*) FROM c')" 0
}

@test "the server is told to end our session when our host or the network is gone" {
  server_start --tcp
  database_new
  DATABASE_URL=$(database_url --tcp)
  migration 1_show "CREATE TABLE told AS SELECT current_setting('tcp_keepalives_idle') AS idle, current_setting('tcp_user_timeout') AS silent,
    current_setting('client_connection_check_interval') AS closed;"
  pipeline
  assert_code 0
  assert_equal "$(sql 'SELECT * FROM told')" '10|30000|2s'
}
