#!/usr/bin/env bats
# lib/sql/sql.c: where statements begin, end, and commit. Wherever that can be asked, PostgreSQL has the last word.

load helper

setup_file() {
  server_start
}

teardown_file() {
  server_stop
}

tool() { "$BUILD/tests/tool_sql" "$@"; }

# What tool_sql says of a text given as an argument (printf's escapes count): sees split 'SELECT 1;\nSELECT 2'
sees() {
  # shellcheck disable=SC2059
  printf "${@:2}" | tool "$1"
}

conninfo() {
  echo "host=$MIG_TEST_SERVER port=$(server_port) dbname=$PGDATABASE user=postgres"
}

# The kind of the only statement in a text.
kind_of() {
  tool split <<<"$1" | awk 'NR > 1 { exit } { print $4 }'
}

# Compares a table on stdin with what a command prints for the right side of each line: "wanted | text".
each_line() {
  local line wanted text got bad=0
  while IFS= read -r line; do
    [[ -z $line ]] && continue
    wanted=${line%% | *} text=${line#* | }
    got=$("$@" "$text")
    if [[ $got != "${wanted%"${wanted##*[! ]}"}" ]]; then
      echo "$text: wanted $wanted, got $got"
      bad=1
    fi
  done
  return $bad
}

# How many statements there are, if the server agrees.
count_of() {
  local text ours theirs
  printf -v text '%b' "$1"
  ours=$(tool count <<<"$text")
  theirs=$(tool server "$(conninfo)" <<<"BEGIN; $text")
  if [[ $theirs == "$((ours + 1)) ok" ]]; then
    echo "$ours"
  else
    echo "$ours (the server, with a BEGIN: $theirs)"
  fi
}

@test "a semicolon in quotes of any kind ends nothing" {
  database_new
  run each_line count_of <<'TABLE'
1 | SELECT ';'
1 | SELECT 'it''s;'
1 | SELECT '\\';
2 | SELECT '\\'; SELECT ';'
1 | SELECT E'\\';'
1 | SELECT e'\\\\\\';'
2 | SELECT E'\\\\'; SELECT 2
1 | SELECT U&'\\003b;'
1 | SELECT U&'!003b;' UESCAPE '!'
1 | SELECT N';' , B'01' , X'1f'
1 | SELECT 1 AS ";"
1 | SELECT 1 AS "a"";"
1 | SELECT 1 AS U&"\\003b;"
1 | SELECT 'a'\n';'
1 | SELECT E'a' -- it's\n\n'\\';'
2 | SELECT 'a'\n'\\'; SELECT ';'
TABLE
  assert_success
}

@test "dollar quotes end at the same tag and nowhere else" {
  database_new
  run each_line count_of <<'TABLE'
1 | SELECT $$;$$
1 | SELECT $a$;$$;$b$;$a$
1 | SELECT $a$;$A$;$aa$;$1$a$
1 | SELECT $é_1$;$é_1$
1 | SELECT $$;$a$$
2 | SELECT 1 AS a$$; SELECT 2 AS b$$
2 | SELECT 1 AS a$b$; SELECT 2 AS a$b$
1 | DO $x$ BEGIN PERFORM $$;$$; END; $x$
TABLE
  assert_success
}

@test "comments nest, and begin inside what looks like an operator" {
  database_new
  run each_line count_of <<'TABLE'
1 | SELECT 1 /* ; /* ; */ ; */
1 | SELECT 1 /*/*;*/;*/ + /***/ 1 /**/
2 | SELECT 1 /*/ ; */; SELECT 2
1 | SELECT 1 -- ;
1 | SELECT 1 --;\r + 1
2 | SELECT 1 -- '\n; SELECT 2 -- '
1 | SELECT 1--;\n
1 | SELECT 1 +--;\n 1
1 | SELECT 2 */*;*/ 3
1 | SELECT @/*;*/ -1
2 | SELECT 1 - -1; SELECT 2
1 | SELECT '--'; -- SELECT 2
1 | SELECT '/*'; /* SELECT 2; */
TABLE
  assert_success
}

@test "empty statements do not count" {
  database_new
  run each_line count_of <<'TABLE'
0 | 
0 | ;
0 | ;; /* ; */ ; -- ;
1 | ; SELECT 1 ;; ;
2 | SELECT 1;SELECT 2
TABLE
  assert_success
}

@test "statements in the parentheses of a rule belong to it" {
  database_new
  sql_admin 'CREATE TABLE t (a int); CREATE TABLE u (a int)'
  run each_line count_of <<'TABLE'
1 | CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM u; INSERT INTO u VALUES (1);)
2 | CREATE RULE r AS ON DELETE TO t DO ALSO (; INSERT INTO u (SELECT 1); ); SELECT 2
TABLE
  assert_success
}

@test "a body between BEGIN ATOMIC and END belongs to its function" {
  database_new
  sql_admin 'CREATE TABLE t (a int)'
  run each_line count_of <<'TABLE'
2 | CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3
1 | CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN CASE 1 WHEN 1 THEN 2 END END; END
2 | create or replace procedure f() begin/**/atomic insert into t values (1); end; select 1
2 | CREATE PROCEDURE f() BEGIN ATOMIC END; SELECT 1
2 | CREATE PROCEDURE f() BEGIN ATOMIC ; ; END; SELECT 1
2 | CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 AS end; END; SELECT 1
2 | CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT x.end FROM (SELECT 1 AS "end") x; END; SELECT 1
2 | CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT x.case FROM (SELECT 1 AS case) x; END; SELECT 1
2 | CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT begin atomic FROM (SELECT 1 AS begin) x; END; SELECT 1
2 | CREATE FUNCTION begin() RETURNS text LANGUAGE sql AS 'SELECT 1::text'; SELECT 2
2 | CREATE FUNCTION f() RETURNS text LANGUAGE sql SET search_path TO begin STABLE AS 'SELECT 1::text'; SELECT 2
2 | CREATE FUNCTION f() RETURNS text LANGUAGE sql SET search_path TO atomic STABLE AS 'SELECT 1::text'; SELECT 2
2 | CREATE FUNCTION f(begin int, atomic int) RETURNS int RETURN begin; SELECT 2
3 | CREATE FUNCTION f() RETURNS int RETURN CASE WHEN true THEN 1 END; SELECT 1; SELECT 2
2 | CREATE FUNCTION "BEGIN ATOMIC"() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT 2
2 | CREATE VIEW v AS SELECT begin atomic FROM (SELECT 1 AS begin) x; SELECT 2
TABLE
  assert_success
}

@test "a text that stops in the middle of something is broken, and only there" {
  run each_line sees split <<'TABLE'
0 11 1:1 ordinary,broken SELECT | SELECT 'it;
0 12 1:1 ordinary,broken SELECT | SELECT E'a\\'
0 11 1:1 ordinary,broken SELECT | SELECT "a;b
0 12 1:1 ordinary,broken SELECT | SELECT $a$;$
0 14 1:1 ordinary,broken SELECT | SELECT /* /**/
0 12 1:1 ordinary,broken SELECT | SELECT (1; 2
0 47 1:1 ordinary,broken CREATE FUNCTION | CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; END1
0 8 1:1 ordinary SELECT | SELECT 1
0 9 1:1 ordinary SELECT | SELECT 1) ;
0 1 1:1 ordinary SQL | $ ;
TABLE
  assert_success
}

@test "tokens are PostgreSQL's" {
  words() { sees tokens "$1" | awk '{ printf "%s%s", sep, $3 "" ($2 - $1); sep = " " } END { print "" }'; }
  run each_line words <<'TABLE'
word1 number5 word4 | a 1_000 _x1y
number4 number3 number2 number2 word1 number5 | 0xFF 1e5 1. .5e 1.e+5
number1 sign1 sign1 number1 | 1 .. 2
number1 sign1 number2 | 1..2
number1 word1 sign1 number1 word1 | 1e+ 2a
parameter2 sign1 word1 | $1 $a
word1 sign1 word3 name3 name4 string6 string4 | u&aé "a" U&"" U&'a;' b'1'
number1 string5 word3 | 1$$;$$ a$$
string10 string3 | E'a\\''\n'b' 'c'
word1 string4 | a 'b;'
broken3 | 'b;
TABLE
  assert_success
}

@test "transaction control is told from what looks like it" {
  run each_line kind_of <<'TABLE'
begin           | BEGIN
begin           | begin isolation level serializable
begin           | START TRANSACTION READ WRITE
commit          | COMMIT
commit          | commit work
commit          | END
commit          | END TRANSACTION
commit          | COMMIT AND NO CHAIN
commit,chain    | COMMIT AND CHAIN
commit,chain    | END TRANSACTION AND CHAIN
rollback,chain  | ROLLBACK /* really */ WORK AND CHAIN
rollback,chain  | ABORT AND CHAIN
rollback        | ROLLBACK
rollback        | ABORT WORK
commit          | PREPARE TRANSACTION 'x'
ordinary        | PREPARE transaction AS SELECT 1
ordinary        | PREPARE transaction (int) AS SELECT $1
savepoint       | SAVEPOINT s
savepoint       | RELEASE SAVEPOINT s
savepoint       | ROLLBACK TO s
savepoint       | ROLLBACK TRANSACTION TO SAVEPOINT s
ordinary        | SET TRANSACTION READ ONLY
ordinary        | SELECT 1 AS commit
ordinary        | DO $$ BEGIN COMMIT; END $$
ordinary        | "commit"
ordinary        | EXPLAIN SELECT 1
TABLE
  assert_success
}

@test "COPY wants a client only where it says so" {
  run each_line kind_of <<'TABLE'
copy-client | COPY t FROM STDIN
copy-client | copy public."t" (a, "b") from stdin with (format csv)
copy-client | COPY BINARY t FROM STDIN
copy-client | COPY t TO STDOUT
copy-client | COPY (SELECT 1 FROM t WHERE (a = 'x')) TO STDOUT
ordinary    | COPY t FROM '/tmp/x'
ordinary    | COPY t FROM 'stdin'
ordinary    | COPY t FROM PROGRAM 'cat stdin'
ordinary    | COPY stdin (stdin) FROM '/tmp/x'
ordinary    | COPY (SELECT 1 FROM stdin) TO '/tmp/x'
ordinary    | COPY "FROM STDIN" TO '/tmp/x'
TABLE
  assert_success
}

# Whether a statement may stand in a transaction block: what we say, if the server says the same (25001 or not).
block_of() {
  local ours theirs
  ours=$(kind_of "$1")
  theirs=$(tool server "$(conninfo)" <<<"BEGIN; ALTER SUBSCRIPTION enabled ENABLE; $1")
  case $ours:$theirs in
  alone:*' failed 25001 '*) ;;
  alone:* | *' failed 25001 '* | *' failed 42601 '*) ours+=" (the server: $theirs)" ;;
  esac
  echo "$ours"
}

@test "what must stand alone is what the server refuses in a block" {
  database_new
  sql_admin <<'SQL'
CREATE TABLE t (a int PRIMARY KEY);
CREATE INDEX i ON t (a);
ALTER TABLE t CLUSTER ON i;
CREATE TABLE p (a int) PARTITION BY LIST (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
CREATE UNIQUE INDEX ON m (a);
CREATE TYPE mood AS ENUM ('good');
SET client_min_messages = error;
CREATE SUBSCRIPTION enabled CONNECTION 'host=/nonexistent' PUBLICATION p WITH (connect = false);
SQL
  run each_line block_of <<'TABLE'
alone    | CREATE DATABASE x
alone    | DROP DATABASE IF EXISTS x
alone    | ALTER DATABASE postgres SET TABLESPACE pg_default
alone    | ALTER DATABASE "postgres" TABLESPACE pg_default
alone    | ALTER DATABASE postgres WITH TABLESPACE pg_default
ordinary | ALTER DATABASE postgres SET work_mem = '4MB'
ordinary | ALTER DATABASE postgres CONNECTION LIMIT 50
alone    | CREATE TABLESPACE x LOCATION '/nonexistent'
alone    | DROP TABLESPACE x
ordinary | ALTER TABLESPACE pg_default RESET (random_page_cost)
alone    | ALTER SYSTEM SET work_mem = '4MB'
alone    | VACUUM
alone    | VACUUM (ANALYZE) t
alone    | VACUUM FULL t
ordinary | ANALYZE t
alone    | CLUSTER
alone    | CLUSTER VERBOSE
ordinary | CLUSTER t
ordinary | CLUSTER VERBOSE t USING i
ordinary | CLUSTER (VERBOSE) t
alone    | CREATE INDEX CONCURRENTLY ON t (a)
alone    | CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)
alone    | create/**/index/* now */concurrently on t (a)
ordinary | CREATE INDEX "concurrently" ON t (a)
ordinary | CREATE UNIQUE INDEX ON t (a)
alone    | DROP INDEX CONCURRENTLY i
alone    | DROP INDEX CONCURRENTLY IF EXISTS nothing
ordinary | DROP INDEX i
alone    | REINDEX TABLE CONCURRENTLY t
alone    | REINDEX INDEX CONCURRENTLY i
alone    | REINDEX (CONCURRENTLY) TABLE t
alone    | REINDEX (VERBOSE, CONCURRENTLY on) INDEX i
alone    | REINDEX (CONCURRENTLY 1) TABLE t
alone    | REINDEX (CONCURRENTLY false) TABLE CONCURRENTLY t
alone    | REINDEX SCHEMA public
alone    | REINDEX (VERBOSE) SCHEMA CONCURRENTLY public
alone    | REINDEX SYSTEM postgres
alone    | REINDEX DATABASE postgres
ordinary | REINDEX TABLE t
ordinary | REINDEX (VERBOSE) INDEX i
ordinary | REINDEX (CONCURRENTLY false) TABLE t
ordinary | REINDEX (CONCURRENTLY 0) TABLE t
ordinary | REINDEX (CONCURRENTLY, CONCURRENTLY 'off') TABLE t
alone    | ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY
alone    | ALTER TABLE IF EXISTS public.p DETACH PARTITION "public" . p1 CONCURRENTLY
ordinary | ALTER TABLE p DETACH PARTITION p1
ordinary | ALTER TABLE p DETACH PARTITION p1 FINALIZE
alone    | COMMIT PREPARED 'x'
alone    | ROLLBACK PREPARED 'x'
alone    | DISCARD ALL
ordinary | DISCARD PLANS
ordinary | DISCARD TEMP
alone    | CREATE SUBSCRIPTION s CONNECTION 'host=/nonexistent' PUBLICATION p, q
alone    | CREATE SUBSCRIPTION s CONNECTION 'host=/nonexistent' PUBLICATION p WITH (enabled = false)
ordinary | CREATE SUBSCRIPTION s CONNECTION 'host=/nonexistent' PUBLICATION p, q WITH (enabled = false, connect = false)
ordinary | CREATE SUBSCRIPTION s CONNECTION 'host=/nonexistent' PUBLICATION p WITH (create_slot = 'off')
ordinary | CREATE SUBSCRIPTION s CONNECTION 'host=/nonexistent' PUBLICATION p WITH (create_slot=FALSE, slot_name = x)
alone    | DROP SUBSCRIPTION enabled
alone    | ALTER SUBSCRIPTION enabled REFRESH PUBLICATION
alone    | ALTER SUBSCRIPTION enabled SET PUBLICATION q
alone    | ALTER SUBSCRIPTION enabled ADD PUBLICATION q WITH (copy_data = false)
ordinary | ALTER SUBSCRIPTION enabled SET PUBLICATION q WITH (refresh = false)
ordinary | ALTER SUBSCRIPTION enabled SET (slot_name = s2)
ordinary | ALTER SUBSCRIPTION enabled DISABLE
ordinary | REFRESH MATERIALIZED VIEW CONCURRENTLY m
ordinary | TRUNCATE t
ordinary | ALTER TYPE mood ADD VALUE 'bad'
ordinary | CHECKPOINT
ordinary | CREATE ROLE nobody_knows
ordinary | LOCK TABLE t
ordinary | EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1
ordinary | PREPARE vacuum AS SELECT 1
ordinary | CREATE TABLE vacuum (cluster int)
ordinary | CREATE PUBLICATION p FOR ALL TABLES
TABLE
  # A database with a subscription cannot be dropped by the tests that come after.
  sql_admin 'ALTER SUBSCRIPTION enabled SET (slot_name = NONE); DROP SUBSCRIPTION enabled'
  assert_success
}

@test "what PostgreSQL 17 and 18 refuse in a block stands alone too" {
  run each_line kind_of <<'TABLE'
alone    | CLUSTER (VERBOSE)
alone    | ALTER SUBSCRIPTION s SET (failover = true)
alone    | ALTER SUBSCRIPTION s SET (slot_name = x, two_phase = false)
ordinary | ALTER SUBSCRIPTION s SET (binary = true)
TABLE
  assert_success
}

@test "a script says how it commits" {
  run each_line sees transaction <<'TABLE'
mig    | 
mig    | CREATE TABLE t (a int); SAVEPOINT s; ROLLBACK TO s
script | BEGIN; SELECT 1; COMMIT
script | SELECT 1; COMMIT
script | SELECT 1; ROLLBACK
none   | CREATE INDEX CONCURRENTLY ON t (a)
none   | BEGIN; SELECT 1; COMMIT; VACUUM
TABLE
  assert_success
}

@test "losses are named one by one, at their place" {
  run tool losses <<'SQL'
DROP TABLE IF EXISTS "Order", public . "User" CASCADE;
ALTER TABLE "T" ADD COLUMN x numeric(3, 2) DEFAULT 0,
  DROP COLUMN IF EXISTS "y",
  ALTER COLUMN z DROP DEFAULT, drop constraint k, DROP w;
ALTER TABLE ONLY public.t DROP COLUMN /* not this: ; */ a CASCADE;
TRUNCATE TABLE ONLY a *, "b c" RESTART IDENTITY; TRUNCATE d;
DROP SCHEMA s CASCADE; DROP DATABASE d; DROP OWNED BY CURRENT_USER;
ALTER TYPE pair DROP ATTRIBUTE one, DROP ATTRIBUTE IF EXISTS two;
DELETE FROM "Log";
DELETE FROM a USING b RETURNING (SELECT 1 WHERE true);
WITH gone AS (DELETE FROM x RETURNING *), kept AS (DELETE FROM y WHERE true) DELETE FROM z;
SQL
  assert_success
  assert_output - <<'LOSSES'
1:1 DROP TABLE "Order"
1:1 DROP TABLE public."User"
3:3 DROP COLUMN "T"."y"
4:51 DROP COLUMN "T".w
5:27 DROP COLUMN public.t.a
6:1 TRUNCATE a
6:1 TRUNCATE "b c"
6:50 TRUNCATE d
7:1 DROP SCHEMA s
7:24 DROP DATABASE d
7:41 DROP OWNED CURRENT_USER
8:17 DROP ATTRIBUTE pair.one
8:37 DROP ATTRIBUTE pair.two
9:1 DELETE without WHERE "Log"
10:1 DELETE without WHERE a
11:15 DELETE without WHERE x
11:78 DELETE without WHERE z
LOSSES
}

@test "what loses nothing is no loss" {
  run tool losses <<'SQL'
DROP INDEX i; DROP VIEW v; DROP MATERIALIZED VIEW m; DROP SEQUENCE s; DROP FUNCTION f(); DROP TYPE t;
ALTER TABLE t ALTER COLUMN c DROP NOT NULL, DROP CONSTRAINT IF EXISTS k;
ALTER TABLE t DETACH PARTITION p; ALTER VIEW v RENAME TO w;
DELETE FROM t WHERE a = 1; DELETE FROM t USING u WHERE t.a = u.a;
CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;
CREATE TABLE t (a int REFERENCES u ON DELETE CASCADE);
DO $$ BEGIN DROP TABLE t; END $$; SELECT 'DROP TABLE t'; -- DROP TABLE t
SQL
  assert_success
  refute_output
}

@test "the words of a statement never show a name or a value" {
  words_of() { tool split <<<"$1" | cut -d ' ' -f 5-; }
  run each_line words_of <<'TABLE'
CREATE TABLE | CREATE TABLE policy (a int)
ALTER TABLE | alter table only secret add column a int
CREATE INDEX CONCURRENTLY | CREATE INDEX CONCURRENTLY secret ON t (a)
CREATE UNIQUE INDEX | CREATE UNIQUE INDEX ON t (a)
CREATE OR REPLACE FUNCTION | create or /* ! */ replace function secret() RETURNS int RETURN 1
CREATE MATERIALIZED VIEW | CREATE MATERIALIZED VIEW secret AS SELECT 1
REFRESH MATERIALIZED VIEW CONCURRENTLY | REFRESH MATERIALIZED VIEW CONCURRENTLY secret
CREATE SCHEMA | CREATE SCHEMA secret
COMMENT ON TABLE | COMMENT ON TABLE secret IS 'secret'
ALTER DEFAULT PRIVILEGES | ALTER DEFAULT PRIVILEGES IN SCHEMA secret GRANT SELECT ON TABLES TO x
REINDEX TABLE CONCURRENTLY | REINDEX TABLE CONCURRENTLY secret
INSERT | INSERT INTO secret VALUES ('secret')
SELECT | ((SELECT secret))
SET | SET secret.secret = 'secret'
GRANT | GRANT secret TO secret
ROLLBACK TO | ROLLBACK TO secret
SQL | secret password
SQL | 'secret'
SQL | "secret"
TABLE
  assert_success
}

@test "places count characters, not bytes" {
  run sees split 'SELECT 1;\n\n  /* é */ SELECT 2;\r\nSELECT \x27漢字\x27; SELECT 3'
  assert_line --index 1 --partial ' 3:11 '
  assert_line --index 2 --partial ' 4:1 '
  assert_line --index 3 --partial ' 4:14 '
}

# What we say of a text, if psql does the same: it echoes what it sends.
alter_of() {
  local ours sent
  ours=$(printf %s "$1" | tool alter)
  sent=$(psql -eAtq -v a=1 -v é=1 <<<"$1" 2>/dev/null) || true
  if [[ $ours == no && $sent != "$1"* ]]; then
    ours+=" (psql sends: $sent)"
  elif [[ $ours != no && $sent == "$1"* ]]; then
    ours+=" (psql leaves it)"
  fi
  echo "$ours"
}

@test "what psql would replace on its way to the server is seen" {
  database_new
  run each_line alter_of <<'TABLE'
no   | SELECT 1::text;
1:8  | SELECT :a;
1:8  | SELECT :'a';
1:8  | SELECT :"a";
1:8  | SELECT :{?a};
1:8  | SELECT :{?nothing};
1:8  | SELECT :é;
no   | SELECT ':a', ":a", $$:a$$, $x$:'a'$x$, E'\':a' /* :a */ -- :a;
no   | SELECT (ARRAY[1,2])[1:2];
no   | SELECT f(x := 1);
1:11 | SELECT 1:::a;
no   | SELECT '\', E'\\', $$\$$;
1:8  | SELECT \a;
1:1  | \echo hello
TABLE
  assert_success
}

@test "no text makes the splitter slow" {
  local piece file command
  # shellcheck disable=SC2016
  for piece in '/*' '(' "'" '"' '$a' '$$ $a$' "'a'" "E'\\" '--' '$' 'BEGIN ATOMIC ' 'WITH a AS (DELETE FROM x ' ':' ';' \
    'DROP TABLE a,' 'ALTER TABLE a DROP b,' 'REINDEX (' 'CLUSTER (' 'CREATE FUNCTION f() BEGIN ATOMIC ' '1_' "'a'-" '/' '*/'; do
    yes "$piece" | head -c 2000000 >"$BATS_TEST_TMPDIR/lines"
    tr -d '\n' <"$BATS_TEST_TMPDIR/lines" >"$BATS_TEST_TMPDIR/line"
    for file in lines line; do
      for command in count losses alter; do
        timeout 5 "$BUILD/tests/tool_sql" "$command" <"$BATS_TEST_TMPDIR/$file" >/dev/null ||
          fail "tool_sql $command is slow with 2 MB of $piece ($file)"
      done
    done
  done
}

@test "the server and we see the same statements in generated scripts" {
  run "$TESTS/fuzz/sql-oracle" "${SQL_ORACLE_COUNT:-800}" "${SQL_ORACLE_SEED:-$RANDOM}"
  assert_success
  assert_output --partial ', 0 are seen differently'
}
