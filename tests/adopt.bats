#!/usr/bin/env bats
# A database without a history: where in the folder's history it is, and --baseline with that proof.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }

setup() {
  untrapped
  unset SHADOW_DATABASE_URL
  database_new
  folder_new
  SCRATCH_URL=$(PGDATABASE=postgres database_url)
  export SCRATCH_URL
  migration 1_users 'CREATE TABLE users (id int PRIMARY KEY, name varchar(20)); CREATE TYPE mood AS ENUM ($$a$$, $$b$$);'
  migration 2_orders 'CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users, total numeric(10,2) CHECK (total > 0)); CREATE INDEX by_user ON orders (user_id);'
  migration 3_data 'INSERT INTO users VALUES (1, $$x$$);'
  migration 4_note 'ALTER TABLE users ADD note text;'
  migration 5_view 'CREATE VIEW names AS SELECT name FROM users;'
}

# The database is made by hand, from the first N.
made_from() {
  local name n=0
  for name in "$FOLDER"/*/migration.sql; do
    ((n++ < $1)) || break
    sql <"$name"
  done
}

rehearse() { mig-scan -q --rehearse --scratch env:SCRATCH_URL --same-server "$@"; }

prefixes() { jq -r 'select(.record == "prefix") | "\(.migration) \(.equal) \(.difference_count)"'; }

@test "the longest prefix that fits is found, and --baseline records it with that proof; a prefix that makes the same fits as well" {
  made_from 3
  rehearse -o scan.rec >page
  run prefixes <scan.rec
  assert_output '2_orders true 0
3_data true 0'
  run cat page
  assert_line 'your database is at 3_data: its schema is what the migrations up to there make'
  assert_line 'those up to 2_orders make the same one, so nothing tells whether the later ones have run, which may change rows; if they have not, name 2_orders'
  assert_line 'to record that:  mig-scan --rehearse --scratch=env:SCRATCH_URL --same-server | mig-plan --baseline=3_data | mig-apply'
  run --separate-stderr mig-plan scan.rec
  assert_code 1
  says 'mig-plan --baseline=3_data | mig-apply    (compared: the schema is what the migrations up to this one make)' \
    'mig-plan --baseline=2_orders | mig-apply    (the same schema: if the later ones, which may change rows, have not run)'
  run --separate-stderr bash -c 'mig-plan --baseline=3_data scan.rec | mig-apply'
  assert_code 0
  says_not on_faith
  assert_equal "$(applied)" $'1_users\n2_orders\n3_data'
  pipeline
  assert_code 0
  assert_equal "$(sql 'SELECT count(*) FROM _prisma_migrations')" 5
}

@test "without the proof it is on faith, which is a warning; another place than the one that was found is refused" {
  made_from 4
  mig-scan -q -o plain.rec
  run --separate-stderr mig-plan --baseline 4_note plain.rec
  assert_code 0
  says '4_note: nobody compared whether the database has what the migrations up to here make [on_faith]'
  run --separate-stderr mig-plan --strict=on_faith --baseline 4_note plain.rec
  assert_code 1
  says 'mig-scan --rehearse --to=4_note | mig-plan --baseline=4_note    (compares the schema first)'
  rehearse -o scan.rec
  run --separate-stderr mig-plan --baseline 3_data scan.rec
  assert_code 1
  says '3_data: the database has the schema of the migrations up to 4_note, and not of those up to here [not_at]'
  # asked for one place, it is that one
  rehearse --to 3_data -o scan.rec
  assert_equal "$(prefixes <scan.rec)" '3_data false 1'
  run --separate-stderr mig-plan --baseline 3_data scan.rec
  assert_code 1
  says '3_data: the database does not have the schema that the migrations up to here make: 1 difference [not_at]' 'users.note'
  run --separate-stderr mig-plan --baseline 3_data --allow not_at scan.rec
  assert_code 0
  run --separate-stderr mig-scan --rehearse --scratch env:SCRATCH_URL --same-server --to 3_dat
  assert_code 65
  says '--to: there is no migration 3_dat in prisma/migrations' 'Did you mean --to=3_data?'
  says_not 'rehearsed'
}

@test "one altered column, index, constraint, view or enum, and the difference is refused by its name" {
  local change name
  made_from 5
  while IFS='|' read -r change name; do
    sql "$change"
    rehearse -o scan.rec
    run --separate-stderr mig-plan --baseline 5_view scan.rec
    [[ $status == 1 ]] || fail "not refused: $change"
    says "$name" '[not_at]'
    run prefixes <scan.rec
    assert_output '5_view false 1'
    sql "${change#*-- }"
  done <<'CHANGES'
ALTER TABLE orders ALTER total TYPE numeric(12,2); -- ALTER TABLE orders ALTER total TYPE numeric(10,2)|orders.total
DROP INDEX by_user; -- CREATE INDEX by_user ON orders (user_id)|by_user
ALTER TABLE orders DROP CONSTRAINT orders_total_check; -- ALTER TABLE orders ADD CHECK (total > 0)|orders_total_check
CREATE OR REPLACE VIEW names AS SELECT name FROM users WHERE id > 0; -- CREATE OR REPLACE VIEW names AS SELECT name FROM users|names
CREATE TABLE extra (a int); -- DROP TABLE extra|extra
CHANGES
  # what hosts install besides, in schemas of their own, does not count
  sql 'CREATE SCHEMA host; CREATE TABLE host.jobs (a int)'
  rehearse -o scan.rec
  assert_equal "$(prefixes <scan.rec)" '5_view true 0'
}

@test "a squashed history is recognised like none: the folder's one migration makes what the database has" {
  made_from 5
  recorded 0_old
  recorded 0_older
  cat "$FOLDER"/*/migration.sql >all.sql
  rm -r "$FOLDER"
  migration 20260101000000_squashed <all.sql
  rehearse -o scan.rec
  assert_equal "$(prefixes <scan.rec)" '20260101000000_squashed true 0'
  run --separate-stderr bash -c 'mig-plan --baseline=20260101000000_squashed scan.rec | mig-apply'
  assert_code 0
  says_not on_faith
}
