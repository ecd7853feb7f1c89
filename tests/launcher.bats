#!/usr/bin/env bats
# mig, the one program that is all five: pipes without a shell, whose options are whose, exit codes and signals.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }

setup() {
  database_new
  folder_new
}

two_migrations() {
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  migration 20240102000000_more 'CREATE TABLE b (id int);'
}

# refused CODE WORD ARGUMENT…: is wrong usage that names WORD.
refused() {
  local code=$1 word=$2
  shift 2
  run --separate-stderr mig "$@" </dev/null
  assert_code "$code"
  says "$word"
  assert_equal "$(grep -c '^mig: error: ' <<<"$stderr")" 1
}

@test "status, plan and deploy are the pipes, by their records" {
  two_migrations
  assert_equal "$(mig status)" "$(mig-scan)"
  assert_equal "$(mig plan --format=sql)" "$(mig-scan | mig-plan --format=sql)"
  run --separate-stderr mig deploy --format=records
  assert_code 0
  assert_equal "$(records .record | tr '\n' ' ')" 'stream run result result end '
  assert_equal "$(applied | wc -l)" 2
  run --separate-stderr mig deploy prisma/migrations -q
  assert_code 0
  assert_equal "$stderr" ''
}

@test "plan reads a scan from a file or a pipe, and scans a folder" {
  two_migrations
  mig-scan -o scan.rec >/dev/null
  mig-scan | mig-plan --format=records >want
  for words in scan.rec - prisma/migrations ''; do
    # shellcheck disable=SC2086
    run --separate-stderr mig plan --format=records $words <scan.rec
    assert_code 0
    assert_equal "$(records 'select(.record == "end").digest')" "$(jq -r 'select(.record == "end").digest' want)"
  done
  run --separate-stderr mig plan nowhere.rec
  assert_code 65
  says nowhere.rec
}

@test "an option goes to each program that has it, -o and --format to the last" {
  two_migrations
  export ELSEWHERE=$DATABASE_URL
  unset DATABASE_URL
  run --separate-stderr mig deploy -denv:ELSEWHERE --wait=5s --to=20240101000000_init --max-stall 2s -qo results.rec
  assert_code 0
  assert_equal "$(applied)" 20240101000000_init
  assert_equal "$(jq -r .record results.rec | head -n 1)" stream
  run --separate-stderr mig plan --database env:ELSEWHERE --offl --format=records
  assert_code 64 # offline and a database contradict each other, says mig-scan
  says 'mig-scan: error:' --offline
  run --separate-stderr mig plan --offl --from-empty --format=records
  assert_code 0
}

@test "an option that none of them has is refused, with the program that has it; values are not repeated" {
  refused 64 'mig plan has no option --expect; mig-apply has it' plan --expect=0123456789abcdef
  refused 64 'mig status has no option --strict; mig-plan has it' status --strict
  refused 64 'mig deploy has no option --dry-rum; did you mean --dry-run?' deploy --dry-rum
  refused 64 'mig deploy has no option -x' deploy -x
  refused 64 'there is no command deplyo; did you mean deploy?' deplyo
  refused 64 'a command is missing'
  refused 64 'the first argument must be a command' 'postgresql://u:hushhush@h/d'
  says_not hush
  refused 64 'mig deploy has no option --databas3' deploy --databas3=postgresql://u:hushhush@h/d
  says_not hush
  run --separate-stderr mig deploy --to
  assert_code 64
  says 'mig: error: option --to needs a value'
  # once, though two of the tools have it
  refused 64 'option --wait needs a value' deploy --wait
  refused 64 'option -d needs a value' deploy -qd
  for option in --wait=abc --wait=-3s --max-stall=5 --max-stall=0; do
    refused 64 "mig: error: $option" deploy "$option"
    assert_equal "$(grep -cFe "$option" <<<"$stderr")" 1
  done
  refused 64 "mig apply 'my plan.rec'" deploy 'my plan.rec'
  refused 64 'mig apply -' deploy -
}

@test "exit codes are those of the pipe" {
  run --separate-stderr mig plan --exit-code --format=text
  assert_code 0
  migration 20240101000000_init 'SELECT 1/0;'
  run --separate-stderr mig plan --exit-code --format=text
  assert_code 2
  run --separate-stderr mig deploy
  assert_code 1
  says 'mig-apply: error:' 20240101000000_init
  rm -r prisma
  run --separate-stderr mig deploy
  assert_code 65
  error_count 1
  folder_new
  DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere run --separate-stderr mig deploy --wait=0
  assert_code 69
  unset DATABASE_URL
  run --separate-stderr mig deploy
  assert_code 78
  run --separate-stderr bash -c 'mig --help >/dev/full'
  assert_code 74
}

@test "the first word and the name of a link choose a program" {
  local tool
  for tool in scan plan apply seed check; do
    run --separate-stderr mig "$tool" --version
    assert_equal "$output" "$(mig-"$tool" --version)"
  done
  mkdir links
  run --separate-stderr mig install-links links
  assert_code 0
  assert_equal "$(echo links/*)" 'links/mig-apply links/mig-check links/mig-plan links/mig-scan links/mig-seed'
  assert_equal "$(links/mig-scan --offline)" "$(mig-scan --offline)"
  # again is well; what is somebody else's is left alone
  run --separate-stderr mig install-links links
  assert_code 0
  ln -sf /bin/true links/mig-apply
  run --separate-stderr mig install-links links
  assert_code 74
  says 'links/mig-apply'
  assert_equal "$(readlink links/mig-apply)" /bin/true
}

@test "each word of mig has its help, and creates nothing for it" {
  local word option
  for word in status plan deploy verify check seed scan apply; do
    run --separate-stderr mig "$word" --help
    assert_code 0
    [[ $output == mig* ]] || fail "mig $word --help: $output"
  done
  for word in help completions install-links; do
    for option in -h --help --help=all; do
      run --separate-stderr mig "$word" "$option"
      assert_code 0
      assert_line --index 0 'mig: takes Prisma migrations to a production PostgreSQL'
    done
  done
}

@test "TERM in the middle of a step rolls it back, is passed on, and nobody stays behind" {
  migration 20240101000000_slow 'CREATE TABLE a (id int); SELECT pg_sleep(60);'
  mig deploy >out 2>err 3>&- 4>&- &
  deploy=$!
  eventually running 'SELECT pg_sleep(60)'
  kill -TERM "$deploy"
  status=0
  wait "$deploy" || status=$?
  assert_equal "$status" 143
  run sql "SELECT to_regclass('a') IS NULL"
  assert_output t
  eventually test -z "$(pgrep -P "$deploy")"
}

@test "a program before the last that is killed is named, with the signal" {
  two_migrations
  mig-scan | mig-plan | mig-apply -q >/dev/null
  coproc PSQL { client psql -XAtq; }
  echo "BEGIN; LOCK TABLE _prisma_migrations; SELECT 'locked';" >&"${PSQL[1]}"
  read -r locked <&"${PSQL[0]}"
  assert_equal "$locked" locked
  mig plan --format=text >out 2>err 3>&- 4>&- &
  plan=$!
  eventually running 'SELECT'
  kill -KILL "$(pgrep -P "$plan" | head -n 1)"
  status=0
  wait "$plan" || status=$?
  echo 'ROLLBACK; \q' >&"${PSQL[1]}"
  ((status != 0)) || fail "it ended well"
  run cat err
  assert_line --partial 'mig-scan was ended by signal 9'
}

@test "the password is in no environment and no command line of any of its processes" {
  local pid
  migration 20240101000000_slow 'SELECT pg_sleep(60);'
  export OTHER=${DATABASE_URL/tester/tester:Made-up-pass1}
  unset DATABASE_URL
  mig deploy -d env:OTHER >out 2>err 3>&- 4>&- &
  deploy=$!
  eventually running 'SELECT pg_sleep(60)'
  for pid in "$deploy" $(pgrep -P "$deploy"); do
    [[ -e /proc/$pid/environ ]] || continue
    run grep -aF Made-up-pass1 "/proc/$pid/environ" "/proc/$pid/cmdline"
    [[ $output != *matches* && $output != *Made-up* ]] || fail "$output"
  done
  kill -TERM "$deploy"
  wait "$deploy" || true
}

@test "verify is a replay that is judged against schema.prisma" {
  export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
  migration 20240101000000_init 'CREATE TABLE "A" ("id" INTEGER NOT NULL, CONSTRAINT "A_pkey" PRIMARY KEY ("id"));'
  printf '%s\n' 'datasource db {' '  provider = "postgresql"' '}' '' 'model A {' '  id Int @id' '}' >prisma/schema.prisma
  export SCRATCH=$DATABASE_URL
  unset DATABASE_URL
  run --separate-stderr mig verify --scratch env:SCRATCH
  assert_code 0
  shows schema
  sed -i 's/id Int @id/id Int @id\n  name String/' prisma/schema.prisma
  run --separate-stderr mig verify --scratch env:SCRATCH
  assert_code 2
  shows name
  run --separate-stderr mig verify schema=nowhere.prisma --scratch env:SCRATCH
  assert_code 3
  run --separate-stderr mig verify --nonsense
  assert_code 3
}

# alone COMMAND…: in a shell that finds mig and not the five.
alone() {
  mkdir -p "$BATS_TEST_TMPDIR/alone"
  ln -sf "$BUILD/mig" "$BATS_TEST_TMPDIR/alone/mig"
  PATH=$BATS_TEST_TMPDIR/alone:/usr/bin:/bin run --separate-stderr sh -c "$1"
}

# The command that a line with WORD tells to type.
told() { grep -F -- "$1" <<<"$output$stderr" | grep -oE '(^|[: ])mig .*$' | sed -E 's/^[: ]//; s/ {3,}.*$//' | head -n 1; }

@test "called as mig, it prints commands that need no other name" {
  two_migrations
  export SHOP=$DATABASE_URL
  unset DATABASE_URL
  alone 'mig plan -d env:SHOP prisma/migrations --to=20240101000000_init --format=text'
  assert_code 0
  [[ $(told deploy) =~ ^'mig deploy -d env:SHOP prisma/migrations --to=20240101000000_init --expect '[0-9a-f]{16}$ ]] || fail "$output"
  assert_equal "$(grep -cE 'mig-(scan|plan|apply|check|seed)' <<<"$output")" 0
  alone "$(told deploy)"
  assert_code 0
  assert_equal "$(applied | wc -l)" 1
  migration 20240102000000_more 'SELECT 1/0;'
  alone 'mig deploy -d env:SHOP prisma/migrations --max-stall=2s'
  assert_code 1
  assert_equal "$(told 'next:')" 'mig deploy -d env:SHOP prisma/migrations --max-stall=2s'
  migration 20240102000000_more 'CREATE TABLE b (id int);'
  alone "$(told 'next:')"
  assert_code 0
  assert_equal "$(applied | wc -l)" 2
  # a program by its own name names the programs
  migration 20240103000000_third
  run --separate-stderr bash -c 'mig-scan -d env:SHOP | mig-plan --format=text'
  assert_equal "$(told 'to apply')" ''
  shows 'mig-scan -d env:SHOP'
}

@test "a plan and its digest are the same by mig and by the pipe, remedies too" {
  two_migrations
  mig-scan | mig-plan --to=20240101000000_init | mig-apply -q >/dev/null
  printf '\n-- later\n' >>prisma/migrations/20240101000000_init/migration.sql
  assert_equal "$(mig plan --format=records 2>/dev/null | jq -r 'select(.record == "end").digest')" \
    "$(mig-scan | mig-plan 2>/dev/null | jq -r 'select(.record == "end").digest')"
}

@test "check history scans by itself where no scan comes through a pipe" {
  two_migrations
  run --separate-stderr mig check history </dev/null
  assert_code 1
  shows '2 pending'
  shows 'mig plan'
  run --separate-stderr mig check history prisma/migrations history.pending=ok --format=records < <(:)
  assert_code 0
  assert_equal "$(records 'select(.record == "check").status' | head -n 1)" ok
  run --separate-stderr bash -c 'mig check history <&-'
  assert_code 1
  mig deploy -q >/dev/null
  # a scan that is there is the one that counts
  run --separate-stderr bash -c 'mig-scan | mig check history'
  assert_code 0
  mig-scan -o scan.rec >/dev/null
  DATABASE_URL='' run --separate-stderr mig check history <scan.rec
  assert_code 0
  run --separate-stderr mig check history nowhere </dev/null
  assert_code 3
  shows nowhere
  run --separate-stderr mig check history --nonsense </dev/null
  assert_code 3
  says 'no option --nonsense'
}

@test "check schema reads the catalog by itself" {
  sql 'CREATE TABLE "A" ("id" INTEGER NOT NULL, CONSTRAINT "A_pkey" PRIMARY KEY ("id"))'
  mkdir -p prisma
  printf '%s\n' 'datasource db {' '  provider = "postgresql"' '}' '' 'model A {' '  id Int @id' '}' >prisma/schema.prisma
  run --separate-stderr mig check schema=prisma/schema.prisma </dev/null
  assert_code 0
  sql 'ALTER TABLE "A" ADD "name" TEXT'
  run --separate-stderr mig check schema=prisma/schema.prisma </dev/null
  assert_code 2
  shows name
}
