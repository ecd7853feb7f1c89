#!/usr/bin/env bats
# mig-seed: values that are secret, from env:NAME or file:PATH, and are shown nowhere.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words
load memory

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  mkdir -p "$BATS_TEST_TMPDIR/seed"
  cd "$BATS_TEST_TMPDIR" || return 1
  users
}
teardown() {
  sessions_end
  roles_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

HASH='$2b$12$Qm9\tZ,"'\''made-up-hash'
KEY=$'-----BEGIN KEY-----\nbWFkZS11cA\\n==\n-----END KEY-----'

users() {
  sql "CREATE TABLE u (id SERIAL PRIMARY KEY, email TEXT NOT NULL UNIQUE, hash VARCHAR(60), key TEXT, settings JSONB, note TEXT, pin INT, CHECK (hash <> 'bad-made-up-value'))"
  printf 'email,hash,key,settings,note\na@x.com,env:ADMIN_HASH,file:key.pem,env:SETTINGS,env:NOT_THIS\nb@x.com,env:ADMIN_HASH,,,\n' >seed/u.csv
  printf '[u]\nkey = email\nsecret = hash, key, settings\n' >seed/seed.conf
  printf '%s\n' "$KEY" >key.pem
  chmod 600 key.pem
  export ADMIN_HASH=$HASH SETTINGS='{"smtp": {"password": "made-up-smtp"}}'
}

writing() {
  [[ $(sql_admin "SELECT count(*) FROM pg_stat_activity WHERE datname = '$PGDATABASE' AND query LIKE 'WITH i1 %' AND wait_event_type = 'Lock'") == 1 ]]
}

# No output has any of the values.
nothing_shown() {
  local value
  for value in "$HASH" 'made-up' 'bWFkZS11cA' 'BEGIN KEY'; do
    [[ $output != *"$value"* && $stderr != *"$value"* ]] || fail "shown: $output $stderr"
  done
}

everybody() {
  sql "SELECT email, hash, key, settings, note FROM u ORDER BY email"
}

@test "columns that seed.conf names as secret get what env:NAME and file:PATH have; other cells may begin with env:" {
  seed --dry-run --format=text -v seed
  assert_code 0
  nothing_shown
  shows 'hash=(env:ADMIN_HASH), key=(file:key.pem), settings=(env:SETTINGS), note='"'env:NOT_THIS'" 'hash=(env:ADMIN_HASH), key=null'
  seed -v seed
  assert_code 0
  nothing_shown
  assert_equal "$(everybody)" "a@x.com|$HASH|$KEY|{\"smtp\": {\"password\": \"made-up-smtp\"}}|env:NOT_THIS
b@x.com|$HASH|||"
  seed seed
  assert_equal "$(records 'select(.record == "seeded") | "\(.rows_inserted) \(.rows_updated) \(.rows_unchanged)"')" '0 0 2'
  ADMIN_HASH=another-made-up seed --format=text -v seed
  assert_code 0
  nothing_shown
  shows 'hash: (not shown) → (env:ADMIN_HASH)'
  assert_equal "$(sql 'SELECT DISTINCT hash FROM u')" another-made-up
}

@test "a source in a column whose name hides it, which nobody named as secret, is refused before it is written" {
  sql 'ALTER TABLE u ADD "passwordHash" TEXT'
  printf '{"email":"a@x.com"}\n{"email":"b@x.com","passwordHash":"env:ADMIN_HASH"}\n' >seed/u.ndjson
  printf '[u]\nkey = email\n' >seed/seed.conf
  rm seed/u.csv
  seed --dry-run seed
  assert_code 65
  says 'seed/u.ndjson:2: column "passwordHash": env:ADMIN_HASH would be written as it stands, since the column is not secret' \
    'In seed.conf below [u]: secret = passwordHash'
  seed --secret=u:passwordHash seed
  assert_code 0
  nothing_shown
}

@test "objects, standard input and an environment have them too; the base's value is not needed where it is overridden" {
  rm seed/*
  mkdir seed/base seed/production
  printf '{"email": "a@x.com", "hash": "env:DEV_HASH"}\n{"email": "b@x.com", "hash": null}\n{"email": "c@x.com"}\n' >seed/base/u.ndjson
  printf '[u]\nkey = email\nsecret = hash\n' >seed/base/seed.conf
  printf 'email,hash\na@x.com,env:ADMIN_HASH\n' >seed/production/u.csv
  seed --env=production --dry-run --format=text seed
  assert_code 0
  nothing_shown
  shows 'hash: env:DEV_HASH → env:ADMIN_HASH'
  seed --env=production seed
  assert_code 0
  assert_equal "$(sql 'SELECT email, hash FROM u ORDER BY 1')" "a@x.com|$HASH"$'\nb@x.com|\nc@x.com|'
  seed --env=base seed
  assert_code 78
  says 'seed/base/u.ndjson:1: column "hash": DEV_HASH is not set' 'next: read -rs DEV_HASH; export DEV_HASH'
  DEV_HASH=made-up-dev seed --table=u --key=email --secret=u:hash - <<<'{"email": "a@x.com", "hash": "env:DEV_HASH"}'
  assert_code 0
  nothing_shown
  assert_equal "$(sql "SELECT hash FROM u WHERE email = 'a@x.com'")" made-up-dev
}

@test "records say where a value is from, so that another database gets it from there" {
  mig-seed --dry-run -o rows.rec seed >/dev/null 2>&1
  run ! grep -q made-up rows.rec
  assert_equal "$(jq -c 'select(.record == "row") | [.new.hash, .secret]' rows.rec)" \
    $'["env:ADMIN_HASH",["hash","key","settings"]]\n["env:ADMIN_HASH",["hash","key","settings"]]'
  database_new
  sql 'CREATE TABLE u (id SERIAL PRIMARY KEY, email TEXT NOT NULL UNIQUE, hash VARCHAR(60), key TEXT, settings JSONB, note TEXT)'
  ADMIN_HASH=elsewhere-made-up seed - <rows.rec
  assert_code 0
  nothing_shown
  assert_equal "$(sql 'SELECT email, hash, note FROM u ORDER BY 1')" $'a@x.com|elsewhere-made-up|env:NOT_THIS\nb@x.com|elsewhere-made-up|'
  unset ADMIN_HASH
  seed - <rows.rec
  assert_code 78
  says 'standard input:2: column "hash": ADMIN_HASH is not set'
}

@test "a variable or a file that is missing, or open to others, is an error with line and column before anybody connects" {
  local DATABASE_URL=postgresql://tester@127.0.0.1:1/none
  unset ADMIN_HASH
  seed seed
  assert_code 78
  says 'seed/u.csv:2: column "hash": ADMIN_HASH is not set' 'Nothing was seeded' 'next: read -rs ADMIN_HASH; export ADMIN_HASH'
  ADMIN_HASH='' seed seed
  assert_code 78
  says 'ADMIN_HASH is empty'
  export ADMIN_HASH=$HASH
  chmod 644 key.pem
  seed seed
  assert_code 78
  says 'seed/u.csv:2: column "key": the file "key.pem" can be read by other users' 'next: chmod 600 key.pem'
  rm key.pem
  seed seed
  assert_code 78
  says 'seed/u.csv:2: column "key": cannot read the file "key.pem": No such file or directory'
  printf 'email,hash\na@x.com,plain-made-up\n' >seed/u.csv
  seed seed
  assert_code 65
  nothing_shown
  says 'seed/u.csv:2: column "hash": it is secret, so it must be env:NAME or file:PATH'
  printf 'email,hash\na@x.com,env:DATABASE_URL\n' >seed/u.csv
  DATABASE_URL=$DATABASE_URL seed seed
  assert_code 78
  says 'DATABASE_URL is for a connection, and not for data'
}

@test "NAME_FILE is the file of a variable, as with connection strings" {
  printf 'email,hash\na@x.com,env:SHOP_HASH\n' >seed/u.csv
  printf '%s\n' "$HASH" >hash.txt
  chmod 600 hash.txt
  SHOP_HASH_FILE=./hash.txt seed seed
  assert_code 0
  assert_equal "$(sql 'SELECT hash FROM u')" "$HASH"
  SHOP_HASH=x SHOP_HASH_FILE=./hash.txt seed seed
  assert_code 78
  says 'both SHOP_HASH and SHOP_HASH_FILE are set'
}

@test "no error shows a value: one that does not fit, that a constraint refuses, that a trigger repeats, that is there already" {
  printf 'email,hash\na@x.com,env:BAD\n' >seed/u.csv
  export BAD=made-up-and-much-longer-than-sixty-characters-so-that-it-does-not-fit
  seed seed
  assert_code 1
  nothing_shown
  says 'seed/u.csv:2: column "hash": the value of env:BAD does not fit: value too long for type character varying(60) [22001]'
  export BAD=bad-made-up-value
  seed seed
  assert_code 1
  nothing_shown
  says 'seed/u.csv:2: ' '[23514]'
  sql 'ALTER TABLE u DROP CONSTRAINT u_hash_check; CREATE UNIQUE INDEX u_hash ON u (hash)'
  sql "INSERT INTO u (email, hash) VALUES ('z@x.com', 'bad-made-up-value')"
  seed seed
  assert_code 1
  nothing_shown
  says '[23505]'
  sql "DROP INDEX u_hash; CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''what is %?'', NEW.hash; END'; CREATE TRIGGER tell BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION tell()"
  seed seed
  assert_code 1
  nothing_shown
  says '(not shown, since it contains the value of env:BAD)'
  BAD=is seed seed
  says '(not shown, since it contains the value of env:BAD)'
  printf 'email,pin\na@x.com,env:BAD\n' >seed/u.csv
  printf '[u]\nkey = email\nsecret = pin\n' >seed/seed.conf
  seed seed
  assert_code 1
  nothing_shown
  says 'seed/u.csv:2: column "pin": the value of env:BAD does not fit: it is not of the column'"'"'s type [22P02]'
}

@test "a row that would have NULL in a NOT NULL column with a secret name is told how to get a value" {
  sql 'CREATE TABLE n (id INT PRIMARY KEY, "passwordHash" TEXT NOT NULL)'
  printf 'id\n1\n' >seed/n.csv
  rm seed/u.csv seed/seed.conf
  seed --dry-run seed
  assert_code 1
  says 'hint        add a column passwordHash to the file, with env:NAME or file:PATH in it, and in seed.conf  secret = passwordHash'
}

@test "a column by which rows are matched cannot be secret" {
  printf 'email,hash\nenv:SETTINGS,env:ADMIN_HASH\n' >seed/u.csv
  printf '[u]\nkey = email\nsecret = email\n' >seed/seed.conf
  seed seed
  assert_code 65
  says 'seed/u.csv: column "email" cannot be secret: rows are matched by it'
}

@test "values go by COPY, which no setting makes the server log; what it logs of a rejected row, log_error_verbosity leaves out" {
  local dir
  dir=$(server_new log_statement=all log_min_duration_statement=0 log_parameter_max_length=-1 log_parameter_max_length_on_error=-1)
  (
    server_use "$dir"
    database_new
    users
    sql_admin "ALTER ROLE tester SET log_error_verbosity = 'terse'"
    mig-seed -q seed >/dev/null || exit 1
    [[ $(sql 'SELECT DISTINCT hash FROM u') == "$HASH" ]] || exit 2
    ADMIN_HASH=bad-made-up-value mig-seed -q seed >/dev/null 2>&1
    grep -q 'COPY pg_temp.mig_seed_1_secret' "$dir/server.log" || exit 3
    grep -q 'violates check constraint' "$dir/server.log" || exit 4
    grep -vE 'CREATE TABLE|CHECK' "$dir/server.log" | grep -E 'made-up' && exit 5
    exit 0
  ) && status=0 || status=$?
  server_end "$dir"
  assert_equal "$status" 0
}

@test "no copy of a value can be read in memory, nor in the environment, once it was sent" {
  needs_scrub
  PASSWORD='made-up-and-long-enough-to-be-found-anywhere'
  session_begin 'BEGIN; LOCK TABLE u IN SHARE MODE'
  ADMIN_HASH=$PASSWORD begin mig-seed --wait=1min --max-stall=10s seed
  eventually writing
  run "$BUILD/tests/tool_memscan" "$JOB" <<<"value	$PASSWORD"
  ((status != 3)) || skip "only root can look into a process that forbids it"
  assert_success
  session_end "$SESSION"
  finish
  assert_code 0
  assert_equal "$(sql 'SELECT DISTINCT hash FROM u')" "$PASSWORD"
}
