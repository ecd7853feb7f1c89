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

@test "the inputs that the fuzzers' corpora keep hold" {
  local corpus ran=0
  for corpus in "$TESTS"/fuzz/corpus/*; do
    run "$BUILD/tests/fuzz_${corpus##*/}" "$corpus"
    [[ $status == 0 ]] || fail "$corpus: $status" || return 1
    ran=$((ran + 1))
  done
  assert_equal "$ran" "$(find "$TESTS/fuzz" -name 'fuzz_*.c' | wc -l)"
}
