#!/usr/bin/env bats
# What is written where: the file of -o whatever ends the run, its mode and owner, limits, signals.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() { folder_new; }
teardown() {
  local pid
  for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

# The last record of a file.
last_record() { tail -n 1 "$1" | jq -r '[.record, .tool, .exit_code] | map(select(. != null)) | join(" ")'; }

# Waits until a command succeeds.
until_true() {
  local i
  for ((i = 0; i < 300; i++)); do
    "$@" && return 0
    sleep 0.05
  done
  return 1
}

# What an earlier release left.
released() {
  database_new
  migration 1_a 'CREATE TABLE a (id int);'
  mig-scan | mig-plan | mig-apply -q -o r.rec
}

## the file of -o

@test "whatever ends mig-apply, the file of -o is not that of the last release, and nothing goes to standard output" {
  released
  cp r.rec old.rec
  mig-scan -o scan.rec >/dev/null
  mig-plan -o none.rec scan.rec >/dev/null
  migration 2_b 'ALTER TABLE a ADD COLUMN b int;'
  mig-scan | mig-plan -o plan.rec >/dev/null
  migration 3_c 'BEGIN; SELECT 1;'
  # what ends it, the exit code, and how it is called
  while IFS='|' read -r why code arguments; do
    cp old.rec r.rec
    run --separate-stderr bash -c "$arguments"
    [[ $status == "$code" ]] || fail "$why: exit $status, not $code: $stderr"
    assert_equal "$why: $output" "$why: "
    assert_equal "$why: $(last_record r.rec)" "$why: failed mig-apply $code"
  done <<'CASES'
an unknown option behind -o|64|mig-apply -o r.rec --nonsense plan.rec
an unknown option before -o|64|mig-apply --nonsense --output=r.rec plan.rec
a wrong value|64|mig-apply --wait=5 -or.rec plan.rec
no such plan|65|mig-apply -o r.rec nothing.rec
nothing in the pipe|65|mig-apply -o r.rec </dev/null
a stream of another kind|65|mig-apply -o r.rec scan.rec
another plan was expected|65|mig-apply -o r.rec --expect=0123456789abcdef plan.rec
no server|69|mig-apply -o r.rec --wait=0 -d 'host=127.0.0.1 port=1 dbname=x user=x' plan.rec
no such source|78|mig-apply -o r.rec -d env:NOWHERE plan.rec
CASES
  cp old.rec r.rec
  run --separate-stderr bash -c 'mig-scan | mig-plan 2>/dev/null | mig-apply -o r.rec'
  assert_code 1
  assert_output ''
  assert_equal "$(last_record r.rec)" 'failed mig-plan 1'
  run --separate-stderr bash -c 'mig-check deploy <r.rec'
  assert_code 2
}

@test "every tool leaves a failed stream in the file of -o, and nothing on standard output" {
  while IFS='|' read -r code arguments; do
    echo old >out.rec
    run --separate-stderr bash -c "$arguments"
    assert_equal "$arguments: $status" "$arguments: $code"
    assert_equal "$arguments: $output" "$arguments: "
    assert_equal "$arguments: $(last_record out.rec | cut -d ' ' -f 1)" "$arguments: failed"
  done <<'CASES'
65|mig-scan --offline -o out.rec nowhere
78|mig-scan -d env:NOWHERE -o out.rec
64|mig-scan --bad -o out.rec
65|mig-plan -o out.rec </dev/null
64|mig-plan --to= --baseline=x -o out.rec </dev/null
65|mig-seed -d env:NOWHERE -o out.rec nowhere.csv
64|mig-seed -o out.rec
3|mig-check -o out.rec nonsense
3|mig-check --format=records -o out.rec --wait=5 log=/dev/null
CASES
  echo old >out.txt
  run --separate-stderr mig-check --format=nagios -o out.txt nonsense
  assert_code 3
  assert_equal "$output" ''
  run cat out.txt
  assert_output --regexp '^MIG UNKNOWN - '
  echo old >out.txt
  run --separate-stderr mig-check --format=prometheus -o out.txt nonsense
  assert_code 3
  run grep -vc '^#' out.txt
  assert_output 0
}

@test "a file of -o that cannot be written is found before anything is touched: 74 or 77, as it was" {
  released
  migration 2_b 'ALTER TABLE a ADD COLUMN b int;'
  mig-scan | mig-plan -o plan.rec >/dev/null
  run --separate-stderr mig-apply -o nowhere/r.rec plan.rec
  assert_code 74
  assert_output ''
  assert_equal "$(applied)" '1_a'
}

@test "/dev/shm is a folder like others: a file of -o is made there" {
  [[ -w /dev/shm ]] || skip "no /dev/shm"
  released
  local file=/dev/shm/mig-$$-$BATS_TEST_NUMBER.rec
  run --separate-stderr mig-scan -o "$file"
  mv "$file" scan.rec
  assert_code 0
  assert_equal "$(last_record scan.rec | cut -d' ' -f1)" end
}

@test "mig-apply that is killed leaves no results of the last release" {
  released
  migration 2_b 'SELECT pg_sleep(60);'
  mig-scan | mig-plan -o plan.rec >/dev/null
  mig-apply -q -o r.rec plan.rec 3>&- &
  local pid=$!
  until_true grep -q '"failed"' r.rec
  kill -KILL "$pid"
  wait "$pid" || true
  assert_equal "$(last_record r.rec)" 'failed mig-apply 1'
  run --separate-stderr bash -c 'mig-check deploy <r.rec'
  assert_code 2
  assert_output --partial 'has not finished'
}

# In the background a shell ignores SIGINT, and what nohup starts ignores SIGHUP.
with_signals() {
  exec python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' "$@"
}

@test "a signal leaves no file next to that of -o, and a failed stream in it" {
  local tool signal pid
  database_new
  mkfifo in
  for tool in 'mig-scan -' mig-plan mig-apply 'mig-check --format=records log=-' 'mig-check --format=records history'; do
    for signal in TERM INT HUP; do
      echo old >out.rec
      # shellcheck disable=SC2086
      with_signals $tool -o out.rec <in >stdout 2>stderr 3>&- &
      pid=$!
      exec 4>in
      # its file is there, and it waits for its input
      until_true bash -c '{ compgen -G "out.rec.*" || grep -q failed out.rec; } && [[ $(ps -o stat= -p "$1") != R* ]]' - "$pid" >/dev/null
      kill "-$signal" "$pid"
      status=0
      wait "$pid" || status=$?
      exec 4>&-
      assert_equal "$tool $signal: $(last_record out.rec | cut -d ' ' -f 1)" "$tool $signal: failed"
      assert_equal "$(compgen -G 'out.rec.*')" ''
      assert_equal "$(cat stdout)" ''
    done
  done
}

## mode, owner, links

@test "mode of a file that exists is kept; a new one has what the umask leaves" {
  migration 1_a 'SELECT 1;'
  local mode
  for mode in 600 640 444; do
    install -m "$mode" /dev/null s.rec
    mig-scan --offline -o s.rec >/dev/null
    assert_equal "$(stat -c %a s.rec)" "$mode"
    [[ -s s.rec ]] || fail 'it was not written'
    rm -f s.rec
  done
  (umask 027 && mig-scan --offline -o new.rec >/dev/null)
  assert_equal "$(stat -c %a new.rec)" 640
}

@test "owner of a file that exists is kept by root, and where only its content may be changed" {
  ((EUID == 0)) || skip 'only root can give a file to another user'
  migration 1_a 'SELECT 1;'
  install -m 640 -o nobody -g nogroup /dev/null s.rec
  mig-scan --offline -o s.rec >/dev/null
  assert_equal "$(stat -c '%a %U %G' s.rec)" '640 nobody nogroup'
  # a user who may write the file but cannot give it away
  mkdir -m 777 open
  chmod 755 . .. ../.. 2>/dev/null || true
  install -m 666 /dev/null open/s.rec
  cp -r "$FOLDER" open/migrations && chmod -R a+rX open
  local program
  program=$(command -v mig-scan)
  local -a as_nobody=(setpriv --reuid nobody --regid nogroup --clear-groups)
  "${as_nobody[@]}" test -x "$program" -a -w open/s.rec || skip 'another user cannot get here'
  "${as_nobody[@]}" "$program" --offline -o open/s.rec open/migrations >/dev/null
  assert_equal "$(stat -c '%a %u' open/s.rec)" '666 0'
  [[ -s open/s.rec ]] || fail 'it was not written'
  assert_equal "$(compgen -G 'open/s.rec.*')" ''
}

@test "a link stays a link; one that another user put into a folder like /tmp is not followed" {
  migration 1_a 'SELECT 1;'
  echo precious >precious
  ln -s real.rec a.rec
  ln -s a.rec b.rec
  mig-scan --offline -o b.rec >/dev/null
  [[ -L a.rec && -L b.rec && -s real.rec && ! -L real.rec ]] || fail 'the links are gone'
  ((EUID == 0)) || skip 'only root can make the link of another user'
  mkdir -m 1777 sticky
  ln -s "$PWD/precious" sticky/s.rec
  chown -h nobody sticky/s.rec
  run --separate-stderr mig-scan --offline -o sticky/s.rec
  assert_code 77
  assert_equal "$(cat precious)" precious
  ln -s "$PWD" sticky/folder
  chown -h nobody sticky/folder
  run --separate-stderr mig-scan --offline -o sticky/folder/precious
  assert_code 77
  assert_equal "$(cat precious)" precious
}

@test "a link to an open file by another name is written as it is" {
  migration 1_a 'SELECT 1;'
  ln -s /proc/self/fd/5 fd.rec
  mig-scan --offline -o fd.rec >/dev/null 5>opened
  run jq -r .record opened
  assert_line --index 0 stream
  [[ -L fd.rec ]] || fail 'the link is gone'
}

## limits

@test "a limit on the size of files and a full disk are 74, and nothing is left next to the file" {
  local i
  for ((i = 0; i < 40; i++)); do migration "1_$i" 'SELECT 1;'; done
  run --separate-stderr bash -c 'ulimit -f 1; mig-scan --offline -o full.rec'
  assert_code 74
  assert_equal "$(compgen -G 'full.rec*')" ''
  echo old >full.rec
  run --separate-stderr bash -c 'ulimit -f 1; mig-scan --offline -o full.rec'
  assert_code 74
  assert_equal "$(compgen -G 'full.rec*')" full.rec
  run --separate-stderr bash -c 'ulimit -f 1; mig-scan --offline >out.rec'
  assert_code 74
  [[ -c /dev/full ]] || skip 'no /dev/full'
  run --separate-stderr mig-scan --offline --format=records -o /dev/full
  assert_code 74
}

@test "a command that tells the connection string has its own limits and signals" {
  run --separate-stderr mig-scan -d 'cmd:grep -i SigIgn /proc/self/status >signals; echo postgresql://u@127.0.0.1:1/x' -o s.rec
  # SIGPIPE is 13, SIGXFSZ 25
  local ignored
  ignored=$((16#$(awk '{ print $2 }' signals)))
  assert_equal $((ignored >> 12 & 1)) 0
  assert_equal $((ignored >> 24 & 1)) 0
}

@test "a NUL, and a line that no record is, end every reader at once: 65, mig-check 3" {
  [[ $BUILD != */sanitize* ]] || skip "sanitizers reserve more memory than ulimit gives"
  local tool code
  database_new
  while IFS='|' read -r code tool; do
    run --separate-stderr bash -c "ulimit -v 400000; { printf '{'; cat /dev/zero; } | timeout 30 $tool >/dev/null"
    assert_equal "$tool, NUL: $status" "$tool, NUL: $code"
    run --separate-stderr bash -c "ulimit -v 400000; yes | tr -d '\\n' | timeout 30 $tool >/dev/null"
    assert_equal "$tool, no record: $status" "$tool, no record: $code"
  done <<'CASES'
65|mig-scan -
65|mig-plan
65|mig-apply
3|mig-check history
3|mig-check deploy
3|mig-check seeds
CASES
  run --separate-stderr bash -c "ulimit -v 200000; { printf '{'; yes | tr -d '\\n'; } | timeout 60 mig-plan >/dev/null"
  assert_code 65
  assert_equal "$(grep -c 'the line is longer than' <<<"$stderr")" 1
}

## signals

@test "a signal ends mig-apply and mig-seed at once while they read" {
  local tool signal pid
  mkfifo in
  for tool in mig-apply 'mig-seed --table=t -' 'mig-seed -'; do
    for signal in TERM HUP; do
      # shellcheck disable=SC2086
      with_signals $tool <in >stdout 2>stderr 3>&- &
      pid=$!
      exec 4>in
      until_true grep -q 'SigCgt:.*4[0-9a-f]\{3\}$' "/proc/$pid/status"
      kill "-$signal" "$pid"
      status=0
      wait "$pid" || status=$?
      exec 4>&-
      assert_equal "$tool: $status" "$tool: $((128 + $(kill -l "$signal")))"
    done
  done
}
