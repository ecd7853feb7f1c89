#!/usr/bin/env bats
# The whole pipe, mig-scan | mig-plan | mig-apply, on a real server: beside the real Prisma Migrate, many at once, without
# a database, and with a lot to do.
# shellcheck disable=SC2030,SC2031,SC2154
load helper
load prisma

# A folder of 300 migrations is made once and deployed twice: into $BY_MIG by mig, into $BY_PRISMA by Prisma.
setup_file() {
  server_start
  folder_new "$BATS_FILE_TMPDIR/whole"
  migrations_300
  export WHOLE=$PROJECT

  database_new
  export BY_MIG=$PGDATABASE
  mig-scan | mig-plan | mig-apply >"$BATS_FILE_TMPDIR/by_mig.rec" 2>"$BATS_FILE_TMPDIR/by_mig.err" || true

  if prisma_install 2>/dev/null; then
    database_new
    export BY_PRISMA=$PGDATABASE
    prisma_project
    prisma deploy >"$BATS_FILE_TMPDIR/by_prisma" 2>&1 || true
  fi
}
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
}

## Given

on() {
  export PGDATABASE=$1
  DATABASE_URL=$(database_url)
  export DATABASE_URL
}

# 270 of the helper's, and between and behind them 30 of what they have not; every ninth with CRLF.
migrations_300() {
  local i name body=$'BEGIN ATOMIC\n  SELECT price * 2;\n  SELECT CASE WHEN price > 0 THEN price END;\nEND'
  # PostgreSQL 14
  (($(sql 'SHOW server_version_num') >= 140000)) || body="AS 'SELECT price * 2; SELECT CASE WHEN price > 0 THEN price END'"
  migrations_many 270
  for i in 1 2 3; do
    migration "2024010100003${i}_only_a_comment" '-- This is an empty migration.'
    migration "2024010100013${i}_empty" ''
    migration "2025010${i}000000_view" "CREATE VIEW \"View$i\" AS SELECT \"id\", \"email\" FROM \"Table$i\" WHERE \"name\" IS NOT NULL;
COMMENT ON VIEW \"View$i\" IS 'it''s; a \"view\" -- of Ünïcödé 🚀';
"
    migration "2025010${i}000001_function" "CREATE OR REPLACE FUNCTION total$i(price numeric) RETURNS numeric LANGUAGE sql IMMUTABLE
$body;
CREATE FUNCTION words$i() RETURNS text LANGUAGE plpgsql AS \$body\$
DECLARE
  word text := \$\$a;b\$\$;
BEGIN
  /* nested /* comment; */ */
  RETURN word || 'c;' || E'\\'';
END
\$body\$;"
    migration "2025010${i}000002_do" "DO \$do\$
BEGIN
  FOR i IN 1..3 LOOP
    EXECUTE format('ALTER TABLE %I ADD COLUMN %I INTEGER', 'Table$i', 'extra' || i);
  END LOOP;
END
\$do\$;
"
    migration "2025010${i}000003_foreign_key" "-- AlterTable
ALTER TABLE \"Table$i\" ADD COLUMN     \"ownerId\" INTEGER;

-- AddForeignKey
ALTER TABLE \"Table$i\" ADD CONSTRAINT \"Table${i}_ownerId_fkey\" FOREIGN KEY (\"ownerId\") REFERENCES \"Table0\"(\"id\") ON DELETE SET NULL ON UPDATE CASCADE;
"
    migration "2025010${i}000004_domain" "CREATE DOMAIN \"Positive$i\" AS INTEGER CHECK (VALUE > 0);
ALTER TABLE \"Table$i\" ADD COLUMN \"stock\" \"Positive$i\" DEFAULT 1, DROP COLUMN \"tags\";
ALTER TABLE \"Table$i\" RENAME COLUMN \"name\" TO \"fullName\";
"
    migration "2025010${i}000005_indexes" "CREATE INDEX \"Table${i}_lower\" ON \"Table$i\"(lower(\"email\")) WHERE \"stock\" > 1;
CREATE INDEX \"Table${i}_two\" ON \"Table$i\"(\"createdAt\" DESC, \"id\");
"
    migration "2025010${i}000006_data" "INSERT INTO \"Table$i\" (\"email\") VALUES ('o''brien@example.com'), (E'tab\\there'), ('semi;colon');
DELETE FROM \"Table$i\" WHERE \"email\" LIKE 'user1%';
"
    migration "2025010${i}000007_drop" "DROP VIEW \"View$i\";
ALTER TABLE \"Table1${i}Item\" RENAME TO \"Line1$i\";
DROP TABLE \"Table2${i}\" CASCADE;
"
  done
  i=0
  for name in "$FOLDER"/*/migration.sql; do
    ((++i % 9 == 0)) && sed -i 's/$/\r/' "$name"
  done
  : a file beside a script is no migration
  echo 'DROP TABLE everything;' >"$FOLDER/20240101000001_create_table/down.sql"
}

# The first 150 of the 300 in a project of the test's own; the rest waits in $PROJECT/later.
half_the_folder() {
  local name
  rm -r "$PROJECT"
  cp -r "$WHOLE" "$PROJECT"
  cd "$PROJECT" || return 1
  mkdir later
  while read -r name; do
    mv "$FOLDER/$name" later/
  done < <(mig-scan --offline --format=records | jq -r 'select(.record == "migration").migration' | tail -n +151)
}

the_other_half() {
  mv "$PROJECT"/later/* "$FOLDER/"
}

needs_prisma() {
  prisma_available
  [[ -n ${BY_PRISMA-} ]] || fail "Prisma is here, but was not when the file began"
}

## Then

# What is in a database, as far as two deployers of one folder have to agree about it: $1.history, .schema, .data
leave() {
  history | sort >"$BATS_TEST_TMPDIR/$1.history"
  schema_dump >"$BATS_TEST_TMPDIR/$1.schema"
  data_dump | sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?/NOW/g' >"$BATS_TEST_TMPDIR/$1.data"
}

assert_same() {
  local what
  for what in history schema data; do
    [[ -s $BATS_TEST_TMPDIR/$1.$what ]] || fail "$1 has no $what"
    diff "$BATS_TEST_TMPDIR/$1.$what" "$BATS_TEST_TMPDIR/$2.$what" || fail "the $what of $1 (<) and $2 (>) differ"
  done
}

# Each migration of the folder has one row, finished, and nothing else has one.
assert_each_once() {
  local sum path
  (cd "$FOLDER" && sha256sum ./*/migration.sql) | while read -r sum path; do
    path=${path#./}
    echo "${path%/*}|$sum|finished|-|1|-"
  done | sort >"$BATS_TEST_TMPDIR/wanted"
  diff "$BATS_TEST_TMPDIR/wanted" <(history | sort) || fail "wanted are the rows marked <"
}

assert_nothing_to_do() {
  run --separate-stderr bash -c 'set -o pipefail; mig-scan | mig-plan --exit-code --format=text'
  assert_code 0
}

## 300 migrations

@test "300 migrations of all kinds are applied, each once and in order" {
  on "$BY_MIG"
  FOLDER=$WHOLE/prisma/migrations
  cat "$BATS_FILE_TMPDIR/by_mig.err"
  assert_each_once
  run diff <(applied) <(cd "$WHOLE" && mig-scan --offline --format=records | jq -r 'select(.record == "migration").migration')
  assert_success
  assert_equal "$(jq -r 'select(.record == "result").status' "$BATS_FILE_TMPDIR/by_mig.rec" | sort | uniq -c | xargs)" '300 applied'
}

@test "mig leaves the history, the schema and the data that Prisma leaves" {
  needs_prisma
  on "$BY_PRISMA"
  leave prisma
  on "$BY_MIG"
  leave mig
  assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/prisma.history")" 300
  grep -q 'CREATE TABLE public._prisma_migrations' "$BATS_TEST_TMPDIR/prisma.schema"
  assert_same prisma mig
  on "$BY_PRISMA"
  applied >"$BATS_TEST_TMPDIR/order"
  on "$BY_MIG"
  run diff "$BATS_TEST_TMPDIR/order" <(applied)
  assert_success
}

@test "rows have times as Prisma's: begun before they are finished, and in the order of the folder" {
  on "$BY_MIG"
  run sql "SELECT count(*) FILTER (WHERE started_at < finished_at), count(*) FILTER (WHERE finished_at <= clock_timestamp()) FROM _prisma_migrations"
  assert_output '300|300'
  run sql "SELECT count(*) FROM (SELECT started_at < lag(finished_at) OVER (ORDER BY started_at) AS early FROM _prisma_migrations) r WHERE early"
  assert_output 0
}

@test "after mig, prisma migrate status is content" {
  needs_prisma
  on "$BY_MIG"
  PROJECT=$WHOLE run --separate-stderr prisma status
  assert_code 0
  assert_line 'Database schema is up to date!'
  PROJECT=$WHOLE run --separate-stderr prisma deploy
  assert_code 0
  assert_line 'No pending migrations to apply.'
}

@test "after Prisma, mig-plan has nothing to do" {
  needs_prisma
  on "$BY_PRISMA"
  cd "$WHOLE" || return 1
  assert_nothing_to_do
}

@test "half by Prisma and the rest by mig leave what Prisma leaves" {
  needs_prisma
  half_the_folder
  prisma_project
  run --separate-stderr prisma deploy
  assert_code 0
  assert_equal "$(applied | wc -l)" 150
  the_other_half
  pipeline
  assert_code 0
  leave both
  on "$BY_PRISMA"
  leave prisma
  assert_same prisma both
}

@test "half by mig and the rest by Prisma leave what Prisma leaves, and status is content" {
  needs_prisma
  half_the_folder
  prisma_project
  pipeline
  assert_code 0
  assert_equal "$(applied | wc -l)" 150
  the_other_half
  run --separate-stderr prisma deploy
  assert_code 0
  leave both
  assert_nothing_to_do
  run --separate-stderr prisma status
  assert_code 0
  on "$BY_PRISMA"
  leave prisma
  assert_same prisma both
}

## Many at once

# Starts pipeline $1 behind our back; what it said is in $BATS_TEST_TMPDIR/$1.err, its codes in .codes.
pipeline_behind() {
  # shellcheck disable=SC2016
  bash -c 'mig-scan | mig-plan | mig-apply --wait 60s; echo "${PIPESTATUS[*]}" >"$1"' - "$BATS_TEST_TMPDIR/$1.codes" \
    >"$BATS_TEST_TMPDIR/$1.rec" 2>"$BATS_TEST_TMPDIR/$1.err" 3>&- &
  behind+=($!)
}

# Waits for all of them; each has to have ended with 0.
assert_all_went_well() {
  local i bad=false
  wait "${behind[@]}" || true
  for i in $(seq "$1"); do
    [[ $(<"$BATS_TEST_TMPDIR/$i.codes") == '0 0 0' ]] && continue
    echo "pipeline $i of $1 ended with $(<"$BATS_TEST_TMPDIR/$i.codes"):"
    cat "$BATS_TEST_TMPDIR/$i.err"
    bad=true
  done
  ! $bad || fail "not all went well"
}

start_afresh() {
  behind=()
  sql 'DROP SCHEMA public CASCADE; CREATE SCHEMA public' 2>/dev/null
}

@test "short round of tests/fuzz/race: of eight deployers at once with different plans, Prisma one of them, each migration runs once" {
  SIZES=8 run "$BATS_TEST_DIRNAME/fuzz/race" 2
  echo "$output"
  assert_success
}

@test "eight pipelines at once share a folder that grows between them" {
  local i
  migrations_many 10
  pipeline
  assert_code 0
  migrations_many 20 11
  behind=()
  for i in {1..8}; do
    pipeline_behind "$i"
  done
  assert_all_went_well 8
  assert_each_once
}

# Slow enough that Prisma, which takes a second to start, and mig meet.
slow_migrations() {
  local i
  for i in {1..8}; do
    migration "2024010100000${i}_slow" "CREATE TABLE t$i (id INTEGER); SELECT pg_sleep(0.25);"
  done
}

@test "eight pipelines and a real prisma migrate deploy that comes later: all end with 0" {
  local i
  needs_prisma
  prisma_project
  slow_migrations
  start_afresh
  prisma deploy >"$BATS_TEST_TMPDIR/prisma" 2>&1 &
  local prisma=$!
  for i in {1..8}; do
    pipeline_behind "$i"
  done
  wait "$prisma" || fail "$(<"$BATS_TEST_TMPDIR/prisma")"
  assert_all_went_well 8
  assert_each_once
}

@test "eight pipelines that come while a real prisma migrate deploy is at work: all end with 0" {
  local i
  needs_prisma
  prisma_project
  slow_migrations
  start_afresh
  prisma deploy >"$BATS_TEST_TMPDIR/prisma" 2>&1 &
  local prisma=$!
  for i in {1..50}; do
    [[ $(sql 'SELECT count(*) FROM _prisma_migrations' 2>/dev/null) == [1-9]* ]] && break
    sleep 0.1
  done
  for i in {1..8}; do
    pipeline_behind "$i"
  done
  wait "$prisma" || fail "$(<"$BATS_TEST_TMPDIR/prisma")"
  assert_all_went_well 8
  assert_each_once
  run cat "$BATS_TEST_TMPDIR"/[1-8].err
  assert_output --regexp 'another deployer (had )?applied'
}

# Whoever waits inside pg_advisory_lock() has a snapshot, for which CREATE INDEX CONCURRENTLY has to wait: a deadlock, of
# which the server picks a victim. It is the one that begins to wait later than deadlock_timeout before the other.

index_behind_a_pause() {
  migration 20240101000001_table 'CREATE TABLE t (id INTEGER); INSERT INTO t SELECT generate_series(1, 1000);'
  migration 20240101000002_slow "SELECT pg_sleep($1);"
  migration 20240101000003_index 'CREATE INDEX CONCURRENTLY t_id ON t (id);'
  migration 20240101000004_last 'CREATE TABLE u (id INTEGER);'
  start_afresh
}

assert_index() {
  assert_each_once
  run sql "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_id'::regclass"
  assert_output t
}

@test "CREATE INDEX CONCURRENTLY gets done while a real prisma migrate deploy waits for the lock" {
  needs_prisma
  prisma_project
  index_behind_a_pause 2
  pipeline_behind 1
  run prisma deploy
  # Prisma's own trouble, if it has any, is that of its users with two Prismas: P1002 after 10 s, or the deadlock.
  ((status == 0)) || assert_output --regexp 'P1002|deadlock detected'
  assert_all_went_well 1
  assert_index
}

@test "CREATE INDEX CONCURRENTLY gets done also where mig-apply is the victim of the deadlock" {
  index_behind_a_pause 1.5
  pipeline_behind 1
  eventually running 'SELECT pg_sleep'
  # As Prisma waits; by the time the index begins, its look for a deadlock is over.
  run sql "SET statement_timeout = '4s'; SELECT pg_advisory_lock(72707369)"
  assert_all_went_well 1
  assert_index
}

## No database

# The pipe ends with the code, with and without pipefail; mig-scan says the cause, the others a line at most, and the
# cause travels on in the stream.
assert_refused() {
  local code=$1 cause=$2 option tool
  migration 20240101000000_init 'CREATE TABLE t (id INTEGER);'
  for option in +o -o; do
    run --separate-stderr bash -c "set $option pipefail; mig-scan | mig-plan | mig-apply"
    assert_code "$code"
    [[ $stderr == "mig-scan: error: "*"$cause"* ]] || fail "not said: $cause"$'\n'"$stderr"
    assert_equal "$(grep -c 'error' <<<"$stderr")" 1
    for tool in mig-plan mig-apply; do
      assert_equal "$tool $(($(grep -c "^$tool" <<<"$stderr") <= 1))" "$tool 1"
    done
    assert_equal "$(jq -r 'select(.record == "failed") | "\(.tool) \(.exit_code)"' <<<"$output")" "mig-scan $code"
    [[ $(jq -r 'select(.record == "failed").message' <<<"$output") == *"$cause"* ]] || fail "$output"
  done
}

@test "nobody listens there: 69" {
  DATABASE_URL=postgresql://tester@127.0.0.1:$(free_port)/x assert_refused 69 'connection refused'
}

@test "there is no such socket: 69" {
  DATABASE_URL="postgresql://tester@localhost/x?host=$BATS_TEST_TMPDIR" assert_refused 69 'no such file or directory'
}

@test "the database takes no more connections: 75" {
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT 0"
  assert_refused 75 'too many connections'
}

@test "a connection becomes free while mig-scan waits for one: 0" {
  migration 20240101000000_init 'CREATE TABLE t (id INTEGER);'
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT 0"
  (
    database=$PGDATABASE PGDATABASE=postgres
    sleep 0.5
    sql_admin "ALTER DATABASE \"$database\" CONNECTION LIMIT -1"
  ) 3>&- &
  pipeline scan: --wait 10s
  wait $!
  assert_code 0
  assert_equal "$codes" '0 0 0'
}

@test "the password is wrong: 77" {
  sql_admin "CREATE ROLE \"with_$PGDATABASE\" LOGIN PASSWORD 'Right-Pw' IN ROLE with_password"
  DATABASE_URL=$(database_url "with_$PGDATABASE:Wrong-Pw") assert_refused 77 'password authentication failed'
  [[ $output$stderr != *Wrong-Pw* ]]
  DATABASE_URL=$(database_url "with_$PGDATABASE") assert_refused 77 'no password supplied'
  sql_admin "DROP ROLE \"with_$PGDATABASE\""
}

@test "the role may not connect, or may not read the history: 77" {
  sql_admin "CREATE ROLE \"out_$PGDATABASE\" LOGIN; REVOKE CONNECT ON DATABASE \"$PGDATABASE\" FROM public"
  DATABASE_URL=$(database_url "out_$PGDATABASE") assert_refused 77 'permission denied'
  pipeline
  assert_code 0
  sql_admin "GRANT CONNECT ON DATABASE \"$PGDATABASE\" TO \"out_$PGDATABASE\""
  DATABASE_URL=$(database_url "out_$PGDATABASE") assert_refused 77 'permission denied'
  sql_admin "DROP OWNED BY \"out_$PGDATABASE\"; DROP ROLE \"out_$PGDATABASE\""
}

@test "there is no connection string, or none that can be read: 78" {
  DATABASE_URL='' assert_refused 78 'DATABASE_URL'
  DATABASE_URL='postgresql://u:p#w@h/d' assert_refused 78 '#'
  unset DATABASE_URL
  assert_refused 78 'DATABASE_URL is not set'
}

@test "there is no such database: 78" {
  PGDATABASE=no_such_database
  DATABASE_URL=$(database_url) assert_refused 78 'does not exist'
}

@test "the role may read, but not write: mig-apply ends with 77, and nothing was touched" {
  migration 20240101000000_init 'CREATE TABLE t (id INTEGER);'
  sql_admin "CREATE ROLE \"out_$PGDATABASE\" LOGIN"
  DATABASE_URL=$(database_url "out_$PGDATABASE") pipeline
  sql_admin "DROP ROLE \"out_$PGDATABASE\""
  assert_code 77
  assert_equal "$codes" '0 0 77'
  assert_equal "$(relations)" ''
}

@test "the database is read-only: mig-apply ends with 75, and nothing was touched" {
  migration 20240101000000_init 'CREATE TABLE t (id INTEGER);'
  sql "ALTER DATABASE \"$PGDATABASE\" SET default_transaction_read_only = on"
  pipeline
  assert_code 75
  assert_equal "$codes" '0 0 75'
  assert_equal "$(relations)" ''
}

## While the plan is made

session_of_apply() { sql "SELECT pid FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name = 'mig-apply'" | grep .; }

has_no_session() { ! session_of_apply; }

# The scan is announced: its first line is there, and the rest comes when a test has seen what follows from that.
announced() {
  migration 20240101000000_init 'CREATE TABLE t (id INTEGER);'
  mig-scan -o scan.rec >scanned
  mkfifo scan plan
  mig-plan <scan >plan 3>&- &
  mig-apply <plan >results.rec 2>said 3>&- &
  APPLY=$!
  exec 9>scan
  head -n 1 scan.rec >&9
  eventually session_of_apply || fail "mig-apply does not connect"
}
rest() { # FILE
  tail -n +2 "$1" >&9
  exec 9>&-
  wait "$APPLY"
}

@test "a scan that is announced lets mig-apply connect while the plan is made, and that session deploys" {
  announced
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT 0" # for all that come later
  rest scan.rec
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT -1"
  assert_each_once
  assert_nothing_to_do
}

@test "a session that the server ends before there is a plan is replaced, without a word" {
  announced
  sql_admin "SELECT pg_terminate_backend($(session_of_apply))"
  eventually has_no_session
  rest scan.rec
  assert_each_once
  run grep -E 'warning|terminat|retrying' said
  assert_output ''
}

@test "a scan that fails behind its announcement leaves the session unused" {
  local code=0
  announced
  head -n 1 scan.rec >failed.rec
  echo '{"record":"failed","tool":"mig-scan","exit_code":69,"message":"gone"}' >>failed.rec
  rest failed.rec || code=$?
  assert_equal "$code" 69
  assert_equal "$(relations)" ''
}

@test "only where there is work the stream begins early: with nothing to do each tool writes once, and mig-apply asks nobody" {
  [[ $BUILD != */sanitize* ]] || skip "sanitizers do not work under strace"
  command -v strace >/dev/null || skip "no strace"
  ((EUID == 0)) || skip "only root can trace our programs"
  strace -o trace true 2>/dev/null || skip "tracing is not allowed here"
  migration 20240101000000_init 'CREATE TABLE t (id INTEGER);'
  strace -qq -o scan.trace -e trace=write mig-scan | strace -qq -o plan.trace -e trace=write mig-plan | mig-apply >results.rec
  assert_equal "$(grep -c '^write(1' scan.trace)" 2
  [[ $(grep -m 1 '^write(1' scan.trace) == *'= 46' ]] || fail "the first is not the stream record: $(<scan.trace)"
  strace -qq -o scan.trace -e trace=write mig-scan | strace -qq -o plan.trace -e trace=write mig-plan |
    strace -qq -o apply.trace -e trace=network mig-apply >results.rec
  assert_equal "$(grep -c '^write(1' scan.trace) $(grep -c '^write(1' plan.trace) $(wc -l <apply.trace)" '1 1 0'
}

## A lot

@test "2,000 migrations go through, and then there is nothing to do" {
  local i name
  printf '%s\n' "$FOLDER"/2024010{1,2}00{0,1}{0..4}{0..9}{0..4}{0..9}_t{1,2} | head -n 2000 | xargs mkdir
  i=0
  for name in "$FOLDER"/*/; do
    echo "CREATE TABLE t$((++i)) (id INTEGER);" >"$name/migration.sql"
  done
  assert_equal "$i" 2000
  run --separate-stderr timeout 60 bash -c 'set -o pipefail; mig-scan | mig-plan | mig-apply -q'
  assert_code 0
  assert_equal "$(sql 'SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL')" 2000
  assert_equal "$(sql "SELECT count(*) FROM pg_class WHERE relname ~ '^t[0-9]+\$'")" 2000
  assert_nothing_to_do
}

@test "a migration of 20 MB goes through whole" {
  mkdir "$FOLDER/20240101000000_big"
  {
    echo 'CREATE TABLE big (id INTEGER PRIMARY KEY, text TEXT);'
    seq 20000 | awk '{ t = sprintf("%0990d", 0); print "INSERT INTO big VALUES (" $1 ", '\''" t "'\'');" }'
  } >"$FOLDER/20240101000000_big/migration.sql"
  [[ $(wc -c <"$FOLDER/20240101000000_big/migration.sql") -gt 20000000 ]]
  run --separate-stderr timeout 60 bash -c 'set -o pipefail; mig-scan | mig-plan | mig-apply'
  assert_code 0
  assert_each_once
  assert_equal "$(sql 'SELECT count(*), sum(id), sum(length(text)) FROM big')" '20000|200010000|19800000'
  assert_nothing_to_do
}
