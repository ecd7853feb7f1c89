# shellcheck shell=bash disable=SC2031,SC2119,SC2120
# A throwaway PostgreSQL: started where somebody asks for it, gone when its owner is. It knows nothing of bats, so
# that scripts/test, tests/fuzz/ and a demo can use it as well as tests/helper.bash.
#
#   server_start [--tcp] [--own] [NAME=VALUE…]   the server of this file: the suite's if there is one, else a new one
#   server_stop                                  ends it, if this process started it
#   server_new [--tcp] [NAME=VALUE…]             one more server; prints its folder (for server_use, server_end)
#   server_use DIR                               talk to that one from now on
#   server_end DIR                               end that one
#   server_ctl ARGUMENT…                         pg_ctl on the current one: stop -m immediate, start -w, restart
#   database_new [NAME]                          a fresh database; exports DATABASE_URL and PGDATABASE
#   database_url [--tcp] [ROLE[:PASSWORD]]       the address of the current database, as another role, or over TCP
#   sql ['select …']                             psql on the current database, without an argument from stdin
#   sql_admin ['create role …']                  the same as superuser
#   server_log                                   what the server's log says of the current database
#
# A server is a folder: data/, server.log, port, and the socket. Its superuser is `postgres`; tests are `tester`, who
# may log in and create databases and no more, as on a real production server. Roles that are members of
# `with_password` have to give their password; nobody else is asked for one.
#
# MIG_TEST_SERVER=DIR        use this running server
# MIG_TEST_CANARY=DIR        every tester's URL has the password in DIR/word, which scripts/test looks for in the end
# MIG_TEST_CLUSTER=DIR       what initdb made, which takes 2 s: kept there by the first server, copied by all that follow, so
#                            that they have one system identifier
# MIG_TEST_DATA=DIR          where the servers keep their data; default: with their sockets, below /tmp
# MIG_TEST_PG_BIN=DIR        the server programs to use; default: the newest there are
# MIG_TEST_TRAPS=FILE        every database has an attacker's schema (traps.bash); FILE gets the calls of each server that ends

# Where initdb, postgres, pg_ctl and the real psql are (Debian's psql on PATH is a Perl wrapper that costs 60 ms).
server_programs() {
  local dir
  if [[ -n ${MIG_TEST_PG_BIN-} ]]; then
    printf '%s\n' "$MIG_TEST_PG_BIN"
    return 0
  fi
  while read -r dir; do
    if [[ -x $dir/initdb && -x $dir/psql ]]; then
      printf '%s\n' "$dir"
      return 0 # and not just return: in a trap that means the status before it
    fi
  done < <(
    printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV
    command -v pg_config >/dev/null && pg_config --bindir
    dir=$(command -v initdb) && dirname "$dir"
  )
  echo "no PostgreSQL server programs found (initdb, postgres); install the package postgresql" >&2
  return 1
}

# PostgreSQL refuses to run as root, so root steps down.
server_user() {
  if ((EUID)); then
    id -un
  elif id postgres >/dev/null 2>&1; then
    echo postgres
  else
    echo nobody
  fi
}

as_server() {
  local user
  if ((EUID)); then
    "$@"
  elif user=$(server_user) && command -v setpriv >/dev/null; then
    setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups -- "$@"
  else
    runuser -u "$user" -- "$@"
  fi
}

# A port on the loopback that nobody listens on. Somebody else may take it before we do, so server_new tries again.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

server_new() (
  tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  tcp=false
  settings=()
  # there is much to lock where a test drops the schema `public`
  [[ -z ${MIG_TEST_TRAPS-} ]] || settings=(max_locks_per_transaction=1024)
  for argument; do
    case $argument in
    --tcp) tcp=true ;;
    *=*) settings+=("$argument") ;;
    *) echo "server_new: not an option: $argument" >&2 && exit 1 ;;
    esac
  done
  programs=$(server_programs) || exit 1
  PATH=$programs:$PATH
  # /tmp and not TMPDIR: a socket's path may have about 100 bytes, and another user has to get there.
  dir=$(mktemp -d /tmp/mig.XXXXXX) || exit 1
  ((EUID)) || chown "$(server_user)" "$dir"
  chmod 711 "$dir"
  if [[ -n ${MIG_TEST_DATA-} ]]; then
    data=$MIG_TEST_DATA/${dir##*/}
    mkdir -m 700 "$data" || exit 1
    ((EUID)) || chown "$(server_user)" "$data"
    ln -s "$data" "$dir/data"
  fi
  cd "$dir" || exit 1

  # However the owner ends, also by Ctrl-C or a kill, the server and its folder go with it.
  owner=$$
  # shellcheck disable=SC2016
  setsid bash -c '
    tail --pid="$1" -s 0.5 -f /dev/null
    read -r postmaster <"$2/data/postmaster.pid" && kill -QUIT "$postmaster"
    sleep 0.2
    rm -rf "$2" "$3"' server-guard "$owner" "$dir" "${data-}" </dev/null >/dev/null 2>&1 3>&- 4>&- &
  echo $! >"$dir/guard"

  locale=C
  [[ $(locale -a 2>/dev/null) == *C.[uU][tT][fF]* ]] && locale=C.UTF-8
  if [[ -d ${MIG_TEST_CLUSTER-} ]]; then
    mkdir -p "$dir/data"
    cp -a --reflink=auto "$MIG_TEST_CLUSTER/." "$dir/data"
  elif ! as_server initdb --no-sync -A trust -U postgres -E UTF8 --locale="$locale" -D "$dir/data" >"$dir/start.log" 2>&1; then
    cat "$dir/start.log" >&2
    server_end "$dir"
    exit 1
  elif [[ -n ${MIG_TEST_CLUSTER-} ]]; then
    cp -a "$dir/data/" "$MIG_TEST_CLUSTER"
  fi
  as_server tee "$dir/data/pg_hba.conf" >/dev/null <<-'HBA'
	local  all          +with_password                scram-sha-256
	host   all          +with_password  127.0.0.1/32  scram-sha-256
	local  all          all                           trust
	host   all          all             127.0.0.1/32  trust
	local  replication  all                           trust
	HBA

  for attempt in 1 2 3 4 5; do
    port=5432
    $tcp && port=$(free_port)
    {
      printf "%s = '%s'\n" \
        listen_addresses "$($tcp && echo 127.0.0.1)" \
        port "$port" \
        unix_socket_directories "$dir" \
        max_connections 100 \
        fsync off \
        full_page_writes off \
        autovacuum off \
        shared_buffers 64MB \
        password_encryption scram-sha-256 \
        timezone UTC \
        log_timezone UTC \
        log_line_prefix '%m [%p] %u@%d %a: '
      for setting in "${settings[@]}"; do
        printf "%s = '%s'\n" "${setting%%=*}" "${setting#*=}"
      done
    } | as_server tee "$dir/data/postgresql.auto.conf" >/dev/null
    # bats waits for whoever holds its descriptor 3.
    as_server pg_ctl -s -w -D "$dir/data" -l "$dir/server.log" start >"$dir/start.log" 2>&1 3>&- 4>&- && break
    if ! grep -q 'Address already in use' "$dir/server.log" || ((attempt == 5)); then
      cat "$dir/start.log" "$dir/server.log" >&2
      server_end "$dir"
      exit 1
    fi
  done
  echo "$port" >"$dir/port"
  $tcp && : >"$dir/tcp"
  command psql -XAtqh "$dir" -p "$port" -U postgres -d postgres -v ON_ERROR_STOP=1 >&2 <<-'SQL'
	CREATE ROLE tester LOGIN CREATEDB;
	CREATE ROLE with_password;
	SQL
  if [[ -n ${MIG_TEST_TRAPS-} ]]; then
    # shellcheck source=tests/traps.bash
    source "$tests/traps.bash"
    server_use "$dir"
    traps_template >&2 || exit 1
  fi

  echo "$dir"
)

server_end() {
  local dir=$1 guard programs
  [[ -f $dir/guard ]] || return 0
  read -r guard <"$dir/guard"
  programs=$(server_programs)
  (cd "$dir" && as_server "$programs/pg_ctl" -s -D "$dir/data" -m immediate stop >/dev/null 2>&1) || true
  kill -- -"$guard" 2>/dev/null || true
  [[ -z ${MIG_TEST_TRAPS-} ]] || grep -a ' mig-.*LOG:  TRAP: ' "$dir/server.log" >>"$MIG_TEST_TRAPS" || true
  rm -rf "$(readlink -f "$dir/data")" "$dir"
}

server_use() {
  export MIG_TEST_SERVER=$1
}

server_start() {
  local argument own=false dir
  local -a options=()
  for argument; do
    case $argument in
    --own) own=true ;;
    --tcp)
      options+=(--tcp)
      [[ -f ${MIG_TEST_SERVER-}/tcp ]] || own=true
      ;;
    *)
      options+=("$argument")
      own=true
      ;;
    esac
  done
  if [[ -n ${MIG_TEST_SERVER-} ]] && ! $own; then
    return 0
  fi
  dir=$(server_new "${options[@]}") || return 1
  server_use "$dir"
  export MIG_TEST_SERVER_OWNER=$$
}

server_stop() {
  [[ ${MIG_TEST_SERVER_OWNER-} == "$$" ]] || return 0
  server_end "$MIG_TEST_SERVER"
  unset MIG_TEST_SERVER MIG_TEST_SERVER_OWNER
}

server_ctl() (
  cd "$MIG_TEST_SERVER" || exit 1
  programs=$(server_programs) || exit 1
  as_server "$programs/pg_ctl" -s -D data -l server.log "$@" 3>&- 4>&-
)

server_port() {
  local port
  read -r port <"$MIG_TEST_SERVER/port" && echo "$port"
}

server_log() {
  [[ -n ${MIG_TEST_SERVER-} && -n ${PGDATABASE-} ]] || return 0
  grep -F "@$PGDATABASE " "$MIG_TEST_SERVER/server.log" | tail -n "${1:-40}"
}

# Runs a client program of PostgreSQL on the current database, as tester. PGHOST and the like are set for it alone, so
# that nothing reaches the programs under test by that way.
client() {
  PGHOST=$MIG_TEST_SERVER PGPORT=$(server_port) PGUSER=${CLIENT_ROLE:-tester} PGDATABASE=${PGDATABASE:-postgres} \
    PGCLIENTENCODING=UTF8 command "$@"
}

sql() {
  if (($#)); then
    client psql -XAtq -v ON_ERROR_STOP=1 <<<"$*"
  else
    client psql -XAtq -v ON_ERROR_STOP=1
  fi
}

sql_admin() {
  CLIENT_ROLE=postgres sql "$@"
}

database_url() {
  local tcp=false port role=tester
  if [[ ${1-} == --tcp ]]; then
    tcp=true
    shift
  fi
  # Nobody asks tester for a password; so it may have any, which is looked for where it should not be.
  [[ -z ${MIG_TEST_CANARY-} ]] || role+=:$(<"$MIG_TEST_CANARY/word")
  port=$(server_port)
  if $tcp; then
    if [[ ! -f $MIG_TEST_SERVER/tcp ]]; then
      echo "database_url: this server has no TCP; start it with server_start --tcp" >&2
      return 1
    fi
    printf 'postgresql://%s@127.0.0.1:%s/%s\n' "${1:-$role}" "$port" "$PGDATABASE"
  else
    [[ $port == 5432 ]] && port='' || port=:$port
    printf 'postgresql://%s@localhost%s/%s?host=%s\n' "${1:-$role}" "$port" "$PGDATABASE" "$MIG_TEST_SERVER"
  fi
}

# Databases are named after the process that made them. Those whose process is gone are dropped by the next comer, so
# that no test has to, and the disk does not fill. A copy of the files takes a quarter of what the write-ahead log of them does.
database_new() {
  local name template=template0
  [[ -z ${MIG_TEST_TRAPS-} ]] || template=trapped
  database_count=$((${database_count:-0} + 1))
  name=${1:-test_$$_$database_count}
  # shellcheck disable=SC2016
  PGDATABASE=postgres sql_admin <<SQL || return 1
SET client_min_messages = warning; -- another file may just drop the same
SELECT coalesce(string_agg(datname, ' '), '') AS databases FROM pg_database WHERE datname ~ '^test_[0-9]+_[0-9]+$' \gset
\setenv DATABASES :databases
\set gone \`for name in \$DATABASES; do pid=\${name#test_}; [ -d /proc/\${pid%_*} ] || printf '%s ' "\$name"; done\`
SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', name) FROM unnest(string_to_array(rtrim(:'gone'), ' ')) name \gexec
SELECT CASE WHEN :SERVER_VERSION_NUM >= 150000 THEN 'STRATEGY file_copy' ELSE '' END AS strategy \gset
CREATE DATABASE "$name" OWNER tester TEMPLATE $template :strategy;
-- as it is since PostgreSQL 15
SELECT :SERVER_VERSION_NUM < 150000 AS anybody, CASE WHEN :SERVER_VERSION_NUM < 140000 THEN 'tester' ELSE 'pg_database_owner' END AS owner \gset
\if :anybody
  \connect "$name"
  ALTER SCHEMA public OWNER TO :owner;
  REVOKE CREATE ON SCHEMA public FROM PUBLIC;
\endif
SQL
  export PGDATABASE=$name
  DATABASE_URL=$(database_url)
  export DATABASE_URL
}
