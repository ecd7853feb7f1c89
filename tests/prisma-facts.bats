#!/usr/bin/env bats
# What Prisma Migrate does, fact by fact, asked of the real one, and mig beside it: where both are to do the same, they
# have to; where mig differs on purpose (mig(7), STANDARDS), it has to differ in just that way.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load helper
load words
load prisma

# One Prisma for all tests of the file: a command costs a tenth of what starting it costs.
setup_file() {
  server_start
  prisma_install 2>/dev/null || return 0
  export ASK=$BATS_FILE_TMPDIR/ask ANSWER=$BATS_FILE_TMPDIR/answer
  mkfifo "$ASK" "$ANSWER"
  PRISMA_QUERY_ENGINE_LIBRARY=$MIG_TEST_PRISMA/none.so.node PRISMA_SCHEMA_ENGINE_BINARY=/bin/true CHECKPOINT_DISABLE=1 \
    node "$BATS_TEST_DIRNAME/prisma/driver.mjs" <>"$ASK" 1<>"$ANSWER" 2>"$BATS_FILE_TMPDIR/driver.log" 3>&- 4>&- &
  export DRIVER=$!
}

teardown_file() {
  [[ -z ${DRIVER-} ]] || kill "$DRIVER"
  server_stop
}

# $MIG and $PRISMA are two databases with the same past.
setup() {
  prisma_available
  [[ -n ${ASK-} ]] || fail 'Prisma is here, but was not when the file began'
  exec 7<>"$ANSWER" 8<>"$ASK"
  folder_new
  twins
}
teardown() {
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
  sessions_end
  roles_end
}

## Given

twins() {
  database_new
  MIG=$PGDATABASE
  database_new
  PRISMA=$PGDATABASE
}

on() { # DATABASE
  export PGDATABASE=$1
  DATABASE_URL=$(database_url "${ROLE-}")
  export DATABASE_URL
}

each() { # SQL
  on "$MIG"
  sql_admin "$1" >/dev/null
  on "$PRISMA"
  sql_admin "$1" >/dev/null
}

# A row for each twin, as of a fixed time: row NAME finished|failed|rolled_back|undone [MINUTE]
row() {
  local sum=${3-}
  [[ -n $sum ]] || sum=$(checksum "$1" 2>/dev/null || sha256sum <<<"$1")
  minute=$((${minute:-0} + 1))
  local at="timestamptz '2024-01-01 12:00Z' + interval '$minute min'" rest
  case $2 in
  finished) rest="$at + interval '1 s', NULL, NULL, 1" ;;
  failed) rest="NULL, NULL, 'it broke', 0" ;;
  rolled_back) rest="NULL, $at + interval '9 s', 'it broke', 0" ;;
  undone) rest="$at + interval '1 s', $at + interval '9 s', NULL, 1" ;;
  esac
  each "SET ROLE tester; SET client_min_messages = error; $HISTORY_TABLE_SQL;
    INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, rolled_back_at, logs, applied_steps_count)
    SELECT gen_random_uuid(), '${sum%% *}', '$1', $at, $rest"
}

## When

by_prisma() { # deploy | status | resolve --applied NAME …: sets status and output
  local answer arguments
  printf -v arguments '"%s",' "$@"
  printf '{"args":[%s],"folder":"%s","url":"%s"}\n' "${arguments%,}" "$FOLDER" "$DATABASE_URL" >&8
  IFS= read -r -t 60 -u 7 answer || fail "Prisma does not answer: $(cat "$BATS_FILE_TMPDIR/driver.log")" || return 1
  {
    read -r status
    IFS= read -r -d '' output
  } < <(jq -r '.code, .output' <<<"$answer") || true
  output=${output%$'\n'}
}

# Each on its own: sets mig and prisma to the exit codes, and $mig_said and $prisma_said.
deploy_both() {
  on "$PRISMA"
  by_prisma deploy
  prisma=$status prisma_said=$output
  on "$MIG"
  pipeline
  mig=$status mig_said=$stderr
}

status_both() {
  on "$PRISMA"
  by_prisma status
  prisma=$status prisma_said=$output
  on "$MIG"
  run --separate-stderr bash -c 'mig-scan | mig-plan --exit-code --format=text'
  mig=$status mig_said=$stderr
}

resolve_both() { # applied|rolled-back NAME
  on "$PRISMA"
  by_prisma resolve "--$1" "$2"
  prisma=$status prisma_said=$output
  on "$MIG"
  pipeline plan: "--mark-$1" "$2"
  mig=$status mig_said=$stderr
}

## Then

# Rows as they can be compared: started_at = finished_at exactly where somebody resolved. A script that ran may have taken
# less than a millisecond, and Prisma's clock has no more.
shapes() {
  sql "SELECT migration_name, checksum, finished_at IS NOT NULL, rolled_back_at IS NOT NULL, applied_steps_count,
    CASE WHEN logs IS NULL THEN 'null' WHEN logs = '' THEN 'empty' ELSE 'text' END,
    CASE WHEN finished_at > started_at OR finished_at = started_at AND applied_steps_count > 0 THEN 'later'
      WHEN finished_at = started_at THEN 'at once' END
    FROM _prisma_migrations ORDER BY started_at, finished_at, migration_name" 2>/dev/null || echo 'no history'
}

assert_same_rows() {
  diff <(on "$PRISMA" && shapes) <(on "$MIG" && shapes) || fail "other rows with Prisma (<) than with mig (>): $1
$prisma_said
$mig_said"
}

assert_both() { # 0|fail
  if [[ $1 == 0 ]]; then
    [[ $prisma == 0 && $mig == 0 ]] || fail "Prisma: $prisma $prisma_said
mig: $mig $mig_said"
  else
    [[ $prisma != 0 && $mig != 0 ]] || fail "Prisma: $prisma $prisma_said
mig: $mig $mig_said"
  fi
}

# What each leaves, the other is content with, and so is it itself.
assert_content_with_each_other() {
  local database
  for database in "$MIG" "$PRISMA"; do
    on "$database"
    by_prisma status
    assert_equal "$status" 0
    by_prisma deploy
    assert_equal "$status" 0
    run --separate-stderr bash -c 'mig-scan | mig-plan --exit-code'
    assert_code 0
  done
}

names_in_order() {
  sql 'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY started_at, finished_at'
}

## 1. Directories and files

@test "1.1, 1.2 what is a migration, under which name, and in which order" {
  local n=0 name
  for name in _under .hidden 0_init 1_b 10_c 2_d 20_create 2024_x 20240101_y 20240101000000_z 20240102_under 20240102-dash \
    a_lower B_upper A_lower2 ab aB Ab AB 'two words' ' leading' 'trailing ' "it's" 'a"b' 'a$b' 'a&b' 'a+b' 'a,b' 'a;b' 'a=b' 'a@b' 'a[b' 'a{b' 'a~b' \
    'a!b' 'a#b' 'a%b' 'a(b' 'a.b' 'a`b' 'a^b' 'a|b' 'a<b' 'a>b' 'a?b' 'a:b' 'a*b' 'a\b' nodigits 000 00 0 -dash; do
    migration "$name" "CREATE TABLE \"t$((n++))\" (\"id\" INTEGER);"
  done
  echo 'SELECT wrong' >"$FOLDER/x.sql"
  echo 'SELECT wrong' >"$FOLDER/0_init/down.sql"
  mkdir "$PROJECT/elsewhere"
  echo 'SELECT wrong' >"$PROJECT/elsewhere/migration.sql"
  ln -s "$PROJECT/elsewhere" "$FOLDER/linked"
  migration empty ''
  migration crlf $'CREATE TABLE "crlf" ();\r\n'
  migration no_utf8 $'-- \xff\xfe \xc3\n'
  migration only_blanks $' \n\t'
  deploy_both
  assert_both 0
  assert_equal "$(on "$MIG" && names_in_order)" "$(on "$PRISMA" && names_in_order)"
  assert_equal "$(on "$MIG" && names_in_order | wc -l)" $((n + 4))
  assert_same_rows
  assert_content_with_each_other
}

@test "1.2 names beyond ASCII: letters with accents as in the root collation, which Prisma uses without a locale" {
  for name in éb Éa 'Ünï' 日本 zz ss ñ n o ø 20240101_é 20240101_z; do
    migration "$name" 'SELECT 1;'
  done
  deploy_both
  assert_both 0
  assert_equal "$(on "$MIG" && names_in_order)" "$(on "$PRISMA" && names_in_order)"
}

@test "1.1 a byte-order mark is kept, and the server does not take it" {
  migration 1_fine 'SELECT 1;'
  migration 2_bom $'\xef\xbb\xbfCREATE TABLE "t" ();'
  deploy_both
  assert_both fail
  assert_equal "$(on "$MIG" && names_in_order)" "$(on "$PRISMA" && names_in_order)"
}

@test "1.1 differs: no folder is an error, and not an empty one" {
  rm -r "$FOLDER"
  deploy_both
  assert_equal "$prisma $mig" '0 65'
}

@test "1.2, 4.3 a newcomer that sorts earlier is applied in its place" {
  migration 20240101000000_a 'CREATE TABLE "a" ();'
  migration 20240103000000_c 'CREATE TABLE "c" ();'
  deploy_both
  migration 20240102000000_b 'CREATE TABLE "b" ();'
  migration 20240104000000_d 'CREATE TABLE "d" ();'
  status_both
  assert_equal "$prisma $mig" '1 2'
  deploy_both
  assert_both 0
  assert_same_rows
  [[ $mig_said == *'[late]'* ]]
}

@test "1.3 differs: a pending folder without a script stops everything, not only what follows" {
  migration 1_fine 'SELECT 1;'
  mkdir -p "$FOLDER/2_empty" "$FOLDER/3_never/migration.sql"
  deploy_both
  assert_equal "$prisma $mig" '1 65'
  assert_equal "$(on "$PRISMA" && names_in_order)" 1_fine
  assert_equal "$(on "$MIG" && shapes)" 'no history'
  [[ $prisma_said == *P3015* || $prisma_said == *'Could not find the migration file'* ]]
  [[ $mig_said == *P3015* ]]
}

@test "1.3 a folder without a script that is applied: deploys go on; only Prisma's status does not" {
  mkdir "$FOLDER/1_gone"
  migration 2_next 'SELECT 1;'
  row 1_gone finished
  deploy_both
  assert_both 0
  assert_same_rows
  status_both
  assert_equal "$prisma $mig" '1 0'
}

@test "1.4 migration_lock.toml: read as Prisma reads it" {
  local lock="$FOLDER/migration_lock.toml"
  migration 1_fine 'SELECT 1;'
  check() { # accepted|refused WHAT
    status_both
    if [[ $1 == accepted ]]; then
      [[ $mig_said != *P3019* && $prisma_said != *P3019* && $prisma_said != *migration_lock* ]] || fail "$2: $prisma_said $mig_said"
    else
      [[ $mig == 65 || $mig == 1 || $mig == 78 ]] || fail "$2 passes: $mig $mig_said"
      [[ $mig_said == *P3019* && $prisma_said == *migration_lock* ]] || fail "$2: $prisma_said $mig_said"
    fi
  }
  rm "$lock" && check accepted 'no file'
  printf 'provider = "postgresql"\r\n' >"$lock" && check accepted 'CRLF'
  printf '# one\n# two\n\nprovider = "postgresql"' >"$lock" && check accepted 'comments, no final newline'
  printf 'provider = postgresql\n' >"$lock" && check accepted 'no quotes'
  printf 'provider="postgresql"\n' >"$lock" && check refused 'no blanks'
  printf 'provider = "postgresql" # x\n' >"$lock" && check refused 'a trailing comment'
  printf 'provider = "postgresql" \n' >"$lock" && check refused 'trailing blanks'
  printf "provider = 'postgresql'\n" >"$lock" && check refused 'single quotes'
  printf ' provider = "postgresql"\n' >"$lock" && check refused 'a leading blank'
  printf '' >"$lock" && check refused 'an empty file'
  printf 'provider = "postgres"\n' >"$lock" && check refused 'postgres'
  printf 'provider = "mysql"\n' >"$lock" && check refused 'mysql'
  printf 'provider = "mysql"\nprovider = "postgresql"\n' >"$lock" && check refused 'the first of two'
}

## 2. The table

@test "2.1 the table is Prisma's, to the letter" {
  migration 1_fine 'SELECT 1;'
  deploy_both
  assert_both 0
  diff <(on "$PRISMA" && schema_dump) <(on "$MIG" && schema_dump)
}

@test "2.1 without schema= it lands where the search path of database or role leads" {
  migration 1_fine 'CREATE TABLE "here" ();'
  for database in "$MIG" "$PRISMA"; do
    PGDATABASE=postgres sql_admin "ALTER DATABASE \"$database\" SET search_path = nowhere, other, public"
  done
  each 'CREATE SCHEMA other AUTHORIZATION tester'
  deploy_both
  assert_both 0
  diff <(on "$PRISMA" && schema_dump) <(on "$MIG" && schema_dump)
  assert_equal "$(on "$MIG" && sql "SELECT count(*) FROM other._prisma_migrations")" 1
}

@test "2.1, 6.2 schema=: made where it is missing, and the whole search path" {
  migration 1_fine 'CREATE TABLE "here" AS SELECT current_setting($$search_path$$) AS "path";'
  on "$MIG"
  DATABASE_URL="$DATABASE_URL&schema=made"
  run --separate-stderr mig-scan
  assert_code 0
  assert_equal "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'made'")" 0
  pipeline
  assert_code 0
  # the adapter knows no schema=; this is what the native engine makes of it
  on "$PRISMA"
  sql 'CREATE SCHEMA made'
  DATABASE_URL="$DATABASE_URL&options=-c%20search_path%3Dmade"
  by_prisma deploy
  assert_equal "$status" 0
  diff <(on "$PRISMA" && schema_dump) <(on "$MIG" && schema_dump)
  assert_equal "$(on "$MIG" && sql 'SELECT path FROM made.here')" made
}

@test "2.1 a table made by hand: what Prisma bears, mig bears" {
  migration 1_old 'SELECT 1;'
  migration 2_new 'SELECT 1;'
  each 'SET ROLE tester; CREATE TABLE _prisma_migrations (extra int, id text PRIMARY KEY, checksum text NOT NULL,
    finished_at timestamp, migration_name text NOT NULL, logs text, rolled_back_at timestamp, started_at timestamp NOT NULL DEFAULT now(),
    applied_steps_count int NOT NULL DEFAULT 0, more text DEFAULT $$x$$);
    INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ($$x$$, $$$$, $$1_old$$, now(), 42)'
  deploy_both
  assert_both 0
  assert_same_rows
}

@test "2.4, 4.5 differs: a script that fails leaves a failed row with Prisma, and nothing with mig" {
  migration 1_fine 'CREATE TABLE "fine" ();'
  migration 2_wrong 'CREATE TABLE "gone" (); SELECT 1 / 0;'
  migration 3_never 'CREATE TABLE "never" ();'
  deploy_both
  assert_equal "$prisma $mig" '1 1'
  assert_equal "$(on "$PRISMA" && shapes | cut -d '|' -f 1,3-)" '1_fine|t|f|1|null|later
2_wrong|f|f|0|text|'
  assert_equal "$(on "$MIG" && shapes | cut -d '|' -f 1,3-)" '1_fine|t|f|1|null|later'
  diff <(on "$PRISMA" && schema_dump) <(on "$MIG" && schema_dump)
  migration 2_wrong 'CREATE TABLE "gone" ();'
  deploy_both
  assert_equal "$prisma $mig" '1 0'
  # what Prisma left, mig does not touch, and says what can be typed
  on "$PRISMA"
  pipeline
  assert_code 1
  says P3009 "--mark-rolled-back=2_wrong"
  pipeline plan: --mark-rolled-back 2_wrong
  assert_code 0
  by_prisma deploy
  assert_equal "$status" 0
  assert_equal "$(shapes | cut -d '|' -f 1,3-)" '1_fine|t|f|1|null|later
2_wrong|f|t|0|text|
2_wrong|t|f|1|null|later
3_never|t|f|1|null|later'
  assert_content_with_each_other
}

@test "2.5 an unfinished row blocks: its folder gone, another row of the name finished" {
  migration 1_a 'SELECT 1;'
  migration 2_b 'SELECT 1;'
  row 0_gone failed
  row 1_a finished
  deploy_both
  assert_both fail
  each 'TRUNCATE _prisma_migrations'
  row 1_a failed
  row 1_a finished
  deploy_both
  assert_both fail
  each 'TRUNCATE _prisma_migrations'
  row 1_a finished
  row 1_a failed
  deploy_both
  assert_both fail
  assert_same_rows
}

@test "2.5 rolled back, finished or not, is not applied: it runs again" {
  migration 1_a 'CREATE TABLE "a" ();'
  migration 2_b 'CREATE TABLE "b" ();'
  migration 3_c 'SELECT 1;'
  row 1_a rolled_back
  row 2_b undone
  row 3_c undone
  row 3_c finished
  deploy_both
  assert_both 0
  assert_same_rows
  diff <(on "$PRISMA" && schema_dump) <(on "$MIG" && schema_dump)
  assert_content_with_each_other
}

@test "2.5 differs: what was only rolled back is pending; Prisma's status does not list it, though its deploy runs it" {
  migration 1_a 'SELECT 1;'
  row 1_a rolled_back
  status_both
  assert_equal "$prisma $mig" '0 2'
}

## 3. The lock

@test "3 the lock: both take the same, status takes none" {
  migration 1_a "CREATE TABLE \"lock\" AS SELECT classid::int, objid::int, objsubid, mode, granted FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database());"
  deploy_both
  assert_both 0
  assert_equal "$(on "$MIG" && sql 'SELECT * FROM lock')" '0|72707369|1|ExclusiveLock|t'
  assert_equal "$(on "$PRISMA" && sql 'SELECT * FROM lock')" '0|72707369|1|ExclusiveLock|t'
  for database in "$MIG" "$PRISMA"; do
    on "$database"
    session_begin 'SELECT pg_advisory_lock(72707369)'
  done
  status_both
  assert_both 0
  migration 2_b 'SELECT 1;'
  on "$MIG"
  pipeline apply: --wait 300ms
  assert_code 75
  row 9_x failed
  on "$MIG"
  pipeline plan: --mark-rolled-back 9_x apply: --wait 300ms
  assert_code 75
}

@test "3 Prisma and mig at once: each migration runs once, and both end well" {
  for n in 1 2 3 4 5; do
    migration "${n}_x" "CREATE TABLE \"t$n\" (); SELECT pg_sleep(0.1);"
  done
  on "$MIG"
  mig-scan 2>/dev/null | mig-plan >plan.rec 2>/dev/null
  begin mig-apply --wait 20s plan.rec
  by_prisma deploy
  assert_equal "$status" 0
  finish
  assert_code 0
  assert_equal "$(names_in_order)" $'1_x\n2_x\n3_x\n4_x\n5_x'
  assert_equal "$(sql 'SELECT count(*) FROM _prisma_migrations')" 5
}

## 4. Deploy

@test "4.2 what counts as a schema that is not empty (P3005)" {
  migration 1_a 'SELECT 1;'
  local said object
  while IFS='|' read -r said object; do
    each "SET client_min_messages = error; DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION tester; SET ROLE tester; $object"
    deploy_both
    if [[ $said == full ]]; then
      [[ $prisma == 1 && $mig == 1 && $prisma_said == *'not empty'* && $mig_said == *P3005* ]] || fail "$object: $prisma $prisma_said $mig $mig_said" || return 1
      assert_equal "$(on "$MIG" && shapes)" 'no history'
      assert_equal "$(on "$PRISMA" && shapes)" 'no history'
    else
      [[ $prisma == 0 && $mig == 0 ]] || fail "$object: $prisma $prisma_said $mig $mig_said" || return 1
    fi
  done <<'SQL'
empty|
full|CREATE TABLE one (n int)
full|CREATE TABLE one (n int); INSERT INTO one VALUES (1)
full|CREATE UNLOGGED TABLE one (n int)
full|CREATE TABLE "_Migration" (n int)
empty|CREATE VIEW one AS SELECT 1
empty|CREATE MATERIALIZED VIEW one AS SELECT 1
empty|CREATE TYPE one AS ENUM ('a')
empty|CREATE SEQUENCE one
empty|CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'
empty|CREATE TABLE one (n int) PARTITION BY RANGE (n)
full|CREATE TABLE one (n int) PARTITION BY RANGE (n); CREATE TABLE two PARTITION OF one DEFAULT
empty|CREATE TABLE spatial_ref_sys (n int); CREATE TABLE geometry_columns (n int); CREATE TABLE geography_columns (n int); CREATE TABLE raster_columns (n int); CREATE TABLE raster_overviews (n int)
empty|CREATE TABLE "Spatial_Ref_Sys" (n int)
empty|CREATE TYPE one AS (a int)
empty|CREATE DOMAIN one AS int
SQL
}

@test "4.2 nothing to apply: an empty folder" {
  deploy_both
  assert_both 0
  [[ $prisma_said == *'No pending migrations'* && $mig_said == *'nothing to do'* ]]
  # differs: Prisma has made its table
  assert_equal "$(on "$PRISMA" && shapes)" ''
  assert_equal "$(on "$MIG" && shapes)" 'no history'
  # P3005 is said even where there is nothing to apply
  each 'DROP TABLE IF EXISTS _prisma_migrations; CREATE TABLE there (n int)'
  deploy_both
  assert_both fail
}

@test "4.3 edited and missing: deployed all the same; mig says so" {
  migration 1_a 'SELECT 1;'
  row 0_missing finished
  row 1_a finished "$(sha256sum <<<other)"
  migration 2_b 'SELECT 1;'
  deploy_both
  assert_both 0
  assert_same_rows
  [[ $mig_said == *'[edited]'* && $mig_said == *'[missing]'* ]]
  status_both
  assert_both 0
}

@test "4.4 a script is one transaction, unless it has its own" {
  migration 1_base 'CREATE TABLE "base" ("n" INTEGER);'
  migration 2_wrong 'INSERT INTO "base" VALUES (1); BEGIN; INSERT INTO "base" VALUES (2); COMMIT; INSERT INTO "base" VALUES (3); SELECT 1 / 0;'
  deploy_both
  assert_both fail
  assert_equal "$(on "$MIG" && sql 'SELECT * FROM base')" $'1\n2'
  assert_equal "$(on "$PRISMA" && sql 'SELECT * FROM base')" $'1\n2'
}

@test "4.4 CREATE INDEX CONCURRENTLY alone in its file, and an empty script, a comment, a NOTICE" {
  migration 1_base 'CREATE TABLE "base" ("n" INTEGER);'
  migration 2_index 'CREATE INDEX CONCURRENTLY "i" ON "base" ("n");'
  migration 3_comment '-- nothing'
  migration 4_notice 'DROP TABLE IF EXISTS "nowhere";'
  migration 5_vacuum 'VACUUM "base";'
  migration 6_warning 'COMMIT; ROLLBACK;'
  deploy_both
  assert_both 0
  assert_same_rows
  diff <(on "$PRISMA" && schema_dump) <(on "$MIG" && schema_dump)
}

@test "4.4 differs: what Prisma's one message cannot do, mig does" {
  each 'SET ROLE tester; CREATE TABLE base (n int); CREATE TYPE mood AS ENUM ($$a$$)'
  row 0_base finished
  mkdir "$FOLDER/0_base"
  while IFS= read -r script; do
    migration 1_it "$script"
    deploy_both
    [[ $prisma == 1 && $mig == 0 ]] || fail "$script: Prisma $prisma $prisma_said, mig $mig $mig_said" || return 1
    each "DELETE FROM _prisma_migrations WHERE migration_name = '1_it'; DROP INDEX IF EXISTS i"
  done <<'SQL'
CREATE INDEX CONCURRENTLY "i" ON "base" ("n"); INSERT INTO "base" VALUES (1);
VACUUM "base"; SELECT 1;
ALTER TYPE "mood" ADD VALUE 'b'; SELECT 'b'::"mood";
SAVEPOINT s; INSERT INTO "base" VALUES (1); ROLLBACK TO s;
INSERT INTO "base" VALUES (1); DO $$ BEGIN COMMIT; END $$;
SELECT set_config('search_path', '', false);
SQL
}

@test "4.4 differs: what would be lost without a word, mig refuses" {
  migration 1_fine 'CREATE TABLE "fine" ();'
  migration 2_open 'BEGIN; CREATE TABLE "lost" ();'
  deploy_both
  assert_equal "$prisma $mig" '0 1'
  [[ $mig_said == *'[open_transaction]'* ]]
  assert_equal "$(on "$PRISMA" && shapes | cut -d '|' -f 1,3-)" '1_fine|t|f|1|null|later
2_open|f|f|0|null|'
  assert_equal "$(on "$MIG" && shapes)" 'no history'
}

@test "4.6 rights: what is needed, and no row where one is missing" {
  migration 0_x 'SELECT 1;'
  migration 1_a 'SELECT 1;'
  role_new plain
  deploy_both
  assert_both fail
  assert_equal "$(on "$MIG" && CLIENT_ROLE=postgres shapes)" 'no history'
  assert_equal "$(on "$PRISMA" && CLIENT_ROLE=postgres shapes)" 'no history'
  CLIENT_ROLE=postgres row 0_x finished
  deploy_both
  assert_both fail
  each "GRANT USAGE ON SCHEMA public TO \"$ROLE\"; GRANT SELECT ON _prisma_migrations TO \"$ROLE\""
  status_both
  assert_equal "$prisma $mig" '1 2'
  deploy_both
  assert_both fail
  each "GRANT INSERT, UPDATE ON _prisma_migrations TO \"$ROLE\""
  deploy_both
  assert_both 0
  CLIENT_ROLE=postgres assert_same_rows
  each "DROP OWNED BY \"$ROLE\" CASCADE"
}

## 5. status and resolve

@test "5.1 status: content and not, as mig-plan --exit-code says" {
  migration 1_a 'SELECT 1;'
  status_both
  assert_equal "$prisma $mig" '1 2'
  row 1_a finished
  status_both
  assert_equal "$prisma $mig" '0 0'
  row 0_gone finished
  status_both
  assert_equal "$prisma $mig" '0 0'
  migration 2_b 'SELECT 1;'
  status_both
  assert_equal "$prisma $mig" '1 2'
  row 2_b failed
  status_both
  assert_equal "$prisma $mig" '1 1'
  migration 3_c 'SELECT 1;'
  status_both
  assert_equal "$prisma $mig" '1 1'
}

@test "5.1 differs: neither a history nor a migration is no error" {
  status_both
  assert_equal "$prisma $mig" '1 0'
}

@test "5.2 resolve --applied: baselining, with and without a history, in any order" {
  each 'SET ROLE tester; CREATE TABLE there (n int)'
  migration 1_a 'CREATE TABLE "there" ("n" INTEGER);'
  migration 2_b 'SELECT 1;'
  migration 3_c 'CREATE TABLE "c" ();'
  resolve_both applied 2_b
  assert_both 0
  assert_same_rows
  resolve_both applied 1_a
  assert_both 0
  assert_same_rows
  # either goes on with what the other did
  on "$MIG"
  by_prisma deploy
  assert_equal "$status" 0
  on "$PRISMA"
  pipeline
  assert_code 0
  assert_same_rows
  assert_content_with_each_other
}

@test "5.2 --baseline is resolve --applied for each pending one up to there" {
  migration 1_a 'SELECT 1;'
  migration 2_b 'SELECT 1;'
  migration 3_c 'SELECT 1;'
  migration 4_d 'SELECT 1;'
  row 2_b finished
  row 3_c rolled_back
  on "$MIG"
  pipeline plan: --baseline 3_c
  assert_code 0
  on "$PRISMA"
  by_prisma resolve --applied 1_a
  assert_equal "$status" 0
  by_prisma resolve --applied 3_c
  assert_equal "$status" 0
  diff <(on "$PRISMA" && shapes | sort) <(on "$MIG" && shapes | sort)
  deploy_both
  assert_both 0
  assert_content_with_each_other
}

@test "5.2 resolve of a failed one: the rows, several of them too" {
  migration 1_a 'SELECT 1;'
  migration 2_b 'SELECT 1;'
  migration 3_c 'SELECT 1;'
  row 1_a failed
  row 1_a failed
  row 2_b rolled_back
  row 2_b failed
  resolve_both applied 1_a
  assert_both 0
  resolve_both rolled-back 2_b
  assert_both 0
  diff <(on "$PRISMA" && shapes | sort) <(on "$MIG" && shapes | sort)
  # once more is no error
  resolve_both rolled-back 2_b
  assert_both 0
  diff <(on "$PRISMA" && shapes | sort) <(on "$MIG" && shapes | sort)
  deploy_both
  assert_both 0
  diff <(on "$PRISMA" && shapes | sort) <(on "$MIG" && shapes | sort)
  assert_content_with_each_other
}

@test "5.2 a failed one whose folder is gone can only be rolled back" {
  row 1_gone failed
  migration 2_b 'SELECT 1;'
  resolve_both applied 1_gone
  assert_both fail
  [[ $mig_said == *P3017* ]]
  resolve_both rolled-back 1_gone
  assert_both 0
  assert_same_rows
  deploy_both
  assert_both 0
  assert_same_rows
}

@test "5.2 refusals: P3008, P3011, P3012, P3017, and nothing is written" {
  migration 1_a 'SELECT 1;'
  migration 2_b 'SELECT 1;'
  migration 3_c 'SELECT 1;'
  mkdir "$FOLDER/4_empty"
  row 1_a finished
  row 2_b undone
  refused() { # CODE applied|rolled-back NAME
    resolve_both "$2" "$3"
    [[ $prisma == 1 && $mig == 64 && $mig_said == *"$1"* ]] || fail "$2 $3: Prisma $prisma $prisma_said, mig $mig $mig_said" || return 1
    assert_same_rows "$2 $3"
  }
  refused P3008 applied 1_a
  refused P3008 applied 2_b
  refused P3017 applied 9_none
  refused P3017 applied 4_empty
  refused P3017 applied prisma/migrations/3_c
  refused P3011 rolled-back 3_c
  refused P3011 rolled-back 9_none
  refused P3012 rolled-back 1_a
  refused P3012 rolled-back 2_b
  # without a history
  each 'DROP TABLE _prisma_migrations'
  resolve_both rolled-back 1_a
  assert_both fail
  assert_same_rows
}

@test "1.4 differs: resolve --rolled-back looks at the provider as well" {
  row 1_a failed
  printf 'provider = "mysql"\n' >"$FOLDER/migration_lock.toml"
  resolve_both applied 1_a
  assert_both fail
  resolve_both rolled-back 1_a
  assert_equal "$prisma" 0
  assert [ "$mig" -ne 0 ]
}

## 6. The connection string. Prisma's own parser is in its native engine, which does not run here: these are its rules.

connects() { # URL DATABASE USER
  DATABASE_URL=$1 run --separate-stderr mig-scan --format=records
  assert_code 0
  assert_equal "$(records 'select(.record == "database") | "\(.database) \(.user) \(.schema)"')" "$2"
}

@test "6.1 passwords with the characters that URLs are cut at" {
  local password url n=0 socket
  socket=$(server_port)
  [[ $socket == 5432 ]] && socket='' || socket=:$socket
  on "$MIG"
  while IFS='|' read -r password url; do
    role_new "p$((n++))" "PASSWORD '$password' IN ROLE with_password"
    connects "postgresql://$ROLE:$url@localhost$socket/$MIG?host=$MIG_TEST_SERVER" "$MIG $ROLE public"
    DATABASE_URL="postgresql://$ROLE:wrong@localhost$socket/$MIG?host=$MIG_TEST_SERVER" run --separate-stderr mig-scan
    assert_code 77
  done <<'TEXT'
p@ss|p%40ss
p@ss|p@ss
p:ss|p:ss
p%ss|p%25ss
p/ss|p%2Fss
p ss|p%20ss
p+ss|p+ss
pâss|p%C3%A2ss
TEXT
}

@test "6.1 blanks around it, a database name that is not decoded, + for a blank in the query, unknown words" {
  local socket
  socket=$(server_port)
  [[ $socket == 5432 ]] && socket='' || socket=:$socket
  on "$MIG"
  connects "  $DATABASE_URL"$'\n' "$MIG tester public"
  connects "$DATABASE_URL&connection_limit=1&pool_timeout=2&pgbouncer=true&statement_cache_size=0&socket_timeout=3&sslaccept=strict&nonsense=1" "$MIG tester public"
  connects "$DATABASE_URL&schema=two+words" "$MIG tester two words"
  PGDATABASE=postgres sql_admin "CREATE DATABASE \"$MIG%20x\" OWNER tester"
  connects "postgresql://tester@localhost$socket/$MIG%20x?host=$MIG_TEST_SERVER" "$MIG%20x tester public"
  PGDATABASE=postgres sql_admin "DROP DATABASE \"$MIG%20x\" WITH (FORCE)"
  # no path: the database postgres
  connects "postgresql://tester@localhost$socket?host=$MIG_TEST_SERVER" 'postgres tester public'
}

@test "6.1 what libpq takes from elsewhere does not get into a URL" {
  on "$MIG"
  PGDATABASE_WRONG=1 PGOPTIONS='-c search_path=wrong' PGSSLMODE=require PGPORT=1 PGHOST=/nowhere PGUSER=nobody \
    connects "$DATABASE_URL" "$MIG tester public"
}
