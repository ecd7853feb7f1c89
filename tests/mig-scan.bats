#!/usr/bin/env bats
# mig-scan: what is a migration, in which order, with which checksum; what the history says; the status page.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  unset DATABASE_URL
  folder_new
}
teardown() {
  sessions_end
  roles_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

offline() {
  run --separate-stderr mig-scan --offline "$@"
}

names() {
  records 'select(.record == "migration").migration'
}

# The one migration, or the key of it.
found() {
  records "select(.record == \"migration\")$1"
}

database() {
  records "select(.record == \"database\")$1"
}

rows() {
  records 'select(.record == "history") | [.migration, .started_at, .finished_at, .rolled_back_at, .applied_steps_count, .logs] | map(. // "-" | tostring) | join("|")'
}

## The folder

@test "every folder is a migration, whatever its name is, in Prisma's order" {
  local name
  local -a names=(_under .hidden 'with blank' 0_init 1_b 10_c 2_d 20_create 2024_x 20240101_y 20240101000000_z 20240102_under
    20240102-dash a_lower B_upper Éa éb)
  for name in "${names[@]}"; do
    mkdir "$FOLDER/$name"
  done
  offline
  assert_code 0
  # measured with Prisma 6.19; "with blank" is ours
  assert_equal "$(names | grep -v blank)" "$(printf '%s\n' "${names[@]}" | grep -v blank)"
  assert_equal "$(names | tail -n 1)" 'with blank'
}

@test "for names of any printable ASCII the order is that of Node's localeCompare" {
  local i length name alphabet=' !"#$%&()*+,-.0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~'"'"
  command -v node >/dev/null || skip "no node"
  RANDOM=20260101
  for ((i = 0; i < 400; i++)); do
    name=
    # Short ones of few kinds of characters, so that many have beginnings in common.
    for ((length = 1 + RANDOM % 6; length > 0; length--)); do
      name+=${alphabet:RANDOM % (i % 2 ? 95 : 20):1}
    done
    [[ $name == . || $name == .. ]] || echo "$FOLDER/$name"
  done | tr '\n' '\0' | xargs -0 mkdir -p --
  offline
  assert_code 0
  names >ours
  LC_ALL=C.UTF-8 node -e 'console.log(require("fs").readdirSync(process.argv[1]).filter(n => n != "migration_lock.toml")
    .sort((a, b) => a.localeCompare(b)).join("\n"))' "$FOLDER" >nodes
  run diff ours nodes
  assert_success
  (($(wc -l <ours) > 250)) || fail "too few names"
}

@test "without Node as well: upper and lower case, and punctuation, as ICU has them" {
  local name
  # prisma-migrate 1.2's rule, by hand
  for name in Ab aB ab AB b a_1 a-1 a1 a a.b 'a b' ac; do
    mkdir "$FOLDER/$name"
  done
  offline
  assert_equal "$(names | tr '\n' '|')" 'a|a b|a_1|a-1|a.b|a1|ab|aB|Ab|AB|ac|b|'
}

@test "files beside the migrations and inside them are passed over, but for down.sql" {
  migration 1_one 'SELECT 1;'
  echo 'DROP TABLE a;' >"$FOLDER/1_one/undo.sql"
  echo 'SELECT 2;' >"$FOLDER/1_one/down.sql"
  echo 'DROP TABLE a;' >"$FOLDER/2_two.sql"
  echo hello >"$FOLDER/README.md"
  offline
  assert_code 0
  assert_equal "$(names)" 1_one
  assert_equal "$(records 'select(.down_sql) | "\(.down_checksum)  \(.down_sql)"')" "$(sha256sum <<<'SELECT 2;' | cut -c1-64)  SELECT 2;"
  shows_not 'DROP TABLE'
  assert_equal "$stderr" ''
}

@test "a symbolic link to a folder is no migration, and is warned of" {
  migration 1_one 'SELECT 1;'
  mkdir "$PROJECT/elsewhere"
  ln -s "$PROJECT/elsewhere" "$FOLDER/2_link"
  ln -s "$PROJECT/nowhere" "$FOLDER/3_dangling"
  ln -s 1_one/migration.sql "$FOLDER/4_file"
  offline
  assert_code 0
  assert_equal "$(names)" 1_one
  says 'mig-scan: warning: prisma/migrations/2_link is a symbolic link'
  says_not 3_dangling 4_file
}

@test "a script that is a symbolic link is read" {
  migration 1_one 'SELECT 1;'
  mv "$FOLDER/1_one/migration.sql" real.sql
  ln -s "$PROJECT/real.sql" "$FOLDER/1_one/migration.sql"
  offline
  assert_equal "$(found .sql)" 'SELECT 1;'
}

@test "a folder without migration.sql is a migration that has no script" {
  mkdir -p "$FOLDER/1_empty" "$FOLDER/2_folder/migration.sql"
  offline
  assert_code 0
  assert_equal "$(found '| [.migration, .flaw, .path, .checksum, .sql] | map(tostring) | join(" ")')" \
    $'1_empty no_script null null null\n2_folder no_script null null null'
}

@test "the folder is the one given, else prisma/migrations, else migrations; none is 65" {
  migration 1_prisma 'SELECT 1;'
  mkdir -p migrations/2_plain other/3_other
  offline
  assert_equal "$(names)" 1_prisma
  offline other
  assert_equal "$(names)" 3_other
  offline other/
  assert_equal "$(names)" 3_other
  rm -r prisma
  offline
  assert_equal "$(names)" 2_plain
  rm -r migrations
  offline
  assert_code 65
  says 'neither prisma/migrations nor migrations'
  offline nowhere
  assert_code 65
  says nowhere
  touch file
  offline file
  assert_code 65
  says file
}

@test "an empty folder is no error" {
  offline
  assert_code 0
  assert_equal "$(records .record | tr '\n' ' ')" 'stream end '
}

@test "a folder or script that may not be read is 77" {
  local place
  place=$(shared_place)
  migration 1_one 'SELECT 1;'
  cp -r prisma "$place"
  chmod -R a+rX "$place"
  cd "$place" || return 1
  chmod 000 prisma/migrations/1_one/migration.sql
  run --separate-stderr as_nobody ./mig-scan --offline
  assert_code 77
  says 1_one/migration.sql 'Permission denied'
  assert_equal "$(records -s '.[-1] | "\(.record) \(.exit_code)"')" 'failed 77'
  chmod 000 prisma/migrations
  run --separate-stderr as_nobody ./mig-scan --offline
  assert_code 77
  cd /
  chmod -R 700 "$place"
  rm -r "$place"
}

## migration_lock.toml

# lock_file TEXT: printf's escapes count
lock_file() {
  # shellcheck disable=SC2059
  printf "$1" >"$FOLDER/migration_lock.toml"
  offline
}

@test "the lock files that Prisma writes and wrote are taken, and none is no fault" {
  local text
  for text in \
    '# Please do not edit this file manually\n# It should be added in your version-control system (e.g., Git)\nprovider = "postgresql"\n' \
    '# Please do not edit this file manually\n# It should be added in your version-control system (i.e. Git)\nprovider = "postgresql"' \
    'provider = "postgresql"\n' \
    '# comment\r\nprovider = "postgresql"\r\n' \
    'provider = "postgresql"\nprovider = "mysql"\n' \
    'other = "x"\nprovider = "postgresql"\n'; do
    lock_file "$text"
    [[ $status == 0 ]] || fail "$text: $stderr"
  done
  rm "$FOLDER/migration_lock.toml"
  offline
  assert_code 0
}

@test "the lock files that Prisma refuses are refused with P3019" {
  local text
  for text in \
    'provider="postgresql"\n' \
    'provider = "postgresql" # ours\n' \
    'provider = "postgresql" \n' \
    "provider = 'postgresql'\n" \
    ' provider = "postgresql"\n' \
    'provider = "postgres"\n' \
    'provider = "mysql"\nprovider = "postgresql"\n' \
    'provider = "sqlite"\n' \
    '# provider = "postgresql"\n' \
    ''; do
    lock_file "$text"
    [[ $status == 65 ]] || fail "$text: exit code $status" || return 1
    says P3019
  done
  lock_file 'provider = "mysql"\n'
  says '"mysql"' prisma/migrations/migration_lock.toml
}

## The script

@test "a script is taken byte by byte, and its checksum is its SHA-256" {
  local name
  migration crlf $'SELECT 1;\r\nSELECT 2;\r\n'
  migration bom $'\ufeffSELECT 1;\n'
  migration no_newline 'SELECT 1;'
  migration comment $'-- This is an empty migration.'
  migration empty ''
  migration newline $'\n'
  migration tabs $'\tSELECT\t\'\\\'\v\f\x01\x1b[31m;'
  migration words $'SELECT \'äöü € 🐘 \u2028 "quoted" \\ /\';\n'
  seq 300000 | sed 's/^/-- /' | migration large
  offline
  assert_code 0
  for name in crlf bom no_newline comment empty newline tabs words large; do
    assert_equal "$name $(records "select(.migration == \"$name\") | .checksum, .size_bytes, .flaw" | tr '\n' ' ')" \
      "$name $(checksum "$name") $(wc -c <"$FOLDER/$name/migration.sql") null "
    cmp <(records -j "select(.migration == \"$name\").sql") "$FOLDER/$name/migration.sql" || fail "$name is another text"
  done
}

@test "bytes that are not UTF-8 become U+FFFD, one for each that Prisma sees, before the checksum is made" {
  local raw mended bad=$'\ufffd' n=0
  while IFS='|' read -r raw mended; do
    n=$((n + 1))
    # shellcheck disable=SC2059
    migration "$n" "$(printf "SELECT '$raw';")"
    offline
    assert_code 0
    mended="SELECT '${mended//X/$bad}';"
    assert_equal "$raw: $(found .sql)" "$raw: $mended"
    mended=$(printf %s "$mended" | sha256sum)
    assert_equal "$(found .checksum)" "${mended%% *}"
    assert_equal "$(found .flaw)" not_utf8
    if command -v node >/dev/null; then
      assert_equal "$(found .checksum)" "$(node -e 'const text = require("fs").readFileSync(process.argv[1], "utf8")
        console.log(require("crypto").createHash("sha256").update(text).digest("hex"))' "$FOLDER/$n/migration.sql")"
    fi
    rm -r "${FOLDER:?}/$n"
  done <<'CASES'
\xff|X
a\x80b|aXb
\xc3|X
\xe2\x82|X
\xe2\x82a|Xa
\xf0\x9f\x92|X
\xf0\x9f\x92\xc3|XX
\xc0\x80|XX
\xed\xa0\x80|XXX
\xf4\x90\x80\x80|XXXX
\xe0\x80\x80|XXX
\xf8\x88\x80\x80\x80|XXXXX
\xc3\xa4\xff\xc3\xa4|äXä
CASES
}

@test "a script with a NUL is scanned without its text, and said to have one" {
  mkdir "$FOLDER/1_utf16"
  printf 'S\0E\0L\0' >"$FOLDER/1_utf16/migration.sql"
  offline
  assert_code 0
  assert_equal "$(found '| .flaw, .sql')" $'nul\nnull'
  assert_equal "$(found .checksum)" "$(checksum 1_utf16)"
}

@test "a name that is not UTF-8 is refused: it could not be recorded" {
  mkdir "$FOLDER"/$'1_\xff' || skip "this file system takes no such name"
  offline
  assert_code 65
  says 'not UTF-8'
}

## The database

@test "without a history table nothing is recorded, and whether the schema is empty is said" {
  database_new
  run --separate-stderr mig-scan
  assert_code 0
  assert_equal "$(database '| .has_history, .schema_empty, .database, .schema, .user' | tr '\n' ' ')" "false true $PGDATABASE public tester "
  sql 'CREATE TABLE a ()'
  run --separate-stderr mig-scan
  assert_equal "$(database '| .has_history, .schema_empty' | tr '\n' ' ')" 'false false '
}

@test "tables of PostGIS leave a schema empty, in upper and lower case, and next to a history" {
  database_new
  sql 'CREATE TABLE spatial_ref_sys (); CREATE TABLE "Geometry_Columns" ()'
  run --separate-stderr mig-scan
  assert_equal "$(database '| .has_history, .schema_empty' | tr '\n' ' ')" 'false true '
  migration 1_a 'DO $$ BEGIN END $$;'
  mig-scan | mig-plan --allow=not_empty | mig-apply
  run --separate-stderr mig-scan
  assert_equal "$(database '| .has_history, .schema_empty' | tr '\n' ' ')" 'true true '
  sql 'CREATE TABLE a ()'
  run --separate-stderr mig-scan
  assert_equal "$(database '| .has_history, .schema_empty' | tr '\n' ' ')" 'true false '
}

@test "a history in another schema of the search path than the first is the one that counts" {
  database_new
  migration 1_a
  mig-scan | mig-plan | mig-apply
  sql_admin "CREATE SCHEMA tester AUTHORIZATION tester"
  run --separate-stderr mig-scan
  assert_equal "$(database '| .schema, .has_history' | tr '\n' ' ')" 'public true '
}

@test "the history is read as it is: finished, failed, rolled back, resolved, several rows of a name" {
  database_new
  recorded 1_finished
  recorded 2_failed failed
  recorded 3_rolled rolled_back
  recorded 3_rolled
  recorded 4_resolved resolved
  recorded 5_undone undone
  run --separate-stderr mig-scan
  assert_code 0
  assert_equal "$(rows)" "1_finished|2026-01-01T12:01:00.123456Z|2026-01-01T12:01:01.623456Z|-|1|-
2_failed|2026-01-01T12:02:00.123456Z|-|-|0|it broke
3_rolled|2026-01-01T12:03:00.123456Z|-|2026-01-01T12:03:10.123456Z|0|it broke
3_rolled|2026-01-01T12:04:00.123456Z|2026-01-01T12:04:01.623456Z|-|1|-
4_resolved|2026-01-01T12:05:00.123456Z|2026-01-01T12:05:00.123456Z|-|0|
5_undone|2026-01-01T12:06:00.123456Z|2026-01-01T12:06:01.623456Z|2026-01-01T12:06:10.123456Z|1|-"
  assert_equal "$(records 'select(.record == "history").id' | sort -u | wc -l)" 6
}

@test "rows that began together are ordered by their id, whatever the database's collation is" {
  database_new
  sql "$HISTORY_TABLE_SQL; INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at)
    SELECT id, 's', id, '2026-01-01' FROM unnest(ARRAY['b', 'A', 'a', 'B', '-', '1']) id"
  run --separate-stderr mig-scan
  assert_equal "$(records 'select(.record == "history").id' | tr '\n' ' ')" '- 1 A B a b '
}

@test "schema= in the string says where the history is" {
  database_new
  sql 'CREATE SCHEMA "My ""App"; SET search_path = "My ""App"; CREATE TABLE x ()'
  recorded 1_public
  sql "SET search_path = \"My \"\"App\"; $HISTORY_TABLE_SQL; INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('i', 's', '1_app')"
  DATABASE_URL+="&schema=My%20%22App" run --separate-stderr mig-scan
  assert_code 0
  assert_equal "$(records 'select(.record == "history").migration')" 1_app
  assert_equal "$(database .schema)" 'My "App'
  DATABASE_URL+="&schema=nowhere" run --separate-stderr mig-scan
  assert_code 0
  assert_equal "$(database '| .schema, .has_history, .schema_empty' | tr '\n' ' ')" 'nowhere false true '
  assert_equal "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname = 'nowhere'")" 0
}

@test "without schema= the first schema of the search path that exists is meant" {
  database_new
  sql 'CREATE SCHEMA app'
  sql_admin "ALTER DATABASE \"$PGDATABASE\" SET search_path = nowhere, app, public"
  run --separate-stderr mig-scan
  assert_equal "$(database .schema)" app
  sql_admin "ALTER DATABASE \"$PGDATABASE\" SET search_path = nowhere"
  run --separate-stderr mig-scan
  assert_code 78
  says 'search path' schema=
}

@test "a table that somebody made by hand is read: more columns, uuid, text, times without a zone" {
  database_new
  sql "CREATE TABLE _prisma_migrations (note text DEFAULT 'x', id uuid DEFAULT '0d0f6a52-6c0b-4c0e-9d7e-3f7d0c1c9a41', checksum text,
      finished_at timestamp, migration_name text, logs text, rolled_back_at timestamp, started_at timestamp, applied_steps_count bigint);
    INSERT INTO _prisma_migrations (checksum, migration_name, started_at, finished_at)
      VALUES ('s', '1_hand', '2026-07-01 12:00:00.5', '2026-07-01 12:00:01')"
  # Prisma reads such times as UTC, whatever the session's zone is.
  sql_admin "ALTER DATABASE \"$PGDATABASE\" SET timezone = 'America/New_York'"
  run --separate-stderr mig-scan
  assert_code 0
  assert_equal "$(rows)" '1_hand|2026-07-01T12:00:00.500000Z|2026-07-01T12:00:01.000000Z|-|-|-'
  assert_equal "$(records 'select(.record == "history").id')" 0d0f6a52-6c0b-4c0e-9d7e-3f7d0c1c9a41
}

@test "a role that may only read suffices, also where all is read-only" {
  database_new
  migration 1_one 'SELECT 1;'
  recorded 1_one
  role_new reader
  sql "GRANT SELECT ON _prisma_migrations TO \"$ROLE\""
  sql_admin "ALTER DATABASE \"$PGDATABASE\" SET default_transaction_read_only = on"
  DATABASE_URL=$(database_url "$ROLE") run --separate-stderr mig-scan
  assert_code 0
  assert_equal "$(records 'select(.record == "history").migration')" 1_one
  assert_equal "$(database .user)" "$ROLE"
}

@test "a role that may not read is 77, with the GRANT that it needs" {
  database_new
  recorded 1_one
  role_new stranger
  DATABASE_URL=$(database_url "$ROLE") run --separate-stderr mig-scan
  assert_code 77
  error_count 1
  says 'permission denied' "GRANT SELECT on public._prisma_migrations TO $ROLE;"
  sql "GRANT SELECT on public._prisma_migrations TO $ROLE;"
  DATABASE_URL=$(database_url "$ROLE") run --separate-stderr mig-scan
  assert_code 0
}

@test "where the cluster's identity may not be asked for, it is null" {
  database_new
  sql_admin 'REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC'
  migration 1_one 'CREATE TABLE one ();'
  run --separate-stderr mig-scan
  assert_code 0
  assert_equal "$(database .system_identifier)" null
  pipeline
  assert_code 0
  assert_equal "$(applied)" 1_one
}

@test "a server that cannot be reached is 69" {
  DATABASE_URL=postgresql://tester@127.0.0.1:1/x run --separate-stderr mig-scan
  assert_code 69
  says 'mig-scan: error: cannot reach 127.0.0.1:1: connection refused'
  DATABASE_URL='postgresql://tester@localhost/x?host=/nowhere' run --separate-stderr mig-scan
  assert_code 69
  says /nowhere
}

@test "a wrong password, and a missing one, is 77" {
  database_new
  role_new guarded "PASSWORD 'right' IN ROLE with_password"
  DATABASE_URL=$(database_url "$ROLE:wrong") run --separate-stderr mig-scan
  assert_code 77
  says 'password authentication failed'
  says_not wrong
  DATABASE_URL=$(database_url "$ROLE") run --separate-stderr mig-scan </dev/null
  assert_code 77
  says 'no password'
  DATABASE_URL=$(database_url "$ROLE:right") run --separate-stderr mig-scan
  assert_code 0
}

@test "a database that does not exist is 78, a role that does not is 77" {
  database_new
  DATABASE_URL=${DATABASE_URL/$PGDATABASE/nowhere} run --separate-stderr mig-scan
  assert_code 78
  says 'database "nowhere" does not exist'
  DATABASE_URL=$(database_url nobody_at_all) run --separate-stderr mig-scan
  assert_code 77
}

@test "a server that has no room is 75; --wait tries until it has" {
  database_new
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT 0"
  run --separate-stderr mig-scan
  assert_code 75
  says 'too many connections' 'may work later'
  begin mig-scan --wait=20s -v
  eventually grep -q 'retrying' "$JOB_ERR"
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT -1"
  finish
  assert_code 0
}

@test "nothing is changed by a scan, not even the schema of the string is made" {
  database_new
  migration 1_one 'CREATE TABLE one ();'
  DATABASE_URL+='&schema=new' run --separate-stderr mig-scan
  assert_code 0
  assert_equal "$(sql "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace 
    WHERE nspname IN ('new', 'public') AND pg_get_userbyid(relowner) <> 'mallory'")" 0
}

## Who deploys

@test "who holds the deploy lock is named, and what it has not finished is running, not failed" {
  database_new
  migration 1_one 'SELECT 1;'
  migration 2_two 'SELECT 1;'
  recorded 1_one failed
  run --separate-stderr mig-scan --format=text
  assert_line --regexp '^failed +1_one .*started and not finished'
  assert_line --partial 'no deploy is running'

  session_begin PGAPPNAME=their-deploy 'SELECT pg_advisory_lock(72707369)'
  run --separate-stderr mig-scan
  assert_code 0
  assert_equal "$(database '| .deployer_pid, .deployer_user, .deployer_application' | tr '\n' ' ')" "$SESSION tester their-deploy "
  run --separate-stderr mig-scan --format=text
  assert_line --regexp '^running +1_one'
  assert_line --partial "a deploy is running: pid $SESSION, their-deploy, tester"
  refute_line --regexp '^failed'

  session_end "$SESSION"
  run --separate-stderr mig-scan
  assert_equal "$(database .deployer_pid)" null
}

@test "other advisory locks, and those of other databases, are nobody's deploy" {
  database_new
  session_begin 'SELECT pg_advisory_lock(0, 72707369), pg_advisory_lock(72707370), pg_advisory_lock(4367674665)'
  run --separate-stderr mig-scan
  assert_equal "$(database .deployer_pid)" null
  session_begin 'SELECT pg_advisory_lock(72707369)'
  database_new
  run --separate-stderr mig-scan
  assert_code 0
  assert_equal "$(database .deployer_pid)" null
}

## Streams

@test "equal input gives equal bytes" {
  database_new
  migrations_many 12
  recorded 20230101000000_gone
  mig-scan >one
  mig-scan >other
  run cmp one other
  assert_success
}

@test "--offline needs no connection string, and has no database side" {
  migration 1_one 'SELECT 1;'
  offline
  assert_code 0
  assert_equal "$(records .record | tr '\n' ' ')" 'stream migration end '
  offline --format=text
  assert_line --regexp '^folder +prisma/migrations: 1 migration$'
  assert_line --regexp '^pending +1_one'
  refute_line --regexp '^(database|server|history)'
}

@test "an offline scan with the database added on another host is the scan of one host" {
  database_new
  migrations_many 12
  recorded_all
  migration 30000101000000_new 'SELECT 1;'
  mig-scan >whole
  run --separate-stderr bash -c 'mig-scan --offline | mig-scan - | tee added | mig-plan | mig-apply'
  assert_code 0
  # but for what makes it again
  diff <(jq -c 'del(.command, .folder, .place, .seal)' whole) <(jq -c 'del(.command, .folder, .place, .seal)' added)
  assert_equal "$(applied | tail -n 1)" 30000101000000_new
}

@test "a scan that has a database already takes no second one" {
  database_new
  migration 1_one 'SELECT 1;'
  run --separate-stderr bash -c 'mig-scan | mig-scan -'
  assert_code 65
  says 'line 2' 'already has a database' 'mig-scan --offline'
}

## The page

@test "several finished rows of one name are not called rolled back" {
  database_new
  migration 1_thrice 'SELECT 1;'
  recorded 1_thrice
  recorded 1_thrice
  recorded 1_thrice rolled_back
  recorded 1_thrice
  run --separate-stderr mig-scan --format=text
  assert_line --regexp '^applied +1_thrice .* recorded 4 times, 1 of them rolled back$'
}

@test "the status page names database, server, folder, history, each state, the sum and what to type" {
  database_new
  local name
  for name in 1_gone_by 2_edited 4_again 5_late 6_applied 7_pending 8_failed; do
    migration "$name" "SELECT '$name';"
  done
  recorded 1_gone_by
  recorded 2_edited finished 0000000000000000000000000000000000000000000000000000000000000000
  recorded 3_missing
  recorded 4_again rolled_back
  recorded 4_again
  recorded 6_applied
  recorded 8_failed failed
  run --separate-stderr mig-scan --format=text
  assert_code 0
  assert_line --regexp "^database +$PGDATABASE at .*, schema public, user tester\$"
  assert_line --regexp '^server +PostgreSQL [0-9.]+, primary, no TLS$'
  assert_line --regexp '^folder +prisma/migrations: 7 migrations$'
  assert_line --regexp '^history +7 rows: 5 applied, 1 unfinished, 1 rolled back$'
  assert_line --regexp '^applied +1_gone_by +2026-01-01 12:01:01Z$'
  assert_line --regexp '^edited +2_edited +2026-01-01 12:02:01Z +file differs from what was applied$'
  assert_line --regexp '^missing +3_missing +2026-01-01 12:03:01Z +recorded, but not in the folder$'
  assert_line --regexp '^applied +4_again +2026-01-01 12:05:01Z +2nd run; the 1st was rolled back$'
  assert_line --regexp '^late +5_late +- +sorts before an applied one$'
  assert_line --regexp '^pending +7_pending +-$'
  assert_line --regexp '^failed +8_failed +2026-01-01 12:07:00Z +started and not finished'
  assert_line --partial '2 pending (1 of them late), 1 failed, 1 edited, 1 missing; no deploy is running'
  assert_line --index -1 'next: mig-scan | mig-plan'
}

@test "what differs in line ends only is not edited" {
  database_new
  migration 1_one $'SELECT 1;\nSELECT 2;\n'
  recorded 1_one finished "$(printf 'SELECT 1;\r\nSELECT 2;\r\n' | sha256sum)"
  migration 2_two $'SELECT 1;\r\nSELECT 2;\r\n'
  recorded 2_two finished "$(printf 'SELECT 1;\nSELECT 2;\n' | sha256sum)"
  migration 3_three $'SELECT 1;\n'
  recorded 3_three finished "$(printf 'SELECT 1; \n' | sha256sum)"
  run --separate-stderr mig-scan --format=text
  assert_line --regexp '^applied +1_one'
  assert_line --regexp '^applied +2_two'
  assert_line --regexp '^edited +3_three'
}

@test "long lists fold, -v unfolds them, and what is not as it should be stays in sight" {
  local i
  database_new
  for ((i = 101; i <= 130; i++)); do
    migration "${i}_done" 'SELECT 1;'
  done
  recorded_all
  migration 120_late 'SELECT 1;'
  for ((i = 201; i <= 220; i++)); do
    migration "${i}_new" 'SELECT 1;'
  done
  run --separate-stderr mig-scan --format=text
  assert_code 0
  assert_line --regexp '^applied +… 1[89] older, all as recorded +2026-01-01 to 2026-01-01$'
  assert_line --regexp '^late +120_late'
  assert_line --regexp '^applied +130_done'
  assert_line --regexp '^pending +… [0-9]+ more'
  refute_line --regexp '105_done'
  ((${#lines[@]} < 30)) || fail "${#lines[@]} lines"
  run --separate-stderr mig-scan --format=text -v
  shows_not …
  assert_equal "$(grep -cE '^(applied|late|pending) +[0-9]+_' <<<"$output")" 51
}

@test "a list of ten does not fold" {
  local i
  for ((i = 1; i <= 10; i++)); do
    migration "${i}_new" 'SELECT 1;'
  done
  offline --format=text
  assert_equal "$(grep -c '^pending ' <<<"$output")" 10
  shows_not …
}

@test "a folder's name with a control character is refused, and shown without it" {
  local escape=$'\e' csi=$'\u009b' name
  for name in "1_${escape}[31mred${escape}[2J" $'2_\x01a\x02b' "3_${csi}31mred" $'4_del\x7f_bell\a_cr\r_' $'5_\n\\! touch x'; do
    migration "$name" 'SELECT 1;'
    offline --format=text
    rm -r "prisma/migrations/$name"
    assert_code 65
    says 'control character' 'rename it'
    says_not "$escape" "$csi" $'\x01' $'\x02' $'\x7f' $'\a' $'\r' $'\n\\!'
  done
}

@test "nothing in a recorded name reaches the terminal as a command to it, or makes a line of its own" {
  local escape=$'\e' csi=$'\u009b' name
  database_new
  for name in "1_${escape}[31mred${escape}[2J" $'2_\x01a\x02b' "3_${csi}31mred" $'4_del\x7f_bell\a_cr\r_' $'5_one\nfailed   2_two'; do
    recorded "$name"
  done
  mkdir -p prisma/migrations
  NO_COLOR=1 run --separate-stderr mig-scan --format=text -v
  assert_code 0
  shows 1_ 2_ 3_ 4_ 5_one
  shows_not "$escape" "$csi" $'\x01' $'\x02' $'\x7f' $'\a' $'\r'
  refute_line --regexp '^failed'
}
