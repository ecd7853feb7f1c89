#!/usr/bin/env bats
# How connection strings are read (lib/secret/conninfo.c), without a database.

load helper

# Sets output to what is read from the string: key=value lines, the password as well.
read_string() {
  run bash -c 'printf %s "$1" | "$BUILD/tests/tool_target" -p' _ "$1"
}

# Each further word is a line that has to be there.
reads() {
  local line string=$1
  shift
  read_string "$string"
  assert_success
  for line; do
    assert_line "$line"
  done
}

# No four characters of $2 in a row may stand in any output. Rules and hints are made of words that the
# passwords here do not have.
says_nothing_of() {
  local i secret=$1
  for ((i = 0; i + 4 <= ${#secret}; i++)); do
    [[ $output != *"${secret:i:4}"* ]] || fail "the output holds a piece of the password: ${secret:i:4}" || return 1
  done
}

# refuses STRING POSITION RULE [PASSWORD]
refuses() {
  read_string "$1"
  assert_failure 1
  assert_line --index 0 --partial "error $2: $3"
  says_nothing_of "${4-}"
}

## As Prisma

@test "a URL has user, password, host, port, database and schema" {
  reads 'postgresql://shop:Xk9w@db.example.com:6432/shop?schema=sales' \
    user=shop password=Xk9w host=db.example.com port=6432 database=shop schema=sales 'first=db.example.com 6432' form=url
}

@test "postgres:// is the same" {
  reads 'postgres://u@h/d' host=h user=u database=d
  refute_line --partial password
}

@test "without a port it is 5432, without a path the database is postgres" {
  reads 'postgresql://u:Xk9w@h' port=5432 database=postgres
}

@test "with an empty path the database is named after the user, as the server has it" {
  reads 'postgresql://u:Xk9w@h/' database=u
}

@test "the authority is split at the last @" {
  reads 'postgresql://u:Xk@9w@127.0.0.1/d' host=127.0.0.1 'password=Xk@9w'
}

@test "a raw # ? or / in a password is refused where it stands, with the remedy" {
  refuses 'postgresql://u:Xk9wQz#Jv7@h/d' 22 'an unencoded # in the password' 'Xk9wQz#Jv7'
  assert_line 'hint: In a password write # as %23.'
  refuses 'postgresql://u:Xk9wQz?Jv7@h/d' 22 'an unencoded ? in the password' 'Xk9wQz?Jv7'
  assert_line 'hint: In a password write ? as %3F.'
  refuses 'postgresql://u:Xk9wQz/Jv7@h/d' 22 'an unencoded / in the password' 'Xk9wQz/Jv7'
  assert_line 'hint: In a password write / as %2F.'
}

@test "digits before a raw # are not taken for a port" {
  refuses 'postgresql://u:1234#xJv7Qz@h/d' 20 'an unencoded # in the password' '1234#xJv7Qz'
}

@test "a percent sign without two hex digits stays in the password" {
  reads 'postgresql://u:p%ss@h/d' 'password=p%ss'
  reads 'postgresql://u:p%zz@h/d' 'password=p%zz'
  reads 'postgresql://u:p%@h/d' 'password=p%'
  reads 'postgresql://u:p%4@h/d' 'password=p%4'
}

@test "a colon in the password belongs to it" {
  reads 'postgresql://u:Xk:9w:@h/d' 'password=Xk:9w:'
}

@test "blanks, quotes and other special characters in a password need no encoding" {
  # shellcheck disable=SC2016
  local password=' [x]\<y>^|$&;!*=,~(){}"z'"'"'`'
  reads "postgresql://u:$password@h/d" "password=$password" host=h
}

@test "user and password are percent-decoded" {
  reads 'postgresql://us%40er:%41%2F%23%3a%40@h/d' user=us@er 'password=A/#:@'
}

@test "what does not decode to UTF-8 is taken as it is" {
  reads 'postgresql://u:100%ff@h/d' 'password=100%ff'
  reads 'postgresql://u:%C3%A9@h/d' 'password=é'
}

@test "the database name is not decoded, and is the first segment of the path" {
  reads 'postgresql://u@h/a%2Fb' database=a%2Fb
  reads 'postgresql://u@h/a/b' database=a
  reads 'postgresql://u@h/my db' database=my%20db
}

@test "in the query + is a blank" {
  reads 'postgresql://u@h/d?options=-c+work_mem%3D1MB' 'options=-c work_mem=1MB'
}

@test "blanks and line breaks around the string are dropped" {
  reads $' \n\tpostgresql://u:Xk9w@h/d \r\n' database=d password=Xk9w
}

@test "a fragment is dropped" {
  reads 'postgresql://u@h/d?schema=s#production' database=d schema=s
}

@test "unknown parameters are ignored, and so are those that only Prisma Client needs" {
  reads 'postgresql://u@h/d?connection_limit=1&pool_timeout=0&socket_timeout=3&statement_cache_size=0&max_connection_lifetime=1&max_idle_connection_lifetime=1&single_use_connections=true&shema=x' \
    ignored=connection_limit ignored=pool_timeout ignored=socket_timeout ignored=statement_cache_size \
    ignored=max_connection_lifetime ignored=max_idle_connection_lifetime ignored=single_use_connections ignored=shema
  refute_line --partial schema
}

@test "user, dbname and port of the query do not overrule what the URL says" {
  reads 'postgresql://u@h:1/d?user=x&dbname=y&port=2' user=u database=d port=1 ignored=user ignored=dbname ignored=port
}

@test "user, dbname and port of the query count where the URL is silent" {
  reads 'postgresql://?host=/run/postgresql&user=x&dbname=y&port=2' user=x database=y port=2 host=/run/postgresql
}

@test "host in the query overrides the host of the URL" {
  reads 'postgresql://u:Xk9w@localhost:5433/d?host=/var/run/postgresql' host=/var/run/postgresql port=5433 'first=/var/run/postgresql 5433'
}

@test "pgbouncer is true or false and nothing else" {
  reads 'postgresql://u@h/d?pgbouncer=true' pooled
  reads 'postgresql://u@h/d?pgbouncer=false'
  refute_line pooled
  refuses 'postgresql://u@h/d?pgbouncer=yes' 20 'pgbouncer must be true or false'
}

@test "sslaccept=strict asks for verification, with the CA of sslcert" {
  reads 'postgresql://u@h/d?sslmode=prefer&sslaccept=strict' sslmode=verify-full sslrootcert=system
  reads 'postgresql://u@h/d?sslaccept=strict&sslcert=ca.pem' sslmode=verify-full sslrootcert=ca.pem
  reads 'postgresql://u@h/d?sslmode=disable&sslaccept=strict' sslmode=disable
}

@test "sslrootcert=system means verify-full, whichever libpq there is, and nothing less" {
  reads 'postgresql://u@h/d?sslrootcert=system' sslmode=verify-full sslrootcert=system
  reads 'host=h sslrootcert=system sslmode=verify-full' sslmode=verify-full
  refuses 'postgresql://u@h/d?sslrootcert=system&sslmode=require' 1 'sslrootcert=system with an sslmode that does not verify'
  refuses 'host=h sslrootcert=system sslmode=verify-ca' 1 'sslrootcert=system with an sslmode that does not verify'
}

@test "sslaccept=accept_invalid_certs leaves sslmode as it is said" {
  reads 'postgresql://u@h/d?sslmode=require&sslaccept=accept_invalid_certs' sslmode=require
  refute_line --partial sslrootcert
}

@test "sslcert is the CA, and beside sslkey it is the client's certificate" {
  reads 'postgresql://u@h/d?sslcert=ca.pem' sslrootcert=ca.pem
  refute_line --partial sslcert=
  reads 'postgresql://u@h/d?sslcert=me.pem&sslkey=me.key' sslcert=me.pem sslkey=me.key
}

@test "PKCS#12 identities and second secrets are refused" {
  refuses 'postgresql://u@h/d?sslidentity=me.p12' 20 'libpq does not support sslidentity, a PKCS#12 file'
  refuses 'postgresql://u@h/d?sslpassword=Xk9wQz' 20 'a secret other than the password' Xk9wQz
  refuses 'sslpassword=Xk9wQz host=h' 1 'a secret other than the password' Xk9wQz
}

## As libpq

@test "all six modes of sslmode are passed on, and no other" {
  local mode
  for mode in disable allow prefer require verify-ca verify-full; do
    reads "postgresql://u@h/d?sslmode=$mode" "sslmode=$mode"
  done
  refuses 'postgresql://u@h/d?sslmode=on' 20 'invalid sslmode'
}

@test "sslmode=no-verify of node-postgres is require" {
  reads 'postgresql://u@h/d?sslmode=no-verify' sslmode=require
}

@test "the other parameters of libpq are passed on" {
  reads 'postgresql://u@h/d?connect_timeout=3&keepalives_idle=5&tcp_user_timeout=9&channel_binding=require&require_auth=scram-sha-256&target_session_attrs=read-write&application_name=a&passfile=/p' \
    connect_timeout=3 keepalives_idle=5 tcp_user_timeout=9 channel_binding=require require_auth=scram-sha-256 \
    target_session_attrs=read-write fallback_application_name=a passfile=/p
  refute_line --partial ignored
}

@test "several hosts become the lists of libpq" {
  reads 'postgresql://u:Xk9w@h1:1,h2,[::1]:3/d?target_session_attrs=primary' host=h1,h2,::1 port=1,5432,3 'first=h1 1'
}

@test "an IPv6 address stands in brackets" {
  reads 'postgresql://u:Xk9w@[2001:db8::ff]:6432/d' host=2001:db8::ff port=6432
  reads 'postgresql://u@[fe80::1%eth0]/d' host=fe80::1%eth0
  refuses 'postgresql://u:Xk9wQz@2001:db8::ff/d' 23 'more than one colon' Xk9wQz
}

@test "an encoded host may be a socket's directory" {
  reads 'postgresql://u@%2Fvar%2Frun%2Fpostgresql:5433/d' host=/var/run/postgresql port=5433
}

@test "a URL without a host has libpq's default" {
  reads 'postgresql:///d' database=d
  refute_line --partial host=
  refute_line --partial port=
}

@test "a keyword string has quotes and backslashes as libpq has them" {
  reads "host = db.example.com  port=6432 dbname='my shop' user=o\\'x password='it\\'s \\\\ok' schema=sales sslmode=require" \
    host=db.example.com port=6432 'database=my shop' "user=o'x" "password=it's \\ok" schema=sales sslmode=require form=keywords
}

@test "a service is passed on" {
  reads 'service=prod' service=prod
}

@test "a bare word is a database, as after psql -d" {
  reads 'shop' database=shop form=name
  refuses 'shop:x' 1 'neither a URL nor a keyword string'
}

## What is refused, and never repeated

@test "variables that resolve to nothing leave no host, and none is guessed" {
  refuses 'postgresql://:@:/' 16 'the host is empty'
  refuses 'postgresql://u:Xk9wQz@/d' 23 'the host is empty' Xk9wQz
  refuses 'postgresql://u:Xk9wQz@:5432/d' 23 'the host is empty' Xk9wQz
  refuses 'postgresql://u:Xk9wQz@/d?host=' 23 'the host is empty' Xk9wQz
  reads 'postgresql://u@h/d?host=' host=h
}

@test "unresolved references are refused" {
  # shellcheck disable=SC2016
  for string in '${DATABASE_URL}' '$DATABASE_URL' '${{Postgres.DATABASE_URL}}' '{{ url }}'; do
    refuses "$string" 1 'an unresolved reference'
  done
  # shellcheck disable=SC2016
  {
    refuses 'postgresql://u:Xk9wQz@${{PGHOST}}:5432/d' 23 'an unresolved reference' Xk9wQz
    refuses 'postgresql://u:${PGPASSWORD}@h/d' 16 'an unresolved reference' PGPASSWORD
    refuses 'postgresql://${PGUSER}:Xk9wQz@h/d' 14 'an unresolved reference' Xk9wQz
    refuses 'postgresql://u:Xk9wQz@h/${DB}' 25 'an unresolved reference' Xk9wQz
    reads 'postgresql://u:$Xk{9}w@h/d' 'password=$Xk{9}w'
  }
}

@test "a placeholder is no password" {
  refuses 'postgresql://postgres:[YOUR-PASSWORD]@h/d' 23 "the password is still the example's placeholder"
}

@test "quotes around the value are part of it, and refused" {
  refuses '"postgresql://u:Xk9wQz@h/d"' 1 'the value is in quotes' Xk9wQz
  refuses "'postgresql://u:Xk9wQz@h/d'" 1 'the value is in quotes' Xk9wQz
}

@test "positions are counted in characters" {
  refuses 'postgresql://ü:Xkü9wQ#z@h/d' 22 'an unencoded #' 'Xkü9wQ#z'
}

@test "no error repeats any part of the password" {
  local -a malformed=(
    'postgresql://u:SECRET'
    'postgresql://u:SECRET@h:notaport/d'
    'postgresql://u:SECRET@h:99999/d'
    'postgresql://u:SECRET@h:0/d'
    'postgresql://u:SECRET@h:1:2/d'
    'postgresql://u:SECRET@[::1/d'
    'postgresql://u:SECRET@[zz]/d'
    'postgresql://u:SECRET@[::1]x/d'
    'postgresql://u:SECRET@h h/d'
    'postgresql://u:SECRET@h%zz/d'
    'postgresql://u:SECRET@h%20x/d'
    'postgresql://u:SECRET@h%00/d'
    'postgresql://u:SECRET@h,,g/d'
    'postgresql://u:SECRET@,h/d'
    'postgresql://u:SEC/RET@h/d'
    'postgresql://u:SEC?RET@h/d'
    'postgresql://u:SEC#RET@h/d'
    'postgresql://u:SEC@h/RET@h/d'
    'postgresql://u:SECRET%00@h/d'
    'postgresql://u:SECRET@h/d?application_name=a@b'
    $'postgresql://u:SEC\nRET@h/d'
    $'postgresql://u:SEC\tRET@h/d'
    'postgresql://h/d?password=SECRET'
    'postgresql://u@h/d?user=x&password=SECRET'
    'postgresql://u:SECRET@h/d?sslpassword=SECRET'
    'postgresql://u:SECRET@h/d?sslmode=SECRET'
    'postgresql://u:SECRET@h/d?connect_timeout=SECRET'
    'postgresql://u:SECRET@h/d?pgbouncer=SECRET'
    'postgresql:/u:SECRET@h/d'
    'postgresql:u:SECRET@h/d'
    'postgresql//u:SECRET@h/d'
    '//u:SECRET@h/d'
    'u:SECRET@h/d'
    'POSTGRESQL://u:SECRET@h/d'
    'postgresql ://u:SECRET@h/d'
    'postgresql+asyncpg://u:SECRET@h/d'
    'jdbc:postgresql://h/d?user=u&password=SECRET'
    'mysql://u:SECRET@h/d'
    'prisma://h/?api_key=SECRET'
    'prisma+postgres://h/?api_key=SECRET'
    'psql postgresql://u:SECRET@h/d'
    'export DATABASE_URL=postgresql://u:SECRET@h/d'
    'DATABASE_URL=postgresql://u:SECRET@h/d'
    'DATABASE_URL="postgresql://u:SECRET@h/d"'
    'postgresql:///h:1/d/SECRET'
    'host=h password=SEC RET'
    'host=h password=SEC RET=x'
    "host=h password='SECRET"
    'host=h password=SECRET port=x'
    'host=h password=SECRET password=SECRET'
    'host=h pasword=SECRET'
    'host=h dbname=postgresql://u:SECRET@h/d'
    'password SECRET'
    'SEC RET'
    'SEC=RET=x'
  )
  local string secret=Xk9wQzJv7Gy4
  for string in "${malformed[@]}"; do
    string=${string//SEC/Xk9wQz}
    string=${string//RET/Jv7Gy4}
    read_string "$string"
    assert_failure 1
    assert_line --index 0 --regexp '^error [0-9]+: '
    says_nothing_of "$secret"
  done
}
