#!/usr/bin/env bats
# mig-scan --rehearse: what the statements of pending migrations lock, read, rewrite and break, measured in a scratch database.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() {
  server_start
  cache_begin
}

teardown_file() {
  cache_end
  server_stop
}

setup() {
  unset DATABASE_URL SHADOW_DATABASE_URL
  database_new
  folder_new
  SCRATCH_URL=$(PGDATABASE=postgres database_url)
  export SCRATCH_URL
}

# The tests' server is as good as one of our own, and there already; it is production's, too.
rehearse() { run --separate-stderr mig-scan --rehearse --scratch env:SCRATCH_URL --same-server "$@"; }

# A line an effect: statement, effect, relation, mode, detail; of an error only the SQLSTATE.
effects() {
  jq -r 'select(.record == "effect") | select($of == "" or .migration == $of) | "\(.statement) \(.effect) " +
    (if .relation == null then "-" elif .schema == "public" then .relation else "\(.schema).\(.relation)" end) +
    " \(.mode // "-")" + (if .detail == null then "" elif .effect == "error" then " " + .detail[:5] else " " + .detail end)' --arg of "${1-}"
}

# What the plan of a rehearsal on stdin says of 3_when where every table has 20 GB and traffic: "stalls", or nothing. Of a script that
# fails there is no plan.
stalls_when_large() {
  local whole=$BATS_TEST_TMPDIR/whole.rec
  cat >"$whole"
  ! grep -q '"effect":"error"' "$whole" || return 0
  {
    grep -v -e '"record":"end"' -e '"record":"effect"' -e '"record":"loss"' "$whole"
    jq -cs '[.[] | select(.record == "effect" and .relation != null) | {schema, relation}] | unique[] | {record: "load"} + . +
      {rows: 100000000, main_bytes: 20000000000, toast_bytes: 0, index_bytes: 5000000000, reads_per_s: 100, writes_per_s: 100,
        counted_ms: 1000, frozen_age: 1000}' "$whole"
    grep '"record":"effect"' "$whole"
  } | seal | mig-plan -q --from-empty --allow=destructive 2>"$BATS_TEST_TMPDIR/large.err" |
    jq -rs '(last | select(.record != "end") | "no plan"),
      (first(.[] | select(.rule == "stalls" and .migration == "3_when")) | .rule)'
}

# Runs one case of rehearsal/cases.txt, and prints what differs. Its last line `stalls` is for those that hold others for long where
# tables are large.
case_differs() {
  local given=$1 when=$2 then=$3 got rehearsed=$BATS_TEST_TMPDIR/case.rec
  printf '%s\n' "${given:--- nothing}" >"$FOLDER/2_given/migration.sql"
  printf '%s\n' "$when" >"$FOLDER/3_when/migration.sql"
  mig-scan -q --offline --rehearse --scratch env:SCRATCH_URL >"$rehearsed" 2>"$BATS_TEST_TMPDIR/case.err" || true
  got=$(effects 3_when <"$rehearsed" && stalls_when_large <"$rehearsed") || true
  [[ $got == "$then" ]] || printf '%s\n%s\n' "$when" "$(diff <(printf '%s' "$then") <(printf '%s' "$got"))"
}

# The server of a run here is at the pending script.
own_server_sleeps() {
  local run
  for run in "$CACHE"/mig/run/*/; do
    [[ -S $run.s.PGSQL.5432 ]] && [[ $(psql -qAt -h "$run" -p 5432 -U mig_admin -d mig_scratch -c "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == 1 ]] && return
  done
  return 1
}

## What is measured

@test "each statement has the effects that were measured: a share of the cases, and all with make check-rehearsal" {
  local line given='' when='' then='' every=${MIG_REHEARSAL_EVERY:-8} n=0 differs=''
  mkdir "$FOLDER"/{1_base,2_given,3_when}
  cp "$TESTS/rehearsal/base.sql" "$FOLDER/1_base/migration.sql"
  while IFS= read -r line; do
    case $line in
    'given '*) given=${line#given } ;;
    'when  '*) when=${line#when  } ;;
    'then  '*) then+=${then:+$'\n'}${line#then  } ;;
    '')
      ((n++ % every)) || differs+=$(case_differs "$given" "$when" "$then")
      given='' when='' then=''
      ;;
    esac
  done <"$TESTS/rehearsal/cases.txt"
  ((n > 140))
  assert_equal "$differs" ''
}

@test "the applied ones run before, and only what the pending ones do is told; what the database has besides is named" {
  untrapped
  migration 20240101000000_users 'CREATE TABLE users (id int PRIMARY KEY, age int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  sql 'CREATE TABLE by_hand (id int); CREATE SCHEMA other; CREATE TABLE other.unknown (id int); ALTER TABLE users RENAME TO people'
  migration 20240102000000_age 'CREATE TABLE fresh (id int);
ALTER TABLE users ALTER age TYPE bigint;'
  rehearse
  assert_code 0
  assert_equal "$(effects <<<"$output")" '2 lock users AccessExclusiveLock
2 rewrite users AccessExclusiveLock
2 retype users - column age: integer to bigint'
  assert_equal "$(jq -c 'select(.record == "rehearsal") | [.replayed, .pending, .rehearsed, .only_database, .only_replay]' <<<"$output")" \
    '[1,1,1,["public.by_hand","public.people"],["public.users"]]'
  assert_equal "$(jq -c 'select(.record == "effect") | .line' <<<"$output" | sort -u)" 2
  says '1 pending migration was rehearsed in '
  mig-plan --from-empty --exit-code <<<"$output" >/dev/null || (($? == 2))
}

@test "a rehearsal has the time zone of the database, on which a change of type depends" {
  migration 20240101000000_seen 'CREATE TABLE visits (seen timestamp(3));'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  migration 20240102000000_zone 'ALTER TABLE visits ALTER seen TYPE timestamptz;'
  rehearse
  assert_equal "$(effects <<<"$output" | grep -c rewrite)" 0
  sql_admin "ALTER DATABASE \"$PGDATABASE\" SET timezone = 'America/Los_Angeles'"
  rehearse
  assert_equal "$(effects <<<"$output" | grep -c rewrite)" 1
  assert_equal "$(jq -r 'select(.record == "rehearsal").time_zone' <<<"$output")" America/Los_Angeles
}

@test "a scan from elsewhere is rehearsed without its database, with the same bytes each time" {
  migration 20240101000000_users 'CREATE TABLE users (id int PRIMARY KEY);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  migration 20240102000000_name 'ALTER TABLE users ADD name text NOT NULL; CREATE INDEX CONCURRENTLY users_name ON users (name);'
  mig-scan -o scan.rec >/dev/null
  rm -r prisma
  export DATABASE_URL=postgresql://nobody@127.0.0.1:1/none
  mig-scan - --rehearse --scratch env:SCRATCH_URL --same-server <scan.rec >once.rec
  mig-scan - --rehearse --scratch env:SCRATCH_URL --same-server <once.rec >twice.rec
  cmp once.rec twice.rec
  assert_equal "$(effects <once.rec)" '1 lock users AccessExclusiveLock
1 scan users AccessExclusiveLock
1 require users - column name
2 lock users ShareUpdateExclusiveLock
2 scan users ShareUpdateExclusiveLock
2 build users ShareUpdateExclusiveLock index users_name'
  assert_equal "$(jq -c 'select(.record == "database" or .record == "history")' once.rec)" "$(jq -c 'select(.record == "database" or .record == "history")' scan.rec)"
  # the plan is for the database that was scanned
  mig-plan -q once.rec | jq -es 'any(.record == "step" and .migration == "20240102000000_name")' >/dev/null
  run --separate-stderr mig-scan - --rehearse --scratch env:SCRATCH_URL <scan.rec
  assert_failure 78
  says "is on the production server: a scratch database there would use its memory and disk"
  run --separate-stderr bash -c 'head -n 2 scan.rec | mig-scan - --rehearse --scratch env:SCRATCH_URL'
  assert_failure 65
}

@test "what an earlier pending one made is told with its name, tables and columns" {
  migration 20240101000000_old 'CREATE TABLE old (id int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  migration 20240102000000_new 'CREATE TABLE new (id int); ALTER TABLE old ADD extra int;'
  migration 20240103000000_drop 'DROP TABLE new; ALTER TABLE old DROP extra, DROP id;'
  rehearse
  assert_equal "$(jq -c 'select(.effect == "drop") | [.relation, .detail, .made_by]' <<<"$output")" '["new","table","20240102000000_new"]
["old","column extra","20240102000000_new"]
["old","column id",null]'
}

@test "the page says who waits for what, and what breaks" {
  migration 20240101000000_shop 'CREATE TABLE items (id int PRIMARY KEY); CREATE TABLE orders (id int, item int, CONSTRAINT k FOREIGN KEY (item) REFERENCES items);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  migration 20240102000000_key 'ALTER TABLE orders DROP CONSTRAINT k;
ALTER TABLE orders
  ADD FOREIGN KEY (item) REFERENCES items;
UPDATE items SET id = 1;
DROP TABLE orders;'
  rehearse --format=text
  assert_code 0
  [[ $output == *'on empty tables in the time zone '*': the pending one runs
20240102000000_key
     1 | ALTER TABLE orders DROP CONSTRAINT k
         items   reads and writes wait, from here to the end of the transaction, which has more to do (AccessExclusive)
         orders  reads and writes wait, from here to the end of the transaction, which has more to do (AccessExclusive)
     2 | ALTER TABLE orders ADD FOREIGN KEY (item) REFERENCES items
         orders  reads and writes wait while all its rows are read (AccessExclusive, since line 1)
         if that takes long: add it NOT VALID, then in a migration of its own VALIDATE CONSTRAINT, which blocks no reads or writes
     4 | UPDATE items SET id = 1
         items  rows are written (UPDATE); how many is not measured
     5 | DROP TABLE orders
         orders  the table is dropped
'* ]]
}

@test "mig-apply(1) has of its ten common changes what a rehearsal says" {
  diff <(sed -n '/^\.\\" changes/,/^\.Ed/p' "$TESTS/../man/mig-apply.1" | sed '1,2d;$d') <("$TESTS/man-examples" --changes)
}

@test "the plan in README is what the tools print" {
  diff <(sed -n '/^<!-- plan-picture/,/^## /p' "$TESTS/../README.md" | sed -n 's/^    //p; s/^$//p' | sed '1,2d;$d') <("$TESTS/plan-picture")
}

## The plan

# A line a finding: rule, severity, line, message.
findings() {
  jq -r 'select(.record == "finding") | "\(.rule) \(.severity) \(.line // "-") \(.message)"'
}

@test "a plan says what breaks, what is lost and what is new, each at its line; scripts, --strict and --allow move that" {
  untrapped
  migration 20240101000000_shop 'CREATE TABLE users (id int, city text, age int, CONSTRAINT u UNIQUE (id)); CREATE TABLE old (id int); CREATE TABLE logs (id int); CREATE TYPE state AS ENUM ($$new$$, $$paid$$);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  migration 20240102000000_change 'ALTER TABLE users RENAME COLUMN city TO town;
ALTER TABLE users ALTER age TYPE bigint, ADD phone text NOT NULL, ADD CONSTRAINT c CHECK (age > 0);
TRUNCATE logs;
ALTER TYPE state RENAME VALUE $$paid$$ TO $$settled$$;
-- the reports moved to the warehouse
-- mig: allow loses, breaks, nothing reads it since release 7
DROP TABLE old;
-- mig: allow loses
DELETE FROM logs;
ALTER TABLE logs RENAME TO events;'
  rehearse
  assert_code 0
  printf '%s\n' "$output" >scan.rec
  assert_equal "$(mig-plan -q scan.rec | findings)" 'destructive warning 9 DELETE without WHERE destroys data: logs
breaks warning 1 column city to town of users: statements of the running release that use the old name fail
retypes note 2 column age: integer to bigint of users: statements that compare it or compute with it may fail
breaks warning 2 the column phone of users must be given: an INSERT of the running release that leaves it out fails
restricts note 2 constraint c of users is a new rule: where a row violates it, the migration fails
loses warning 3 logs is emptied
breaks warning 4 value paid to settled of state: the running release writes and expects the old one
loses note 7 the table old is dropped, with its rows; allowed in the script: nothing reads it since release 7
breaks note 7 the table old is dropped: statements of the running release that use it fail; allowed in the script: nothing reads it since release 7
breaks warning 10 logs is renamed to events: statements of the running release that use the old name fail'
  run --separate-stderr mig-plan --strict=breaks scan.rec
  assert_code 1
  says 'migration.sql:1:1: column city to town of users' 'The plan is refused'
  says_not 'the table old is dropped'
  mig-plan -q --strict=loses scan.rec >/dev/null && return 1
  run --separate-stderr mig-plan --format=text scan.rec
  assert_code 0
  [[ ${lines[0]} == '1 of 1 steps needs attention: 1 destructive, 1 breaks, 1 loses' ]]
  shows '     1 | ALTER TABLE users RENAME COLUMN city TO town' 'users  reads and writes wait' 'if that takes long: '
}

@test "what is measured is part of the plan: of its digest, of a kept plan's page, and mig-apply reads it" {
  migration 20240101000000_users 'CREATE TABLE users (id int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  migration 20240102000000_age 'ALTER TABLE users ADD age int;'
  rehearse
  mig-plan -q -o kept.rec <<<"$output" >page
  assert_equal "$(mig-plan kept.rec --format=text | grep -v '^to ')" "$(grep -v '^to ' page)"
  assert_equal "$(mig-plan -q <<<"$output" | jq -c 'select(.record == "effect")')" "$(jq -c 'select(.record == "effect")' <<<"$output")"
  [[ $(jq -r 'select(.record == "end").digest' kept.rec) != "$(mig-scan | mig-plan -q | jq -r 'select(.record == "end").digest')" ]]
  mig-apply -q kept.rec >/dev/null
  assert_equal "$(applied | tail -n 1)" 20240102000000_age
}

@test "what failed in the rehearsal is not planned, and where it was on something else that is noted" {
  untrapped
  migration 20240101000000_users 'CREATE TABLE users (id int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  sql 'CREATE TABLE by_hand (id int)'
  migration 20240102000000_slip '-- a slip
ALTER TABLE users ADD a int,
  ADD b itn;'
  rehearse
  printf '%s\n' "$output" >scan.rec
  run --separate-stderr mig-plan scan.rec
  assert_code 1
  says '20240102000000_slip/migration.sql:3:9: failed in the rehearsal: type "itn" does not exist [42704] [rehearsal_failed]'
  assert_equal "$(findings <<<"$output" | grep differs)" 'differs note - in the database, and not created by the applied migrations: public.by_hand'
  jq -c 'if .record == "database" then .server_version = "13.2" | .server_version_num = 130002 else . end' scan.rec | seal >other.rec
  run --separate-stderr mig-plan other.rec
  assert_equal "$(findings <<<"$output" | grep -c 'differs note - rehearsed on PostgreSQL .*, and the database has 13.2')" 1
}

@test "with sizes a plan says who would wait how long, which mig-apply would not allow, and how to write it" {
  migration 20240101000000_big 'CREATE TABLE big (id int, note text); CREATE TABLE small (id int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  sql "INSERT INTO big SELECT i, repeat('x', 100) FROM generate_series(1, 30000) i; ANALYZE big; INSERT INTO small VALUES (1)"
  migration 20240102000000_types 'ALTER TABLE small ALTER id TYPE bigint;
ALTER TABLE small ADD a int;
ALTER TABLE big ALTER id TYPE bigint;'
  rehearse --load=10ms
  assert_code 0
  printf '%s\n' "$output" >scan.rec
  assert_equal "$(jq -c 'select(.record == "load") | [.relation, .rows, .main_bytes > 3000000, .counted_ms]' scan.rec)" '["big",30000,true,10]
["small",null,false,10]'
  # 4 MB are much less than 1 s
  mig-plan -q --strict=stalls scan.rec >/dev/null
  run --separate-stderr mig-plan -q --max-stall=20ms --strict=stalls scan.rec
  assert_code 1
  run bash -c 'mig-plan -q --max-stall=20ms scan.rec | jq -r "select(.rule == \"stalls\") | \"\(.line) \(.message)\""'
  # the small table's lock is held over the large one's work
  assert_line --index 0 --regexp '^3 reads and writes of small wait about [0-9]+–[0-9]+ ms \(.*\); mig-apply would cancel it after 0\.02 s$'
  assert_line --index 1 --regexp '^3 reads and writes of big wait about [0-9]+–[0-9]+ ms \(30 k rows, [34]\.[0-9] MB, .*\); mig-apply would cancel it after 0\.02 s$'
  run --separate-stderr mig-plan --max-stall=20ms --format=text scan.rec
  shows '   30 k rows, ' 'warning: mig-apply would cancel it after 0.02 s [stalls]' 'a new column, backfill it in batches'
  jq -c 'if .record == "load" and .relation == "big" then .main_bytes = 8000000000 else . end' scan.rec | seal >large.rec
  assert_equal "$(mig-plan -q large.rec | jq -r 'select(.rule == "stalls" and (.message | test("of big"))).message' | grep -o 'about [^(]*')" 'about 0.7–6.7 min '
  run --separate-stderr mig-scan --rehearse --load --offline
  assert_failure 64
}

## What goes wrong

@test "a pending script that fails is an effect with its place; behind it nothing runs" {
  migration 20240101000000_a 'CREATE TABLE a (id int);'
  migration 20240102000000_b 'CREATE TABLE b (id int);
ALTER TABLE a ADD x int;
ALTER TABLE nowhere ADD x int;'
  migration 20240103000000_c 'DROP TABLE a;'
  rehearse --offline
  assert_code 0
  assert_equal "$(effects <<<"$output")" '2 lock a AccessExclusiveLock
3 error - - 42P01'
  assert_equal "$(jq -c 'select(.effect == "error") | [.migration, .line, .detail]' <<<"$output")" \
    '["20240102000000_b",3,"42P01 relation \"nowhere\" does not exist"]'
  assert_equal "$(jq -c 'select(.record == "rehearsal") | [.pending, .rehearsed]' <<<"$output")" '[3,1]'
  says 'warning: 1 of 3 pending migrations ran, and the next one fails'
}

@test "an applied script that does not run ends the rehearsal with 1 and its place" {
  migration 20240101000000_a 'CREATE TABLE a (id int);'
  mig-scan | mig-plan --mark-applied 20240101000000_a | mig-apply -q >/dev/null
  migration 20240101000000_a 'CREATE TABLE a (id itn);'
  migration 20240102000000_b 'CREATE TABLE b (id int);'
  rehearse
  assert_code 1
  says '20240101000000_a/migration.sql:1:20: error: type "itn" does not exist [42704]'
  assert_equal "$(tail -n 1 <<<"$output" | jq -r .record)" failed
}

# A database that nobody works in: those of other tests have a session, whose process is in the name.
no_scratch_left() {
  [[ -z $(PGDATABASE=postgres sql_admin "SELECT datname FROM pg_database WHERE datname LIKE 'mig\_scratch\_%'
    AND split_part(datname, '_', 3) NOT IN (SELECT pid::text FROM pg_stat_activity)") ]]
}

@test "awkward scripts are measured, or named as what does not run, and the scratch database is gone" {
  local name sql want
  migration 20240101000000_t 'CREATE TABLE t (id int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  mkdir "$FOLDER/20240102000000_x"
  while IFS='|' read -r name sql want; do
    # before PostgreSQL 15 public is not the database's owner's
    [[ $name != 'all of the schema goes' ]] || (($(sql 'SHOW server_version_num') >= 150000)) || continue
    printf '%b' "$sql" >"$FOLDER/20240102000000_x/migration.sql"
    rehearse --wait=1s
    assert_equal "$name: $status $(effects <<<"$output" | xargs)" "$name: 0 $want"
  done <<'CASES'
isolation first|SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; ALTER TABLE t ADD a int;|2 lock t AccessExclusiveLock
isolation behind a lock|LOCK TABLE t IN SHARE MODE; SET TRANSACTION READ WRITE; SELECT FROM t;|1 lock t ShareLock 3 scan t ShareLock
its own session ends|ALTER TABLE t ADD a int; SELECT pg_terminate_backend(pg_backend_pid());|1 lock t AccessExclusiveLock 2 error - - 57P01
all of the schema goes|DROP SCHEMA public CASCADE; CREATE SCHEMA public;|1 lock _prisma_migrations AccessExclusiveLock 1 lock t AccessExclusiveLock 1 drop _prisma_migrations - table 1 drop t - table
a loop without an end|DO $$ BEGIN LOOP END LOOP; END $$;|1 error - - 57014
a loop that catches the end|DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(0.1); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$;|1 error - - 57014
emptied inside|CREATE INDEX ON t (id); DO $$ BEGIN TRUNCATE t; END $$;|1 lock t ShareLock 1 scan t ShareLock 1 build t ShareLock index t_id_idx 2 lock t AccessExclusiveLock 2 empty t AccessExclusiveLock
rewritten inside|CREATE INDEX ON t (id); DO $$ BEGIN ALTER TABLE t ALTER id TYPE bigint; END $$;|1 lock t ShareLock 1 scan t ShareLock 1 build t ShareLock index t_id_idx 2 lock t AccessExclusiveLock 2 rewrite t AccessExclusiveLock 2 retype t - column id: integer to bigint
rows twice|UPDATE t SET id = 1; SELECT 1; UPDATE public.t SET id = 2;|1 lock t RowExclusiveLock 1 rows t RowExclusiveLock UPDATE 3 rows t RowExclusiveLock UPDATE
the server|ALTER SYSTEM SET work_mem = 1;|1 error - - 42501
a program|COPY t TO PROGRAM 'id';|1 error - - 42501
another database|CREATE DATABASE x;|1 error - - 42501
a transaction of its own|BEGIN; ALTER TABLE t ADD a int; COMMIT; TRUNCATE t;|2 lock t AccessExclusiveLock 4 lock t AccessExclusiveLock 4 empty t AccessExclusiveLock
a transaction left open|BEGIN; ALTER TABLE t ADD a int;|2 lock t AccessExclusiveLock 2 error - - 25000
nothing that stays|BEGIN; DROP TABLE t; ROLLBACK; SELECT 1;|2 lock t AccessExclusiveLock
temporary|CREATE TEMP TABLE u AS SELECT * FROM t; CREATE UNLOGGED TABLE v (id int); DROP TABLE u;|1 scan t AccessShareLock
in a function|DO $$ BEGIN EXECUTE 'ALTER TABLE t ADD a int DEFAULT random()'; END $$;|1 lock t AccessExclusiveLock 1 rewrite t AccessExclusiveLock
a value of an enum|CREATE TYPE e AS ENUM ('a'); ALTER TYPE e ADD VALUE 'b'; ALTER TABLE t ADD c e DEFAULT 'b';|3 lock t AccessExclusiveLock
in a block, and it may not|BEGIN; CREATE INDEX CONCURRENTLY i ON t (id); COMMIT;|2 error - - 25001
comes and goes|ALTER TABLE t ADD a int NOT NULL; ALTER TABLE t DROP a; ALTER TABLE t ADD b int NOT NULL;|1 lock t AccessExclusiveLock 1 scan t AccessExclusiveLock 3 scan t AccessExclusiveLock 3 require t - column b
nothing||
CASES
  eventually no_scratch_left
}

@test "long runs of INSERTs are looked at together, and an error in them has its place" {
  migration 20240101000000_t 'CREATE TABLE t (id int PRIMARY KEY);'
  {
    for ((i = 0; i < 3000; i++)); do echo "INSERT INTO t VALUES ($i);"; done
    echo 'ALTER TABLE t ADD a int;'
  } | migration 20240102000000_rows
  rehearse --offline
  assert_equal "$(effects <<<"$output")" '1 lock t RowExclusiveLock
1 rows t RowExclusiveLock INSERT
3001 lock t AccessExclusiveLock'
  sed -i '2000s/1999/7/' "$FOLDER/20240102000000_rows/migration.sql"
  rehearse --offline
  assert_equal "$(jq -c 'select(.effect == "error") | [.statement, .line, .detail[:5]]' <<<"$output")" '[2000,2000,"23505"]'
}

@test "with nothing pending there is a rehearsal without effects" {
  migration 20240101000000_t 'CREATE TABLE t (id int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  rehearse
  assert_code 0
  assert_equal "$(jq -c 'select(.record == "rehearsal" or .record == "effect") | [.record, .pending, .rehearsed]' <<<"$output")" '["rehearsal",0,0]'
  says 'there is nothing pending to rehearse'
}

@test "a server of our own keeps the applied ones and nothing of the pending; also after a kill nothing stays" {
  local pid replica='SET session_replication_role = replica'
  migration 20240101000000_t 'CREATE TABLE t (id int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  # a right to a setting can be given since PostgreSQL 15
  (($(sql 'SHOW server_version_num') >= 150000)) || replica='SELECT 1'
  migration 20240102000000_role "$replica; CREATE ROLE rehearsed; GRANT SELECT ON t TO rehearsed; DROP TABLE t;"
  mig-scan --rehearse -q >once.rec
  mig-scan --rehearse -q >twice.rec
  cmp once.rec twice.rec
  assert_equal "$(effects <once.rec | tail -n 1)" '4 drop t - table'
  cp "$FOLDER/20240102000000_role/migration.sql" role.sql
  printf 'SELECT pg_sleep(600);' >"$FOLDER/20240102000000_role/migration.sql"
  mig-scan --rehearse >/dev/null 2>&1 3>&- &
  pid=$!
  eventually 60 own_server_sleeps
  kill -KILL "$pid"
  wait "$pid" || true
  cp role.sql "$FOLDER/20240102000000_role/migration.sql"
  mig-scan --rehearse -q >after.rec
  cmp once.rec after.rec
  assert_equal "$(ls "$CACHE/mig/run")" ''
}

@test "a stream of an older release has no time zone; effects without their head, out of place or of unknown words are refused" {
  local filter
  migration 20240101000000_t 'CREATE TABLE t (id int);'
  migration 20240102000000_u 'ALTER TABLE t ADD a int;'
  rehearse --offline
  printf '%s\n' "$output" >whole.rec
  mig-scan | jq -c 'del(.time_zone)' | seal | mig-plan -q >/dev/null
  mig-plan -q --from-empty whole.rec >/dev/null
  while IFS= read -r filter; do
    jq -c "$filter" whole.rec | seal >changed.rec
    run --separate-stderr mig-plan --from-empty changed.rec
    assert_code 65
  done <<'FILTERS'
select(.record != "rehearsal")
if .effect == "lock" then .effect = "look" else . end
if .record == "effect" then .mode = "Exclusive" else . end
if .effect == "lock" then .relation = null else . end
if .effect == "lock" then .statement = 0 else . end
if .effect == "lock" then .effect = "drop" else . end
if .record == "rehearsal" then ., . else . end
if .record == "rehearsal" then ., {record: "migration", migration: "x", flaw: "no_script"} else . end
FILTERS
}

@test "options that do not go together with --rehearse are refused" {
  run --separate-stderr mig-scan --rehearse --catalog
  assert_failure 64
  run --separate-stderr mig-scan - --rehearse -d env:DATABASE_URL
  assert_failure 64
  says 'mig-scan --rehearse - asks no database'
  run --separate-stderr mig-scan --scratch env:SCRATCH_URL
  assert_failure 64
  says '--scratch and --same-server are for --replay, --rehearse and --draft'
}
