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
  # role.bats has those of ROLES
  assert_equal "$(grep -c '^\.Bd -literal' "$PAGE")" "$(grep -cE '^\.\\" (example: |ROLES)' "$PAGE")"
  while read -r name; do
    grep -qE "grants ('$name'|${name// /-} )" "$TESTS/role.bats" || fail "$name is not run"
  done < <(sed -n 's/^\.\\" \(ROLES.*\)/\1/p' "$PAGE")
  while read -r name; do
    grep -qE "(example|typed) ${name}$|(example|typed) ${name}[ )\"|]" "$BATS_TEST_FILENAME" || fail "$name is not run"
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

# A server of the base backup $1, restored as the page says to what mig-apply printed: TARGET is time, lsn or name. Prints its folder.
restored() { # BASE WAL TARGET
  local dir conf
  dir=$(mktemp -d /tmp/mig.XXXXXX)
  ((EUID)) || chown "$(server_user)" "$dir"
  chmod 755 "$dir"
  as_server cp -a "$1" "$dir/data"
  conf=$(example restore-conf)
  case $3 in
  lsn) conf=$(grep -v '^recovery_target_time' <<<"$conf"; example restore-lsn) ;;
  name) conf=$(grep -v '^recovery_target_time' <<<"$conf"; echo "recovery_target_name = 'mig-20261128T034107Z-4f7cb550'") ;;
  esac
  conf=${conf//2026-11-28 03:41:07.123+00/$TIME}
  conf=${conf//0\/1A2B3C8/$LSN}
  conf=${conf//mig-20261128T034107Z-4f7cb550/$NAME}
  as_server tee -a "$dir/data/postgresql.auto.conf" >/dev/null <<<"${conf//\/var\/backups\/wal/$2}
    unix_socket_directories = '$dir'
    archive_mode = off
    listen_addresses = ''"
  as_server touch "$dir/data/recovery.signal"
  server_port >"$dir/port"
  (server_use "$dir" && server_ctl -w start) >&2 || { cat "$dir/server.log" >&2; return 1; }
  echo "$dir"
}

# MIG_TEST_RESTORE='time lsn name': make check-restore; the suite restores by time alone.
@test "a base backup and its WAL are restored to just the state before a deploy, by what mig-apply printed" {
  needs_program pg_basebackup
  local target dir archive said before
  archive=$(mktemp -d /tmp/mig.XXXXXX)
  chmod 711 "$archive"
  ((EUID)) || chown "$(server_user)" "$archive"
  dir=$(server_new wal_level=replica archive_mode=on "archive_command=cp %p $archive/%f")
  (
    server_use "$dir"
    database_new
    DATABASE_URL=$(database_url postgres)
    export DATABASE_URL
    pipeline
    assert_code 0
    (cd "$dir" && CLIENT_ROLE=postgres as_server env PGHOST="$dir" PGUSER=postgres "$(server_programs)/pg_basebackup" -p "$(server_port)" -D "$archive/base" -c fast -X none 2>/dev/null)
    sql_admin 'INSERT INTO "A" SELECT generate_series(1, 1000)'
    before=$(CLIENT_ROLE=postgres schema_dump; CLIENT_ROLE=postgres pg_dump --data-only | grep -v -e '^\\\(un\)*restrict' -e '^-- Dumped')

    migration 20260102000000_bad 'DELETE FROM "A" WHERE id > 10; ALTER TABLE "A" ADD gone int;'
    migration 20260103000000_worse 'CREATE TABLE "B" ("id" INTEGER NOT NULL);'
    pipeline apply: -o results.rec
    assert_code 0
    said=$(sed -n 's/^mig-apply: to get back: restore to //p' <<<"$stderr")
    TIME=${said%, before lsn *} LSN=${said##* } NAME=$(jq -r 'select(.record == "run").restore_point' results.rec)
    [[ $NAME == mig-* && $LSN == 0/* ]]
    sql_admin 'INSERT INTO "A" (id) VALUES (5000)'
    sql_admin 'SELECT pg_switch_wal()' >/dev/null
    eventually sql_admin "SELECT 1 / count(*) FROM pg_stat_archiver WHERE last_archived_wal >= '$(sql_admin "SELECT pg_walfile_name('$LSN')")' AND failed_count = 0"

    for target in ${MIG_TEST_RESTORE:-time}; do
      back=$(restored "$archive/base" "$archive" "$target")
      server_use "$back"
      eventually sql_admin 'SELECT 1 / (NOT pg_is_in_recovery())::int' || fail "$(tail -n 20 "$back/server.log")"
      assert_equal "$target: $(CLIENT_ROLE=postgres schema_dump; CLIENT_ROLE=postgres pg_dump --data-only | grep -v -e '^\\\(un\)*restrict' -e '^-- Dumped')" "$target: $before"
      # the history is that of before, too
      run mig-scan --format=text -d "postgresql://postgres@localhost/$PGDATABASE?host=$back"
      shows '1 applied' '2 pending'
      (server_ctl -m immediate stop)
      rm -rf "$back"
      server_use "$dir"
    done
  )
  server_end "$dir"
  rm -rf "$archive"
}

@test "pgBackRest and Amazon: the commands have the time that mig-apply prints" {
  fake pgbackrest "--stanza=shop --type=time --target=2026-11-28 03:41:07.123+00 --target-action=promote restore" 'echo restored'
  fake aws 'rds restore-db-instance-to-point-in-time --source-db-instance-identifier shop --target-db-instance-identifier shop-before --restore-time 2026-11-28T03:41:07Z' 'echo restored'
  typed restore-pgbackrest
  assert_output restored
  typed restore-rds
  assert_output restored
}

@test "tables that a seed script filled become files by natural keys, which show no change and leave no password hash" {
  sql "CREATE TABLE \"Role\" (id SERIAL PRIMARY KEY, slug TEXT NOT NULL UNIQUE, name TEXT); INSERT INTO \"Role\" VALUES (7, 'admin', 'Admin');
    CREATE TABLE \"User\" (id SERIAL PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, \"roleId\" INT REFERENCES \"Role\", \"passwordHash\" TEXT);
    INSERT INTO \"User\" VALUES (9, 'a@x.com', 'Ada', 7, 'made-up')"
  run --separate-stderr sh -ec "$(example seed-export | sed 's/\\e$/\\/')"
  assert_code 0
  assert_equal "$(cat prisma/seed/*.csv)" $'slug,name\nadmin,Admin\nemail,name,role.slug\na@x.com,Ada,admin'
  assert_output --partial '"rows_unchanged":1'
}
