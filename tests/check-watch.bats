#!/usr/bin/env bats
# mig-check over time: --wait, --watch and --timeout, logs as they grow, a release of a demo application, real cron.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words
load http

setup_file() {
  server_start
  http_start
  export PLAIN=http://127.0.0.1:$HTTP
}
teardown_file() {
  http_stop
  server_stop
}
setup() {
  database_new
  folder_new
}
teardown() {
  sessions_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

## A picture

well_formed() { python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' "$1"; }

@test "a picture has a line for each check that is polled, from the deploy on, and a bar for each of its steps" {
  migration '1_a&b' 'CREATE TABLE one ();'
  migration 2_two 'CREATE TABLE two (id integre);'
  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply 2>/dev/null |
    mig-check deploy database health="$PLAIN/ok" --watch=300ms --interval=20ms --format=svg -o deploy.svg'
  assert_code 2
  assert_line --partial 'deploy'
  well_formed deploy.svg
  assert_equal "$(grep -c '<polyline' deploy.svg)" 2
  grep -qE '>health: at most [0-9]+ ms<' deploy.svg || fail "$(cat deploy.svg)"
  grep -qE '>1_a&amp;b, [0-9.]+ s<' deploy.svg || fail "$(cat deploy.svg)"
  assert_equal "$(grep -c '<rect.*fill:#27ae60' deploy.svg) $(grep -c '<rect.*fill:#c0392b' deploy.svg)" '1 1'

  run --separate-stderr mig-check --format=svg -o deploy.svg nonsense
  assert_code 3
  well_formed deploy.svg
  grep -q 'UNKNOWN: there is no check' deploy.svg
}

## history

@test "a pod waits until its migrations are recorded, with an offline scan" {
  migration 1_one 'CREATE TABLE one ();'
  migration 2_two 'CREATE TABLE two ();'
  begin bash -c 'mig-scan --offline | mig-check history --wait=20s --interval=50ms'
  eventually idle
  kill -0 "$JOB"
  pipeline
  finish
  assert_code 0
  assert_output 'OK: history: 2 applied, 0 pending'
}

@test "a wait that is over tells what is still missing" {
  migration 1_one 'CREATE TABLE one ();'
  run --separate-stderr bash -c 'mig-scan --offline | mig-check history --wait=200ms --interval=50ms'
  assert_code 1
  assert_line --index 0 "WARNING: $PGDATABASE at $MIG_TEST_SERVER: history: 1 pending"
}

@test "what time does not mend is not waited for" {
  local began=$SECONDS
  migration 1_one 'CREATE TABLE one ();'
  recorded 1_one finished "$(sha256sum <<<other)"
  run --separate-stderr bash -c 'mig-scan --offline | mig-check history --wait=60s --interval=50ms'
  assert_code 1
  shows '1 edited'
  run --separate-stderr bash -c 'mig-scan --offline | mig-check history --wait=60s --watch=100ms --interval=50ms'
  assert_code 1
  shows '1 edited'
  run --separate-stderr bash -c "$(printf '%q ' printf '%s\n' "$(forged mig-scan 69 'cannot reach it')") | mig-check history --wait=60s"
  assert_code 2
  assert [ $((SECONDS - began)) -lt 30 ]
}

@test "each state may be told to mean something else" {
  migration 1_one 'CREATE TABLE one ();'
  mig-scan -o scan.rec >/dev/null
  run --separate-stderr mig-check history history.pending=critical <scan.rec
  assert_code 2
  run --separate-stderr mig-check history history.pending=ok <scan.rec
  assert_code 0
  assert_output 'OK: history: 1 pending'
}

## --watch

@test "--watch ends well when its time is over" {
  run --separate-stderr mig-check database database.warn=1min health="$PLAIN/ok" --watch=300ms --interval=50ms
  assert_code 0
  assert_output 'OK: database, health'
}

@test "--watch judges by change: rollbacks and deadlocks that were not there before" {
  begin mig-check database -v --watch=20s --interval=200ms
  eventually watching
  printf 'SELECT nope;%.0s\n' {1..40} | client psql -XAtq >/dev/null 2>&1
  finish
  assert_code 1
  assert_line --index 0 --regexp '^WARNING: .* at .*: database: [0-9]+ rollbacks in [0-9]+ s$'
  shows 'before; the server'
}

@test "--watch: what it asks itself is no rollback" {
  migration 1_one 'SELECT 1;'
  recorded_all
  sql_admin 'SELECT pg_stat_reset()' >/dev/null
  run --separate-stderr bash -c 'mig-scan | mig-check history database database.warn=1min --watch=1s --interval=10ms'
  assert_code 0
  assert_output 'OK: history, database'
}

@test "--watch: a deadlock that was not there before is WARNING" {
  sql 'CREATE TABLE a (); CREATE TABLE b ()'
  begin mig-check database -v --watch=20s --interval=200ms
  eventually between_looks
  for tables in 'a b' 'b a'; do
    CLIENT_ROLE=postgres client psql -XAtq >/dev/null 2>&1 3>&- 4>&- <<<"SET deadlock_timeout = '100ms'; BEGIN;
      LOCK ${tables% *}; SELECT pg_sleep(0.2); LOCK ${tables#* };" &
  done
  finish
  assert_code 1
  assert_line --index 0 --regexp '^WARNING: .* at .*: database: 1 deadlock in [0-9]+ s$'
}

@test "--watch: a WARNING that was there when it began does not end it, one that is worse does" {
  sql 'CREATE TABLE a (a int); ALTER TABLE a ADD CHECK (a > 0) NOT VALID'
  run --separate-stderr mig-check database database.warn=1min --watch=300ms --interval=50ms
  assert_code 1
  shows 'is not validated'
  begin mig-check database relation=a -v --watch=20s --interval=50ms
  eventually watching
  sql 'DROP TABLE a'
  finish
  assert_code 2
  assert_line --index -1 "CRITICAL: $PGDATABASE at $MIG_TEST_SERVER: relation:a: a does not exist"
}

@test "--watch: one bad look alone is no verdict, two are" {
  begin mig-check database -v --watch=1s --interval=300ms
  eventually between_looks
  sql_admin "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name = 'mig-check'" >/dev/null
  finish
  assert_code 0
  begin mig-check database -v --watch=20s --interval=200ms
  eventually between_looks
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT 0"
  sql_admin "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name = 'mig-check'" >/dev/null
  finish
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT -1"
  assert_code 2
  shows 'too many connections'
}

@test "--watch: a bad look that comes last is confirmed, or not, by one more" {
  begin mig-check database -v --watch=600ms --interval=500ms
  eventually between_looks
  sql_admin "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name = 'mig-check'" >/dev/null
  finish
  assert_code 0
}

# Whether the first look of the mig-check that began with -v has ended.
watching() {
  grep -q 'watching for' "$JOB_ERR"
}

# Whether that has ended and the next has not begun.
between_looks() {
  watching && idle
}

# Whether mig-check is connected, and asks nothing.
idle() {
  [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name = 'mig-check'
    AND state = 'idle'") -gt 0 ]]
}

@test "what cannot change is not watched" {
  local began=$SECONDS
  run --separate-stderr bash -c 'echo fine | mig-check log=- --watch=1min'
  assert_code 0
  assert [ $((SECONDS - began)) -lt 30 ]
}

## --timeout

@test "--timeout ends what waits for a tool that does not end" {
  # nobody closes it, so it never ends
  mkfifo stream
  exec 9<>stream
  run --separate-stderr mig-check history --timeout=200ms <stream
  assert_code 3
  shows 'UNKNOWN: history: the previous command was still running when --timeout was over'
  run --separate-stderr mig-check history health="$PLAIN/ok" --timeout=200ms <stream
  assert_code 3
  assert_line --regexp '^UNKNOWN +health +not checked: --timeout was over'
  printf '%s\n' '{"record":"stream","kind":"scan","version":1}' >&9
  run --separate-stderr mig-check history --timeout=200ms <stream
  exec 9>&-
  assert_code 3
  shows 'was still running when --timeout was over'
}

@test "--timeout bounds the whole, also of a stream that comes late and does not end" {
  local began ended
  mkfifo stream
  began=$(date +%s%3N)
  { sleep 2; printf '%s\n' '{"record":"stream","kind":"scan","version":1}'; exec sleep 60; } >stream 3>&- 4>&- &
  run --separate-stderr mig-check history --timeout=3s <stream
  ended=$(date +%s%3N)
  kill $!
  assert_code 3
  # a limit that began with the stream would be over after 5 s
  assert [ $((ended - began)) -lt 4900 ]
}

@test "--timeout bounds a wait and a watch" {
  local began=$SECONDS
  run --separate-stderr mig-check health="$PLAIN/status/503" --wait=60s --interval=50ms --timeout=300ms
  assert_code 2
  run --separate-stderr mig-check health="$PLAIN/ok" --watch=60s --interval=50ms --timeout=300ms
  assert_code 0
  run --separate-stderr mig-check health="$PLAIN/hang" database --timeout=3s database.warn=1min database.crit=1min
  assert_code 2
  assert_line --regexp '^OK +database '
  shows 'health: no answer; gave up after 3.00 s (--timeout)'
  assert [ $((SECONDS - began)) -lt 30 ]
}

## log

@test "log: lines that say that schema and code disagree are CRITICAL; of a line only that is shown" {
  local line
  printf '%s\n' 'info: started' 'error: something else, customer 4711' >app.log
  run --separate-stderr mig-check log=app.log
  assert_code 0
  assert_output 'OK: log: 2 lines, 1 of errors'
  while read -r line; do
    printf 'info: started\n%s customer 4711\n' "$line" >bad.log
    run --separate-stderr mig-check log=bad.log
    assert_code 2
    shows 'CRITICAL: log: 1 line that shows that schema and code disagree: '
    shows_not 4711
  done <<-'LINES'
	ERROR:  column "couponCode" does not exist at character 8
	{"level":"error","msg":"column \"couponCode\" of relation \"Order\" does not exist"}
	error: relation "LegacyCoupon" does not exist
	The column `Order.couponCode` does not exist in the current database.
	The table `public.LegacyCoupon` does not exist in the current database.
	PrismaClientKnownRequestError code: 'P2022'
	ERROR: cached plan must not change result type
	ERROR: null value in column "note" of relation "Order" violates not-null constraint
	invalid input value for enum "Currency": "CHF"
	LINES
}

@test "log: a last line without a line break is a line, in one look and when a watch ends" {
  printf 'ok\nERROR: relation "users" does not exist' >x.log
  run --separate-stderr mig-check log=x.log
  assert_code 2
  printf 'ERROR: relation "users" does not exist' | run --separate-stderr mig-check log=-
  assert_code 2
  printf 'ok\n' >x.log
  mig-check log=x.log --watch=600ms --interval=100ms >watch.out 3>&- &
  local pid=$! code=0
  printf 'ERROR: relation "users" does not exist' >>x.log
  wait "$pid" || code=$?
  assert_equal "$code $(grep -c 'CRITICAL: ' watch.out)" '2 1'
}

@test "log: a NUL in a line does not hide what stands behind it" {
  printf 'ok\n\0\0\0\0ERROR: relation "users" does not exist\nok\n' >x.log
  run --separate-stderr mig-check log=x.log
  assert_code 2
  printf '\0\0ERROR at once\nsome\0ERROR: P2022\n' >x.log
  run --separate-stderr mig-check log=x.log log.pattern='^ERROR at once'
  assert_code 2
  shows '2 lines'
}

@test "log: a field that says that there was no error makes no line of errors" {
  printf '%s\n' '{"level":"info","error":null}' 'level=info error=<nil> fatal=false' '{"error":"","x":1}' >x.log
  run --separate-stderr mig-check -v log=x.log
  shows '3 lines, 0 of errors'
  printf '%s\n' '{"error":null,"msg":"a fatal one"}' '{"error":"null pointer"}' 'error=0x17' >x.log
  run --separate-stderr mig-check -v log=x.log
  shows '3 lines, 3 of errors'
}

@test "log: patterns of one's own, and what is passed over" {
  printf '%s\n' 'boom 17' 'column "a" does not exist' >app.log
  run --separate-stderr mig-check log=app.log 'log.ignore=column "a"'
  assert_code 0
  run --separate-stderr mig-check log=app.log 'log.ignore=column "a"' 'log.pattern=boom [0-9]+' log.pattern=nope
  assert_code 2
  shows 'boom 17'
  run --separate-stderr mig-check log=app.log 'log.pattern=('
  assert_code 3
  says 'log.pattern=(: '
  run --separate-stderr mig-check log=nowhere.log
  assert_code 3
  shows 'cannot read nowhere.log: No such file'
}

@test "log: what is passed over in one wins over what is in all, whichever comes first" {
  local words
  echo 'column "a" does not exist' >app.log
  for words in 'log.ignore=column log:app.ignore=nope' 'log:app.ignore=nope log.ignore=column'; do
    # shellcheck disable=SC2086
    run --separate-stderr mig-check log:app=app.log $words
    assert_code 2
  done
}

@test "log: from standard input to its end, or as it comes" {
  run --separate-stderr bash -c 'printf "a\ncolumn x does not exist" | mig-check log=-'
  assert_code 2
  run --separate-stderr bash -c 'mig-check log=<(printf "a\n"; sleep 0.2; printf "column x does not exist")'
  assert_code 2
  # nobody writes to it, or no end ever comes
  mkfifo fifo
  for file in fifo /dev/zero; do
    run --separate-stderr mig-check "log=$file"
    assert_code 3
    shows "cannot read $file: it is not a regular file, but a FIFO, a socket or a device"
  done
  run --separate-stderr bash -c 'printf "a\nb\n" | mig-check log=-'
  assert_code 0
  assert_output 'OK: log: 2 lines, 0 of errors'
  run --separate-stderr bash -c '{ echo a; sleep 0.2; echo "column x does not exist"; sleep 0.3; } | mig-check log=- --watch=20s --interval=50ms'
  assert_code 2
}

@test "log: while it is watched what was there before does not count, and a rotation is followed" {
  echo 'error: column "old" does not exist' >app.log
  begin mig-check log=app.log -v --watch=20s --interval=50ms
  eventually watching
  mv app.log app.log.1
  echo 'info: fine' >app.log
  echo 'error: column "new" does not exist' >>app.log
  finish
  assert_code 2
  shows 'column "new" does not exist'
  shows_not old
}

@test "log: a rotation is counted once, and a pipe that is quiet is no error" {
  printf 'info: %s\n' {1..100} >app.log
  begin mig-check log=app.log -v --watch=2s --interval=50ms --format=records
  eventually watching
  printf 'info: %s\n' 101 102 >new.log
  mv new.log app.log
  finish
  assert_code 0
  assert_equal "$(records 'select(.record == "check").measures.lines')" 2
  mkfifo pipe.log
  exec 9<>pipe.log
  run --separate-stderr mig-check log=pipe.log --watch=200ms --interval=50ms
  assert_code 0
  echo 'column "x" does not exist' >&9
  run --separate-stderr mig-check log=pipe.log
  exec 9>&-
  assert_code 2
}

@test "log: errors that come on standard input while it is watched are compared with those before" {
  mkfifo pipe.log
  exec 9<>pipe.log
  printf 'info
%.0s' {1..50} >&9
  begin bash -c 'exec mig-check log=- health="$PLAIN/slow/300" -v --watch=20s --interval=50ms <pipe.log'
  eventually watching
  printf 'ERROR
%.0s' {1..6} >&9
  finish
  exec 9>&-
  assert_code 1
  assert_line --index -1 'WARNING: log: 100 % of its lines are errors, before 0 %'
}

@test "log: many more errors than before are WARNING while it is watched" {
  for _ in {1..50}; do echo info; done >app.log
  echo 'ERROR one' >>app.log
  begin mig-check log=app.log -v --watch=20s --interval=50ms
  eventually watching
  for _ in {1..6}; do echo 'ERROR two'; done >>app.log
  finish
  assert_code 1
  assert_line --index 0 'WARNING: log: 100 % of its lines are errors, before 2 %'
}

## A release

# A shop whose application reads a column, running.
shop() {
  migration 1_init 'CREATE TABLE "Order" (id int, "couponCode" text);'
  pipeline
  touch app.log
  PGHOST=$MIG_TEST_SERVER PGPORT=$(server_port) PGUSER=tester http_start --app "$PWD/app.log"
  export APP_URL=http://127.0.0.1:$HTTP/health
  curl -fsS "$APP_URL" >/dev/null
}

release() {
  run --separate-stderr bash -c '
    mig-scan | mig-plan --allow=destructive | mig-apply -q -o results.rec &&
      mig-check deploy health="$APP_URL" --wait 60s --watch "$1" --interval 200ms <results.rec' - "$1"
}

@test "a good release is green, deployed and watched" {
  shop
  migration 2_note 'ALTER TABLE "Order" ADD COLUMN "note" text;'
  release 500ms
  assert_code 0
  assert_line --index -1 'OK: deploy, health'
}

@test "a release that drops a column which the running application still reads is red within seconds" {
  local began=$SECONDS
  shop
  migration 2_drop 'ALTER TABLE "Order" DROP COLUMN "couponCode";'
  release 2min
  assert_code 2
  assert_line --regexp '^OK +deploy +1 of 1 applied \(.*\)$'
  assert_line --index -1 --regexp '^CRITICAL: 127.0.0.1:[0-9]+: health: 500 in .*, expected 200-299$'
  assert [ $((SECONDS - began)) -lt 15 ]
  run --separate-stderr mig-check log=app.log
  assert_code 2
  shows 'column "couponCode" does not exist'
}

@test "what breaks while the release is watched is red within seconds, and the log says why at once" {
  local began=$SECONDS
  shop
  begin mig-check health="$APP_URL" log=app.log -v --watch=2min --interval=100ms
  eventually watching
  sql 'ALTER TABLE "Order" DROP COLUMN "couponCode"'
  finish
  assert_code 2
  shows 'column "couponCode" does not exist'
  assert [ $((SECONDS - began)) -lt 15 ]
}

@test "in a pipe, what comes behind the deploy is looked at after it" {
  shop
  migration 2_slow 'SELECT pg_sleep(0.5); ALTER TABLE "Order" ADD COLUMN "note" text;'
  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply -q | mig-check deploy relation=Order.note health="$APP_URL" database database.warn=1min --watch=300ms --interval=100ms'
  assert_code 0
  assert_output 'OK: deploy, relation:Order.note, health, database'
}

## Cron and systemd

# Runs a line in a real cron, in a mount namespace of its own, as soon as cron has started; MAIL is what it mailed.
in_cron() {
  local place=$BATS_TEST_TMPDIR/cron$((++crons))
  ((EUID == 0)) || skip "only root can give cron a spool of its own"
  command -v cron >/dev/null || skip "no cron"
  unshare -m true 2>/dev/null || skip "no mount namespaces here"
  mkdir -p "$place"
  cp "$(command -v cron)" "$place/cron"
  cat >"$place/sendmail" <<-SH
	#!/bin/sh
	cat >>"$place/mail"
	SH
  chmod +x "$place/sendmail"
  : >"$place/mail"
  # Debian's rules for cron set the login id of the session, which a container may forbid
  printf '%s required pam_permit.so\n' auth account session >"$place/pam"
  {
    echo "PATH=$PATH"
    echo 'SHELL=/bin/bash'
    echo "MIG_DATABASE=file:$place/url"
    echo "@reboot { $1; } ; touch $place/done"
  } >"$place/crontab"
  chmod 600 "$place/crontab"
  (umask 077 && printf '%s\n' "${2:-$DATABASE_URL}" >"$place/url")
  timeout 20 unshare -m --propagation private bash -c '
    mount -t tmpfs none /var/spool/cron && mkdir /var/spool/cron/crontabs && cp -p "$1/crontab" /var/spool/cron/crontabs/root
    mount -t tmpfs none /run
    mount -t tmpfs none /usr/sbin && cp -p "$1/sendmail" /usr/sbin/sendmail
    mount -t tmpfs none /etc/cron.d
    mount --bind /dev/null /etc/crontab 2>/dev/null
    [[ ! -e /etc/pam.d/cron ]] || mount --bind "$1/pam" /etc/pam.d/cron
    "$1/cron" -f &
    for ((i = 0; i < 200; i++)); do [[ ! -e $1/done ]] || break; sleep 0.05; done
    sleep 0.2
    kill $!' - "$place" 3>&- 4>&- >"$place/out" 2>&1 || fail "$(cat "$place/out")"
  rm "$place/url" # scripts/test looks for passwords that were left
  [[ -e $place/done ]] || fail "cron did not run it: $(cat "$place/out")"
  MAIL=$(<"$place/mail")
}

@test "the crontab line of --help, in a real cron: mail only when something is wrong" {
  local line
  line=$(mig-check --help=all | sed -n 's/^ *15 \* \* \* \*  \(.*[^ ]\)  *(crontab)$/\1/p')
  [[ $line == 'cd /srv/app && '* ]] || fail "no crontab line: $line"
  line=${line/\/srv\/app/$PWD}
  migration 1_one 'SELECT 1;'
  recorded_all
  in_cron "$line"
  assert_equal "$MAIL" ''
  migration 2_two 'SELECT 1;'
  in_cron "$line"
  [[ $MAIL == *"WARNING: $PGDATABASE at $MIG_TEST_SERVER: history: 1 pending"* ]] || fail "mail: $MAIL"
  in_cron "$line" postgresql://nobody@127.0.0.1:1/nowhere
  [[ $MAIL == *'cannot reach 127.0.0.1:1'* ]] || fail "mail: $MAIL"
}

@test "the systemd units of the man page are well" {
  local unit
  command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
  for unit in service timer; do
    sed -n '/^\.Bd.*/,/^\.Ed/p' "$TESTS/../man/mig-check.1" | awk -v unit="$unit" '
      /^# .*\.(service|timer)$/ { on = $0 ~ unit "$" }
      /^\.Ed/ { on = 0 }
      on { gsub(/\\e/, "\\"); print }' | sed "s|/usr/local/bin|$BUILD|" >"mig-check.$unit"
    [[ -s mig-check.$unit ]] || fail "no $unit in the page"
  done
  grep -q '^ExecStart=' mig-check.service
  grep -q '^OnCalendar=' mig-check.timer
  run systemd-analyze verify ./mig-check.timer ./mig-check.service
  assert_success
  assert_output ''
}

@test "the systemd timer of --help: its calendar and its command are well" {
  local line
  line=$(mig-check --help=all | sed -n 's/^ *\(systemd-run .*\)$/\1/p')
  [[ $line == *" -E MIG_DATABASE=file:/etc/app/database-url mig-check "* ]] || fail "no such line: $line"
  (umask 077 && echo "$DATABASE_URL" >url)
  unset DATABASE_URL
  run --separate-stderr env "MIG_DATABASE=file:$PWD/url" bash -c "${line##*database-url }"
  rm url
  assert_code 0
  assert_equal "$output$stderr" ''
  command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
  [[ $line =~ --on-calendar=\'([^\']*)\' ]]
  run systemd-analyze calendar "${BASH_REMATCH[1]}"
  assert_success
}
