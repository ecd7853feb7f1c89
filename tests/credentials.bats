#!/usr/bin/env bats
# A command after cmd: that prints a token which lives for moments: it is asked again for each new connection.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154
load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }

# ./token prints a connection string with a new password each time; the ones before are worth nothing from then on.
setup() {
  database_new
  folder_new
  role_new "deployer_$$" "IN ROLE tester, with_password"
  cat >token <<-SH
	#!/bin/bash
	echo >>asked
	n=\$(wc -l <asked)
	[[ ! -e broken ]] || { echo "who are you?" >&2; exit 3; }
	$(declare -p MIG_TEST_SERVER PGDATABASE)
	$(declare -f server_programs server_port client sql sql_admin)
	PATH=\$(server_programs):\$PATH sql_admin "ALTER ROLE $ROLE PASSWORD 'token-\$n-Xk9wQzJv'"
	echo "$(database_url "$ROLE:token-\$n-Xk9wQzJv")"
	SH
  sed -i "s|^declare -x|export|; s|token-\\\\\$n|token-\$n|" token
  chmod +x token
  unset DATABASE_URL
}
teardown() {
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
  sessions_end
  roles_end
}

asked() { wc -l <asked; }

@test "each tool asks for its own token, and a plain deploy with one that is new each time works" {
  migration 1_a 'CREATE TABLE a (id int);'
  run --separate-stderr bash -c 'mig-scan -d cmd:./token | mig-plan | mig-apply -d cmd:./token && mig-check database database.warn=1min -d cmd:./token'
  assert_code 0
  (($(asked) >= 3))
  assert_equal "$(sql_admin "SELECT migration_name FROM _prisma_migrations")" 1_a
}

@test "the watcher, and the look after a connection that was lost, each ask for a token of their own" {
  sql 'CREATE TABLE busy (id int)'
  migration 1_slow 'ALTER TABLE busy ADD b int; SELECT pg_sleep(30);'
  mig-scan -d cmd:./token | mig-plan --allow=not_empty -o plan.rec
  session_begin 'BEGIN; LOCK TABLE busy'
  begin mig-apply -d cmd:./token --wait=1min plan.rec
  eventually eval '[[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '"'mig-apply watch'"'") == 1 ]]'
  session_end "$SESSION"
  eventually eval '[[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = '"'PgSleep'"'") == 1 ]]'
  sql_admin "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'mig-apply%' AND datname = current_database()"
  finish
  assert_code 69
  says 'rolled back'
  says_not 'Xk9wQzJv' unknown
  (($(asked) >= 4))
}

@test "where the command fails the second time, that is said, and its first answer is used" {
  sql 'CREATE TABLE busy (id int)'
  migration 1_slow 'ALTER TABLE busy ADD b int;'
  mig-scan -d cmd:./token | mig-plan --allow=not_empty -o plan.rec
  session_begin 'BEGIN; LOCK TABLE busy'
  begin mig-apply -d 'cmd:./token && touch broken' --wait=1min plan.rec
  eventually eval '[[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '"'mig-apply watch'"'") == 1 ]]'
  session_end "$SESSION"
  finish
  assert_code 0
  says 'who are you?' 'warning: the command after "cmd:", asked again for a new connection, failed with exit code 3; its last answer is used'
  says_not Xk9wQzJv
}

# ./dated prints a token that is another one each second: it can be used in that second and the next, and where a newer one was
# printed not even that. Each time that it is asked is noted in ./dated.log.
dated_new() {
  cat >dated <<-SH
	#!/bin/bash
	exec 9>lock
	flock 9
	second=\$(date +%s)
	$(declare -p MIG_TEST_SERVER PGDATABASE | sed 's/^declare -x/export/')
	$(declare -f server_programs server_port client sql sql_admin)
	PATH=\$(server_programs):\$PATH sql_admin "ALTER ROLE $ROLE PASSWORD 'token-\$second-Xk9wQzJv' VALID UNTIL '\$(date -d @\$((second + 2)) -Is)'"
	echo "\$second" >>dated.log
	echo "$(database_url "$ROLE:token-\$second-Xk9wQzJv")"
	SH
  chmod +x dated
}

# How many sessions of this name there are: is_there NAME COUNT
asked_at_least() { (($(wc -l <dated.log) >= $1)); }
is_there() { [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '$1' AND usename = '$ROLE'") == "$2" ]]; }
watch_pid() { sql_admin "SELECT pid FROM pg_stat_activity WHERE application_name = 'mig-apply watch' AND usename = '$ROLE'"; }
is_another_watch() { [[ $(watch_pid) =~ ^[0-9]+$ && $(watch_pid) != "$1" ]]; }
tokens() { sort -u dated.log | wc -l; }

# PAUSE: seconds between two events; `make check-credentials` makes them long enough for a deploy of 20 s.
@test "a token of each second: --wait, the watcher, one that comes again, and the look after a lost connection have one of their own" {
  local pause=${CREDENTIALS_PAUSE:-0.5} began watch
  role_new "dated_$$" "IN ROLE tester, with_password"
  dated_new
  sql 'CREATE TABLE busy (id int)'
  migration 1_busy 'ALTER TABLE busy ADD b int;'
  migration 2_slow 'ALTER TABLE busy ADD c int; SELECT pg_sleep(60);'
  mig-scan -d cmd:./dated | mig-plan -q --allow=not_empty -o plan.rec

  # the server takes nobody for a while
  sql_admin "ALTER ROLE $ROLE CONNECTION LIMIT 0"
  rm dated.log
  began=$(date +%s%3N)
  begin mig-apply -d cmd:./dated --wait=2min plan.rec
  eventually asked_at_least 2
  sleep "$pause"
  session_begin 'BEGIN; LOCK TABLE busy'
  sql_admin "ALTER ROLE $ROLE CONNECTION LIMIT -1"

  # a busy table, and a watcher that is ended
  eventually is_there 'mig-apply watch' 1
  sleep "$pause"
  watch=$(watch_pid)
  session_end "$watch"
  eventually 20 is_another_watch "$watch"
  sleep "$pause"
  session_end "$SESSION"

  # the connection is lost in a statement
  eventually 20 eval '[[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = '"'PgSleep'"'") == 1 ]]'
  sleep "$pause"
  sql_admin "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '$ROLE'" >/dev/null
  finish
  assert_code 69
  says 'rolled back'
  says_not Xk9wQzJv unknown
  assert_equal "$(sql_admin 'SELECT migration_name FROM _prisma_migrations')" 1_busy
  [[ -z ${CREDENTIALS_PAUSE-} ]] ||
    echo "# a deploy of $((($(date +%s%3N) - began) / 1000)) s asked $(wc -l <dated.log) times, and was given $(tokens) tokens" >&3
  (($(tokens) >= 3))

  # it goes on with one more
  sed -i 's/pg_sleep(60)/pg_sleep(0)/' prisma/migrations/2_slow/migration.sql
  run --separate-stderr bash -c 'mig-scan -d cmd:./dated | mig-plan -q | mig-apply -d cmd:./dated'
  assert_code 0
  # the server has refused none for its token
  run ! grep -aE "password authentication failed for user \"$ROLE\"" "$MIG_TEST_SERVER/server.log"
}
