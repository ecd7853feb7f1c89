#!/usr/bin/env bats
# Tables that are published by logical replication: what fails without a replica identity, and what subscribers lack.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154
load helper
load words

setup_file() {
  server_start --own wal_level=logical max_wal_size=32MB min_wal_size=32MB
}
teardown_file() { server_stop; }

setup() {
  database_new
  folder_new
  SCRATCH_URL=$(PGDATABASE=postgres database_url)
  export SCRATCH_URL
}
teardown() {
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
  [[ -z ${SUBSCRIBER-} ]] || server_end "$SUBSCRIBER"
  sql_admin "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active" >/dev/null
}

# The plan of what is pending, rehearsed, with a look at what is published.
planned() { run --separate-stderr bash -c 'mig-scan --rehearse --load --scratch env:SCRATCH_URL --same-server -q | mig-plan --format=records'; }

# RULE place: message, of the findings in the records
findings() { jq -r 'select(.record == "finding" and (.rule == "no_identity" or .rule == "subscribers" or .rule == "slots")) |
  "\(.rule) \(.migration // "-"):\(.line // "-"):\(.column // "-") \(.message)"' <<<"$output"; }

major() { sql 'SHOW server_version_num' | cut -c1-2; }

@test "of eight published tables, the check names the five whose UPDATE fails" {
  sql_admin "ALTER DATABASE \"$PGDATABASE\" OWNER TO tester"
  sql 'CREATE TABLE no_key (id int); CREATE TABLE key (id int PRIMARY KEY);
    CREATE TABLE nothing (id int PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
    CREATE TABLE "Full" (id int); ALTER TABLE "Full" REPLICA IDENTITY FULL;
    CREATE TABLE later (id int PRIMARY KEY DEFERRABLE);
    CREATE TABLE lost (id int NOT NULL); CREATE UNIQUE INDEX lost_i ON lost (id); ALTER TABLE lost REPLICA IDENTITY USING INDEX lost_i; DROP INDEX lost_i;
    CREATE TABLE inserts (id int);
    CREATE TABLE parent (id int) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF parent FOR VALUES IN (1)'
  sql_admin "CREATE PUBLICATION pub FOR TABLE no_key, key, nothing, \"Full\", later, lost, parent;
    CREATE PUBLICATION only_inserts FOR TABLE inserts WITH (publish = 'insert')"
  local table fails=
  for table in no_key key nothing '"Full"' later lost inserts parent; do
    sql "INSERT INTO $table VALUES (1)"
    sql "UPDATE $table SET id = 1" 2>/dev/null || fails+=" $table"
  done
  assert_equal "$fails" ' no_key nothing later lost parent'
  run --separate-stderr mig-check database database.warn=1min database.crit=2min
  assert_code 1
  shows '5 published tables have no replica identity'
  assert_equal "$(grep -oE 'alter table .* replica identity full;' <<<"$output")" 'alter table public.later replica identity full;
alter table public.lost replica identity full;
alter table public.no_key replica identity full;
alter table public.nothing replica identity full;
alter table public.part replica identity full;'
  # what it says is typed
  grep -oE 'alter table .* replica identity full;' <<<"$output" | sql
  run --separate-stderr mig-check database database.warn=1min database.crit=2min
  assert_code 0
  for table in no_key nothing later lost parent; do
    sql "UPDATE $table SET id = 1"
  done
  run --separate-stderr mig-check database database.warn=1min database.crit=2min database.identity=ok
  assert_code 0
}

@test "a plan names columns that subscribers lack, tables that nothing identifies, and statements that fail" {
  migration 1_shop 'CREATE TABLE "Order" (id int PRIMARY KEY, note text, total int, old text); CREATE TABLE keyless (id int, x int); CREATE TABLE alone (id int PRIMARY KEY, n int);'
  mig-scan | mig-plan -q | mig-apply -q >/dev/null
  sql_admin 'CREATE PUBLICATION all_of_it FOR ALL TABLES'
  migration 2_change 'ALTER TABLE "Order" ADD COLUMN tax int,
  DROP COLUMN old;
ALTER TABLE "Order" ALTER total TYPE bigint;
ALTER TABLE "Order" RENAME note TO remark;
UPDATE keyless SET x = 1;
ALTER TABLE alone DROP CONSTRAINT alone_pkey;
CREATE TABLE "_OrderToTag" ("A" int NOT NULL, "B" int NOT NULL);
CREATE UNIQUE INDEX "_OrderToTag_AB_unique" ON "_OrderToTag"("A", "B");
-- mig: allow no_identity, subscribers, rows are only inserted
CREATE TABLE log (t text);
CREATE TABLE good (id int PRIMARY KEY);'
  planned
  assert_code 0
  assert_equal "$(findings)" 'subscribers 2_change:1:1 column tax of "Order" is published by "all_of_it": a subscriber that lacks it stops at the next row
subscribers 2_change:1:1 column old of "Order" is published by "all_of_it": a subscriber that drops it first, or has it NOT NULL, stops at the next row
subscribers 2_change:3:1 column total of "Order" is published by "all_of_it": a subscriber whose type does not take a new value stops at it
subscribers 2_change:4:1 column note of "Order" is published by "all_of_it" under its name: subscribers stop at the next row
no_identity 2_change:5:1 "keyless" is published by "all_of_it" and has no replica identity: this statement fails where it changes a row [55000]
no_identity 2_change:6:1 "alone" is published by "all_of_it" and loses its replica identity: UPDATE and DELETE of it fail [55000]
subscribers 2_change:7:1 the new table "_OrderToTag" is published by "all_of_it": a subscriber that lacks it stops at its first row
no_identity 2_change:7:1 the new table "_OrderToTag" is published by "all_of_it" and has no replica identity: UPDATE and DELETE of it fail [55000]
subscribers 2_change:10:1 the new table "log" is published by "all_of_it": a subscriber that lacks it stops at its first row; allowed in the script: rows are only inserted
no_identity 2_change:10:1 the new table "log" is published by "all_of_it" and has no replica identity: UPDATE and DELETE of it fail [55000]; allowed in the script: rows are only inserted
subscribers 2_change:11:1 the new table "good" is published by "all_of_it": a subscriber that lacks it stops at its first row
no_identity -:-:- 1 published table has no replica identity: UPDATE and DELETE fail [55000]: "public"."keyless"'
  assert_equal "$(jq -r 'select(.record == "finding" and .rule == "subscribers") | .remedy // "-"' <<<"$output" | grep -oE '^(first|last) on subscribers' | sort | uniq -c | sed 's/^ *//')" '4 first on subscribers
1 last on subscribers'
  # as an error, and excused
  run --separate-stderr bash -c 'mig-scan --rehearse --load --scratch env:SCRATCH_URL --same-server -q | mig-plan --strict=subscribers'
  assert_code 1
  # a dry run asks the server itself
  mig-scan | mig-plan -q -o plan.rec
  run --separate-stderr mig-apply --dry-run plan.rec
  assert_code 0
  says 'prisma/migrations/2_change/migration.sql:1:1: column tax of "Order" is published' 'first on subscribers: add it there before the deploy' \
    '"keyless" is published by "all_of_it" and has no replica identity: this statement fails'
  # and what is said comes true: there is a row to change
  sql 'INSERT INTO keyless VALUES (1)'
  run --separate-stderr mig-apply plan.rec
  assert_code 1
  says 'cannot update table "keyless" because it does not have a replica identity' 55000
}

@test "a plan that gives a table a replica identity is not told that it has none, also where it changes rows then" {
  migration 1_shop 'CREATE TABLE a (id int NOT NULL, x int); CREATE TABLE b (id int, x int); CREATE TABLE gone (id int);'
  mig-scan | mig-plan -q | mig-apply -q >/dev/null
  sql_admin 'CREATE PUBLICATION all_of_it FOR TABLE a, b, gone'
  sql 'INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)'
  migration 2_first 'ALTER TABLE a ADD PRIMARY KEY (id); UPDATE a SET x = 1; DROP TABLE gone; CREATE TABLE IF NOT EXISTS a (id int);'
  migration 3_then 'ALTER TABLE b REPLICA IDENTITY FULL;'
  migration 4_last 'UPDATE b SET x = 1;'
  planned
  assert_code 0
  assert_equal "$(findings)" ''
  mig-scan | mig-plan -q -o plan.rec
  run --separate-stderr mig-apply --dry-run plan.rec
  assert_code 0
  says_not published
  run --separate-stderr mig-apply plan.rec
  assert_code 0
}

@test "the history that a first deploy makes is a new table, too" {
  sql_admin 'CREATE PUBLICATION all_of_it FOR ALL TABLES'
  migration 1_a 'SELECT 1;'
  mig-scan | mig-plan -q -o plan.rec
  run --separate-stderr mig-apply --dry-run plan.rec
  says 'the history, public._prisma_migrations, is made by this deploy and published by "all_of_it": a subscriber that lacks it stops at its first row'
  run mig-plan --format=sql plan.rec
  shows 'CREATE TABLE' '"public"."_prisma_migrations"'
  run --separate-stderr mig-apply -q plan.rec
  assert_code 0
  planned
  assert_equal "$(findings)" ''
}

@test "nothing is said where nothing is published, nor of tables and columns that are not" {
  migration 1_shop 'CREATE TABLE a (id int PRIMARY KEY, x int); CREATE TABLE b (id int PRIMARY KEY); CREATE SCHEMA other;'
  mig-scan | mig-plan -q | mig-apply -q >/dev/null
  migration 2_change 'ALTER TABLE a ADD y int; CREATE TABLE c (id int); CREATE TABLE other.d (id int);'
  planned
  assert_code 0
  assert_equal "$(findings)" ''
  sql_admin 'CREATE PUBLICATION pub FOR TABLE b'
  planned
  assert_equal "$(findings)" ''
  [[ $(major) -ge 15 ]] || return 0
  sql_admin 'CREATE PUBLICATION listed FOR TABLE a (id, x); CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA other'
  migration 3_drop 'ALTER TABLE a DROP COLUMN x;'
  planned
  assert_equal "$(findings)" 'subscribers 2_change:1:51 the new table "other"."d" is published by "of_schema": a subscriber that lacks it stops at its first row
no_identity 2_change:1:51 the new table "other"."d" is published by "of_schema" and has no replica identity: UPDATE and DELETE of it fail [55000]
subscribers 3_drop:1:1 column x of "a" is in the column list of "listed": DROP COLUMN fails [2BP01]'
  mig-scan | mig-plan -q | mig-apply -q >/dev/null 2>err || true
  grep -qF '2BP01' err
}

@test "a slot whose reader is away and that holds back WAL is named, in the plan, the dry run and the check" {
  migration 1_a 'CREATE TABLE a (id int PRIMARY KEY);'
  sql_admin "SELECT pg_create_logical_replication_slot('away', 'pgoutput')" >/dev/null
  planned
  assert_equal "$(findings)" ''
  run --separate-stderr mig-check database database.warn=1min database.crit=2min
  assert_code 0
  sql_admin "$(printf "SELECT pg_logical_emit_message(false, 'x', 'y'), pg_switch_wal();%.0s" 1 2 3)" >/dev/null
  planned
  [[ $(findings) =~ ^'slots -:-:- the replication slot "away" holds back '[0-9]+' MB of WAL; its reader is not connected' ]]
  mig-scan | mig-plan -q -o plan.rec
  run --separate-stderr mig-apply --dry-run plan.rec
  says 'the replication slot "away" holds back' "let its reader catch up, or drop it in psql:  select pg_drop_replication_slot('away');"
  run --separate-stderr mig-check database database.warn=1min database.crit=2min
  assert_code 1
  shows 'slot away holds back' 'its reader is not connected'
  run --separate-stderr mig-check database database.warn=1min database.crit=2min database.slot-crit=1%
  assert_code 2
  sql_admin "$(grep -o 'select pg_drop.*;' <<<"$output")" >/dev/null
  run --separate-stderr mig-check database database.warn=1min database.crit=2min
  assert_code 0
}

# on_subscriber SQL
on_subscriber() { MIG_TEST_SERVER=$SUBSCRIBER PGDATABASE=postgres sql_admin "$@"; }
subscriber_has() { [[ $(on_subscriber 'SELECT count(*) FROM a') == "$1" ]]; }

@test "a subscriber stops at a column that it lacks, as the finding had said; added there first, it goes on" {
  migration 1_a 'CREATE TABLE a (id int PRIMARY KEY);'
  mig-scan | mig-plan -q | mig-apply -q >/dev/null
  SUBSCRIBER=$(server_new wal_retrieve_retry_interval=200ms)
  on_subscriber 'CREATE TABLE a (id int PRIMARY KEY)'
  sql_admin 'CREATE PUBLICATION p FOR TABLE a'
  on_subscriber "CREATE SUBSCRIPTION s CONNECTION 'host=$MIG_TEST_SERVER port=$(server_port) user=postgres dbname=$PGDATABASE' PUBLICATION p"
  sql 'INSERT INTO a VALUES (1)'
  eventually subscriber_has 1
  migration 2_more 'ALTER TABLE a ADD b int;'
  planned
  [[ $(findings) == 'subscribers 2_more:1:1 column b of "a" is published by "p": a subscriber that lacks it stops at the next row' ]]
  # who does not listen
  mig-scan | mig-plan -q | mig-apply -q >/dev/null
  sql 'INSERT INTO a VALUES (2, 2)'
  eventually grep -qF 'missing replicated column: "b"' "$SUBSCRIBER/server.log"
  subscriber_has 1
  # what the remedy says
  on_subscriber 'ALTER TABLE a ADD b int'
  eventually 20 subscriber_has 2
  migration 3_first 'ALTER TABLE a ADD c int;'
  on_subscriber 'ALTER TABLE a ADD c int'
  mig-scan | mig-plan -q | mig-apply -q >/dev/null
  sql 'INSERT INTO a VALUES (3, 3, 3)'
  eventually subscriber_has 3
  on_subscriber 'DROP SUBSCRIPTION s'
}
