#!/usr/bin/env bats
# What all five programs have in common: options, standard input and output, colour, files.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

TOOLS=(mig-scan mig-plan mig-apply mig-seed mig-check)

setup_file() { server_start; }
teardown_file() { server_stop; }

# Most tests need no database, so a test that does says database_new itself.
setup() {
  export DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere
  folder_new
}

# The exit code of wrong usage: a plugin has no 64.
usage_code() {
  if [[ $1 == mig-check ]]; then echo 3; else echo 64; fi
}

# refused TOOL WORD ARGUMENT…: is wrong usage, and the message names WORD.
refused() {
  local tool=$1 word=$2
  shift 2
  run --separate-stderr "$tool" "$@" </dev/null
  [[ $status == "$(usage_code "$tool")" ]] || fail "$tool $*: exit code $status; $stderr" || return 1
  [[ ${stderr_lines[0]} == "$tool: error: "*"$word"* ]] || fail "$tool $*: $word is not named: $stderr" || return 1
  error_count 1
}

some_scan() {
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  mig-scan --offline -o scan.rec >/dev/null
}

some_plan() {
  database_new
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  migration 20240102000000_more 'CREATE TABLE b (id int);'
  mig-scan | mig-plan -o plan.rec >/dev/null
}

## Options

@test "--help is on standard output, ends with 0 and names every option" {
  local tool option
  local -A own=(
    [mig-scan]='database schema offline wait rehearse load draft datamodel catalog replay log to scratch same-server grants'
    [mig-plan]='to down-to from-empty strict allow exit-code baseline mark-applied mark-rolled-back resume max-stall phase proof proof-age diff'
    [mig-apply]='database schema dry-run expect expect-steps max-stall note wait role max-failed'
    [mig-seed]='database schema dry-run env prune key insert-only export columns where natural-keys into max-stall wait role'
    [mig-check]='database schema wait watch interval timeout dry-run'
  )
  for tool in "${TOOLS[@]}"; do
    run --separate-stderr "$tool" --help
    assert_equal "$tool $status" "$tool 0"
    assert_equal "$stderr" ''
    assert_line --index 0 --partial "$tool: "
    shows 'exit codes: 0 '
    # shellcheck disable=SC2086
    for option in ${own[$tool]} output format quiet verbose color help version; do
      assert_line --regexp "^ +(-[a-zA-Z], )?--$option([=[ ]|$)"
    done
    # ... and no other, so that this list stays whole
    assert_equal "$tool: $(grep -cE '^ +(-[a-zA-Z], )?--[a-z]' <<<"$output") options" \
      "$tool: $(wc -w <<<"${own[$tool]} output format quiet verbose color help version") options"
    run "$tool" -h
    assert_equal "$tool $status" "$tool 0"
  done
}

@test "-V and --version name program and version" {
  local tool word
  for tool in "${TOOLS[@]}"; do
    for word in -V --version; do
      run --separate-stderr "$tool" "$word"
      assert_equal "$status$stderr" 0
      assert_output --regexp "^$tool \(mig\) [0-9][^ ]*$"
    done
  done
}

@test "an unknown option is refused by name" {
  local tool
  for tool in "${TOOLS[@]}"; do
    refused "$tool" --nonsense --nonsense
    refused "$tool" -Z -Z
    says "$tool --help"
  done
}

@test "the value of an option that is no option is not repeated: it may be a password" {
  local tool word
  for tool in "${TOOLS[@]}"; do
    for word in --databas3=postgresql://u:hushhush@h/d -postgresql://u:hushhush@h/d; do
      run --separate-stderr "$tool" "$word" </dev/null
      assert_equal "$status" "$(usage_code "$tool")"
      says_not hush
      shows_not hush
    done
  done
}

@test "an option that is given twice is refused by name" {
  local tool
  for tool in "${TOOLS[@]}"; do
    refused "$tool" --output -o a -o b
    refused "$tool" --format --format=text --format=records
    refused "$tool" --quiet -q -q
  done
  refused mig-scan --offline --offline --offline
  refused mig-scan --wait --wait=1s --wait=2s
  refused mig-apply --database -d env:A --database=env:B
  refused mig-apply --expect --expect=0123456789abcdef --expect=0123456789abcdef
  refused mig-plan --to --to=a --to=b
  refused mig-plan --strict --strict --strict=late
}

@test "an option without its value is refused by name" {
  local tool
  for tool in "${TOOLS[@]}"; do
    refused "$tool" -o -o
    refused "$tool" 'needs the name' -o ''
    refused "$tool" --output --output
  done
  refused mig-scan -d -d
  refused mig-plan --to --to
}

@test "what contradicts each other is refused, naming both" {
  local tool
  for tool in "${TOOLS[@]}"; do
    refused "$tool" --quiet -q -v
    says --verbose
  done
  refused mig-scan --offline --offline -d env:A
  says --database
  refused mig-scan --offline --offline -
  refused mig-plan --to --to=a --baseline=b
  refused mig-plan --from-empty --from-empty --mark-applied=b
}

@test "a surplus argument is refused by name" {
  refused mig-scan surplus prisma/migrations surplus
  refused mig-plan surplus - surplus
  refused mig-apply 'several plans' - surplus
  refused mig-check surplus history surplus
  refused mig-check twice history history
  refused mig-seed 'files'
  refused mig-seed tables --export
  refused mig-seed --prune --export --prune Role
  refused mig-seed --as --as=csv prisma/seed
  refused mig-seed --table --table=Role prisma/seed
  refused mig-check 'check'
}

@test "a value that cannot be is refused, and shown" {
  refused mig-scan --format=yaml --offline --format=yaml
  refused mig-plan nonsense --strict=late,nonsense
  refused mig-plan failed --allow=failed
  refused mig-apply --max-stall=0 --max-stall=0
  refused mig-apply --expect=0123456789abcde --expect=0123456789abcde
  refused mig-apply --expect=0123456789ABCDEF --expect=0123456789ABCDEF
  refused mig-check disk disk
  refused mig-seed --max-stall=0 --max-stall=0 file.sql
  refused mig-seed --as=xml --export --as=xml Role
  refused mig-check nonsense history.nonsense=1 history
  refused mig-check health.crit health.crit=2s history
  refused mig-check 'health=URL' health
  refused mig-check 'history and deploy' history deploy
  refused mig-check 'health:a is asked for twice' health:a=http://127.0.0.1:1/ health:a=http://127.0.0.1:2/
  refused mig-check 'given twice' health=http://127.0.0.1:1/ health.crit=2s health.crit=3s
  refused mig-check maybe history.pending=maybe history
  refused mig-check primary database.expect=leader database
  refused mig-check unknown used.standbys=perhaps used=User
  refused mig-check expand history.phase=contract history
  refused mig-check 200-299x health=http://127.0.0.1:1/ health.status=200-299x
  refused mig-check 'http://' health=api.example.com
}

@test "times are written as in PostgreSQL, with their unit" {
  local time option
  for time in 5 -5s 5y 5sx s '' 1e3s inf 99999999999d; do
    refused mig-scan --wait --offline --wait="$time"
    refused mig-apply --max-stall --max-stall="$time"
    refused mig-seed --wait --wait="$time" file.sql
  done
  for time in 5 -5s 5y s '' inf; do
    for option in wait watch interval timeout; do
      refused mig-check "--$option" --"$option=$time" history
    done
    refused mig-check "health.crit=$time" health=http://127.0.0.1:1/ "health.crit=$time"
  done
  for time in 200ms 5s 1.5s 10min '1 h' 1d 0; do
    run --separate-stderr mig-scan --offline --wait="$time"
    assert_code 0
  done
}

@test "options may stand behind what they do not belong to, and -- ends them" {
  migration 1_one 'SELECT 1;'
  mv -- prisma/migrations -folder
  run --separate-stderr mig-scan -- -folder
  assert_code 69
  run --separate-stderr mig-scan --offline -- -folder
  assert_code 0
  run --separate-stderr bash -c 'mig-scan -- -folder --offline'
  assert_code 64
  mig-scan --offline -o -scan -- -folder >/dev/null
  run --separate-stderr mig-plan -- -scan --from-empty
  assert_code 64
  says -- --from-empty
  run --separate-stderr mig-plan --from-empty -o -plan -- -scan
  assert_code 0
  run --separate-stderr mig-apply -- -plan
  assert_code 65
  says 'made without a database'
  echo 'SELECT 1;' >-seed.sql
  run --separate-stderr mig-seed -- -seed.sql
  assert_code 69
  run --separate-stderr bash -c 'mig-check -- history <-scan'
  assert_code 3
  says_not option
}

## Standard input

@test "where records are needed a terminal is refused at once, with the pipeline to type" {
  export NO_COLOR=1
  on_terminal mig-plan
  assert_equal "$status" 64
  assert_output --regexp 'mig-plan: error: standard input is a terminal.*mig-scan \| mig-plan'
  on_terminal mig-apply
  assert_equal "$status" 64
  assert_output --regexp 'mig-apply: error: standard input is a terminal.*mig-scan \| mig-plan \| mig-apply'
  on_terminal 'mig-scan -'
  assert_equal "$status" 64
  assert_output --regexp 'mig-scan: error: standard input is a terminal.*mig-scan --offline \|'
  on_terminal 'mig-check history'
  assert_equal "$status" 3
  assert_output --regexp 'mig-check: error: standard input is a terminal.*mig-scan \| mig-check history'
  on_terminal 'mig-check deploy'
  assert_equal "$status" 3
  shows 'mig-scan | mig-plan | mig-apply | mig-check deploy'
  # on the database that was meant, with what was typed
  on_terminal 'mig-plan --to="it'\''s"'
  shows "mig-scan | mig-plan --to='it'\\''s'"
  on_terminal 'mig-apply -d env:PROD_URL --wait=5s'
  shows 'mig-scan -d env:PROD_URL | mig-plan | mig-apply -d env:PROD_URL --wait=5s'
  on_terminal 'mig-scan -d env:PROD_URL -'
  shows 'mig-scan --offline | mig-scan -d env:PROD_URL -'
  on_terminal 'mig-check -d env:PROD_URL deploy '\''deploy.age=5min'\'''
  shows 'mig-scan -d env:PROD_URL | mig-plan | mig-apply -d env:PROD_URL | mig-check -d env:PROD_URL deploy '\''deploy.age=5min'\'''
  # and none where that may not be shown
  on_terminal 'mig-apply -d "cmd:echo x"'
  assert_output --regexp 'standard input is a terminal; a plan is read from a pipe: the commands that create it, with the same -d'
  on_terminal 'mig-check history database=cmd:x'
  assert_output --regexp 'standard input is a terminal; records are read from a pipe: as mig-check\(1\) shows'
}

@test "a file of records is named instead of standard input" {
  some_scan
  run --separate-stderr mig-plan --from-empty --format=records scan.rec
  assert_code 0
  assert_equal "$(records 'select(.record == "step").migration')" 20240101000000_init
  run --separate-stderr mig-plan --from-empty --format=records - <scan.rec
  assert_code 0
  run --separate-stderr mig-plan nowhere.rec
  assert_code 65
  says nowhere.rec 'No such file'
  run --separate-stderr mig-apply nowhere.rec
  assert_code 65
}

## Standard output

@test "a terminal gets the page, a pipe gets records" {
  some_plan
  on_terminal mig-scan
  assert_equal "$status" 0
  assert_line --regexp '^database +.*, schema public, user tester$'
  shows_not '{"record"'
  run --separate-stderr mig-scan
  assert_equal "$(records .record | tr '\n' ' ')" 'stream database migration migration end '

  on_terminal 'mig-plan <scan.rec || mig-scan | mig-plan'
  shows 'Nothing has been changed.'
  shows_not '{"record"'
  run --separate-stderr mig-plan --format=text <<<"$(mig-scan)"
  shows 'Nothing has been changed.'

  on_terminal 'mig-apply plan.rec'
  assert_equal "$status" 0
  shows_not '{"record"'
}

@test "--format says what it is, whatever the output is" {
  some_scan
  run --separate-stderr mig-scan --offline --format=text
  assert_code 0
  assert_line --index 0 --regexp '^folder +prisma/migrations: 1 migration$'
  on_terminal 'mig-scan --offline --format=records'
  assert_line --index 0 '{"record":"stream","kind":"scan","version":1}'
  on_terminal 'mig-plan --from-empty --format=records scan.rec'
  assert_line --index 0 '{"record":"stream","kind":"plan","version":1}'
}

@test "colour is for terminals, and NO_COLOR, CLICOLOR_FORCE and TERM are heard" {
  local escape=$'\033['
  some_scan
  on_terminal 'mig-scan --offline'
  shows "$escape"
  on_terminal 'NO_COLOR= mig-scan --offline'
  shows "$escape"
  on_terminal 'NO_COLOR=1 mig-scan --offline'
  shows pending
  shows_not "$escape"
  on_terminal 'NO_COLOR=1 CLICOLOR_FORCE=1 mig-scan --offline'
  shows_not "$escape"
  TERMINAL=dumb on_terminal 'mig-scan --offline'
  shows pending
  shows_not "$escape"
  run mig-scan --offline --format=text
  shows_not "$escape"
  CLICOLOR_FORCE=1 run mig-scan --offline --format=text
  shows "$escape"
  CLICOLOR_FORCE=0 run mig-scan --offline --format=text
  shows_not "$escape"
  CLICOLOR_FORCE=1 run mig-scan --offline --format=records
  shows_not "$escape"
  CLICOLOR_FORCE=1 run mig-check history <<<"$(forged mig-scan 69 'cannot reach it')"
  shows "${escape}1;31mCRITICAL"
}

@test "--color says more than the environment, wherever output goes" {
  local escape=$'\033['
  some_scan
  NO_COLOR=1 run mig-scan --offline --format=text --color=always
  shows "${escape}1mpending"
  on_terminal 'mig-scan --offline --color=never'
  shows pending
  shows_not "$escape"
  CLICOLOR_FORCE=1 run mig-scan --offline --format=text --color=auto
  shows "$escape"
  run --separate-stderr mig status --offline --format=text --color=always
  shows "$escape"
  run --separate-stderr mig-scan --offline --color=sometimes
  assert_code 64
  says '--color=sometimes: must be one of always, never, auto'
  run --separate-stderr mig-plan --color=always nowhere.rec
  says "mig-plan: ${escape}1;31merror:${escape}0m cannot open"
}

@test "output that is lost is 74, and 3 from mig-check: then nothing is known" {
  local tool
  some_scan
  for tool in "${TOOLS[@]}"; do
    run --separate-stderr bash -c '"$1" --help >/dev/full' - "$tool"
    assert_equal "$tool --help $status" "$tool --help 74"
  done
  run --separate-stderr bash -c 'mig-scan --offline >/dev/full'
  assert_code 74
  says 'standard output' 'No space left'
  run --separate-stderr bash -c 'mig-scan --offline --format=text >/dev/full'
  assert_code 74
  run --separate-stderr bash -c 'mig-plan --from-empty scan.rec >/dev/full'
  assert_code 74
  run --separate-stderr bash -c 'mig-plan --from-empty --format=text scan.rec >/dev/full'
  assert_code 74
  run --separate-stderr bash -c 'mig-check history <scan.rec >/dev/full'
  assert_code 3
  run --separate-stderr mig-scan --offline -o nowhere/scan.rec
  assert_code 74
  says nowhere/scan.rec
}

@test "a deploy whose output is lost was finished all the same" {
  some_plan
  run --separate-stderr bash -c 'mig-apply plan.rec >/dev/full'
  assert_code 74
  says 'standard output'
  assert_equal "$(applied | wc -l)" 2

  echo 'INSERT INTO a VALUES (7);' >seed.sql
  run --separate-stderr bash -c 'mig-seed seed.sql >/dev/full'
  assert_code 74
  assert_equal "$(sql 'SELECT id FROM a')" 7
}

@test "a file that cannot be written is found before a deploy begins" {
  some_plan
  run --separate-stderr mig-apply -o nowhere/results.rec plan.rec
  assert_code 74
  run sql "SELECT to_regclass('a') IS NULL"
  assert_output t
}

## -o FILE

@test "-o writes what a pipe would get, and shows the page" {
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  run --separate-stderr mig-scan --offline -o scan.rec
  assert_code 0
  assert_line --partial '1 pending'
  assert_equal "$(cat scan.rec)" "$(mig-scan --offline)"
  run --separate-stderr mig-plan --from-empty -o plan.rec scan.rec
  assert_code 0
  shows 'Nothing has been changed.'
  assert_equal "$(cat plan.rec)" "$(mig-plan --from-empty scan.rec)"
}

@test "-o writes beside the file and renames: a reader has the old one or the new one" {
  some_scan
  cp scan.rec old
  exec 7<scan.rec
  migration 20240102000000_more 'CREATE TABLE b (id int);'
  run mig-scan --offline -o scan.rec
  assert_success
  run cmp old <(cat <&7)
  assert_success
  exec 7<&-
  assert_equal "$(jq -r 'select(.record == "migration").migration' scan.rec | wc -l)" 2
  assert_equal "$(echo scan.rec*)" scan.rec
}

@test "-o leaves a file alone that would not change" {
  local before
  some_scan
  touch -d '2020-01-01' scan.rec
  before=$(stat -c '%i %y' scan.rec)
  run mig-scan --offline -o scan.rec
  assert_success
  assert_equal "$(stat -c '%i %y' scan.rec)" "$before"
  assert_equal "$(echo scan.rec*)" scan.rec
}

@test "-o follows a symbolic link, so that one to a descriptor or a file stays what it is" {
  some_scan
  touch real
  ln -s real link
  run mig-scan --offline -o link
  assert_success
  run cmp scan.rec real
  assert_success
  [[ -L link ]] || fail "the link was replaced"
  ln -s /proc/self/fd/2 descriptor
  mig-scan --offline -o descriptor 2>real >/dev/null
  [[ -L descriptor ]] || fail "the link was replaced"
  run cmp scan.rec real
  assert_success
}

@test "-o makes a file with the rights that the umask leaves" {
  some_scan
  (umask 027 && mig-scan --offline -o 640.rec >/dev/null)
  (umask 077 && mig-scan --offline -o 600.rec >/dev/null)
  assert_equal "$(stat -c %a 640.rec 600.rec | tr '\n' ' ')" '640 600 '
}

## Together

@test "wrong usage of the first tool ends all of the pipe with 64, and is said once" {
  run --separate-stderr bash -c 'mig-scan --nonsense | mig-plan | mig-apply'
  assert_code 64
  error_count 1
  says 'mig-scan: error: there is no option --nonsense' 'mig-apply: nothing was applied (mig-scan failed)'
  run --separate-stderr bash -c 'mig-scan --offline | mig-plan --to | mig-apply'
  assert_code 64
  error_count 1
  says 'mig-apply: nothing was applied (mig-plan failed)'
}

@test "what a tool cannot read or find travels down the pipe as well" {
  rm -r prisma
  pipeline
  assert_code 65
  assert_equal "$codes" '65 65 65'
  error_count 1
  folder_new
  unset DATABASE_URL
  pipeline
  assert_code 78
  assert_equal "$codes" '78 78 78'
  error_count 1
}

@test "-q says nothing but errors" {
  some_plan
  run --separate-stderr mig-apply -q plan.rec
  assert_code 0
  assert_equal "$stderr" ''
  mig-scan -o scan.rec >/dev/null
  run --separate-stderr mig-check -q history <scan.rec
  assert_code 0
  assert_equal "$output$stderr" ''
  echo 'INSERT INTO a VALUES (1);' >seed.sql
  run --separate-stderr mig-seed -q seed.sql
  assert_code 0
  assert_equal "$stderr" ''
  run --separate-stderr mig-apply -q --expect 0123456789abcdef plan.rec
  assert_code 65
  says 'mig-apply: error: '
}
