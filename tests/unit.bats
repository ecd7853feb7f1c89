#!/usr/bin/env bats
# Pure functions, asked in C: tests/unit/u_*.c, one program a file under test.
load helper

@test "each unit test holds" {
  local program ran=0
  for program in "$BUILD"/tests/unit/u_*; do
    [[ -x $program && $program != *.[do] ]] || continue
    run "$program"
    assert_success
    ran=$((ran + 1))
  done
  assert [ "$ran" -gt 0 ]
}
