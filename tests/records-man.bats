#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2154
# The man pages and the programs agree: examples, keys, options.

load helper

setup_file() {
  export MAN=$BATS_TEST_DIRNAME/../man
  export EXAMPLES=$BATS_FILE_TMPDIR
  "$BATS_TEST_DIRNAME/man-examples" "$MAN/mig-records.5" "$EXAMPLES"
}

# A line a key, in the order in which the code writes them: record, key, type.
keys_of_code() {
  local lib=$BATS_TEST_DIRNAME/../lib
  awk '
    /^static const struct field [a-z_]+_fields/ { record = $5; sub(/_fields.*/, "", record); sub(/_row$/, "", record); next }
    /^};/ { record = "" }
    record == "" { next }
    match($0, /^\t(TEXT|TEXT_LIST|NUMBER|FLAG|OBJECT|WORD)(_OR_NULL)?(_AS)?\([a-z_]+, "?[a-z0-9_]+"?[,)]/) {
      split(substr($0, RSTART + 1, RLENGTH - 2), part, /\(|, "?/)
      type = tolower(part[1])
      sub(/word/, "text", type) # one of a few
      sub(/_as$/, "", type)
      sub(/text_list/, "list", type)
      sub(/_or_null/, " or null", type)
      sub(/"$/, "", part[3])
      print record, part[3], type
    }
    match($0, /^\t{ "[a-z_]+", FIELD_[A-Z]+, (true|false)/) {
      split($0, part, /"|, /)
      type = tolower(substr(part[4], 7))
      print record, part[2], type (part[5] == "true" ? " or null" : "")
    }' "$lib/records/frame.c" "$lib/records/model.c" "$lib"/records/stream_*.c | sort -s -k1,1
}

keys_of_page() {
  awk '
    /^\.S[hs] / { record = $2 }
    /^\.It Li .* Pq / { print record, $3, substr($0, index($0, " Pq ") + 4) }' "$MAN/mig-records.5" | sort -s -k1,1
}

# The long options that a tool has, and those that its page has an item for.
options_of_tool() {
  "$1" --help=all | grep -oE '^  (-., |    )--[a-z-]+' | grep -oE -e '--[a-z-]+' | sort
}

options_of_page() {
  grep -E '^\.It .*Fl -' "$MAN/$1.1" | grep -oE 'Fl -[a-z-]+' | sed 's/^Fl /-/' | sort
}

## Examples

@test "every kind of stream has an example" {
  run ls "$EXAMPLES"
  assert_output 'checks.rec
diff.rec
failed.rec
log.rec
plan.rec
rehearsed.rec
results.rec
rows.rec
scan.rec
schema.rec'
}

@test "the digest of an example can be computed as the page says" {
  local stream digest
  for stream in "$EXAMPLES"/{checks,diff,log,plan,rehearsed,results,rows,scan,schema}.rec; do
    digest=$(sed '$d' "$stream" | b2sum -l 256)
    assert_equal "$(jq -r 'select(.record == "end").digest' "$stream")" "${digest%% *}"
  done
}

@test "mig-plan makes the plan of the page from the scan of the page, byte for byte" {
  run --separate-stderr mig-plan -o "$BATS_TEST_TMPDIR/plan" "$EXAMPLES/scan.rec"
  assert_code 0
  # but for the command, which is this host's and folder's
  diff <(jq -c 'del(.command, .folder, .place, .seal)' "$BATS_TEST_TMPDIR/plan") <(jq -c 'del(.command, .folder, .place, .seal)' "$EXAMPLES/plan.rec")
}

@test "mig-apply reads the plan of the page to its end" {
  run --separate-stderr mig-apply --expect 0000000000000000 "$EXAMPLES/plan.rec"
  assert_code 65
  assert_equal "${stderr_lines[0]}" 'mig-apply: error: this is not the plan that was expected; nothing was touched'
  [[ $stderr == *"this plan   $(jq -r 'select(.record == "end").digest[:16]' "$EXAMPLES/plan.rec")"* ]]
}

@test "the results of the page are those of its plan, and mig-check judges them" {
  assert_equal "$(jq -r 'select(.record == "run").plan_digest' "$EXAMPLES/results.rec")" \
    "$(jq -r 'select(.record == "end").digest' "$EXAMPLES/plan.rec")"
  run --separate-stderr mig-check deploy <"$EXAMPLES/results.rec"
  assert_code 2
  assert_line --index 0 --regexp '^CRITICAL: deploy: 1 of 4 applied \(shop at .*, plan [0-9a-f]{16}, .* ago\)$'
  assert_equal "$stderr" ''
}

@test "mig-check finds in the scan of the page what its example says" {
  run --separate-stderr bash -c 'mig-check --format=records history <"$EXAMPLES/scan.rec"'
  assert_code 1
  # all but how long it took
  assert_equal "$(jq -c 'select(.record == "check") | del(.took_ms)' <<<"$output")" \
    "$(jq -c 'select(.check == "history") | del(.took_ms)' "$EXAMPLES/checks.rec")"
}

@test "mig-plan reads the schema of the page to its end, and finds nothing between it and itself" {
  run --separate-stderr mig-plan --diff --exit-code "$EXAMPLES/schema.rec" "$EXAMPLES/schema.rec"
  assert_code 0
  assert_equal "$stderr" ''
}

@test "the failed stream of the page goes down the pipe with its code" {
  run --separate-stderr bash -c 'mig-plan <"$EXAMPLES/failed.rec" | mig-apply'
  assert_code 69
  assert_equal "$stderr" 'mig-apply: nothing was applied (mig-scan failed)'
  assert_equal "${lines[1]}" "$(tail -n 1 "$EXAMPLES/failed.rec")"
}

@test "rows and checks of the page are whole: their readers only find the kind wrong" {
  local kind
  for kind in rows checks diff log; do
    run --separate-stderr mig-plan "$EXAMPLES/$kind.rec"
    assert_code 65
    [[ ${stderr_lines[0]} == *"expected a stream of kind \"scan\", got \"$kind\"" ]]
  done
}

## Keys and options

@test "the page has every key of every record, in the order of the code, with its type" {
  diff <(keys_of_code) <(keys_of_page)
}

@test "every record of the examples has exactly the keys of the page" {
  # the last record of some streams alone has a command
  diff <(keys_of_page | awk '{ print $1, $2 }' | grep -vE '^end (command|folder|place|seal)$') \
    <(cat "$EXAMPLES"/*.rec | jq -rn 'reduce inputs as $r ({}; .[$r.record] //= ($r | keys_unsorted - ["record"]))
        | to_entries[] | .key as $k | .value[] | "\($k) \(.)"' | sort -s -k1,1)
}

@test "every option of every tool has its place in the tool's page, and no page has another" {
  local tool
  for tool in mig-scan mig-plan mig-apply mig-seed mig-check; do
    [[ -n $(options_of_tool "$tool") ]]
    diff <(options_of_tool "$tool") <(options_of_page "$tool")
  done
}

@test "every check and every setting of mig-check is in its page, with its default, and no other" {
  diff <(mig-check --help | sed -nE 's/^  ([a-z]+)(\[?=.*|  .*)$/\1/p' | grep -v mig- | sort) \
    <(sed -nE '/^\.Sh DESC/,/^\.Ss/s/^\.It Cm ([a-z]+)( .*)?$/\1/p' "$MAN/mig-check.1" | sort)
  diff <(mig-check --help=all | sed -n '/^settings/,/^after/p' | sed -nE 's/^  ([a-z]+\.[a-z-]+)=.*/\1/p' | sort) \
    <(sed -nE 's/^\.It Cm ([a-z]+\.[a-z-]+) .*/\1/p' "$MAN/mig-check.1" | sort)
  diff <(mig-check --help=all | sed -n '/^settings/,/^after/p' | sed -nE 's/.*\(default: (.*)\)$/\1/p') \
    <(sed -n '/^\.Sh SETTINGS/,/^\.Sh INPUT/p' "$MAN/mig-check.1" | sed -nE 's/^\.Ql (.*) \.$/\1/p' | tail -n +2)
}

@test "every rule of mig-plan is in its page, with its severity, and no other" {
  diff <(sed -nE 's/^\t\{ "([a-z0-9_]+)", SEVERITY_([A-Z]+), (true|false) \},/\1 \L\2 \3/p' \
    "$BATS_TEST_DIRNAME/../lib/plan/findings.c" | sed 's/true$/yes/; s/false$/no/' | sort) \
    <(sed -nE 's/^\.It ([a-z0-9_]+) Ta (error|warning|note) Ta (yes|no) Ta .*/\1 \2 \3/p' "$MAN/mig-plan.1" | sort)
}

@test "the pages are clean mdoc" {
  run mandoc -Tlint -Wwarning "$MAN"/*.[157]
  assert_code 0
  assert_output ''
}
