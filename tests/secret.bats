#!/usr/bin/env bats
# Where a connection string comes from, what is said when there is none, and where it is in memory (lib/secret/secret.c).
# tool_secret opens one as the tools do; tool_memscan looks into a process.
# shellcheck disable=SC2016,SC2030,SC2031

load helper
load memory

setup_file() { server_start --tcp; }
teardown_file() { server_stop; }

setup() {
  database_new
  unset DATABASE_URL
  cd "$BATS_TEST_TMPDIR" || return 1
  URL='postgresql://u:Xk9wQzJv7Gy4@db.example.com:6432/shop'
}

teardown() {
  stopped_kill
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

tool() { run --separate-stderr "$BUILD/tests/tool_secret" "$@"; }

opens() {
  tool "$@"
  assert_code 0
  assert_line 'user u host db.example.com port 6432 database shop'
  assert_line 'password 12'
  says_no_secret
}

# refuses CODE MESSAGE [OPTION...]
refuses() {
  local code=$1 message=$2
  shift 2
  tool "$@"
  assert_code "$code"
  # shellcheck disable=SC2053,SC2154
  [[ ${stderr_lines[0]} == $message ]] || fail "${stderr_lines[0]}" || return 1
  assert_equal "$output" ''
  says_no_secret
}

says_no_secret() {
  local i secret=Xk9wQzJv7Gy4
  # shellcheck disable=SC2154
  for ((i = 0; i + 4 <= ${#secret}; i++)); do
    [[ $output$stderr != *"${secret:i:4}"* ]] || fail "a piece of the password was printed" || return 1
  done
}

says() {
  [[ $stderr == *"$1"* ]] || fail "not said: $1, but: $stderr"
}

says_not() {
  [[ $stderr != *"$1"* ]] || fail "said: $1"
}

secret_file() {
  printf '%s\n' "${1-$URL}" >"$BATS_TEST_TMPDIR/secret"
  chmod "${2-600}" "$BATS_TEST_TMPDIR/secret"
}

## Sources

@test "DATABASE_URL is the default" {
  DATABASE_URL=$URL opens
}

@test "-d env:NAME reads another variable" {
  PROD_DATABASE_URL=$URL opens -d env:PROD_DATABASE_URL
}

@test "MIG_DATABASE says where the string is, and -d overrules it" {
  MIG_DATABASE=env:PROD PROD=$URL opens
  MIG_DATABASE=env:NOWHERE PROD=$URL opens -d env:PROD
  secret_file
  MIG_DATABASE=file:$BATS_TEST_TMPDIR/secret opens
}

@test "NAME_FILE names a file, for every variable" {
  secret_file
  DATABASE_URL_FILE=$BATS_TEST_TMPDIR/secret opens
  PROD_FILE=$BATS_TEST_TMPDIR/secret opens -d env:PROD
}

@test "a variable and its file together are refused, naming both" {
  secret_file
  DATABASE_URL=$URL DATABASE_URL_FILE=$BATS_TEST_TMPDIR/secret \
    refuses 78 '*: error: both DATABASE_URL and DATABASE_URL_FILE are set; only one is allowed'
}

@test "of a file the first line counts, whatever its line ends are" {
  secret_file "$URL"$'\r\nmore'
  opens -d "file:$BATS_TEST_TMPDIR/secret"
  printf %s "$URL" >secret
  opens -d file:secret
}

@test "a descriptor can be read, also one that is a pipe" {
  opens -d file:/dev/fd/7 7< <(echo "$URL")
  secret_file
  opens -d file:/dev/fd/7 7<secret
}

@test "a file that others can read is refused" {
  secret_file "$URL" 640
  refuses 78 '*: error: the file "*/secret" can be read by other users' -d "file:$BATS_TEST_TMPDIR/secret"
  says "chmod 600 $BATS_TEST_TMPDIR/secret"
  secret_file "$URL" 604
  DATABASE_URL_FILE=$BATS_TEST_TMPDIR/secret refuses 78 '*: error: the file "*/secret" (DATABASE_URL_FILE) can be read by other users'
}

@test "a read-only mount may have any mode, as container secrets do" {
  ((EUID == 0)) || skip "only root can mount"
  secret_file "$URL" 444
  mkdir mount
  run unshare --mount sh -c '
    mount -t tmpfs none mount && cp secret mount/ && chmod 444 mount/secret && mount -o remount,ro mount || exit 99
    exec "$BUILD/tests/tool_secret" -d file:mount/secret'
  ((status != 99 && status != 1)) || skip "mounting is not allowed here"
  assert_success
  assert_line 'password 12'
}

@test "a file that is not there, a folder, an empty file" {
  refuses 78 '*: error: cannot read the file "nowhere": No such file or directory' -d file:nowhere
  refuses 78 '*: error: cannot read the file ".": Is a directory' -d file:.
  secret_file ''
  refuses 78 '*: error: no connection string: the first line of the file "secret" is empty' -d file:secret
}

@test "a file that we may not read is a matter of permission" {
  local dir
  local -a step_down=()
  if ((EUID == 0)); then
    step_down=(setpriv --reuid "$(server_user)" --regid "$(id -g "$(server_user)")" --clear-groups --)
  fi
  dir=$(mktemp -d /tmp/mig.XXXXXX)
  chmod 755 "$dir"
  cp "$BUILD/tests/tool_secret" "$dir"
  printf '%s\n' "$URL" >"$dir/secret"
  chmod 000 "$dir/secret"
  run --separate-stderr "${step_down[@]}" "$dir/tool_secret" -d "file:$dir/secret"
  rm -rf "$dir"
  assert_code 77
  says 'Permission denied'
}

@test "a string where a path should be is not repeated" {
  DATABASE_URL_FILE=$URL refuses 78 '*: error: cannot read the file that DATABASE_URL_FILE names: No such file or directory'
  says 'Expected a path there, but this is a connection string'
}

@test "a line that has no end is refused" {
  head -c 70000 /dev/zero | tr '\0' x >secret
  chmod 600 secret
  refuses 78 '*: error: cannot read the file "secret": its first line is too long' -d file:secret
}

@test "-d cmd: takes the first line that a command prints" {
  opens -d "cmd:printf '%s\n' '$URL'; seq 1 100000"
}

@test "a command that fails, is ended, prints nothing or null is said to" {
  refuses 78 '*: error: no connection string: the command after "cmd:" failed with exit code 3' -d "cmd:echo '$URL'; exit 3"
  refuses 78 '*: error: no connection string: the command after "cmd:" was ended by signal 9' -d "cmd:echo '$URL'; kill -9 \$\$"
  refuses 78 '*: error: no connection string: the command after "cmd:" printed nothing' -d 'cmd:true'
  refuses 78 '*: error: no connection string: the command after "cmd:" printed null: the key does not exist' -d 'cmd:echo null'
}

@test "the JSON of a secret manager is a connection string, on one line or many, from each source" {
  local text
  for text in '{"username":"u","password":"Xk9wQzJv7Gy4","engine":"postgres","host":"db.example.com","port":6432,"dbname":"shop"}' \
    '{ "tags" : [{"a":"]}"}, null, -1.5e3], "port" : "6432", "password":"\u0058k9w\u0051zJv7Gy4" ,"host":"db.example.com","user":"u","database":"sh\u006fp"}' \
    $'{\n  "host": "db.example.com",\n  "port": 6432,\n  "username": "u",\n  "password": "Xk9wQzJv7Gy4",\n  "dbname": "shop",\n  "ssl": true\n}\n'; do
    printf '%s' "$text" >json
    chmod 600 json
    opens -d file:json
    opens -d 'cmd:cat json'
    DATABASE_URL=$text opens
  done
  # an escaped pair of surrogates, and quotes
  cat >json <<<'{"username":"u","host":"h","password":"\"\ud83d\ude00"}'
  tool -d file:json
  assert_line 'password 5'
}

@test "JSON without a host or a user, or that is none, is refused with its place and not repeated" {
  local text place
  while IFS='~' read -r place text; do
    printf '%s' "$text" >json
    chmod 600 json
    refuses 78 "*: error: the connection string cannot be used (the file \"json\", character $place" -d file:json
  done <<'JSON'
1): JSON without a host~{"username":"u","password":"Xk9wQzJv7Gy4"}
1): JSON without a username~{"host":"h","password":"Xk9wQzJv7Gy4","username":null}
2): not valid JSON~{}
15): not valid JSON~{"host":"h",  }
15): not valid JSON~{"password" : Xk9wQzJv7Gy4}
15): a NUL byte~{"password":"X\u0000k9wQzJv7Gy4","host":"h","user":"u"}
12): something like a password in the wrong place~{"host":"h;password=Xk9wQzJv7Gy4","user":"u"}
24): the port is not a number from 1 to 65535~{"host":"h","user":"u","port":99999}
13): a quote that is not closed~{"password":"Xk9wQzJv7Gy4
39): something behind the JSON object~{"host":"h","user":"u","password":"X"}     Xk9wQzJv7Gy4
28): a second password~{"password":"Xk9wQzJv7Gy4","password":"Xk9wQzJv7Gy4"}
JSON
  refuses 64 '*: error: the bearer token *' -t 'bearer token' -d '{"token":"Xk9wQzJv7Gy4"}'
}

@test "a command that hangs, in whatever way, is ended with its children after MIG_SOURCE_TIMEOUT, 10 s by default" {
  local command
  export MIG_SOURCE_TIMEOUT=1s
  for command in "sleep 4321; echo '$URL'" "echo '$URL'; exec >&-; sleep 4321" yes "yes '$URL'" "(sleep 4321) | cat"; do
    refuses 78 '*: error: no connection string: the command after "cmd:" did not end within 1 s, and was ended' -d "cmd:$command"
    says 'MIG_SOURCE_TIMEOUT=2min'
  done
  run pgrep -f 'sleep 4321'
  assert_failure 1
  MIG_SOURCE_TIMEOUT=soon refuses 78 '*: error: MIG_SOURCE_TIMEOUT is not a time from 1ms to 1h, like 10s or 2min' -d 'cmd:true'
}

@test "a file that libpq would read and that is a FIFO is refused before anybody waits for it" {
  local parameter
  mkfifo fifo
  for parameter in sslrootcert sslcert sslkey sslcrl; do
    refuses 78 "*: error: cannot read the file of $parameter, fifo: it is not a regular file, but a FIFO, a socket or a device" \
      -d "host=h sslmode=require $parameter=fifo"
  done
  PGSERVICEFILE=fifo refuses 78 '*: error: cannot read the file of PGSERVICEFILE: it is not a regular file, but a FIFO, *' -d service=shop
}

@test "what a command says on standard error is shown" {
  tool -d 'cmd:echo who are you >&2; exit 1'
  says 'who are you'
}

@test "a command does not eat our standard input" {
  run bash -c 'echo record | { "$BUILD/tests/tool_secret" -d "cmd:cat; echo postgresql://h/d"; cat; }'
  assert_line 'user - host h port 5432 database d'
  assert_line record
}

@test "a command's environment has no secrets" {
  DATABASE_URL=$URL PGPASSWORD=Xk9wQzJv7Gy4 TOKEN=Xk9wQzJv7Gy4 MIG_DATABASE=$URL \
    tool -d 'cmd:env >child; echo postgresql://h/d' env:TOKEN
  assert_code 0
  run grep -e Xk9w -e DATABASE_ -e PGPASSWORD child
  assert_failure
}

@test "a string without a password may be given as it is" {
  tool -d 'postgresql://u@h:1/d'
  assert_line 'user u host h port 1 database d'
  tool -d 'host=h user=u dbname=d'
  assert_line 'user u host h port 0 database d'
  assert_line 'password 0'
  tool -d shop
  assert_line 'user - host - port 0 database shop'
  MIG_DATABASE='host=h user=u dbname=d' tool
  assert_line 'user u host h port 0 database d'
}

@test "one with a password is refused on a command line, and in MIG_DATABASE" {
  refuses 64 '*: error: -d contains a password; it must only say where the string is' -d "$URL"
  refuses 64 '*: error: -d contains a password; it must only say where the string is' -d 'host=h password=Xk9wQzJv7Gy4'
  MIG_DATABASE=$URL refuses 78 '*: error: MIG_DATABASE contains a password; it must only say where the string is'
}

@test "PGPASSWORD is the password of a string that has none" {
  PGPASSWORD=Xk9wQzJv7Gy4 opens -d 'postgresql://u@db.example.com:6432/shop'
  PGPASSWORD=other DATABASE_URL=$URL opens
}

@test "a source that says nothing is refused" {
  refuses 64 '*: error: "env:" must be followed by the name of a variable' -d env:
  refuses 64 '*: error: "env:" must be followed by the name of a variable' -d 'env:A B'
  refuses 64 '*: error: "file:" must be followed by a path' -d file:
  refuses 64 '*: error: "cmd:" must be followed by a command' -d cmd:
  refuses 64 '*: error: the connection string cannot be used (-d, character 1): neither a URL nor a keyword string' -d vault:secret/db
  says '-d takes env:NAME, file:PATH, cmd:COMMAND, or a string without a password.'
}

@test "the name of a variable is not taken for a database" {
  PROD_DATABASE_URL=$URL refuses 64 '*: error: -d PROD_DATABASE_URL: that is a variable, not a database' -d PROD_DATABASE_URL
  says '-d env:PROD_DATABASE_URL'
}

@test "a word in a variable is not taken for a database: it may be a password" {
  DATABASE_URL=Xk9wQzJv7Gy4 refuses 78 '*: error: the connection string cannot be used (DATABASE_URL, character 1): neither a URL nor a keyword string'
}

@test "a malformed string is refused with position, rule and remedy" {
  DATABASE_URL='postgresql://u:Xk9wQzJv#7Gy4@h/d' \
    refuses 78 '*: error: the connection string cannot be used (DATABASE_URL, character 24): an unencoded # in the password'
  says '  In a password write # as %23.'
}

@test "other secrets come the same ways" {
  TOKEN=Xk9wQzJv7Gy4 tool -t 'bearer token' -d env:TOKEN
  assert_output 'password 12'
  secret_file Xk9wQzJv7Gy4
  TOKEN_FILE=secret tool -t 'bearer token' -d env:TOKEN
  assert_output 'password 12'
  refuses 78 '*: error: no bearer token: TOKEN is not set' -t 'bearer token' -d env:TOKEN
  refuses 64 '*: error: the bearer token must be given as env:NAME, file:PATH or cmd:COMMAND, *' -t 'bearer token' -d Xk9wQzJv7Gy4
}

@test "a password that is asked for is not echoed" {
  command -v script >/dev/null || skip "no script(1)"
  run bash -c '{ sleep 0.5; echo Xk9wQzJv7Gy4; } | script -qec "$BUILD/tests/tool_secret -a" /dev/null'
  assert_output --partial 'password 12'
  refute_output --partial Xk9w
}

## No connection string

@test "unset: the page with the ways" {
  refuses 78 '*: error: no connection string: DATABASE_URL is not set' </dev/null
  says '  mig never guesses a database. Say where the string is in one of these ways:'
  says '    read -rs DATABASE_URL; export DATABASE_URL '
  says '  A .env file is not read.'
  # shellcheck disable=SC2154
  assert_equal "${#stderr_lines[@]}" 8
}

@test "empty is not unset" {
  DATABASE_URL='' refuses 78 '*: error: no connection string: DATABASE_URL is set, but empty' </dev/null
  says '  A reference to an empty variable can cause this.'
}

@test "no .env file is read, and localhost is not tried" {
  echo "DATABASE_URL=$URL" >.env
  PGHOST=localhost refuses 78 '*: error: no connection string: DATABASE_URL is not set' </dev/null
}

@test "variables that may be meant are named, without their values" {
  PROD_DATABASE_URL=$URL EMPTY_DATABASE_URL='' refuses 78 '*: error: no connection string: DATABASE_URL is not set' </dev/null
  says '  PROD_DATABASE_URL is set: -d env:PROD_DATABASE_URL'
  says_not EMPTY_DATABASE_URL
  DATABASE_URL=$URL refuses 78 '*: error: no connection string: OTHER is not set' -d env:OTHER </dev/null
  says '  DATABASE_URL is set: -d env:DATABASE_URL'
}

@test "behind a pipe the commonest slip is explained" {
  PROD_DATABASE_URL=$URL run --separate-stderr bash -c 'true | "$BUILD/tests/tool_secret" -n mig-apply'
  assert_code 78
  assert_equal "${#stderr_lines[@]}" 3
  assert_equal "${stderr_lines[0]}" 'mig-apply: error: no connection string: DATABASE_URL is not set'
  assert_equal "${stderr_lines[1]}" '  Before a pipe, `DATABASE_URL=… mig-scan` sets it for mig-scan alone. Export it, then run the pipe:'
  assert_equal "${stderr_lines[2]}" '    export DATABASE_URL="$PROD_DATABASE_URL"'
  says_no_secret
}

## Memory

@test "control: a program that takes no care is full of copies" {
  needs_scrub
  password_role
  DATABASE_URL=$URL start "$BUILD/tests/tool_naive"
  go_on
  look
  assert_failure 1
  assert_line --regexp '^password readable=[1-9]'
  assert_line --regexp '^encoded readable=[1-9]'
  assert_line --regexp '^url readable=[1-9].* environ=1 '
  go_on
  look
  assert_failure 1
  ends
  assert_equal "$(<out)" 'connected yes'
}

@test "no copy is readable before, while connected, and after, from whatever source" {
  local source
  needs_scrub
  password_role
  printf '%s\n' "$URL" >secret
  chmod 600 secret
  printf 'host=127.0.0.1 port=%s user=%s dbname=%s password=%s\n' "$(server_port)" "$ROLE" "$PGDATABASE" "$PASSWORD" >keywords
  chmod 600 keywords
  for source in env:DATABASE_URL env:SHOP_URL file:secret file:keywords 'cmd:cat secret'; do
    if [[ $source == env:* ]]; then
      export "${source#env:}=$URL"
    fi
    start "$BUILD/tests/tool_secret" -csd "$source"
    unset SHOP_URL
    assert_no_copy
    assert_line --regexp '^password readable=0 noaccess=[1-9]'
    go_on
    assert_no_copy
    go_on
    assert_no_copy
    ends
    assert_line --partial 'password readable=0 noaccess=0'
    run cat out err
    assert_line 'password 40'
    assert_line 'connected yes'
  done
}

@test "short and long passwords leave no copy either" {
  local length
  needs_scrub
  for length in 8 12 16 20 23 24 31 64 100; do
    password_role "$length"
    DATABASE_URL=$URL start "$BUILD/tests/tool_secret" -cs
    assert_no_copy
    go_on
    assert_no_copy
    ends_after_two
    grep -q 'connected yes' out
  done
}

ends_after_two() {
  go_on
  assert_no_copy
  ends
}

@test "a login that fails leaves no copy, and says why" {
  needs_scrub
  password_role
  sql_admin "ALTER ROLE $ROLE PASSWORD 'another'"
  DATABASE_URL=$URL start "$BUILD/tests/tool_secret" -cs
  go_on
  assert_no_copy
  ends_after_two
  run cat out
  assert_line 'connected no'
  assert_line --partial "password authentication failed for user \"$ROLE\""
}

@test "a password of PGPASSWORD or of a password file leaves no copy" {
  needs_scrub
  password_role
  local plain
  plain=$(database_url --tcp "$ROLE")
  DATABASE_URL=$plain PGPASSWORD=$PASSWORD start "$BUILD/tests/tool_secret" -cs
  assert_no_copy
  go_on
  assert_no_copy
  ends_after_two
  local escaped=${PASSWORD//\\/\\\\}
  printf '*:*:*:*:%s\n' "${escaped//:/\\:}" >pgpass
  chmod 600 pgpass
  DATABASE_URL=$plain PGPASSFILE=$PWD/pgpass start "$BUILD/tests/tool_secret" -cs
  go_on
  assert_no_copy
  ends_after_two
  grep -q 'connected yes' out
}

@test "a password that is also the user's name destroys nothing that is shown" {
  needs_scrub
  password_role
  sql_admin "ALTER ROLE $ROLE PASSWORD '$ROLE'"
  DATABASE_URL=$(database_url --tcp "$ROLE:$ROLE") tool -c
  assert_line 'connected yes'
  assert_line "as $ROLE at 127.0.0.1, database $PGDATABASE"
  sql_admin "ALTER ROLE $ROLE PASSWORD '${PGDATABASE%?}'"
  DATABASE_URL=$(database_url --tcp "$ROLE:${PGDATABASE%?}") tool -c
  assert_line 'connected yes'
  assert_line "as $ROLE at 127.0.0.1, database $PGDATABASE"
}

@test "other processes of the same user cannot look" {
  local dir
  local -a step_down=()
  dir=$(mktemp -d /tmp/mig.XXXXXX)
  cp "$BUILD/tests/tool_secret" "$BUILD/tests/tool_memscan" "$dir"
  chmod -R 755 "$dir"
  if ((EUID == 0)); then
    step_down=(setpriv --reuid "$(server_user)" --regid "$(id -g "$(server_user)")" --clear-groups --)
  fi
  DATABASE_URL=$URL start "${step_down[@]}" "$dir/tool_secret" -s
  run "${step_down[@]}" "$dir/tool_memscan" "$STOPPED" <<<"url	$URL"
  rm -rf "$dir"
  assert_failure 3
  run grep 'Max core file size' "/proc/$STOPPED/limits"
  assert_output --regexp '^Max core file size +0 +0 '
  go_on
  ends
}
