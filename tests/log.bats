#!/usr/bin/env bats
# mig-scan --log: who deployed what, from result files that were kept. It needs no server.
# shellcheck disable=SC2016,SC2154

load helper
load words

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# results FILE MINUTE 'RUN KEYS' STATUS...: what mig-apply -o writes, with a step for each status.
results() {
  local file=$1 minute=$2 keys=$3 status step=0
  shift 3
  mkdir -p "$(dirname "$file")"
  {
    echo '{"record":"stream","kind":"results","version":1}'
    jq -nc --arg minute "$minute" --argjson keys "$keys" '{record: "run", plan_digest: "4f7cb550d69c7918", database: "shop", schema: "public",
      host: "db.example.com", port: 5432, user: "deployer", dry_run: false, started_at: "2026-11-28T03:\($minute):07.000Z",
      server_time: "2026-11-28T03:\($minute):07.123456Z", lsn: "0/1A2B3C8", timeline: 1} + $keys'
    for status; do
      step=$((step + 1))
      jq -nc --argjson step "$step" --arg status "$status" '{record: "result", step: $step, migration: "2026110\($step)_m", status: $status, statement_count: 1,
        statements_done: 0, attempts: 1, waited_ms: 0, took_ms: 1, message: (if $status == "failed" then "it broke" else null end),
        sqlstate: (if $status == "failed" then "42P07" else null end)}'
    done
  } | seal >"$file"
}

killed() { # FILE MINUTE
  results "$1" "$2" '{}'
  sed -i '$d' "$1"
  echo '{"record":"failed","tool":"mig-apply","exit_code":1,"message":"it has not finished: it was killed, or is still running"}' >>"$1"
}

log() { run --separate-stderr mig-scan --log "$@"; }

@test "the page shows the newest first: when, how, where, what, who, why, and how to get back" {
  results releases/a/results.rec 41 '{"deployer":"alice","deployer_host":"ci-7","job":"https://ci.example.com/7","note":"ships invoices"}' applied applied
  results releases/b/results.rec 43 '{"deployer":"bob","restore_point":"mig-20261128T034307Z-4f7cb550"}' applied failed not_started
  killed releases/c/results.rec 42
  log --format=text
  assert_code 0
  assert_equal "$stderr" ''
  assert_output '2026-11-28 03:43:07Z  failed 1 of 3 steps  shop at db.example.com:5432, schema public
    20261101_m
    stopped at 20261102_m: it broke [42P07]
    by bob
    to get back: restore to 2026-11-28 03:43:07.123+00, before lsn 0/1A2B3C8, or to the restore point mig-20261128T034307Z-4f7cb550
    releases/b/results.rec

2026-11-28 03:42:07Z  unfinished  shop at db.example.com:5432, schema public
    it was killed, or is still running
    to get back: restore to 2026-11-28 03:42:07.123+00, before lsn 0/1A2B3C8
    releases/c/results.rec

2026-11-28 03:41:07Z  applied 2 of 2 steps  shop at db.example.com:5432, schema public
    20261101_m
    20261102_m
    by alice on ci-7, https://ci.example.com/7
    note: ships invoices
    to get back: restore to 2026-11-28 03:41:07.123+00, before lsn 0/1A2B3C8
    releases/a/results.rec'
}

@test "in a pipe it is records, in the same order, which tell who deployed a migration" {
  results x/one.rec 41 '{"deployer":"alice"}' applied
  results x/y/two.rec 43 '{"deployer":"bob"}' reverted
  results three.rec 42 '{}' marked deferred
  log x three.rec
  assert_code 0
  assert_equal "$(records 'select(.record == "deployed") | "\(.file) \(.status) \(.deployer) \(.steps) \(.done) \(.migrations | join(",")) \(.stopped_at)"')" \
    'x/y/two.rec reverted bob 1 1 20261101_m null
three.rec deferred null 2 1 20261101_m 20261102_m
x/one.rec applied alice 1 1 20261101_m null'
  assert_equal "$(records -s '.[0].kind, .[-1].record')" $'log\nend'
}

@test "what began no step is left out: a dry run, nothing to do, a refused plan, steps that another deployer did" {
  results r/dry.rec 41 '{"dry_run":true}' not_started
  results r/nothing.rec 42 '{}'
  results r/skipped.rec 43 '{}' skipped
  forged mig-apply 65 'not the plan that was expected' >r/refused.rec
  log --format=text r
  assert_code 0
  assert_output ''
  says 'no deploy in these files'
}

@test "a folder may have other files; one that is broken is named, and the others are shown" {
  results r/good.rec 41 '{}' applied
  forged mig-plan 1 x >r/plan.rec
  echo 'no record' >r/notes.txt
  results r/cut.rec 42 '{}' applied
  sed -i '$d' r/cut.rec
  sed 's/applied/failed/' r/good.rec >r/changed.rec
  : >r/empty.rec
  log r
  assert_code 65
  error_count 3
  says 'r/cut.rec, line 4: the stream ends without its end record' 'r/changed.rec, line 4: the stream was changed' 'r/empty.rec, line 1: empty input'
  assert_equal "$(records 'select(.record == "deployed").file')" r/good.rec
  assert_equal "$(records -s '.[-1] | "\(.record) \(.exit_code)"')" 'failed 65'
  log r/plan.rec r/good.rec nowhere.rec
  assert_code 65
  says 'cannot open nowhere.rec'
  assert_equal "$(records 'select(.record == "deployed").file')" r/good.rec
}

@test "without arguments it is releases/, and what does not belong to it is refused" {
  log
  assert_code 65
  says 'no releases here: name the result files of mig-apply -o'
  local words
  for words in '-d env:X' --offline --rehearse --wait=1s --catalog '--to x' -; do
    # shellcheck disable=SC2086
    log $words
    assert_code 64
  done
}

@test "what others wrote into a file is harmless on the page" {
  results evil.rec 41 '{"note":"a\u001b[31mb\nmig-scan: error: imitated","deployer":"\u202eecila"}' applied
  log --format=text evil.rec
  assert_code 0
  refute_output --partial $'\e'
  refute_line --regexp '^mig-scan: error'
  shows 'by ecila'
}

@test "of a large deploy ten names are shown, with -v all; thousands of files take little memory" {
  # shellcheck disable=SC2046
  results large.rec 41 '{}' $(printf 'applied %.0s' {1..15})
  log --format=text large.rec
  shows '… 5 more (-v shows all)'
  log -v --format=text large.rec
  shows_not 'more (-v'
  mkdir many
  results one.rec 41 '{}' applied
  # shellcheck disable=SC2046
  tee $(printf 'many/%d.rec ' {1..2000}) <one.rec >/dev/null
  run --separate-stderr bash -c 'ulimit -v 200000; mig-scan --log many | grep -c deployed'
  assert_output 2000
}
