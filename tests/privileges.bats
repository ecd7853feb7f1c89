#!/usr/bin/env bats
# Least privilege: exactly the rights of RIGHTS in each page suffice; without any one of them a tool says which, and the GRANT.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load helper
load words

setup_file() { server_start --own shared_preload_libraries=pg_stat_statements; }
teardown_file() { server_stop; }

setup() {
  unset SHADOW_DATABASE_URL
  database_new
  folder_new
  sql_admin "REVOKE ALL ON DATABASE \"$PGDATABASE\" FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC"
  role_new least
  export LEAST_URL
  LEAST_URL=$(database_url "$ROLE")
  n=0
}
teardown() {
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
  roles_end
}

# The rights of one kind of run, as RIGHTS of a page has them, one a line:  page_rights mig-seed dry-run
page_rights() {
  awk -v kind="$2" '$0 == ".\\\" rights: " kind { on = 1 } /^\.Ed/ { on = 0 } on && /^grant / {
      sub(/^grant /, ""); sub(/ to [a-z]+;$/, "")
      on_what = match($0, / on /) ? substr($0, RSTART) : ""
      count = split(on_what != "" ? substr($0, 1, RSTART - 1) : $0, words, ", ")
      for (i = 1; i <= count; i++) print words[i] on_what
    }' "$TESTS/../man/$1.1" | sed "s/ database shop$/ database \"$PGDATABASE\"/"
}

# needs ENDS PAGE KIND COMMAND…: with exactly these rights the command succeeds. Without any one of them it ends with one of the codes
# (77, or 2|3), and prints what a superuser types to make it succeed. `fresh` makes its work anew.
needs() {
  local ends=$1 right typed
  local -a rights
  mapfile -t rights < <(page_rights "$2" "$3")
  ((${#rights[@]} > 0)) || fail "no rights: $3 in $2" || return 1
  shift 3
  for right in "${rights[@]}"; do
    sql_admin "GRANT $right TO \"$ROLE\""
  done
  try "$@"
  assert_code 0 || return 1
  for right in "${rights[@]}"; do
    sql_admin "REVOKE $right FROM \"$ROLE\""
    try "$@"
    [[ $status =~ ^($ends)$ ]] || fail "without $right: exit $status: $output $stderr" || return 1
    typed=$(printf '%s\n' "$output" "$stderr" | grep -oE 'GRANT [^;]* TO [^;]*;' | sort -u) ||
      fail "without $right, nothing to type: $output $stderr" || return 1
    [[ $(wc -l <<<"$typed") == 1 && ${typed,,} == *"${right%% *}"* ]] || fail "without $right: $typed" || return 1
    sql_admin "$typed"
    try "$@"
    [[ $status == 0 ]] || fail "without $right, and with $typed: exit $status: $output $stderr" || return 1
  done
}
try() {
  n=$((n + 1))
  fresh
  DATABASE_URL=$LEAST_URL run --separate-stderr "$@"
}
fresh() { :; }
deploys() { mig-scan | mig-plan --allow=not_empty | mig-apply "$@"; }
reverts() { mig-scan | mig-plan --down-to 0_zero --allow=unverified_down | mig-apply "$@"; }

@test "a scan" {
  recorded 0_zero
  needs 77 mig-scan scan mig-scan -o scan.rec
  grep -q 0_zero scan.rec
}

@test "a scan of a schema, which is read from the catalog" {
  sql 'CREATE TABLE t (id int)'
  sql_admin "GRANT $(page_rights mig-scan scan | head -n 1) TO \"$ROLE\""
  DATABASE_URL=$LEAST_URL run --separate-stderr mig-scan --catalog
  assert_code 0
  shows '"t"'
}

@test "a rehearsal with the statements of production" {
  sql_admin 'CREATE SCHEMA stats; CREATE EXTENSION pg_stat_statements SCHEMA stats; GRANT USAGE ON SCHEMA stats TO PUBLIC'
  recorded 0_zero
  migration 0_zero 'SELECT 1;'
  export SHADOW_DATABASE_URL
  SHADOW_DATABASE_URL=$(PGDATABASE=postgres database_url)
  needs 77 mig-scan statements mig-scan --rehearse --same-server --load=10ms,statements -o scan.rec
}

@test "a deploy and a dry run, before and after there is a history" {
  sql 'CREATE TABLE t (id int)'
  sql_admin "GRANT INSERT ON t TO \"$ROLE\""
  migration 0_zero 'INSERT INTO t VALUES (0);'
  fresh() { sql_admin 'DROP TABLE IF EXISTS _prisma_migrations'; }
  needs 77 mig-apply first deploys
  sql_admin "DROP TABLE _prisma_migrations; REVOKE ALL ON DATABASE \"$PGDATABASE\" FROM \"$ROLE\"; REVOKE ALL ON SCHEMA public FROM \"$ROLE\""
  recorded 0_zero
  fresh() { migration "1_$((1000 + n))" 'INSERT INTO t VALUES (1);'; }
  needs 77 mig-apply deploy deploys
  needs 77 mig-apply deploy deploys --dry-run
  sql_admin "REVOKE INSERT ON t FROM \"$ROLE\""
  try deploys
  assert_code 77
  assert_equal "$(grep -oE 'GRANT [^;]*;' <<<"$stderr")" "GRANT INSERT ON public.t TO $ROLE;"
}

@test "a revert" {
  recorded 0_zero
  migration 0_zero 'SELECT 1;'
  migration 1_one 'SELECT 1;'
  echo 'SELECT 2;' >prisma/migrations/1_one/down.sql
  fresh() { pipeline plan: --allow=not_empty; }
  needs 77 mig-apply deploy reverts
}

@test "a seed, its dry run and an export" {
  sql 'CREATE TABLE plan (id serial PRIMARY KEY, name text)'
  fresh() {
    sql "TRUNCATE plan; SELECT setval('plan_id_seq', 1); INSERT INTO plan VALUES (1, 'free')" >/dev/null
    printf 'id,name\n1,Free\n7,Team\n' >plan.csv
    rm -rf out
  }
  needs 77 mig-seed seed mig-seed plan.csv
  sql_admin "REVOKE ALL ON plan, plan_id_seq FROM \"$ROLE\"; REVOKE ALL ON DATABASE \"$PGDATABASE\" FROM \"$ROLE\"; REVOKE ALL ON SCHEMA public FROM \"$ROLE\""
  needs 77 mig-seed dry-run mig-seed --dry-run plan.csv
  sql_admin "REVOKE ALL ON DATABASE \"$PGDATABASE\" FROM \"$ROLE\""
  needs 77 mig-seed export mig-seed --export --into=out plan
}

@test "what a seed deletes, looks up and draws from a sequence" {
  local right
  sql "CREATE TABLE role (id int PRIMARY KEY, slug text UNIQUE); INSERT INTO role VALUES (1, 'owner');
    CREATE TABLE member (id serial PRIMARY KEY, name text UNIQUE, \"roleId\" int NOT NULL REFERENCES role); INSERT INTO member VALUES (9, 'old', 1)"
  sql_admin "GRANT CONNECT, TEMPORARY ON DATABASE \"$PGDATABASE\" TO \"$ROLE\"; GRANT USAGE ON SCHEMA public TO \"$ROLE\"; GRANT SELECT, INSERT ON member TO \"$ROLE\""
  printf 'name,role.slug\nnew,owner\n' >member.csv
  printf '[member]\nkey = name\n' >seed.conf
  for right in 'SELECT ON public.role' 'DELETE ON public.member' 'USAGE ON SEQUENCE public.member_id_seq'; do
    try mig-seed --prune .
    assert_code 77
    says "GRANT $right TO $ROLE;"
    sql_admin "GRANT $right TO \"$ROLE\""
  done
  try mig-seed --prune .
  assert_code 0
}

@test "what is checked in a database" {
  sql_admin 'CREATE SCHEMA stats; CREATE EXTENSION pg_stat_statements SCHEMA stats'
  sql 'CREATE TABLE t (a int)'
  needs '2|3' mig-check relation mig-check relation=t.a
  sql_admin "REVOKE ALL ON DATABASE \"$PGDATABASE\" FROM \"$ROLE\"; REVOKE ALL ON SCHEMA public FROM \"$ROLE\""
  needs '2|3' mig-check used mig-check used=t.a used.since=0
  sql_admin "REVOKE ALL ON DATABASE \"$PGDATABASE\" FROM \"$ROLE\"; REVOKE ALL ON SCHEMA public FROM \"$ROLE\""
  recorded 0_zero
  migration 0_zero 'SELECT 1;'
  recorded_all
  mig-scan --offline -o scan.rec
  reads_history() { mig-check --wait=1ms history <scan.rec; }
  needs 2 mig-check history reads_history
}
