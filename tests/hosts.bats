#!/usr/bin/env bats
# What is known of a host is said where it fails in that way, and only there. No name is looked up: hostaddr is the loopback.
# shellcheck disable=SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start --tcp; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
}
teardown() { pgbouncer_end; }

# A scan through HOST, as USER, at a port of the loopback.
scan_at() { # HOST PORT [USER]
  DATABASE_URL="host=$1 hostaddr=127.0.0.1 port=$2 user=${3-tester} dbname=$PGDATABASE connect_timeout=2" run --separate-stderr mig-scan
}

@test "a host that cannot be reached is explained by its name, one that refuses is not" {
  local fd port
  exec {fd}< <(exec "$TESTS/fake-server" mute 3>&-)
  read -r port <&"$fd"
  scan_at db.abcdefgh.supabase.co "${port##*:}"
  assert_code 69
  says 'has only an IPv6 address' '*.pooler.supabase.com, with port 5432'
  scan_at postgres.railway.internal "${port##*:}"
  assert_code 69
  says '-d env:DATABASE_PUBLIC_URL'
  port=$(free_port)
  scan_at db.abcdefgh.supabase.co "$port"
  assert_code 69
  says 'onnection refused' 'Hosted databases change host and port'
  says_not IPv6
  scan_at postgres.railway.internal "$port"
  says_not PUBLIC_URL
}

@test "a pooler is explained by its name" {
  migration 20240101000000_a 'CREATE TABLE a (id int);'
  pgbouncer_begin transaction --tcp
  local host says
  while read -r host says; do
    export DATABASE_URL="host=$host hostaddr=127.0.0.1 port=$BOUNCER_PORT user=tester dbname=$PGDATABASE"
    pipeline
    assert_code 78
    says 'a pooler in transaction mode' "$says" 'MIG_DATABASE=env:DIRECT_URL'
  done <<-'END'
	ep-cool-1-pooler.eu-central-1.aws.neon.tech the server itself is ep-cool-1.eu-central-1.aws.neon.tech.
	shop.proxy-abc.eu-west-1.rds.amazonaws.com the endpoint of the instance or the cluster
	db.example.com next: put the server's own address
	END
  says_not Neon RDS
}

@test "a user with the server's name, which Azure no longer takes, is explained where the login fails" {
  scan_at shop.postgres.database.azure.com "$(server_port)" tester@shop
  assert_code 77
  says 'takes the user'"'"'s name without @SERVER'
  scan_at shop.postgres.database.azure.com "$(server_port)" nobody
  says_not @SERVER
  scan_at db.example.com "$(server_port)" tester@shop
  says_not @SERVER
}
