#!/usr/bin/env bats
# Memory runs out. `make check-torture` makes each allocation and each call of libpq and libcurl fail once.
load helper

@test "without any memory at all the message is still said, and nothing loops" {
  [[ $BUILD != */sanitize* ]] || skip "sanitizers keep memory of their own"
  local n
  for n in 1 5 20; do
    run env TORTURE_KIND=memory TORTURE_ON=1 TORTURE_N="$n" LD_PRELOAD="$BUILD/tests/torture.so" mig-plan <<<'{"record":"stream"}'
    assert_equal "$n: $status" "$n: 1"
    assert_line 'mig-plan: error: out of memory'
  done
}
