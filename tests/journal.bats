#!/usr/bin/env bats
# Scripts that are not one transaction: mig-apply is killed at each of their statements, and goes on. The moment is exact:
# gate.wait(N) in a script waits while gate N is closed, and a statement that cannot call it waits for a table's lock.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load helper
load words
load prisma

setup_file() {
  server_start max_prepared_transactions=20
  PGDATABASE=postgres sql_admin <<'SQL'
CREATE SCHEMA watch;
-- Polls from another database: there its snapshot is not in the way of a CONCURRENTLY.
CREATE PROCEDURE watch.until(condition text, what text) LANGUAGE plpgsql AS $$
DECLARE ends timestamptz := clock_timestamp() + interval '15 s'; so boolean;
BEGIN
  LOOP
    PERFORM pg_stat_clear_snapshot();
    EXECUTE condition INTO so;
    EXIT WHEN so;
    IF clock_timestamp() > ends THEN RAISE 'waited in vain: %', what; END IF;
    PERFORM pg_sleep(0.003);
  END LOOP;
END $$;
SQL
  database_new
  sql <<'SQL'
CREATE SCHEMA gate;
GRANT USAGE ON SCHEMA gate TO public;
CREATE TABLE gate.closed (n int, visit int);
CREATE SEQUENCE gate.visits1; CREATE SEQUENCE gate.visits2; CREATE SEQUENCE gate.visits3;
CREATE SEQUENCE gate.visits4; CREATE SEQUENCE gate.visits5; CREATE SEQUENCE gate.visits6;
CREATE FUNCTION gate.wait(n int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE came int := nextval('gate.visits' || $1);
BEGIN
  WHILE EXISTS (SELECT FROM gate.closed c WHERE c.n = $1 AND (c.visit IS NULL OR c.visit = came)) LOOP
    PERFORM pg_sleep(0.003);
  END LOOP;
  RETURN n;
END $$;
CREATE FUNCTION gate.at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM gate.wait(6); RETURN NULL; END $$;
SQL
  folder_new "$BATS_FILE_TMPDIR/base"
  migration 20240101000000_base <<'SQL'
CREATE TABLE "base" ("id" INTEGER PRIMARY KEY, "v" INTEGER);
INSERT INTO "base" SELECT n, n FROM generate_series(1, 20) n;
CREATE INDEX "base_v" ON "base" ("v");
CREATE INDEX "base_v2" ON "base" ("v", "id");
CREATE TYPE "mood" AS ENUM ('a');
CREATE TABLE "moods" ("mood" "mood");
CREATE TABLE "log" ("n" INTEGER);
CREATE TABLE "late" ("n" INTEGER);
CREATE CONSTRAINT TRIGGER "late" AFTER INSERT ON "late" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gate.at_commit();
CREATE PROCEDURE "commits"(n INTEGER) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "log" ("n") VALUES (gate.wait(n));
  COMMIT;
  INSERT INTO "log" ("n") VALUES (gate.wait(6));
END $$;
SQL
  export BASE_FOLDER=$FOLDER
  mig-scan 2>"$BATS_FILE_TMPDIR/err" | mig-plan 2>>"$BATS_FILE_TMPDIR/err" | mig-apply 2>>"$BATS_FILE_TMPDIR/err" >/dev/null || {
    cat "$BATS_FILE_TMPDIR/err" >&2
    return 1
  }
  export BASE=$BATS_FILE_TMPDIR/base.sql
  {
    echo 'SET client_min_messages = error; DROP SCHEMA public CASCADE; DELETE FROM gate.closed;'
    printf 'ALTER SEQUENCE gate.visits%d RESTART;
' 1 2 3 4 5 6
    pg_dump --schema=public
    echo 'GRANT ALL ON SCHEMA public TO tester; GRANT USAGE ON SCHEMA public TO PUBLIC;'
  } >"$BASE"
}
teardown_file() { server_stop; }

setup() {
  folder_new
  cp -r "$BASE_FOLDER/20240101000000_base" "$FOLDER/"
  NAME=20240102000000_it
  fresh
}
teardown() {
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
  sessions_end
  roles_end
}

## Given

# As after the base's own deploy. (Not a copy of a database: making and dropping one costs ten times as much.)
fresh() {
  sessions_end
  sql_admin <"$BASE" >/dev/null
}

# 3: the gate; 3.2: when somebody comes there for the second time; "ROW EXCLUSIVE base": a lock that another has.
close_at() {
  case $1 in
  *' '*) session_begin "BEGIN; LOCK TABLE \"${1##* }\" IN ${1% *} MODE" ;;
  *.*) sql "INSERT INTO gate.closed VALUES (${1%.*}, ${1#*.})" ;;
  *) sql "INSERT INTO gate.closed VALUES ($1)" ;;
  esac
}

open_all() {
  sql "DELETE FROM gate.closed"
  sessions_end
}

## When

watch() { # CONDITION WHAT
  local database=$PGDATABASE
  PGDATABASE=postgres sql_admin "CALL watch.until(\$w\$SELECT $1 (SELECT FROM pg_stat_activity WHERE datname = '$database'
    AND application_name LIKE 'mig-apply%' $2)\$w\$, '$3')"
}

killed_at() { # STOP terminated|completed
  close_at "$1"
  mig-scan 2>"$BATS_TEST_TMPDIR/scan.err" | mig-plan 2>"$BATS_TEST_TMPDIR/plan.err" >"$BATS_TEST_TMPDIR/plan.rec"
  begin mig-apply "$BATS_TEST_TMPDIR/plan.rec"
  watch EXISTS "AND (wait_event = 'PgSleep' OR wait_event_type = 'Lock')" "to come to $1" ||
    fail "did not come to $1: $(cat "$BATS_TEST_TMPDIR"/*.err)" || return 1
  kill -KILL "$JOB"
  { wait "$JOB"; } 2>/dev/null || true
  JOB=
  # The server: gives it up there and then, or finishes what it was given before it notices.
  [[ $2 != terminated ]] || sql_admin "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'mig-apply%'" >/dev/null
  open_all
  watch 'NOT EXISTS' '' 'the session to end'
}

# The next deploy; where it has to be told what became of the statement, as mig-plan says it can be typed.
goes_on() { # terminated|completed
  local which='did not happen)'
  [[ $1 != completed ]] || which='(it did)'
  pipeline
  told=
  [[ $status == 1 ]] || return 0
  told=$(mig-scan 2>/dev/null | mig-plan 2>/dev/null |
    jq -r 'select(.record == "finding" and .rule == "failed").remedy' | grep -F -e "$which")
  [[ $told == 'mig-scan | mig-plan --resume='* ]] || fail "no remedy: $stderr" || return 1
  told=${told%%    (*}
  run --separate-stderr bash -c "$told"
}

## Then

# What is there, in one go: the history, the catalog, and every row, in no order.
state() {
  sql <<'SQL'
SELECT 'history', migration_name, checksum, finished_at IS NOT NULL, rolled_back_at IS NOT NULL, applied_steps_count, logs,
  finished_at >= started_at FROM _prisma_migrations ORDER BY started_at;
SELECT 'class', c.relkind, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'S') ORDER BY c.relname, a.attnum;
SELECT 'index', pg_get_indexdef(i.indexrelid), indisvalid, indisready FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE relnamespace = 'public'::regnamespace ORDER BY 2;
SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 2;
SELECT 'enum', enumtypid::regtype, enumlabel FROM pg_enum ORDER BY 2, enumsortorder;
SELECT 'routine', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 2, 3;
SELECT 'prepared', gid FROM pg_prepared_xacts WHERE database = current_database();
SELECT 'rows', relname, xpath('/row/rows/text()', query_to_xml(format('SELECT string_agg(t::text, '' '' ORDER BY t::text) AS rows FROM %I t',
  relname), false, true, '')) FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> '_prisma_migrations' ORDER BY 2;
SQL
}

assert_state() { # WHAT
  state | diff "$BATS_TEST_TMPDIR/wanted" - >"$BATS_TEST_TMPDIR/difference" ||
    fail "$1: what is left (>) is not what an undisturbed deploy leaves (<)
$(cat "$BATS_TEST_TMPDIR/difference")
$stderr"
}

# survives STOP…: the script on stdin, killed at each of them, reaches what it reaches undisturbed; and so does psql.
# The statement is given up or completed, in turn from stop to stop; MIG_TEST_STRIDE=1 (make check-journal) has both at each.
#   TOLD='3 4'      at these stops somebody has to say what became of the statement
#   PSQL=refused    mig-plan --format=sql does not take it
survives() {
  local stop after turn=$((RANDOM % 2)) turns=(terminated completed)
  migration "$NAME"
  pipeline
  assert_code 0
  state >"$BATS_TEST_TMPDIR/wanted"
  for stop; do
    turn=$((1 - turn))
    for after in "${turns[@]}"; do
      [[ ${MIG_TEST_STRIDE-} == 1 || $after == "${turns[turn]}" ]] || continue
      fresh
      killed_at "$stop" "$after"
      goes_on "$after"
      [[ $status == 0 ]] || fail "killed at $stop, $after: the next deploy ended with $status
${told:-plain}: $stderr
$(sql "SELECT * FROM _prisma_migrations")" || return 1
      if [[ -n $told && ${TOLD-} != *"$stop"* ]]; then
        fail "killed at $stop, $after: it asks what became of the statement; ${told}" || return 1
      fi
      assert_state "killed at $stop, $after${told:+, told: $told}" || return 1
    done
  done
  fresh
  run --separate-stderr bash -c 'set -o pipefail; mig-scan | mig-plan --format=sql >"$1"' - "$BATS_TEST_TMPDIR/plan.sql"
  if [[ ${PSQL-} == refused ]]; then
    assert_code 65
    says "$NAME/migration.sql:" 'mig-apply sends it unchanged'
    return 0
  fi
  assert_code 0
  run --separate-stderr psql -f "$BATS_TEST_TMPDIR/plan.sql"
  assert_code 0
  assert_state 'by psql'
}

# ---- killed at each statement ----------------------------------------------------------------------------------------------

@test "killed at each statement: an ordinary script" {
  survives 1 2 3 4 5 <<'SQL'
CREATE TABLE "made" AS SELECT gate.wait(1) AS "n";
UPDATE "base" SET "v" = "v" + gate.wait(2) WHERE "id" = 1;
ALTER TABLE "made" ADD COLUMN "three" INTEGER DEFAULT gate.wait(3);
DELETE FROM "base" WHERE "id" = 10 + gate.wait(4);
INSERT INTO "log" ("n") VALUES (gate.wait(5));
SQL
}

@test "killed at each statement: an ordinary script between two others that go out ahead" {
  migration 20240101000001_before 'CREATE TABLE "before" ("n" INTEGER); INSERT INTO "log" VALUES (101);'
  migration 20240103000000_behind 'UPDATE "base" SET "v" = "v" + 1; INSERT INTO "late" VALUES (1);'
  survives 1 2 6 <<'SQL'
UPDATE "base" SET "v" = "v" * gate.wait(1);
INSERT INTO "before" VALUES (gate.wait(2));
SQL
}

@test "killed at each statement: BEGIN and COMMIT of its own, and while it commits" {
  survives 1 3 4 6 <<'SQL'
UPDATE "base" SET "v" = "v" + gate.wait(1);
BEGIN;
INSERT INTO "late" VALUES (gate.wait(3));
UPDATE "base" SET "v" = "v" * gate.wait(4);
COMMIT;
SQL
}

@test "killed at each statement: two transactions of its own" {
  survives 2 6 4 5 <<'SQL'
BEGIN;
INSERT INTO "log" ("n") VALUES (gate.wait(2)); INSERT INTO "late" VALUES (2);
COMMIT;
UPDATE "base" SET "v" = "v" + gate.wait(4);
INSERT INTO "log" ("n") VALUES (gate.wait(5));
SQL
}

@test "killed at each statement: COMMIT without BEGIN" {
  survives 1 3 5 6 6.2 <<'SQL'
UPDATE "base" SET "v" = "v" + gate.wait(1);
INSERT INTO "late" VALUES (1); COMMIT;
UPDATE "base" SET "v" = "v" * gate.wait(3);
INSERT INTO "late" VALUES (2); COMMIT;
INSERT INTO "log" ("n") VALUES (gate.wait(5));
SQL
}

@test "killed at each statement: ROLLBACK inside, with and without BEGIN" {
  survives 1 2 3 4 5 <<'SQL'
UPDATE "base" SET "v" = "v" + gate.wait(1); COMMIT;
UPDATE "base" SET "v" = "v" + gate.wait(2); ROLLBACK;
BEGIN; UPDATE "base" SET "v" = "v" + gate.wait(3); ABORT;
UPDATE "base" SET "v" = "v" + gate.wait(4);
END; INSERT INTO "log" ("n") VALUES (gate.wait(5)); ROLLBACK;
SQL
}

@test "killed at each statement: AND CHAIN" {
  survives 2 4 6 5 <<'SQL'
START TRANSACTION;
UPDATE "base" SET "v" = "v" + gate.wait(2);
COMMIT AND CHAIN;
UPDATE "base" SET "v" = "v" * gate.wait(4);
INSERT INTO "late" VALUES (4);
COMMIT AND NO CHAIN;
BEGIN; UPDATE "base" SET "v" = 0; ROLLBACK AND CHAIN; INSERT INTO "log" ("n") VALUES (gate.wait(5)); COMMIT;
SQL
}

@test "killed at each statement: savepoints" {
  survives 3 4 5 <<'SQL'
BEGIN;
SAVEPOINT one;
UPDATE "base" SET "v" = "v" + gate.wait(3);
ROLLBACK TO one; UPDATE "base" SET "v" = "v" + gate.wait(4); RELEASE one;
COMMIT;
INSERT INTO "log" ("n") VALUES (gate.wait(5));
SQL
}

@test "killed at each statement: CREATE INDEX CONCURRENTLY between others" {
  survives 1 2 'ROW EXCLUSIVE base' 'SHARE UPDATE EXCLUSIVE base' 4 5 <<'SQL'
INSERT INTO "log" ("n") VALUES (gate.wait(1));
ALTER TABLE "log" ADD COLUMN "two" INTEGER DEFAULT gate.wait(2);
CREATE INDEX CONCURRENTLY "base_new" ON "base" ("v", ("id" + 1));
UPDATE "base" SET "v" = "v" + gate.wait(4);
INSERT INTO "log" ("n") VALUES (gate.wait(5));
SQL
}

@test "killed at each statement: CREATE INDEX CONCURRENTLY IF NOT EXISTS, the last one" {
  survives 1 'ROW EXCLUSIVE base' 'SHARE UPDATE EXCLUSIVE base' <<'SQL'
INSERT INTO "log" ("n") VALUES (gate.wait(1));
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "base_new" ON public."base" ("v");
SQL
}

@test "killed at each statement: CREATE INDEX CONCURRENTLY without a name" {
  survives 1 'ROW EXCLUSIVE log' 3 <<'SQL'
INSERT INTO "base" VALUES (50 + gate.wait(1));
CREATE INDEX CONCURRENTLY ON "log" ("n");
INSERT INTO "base" VALUES (50 + gate.wait(3));
SQL
}

@test "killed at each statement: DROP INDEX CONCURRENTLY" {
  survives 1 'ACCESS SHARE base' 'SHARE UPDATE EXCLUSIVE base' 3 <<'SQL'
INSERT INTO "log" ("n") VALUES (gate.wait(1));
DROP INDEX CONCURRENTLY "base_v";
INSERT INTO "log" ("n") VALUES (gate.wait(3));
SQL
}

@test "killed at each statement: VACUUM" {
  survives 1 'SHARE UPDATE EXCLUSIVE base' 3 <<'SQL'
UPDATE "base" SET "v" = "v" + gate.wait(1);
VACUUM (ANALYZE) "base";
INSERT INTO "log" ("n") VALUES (gate.wait(3));
SQL
}

@test "killed at each statement: REINDEX CONCURRENTLY" {
  survives 1 'ROW EXCLUSIVE base' 'SHARE UPDATE EXCLUSIVE base' 3 <<'SQL'
UPDATE "base" SET "v" = "v" + gate.wait(1);
REINDEX INDEX CONCURRENTLY "base_v";
INSERT INTO "log" ("n") VALUES (gate.wait(3));
SQL
}

@test "killed at each statement: five that stand alone" {
  survives 'ROW EXCLUSIVE base' 'SHARE UPDATE EXCLUSIVE log' 'ACCESS SHARE base' 'ROW EXCLUSIVE late' <<'SQL'
CREATE INDEX CONCURRENTLY "one" ON "base" ("v", ("id" + 1));
VACUUM "log";
DROP INDEX CONCURRENTLY IF EXISTS "base_v";
CREATE INDEX CONCURRENTLY "late_n" ON "late" ("n");
VACUUM ANALYZE "base";
SQL
}

@test "killed at each statement: a mixture of all of them" {
  survives 1 6 2 3 'ROW EXCLUSIVE log' 4 5 <<'SQL'
INSERT INTO "base" VALUES (30 + gate.wait(1)); BEGIN; INSERT INTO "late" VALUES (1); COMMIT;
VACUUM "base";
INSERT INTO "base" VALUES (30 + gate.wait(2)); SAVEPOINT s; INSERT INTO "base" VALUES (30 + gate.wait(3)); ROLLBACK TO s;
CREATE INDEX CONCURRENTLY "log_n" ON "log" ("n");
BEGIN; DELETE FROM "base" WHERE "id" = gate.wait(4); ROLLBACK; UPDATE "base" SET "v" = "v" + gate.wait(5);
SQL
}

@test "killed at each statement: a new value of an enum, and its use" {
  PSQL=refused survives 1 3 5 1.2 3.2 <<'SQL'
UPDATE "base" SET "v" = "v" + gate.wait(1);
ALTER TYPE "mood" ADD VALUE 'b';
UPDATE "base" SET "v" = "v" * gate.wait(3);
INSERT INTO "moods" VALUES ('b');
INSERT INTO "log" ("n") VALUES (gate.wait(5));
SQL
}

@test "killed at each statement: a DO that commits" {
  PSQL=refused TOLD=3.2 survives 1 2 3 1.2 2.2 3.2 4 5 <<'SQL'
UPDATE "base" SET "v" = "v" + gate.wait(1);
INSERT INTO "log" ("n") VALUES (gate.wait(2));
DO $$ BEGIN INSERT INTO "log" ("n") VALUES (gate.wait(3)); COMMIT; INSERT INTO "log" ("n") VALUES (3); END $$;
UPDATE "base" SET "v" = "v" * gate.wait(4);
INSERT INTO "log" ("n") VALUES (gate.wait(5));
SQL
}

@test "killed at each statement: CALL of a procedure that commits" {
  PSQL=refused TOLD=2.3 survives 1 2 1.2 2.2 2.3 3 <<'SQL'
UPDATE "base" SET "v" = "v" + gate.wait(1);
CALL "commits"(2);
INSERT INTO "log" ("n") VALUES (gate.wait(3));
SQL
}

@test "killed at each statement: COMMIT PREPARED" {
  TOLD=6 survives 1 3 <<'SQL'
UPDATE "base" SET "v" = "v" + gate.wait(1); COMMIT;
BEGIN;
INSERT INTO "log" ("n") VALUES (2);
PREPARE TRANSACTION 'prepared';
COMMIT PREPARED 'prepared';
UPDATE "base" SET "v" = "v" * gate.wait(3);
SQL
}

# ---- errors, and files that were changed -----------------------------------------------------------------------------------

# mends N…: the script on stdin fails where it says gate.wait(N); mended there, it goes on and reaches what it reaches
# undisturbed.
mends() {
  local n
  migration "$NAME"
  cp "$FOLDER/$NAME/migration.sql" "$BATS_TEST_TMPDIR/right"
  pipeline
  assert_code 0
  state >"$BATS_TEST_TMPDIR/wanted"
  for n; do
    fresh
    sed "s:gate.wait($n):(SELECT 1 / (gate.wait($n) - $n)):" "$BATS_TEST_TMPDIR/right" >"$FOLDER/$NAME/migration.sql"
    pipeline
    [[ $status == 1 ]] || fail "wrong at $n: it ended with $status: $stderr" || return 1
    says '[22012]' "$NAME/migration.sql:"
    cp "$BATS_TEST_TMPDIR/right" "$FOLDER/$NAME/migration.sql"
    pipeline
    [[ $status == 0 ]] || fail "mended at $n: it ended with $status: $stderr" || return 1
    assert_state "mended at $n" || return 1
  done
}

@test "an error at each statement, mended: ordinary ones, transactions of its own" {
  mends 1 2 3 4 5 <<'SQL'
UPDATE "base" SET "v" = "v" + gate.wait(1);
BEGIN; UPDATE "base" SET "v" = "v" * gate.wait(2); COMMIT;
UPDATE "base" SET "v" = "v" + gate.wait(3); COMMIT;
UPDATE "base" SET "v" = "v" * gate.wait(4); ROLLBACK;
UPDATE "base" SET "v" = "v" * gate.wait(5);
SQL
}

@test "an error at each statement, mended: some that stand alone" {
  mends 1 2 3 4 5 <<'SQL'
UPDATE "base" SET "v" = "v" + gate.wait(1);
VACUUM "base";
UPDATE "base" SET "v" = "v" * gate.wait(2); UPDATE "base" SET "v" = "v" + gate.wait(3);
CREATE INDEX CONCURRENTLY "new" ON "base" ("id", "v");
INSERT INTO "log" ("n") VALUES (gate.wait(4));
DROP INDEX CONCURRENTLY "base_v2";
INSERT INTO "log" ("n") VALUES (gate.wait(5));
SQL
}

@test "an error at each statement, mended: what only the server can tell" {
  mends 1 2 3 4 5 <<'SQL'
UPDATE "base" SET "v" = "v" + gate.wait(1);
DO $$ BEGIN INSERT INTO "log" ("n") VALUES (gate.wait(2)); COMMIT; END $$;
ALTER TYPE "mood" ADD VALUE 'b'; UPDATE "base" SET "v" = "v" * gate.wait(3);
INSERT INTO "moods" VALUES ('b'); UPDATE "base" SET "v" = "v" + gate.wait(4);
INSERT INTO "log" ("n") VALUES (gate.wait(5));
SQL
}

# Statements 1 and 2 of 4 are committed.
half_done() {
  migration "$NAME" <<'SQL'
INSERT INTO "log" VALUES (1);
CREATE INDEX CONCURRENTLY "new" ON "base" ("id", "v");
INSERT INTO "nowhere" VALUES (3);
INSERT INTO "log" VALUES (4);
SQL
  pipeline
  assert_code 1
  says '2 of its 4 statements are committed' "$NAME/migration.sql:3:"
  assert_equal "$(sql 'SELECT n FROM log')" 1
}

@test "an index that cannot be unique is removed, and the rest waits for a mended file" {
  migration "$NAME" 'INSERT INTO "log" VALUES (1), (1); CREATE UNIQUE INDEX CONCURRENTLY "log_n" ON "log" ("n"); INSERT INTO "log" VALUES (3);'
  pipeline
  assert_code 1
  says '[23505]'
  migration "$NAME" 'INSERT INTO "log" VALUES (1), (1); CREATE INDEX CONCURRENTLY "log_n" ON "log" ("n"); INSERT INTO "log" VALUES (3);'
  pipeline
  assert_code 0
  assert_equal "$(sql "SELECT indexrelid::regclass, indisvalid FROM pg_index WHERE indrelid = 'log'::regclass; SELECT n FROM log")" \
    $'log_n|t\n1\n1\n3'
  assert_equal "$(applied | tail -n 1)" "$NAME"
  assert_equal "$(history | tail -n 1)" "$NAME|$(checksum "$NAME")|finished|-|1|-"
}

@test "IF NOT EXISTS does not take what an earlier attempt left for the index" {
  sql 'INSERT INTO log VALUES (1), (1)'
  migration "$NAME" 'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "log_n" ON "log" ("n");'
  pipeline
  assert_code 1
  says '[23505]'
  sql 'DELETE FROM log; INSERT INTO log VALUES (1)'
  pipeline
  assert_code 0
  assert_equal "$(sql "SELECT indexrelid::regclass, indisvalid FROM pg_index WHERE indrelid = 'log'::regclass")" 'log_n|t'
}

@test "changed before where it stopped: nobody knows, so somebody says" {
  half_done
  migration "$NAME" <<'SQL'
INSERT INTO "log" VALUES (1001);
CREATE INDEX CONCURRENTLY "new" ON "base" ("id", "v");
INSERT INTO "log" VALUES (3);
INSERT INTO "log" VALUES (4);
SQL
  run --separate-stderr bash -c 'mig-scan | mig-plan'
  assert_code 1
  says 'its file was changed in a part that is already committed'
  pipeline
  assert_code 1
  assert_equal "$(sql 'SELECT n FROM log')" 1
  goes_on terminated
  assert_code 0
  assert_equal "$told" "mig-scan | mig-plan --resume=$NAME:3 | mig-apply"
  assert_equal "$(sql 'SELECT n FROM log ORDER BY n')" $'1\n3\n4'
  assert_equal "$(history | tail -n 1)" "$NAME|$(checksum "$NAME")|finished|-|1|-"
}

@test "fewer statements than are done, a comment before, line ends of another kind: somebody says" {
  half_done
  cp "$FOLDER/$NAME/migration.sql" right
  for change in 's/VALUES (1)/VALUES  (1)/' '1i -- about it' '3,$d;2d'; do
    sed -e "$change" right >"$FOLDER/$NAME/migration.sql"
    pipeline
    assert_code 1
    says '--resume'
  done
  assert_equal "$(sql 'SELECT n FROM log')" 1
}

@test "--resume: the statement behind the last one finishes the row, others are refused" {
  half_done
  for at in 0 6 99999999999999999999 -1 x ''; do
    run --separate-stderr bash -c 'mig-scan | mig-plan --resume "$1"' - "$NAME:$at"
    assert_code 64
  done
  run --separate-stderr bash -c 'mig-scan | mig-plan --resume 20240101000000_base:1'
  assert_code 64
  pipeline plan: --resume "$NAME:5"
  assert_code 0
  assert_equal "$(history | tail -n 1)" "$NAME|$(checksum "$NAME")|finished|-|1|-"
  assert_equal "$(sql 'SELECT n FROM log')" 1
}

@test "a plan made before the journal moved on is refused" {
  half_done
  cp "$FOLDER/$NAME/migration.sql" wrong
  sed -i 's/"nowhere"/"log"/' "$FOLDER/$NAME/migration.sql"
  mig-scan 2>/dev/null | mig-plan >old.rec 2>/dev/null
  pipeline
  assert_code 0
  run --separate-stderr mig-apply old.rec
  assert [ "$status" -ne 0 -o -z "$(grep -v 'by another\|skipped\|applied' <<<"$stderr" | grep error)" ]
  assert_equal "$(sql 'SELECT n FROM log ORDER BY n')" $'1\n3\n4'
}

@test "Prisma sees a failed migration while it is half done, and is content when it is finished" {
  prisma_available
  prisma_project
  half_done
  run prisma status
  assert_failure
  assert_output --partial "$NAME"
  assert_output --partial 'have failed'
  run prisma deploy
  assert_failure
  assert_output --partial P3009
  sed -i 's/"nowhere"/"log"/' "$FOLDER/$NAME/migration.sql"
  pipeline
  assert_code 0
  run prisma status
  assert_success
  run prisma deploy
  assert_success
  assert_output --partial 'No pending migrations'
}

@test "half done, Prisma's resolve lets both go on" {
  prisma_available
  prisma_project
  half_done
  run prisma resolve --rolled-back "$NAME"
  assert_success
  sql 'DELETE FROM log; DROP INDEX new'
  sed -i 's/"nowhere"/"log"/' "$FOLDER/$NAME/migration.sql"
  pipeline
  assert_code 0
  assert_equal "$(sql 'SELECT n FROM log ORDER BY n')" $'1\n3\n4'
  run prisma status
  assert_success
}

# ---- what a script does to the session --------------------------------------------------------------------------------------

@test "SET stays in force for the scripts that follow, as with Prisma" {
  migration 20240102000000_set <<'SQL'
SET work_mem = '7MB'; SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601'; SET bytea_output = 'escape';
SET check_function_bodies = off; SET extra_float_digits = 0; SET "my.own" = 'mine'; SET client_min_messages = error;
SET statement_timeout = '1h'; SET LOCAL join_collapse_limit = 3; SELECT set_config('geqo', 'off', false);
SET xmloption = content; SET row_security = off; SET default_table_access_method = heap; SET SESSION synchronous_commit = off;
SQL
  migration 20240103000000_seen <<'SQL'
CREATE TABLE "seen" AS SELECT name, setting FROM pg_settings WHERE name IN ('work_mem', 'TimeZone', 'DateStyle', 'IntervalStyle', 'bytea_output',
  'check_function_bodies', 'extra_float_digits', 'client_min_messages', 'statement_timeout', 'join_collapse_limit', 'geqo', 'xmloption',
  'row_security', 'search_path') UNION SELECT 'my.own', current_setting('my.own')
  UNION SELECT 'a time', timestamptz '2024-01-01 12:00:00Z'::text UNION SELECT 'bytes', '\x00'::bytea::text;
SQL
  pipeline
  assert_code 0
  sql 'SELECT * FROM seen ORDER BY 1' >mig.seen
  assert_equal "$(sql 'SELECT count(*) FROM _prisma_migrations WHERE finished_at BETWEEN now() - interval $$1 hour$$ AND now()')" 3
  grep -q '^work_mem|7168$' mig.seen
  grep -q '^bytes|\\000$' mig.seen
  prisma_available
  prisma_project
  fresh
  run prisma deploy
  assert_success
  sql 'SELECT * FROM seen ORDER BY 1' | diff - mig.seen
}

@test "settings that change how a statement is read do not reach the history" {
  migration 20240102000000_set <<'SQL'
SET standard_conforming_strings = off; SET backslash_quote = on; SET escape_string_warning = off; SET transform_null_equals = on;
SET default_transaction_read_only = off; SET datestyle = 'SQL, DMY'; SET quote_all_identifiers = on; SET array_nulls = off;
SQL
  migration "20240103000000_it's \\ a \"name\"" 'CREATE TABLE "x" AS SELECT 1 AS "n";'
  migration 20240104000000_alone 'CREATE INDEX CONCURRENTLY "x_n" ON "x" ("n"); INSERT INTO "x" VALUES (2);'
  pipeline
  assert_code 0
  assert_equal "$(applied)" "20240101000000_base
20240102000000_set
20240103000000_it's \\ a \"name\"
20240104000000_alone"
}

@test "a script that moves the search path: Prisma loses the history, mig does not" {
  for path in "SELECT pg_catalog.set_config('search_path', '', false);" 'CREATE SCHEMA "other"; SET search_path = "other";' \
    'SET search_path TO pg_catalog;'; do
    fresh
    sql 'DROP SCHEMA IF EXISTS other CASCADE'
    migration 20240102000000_dump "$path CREATE TABLE public.made (n int);"
    migration 20240103000000_next 'CREATE TABLE "next" ("n" INTEGER);'
    pipeline
    assert_code 0
    says '20240102000000_dump changed search_path'
    assert_equal "$(sql "SELECT string_agg(oid::regclass::text, ' ' ORDER BY relname) FROM pg_class WHERE relname IN ('made', 'next')")" 'made next'
    assert_equal "$(applied | wc -l)" 3
  done
  prisma_available
  prisma_project
  fresh
  run prisma deploy
  assert_failure
}

@test "a script that puts another schema first: the history stays where it is" {
  migration 20240102000000_schema 'CREATE SCHEMA "other"; SET search_path = "other", public; CREATE TABLE "here" ("n" INTEGER);'
  migration 20240103000000_next 'CREATE TABLE "next" ("n" INTEGER);'
  pipeline
  assert_code 0
  assert_equal "$(sql "SELECT string_agg(relnamespace::regnamespace || '.' || relname, ' ' ORDER BY relname) FROM pg_class
    WHERE relname IN ('here', 'next', '_prisma_migrations')")" 'public._prisma_migrations other.here other.next'
  sql 'DROP SCHEMA other CASCADE'
}

@test "DISCARD ALL gives the deploy lock away; it is taken again" {
  migration 20240102000000_discard 'DISCARD ALL;'
  migration 20240103000000_held "CREATE TABLE \"held\" AS SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database());"
  migration 20240104000000_unlock 'SELECT pg_advisory_unlock_all();'
  migration 20240105000000_held "INSERT INTO \"held\" SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database());"
  pipeline
  assert_code 0
  says '20240102000000_discard released the deploy lock; it was taken again' '20240104000000_unlock released the deploy lock'
  assert_equal "$(sql 'SELECT n FROM held')" $'1\n1'
}

@test "DISCARD ALL between others" {
  survives 1 2 <<'SQL'
UPDATE "base" SET "v" = "v" + gate.wait(1);
SET search_path = 'gate'; DISCARD ALL;
UPDATE "base" SET "v" = "v" * gate.wait(2);
SQL
}

@test "SET ROLE to one that may not write the history" {
  role_new worker
  sql_admin "GRANT \"$ROLE\" TO tester; GRANT CREATE ON SCHEMA public TO \"$ROLE\""
  migration 20240102000000_role "SET ROLE \"$ROLE\"; CREATE TABLE \"theirs\" (\"n\" INTEGER);"
  migration 20240103000000_next 'CREATE TABLE "next" ("n" INTEGER);'
  migration 20240104000000_alone 'CREATE INDEX CONCURRENTLY "i" ON "next" ("n"); INSERT INTO "next" VALUES (1);'
  migration 20240105000000_back 'RESET ROLE; CREATE TABLE "back" ("n" INTEGER);'
  pipeline
  assert_code 0
  assert_equal "$(applied | wc -l)" 5
  assert_equal "$(sql "SELECT relname, relowner::regrole::text = '\"$ROLE\"' OR relowner::regrole::text = '$ROLE' FROM pg_class
    WHERE relname IN ('theirs', 'next', 'back') ORDER BY 1")" $'back|f\nnext|t\ntheirs|t'
  sql_admin 'DROP TABLE "theirs", "next", "back"'
}

@test "SET SESSION AUTHORIZATION to one that may not write the history" {
  role_new session
  sql_admin "GRANT CREATE ON SCHEMA public TO \"$ROLE\""
  migration 20240102000000_session "SET SESSION AUTHORIZATION \"$ROLE\"; CREATE TABLE \"theirs\" (\"n\" INTEGER);"
  migration 20240103000000_next 'CREATE TABLE "next" ("n" INTEGER);'
  DATABASE_URL=$(database_url postgres)
  pipeline
  assert_code 0
  assert_equal "$(applied | wc -l)" 3
  sql_admin 'DROP TABLE "theirs", "next"'
}

@test "a script that ends its own session: nothing of it stays, and the next deploy says the same" {
  migration "$NAME" 'INSERT INTO "log" VALUES (1); SELECT pg_terminate_backend(pg_backend_pid()); INSERT INTO "log" VALUES (2);'
  for again in 1 2; do
    pipeline
    assert_code 69
    assert_equal "$(applied)" 20240101000000_base
    assert_equal "$(sql 'SELECT count(*) FROM log; SELECT count(*) FROM _prisma_migrations')" $'0\n1'
  done
}

@test "a script that ends its own session after a commit: it goes on behind that" {
  migration "$NAME" 'INSERT INTO "log" VALUES (1); COMMIT; DO $$ BEGIN IF NOT EXISTS (SELECT FROM "log" WHERE "n" = 9) THEN
    PERFORM pg_terminate_backend(pg_backend_pid()); END IF; END $$; INSERT INTO "log" VALUES (2);'
  pipeline
  assert_code 69
  assert_equal "$(sql 'SELECT n FROM log')" 1
  sql 'INSERT INTO log VALUES (9)'
  pipeline
  assert_code 0
  assert_equal "$(sql 'SELECT n FROM log ORDER BY n')" $'1\n2\n9'
}

@test "a script that leaves its transaction open is refused before anything is sent" {
  migration 20240102000000_fine 'CREATE TABLE "fine" ("n" INTEGER);'
  for script in 'BEGIN; INSERT INTO "log" VALUES (1);' 'INSERT INTO "log" VALUES (1); START TRANSACTION;' \
    'BEGIN; COMMIT AND CHAIN; INSERT INTO "log" VALUES (1);' 'BEGIN; INSERT INTO "log" VALUES (1); ROLLBACK AND CHAIN;' \
    'BEGIN; SAVEPOINT s; INSERT INTO "log" VALUES (1); ROLLBACK TO s' 'BEGIN; CREATE INDEX CONCURRENTLY i ON "log" ("n");'; do
    migration 20240103000000_open "$script"
    pipeline
    assert_code 1
    says 'BEGIN without COMMIT'
    assert_equal "$(applied)" 20240101000000_base
  done
}

# ---- the same by psql --------------------------------------------------------------------------------------------------------

as_sql() {
  run --separate-stderr bash -c 'set -o pipefail; mig-scan | mig-plan --format=sql >plan.sql'
}

# Nobody has it but the sessions of this test.
lock_is_free() {
  [[ $(sql_admin "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND pid <> ALL ('{$(IFS=, && echo "${sessions[*]-}")}'::int[])") == 0 ]]
}

# And its session has ended: the server notices a little later.
by_psql() {
  run --separate-stderr psql -f plan.sql
  eventually lock_is_free
}

@test "psql stops at the first error, and what it leaves mig-apply goes on with" {
  migration 20240102000000_fine 'CREATE TABLE "fine" ("n" INTEGER);'
  migration 20240103000000_wrong 'INSERT INTO "log" VALUES (1); INSERT INTO "nowhere" VALUES (1);'
  migration 20240104000000_never 'INSERT INTO "log" VALUES (4);'
  as_sql
  assert_code 0
  by_psql
  assert_code 3
  assert_equal "$(history | cut -d '|' -f 1,3-)" '20240101000000_base|finished|-|1|-
20240102000000_fine|finished|-|1|-'
  assert_equal "$(sql 'SELECT n FROM log')" ''
  migration 20240103000000_wrong 'INSERT INTO "log" VALUES (3);'
  pipeline
  assert_code 0
  assert_equal "$(sql 'SELECT n FROM log ORDER BY n')" $'3\n4'
}

@test "psql stops in a script that is half committed, and mig-apply goes on there" {
  migration "$NAME" <<'SQL'
INSERT INTO "log" VALUES (1);
CREATE INDEX CONCURRENTLY "new" ON "base" ("id", "v");
INSERT INTO "log" VALUES (3); INSERT INTO "nowhere" VALUES (4);
SQL
  as_sql
  assert_code 0
  by_psql
  assert_code 3
  assert_equal "$(sql 'SELECT n FROM log; SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NULL')" $'1\n1'
  sed -i 's/"nowhere"/"log"/' "$FOLDER/$NAME/migration.sql"
  as_sql
  assert_code 0
  by_psql
  assert_code 0
  assert_equal "$(sql 'SELECT n FROM log ORDER BY n')" $'1\n3\n4'
  assert_equal "$(history | tail -n 1)" "$NAME|$(checksum "$NAME")|finished|-|1|-"
  run --separate-stderr bash -c 'mig-scan | mig-plan --exit-code'
  assert_code 0
}

@test "what psql would alter is refused by name, and the rest passes unaltered" {
  local n=0
  for script in 'SELECT :name;' "SELECT :'name';" 'SELECT :"name";' 'SELECT 1 \g' '\echo x' 'SELECT 1; \! id' 'SELECT 1 \; SELECT 2' \
    'SELECT :{?name};' $'SELECT 1;\n\\.\n'; do
    migration "$NAME" "$script"
    as_sql
    # by the face for psql, or already by the plan
    [[ $status == 65 || $status == 1 ]] || fail "not refused: $script" || return 1
    says "$NAME/migration.sql:"
  done
  migration "$NAME" <<'SQL'
CREATE TABLE "t" AS SELECT ':name'::text AS "a", '1'::int AS "b", E'\\:name' AS "c", (ARRAY[1,2,3])[1:2] AS "d", $$:name \echo$$::text AS "e", ':' || 'x' AS "f";
-- :name \echo
/* :name \echo */ COMMENT ON TABLE "t" IS ':''name''';
SQL
  as_sql
  assert_code 0
  by_psql
  assert_code 0
  sql 'SELECT * FROM t' >by_psql
  fresh
  pipeline
  assert_code 0
  sql 'SELECT * FROM t' | diff - by_psql
}

@test "psql touches nothing where the history has changed, in another database, while the lock is held" {
  migration "$NAME" 'INSERT INTO "log" VALUES (1);'
  as_sql
  assert_code 0
  session_begin 'SELECT pg_advisory_lock(72707369)'
  by_psql
  assert_code 3
  says 'another deployer holds the lock; nothing was touched'
  sessions_end
  sql "UPDATE _prisma_migrations SET checksum = repeat('0', 64)"
  by_psql
  assert_code 3
  says 'the history has changed since this plan was made; nothing was touched'
  fresh
  database=$PGDATABASE
  database_new
  by_psql
  assert_code 3
  says 'this script is for another database; nothing was touched'
  assert_equal "$(sql "SELECT count(*) FROM pg_class WHERE relname = '_prisma_migrations'")" 0
  PGDATABASE=$database
  assert_equal "$(sql 'SELECT count(*) FROM log')" 0
  by_psql
  assert_code 0
  by_psql
  assert_code 3
  says 'the history has changed'
  assert_equal "$(sql 'SELECT n FROM log')" 1
}
