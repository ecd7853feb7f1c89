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
  eventually eval '[[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE application_name = '"'mig-apply watch'"'") == 1 ]]'
  session_end "$SESSION"
  eventually eval '[[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE wait_event = '"'PgSleep'"'") == 1 ]]'
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
  eventually eval '[[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE application_name = '"'mig-apply watch'"'") == 1 ]]'
  session_end "$SESSION"
  finish
  assert_code 0
  says 'who are you?' 'warning: the command after "cmd:", asked again for a new connection, failed with exit code 3; its last answer is used'
  says_not Xk9wQzJv
}
