#!/usr/bin/env bats
# Memory runs out. `make check-torture` makes each allocation and each call of libpq and libcurl fail once.
load helper
load http

teardown_file() {
  http_stop
}

@test "without any memory at all the message is still said, and nothing loops" {
  [[ $BUILD != */sanitize* ]] || skip "sanitizers keep memory of their own"
  local n
  for n in 1 5 20; do
    run env TORTURE_KIND=memory TORTURE_ON=1 TORTURE_N="$n" LD_PRELOAD="$BUILD/tests/torture.so" mig-plan <<<'{"record":"stream"}'
    assert_equal "$n: $status" "$n: 1"
    assert_line 'mig-plan: error: out of memory'
  done
}

# What its libraries do in exit() fails then, too.
@test "memory that is gone for good anywhere in a request over TLS ends mig-check with 3" {
  [[ $BUILD != */sanitize* ]] || skip "sanitizers keep memory of their own"
  local all n
  cd "$BATS_TEST_TMPDIR" || return 1
  openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 60 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null
  http_start --tls cert.pem key.pem
  run env TORTURE_COUNT="$PWD/count" LD_PRELOAD="$BUILD/tests/torture.so" mig-check health="https://127.0.0.1:$HTTP/ok" health.ca=cert.pem
  assert_code 0
  all=$(awk '$1 == "memory" && $2 > most { most = $2 } END { print most }' count)
  ((all > 1000))
  for n in 1 2 3 4 5 6 7; do
    run env TORTURE_KIND=memory TORTURE_ON=1 TORTURE_N="$((all * n / 8 + RANDOM % (all / 8)))" LD_PRELOAD="$BUILD/tests/torture.so" \
      timeout 60 mig-check health="https://127.0.0.1:$HTTP/ok" health.ca=cert.pem
    [[ $status == 3 ]] || fail "after $n of 8: $status: $output" || return 1
  done
}
