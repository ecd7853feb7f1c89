#!/usr/bin/env bats
# mig-seed: reference data, all of it or nothing.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  sql 'CREATE TABLE a (id int PRIMARY KEY, b text)'
  cd "$BATS_TEST_TMPDIR" || return 1
}
teardown() {
  sessions_end
  roles_end
  pgbouncer_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

rows() {
  sql 'SELECT * FROM a ORDER BY id'
}

@test "files run in the order in which they are named" {
  echo "INSERT INTO a VALUES (1, 'first');" >2.sql
  echo "UPDATE a SET b = b || ', second';" >1.sql
  seed 2.sql 1.sql
  assert_code 0
  assert_equal "$(rows)" '1|first, second'
  says "mig-seed: $PGDATABASE at " 'user tester' '2.sql  seeded' '1.sql  seeded'
}

@test "all files are one transaction: an error in the last leaves nothing of the first" {
  echo "INSERT INTO a VALUES (1);" >1.sql
  printf 'INSERT INTO a VALUES (2);\nINSERT INTO nowhere VALUES (3);\n' >2.sql
  seed 1.sql 2.sql
  assert_code 1
  error_count 1
  says 'mig-seed: error: 2.sql:2:13: relation "nowhere" does not exist [42P01]' \
    $'\n    2 | INSERT INTO nowhere VALUES (3);\n      |             ^\n' 'Migrations come first: deploy them' 'Nothing was seeded'
  assert_equal "$(rows)" ''
  assert_equal "$(tail -n 1 <<<"$output" | jq -r '"\(.record) \(.exit_code)"')" 'failed 1'
}

@test "an error without a place of the server's is placed where its statement begins" {
  printf "INSERT INTO a VALUES (1);\n\n  INSERT INTO a VALUES (1);\n" >1.sql
  seed 1.sql
  assert_code 1
  says '1.sql:3:3: duplicate key value' '[23505]' 'detail: Key (id)=(1) already exists.'
}

@test "a constraint that is looked at when committing undoes everything" {
  sql 'CREATE TABLE b (a int REFERENCES a DEFERRABLE INITIALLY DEFERRED)'
  echo 'INSERT INTO a VALUES (2); INSERT INTO b VALUES (1);' >1.sql
  seed 1.sql
  assert_code 1
  says '[23503]'
  assert_equal "$(rows)" ''
}

@test "- is standard input" {
  run --separate-stderr mig-seed - <<<"INSERT INTO a VALUES (1);"
  assert_code 0
  assert_equal "$(rows)" '1|'
  run --separate-stderr mig-seed - <<<"SELECT nope;"
  assert_code 1
  says 'standard input:1:8: '
}

@test "records tell what was done: one for each file" {
  echo 'SELECT 1;' >1.sql
  : >2.sql
  seed 1.sql 2.sql
  assert_code 0
  assert_equal "$(records '.record + " " + (.file // .kind // "")')" $'stream rows\nseeded 1.sql\nseeded 2.sql\nend '
  assert_equal "$(records 'select(.file == "1.sql") | "\(.table) \(.rows_inserted) \(.dry_run)"')" 'null null false'
}

@test "what would end the transaction, stand outside it, or wants rows from us is refused with 65 before anything runs" {
  local place text
  echo "INSERT INTO a VALUES (1);" >1.sql
  while IFS='|' read -r place text; do
    printf '%b' "$text" >2.sql
    seed 1.sql 2.sql
    [[ $status == 65 && $stderr == "mig-seed: error: 2.sql:$place: "* ]] || fail "$text: exit code $status, $stderr" || return 1
    says 'Nothing was seeded'
  done <<'CASES'
1:1|BEGIN; SELECT 1; COMMIT;
2:3|SELECT 1;\n  COMMIT;
1:1|START TRANSACTION;
1:1|END;
1:1|ROLLBACK;
1:1|ABORT;
1:11|SELECT 1; VACUUM a;
1:1|CREATE INDEX CONCURRENTLY i ON a (b);
1:1|COPY a FROM STDIN;\n1\tx\n\\.\n
CASES
  assert_equal "$(rows)" ''
}

@test "savepoints are no end of the transaction" {
  echo 'INSERT INTO a VALUES (1); SAVEPOINT s; INSERT INTO a VALUES (2); ROLLBACK TO s; RELEASE s;' >1.sql
  seed 1.sql
  assert_code 0
  assert_equal "$(rows)" '1|'
}

@test "a file that is not there, a folder, or no text is 65; one that may not be read is 77" {
  local place
  seed nowhere.sql
  assert_code 65
  says nowhere.sql
  seed .
  assert_code 65
  printf 'SELECT 1;\xff' >bytes.sql
  seed bytes.sql
  assert_code 65
  says 'bytes.sql:1: this is not UTF-8 text'
  printf 'SELECT 1;\0' >bytes.sql
  seed bytes.sql
  assert_code 65
  place=$(shared_place)
  echo 'SELECT 1;' >"$place/closed.sql"
  chmod 000 "$place/closed.sql"
  run --separate-stderr as_nobody "$place/mig-seed" "$place/closed.sql"
  rm -rf "$place"
  assert_code 77
}

@test "files are read before anybody connects" {
  DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere seed nowhere.sql
  assert_code 65
  echo 'SELECT 1;' >1.sql
  DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere seed 1.sql
  assert_code 69
  unset DATABASE_URL
  seed 1.sql
  assert_code 78
}

@test "a right that is missing is 77, a database that is set to be read-only is 78" {
  echo "INSERT INTO a VALUES (1);" >1.sql
  role_new stranger
  DATABASE_URL=$(database_url "$ROLE") seed 1.sql
  assert_code 77
  says 'permission denied for table a'
  sql_admin "ALTER DATABASE \"$PGDATABASE\" SET default_transaction_read_only = on"
  seed 1.sql
  assert_code 78
  says 'default_transaction_read_only is on here, by ALTER DATABASE'
  # roles cannot be dropped otherwise
  sql_admin "SET default_transaction_read_only = off; ALTER DATABASE \"$PGDATABASE\" RESET default_transaction_read_only"
}

@test "a table that stays busy is 75, one that is busy for a while is waited for" {
  echo "INSERT INTO a VALUES (1);" >1.sql
  session_begin 'BEGIN; LOCK TABLE a'
  seed --wait=1s 1.sql
  assert_code 75
  says '[55P03]'
  begin mig-seed 1.sql
  eventually waiting
  session_end "$SESSION"
  finish
  assert_code 0
  assert_equal "$(rows)" '1|'
}

@test "Ctrl-C rolls back, says so, and ends by its signal" {
  echo "INSERT INTO a VALUES (1); SELECT pg_sleep(60);" >1.sql
  begin mig-seed 1.sql
  eventually running pg_sleep
  kill -INT "$JOB"
  finish
  assert_code 130
  says 'Nothing was seeded'
  assert_equal "$(rows)" ''
  assert_equal "$(tail -n 1 <<<"$output" | jq -r '"\(.record) \(.exit_code)"')" 'failed 130'
}

@test "a connection that is cut is 69" {
  echo "INSERT INTO a VALUES (1); SELECT pg_sleep(60);" >1.sql
  begin mig-seed 1.sql
  eventually running pg_sleep
  sql_admin "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mig-seed' AND datname = '$PGDATABASE'" >/dev/null
  finish
  assert_code 69
  error_count 1
  assert_equal "$(rows)" ''
}

@test "notices are shown with their file, and -q keeps them back" {
  echo "DO \$\$ BEGIN RAISE NOTICE 'hello there'; END \$\$;" >1.sql
  seed 1.sql
  assert_code 0
  says 'mig-seed: 1.sql: NOTICE: hello there'
  seed -q 1.sql
  assert_equal "$stderr" ''
}

@test "schema= of the string is where names are looked for" {
  sql 'CREATE SCHEMA app; CREATE TABLE app.a (id int)'
  echo "INSERT INTO a VALUES (7);" >1.sql
  DATABASE_URL+='&schema=app' seed 1.sql
  assert_code 0
  assert_equal "$(sql 'SELECT id FROM app.a')" 7
  assert_equal "$(rows)" ''
}

@test "a pooler in transaction mode is refused, since it keeps no lock; in session mode, and to look, it will do" {
  echo 'INSERT INTO a VALUES (1);' >1.sql
  printf 'id\n2\n' >a.csv
  pgbouncer_begin transaction
  seed 1.sql
  assert_code 78
  error_count 1
  says 'a pooler in transaction mode' 'nothing was touched' 'MIG_DATABASE=env:DIRECT_URL'
  assert_equal "$(rows)$(sql "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")" ''
  seed --dry-run a.csv
  assert_code 0
  pgbouncer_end
  pgbouncer_begin session
  seed 1.sql
  assert_code 0
  assert_equal "$(rows)" '1|'
}

@test "a signal while standard input is awaited ends it" {
  mkfifo pipe
  exec {hold}<>pipe
  run --separate-stderr timeout --preserve-status -k 2 0.3 mig-seed --table=a - <pipe
  exec {hold}>&-
  assert_code 143
  says 'stopped by a signal. Nothing was seeded.'
}

@test "rows without --table are told from records" {
  run --separate-stderr mig-seed - <<<'{"id":1,"b":"x"}'
  assert_code 65
  says 'one object per line, name the table: --table'
}
