#!/usr/bin/env bats
# What people see on a terminal: pages and progress fit it, however wide it is.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  folder_new
  export TERM=xterm
}
teardown() {
  sessions_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

# What was said, a line each, without colours and line ends; a redrawn line is a line.
plain() { tr '\r' '\n' | sed 's/\x1b\[[0-9;]*[A-Za-z]//g' | grep -v '^$'; }

# The widest line, in columns as terminals count them.
widest() {
  python3 -c 'import sys, unicodedata
def width(c):
    return 0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
print(max([sum(map(width, line.rstrip("\n"))) for line in sys.stdin] or [0]))'
}

# Names of every width, something pending, something edited, findings.
project() {
  migration 20260101000000_init 'CREATE TABLE "User" (id int PRIMARY KEY, name text, note text);'
  migration 20260102000000_a_name_that_is_as_long_as_people_write_them_when_they_describe_all 'SELECT 1;'
  pipeline
  migration 20260102000000_a_name_that_is_as_long_as_people_write_them_when_they_describe_all 'SELECT 2;'
  migration 20260103000000_表を追加する_日本語の名前 'ALTER TABLE "User" DROP COLUMN note;'
  migration 20260104000000_cafe$'\u0301'_resume$'\u0301' 'CREATE INDEX CONCURRENTLY u ON "User" (name);'
}

@test "pages fit terminals of 60 to 200 columns, and no word of theirs is broken" {
  database_new
  project
  mig-scan >whole.scan
  "$TESTS/terminal" 400 mig-scan | plain | tr -s ' ' '\n' | sort -u >words.wide
  local columns page
  for columns in 60 61 80 133 200; do
    "$TESTS/terminal" "$columns" mig-scan | plain >scan.txt
    "$TESTS/terminal" "$columns" bash -c 'mig-plan <whole.scan' | plain | grep -v -e '^ *mig-' -e '^ *git ' -e '^[^ ]*$' >plan.txt # commands, and names alone on a line
    "$TESTS/terminal" "$columns" bash -c 'mig-check history <whole.scan' | plain | grep -v 20260102 >check.txt
    for page in scan plan check; do
      (($(widest <"$page.txt") <= columns)) || fail "$page at $columns: $(widest <"$page.txt")"$'\n'"$(cat "$page.txt")"
    done
    # every word of a wide page is one of the narrow page, but for names that are cut
    tr -s ' ' '\n' <scan.txt | grep -v '[.][.]' | sort -u >words.narrow
    run comm -13 words.wide words.narrow
    assert_output ''
  done
  "$TESTS/terminal" 60 mig-scan | plain | grep -q '^edited   2026010200.*[.][.].*' || fail 'the name is not cut'
  "$TESTS/terminal" 60 mig-scan -v | plain | grep -q 'when_they_describe_all' || fail 'it is not whole with -v'
}

@test "a command to be pasted is never broken" {
  database_new
  project
  mig-scan >whole.scan
  "$TESTS/terminal" 60 bash -c 'mig-plan <whole.scan' | plain >plan.txt
  grep -q '^ *mig-scan | mig-plan | mig-apply --expect [0-9a-f]\{16\}$' plan.txt || fail "$(cat plan.txt)"
}

@test "the width is COLUMNS where the terminal does not know it, else 80; a pipe has no limit" {
  database_new
  project
  (($(COLUMNS=64 "$TESTS/terminal" 0 mig-scan | plain | widest) <= 64)) || fail 'not COLUMNS'
  local got
  got=$(env -u COLUMNS "$TESTS/terminal" 0 mig-scan | plain | widest)
  ((got > 64 && got <= 80)) || fail "$got, not 80"
  (($(COLUMNS=64 mig-scan --format=text | widest) > 80)) || fail 'a pipe has a limit'
}

@test "progress is narrower than the terminal, is drawn at most four times a second, and says how long it will go on" {
  database_new
  migration 1_one 'CREATE TABLE "User" (id int);'
  pipeline
  migration 20260103000000_表を追加する_日本語の名前_with_more_of_it_to_be_wide 'ALTER TABLE "User" ADD a int;'
  session_begin 'BEGIN; SELECT * FROM "User"'
  mig-scan | mig-plan -o plan.rec >/dev/null
  local columns drawn
  for columns in 60 100; do
    "$TESTS/terminal" "$columns" mig-apply --wait=2s plan.rec >tty.out || true
    plain <tty.out | grep 'waiting  ' >drawn || fail "$(plain <tty.out)"
    (($(widest <drawn) < columns)) || fail "$columns: $(widest <drawn)"
    drawn=$(wc -l <drawn)
    ((drawn <= 14)) || fail "$drawn times"
    grep -q 'waiting  [0-9.]* s of 2 s' drawn || fail "$(cat drawn)"
  done
}

@test "the live line is cleared before a page is written" {
  database_new
  sql 'CREATE TABLE t (id int PRIMARY KEY, v text)'
  { echo id,v; seq 1 20000 | sed 's/$/,x/'; } >t.csv
  run "$TESTS/terminal" 100 mig-seed t.csv
  [[ $output == *reading* ]] || skip 'it was too fast to say anything'
  # behind what is drawn the line is cleared before anything else
  ! grep -qa $'reading [^\r\n]*\\(file\\|rows\\)' <<<"$output" || fail "$output"
}

@test "in tmux no redraw leaves a line behind, and no page breaks a word" {
  command -v tmux >/dev/null || skip 'no tmux'
  database_new
  migration 1_one 'CREATE TABLE "User" (id int);'
  pipeline
  migration 20260103000000_表を追加する_e$'\u0301'e$'\u0301'_and_more_than_fits 'ALTER TABLE "User" ADD a int;'
  session_begin 'BEGIN; SELECT * FROM "User"'
  mig-scan | mig-plan -o plan.rec >/dev/null
  local socket=$BATS_TEST_TMPDIR/tmux i
  env -u TMUX tmux -u -f /dev/null -S "$socket" new-session -d -x 60 -y 40 \
    "mig-apply --wait=2s plan.rec; mig-plan plan.rec; touch ended; sleep 60" 3>&-
  for ((i = 0; i < 300; i++)); do
    [[ ! -e ended ]] || break
    sleep 0.1
  done
  tmux -S "$socket" capture-pane -p >screen
  tmux -S "$socket" kill-server
  assert_equal "$(grep -c 'waiting  ' screen)" 0
  assert_equal "$(grep -c 'deferred' screen)" 1
  grep -q '20260103.*[.][.].*fits' screen || fail "$(cat screen)"
}
