# shellcheck shell=bash
# A small HTTP server, tests/http-server, for checks of health endpoints: `load http` after `load helper`.
#
#   http_start [--tls CERT KEY | --app LOG]   starts one more; HTTP is its port
#   http_stop                                 ends all

http_start() {
  local file
  command -v python3 >/dev/null || skip "no python3"
  file=$(mktemp -u "$BATS_FILE_TMPDIR/http.XXXXXX")
  "$TESTS/http-server" "$file" "$@" </dev/null >"$file.out" 2>&1 3>&- 4>&- &
  echo $! >>"$BATS_FILE_TMPDIR/http.pids" # a test's variables do not reach teardown_file
  eventually test -s "$file" || fail "no HTTP server: $(cat "$file.out")" || return 1
  # shellcheck disable=SC2034
  HTTP=$(<"$file")
}

http_stop() {
  local pid
  [[ -e $BATS_FILE_TMPDIR/http.pids ]] || return 0
  while read -r pid; do
    kill "$pid" 2>/dev/null || true
  done <"$BATS_FILE_TMPDIR/http.pids"
}
