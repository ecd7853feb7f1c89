#!/usr/bin/env bats
# mig-check health: an endpoint in each state, with the right code and one line that a person on call understands.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words
load http

setup_file() {
  http_start
  export PLAIN=http://127.0.0.1:$HTTP
  cd "$BATS_FILE_TMPDIR" || return 1
  certificate good 60
  certificate soon 14
  certificate now 3
  export GOOD SOON NOW
  http_start --tls good.cert good.key
  GOOD=$HTTP
  http_start --tls soon.cert soon.key
  SOON=$HTTP
  http_start --tls now.cert now.key
  NOW=$HTTP
}
teardown_file() { http_stop; }
teardown() { :; }

# A certificate that signs itself, good for so many days.
certificate() {
  openssl req -x509 -newkey rsa:2048 -nodes -days "$2" -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$1.key" -out "$1.cert" 2>/dev/null
}

# verdict CODE TEXT WORD…: the last line is the verdict, and has this in it.
verdict() {
  local code=$1 text=$2
  shift 2
  run --separate-stderr mig-check "$@"
  assert_code "$code"
  [[ $(verdict_lines) == *"$text"* ]] || fail "not in the verdict: $text"$'\n'"$output" || return 1
  assert_equal "$stderr" ''
}

@test "an endpoint that answers in time is OK" {
  verdict 0 'OK: health: 200 in ' health="$PLAIN/ok"
  verdict 0 'OK: health: 200 in ' health="$PLAIN/away"
  verdict 0 'OK: health:api, health:web' health:api="$PLAIN/ok" health:web="$PLAIN/away"
}

@test "another status than wanted is CRITICAL, and the list of those wanted may be told" {
  verdict 2 'health: 503 in ' health="$PLAIN/status/503"
  verdict 2 'expected 200-299' health="$PLAIN/status/404"
  verdict 0 '404 in' health="$PLAIN/status/404" health.status=200,404
  verdict 0 '404 in' health="$PLAIN/status/404" health.status=400-499,200
  verdict 2 '302 in' health="$PLAIN/away" health.redirects=0
  verdict 0 '302 in' health="$PLAIN/away" health.redirects=0 health.status=302
}

@test "one that is slow is WARNING, one that hangs is given up and CRITICAL" {
  verdict 1 'more than 100 ms' health="$PLAIN/slow/150" health.warn=100ms
  verdict 2 'it accepted the request and did not answer within 500 ms' health="$PLAIN/hang" health.crit=500ms
  verdict 2 '200, but the answer did not end within 500 ms (10 bytes by then)' health="$PLAIN/stalls" health.crit=500ms
}

@test "redirects in circles are CRITICAL" {
  verdict 2 'redirect loop: gave up after 5' health="$PLAIN/circle"
}

@test "one that closes early, or without an answer, is CRITICAL" {
  verdict 2 'closed the connection early, after 10 bytes of its answer' health="$PLAIN/early"
  verdict 2 'closed the connection without an answer' health="$PLAIN/silent"
}

@test "of one that sends 1 GB little is read, and it is WARNING" {
  verdict 1 '200 in ' health="$PLAIN/big"
  shows 'larger than 1 MB'
}

@test "one that is not there is CRITICAL, with the reason" {
  verdict 2 'cannot connect: Connection refused' health=http://127.0.0.1:1/
  verdict 2 'its name cannot be resolved' health=http://nowhere.invalid/
}

@test "what its body contains and its JSON has may be demanded" {
  verdict 0 '200 in ' health="$PLAIN/json" health.contains='"up"' health.json=.db.status=up health.json=checks.0.up=true health.json=db.lag=3
  verdict 2 'the body does not contain "down"' health="$PLAIN/json" health.contains=down
  verdict 2 '.db.status of the body is "up", not "down"' health="$PLAIN/json" health.json=.db.status=down
  verdict 2 '.db.nope of the body is not "1": it is not there' health="$PLAIN/json" health.json=.db.nope=1
  verdict 2 'the body is not JSON' health="$PLAIN/ok" health.json=.a=1
}

@test "it is asked by the method and with the headers that are wanted" {
  verdict 0 200 health="$PLAIN/headers" health.contains='GET' health.contains='User-Agent: mig-check/'
  verdict 0 200 health="$PLAIN/headers" health.method=POST health.contains=POST health.header='X-Shop: 7' health.contains='X-Shop: 7'
  verdict 0 200 health="$PLAIN/ok" health.method=HEAD
}

@test "URL, token and header may come from a source, and are not shown" {
  export HEALTH_URL="$PLAIN/headers?key=Kx81-hush" TOKEN=Tk55-hush-token-of-some-length
  echo 'Hd77-hush-header' >header
  chmod 600 header
  verdict 0 200 -v health=env:HEALTH_URL health.bearer=env:TOKEN health.header="X-Api-Key: file:$PWD/header" \
    health.contains='Authorization: Bearer Tk55-hush-token-of-some-length' health.contains='X-Api-Key: Hd77-hush-header'
  shows_not hush
  verdict 2 '302 in' health="$PLAIN/away" health.header="X-Api-Key: file:$PWD/header"
  verdict 0 '200 in' health="$PLAIN/away" health.header="X-Api-Key: file:$PWD/header" health.redirects=1
  HEALTH_URL="$PLAIN/status/503?key=Kx81-hush" verdict 2 '503 in' -v health=env:HEALTH_URL health.bearer=env:TOKEN
  shows_not hush
  HEALTH_URL=http://Kx81-hush.invalid/ verdict 2 'its name cannot be resolved' -v health=env:HEALTH_URL
  shows_not hush
  HEALTH_URL='not a URL Kx81-hush' run --separate-stderr mig-check -v health=env:HEALTH_URL
  assert_code 3
  shows_not hush
  says_not hush
}

@test "a source that is not there is UNKNOWN, and says which" {
  unset HEALTH_URL
  run --separate-stderr mig-check health=env:HEALTH_URL
  assert_code 3
  says 'no URL: HEALTH_URL is not set'
  shows 'UNKNOWN: health: no URL: HEALTH_URL is not set'
  run --separate-stderr mig-check health="$PLAIN/ok" health.bearer=env:NO_TOKEN
  assert_code 3
  says 'no bearer token: NO_TOKEN is not set'
}

@test "what logs in is refused on the command line, and not repeated" {
  local word
  for word in "health=http://user:hush@127.0.0.1/" "health=http://hush@127.0.0.1/"; do
    run --separate-stderr mig-check "$word"
    assert_code 3
    says 'the URL contains'
    says_not hush
  done
  for word in 'Authorization: Basic hush' 'cookie: a=hush'; do
    run --separate-stderr mig-check health="$PLAIN/ok" health.header="$word"
    assert_code 3
    says 'is a credential; pass it from a source'
    says_not hush
  done
}

@test "a certificate is measured in days: good, soon WARNING, very soon CRITICAL, not trusted CRITICAL" {
  cd "$BATS_FILE_TMPDIR"
  verdict 0 'certificate valid for 59 days' health="https://127.0.0.1:$GOOD/ok" health.ca=good.cert
  verdict 1 'certificate expires in 13 days' health="https://127.0.0.1:$SOON/ok" health.ca=soon.cert
  verdict 2 'certificate expires in 2 days' health="https://127.0.0.1:$NOW/ok" health.ca=now.cert
  verdict 0 'certificate valid for 2 days' health="https://127.0.0.1:$NOW/ok" health.ca=now.cert health.certificate-warn=1d \
    health.certificate-crit=1
  verdict 2 'its certificate was rejected' health="https://127.0.0.1:$GOOD/ok"
  verdict 2 'its certificate was rejected' health="https://localhost:$GOOD/ok" health.ca=good.cert
}

@test "those that wait do so side by side: together they take less than one after the other" {
  local began ended
  began=$(date +%s%3N)
  run --separate-stderr mig-check --format=records health:a="$PLAIN/slow/400" health:b="$PLAIN/slow/400" health:c="$PLAIN/hang" health.crit=500ms
  ended=$(date +%s%3N)
  assert_code 2
  assert [ $((ended - began)) -lt "$(jq -s 'map(.took_ms // 0) | add' <<<"$output")" ]
}

@test "503 for a while and then 200 is OK with --wait, and CRITICAL without" {
  verdict 2 '503 in' health="$PLAIN/flaky/800"
  verdict 0 '200 in' --wait=10s --interval=100ms health="$PLAIN/flaky/800"
  verdict 2 '503 in' --wait=300ms --interval=100ms health="$PLAIN/flaky/60000"
}

@test "what is wrong here is UNKNOWN before anything is asked, and --wait does not wait for it" {
  local words
  echo 'no certificate' >no.pem
  export BAD_URL=http://127.0.0.1:99999/ NO_HOST=https://:80/
  while read -r words; do
    # shellcheck disable=SC2086
    run --separate-stderr timeout 20 mig-check --wait=1min $words
    [[ $status == 3 ]] || fail "$words: $status: $output$stderr"
  done <<CASES
health=https://127.0.0.1:1/up health.ca=/nosuch.pem
health=https://127.0.0.1:1/up health.ca=$PWD/no.pem
health=https://127.0.0.1:1/up health.ca=$PWD
health=http://127.0.0.1:99999/
health=http://127.0.0.1:0/
health=http://127.0.0.1:8o/
health=http:///up
health=http://[::1/up
health=env:BAD_URL
health=env:NO_HOST
health=http://127.0.0.1:1/ health.json=.list[0].name=db
health=http://127.0.0.1:1/ health.json=\$.status=ok
health=http://127.0.0.1:1/ health.json=.a..b=ok
health=http://127.0.0.1:1/ health.method=HEAD health.contains=fine
health=http://127.0.0.1:1/ health.method=HEAD health.json=.status=ok
health=http://127.0.0.1:1/ health.warn=5s health.crit=2s
health=http://127.0.0.1:1/ health.certificate-warn=5d health.certificate-crit=9d
health=http://127.0.0.1:1/ health.bearer=file:/nosuch
health=http://127.0.0.1:1/ health.bearer=env:BAD_URL health.header=Authorization:env:BAD_URL
CASES
  run --separate-stderr mig-check health=http://127.0.0.1:1/ 'health.json=.list[0].name=db'
  says '.list.0.name'
}

@test "a failure names who it was: the redirect's target, the proxy, a port without TLS" {
  local port=${PLAIN##*:}
  verdict 2 'redirect to http://127.0.0.1:1: cannot connect: Connection refused' health="$PLAIN/dead"
  verdict 2 'no TLS connection: ' health="https://127.0.0.1:$port/ok"
  verdict 2 'does not use TLS' health="https://127.0.0.1:$port/ok"
  no_proxy='' NO_PROXY='' http_proxy=http://127.0.0.1:1 verdict 2 'by the proxy 127.0.0.1:1: cannot connect' health=http://app.invalid/
  no_proxy='' NO_PROXY='' https_proxy="http://127.0.0.1:$port" verdict 2 'the proxy answered 501 and did not connect' health=https://app.invalid/
}

@test "a byte order mark before JSON is passed over" {
  verdict 0 '200 in' health="$PLAIN/marked" health.json=.list.0.name=db
}

@test "what libcurl cannot do is UNKNOWN, and no request is sent without what was asked for" {
  [[ $BUILD != */sanitize* ]] || skip "sanitizers keep memory of their own"
  [[ $(ldd "$BUILD/mig-check" 2>&1) != *'not a dynamic executable'* ]] || skip "a static program"
  local n unknown=0
  for n in {1..60}; do
    rm -f mark
    run env TORTURE_KIND=curl TORTURE_N="$n" TORTURE_MARK=mark LD_PRELOAD="$BUILD/tests/torture.so" mig-check "health=$PLAIN/headers" \
      health.header='X-One: sent' health.contains='X-One: sent'
    [[ -e mark ]] || continue # there are fewer, where an answer takes less time
    [[ $status == [03] ]] || fail "$n: $(<mark) $status: $output" || return 1
    ((status == 0)) || unknown=$((unknown + 1))
  done
  ((unknown > 30)) || fail "$unknown"
}
