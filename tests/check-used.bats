#!/usr/bin/env bats
# mig-check used: does anybody still use a table or a column? By what, since when, and what cannot be told.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load helper
load words
load prisma

setup_file() {
  server_start --own shared_preload_libraries=pg_stat_statements
  database_new
  sql_admin 'CREATE SCHEMA stats; GRANT USAGE ON SCHEMA stats TO PUBLIC; CREATE EXTENSION pg_stat_statements SCHEMA stats; CREATE ROLE watcher LOGIN; GRANT pg_read_all_stats TO watcher; CREATE ROLE blind LOGIN' >/dev/null
}
teardown_file() { server_stop; }

setup() {
  DATABASE_URL=$(database_url watcher)
}
teardown() {
  sessions_end
  sql_admin 'DROP SCHEMA IF EXISTS public, shop CASCADE; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC;
    CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA stats' >/dev/null 2>&1
}

given_shop() {
  sql 'CREATE TABLE "User" (id int PRIMARY KEY, name text, legacy text, email text, old text);
    CREATE TABLE "Post" (id int PRIMARY KEY, name text, "userId" int REFERENCES "User");'
  sql_admin 'SELECT stats.pg_stat_statements_reset()' >/dev/null
}

used() { run --separate-stderr mig-check "${@/#/used=}" used.since=0; }
connected() { [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE application_name = '$1' AND state = '$2'") -gt 0 ]]; }

@test "of the real client of Prisma and its 200 statements, 20 of 20 used columns are found, and none of 20 unused ones" {
  prisma_available
  folder_new
  cat >prisma/schema.prisma <<-'PRISMA'
	generator client {
	  provider   = "prisma-client-js"
	  engineType = "client"
	  output     = "../client"
	}
	datasource db {
	  provider = "postgresql"
	  url      = env("DATABASE_URL")
	}
	model User {
	  id       Int    @id @default(autoincrement())
	  email    String
	  city     String
	  rank     Int
	  posts    Post[]
	  comments Comment[]
	  title    String?
	  text     String?
	  legacy   String?
	  score    Int?
	  color    String?
	}
	model Post {
	  id       Int    @id @default(autoincrement())
	  title    String
	  score    Int
	  slug     String
	  userId   Int
	  user     User   @relation(fields: [userId], references: [id])
	  comments Comment[]
	  email    String?
	  rank     Int?
	  legacy   String?
	  text     String?
	  weight   Int?
	}
	model Comment {
	  id     Int     @id @default(autoincrement())
	  text   String
	  likes  Int
	  kind   String
	  postId Int
	  post   Post    @relation(fields: [postId], references: [id])
	  authorId Int?
	  author User?   @relation(fields: [authorId], references: [id])
	  title  String?
	  score  Int?
	  slug   String?
	  shade  String?
	  city   String?
	}
	model Label {
	  id     Int     @id @default(autoincrement())
	  word   String  @unique
	  color  String
	  weight Int
	  shade  String
	  likes  Int?
	  kind   String?
	  email  String?
	  rank   Int?
	  note   String?
	}
	PRISMA
  mig-scan --datamodel prisma/schema.prisma -o to.rec >/dev/null
  mig-plan --diff --from-empty to.rec --format=sql | DATABASE_URL='' sql 2>/dev/null
  prisma_client
  sql_admin 'SELECT stats.pg_stat_statements_reset()' >/dev/null
  DATABASE_URL=$(database_url tester) prisma_script "$BATS_TEST_DIRNAME/prisma/used-client.mjs"
  (($(sql_admin "SELECT count(*) FROM stats.pg_stat_statements WHERE query LIKE '%\"public\".%'") >= 200)) || fail "only $(sql_admin 'SELECT count(*) FROM stats.pg_stat_statements') statements"

  local uses='User.id User.email User.city User.rank Post.id Post.title Post.score Post.slug Post.userId Comment.id Comment.text Comment.likes
    Comment.kind Comment.postId Label.id Label.word Label.color Label.weight Label.shade Comment.authorId'
  local unused='User.title User.text User.legacy User.score User.color Post.email Post.rank Post.legacy Post.text Post.weight
    Comment.title Comment.score Comment.slug Comment.shade Comment.city Label.likes Label.kind Label.email Label.rank Label.note'
  # shellcheck disable=SC2086
  used $uses $unused
  # shellcheck disable=SC2046,SC2086
  run --separate-stderr mig-check --format=records $(printf 'used=%s ' $uses $unused) used.since=0
  # shellcheck disable=SC2086
  assert_equal "$(records 'select(.record == "check" and .status == "critical").check' | sort)" "$(printf 'used:%s\n' $uses | sort)"
  # shellcheck disable=SC2086
  assert_equal "$(records 'select(.record == "check" and .status == "ok").check' | sort)" "$(printf 'used:%s\n' $unused | sort)"
  assert_equal "$(records 'select(.record == "check").measures.perhaps' | sort -u)" 0
  shows 'statements that functions run (pg_stat_statements.track = top)'
}

@test "a column is used by what and how often, without values, and looking at it is no use of it" {
  given_shop
  sql "INSERT INTO \"User\" (id, name) VALUES (1, 'secret'); SELECT name FROM \"User\" WHERE id = 1; SELECT name FROM \"User\" WHERE id = 2" >/dev/null

  used User.name User.legacy
  assert_code 2
  shows 'User.name is used: by 2 statements with 3 calls since 20' 'statement   2 calls: SELECT name FROM "User" WHERE id = $1'
  shows_not secret
  used public.User.legacy '"User".legacy' Post.name
  assert_code 0
  used User.legacy
  assert_code 0
  shows 'no use of User.legacy since 20' 'pg_stat_statements.track = top'
}

@test "views are used as far as a statement names them, what always runs is used, and a body that is text is perhaps" {
  given_shop
  sql 'CREATE VIEW names AS SELECT name FROM "User"; CREATE VIEW more AS SELECT * FROM names;
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.old := 1; RETURN NEW; END $$;
    CREATE TRIGGER t BEFORE UPDATE ON "User" FOR EACH ROW EXECUTE FUNCTION f();
    CREATE POLICY p ON "User" USING (legacy IS NULL);'
  used User.name
  assert_code 1
  shows 'perhaps used: by the view public.more, the view public.names' 'which no statement names'
  sql 'SELECT 1 FROM more' >/dev/null
  used User.name
  assert_code 2
  shows 'by 1 statement with 1 call' 'by the view public.more'
  used User.old
  assert_code 1
  shows 'perhaps used: by the function public.f' 'by the text of its body'
  used User.legacy
  assert_code 2
  shows 'policy p on table'
  used User
  assert_code 2
  shows 'constraint Post_userId_fkey'
}

@test "between two looks only what is called then counts, and without a call it is not used" {
  given_shop
  sql 'SELECT legacy, name FROM "User"' >/dev/null
  run --separate-stderr mig-check --watch=400ms --interval=100ms used=User.legacy
  assert_code 0
  shows 'no use of User.legacy since'
  begin mig-check --watch=20s --interval=100ms used=User.name used.since=1s
  eventually connected mig-check idle
  until [[ -s $JOB_OUT ]]; do sql 'SELECT legacy, name FROM "User"' >/dev/null; done
  finish
  assert_code 2
  shows 'User.name is used: by 1 statement'
}

@test "a statement that runs right now is a use" {
  given_shop
  session_begin 'BEGIN; LOCK TABLE "User"'
  sql 'SELECT legacy FROM "User"' >/dev/null 3>&- &
  eventually connected psql active
  used User.legacy
  assert_code 2
  shows 'User.legacy is used: by pid' 'psql, tester right now'
  session_end "$SESSION"
  wait $!
}

@test "what cannot be told is UNKNOWN, with the command that would tell it" {
  given_shop
  DATABASE_URL=$(database_url blind) used User.legacy
  assert_code 3
  shows 'statements of other roles: the role lacks pg_read_all_stats' 'GRANT pg_read_all_stats TO blind;'
  run --separate-stderr mig-check used=User.legacy
  assert_code 3
  shows 'which is less than 7 d (used.since)'
  used User.legasy
  assert_code 3
  shows 'User.legasy does not exist; did you mean "legacy"?'
  sql_admin 'DROP EXTENSION pg_stat_statements'
  used User.legacy
  assert_code 3
  shows 'it cannot be told whether User.legacy is used' 'no extension pg_stat_statements' 'CREATE EXTENSION pg_stat_statements;'
}

@test "its records are a proof: which database, which column, when, and for how long" {
  given_shop
  used User.legacy
  run --separate-stderr mig-check --format=records used=User.legacy used.since=0
  assert_code 0
  assert_equal "$(records 'select(.record == "used") | "\(.database) \(.schema) \(.relation) \(.column) \(.status)"')" "$PGDATABASE public User legacy ok"
  assert_equal "$(records 'select(.record == "used") | .covers_ms > 0 and (.checked_at | test("Z$")) and .system_identifier != null')" true
  run mig-check --format=nagios used=User.legacy used.since=0
  assert_output --partial '_covers='
  run mig-check --format=prometheus used=User.legacy used.since=0
  assert_output --partial 'mig_used_calls{'
  run mig-check --format=junit used=User.legacy used.since=0
  assert_output --partial '<testcase'
}
