#!/usr/bin/env bats
# What a message says to type that is no command of mig: SQL for a person with the rights, commands of the system, of docker and
# of jq. Each is typed as it is printed, and then what had failed works. printed-commands.bats has mig's own commands.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load helper
load words

setup_file() { server_start --tcp max_prepared_transactions=5; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
  mkdir -p "it's \$(touch pwned)/d'b/m/1_a" "it's \$(touch pwned)/elsewhere"
  cd "it's \$(touch pwned)/elsewhere" || return 1
  M="../d'b/m"
  export M
  echo 'CREATE TABLE a (id int);' >"$M/1_a/migration.sql"
}
teardown() {
  [[ ! -e pwned && ! -e ../pwned ]] || fail 'a name was run'
  [[ -z ${forwarder-} ]] || kill "$forwarder"
  [[ -z ${own-} ]] || server_end "$own"
  pgbouncer_end
  sessions_end
  sql "SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts WHERE database = current_database() \gexec"
  roles_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

# typed PATTERN: what the message of the last run has of it, without the remark behind it.
typed() {
  local found
  found=$(grep -oE -e "$1" <<<"$stderr" | head -n 1 | sed -E 's/ {3,}.*$//')
  [[ -n $found ]] || fail "not printed: $1"$'\n'"$stderr" || return 1
  printf '%s\n' "$found"
}

# docker, as far as `docker run [OPTIONS] IMAGE` of its manual goes: what it does not take is 125, as there. The image is a
# server that begins to listen some time later, at the address that is published.
docker_stub() {
  mkdir -p ../bin
  cat >../bin/docker <<'STUB'
#!/usr/bin/env bash
[[ $1 == run ]] && shift || exit 125
detached=false
while [[ $1 == -* ]]; do
  case $1 in
  -d) detached=true && shift ;;
  -e) [[ $2 =~ ^POSTGRES_PASSWORD=(.+)$ ]] && password=${BASH_REMATCH[1]} && shift 2 || exit 125 ;;
  -p) [[ $2 =~ ^127\.0\.0\.1:([0-9]+):5432$ ]] && port=${BASH_REMATCH[1]} && shift 2 || exit 125 ;;
  *) exit 125 ;;
  esac
done
[[ $# == 1 && $1 =~ ^postgres:[0-9]+$ ]] && $detached || exit 125
printf '%s %s\n' "$port" "$password" >"$DOCKER_RAN"
STUB
  chmod +x ../bin/docker
  export PATH=$PWD/../bin:$PATH DOCKER_RAN=$PWD/../docker.ran
}

# forward PORT SOCKET: connections to that port of the loopback go to the socket.
forward() {
  python3 - "$@" 3>&- <<'PYTHON' &
import socket, sys, threading
def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    for s in (a, b):
        try: s.shutdown(socket.SHUT_RDWR)
        except OSError: pass
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = listener.accept()
    server = socket.socket(socket.AF_UNIX)
    server.connect(sys.argv[2])
    for pair in ((client, server), (server, client)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
PYTHON
  forwarder=$!
}

@test "without a scratch server: the lines for docker give one, and then the replay works" {
  local port password lines pid
  (exec 9<>/dev/tcp/127.0.0.1/5433) 2>/dev/null && skip 'port 5433 is in use'
  docker_stub
  MIG_PG_BIN=/nonexistent run --separate-stderr mig-scan --replay "$M"
  assert_code 78
  says 'no scratch server' --wait=1min
  lines="$(typed 'docker run .*')"$'\n'"$(typed 'export SHADOW_DATABASE_URL=.*')"
  own=$(MIG_TEST_CLUSTER='' server_new)
  MIG_TEST_SERVER=$own PGDATABASE=postgres sql_admin "ALTER ROLE postgres PASSWORD 'x'; GRANT with_password TO postgres"
  MIG_PG_BIN=/nonexistent sh -c "$lines
    exec mig-scan --replay --wait=1min \"\$M\"" >replay.rec 2>replay.err 3>&- &
  pid=$!
  eventually 30 grep -q retrying replay.err
  read -r port password <"$DOCKER_RAN"
  assert_equal "$port $password" '5433 x'
  forward "$port" "$own/.s.PGSQL.$(<"$own/port")"
  wait "$pid"
  grep -q '"record":"relation".*"a"' replay.rec
}

@test "a role that may not create scratch databases, or does not say on which server it is: the line for it works" {
  local url
  role_new "scratch'r"
  url=$(PGDATABASE=postgres database_url "${ROLE//\'/%27}")
  TRIAL_URL=$url run --separate-stderr mig-scan --replay --scratch env:TRIAL_URL --same-server "$M"
  assert_code 77
  sql_admin "$(typed 'ALTER ROLE .*;')"
  TRIAL_URL=$url run --separate-stderr mig-scan --replay --scratch env:TRIAL_URL --same-server "$M"
  assert_code 0

  # who may not ask: of the scratch server, then of production
  mig-scan "$M" >scan.rec
  database_new
  sql_admin 'REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC'
  TRIAL_URL=$(database_url "${ROLE//\'/%27}") run --separate-stderr mig-scan - --rehearse --scratch env:TRIAL_URL <scan.rec
  assert_code 78
  sql_admin "$(typed 'GRANT EXECUTE .*;')"
  TRIAL_URL=$(database_url "${ROLE//\'/%27}") run --separate-stderr mig-scan - --rehearse --scratch env:TRIAL_URL <scan.rec
  assert_code 78
  says 'is on the production server'
  sql_admin "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM \"$ROLE\""
  DATABASE_URL=$(database_url "${ROLE//\'/%27}") mig-scan "$M" >scan.rec
  TRIAL_URL=$url run --separate-stderr mig-scan - --rehearse --scratch env:TRIAL_URL <scan.rec
  assert_code 78
  sql_admin "$(typed 'GRANT EXECUTE .*;')"
  DATABASE_URL=$(database_url "${ROLE//\'/%27}") mig-scan "$M" >scan.rec
  TRIAL_URL=$url run --separate-stderr mig-scan - --rehearse --scratch env:TRIAL_URL --same-server <scan.rec
  assert_code 0
}

@test "a database that does not exist: the line creates it, whatever its name" {
  local name encoded
  while read -r name encoded; do
    DATABASE_URL=$(PGDATABASE="${encoded}_$$" database_url)
    run --separate-stderr mig-scan "$M"
    assert_code 78
    PGDATABASE=postgres sql "$(typed 'CREATE DATABASE .*;')"
    run --separate-stderr mig-scan "$M"
    assert_code 0
    PGDATABASE=postgres sql "DROP DATABASE \"${name//\"/\"\"}_$$\""
  done <<'NAMES'
shop shop
My-Shop's My-Shop's
NAMES
}

@test "a pooler that keeps no transaction: the server's own address, named as the message says" {
  local direct=$DATABASE_URL word mode
  for mode in transaction statement; do
    pgbouncer_begin "$mode"
    run --separate-stderr bash -c 'mig-scan "$M" | mig-plan | mig-apply'
    assert_code 78
    word=$(typed 'MIG_DATABASE=env:[A-Z_]+$')
    export DIRECT_URL=$direct
    run --separate-stderr sh -c "export $word; mig-scan \"\$M\" | mig-plan | mig-apply"
    assert_code 0
    pgbouncer_end
    bouncer=''
    DATABASE_URL=$direct
  done
}

@test "a prepared transaction in the way: the line ends it, and the next one deploys" {
  local next
  mkdir "$M/2_b"
  sql "CREATE TABLE a (id int); BEGIN; INSERT INTO a VALUES (1); PREPARE TRANSACTION 'it''s \$(touch pwned) $PGDATABASE'"
  echo 'ALTER TABLE a ADD b int;' >"$M/1_a/migration.sql"
  echo 'SELECT 1;' >"$M/2_b/migration.sql"
  run --separate-stderr bash -c 'mig-scan "$M" | mig-plan --allow=not_empty | mig-apply --wait=2s'
  assert_code 75
  sql "$(typed 'ROLLBACK PREPARED .*;')"
  next=$(sed -nE 's/^ +then .*: +(mig-scan .*)$/\1/p' <<<"$stderr")
  run --separate-stderr sh -c "$next"
  assert_code 0
  assert_equal "$(applied | paste -sd ' ')" '1_a 2_b'
}

@test "NDJSON that goes over several lines: jq, as the hint says, writes what mig-seed takes" {
  local command
  sql 'CREATE TABLE "T'\''s" (id int PRIMARY KEY, v text)'
  printf '{\n  "id": 1,\n  "v": "a"\n}\n{ "id": 2,\n "v": "b" }\n' >"../d'b/T's.ndjson"
  run --separate-stderr mig-seed "../d'b/T's.ndjson"
  assert_code 65
  command=$(typed 'jq -c \. .*')
  sh -c "$command" >"T's.ndjson"
  mig-seed -q "T's.ndjson" >/dev/null
  assert_equal "$(sql "SELECT count(*) FROM \"T's\"")" 2
  # an array
  printf '[\n{"id": 3}]\n' >"../d'b/T's.ndjson"
  run --separate-stderr mig-seed "../d'b/T's.ndjson"
  assert_code 65
  sh -c "$(typed 'jq -c .*')" >"T's.ndjson"
  mig-seed -q "T's.ndjson" >/dev/null
  assert_equal "$(sql "SELECT count(*) FROM \"T's\"")" 3
  # and finds the error
  printf '{"id": 1}\n{"id": 2,\n' >"../d'b/T's.ndjson"
  run --separate-stderr mig-seed "../d'b/T's.ndjson"
  assert_code 65
  run sh -c "$(typed 'jq -c \. .*')"
  assert_failure
}

@test "what is said about a variable that is not set, is set twice, or is a database's name works as it stands" {
  local url line
  url=$(database_url tester) # without the password that no file may have
  unset DATABASE_URL
  # before a pipe: the other tools have it not
  run --separate-stderr bash -c 'PROD_DATABASE_URL=$1 mig-scan -d env:PROD_DATABASE_URL "$M" | mig-plan | PROD_DATABASE_URL=$1 mig-apply' - "$url"
  assert_code 78
  line=$(typed 'export DATABASE_URL="\$[A-Z_]+"')
  run --separate-stderr env PROD_DATABASE_URL="$url" sh -c "$line; mig-scan \"\$M\" | mig-plan | mig-apply"
  assert_code 0
  # nothing is known: it is pasted
  run --separate-stderr mig-scan "$M"
  assert_code 78
  line=$(typed 'read -rs DATABASE_URL; export DATABASE_URL')
  run --separate-stderr bash -c "$line; mig-scan \"\$M\"" <<<"$url"
  assert_code 0
  # the name of a variable in the place of a source
  PROD_URL=$url run --separate-stderr mig-scan -d PROD_URL "$M"
  assert_code 64
  line=$(typed '-d env:[A-Z_]+')
  PROD_URL=$url run --separate-stderr sh -c "mig-scan $line \"\$M\""
  assert_code 0
  # a file that others can read, and both ways at once
  echo "$url" >"../d'b/url"
  chmod 644 "../d'b/url"
  run --separate-stderr mig-scan -d "file:../d'b/url" "$M"
  assert_code 78
  sh -c "$(typed 'chmod 600 .*')"
  run --separate-stderr mig-scan -d "file:../d'b/url" "$M"
  assert_code 0
  export DATABASE_URL=$url DATABASE_URL_FILE="../d'b/url"
  run --separate-stderr mig-scan "$M"
  assert_code 78
  run --separate-stderr sh -c "$(typed 'unset .*'); mig-scan \"\$M\""
  assert_code 0
}

@test "a database that was made read-only: the query shows who did it" {
  mig-scan "$M" | mig-plan -q -o plan.rec >/dev/null
  sql_admin "ALTER DATABASE \"$PGDATABASE\" SET default_transaction_read_only = on"
  run --separate-stderr mig-apply plan.rec
  assert_code 75
  [[ $(sql "$(typed 'select .*;')") == *'{default_transaction_read_only=on}'* ]]
}

@test "the script for psql is run as its second line says" {
  local command
  mig-scan "$M" | mig-plan --format=sql >"../d'b/deploy'.sql"
  command=$(sed -nE '2s/^-- Run it with:  //p' "../d'b/deploy'.sql")
  PGHOST=$MIG_TEST_SERVER PGPORT=$(server_port) PGUSER=tester FILE="../d'b/deploy'.sql" sh -c "${command/FILE/\"\$FILE\"}" >/dev/null
  assert_equal "$(applied)" 1_a
}
