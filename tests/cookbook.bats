#!/usr/bin/env bats
# mig-cookbook(7): each of its examples is run as its host would run it.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }

setup() {
  PAGE=$(readlink -f "$BATS_TEST_DIRNAME/../man/mig-cookbook.7")
  EXAMPLES=$(readlink -f "$BATS_TEST_DIRNAME/../examples")
  database_new
  folder_new
  migration 20260101000000_init 'CREATE TABLE "A" ("id" INTEGER NOT NULL, CONSTRAINT "A_pkey" PRIMARY KEY ("id"));'
}

example() {
  awk -v name="$1" '$0 == ".\\\" example: " name { inside = 1; next } /^\.Ed/ { inside = 0 } inside' "$PAGE"
}

# deploys COMMAND: as a host runs it, with nothing but the variables of the service.
deploys() {
  [[ -n $1 ]]
  run --separate-stderr env -i PATH="${2-$BUILD}:/usr/bin:/bin" DATABASE_URL="$DATABASE_URL" DIRECT_URL="$DATABASE_URL" sh -c "$1"
  assert_code 0
  assert_equal "$(applied)" 20260101000000_init
}

# A program that prints VALUE if it is called with just these words.
fake() {
  mkdir -p fakes
  printf '#!/bin/sh\n[ "$*" = "%s" ] || exit 9\n%s\n' "$2" "$3" >"fakes/$1"
  chmod +x "fakes/$1"
}

@test "every example of the page has a test here" {
  local name
  assert_equal "$(grep -c '^\.Bd -literal' "$PAGE")" "$(grep -c '^\.\\" example: ' "$PAGE")"
  while read -r name; do
    grep -qE "(example|typed) $name$|(example|typed) $name[ )\"|]" "$BATS_TEST_FILENAME" || fail "$name is not run"
  done < <(sed -n 's/^\.\\" example: //p' "$PAGE")
}

@test "Railway: the command before the deploy" {
  deploys "$(example railway.json | jq -r '.deploy.preDeployCommand[0]')"
}

@test "Render, Fly and Heroku: theirs" {
  local command
  for command in "$(example render.yaml | sed -n 's/^ *preDeployCommand: //p')" \
    "$(example fly.toml | sed -n 's/^ *release_command = "\(.*\)"$/\1/p')" "$(example Procfile | sed -n 's/^release: //p')"; do
    deploys "$command"
  done
}

@test "Vercel: the build follows the deploy" {
  fake next build 'echo built >built'
  deploys "$(example package.json | jq -r '.scripts["vercel-build"]')" "$PWD/fakes:$BUILD"
  assert_equal "$(cat built)" built
}

@test "railway run: here, with the public address" {
  fake railway "run --service Postgres mig status -d env:DATABASE_PUBLIC_URL" 'shift 3; export DATABASE_PUBLIC_URL="$URL"; exec "$@"'
  URL=$DATABASE_URL PATH=$PWD/fakes:$PATH run --separate-stderr sh -c "unset DATABASE_URL; $(example railway-run)"
  assert_code 0
  shows 20260101000000_init
}

@test "containers that start at once: all of them start their application" {
  local command pid
  local -a pids=()
  command=$(example Containerfile | sed -n 's/^CMD //p' | jq -r '.[2]')
  fake node server.js 'echo started'
  for pid in 1 2 3 4 5; do
    PATH=$PWD/fakes:$PATH sh -c "$command" >"out$pid" 2>&1 3>&- 4>&- &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do
    wait "$pid"
  done
  assert_equal "$(cat out? | grep -cx started)" 5
  assert_equal "$(applied)" 20260101000000_init
}

@test "secrets: each line finds the string, and the shell has none" {
  local line
  export URL
  URL=$(database_url tester) # without the password that no file may have
  unset DATABASE_URL
  fake doppler 'secrets get DATABASE_URL --plain' 'echo "$URL"'
  fake aws 'secretsmanager get-secret-value --secret-id shop/database-url --query SecretString --output text' 'echo "$URL"'
  printf '#!/bin/sh\ncase $* in "read op://shop/database/url") echo "$URL" ;; "run -- mig status") shift 2; DATABASE_URL=$URL exec "$@" ;; *) exit 9 ;; esac\n' >fakes/op
  chmod +x fakes/op
  (umask 077 && echo "$URL" >database-url)
  while read -r line; do
    PATH=$PWD/fakes:$PATH run --separate-stderr sh -c "${line/\/run\/secrets/$PWD}"
    assert_code 0
    shows 20260101000000_init
  done < <(example secrets)
}

@test "pull request: the migrations are run in a scratch database and compared with schema.prisma" {
  export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache SHADOW_DATABASE_URL=$DATABASE_URL
  unset DATABASE_URL
  printf '%s\n' 'datasource db {' '  provider = "postgresql"' '}' '' 'model A {' '  id Int @id' '}' >prisma/schema.prisma
  run --separate-stderr sh -c "$(example pull-request)"
  assert_code 0
  sed -i 's/id Int @id/id Int @id\n  name String/' prisma/schema.prisma
  run --separate-stderr sh -c "$(example pull-request)"
  assert_code 2
  shows name
}

@test "make: the project's Makefile plans and releases" {
  example make | sed "s,/usr/local/share/mig,$BATS_TEST_DIRNAME/../scripts," >Makefile
  run --separate-stderr make MIG_DATABASE=env:DATABASE_URL SEEDS= CHECKS= plan release
  assert_code 0
  assert_equal "$(applied)" 20260101000000_init
}

# As it is typed, on a machine whose /etc and whose installed examples are here.
typed() { # EXAMPLE
  example "$1" | sed "s,/usr/local/share/doc/mig/examples,$EXAMPLES,; s,/etc/,$PWD/etc/,g" >typed.sh
  PATH=$PWD/fakes:$PATH run --separate-stderr sh -e typed.sh
  assert_code 0
}

@test "cron, systemd and Prometheus: the lines put the installed files where they belong" {
  mkdir -p etc/systemd/system etc/prometheus/rules
  fake crontab '-u deploy cron/crontab' 'test -s cron/crontab'
  fake systemctl 'enable --now mig-check@shop.timer' "test -s '$PWD/etc/systemd/system/mig-check@.timer'"
  typed units
  assert [ -s 'etc/systemd/system/mig-deploy@.service' ]
  assert [ -s etc/prometheus/rules/mig.rules.yml ]
}

@test "GitHub and GitLab: the lines put the pipelines where they are read" {
  typed workflows
  grep -q '^name: migrations$' .github/workflows/migrations.yml
  grep -q '^stages: ' .gitlab-ci.yml
}
