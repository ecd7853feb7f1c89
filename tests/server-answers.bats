#!/usr/bin/env bats
# What a server says that is not one, or that is out of its mind: nothing, too much, half of it, or something else than was
# asked. Every tool ends in time, says what is the matter, and never crashes.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154
load helper

setup_file() { server_start --tcp; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
  fakes=()
}
teardown() {
  [[ ${#fakes[@]} == 0 ]] || kill "${fakes[@]}" 2>/dev/null || true
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

## Given

# A server that is none (tests/fake-server); sets $fake to its address.
fake() {
  local port fd
  exec {fd}< <(exec "$TESTS/fake-server" "$@" 3>&-)
  fakes+=($!)
  read -r port <&"$fd"
  exec {fd}<&-
  fake=postgresql://tester@127.0.0.1:$port/${PGDATABASE}
}

# What each tool needs: a plan, a seed file, records.
everything_but_the_server() {
  migration 20240101000000_t 'CREATE TABLE t (id INTEGER PRIMARY KEY);'
  mig-scan | mig-plan >plan.rec
  printf 'id\n1\n' >t.csv
}

## When

# A tool against that address, in the background: its exit code, seconds and words will be in $BATS_TEST_TMPDIR/NAME.*
start() { # NAME TOOL…
  local name=$BATS_TEST_TMPDIR/$1
  shift
  (
    code=0
    SECONDS=0
    DATABASE_URL=$fake timeout -s KILL 60 "$@" >"$name.out" 2>"$name.err" </dev/null || code=$?
    echo "$code $SECONDS" >"$name.end"
  ) 3>&- &
  started+=("$!")
}

# All tools, each with `--wait` 0 where it has it.
start_all() { # NAME
  start "$1-scan" mig-scan
  start "$1-apply" mig-apply --wait=0s plan.rec
  start "$1-seed" mig-seed --wait=0s t.csv
  start "$1-dry" mig-seed --wait=0s --dry-run t.csv
  start "$1-check" mig-check database
}

## Then

assert_ended() { # NAME SECONDS [CODE]: 69, of a check 2
  local code seconds want=${3:-69}
  [[ $1 != *-check ]] || want=2
  read -r code seconds <"$BATS_TEST_TMPDIR/$1.end"
  [[ $code == "$want" ]] || fail "$1: exit $code, expected $want: $(<"$BATS_TEST_TMPDIR/$1.err")$(<"$BATS_TEST_TMPDIR/$1.out")"
  ((seconds <= $2)) || fail "$1: took $seconds s"
}

@test "more answers than questions, of any kind, are 69 at once and never a crash" {
  everything_but_the_server
  started=()
  for mode in errors commands rows empties readies parameters copies everything; do
    fake "$mode"
    start_all "$mode"
  done
  wait "${started[@]}"
  for mode in errors commands rows empties readies parameters copies everything; do
    for tool in scan apply seed dry check; do
      assert_ended "$mode-$tool" 25
    done
  done
}

@test "a server that is silent, at whatever moment, is given up in time by every tool" {
  everything_but_the_server
  started=()
  for mode in mute mute-login silent no-version half chatter drip; do
    fake "$mode"
    start_all "$mode"
  done
  wait "${started[@]}"
  for mode in mute mute-login silent no-version half chatter drip; do
    for tool in scan apply seed dry check; do
      assert_ended "$mode-$tool" 30
    done
  done
  assert grep -q 'it does not report a version' "$BATS_TEST_TMPDIR/no-version-scan.err"
  assert grep -q 'no answer in time' "$BATS_TEST_TMPDIR/silent-scan.err"
}

@test "every unit of a check's questions has its settings, in whatever order the words are" {
  sql 'CREATE SCHEMA shop; CREATE TABLE shop."Order" (id INTEGER)'
  sql_admin "ALTER DATABASE \"$PGDATABASE\" SET log_statement = 'all'"
  local words counts=() before after first
  DATABASE_URL+="&schema=shop"
  for words in 'history relation=Order database' 'history database relation=Order' 'relation=Order history database' \
    'relation=Order database history' 'database history relation=Order' 'database relation=Order history'; do
    before=$(server_log 100000 | grep -c "set_config('statement_timeout'") || true
    # shellcheck disable=SC2086
    run --separate-stderr bash -c 'mig-scan --offline | mig-check "$@" --wait=1s --format=records database.warn=1min database.crit=1min' - $words
    after=$(server_log 100000 | grep -c "set_config('statement_timeout'") || true
    assert_equal "$status $(jq -r 'select(.record == "check") | .check + " " + .status' <<<"$output" | sort | paste -sd,)" \
      "${first:=$status $(jq -r 'select(.record == "check") | .check + " " + .status' <<<"$output" | sort | paste -sd,)}"
    counts+=("$((after - before))")
  done
  assert_equal "$(printf '%s\n' "${counts[@]}" | sort -u | wc -l)" 1
  ((counts[0] > 5)) || fail "only ${counts[0]} settings"
}

@test "a notice of the login is washed, and silent with -q" {
  fake notice
  DATABASE_URL=$fake run --separate-stderr mig-scan
  assert_code 69
  [[ $stderr == *'NOTICE: '*'hello'* ]] || fail "no notice: $stderr"
  [[ $stderr != *$'\x1b'* && $stderr != *$'\u202e'* ]] || fail "not washed: $stderr"
  ! grep -qx 'mig-scan: error: imitated' <<<"$stderr" || fail "imitated: $stderr"
  DATABASE_URL=$fake run --separate-stderr mig-scan -q
  assert_code 69
  [[ $stderr != *hello* ]] || fail "not silent: $stderr"
}

@test "--wait waits for a server that is not there yet, in every tool" {
  everything_but_the_server
  sql 'CREATE TABLE t (id INTEGER PRIMARY KEY)'
  migration 20240101000000_t 'SELECT 1;'
  mig-scan | mig-plan --baseline=20240101000000_t >plan.rec || mig-scan | mig-plan >plan.rec
  started=()
  fake late 2 "$(server_port)"
  start scan mig-scan --wait=15s
  start seed mig-seed --wait=15s t.csv
  start check mig-check database --wait=15s --timeout=20s
  start dry mig-seed --dry-run t.csv # by itself 10 s
  fake=postgresql://tester@127.0.0.1:$(free_port)/x
  start refused mig-scan
  fake=postgresql://tester@no-such-host.invalid/x
  start unknown mig-scan --wait=1s
  wait "${started[@]}"
  for tool in scan seed check dry; do assert_ended "$tool" 15 0; done
  assert_ended refused 2
  assert_ended unknown 15
  assert grep -q 'retrying for .* (--wait)' "$BATS_TEST_TMPDIR/scan.err"
}

@test "what is wrong with settings, TLS, options and poolers is told apart from a server that cannot be reached" {
  local said
  while IFS='|' read -r parameters want said; do
    DATABASE_URL="$(database_url --tcp)?$parameters" run --separate-stderr mig-scan --wait=3s
    assert_code "$want"
    [[ $stderr == *"$said"* ]] || fail "$parameters: $stderr"
    [[ $stderr != *'retrying'* ]] || fail "$parameters is waited for: $stderr"
  done <<-'EOT'
	sslmode=require|78|P1011
	channel_binding=require|78|P1011
	options=endpoint%3Dep-cool-1|78|Remove it
	options=-c%20no_such_setting%3D1|78|Remove it
	options=-c%20statement_timeout%3Dnever|78|Remove it
	EOT
  DATABASE_URL='service=no_such_service' run --separate-stderr mig-scan
  assert_code 78
}

@test "what a server says makes no line that looks like ours" {
  migration 20240101000000_t "DO \$\$ BEGIN RAISE NOTICE E'one\\nmig-apply: error: two'; RAISE E'three\\n  rolled back   step 9\\nnext: rm' USING DETAIL = E'four\\nnext: five', HINT = E'six \\u202e\\nnext: seven'; END \$\$;"
  pipeline
  assert_code 1
  assert grep -qF '    | mig-apply: error: two' <<<"$stderr"
  assert grep -qF '    |   rolled back   step 9' <<<"$stderr"
  for word in rm five seven; do assert grep -qF "    | next: $word" <<<"$stderr"; done
  [[ $stderr != *$'\u202e'* ]] || fail "a mark that turns the line around: $stderr"
}

@test "short round of tests/fuzz/mutate: what a proxy does to the server's answers is never a crash, a lie or a hang" {
  JOBS=12 BUILD=$BUILD run "$TESTS/fuzz/mutate" 12 7
  assert_success
}

# A proxy before the server that keeps back a message of a type (d: a line of COPY, D: a row): of each connection in turn the
# N-th, or where that is negative only its last 5 bytes, so that what follows it looks like its end; sets $fake.
without_message() { # TYPE[:TEXT IN IT] N…
  other_message gone "$@"
}

# The same that changes it. HOW: gone; in its place error: an error, or copy: the begin of a COPY in both directions; null=K: no
# value in the K-th column of a row, from 0.
other_message() { # HOW TYPE[:TEXT IN IT] N…
  local port fd
  exec {fd}< <(exec python3 - "$MIG_TEST_SERVER/.s.PGSQL.$(server_port)" "$@" 3>&- <<'PY'
import socket, struct, sys, threading

path, how, (kind, _, text) = sys.argv[1], sys.argv[2], sys.argv[3].encode().partition(b":")
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)


def pump(source, sink):
    while data := source.recv(65536):
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)


def message(kind, body):
    return kind + struct.pack(">i", len(body) + 4) + body


def null(body, column):
    count, at, values = struct.unpack(">h", body[:2])[0], 2, []
    for _ in range(count):
        length = struct.unpack(">i", body[at:at + 4])[0]
        values.append(body[at:at + 4 + max(length, 0)])
        at += 4 + max(length, 0)
    values[column] = struct.pack(">i", -1)
    return body[:2] + b"".join(values)


def changed(head, body):
    if how == "error":
        return message(b"E", b"SERROR\0VERROR\0C22012\0Mdivision by zero\0\0")
    if how == "copy":
        return message(b"W", b"\0\0\0")
    return message(head[:1], null(body, int(how.removeprefix("null=")))) if how != "gone" else b""


def answers(server, client, which):
    stream, seen = server.makefile("rb"), 0
    while len(head := stream.read(5)) == 5:
        body = stream.read(int.from_bytes(head[1:], "big") - 4)
        wanted = head[:1] == kind and text in body
        seen += wanted
        if not wanted or seen != abs(which):
            client.sendall(head + body)
        elif which < 0:
            client.sendall((head + body)[:-5])
        else:
            client.sendall(changed(head, body))
    client.close()


for which in map(int, sys.argv[4:]):
    client, _ = listener.accept()
    server = socket.socket(socket.AF_UNIX)
    server.connect(path)
    threading.Thread(target=pump, args=(client, server), daemon=True).start()
    threading.Thread(target=answers, args=(server, client, which)).start()
PY
)
  fakes+=($!)
  read -r port <&"$fd"
  exec {fd}<&-
  fake="postgresql://tester@127.0.0.1:$port/$PGDATABASE?sslmode=disable&gssencmode=disable"
}

@test "an answer to a statement that was lost on the way is none: 69, and what is said of the step is true" {
  local tag
  # of a script that is one transaction, of one that commits by itself, and of its row
  for tag in 'INSERT 0 7' 'INSERT 0 3' 'UPDATE 1'; do
    folder_new "$BATS_TEST_TMPDIR/${tag// /}"
    database_new
    migration 20240101000000_t 'CREATE TABLE t (id INTEGER); INSERT INTO t SELECT generate_series(1, 7);'
    migration 20240102000000_u 'CREATE TABLE u (id INTEGER); COMMIT; INSERT INTO u VALUES (1), (2), (3); COMMIT;'
    mig-scan | mig-plan >plan.rec
    without_message "C:$tag" 1 0 0 # but on the first connection, all passes
    DATABASE_URL=$fake run --separate-stderr mig-apply --wait=1s plan.rec
    echo "$tag: $status $stderr"
    [[ $status == 69 ]] || fail "taken"
    [[ $stderr == *"the server's answers do not match the questions"* ]]
    assert_equal "$(jq -r 'select(.record == "result" and .status == "applied").migration' <<<"$output")" "$(applied 2>/dev/null)"
    pipeline
    assert_code 0
    assert_equal "$(sql 'SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM u)')" '7|3'
  done
}

@test "an export in which a row was lost on the way is no export: 69, and no file" {
  local n
  sql 'CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2), (300000)'
  mkdir out
  # the header, the first row, the last one; the end of that, and what ends the COPY stands for it
  without_message d 1 2 4 -4
  for n in 1 2 4 -4; do
    DATABASE_URL=$fake run --separate-stderr mig-seed --export --into=out t
    echo "message $n: $status $stderr"
    [[ $status == 69 && ! -e out/t.csv ]] || fail "taken: $(cat out/t.csv)"
  done
  # rows of JSON come as rows of an answer; the look at the catalog has some of them too, and none of those may be missing
  without_message D {1..30}
  for n in {1..30}; do
    DATABASE_URL=$fake run --separate-stderr mig-seed --export --as=ndjson --into=out t
    [[ $status != 0 || $(wc -l <out/t.ndjson) == 3 ]] || fail "message $n: $(cat out/t.ndjson)"
    rm -f out/t.ndjson
  done
}

@test "an error that the server did not send, of a migration that was committed, is none, and what is there is told" {
  local tag
  # in its first statement, in its last one, in its COMMIT
  for tag in 'CREATE TABLE' 'CREATE INDEX' COMMIT; do
    folder_new "$BATS_TEST_TMPDIR/${tag// /}"
    database_new
    migration 20240101000000_t 'CREATE TABLE t (id INTEGER);'
    migration 20240102000000_u 'CREATE TABLE u (id INTEGER); CREATE INDEX i ON u (id);'
    migration 20240103000000_v 'CREATE TABLE v (id INTEGER);'
    mig-scan | mig-plan >plan.rec
    other_message error "C:$tag" "$([[ $tag == *X ]] && echo 1 || echo 2)" 0 0 0
    DATABASE_URL=$fake run --separate-stderr mig-apply --wait=5s plan.rec
    echo "$tag: $status $stderr"
    [[ $status == 0 && $stderr == *"but only after the last commit: the server's answers do not match the questions"* ]] || fail "taken"
    assert_equal "$(jq -r 'select(.record == "result" and .status == "applied").migration' <<<"$output")" "$(applied)"
    assert_equal "$(applied | wc -l)" 3
  done
}

@test "an answer that only replication has ends the connection, not the processor's time: 69, and what is there is told" {
  migration 20240101000000_t 'CREATE TABLE t (id INTEGER);'
  migration 20240102000000_u 'CREATE TABLE u (id INTEGER); COMMIT; CREATE TABLE v (id INTEGER); COMMIT;'
  mig-scan | mig-plan >plan.rec
  # the second but the one of the history is that of u
  for n in 2 3 4; do
    other_message copy 'C:CREATE TABLE' "$n" 0 0 0
    DATABASE_URL=$fake run --separate-stderr timeout 60 mig-apply --wait=5s plan.rec
    echo "$n: $status $stderr"
    [[ $status == 69 || $status == 0 ]] || fail "it ended otherwise"
    assert_equal "$(jq -r 'select(.record == "result" and .status == "applied").migration' <<<"$output")" "$(applied)"
    pipeline
    assert_code 0
    sql 'DROP SCHEMA public CASCADE; CREATE SCHEMA public'
  done
}

@test "an export whose begin was lost is no export: 69, and no file" {
  sql 'CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2)'
  mkdir out
  without_message H 1
  DATABASE_URL=$fake run --separate-stderr mig-seed --export --into=out t
  [[ $status == 69 && ! -e out/t.csv ]] || fail "taken: $status $(cat out/t.csv)"
}

@test "a row of the catalog in which a value is missing is no answer: 69, and nothing is written" {
  local column
  sql 'CREATE TABLE t (id INTEGER PRIMARY KEY, late INTEGER DEFAULT 7)'
  printf 'id\n1\n' >t.csv
  # of each column that mig-seed reads of a column, but the sequence
  for column in 0 1 2 3 4 5 6 7 9 10; do
    other_message "null=$column" D:late 1
    DATABASE_URL=$fake run --separate-stderr mig-seed t.csv
    echo "column $column: $status $stderr"
    [[ $status == 69 ]] || fail "taken"
  done
  assert_equal "$(sql 'SELECT count(*) FROM t')" 0
}
