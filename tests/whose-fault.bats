#!/usr/bin/env bats
# Whose fault it is: the migration's file, its row in the history, or the role's rights. The file is blamed only for its own.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154
load helper
load words

setup_file() { server_start max_prepared_transactions=5; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
}
teardown() {
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
  sessions_end
  roles_end
  # a database that has one cannot be dropped
  sql "SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts WHERE database = current_database() \\gexec"
}

tables() { sql "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> '_prisma_migrations'"; }

@test "an error of our own row is called that, with what the table has that Prisma's has not; the file is not blamed" {
  local change undo code text
  migration 0_first 'SELECT 1;'
  pipeline
  sql 'CREATE FUNCTION frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION $x$history is frozen$x$; END $$'
  migration 1_a_long_name 'CREATE TABLE a ();'
  while IFS='|' read -r code change undo text; do
    sql "${change//M/_prisma_migrations}"
    pipeline
    [[ $status == "$code" ]] || fail "$change: exit $status: $stderr" || return 1
    says '1_a_long_name: error: its row in public._prisma_migrations could not be written: ' "$text" \
      'rolled back   all of step 1' 'next: correct that, then run the same command again'
    says_not 'correct the file' 'migration.sql:'
    assert_equal "$(records 'select(.record == "result").message')" "$(sed -n 's/.*error: \(its row.*\) \[.*/\1/p' <<<"$stderr")"
    assert_equal "$(tables)" ''
    sql "${undo//M/_prisma_migrations}"
  done <<'TABLE'
1|CREATE TRIGGER x BEFORE INSERT ON M FOR EACH ROW EXECUTE FUNCTION frozen()|DROP TRIGGER x ON M|trigger x
1|CREATE CONSTRAINT TRIGGER x AFTER INSERT ON M DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION frozen()|DROP TRIGGER x ON M|trigger x
1|ALTER TABLE M ADD who text NOT NULL DEFAULT 'x'; ALTER TABLE M ALTER who DROP DEFAULT|ALTER TABLE M DROP who|column who has to be given and has no default
1|ALTER TABLE M ALTER migration_name TYPE varchar(10)|ALTER TABLE M ALTER migration_name TYPE varchar(255)|column migration_name is character varying(10), not character varying(255)
1|ALTER TABLE M ALTER id TYPE bigint USING 1|ALTER TABLE M ALTER id TYPE varchar(36)|column id is bigint, not character varying(36)
1|ALTER TABLE M ADD CHECK (migration_name::text OPERATOR(pg_catalog.~) '^0')|ALTER TABLE M DROP CONSTRAINT _prisma_migrations_migration_name_check|constraint _prisma_migrations_migration_name_check
TABLE
  # what the script has left for COMMIT is its own error, though the history has such a trigger, too
  sql "CREATE FUNCTION still() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RETURN NULL; END \$\$;
    CREATE CONSTRAINT TRIGGER y AFTER INSERT ON _prisma_migrations DEFERRABLE FOR EACH ROW EXECUTE FUNCTION still()"
  migration 1_a_long_name 'CREATE TABLE a (n int PRIMARY KEY, m int REFERENCES a DEFERRABLE INITIALLY DEFERRED); INSERT INTO a VALUES (1, 2);'
  pipeline
  assert_code 1
  says '1_a_long_name/migration.sql: error: insert or update on table "a" violates' 'correct the file'
  says_not 'its row in'
  migration 1_a_long_name 'CREATE TABLE a ();'
  pipeline
  assert_code 0
}

@test "a right on the history that goes away during the deploy is 77, and the row's" {
  migration 1_a 'CREATE TABLE a ();'
  migration 2_b 'REVOKE INSERT, UPDATE ON _prisma_migrations FROM tester; COMMIT; CREATE TABLE b ();'
  pipeline
  assert_code 77
  says '2_b: error: its row in public._prisma_migrations could not be written: permission denied'
  says_not 'correct the file'
}

@test "a script that makes its transaction read-only: its row says so" {
  migration 1_a 'SET TRANSACTION READ ONLY; SELECT 1;'
  pipeline
  assert_code 1
  says '1_a: error: its row in public._prisma_migrations could not be written' '[25006]' 'remove SET TRANSACTION READ ONLY'
  says_not 'correct the file'
}

@test "a mark that cannot be written is the row's error, too" {
  migration 1_a 'SELECT 1;'
  pipeline
  migration 2_b 'SELECT 1;'
  sql 'CREATE FUNCTION frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION $x$history is frozen$x$; END $$;
    CREATE TRIGGER x BEFORE INSERT ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION frozen()'
  pipeline plan: --mark-applied=2_b
  assert_code 1
  says '2_b: error: its row in public._prisma_migrations could not be written: history is frozen [P0001]' 'trigger x'
  says_not 'correct the file'
}

@test "a right that a statement lacks is 77, with the owner and the two ways, or the GRANT" {
  local name text
  role_new 'dep x'
  sql_admin "CREATE SCHEMA \"S p\"; CREATE TABLE \"S p\".\"T\" (id int PRIMARY KEY); CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (id int PRIMARY KEY);
    CREATE TABLE seen (id int PRIMARY KEY); CREATE TABLE closed (); GRANT CREATE ON SCHEMA public TO $(quoted "$ROLE"); GRANT USAGE ON SCHEMA \"S p\" TO $(quoted "$ROLE")"
  DATABASE_URL=$(database_url "$(jq -rn --arg r "$ROLE" '$r | @uri')")
  while IFS='|' read -r statement text; do
    migration 1_a "SELECT 1; $statement;"
    pipeline plan: --allow=not_empty
    [[ $status == 77 ]] || fail "$statement: exit $status: $stderr" || return 1
    says '1_a/migration.sql:1:' '[42501]' "${text//ROLE/$(quoted "$ROLE")}" 'next: grant the right to the role, or deploy as a role that has it'
    says_not 'correct the file'
  done <<'TABLE'
ALTER TABLE t ADD b int|the owner of public.t is postgres: deploy as postgres, or:  GRANT postgres TO ROLE;
ALTER TABLE "S p" . "T" ADD b int|the owner of "S p"."T" is postgres: deploy as postgres
DROP TABLE IF EXISTS "t"|the owner of public.t is postgres
COMMENT ON COLUMN t.id IS 'x'|the owner of public.t is postgres
CREATE INDEX ON ONLY t (id)|the owner of public.t is postgres
CREATE INDEX CONCURRENTLY i ON t (id)|the owner of public.t is postgres
ALTER TYPE mood ADD VALUE 'b'|the owner of public.mood is postgres
TRUNCATE t|GRANT TRUNCATE ON public.t TO ROLE;
INSERT INTO t VALUES (1)|GRANT INSERT ON public.t TO ROLE;
CREATE TABLE n (id int REFERENCES seen (id))|GRANT REFERENCES ON public.seen TO ROLE;
CREATE TABLE "S p".n (id int)|GRANT CREATE ON SCHEMA "S p" TO ROLE;
SELECT * FROM closed|permission denied for table closed
TABLE
}

quoted() { printf '"%s"' "${1//\"/\"\"}"; }

# Roles `other`, and ROLE, which may become it; relations of postgres, and one of other's.
promises() {
  local n
  role_new other
  other=$ROLE
  role_new 'dep x'
  {
    echo "CREATE SCHEMA \"S p\"; CREATE TABLE \"S p\".\"T\" (id int PRIMARY KEY); CREATE SCHEMA hidden; CREATE TABLE hidden.h ();
      CREATE TYPE mood AS ENUM ('a'); CREATE SEQUENCE s; CREATE MATERIALIZED VIEW mv AS SELECT 1 AS one;
      GRANT CREATE ON SCHEMA public TO $(quoted "$ROLE"); GRANT USAGE ON SCHEMA \"S p\" TO $(quoted "$ROLE"); GRANT $other TO $(quoted "$ROLE");
      CREATE TABLE mine (id int PRIMARY KEY); ALTER TABLE mine OWNER TO $other;"
    for ((n = 11; n < 30; n++)); do
      echo "CREATE TABLE t$n (id int PRIMARY KEY); CREATE INDEX i$n ON t$n (id);"
    done
  } | sql_admin
  DATABASE_URL=$(database_url "$(jq -rn --arg r "$ROLE" '$r | @uri')")
}

@test "a dry run keeps its promise: what a deploy would be denied it finds" {
  local statement text other n=11
  local -a texts=()
  promises
  while IFS='|' read -r statement text; do
    migration "${n}_a" "SELECT 1;
${statement//%/$n};"
    text=${text//ROLE/$(quoted "$ROLE")}
    texts+=("${text//%/$n}" "${n}_a/migration.sql:2:")
    n=$((n + 1))
  done <<'TABLE'
ALTER TABLE IF EXISTS ONLY "S p"./* x */"T" ADD b int|the role ROLE is not the owner of "S p"."T", which prisma/migrations/%_a/migration.sql:2:1 needs: that is postgres
ALTER TABLE t% RENAME TO t2; ALTER TABLE t2 ADD b int|deploy as postgres, or:  GRANT postgres TO ROLE;
ALTER INDEX i% RENAME TO x|not the owner of public.i%
ALTER SEQUENCE s RESTART|not the owner of public.s,
DROP TABLE mine, "t%" CASCADE|not the owner of public.t%
DROP MATERIALIZED VIEW mv|not the owner of public.mv
DROP INDEX CONCURRENTLY IF EXISTS i%|not the owner of public.i%
COMMENT ON COLUMN public.t%.id IS 'x'|not the owner of public.t%
COMMENT ON CONSTRAINT t_pkey ON t% IS 'x'|not the owner of public.t%
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t% (id)|not the owner of public.t%
CREATE TRIGGER g BEFORE INSERT ON t% FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()|GRANT TRIGGER ON public.t% TO ROLE;
TRUNCATE ONLY mine, t%|lacks a right: TRUNCATE on public.t%
ALTER TYPE mood ADD VALUE 'b'|not the owner of public.mood
CREATE TABLE "S p".n (id int)|GRANT CREATE ON SCHEMA "S p" TO ROLE;
CREATE TABLE m (id int, CONSTRAINT f FOREIGN KEY (id) REFERENCES t% (id))|lacks a right: REFERENCES on public.t%
CREATE TABLE part PARTITION OF t% FOR VALUES IN (1)|not the owner of public.t%
CREATE TABLE kid (a int) INHERITS (mine, t%)|not the owner of public.t%
ALTER TABLE hidden.h ADD b int|GRANT USAGE ON SCHEMA hidden TO ROLE;
INSERT INTO t% VALUES (1)|lacks a right: INSERT on public.t%
TABLE
  migration "99_role" "SET ROLE $other; DROP SCHEMA public;"
  pipeline plan: --allow=not_empty apply: --dry-run
  assert_code 77
  says "${texts[@]}" "the role $other is not the owner of public, which prisma/migrations/99_role/migration.sql:1:"
  error_count $((n - 10))
}

@test "a dry run says what it could not check" {
  local statement text other
  promises
  while IFS='|' read -r statement text; do
    migration 1_a "$statement;"
    pipeline plan: --allow=not_empty apply: --dry-run
    [[ $status == 0 ]] || fail "$statement: exit $status: $stderr" || return 1
    says 'checked: owners and rights' 'not checked: rights to read' "$text" 'dry run passed'
  done <<'TABLE'
CREATE TABLE n (id int); ALTER TABLE n ADD b int; CREATE INDEX ON n (id); COMMENT ON TABLE n IS 'x'|3 names that the plan itself creates or renames
ALTER TABLE mine RENAME TO ours; ALTER TABLE ours ADD b int; DROP TABLE IF EXISTS nowhere|1 name that the plan itself creates or renames
SELECT 1; DO $$ BEGIN ALTER TABLE t11 ADD b int; END $$|2 statements that only the server can judge, the first at prisma/migrations/1_a/migration.sql:1:1
ALTER TABLE mine ADD c int, OWNER TO postgres|1 statement that only the server can judge
CREATE FOREIGN TABLE f (a int) SERVER nowhere|1 statement that only the server can judge
SET ROLE pg_monitor; RESET ROLE; SET SESSION AUTHORIZATION DEFAULT|1 statement that only the server can judge
SET session_replication_role = replica|1 statement that only the server can judge
SET search_path TO hidden; ALTER TABLE t11 ADD b int|1 name after a change of search_path
TABLE
}

@test "a dry run asks for CREATE on the schema only where the plan or the history needs it" {
  role_new dep
  migration 0_first 'CREATE TABLE t (id int);'
  pipeline
  sql "GRANT SELECT, INSERT, UPDATE ON _prisma_migrations TO \"$ROLE\"; GRANT INSERT ON t TO \"$ROLE\""
  DATABASE_URL=$(database_url "$ROLE")
  migration 1_rows 'INSERT INTO t VALUES (1);'
  pipeline apply: --dry-run
  assert_code 0
  pipeline
  assert_code 0
  migration 2_table 'CREATE TABLE n ();'
  pipeline apply: --dry-run
  assert_code 77
  says "GRANT CREATE ON SCHEMA public TO $ROLE;"
}

@test "what is no migration is refused by the plan: commands of psql, down parts, work that is rolled back" {
  local n=10 want script
  while IFS='|' read -r want script; do
    migration "${n}_x" "$(printf '%b' "$script")"
    echo "${n}_x $want" >>"$BATS_TEST_TMPDIR/wanted"
    n=$((n + 1))
  done <<'TABLE'
psql 1:1|\\\\restrict abc\nCREATE TABLE a ();\n\\\\unrestrict abc\n
psql 2:1|-- x\n\\\\connect shop\nCREATE TABLE a ();
psql 1:20|CREATE TABLE a (); \\\\d a
down 3:1|-- migrate:up\nCREATE TABLE a ();\n-- migrate:down\nDROP TABLE a;
down 5:1|-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE a ();\n-- +goose StatementEnd\n  -- +goose Down\nSELECT 1;
down 2:1|CREATE TABLE a ();\n-- +migrate  DOWN notransaction\nDROP VIEW a
down 2:1|CREATE TABLE a ();\r\n-- //@UNDO\r\nSELECT 1;\r\n
rolled_back 1:27|BEGIN; CREATE TABLE a (); ROLLBACK;
rolled_back 2:1|CREATE TABLE a (); \nROLLBACK;
rolled_back 1:40|SET x.y = 1; BEGIN; CREATE TABLE a (); ABORT; BEGIN; SELECT 1;\nROLLBACK; SHOW x.y
-|SELECT 'a\\\\b', E'\\\\\\\\', $$\\\\d$$; -- \\\\d\n/* \\\\connect */
-|CREATE TABLE a ();\n-- migrate:down\n
-|-- down the road\n-- migrate:downs\nSELECT $$\n-- migrate:down\n$$, 'down';
-|BEGIN; CREATE TABLE a (); COMMIT; BEGIN; DROP TABLE a; ROLLBACK;
-|ROLLBACK;
-|BEGIN; SAVEPOINT s; CREATE TABLE a (); ROLLBACK TO s; COMMIT;
TABLE
  run --separate-stderr bash -c 'mig-scan | mig-plan --format=records'
  assert_code 1
  join -a 1 -o 0,2.2,2.3 -e - <(cut -d' ' -f1 "$BATS_TEST_TMPDIR/wanted") \
    <(records 'select(.record == "finding" and (.rule | IN("psql", "down", "rolled_back"))) | "\(.migration) \(.rule) \(.line):\(.column)"') |
    sed 's/ - -$/ -/' | diff "$BATS_TEST_TMPDIR/wanted" -
  pipeline
  assert_code 1
  assert_equal "$(tables)" ''
}

@test "a prepared transaction that blocks is named with what ends it" {
  sql "CREATE TABLE t (id int); BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'it''s $PGDATABASE'"
  migration 1_a 'ALTER TABLE t ADD b int;'
  pipeline plan: --allow=not_empty apply: --wait=2s
  assert_code 75
  says "held by       a prepared transaction, 'it''s $PGDATABASE', of tester" "next: end it in psql:  ROLLBACK PREPARED 'it''s $PGDATABASE';"
  sql "$(sed -n 's/^next: end it in psql:  \(.*\);  .*/\1/p' <<<"$stderr")"
  pipeline plan: --allow=not_empty
  assert_code 0
}

@test "what Prisma left failed: its words, and first that all of it was rolled back, where that is so" {
  local prisma='A migration failed to apply.

Database error code: 42P01

Database error:
ERROR: relation "nope" does not exist

Position: 1'
  migration 1_plain 'SELECT 1; DROP TABLE nope;'
  recorded 1_plain failed
  sql "UPDATE _prisma_migrations SET logs = \$x\$$prisma\$x\$"
  run --separate-stderr bash -c 'mig-scan | mig-plan --format=records'
  assert_code 1
  says 'it was not run by mig, and failed: ERROR: relation "nope" does not exist'
  run jq -r 'select(.rule == "failed").remedy | split("\n")[1]' <<<"$output"
  assert_output --partial 'mig-plan --mark-rolled-back='
  assert_output --partial 'all of it was rolled back'
  migration 1_plain 'SELECT 1; COMMIT; DROP TABLE nope;'
  run --separate-stderr bash -c 'mig-scan | mig-plan --format=records'
  run jq -r 'select(.rule == "failed").remedy | split("\n")[1]' <<<"$output"
  assert_output --partial 'mig-plan --resume='
  run mig-scan --format=text
  assert_line --regexp '^failed   1_plain .* started and not finished$'
  assert_line '         ERROR: relation "nope" does not exist'
}

@test "a time-out of the role that cancels the look at the history is named with who set it: 75" {
  local setting
  sql "$HISTORY_TABLE_SQL"
  session_begin 'BEGIN; LOCK TABLE _prisma_migrations'
  for setting in lock_timeout statement_timeout; do
    role_new "${setting}_$$" "IN ROLE tester"
    sql_admin "ALTER ROLE $ROLE SET $setting = '200ms'"
    DATABASE_URL=$(database_url "$ROLE") run --separate-stderr mig-scan
    assert_code 75
    says 'could not read the history: canceling statement due to ' \
      "  $setting is 200ms here, by ALTER ROLE $ROLE. For this run alone add options=-c%20$setting%3D0 to the"
  done
}
