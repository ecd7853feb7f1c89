#!/usr/bin/env bats
# The one static file, where nothing else is: in a folder that holds it, /etc/hosts and migrations, by chroot(2), against
# a server outside; and in one that has busybox besides.
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2154

load helper
load words
load memory
load http
load static

setup_file() {
  static_build || return
  [[ -n $STATIC ]] || return 0
  TLS=$(mktemp -d /tmp/mig.XXXXXX)
  export TLS
  openssl req -x509 -newkey rsa:2048 -nodes -days 60 -subj /CN=db.test -addext 'subjectAltName=DNS:db.test,IP:127.0.0.1' \
    -keyout "$TLS/key" -out "$TLS/cert" 2>/dev/null
  chmod 600 "$TLS/key"
  ((EUID)) || chown -R "$(server_user)" "$TLS"
  server_start --tcp ssl=on "ssl_cert_file=$TLS/cert" "ssl_key_file=$TLS/key"
}

teardown_file() {
  server_stop
  http_stop
  rm -rf "${TLS-/nonexistent}"
}

setup() {
  static_needed
  ((EUID == 0)) || skip "needs root, for chroot"
  database_new
  folder_new
  ROOT=$BATS_TEST_TMPDIR/root
  mkdir -p "$ROOT/etc"
  cp "$STATIC" "$ROOT/mig"
  echo '127.0.0.1 db.test' >"$ROOT/etc/hosts"
  mv prisma "$ROOT/prisma"
  FOLDER=$ROOT/prisma/migrations
  cp "$TLS/cert" "$ROOT/ca.pem"
  password_role
  URL=${URL/127.0.0.1/db.test}
  unset DATABASE_URL
}

teardown() {
  [[ -z ${DEPLOY-} ]] || kill -KILL "$DEPLOY" 2>/dev/null || true
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

# What is applied; the tables are the role's own.
applied_names() {
  sql_admin "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY started_at"
}

# mig in there, with the connection string in the environment, verified by name; where a shell is, by that.
inside() {
  local -a by=(/mig)
  # a path of its own: what it finds outside is not there
  [[ ! -e $ROOT/bin/sh ]] || by=(/bin/sh -c 'PATH=/bin; mig "$@"' sh)
  DATABASE_URL="$URL?sslmode=verify-full&sslrootcert=/ca.pem" run --separate-stderr chroot "$ROOT" "${by[@]}" "$@"
}

# busybox in there, with its shell, and the five by their names.
furnish() {
  command -v busybox >/dev/null || skip "no busybox"
  ! readelf -lW "$(command -v busybox)" | grep -q INTERP || skip "busybox is not static"
  mkdir "$ROOT/bin"
  cp "$(command -v busybox)" "$ROOT/bin/busybox"
  chroot "$ROOT" /bin/busybox --install -s /bin
  mv "$ROOT/mig" "$ROOT/bin/mig"
  chroot "$ROOT" /bin/sh -c '/bin/mig install-links /bin'
}

@test "it is a static PIE under 12 MB, hardened, and says what is in it" {
  run readelf -hldW "$STATIC"
  assert_line --regexp 'Type: +DYN'
  assert_line --regexp 'FLAGS_1.*NOW.*PIE'
  assert_line --regexp GNU_RELRO
  assert_line --regexp 'GNU_STACK.* RW +0x'
  refute_line --partial NEEDED
  refute_line --partial INTERP
  (($(stat -c %s "$STATIC") < 12000000)) || fail "$(stat -c %s "$STATIC") bytes"
  inside --version
  assert_code 0
  for library in libpq OpenSSL libcurl libsodium jansson glibc; do
    assert_line --regexp "^  $library +[0-9.]+ +[A-Za-z]"
  done
  for topic in mig scan plan apply seed check records; do
    inside help "$topic"
    assert_code 0
    assert_line --regexp '^NAME'
  done
  inside help 55P03
  assert_code 0
  shows 'a table stays busy' 'TABLE stayed busy; gave up'
}

releases() {
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  migration 20240102000000_more 'CREATE TABLE b (id int);'
  inside status --format=text
  assert_code 0
  shows '2 pending' 'TLS'
  inside plan --format=text
  assert_code 0
  shows 20240102000000_more
  inside deploy
  assert_code 0
  assert_equal "$(applied_names | wc -l)" 2
  inside deploy
  assert_code 0
  inside check history database </dev/null
  assert_code 0
  shows 'OK: history, database'
  http_start --tls "$TLS/cert" "$TLS/key"
  inside check "health=https://db.test:$HTTP/ok" health.ca=/ca.pem
  assert_code 0
  shows 'certificate valid for'
  # no authority is known there
  inside check "health=https://db.test:$HTTP/ok"
  assert_code 3
  shows 'no CA certificates were found here'
  SSL_CERT_FILE=/ca.pem inside check "health=https://db.test:$HTTP/ok"
  assert_code 0
}

exit_codes() {
  local locked
  migration 20240101000000_init 'SELECT 1/0;'
  inside deploy
  assert_code 1
  says 'next: ' 'mig deploy'
  assert_equal "$(grep -cE ' mig-(scan|plan|apply)' <<<"$stderr")" 0
  inside check history </dev/null
  assert_code 1
  rm -r "${FOLDER:?}"/2024*
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  coproc PSQL { client psql -XAtq; }
  echo "SELECT 'locked' FROM (SELECT pg_advisory_lock(72707369)) l;" >&"${PSQL[1]}"
  read -r locked <&"${PSQL[0]}"
  assert_equal "$locked" locked
  inside deploy --wait=100ms
  assert_code 75
  echo '\q' >&"${PSQL[1]}"
  mv "$FOLDER" "$FOLDER.away"
  inside status
  assert_code 65
  mv "$FOLDER.away" "$FOLDER"
  URL=postgresql://nobody@db.test:1/nowhere inside status
  assert_code 69
  URL=postgresql://nobody@no.such.test/nowhere inside status
  assert_code 69
  inside status -d env:NOWHERE
  assert_code 78
  says 'NOWHERE is not set'
}

@test "in an empty folder: status, plan, deploy by SCRAM and TLS, and a health check over https" {
  releases
}

@test "with busybox beside it: the same, and a pipe in its shell" {
  furnish
  releases
  migration 20240103000000_pipe 'CREATE TABLE c (id int);'
  echo "$URL?sslmode=verify-full&sslrootcert=/ca.pem" >"$ROOT/url"
  chmod 600 "$ROOT/url"
  run --separate-stderr chroot "$ROOT" /bin/sh -c 'mig-scan -d file:/url | mig-plan | mig-apply -d file:/url'
  assert_code 0
  assert_equal "$(applied_names | tail -n 1)" 20240103000000_pipe
}

@test "in an empty folder: exit codes 0, 1, 65, 69, 75 and 78" {
  exit_codes
  run --separate-stderr chroot "$ROOT" /mig status
  assert_code 78
  says 'DATABASE_URL is not set'
  says_not 'cmd:railway'
}

@test "with busybox beside it: exit codes 0, 1, 65, 69, 75 and 78" {
  furnish
  exit_codes
}

@test "what an empty folder lacks, and what is not in the file, is said: 78" {
  local place file parameters url
  inside status -d 'cmd:echo x'
  assert_code 78
  says 'needs /bin/sh, which does not exist here' 'use file: or env:'
  url=$URL
  URL=postgresql://db.test:${URL##*:} inside status
  assert_code 78
  says 'add user=NAME'
  for parameters in gssencmode=require krbsrvname=postgres; do
    DATABASE_URL="$url?$parameters" run --separate-stderr chroot "$ROOT" /mig status
    assert_code 78
    says 'has no Kerberos'
  done
  printf '[shop]\nldap://127.0.0.1/dc=test?description?one?(cn=shop)\n' >"$ROOT/service.conf"
  PGSERVICEFILE=/service.conf run --separate-stderr chroot "$ROOT" /mig status -d service=shop
  assert_code 78
  says 'the service file requires LDAP'

  # the system's authorities, for the database and for health over https
  http_start --tls "$TLS/cert" "$TLS/key"
  system() { DATABASE_URL="$url?sslrootcert=system" run --separate-stderr chroot "$ROOT" /mig "$@"; }
  system status
  assert_code 78
  says 'no CA certificates were found here'
  for place in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem /etc/ssl/ca-bundle.pem; do
    mkdir -p "$ROOT${place%/*}"
    cp "$TLS/cert" "$ROOT$place"
    system status
    assert_code 0
    system check "health=https://db.test:$HTTP/ok"
    assert_code 0
    rm "$ROOT$place"
  done
  mkdir "$ROOT/authorities"
  cp "$TLS/cert" "$ROOT/authorities/$(openssl x509 -in "$TLS/cert" -noout -hash).0"
  SSL_CERT_DIR=/authorities system check "health=https://db.test:$HTTP/ok"
  assert_code 0
  SSL_CERT_FILE=/ca.pem system status
  assert_code 0
}

@test "with busybox beside it: cmd: without /dev/null" {
  furnish
  migration 20240101000000_init 'CREATE TABLE a (id int);'
  echo "$URL?sslmode=require" >"$ROOT/url"
  inside status -d 'cmd:cat /url' --format=text
  assert_code 0
  shows '1 pending'
  # what it reads on its standard input is nothing, and not ours
  inside status -d 'cmd:cat; cat /url' --format=text <<<'postgresql://nobody@db.test:1/x'
  assert_code 0
}

# The second session has asked something, so that the password of its attempt is wiped.
watching() {
  sql_admin "SELECT pid FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND application_name = 'mig-apply watch' AND query <> ''" | grep .
}

# copies PLACE: none in the program that works in there, with and without /proc.
copies() {
  local with program=/mig
  [[ $1 == empty ]] || program=/bin/mig
  migration 20240101000000_slow 'SELECT pg_sleep(60);'
  mkdir -p "$ROOT/proc"
  for with in without with; do
    DATABASE_URL="$URL?sslmode=require" unshare -m sh -c '
      [ "$1" = without ] || mount -t proc proc "$2/proc" || exit 1
      exec chroot "$2" "$3" deploy' - "$with" "$ROOT" "$program" >out 2>err 3>&- 4>&- &
    DEPLOY=$!
    eventually running 'SELECT pg_sleep(60)' || fail "$(cat err)"
    eventually watching # while it connects, libpq has the password
    assert_no_copy "$DEPLOY"
    assert_line --regexp '^password readable=0 noaccess=[1-9]' # it was looked for where it is
    kill -TERM "$DEPLOY"
    status=0
    wait "$DEPLOY" || status=$?
    assert_equal "$status" 143
    DEPLOY=
  done
}

@test "no readable copy of the password while it works, with and without /proc" {
  copies empty
}

@test "with busybox beside it: no readable copy of the password, with and without /proc" {
  furnish
  copies busybox
}
