#!/usr/bin/env bats
# What the real Prisma Migrate makes of down.sql, and of what mig has taken back; and the other way round.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words
load prisma

setup_file() { server_start; }
teardown_file() { server_stop; }

setup() {
  unset SHADOW_DATABASE_URL
  prisma_available
  database_new
  folder_new
  prisma_project
  SCRATCH_URL=$(PGDATABASE=postgres database_url)
  export SCRATCH_URL
  migration 1_users 'CREATE TABLE users (id int PRIMARY KEY, name text);'
  migration 2_note 'ALTER TABLE users ADD note text;'
  echo 'ALTER TABLE users DROP COLUMN note;' >"$FOLDER/2_note/down.sql"
  migration 3_logs 'CREATE TABLE logs (id int);'
  echo 'DROP TABLE logs;' >"$FOLDER/3_logs/down.sql"
}

take_back() { mig-scan -q --rehearse --scratch env:SCRATCH_URL --same-server | mig-plan -q --down-to "$1" | mig-apply -q >/dev/null; }

rows() { history | cut -d'|' -f1,3-; }

@test "Prisma passes down.sql over; what mig takes back of its work it says nothing of, and applies again" {
  run prisma deploy
  assert_success
  schema_dump >after.sql
  take_back 1_users
  assert_equal "$(relations)" $'_prisma_migrations\n_prisma_migrations_pkey\nusers\nusers_pkey'
  run prisma status
  assert_success
  assert_output --partial 'Database schema is up to date'
  run prisma resolve --applied 3_logs
  assert_failure
  assert_output --partial P3008
  # half by mig, the rest by Prisma
  run --separate-stderr bash -c 'mig-scan | mig-plan --to 2_note | mig-apply'
  assert_code 0
  run prisma deploy
  assert_success
  assert_output --partial 3_logs
  assert_equal "$(schema_dump)" "$(cat after.sql)"
  assert_equal "$(rows)" '1_users|finished|-|1|-
2_note|finished|rolled_back|1|-
3_logs|finished|rolled_back|1|-
2_note|finished|-|1|-
3_logs|finished|-|1|-'
  # and once more: of two rows of a name the one that counts is rolled back
  take_back 1_users
  pipeline
  assert_code 0
  assert_equal "$(schema_dump)" "$(cat after.sql)"
  assert_equal "$(applied)" $'1_users\n2_note\n3_logs'
}

@test "while a down.sql is half done Prisma refuses to deploy (P3009), as mig does; where it is finished, Prisma goes on" {
  migration 4_names 'CREATE INDEX CONCURRENTLY names ON users (name);'
  echo 'DROP INDEX CONCURRENTLY names;' >"$FOLDER/4_names/down.sql"
  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply'
  assert_code 0
  mig-scan -q --rehearse --scratch env:SCRATCH_URL --same-server | mig-plan -q --down-to 3_logs -o plan.rec
  session_begin 'BEGIN; SELECT FROM users'
  killed_in 'DROP INDEX CONCURRENTLY' mig-apply plan.rec
  session_end "$SESSION"
  eventually sql "SELECT 1 / (count(*) = 0)::int FROM pg_locks WHERE locktype = 'advisory'" >/dev/null
  run prisma deploy
  assert_failure
  assert_output --partial 'P3009'
  run --separate-stderr mig-apply plan.rec
  assert_code 0
  run prisma deploy
  assert_success
  assert_output --partial 4_names
  assert_equal "$(rows | tail -n 2)" '4_names|finished|rolled_back|1|-
4_names|finished|-|1|-'
}
