#!/usr/bin/env bats
# Another role of the same database that means no good: what it may do by its rights, while or before a deploy runs.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154
load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }

setup() {
  database_new
  folder_new
  migration 1_table 'CREATE TABLE t (id int PRIMARY KEY, a text);'
  pipeline
  role_new neighbour
  sql_admin "GRANT USAGE, CREATE ON SCHEMA public TO \"$ROLE\"; GRANT CREATE ON DATABASE \"$PGDATABASE\" TO \"$ROLE\";
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO \"$ROLE\""
}
teardown() {
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
  sessions_end
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT -1"
  roles_end
}

# What the neighbour does, and whose session it stays in.
neighbour() { CLIENT_ROLE=$ROLE sql "$@"; }
neighbour_stays() { session_begin CLIENT_ROLE="$ROLE" "$@"; }
# One more run, with nothing typed in between, finishes it, and each migration was applied once.
finishes() {
  pipeline
  assert_code 0
  [[ $(applied) == "$(basename -a prisma/migrations/*/ | sort)" ]] || fail "applied: $(applied)"
  assert_equal "$(sql 'SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL')" 0
}

@test "what it plants, says, renames and sets does not touch a deploy that runs, and neither can it end it" {
  untrapped
  local pid
  migration 2_more 'ALTER TABLE t ADD b int; INSERT INTO t VALUES (1); CREATE INDEX i ON t (b);'
  migration 3_alone 'CREATE INDEX CONCURRENTLY j ON t (a);'
  neighbour 'CREATE SCHEMA own_one; CREATE TABLE own_one.x (id int)'
  session_begin 'BEGIN; LOCK TABLE t IN ACCESS SHARE MODE'
  mig-scan | mig-plan -o plan.rec
  begin mig-apply --wait=1min plan.rec
  eventually running 'ALTER TABLE t'
  pid=$(sql_admin "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^mig-apply' AND application_name <> 'mig-apply watch'")
  run neighbour "SELECT pg_cancel_backend($pid)"
  assert_output --regexp 'must be a|permission denied'
  run neighbour "SELECT pg_terminate_backend($pid)"
  assert_output --regexp 'must be a|permission denied'
  neighbour "CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT timestamptz ''1999-01-01''';
    CREATE FUNCTION public.pg_try_advisory_lock(int) RETURNS bool LANGUAGE sql AS 'SELECT false';
    CREATE TABLE public.pg_class (id int); CREATE VIEW public.pg_locks AS SELECT 1 AS pid;
    ALTER ROLE \"$ROLE\" SET lock_timeout = 1; ALTER ROLE \"$ROLE\" SET search_path = own_one;
    ALTER SCHEMA own_one RENAME TO own_two; DROP SCHEMA own_two CASCADE"
  neighbour "LISTEN everybody; SELECT count(pg_notify('c' || n % 50, repeat('x', 7000))) FROM generate_series(1, 1000) n" >/dev/null
  session_end "$SESSION"
  finish
  assert_code 0
  assert_equal "$(sql 'SELECT id, b FROM t')" '1|'
  finishes
}

@test "its lock on a table of the plan is waited for as long as --wait says, and by whose session" {
  migration 2_more 'ALTER TABLE t ADD b int;'
  neighbour_stays 'BEGIN; LOCK TABLE t, _prisma_migrations IN ACCESS SHARE MODE'
  pipeline apply: --wait=3s # so long that it looks who it is, also on a busy machine
  assert_code 75
  says "pid $SESSION" "$ROLE"
  assert_equal "$(applied)" 1_table
  session_end "$SESSION"
  finishes
}

@test "the deploy lock that it takes and keeps is waited for, and by whose session" {
  migration 2_more 'ALTER TABLE t ADD b int;'
  neighbour_stays 'SELECT pg_advisory_lock(72707369)'
  pipeline apply: --wait=300ms
  assert_code 75
  says "another deployer holds the lock" "pid $SESSION" "$ROLE"
  assert_equal "$(applied)" 1_table
  run --separate-stderr mig-scan -o scan.rec
  assert_code 0
  session_end "$SESSION"
  finishes
}

@test "connections that it fills stop a deploy that begins, and none that runs" {
  migration 2_more 'ALTER TABLE t ADD b int;'
  mig-scan | mig-plan -o plan.rec
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT 2"
  neighbour_stays 'SELECT 1'
  neighbour_stays 'SELECT 2'
  run --separate-stderr mig-apply --wait=300ms plan.rec
  assert_code 75
  says 'too many connections'
  sessions_end
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT 3"
  session_begin 'BEGIN; LOCK TABLE t IN ACCESS SHARE MODE'
  gate=$SESSION
  neighbour_stays 'SELECT 1'
  begin mig-apply --wait=1min plan.rec
  eventually running 'ALTER TABLE t'
  session_end "$gate"
  finish
  assert_code 0
  sessions_end
  finishes
}

@test "a schema of that name that it made first is refused with what it would have to type" {
  migration 2_more 'CREATE TABLE u ();'
  neighbour 'CREATE SCHEMA fresh'
  export DATABASE_URL="$DATABASE_URL&schema=fresh"
  pipeline
  assert_code 77
  says 'USAGE on schema fresh'
  while [[ $status == 77 ]]; do
    neighbour "$(grep -oE 'GRANT [^;]*;' <<<"$stderr")"
    pipeline
  done
  assert_code 0
  assert_equal "$(applied fresh)" $'1_table\n2_more'
  assert_equal "$(sql "SELECT tableowner FROM pg_tables WHERE schemaname = 'fresh' AND tablename = 'u'")" tester
}

@test "a table of a name that the plan creates, and a history that it made first, stop the deploy; nothing is half done" {
  migration 2_more 'INSERT INTO t VALUES (1); CREATE TABLE u (); CREATE TABLE v ();'
  neighbour 'CREATE TABLE v (planted int)'
  pipeline
  assert_code 1
  says 'relation "v" already exists' 'rolled back'
  assert_equal "$(sql 'SELECT count(*) FROM t')" 0
  neighbour 'DROP TABLE v'
  finishes
  database_new
  sql_admin "GRANT USAGE, CREATE ON SCHEMA public TO \"$ROLE\""
  neighbour "$HISTORY_TABLE_SQL"
  pipeline
  assert_code 77
  says 'GRANT SELECT on public._prisma_migrations'
  assert_equal "$(sql_admin 'SELECT count(*) FROM _prisma_migrations')" 0
  neighbour 'DROP TABLE _prisma_migrations'
  finishes
}
