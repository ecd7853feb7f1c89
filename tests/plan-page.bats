#!/usr/bin/env bats
# The page of mig-plan: each step with its SQL, what it does, and what needs attention; and the script of a kept plan.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
}

page() {
  mig-scan -o scan.rec >/dev/null
  run --separate-stderr mig-plan --format=text "$@" scan.rec
}

# As on a terminal of so many columns, without the carriage returns of its driver.
on_terminal() {
  local columns=$1
  shift
  TERM=xterm "$TESTS/terminal" "$columns" "$@" | tr -d '\r'
}

## The SQL

@test "each step has its SQL with the lines of the file, 20 of them; what has a warning is shown, and -v shows all" {
  local i
  {
    echo '-- a comment'
    for ((i = 1; i <= 30; i++)); do echo "SELECT $i;"; done
    printf 'ALTER TABLE users\n  DROP COLUMN age;\n'
    for ((i = 31; i <= 40; i++)); do echo "SELECT $i;"; done
  } | migration 1_long
  migration 2_short 'SELECT 1;'
  page
  assert_code 0
  assert_line '     2 | SELECT 1'
  assert_line '    32 | ALTER TABLE users'
  assert_line '    33 |   DROP COLUMN age'
  assert_equal "$(grep -c '^ *[0-9]* | ' <<<"$output")" 21
  assert_line --regexp '^ +… [0-9]+ more lines \(-v shows all\)$'
  assert_line '         line 33, column 3: warning: DROP COLUMN destroys data: users.age [destructive]'
  shows_not '-- a comment'
  page -v
  assert_equal "$(grep -c '^ *[0-9]* | ' <<<"$output")" 43
  shows_not '…'
}

@test "a step without a rehearsal has what the text tells, and the page what was not looked at" {
  migration 1_text 'CREATE TABLE fresh (id int PRIMARY KEY);
ALTER TABLE fresh ADD a int;
ALTER TABLE "User" ADD CONSTRAINT k FOREIGN KEY (org) REFERENCES orgs;
TRUNCATE logs;
UPDATE "User" SET a = 1;'
  migration 2_block 'DO $$ BEGIN END $$;'
  page
  assert_line --index 0 '1 of 2 steps needs attention: 1 destructive'
  assert_line '      locks  "User", orgs: how strong and for how long is not known without a rehearsal'
  assert_line '      undo   a new migration takes it back, but only a backup has what TRUNCATE logs takes away; what its UPDATE changes is not kept'
  assert_line '      locks  none on what is there now, as far as the text tells; what its functions and blocks lock is not known'
  assert_line '      undo   a new migration takes it back; what its DO or CALL does to rows is not known'
  assert_line --regexp '^not looked at: locks, rewrites, what breaks, how large and how busy the tables are; down.sql$'
}

@test "what goes on after an interruption shows only what is left" {
  migration 1_rest 'SELECT 1; VACUUM; SELECT 2;'
  sql_admin "CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count int NOT NULL DEFAULT 0); ALTER TABLE _prisma_migrations OWNER TO tester;
    INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('a', 'b', '1_rest')"
  page --resume 1_rest:3
  assert_code 0
  assert_line --regexp '^ +1 +1_rest +3 statements, .*, from statement 3 on$'
  shows '| SELECT 2'
  shows_not '| SELECT 1' '| VACUUM'
}

@test "control characters in SQL, and those that turn text around, are harmless on the page" {
  printf 'SELECT 1 -- \033[2Jclear \r over \302\233 \342\200\256 turned \342\201\246\n , 2;\n\tSELECT 3;\r\n' | migration 1_odd
  page
  assert_code 0
  # shellcheck disable=SC1111
  [[ $output == *'SELECT 1 -- ?[2Jclear ? over ? ? turned ?'* ]]
  refute_line --regexp $'[\001-\010\013-\037\177]'
}

@test "no line is wider than the terminal but commands and places, which are whole; no colour where there is none" {
  local columns wide
  migration 20240102000000_a_name_that_is_rather_long_for_a_narrow_terminal_of_sixty_columns 'DROP TABLE "a_table_with_a_long_name", "another_table_with_a_long_name", "表表表表表表表表表表表表表表";
SELECT 1, '"'$(printf 'x%.0s' {1..300})'"';'
  migration 20240103000000_b 'ALTER TABLE a ADD b int;'
  mig-scan -o scan.rec >/dev/null
  for columns in 60 80 100 200; do
    wide=$(on_terminal "$columns" mig-plan scan.rec | sed $'s/\033\\[[0-9]*m//g' |
      python3 -c 'import sys, unicodedata
for line in sys.stdin:
    n = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line.rstrip("\n"))
    if n > int(sys.argv[1]) and not line.startswith("mig-scan") and " mig-check " not in line and "/migration.sql:" not in line: print(n, line, end="")' "$columns")
    assert_equal "$columns: $wide" "$columns: "
  done
  on_terminal 100 mig-plan scan.rec | grep -q $'\033'
  NO_COLOR=1 on_terminal 100 mig-plan scan.rec >plain
  refute grep -q $'\033' plain
  mig-plan --format=text scan.rec >plain
  refute grep -q $'\033' plain
}

@test "hundreds of pending migrations are a page that a person reads: those with a warning, and a line for others" {
  local i
  for ((i = 100; i < 500; i++)); do
    mkdir "$FOLDER/${i}_x"
    echo 'SELECT 1;' >"$FOLDER/${i}_x/migration.sql"
  done
  for ((i = 250; i < 290; i++)); do
    echo 'DROP TABLE x;' >"$FOLDER/${i}_x/migration.sql"
  done
  page
  assert_code 0
  assert_line --index 0 '40 of 400 steps need attention: 40 destructive'
  ((${#lines[@]} < 125))
  assert_line --regexp '^ +1 +100_x +1 statement'
  assert_line --regexp '^ +400 +499_x +1 statement'
  assert_line --regexp '^ +… +… 148 more \(-v shows all\)$'
  assert_equal "$(grep -c 'DROP TABLE x$' <<<"$output")" 10
  page -v
  assert_equal "$(grep -c '| DROP TABLE x$' <<<"$output")" 40
  assert_equal "$(grep -c '| SELECT 1$' <<<"$output")" 360
}

## The kept plan

@test "a kept plan has the script for psql that its scan would give, from a file and from standard input" {
  migration 1_one 'CREATE TABLE one (id int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  migration 2_two 'ALTER TABLE one ADD a int;'
  migration 3_three 'CREATE INDEX CONCURRENTLY i ON one (a);'
  mig-scan -o scan.rec >/dev/null
  mig-plan --format=sql scan.rec >from-scan.sql
  mig-plan -o plan.rec scan.rec >/dev/null
  mig-plan --format=sql plan.rec >from-plan.sql
  cmp from-scan.sql from-plan.sql
  mig-plan --format=sql <plan.rec | cmp - from-scan.sql
  psql -v ON_ERROR_STOP=1 -qf from-plan.sql >/dev/null
  assert_equal "$(applied | xargs)" '1_one 2_two 3_three'
  # and not twice: the history is another one
  run --separate-stderr psql -v ON_ERROR_STOP=1 -qf from-plan.sql
  ((status != 0))
  says 'the history has changed since this plan was made'
}

@test "a kept plan without a target, or of a release that kept no sum of the history, has no script" {
  migration 1_one 'CREATE TABLE one (id int);'
  mig-scan --offline | mig-plan --from-empty -o empty.rec >/dev/null
  run --separate-stderr mig-plan --format=sql empty.rec
  assert_code 65
  says 'a script for psql needs the database side'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  migration 2_two 'SELECT 2;'
  mig-scan | mig-plan -q | jq -c 'del(.history_sha256)' | seal >older.rec
  run --separate-stderr mig-plan --format=sql older.rec
  assert_code 65
  says 'this plan was kept by an older release'
  mig-apply -q older.rec >/dev/null
  assert_equal "$(applied | tail -n 1)" 2_two
}

@test "behind -o, and for a kept plan, the page has the commands that take that file" {
  local digest
  migration 1_one 'CREATE TABLE one (id int);'
  mig-scan | mig-plan -o "it's.rec" >page
  digest=$(jq -r 'select(.record == "end").digest[:16]' "it's.rec")
  assert_equal "$(grep '^to apply' page)" "to apply this plan:   mig-apply --expect $digest 'it'\\''s.rec'"
  assert_equal "$(mig-plan --format=text "it's.rec" | tail -n 2)" "$(tail -n 2 page)"
  bash -c "$(sed -n 's/^to read all SQL: *//p' page)" | grep -q 'CREATE TABLE one'
  bash -c "$(sed -n 's/^to apply this plan: *//p' page)" >/dev/null 2>&1
  assert_equal "$(applied)" 1_one
}
