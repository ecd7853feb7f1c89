#!/usr/bin/env bats
# mig-scan --rehearse --load: what production runs, who is in the way there, how large and busy it is.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() {
  server_start --own shared_preload_libraries=pg_stat_statements max_prepared_transactions=5
}

teardown_file() { server_stop; }

setup() {
  unset DATABASE_URL SHADOW_DATABASE_URL
  database_new
  folder_new
  SCRATCH_URL=$(PGDATABASE=postgres database_url)
  export SCRATCH_URL
}

teardown() {
  sessions_end
  roles_end
}

rehearse() { run --separate-stderr mig-scan --rehearse --scratch env:SCRATCH_URL --same-server "$@"; }

# The database counts statements from here on, and the role of the URL may read them.
statements_count() {
  sql_admin 'CREATE EXTENSION IF NOT EXISTS pg_stat_statements; GRANT pg_read_all_stats TO tester; SELECT pg_stat_statements_reset()' >/dev/null
}

# A line each: migration, statement, detail.
refused() {
  jq -r 'select(.effect == "refuse") | "\(.migration) \(.statement) \(.detail)"' <<<"$output"
}

## The statements that production runs

@test "statements that production runs and a pending script breaks are told, each at its statement, with SQLSTATE and calls" {
  migration 20240101000000_shop 'CREATE TABLE "User" (id bigint PRIMARY KEY, city text, age int); CREATE TABLE orders (id int, "user" bigint, note text);
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS $$SELECT $1 * 2$$;'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  statements_count
  for _ in 1 2 3; do sql 'SELECT u.id, u.city FROM "User" u WHERE u.id = 7'; done >/dev/null
  sql "UPDATE \"User\" SET city = 'Ulm' WHERE id = 1"
  sql 'SELECT sum(age) FROM "User"; SELECT o.note FROM orders o JOIN "User" u ON u.id = o."user"; INSERT INTO orders (id) VALUES (1); SELECT twice(2); SELECT id FROM "User"' >/dev/null
  migration 20240102000000_town 'ALTER TABLE "User" ADD x int;
ALTER TABLE "User" RENAME COLUMN city TO town;
-- it comes back
ALTER TABLE orders RENAME TO elsewhere;
ALTER TABLE elsewhere RENAME TO orders;
ALTER TABLE "User" ALTER age TYPE text;
DROP FUNCTION twice(int);'
  migration 20240103000000_key 'ALTER TABLE orders ALTER "user" TYPE text;'
  rehearse --load=statements
  assert_code 0
  assert_equal "$(refused)" '20240102000000_town 2 42703 3 calls: SELECT u.id, u.city FROM "User" u WHERE u.id = $1
20240102000000_town 2 42703 1 call: UPDATE "User" SET city = $1 WHERE id = $2
20240102000000_town 5 42883 1 call: SELECT sum(age) FROM "User"
20240102000000_town 6 42883 1 call: SELECT twice($1)
20240103000000_key 1 42883 1 call: SELECT o.note FROM orders o JOIN "User" u ON u.id = o."user"'
  printf '%s\n' "$output" >scan.rec
  run --separate-stderr mig-plan --strict=breaks scan.rec
  assert_code 1
  says 'statements that production runs fail from then on: SELECT u.id, u.city FROM "User" u WHERE u.id = $1 (42703, 3 calls'
  run --separate-stderr mig-plan --format=text scan.rec
  shows 'fails in production: 42703, 3 calls'
}

# The view of the extension has one more statement, as the server keeps it of an entry that was dropped while it ran.
kept_as_sent() {
  sql_admin <<SQL
ALTER EXTENSION pg_stat_statements DROP VIEW pg_stat_statements;
ALTER VIEW pg_stat_statements RENAME TO counted;
CREATE VIEW pg_stat_statements AS
  SELECT dbid, toplevel, query, calls FROM counted UNION ALL
  SELECT (SELECT oid FROM pg_database WHERE datname = current_database()), true, query, 99 FROM (VALUES ($1)) v (query);
GRANT SELECT ON pg_stat_statements TO PUBLIC;
SQL
}

@test "values, comments and passwords in the statements of production show nowhere, and messages of mig-apply have none of the texts" {
  migration 20240101000000_users 'CREATE TABLE users (id int, name text, pin int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  statements_count
  sql "/* token hunter2 */ SELECT name FROM users WHERE name = 'hunter2' AND pin = 471147 -- hunter2"
  sql "PREPARE p AS SELECT pin FROM users WHERE name = 'hunter2'; EXECUTE p; DO 'BEGIN PERFORM name FROM users WHERE name = ''hunter2''; END'"
  sql_admin "CREATE ROLE leaver PASSWORD 'hunter2'; ALTER ROLE leaver PASSWORD 'hunter2' VALID UNTIL '2030-01-01'; DROP ROLE leaver"
  kept_as_sent '$$SELECT id FROM users WHERE name = '"'hunter2'"' AND pin = 471147$$), ($$SELECT id FROM users WHERE name = '"'\\' hunter2'"'$$'
  migration 20240102000000_gone 'ALTER TABLE users DROP name;'
  rehearse --load=statements
  assert_code 0
  assert_equal "$(refused | sed 's/.*: //')" 'SELECT id FROM users WHERE name = $1 AND pin = ?
SELECT name FROM users WHERE name = $1 AND pin = $2'
  printf '%s\n' "$output" "$stderr" >seen
  mig-plan -v -o plan.rec <<<"$output" >>seen 2>&1
  run --separate-stderr mig-apply -v --dry-run plan.rec
  assert_code 0
  says_not 'SELECT name'
  printf '%s\n' "$output" "$stderr" >>seen
  run --separate-stderr mig-apply -v plan.rec
  assert_code 0
  says_not 'SELECT name'
  cat plan.rec >>seen
  run grep -E 'hunter2|471147' seen
  assert_failure 1
}

@test "without the extension, the library or the right, nothing is rehearsed, and the remedy is said" {
  local value
  migration 20240101000000_t 'CREATE TABLE t (id int);'
  rehearse --load=statements
  assert_code 78
  says "cannot read the statements of production: the database $PGDATABASE has no extension pg_stat_statements" 'CREATE EXTENSION pg_stat_statements;'
  statements_count
  role_new reader
  export DATABASE_URL
  DATABASE_URL=$(database_url "$ROLE")
  rehearse --load=10ms,statements
  assert_code 77
  says "cannot read the statements of production: the role $ROLE sees only its own"
  sql_admin "$(grep -o 'GRANT .*;' <<<"$stderr")"
  rehearse --load=10ms,statements
  assert_code 0
  assert_equal "$(jq -c 'select(.record == "rehearsal") | [.statements >= 0, .untried >= 0]' <<<"$output")" '[true,true]'
  rehearse --load
  assert_equal "$(jq -c 'select(.record == "rehearsal") | [.statements, .untried]' <<<"$output")" '[null,null]'
  for value in 10ms,statement ,statements statements,10ms 10; do
    rehearse --load="$value"
    assert_failure 64
  done
}

## Who is in the way

@test "who has a lock that a statement waits for is told, and found where it has lasted; others are not" {
  migration 20240101000000_shop 'CREATE TABLE items (id int); CREATE TABLE orders (id int); CREATE TABLE logs (id int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  sql 'INSERT INTO items VALUES (1); ANALYZE items'
  session_begin PGAPPNAME=export "BEGIN; SELECT FROM items; SELECT FROM logs; SELECT pg_sleep(1)"
  sql "BEGIN; INSERT INTO orders VALUES (1); PREPARE TRANSACTION 'left $PGDATABASE'"
  migration 20240102000000_change 'ALTER TABLE items ADD x int;
CREATE INDEX ON orders (id);
CREATE INDEX ON logs (id);'
  rehearse --load
  assert_code 0
  printf '%s\n' "$output" >scan.rec
  mig-plan -q -o now.rec scan.rec >/dev/null
  run --separate-stderr mig-apply --dry-run now.rec
  assert_code 0
  says "in the way now: pid $SESSION, export, tester, idle in transaction for " 'holds items (AccessShare)' \
    "in the way now: a prepared transaction, tester" 'holds orders (RowExclusive)' 'a prepared transaction ends only by'
  says_not logs
  sql "ROLLBACK PREPARED 'left $PGDATABASE'"
  # to read logs does not stop who builds an index on it
  assert_equal "$(jq -c --argjson pid "$SESSION" 'select(.record == "activity") | [.activity, .pid == $pid, .application, .state, .age_ms >= 0, .relation, .mode]' scan.rec | sort)" \
    '["prepared",false,null,null,true,"orders","RowExclusiveLock"]
["transaction",true,"export","idle in transaction",true,"items","AccessShareLock"]'
  assert_equal "$(jq -c 'select(.record == "live") | [.frozen_age > 0, .freeze_max_age, (.extensions | length > 0)]' scan.rec)" '[true,200000000,true]'
  assert_equal "$(jq -r 'select(.record == "load" and .relation == "items") | .frozen_age >= 0' scan.rec)" true
  # a second is not long; a prepared one ends only when somebody ends it
  assert_equal "$(mig-plan -q scan.rec | jq -r 'select(.rule == "waits") | "\(.line) \(.message)"' | sed 's/ for [0-9].*//')" \
    '2 the lock on orders waits for a prepared transaction, tester'
  jq -c 'if .record == "activity" and .activity == "transaction" then .age_ms = 2400000 else . end' scan.rec | seal >long.rec
  run --separate-stderr mig-plan --strict=waits long.rec
  assert_code 1
  says "the lock on items waits for pid $SESSION, export, tester, idle in transaction for 40 min, last SELECT" "select pg_terminate_backend($SESSION);"
  run --separate-stderr mig-plan --format=text long.rec
  shows "in the way then: pid $SESSION, export, tester, idle in transaction for 40 min, last SELECT, holds items (AccessShare)"
  # the steps are the same whoever is there
  assert_equal "$(mig-plan -q long.rec | jq -c 'select(.record == "step")')" "$(mig-plan -q scan.rec | jq -c 'select(.record == "step")')"
  mig-plan -q -o kept.rec long.rec >/dev/null
  assert_equal "$(mig-plan kept.rec --format=records | jq -c 'select(.record == "activity")')" "$(jq -c 'select(.record == "activity")' long.rec)"
}

@test "a role that may not see others' sessions sees their locks, and waits for no locked table" {
  migration 20240101000000_t 'CREATE TABLE t (id int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  role_new reader
  sql "GRANT SELECT ON ALL TABLES IN SCHEMA public TO \"$ROLE\"; INSERT INTO t SELECT generate_series(1, 1000); ANALYZE t"
  session_begin 'BEGIN; LOCK TABLE t'
  migration 20240102000000_u 'ALTER TABLE t ADD x int;'
  export DATABASE_URL
  DATABASE_URL=$(database_url "$ROLE")
  rehearse --load
  assert_code 0
  assert_equal "$(jq -c --argjson pid "$SESSION" 'select(.record == "activity") | [.pid == $pid, .user, .state, .age_ms, .relation, .mode]' <<<"$output")" \
    '[true,"tester",null,null,"t","AccessExclusiveLock"]'
  assert_equal "$(jq -c 'select(.record == "load") | [.relation, .rows, .main_bytes > 0]' <<<"$output")" '["t",1000,true]'
  assert_equal "$(jq -c 'select(.record == "live").sees_all' <<<"$output")" false
  # nothing is estimated of what is not known
  assert_equal "$(mig-plan -q <<<"$output" | jq -c 'select(.rule == "waits")')" ''
}

@test "a standby that streams and a base backup under way are told" {
  needs_program pg_basebackup
  local standby
  standby=$(mktemp -d /tmp/mig.XXXXXX)
  ((EUID)) || chown "$(server_user)" "$standby"
  chmod 711 "$standby"
  backup() { (cd / && as_server "$(server_programs)/pg_basebackup" -h "$MIG_TEST_SERVER" -p "$(server_port)" -U postgres --checkpoint=fast "$@" 3>&- 4>&-); }
  standby_ctl() { (cd / && as_server "$(server_programs)/pg_ctl" -s -D "$standby/data" -l "$standby/server.log" "$@" 3>&- 4>&-); }
  backup -D "$standby/data" -R
  as_server tee -a "$standby/data/postgresql.auto.conf" >/dev/null <<<$"unix_socket_directories = '$standby'"$'\nlisten_addresses = \'\''
  standby_ctl -w start
  eventually sql_admin "SELECT 1 / count(*) FROM pg_stat_replication WHERE state = 'streaming'"
  backup -D "$standby/slow" --max-rate=32 -X none >/dev/null 2>&1 &
  eventually sql_admin 'SELECT 1 / count(*) FROM pg_stat_progress_basebackup'
  migration 20240101000000_shop 'CREATE TABLE items (id int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  migration 20240102000000_change 'ALTER TABLE items ADD x int;'
  rehearse --load
  printf '%s\n' "$output" >scan.rec
  sql_admin 'SELECT pg_terminate_backend(pid) FROM pg_stat_progress_basebackup' >/dev/null
  standby_ctl -m immediate stop
  wait
  rm -rf "$standby"
  assert_equal "$(jq -r 'select(.record == "activity") | .activity' scan.rec | sort)" $'backup\nstandby'
}
