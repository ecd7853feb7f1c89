# shellcheck shell=bash disable=SC2154,SC2034
# More words for tests of the five programs: `load words` after `load helper`.
#
# Given   session_begin [NAME=VALUE…] SQL…       a psql in the background that has run this and stays connected;
#                                                SESSION is its backend's pid. sessions_end, for teardown, ends all.
#         recorded NAME [STATE [CHECKSUM]]       a row of the history: finished, failed, rolled_back, resolved, undone;
#                                                a minute after the one before
#         recorded_all                           a finished row for each migration of the folder
#         role_new NAME [OPTION…]                a role that may do nothing; ROLE is its name; roles_end, for teardown
#         pgbouncer_begin MODE                   a pooler before the server, and DATABASE_URL for it; pgbouncer_end, for
#                                                teardown
#         cache_begin                            a cache of its own for this file's scratch servers; cache_end, for teardown_file
#         as_nobody COMMAND…                     as a user who is not root, in a shared_place
#         untrapped                              skips where an attacker's schema (traps.bash) is what would be found
#         seal                                   the records on stdin, with a right end record
#         forged TOOL CODE TEXT                  a stream that failed so
# When    seed ARGUMENT…                         mig-seed, with its two outputs apart
#         begin COMMAND…                         in the background; JOB is its pid, $JOB_ERR what it says
#         killed_in QUERY COMMAND…               begin, and SIGKILL once a statement that begins so waits for a lock
#         finish                                 waits for it and sets status, output and stderr as `run` does
#         on_terminal 'SHELL COMMAND'            on a terminal of its own; output is what stands there then
# Then    says TEXT…, says_not TEXT…             on stderr
#         shows TEXT…, shows_not TEXT…           on stdout
#         verdict_lines                          of mig-check's text: the line with the verdict, of which there is one
#         error_count N                          lines "mig-…: error: …" on stderr: one cause, one message
#         records [FILTER]                       jq -r on $output

## Given

session_begin() {
  local -a settings=()
  local fifo fd answer
  while [[ $1 == *=* && $1 != *' '* ]]; do
    settings+=("$1")
    shift
  done
  session_count=$((${session_count:-0} + 1))
  fifo=$BATS_TEST_TMPDIR/session.$session_count
  mkfifo "$fifo"
  (
    (("${#settings[@]}" == 0)) || export "${settings[@]}"
    client psql -XAtq -v ON_ERROR_STOP=1 <"$fifo" >"$fifo.out" 2>&1 3>&- 4>&-
  ) &
  # Stays open as long as the test, so that the session does.
  exec {fd}>"$fifo"
  printf '%s;\nSELECT pg_backend_pid();\n' "$*" >&"$fd"
  answer="$fifo.out"
  if ! eventually grep -qxE '[0-9]+|.*ERROR:.*' "$answer" || grep ERROR: "$answer"; then
    fail "the session in the background did not begin: $*"
    return 1
  fi
  SESSION=$(grep -xE '[0-9]+' "$answer" | tail -n 1)
  sessions+=("$SESSION")
}

# The user that servers of our own run as has to get there.
cache_begin() {
  CACHE=$(mktemp -d /tmp/mig-cache.XXXXXX)
  chmod 755 "$CACHE"
  export CACHE XDG_CACHE_HOME=$CACHE
}

cache_end() {
  rm -rf "$CACHE"
}

session_end() {
  sql_admin "SELECT pg_terminate_backend($1)" >/dev/null
  eventually session_is_gone "$1"
}

session_is_gone() {
  [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE pid = $1") == 0 ]]
}

sessions_end() {
  local pid
  for pid in "${sessions[@]}"; do
    session_end "$pid"
  done
  sessions=()
  if [[ -n ${JOB-} ]]; then
    kill -KILL "$JOB" 2>/dev/null || true
  fi
}

HISTORY_TABLE_SQL='CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)'

recorded() {
  local name=$1 state=${2:-finished} sum=${3-} rest
  row_count=$((${row_count:-0} + 1))
  if [[ -z $sum ]]; then
    if [[ -f $FOLDER/$name/migration.sql ]]; then
      sum=$(checksum "$name")
    else
      sum=$(sha256sum <<<"$name")
    fi
  fi
  case $state in
  finished) rest="at + interval '1.5 s', NULL, NULL, 1" ;;
  failed) rest="NULL, NULL, 'it broke', 0" ;;
  rolled_back) rest="NULL, at + interval '10 s', 'it broke', 0" ;;
  resolved) rest="at, NULL, '', 0" ;;
  undone) rest="at + interval '1.5 s', at + interval '10 s', NULL, 1" ;;
  *) fail "recorded: no such state: $state" || return 1 ;;
  esac
  sql "SET client_min_messages = error; $HISTORY_TABLE_SQL;
    INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, rolled_back_at, logs, applied_steps_count)
    SELECT '00000000-0000-4000-8000-' || lpad('$row_count', 12, '0'), '${sum%% *}', '${name//\'/\'\'}', at, $rest
    FROM (SELECT timestamptz '2026-01-01 12:00:00.123456Z' + interval '$row_count min' AS at) t"
}

recorded_all() {
  local name
  {
    echo "SET client_min_messages = error; $HISTORY_TABLE_SQL;"
    for name in "$FOLDER"/*/; do
      name=$(basename "$name")
      row_count=$((${row_count:-0} + 1))
      echo "INSERT INTO _prisma_migrations SELECT gen_random_uuid(), '$(checksum "$name")', at + interval '1.5 s', '$name', NULL,
        NULL, at, 1 FROM (SELECT timestamptz '2026-01-01 12:00:00.123456Z' + interval '$row_count min' AS at) t;"
    done
  } | sql
}

role_new() {
  ROLE=$1_$PGDATABASE
  sql_admin "CREATE ROLE \"$ROLE\" LOGIN ${*:2}"
  roles+=("$ROLE")
}

roles_end() {
  local role
  for role in "${roles[@]}"; do
    sql_admin "DROP OWNED BY \"$role\" CASCADE; DROP ROLE \"$role\""
  done
  roles=()
}

untrapped() {
  [[ -z ${MIG_TEST_TRAPS-} ]] || skip "the attacker's schema is drift"
}

# Root may read everything, so where root runs the tests, the programs under test step down.
as_nobody() {
  if ((EUID)); then
    "$@"
  else
    setpriv --reuid "$(server_user)" --regid "$(id -g "$(server_user)")" --clear-groups -- "$@"
  fi
}

# A folder below /tmp where as_nobody may go, with the programs in it; prints it. To be removed by the test.
shared_place() {
  local dir
  dir=$(mktemp -d /tmp/mig.XXXXXX) || return 1
  cp "$BUILD"/mig-* "$dir"
  ((EUID)) || chown "$(server_user)" "$dir"
  chmod 755 "$dir"
  echo "$dir"
}

# An end record that is there is replaced.
seal() {
  local -a text
  local digest
  mapfile -t text
  [[ ${text[-1]} != '{"record":"end"'* ]] || unset 'text[-1]'
  digest=$(printf '%s\n' "${text[@]}" | b2sum -l 256)
  printf '%s\n' "${text[@]}"
  printf '{"record":"end","records":%d,"digest":"%s"}\n' "${#text[@]}" "${digest%% *}"
}

forged() {
  local kind=scan
  [[ $1 != mig-plan ]] || kind=plan
  [[ $1 != mig-apply ]] || kind=results
  printf '{"record":"stream","kind":"%s","version":1}\n' "$kind"
  printf '{"record":"failed","tool":"%s","exit_code":%d,"message":"%s"}\n' "$1" "$2" "$3"
}

pgbouncer_begin() { # MODE [--tcp]
  local port=6432 listen=
  command -v pgbouncer >/dev/null || [[ -x /usr/sbin/pgbouncer ]] || skip "no pgbouncer"
  bouncer=$(mktemp -d /tmp/mig.XXXXXX)
  [[ ${2-} != --tcp ]] || port=$(free_port) listen='listen_addr = 127.0.0.1'
  cat >"$bouncer/ini" <<-INI
	[databases]
	* = host=$MIG_TEST_SERVER port=$(server_port)
	[pgbouncer]
	unix_socket_dir = $bouncer
	listen_port = $port
	$listen
	auth_type = trust
	auth_file = $bouncer/users
	pool_mode = $1
	logfile = $bouncer/log
	pidfile = $bouncer/pid
	INI
  echo '"tester" ""' >"$bouncer/users"
  ((EUID)) || chown -R "$(server_user)" "$bouncer"
  chmod 755 "$bouncer"
  PATH=$PATH:/usr/sbin as_server pgbouncer -q -d "$bouncer/ini" 3>&- 4>&-
  eventually test -S "$bouncer/.s.PGSQL.$port"
  DATABASE_URL="postgresql://tester@localhost:$port/$PGDATABASE?host=$bouncer"
  # shellcheck disable=SC2034
  BOUNCER_PORT=$port
}

pgbouncer_end() {
  [[ -n ${bouncer-} ]] || return 0
  kill "$(<"$bouncer/pid")" 2>/dev/null || true
  rm -rf "$bouncer"
}

## When

# bash lets what it puts into the background ignore Ctrl-C; env undoes that.
begin() {
  JOB_OUT=$BATS_TEST_TMPDIR/job.out JOB_ERR=$BATS_TEST_TMPDIR/job.err
  env --default-signal=INT "$@" >"$JOB_OUT" 2>"$JOB_ERR" 3>&- 4>&- &
  JOB=$!
}

killed_in() {
  local query=$1
  shift
  begin "$@"
  eventually sql "SELECT 1 / count(*) FROM pg_stat_activity WHERE query LIKE '$query%' AND wait_event_type = 'Lock'" || fail "it does not come to $query" || return 1
  kill -KILL "$JOB"
  finish
}

seed() { run --separate-stderr mig-seed "$@"; }

finish() {
  local tries
  for ((tries = 0; tries < 600; tries++)); do
    kill -0 "$JOB" 2>/dev/null || break
    sleep 0.05
  done
  kill -0 "$JOB" 2>/dev/null && fail "it did not end within 30 s: $(cat "$JOB_ERR")" && return 1
  status=0
  wait "$JOB" || status=$?
  JOB=
  output=$(cat "$JOB_OUT") stderr=$(cat "$JOB_ERR")
  mapfile -t lines <<<"$output"
}

# Whether a tool waits for a lock now, or soon: looked for within the server, since a wait may be shorter than a client's start.
waiting() {
  sql_admin "DO \$\$ BEGIN FOR i IN 1..100 LOOP
    IF EXISTS (SELECT FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name LIKE 'mig-%'
      AND wait_event_type = 'Lock') THEN RETURN; END IF;
    PERFORM pg_stat_clear_snapshot(); PERFORM pg_sleep(0.01);
    END LOOP; RAISE 'no tool waits for a lock'; END \$\$"
}

on_terminal() {
  command -v script >/dev/null || skip "no script(1)"
  run env TERM="${TERMINAL-xterm}" script -qec "$1" /dev/null </dev/null
  output=${output//$'\r'/}
  mapfile -t lines < <(grep . <<<"$output")
}

## Then

says() {
  local text
  for text; do
    [[ $stderr == *"$text"* ]] || fail "not said: $text"$'\n'"but: $stderr" || return 1
  done
}

says_not() {
  local text
  for text; do
    [[ $stderr != *"$text"* ]] || fail "said: $text"$'\n'"in: $stderr" || return 1
  done
}

shows() {
  local text
  for text; do
    [[ $output == *"$text"* ]] || fail "not shown: $text"$'\n'"but: $output" || return 1
  done
}

shows_not() {
  local text
  for text; do
    [[ $output != *"$text"* ]] || fail "shown: $text"$'\n'"in: $output" || return 1
  done
}

error_count() {
  assert_equal "$(grep -cE '^mig-[a-z]+: error: ' <<<"$stderr")" "$1" || fail "$stderr"
}

records() {
  jq -r "$@" <<<"$output"
}

verdict_lines() {
  local found
  found=$(grep -E '^(OK|WARNING|CRITICAL|UNKNOWN): ' <<<"$output")
  [[ $(wc -l <<<"$found") -eq 1 ]] || fail "no verdict, or several: $output" || return 1
  printf '%s\n' "$found"
}
