#!/usr/bin/env bats
# A history that somebody made by hand, or reached into: NULL in any column, and times that are no dates.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
  sql 'CREATE TABLE _prisma_migrations (id text, checksum text, finished_at timestamptz, migration_name text, logs text,
    rolled_back_at timestamptz, started_at timestamptz, applied_steps_count int)'
}

# One row, finished, but for what is said: row COLUMN VALUE
row() {
  local -A of=([id]="'a'" [checksum]="'$(checksum 20240101000000_init)'" [finished_at]='now()' [migration_name]="'20240101000000_init'"
    [logs]=NULL [rolled_back_at]=NULL [started_at]='now()' [applied_steps_count]=1)
  of[$1]=$2
  sql "DELETE FROM _prisma_migrations; INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, logs, rolled_back_at,
    started_at, applied_steps_count) VALUES (${of[id]}, ${of[checksum]}, ${of[finished_at]}, ${of[migration_name]}, ${of[logs]},
    ${of[rolled_back_at]}, ${of[started_at]}, ${of[applied_steps_count]})"
}

# Neither a crash nor a record that the next tool cannot read.
reads() { # TOOL…
  run --separate-stderr "$@"
  ((status < 128)) || fail "$*: $status"
  [[ $stderr != *'is not a'* && $stderr != *'broken'* ]] || fail "$*: $stderr"
}

@test "NULL in any column, and infinity in any time, is read by every tool, in records and on the page" {
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  mig-scan --offline | mig-plan >early.rec 2>/dev/null || true
  sql 'DELETE FROM _prisma_migrations'
  mig-scan | mig-plan --allow=not_empty >plan.rec
  mig-scan >scan.rec
  for column in id migration_name; do
    row "$column" NULL
    for tool in 'mig-scan' 'mig-scan --format=text' 'mig-apply plan.rec'; do
      read -ra words <<<"$tool"
      run --separate-stderr "${words[@]}"
      assert_code 65
      [[ $stderr == *"$column is NULL in a row of _prisma_migrations"*'SELECT * FROM '*'_prisma_migrations WHERE'* ]]
    done
    run mig-check history --watch=30ms --interval=20ms <scan.rec
    assert_code 3
  done
  for column in checksum finished_at started_at rolled_back_at applied_steps_count logs; do
    values=(NULL)
    [[ $column != *_at ]] || values=(NULL "'infinity'" "'-infinity'")
    for value in "${values[@]}"; do
      row "$column" "$value"
      reads mig-scan
      printf '%s\n' "$output" >now.rec
      reads mig-scan --format=text -v
      reads mig-plan now.rec
      reads mig-plan --format=text now.rec
      reads mig-plan --format=sql now.rec
      reads mig-check history <now.rec
      reads mig-check history --watch=30ms --interval=20ms <scan.rec
      reads mig-apply plan.rec
      reads mig-apply --dry-run plan.rec
    done
  done
}

@test "a missing checksum differs, and a time that is no date is shown as it is" {
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  row checksum NULL
  run mig-scan --format=text
  assert_code 0
  assert_output --partial edited
  row finished_at "'infinity'"
  run mig-scan --format=text -v
  assert_code 0
  assert_output --partial infinity
  [[ $(mig-scan | jq -r 'select(.record == "history").finished_at') == infinity ]]
  row finished_at NULL
  sql "UPDATE _prisma_migrations SET started_at = 'infinity'"
  run --separate-stderr bash -c 'mig-scan | mig-plan'
  assert_code 1
  [[ $stderr == *'started at infinity and not finished'* ]]
}

@test "a row that was begun at no known time after the plan was made stops the apply, without a crash" {
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  mig-scan | mig-plan --allow=not_empty >plan.rec
  for time in NULL "'infinity'" "'-infinity'"; do
    row finished_at NULL
    sql "UPDATE _prisma_migrations SET started_at = $time, migration_name = '20240102000000_b'"
    run --separate-stderr mig-apply plan.rec
    ((status > 0 && status < 128))
  done
  assert_equal "$(sql "SELECT to_regclass('a')")" ''
}
