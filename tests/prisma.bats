#!/usr/bin/env bats
# mig and the real Prisma Migrate, side by side.
load helper
load prisma

setup_file() { server_start; }
teardown_file() { server_stop; }

@test "short round of tests/fuzz/prisma-side-by-side: mig and Prisma leave the same database behind, alone and one after the other" {
  prisma_available
  # shellcheck disable=SC2031
  HOME=$MIG_TEST_HOME run "$BATS_TEST_DIRNAME/fuzz/prisma-side-by-side" "${MIG_TEST_FOLDERS:-5}" "${MIG_TEST_SEED:-1}"
  assert_success
}
