#!/usr/bin/env bats
# Scratch servers and databases: mig-scan --replay runs migrations where nothing is lost, and nothing of it stays.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() {
  # of its own, since what other files' runs have on the suite's at that moment looks like a left-over
  server_start --own
  cache_begin
}

teardown_file() {
  cache_end
  server_stop
}

setup() {
  unset DATABASE_URL SHADOW_DATABASE_URL
  folder_new
}

# named_scratch: a server that was named, with no production that it could be.
named_scratch() {
  database_new
  SHADOW_DATABASE_URL=$DATABASE_URL
  export SHADOW_DATABASE_URL
  unset DATABASE_URL
}

scratch_databases() {
  PGDATABASE=postgres sql_admin "SELECT datname FROM pg_database WHERE datname LIKE 'mig\_scratch\_%'"
}

no_scratch_database() { [[ -z $(scratch_databases) ]]; }

# Servers of our own that run, as far as they work in this file's folder.
own_servers() {
  local cwd
  for cwd in /proc/[0-9]*/cwd; do
    readlink "$cwd" 2>/dev/null
  done | grep -F "$CACHE/mig/run/" || true
}

no_own_server() { [[ -z $(own_servers) ]]; }

assert_nothing_left() {
  assert_equal "$(ls "$CACHE/mig/run" 2>/dev/null)" ''
  assert_equal "$(own_servers)" ''
  assert_equal "$(scratch_databases)" ''
}

replay() { run --separate-stderr mig-scan --replay "$@"; }

## A server of our own

@test "a password in --scratch is refused, and the message names that option" {
  run --separate-stderr mig-scan --replay --scratch postgresql://u:not-a-secret-3f1@127.0.0.1:1/d
  assert_failure 64
  assert_regex "$stderr" '^mig-scan: error: --scratch contains a password; it must only say where the string is'
  refute_regex "$stderr" 'not-a-secret-3f1'
}

@test "--replay runs every kind of migration on a server of its own, which is gone afterwards" {
  migrations_many 10
  migration 20990101000000_savepoint 'SAVEPOINT a; CREATE TABLE b (id int); ROLLBACK TO a; CREATE TABLE c (id int);'
  replay
  assert_code 0
  says '11 migrations ran in '
  assert_equal "$(jq -r 'select(.record == "relation").relation' <<<"$output" | xargs)" 'Table0 Table0Item c'
  assert_equal "$(jq -r 'select(.record == "index" and .index == "Table0_name_idx").invalid' <<<"$output")" false
  assert_equal "$(jq -c 'select(.record == "enum").values' <<<"$output")" '["NEW","DONE","GONE"]'
  assert_equal "$(jq -r 'select(.record == "schema").source' <<<"$output")" replay
  assert_nothing_left
}

@test "what ran before is kept: the next run has the same to say, and runs only what is new" {
  migrations_many 6
  replay
  first=$output
  replay
  assert_code 0
  says 'the 6 migrations were not run again'
  assert_equal "$output" "$first"
  migration 20990101000000_more 'CREATE TABLE more (id int);'
  replay
  says '1 migration ran in '
  shows '"relation":"more"'

  # an edited script is another one, and so is all behind it
  migration 20990101000000_more 'CREATE TABLE other (id int);'
  replay
  says '1 migration ran in '
  shows_not '"relation":"more"'

  # whatever is in the cache, a run ends well
  find "$CACHE/mig/cache" -name PG_VERSION -delete
  replay
  assert_code 0
  shows '"relation":"other"'
  assert_nothing_left
}

@test "a run writes over the files of an ended one, whatever they were, and what it says is the same" {
  local first spare=$CACHE/mig/cache/spare
  migrations_many 3
  replay
  rm -rf "$spare"
  replay
  first=$output
  # what the server has written there, and its postmaster.pid
  [[ -s $spare/postmaster.opts ]]
  migration 20990101000000_more "CREATE TABLE more AS SELECT i FROM generate_series(1, 100000) i;"
  mig-scan --rehearse --offline >/dev/null
  rm -r "$FOLDER/20990101000000_more"

  # files that are longer, shorter, other, surplus, and folders
  as_server find "$spare/base" -name '12*' -exec sh -c 'echo longer >>"$1"' _ {} \;
  as_server find "$spare/base" -name '26*' -exec truncate -s 100 {} \;
  as_server find "$spare/global" -type f -exec sh -c 'printf x | dd of="$1" conv=notrunc status=none' _ {} \;
  as_server mkdir -p "$spare/base/1/2/3"
  as_server touch "$spare/base/1/2/3/surplus"
  replay
  assert_code 0
  assert_equal "$output" "$first"
  [[ ! -e $spare/base/1/2 ]]

  # a folder where a file has to be
  as_server rm "$spare/PG_VERSION"
  as_server mkdir "$spare/PG_VERSION"
  replay
  assert_code 0
  assert_equal "$output" "$first"
  [[ -f $spare/PG_VERSION ]]
  assert_nothing_left
}

@test "files of an ended run that take much room are not kept" {
  migration 1_large 'CREATE TABLE a (b text); ALTER TABLE a ALTER b SET STORAGE EXTERNAL; INSERT INTO a SELECT repeat(md5(i::text), 32768) FROM generate_series(1, 260) i;'
  replay
  rm -rf "$CACHE/mig/cache/spare"
  replay
  assert_code 0
  says 'the migration was not run again'
  [[ ! -e $CACHE/mig/cache/spare ]]
  assert_nothing_left
}

@test "--to runs the migrations up to a name, and one that is not there is refused" {
  migration 1_a 'CREATE TABLE a (id int);'
  migration 2_b 'CREATE TABLE b (id int);'
  named_scratch
  replay --to 1_a
  assert_code 0
  shows '"relation":"a"'
  shows_not '"relation":"b"'
  replay --to=1_b
  assert_code 65
  says 'there is no migration 1_b in prisma/migrations'
}

@test "roles that a script names are made, and extensions created, but the scripts' role is no superuser" {
  migration 1_roles <<'SQL'
CREATE TABLE a (id int);
GRANT SELECT ON a TO anon, authenticated;
CREATE ROLE reader LOGIN PASSWORD 'hushhush';
ALTER ROLE reader SET search_path = a;
CREATE SCHEMA ext;
CREATE EXTENSION pageinspect SCHEMA ext;
CREATE EXTENSION citext;
SET session_replication_role = replica;
CREATE TABLE b AS SELECT usesuper FROM pg_user WHERE usename = current_user;
CREATE VIEW c AS SELECT 1 / (SELECT 1 - usesuper::int FROM b) AS a;
SQL
  replay --grants
  assert_code 0
  says 'needs the role anon'
  says 'needs the role reader'
  says 'line 4 is skipped'
  assert_equal "$(jq -r 'select(.record == "extension") | .extension + " " + .schema' <<<"$output" | xargs)" \
    'citext public pageinspect ext plpgsql pg_catalog'
  shows '"grant":"table to anon","definition":"SELECT"'

  migration 2_out "DO \$\$ BEGIN EXECUTE 'COPY a TO PROGRAM ''true'''; END \$\$;"
  replay
  assert_code 1
  says 'prisma/migrations/2_out/migration.sql:1:1: error: '
  says '[42501]'
  assert_nothing_left
}

@test "without server programs and without a named server the three ways are typed out" {
  migration 1_a 'CREATE TABLE a (id int);'
  MIG_PG_BIN=/nonexistent replay
  assert_code 78
  says 'no scratch server'
  says 'apt-get install postgresql'
  says 'docker run '
  says 'SHADOW_DATABASE_URL='
  says '--scratch env:'
}

@test "a run of its own server that is killed leaves nothing behind the next one; one that is stopped leaves nothing" {
  local pid
  migration 1_a 'CREATE TABLE a (id int);'
  migration 2_b 'SELECT pg_sleep(600);'
  begin mig-scan --replay
  eventually 60 eval '[[ -n $(own_servers) ]]'
  kill -TERM "$JOB"
  finish
  assert_code 143
  assert_nothing_left

  mig-scan --replay >/dev/null 2>&1 3>&- &
  pid=$!
  eventually 60 eval '[[ -n $(own_servers) ]]'
  kill -KILL "$pid"
  wait "$pid" || true
  rm -r "$FOLDER/2_b"
  replay
  assert_code 0
  says ', left by an interrupted run'
  assert_nothing_left
}

## A named server

# Those of the tests that run beside come and go.
databases() {
  sql_admin "SELECT oid, datname, datconnlimit FROM pg_database WHERE datname !~ '^test_[0-9]' OR datname = current_database() ORDER BY 1"
}

@test "a named server gets a database of its own, which is dropped, and the one that was named is not touched" {
  local before
  migrations_many 10
  named_scratch
  before=$(databases)
  replay
  assert_code 0
  shows '"relation":"Table0Item"'
  assert_equal "$(sql '\dt')" ''
  assert_equal "$(databases)" "$before"
}

@test "a migration that fails is named with its place, SQLSTATE and the server's words" {
  local name script said
  named_scratch
  migration 1_a 'CREATE TABLE a (id int PRIMARY KEY, at timestamptz DEFAULT now());'
  # name | what is said | the script
  while IFS='|' read -r name said script; do
    migration 2_b "$(printf '%b' "$script")"
    replay
    [[ $status == 1 ]] || fail "$name: exit code $status: $stderr" || return 1
    [[ $stderr == *"$said"* ]] || fail "$name: not said: $said: $stderr" || return 1
    [[ $stderr == *'migration 2 of 2 failed, 2_b'* ]] || fail "$name: $stderr" || return 1
    [[ -z $output || $output == *'"record":"failed"'* ]] || fail "$name: $output" || return 1
  done <<'CASES'
a column|prisma/migrations/2_b/migration.sql:2:9: error: column "nix" does not exist [42703]|SELECT 1;\n SELECT nix FROM a;
not ASCII|prisma/migrations/2_b/migration.sql:1:14: error: column "nix" does not exist [42703]|SELECT '𝒳é', nix FROM a;
syntax|prisma/migrations/2_b/migration.sql:2:1: error: syntax error at or near "CREATTE" [42601]|SELECT 1;\nCREATTE TABLE b (id int);
behind CONCURRENTLY|prisma/migrations/2_b/migration.sql:2:1: error: index "nix" does not exist [42704]|CREATE INDEX CONCURRENTLY i ON a (at);\nDROP INDEX CONCURRENTLY nix;
at COMMIT|violates foreign key constraint "f" [23503]|ALTER TABLE a ADD b int, ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED; INSERT INTO a VALUES (1, now(), 5);
left open|the script leaves its last transaction open|BEGIN; CREATE TABLE b (id int);
a missing extension|the scratch server lacks the extension nosuch|CREATE EXTENSION nosuch;
a missing role|hint: the scratch server lacks the role: CREATE ROLE "nosuch";|GRANT SELECT ON a TO nosuch;
a role|a role is refused|CREATE ROLE x;
ALTER SYSTEM|ALTER SYSTEM is refused|ALTER SYSTEM SET work_mem = '1MB';
CREATE DATABASE|CREATE and DROP DATABASE are refused|CREATE DATABASE x;
a program|COPY with PROGRAM is refused|COPY (SELECT 1) TO PROGRAM 'cat';
a file|COPY with a file is refused|COPY a FROM '/etc/passwd';
the client|COPY from or to the client cannot run in a migration|COPY a FROM STDIN;
CASES
  assert_equal "$(scratch_databases)" ''
}

# One that stays in its scratch database: pid is mig-scan's, left the database.
endless_replay() {
  migration 1_a 'SELECT pg_sleep(600);'
  mig-scan --replay >/dev/null 2>&1 3>&- &
  pid=$!
  eventually 60 eval '[[ -n $(scratch_databases) ]]'
  left=$(scratch_databases)
}

@test "what a killed run left on a named server is dropped by the next, and what others use is not" {
  named_scratch
  endless_replay
  rm -r "$FOLDER/1_a"
  migration 1_b 'CREATE TABLE b (id int);'
  replay
  assert_code 0
  says_not 'left by an interrupted run'
  assert_equal "$(scratch_databases)" "$left"
  kill -KILL "$pid"
  wait "$pid" || true
  eventually 60 eval "[[ -z \$(PGDATABASE=postgres sql_admin \"SELECT pid FROM pg_stat_activity WHERE application_name = 'mig-scan scratch' AND datname NOT LIKE 'mig%'\") ]]"
  replay
  assert_code 0
  says "removed the database $left"
  assert_equal "$(scratch_databases)" ''
}

@test "what a run left that was killed just before this one is dropped too, although its session was still ending" {
  local backend next
  named_scratch
  endless_replay
  backend=${left#mig_scratch_}
  backend=${backend%_*}
  kill -STOP "$backend"
  kill -KILL "$pid"
  wait "$pid" || true
  rm -r "$FOLDER/1_a"
  migration 1_b "DO \$\$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE pid = $backend) LOOP PERFORM pg_sleep(0.05); PERFORM pg_stat_clear_snapshot(); END LOOP; END \$\$;"
  mig-scan --replay >/dev/null 2>next.err 3>&- &
  next=$!
  eventually 60 eval '[[ $(scratch_databases | wc -l) == 2 ]]'
  kill -CONT "$backend"
  wait "$next" || fail "$(<next.err)" || return 1
  assert_regex "$(<next.err)" "removed the database $left next to"
  assert_equal "$(scratch_databases)" ''
}

@test "production is never scratch, and another database of its server only when that is said" {
  local production
  migration 1_a 'CREATE TABLE a (id int);'
  database_new
  production=$DATABASE_URL
  SHADOW_DATABASE_URL=$production replay
  assert_code 78
  says "$PGDATABASE at "
  says 'is the production database'
  replay --scratch env:OTHER --same-server
  assert_code 78

  database_new
  export OTHER=$DATABASE_URL
  DATABASE_URL=$production replay --scratch env:OTHER
  assert_code 78
  says "is on the production server"
  says '--same-server'
  assert_equal "$(scratch_databases)" ''
  DATABASE_URL=$production replay --scratch env:OTHER --same-server
  assert_code 0
  shows '"relation":"a"'
  DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere replay --scratch env:OTHER
  assert_code 69
  says 'mig cannot tell whether the scratch server is production'
  assert_equal "$(scratch_databases)" ''
}

@test "a role that may not create databases is told how it may" {
  migration 1_a 'CREATE TABLE a (id int);'
  database_new
  sql_admin "DROP ROLE IF EXISTS plain_$$; CREATE ROLE plain_$$ LOGIN"
  SHADOW_DATABASE_URL=$(database_url "plain_$$")
  export SHADOW_DATABASE_URL
  unset DATABASE_URL
  replay
  sql_admin "DROP ROLE plain_$$"
  assert_code 77
  says "ALTER ROLE \"plain_$$\" CREATEDB;"
}

@test "production is not even connected to while migrations are replayed on a server of our own" {
  migrations_many 4
  database_new
  sql_admin "ALTER SYSTEM SET log_connections = on; SELECT pg_reload_conf()" >/dev/null
  # of several releases the nearest to production's would be wanted, and production asked for its own
  MIG_PG_BIN=$(server_programs) replay
  sql_admin "ALTER SYSTEM RESET log_connections; SELECT pg_reload_conf()" >/dev/null
  assert_code 0
  assert_equal "$(server_log | grep -c 'mig-scan')" 0
}

@test "production is only read by whatever looks at its schema, and refused as scratch server by any of its addresses" {
  local production other before after size
  migrations_many 3
  cat >want.prisma <<'PRISMA'
datasource db {
  provider = "postgresql"
}

model T {
  id Int @id
}
PRISMA
  other=$MIG_TEST_SERVER
  production=$(MIG_TEST_CLUSTER='' server_new --tcp log_statement=all) # with a system identifier of its own
  server_use "$production"
  database_new
  sql 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)'
  state() {
    sql_admin "SELECT string_agg(datname, ' ' ORDER BY 1) FROM pg_database; SELECT pg_stat_clear_snapshot();
      SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_all_tables; SELECT count(*) FROM pg_class"
  }
  before=$(state)
  size=$(stat -c %s "$production/server.log")

  SHADOW=$(MIG_TEST_SERVER=$other PGDATABASE=postgres database_url)
  export SHADOW
  mig-scan --catalog --grants -o live.rec >/dev/null
  mig-scan --replay -o want.rec >/dev/null
  mig-scan --replay --scratch env:SHADOW -o beside.rec >/dev/null
  mig-scan --datamodel=want.prisma -o model.rec >/dev/null
  run mig-check schema=want.rec <live.rec
  run mig-check schema=want.prisma <live.rec
  run mig-plan --diff live.rec want.prisma
  assert_code 0
  SHADOW_DATABASE_URL=$(database_url --tcp) run mig-scan --replay
  assert_code 78
  SHADOW_DATABASE_URL=$(database_url --tcp postgres) run mig-scan --replay
  assert_code 78

  after=$(state)
  tail -c "+$size" "$production/server.log" | grep -a ' mig-scan' | grep -aE '(statement|execute [^:]*): ' >statements
  run grep -vE '(statement|execute [^:]*): *(BEGIN[^;]*READ ONLY|START TRANSACTION[^;]*READ ONLY|SELECT|SHOW|SET|COMMIT|ROLLBACK|WITH)' statements
  server_end "$production"
  server_use "$other"
  assert_equal "$output" ''
  assert [ "$(wc -l <statements)" -gt 20 ]
  assert_equal "$after" "$before"
}
