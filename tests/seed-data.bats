#!/usr/bin/env bats
# mig-seed with data files: tables are what the files say.
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

# file NAME: its text from stdin
file() {
  cat >"$1"
}

# What mig-seed says of a file: read inserted updated unchanged deleted only
numbers() {
  records --arg f "$1" 'select(.record == "seeded" and .file == $f)
    | "\(.rows_read) \(.rows_inserted) \(.rows_updated) \(.rows_unchanged) \(.rows_deleted) \(.rows_only_in_table)"'
}

# The shop of tests/seed, in a folder that may be edited.
shop() {
  sql <"$TESTS/seed/schema.sql"
  cp -r "$TESTS/seed/files" shop
}

# All rows of all tables, as text. With an argument: each with its xmin, and the state of the sequences.
everything() {
  local table
  while read -r table; do
    echo "-- $table"
    sql "SET timezone = UTC; SELECT ${1:+t.xmin,} t.* FROM $table t ORDER BY t::text COLLATE \"C\""
  done < <(sql "SELECT oid::regclass FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname COLLATE \"C\"")
  [[ -z ${1-} ]] || sql "SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 2"
}

## The whole

@test "a shop of 12 tables with circles is put in as a script of upserts leaves it; again, nothing is written" {
  local before
  shop
  seed shop
  assert_code 0
  assert_equal "$(records -n '[inputs.rows_inserted // 0] | add')" 35
  everything >seeded
  before=$(everything xmin)
  seed shop
  assert_code 0
  assert_equal "$(records 'select(.record == "seeded") | .rows_inserted + .rows_updated + .rows_deleted' | sort -u)" 0
  assert_equal "$(everything xmin)" "$before"
  database_new
  sql <"$TESTS/seed/schema.sql"
  sql <"$TESTS/seed/upserts.sql" >/dev/null
  diff <(everything) seeded
}

@test "a run that finds all as it is writes no WAL at all" {
  local dir position
  dir=$(server_new wal_level=minimal max_wal_senders=0)
  (
    server_use "$dir"
    database_new
    shop
    mig-seed -q shop >/dev/null
    mig-seed -q shop >/dev/null # the catalog's rows of the temporary tables are swept by whoever comes next
    position=$(sql_admin 'CHECKPOINT; SELECT pg_current_wal_insert_lsn()' | tail -n 1)
    mig-seed -q shop >/dev/null || exit 1
    mig-seed -q --dry-run shop >/dev/null || exit 1
    mig-seed -q --dry-run --prune --format=text shop >/dev/null || exit 1
    [[ $(sql_admin 'SELECT pg_current_wal_insert_lsn()') == "$position" ]]
  )
  server_end "$dir"
}

@test "edits in files and in rows: only what differs is written, what is insert-only is left alone" {
  shop
  mig-seed -q shop >/dev/null
  sed -i 's/^2,ops@.*/2,ops@shop.example,other-hash,3,1,2020-01-01/' shop/User.csv
  sed -i 's/Germany/Deutschland/' shop/Country.csv
  sql "UPDATE \"Setting\" SET value = '\\x00' WHERE key = 'logo'; DELETE FROM \"PlanPrice\" WHERE currency = 'USD';
    INSERT INTO \"Role\" (key) VALUES ('found') ;"
  seed shop
  assert_code 0
  assert_equal "$(numbers User.csv)" '2 0 1 1 0 0'
  assert_equal "$(numbers Country.csv)" '4 0 1 3 0 0'
  assert_equal "$(numbers Setting.csv)" '3 0 1 2 0 0'
  assert_equal "$(numbers PlanPrice.csv)" '3 1 0 2 0 0'
  assert_equal "$(numbers Role.csv)" '4 0 0 4 0 1'
  assert_equal "$(sql 'SELECT email, "passwordHash", "roleId", "createdAt"::date, writes FROM "User" ORDER BY id')" \
    $'root@shop.example|$2b$12$made-up-hash-of-root|1|2026-01-01|0\nops@shop.example|$2b$12$made-up-hash-of-ops|3|2026-01-01|1'
}

@test "-v tells what was written, row by row; without it only how many" {
  shop
  mig-seed -q shop >/dev/null
  sed -i 's/Germany/Deutschland/' shop/Country.csv
  sed -i '/^lines/d' shop/Setting.csv
  cp -r shop again
  seed -v --prune shop
  assert_code 0
  assert_equal "$(records -c 'select(.record == "row") | [.table, .change, .key, .old, .new]' | sort)" \
    '["Country","update",{"code":"DE"},{"name":"Germany"},{"name":"Deutschland"}]
["Setting","delete",{"key":"lines"},null,null]'
  sed -i 's/Austria/Oesterreich/' again/Country.csv
  seed --format=text -v again
  shows 'update  "Country"      code=AT ' "name: 'Austria' → 'Oesterreich'"
  sed -i 's/Oesterreich/Austria/' again/Country.csv
  seed again
  assert_equal "$(records 'select(.record == "row")')" ''
}

@test "--prune takes out what the file does not have, children first; without it rows stay" {
  shop
  mig-seed -q shop >/dev/null
  sed -i '/^1,super_admin/!{/^id/!d}' shop/Role.csv
  sed -i '/^2,/d' shop/User.csv shop/RolePermission.csv
  sed -i '/^US/d' shop/Country.csv
  sed -i '/^USD/d' shop/Currency.tsv
  sed -i '/,USD,/d' shop/PlanPrice.csv
  seed shop
  assert_code 0
  assert_equal "$(numbers Role.csv)" '1 0 0 1 0 3'
  seed --dry-run --prune --format=text shop
  assert_code 0
  shows 'delete  "Role"         id=2' 'delete  "User"         email=ops@shop.example' '0 inserts, 0 updates, 8 deletes'
  seed --prune shop
  assert_code 0
  assert_equal "$(numbers Role.csv)" '1 0 0 1 3 0'
  assert_equal "$(sql 'SELECT count(*) FROM "Role"')" 1
  assert_equal "$(sql 'SELECT count(*) FROM "Country"')" 3
}

@test "prune = no in seed.conf keeps a table's rows; a new row may take over what a pruned one held" {
  sql 'CREATE TABLE a (id int PRIMARY KEY, name text UNIQUE); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a)'
  printf 'id,name\n1,one\n' >a.csv
  printf 'id,a\n1,1\n' >b.csv
  printf '[b]\nprune = no\n' >seed.conf
  mig-seed -q . >/dev/null
  sql 'INSERT INTO b VALUES (2, 1)'
  printf 'id,name\n7,one\n' >a.csv
  printf 'id,a\n1,7\n2,7\n' >b.csv
  seed --prune .
  assert_code 0
  assert_equal "$(sql 'SELECT * FROM a; SELECT * FROM b ORDER BY id')" $'7|one\n1|7\n2|7'
  printf 'id,a\n1,7\n' >b.csv
  seed --prune .
  assert_code 0
  assert_equal "$(numbers b.csv)" '1 0 0 1 0 1'
}

@test "a row of a file that --prune would take away, or change, with the row that it points at is refused" {
  local action
  sql 'CREATE TABLE a (id int PRIMARY KEY)'
  printf 'id\n1\n' >a.csv
  printf 'id,a\n1,1\n2,2\n' >b.csv
  for action in CASCADE 'SET NULL'; do
    sql "DROP TABLE IF EXISTS b; TRUNCATE a; INSERT INTO a VALUES (1), (2);
      CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE $action); INSERT INTO b VALUES (1, 1), (2, 2)"
    seed --prune .
    assert_code 65
    says 'b.csv: its rows reference rows that --prune deletes' 'Nothing was seeded'
    assert_equal "$(sql 'SELECT count(*) FROM a; SELECT * FROM b ORDER BY id')" $'2\n1|1\n2|2'
  done
  printf 'id,a\n1,1\n' >b.csv
  seed --prune .
  assert_code 0
  assert_equal "$stderr" "${stderr/warning/}"
  assert_equal "$(sql 'SELECT * FROM b')" '1|1'
}

@test "tables that lose rows with what --prune deletes, and are not pruned themselves, are named" {
  sql 'CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1), (2); CREATE TABLE "Out" (a int REFERENCES a ON DELETE CASCADE);
    CREATE TABLE kept (id int PRIMARY KEY, a int REFERENCES a ON DELETE SET NULL); CREATE TABLE no (a int REFERENCES a)'
  printf 'id\n1\n' >a.csv
  printf 'id\n' >kept.csv
  printf '[kept]\nprune = no\n' >seed.conf
  seed .
  says_not warning
  for words in '--dry-run --prune' --prune; do
    # shellcheck disable=SC2086
    seed $words .
    assert_code 0
    assert_equal "$(grep -c warning <<<"$stderr")" 2
    says 'warning: --prune deletes rows of a; rows of "Out" that reference them are subject to ON DELETE CASCADE' \
      'rows of kept that reference them are subject to ON DELETE SET NULL'
  done
  seed --prune .
  says_not warning
}

@test "--prune does not empty a table for an NDJSON file that was cut off; a CSV of one line says so" {
  sql 'CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1), (2)'
  : >a.ndjson
  for words in '' --dry-run; do
    seed --prune $words a.ndjson
    assert_code 65
    says 'a.ndjson: it contains no rows, and --prune would delete all 2 rows of table "a"' 'Nothing was seeded'
  done
  seed a.ndjson
  assert_code 0
  echo id >a.csv
  seed --prune a.csv
  assert_code 0
  assert_equal "$(sql 'SELECT count(*) FROM a')" 0
  seed --prune a.ndjson
  assert_code 0
}

@test "a table that others inherit from is refused: --prune would take their rows for its own" {
  sql 'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b () INHERITS (a); INSERT INTO b VALUES (2)'
  printf 'id\n1\n' >a.csv
  seed --prune a.csv
  assert_code 65
  says 'a.csv: other tables inherit from a' 'seed it with SQL'
  assert_equal "$(sql 'SELECT id FROM a')" 2
}

@test "what is exported and seeded into an empty database is equal, in every format; exporting again changes no file" {
  local as before tables=(Category Country Currency FeatureFlag Organization Permission Plan PlanPrice Role RolePermission Setting User)
  shop
  mig-seed -q shop >/dev/null
  sql "INSERT INTO \"Category\" VALUES (E'odd \"\\\\ \t,\n', NULL, ''), ('\\.', 'all', ' x ')"
  everything >wanted
  for as in csv tsv ndjson; do
    mkdir "$as"
    mig-seed -q --export --with-hidden --as="$as" --into="$as" "${tables[@]}" >/dev/null
    before=$(stat -c '%n %i' "$as"/* | sort)
    mig-seed -q --export --with-hidden --as="$as" --into="$as" "${tables[@]}" >/dev/null
    assert_equal "$(stat -c '%n %i' "$as"/* | sort)" "$before"
    (
      database_new "${PGDATABASE}_$as"
      sql <"$TESTS/seed/schema.sql"
      mig-seed -q "$as" >/dev/null && diff wanted <(everything)
      diff <(sql "SELECT nextval('\"User_id_seq\"')") <(echo 3)
    )
    sql_admin "DROP DATABASE \"${PGDATABASE}_$as\""
  done
}

@test "killed at any point, all of it is applied or nothing" {
  local i rows whole=0 none=0
  sql 'CREATE TABLE a (id int PRIMARY KEY, b text); CREATE TABLE c (id int PRIMARY KEY REFERENCES a)'
  seq 1 20000 | awk 'BEGIN { print "id,b" } { print $1 ",text of " $1 }' >a.csv
  { echo id; seq 1 20000; } >c.csv
  for ((i = 0; i < 12; i++)); do
    begin mig-seed -q .
    sleep "0.0$((i * 3 / 2 + 1))"
    kill -KILL "$JOB" 2>/dev/null || true
    wait "$JOB" 2>/dev/null || true
    eventually no_session
    rows=$(sql 'SELECT (SELECT count(*) FROM a) || '"' '"' || (SELECT count(*) FROM c)')
    case $rows in
    '0 0') none=$((none + 1)) ;;
    '20000 20000') whole=$((whole + 1)) ;;
    *) fail "$rows" || return 1 ;;
    esac
    sql 'TRUNCATE a, c'
  done
  ((none > 0))
  seed .
  assert_code 0
}

slept() {
  [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND wait_event = 'PgSleep'") == 1 ]]
}

# Whether a session waits for an advisory lock.
locked_out() {
  [[ $(sql_admin "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory' AND NOT granted
    AND datname = '$PGDATABASE'") -gt 0 ]]
}

no_session() {
  [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name = 'mig-seed'") == 0 ]]
}

@test "two at once both end well, and what they leave is right; a script that writes the same rows does no harm" {
  shop
  mig-seed -q shop >one 2>&1 3>&- &
  mig-seed -q shop >two 2>&1 3>&- &
  wait -n
  wait -n
  everything >wanted
  database_new
  sql <"$TESTS/seed/schema.sql"
  mig-seed -q shop >/dev/null
  diff wanted <(everything)
  # rows that somebody else has inserted, but not committed, when we compare
  session_begin 'SELECT pg_advisory_lock(77)'
  client psql -Xq -c "BEGIN; INSERT INTO \"FeatureFlag\" (key) VALUES ('late'); SELECT pg_advisory_lock(77); COMMIT" >/dev/null 2>&1 3>&- &
  eventually locked_out
  echo '{"key":"late","note":"ours"}' >>shop/FeatureFlag.ndjson
  begin mig-seed --max-stall=10s shop
  eventually waiting
  session_end "$SESSION"
  finish
  assert_code 0
  assert_equal "$(sql "SELECT note FROM \"FeatureFlag\" WHERE key = 'late'")" ours
}

@test "a row that somebody else changes meanwhile is written, also where transactions are REPEATABLE READ by default" {
  sql "CREATE TABLE a (id int PRIMARY KEY, b text); INSERT INTO a VALUES (1, 'old'); ALTER DATABASE \"$PGDATABASE\"
    SET default_transaction_isolation = 'repeatable read'"
  printf 'id,b\n1,ours\n' >a.csv
  # whenever we wait for the row, it is changed meanwhile
  for _ in {1..20}; do
    echo "BEGIN; UPDATE a SET b = 'theirs'; SELECT pg_sleep(0.06); COMMIT;"
  done | client psql -Xq >/dev/null 2>&1 3>&- &
  eventually slept
  seed -v a.csv
  assert_code 0
  shows '"rows_updated":1'
}

## A dry run

@test "a dry run tells every change, old and new, and writes, locks and moves nothing" {
  shop
  mig-seed -q shop >/dev/null
  sed -i 's/^team,19.9/team,24.5/; /^free/d' shop/Plan.csv
  echo '3,new@shop.example,hash,1,1,2026-01-01' >>shop/User.csv
  everything xmin >before
  session_begin 'BEGIN; SELECT FROM "Plan" FOR UPDATE; SELECT FROM "User" FOR UPDATE; LOCK TABLE "Role" IN SHARE ROW EXCLUSIVE MODE'
  seed --dry-run --wait=0 --format=text shop
  session_end "$SESSION"
  assert_code 0
  shows $'\nupdate  "Plan"         slug=team               price: 19.90 → 24.50\n' \
    $'\ninsert  "User"         email=new@shop.example  id=3, passwordHash=(not shown), roleId=1' \
    $'\nPlan.csv                     2         0         1         1   1   stays\n' \
    '1 insert, 1 update, 33 rows unchanged. Nothing has been changed.' \
    'to do it: mig-seed --wait=0 --format=text shop'
  shows_not 'hash,' "'hash'"
  diff <(everything xmin) before
  seed --dry-run shop
  assert_equal "$(records -c 'select(.record == "row") | [.table, .change, .key, .old, .new] | walk(if type == "number" then . * 10 | round / 10 else . end)')" \
    '["Plan","update",{"slug":"team"},{"price":19.9},{"price":24.5}]
["User","insert",{"email":"new@shop.example"},null,{"id":3,"passwordHash":"hash","roleId":1,"organizationId":1,"createdAt":"2026-01-01T00:00:00"}]'
}

@test "on a terminal a change is one line, whatever is in it, and nothing is left of what was shown meanwhile" {
  sql "CREATE TABLE a (id int PRIMARY KEY, b text)"
  printf 'id,b\n1,"two\nlines\033[31m"\n' >a.csv
  on_terminal 'mig-seed -q --dry-run a.csv'
  [[ $output == *"b='two\\nlines?[31m'"* ]] || fail "$output"
  refute_output --regexp $'reading a.csv[^\033]*\n'
}

@test "a dry run with SQL names it as not run" {
  sql 'CREATE TABLE a (id int PRIMARY KEY)'
  echo 'INSERT INTO a VALUES (1);' >010_a.sql
  printf 'id\n2\n' >a.csv
  seed --dry-run --format=text .
  assert_code 0
  shows '010_a.sql                    -         -         -         -   SQL: not run in a dry run, effect unknown'
  assert_equal "$(sql 'SELECT count(*) FROM a')" 0
  seed .
  assert_equal "$(sql 'SELECT id FROM a ORDER BY id')" $'1\n2'
}

@test "the rows of one dry run are another database's seed; a broken stream is none" {
  shop
  mig-seed --dry-run -q shop >rows.rec
  run --separate-stderr mig-seed - <rows.rec
  assert_code 0
  everything >wanted
  database_new
  sql <"$TESTS/seed/schema.sql"
  mig-seed -q shop >/dev/null
  diff wanted <(everything)
  # what is to go is only taken out with --prune
  sql "DELETE FROM \"Setting\" WHERE key = 'logo'"
  sed -i '/^lines/d' shop/Setting.csv
  mig-seed --dry-run --prune -q shop >rows.rec
  sql "INSERT INTO \"Setting\" VALUES ('other')"
  run --separate-stderr mig-seed - <rows.rec
  assert_code 0
  assert_equal "$(sql 'SELECT key FROM "Setting" ORDER BY 1')" $'lines\nlogo\nother\nretention'
  run --separate-stderr mig-seed --prune - <rows.rec
  assert_code 0
  assert_equal "$(sql 'SELECT key FROM "Setting" ORDER BY 1')" $'logo\nother\nretention'
  run --separate-stderr bash -c 'head -n 3 rows.rec | mig-seed -'
  assert_code 65
  says 'the stream ends without its end record' 'Nothing was seeded'
  run --separate-stderr bash -c 'DATABASE_URL=postgresql://x@127.0.0.1:1/x mig-seed --dry-run shop | mig-seed -'
  assert_code 69
  says 'mig-seed: nothing was seeded (mig-seed failed)'
}

@test "mig-seed --dry-run | mig-check seeds tells whether files and rows agree" {
  shop
  check() { run --separate-stderr bash -c 'mig-seed -q --dry-run "$@" | mig-check seeds' - "$@"; }
  check shop
  assert_code 1
  assert_line --index 0 --regexp '^WARNING: seeds: 35 rows differ: 35 to insert$'
  shows 'Country.csv  4 to insert'
  mig-seed -q shop >/dev/null
  check shop
  assert_code 0
  assert_output 'OK: seeds: 35 rows in 12 tables are as the files say'
  sql "UPDATE \"Role\" SET name = 'x'; DELETE FROM \"PlanPrice\" WHERE currency = 'USD'"
  check shop
  assert_code 1
  shows '5 rows differ: 1 to insert, 4 to update'
  run --separate-stderr bash -c 'mig-seed -q shop | mig-check seeds'
  assert_code 3
  shows 'it was not a dry run'
  run --separate-stderr bash -c 'DATABASE_URL=postgresql://x@127.0.0.1:1/x mig-seed --dry-run shop | mig-check seeds'
  assert_code 2
  run --separate-stderr bash -c 'mig-seed -q --dry-run shop | head -n 3 | mig-check seeds'
  assert_code 3
}

## NDJSON

@test "in NDJSON an absent key is the default of a new row and leaves an old one alone; null is NULL, for jsonb too" {
  sql "CREATE TABLE a (id serial PRIMARY KEY, name text UNIQUE, n numeric DEFAULT 7, j jsonb DEFAULT '{}', big bigint, at timestamptz DEFAULT '2020-01-01')"
  printf '%s\n' '{"name":"one"}' '{"name":"two","n":1,"j":null}' '{"name":"three","j":{"deep":[1e400,123456789012345678901234567890]},"big":9223372036854775807}' |
    mig-seed -q --table=a --key=name - >/dev/null
  assert_equal "$(sql 'SELECT id, name, n, j, big, at::date FROM a ORDER BY id')" \
    '1|one|7|{}||2020-01-01
2|two|1|||2020-01-01
3|three|7|{"deep": [1'"$(printf '%0400d' 0)"', 123456789012345678901234567890]}|9223372036854775807|2020-01-01'
  sql 'UPDATE a SET n = 99, big = 5'
  run --separate-stderr mig-seed --table=a --key=a:name - <<<'{"name":"one","j":[]}'
  assert_equal "$(numbers 'standard input')" '1 0 1 0 0 2'
  assert_equal "$(sql 'SELECT n, j, big FROM a WHERE id = 1')" '99|[]|5'
}

@test "any program can seed: rows from jq, one object a line" {
  sql 'CREATE TABLE rate (code text PRIMARY KEY, value numeric)'
  run --separate-stderr bash -c 'echo "[{\"code\":\"a\",\"value\":1.25},{\"code\":\"b\",\"value\":2}]" | jq -c ".[]" | mig-seed --table=rate -'
  assert_code 0
  assert_equal "$(sql 'SELECT * FROM rate ORDER BY 1')" $'a|1.25\nb|2'
  run --separate-stderr mig-seed --table=rate - <<<'[{"code":"a"}]'
  assert_code 65
  says "standard input:1: this is not a JSON object" "jq -c '.[]'"
  run --separate-stderr mig-seed --table=rate - </dev/null
  assert_code 65
}

@test "a default of another type than its column's rounds no value and stops none; what it gives is its own" {
  sql "CREATE DOMAIN up AS text; CREATE TABLE a (id int PRIMARY KEY, n bigint DEFAULT 1.5, m money DEFAULT 0, c char(3) DEFAULT 5,
    v bit(3) DEFAULT B'101', s varchar(5) DEFAULT 'abc', l int[] DEFAULT '{1}', d up DEFAULT 7)"
  printf '%s\n' '{"id":1,"n":9007199254740993,"m":"2.50","c":"xyz","v":"111","s":"abcde","l":[1,2],"d":"x"}' '{"id":2}' >a.ndjson
  seed a.ndjson
  assert_code 0
  assert_equal "$(sql 'SELECT id, n, m::numeric, c, v, s, l, d FROM a ORDER BY id')" \
    $'1|9007199254740993|2.50|xyz|111|abcde|{1,2}|x\n2|2|0.00|5  |101|abc|{1}|7'
}

## Types

@test "NULL and the empty string, quotes, newlines, CRLF and a byte order mark are what CSV says" {
  sql 'CREATE TABLE a (id int PRIMARY KEY, "a name, quoted ""so""" text, c text)'
  printf '\xef\xbb\xbfid,"a name, quoted ""so""",c\r\n1,,""\r\n2,"two\r\nlines, ""and"" a comma", x \r\n' >a.csv
  seed a.csv
  assert_code 0
  assert_equal "$(sql "SELECT id, \"a name, quoted \"\"so\"\"\" IS NULL, c = '', c = ' x ' FROM a ORDER BY id")" $'1|t|t|f\n2|f|f|t'
  assert_equal "$(sql 'SELECT encode("a name, quoted ""so"""::bytea, '"'escape'"') FROM a WHERE id = 2')" $'two\r\nlines, "and" a comma'
  seed a.csv
  assert_equal "$(numbers a.csv)" '2 0 0 2 0 0'
}

@test "a difference that the type's own equality does not see is one all the same" {
  sql "CREATE TABLE a (id int PRIMARY KEY, n numeric, i interval, j json, f float8, d date[], p point)"
  printf 'id,n,i,j,f,d,p\n1,1.50,30 days,"{""a"":1}",-0,"{2026-01-01,NULL}","(1,2)"\n' >a.csv
  mig-seed -q a.csv >/dev/null
  sql "UPDATE a SET n = 1.5, i = '1 mon', j = '{\"a\": 1}', f = 0"
  seed --dry-run --format=text a.csv
  shows "n: 1.5 → 1.50, i: '1 mon' → '30 days', j: '{\"a\": 1}' → '{\"a\":1}', f: 0 → -0"
  seed a.csv
  assert_equal "$(numbers a.csv)" '1 0 1 0 0 0'
  seed a.csv
  assert_equal "$(numbers a.csv)" '1 0 0 1 0 0'
}

@test "sequences behind serial and identity move past what was inserted, never back" {
  sql "CREATE TABLE s (id serial PRIMARY KEY, a int); CREATE TABLE i (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int);
    CREATE SEQUENCE free; CREATE TABLE f (id bigint DEFAULT nextval('free') PRIMARY KEY); SELECT setval('free', 100)" >/dev/null
  printf 'id,a\n5,1\n9,1\n' | tee s.csv >i.csv
  printf 'id\n50\n' >f.csv
  seed .
  assert_code 0
  assert_equal "$(sql "SELECT nextval('s_id_seq'), nextval('i_id_seq'), nextval('free')")" '10|10|101'
  # a failed run moves none
  sql 'ALTER TABLE s ADD CHECK (a < 2)'
  printf 'id,a\n500,1\n' >i.csv
  printf 'id,a\n500,2\n' >s.csv
  seed .
  assert_code 1
  assert_equal "$(sql "SELECT nextval('s_id_seq'), nextval('i_id_seq')")" '11|11'
}

@test "a text whose default is made of a sequence moves none; a number of any type does" {
  sql "CREATE SEQUENCE q; CREATE TABLE t (id text PRIMARY KEY DEFAULT 'INV-' || nextval('q')); CREATE SEQUENCE r;
    CREATE DOMAIN no AS numeric; CREATE TABLE n (id no PRIMARY KEY DEFAULT nextval('r'))"
  printf 'id\nINV-7\n' >t.csv
  printf 'id\n7\n' >n.csv
  seed .
  assert_code 0
  assert_equal "$(sql "SELECT nextval('q'), nextval('r')")" '1|8'
}

@test "null in a jsonb of CSV is JSON's, and written over SQL's" {
  sql 'CREATE TABLE a (id int PRIMARY KEY, j jsonb); INSERT INTO a VALUES (1)'
  printf 'id,j\n1, null\n' >a.csv
  seed a.csv
  assert_equal "$(numbers a.csv)" '1 0 1 0 0 0'
  seed a.csv
  assert_equal "$(numbers a.csv)" '1 0 0 1 0 0'
  assert_equal "$(sql 'SELECT j FROM a')" null
}

@test "values that are not to be shown are in no error" {
  sql "CREATE TABLE a (id int PRIMARY KEY, token int, passwd int REFERENCES a); CREATE TABLE b (id int PRIMARY KEY);
    CREATE TABLE k (id int PRIMARY KEY, secret text UNIQUE); CREATE TABLE out (s text REFERENCES k (secret))
    ; INSERT INTO k VALUES (1, 'hunter2'); INSERT INTO out VALUES ('hunter2')"
  printf 'id,token\n1,hunter2\n' >a.csv
  seed a.csv
  assert_code 1
  says 'a.csv:2: column "token": a value does not fit its type (not shown) [22P02]'
  says_not hunter2
  echo '{"id":1,"token":"hunter2"}' >a.ndjson
  seed a.ndjson
  assert_code 1
  says 'column "token": a value does not fit its type (not shown) [22P02]'
  says_not hunter2
  printf 'id,passwd\n1,4711\n' >a.csv
  seed a.csv
  assert_code 1
  says 'a.csv:2: ' 'passwd=(not shown)' '[23503]'
  says_not 4711
  # of two tables, neither of which the error names
  echo id >k.csv
  echo id >b.csv
  seed --prune k.csv b.csv
  assert_code 1
  says '[23503]'
  says_not hunter2
}

@test "an error is placed in its own table: of its schema, and by an index that is for all rows" {
  sql "CREATE SCHEMA x; CREATE TABLE x.t (id int PRIMARY KEY, n int NOT NULL); CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL);
    CREATE TABLE u (id int PRIMARY KEY, k int, live bool); CREATE UNIQUE INDEX one_live ON u (k) WHERE live; INSERT INTO u VALUES (9, 5, true)"
  printf 'id,n\n1,1\n' >t.csv
  printf 'id,n\n1,1\n2,\n' >x.t.csv
  seed t.csv x.t.csv
  assert_code 1
  says 'x.t.csv:3: column "n": null value'
  printf 'id,k,live\n1,5,f\n2,5,f\n3,5,t\n' >u.csv
  seed u.csv
  assert_code 1
  says 'u.csv:4: duplicate key value' '"one_live"'
  says_not 'on line 2'
}

@test "an export that finds the disk full is 74, and says so of the file" {
  local as
  sql 'CREATE TABLE a (id int PRIMARY KEY, b text); INSERT INTO a SELECT i, repeat($$x$$, 100) FROM generate_series(1, 5000) i'
  for as in csv ndjson; do
    ln -s /dev/full "a.$as"
    seed --export --as="$as" a
    assert_code 74
    error_count 1
    says "cannot write a.$as: No space left on device"
  done
}

@test "a row that another table still needs is not pruned away; the error names it, and hides what is to be hidden" {
  sql "CREATE TABLE a (id int PRIMARY KEY, token text UNIQUE); CREATE TABLE other (a int CONSTRAINT other_to_a REFERENCES a)"
  printf 'id,token\n1,abc\n2,def\n' >a.csv
  mig-seed -q a.csv >/dev/null
  sql 'INSERT INTO other VALUES (2)'
  printf 'id,token\n1,abc\n' >a.csv
  seed --prune a.csv
  assert_code 1
  says 'violates foreign key constraint "other_to_a" on table "other" [23503]' 'Key (id)=(2) is still referenced from table "other".'
  printf 'id,token\n1,abc\n3,abc\n' >a.csv
  seed a.csv
  assert_code 1
  says 'a.csv:3: ' 'id=3, token=(not shown)'
  says_not abc
  assert_equal "$(sql 'SELECT count(*) FROM a')" 2
}

@test "partitioned tables, other schemas, odd names and a schema in the string" {
  sql 'CREATE SCHEMA "Odd ""S"""; CREATE TABLE "Odd ""S"""."T '"'"' 1" ("select" int, "a""b" text, PRIMARY KEY ("select"));
    CREATE TABLE p (id int, k text, PRIMARY KEY (id, k)) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN ($$x$$);
    CREATE TABLE p2 PARTITION OF p DEFAULT; CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY)'
  printf 'select,"a""b"\n1,x\n' >"Odd \"S\".T ' 1.csv"
  printf 'id,k\n1,x\n2,y\n' >p.csv
  printf 'id\n1\n' >app.t.csv
  seed .
  assert_code 0
  assert_equal "$(sql 'SELECT tableoid::regclass, * FROM p ORDER BY id')" $'p1|1|x\np2|2|y'
  seed .
  assert_equal "$(numbers p.csv)" '2 0 0 2 0 0'
  mkdir more
  printf 'id\n2\n' >more/t.csv
  DATABASE_URL+='&schema=app' seed more
  assert_code 0
  assert_equal "$(sql 'SELECT count(*) FROM app.t')" 2
  mig-seed -q --export --into=more "Odd \"S\".T ' 1" >/dev/null
  cmp more/*S*csv <(printf 'select,"a""b"\n1,x\n')
}

## Errors

# wrong CODE FILE TEXT SAID...
wrong() {
  local code=$1 name=$2
  printf '%b' "$3" >"$name"
  seed "$name"
  rm "$name"
  assert_code "$code" || return 1
  error_count 1 || return 1
  [[ ${stderr_lines[-1]} == *'Nothing was seeded'* || $stderr == *'Nothing was seeded'* ]] || fail "$stderr" || return 1
  says "${@:4}"
}

@test "an error names file, line, column, value and constraint" {
  sql "CREATE DOMAIN pos AS int CHECK (VALUE > 0); CREATE TABLE t (id int PRIMARY KEY, n int CONSTRAINT small CHECK (n < 100), u text UNIQUE, q int NOT NULL DEFAULT 1, d pos);
    CREATE TABLE c (id int PRIMARY KEY, t int CONSTRAINT c_to_t REFERENCES t); INSERT INTO t VALUES (50, 1, 'fifty')"
  wrong 1 t.csv 'id,n\n1,1\n2,many\n' 't.csv:3: column "n": invalid input syntax for type integer: "many" [22P02]'
  wrong 1 t.csv 'id,n\n1,1\n"2",1,7\n' 't.csv:3: extra data after last expected column'
  wrong 1 t.csv 'id,u,n\n1,"a\nb",1\n2,x,500\n' 't.csv:4: new row for relation "t" violates check constraint "small" [23514]' 'id=2, n=500' 'constraint  "small" of table "t"'
  wrong 1 t.csv 'id,q\n1,1\n2,\n' 't.csv:3: column "q": null value in column "q"' '[23502]' 'id=2'
  wrong 1 t.csv 'id,d\n1,1\n2,0\n' 't.csv:3: column "d": value for domain pos violates check constraint "pos_check" [23514]'
  wrong 1 t.csv 'id,u\n1,a\n2,b\n3,a\n' 't.csv:4: duplicate key value' "id=3, u='a'" 'on line 2' 'constraint  "t_u_key"'
  wrong 1 t.csv 'id,u\n1,a\n2,fifty\n' 't.csv:3: duplicate key value' "in the table, in the row id=50"
  wrong 65 t.csv 'id,u\n1,a\n2,b\n1,c\n' 't.csv:4: id=1 appears already on line 2'
  wrong 65 t.csv 'id,u\n1,a\n,b\n' 't.csv:3: a column of the key (id) is NULL'
  wrong 1 c.csv 'id,t\n1,50\n2,51\n3,\n' 'c.csv:3: insert or update on table "c" violates foreign key constraint "c_to_t" [23503]' 'id=2, t=51'
  wrong 1 t.ndjson '{"id":1}\n\n{"id":2,"n":"many"}\n' 't.ndjson:3: column "n": invalid input syntax for type integer: "many" [22P02]'
  wrong 65 t.ndjson '{"id":1}\n\n{"id":2,"n":}\n' 't.ndjson:3: ' 'invalid input syntax for type json' '[22P02]'
  wrong 65 t.ndjson '{"id":1}\n\n7\n' 't.ndjson:3: this is not a JSON object'
  wrong 65 t.ndjson '{"id":1}\n{"id":2,"oops":1}\n' 't.ndjson:2: table "t" has no column "oops"'
  wrong 65 t.ndjson '{"id":1}\n{"id":2,"n":1,"n":2}\n' 't.ndjson:2: the key "n" appears twice'
  wrong 65 t.ndjson '{"id":1}\n{"n":1}\n' 't.ndjson:2: a column of the key (id) is NULL'
  assert_equal "$(sql 'SELECT count(*) FROM t')" 1
}

@test "a header that does not fit, and what would cut the data short, is refused with 65" {
  sql "CREATE TABLE t (id int PRIMARY KEY, n int, u text UNIQUE, g int GENERATED ALWAYS AS (n * 2) STORED); CREATE TABLE nokey (a int); CREATE VIEW v AS SELECT 1 AS a"
  wrong 65 t.csv 'id,N\n' 't.csv:1: table "t" has no column "N"' 'It has id, n, u.'
  wrong 65 t.csv 'id,g\n' 't.csv:1: column "g" is generated by the database: remove it'
  wrong 65 t.csv 'id,id\n' 't.csv:1: column "id" is named twice'
  wrong 65 t.csv 'id,,n\n' 't.csv:1: a column has no name'
  wrong 65 t.csv '' 't.csv:1: the first line must name the columns'
  wrong 65 t.csv 'n,u\n1,a\n' 't.csv:1: there is no column "id", which is part of the key of table "t"' 'unique key: u   --key=t:u'
  wrong 65 nokey.csv 'a\n1\n' 'table "nokey" has no primary key' 'It has no unique key at all'
  sql "CREATE UNIQUE INDEX live ON nokey (a) WHERE a > 0; CREATE UNIQUE INDEX negative ON nokey ((- a));"
  wrong 65 nokey.csv 'a\n1\n' 'no key: live is partial, WHERE (a > 0)' 'no key: negative is on an expression, (- a)' \
    'It has no unique key that holds for all rows'
  wrong 65 v.csv 'a\n1\n' 'v is not a table'
  wrong 65 t.csv 'id\n1\n\\.\n2\n' 't.csv:3: a line of \. would end the data here'
  wrong 65 t.csv 'id\r1\r\\.\r2\r' 'a line of \. would end the data here'
  printf 'id\n' | tee t.csv >t.tsv
  seed .
  assert_code 65
  says './t.tsv: ./t.csv is for the same table'
}

@test "a table that is not there: the migrations come first" {
  sql 'CREATE TABLE "Role" (id int PRIMARY KEY)'
  printf 'id\n1\n' | tee role.csv >nowhere.app.csv
  seed nowhere.app.csv
  assert_code 1
  says 'mig-seed: error: nowhere.app.csv: there is no table nowhere.app' '[42P01]' 'Migrations come first: deploy them to this database'
  seed role.csv
  assert_code 1
  says 'There is "Role": the name of a file must match its table, capitals included.'
}

@test "--key and --insert-only for a table that no file is for are a slip, and refused" {
  sql 'CREATE TABLE "User" (id int PRIMARY KEY, hash text); INSERT INTO "User" VALUES (1, $$old$$)'
  printf 'id,hash\n1,new\n' >User.csv
  for words in --insert-only=user:hash --key=nowhere.User:id; do
    seed "$words" .
    assert_code 64
    says "$words: there is no file for that table"
    seed --export "$words" User
    assert_code 64
  done
  assert_equal "$(sql 'SELECT hash FROM "User"')" old
  seed --insert-only=User:hash --key=id .
  assert_code 0
}

@test "seed.conf is read with its lines: a slip in it is refused, not passed over" {
  local line text
  sql 'CREATE TABLE t (id int PRIMARY KEY, a text, b text UNIQUE)'
  printf 'id,a,b\n1,x,y\n' >t.csv
  while IFS='|' read -r line text; do
    printf '%b' "$text" >seed.conf
    seed .
    [[ $status == 65 && $stderr == *"seed.conf$line"* ]] || fail "$text: $status $stderr" || return 1
  done <<'CASES'
:1|key = id
:2|[t]\nkey
:1|[t
:1|[u]\nkey = a\n
:2|[t]\nkeys = id
:3|[t]\n# so\nkey = id, id
:2|[t]\nprune = maybe
CASES
  printf '[t]\ninsert-only = c\n' >seed.conf
  seed .
  assert_code 65
  says 'table "t" has no column "c"'
  printf '[t]\r\n; with CRLF\r\nkey = "b"\r\ninsert-only = a\r\n' >seed.conf
  seed .
  assert_code 0
  seed --key=t:a .
  assert_code 65
  says 'a is not a unique key of table "t"' 'primary key: id'
}

@test "what lies in a folder and is no seed file is named, once, and passed over" {
  sql 'CREATE TABLE t (id int PRIMARY KEY)'
  printf 'id\n1\n' >t.csv
  touch t.cvs README.md .hidden
  seed .
  assert_code 0
  says 'warning: skipping ./t.cvs: not a seed file'
  says_not README .hidden
}

@test "a deploy that runs is waited for; a dry run does not wait" {
  sql 'CREATE TABLE t (id int PRIMARY KEY)'
  printf 'id\n1\n' >t.csv
  session_begin 'SELECT pg_advisory_lock(72707369)'
  seed --wait=300ms t.csv
  assert_code 75
  says 'another deployer holds the lock: pid '
  seed --dry-run t.csv
  assert_code 0
  begin mig-seed t.csv
  eventually eval '[[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '"'mig-seed%'"'") == 1 ]]'
  session_end "$SESSION"
  finish
  assert_code 0
}

@test "rights: what may not be written is 77; a reader may look, on a standby's terms" {
  sql 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)'
  role_new reader
  sql "GRANT SELECT ON t TO \"$ROLE\""
  sql_admin "REVOKE TEMPORARY ON DATABASE \"$PGDATABASE\" FROM PUBLIC"
  printf 'id\n1\n' >t.csv
  DATABASE_URL=$(database_url "$ROLE") seed --dry-run t.csv
  assert_code 0
  sql_admin "GRANT TEMPORARY ON DATABASE \"$PGDATABASE\" TO PUBLIC"
  printf 'id\n1\n2\n' >t.csv
  DATABASE_URL=$(database_url "$ROLE") seed --dry-run t.csv
  assert_code 0
  assert_equal "$(numbers t.csv)" '2 1 0 1 0 0'
  DATABASE_URL=$(database_url "$ROLE") seed t.csv
  assert_code 77
}

@test "memory stays flat: 30 MB of CSV and of NDJSON take less memory than they have" {
  command -v /usr/bin/time >/dev/null || skip "no GNU time"
  sql 'CREATE TABLE t (id int PRIMARY KEY, a text)'
  awk 'BEGIN { print "id,a"; for (i = 1; i <= 30000; i++) printf "%d,%01000d\n", i, i }' >t.csv
  run --separate-stderr /usr/bin/time -f %M -o peak mig-seed t.csv
  assert_code 0
  (($(<peak) < 28000)) || fail "$(<peak) KB"
  awk 'BEGIN { for (i = 1; i <= 30000; i++) printf "{\"id\":%d,\"a\":\"%01000d\"}\n", i, i + 1 }' |
    run --separate-stderr /usr/bin/time -f %M -o peak mig-seed --table=t -
  (($(<peak) < 28000)) || fail "$(<peak) KB"
  assert_equal "$(sql 'SELECT a::numeric - id FROM t LIMIT 1')" 1
}
