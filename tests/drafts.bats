#!/usr/bin/env bats
# Drafts of down.sql: made of the schema before and after a migration, and tried out; tests/fuzz/draft-matrix has the many.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }

setup() {
  unset DATABASE_URL SHADOW_DATABASE_URL
  folder_new
  SCRATCH_URL=$(PGDATABASE=postgres database_url)
  export SCRATCH_URL
}

draft() { run --separate-stderr mig-scan --draft="$1" --scratch env:SCRATCH_URL; }

@test "a draft takes a migration back by what the server knows of it: what was renamed is renamed back, and what is lost is named on top" {
  migration 1_users 'CREATE TABLE users (id int PRIMARY KEY, name text, city text NOT NULL, flag boolean, age int); CREATE TYPE mood AS ENUM ($$a$$);
CREATE VIEW named AS SELECT 1 AS one; CREATE INDEX by_name ON users (name) WHERE flag;'
  migration 2_change 'DROP VIEW named; ALTER TABLE users RENAME name TO title; ALTER TABLE users ADD note text DEFAULT $$-$$, ADD CHECK (id > 0);
ALTER TABLE users DROP COLUMN city; ALTER TABLE users ALTER age TYPE bigint; DROP INDEX by_name; ALTER TYPE mood ADD VALUE $$b$$; CREATE TABLE logs (id serial PRIMARY KEY);
UPDATE users SET flag = true;'
  migration 3_later 'THIS IS NOT SQL;'
  draft 2_change
  assert_code 0
  assert_equal "$stderr" ''
  assert_output '-- A draft by mig-scan, from the schema before and after migration.sql. Read it before you keep it.
-- Tried out on empty tables: migration.sql, this, migration.sql again; the schema was equal each time.
-- It does not bring back:
--   the values of column city of users
--   what UPDATE does to rows (line 3 of migration.sql)
-- It takes away what was written since:
--   what integer does not hold of column age of users
--   the values of column note of users
--   the rows of logs

ALTER TABLE public.users DROP CONSTRAINT users_id_check;
ALTER TABLE public.users DROP COLUMN note;
DROP TABLE public.logs;
ALTER TABLE public.users RENAME COLUMN title TO name;
-- fails if the table has rows: the column has no default
ALTER TABLE public.users ADD COLUMN city text NOT NULL;
-- fails if a row has a value that goes; PostgreSQL takes none away, so a new type takes the place of this one
ALTER TYPE public.mood RENAME TO mood_old;
CREATE TYPE public.mood AS ENUM ('"'a'"');
DROP TYPE public.mood_old;
-- fails if a value does not fit this type
ALTER TABLE public.users ALTER COLUMN age TYPE integer USING age::integer;
CREATE INDEX by_name ON public.users USING btree (name) WHERE flag;
CREATE VIEW public.named AS
 SELECT 1 AS one;'
  # kept where the message says, it is tried as any other; and what is there already does not count for a draft
  printf '%s\n' "$output" >"$FOLDER/2_change/down.sql"
  mv "$FOLDER/3_later" .
  run --separate-stderr mig-scan --offline --rehearse --scratch env:SCRATCH_URL
  assert_code 0
  assert_equal "$(records 'select(.effect == "down") | .detail')" verified
  : >"$FOLDER/2_change/down.sql"
  draft 2_change
  assert_code 0
}

@test "a draft that does not take the migration back is not given, and the reason is: a trial finds it" {
  migration 1_base 'CREATE TABLE users (id int PRIMARY KEY); CREATE AGGREGATE longest(text) (SFUNC = textcat, STYPE = text);'
  migration 2_gone 'DROP AGGREGATE longest(text); ALTER TABLE users ADD a int;'
  migration 3_rows 'INSERT INTO users (id) VALUES (1);'
  draft 2_gone
  assert_code 1
  assert_output ''
  says '2_gone: there is no draft of its down.sql that takes it back: differs: missing function longest(text)'
  draft 3_rows
  assert_code 1
  says '3_rows: there is no draft of its down.sql that takes it back: empty: migration.sql changes nothing of the schema'
  draft 2_gon
  assert_code 65
  says '--draft: there is no migration 2_gon in prisma/migrations' 'Did you mean --draft=2_gone?'
  run --separate-stderr mig-scan --draft=2_gone -o file.sql
  assert_code 64
  says '--draft prints SQL, and takes no -o'
  echo 'NOT SQL;' >"$FOLDER/2_gone/migration.sql"
  draft 2_gone
  assert_code 1
  says '2_gone: there is no draft of its opposite, because migration.sql does not run: 42601'
}

@test "a rehearsal with -v has a draft for each pending migration without down.sql, on the page and in the records" {
  migration 1_a 'CREATE TABLE a (id int PRIMARY KEY);'
  migration 2_b 'ALTER TABLE a ADD b int;'
  echo 'ALTER TABLE a DROP COLUMN b;' >"$FOLDER/2_b/down.sql"
  migration 3_c 'CREATE INDEX CONCURRENTLY c ON a (b);'
  mig-scan -v --offline --rehearse --scratch env:SCRATCH_URL -o scan.rec >page 2>/dev/null
  assert_equal "$(jq -r 'select(.record == "draft") | "\(.migration) \(.detail) \(.not_back | length) \(.gone)"' scan.rec)" '1_a verified 0 ["the rows of a"]
3_c verified 0 []'
  run cat page
  assert_line '1_a has no down.sql; a draft of one:'
  assert_line 'DROP INDEX public.c;'
  # a plan is not another one for it
  mig-scan -q --offline --rehearse --scratch env:SCRATCH_URL -o plain.rec
  assert_equal "$(mig-plan --from-empty --format=digest scan.rec)" "$(mig-plan --from-empty --format=digest plain.rec)"
}

@test "no draft that passes is wrong: a share of the matrix" {
  run "$TESTS/fuzz/draft-matrix" 40
  assert_success
  assert_output --partial ' 0 wrong'
}
