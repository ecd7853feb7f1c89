#!/usr/bin/env bats
# mig-check database and relation: a real server in each state, with the right code and one line that a person on call
# understands; and with a role that has only the rights of the man page.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load helper
load words

setup_file() { server_start --tcp --own max_prepared_transactions=5; }
teardown_file() { server_stop; }
setup() { database_new; }
teardown() {
  sessions_end
  roles_end
  [[ -z ${STANDBY-} ]] || standby_end
  pgbouncer_end
  [[ -z ${SILENT-} ]] || kill "$SILENT" 2>/dev/null || true
  [[ -n ${BATS_TEST_COMPLETED-} ]] || {
    prepared_end
    server_log
  }
}

prepared_end() {
  sql "SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts WHERE database = current_database() \\gexec"
}

# verdict CODE TEXT [WORD…]: `mig-check database WORD…`; the verdict has this in it.
verdict() {
  local code=$1 text=$2
  shift 2
  run --separate-stderr mig-check database "$@"
  assert_code "$code"
  [[ $(verdict_lines) == *"$text"* ]] || fail "not in the verdict: $text"$'\n'"$output" || return 1
  assert_equal "$stderr" ''
}

# sees ANSWER SQL: the superuser gets it.
sees() {
  [[ $(sql_admin "$2") == "$1" ]]
}

# older_than SQL: until what SQL gives as a time lies more than a second back.
until_a_second_old() {
  eventually sees t "SELECT clock_timestamp() - ($1) > interval '1 second'"
}

@test "a database that is well is OK, one line" {
  verdict 0 'OK: database: answers in '
  assert_equal "${#lines[@]}" 1
  shows primary
}

@test "an index whose build failed is WARNING, with its table and what to type" {
  sql 'CREATE TABLE "Order" (a int); INSERT INTO "Order" VALUES (1), (1)'
  run sql 'CREATE UNIQUE INDEX CONCURRENTLY "Order_a_key" ON "Order" (a)'
  assert_failure
  verdict 1 'database: index "Order_a_key" is invalid'
  assert_line --regexp '^ +index +"Order_a_key" on "Order" is invalid: a build that did not finish$'
  # what it says to type does mend it
  sql "$(sed -n 's/^ *\(drop index .*\)/\1/p' <<<"$output")"
  verdict 0 OK
  run sql 'CREATE UNIQUE INDEX CONCURRENTLY "Order_a_key" ON "Order" (a)'
  verdict 2 'is invalid' database.indexes=critical
  verdict 0 OK database.indexes=ok
}

@test "an index that is being built is no trouble, also to a role that cannot see who builds it" {
  sql 'CREATE TABLE a (a int); INSERT INTO a VALUES (1)'
  session_begin 'BEGIN; INSERT INTO a VALUES (2)'
  client psql -XAtqc 'CREATE INDEX CONCURRENTLY a_idx ON a (a)' >/dev/null 2>&1 3>&- 4>&- &
  eventually sees 1 'SELECT count(*) FROM pg_index WHERE NOT indisvalid'
  verdict 0 OK
  role_new watcher
  DATABASE_URL=$(database_url --tcp "$ROLE") verdict 0 'OK: database'
}

@test "an index that is being rebuilt or dropped is no trouble" {
  local statement
  sql 'CREATE TABLE a (a int); CREATE INDEX a_idx ON a (a)'
  for statement in REINDEX DROP; do
    session_begin 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM a'
    client psql -XAtqc "$statement INDEX CONCURRENTLY a_idx" >/dev/null 2>&1 3>&- 4>&- &
    eventually sees 1 'SELECT count(*) FROM pg_index WHERE NOT indisvalid'
    verdict 0 OK
    session_end "$SESSION"
    wait $!
  done
}

@test "a constraint that is not validated is WARNING" {
  sql 'CREATE TABLE "T" (a int); ALTER TABLE "T" ADD CONSTRAINT "positive" CHECK (a > 0) NOT VALID'
  verdict 1 'constraint positive is not validated'
  sql "$(sed -n 's/^ *constraint *\(alter .*\)/\1/p' <<<"$output")"
  verdict 0 OK
}

@test "a long transaction: who, since when, what it holds and whom it blocks" {
  sql 'CREATE TABLE "Order" (a int)'
  session_begin PGAPPNAME=report 'BEGIN; SELECT * FROM "Order"'
  until_a_second_old "SELECT greatest(xact_start, state_change) FROM pg_stat_activity WHERE pid = $SESSION"
  verdict 0 OK database.transaction-warn=1min
  verdict 1 " s (pid $SESSION)" database.transaction-warn=500ms
  assert_line --regexp "transaction open for [0-9]+ s \(pid $SESSION\)"
  assert_line --regexp "pid $SESSION, report, tester, idle in transaction for [0-9]+ s, last SELECT"
  shows 'holds "Order"' "select pg_terminate_backend($SESSION);"
  verdict 2 "transaction open for" database.transaction-crit=500ms
}

@test "a prepared transaction that nobody ends" {
  sql "BEGIN; CREATE TABLE a (); PREPARE TRANSACTION 'x''y'"
  until_a_second_old "SELECT prepared FROM pg_prepared_xacts WHERE database = '$PGDATABASE'"
  verdict 1 ' s ago and not finished' database.transaction-warn=500ms
  sql "$(sed -n "s/.*or \(rollback prepared .*\)/\1/p" <<<"$output")"
  verdict 0 OK database.transaction-warn=500ms
}

@test "a blocked session: how long, and behind whom" {
  local holder
  sql 'CREATE TABLE "Order" (a int)'
  session_begin PGAPPNAME=holder 'BEGIN; LOCK TABLE "Order"'
  holder=$SESSION
  client psql -XAtqc 'SELECT * FROM "Order"' >/dev/null 2>&1 3>&- 4>&- &
  eventually sees 1 'SELECT count(*) FROM pg_locks WHERE NOT granted'
  until_a_second_old "SELECT max(query_start) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND wait_event_type = 'Lock'"
  verdict 0 OK database.blocked-warn=1min
  verdict 1 " s by pid $holder" database.blocked-warn=500ms
  assert_line --regexp "1 session blocked for up to [0-9]+ s by pid $holder"
  assert_line --regexp 'has waited for "Order" for [0-9]+ s'
  shows "blocked by pid $holder, holder, tester, idle in transaction" "select pg_terminate_backend($holder);"
  verdict 2 '1 session blocked' database.blocked-crit=500ms
}

@test "a session blocked by a prepared transaction: no pid is ended, its name is said" {
  sql "CREATE TABLE a (); BEGIN; LOCK TABLE a; PREPARE TRANSACTION 'left behind'"
  client psql -XAtqc 'SELECT * FROM a' >/dev/null 2>&1 3>&- 4>&- &
  eventually sees 1 'SELECT count(*) FROM pg_locks WHERE NOT granted'
  until_a_second_old "SELECT max(query_start) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND wait_event_type = 'Lock'"
  verdict 1 ' by a prepared transaction' database.blocked-warn=0
  assert_line --regexp '1 session blocked for up to [0-9]+ m?s by a prepared transaction'
  shows 'blocked by a prepared transaction' "commit prepared 'left behind'; or rollback prepared 'left behind';"
  shows_not 'pg_terminate_backend(0)' 'pid 0'
  prepared_end
}

# The SQL that an alert tells people to type, a line each; of several ways the last.
advised() {
  grep -oE '((drop|reindex) index|alter table|select (pg_|gid)|rollback prepared|GRANT).*;$' <<<"$output"
}

# a session that waits behind whoever holds "Tab le"
waiter() {
  client psql -XAtqc "SELECT * FROM \"o'd sch\".\"Tab le\"" >/dev/null 2>&1 3>&- 4>&- &
  eventually sees 1 'SELECT count(*) FROM pg_locks WHERE NOT granted'
}

# ends CODE: so does a check with $words.
ends() {
  # shellcheck disable=SC2086
  run mig-check database $words
  [[ $status == "$1" ]]
}

# STATE | settings | what makes it (a statement in `set up`, or a command behind !) | what is typed, as a pattern
advice() {
  cat <<'TABLE'
a failed build||CREATE UNIQUE INDEX CONCURRENTLY "In dex" ON "Tab le" (a)|drop index concurrently "o'd sch"."In dex";
a failed rebuild||REINDEX INDEX CONCURRENTLY by_f|drop index concurrently "o'd sch".by_f_ccnew;
a failed build of a partition's||!sql "$path CREATE UNIQUE INDEX p_a ON ONLY p (a)"; ! sql "$path CREATE UNIQUE INDEX CONCURRENTLY p1_a ON p1 (a)" && sql "$path ALTER INDEX p_a ATTACH PARTITION p1_a; TRUNCATE p"|reindex index concurrently "o'd sch".p1_a;
constraints||ALTER TABLE "Tab le" ADD CONSTRAINT "che'ck" CHECK (a > 0) NOT VALID|alter table "o'd sch"."Tab le" validate constraint "che'ck";
a partition's||ALTER TABLE p ADD CONSTRAINT c CHECK (a > 0) NOT VALID|alter table "o'd sch".p1? validate constraint c;
a transaction|database.transaction-warn=0|!session_begin "$path BEGIN; SELECT * FROM \"Tab le\""|select pg_terminate_backend.[0-9]+.;
a prepared one|database.transaction-warn=0|BEGIN; INSERT INTO p VALUES (3); PREPARE TRANSACTION 'o''ne \2'|rollback prepared  ?E?'o''ne .*2';
a blocked session|database.blocked-warn=0 database.transaction-warn=1h|!session_begin "$path BEGIN; LOCK TABLE \"Tab le\"" && waiter|select pg_terminate_backend.[0-9]+.;
behind a prepared one|database.blocked-warn=0 database.transaction-warn=1h|!sql "$path BEGIN; LOCK TABLE \"Tab le\"; PREPARE TRANSACTION 'it''s'" && waiter|rollback prepared 'it''s';
TABLE
}

@test "what an alert says to type ends it, in psql without the string's schema, whatever the names are" {
  local state words given pattern typed path="SET search_path = \"o'd sch\";"
  sql 'CREATE SCHEMA "o'\''d sch"; CREATE TABLE "Tab le" (a int); CREATE INDEX "In dex" ON "Tab le" (a); CREATE INDEX by_f_ccnew ON "Tab le" (a)'
  sql "$path"' CREATE TABLE "Tab le" (a int); INSERT INTO "Tab le" VALUES (1), (1);
    CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9); INSERT INTO p VALUES (1), (1);
    CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$; CREATE INDEX by_f ON "Tab le" (f(a));
    CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN RETURN 1 / 0; END$$'
  DATABASE_URL+="&schema=o%27d%20sch"
  while IFS='|' read -r state words given pattern; do
    if [[ $given == !* ]]; then
      eval "${given#!}" || true
    else
      psql -qc "$path" -c "$given" || true
    fi
    eventually ends 1 || fail "$state: $output" || return 1
    typed=$(advised) || fail "$state: $output" || return 1
    ! grep -vqxE "$pattern" <<<"$typed" || fail "$state: $output" || return 1
    sql "$typed" >/dev/null
    eventually ends 0 || fail "$state: $typed: $output" || return 1
  done < <(advice)
  assert_equal "$(sql "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'Tab le'")" 2
}

@test "the grants of an alert about the history suffice, also where the role may not even use the schema" {
  folder_new
  migration 1_a 'SELECT 1;'
  DATABASE_URL+="&schema=o%27d%20sch"
  pipeline
  assert_code 0
  role_new monitor
  DATABASE_URL="$(database_url "$ROLE")&schema=o%27d%20sch"
  run bash -c 'mig-scan --offline | mig-check history --wait=10ms'
  assert_code 2
  assert_equal "$(advised | wc -l)" 2
  sql "$(advised)"
  run bash -c 'mig-scan --offline | mig-check history --wait=10ms'
  assert_code 0
}

standby_ctl() {
  (cd / && as_server "$(server_programs)/pg_ctl" -s -D "$STANDBY/data" -l "$STANDBY/server.log" "$@" 3>&- 4>&-)
}

standby_end() {
  standby_ctl -m immediate stop || true
  rm -rf "$STANDBY"
}

# A standby of the server of this file, in a folder of its own, which replays everything so much later; STANDBY is its
# folder, STANDBY_URL its address.
standby_new() {
  needs_program pg_basebackup
  STANDBY=$(mktemp -d /tmp/mig.XXXXXX)
  ((EUID)) || chown "$(server_user)" "$STANDBY"
  chmod 711 "$STANDBY"
  (cd / && as_server "$(server_programs)/pg_basebackup" -h "$MIG_TEST_SERVER" -p "$(server_port)" -U postgres -D "$STANDBY/data" -R --checkpoint=fast)
  as_server tee -a "$STANDBY/data/postgresql.auto.conf" >/dev/null <<-CONF
	unix_socket_directories = '$STANDBY'
	listen_addresses = ''
	recovery_min_apply_delay = '$1'
	CONF
  standby_ctl -w start
  STANDBY_URL="postgresql://tester@localhost:$(server_port)/$PGDATABASE?host=$STANDBY"
}

@test "a standby: not what was expected, or as expected; and when it lags" {
  standby_new 1h
  export STANDBY_URL
  verdict 2 'expected a primary, got a standby' -d env:STANDBY_URL
  verdict 0 'standby, ' -d env:STANDBY_URL database.expect=standby
  verdict 2 'expected a standby, got a primary' database.expect=standby
  sql 'CREATE TABLE a ()'
  eventually eval '! mig-check database -d env:STANDBY_URL database.expect=any database.lag-warn=1s'
  verdict 1 'the standby is ' -d env:STANDBY_URL database.expect=any database.lag-warn=1s
  run --separate-stderr mig-check database:main database:replica=env:STANDBY_URL database:replica.expect=standby database.lag-crit=900ms
  assert_code 2
  assert_line --regexp '^OK +database:main +'
  assert_line --index -1 --regexp '^CRITICAL: .* at .*: database:replica: the standby is [0-9.]+ s behind$'
  # its primary is gone
  sql_admin "ALTER SYSTEM SET max_wal_senders = 0" >/dev/null
  standby_ctl -m fast stop
  as_server tee -a "$STANDBY/data/postgresql.auto.conf" >/dev/null <<<"primary_conninfo = 'host=/nowhere'"
  standby_ctl -w start
  sql_admin "ALTER SYSTEM RESET max_wal_senders" >/dev/null
  verdict 1 'it receives nothing from its primary' -d env:STANDBY_URL database.expect=standby database.lag-warn=1h
  # an archive feeds it
  standby_ctl -m fast stop
  as_server tee -a "$STANDBY/data/postgresql.auto.conf" >/dev/null <<<$'primary_conninfo = \'\'\nrestore_command = false'
  standby_ctl -w start
  verdict 0 'OK: database' -d env:STANDBY_URL database.expect=standby database.lag-warn=1h
  verdict 1 'behind' -d env:STANDBY_URL database.expect=standby database.lag-warn=0
  shows 'the last commit that was replayed is that old'
}

# A session that has ended is counted until its process is gone.
two_sessions() {
  local database=$PGDATABASE
  PGDATABASE=postgres eventually sees 2 "SELECT count(*) FROM pg_stat_activity WHERE datname = '$database'"
}

@test "connections, sequences and transaction ids that run out" {
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT 4"
  session_begin 'SELECT 1'
  session_begin 'SELECT 1'
  verdict 0 OK
  two_sessions
  verdict 1 'of 4 connections are used' database.connections-warn=60%
  two_sessions
  verdict 2 'of 4 connections are used' database.connections-crit=60
  sql 'CREATE TABLE "Order" (id serial); SELECT setval($$"Order_id_seq"$$, 2000000000)' >/dev/null
  verdict 1 'sequence "Order_id_seq" is used up to 93 %'
  sql 'SELECT setval($$"Order_id_seq"$$, 2147483000)' >/dev/null
  verdict 2 'sequence "Order_id_seq" is used up to 100 %'
  sql 'ALTER TABLE "Order" ALTER id TYPE bigint; ALTER SEQUENCE "Order_id_seq" AS bigint'
  verdict 0 OK
  verdict 0 OK database.ids-warn=1%
}

@test "a sequence with negative bounds is counted from where it begins" {
  sql 'CREATE SEQUENCE up MINVALUE -1000 MAXVALUE -1 START -1000; SELECT nextval($$up$$)' >/dev/null
  sql 'CREATE SEQUENCE zero MINVALUE -10 MAXVALUE 0; SELECT setval($$zero$$, -10)' >/dev/null
  run --separate-stderr mig-check --format=prometheus database
  assert_code 0
  assert_line --regexp '^mig_database_sequence_used_ratio\{.*\} 0(\.0+)?$'
  sql 'SELECT setval($$up$$, -101)' >/dev/null
  verdict 1 'sequence up is used up to 90 %'
}

@test "a network connection without TLS is WARNING" {
  local far
  far="host=db.example.com hostaddr=127.0.0.1 port=$(server_port) user=tester dbname=$PGDATABASE"
  verdict 1 'no TLS over the network' -d "$far"
  verdict 2 'no TLS over the network' -d "$far" database.tls=critical
  verdict 0 OK -d "$far" database.tls=ok
}

@test "a server that cannot be reached, or refuses, is CRITICAL; a database that is not there UNKNOWN" {
  DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere verdict 2 'cannot reach 127.0.0.1:1: '
  role_new refused "PASSWORD 'right' IN ROLE with_password"
  DATABASE_URL=$(database_url --tcp "$ROLE:wrong") verdict 2 'password authentication failed'
  DATABASE_URL=$(database_url --tcp "$ROLE") verdict 2 'neither the connection string nor a password file has one'
  DATABASE_URL=$(PGDATABASE=nowhere_at_all database_url) verdict 3 'does not exist'
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT 0"
  verdict 2 'too many connections'
  sql_admin "ALTER DATABASE \"$PGDATABASE\" CONNECTION LIMIT -1"
}

# One that takes a connection and says nothing, on SILENT_PORT.
silent_begin() {
  SILENT_PORT=$(free_port)
  perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 9, LocalAddr => "127.0.0.1", LocalPort => $ARGV[0]); sleep 30' "$SILENT_PORT" 3>&- 4>&- &
  SILENT=$!
  eventually bash -c "exec 9<>/dev/tcp/127.0.0.1/$SILENT_PORT"
}

@test "a server that takes the connection and then says nothing is given up" {
  local port
  silent_begin
  port=$SILENT_PORT
  DATABASE_URL=postgresql://nobody@127.0.0.1:$port/nowhere verdict 2 '127.0.0.1 does not answer; gave up after 0.30 s' database.timeout=300ms
  DATABASE_URL=postgresql://nobody@127.0.0.1:$port/nowhere verdict 2 'no answer; gave up after 0.30 s (--timeout)' --timeout=300ms
}

@test "of several hosts one that is silent leaves time for the next" {
  silent_begin
  verdict 0 'OK: database' -d "host=127.0.0.1,127.0.0.1 port=$SILENT_PORT,$(server_port) user=tester dbname=$PGDATABASE" database.timeout=4s database.warn=1min
  verdict 0 'OK: database' -d "host=127.0.0.1,127.0.0.1 port=1,$(server_port) user=tester dbname=$PGDATABASE" database.warn=1min
}

@test "a slow answer is WARNING" {
  verdict 1 'answers in ' database.warn=0
  verdict 2 'answers in ' database.crit=0
}

@test "behind a pooler in transaction mode the sessions of the application stay as they were" {
  local before
  sql 'CREATE SCHEMA s; CREATE TABLE s.a (); CREATE TABLE b ()'
  pgbouncer_begin transaction
  before=$(settings_of_application)
  verdict 0 'OK: database'
  DATABASE_URL+="&schema=s" run --separate-stderr mig-check relation=a database
  assert_code 0
  sees 1 'SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $$tester$$'
  assert_equal "$(settings_of_application)" "$before"
  sql 'CREATE TABLE written ()'
}

# Through the pooler, which has one session.
settings_of_application() {
  command psql -XAtq "$DATABASE_URL" -c "SELECT name, setting FROM pg_settings WHERE name IN ('statement_timeout', 'lock_timeout',
    'default_transaction_read_only', 'search_path', 'client_connection_check_interval')"
}

wait_for_history() {
  folder_new
  migration 1_one 'SELECT 1;'
  run --separate-stderr bash -c 'mig-scan --offline | mig-check history --wait=100ms --interval=50ms'
}

# Its transaction, in seconds.
session_is_open_for() {
  [[ $(sql_admin "SELECT extract(epoch FROM now() - xact_start) >= $1 FROM pg_stat_activity WHERE pid = $SESSION") == t ]]
}

@test "exactly the rights of the man page suffice, and what is not seen without them is said" {
  session_begin 'BEGIN; SELECT 1'
  sql "CREATE TABLE \"Order\" (id serial); $HISTORY_TABLE_SQL; REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC"
  role_new monitor
  export DATABASE_URL
  DATABASE_URL=$(database_url --tcp "$ROLE")
  verdict 0 "transactions of 1 session: role $ROLE lacks pg_monitor"
  shows '1 sequence (no right to read)'
  wait_for_history
  assert_line --index 0 "CRITICAL: $PGDATABASE at 127.0.0.1: history: the history cannot be read [42501]"
  # the page's, with this database's names
  sed -n '/^\.\\" GRANTs/,/^\.Ed/p' "$TESTS/../man/mig-check.1" | grep -E '^grant ' |
    sed "s/ shop / \"$PGDATABASE\" /; s/ monitor;/ \"$ROLE\";/" >"$BATS_TEST_TMPDIR/grants.sql"
  assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/grants.sql")" 5
  CLIENT_ROLE=postgres client psql -Xq -v ON_ERROR_STOP=1 -f "$BATS_TEST_TMPDIR/grants.sql"
  verdict 0 'OK: database: '
  shows_not 'not seen'
  eventually session_is_open_for 1
  verdict 1 "transaction open for" database.transaction-warn=0 database.transaction-crit=1h
  wait_for_history
  assert_line --index 0 "WARNING: $PGDATABASE at 127.0.0.1: history: 1 pending"
}

## relation

@test "relation: what is there is OK, what is not is CRITICAL, and a name in other letters is shown" {
  sql 'CREATE TABLE "Order" ("couponCode" text); CREATE SCHEMA s; CREATE VIEW s.v AS SELECT 1 AS one; CREATE TABLE "a.b" ()'
  run --separate-stderr mig-check relation=Order relation=Order.couponCode relation=s.v relation=s.v.one 'relation="a.b"'
  assert_code 0
  assert_output 'OK: relation:Order, relation:Order.couponCode, relation:s.v, relation:s.v.one, relation:"a.b"'
  run --separate-stderr mig-check relation=order
  assert_code 2
  shows "CRITICAL: $PGDATABASE at $MIG_TEST_SERVER: relation:order: order does not exist" '"Order": names are case-sensitive'
  run --separate-stderr mig-check relation=Order.couponcode
  assert_code 2
  shows '"Order"."couponCode": names are case-sensitive'
  run --separate-stderr mig-check relation=Order.nope relation:here=Order
  assert_code 2
  shows '"Order", but without such a column'
  assert_line --regexp '^OK +relation:here +Order exists$'
  run --separate-stderr mig-check relation=nowhere
  assert_output "CRITICAL: $PGDATABASE at $MIG_TEST_SERVER: relation:nowhere: nowhere does not exist"
}

@test "relation: a name with a slip is shown as it was probably meant" {
  sql 'CREATE TABLE "User" ("email" text, "couponCode" text); CREATE TABLE "Invoice" (); CREATE TABLE "say ""hi""" ()'
  run --separate-stderr mig-check relation=Usr
  assert_code 2
  assert_output "CRITICAL: $PGDATABASE at $MIG_TEST_SERVER: relation:Usr: Usr does not exist; did you mean \"User\"?"
  run --separate-stderr mig-check relation=User.emial
  shows 'User.emial does not exist; did you mean "email"?' '"User", but without such a column'
  run --separate-stderr mig-check relation=Invocie.total
  shows 'Invocie.total does not exist; did you mean "Invoice"?'
  run --separate-stderr mig-check 'relation=say hi'
  shows 'did you mean "say ""hi"""?'
  # of what is in no schema of the search path, and of our own catalogs, nothing is suggested
  sql 'CREATE SCHEMA hidden; CREATE TABLE hidden."Ledger" ()'
  run --separate-stderr mig-check relation=Ledgr relation=pg_clas
  assert_code 2
  [[ $output != *'did you mean'* ]]
}

@test "all that asks one database shares one connection" {
  sql_admin "ALTER SYSTEM SET log_connections = on; SELECT pg_reload_conf()" >/dev/null
  eventually sees on 'SHOW log_connections'
  local before after
  before=$(grep -c "connection authorized.*database=$PGDATABASE application_name=mig-check" "$MIG_TEST_SERVER/server.log" || true)
  run --separate-stderr mig-check database database.warn=1min relation=pg_class relation=pg_class.relname
  assert_code 0
  after=$(grep -c "connection authorized.*database=$PGDATABASE application_name=mig-check" "$MIG_TEST_SERVER/server.log")
  assert_equal $((after - before)) 1
  sql_admin "ALTER SYSTEM RESET log_connections; SELECT pg_reload_conf()" >/dev/null
}
