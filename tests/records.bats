#!/usr/bin/env bats
# Streams of records: a stream is complete or it is nothing, and who refuses one says in which line.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() { folder_new; }

## Given

# Line 1 stream, 2 and 3 migrations, 4 end.
offline_scan() {
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  migration 20240102000000_wörds $'CREATE TABLE b (id int);\n-- "äöü" \\ \t 1000 2000\n'
  mig-scan --offline -o scan.rec >/dev/null
}

# Line 1 stream, 2 plan, 3 finding, 4 and 5 steps, 6 end.
some_plan() {
  database_new
  migration 20240101000000_init $'CREATE TABLE a (id int);\nINSERT INTO a VALUES (1000);'
  migration 20240102000000_drop 'DROP TABLE IF EXISTS c;'
  mig-scan -o scan.rec >/dev/null
  mig-plan -o plan.rec scan.rec >/dev/null
  assert_equal "$(wc -l <plan.rec)" 6
}

## Then

# refused LINE TEXT: mig-plan does not take the scan on stdin, and says so.
refused() {
  refused_by mig-plan --from-empty -- "$@"
}

# refused_by TOOL OPTION… -- LINE TEXT
refused_by() {
  local -a command=()
  while [[ $1 != -- ]]; do
    command+=("$1")
    shift
  done
  run --separate-stderr "${command[@]}"
  assert_code 65
  [[ ${stderr_lines[0]} == "${command[0]}: error: standard input, line $2: "*"$3"* ]] ||
    fail "wanted: line $2: … $3"$'\n'"said: ${stderr_lines[0]}" || return 1
  error_count 1
  assert_equal "$(records -s '.[-1] | "\(.record) \(.exit_code) \(.tool)"')" "failed 65 ${command[0]}"
}

nothing_was_touched() {
  assert_equal "$(relations)" ''
}

# each_cut FILE TOOL…: whatever byte it is cut at, the tool refuses it and names the line. Every 29th byte is tried, and
# those around the ends of lines.
each_cut() {
  local file=$1 text size i lines said code
  shift
  size=$(wc -c <"$file")
  text=$(LC_ALL=C awk '{ at += length($0) + 1; print at - 1; print at; print at + 1 }' "$file")
  for i in $(seq 0 29 "$size") $text; do
    ((i < size)) || continue
    lines=$(head -c "$i" "$file" | wc -l)
    code=0
    head -c "$i" "$file" | "$@" >out 2>err || code=$?
    said=$(head -n 1 err)
    [[ $code == 65 && $said == "$1: error: standard input, line $((lines + 1)): "* ]] ||
      fail "cut at byte $i, in line $((lines + 1)): exit code $code, $said" || return 1
  done
}

# each_change FILE TOOL…: whatever character is another one, the tool refuses the stream.
each_change() {
  local file=$1 text i c d code letters=abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ
  shift
  text=$(cat "$file"; echo x)
  text=${text%x}
  for ((i = 0; i < ${#text}; i += 1 + RANDOM % 25)); do
    c=${text:i:1}
    case $c in
    # What stays valid JSON, and nearly always of the right type: a digest sees it all the same.
    [0-9]) d=$(((c + 1) % 10)) ;;
    [a-zA-Z]) d=${letters#*"$c"}a d=${d:0:1} ;;
    *) d='~' ;;
    esac
    code=0
    printf '%s' "${text:0:i}$d${text:i+1}" | "$@" >out 2>err || code=$?
    [[ $code == 65 ]] || fail "with $d for $c at $i: exit code $code, $(cat err)" || return 1
  done
}

## A stream that is not whole

@test "a scan that is cut at any byte is refused, with its line" {
  offline_scan
  each_cut scan.rec mig-plan --from-empty
}

@test "a plan that is cut at any byte is refused, with its line, and nothing is touched" {
  some_plan
  each_cut plan.rec mig-apply
  nothing_was_touched
}

@test "a scan in which any character is changed is refused" {
  offline_scan
  RANDOM=1
  each_change scan.rec mig-plan --from-empty
}

@test "a plan in which any character is changed is refused, and nothing is touched" {
  some_plan
  RANDOM=2
  each_change plan.rec mig-apply
  nothing_was_touched
}

@test "a cut stream ends the rest of the pipe with 65, and is said once" {
  some_plan
  run --separate-stderr bash -c 'head -n 3 scan.rec | mig-plan | mig-apply | tee results.rec | mig-check deploy; echo "${PIPESTATUS[*]}"'
  assert_line '0 65 65 0 3'
  error_count 1
  says 'mig-plan: error: standard input, line 4: the stream ends without its end record: mig-scan was interrupted' \
    'Nothing was planned, and nothing will be applied.' 'mig-apply: nothing was applied (mig-plan failed)'
  nothing_was_touched
}

@test "it does not matter in what pieces a stream arrives" {
  offline_scan
  run --separate-stderr bash -c 'dd bs=1 if=scan.rec status=none | mig-plan --from-empty'
  assert_code 0
  assert_equal "$output" "$(mig-plan --from-empty scan.rec)"
}

@test "an input with nothing in it is refused" {
  refused 1 'empty input' </dev/null
  refused_by mig-apply -- 1 'empty input' </dev/null
  database_new
  refused_by mig-scan - -- 1 'empty input' </dev/null
  run --separate-stderr bash -c 'true | mig-check deploy'
  assert_code 3
}

## A line that is no record

@test "a last line without a newline is refused" {
  offline_scan
  refused 4 'no newline at its end' < <(printf %s "$(cat scan.rec)")
}

@test "a NUL is refused, also a NUL that is written as JSON" {
  offline_scan
  refused 2 NUL < <(sed '2s/CREATE/CRE\x00ATE/' scan.rec)
  refused 3 'not a record' < <(sed '3s/CREATE/CRE\\u0000ATE/' scan.rec | seal)
  refused 1 NUL < <(printf '\0\n')
}

@test "bytes that are not UTF-8 are refused, as are halves of a surrogate pair" {
  local bad
  offline_scan
  for bad in '\xff' '\xc3' '\xc0\x80' '\xed\xa0\x80' '\xf4\x90\x80\x80'; do
    refused 2 'not a record' < <(LC_ALL=C sed "2s/CREATE/CRE${bad}ATE/" scan.rec)
  done
  refused 3 'not a record' < <(sed '3s/CREATE/CRE\\ud800ATE/' scan.rec | seal)
}

@test "what is not one object on a line is refused" {
  local line
  offline_scan
  for line in '' ' ' 'x' '[1]' '"migration"' '5' 'null' '{}' '{"record":5}' '{"record":null}' '{"Record":"migration"}' \
    '{"record":"migration"' '{"record":"migration"}}' '{"record":"migration"} {"record":"migration"}' \
    "{'record':'migration'}" '{"record":"migration",}'; do
    refused 3 'not a record' < <(LINE=$line awk 'NR == 3 { print ENVIRON["LINE"] } { print }' scan.rec)
  done
}

@test "a key that comes twice is refused" {
  offline_scan
  refused 2 'duplicate' < <(sed '2s/"flaw"/"sql":"SELECT 1;","flaw"/' scan.rec | seal)
  refused 2 'duplicate' < <(sed '2s/"flaw"/"unknown":1,"unknown":1,"flaw"/' scan.rec | seal)
  refused 2 'duplicate' < <(sed '2s/"flaw"/"unknown":{"a":1,"a":1},"flaw"/' scan.rec | seal)
}

## A record that is wrong

@test "a key that is missing is named, with its record" {
  local key
  offline_scan
  refused 3 'the migration record has no "migration"' < <(sed '3s/"migration":"20/"name":"20/' scan.rec | seal)
  refused 1 'has no "kind"' < <(sed '1s/kind/king/' scan.rec | seal)
  refused 1 'has no "version"' < <(sed '1s/,"version":1//' scan.rec | seal)
  refused 4 'has no "records"' < <(sed '4s/"records":3,//' scan.rec)
  refused 4 'has no "digest"' < <(sed '4s/digest/digets/' scan.rec)
  database_new
  recorded 20240101000000_init
  mig-scan -o scan.rec >/dev/null
  for key in database schema user server_version has_history schema_empty; do
    refused_by mig-plan -- 2 "the database record has no \"$key\"" < <(sed "2s/\"$key\":/\"other_$key\":/" scan.rec | seal)
  done
  refused_by mig-plan -- 3 'the history record has no "id"' < <(sed '3s/"id":/"other_id":/' scan.rec | seal)
}

# each_null FILE TOOL…: with any key of any record being null, the tool may refuse the stream; it may not break.
each_null() {
  local file=$1 line key code
  shift
  while read -r line key; do
    code=0
    jq -c --argjson line "$line" --arg key "$key" 'if input_line_number == $line then .[$key] = null else . end' "$file" | seal >null.rec
    "$@" <null.rec >out 2>err || code=$?
    ((code <= 65)) || fail "$key of line $line is null: exit code $code, $(cat err)" || return 1
  done < <(jq -r 'input_line_number as $line | keys_unsorted[] | select(. != "record") | "\($line) \(.)"' "$file")
}

@test "null where mig-plan and mig-check expect none breaks nothing, even where the digest is right" {
  offline_scan
  database_new
  recorded 20240101000000_init failed
  recorded 20230101000000_gone
  mig-scan -o scan.rec >/dev/null
  each_null scan.rec mig-check history
  each_null scan.rec mig-plan
}

@test "null where mig-apply expects none breaks nothing, even where the digest is right" {
  some_plan
  each_null plan.rec mig-apply --dry-run
}

@test "a pending migration without script and without a reason is refused" {
  offline_scan
  refused 3 '' < <(jq -c 'if input_line_number == 3 then .sql = null else . end' scan.rec | seal)
}

@test "a value of another type is named" {
  local value
  offline_scan
  for value in '"24"' true '[24]' '{}' 24.0 24.5 2.4e1; do
    refused 2 '"size_bytes" of the migration record is not a whole number or null' \
      < <(sed "2s/\"size_bytes\":24/\"size_bytes\":$value/" scan.rec | seal)
  done
  for value in 1 false null '[]'; do
    refused 2 '"migration" of the migration record is not a text' \
      < <(sed "2s/\"migration\":\"[^\"]*\"/\"migration\":$value/" scan.rec | seal)
  done
  refused 1 '"version"' < <(sed '1s/"version":1/"version":"1"/' scan.rec | seal)
  database_new
  mig-scan -o scan.rec >/dev/null
  for value in '"false"' 0 null; do
    refused_by mig-plan -- 2 '"has_history" of the database record is not true or false' \
      < <(sed "2s/\"has_history\":false/\"has_history\":$value/" scan.rec | seal)
  done
}

@test "a word that is none of those a key may have is refused, with those" {
  some_plan
  refused_by mig-apply -- 3 '"severity" of the finding record is not note, warning or error' \
    < <(sed '3s/"severity":"[a-z]*"/"severity":"fatal"/' plan.rec | seal)
  refused_by mig-apply -- 4 '"action" of the step record is not apply, mark_applied, mark_rolled_back or revert' \
    < <(sed '4s/"action":"apply"/"action":"undo"/' plan.rec | seal)
  refused_by mig-apply -- 4 '"transaction" of the step record is not mig, script, none or null' \
    < <(sed '4s/"transaction":"mig"/"transaction":1/' plan.rec | seal)
  offline_scan
  refused 2 '"flaw" of the migration record is not no_script, nul, not_utf8 or null' \
    < <(sed '2s/"flaw":null/"flaw":""/' scan.rec | seal)
}

@test "a whole number beyond 64 bits is refused" {
  offline_scan
  refused 2 '' < <(sed '2s/"size_bytes":24/"size_bytes":9223372036854775808/' scan.rec | seal)
}

@test "identifiers beyond 2^53 are texts, so that no reader rounds them" {
  database_new
  run --separate-stderr mig-scan
  assert_equal "$(records 'select(.record == "database").system_identifier | type, .')" \
    "string"$'\n'"$(sql_admin 'SELECT system_identifier FROM pg_control_system()')"
}

@test "a kind of record that is not known is refused by name" {
  offline_scan
  refused 3 '"frobnicate"' < <(sed '2a {"record":"frobnicate","migration":"x"}' scan.rec | seal)
}

@test "a record in the wrong place is refused by name" {
  offline_scan
  refused 4 '"stream"' < <(sed '3a {"record":"stream","kind":"scan","version":1}' scan.rec | seal)
  refused 1 '"end"' < <(tail -n 1 scan.rec; cat scan.rec)
  refused 1 '"migration"' < <(sed 1d scan.rec | seal)
  database_new
  sql "CREATE TABLE _prisma_migrations (id text, checksum text, finished_at timestamptz, migration_name text, logs text,
    rolled_back_at timestamptz, started_at timestamptz DEFAULT now(), applied_steps_count int);
    INSERT INTO _prisma_migrations VALUES ('i', 's', now(), '20230101000000_gone', NULL, NULL, now(), 1)"
  mig-scan -o scan.rec >/dev/null
  # 1 stream, 2 database, 3 history, 4 and 5 migration, 6 end
  refused_by mig-plan -- 3 '"database"' < <(sed '2p' scan.rec | seal)
  refused_by mig-plan -- 2 '"history"' < <(sed '2d' scan.rec | seal)
  refused_by mig-plan -- 5 '"history"' < <(sed -n '1,4p' scan.rec | cat - <(sed -n 3p scan.rec) | seal)
  refused_by mig-plan -- 4 '"database"' < <(sed -n '1p;4,5p' scan.rec | cat - <(sed -n 2p scan.rec) | seal)
}

@test "steps that are not in order are refused" {
  some_plan
  refused_by mig-apply -- 4 'expected step 1, got step 2' < <(sed '4d' plan.rec | seal)
  refused_by mig-apply -- 5 'expected step 2, got step 1' < <(sed '4p;5d' plan.rec | seal)
  refused_by mig-apply -- 6 '"finding"' < <(cat <(head -n 5 plan.rec) <(sed -n 3p plan.rec) | seal)
  refused_by mig-apply -- 2 '"finding"' < <(sed '2d' plan.rec | seal)
  refused_by mig-apply -- 2 'the plan record is missing' < <(head -n 1 plan.rec | seal)
  nothing_was_touched
}

@test "another version of the records is refused" {
  offline_scan
  refused 1 'version 2' < <(sed '1s/"version":1/"version":2/' scan.rec | seal)
  refused 1 'version 0' < <(sed '1s/"version":1/"version":0/' scan.rec | seal)
}

@test "a stream of another kind is refused, naming both" {
  some_plan
  refused_by mig-apply -- 1 'kind "plan", got "scan"' <scan.rec
  mig-apply -o results.rec plan.rec
  refused_by mig-plan -- 1 'kind "scan", got "results"' <results.rec
  refused_by mig-scan - -- 1 'kind "scan", got "plan"' <plan.rec
  run --separate-stderr mig-check history <plan.rec
  assert_code 3
  says 'kind "scan", got "plan"'
  run --separate-stderr mig-check deploy <scan.rec
  assert_code 3
}

@test "what is counted and digested has to be there" {
  offline_scan
  refused 4 'incomplete stream: 4 records written, 3 received' < <(sed '4s/"records":3/"records":4/' scan.rec)
  refused 3 'incomplete stream: 3 records written, 2 received' < <(sed '2d' scan.rec)
  refused 4 'its digest does not match its lines' < <(sed '4s/"digest":"\(.\)\(.\)/"digest":"\2\1/' scan.rec)
  refused 4 'its digest does not match its lines' < <(sed '4s/"digest":".*"/"digest":""/' scan.rec)
  refused 4 'its digest does not match its lines' < <(sed '2s/24/25/' scan.rec)
}

@test "anything after the end record is refused, and anything after a failed one" {
  offline_scan
  refused 5 'unexpected data after the end record' < <(cat scan.rec; echo)
  refused 5 'unexpected data after the end record' < <(cat scan.rec scan.rec)
  refused 3 'unexpected data after the failed record' < <(forged mig-scan 69 x; echo)
  refused 3 'unexpected data after the failed record' < <(forged mig-scan 69 x; tail -n 1 scan.rec)
}

@test "a failed record needs a code that a process can end with" {
  local code
  for code in 0 -1 256; do
    refused 2 exit_code < <(forged mig-scan "$code" x)
  done
}

## What has to be taken

@test "unknown keys are skipped, whatever is in them" {
  offline_scan
  sed -e '1,3s/}$/,"colour":"red","deep":{"a":[1,{"b":null}],"c":1e300},"record_":"end"}/' scan.rec | seal |
    sed '$s/}$/,"signature":"x"}/' >more.rec
  run --separate-stderr mig-plan --from-empty --format=records more.rec
  assert_code 0
  assert_equal "$output" "$(mig-plan --from-empty --format=records scan.rec | jq -c 'del(.command, .folder, .place, .seal)')"

  database_new
  mig-scan | mig-plan -o plan.rec >/dev/null
  sed -e 's/}$/,"colour":"red"}/' plan.rec | seal >more.rec
  run --separate-stderr mig-apply more.rec
  assert_code 0
  assert_equal "$(applied | wc -l)" 2
}

@test "an offline scan keeps its keys where a database is added to it" {
  database_new
  offline_scan
  run --separate-stderr mig-scan - <scan.rec
  assert_code 0
  assert_equal "$(grep '"record":"migration"' <<<"$output")" "$(grep '"record":"migration"' scan.rec)"
}

@test "keys may stand in any order, and blanks between them" {
  offline_scan
  sed '$d' scan.rec | jq -c -S . | sed -e 's/^{/{ /' -e 's/}$/\t} /' | seal >other.rec
  run --separate-stderr mig-plan --from-empty --format=records other.rec
  assert_code 0
  assert_equal "$output" "$(mig-plan --from-empty --format=records scan.rec | jq -c 'del(.command, .folder, .place, .seal)')"
}

@test "every character comes through as it is: written as jq would write it, and read however it is written" {
  local code text='' piece again
  for ((code = 1; code < 128; code++)); do
    printf -v piece '\\x%02x' "$code"
    text+=$piece
  done
  printf -v text -- "-- %b ä € 😀 \\\\n \\\\u0041 %s/\n" "$text" "$(printf 'x%.0s' {1..5000})"
  migration 20240101000000_all "$text"
  mig-scan --offline -o scan.rec >/dev/null
  jq -j 'select(.record == "migration").sql' scan.rec | cmp - "$FOLDER/20240101000000_all/migration.sql"
  # jq writes U+007F as an escape, and nothing else differs
  jq -c . scan.rec | sed 's/\\u007f/\x7f/' | tr a-f A-F | cmp - <(tr a-f A-F <scan.rec)
  mig-plan --from-empty -o plan.rec scan.rec >/dev/null
  for again in 'jq -c .' 'jq -ca .' "sed 's/,\"/ , \"/g'"; do
    sed '$d' scan.rec | bash -c "$again" | seal >again.rec
    diff <(mig-plan --from-empty --format=records again.rec | jq -c 'del(.command, .folder, .place, .seal)') \
      <(jq -c 'del(.command, .folder, .place, .seal)' plan.rec) || fail "$again"
  done
}

@test "a line without an end that can be no record ends the reading, and does not fill the memory" {
  local peak source
  for source in 'yes nonsense | tr -d "\n"' 'cat /dev/zero'; do
    peak=$("$BUILD/tests/tool_measure" out err sh -c "$source" '|' head -c 200000000 '|' mig-plan | cut -d' ' -f4 | cut -d, -f3)
    grep -q -e 'line 1: not a record' -e 'line 1: the line contains a NUL' err
    ((peak < 100000)) || fail "$peak KiB" || return 1
  done
}

@test "a record may be large: 20 MB of SQL go through scan and plan unchanged" {
  mkdir "$FOLDER/1_large"
  yes "INSERT INTO \"Large\" VALUES (1, 'some words — and a quote '' in them');" | head -n 300000 >"$FOLDER/1_large/migration.sql"
  run --separate-stderr bash -c 'mig-scan --offline | mig-plan --from-empty >plan.rec; exit "${PIPESTATUS[0]}"'
  assert_code 0
  run cmp <(jq -j 'select(.record == "step").sql' plan.rec) "$FOLDER/1_large/migration.sql"
  assert_success
  assert_equal "$(jq 'select(.record == "step").size_bytes' plan.rec)" "$(wc -c <"$FOLDER/1_large/migration.sql")"
}

@test "large records between small ones are read alike from a file and from a pipe" {
  local bytes
  database_new
  for bytes in 10000000 10 300000 20 2000000; do
    mkdir "$FOLDER/1_$bytes"
    head -c "$bytes" /dev/zero | tr '\0' - >"$FOLDER/1_$bytes/migration.sql"
  done
  mig-scan -o scan.rec >/dev/null
  mig-plan -o plan.rec scan.rec >/dev/null
  assert_equal "$(mig-plan --format=records scan.rec | md5sum)" "$(md5sum <plan.rec)"
  # shellcheck disable=SC2002
  assert_equal "$(cat scan.rec | mig-plan --format=records | md5sum)" "$(md5sum <plan.rec)"
  run --separate-stderr mig-apply plan.rec
  assert_code 0
  { printf '{"x":"'; head -c 300000 /dev/zero | tr '\0' x; printf '"}\n{"record":"end"}\n'; } >odd.rec
  refused 1 'not a record' <odd.rec
}

## Digests

@test "the digest of every stream is BLAKE2b-256 over the lines before its last" {
  local file sum
  some_plan
  mig-apply -o results.rec plan.rec
  mig-scan | mig-check -o checks.rec history
  echo 'SELECT 1;' >seed.sql
  mig-seed -o rows.rec seed.sql
  for file in scan plan results checks rows; do
    sum=$(sed '$d' "$file.rec" | b2sum -l 256)
    assert_equal "$file $(tail -n 1 "$file.rec" | jq -r '"\(.record) \(.records) \(.digest)"')" \
      "$file end $(($(wc -l <"$file.rec") - 1)) ${sum%% *}"
    assert_equal "$(head -n 1 "$file.rec")" "{\"record\":\"stream\",\"kind\":\"$file\",\"version\":1}"
  done
}

@test "records are compact JSON with the record's name first" {
  some_plan
  run cat scan.rec plan.rec
  refute_line --regexp '^[^{]|^\{[^"]|^\{"[^r]|[}] $'
  assert_equal "$(jq -r 'keys_unsorted[0]' scan.rec plan.rec | sort -u)" record
  run cmp <(jq -c . plan.rec) plan.rec
  assert_success
}

## Failure travels

# fails_with CODE CAUSE: all of the pipe, whether the shell has pipefail or not.
fails_with() {
  local option
  for option in +o -o; do
    run --separate-stderr bash $option pipefail -c 'mig-scan | mig-plan | mig-apply >results.rec'
    assert_code "$1"
    error_count 1
    says "mig-scan: error: " "$2" 'mig-apply: nothing was applied (mig-scan failed)'
    says_not 'mig-plan: '
    assert_equal "$(tail -n 1 results.rec | jq -r '"\(.record) \(.tool) \(.exit_code)"')" "failed mig-scan $1"
  done
}

@test "the cause and code 69 of an unreachable server reach the end of the pipe" {
  DATABASE_URL=postgresql://tester@127.0.0.1:1/x fails_with 69 'cannot reach 127.0.0.1:1'
}

@test "code 75 of a server that has no room reaches the end of the pipe" {
  database_new
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT 0"
  fails_with 75 'too many connections'
}

@test "code 77 of a role that may not connect reaches the end of the pipe" {
  database_new
  sql_admin "ALTER DATABASE \"$PGDATABASE\" OWNER TO postgres; REVOKE CONNECT ON DATABASE \"$PGDATABASE\" FROM PUBLIC, tester"
  fails_with 77 'permission denied'
}

@test "code 78 of a database that does not exist reaches the end of the pipe" {
  database_new
  DATABASE_URL=${DATABASE_URL/$PGDATABASE/nowhere} fails_with 78 'does not exist'
  unset DATABASE_URL
  fails_with 78 'no connection string'
}

@test "a failed record is passed on as it is, whatever its tool and code are" {
  local code stream
  for code in 1 2 64 65 69 70 74 75 77 78 130 143 255; do
    stream=$(forged mig-scan "$code" 'a cause with \"quotes\", ä')
    run --separate-stderr bash -c 'mig-plan <<<"$1" | tee plan.rec | mig-apply' - "$stream"
    assert_code "$code"
    assert_equal "$stderr" 'mig-apply: nothing was applied (mig-scan failed)'
    assert_equal "$(tail -n 1 plan.rec)" "$(tail -n 1 <<<"$stream")"
    assert_equal "$(tail -n 1 <<<"$output")" "$(tail -n 1 <<<"$stream")"
  done
  run --separate-stderr mig-apply <<<"$(forged mig-plan 1 'refused')"
  assert_code 1
  assert_equal "$stderr" 'mig-apply: nothing was applied (mig-plan failed)'
}

@test "a failed record counts wherever it comes in a stream" {
  database_new
  offline_scan
  { head -n 2 scan.rec; forged mig-scan 69 'it broke' | tail -n 1; } >failed.rec
  run --separate-stderr bash -c 'mig-plan <failed.rec | mig-apply'
  assert_code 69
  assert_equal "$(tail -n 1 <<<"$output" | jq -r .message)" 'it broke'
  run --separate-stderr mig-scan - <failed.rec
  assert_code 69
  run --separate-stderr mig-apply <failed.rec
  assert_code 69
}
