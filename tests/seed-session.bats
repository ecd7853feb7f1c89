#!/usr/bin/env bats
# mig-seed: what SQL files set, what policies hide, what triggers stop, what protects.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  mkdir "$BATS_TEST_TMPDIR/data"
  cd "$BATS_TEST_TMPDIR/data" || return 1
}
teardown() {
  sessions_end
  roles_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

@test "whatever the SQL files set, the data files find the session as it was" {
  local line DATABASE_URL
  DATABASE_URL=$(database_url postgres)
  sql 'CREATE TABLE a (id int PRIMARY KEY, b text, parent int REFERENCES a); CREATE SCHEMA other; CREATE TABLE other.a (id int PRIMARY KEY)'
  printf 'id,b,parent\n1,é,\n' >a.csv
  while IFS= read -r line; do
    sql 'DELETE FROM a'
    echo "$line" >1.sql
    seed .
    assert_code 0
    assert_equal "$(sql 'SELECT id, length(b) FROM public.a')" '1|1' || fail "$line"
  done <<'CASES'
SET client_encoding = 'LATIN1';
CREATE TEMPORARY TABLE a (LIKE public.a); INSERT INTO a VALUES (7);
SET search_path = other;
SET LOCAL search_path = other;
SET ROLE pg_monitor;
SET SESSION AUTHORIZATION pg_monitor;
SET statement_timeout = '1ms'; SET lock_timeout = 1;
CREATE TEMPORARY TABLE mig_seed_1 (x int); DECLARE c CURSOR WITH HOLD FOR SELECT 1;
CASES
  echo "SET session_replication_role = replica;" >1.sql
  printf 'id,b,parent\n1,x,99\n' >a.csv
  seed .
  assert_code 1
  says '[23503]'
  printf 'id\n3\n' >pg_temp.b.csv
  echo 'CREATE TEMPORARY TABLE b (id int PRIMARY KEY);' >1.sql
  rm a.csv
  seed .
  assert_code 1
  says 'there is no table'
}

@test "a setting or a section that is there twice is refused with its place; those of options add to it" {
  local place text
  sql 'CREATE TABLE a (id int PRIMARY KEY, u int UNIQUE, b text, c text);'"INSERT INTO a VALUES (1, 1, 'real', 'real')"
  printf 'id,u,b,c\n1,1,x,y\n' >a.csv
  while IFS='|' read -r place text; do
    printf '%b' "$text" >seed.conf
    seed .
    assert_code 65
    says "seed.conf:$place: "
  done <<'CASES'
3|[a]\ninsert-only = b\ninsert-only = c\n
3|[a]\nhide = b\nhide = c\n
3|[a]\nkey = id\nkey = u\n
3|[a]\nprune = no\nprune = yes\n
3|[a]\ninsert-only = b, c\n[a]\nprune = no\n
1|# one\r[a]\rinsert-only = b, c\r
2|[a]\nins\0ert-only = b, c\n
2|[a]\n# caf\xe9\ninsert-only = b\n
CASES
  printf '[a]\ninsert-only = b\n' >seed.conf
  seed --insert-only=a:c .
  assert_code 0
  assert_equal "$(sql 'SELECT b, c FROM a')" 'real|real'
  seed --insert-only=c --insert-only=a:b --key=id --key=a:u a.csv
  assert_code 0
  assert_equal "$(sql 'SELECT b, c FROM a')" 'real|real'
  seed --key=a:id --key=a:u a.csv
  assert_code 64
}

@test "rows that a trigger stops are 1 with table, count and keys, and nothing is seeded" {
  local when
  sql 'CREATE TABLE a (id int PRIMARY KEY, b text);' "INSERT INTO a VALUES (1, 'old'), (9, 'only here');" \
    'CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$'
  printf 'id,b\n1,new\n2,new\n' >a.csv
  for when in insert update delete; do
    sql "DROP TRIGGER IF EXISTS t ON a; CREATE TRIGGER t BEFORE $when ON a FOR EACH ROW EXECUTE FUNCTION skip()"
    seed --prune a.csv
    assert_code 1
    says "of 1 rows to $when in table \"a\" the server took 0: id=" 'Nothing was seeded'
    says_not CASCADE
    assert_equal "$(sql 'SELECT * FROM a ORDER BY id')" $'1|old\n9|only here'
  done
}

@test "a row that a trigger inserts under another key is 1: each run would insert it again" {
  local how
  sql 'CREATE SEQUENCE own START 100; CREATE TABLE a (id int PRIMARY KEY, email text UNIQUE);
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_ARGV[0] = $a$id$a$ THEN NEW.id = nextval($a$own$a$); ELSE NEW.email = lower(NEW.email); END IF; RETURN NEW; END $$'
  printf 'id,email\n1,Ann@x\n' >a.csv
  for how in id email; do
    sql "DROP TRIGGER IF EXISTS t ON a; CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f($how)"
    seed --key="$how" a.csv
    assert_code 1
    says "of 1 rows inserted in table \"a\" 1 now have another key: $how=" 'Nothing was seeded'
    assert_equal "$(sql 'SELECT count(*) FROM a')" 0
  done
  # what it makes of another column is its own business
  seed --key=id a.csv
  assert_code 0
}

@test "settings under nearly the right name are refused, and a copy beside the right one is not" {
  local name
  sql "CREATE TABLE a (id int PRIMARY KEY, b text); INSERT INTO a VALUES (1, 'hash')"
  printf 'id,b\n1,new\n' >a.csv
  for name in Seed.conf SEED.CONF seed.conf.txt seed.config .seed.conf seeds.conf seed.cfg; do
    printf '[a]\ninsert-only = b\n' >"$name"
    seed .
    assert_code 65
    says "$name: settings are read only from a file named seed.conf" 'Nothing was seeded'
    seed a.csv
    assert_code 65
    rm "$name"
  done
  printf '[a]\ninsert-only = b\n' | tee seed.conf >seed.conf.orig
  seed .
  assert_code 0
  assert_equal "$(sql 'SELECT b FROM a')" hash
}

@test "rows that a policy would hide are 77 with who sees them all, in a dry run, a run, an export and SQL" {
  local arguments
  sql "CREATE TABLE a (id int PRIMARY KEY, b text);" "INSERT INTO a VALUES (1, 'x'), (2, 'y'); ALTER TABLE a ENABLE ROW LEVEL SECURITY;" \
    "CREATE POLICY p ON a USING (b = 'x')"
  printf 'id,b\n1,x\n2,y\n' >a.csv
  echo 'SELECT count(*) FROM a;' >1.sql
  role_new app
  sql "GRANT ALL ON a TO \"$ROLE\""
  for arguments in '--dry-run a.csv' 'a.csv' '1.sql' '--export --into=. a'; do
    # shellcheck disable=SC2086
    DATABASE_URL=$(database_url "$ROLE") seed $arguments
    assert_code 77
    says '[42501]' "hides rows of public.a from the role $ROLE" "GRANT tester TO $ROLE;" "ALTER ROLE $ROLE BYPASSRLS;" --enable-row-security
  done
  echo 'ALTER TABLE a ADD COLUMN c int;' >1.sql
  DATABASE_URL=$(database_url "$ROLE") seed 1.sql
  assert_code 77
  says 'must be owner'
  says_not BYPASSRLS
  sql_admin "ALTER TABLE a FORCE ROW LEVEL SECURITY; ALTER TABLE a OWNER TO \"$ROLE\""
  DATABASE_URL=$(database_url "$ROLE") seed --dry-run a.csv
  assert_code 77
  says BYPASSRLS
  says_not GRANT
  sql_admin "ALTER TABLE a OWNER TO tester; REVOKE ALL ON a FROM \"$ROLE\""
  DATABASE_URL=$(database_url "$ROLE") seed --dry-run a.csv
  assert_code 77
  says_not BYPASSRLS
}

@test "--enable-row-security seeds, prunes and exports the rows that the role sees, whatever SQL files set" {
  local DATABASE_URL
  sql "CREATE TABLE a (id int PRIMARY KEY, b text);" "INSERT INTO a VALUES (1, 'x'), (2, 'y'), (3, 'x'); ALTER TABLE a ENABLE ROW LEVEL SECURITY;" \
    "CREATE POLICY p ON a USING (b LIKE 'x%'); CREATE TABLE seen (n int)"
  role_new app
  sql "GRANT ALL ON a, seen TO \"$ROLE\""
  sql_admin "ALTER ROLE \"$ROLE\" SET row_security = off"
  DATABASE_URL=$(database_url "$ROLE")
  printf 'id,b\n1,x1\n4,x\n' >a.csv
  echo 'INSERT INTO seen SELECT count(*) FROM a; SET row_security = off;' >1.sql
  seed --enable-row-security --prune .
  assert_code 0
  assert_equal "$(sql 'SELECT * FROM a ORDER BY id')" $'1|x1\n2|y\n4|x'
  assert_equal "$(sql 'SELECT n FROM seen')" 2
  mkdir out
  seed --export --enable-row-security --into=out a
  assert_code 0
  assert_equal "$(cat out/a.csv)" $'id,b\n1,x1\n4,x'
  printf 'id,b\n2,x\n' >a.csv
  seed --enable-row-security a.csv
  assert_code 1
  says '[23505]'
  printf 'id,b\n5,z\n' >a.csv
  seed --enable-row-security a.csv
  assert_code 77
  says_not BYPASSRLS
  assert_equal "$(sql 'SELECT * FROM a ORDER BY id')" $'1|x1\n2|y\n4|x'
}

@test "what --prune changes beside its deletes is laid to ON DELETE only where a foreign key says so" {
  local action said status_wanted
  sql 'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE m (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE)' \
    ';CREATE TABLE b (id int PRIMARY KEY, m int); INSERT INTO a VALUES (1), (2); INSERT INTO m VALUES (2, 2); INSERT INTO b VALUES (5, 2)' \
    ';CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM b WHERE m = OLD.id; RETURN NULL; END $$'
  printf 'id\n1\n' >a.csv
  printf 'id,m\n5,2\n' >b.csv
  # By way of a table that no file is for; by no way but a trigger's, though b points at m; by a trigger alone.
  while IFS='|' read -r action said status_wanted; do
    sql "DROP TRIGGER IF EXISTS t ON a; ALTER TABLE b DROP CONSTRAINT IF EXISTS f; $action"
    seed --prune a.csv b.csv
    assert_code "$status_wanted"
    says "b.csv: " "$said" 'Nothing was seeded'
    assert_equal "$(sql 'SELECT * FROM b; SELECT * FROM a')" $'5|2\n1\n2'
  done <<'CASES'
ALTER TABLE b ADD CONSTRAINT f FOREIGN KEY (m) REFERENCES m ON DELETE CASCADE|(ON DELETE CASCADE)|65
ALTER TABLE b ADD CONSTRAINT f FOREIGN KEY (m) REFERENCES m ON DELETE SET NULL|(ON DELETE SET NULL)|65
ALTER TABLE b ADD CONSTRAINT f FOREIGN KEY (m) REFERENCES m DEFERRABLE INITIALLY DEFERRED; CREATE TRIGGER t AFTER DELETE ON a FOR EACH ROW EXECUTE FUNCTION take()|look for a trigger|1
CREATE TRIGGER t AFTER DELETE ON a FOR EACH ROW EXECUTE FUNCTION take()|look for a trigger|1
CASES
}

@test "a deploy lock that an SQL file gives away is taken again, or nothing is seeded" {
  sql 'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE held (n int)' \
    ';CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO held SELECT count(*) FROM pg_locks
      WHERE pid = pg_backend_pid() AND locktype = '"'advisory'"'; RETURN NEW; END $$' \
    ';CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION note()' \
    ';CREATE FUNCTION give_away() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
      WHILE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = '"'advisory'"' AND NOT granted AND database =
        (SELECT oid FROM pg_database WHERE datname = current_database())) LOOP PERFORM pg_sleep(0.01); END LOOP;
      PERFORM pg_advisory_unlock_all(); END $$'
  printf 'id\n1\n' >a.csv
  echo 'SELECT pg_advisory_unlock_all();' >1.sql
  echo 'SELECT 1;' >2.sql
  seed .
  assert_code 0
  says '1.sql released the deploy lock; it was taken again'
  assert_equal "$(sql 'SELECT n FROM held')" 1

  # A deployer who waits for it gets it.
  sql 'DELETE FROM a'
  echo 'SELECT give_away();' >1.sql
  begin mig-seed .
  eventually lock_is_held
  session_begin 'SELECT pg_advisory_lock(72707369)'
  finish
  assert_code 75
  says '1.sql released the deploy lock, and another deployer holds it now' 'Nothing was seeded'
  assert_equal "$(sql 'SELECT count(*) FROM a')" 0
  session_end "$SESSION"

  # An attempt that is rolled back does not get it back, and the next one begins with it.
  session_begin 'BEGIN; LOCK TABLE a'
  echo 'SELECT give_away(); LOCK TABLE a;' >1.sql
  begin mig-seed --max-stall=200ms --wait=2s .
  eventually lock_is_held
  session_begin 'SELECT pg_advisory_lock(72707369)'
  finish
  assert_code 75
  says 'another deployer holds the lock'
}

lock_is_held() {
  [[ $(sql_admin "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database =
    (SELECT oid FROM pg_database WHERE datname = '$PGDATABASE')") -gt 0 ]]
}

@test "a setting that ends or stops a statement is named with the SQL file that made it, or with who else did" {
  local first second status_wanted said
  local -x DATABASE_URL=$DATABASE_URL
  sql 'CREATE TABLE a (id int PRIMARY KEY)' \
    ';CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$'
  session_begin 'CREATE TABLE busy (id int PRIMARY KEY); BEGIN; LOCK TABLE busy'
  printf 'id\n1\n' >a.csv
  while IFS='|' read -r first second status_wanted said; do
    echo "$first" >1.sql
    echo "$second" >2.sql
    seed --wait=300ms .
    assert_code "$status_wanted"
    says "$said" 'Nothing was seeded'
    error_count 1
  done <<'CASES'
SET statement_timeout = '200ms';|SELECT pg_sleep(5);|1|1.sql:1:1 sets this (statement_timeout)
SELECT 1; SET LOCAL statement_timeout = '200ms'; SELECT pg_sleep(5);|SELECT 1;|1|1.sql:1:11 sets this (statement_timeout)
SELECT set_config('lock_timeout', '50ms', false);|LOCK TABLE busy;|75|1.sql:1:1 sets this (lock_timeout)
SELECT 1;|LOCK TABLE busy;|75|mig-seed sets lock_timeout itself: the last attempt waited
SELECT 1; SET TRANSACTION READ ONLY;|SELECT 1;|65|1.sql:1:11: this makes the transaction read-only
SET transaction_read_only = on;|CREATE TABLE never ();|1|1.sql:1:1 sets this (read-only)
DO $$ BEGIN SET TRANSACTION READ ONLY; END $$;|SELECT 1;|65|the SQL files leave their transaction read-only
CASES
  rm ./*.sql
  role_new hasty
  sql "GRANT ALL ON a TO \"$ROLE\"; GRANT USAGE ON SCHEMA public TO \"$ROLE\"; CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION slow()"
  sql_admin "ALTER ROLE \"$ROLE\" SET statement_timeout = '300ms'"
  DATABASE_URL=$(database_url "$ROLE")
  seed a.csv
  assert_code 1
  says "statement_timeout is 300ms here, by ALTER ROLE $ROLE." 'add options=-c%20statement_timeout%3D0 to the connection string'
  sql 'DROP TRIGGER t ON a'
  sql_admin "ALTER ROLE \"$ROLE\" SET default_transaction_read_only = on"
  seed a.csv
  assert_code 78
  says '[25006]' "default_transaction_read_only is on here, by ALTER ROLE $ROLE."
  assert_equal "$(sql 'SELECT count(*) FROM a')" 0
}

@test "a dry run is refused where NOT NULL or a foreign key would refuse the run, with the same place, and only there" {
  local schema text said place arguments
  while IFS='|' read -r schema arguments text said; do
    sql "SET client_min_messages = error; DROP TABLE IF EXISTS a, p; DROP FUNCTION IF EXISTS f; $schema"
    printf '%b' "$text" >a.csv
    printf 'id\n1\n2\n' >p.csv
    [[ $arguments != a.ndjson* ]] || tail -n +2 a.csv | jq -cR 'split(",") | {id: .[0] | tonumber} + if .[1] then {n: (.[1] | select(. != "") // null)} else {} end' >a.ndjson
    # shellcheck disable=SC2086
    seed --dry-run $arguments
    if [[ -z $said ]]; then
      assert_code 0
    else
      assert_code 1
      says "$said" 'Nothing was seeded'
    fi
    place=$(sed -n 's/^mig-seed: error: \([a-z.]*:[0-9]*: \).*/\1/p' <<<"$stderr")
    # shellcheck disable=SC2086
    seed $arguments
    [[ $status -eq $([[ -z $said ]] && echo 0 || echo 1) && $stderr == *"$place"* ]] || fail "$schema: the run: $status, $stderr" || return 1
  done <<'CASES'
CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL)|a.csv|id\n1\n|a.csv:2: column "n": it is NOT NULL
CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL)|a.csv|id\n1\n|name schema.prisma with --datamodel, or write default.n = cuid() in seed.conf; or add it to the file
CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL DEFAULT 5)|a.csv|id\n1\n|
CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL DEFAULT 5)|a.csv|id,n\n1,5\n2,\n|a.csv:3: column "n"
CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL); INSERT INTO a VALUES (1, 1), (2, 2)|a.csv|id,n\n1,1\n2,\n|a.csv:3: column "n"
CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL); INSERT INTO a VALUES (1, 1), (2, 2)|--insert-only=n a.csv|id,n\n1,1\n2,\n|
CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL); INSERT INTO a VALUES (1, 1)|a.csv|id\n1\n|
CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL DEFAULT 5)|a.ndjson|id,n\n1\n2,7\n|
CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL DEFAULT 5)|a.ndjson|id,n\n1,5\n2,\n|a.ndjson:2: column "n"
CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL); INSERT INTO a VALUES (1, 1)|a.ndjson|id,n\n1\n2,7\n|
CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL GENERATED BY DEFAULT AS IDENTITY, g int NOT NULL GENERATED ALWAYS AS (id + 1) STORED)|a.csv|id\n1\n|
CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.n := 1; RETURN NEW; END $$; CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()|a.csv|id\n1\n|
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE a (id int PRIMARY KEY, n int REFERENCES p)|a.csv|id,n\n1,\n2,7\n|a.csv:3: table "a": the foreign key would reference a row that does not exist
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE a (id int PRIMARY KEY, n int REFERENCES p)|a.csv p.csv|id,n\n1,1\n2,2\n|
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE a (id int PRIMARY KEY, n int REFERENCES p)|a.ndjson p.csv|id,n\n1,1\n2,3\n|a.ndjson:2: table "a"
CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (3); CREATE TABLE a (id int PRIMARY KEY, n int REFERENCES p)|a.csv p.csv|id,n\n1,3\n|
CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1), (3); CREATE TABLE a (id int PRIMARY KEY, n int REFERENCES p)|--prune a.csv p.csv|id,n\n1,3\n|a.csv:2: table "a"
CREATE TABLE a (id int PRIMARY KEY, n int REFERENCES a)|a.csv|id,n\n1,2\n2,1\n|
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE a (id int PRIMARY KEY, n int); INSERT INTO a VALUES (1, 9); ALTER TABLE a ADD FOREIGN KEY (n) REFERENCES p NOT VALID|a.csv|id,n\n1,9\n|
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE a (id int PRIMARY KEY, n int); INSERT INTO a VALUES (1, 9); ALTER TABLE a ADD FOREIGN KEY (n) REFERENCES p NOT VALID|a.csv|id,n\n1,9\n2,9\n|a.csv:3: table "a"
CREATE TABLE p (id int PRIMARY KEY, code int UNIQUE); INSERT INTO p VALUES (1, 7); CREATE TABLE a (id int PRIMARY KEY, n int REFERENCES p (code))|a.csv p.csv|id,n\n1,7\n|
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE a (id int PRIMARY KEY, n int REFERENCES p); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO p VALUES (NEW.n); RETURN NEW; END $$; CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()|a.csv|id,n\n1,5\n|
CASES
}
