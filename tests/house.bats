#!/usr/bin/env bats
# The test house itself: what the other files stand on.
load helper
load prisma

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
}

@test "tests talk to a server of their own as a role without privileges" {
  run sql "SELECT current_user, rolsuper, current_database() FROM pg_roles WHERE rolname = current_user"
  assert_output "tester|f|$PGDATABASE"
  run command psql "$DATABASE_URL" -XAtc 'SELECT 1'
  assert_output 1
}

@test "a developer's settings do not reach the programs under test" {
  # shellcheck disable=SC2016
  run env PGOPTIONS=x PGHOST=nowhere PGPASSWORD=x PGDATABASE=x DATABASE_URL=x MIG_DATABASE=x \
    MIG_TEST_CLEAN= MIG_TEST_SERVER= bash -c '
      BATS_TEST_FILENAME=another
      bats_require_minimum_version() { :; }
      bats_load_library() { :; }
      source "$1"
      env' - "$BATS_TEST_DIRNAME/helper.bash"
  assert_success
  refute_line --regexp '^(PG|DATABASE_URL|MIG_DATABASE)'
}

@test "Ctrl-C or a kill leaves no server and no folder behind" {
  run bash -c 'source "$1"; server_start --own; echo "$MIG_TEST_SERVER"; readlink -f "$MIG_TEST_SERVER/data"; kill -KILL $$' - \
    "$BATS_TEST_DIRNAME/server.bash"
  local dir=${lines[0]} data=${lines[1]} tries
  assert_equal "$status" 137
  for ((tries = 0; tries < 50; tries++)); do
    [[ -e $dir || -e $data ]] || break
    sleep 0.1
  done
  [[ ! -e $dir && ! -e $data ]]
  run pgrep -f "$dir"
  assert_failure
}

@test "a role that is a member of with_password needs one" {
  sql_admin "CREATE ROLE \"with_$PGDATABASE\" LOGIN PASSWORD 'secret' IN ROLE with_password"
  run command psql -wXAt "$(database_url "with_$PGDATABASE")" -c 'SELECT 1'
  assert_failure
  run command psql -wXAt "$(database_url "with_$PGDATABASE:secret")" -c 'SELECT 1'
  assert_output 1
  sql_admin "DROP ROLE \"with_$PGDATABASE\""
}

@test "the realistic migrations deploy with Prisma, and status and resolve answer" {
  prisma_available
  prisma_project
  migrations_many 30
  run --separate-stderr prisma status
  assert_code 1
  assert_line --partial 'have not yet been applied'
  run --separate-stderr prisma deploy
  assert_code 0
  run history
  assert_equal "${#lines[@]}" 30
  assert_line --index 0 "20240101000001_create_table|$(checksum 20240101000001_create_table)|finished|-|1|-"

  migration 20250101000000_broken 'SELECT 1/0;'
  run --separate-stderr prisma deploy
  assert_code 1
  run --separate-stderr prisma resolve --rolled-back 20250101000000_broken
  assert_code 0
  run --separate-stderr prisma resolve --applied 20250101000000_broken
  assert_code 0
  run --separate-stderr prisma status
  assert_code 0
  assert_line 'Database schema is up to date!'
}
