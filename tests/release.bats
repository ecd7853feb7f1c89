#!/usr/bin/env bats
# mig-release: the whole of a release in one command, which may be killed anywhere.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start --tcp; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
}

# Three migrations, one of which stands alone, and roles.
shop() {
  migration 20260101000000_init 'CREATE TABLE "Role" (id int PRIMARY KEY, name text NOT NULL UNIQUE);'
  migration 20260102000000_index 'CREATE INDEX CONCURRENTLY "Role_name" ON "Role" (name);'
  migration 20260103000000_note 'ALTER TABLE "Role" ADD COLUMN note text;'
  mkdir -p prisma/seed
  printf 'id,name\n1,admin\n2,user\n' >prisma/seed/Role.csv
}

release() { run --separate-stderr mig-release "$@"; }
folder() { ls -d releases/2*; }
state() { cat releases/2*/state; }

# The tools, of which the Nth that is called ends mig-release: before it does anything, or when it is done.
deadly() { # N before|after
  mkdir -p deadly
  rm -f deadly/count
  local tool
  for tool in scan plan apply seed check; do
    cat >"deadly/mig-$tool" <<SH
#!/bin/sh
echo . >>deadly/count
n=\$(wc -l <deadly/count)
[ "\${n}$2" != "$1before" ] || { kill -9 \$PPID; exit 1; }
"$BUILD/mig-$tool" "\$@"
code=\$?
[ "\${n}$2" != "$1after" ] || kill -9 \$PPID
exit \$code
SH
    chmod +x "deadly/mig-$tool"
  done
}

@test "a release verifies, plans, applies, seeds, checks, and leaves a folder that tells of it" {
  shop
  echo 'datasource db {
  provider = "postgresql"
}
model Role {
  id Int @id
  name String @unique(map: "Role_name_key")
  note String?
  @@index([name], map: "Role_name")
}' >prisma/schema.prisma

  release --yes --seed prisma/seed --watch 1s relation=Role.note

  assert_code 0
  assert_equal "$(sql 'select count(*) from "Role"')" 2
  assert_equal "$(applied | wc -l)" 3
  assert_equal "$(state)" 'done'
  local step
  for step in verify plan approve apply seed check watch; do
    grep -q " $step .*[0-9] s\$" "$(folder)/release.txt" || fail "$step: $(cat "$(folder)/release.txt")"
  done
  assert_equal "$(stat -c %a releases "$(folder)" | tr '\n' ' ')" '700 700 '
  assert_equal "$(cat releases/.gitignore)" '*'
  run find releases -perm /077
  assert_output ''
  assert_equal "$(cat "$(folder)"/*.rec | grep -c '"record":"end"')" 8
}

@test "without a terminal nobody is asked and nothing changed, and what is printed goes on as it is typed" {
  shop
  release --rehearse --seed prisma/seed "relation=Role.note"
  assert_code 2
  says 'nothing was changed' ' --rehearse '
  shows 'rehearsed on PostgreSQL' 'Role  reads and writes wait for an instant'
  assert_equal "$(applied)" ''

  run --separate-stderr bash -c "$(printf '%s' "$stderr" | sed -n 's/^next: //p')"

  assert_code 0
  assert_equal "$(folder | wc -l)" 1
  assert_equal "$(sql 'select count(*) from "Role"')" 2
}

@test "a plan that was not expected is refused before anything is changed" {
  shop
  release --expect 0123456789abcdef
  assert_code 65
  says 'not the plan that was expected'
  assert_equal "$(applied)" ''
}

@test "on a terminal the plan is shown and the question asked; only yes is yes" {
  shop
  TYPED=$'n\n' "$TESTS/terminal" 80 mig-release >said.txt || true
  grep -q '3 steps, 3 statements' said.txt || fail "$(cat said.txt)"
  grep -q 'apply 3 steps? \[y/N\]' said.txt || fail "$(cat said.txt)"
  assert_equal "$(applied)" ''
  TYPED=$'y\n' "$TESTS/terminal" 80 mig-release >said.txt
  assert_equal "$(applied | wc -l)" 3
}

@test "killed at any tool that it starts, it is started again and ends well" {
  shop
  # A round each third call; MIG_TEST_STRIDE=1: each.
  local calls when n stride=${MIG_TEST_STRIDE:-3}
  for when in before after; do
    for ((n = 1; ; n += stride)); do
      database_new
      rm -rf releases
      deadly "$n" "$when"
      run --separate-stderr env "PATH=$PWD/deadly:$PATH" mig-release --yes --no-verify --seed prisma/seed
      ((status != 0)) || break
      assert_equal "$status" 137

      release --yes --no-verify --seed prisma/seed

      assert_code 0
      assert_equal "$(applied | wc -l)" 3
      assert_equal "$(history | wc -l)" 3
      assert_equal "$(sql 'select count(*) from "Role"')" 2
      assert_equal "$(state)" 'done' # one folder: it went on, or had none yet
      run find releases -name '.new*' -o -name pid
      assert_output ''
    done
    calls=$((n - 1))
    ((calls >= 6)) || fail "only $calls calls"
  done
}

@test "how to get back is in release.txt, and said where the release fails when something was applied" {
  shop
  local first
  release --yes --no-verify --note $'ships\nroles' relation=Nothing
  assert_code 1
  first=$(sed -n 's/^.*  to get back: //p' "$(folder)/release.txt")
  [[ $first =~ ^restore\ to\ 20..-..-..\ ..:..:..\....\+00,\ before\ lsn\ [0-9A-F]+/[0-9A-F]+$ ]] || fail "$first"
  says "mig-release: to get back: $first" '      how:  mig help restore'
  grep -qx 'note     ships roles' "$(folder)/release.txt"
  assert_equal "$(jq -r 'select(.record == "run").note' "$(folder)/results.rec")" 'ships roles'
  mkdir man
  (cd man && mkdir man1 man5 man7 && for page in "$TESTS"/../man/*.[157]; do ln -s "$page" "man${page: -1}"; done)
  MANPATH=$PWD/man run mig help restore
  shows 'recovery_target_time' 'restore-db-instance-to-point-in-time' 'pgbackrest --stanza=shop --type=time'

  # of an interrupted one it is that of the first attempt
  migration 20260104000000_bad 'CREATE TABLE "Role" ();'
  migration 20260103000001_good 'CREATE TABLE good ();'
  release --yes --no-verify --fresh
  assert_code 1
  first=$(sed -n 's/^.*  to get back: //p' "$(ls -d releases/2* | tail -n 1)/release.txt")
  says "mig-release: to get back: $first"
  release --yes --no-verify --continue
  assert_code 1
  says "mig-release: to get back: $first"
  [[ -s $(ls -d releases/2* | tail -n 1)/results.1.rec ]]
  assert_equal "$(grep -c 'to get back' "$(ls -d releases/2* | tail -n 1)/release.txt")" 1

  # nothing is applied: nothing to get back
  sql 'DROP TABLE good; DELETE FROM _prisma_migrations WHERE migration_name LIKE $$%good$$'
  rm -r "$FOLDER"/*_good
  release --yes --no-verify --fresh
  assert_code 1
  says_not 'mig-release: to get back'
  release --yes --note 'see postgres://u:hunter2@h/d'
  assert_code 64
  says '--note could contain a password'
}

@test "killed anywhere in a release of two phases, it is started again and ends well" {
  shop
  migration 20260104000000_drop 'ALTER TABLE "Role" DROP COLUMN note;'
  local n stride=${MIG_TEST_STRIDE:-4}
  for ((n = 3; ; n += stride)); do
    database_new
    rm -rf releases rolled
    sql 'CREATE TABLE "Role" (id int PRIMARY KEY, name text NOT NULL UNIQUE, note text)'
    recorded 20260101000000_init
    deadly "$n" before
    sed -i 's/ADD COLUMN note/ADD COLUMN more/' "$FOLDER/20260103000000_note/migration.sql"
    run --separate-stderr env "PATH=$PWD/deadly:$PATH" mig-release --yes --no-verify --rollout 'echo >>rolled'
    ((status != 0)) || break
    assert_equal "$status" 137

    release --yes --no-verify --rollout 'echo >>rolled'

    assert_code 0
    assert_equal "$(applied | tail -n 1)" 20260104000000_drop
    assert_equal "$(history | wc -l)" 4
    [[ -s rolled ]] || fail "not rolled out"
    assert_equal "$(state)" 'done'
  done
  ((n >= 7)) || fail "only $((n - 1)) calls"
}

@test "a migration that fails ends the release, tells the hook, and is begun anew when it is mended" {
  shop
  migration 20260103000000_note 'ALTER TABLE "Rolle" ADD COLUMN note text;'
  release --yes --before 'echo before >>hooks' --after 'echo after >>hooks' \
    --on-failure 'echo "$MIG_RELEASE_STEP $MIG_RELEASE_CODE $(basename "$MIG_RELEASE")" >>hooks'
  assert_code 1
  says 'next: correct it, then: mig-release --yes'
  assert_equal "$(cat hooks)" "before
apply 1 $(basename "$(folder)")"
  grep -q 'apply failed, exit code 1' "$(folder)/release.txt" || fail 'not in release.txt'

  migration 20260103000000_note 'ALTER TABLE "Role" ADD COLUMN note text;'
  release --yes
  assert_code 0
  says 'starting a new release; releases/' 'the plan is not the rest of it'
  assert_equal "$(folder | wc -l)" 2
  run mig-release --list
  assert_line --partial 'abandoned for a later one, last finished step: before'
  assert_line --regexp ' done$'
}

@test "a check that is not well fails the release behind its steps, which are not done again" {
  shop
  release --yes --before 'echo once >>hooks' relation=Nope
  assert_code 1
  says 'the migrations are applied'
  assert_equal "$(state)" seed 2>/dev/null || assert_equal "$(state)" apply

  sql 'create table "Nope" ()'
  release --yes --before 'echo once >>hooks' relation=Nope

  assert_code 0
  says 'continuing releases/'
  assert_equal "$(cat hooks)" once
  assert_equal "$(folder | wc -l)" 1
}

@test "migrations that do not make what schema.prisma says are not released" {
  shop
  echo 'datasource db {
  provider = "postgresql"
}
model Role {
  id Int @id
}' >prisma/schema.prisma
  release --yes
  assert_code 1
  says 'nothing was changed'
  assert_equal "$(applied)" ''
}

@test "each option of --help is in the manual and is taken, and gets to the tools that have it" {
  shop
  local option
  for option in $(mig-release --help | grep -oE '^ {2,6}(-[a-zA-Z], )?--[a-z-]+' | grep -oE '[a-z]+(-[a-z]+)*$'); do
    grep -qE "Fl -?${option}( |$)" "$TESTS/../man/mig-release.1" || fail "not in the manual: --$option"
  done
  mkdir log
  for option in scan plan apply seed check; do
    printf '#!/bin/sh\necho "$*" >>"%s"\nexec "%s" "$@"\n' "$PWD/log/$option.called" "$BUILD/mig-$option" >"log/mig-$option"
    chmod +x "log/mig-$option"
  done
  mv prisma/migrations there
  run --separate-stderr env -u DATABASE_URL "HERE=$DATABASE_URL" "PATH=$PWD/log:$PATH" mig-release --yes -d env:HERE --dir there --seed=prisma/seed \
    --wait 3s --max-stall=2s --strict=edited --allow=late,missing database.tls=ok database
  assert_code 0
  grep -q -- '--database=env:HERE --wait=3s -o .* there' log/scan.called || fail "$(cat log/scan.called)"
  grep -q -- '--strict=edited --allow=late,missing' log/plan.called || fail "$(cat log/plan.called)"
  grep -q -- '--database=env:HERE --wait=3s --max-stall=2s --expect=' log/apply.called || fail "$(cat log/apply.called)"
  grep -q -- '--database=env:HERE --wait=3s --max-stall=2s --format=text -o .* prisma/seed' log/seed.called || fail "$(cat log/seed.called)"
  grep -q -- '--database=env:HERE --wait=3s -o .* deploy database.tls=ok database' log/check.called || fail "$(cat log/check.called)"
}

@test "an unfinished release is continued as it was planned with --continue, and left with --fresh" {
  shop
  release --yes relation=Nope
  assert_code 1
  migration 20260104000000_more 'CREATE TABLE "Nope" ();'
  release --continue --yes --allow=edited "relation=Role"
  assert_code 0
  says 'continuing releases/'
  assert_equal "$(applied | wc -l)" 3
  release --continue --yes
  assert_code 65
  says 'there is no unfinished release to continue'
  release --yes relation=Missing
  assert_code 1
  release --fresh --yes relation=Nope
  assert_code 0
  assert_equal "$(folder | wc -l)" 3
}

@test "wrong words are refused before anything is looked at" {
  shop
  local words
  while read -r words; do
    # shellcheck disable=SC2086
    release --yes $words
    assert_code "${code:-64}"
    assert_equal "$(applied)" ''
    [[ ! -e releases ]] || fail "$words made releases/"
  done <<-'WORDS'
	helth=http://127.0.0.1
	health.crit=nonsense health=http://127.0.0.1
	--nonsense
	--expect=0123456789abcdef
	--seed
	--continue --fresh
	history.pending=perhaps
	schema
	WORDS
  release --expect 4f7c
  assert_code 64
  release --yes --seed nowhere
  assert_code 65
  release --sed prisma/seed
  assert_code 64
  says 'unknown option --sed; did you mean --seed?'
  release --wach=5min
  says 'did you mean --watch?'
  release --zzz
  says_not 'did you mean'
}

@test "neither its folder nor what it prints has the password" {
  shop
  sql_admin "create role keeper login password 'open-sesame-1234' in role tester" || true
  database_url --tcp keeper:open-sesame-1234 >url
  chmod 600 url
  unset DATABASE_URL
  release -d "file:$PWD/url" --seed prisma/seed
  assert_code 2
  refute_regex "$output$stderr" 'open-sesame'
  run --separate-stderr bash -c "$(printf '%s' "$stderr" | sed -n 's/^next: //p')"
  assert_code 0
  run grep -r open-sesame releases
  assert_output ''
}

@test "two at once: the second learns who is at work, and changes nothing" {
  shop
  release --yes --before 'mig-release --yes; echo $? >second'
  assert_code 0
  assert_equal "$(cat second)" 75
  says 'another mig-release (pid '
}
