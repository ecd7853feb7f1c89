#!/usr/bin/env bats
# The npm packages: packed, installed in a project without a registry and without scripts, used, and found missing.
# The one static file is in them: make check-static.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words
load static

setup_file() {
  command -v npm >/dev/null || return 0
  static_build || return
  [[ -n $STATIC ]] || return 0
  export npm_config_cache=$BATS_FILE_TMPDIR/cache npm_config_update_notifier=false npm_config_audit=false npm_config_fund=false
  export npm_config_offline=true HOME=$BATS_FILE_TMPDIR
  PACKED=$BATS_FILE_TMPDIR/packed
  export PACKED
  # as if it were for another processor
  cp "$STATIC" "$BATS_FILE_TMPDIR/arm64"
  printf '\267\0' | dd of="$BATS_FILE_TMPDIR/arm64" bs=1 seek=18 conv=notrunc status=none
  "$TESTS/../scripts/npm-packages" "$PACKED" "$STATIC" "$BATS_FILE_TMPDIR/arm64"
  server_start
}

teardown_file() { server_stop; }

setup() {
  command -v npm >/dev/null || skip "no npm"
  static_needed
  [[ $(uname -m) == x86_64 ]] || skip "the packages of this test are for x64"
  database_new
  folder_new
  echo '{ "name": "shop", "private": true, "scripts": { "deploy": "mig deploy" } }' >package.json
  printf 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n' >prisma/schema.prisma
  # what is under test is not what was built here
  PATH=${PATH#"$BUILD":}
}

installed() {
  npm install --silent --ignore-scripts "$PACKED"/mig-[0-9]*.tgz "$PACKED"/mig-linux-x64-*.tgz
}

@test "installed without scripts and network: npx, npm run and the file itself deploy" {
  installed
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  run --separate-stderr npx mig-scan --offline --format=text
  assert_code 0
  shows '1 migration'
  run --separate-stderr npx mig deploy
  assert_code 0
  migration 20240102000000_more 'CREATE TABLE b (id int);'
  run --separate-stderr npm run --silent deploy
  assert_code 0
  assert_equal "$(applied | wc -l)" 2
  run --separate-stderr bash -c 'cd node_modules/.bin && export PATH=$PWD:$PATH && cd ../.. && mig-scan | mig-plan | mig-apply'
  assert_code 0
  # exit codes, and nobody between the caller and the program
  run --separate-stderr node_modules/.bin/mig deploy --nonsense
  assert_code 64
  migration 20240103000000_slow 'SELECT pg_sleep(60);'
  node_modules/.bin/mig deploy >out 2>err 3>&- 4>&- &
  deploy=$!
  eventually running 'SELECT pg_sleep(60)'
  assert_equal "$(readlink -f "/proc/$deploy/exe")" "$(readlink -f node_modules/mig-linux-x64/bin/mig)"
  kill -TERM "$deploy"
  status=0
  wait "$deploy" || status=$?
  assert_equal "$status" 143
}

@test "without the optional package, for another processor or system, it says what is missing" {
  local file
  for file in "$PACKED"/mig-linux-*.tgz; do
    tar -xOzf "$file" package/package.json >package.of
    assert_equal "$(jq -c '[.os, .cpu]' package.of)" "[[\"linux\"],[\"$([[ $file == *x64* ]] && echo x64 || echo arm64)\"]]"
    assert_equal "$(jq -r .version package.of)" "$(tar -xOzf "$PACKED"/mig-[0-9]*.tgz package/package.json | jq -r ".optionalDependencies[\"$(jq -r .name package.of)\"]")"
  done
  npm install --silent --ignore-scripts --omit=optional "$PACKED"/mig-[0-9]*.tgz
  run --separate-stderr node_modules/.bin/mig status
  assert_code 78
  says 'the package mig-linux-x64 is not installed' 'npm install --include=optional'
  run --separate-stderr node_modules/.bin/mig-check history
  assert_code 3
  # not Linux
  mkdir other
  printf '#!/bin/sh\n[ "$1" = -s ] && echo Darwin || echo arm64\n' >other/uname
  chmod +x other/uname
  PATH=$PWD/other:$PATH run --separate-stderr node_modules/.bin/mig status
  assert_code 78
  says 'there is no package for Darwin on arm64' 'build it from source'
  run --separate-stderr npm install --silent --ignore-scripts "$PACKED"/mig-linux-arm64-*.tgz
  assert_failure
}
