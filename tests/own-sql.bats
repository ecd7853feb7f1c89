#!/usr/bin/env bats
# Our own SQL means pg_catalog's names and the history's, whoever may create what beside them; and row level security is
# never taken for an empty table.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words
load traps

setup_file() { server_start --own; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
}
teardown() {
  sessions_end
  roles_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

# Every tool and every question of it, in a database where mallory has been.
everything() {
  migration 20240101000000_init 'CREATE TYPE mood AS ENUM ($$NEW$$, $$DONE$$); CREATE TABLE a (id int PRIMARY KEY, name varchar(20));'
  migration 20240102000000_index 'CREATE INDEX CONCURRENTLY a_name ON a (name);'
  migration 20240103000000_together 'INSERT INTO a VALUES (1, $$x$$); CREATE INDEX CONCURRENTLY a_id ON a (id); DELETE FROM a;'
  mig-scan --format=text >/dev/null
  mig-scan | mig-plan --allow=not_empty | mig-apply --dry-run >/dev/null
  mig-scan | mig-plan --allow=not_empty | mig-apply >/dev/null
  mig-scan | mig-check history
  migration 20240104000000_psql 'CREATE TABLE b (id int);'
  mig-scan | mig-plan --format=sql | PGAPPNAME=mig-plan psql -v ON_ERROR_STOP=1 -qf - >/dev/null
  migration 20240105000000_role 'CREATE TABLE of_role (); RESET ROLE;'
  mig-scan | mig-plan | mig-apply --role "$(sql 'SELECT current_user')" >/dev/null
  migration 20250101000000_again 'CREATE INDEX CONCURRENTLY again ON a (name); SET search_path = pg_temp; SET row_security = on;'
  mig-scan | mig-plan | mig-apply >/dev/null
  migration 20250101000001_bad 'CREATE INDEX CONCURRENTLY half ON a (id); SELECT 1/0;'
  ! mig-scan | mig-plan | mig-apply >/dev/null 2>&1 || fail "it succeeded" || return 1
  mig-scan | mig-plan --mark-rolled-back 20250101000001_bad | mig-apply >/dev/null
  mig-scan | mig-plan --mark-applied 20250101000001_bad | mig-apply >/dev/null
  sql 'CREATE TABLE kind (id serial PRIMARY KEY, name varchar(20) UNIQUE, code char(3), mood mood, tags varchar[], note pg_catalog.text, at pg_catalog.timestamptz, parent int REFERENCES kind)'
  sql "INSERT INTO kind VALUES (1, 'old', 'x', 'NEW', '{a}', 'n', now(), NULL), (2, 'b', 'y', 'NEW', '{}', NULL, NULL, 1)"
  printf 'id,name,code,mood,tags\n1,new,x,DONE,{b}\n2,b,y,NEW,{}\n3,c,z,NEW,{}\n' >kind.csv
  mig-seed --dry-run kind.csv | mig-check seeds || [[ $? == 1 ]]
  mig-seed kind.csv >/dev/null
  mig-seed kind.csv >/dev/null
  printf '{"id":1,"name":"newer","tags":["c"]}\n{"id":2,"note":"n"}\n' >kind.ndjson
  rm kind.csv
  mig-seed --prune kind.ndjson >/dev/null
  printf 'id,name\n4,newer\n' >kind.csv
  ! mig-seed kind.csv >/dev/null 2>&1 || fail "it succeeded" || return 1
  printf 'id,name,parent\n4,four,77\n' >kind.csv
  ! mig-seed kind.csv >/dev/null 2>&1 || fail "it succeeded" || return 1
  printf 'id\tname\n5\tfive\n' >kind.tsv
  rm kind.csv
  mig-seed --role "$(sql 'SELECT current_user')" kind.tsv >/dev/null
  mig-seed --export kind >/dev/null
  rm kind.tsv
  printf 'name,parent.name\nsix,five\nseven,six\n' >kind.csv
  printf '[kind]\ndefault.code = nanoid(3)\nupdated-at = at\n' >seed.conf
  mig-seed --dry-run kind.csv >/dev/null
  mig-seed kind.csv >/dev/null
  printf 'name,parent.name\nseven,eight\n' >kind.csv
  ! mig-seed kind.csv >/dev/null 2>&1 || fail "it succeeded" || return 1
  sql 'UPDATE kind SET mood = $$NEW$$'
  printf 'name,parent.mood\nseven,NEW\n' >kind.csv
  ! mig-seed kind.csv >/dev/null 2>&1 || fail "it succeeded" || return 1
  printf 'name,note\nseven,env:KIND_NOTE\n' >kind.csv
  KIND_NOTE=secret mig-seed --secret=note kind.csv >/dev/null
  mig-seed --export --columns=name,parent.name,tags --where='name IS NOT NULL' kind >/dev/null
  mig-seed --export --as=ndjson --columns=-note kind >/dev/null
  rm kind.ndjson
  rm seed.conf
  mig-check database || [[ $? == 1 ]]
  mig-check relation=kind relation=kind.name relation=public.kind.name
  mig-check used=kind used=kind.name || [[ $? == 3 ]]
  mig-scan | mig-check history
  mig-scan --catalog --grants -o catalog.rec >/dev/null
  mig-check schema=catalog.rec <catalog.rec
  rm -r "$FOLDER/20250101000001_bad"
  migration 20250101000002_pending 'ALTER TABLE a ADD x int; CREATE INDEX CONCURRENTLY a_x ON a (x);'
  TRIAL_URL=$(PGDATABASE=postgres database_url) mig-scan --rehearse --load --scratch env:TRIAL_URL --same-server -q >/dev/null
  TRIAL_URL=$(PGDATABASE=postgres database_url) mig-scan --replay --to 20240104000000_psql --scratch env:TRIAL_URL --same-server -q >/dev/null
  # taken back, with the look for rows that came since
  rm -r "$FOLDER/20250101000002_pending"
  migration 20250101000002_stays 'CREATE TABLE stays (id int);'
  migration 20250101000003_back 'CREATE TABLE back (id int); ALTER TABLE stays ADD back int;'
  echo 'ALTER TABLE stays DROP back; DROP TABLE back;' >"$FOLDER/20250101000003_back/down.sql"
  mig-scan | mig-plan -q | mig-apply -q >/dev/null
  TRIAL_URL=$(PGDATABASE=postgres database_url) mig-scan --rehearse --scratch env:TRIAL_URL --same-server -q |
    mig-plan -q --down-to 20250101000002_stays | mig-apply -q >/dev/null
  TRIAL_URL=$(PGDATABASE=postgres database_url) mig-scan --draft=20250101000003_back --scratch env:TRIAL_URL --same-server -q >/dev/null
  # which prefix of the folder a database without a history has
  sql 'ALTER TABLE _prisma_migrations RENAME TO kept'
  TRIAL_URL=$(PGDATABASE=postgres database_url) mig-scan --rehearse --scratch env:TRIAL_URL --same-server -q >/dev/null || [[ $? == 1 ]]
  sql 'ALTER TABLE kept RENAME TO _prisma_migrations'
}

@test "nothing that somebody made in public is called by a statement of ours" {
  traps_plant
  # they are there, and nobody notices
  PGAPPNAME=mig-nobody run sql "SELECT quote_ident('a'::name), 'a'::varchar(9) = 'b'::varchar(9), 0::oid = 0, format('%I', 'a'::name),
    '{\"a\": 1}'::json -> 'a'::name; SELECT count(relname), min(relname) FROM (VALUES ('a'::name), ('b')) v(relname)"
  assert_output $'a|f|t|a|1\n2|a'
  assert_equal "$(traps_called | grep -o 'TRAP: .* as tester' | sort)" "$(sort <<-'CALLS'
	TRAP: quote_ident(name) as tester
	TRAP: varchar = varchar as tester
	TRAP: oid = int4 as tester
	TRAP: format(text, name) as tester
	TRAP: json -> name as tester
	TRAP: count(name) as tester
	TRAP: min(name) as tester
	CALLS
  )"
  everything
  run bash -c 'grep -v " mig-nobody: "' <<<"$(traps_called)"
  assert_output ''
}

@test "nor where the search path names public before pg_catalog" {
  traps_plant
  sql "ALTER ROLE tester IN DATABASE \"$PGDATABASE\" SET search_path = public, pg_catalog"
  mig-scan --format=text >out
  mig-scan | mig-plan --allow=not_empty | mig-apply --dry-run >out
  mig-scan | mig-check history
  mig-check relation=pg_catalog.pg_class
  mig-check database || [[ $? == 1 ]]
  run traps_called
  assert_output ''
}

@test "columns are compared by their types' own operator classes: enums, arrays, domains, varchar" {
  sql "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE DOMAIN code AS varchar(5);
    CREATE TABLE t (k varchar(5) PRIMARY KEY, m mood, d code, l mood[], v varchar(5) UNIQUE); INSERT INTO t VALUES ('x', 'a', 'dd', '{a}', 'v')"
  for type in mood 'mood[]' varchar 'varchar[]'; do
    sql_admin "SET client_min_messages = error; DROP OPERATOR IF EXISTS public.= ($type, $type) CASCADE"
    sql "CREATE FUNCTION differs($type, $type) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RAISE ''TRAP: %'', current_user; END';
      CREATE OPERATOR = (leftarg = $type, rightarg = $type, function = differs)"
  done
  printf 'k,m,d,l,v\nx,b,ee,{b},w\ny,,,,z\n' >t.csv
  mig-seed --dry-run t.csv >/dev/null
  mig-seed t.csv >/dev/null
  [[ $(mig-seed t.csv | jq -r 'select(.record == "seeded").rows_unchanged') == 2 ]]
  assert_equal "$(sql "SELECT * FROM t ORDER BY k")" $'x|b|ee|{b}|w\ny||||z'
  printf 'k,v\nq,w\n' >t.csv
  run --separate-stderr mig-seed t.csv
  assert_code 1
  [[ $stderr == *'in the row k=x'* ]]
}

@test "a history that is a view, or has columns of somebody's type, is not read" {
  sql "CREATE VIEW _prisma_migrations AS SELECT pg_catalog.set_config('a.b', 'read', false)"
  run --separate-stderr mig-scan
  assert_code 65
  [[ $stderr == *'is a view'* ]]
  sql "DROP VIEW _prisma_migrations; CREATE TYPE t AS (x int);
    CREATE FUNCTION c(t) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE ''TRAP''; END'; CREATE CAST (t AS text) WITH FUNCTION c(t);
    CREATE TABLE _prisma_migrations (id t, checksum text, migration_name text, logs text, started_at timestamptz, finished_at timestamptz,
      rolled_back_at timestamptz, applied_steps_count int); INSERT INTO _prisma_migrations (id) VALUES (ROW(1))"
  run --separate-stderr mig-scan
  assert_code 65
  [[ $stderr == *"a column of a type that is not built in"* && $stderr != *TRAP* ]]
}

## Row level security

@test "where row level security hides the history, every tool refuses with 77 and the remedies, mig-check with 3" {
  migration 20240101000000_init 'CREATE TABLE account (cents int); INSERT INTO account VALUES (5);'
  pipeline
  assert_code 0
  mig-scan >scan.rec
  migration 20240102000000_more 'UPDATE account SET cents = cents * 100;'
  mig-scan | mig-plan >plan.rec
  role_new ci
  sql "GRANT ALL ON ALL TABLES IN SCHEMA public TO \"$ROLE\"; GRANT ALL ON SCHEMA public TO \"$ROLE\"; ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY"
  owner=$DATABASE_URL
  export DATABASE_URL
  DATABASE_URL=$(database_url "$ROLE")
  for policies in '' 'CREATE POLICY w ON _prisma_migrations FOR INSERT WITH CHECK (true); CREATE POLICY u ON _prisma_migrations FOR UPDATE USING (true)' \
    'CREATE POLICY partly ON _prisma_migrations USING (migration_name < $$2024$$)'; do
    sql "$policies"
    run --separate-stderr mig-scan
    assert_code 77
    [[ $stderr == *'row level security hides rows of the history'*"ALTER ROLE "*BYPASSRLS* ]]
    run --separate-stderr mig-apply plan.rec
    assert_code 77
    run mig-check history --timeout=3s <scan.rec
    assert_code 0
    run mig-check history --watch=100ms --every=50ms <scan.rec
    assert_code 3
  done
  assert_equal "$(sql 'SELECT cents FROM account')" 5
  # FORCE: the owner too
  sql 'ALTER TABLE _prisma_migrations FORCE ROW LEVEL SECURITY'
  DATABASE_URL=$owner
  run --separate-stderr mig-scan
  assert_code 77
}

@test "each remedy that row level security is refused with helps" {
  migration 20240101000000_init 'SELECT 1;'
  pipeline
  role_new ci
  sql "GRANT ALL ON ALL TABLES IN SCHEMA public TO \"$ROLE\"; GRANT ALL ON SCHEMA public TO \"$ROLE\"; ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY"
  export DATABASE_URL
  DATABASE_URL=$(database_url "$ROLE")
  for remedy in 'GRANT' 'ALTER ROLE' 'ALTER TABLE'; do
    run --separate-stderr mig-scan
    assert_code 77
    sql_admin "$(grep -o "$remedy .*;" <<<"$stderr" | head -n 1)"
    mig-scan --format=text >out
    sql_admin "REVOKE tester FROM \"$ROLE\"; ALTER ROLE \"$ROLE\" NOBYPASSRLS"
  done
}

@test "a script that turns row level security on again has it for itself alone" {
  migration 20240101000000_init 'SELECT 1;'
  migration 20240102000000_on 'SET row_security = on;'
  migration 20240103000000_seen "CREATE TABLE seen AS SELECT pg_catalog.current_setting('row_security') AS it;"
  pipeline
  assert_code 0
  assert_equal "$(sql 'SELECT it FROM seen')" off
}
