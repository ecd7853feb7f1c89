#!/usr/bin/env bats
# A password in another slot of the connection string than its own is never shown, whatever form it came in.

load helper

SECRET=Xk9wQ7vT

setup_file() {
  server_start --tcp
}

setup() {
  database_new
  folder_new
}

# What has to stand for a place where a password may land by mistake, in both grammars. One string a line.
misplaced() {
  local s key sep
  # a driver's form: everything behind the host, or a name and a value behind any slot
  for key in password Password PASSWORD pwd Pwd passwd passphrase; do
    for sep in ';' '; ' '%3B' '%253B'; do
      printf '%s\n' "host=127.0.0.1${sep}port=5432${sep}$key=$SECRET" \
        "postgresql://127.0.0.1${sep}$key=$SECRET/shop" "postgresql://u${sep}$key=$SECRET@127.0.0.1/shop" \
        "postgresql://u@127.0.0.1/shop${sep}$key=$SECRET" "postgresql://u@127.0.0.1/shop?user=u${sep}$key=$SECRET" \
        "postgresql://u@127.0.0.1/shop?schema=public${sep}$key=$SECRET" \
        "postgresql://u@127.0.0.1/shop?application_name=a${sep}$key=$SECRET" \
        "postgresql://u@127.0.0.1/shop?options=-c%20a%3Db${sep}$key=$SECRET" \
        "postgresql://u@127.0.0.1/shop?unknown=a${sep}$key=$SECRET" \
        "postgresql://u@127.0.0.1/shop?host=127.0.0.1${sep}$key=$SECRET"
    done
    for sep in '&' '%26' ',' '%2C' '|' '+' '%20'; do
      printf '%s\n' "postgresql://u@127.0.0.1/shop${sep}$key=$SECRET" "postgresql://u@127.0.0.1/shop${sep}$key%3D$SECRET" \
        "postgresql://u@127.0.0.1/shop?schema=a${sep}$key=$SECRET" "postgresql://u@127.0.0.1/shop?service=a${sep}$key=$SECRET"
    done
    for s in host user dbname schema service application_name options sslrootcert fallback_application_name; do
      printf '%s\n' "host=127.0.0.1 $s=a;$key=$SECRET" "host=127.0.0.1 $s=a&$key=$SECRET" "host=127.0.0.1 $s='a $key = $SECRET'" \
        "host=127.0.0.1 $s='a?$key=$SECRET'"
    done
    printf '%s\n' "postgresql://u@127.0.0.1/shop?$key=$SECRET" "postgresql://u@127.0.0.1/shop?x=y&amp;$key=$SECRET" \
      "Server=127.0.0.1;Database=shop;User Id=u;$key=$SECRET" \
      "Data Source=127.0.0.1,5432;$key=$SECRET"
  done
  printf '%s\n' "postgresql://u%3A$SECRET@127.0.0.1/shop" "postgresql://u%253A$SECRET@127.0.0.1/shop" \
    "postgresql://127.0.0.1/shop?user=u:$SECRET" "postgresql://127.0.0.1/shop?user=u%3A$SECRET" "user=u:$SECRET host=127.0.0.1" \
    "jdbc:postgresql://127.0.0.1/shop?user=u&password=$SECRET" "postgresql://u;$SECRET@127.0.0.1/shop" \
    "postgresql://u&$SECRET@127.0.0.1/shop" "postgresql://u@127.0.0.1/shop;$SECRET" "postgresql://u@127.0.0.1/shop&$SECRET"
}

@test "a password in any other slot, with any separator, in both grammars is refused and not repeated" {
  local string n=0
  while IFS= read -r string; do
    run "$BUILD/tests/tool_target" <<<"$string"
    ((status == 1)) || fail "taken: $string"$'\n'"$output"
    [[ $output != *"$SECRET"* ]] || fail "shown: $string"$'\n'"$output"
    [[ $output == 'error '[1-9]* ]] || fail "no place: $string"$'\n'"$output"
    n=$((n + 1))
  done < <(misplaced)
  ((n > 600)) || fail "only $n strings"
}

@test "all tools and all sources refuse such a string before anything is looked up or connected" {
  local tool string source code
  migration 1_a 'SELECT 1;'
  mig-scan | mig-plan >plan.rec
  printf 'id\n1\n' >t.csv
  local -a commands=('mig-scan' 'mig-apply plan.rec' 'mig-seed t.csv' 'mig-check database')
  while IFS= read -r string; do
    printf '%s\n' "$string" >url
    for tool in "${commands[@]}"; do
      for source in variable MIG_DATABASE -d file: cmd:; do
        code=78
        case $source in
        variable) run env DATABASE_URL="$string" bash -c "exec $tool </dev/null" ;;
        MIG_DATABASE) run env MIG_DATABASE="$string" bash -c "exec $tool </dev/null" ;;
        -d) code=64 run bash -c "exec $tool -d \"\$1\" </dev/null" - "$string" ;;
        *) run bash -c "exec $tool -d '${source/cmd:/cmd:cat }${source/*:/}url' </dev/null" ;;
        esac
        [[ $tool != mig-check* ]] || code=3
        [[ $source != -d || $tool == mig-check* ]] || code=64
        [[ $source != file: ]] || run bash -c "exec $tool -d file:url </dev/null"
        [[ $source != cmd: ]] || run bash -c "exec $tool -d 'cmd:cat url' </dev/null"
        ((status == code)) || fail "$tool, $source, $string: $status"$'\n'"$output"
        [[ $output != *"$SECRET"* ]] || fail "$tool, $source shows it: $string"$'\n'"$output"
      done
    done
  done <<<"host=127.0.0.1;port=5432;password=$SECRET
postgresql://u@127.0.0.1/shop&password=$SECRET
postgresql://u%3A$SECRET@127.0.0.1/shop
postgresql://127.0.0.1/shop?user=u;Pwd=$SECRET"
}

@test "a connection string as a word is refused, and a wrong option behind a word is named, not the word" {
  local tool word
  for tool in mig-scan mig-plan mig-apply mig-seed mig-check; do
    for word in "postgresql://u:$SECRET@127.0.0.1/x" "host=127.0.0.1 password=$SECRET" "Server=h;Pwd=$SECRET"; do
      run "$tool" "$word" </dev/null
      [[ $tool == mig-check ]] && ((status == 3)) || ((status == 64)) || fail "$tool: $status $output"
      [[ $output != *"$SECRET"* ]] || fail "$tool: $output"
      run "$tool" "$word" --nope --neither </dev/null
      [[ $output != *"$SECRET"* && $output == *'there is no option --nope'* ]] || fail "$tool: $output"
    done
    run "$tool" word --databse=x </dev/null
    [[ $tool == mig-plan || $output == *'there is no option --databse; did you mean --database?'* ]] || fail "$tool: $output"
    [[ $output != *word* ]]
  done
  run mig-scan "$SECRET" -d
  assert_output --partial 'option -d needs a value'
  run mig-scan "$SECRET" --wait
  assert_output --partial 'option --wait needs a value'
}

@test "names that need encoding or quotes go on working" {
  local string
  while IFS= read -r string; do
    run "$BUILD/tests/tool_target" -p <<<"$string"
    assert_success
  done <<'STRINGS'
postgresql://user%40server:pw%3Bpassword=x@db.postgres.database.azure.com/shop
postgresql://postgres.abcdefghij:p;a&s=sword@aws-0-eu.pooler.example.com:6543/postgres?pgbouncer=true
postgresql://u:password=x;y@[fe80::1%25eth0]:5432/shop
postgresql:///shop?host=/run/postgresql&user=deploy
postgresql://u@%2Frun%2Fpostgresql/shop
postgresql://u:p@a,b:5433,[::1]:6432/shop?target_session_attrs=read-write&connect_timeout=3
postgresql://u:p@h/shop%3B1?schema=a%3Bb%2Fc
postgresql://u:p@h/shop?options=-c%20search_path%3Da,b&application_name=it%27s
host=h dbname='shop; old' user=u password='a;b password=c'
host=/var/run/postgresql dbname=shop options='-c statement_timeout=5s'
service=production dbname=shop
STRINGS
  run "$BUILD/tests/tool_target" <<<'postgresql://u@[fe80::1%25eth0]/d'
  assert_line 'host=fe80::1%eth0'
}

@test "words glued to a value, HTML's &amp;, and what an editor hides are refused with their place" {
  local string
  while IFS= read -r string; do
    run "$BUILD/tests/tool_target" <<<"$string"
    ((status == 1)) || fail "taken: $string"$'\n'"$output"
  done <<STRINGS
postgresql://u@h/d?schema=public?sslmode=require
postgresql://u@h/d?schema=public"
postgresql://u@h/d?schema=public'
postgresql://u@h/d?schema=public;
postgresql://u@h/d?schema=public/
postgresql://u@h/d?application_name=x?sslmode=require
postgresql://u@h/d?schema=public&amp;sslmode=require
postgresql://u@h/d"
postgresql://u@h//d
postgresql://u@h:5432/d?host=/tmp&port=5433
postgresql://u@h/d?schema=$(printf 'x%.0s' {1..64})
postgresql://u@h/d?schema=$(printf 'é%.0s' {1..32})
schema=$(printf 'x%.0s' {1..64}) host=h
schema=pg_temp host=h
postgresql://u@h/d?schema=pg_catalog
postgresql://u@h/d?schema=information_schema
STRINGS
  DATABASE_URL="postgresql://tester@127.0.0.1:$(server_port)/template0" run mig-scan
  assert_failure 78
  assert_output --partial 'not currently accepting connections'
  run "$BUILD/tests/tool_target" <<<$'\xef\xbb\xbfpostgresql://u@h/d'
  assert_output --partial 'U+FEFF'
  run "$BUILD/tests/tool_target" <<<$'\xe2\x80\x9cpostgresql://u@h/d\xe2\x80\x9d'
  assert_output --partial 'U+201C'
  run "$BUILD/tests/tool_target" <<<$'postgresql://u@h/d\xe2\x80\x8b'
  assert_output --partial 'U+200B'
  run "$BUILD/tests/tool_target" <<<$'\xc2\xa0postgresql://u@h/d'
  assert_output --partial 'U+00A0'
}

@test "what landed in any parameter of libpq is not repeated, neither by libpq nor by the server" {
  local parameter value url n=0
  migration 1_a 'SELECT 1;'
  url="$(database_url --tcp)"
  while read -r parameter; do
    for value in "u:$SECRET" "u%3A$SECRET" "$SECRET"; do
      # a file and a schema are shown by their names, but not what has no form of a name
      [[ $value != "$SECRET" || $parameter != ssl[ckr]* && $parameter != schema ]] || continue
      DATABASE_URL="$url?$parameter=$value" run mig-scan
      [[ $output != *"$SECRET"* || $parameter == schema && $value == *%3A* ]] || fail "$parameter=$value: $output"
      n=$((n + 1))
    done
    DATABASE_URL="host=127.0.0.1 port=$(server_port) user=tester dbname=$PGDATABASE $parameter='u:$SECRET'" run mig-scan
    [[ $output != *"$SECRET"* || $parameter == schema ]] || fail "$parameter='u:$SECRET': $output"
  done < <(sed -nE '/^static const struct parameter known/,/^};/s/.*\{ "([a-z_]+)", (LIBPQ|SCHEMA|SECONDS|SSLMODE) \}.*/\1/p' "$TESTS/../lib/secret/conninfo_parameters.c")
  ((n > 90)) || fail "only $n"
  for value in "-c statement_timeout=u:$SECRET" "-c u:$SECRET=1" "--$SECRET" "u:$SECRET=x"; do
    DATABASE_URL="host=127.0.0.1 port=$(server_port) user=tester dbname=$PGDATABASE options='$value'" run mig-scan
    [[ $output != *"$SECRET"* ]] || fail "options='$value': $output"
  done
  for value in "postgresql://127.0.0.1/u:$SECRET" "host=127.0.0.1 dbname=u:$SECRET"; do
    DATABASE_URL=$value run mig-scan
    assert_code 78
    [[ $output != *"$SECRET"* ]] || fail "$output"
  done
  for value in "cmd:postgresql://u:$SECRET@h/d" "file:u:$SECRET" "env:u:$SECRET"; do
    run mig-scan -d "$value"
    [[ $output != *"$SECRET"* ]] || fail "$output"
  done
}

@test "values of libpq's parameters that it takes are taken" {
  local value
  migration 1_a 'SELECT 1;'
  for value in channel_binding=prefer gssencmode=disable hostaddr=127.0.0.1 keepalives=1 keepalives_idle=10 tcp_user_timeout=5000 \
    ssl_min_protocol_version=tlsv1.2 target_session_attrs=read-write 'options=-c statement_timeout=5s' keepalives_count= require_auth= \
    'options=-c application_name=a\\ b --work_mem=4MB'; do
    DATABASE_URL="host=127.0.0.1 port=$(server_port) user=tester dbname=$PGDATABASE ${value%%=*}='${value#*=}'" run mig-scan
    assert_code 0 || fail "$value"
  done
  for value in hostaddr=::1,fe80::1%25eth0,10.0.0.1 require_auth=!password,!md5 require_auth=scram-sha-256 service=my-shop.prod \
    'schema=a%3Ab' max_protocol_version=latest sslnegotiation=direct load_balance_hosts=random requirepeer=postgres; do
    run "$BUILD/tests/tool_target" <<<"postgresql://u@h/d?$value"
    assert_success
  done
}

@test "a certificate that is named and cannot be read is refused, whatever sslmode says; prisma/ is looked in" {
  local mode parameter
  migration 1_a 'SELECT 1;'
  for mode in '' disable prefer require; do
    for parameter in sslcert=rds.pem sslrootcert=rds.pem "sslkey=rds.pem&sslcert=there.pem" sslcrl=rds.pem; do
      touch there.pem
      run env DATABASE_URL="$(database_url --tcp)?$parameter${mode:+&sslmode=$mode}" mig-scan
      ((status == 78)) || fail "$parameter, $mode: $status $output"
      assert_output --partial 'rds.pem: No such file'
    done
  done
  mkdir -p prisma && touch prisma/rds.pem
  run env DATABASE_URL="$(database_url --tcp)?sslcert=rds.pem&sslmode=disable" mig-scan
  assert_success
}

@test "what the server repeats of a name with separators in it is cut there" {
  run env DATABASE_URL="$(database_url --tcp "u%26$SECRET")" mig-scan
  [[ $output != *"$SECRET"* && $output == *'u...'* ]] || fail "$output"
  run env DATABASE_URL="postgresql://tester@127.0.0.1:$(server_port)/shop%26$SECRET" mig-scan
  [[ $output != *"$SECRET"* ]] || fail "$output"
}

@test "the folder above the migrations, or one of them, is told so" {
  migration 1_a 'SELECT 1;'
  run mig-scan --offline "${FOLDER%/*}"
  assert_failure 65
  assert_output --partial 'did you mean'
  run mig-scan --offline "$FOLDER/1_a"
  assert_failure 65
  assert_output --partial 'is a single migration'
  run mig-check helth
  assert_failure 3
  assert_output --partial 'did you mean health?'
  run mig-check health=http://127.0.0.1/ health.statsu=200
  assert_failure 3
  assert_output --partial 'health has no setting "statsu"; did you mean health.status?'
}
