# shellcheck shell=bash disable=SC2034,SC2154
# Words for looking into a process: `load memory` after `load helper`.
#
# Given   password_new LENGTH                    PASSWORD, with characters that need encoding, and ENCODED
#         password_role [LENGTH [GROUP]]         the role ROLE with such a password (40 bytes), a member of with_password or
#                                                GROUP and of tester; URL is its address of the current database, over TCP
#         needs_scrub                            skips where nothing can be wiped
# When    start COMMAND…                         in the background, until it has stopped itself; STOPPED is its pid
#         until_stopped
#         go_on [end]                            to its next stop, or on without waiting
#         ends                                   to its end
#         stopped_kill                           for teardown
#         look [PID]                             where PASSWORD, ENCODED and URL are in the process: `run tool_memscan`
# Then    assert_no_copy [PID]                   look, and there is none that can be read

password_new() {
  local i c
  PASSWORD='@/:#%' ENCODED=''
  PASSWORD+=$(head -c 1000 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9+=~!?' | head -c $(($1 - 5)))
  PASSWORD=${PASSWORD:2}${PASSWORD:0:2}
  for ((i = 0; i < ${#PASSWORD}; i++)); do
    c=${PASSWORD:i:1}
    [[ $c == [A-Za-z0-9~] ]] || printf -v c '%%%02X' "'$c"
    ENCODED+=$c
  done
}

password_role() {
  local group=${2:-with_password} encryption=scram-sha-256
  [[ $group != with_md5 ]] || encryption=md5
  password_new "${1:-40}"
  ROLE=shop_$PGDATABASE
  sql_admin "SET client_min_messages = error; SET password_encryption = '$encryption'; DROP ROLE IF EXISTS $ROLE;
    CREATE ROLE $ROLE LOGIN PASSWORD '$PASSWORD' IN ROLE tester, $group"
  URL=$(database_url --tcp "$ROLE:$ENCODED")
}

needs_scrub() {
  [[ $BUILD != */sanitize* ]] || skip "sanitizers keep memory of their own"
  [[ -r /proc/self/maps ]] || skip "no /proc"
}

start() {
  "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- 4>&- &
  STOPPED=$!
  until_stopped
}

until_stopped() {
  local tries
  for ((tries = 0; tries < 500; tries++)); do
    [[ -d /proc/$STOPPED ]] || break
    ! is_stopped || return 0
    sleep 0.02
  done
  fail "it did not stop: $(cat "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err")"
}

is_stopped() {
  [[ $(cat "/proc/$STOPPED/stat" 2>/dev/null) == *') T '* ]]
}

go_on() {
  kill -CONT "$STOPPED"
  [[ ${1-} == end ]] || until_stopped
}

ends() {
  go_on end
  wait "$STOPPED"
  STOPPED=
}

stopped_kill() {
  [[ -z ${STOPPED-} ]] || kill -KILL "$STOPPED" 2>/dev/null || true
}

look() {
  run "$BUILD/tests/tool_memscan" "${1:-$STOPPED}" <<<"password	$PASSWORD
encoded	$ENCODED
url	$URL"
  if ((status == 3)); then
    ((EUID == 0)) || skip "only root can look into a process that forbids it"
    fail "$output"
  fi
}

assert_no_copy() {
  look "$@"
  assert_success
}
