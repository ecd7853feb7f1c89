#!/usr/bin/env bats
# Taking back: down.sql is tried in a rehearsal, mig-plan --down-to decides, mig-apply does it.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }

setup() {
  unset SHADOW_DATABASE_URL
  database_new
  folder_new
  SCRATCH_URL=$(PGDATABASE=postgres database_url)
  export SCRATCH_URL
}

down() { cat >"$FOLDER/$1/down.sql"; }

# The tests' server is as good as one of our own, and there already; it is production's, too.
rehearse() { mig-scan -q --rehearse --scratch env:SCRATCH_URL --same-server; }

deploy() { mig-scan -q | mig-plan -q | mig-apply -q; }

# Two migrations to take back, behind one that stays; and what there was before them.
two_applied() {
  migration 1_users 'CREATE TABLE users (id int PRIMARY KEY, name text);
INSERT INTO users VALUES (1, $$a$$), (2, $$b$$);'
  deploy
  schema_dump >before.sql
  migration 2_note 'ALTER TABLE users ADD note text; ALTER TABLE users ADD rank int NOT NULL DEFAULT 7;'
  down 2_note <<<'ALTER TABLE users DROP COLUMN note, DROP COLUMN rank;'
  migration 3_logs 'CREATE TABLE logs (id int); CREATE INDEX logs_id ON logs (id);'
  down 3_logs <<<'DROP TABLE logs;'
  deploy
}

verdicts() { jq -r 'select(.effect == "down") | "\(.migration) \(.statement):\(.line):\(.column // "-") \(.detail)"'; }

steps() { jq -r 'select(.record == "step") | "\(.step) \(.action) \(.migration)"' "$@"; }

## Trying it out

@test "up, down, up: what down.sql leaves, forgets or cannot do is told, and what both take away for good" {
  migration 1_base 'CREATE TABLE users (id int PRIMARY KEY, name text, city varchar(20)); CREATE TYPE mood AS ENUM ($$a$$);'
  migration 2_good 'ALTER TABLE users ADD note text; ALTER TABLE users RENAME COLUMN name TO title;'
  down 2_good <<<'ALTER TABLE users RENAME COLUMN title TO name; ALTER TABLE users DROP COLUMN note;'
  migration 3_half 'ALTER TABLE users ADD a int; CREATE INDEX ai ON users (a); ALTER TABLE users ALTER id SET STATISTICS 10;'
  down 3_half <<<'DROP INDEX ai;'
  migration 4_fails 'CREATE TABLE t (a int);'
  printf 'SELECT 1;\n  DROP TABLE tt;\n' | down 4_fails
  migration 5_gone 'ALTER TABLE users DROP COLUMN city; ALTER TABLE users ALTER a TYPE bigint;'
  down 5_gone <<<'ALTER TABLE users ADD city varchar(20); ALTER TABLE users ALTER a TYPE int;'
  migration 6_twice 'CREATE TABLE IF NOT EXISTS u (a int); INSERT INTO u VALUES (1); ALTER TABLE u ADD UNIQUE (a);'
  down 6_twice <<<'ALTER TABLE u DROP CONSTRAINT u_a_key;'
  migration 7_none 'SELECT 1;'
  run --separate-stderr rehearse
  assert_code 0
  assert_equal "$(verdicts <<<"$output")" '2_good 1:1:- verified
3_half 1:1:- differs: left over column a of users; column id of users is integer; not null; statistics 10, was integer; not null
4_fails 2:2:3 fails: 42P01 table "tt" does not exist
5_gone 1:1:- verified
6_twice 1:1:- differs: left over column a of u; left over table u'
  assert_equal "$(records 'select(.record == "loss") | "\(.migration) \(.by) \(.relation) \(.column // "rows") \(.type // "-")"')" '2_good down users note -
5_gone up users city -
5_gone down users a integer'
  assert_equal "$(records 'select(.record == "loss" and .type != null) | .probe')" 'EXISTS (SELECT FROM "public"."users" WHERE "a"::integer::bigint::pg_catalog.text OPERATOR(pg_catalog.<>) "a"::pg_catalog.text)'
  # the order of folder and history is that of the records, and a plan reads them
  run --separate-stderr mig-plan --format=text <<<"$output"
  assert_code 0
  shows '1 of 7 steps does not come back: the values of column city of users; a restore is the only way' '2_good' 'undo   down.sql takes it back, as tried out; by then lost: the values of column note of users' \
    'undo   down.sql does not take it back: differs: left over column a of users' \
    'undo   down.sql takes the schema back, as tried out; but only a backup has the values of column city of users; by then lost: '
}

## Taking back

@test "newest first, down to and without NAME: the schema is as before, the rows are rolled back, and a deploy applies it again" {
  two_applied
  rehearse | mig-plan --down-to 1_users -o plan.rec >page
  assert_equal "$(steps plan.rec)" '1 revert 3_logs
2 revert 2_note'
  assert_equal "$(jq -r 'select(.record == "step") | .checksum' plan.rec)" "$(sha256sum "$FOLDER"/{3_logs,2_note}/down.sql | cut -c1-64)"
  run grep -c 'is taken back: ' page
  assert_output 2
  run --separate-stderr mig-apply --dry-run plan.rec
  assert_code 0
  run --separate-stderr mig-apply --expect "$(mig-plan --format=digest plan.rec)" -o results.rec plan.rec
  assert_code 0
  says '1/2  3_logs  reverted' '2/2  2_note  reverted' 'took back 2 of 2'
  assert_equal "$(schema_dump)" "$(cat before.sql)"
  assert_equal "$(history | cut -d'|' -f1,3-)" '1_users|finished|-|1|-
2_note|finished|rolled_back|1|-
3_logs|finished|rolled_back|1|-'
  run mig-check deploy <results.rec
  assert_code 0
  assert_line --partial 'OK: deploy: 2 of 2 taken back'
  # the plan is done: nothing to do, also with a plan of before
  run --separate-stderr mig-apply plan.rec
  assert_code 0
  says 'nothing to do: another deployer took back all 2 steps'
  pipeline
  assert_code 0
  assert_equal "$(applied)" $'1_users\n2_note\n3_logs'
  assert_equal "$(sql 'SELECT count(*) FROM _prisma_migrations')" 5
  # and it is no plan for what was applied since
  run --separate-stderr mig-apply plan.rec
  assert_code 65
  says 'the history has changed since this plan was made'
}

@test "what was not tried, or does not take back, is refused by its name; --allow runs it" {
  two_applied
  down 2_note <<<'ALTER TABLE users DROP COLUMN note;'
  mig-scan -q >plain.rec
  rehearse >rehearsed.rec
  run --separate-stderr mig-plan --down-to 1_users plain.rec
  assert_code 1
  says '3_logs: its down.sql was not tried out, so nothing says that it takes the migration back [unverified_down]' \
    'mig-scan --rehearse | mig-plan --down-to=1_users'
  run --separate-stderr mig-plan --down-to 1_users rehearsed.rec
  assert_code 1
  says '2_note: its down.sql does not take the migration back: it differs: left over column rank of users [unverified_down]'
  says_not '3_logs: its'
  mig-plan -q --down-to 1_users --allow unverified_down plain.rec -o plan.rec
  run --separate-stderr mig-apply plan.rec
  assert_code 0
  assert_equal "$(sql "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped")" 'id name rank'
}

@test "what has no down.sql cannot be taken back; names that are not applied, and options that do not fit, are refused" {
  two_applied
  migration 4_none 'SELECT 1;'
  migration 5_bytes 'SELECT 1;'
  printf 'SELECT 1;\0' | down 5_bytes
  deploy
  migration 6_pending 'SELECT 1;'
  mv "$FOLDER/3_logs" .
  mig-scan -q >scan.rec
  run --separate-stderr mig-plan --down-to 2_note scan.rec
  assert_code 1
  says '3_logs: it is not in the folder, so nothing takes it back [no_down]' '4_none: it has no down.sql, so nothing takes it back [no_down]' \
    '5_bytes: its down.sql is not UTF-8 or has a NUL byte'
  run --separate-stderr mig-plan --down-to 6_pending scan.rec
  assert_code 64
  says '--down-to 6_pending: it is not applied'
  run --separate-stderr mig-plan --down-to 2_not scan.rec
  assert_code 64
  says 'Did you mean --down-to 2_note?'
  run --separate-stderr mig-plan --down-to 2_note --to 3_logs scan.rec
  assert_code 64
  says '--down-to cannot be combined'
  run --separate-stderr mig-plan --format=text --down-to 5_bytes scan.rec
  assert_code 0
}

@test "rows that came since stop it under the lock, with nothing changed; --allow=loses takes it back with them" {
  two_applied
  rehearse >scan.rec
  mig-plan -q --down-to 2_note scan.rec -o plan.rec
  mig-plan -q --down-to 1_users scan.rec -o both.rec
  sql 'UPDATE users SET rank = 7; INSERT INTO logs VALUES (1)'
  run --separate-stderr mig-apply plan.rec
  assert_code 1
  says '3_logs/down.sql: error: this would lose the rows of logs, and there are some [MG001]' 'rolled back' \
    'next: save them; or lose them:  mig-scan --rehearse --scratch=env:SCRATCH_URL --same-server | mig-plan --down-to=2_note --allow=loses | mig-apply'
  assert_equal "$(sql 'SELECT count(*) FROM logs')" 1
  assert_equal "$(applied)" $'1_users\n2_note\n3_logs'
  # what a constant default gave does not count
  sql 'DELETE FROM logs; UPDATE users SET note = $$new$$ WHERE id = 2'
  run --separate-stderr mig-apply both.rec
  assert_code 1
  says '2_note/down.sql: error: this would lose the values of column note of users, and there are some' 'committed     step 1'
  assert_equal "$(applied)" $'1_users\n2_note'
  sql 'UPDATE users SET note = NULL, rank = 8 WHERE id = 1'
  # what was allowed before stays allowed in the command that is printed
  run --separate-stderr bash -c 'mig-scan | mig-plan --down-to 1_users --allow unverified_down | mig-apply'
  assert_code 1
  next=$(sed -n 's/^next: save them; or lose them:  //p' <<<"$stderr")
  assert_equal "$next" 'mig-scan | mig-plan --down-to=1_users --allow=unverified_down --allow=loses | mig-apply'
  run --separate-stderr bash -c "$next"
  assert_code 0
  assert_equal "$(schema_dump)" "$(cat before.sql)"
}

@test "a busy table is waited for in short attempts, and what takes longer than --max-stall is cancelled" {
  two_applied
  rehearse | mig-plan -q --down-to 1_users -o plan.rec
  session_begin 'BEGIN; LOCK TABLE users IN ACCESS SHARE MODE'
  run --separate-stderr mig-apply --wait 2s plan.rec
  assert_code 75
  says 'users stayed busy' 'held by       pid ' 'committed     step 1'
  session_end "$SESSION"
  down 2_note <<<'SELECT pg_sleep(20); ALTER TABLE users DROP COLUMN note, DROP COLUMN rank;'
  sed -i 's/^/LOCK TABLE users; /' "$FOLDER/2_note/down.sql"
  mig-scan -q | mig-plan -q --down-to 1_users --allow unverified_down,loses -o plan.rec
  begin mig-apply --max-stall 0.3s plan.rec
  eventually sql "SELECT 1 / count(*) FROM pg_locks WHERE relation = 'users'::regclass AND mode = 'AccessExclusiveLock'" >/dev/null
  sql 'SET statement_timeout = 0; SELECT count(*) FROM users' >/dev/null
  finish
  assert_code 1
  says 'this needs longer than --max-stall allows'
  assert_equal "$(applied)" $'1_users\n2_note'
}

@test "behind a lock it tries again until it gets it, and those who read meanwhile hardly wait" {
  two_applied
  rehearse | mig-plan -q --down-to 1_users -o plan.rec
  session_begin 'BEGIN; LOCK TABLE users IN ACCESS SHARE MODE'
  begin mig-apply --wait 2min plan.rec
  # the first step is done, and the second comes to the lock: its attempts are short, with pauses in between
  eventually grep -q '1/2  3_logs' "$JOB_ERR"
  sql "SET statement_timeout = '2s'; SELECT count(*) FROM users" >/dev/null
  session_end "$SESSION"
  finish
  assert_code 0
  says '2/2  2_note  reverted'
  assert_equal "$(schema_dump)" "$(cat before.sql)"
}

@test "eight at once: one takes back, the others exit 0" {
  local i jobs=()
  two_applied
  rehearse | mig-plan -q --down-to 1_users -o plan.rec
  for i in {1..8}; do
    mig-apply -q plan.rec 2>"err.$i" 3>&- &
    jobs+=($!)
  done
  for i in "${jobs[@]}"; do
    wait "$i" || fail "$(cat err.*)"
  done
  assert_equal "$(schema_dump)" "$(cat before.sql)"
  assert_equal "$(applied)" 1_users
}

@test "psql takes back by a script: with the same row, and the same refusal of rows that came since" {
  two_applied
  migration 4_concurrently 'CREATE INDEX CONCURRENTLY names ON users (name);'
  down 4_concurrently <<<'DROP INDEX CONCURRENTLY names;'
  deploy
  rehearse | mig-plan -q --down-to 1_users -o plan.rec
  mig-plan --format=sql plan.rec >plan.sql
  sql 'INSERT INTO logs VALUES (1)'
  run psql -qf plan.sql
  assert_failure
  assert_output --partial 'this would lose the rows of logs, and there are some'
  assert_equal "$(applied)" $'1_users\n2_note\n3_logs'
  sql 'DELETE FROM logs'
  rehearse | mig-plan -q --down-to 1_users --format=sql >plan.sql
  run psql -qf plan.sql
  assert_success
  assert_equal "$(schema_dump)" "$(cat before.sql)"
  assert_equal "$(history | cut -d'|' -f1,3-)" '1_users|finished|-|1|-
2_note|finished|rolled_back|1|-
3_logs|finished|rolled_back|1|-
4_concurrently|finished|rolled_back|1|-'
}

@test "a down.sql outside of a transaction is resumed where it was killed; until then nobody deploys" {
  two_applied
  migration 4_concurrently 'CREATE INDEX CONCURRENTLY names ON users (name);'
  down 4_concurrently <<<'DROP INDEX CONCURRENTLY names; ALTER TABLE users ALTER name SET DEFAULT $$x$$; ALTER TABLE users ALTER name DROP DEFAULT;'
  deploy
  rehearse | mig-plan -q --down-to 1_users -o plan.rec
  session_begin 'BEGIN; SELECT FROM users'
  killed_in 'DROP INDEX CONCURRENTLY' mig-apply plan.rec
  session_end "$SESSION"
  assert_equal "$(history | sed -n 's/^4_concurrently|[^|]*|//p')" '-|-|1|logs'
  pipeline
  assert_code 1
  says '4_concurrently: taking it back was interrupted at statement 1 of 3 of its down.sql; it blocks every deploy (P3009)' \
    'mig-scan | mig-plan --down-to=3_logs | mig-apply    (finishes that)'
  # a new plan of what is left, and the old one, which knows nothing of that
  eventually mig-scan -q -o scan.rec
  mig-plan -q --down-to 3_logs --allow unverified_down scan.rec -o left.rec
  assert_equal "$(jq -c 'select(.record == "step") | [.action, .resume_at, .resume_begun]' left.rec)" '["revert",1,true]'
  run --separate-stderr mig-apply plan.rec
  assert_code 0
  assert_equal "$(schema_dump)" "$(cat before.sql)"
  assert_equal "$(history | sed -n 's/^4_concurrently|[^|]*|//p')" 'finished|rolled_back|1|-'
  # what that plan was made of is gone: it is done
  run --separate-stderr mig-apply left.rec
  assert_code 65
}

@test "a down.sql outside of a transaction that fails at once leaves an applied migration" {
  two_applied
  migration 4_concurrently 'CREATE INDEX CONCURRENTLY names ON users (name);'
  down 4_concurrently <<<'DROP INDEX CONCURRENTLY no_such_index;'
  deploy
  history >history.before
  mig-scan -q | mig-plan -q --down-to 3_logs --allow unverified_down,loses -o plan.rec
  run --separate-stderr mig-apply plan.rec
  assert_code 1
  says '4_concurrently/down.sql:1:1: error: index "no_such_index" does not exist'
  assert_equal "$(history)" "$(cat history.before)"
  pipeline
  assert_code 0
}

@test "killed at any message of a revert of each kind, the next plain run ends it: a share of the matrix" {
  run "$TESTS/fuzz/revert-kills" 149
  assert_success
  assert_output --partial ': 0 wrong'
}
