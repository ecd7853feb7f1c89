#!/usr/bin/env bats
# The password of a connection string: nowhere but where it has to be, with the five programs as they are. Each test
# has a control which shows that it would have been found. (tests/secret.bats is about one room, lib/secret/secret.c.)
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154

load helper
load words
load memory
load http

setup_file() {
  tls_new
  server_start --tcp ssl=on "ssl_cert_file=$TLS/cert" "ssl_key_file=$TLS/key"
  hba_new
  stops_new
}

teardown_file() {
  server_stop
  rm -rf "$TLS"
}

setup() {
  database_new
  folder_new
  # Nothing of the shell's own is to be found in what it starts.
  unset DATABASE_URL
}

teardown() {
  stopped_kill
  sessions_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

## Given

tls_new() {
  TLS=$(mktemp -d /tmp/mig.XXXXXX)
  export TLS
  openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -keyout "$TLS/key" -out "$TLS/cert" 2>/dev/null
  chmod 600 "$TLS/key"
  ((EUID)) || chown -R "$(server_user)" "$TLS"
}

# Roles that are members of these are asked for a password in those ways.
hba_new() {
  local hba=$MIG_TEST_SERVER/data/pg_hba.conf
  sql_admin 'CREATE ROLE with_md5; CREATE ROLE with_clear_text'
  {
    echo 'host all +with_md5 127.0.0.1/32 md5'
    echo 'host all +with_clear_text 127.0.0.1/32 password'
    cat "$hba"
  } >"$BATS_FILE_TMPDIR/hba"
  as_server tee "$hba" <"$BATS_FILE_TMPDIR/hba" >/dev/null
  server_ctl reload
}

# Preloaded, it stops a program that is connected, that is about to close its connection, and at its end; the name of
# the process says which. The program knows nothing of it. It asks dlsym() for libpq's functions, so that is where ours
# come in.
stops_new() {
  export STOPS=$BATS_FILE_TMPDIR/stops.so
  cc -shared -fPIC -O1 -D_GNU_SOURCE -o "$STOPS" -x c - -ldl <<-'C'
	#include <dlfcn.h>
	#include <signal.h>
	#include <string.h>
	#include <sys/prctl.h>

	static const char *(*real_status)(const void *, const char *);
	static void (*real_finish)(void *);

	static void
	stop(const char *where)
	{
		prctl(PR_SET_NAME, where);
		raise(SIGSTOP);
	}

	static const char *
	status(const void *conn, const char *parameter)
	{
		static int stopped;

		if (!stopped++)
			stop("connected");
		return real_status(conn, parameter);
	}

	static void
	finish(void *conn)
	{
		if (conn)
			stop("closing");
		real_finish(conn);
	}

	void *
	dlsym(void *handle, const char *name)
	{
		static const char *const releases[] = { "GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5", "GLIBC_2.0" };
		static void *(*real)(void *, const char *);
		void *found;
		unsigned i;

		for (i = 0; !real && i < sizeof releases / sizeof *releases; i++)
			real = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", releases[i]);
		found = real(handle, name);
		if (strcmp(name, "PQparameterStatus") == 0) {
			real_status = (const char *(*)(const void *, const char *))found;
			return (void *)status;
		}
		if (strcmp(name, "PQfinish") == 0) {
			real_finish = (void (*)(void *))found;
			return (void *)finish;
		}
		return found;
	}

	__attribute__((destructor)) static void
	at_exit(void)
	{
		stop("ending");
	}
	C
}

# A statement that takes until the table go is there.
LONG='DO $$ BEGIN LOOP EXIT WHEN EXISTS (SELECT FROM pg_class WHERE relname = $q$go$q$); PERFORM pg_sleep(0.02); END LOOP; END $$;'

# What each tool has to do, which is held up in the middle.
work_for() {
  case $1 in
  mig-scan)
    recorded 20240101000000_init
    migration 20240101000000_init 'SELECT 1;'
    session_begin 'BEGIN; LOCK TABLE _prisma_migrations'
    HELD=$SESSION
    WORK=(mig-scan)
    ;;
  mig-apply)
    migration 20240101000000_init "$LONG"
    with_url mig-scan | mig-plan >plan.rec
    WORK=(mig-apply plan.rec)
    ;;
  mig-seed)
    echo "$LONG CREATE TABLE held (id int PRIMARY KEY, word text);" >seed.sql
    printf 'id,word\n1,one\n' >held.csv
    WORK=(mig-seed seed.sql held.csv)
    ;;
  mig-check)
    # it stays connected between its looks
    WORK=(mig-check database --watch=700ms --interval=300ms)
    ;;
  esac
}

with_url() {
  env "DATABASE_URL=$URL" "$@"
}

is_held() {
  running "${LONG:0:20}" || waiting || looking
}

# Whether mig-check is connected, and between two looks.
looking() {
  [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name = 'mig-check'
    AND state = 'idle'") -gt 0 ]]
}

# Whether mig-apply has opened the second connection that a long statement makes it open.
watching() {
  [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name = 'mig-apply watch'") -gt 0 ]]
}

let_go() {
  if [[ -n ${HELD-} ]]; then
    session_end "$HELD"
    HELD=
  else
    sql 'CREATE TABLE go ()'
  fi
}

## When

# Runs a tool (by the command INSIDE, if that is set) with its work from stop to stop, and looks for copies at each and in the long statement; MOMENTS is what
# was looked at. TLS_USED is what the server says of the connection.
watch() {
  local tries
  MOMENTS=''
  DATABASE_URL=$URL start "${INSIDE[@]}" env "LD_PRELOAD=$STOPS" "$@"
  for ((tries = 0; tries < 300; tries++)); do
    if [[ ! -d /proc/$STOPPED ]]; then
      break
    elif is_stopped; then
      MOMENTS+=" $(<"/proc/$STOPPED/comm")"
      assert_no_copy || fail "in $1:$MOMENTS" || return 1
      [[ $MOMENTS != *ending ]] || assert_line --partial 'password readable=0 noaccess=0'
      go_on end
    elif [[ $MOMENTS == ' connected' ]] && is_held; then
      MOMENTS+=' held'
      TLS_USED=$(sql_admin "SELECT DISTINCT coalesce(version, 'none') FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE usename = '$ROLE'")
      # it may just open its second connection
      eventually unreadable || assert_no_copy || fail "in $1:$MOMENTS" || return 1
      let_go
    else
      sleep 0.02
    fi
  done
  status=0
  wait "$STOPPED" || status=$?
  STOPPED=
  output=$(<"$BATS_TEST_TMPDIR/out") stderr=$(<"$BATS_TEST_TMPDIR/err")
}

# For a program that is not stopped: what it is doing just now, it may need the password for.
unreadable() { # [PID]
  look "$@"
  ((status == 0))
}

# The same memory scan of a program that takes no care.
control() {
  DATABASE_URL=$URL start "$BUILD/tests/tool_naive"
  go_on
  look
  assert_failure 1
  assert_line --regexp '^password readable=[1-9]'
  assert_line --regexp '^encoded readable=[1-9]'
  assert_line --regexp '^url readable=[1-9].* environ=1 '
  go_on
  ends
  assert_equal "$(<"$BATS_TEST_TMPDIR/out")" 'connected yes'
}

## Then

# No six characters of the password in a row, plain or encoded.
assert_no_piece() {
  local i text=$1
  for ((i = 0; i + 6 <= ${#PASSWORD}; i++)); do
    [[ $text != *"${PASSWORD:i:6}"* ]] || fail "a piece of the password: $text" || return 1
  done
  [[ $text != *"$ENCODED"* ]] || fail "the encoded password: $text"
}

# A moment is a state: a second connection that is closed as well makes no other one.
moments() {
  tr ' ' '
' <<<"$MOMENTS" | uniq | paste -sd ' '
}

assert_watched() {
  local tool=$1 tls=$2
  assert_code 0
  assert_equal "$tool:$(moments)" "$tool: connected held closing ending"
  assert_equal "$TLS_USED" "$tls"
  assert_no_piece "$output$stderr"
}

## Memory

# watch_all GROUP PARAMETERS TLS: all tools that connect, logging in one way
watch_all() {
  local tool
  needs_scrub
  for tool in mig-scan mig-apply mig-seed mig-check; do
    database_new
    unset DATABASE_URL
    folder_new "$BATS_TEST_TMPDIR/$tool"
    password_role 40 "$1"
    URL+=$2
    work_for "$tool"
    watch "${WORK[@]}" || return 1
    assert_watched "$tool" "$3"
  done
  control
}

@test "no copy in a tool that has logged in by SCRAM" {
  watch_all with_password '?sslmode=disable' none
}

@test "no copy in a tool that has logged in by SCRAM over TLS" {
  watch_all with_password '?sslmode=require' TLSv1.3
}

@test "no copy in a tool that has logged in by MD5" {
  watch_all with_md5 '?sslmode=disable' none
}

@test "no copy in a tool that has sent the password as it is" {
  watch_all with_clear_text '?sslmode=disable' none
}

@test "no copy where /proc is not mounted, as in an empty container" {
  local INSIDE=(unshare -m sh -c 'mount -t tmpfs none /proc && exec "$@"' -)
  needs_scrub
  "${INSIDE[@]}" true 2>/dev/null || skip "needs root, to hide /proc"
  run "${INSIDE[@]}" cat /proc/self/maps
  assert_failure 1
  password_role
  URL+='?sslmode=require'
  work_for mig-apply
  watch "${WORK[@]}"
  assert_watched mig-apply TLSv1.3
}

@test "no copy in a tool whose login failed" {
  local tool parameters
  needs_scrub
  password_role
  for parameters in '?sslmode=disable' '?sslmode=require'; do
    URL=$(database_url --tcp "$ROLE:$ENCODED")$parameters
    for tool in mig-scan mig-apply mig-seed mig-check; do
      sql_admin "ALTER ROLE $ROLE PASSWORD '$PASSWORD'; DROP TABLE IF EXISTS _prisma_migrations; DROP TABLE IF EXISTS go"
      work_for "$tool"
      [[ -z ${HELD-} ]] || let_go
      sql_admin "ALTER ROLE $ROLE PASSWORD 'another'"
      watch "${WORK[@]}" || return 1
      if [[ $tool == mig-check ]]; then
        assert_code 2
        shows 'password authentication failed for user'
      else
        assert_code 77
        says 'password authentication failed for user'
      fi
      assert_equal "$tool:$(moments)" "$tool: closing ending"
      assert_no_piece "$output$stderr"
    done
  done
}

@test "mig-plan and mig-check, where they need no database, let nothing be read either" {
  local tool
  needs_scrub
  password_role
  mkfifo records
  # cat is the control
  for tool in cat mig-plan 'mig-check deploy'; do
    # shellcheck disable=SC2086
    DATABASE_URL=$URL PGPASSWORD=$PASSWORD MIG_DATABASE=$URL $tool <records >out 2>err 3>&- 4>&- &
    STOPPED=$!
    exec 9>records
    eventually grep -q "^Name:[[:space:]]*${tool%% *}$" "/proc/$STOPPED/status"
    if [[ $tool == cat ]]; then
      look
      assert_line --regexp '^password .* environ=1 '
      assert_line --regexp '^url readable=2 .* environ=2 '
    else
      # it may just have begun; what it then waits for does not come
      eventually unreadable
      assert_no_copy
      run grep 'Max core file size' "/proc/$STOPPED/limits"
      assert_output --regexp '^Max core file size +0 +0 '
    fi
    exec 9>&-
    wait "$STOPPED" || true
    STOPPED=
    assert_no_piece "$(cat out err)"
  done
}

@test "mig-check: no copy of a health URL, a token or a header between its looks, nor in its environment" {
  needs_scrub
  http_start
  password_new 40
  URL="http://127.0.0.1:$HTTP/ok?key=$ENCODED"
  export HEALTH_URL=$URL TOKEN=$PASSWORD KEY=$PASSWORD
  mig-check health=env:HEALTH_URL health.bearer=env:TOKEN health.header='X-Key: env:KEY' -v --watch=20s --interval=20s \
    --timeout=20s >out 2>err 3>&- 4>&- &
  STOPPED=$!
  unset HEALTH_URL TOKEN KEY
  http_asked() { [[ $(tr '\0' '\n' <"/proc/$STOPPED/environ" | grep -c HEALTH_URL=http) == 0 ]]; }
  eventually http_asked
  # the look is over when no socket is left
  no_socket() { [[ -z $(find "/proc/$STOPPED/fd" -lname 'socket:*') ]]; }
  eventually grep -q 'watching for' err
  eventually no_socket
  assert_no_copy
  assert_line --regexp '^password .* environ=0 '
  kill "$STOPPED"
  wait "$STOPPED" || true
  STOPPED=
  http_stop
  assert_no_piece "$(cat out err)"
}

## Around the process

# The programs of a pipeline that run now.
pipeline_pids() {
  pgrep -P "$JOB" mig-
}

@test "a whole pipeline: neither environment, command line nor memory of any of its programs" {
  local pid pids
  needs_scrub
  password_role
  migration 20240101000000_init 'SELECT 1;'
  migration 20240102000000_long "$LONG"
  recorded 20240101000000_init
  session_begin 'BEGIN; LOCK TABLE _prisma_migrations'
  begin env "DATABASE_URL=$URL" "PGPASSWORD=$PASSWORD" bash -c 'mig-scan | mig-plan | mig-apply -o run.rec | cat'
  eventually waiting
  pids=$(pipeline_pids)
  assert_equal "$(wc -w <<<"$pids")" 3
  for pid in $pids; do
    assert_no_copy "$pid"
  done
  session_end "$SESSION"
  eventually running "${LONG:0:20}"
  pids=$(pipeline_pids)
  assert_equal "$(wc -w <<<"$pids")" 1
  eventually unreadable "$pids" || assert_no_copy "$pids"
  # the control: the shell which was given the URL has it
  look "$JOB"
  assert_line --regexp '^url .* environ=1 '
  let_go_of_migration
  finish
  assert_code 0
  assert_no_piece "$output$stderr$(<run.rec)"
}

let_go_of_migration() {
  sql 'CREATE TABLE go ()'
}

@test "a core that a debugger makes in the middle of a statement" {
  local pid
  needs_scrub
  command -v gcore >/dev/null || skip "no gcore(1) (of gdb)"
  ((EUID == 0)) || skip "only root may trace a program that forbids it"
  password_role
  work_for mig-apply
  begin env "DATABASE_URL=$URL" "${WORK[@]}"
  eventually is_held
  # once its second connection is open, for which it needs the password
  eventually watching
  eventually unreadable "$JOB"
  run gcore -o core "$JOB"
  [[ -s core.$JOB ]] || skip "gcore does not work here: $output"
  let_go
  finish
  assert_code 0
  DATABASE_URL=$URL start "$BUILD/tests/tool_naive"
  go_on
  run gcore -o naive "$STOPPED"
  pid=$STOPPED
  go_on
  ends
  printf '%s\n' "$PASSWORD" "$ENCODED" "${PASSWORD:16}" >needles
  run grep -acFf needles "naive.$pid"
  assert_success
  run grep -acFf needles core.[0-9]*
  assert_output 0
}

@test "what is written, as strace sees it" {
  local group tool
  needs_scrub
  command -v strace >/dev/null || skip "no strace(1)"
  ((EUID == 0)) || skip "only root can read the memory of our programs, and with it what they write"
  strace -o trace true 2>/dev/null || skip "tracing is not allowed here"
  # A password that the server wants as it is crosses the wire, so it is the control; SCRAM and MD5 send proofs.
  for group in with_clear_text with_password with_md5; do
    for tool in mig-scan mig-apply mig-seed; do
      database_new
      unset DATABASE_URL
      folder_new "$BATS_TEST_TMPDIR/$group.$tool"
      password_role 40 "$group"
      URL+='?sslmode=disable'
      work_for "$tool"
      let_go
      DATABASE_URL=$URL run strace -f -s 100000 -e trace=write,writev,sendto,sendmsg,pwrite64,execve -o trace "${WORK[@]}"
      assert_success
      assert_no_piece "$output"
      grep -q 'sendto(' trace
      if [[ $group == with_clear_text ]]; then
        grep -qF "$PASSWORD" trace || fail "strace does not show what is sent"
      else
        assert_no_piece "$(<trace)"
      fi
    done
  done
}

## What is said

# Each has the password Xk9wQzJv7Gy4 or the like, and something wrong in it.
malformed() {
  local p=Xk9wQzJv7Gy4
  cat <<-URLS
	postgresql://u:$p#x@127.0.0.1:1/d
	postgresql://u:$p/x@127.0.0.1:1/d
	postgresql://u:$p?x@127.0.0.1:1/d
	postgresql://u:x/$p@127.0.0.1:1/d
	postgresql://u:x@$p@127.0.0.1:1:2/d
	postgresql://u:$p@127.0.0.1:1/d@x
	postgresql://u:x@127.0.0.1:1/d?password=$p&x=@
	postgresql://u:$p@
	postgresql://u:$p@/d
	postgresql://u:$p@:1/d
	postgresql://:$p@:/
	postgresql://u:$p@[::1/d
	postgresql://u:$p@[::1]x/d
	postgresql://u:$p@127.0.0.1:port/d
	postgresql://u:$p@127.0.0.1:99999/d
	postgresql://u:$p@127.0.0.1:1/d?sslmode=$p
	postgresql://u:$p@127.0.0.1:1/d?sslmode=%zz
	postgresql://u:$p@127.0.0.1:1/d?connect_timeout=$p
	postgresql://u:$p@127.0.0.1:1/d?host=$p%00
	postgresql://u:$p%00@127.0.0.1:1/d
	postgresql://u%00:$p@127.0.0.1:1/d
	postgresql://u:$p@127.0.0.1:1/d%00
	postgresql://u:$p@127.0.0.1:1/\${DB}
	postgresql://u:\${$p}@127.0.0.1:1/d
	postgresql:/u:$p@127.0.0.1:1/d
	postgresql:u:$p@127.0.0.1:1/d
	postgresql//u:$p@127.0.0.1:1/d
	postgres:///u:$p@127.0.0.1:1/d
	mysql://u:$p@127.0.0.1:1/d
	prisma://u:$p@127.0.0.1:1/d
	"postgresql://u:$p@127.0.0.1:1/d"
	'postgresql://u:$p@127.0.0.1:1/d'
	DATABASE_URL=postgresql://u:$p@127.0.0.1:1/d
	export DATABASE_URL=postgresql://u:$p@127.0.0.1:1/d
	psql postgresql://u:$p@127.0.0.1:1/d
	u:$p@127.0.0.1:1/d
	host=127.0.0.1 port=1 user=u password='$p
	host=127.0.0.1 port=1 user=u password=$p\\
	host=127.0.0.1 port=1 user=u pasword=$p
	host=127.0.0.1 port=1 user=u password=$p sslmode=$p
	host=127.0.0.1 port=1 user=u password = $p $p
	password=$p = x
	service=$p password=$p x
	URLS
}

@test "no tool repeats anything of a malformed connection string, wherever it stands" {
  local url i count=0 password=Xk9wQzJv7Gy4
  migration 20240101000000_init 'SELECT 1;'
  DATABASE_URL=$(database_url) mig-scan | mig-plan >plan.rec
  echo 'SELECT 1;' >seed.sql
  for ((i = 0; i + 4 <= ${#password}; i++)); do
    echo "${password:i:4}"
  done >pieces
  export PGHOST=127.0.0.1 PGPORT=1
  while IFS= read -r url; do
    count=$((count + 1))
    printf '%s\n' "$url" >url
    chmod 600 url
    {
      DATABASE_URL=$url mig-scan -v || echo "scan $?"
      DATABASE_URL=$url mig-apply -v --wait=0 plan.rec || echo "apply $?"
      DATABASE_URL=$url mig-seed -v --wait=0 seed.sql || echo "seed $?"
      MIG_DATABASE=$url mig-scan -v || echo "default $?"
      DATABASE_URL_FILE=$url mig-scan -v || echo "twin $?"
      mig-scan -v -d "$url" || echo "word $?"
      mig-scan -v -d "file:$PWD/url" || echo "file $?"
      mig-scan -v -d 'cmd:cat url' || echo "cmd $?"
    } >said 2>&1 </dev/null
    assert_equal "$(grep -cE '^(scan|apply|seed|default|twin|word|file|cmd) [1-9]' said)" 8 || fail "$url: $(cat said)" || return 1
    ! grep -qFf pieces said || fail "$url: $(cat said)" || return 1
  done < <(malformed)
  assert [ "$count" -ge 40 ]
  # the control: libpq tells
  run command psql -X 'postgresql://u:Xk9wQzJv7Gy4/x@127.0.0.1:1/d' -c ''
  assert_output --partial Xk9wQzJv7Gy4
}

@test "neither -v nor an error of the server that quotes the statement" {
  local text
  password_role
  migration 20240101000000_notices 'DO $$ BEGIN RAISE NOTICE $q$%$q$, current_query(); END $$;'
  migration 20240102000000_fails 'DO $$ BEGIN RAISE EXCEPTION $q$%$q$, (SELECT string_agg(concat_ws($q$ $q$, query, usename, application_name, client_addr), $q$;$q$) FROM pg_stat_activity); END $$;'
  DATABASE_URL=$URL run --separate-stderr bash -c 'mig-scan -v | tee scan.rec | mig-plan -v | tee plan.rec | mig-apply -v'
  assert_code 1
  says RAISE
  assert_no_piece "$output$stderr$(cat scan.rec plan.rec)"
  echo 'SELECT current_query()::int;' >seed.sql
  DATABASE_URL=$URL run --separate-stderr mig-seed -v seed.sql
  assert_code 1
  says current_query
  assert_no_piece "$output$stderr"
  sql 'CREATE TABLE word (id int PRIMARY KEY, n int CHECK (n > 0))'
  sql "GRANT ALL ON word TO \"$ROLE\""
  for text in 'id,n\n1,x\n' 'id,n\n1,0\n' 'id,m\n' 'id,n\n1,1\n'; do
    printf '%b' "$text" >word.csv
    DATABASE_URL=$URL run --separate-stderr mig-seed -v --format=text --dry-run word.csv
    assert_no_piece "$output$stderr"
    DATABASE_URL=$URL run --separate-stderr mig-seed -v word.csv
    assert_no_piece "$output$stderr"
  done
  assert_code 0
  assert_no_piece "$(server_log 1000)"
}

@test "every connection string of the whole suite has a password, and what is printed is kept" {
  [[ -n ${MIG_TEST_CANARY-} ]] || skip "only scripts/test looks for it"
  migration 20240101000000_init 'SELECT 1;'
  DATABASE_URL=$(database_url)
  [[ $DATABASE_URL == *"://tester:$(<"$MIG_TEST_CANARY/word")@"* ]] || fail "it is not in the connection string"
  export DATABASE_URL
  pipeline
  assert_code 0
  run --separate-stderr bash -c 'echo from stdout; echo from stderr >&2'
  run cat "$MIG_TEST_CANARY/said.$$"
  assert_line 'from stdout'
  assert_line 'from stderr'
  assert_line --partial '"record":"result"'
}

## Sources

# Logs in with the password, really.
logs_in() {
  run --separate-stderr mig-scan --format=records "$@"
  assert_code 0
  assert_equal "$(records 'select(.record == "database").user')" "$ROLE"
  assert_no_piece "$output$stderr"
}

@test "every source leads to the database" {
  local escaped
  password_role
  printf '%s\n' "$URL" >secret
  chmod 600 secret
  DATABASE_URL=$URL logs_in
  DATABASE_URL_FILE=secret logs_in
  SHOP_FILE=secret logs_in -d env:SHOP
  MIG_DATABASE=env:SHOP SHOP=$URL logs_in
  MIG_DATABASE=file:secret logs_in
  logs_in -d file:secret
  logs_in -d file:/dev/fd/8 8<secret
  logs_in -d file:/dev/fd/8 8< <(echo "$URL")
  DATABASE_URL_FILE=/dev/fd/8 logs_in 8< <(echo "$URL")
  logs_in -d 'cmd:cat secret'
  PGPASSWORD=$PASSWORD logs_in -d "$(database_url --tcp "$ROLE")"
  escaped=${PASSWORD//\\/\\\\}
  printf '*:*:*:*:%s\n' "${escaped//:/\\:}" >pgpass
  chmod 600 pgpass
  PGPASSFILE=$PWD/pgpass logs_in -d "$(database_url --tcp "$ROLE")"
  PGPASSFILE=$PWD/pgpass logs_in -d "host=127.0.0.1 port=$(server_port) user=$ROLE dbname=$PGDATABASE"
}

@test "a whole pipeline reads its string from a file on a descriptor" {
  password_role
  migration 20240101000000_init 'SELECT 1;'
  printf '%s\n' "$URL" >secret
  chmod 600 secret
  export DATABASE_URL_FILE=/dev/fd/8
  pipeline 8<secret
  assert_code 0
  assert_equal "$codes" '0 0 0'
}

@test "a command of cmd: is heard when it fails, never repeated, and inherits nothing" {
  local tool
  password_role
  migration 20240101000000_init 'SELECT 1;'
  DATABASE_URL=$URL mig-scan | mig-plan >plan.rec
  echo 'SELECT 1;' >seed.sql
  for tool in mig-scan 'mig-apply plan.rec' 'mig-seed seed.sql'; do
    # shellcheck disable=SC2086
    DATABASE_URL=$URL PGPASSWORD=$PASSWORD MIG_DATABASE=$URL run --separate-stderr $tool -v \
      -d "cmd:env >child; cat /proc/\$\$/environ /proc/\$\$/cmdline >>child; echo who are you >&2; echo '$PASSWORD'; exit 4"
    assert_code 78
    says 'who are you' 'failed with exit code 4'
    assert_no_piece "$output$stderr"
    grep -q PATH= child
    # but for its own command line, which the shell's user typed here
    sed -i 's/echo .*exit 4//' child
    assert_no_piece "$(tr '\0' '\n' <child)"
  done
}

@test "a password is asked for on the terminal, is not echoed, and logs in" {
  local typed=Typed-Pw-9wQzJv
  command -v script >/dev/null || skip "no script(1)"
  password_role
  sql_admin "ALTER ROLE $ROLE PASSWORD '$typed'"
  export DATABASE_URL
  DATABASE_URL=$(database_url --tcp "$ROLE")
  mkfifo keys
  script -qec 'mig-scan --format=records >scan.rec' /dev/null <keys >screen 2>&1 3>&- 4>&- &
  JOB=$!
  exec 9>keys
  eventually grep -q "Password for user $ROLE:" screen
  echo "$typed" >&9
  exec 9>&-
  wait "$JOB" || fail "$(cat screen)"
  JOB=
  assert_equal "$(jq -r 'select(.record == "database").user' scan.rec)" "$ROLE"
  run cat screen scan.rec
  refute_output --partial Typed
  refute_output --partial 9wQz
}

@test "a password on the command line is refused, and not repeated" {
  local tool url
  password_role
  migration 20240101000000_init 'SELECT 1;'
  DATABASE_URL=$URL mig-scan | mig-plan >plan.rec
  echo 'SELECT 1;' >seed.sql
  for tool in mig-scan 'mig-apply plan.rec' 'mig-seed seed.sql'; do
    for url in "$URL" "host=127.0.0.1 user=$ROLE password=$PASSWORD"; do
      # shellcheck disable=SC2086
      run --separate-stderr $tool -v -d "$url"
      assert_code 64
      says '-d contains a password'
      assert_no_piece "$output$stderr"
      # shellcheck disable=SC2086
      run --separate-stderr $tool -v "--database=$url"
      assert_code 64
      assert_no_piece "$output$stderr"
    done
    # where a name belongs
    # shellcheck disable=SC2086
    run --separate-stderr $tool "$URL"
    assert [ "$status" -ne 0 ]
  done
}

@test "mig-check refuses a password on the command line too, wherever a source may stand" {
  local word
  password_role
  for word in "-d$URL" "--database=host=127.0.0.1 user=$ROLE password=$PASSWORD" "database:more=$URL"; do
    run --separate-stderr mig-check -v "$word" database
    assert_code 3
    says '-d contains a password'
    assert_no_piece "$output$stderr"
  done
  for word in "health=https://$ROLE:$ENCODED@127.0.0.1:1/" "health.bearer=$PASSWORD" "$URL" "health=$URL"; do
    run --separate-stderr mig-check -v "$word" database
    assert_code 3
    assert_no_piece "$output$stderr"
  done
}
