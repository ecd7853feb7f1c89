#!/usr/bin/env bats
# Each example of README and of the manual is run, as it stands but for its places and the names of hosts.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words
load http

setup_file() {
  server_start
  http_start
  export HTTP
  blocks_make
}
teardown_file() {
  http_stop
  server_stop
}
setup() {
  database_new
  folder_new
  shop
}

# --- the blocks ---

# One file for each literal block: PAGE.NUMBER, a mark `.\" example:` first.
blocks_make() {
  local page
  export BLOCKS=$BATS_FILE_TMPDIR/blocks
  mkdir -p "$BLOCKS"
  for page in "$TESTS"/../man/*.[157]; do
    awk -v to="$BLOCKS/${page##*/}" '
      /^\.\\" example: / { mark = $0; next }
      /^\.Bd -literal/ { inside = 1; n++; if (mark != "") { print mark >(to "." n); mark = "" } next }
      /^\.Ed/ { inside = 0 }
      inside { gsub(/\\e/, "\\"); gsub(/\\-/, "-"); gsub(/\\\(dq/, "\""); print >(to "." n) }' "$page"
  done
  # indented lines are a block; those of a list are further to the right
  sed '/^<!-- plan-picture/,/^## /{/^## /!d}' "$TESTS/../README.md" | awk -v to="$BLOCKS/README" '
    /^    / { if (!inside) { n++; inside = 1 } sub(/^ +/, ""); print >(to "." n); next }
    /^$/ && inside { blank = 1; next }
    { inside = 0 }'
}

# What another test runs or compares, or what is no command.
is_elsewhere() { # FILE
  local first
  read -r first <"$1"
  ! grep -qE '[= ]NAME( |$)' "$1" || return 0 # a form
  case ${1##*/}:$first in
  mig-cookbook.7.*) ;;                                # cookbook.bats
  mig-records.5.*:'{"record"'*) ;;                    # records-man.bats
  mig-apply.1.*:01_add_column) ;;                     # rehearsal.bats
  mig-check.1.*:'# /etc/systemd'*) ;;                 # check-watch.bats
  mig-check.1.*:'.\" GRANTs') ;;                      # check-database.bats
  mig-release.1.*:releases/*) ;;                      # a picture
  mig-apply.1.*:'mig-apply -o results'*) ;;           # fleet.bats
  mig-*.1.*:'.\" rights: '*) ;;                       # privileges.bats
  mig-fleet.1.*) ;;                                   # fleet.bats
  mig-plan.1.*:'-- mig: '*) ;;                        # the form of a comment
  mig-check.1.*:'mig-check used='* | mig-plan.1.*:'mig-check used='* | mig-release.1.*:*--rollout*) ;; # phases.bats
  mig-apply.1.*:'psql -v'*) ;;                        # role.bats
  mig-seed.1.*:'ALTER ROLE'*) ;;                      # seed-secrets.bats
  mig-seed.1.*:'# matched by e-mail'*) ;;             # a seed.conf
  mig-seed.1.*:'environment production') ;;           # seed-environments.bats
  README.*:'apt-get update' | README.*:prisma/migrations*) ;; # installation, a picture
  *) return 1 ;;
  esac
}

# --- what the examples find ---

# A project whose database is one migration behind, with a schema, seeds, and the programs that examples call.
shop() {
  export URL=$DATABASE_URL
  export PROD_DATABASE_URL=$URL PRODUCTION_URL=$URL STAGING_URL=$URL REPLICA_URL=$URL HEALTH_URL=http://127.0.0.1:$HTTP/ok
  local table
  for table in Role Plan FeatureFlag Rate; do
    printf 'CREATE TABLE "%s" ("key" TEXT NOT NULL, CONSTRAINT "%s_pkey" PRIMARY KEY ("key"));\n' "$table" "$table"
  done | migration 0_init
  pipeline
  migration 20260105000000_backfill 'ALTER TABLE "Role" ADD COLUMN "name" TEXT; ALTER TABLE "Role" ADD COLUMN "note" TEXT; DROP TABLE IF EXISTS "Gone";'
  printf '%s\n' 'datasource db {' '  provider = "postgresql"' '}' 'model Role {' '  key String @id' '  name String?' '  note String?' '}' \
    'model Plan {' '  key String @id' '}' 'model FeatureFlag {' '  key String @id' '}' 'model Rate {' '  key String @id' '}' >prisma/schema.prisma
  mkdir -p prisma/seed fakes
  printf 'key\nadmin\n' >prisma/seed/Role.csv
  printf 'tenant_a\ntenant_b\n' >schemas
  cp -R "$TESTS/../scripts/release.mk" .
  fake ssh 'shift; exec sh -c "$*"'
  fake kubectl 'echo ready; echo serving'
  fake curl 'echo "[{\"key\":\"rated\"}]"'
  fake snapshot 'exit 0'
  fake mail 'cat >/dev/null'
  fake git 'cat prisma/schema.prisma' # git show
}

fake() {
  printf '#!/bin/sh\n%s\n' "$2" >"fakes/$1"
  chmod +x "fakes/$1"
}

# The block with the places of this test; times are short.
here() { # FILE
  sed -e '/^\.\\" example/d' -e "s,https://api.example.com/health,$HEALTH_URL,g" -e "s,/run/secrets/database-url,$PROJECT/url,g" \
    -e "s,/etc/shop/database-url,$PROJECT/url,g; s,/srv/shop,$PROJECT,g; s,/usr/local/share/mig/,$PROJECT/,g" \
    -e "s,/var/lib/prometheus/node-exporter,$PROJECT,g; s,/tmp/main.prisma,$PROJECT/main.prisma,g" \
    -e "s,^PATH=/usr/local/bin,PATH=$BUILD," -e 's/--watch[ =][0-9]*min/--watch=200ms/g; s/--wait[ =]1*0*min/--wait=5s/g' \
    -e "s/'host=db.example.com dbname=shop user=deployer'/\"host=\$MIG_TEST_SERVER port=\$PGPORT dbname=\$PGDATABASE user=tester\"/" \
    -e 's/^[0-9*]\+ [0-9*]\+ \* \* \*  //' "$1"
}

# --- how they are run ---

# Makes what the block starts from, and says how it ends: 0 but for those that are to show something else.
prepare() { # FILE
  expected=0
  local digest text
  text=$(<"$1")
  case $text in
  *'--down-to 20261101_before'*)
    migration 20261101_before 'SELECT 1;'
    migration 20261102_after 'CREATE TABLE "After" ();'
    echo 'DROP TABLE "After";' >prisma/migrations/20261102_after/down.sql
    pipeline
    ;;
  *'mig-apply'*) ;;
  *'history --wait'*) pipeline ;;
  *'--catalog | mig-check schema=prisma/schema.prisma'*) pipeline ;; # a step behind the deploy
  esac
  case $text in
  *role.slug* | *Membership*)
    sql 'DROP TABLE "Role"; CREATE TABLE "Role" (id SERIAL PRIMARY KEY, slug TEXT NOT NULL UNIQUE);
      CREATE TABLE "User" (id SERIAL PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, "roleId" INTEGER NOT NULL REFERENCES "Role");
      CREATE TABLE "Membership" ("userId" INTEGER PRIMARY KEY REFERENCES "User", note TEXT)'
    rm -r prisma/seed prisma/schema.prisma
    ;;
  *'baseline 0_init'*)
    sql 'DROP TABLE _prisma_migrations'
    sed -i '/name/d; /note/d' prisma/schema.prisma
    ;;
  *'mark-rolled-back 2026'* | *'mark-applied 2026'* | *'--resume 2026'*)
    recorded 20260105000000_backfill failed
    [[ $text == *mark-rolled* ]] || sql 'ALTER TABLE "Role" ADD COLUMN "name" TEXT; ALTER TABLE "Role" ADD COLUMN "note" TEXT'
    ;;
  esac
  # kept streams of an earlier command of the page
  case $text in
  *'mig-scan | mig-plan -o plan.rec'* | *'mig plan -o plan.rec'* | *'--load | mig-plan -o plan.rec'* | *'>deploy.sql'*) ;;
  *plan.rec* | *'"$digest"'*) mig-scan | mig-plan -o plan.rec >/dev/null ;;
  esac
  case $text in
  *'-o results.rec'* | *'| mig-apply |'*) ;;
  *results.rec*) mig-scan | mig-plan | mig-apply -o results.rec >/dev/null 2>&1 ;;
  esac
  case $text in
  *staging.rec*) mig-scan | mig-plan -o staging.rec >/dev/null && cp staging.rec production.rec ;;
  esac
  case $text in
  *'-d file:'* | *MIG_DATABASE* | *'secrets'*) (umask 077 && database_url tester >url) ;;
  esac
  digest=$(mig-scan | mig-plan --format=digest 2>/dev/null) || digest=
  sed -i "s/4f7cb550d69c7918/${digest:0:16}/g" block
  case $text in
  # its end is that something is pending, or that there is no replica
  *'mig-scan | mig-check history'* | *'mig-scan | mig-check -q history'* | *'mig-check -q seeds'*) expected=1 ;;
  *'database:replica.expect=standby'*) expected=2 ;;
  esac
  case $text in
  *'mig-apply'*'mig-check history'*) expected=0 ;;
  esac
}

# As people type it: the string comes from where read asks for it; what is released asks nobody.
run_block() { # FILE
  here "$1" >block
  prepare "$1"
  PGPORT=$(server_port)
  export PGPORT PGSERVICEFILE=$PROJECT/pg_service.conf
  printf '[production]\nhost=%s\nport=%s\ndbname=%s\nuser=tester\n' "$MIG_TEST_SERVER" "$PGPORT" "$PGDATABASE" >"$PGSERVICEFILE"
  # mig-release asks on a terminal alone
  sed -i 's/^mig-release --seed/mig-release --yes --seed/; s/^mig-release --before/mig-release --yes --before/' block
  case $(<block) in
  *'MIGRATIONS = '*) # a Makefile
    sed -i "s,^CHECKS = .*,CHECKS = health=$HEALTH_URL," block
    run --separate-stderr make -f block plan release
    ;;
  *) run --separate-stderr env "PATH=$PWD/fakes:$PATH" bash -o pipefail block <<<"$URL" ;;
  esac
  [[ $status == "$expected" ]] || fail "${1##*/}, expected $expected, got $status:"$'\n'"$(cat block)"$'\n'"$output"$'\n'"$stderr"
}

run_page() { # PAGE
  local file ran=0 changed=false names=()
  for file in "$BLOCKS/$1".*; do
    is_elsewhere "$file" && continue
    names+=("$file")
  done
  for file in "${names[@]}"; do
    # the suite runs a third of the long pages; make check-examples all
    if [[ $1 != README && $1 != mig.7 ]] && ((ran % ${MIG_TEST_STRIDE:-3} != 0)); then
      ran=$((ran + 1))
      continue
    fi
    ran=$((ran + 1))
    if $changed; then
      cd "$BATS_TEST_TMPDIR" || return 1
      rm -rf "${PROJECT:?}"
      database_new
      folder_new
      shop
      changed=false
    fi
    run_block "$file" || return 1
    ! grep -qE 'apply|deploy|release|seed|sql|resume|mark|baseline|schema=|--wait' "$file" || changed=true
  done
  ((ran > 0)) || fail "no example of $1 is run"
}

@test "README" { run_page README; }
@test "mig(7)" { untrapped; run_page mig.7; }
@test "mig(1)" { run_page mig.1; }
@test "mig-scan(1)" { run_page mig-scan.1; }
@test "mig-plan(1)" { run_page mig-plan.1; }
@test "mig-apply(1)" { run_page mig-apply.1; }
@test "mig-check(1)" { untrapped; run_page mig-check.1; }
@test "mig-seed(1)" { run_page mig-seed.1; }
@test "mig-release(1)" { run_page mig-release.1; }
@test "mig-records(5)" { run_page mig-records.5; }

@test "each page has its test here" {
  local page
  for page in "$TESTS"/../man/*.[157]; do
    page=${page##*/}
    [[ $page == mig-cookbook.7 || $page == mig-fleet.1 ]] || # cookbook.bats, fleet.bats
      grep -qF "run_page $page;" "$BATS_TEST_FILENAME" || fail "no test runs $page"
  done
}

## From Prisma

# The commands of mig(7), FROM PRISMA, in its order, each once.
from_prisma() {
  sed -n '/^\.Sh FROM PRISMA/,/^\.Sh ENV/p' "$TESTS/../man/mig.7" | sed -nE 's/^\.Ql (mig[- ].*[^ ;,.:]) ?[;,.:]?$/\1/p' | tail -n +3
}

# ends CODE COMMAND…: typed into a shell it ends so.
ends() {
  local code=$1
  shift
  run --separate-stderr sh -c "$*" </dev/null
  assert_code "$code"
}

@test "mig(7), from Prisma: each command does what it stands for" {
  local command
  from_prisma >commands
  assert_equal "$(head -n 1 commands) $(wc -l <commands)" 'mig deploy 13'
  while read -r command; do
    case $command in
    'mig status') ends 0 "$command --format=text" && shows '0 pending' ;;
    'mig check history') ends 0 "$command" ;;
    'mig deploy --mark-applied NAME')
      migration 20260201000000_by_hand 'SELECT 1/0;'
      ends 0 "${command/NAME/20260201000000_by_hand}"
      ;;
    'mig deploy --mark-rolled-back NAME')
      migration 20260202000000_failed 'SELECT 1;'
      recorded 20260202000000_failed failed
      ends 0 "${command/NAME/20260202000000_failed}"
      ends 0 'mig deploy'
      assert_equal "$(applied | tail -n 1)" 20260202000000_failed
      rm -r prisma/migrations/2026020*
      ;;
    'mig deploy --baseline 0_init')
      sql 'DROP TABLE _prisma_migrations'
      ends 0 "$command"
      assert_equal "$(applied)" 0_init
      ;;
    'mig plan --diff'*) ends 0 "$command" && shows 'CREATE TABLE "Role"' ;;
    'mig-plan --diff'*)
      ends 0 "mig-scan --replay -o FROM && sed -i 's/note/notes/' prisma/schema.prisma && $command"
      shows 'ADD COLUMN     "notes"'
      ;;
    'mig-scan --replay -o FROM') ;; # with the one before
    'mig-seed FILE.sql')
      echo "INSERT INTO \"Role\" VALUES ('by hand');" >FILE.sql
      ends 0 "$command"
      assert_equal "$(sql "SELECT count(*) FROM \"Role\" WHERE \"key\" = 'by hand'")" 1
      ;;
    'mig deploy' | 'mig verify' | 'mig-seed prisma/seed' | 'mig-scan --catalog') ends 0 "$command" ;;
    *) fail "not tried: $command" ;;
    esac
  done <commands
}
