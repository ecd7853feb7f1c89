#!/usr/bin/env bats
# Commands that the tools print are typed into sh as they stand: they do what they say, and nothing else.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  folder_new
  mkdir -p "it's \$(touch pwned); *"
  cd "it's \$(touch pwned); *" || return 1
}
teardown() {
  sessions_end
  roles_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

# The commands that a text tells people to type, without the remark behind them.
printed() {
  grep -oE '(^|[: ])mig-(scan|plan|apply|seed)( .*)?$' | sed -E 's/^[: ]//; s/ {3,}.*$//'
}

# Two databases: the one that is meant is in PROD_URL, another project's in DATABASE_URL.
two_databases() {
  local meant
  database_new
  meant=$DATABASE_URL MEANT=$PGDATABASE
  database_new
  export PROD_URL=$meant DECOY=$PGDATABASE
  mkdir -p prisma/migrations/1_decoy
  echo 'CREATE TABLE decoy ();' >prisma/migrations/1_decoy/migration.sql
}

untouched() {
  [[ ! -e pwned ]] || fail 'a name was run' || return 1
  assert_equal "$(relations)" ''
}

meant() { PGDATABASE=$MEANT sql "$1"; }

@test "a printed command keeps DIR, -d and the plan's options, whatever is in the names" {
  local name command folder
  for name in "20240102_it's" '2 `touch pwned`' "--to='\$(touch pwned)'" '-x "; touch pwned; "' $'2_\u00fc*?[a] | \\'; do
    two_databases
    folder="d'b/\$(touch pwned)/m"
    rm -rf "d'b"
    mkdir -p "$folder/$name" "$folder/9_later"
    echo 'SELECT 1; CREATE TABLE a (x int); SELECT 1/0;' >"$folder/$name/migration.sql"
    echo 'CREATE TABLE later ();' >"$folder/9_later/migration.sql"

    # the page of the scan, then that of the plan
    command=$(mig-scan -d env:PROD_URL --format=text "$folder" | printed)
    assert_equal "$(sh -c "$command --to=\"\$1\"" - "$name" | jq -r 'select(.record == "step").migration')" "$name"
    command=$(mig-scan -d env:PROD_URL "$folder" | mig-plan --to="$name" --format=text | printed | grep mig-apply)
    run --separate-stderr sh -c "$command"
    assert_code 1
    # a failed deploy: correct the file, type the line
    command=$(printed <<<"$stderr")
    sed -i 's,1/0,1/1,' "$folder/$name/migration.sql"
    run --separate-stderr sh -c "$command"
    assert_code 0
    assert_equal "$(meant "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE tablename IN ('a', 'later')")" a
    assert_equal "$(meant "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL")" "$name"
    untouched
  done
}

@test "every remedy of an unfinished migration is one command for that migration" {
  local name='a'\''$(touch pwned)'\''b' command remedies option
  two_databases
  mkdir -p "m/$name"
  echo 'VACUUM; SELECT 1;' >"m/$name/migration.sql"
  mig-scan -d env:PROD_URL m | mig-plan | mig-apply -d env:PROD_URL -q >/dev/null
  meant "UPDATE _prisma_migrations SET finished_at = NULL, logs = NULL"
  remedies=$(mig-scan -d env:PROD_URL m | mig-plan 2>&1 >plan.rec | printed)
  assert_equal "$(wc -l <<<"$remedies")" 3
  for option in --resume --mark-rolled-back --mark-applied; do
    meant "UPDATE _prisma_migrations SET finished_at = NULL, rolled_back_at = NULL, logs = NULL"
    command=$(grep -e "$option" <<<"$remedies")
    run --separate-stderr sh -c "$command"
    assert_code 0
    assert_equal "$option $(meant "SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL")" \
      "$option 0"
    meant "DELETE FROM _prisma_migrations WHERE started_at > (SELECT min(started_at) FROM _prisma_migrations)"
    untouched
  done
  # Raw JSON doubles a backslash, so that no such line is in it.
  refute grep -F "touch pwned)'\\" plan.rec
}

@test "where the command is not known, none is spelled" {
  local source seal
  two_databases
  mkdir -p m/1_x
  echo 'SELECT 1/0;' >m/1_x/migration.sql
  # without the password that the suite gives to every string, which would be refused there
  for source in 'cmd:printenv PROD_URL' "$(sed -E 's#//([^:@]*):[^@]*@#//\1@#' <<<"$PROD_URL")"; do
    run --separate-stderr bash -c 'mig-scan -d "$1" m | mig-plan | mig-apply -d "$1"' - "$source"
    assert_code 1
    says 'the same commands again'
    assert_equal "$(printed <<<"$stderr")" ''
    refute grep -F "$source" <<<"$stderr$output"
  done
  # A folder that no record can name.
  mkdir $'m\xff'
  cp -r m/1_x $'m\xff/'
  run --separate-stderr bash -c 'mig-scan -d env:PROD_URL "$1" | mig-plan | mig-apply -d env:PROD_URL' - $'m\xff'
  assert_code 1
  assert_equal "$(printed <<<"$stderr")" ''
  says $'\n1_x/migration.sql:1:1: error: division by zero'
  # A plan from another folder, where its paths mean something else.
  mig-scan -d env:PROD_URL m | mig-plan -o plan.rec >/dev/null
  mkdir elsewhere
  cd elsewhere || return 1
  run --separate-stderr mig-apply -d env:PROD_URL ../plan.rec
  assert_code 1
  assert_equal "$(printed <<<"$stderr")" ''
  cd .. || return 1
  # One whose words were changed, and one whose words are not ours, with a seal that fits.
  sed '$s/"command":"[^"]*"/"command":"rm\\n-rf\\nx"/' plan.rec >other.rec
  run --separate-stderr mig-apply -d env:PROD_URL other.rec
  assert_code 65
  seal=$(tail -n 1 plan.rec | jq -j '.digest, "\n", .place, "\nrm\n-rf\nx\n", .folder' | b2sum -l 128)
  sed -i "\$s/\"seal\":\"[^\"]*\"/\"seal\":\"${seal:0:16}\"/" other.rec
  run --separate-stderr mig-apply -d env:PROD_URL other.rec
  assert_code 1
  assert_equal "$(printed <<<"$stderr")" ''
}

@test "the GRANT lines that are printed suffice, whatever the names are" {
  local grants
  database_new
  sql_admin "CREATE ROLE \"o\"\"d role\" LOGIN; CREATE SCHEMA \"we\"\"ird; sch\""
  sql_admin "CREATE TABLE \"we\"\"ird; sch\"._prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL,
    finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)"
  mkdir -p prisma/migrations/1_x
  echo 'SELECT 1;' >prisma/migrations/1_x/migration.sql
  DATABASE_URL="$(database_url 'o%22d%20role')&schema=we%22ird%3B%20sch"
  run --separate-stderr mig-scan
  assert_code 77
  grants=$(grep -oE 'GRANT .*;$' <<<"$stderr")
  sql_admin "$grants"
  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply --dry-run'
  assert_code 77
  grants=$(grep -oE 'GRANT .*;' <<<"$stderr")
  sql_admin "$grants"
  run --separate-stderr bash -c 'mig-scan | mig-plan | mig-apply'
  assert_code 0
  sql_admin 'DROP OWNED BY "o""d role"; DROP ROLE "o""d role"'
}

@test "the --key and the section of seed.conf that are advised work as they stand, with odd names" {
  local advice key schema table column file name
  database_new
  while IFS='|' read -r schema table column; do
    name="\"${schema:-public}\".\"${table//\"/\"\"}\""
    sql "CREATE SCHEMA IF NOT EXISTS \"${schema:-public}\"; CREATE TABLE $name (v int, \"${column//\"/\"\"}\" text UNIQUE)"
    file="$schema${schema:+.}$table.ndjson"
    jq -cn '{v: 1, ($column): "x"}' --arg column "$column" >"$file"
    run --separate-stderr mig-seed "$file"
    assert_code 65
    advice=$(grep 'unique key' <<<"$stderr")
    key=$(sed -E 's/^.*   (--key=.*), or in seed\.conf below .*$/\1/' <<<"$advice")
    sh -c "mig-seed -q $key \"\$1\"" - "$file" >/dev/null
    sed -E 's/^.*or in seed\.conf below (\[.*\]): (key = .*)$/\1\n\2/' <<<"$advice" >seed.conf
    mig-seed -q "$file" >/dev/null
    assert_equal "$file $(sql "SELECT count(*) FROM $name")" "$file 1"
    rm seed.conf "$file"
  done <<'NAMES'
billing|Plan|slug
|it's $(touch pwned)|a,b
o:dd|t:x|c:d
|a "b" c|say "hi"
|plain| [x] = y
NAMES
  [[ ! -e pwned ]]
}

@test "a place is a file that an editor opens from here, whatever the folder is called" {
  local folder place from text
  database_new
  from=$PWD
  mkdir -p "d'b/$(printf '\u00fc') m/1_ok" "d'b/$(printf '\u00fc') m/2_copy" elsewhere
  cd elsewhere || return 1
  for folder in "../d'b/$(printf '\u00fc') m" "$from/d'b/$(printf '\u00fc') m///"; do
    printf 'SELECT 1;\nDROP TABLE IF EXISTS gone; COPY t FROM stdin;\n\\.\n' >"$folder/2_copy/migration.sql"
    echo 'SELECT 1;' >"$folder/1_ok/migration.sql"
    # findings, on the page and on standard error
    text=$(mig-scan "$folder" | mig-plan --format=text 2>&1 || true)
    printf 'SELECT 1;\nSELECT 1; SELECT 1/0;\n' >"$folder/2_copy/migration.sql"
    # a failed step, also by way of a kept plan
    mig-scan "$folder" | mig-plan -o plan.rec >/dev/null
    text+=$(mig-plan plan.rec --format=records | mig-apply 2>&1 >/dev/null || true)
    # a right that lacks
    echo 'ALTER TABLE pg_catalog.pg_class ADD x int;' >"$folder/2_copy/migration.sql"
    text+=$(mig-scan "$folder" | mig-plan -q | mig-apply --dry-run 2>&1 >/dev/null || true)
    # the script for psql: its comments, and what it cannot take
    text+=$(mig-scan "$folder" | mig-plan --format=sql)
    echo "SELECT :x;" >"$folder/2_copy/migration.sql"
    text+=$(mig-scan "$folder" | mig-plan --format=sql 2>&1 || true)
    while read -r place; do
      [[ -f $place ]] || fail "no file $place in: $text"
    done < <(grep -oE "(\.\./|/)[^:]*d'b/[^:]*/migration\.sql" <<<"$text")
    # and no place is without its folder
    assert_equal "$(grep -cE '(^|[ :])[12]_[a-z]+/migration\.sql' <<<"$text")" 0
    assert_equal "$(grep -cE "(^ *|: )${folder%%/*}[^:]*[^/]/2_copy/migration\.sql:[0-9]+:[0-9]+: " <<<"$text")" 5
    assert_equal "$(grep -cE '^-- step 1 of 1: .*/2_copy/migration.sql$' <<<"$text")" 1
  done
}

@test "the remedy of a finding finds its folder, wherever it is typed" {
  local command name="2_it's \$(touch pwned)"
  database_new
  mkdir -p "d'b/m/$name" d\'b/m/1_x d\'b/m/3_dump elsewhere
  echo 'SELECT 1;' | tee "d'b/m/1_x/migration.sql" "d'b/m/$name/migration.sql" >"d'b/m/3_dump/migration.sql"
  git -C "d'b" init -q
  git -C "d'b" add .
  git -C "d'b" -c user.name=x -c user.email=x@example.com commit -qm made
  mig-scan "d'b/m" | mig-plan -q | mig-apply -q >/dev/null
  git -C "d'b" rm -qr "m/$name"
  git -C "d'b" -c user.name=x -c user.email=x@example.com commit -qm removed
  echo 'SELECT 2;' >"d'b/m/1_x/migration.sql"
  git -C "d'b" -c user.name=x -c user.email=x@example.com commit -qam edited
  mkdir "d'b/m/4_new"
  printf '\\restrict x\nSELECT 1;\n' >"d'b/m/4_new/migration.sql"
  cd elsewhere || return 1
  run --separate-stderr bash -c "mig-scan \"../d'b/m\" | mig-plan --format=text --strict"
  assert_code 1
  while read -r command; do
    # shellcheck disable=SC2086
    case $command in
    *diff-filter*) assert_equal "$(sh -c "$command" | grep -v '^$' | tail -n 1)" '    removed' ;;
    *) assert_equal "$(sh -c "$command" | grep '^    ')" $'    edited\n    made' ;;
    esac
  done < <(grep -oE 'git .*' <<<"$stderr")
  assert_equal "$(grep -c 'git ' <<<"$stderr")" 2
  sh -c "$(grep -oE 'sed -i .*' <<<"$stderr")"
  assert_equal "$(cat "../d'b/m/4_new/migration.sql")" 'SELECT 1;'
  [[ ! -e pwned && ! -e ../pwned ]]
}

@test "what an editor left in a script is named, and the command that takes it out works, in migrations and seeds" {
  local text command n=0
  database_new
  mkdir -p "d'b/m/1_a" elsewhere
  cd elsewhere || return 1
  for text in '\xef\xbb\xbfSELECT 1;' 'SELECT 1;\nSELECT\xc2\xa01;' 'SELECT\xe2\x80\x8b 1;' 'SELECT\n\xe2\x80\x98x\xe2\x80\x98;'; do
    for file in "../d'b/m/1_a/migration.sql" "../d'b/s.sql"; do
      printf '%b' "$text" >"$file"
      case $file in
      *s.sql) run --separate-stderr mig-seed "$file" ;;
      *) run --separate-stderr bash -c "mig-scan \"../d'b/m\" | mig-plan | mig-apply" ;;
      esac
      assert_code 1
      says 'U+'
      command=$(sed -nE 's/^  hint: .*it:  (LC_ALL=C sed .*)$/\1/p' <<<"$stderr")
      sh -c "$command"
      [[ $(LC_ALL=C grep -c $'[\x80-\xff]' "$file") == 0 ]] || fail "left in $file: $command"
      case $file in
      *s.sql) mig-seed -q "$file" >/dev/null ;;
      *) mig-scan "../d'b/m" | mig-plan -q | mig-apply -q >/dev/null ;;
      esac
      n=$((n + 1))
    done
    sql 'DROP TABLE _prisma_migrations'
  done
  assert_equal "$n" 8
  [[ ! -e pwned && ! -e ../pwned ]]
}

@test "each remedy of tables without a history works as it stands" {
  local remedies command
  two_databases
  mkdir -p "m/1_it's" m/2_two m/3_three
  for command in "1_it's" 2_two 3_three; do
    echo "CREATE TABLE \"$command\" ();" >"m/$command/migration.sql"
  done
  meant 'CREATE TABLE old ()'
  remedies=$(mig-scan -d env:PROD_URL m | mig-plan 2>&1 >/dev/null | printed)
  assert_equal "$(wc -l <<<"$remedies")" 3
  while IFS='|' read -r command expected; do
    meant 'DROP TABLE IF EXISTS _prisma_migrations, "1_it'\''s", "2_two", "3_three"'
    run --separate-stderr sh -c "$(grep -e "$command" <<<"$remedies")"
    assert_code 0
    assert_equal "$(meant "SELECT count(*), (SELECT count(*) FROM pg_tables WHERE tablename ~ '^[123]_')
      FROM _prisma_migrations" | tr '|' ' ')" "$expected"
    untouched
  done <<'CASES'
baseline=.1_it|1 0
baseline=3_three|3 0
allow=not_empty|3 3
CASES
}

@test "a history in another schema is named, and what is to be added works as it stands" {
  local schema add
  for schema in app 'we"ird; Sch%41&x'; do
    database_new
    rm -rf m
    mkdir -p m/1_a
    echo 'CREATE TABLE a ();' >m/1_a/migration.sql
    sql "CREATE SCHEMA \"${schema//\"/\"\"}\""
    sql "ALTER ROLE tester IN DATABASE \"$PGDATABASE\" SET search_path = \"${schema//\"/\"\"}\""
    mig-scan m | mig-plan | mig-apply -q >/dev/null
    sql "ALTER ROLE tester IN DATABASE \"$PGDATABASE\" RESET search_path"
    # all pending, in an empty schema
    run --separate-stderr bash -c 'mig-scan m | mig-plan'
    assert_code 0
    says "warning: schema public has no history, but there is a history in schema $schema: add schema="
    add=$(grep -oE 'schema=[^ ]*' <<<"$stderr")
    [[ $(mig-scan --format=text m) == *"there is a history in schema $schema: add $add"* ]]
    # P3005
    sql 'CREATE TABLE public.t ()'
    run --separate-stderr bash -c 'mig-scan m | mig-plan'
    assert_code 1
    says P3005 "add $add to the connection string"
    run --separate-stderr bash -c 'mig-scan m | mig-check history'
    assert_code 1
    [[ $output == *"add $add to the connection string"* ]]
    DATABASE_URL+="&$add"
    assert_equal "$(mig-scan m | jq -r 'select(.record == "database") | [.schema, .has_history, .other_history_schema, .other_history_count] | @json')" \
      "$(jq -cn --arg schema "$schema" '[$schema, true, null, null]')"
  done
  # several, and a history of no ordinary table, which is none
  sql 'CREATE SCHEMA a; CREATE VIEW a._prisma_migrations AS SELECT 1; CREATE SCHEMA b; CREATE TABLE b._prisma_migrations ()'
  DATABASE_URL=${DATABASE_URL%&*}
  run --separate-stderr bash -c 'mig-scan m | mig-plan'
  says 'but there are histories in 2 other schemas, one of them b: name yours in the connection string, as in schema=b'
}

@test "mig-seed's line to do it does what the dry run showed, and is a sentence where it cannot be typed" {
  local line folder="d'b/\$(touch pwned); s"
  two_databases
  meant 'CREATE TABLE "Plan" (id int PRIMARY KEY, name text)'
  sql 'CREATE TABLE "Plan" (id int PRIMARY KEY, name text)'
  mkdir -p "$folder"
  printf 'id,name\n1,a\n' >"$folder/Plan.csv"
  line=$(mig-seed -d env:PROD_URL --dry-run --key='Plan:id' --format=text "$folder" | sed -n 's/^to do it: //p')
  sh -c "$line" >/dev/null
  assert_equal "$(meant 'SELECT count(*) FROM "Plan"') $(sql 'SELECT count(*) FROM "Plan"')" '1 0'
  [[ ! -e pwned ]]
  echo '{"id": 2}' >row
  assert_equal "$(mig-seed -d env:PROD_URL --dry-run --table=Plan --format=text - <row | sed -n 's/^to do it: //p')" \
    'the same command without --dry-run'
  assert_equal "$(mig-seed -d 'cmd:printenv PROD_URL' --dry-run --format=text "$folder" | sed -n 's/^to do it: //p')" ''
  printf '2,b\n' >>"$folder/Plan.csv"
  assert_equal "$(mig-seed -d 'cmd:printenv PROD_URL' --dry-run --format=text "$folder" | sed -n 's/^to do it: //p')" \
    'the same command without --dry-run'
}

@test "where a name is wrong, the command that lists the names is the scan that was typed" {
  local command
  two_databases
  mkdir -p "it's/1_x"
  echo 'SELECT 1;' >"it's/1_x/migration.sql"
  mig-scan -d env:PROD_URL "it's" >scan.rec
  for option in --to=1 --mark-applied=1 --mark-rolled-back=1_x --baseline=2; do
    run --separate-stderr mig-plan "$option" scan.rec
    assert_code 64
    command=$(printed <<<"$stderr")
    says_not 'mig-scan -v'
    [[ $(sh -c "$command --format=text") == *"folder     it's: 1 migration"* ]]
  done
  run --separate-stderr mig-plan --resume=1_x:1 scan.rec
  [[ $(sh -c "$(printed <<<"$stderr") --format=text") == *"folder     it's: 1 migration"* ]]
}

@test "what mig-check says to type next is the scan that it judged" {
  local command
  two_databases
  mkdir -p "it's/1_x"
  echo 'SELECT 1;' >"it's/1_x/migration.sql"
  run --separate-stderr bash -c 'mig-scan -d env:PROD_URL "it'\''s" | mig-check history'
  assert_code 1
  command=$(printed <<<"$output")
  assert_line --regexp "^ +folder +it's$"
  assert_equal "$(sh -c "$command" | jq -r 'select(.record == "step").migration')" 1_x
  run bash -c 'mig-scan -d env:PROD_URL "it'\''s" | (cd / && mig-check history)'
  assert_equal "$(printed <<<"$output")" ''
}

# The commands of a page's examples, one a line; those that go over several are joined.
examples() {
  awk '/^\.Bd -literal/ { literal = 1; next } /^\.Ed/ { literal = 0 } literal' "$TESTS/../man/$1" |
    sed -e 's/\\e/\\/g' -e 's/  *#.*$//' | sed -e ':a' -e '/\(&&\|[|]\)$/{N;s/\n */ /;ba' -e '}' | grep -E '^mig-' | sed 's/ *$//' | sort -u
}

# A project in a folder with an apostrophe, beside whose database nothing is meant; `state` says how far it is.
manual_project() {
  database_new
  rm -rf prisma plans results ./*.rec deploy.sql
  mkdir -p prisma/migrations/0_init prisma/migrations/20260105000000_backfill prisma/seed
  echo 'CREATE TABLE "Role" (id int PRIMARY KEY, name text); CREATE TABLE "Plan" (id int PRIMARY KEY);
    CREATE TABLE "FeatureFlag" (key text PRIMARY KEY);' >prisma/migrations/0_init/migration.sql
  printf 'id,name\n1,admin\n' >prisma/seed/Role.csv
  echo 'UPDATE "Role" SET name = name; VACUUM "Role"; DROP TABLE "Plan";' >prisma/migrations/20260105000000_backfill/migration.sql
  export PROD_DATABASE_URL=$DATABASE_URL
  case $1 in
  new) ;;
  planned | deployed)
    mig-scan | mig-plan -q -o plan.rec >/dev/null
    digest=$(mig-plan --format=digest plan.rec)
    export digest
    [[ $1 == planned ]] || mig-apply -q -o results.rec plan.rec
    ;;
  lane)
    mkdir plans results
    mig-scan | mig-plan -q -o plans/public.rec >/dev/null
    mig-apply -q -o results plans/public.rec >/dev/null
    ;;
  by_hand) sql "$(<prisma/migrations/0_init/migration.sql)" ;;
  applied) mig-scan | mig-plan -q | mig-apply -q >/dev/null ;;
  unfinished)
    mig-scan | mig-plan -q --to=0_init | mig-apply -q >/dev/null
    sql "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES ('x', 'y', '20260105000000_backfill', now())"
    ;;
  esac
}

@test "every example of the manual works as it stands" {
  local page line state code query expected known=''
  mkdir "it's"
  cd "it's" || return 1
  while IFS='~' read -r state code query expected line; do
    known+=$line$'\n'
    manual_project "$state"
    run --separate-stderr bash -c "$line"
    [[ $status == "$code" ]] || fail "$line: $status"$'\n'"$output"$'\n'"$stderr" || return 1
    [[ -z $query ]] || assert_equal "$line $(sql "$query")" "$line $expected"
  done <<'EXAMPLES'
new~0~~~mig-scan
new~0~~~mig-scan -d env:PROD_DATABASE_URL
new~0~~~mig-scan | mig-plan -q | jq -r 'select(.record == "step").migration'
new~0~~~mig-scan | mig-plan
new~0~~~mig-scan | mig-plan -o plan.rec
new~0~SELECT count(*) FROM _prisma_migrations~2~mig-scan | mig-plan | mig-apply
new~0~SELECT count(*) FROM _prisma_migrations~2~mig-scan | mig-plan | mig-apply | mig-check deploy
new~0~SELECT count(*) FROM _prisma_migrations~2~mig-scan | mig-plan | mig-apply -o results.rec
new~0~SELECT count(*) FROM _prisma_migrations~2~mig-scan | mig-plan | mig-apply -o results.rec && mig-check deploy <results.rec
new~0~SELECT count(*) FROM "Role"~1~mig-scan | mig-plan | mig-apply -o results.rec && mig-seed prisma/seed
new~0~SELECT count(*) FROM _prisma_migrations~2~mig-scan | mig-plan | mig-apply --wait=1h --max-stall=200ms
new~65~SELECT to_regclass('_prisma_migrations') IS NULL~t~mig-scan | mig-plan | mig-apply --expect 4f7cb550d69c7918
new~0~SELECT count(*) FROM _prisma_migrations~2~mig-scan | mig-plan --strict --allow=destructive | mig-apply
new~2~~~mig-scan | mig-plan -q --exit-code >/dev/null
new~0~~~mig-scan | mig-plan --format=sql >deploy.sql
new~0~~~mig-scan --offline | mig-plan --from-empty
planned~0~SELECT count(*) FROM _prisma_migrations~2~mig-apply plan.rec
planned~0~SELECT count(*) FROM _prisma_migrations~2~mig-apply --expect "$digest" -o results.rec plan.rec
deployed~0~~~mig-check deploy <results.rec
planned~0~~~mig-plan --format=sql plan.rec
planned~0~SELECT to_regclass('_prisma_migrations') IS NULL~t~mig-apply --dry-run plan.rec
planned~0~SELECT count(*) FROM _prisma_migrations~2~mig-apply -o results.rec plan.rec && mig-check deploy <results.rec
new~0~~~mig-scan --offline -o folder.rec
lane~0~SELECT count(*) FROM _prisma_migrations~2~mig-apply -o results plans/*.rec
lane~0~~~mig-check fleet=results
by_hand~0~SELECT string_agg(migration_name, ' ') FROM _prisma_migrations~0_init~mig-scan | mig-plan --baseline 0_init | mig-apply
unfinished~0~SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL~2~mig-scan | mig-plan --resume 20260105000000_backfill:3 | mig-apply
unfinished~0~SELECT count(*) FROM _prisma_migrations WHERE rolled_back_at IS NOT NULL~1~mig-scan | mig-plan --mark-rolled-back 20260105000000_backfill | mig-apply
unfinished~0~SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL~2~mig-scan | mig-plan --mark-applied 20260105000000_backfill | mig-apply
applied~0~SELECT count(*) FROM "Role"~0~mig-seed --dry-run prisma/seed
applied~0~SELECT count(*) FROM "Role"~1~mig-seed prisma/seed
by_hand~0~SELECT count(*) FROM "Role"~0~mig-seed --export --natural-keys --into=prisma/seed Role Plan FeatureFlag
applied~0~~~mig-scan | mig-check history
applied~0~~~mig-scan --offline | mig-check history --wait=10min
applied~0~~~mig-check --format=records database | jq -r 'select(.record == "check") | "\(.status): \(.message)"'
EXAMPLES
  # What is not here needs another host, a service, a scratch server or schema.prisma, and is tried where that is.
  diff <(for page in mig-scan.1 mig-plan.1 mig-apply.1 mig-seed.1 mig-check.1 mig.7; do examples "$page"; done |
    grep -vE 'example\.com|ssh |psql |/run/|/etc/|/var/|REPLICA_URL|STAGING_URL|used=|--proof=|--draft|--columns=|Membership|--diff|--datamodel|--catalog|--replay|--rehearse|schema=' | sort -u) <(sort -u <<<"${known%$'\n'}") || fail 'an example is not tried'
}

@test "the answers to whether a statement happened are typed, and each goes on where it says" {
  local option remedy expected
  while read -r option expected; do
    database_new
    rm -rf "it's"
    mkdir -p "it's/1_x"
    sql "CREATE TABLE called (); CREATE PROCEDURE p() LANGUAGE sql AS 'INSERT INTO called DEFAULT VALUES'"
    echo 'CREATE TABLE a (); VACUUM; INSERT INTO a DEFAULT VALUES;' >"it's/1_x/migration.sql"
    # stopped in its second statement, of which nobody can tell whether it ended
    mig-scan "it's" | mig-plan --allow=not_empty --format=sql | sed '/VACUUM/,$d' | psql -Xq
    sed -i 's/VACUUM/CALL p()/' "it's/1_x/migration.sql"
    remedy=$(mig-scan "it's" | mig-plan 2>&1 >/dev/null | printed | grep -e "$option")
    run --separate-stderr sh -c "$remedy"
    assert_code 0
    assert_equal "$option $(sql 'SELECT count(*), (SELECT count(*) FROM called),
      (SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL) FROM a')" "$option $expected"
  done <<'CASES'
--resume=1_x:2 1|1|1
--resume=1_x:3 1|0|1
CASES
}

# remedy CODE HOW PATTERN COMMAND: the command ends with that code and prints what matches; it is typed (HOW: sh, or psql as
# the superuser), and then the command works.
remedy() {
  local code=$1 how=$2 pattern=$3 typed
  run --separate-stderr bash -c "$4"
  assert_code "$code" || return 1
  typed=$(grep -oE "$pattern" <<<"$stderr$output" | head -n 1)
  [[ -n $typed ]] || fail "not printed: $pattern"$'\n'"$stderr$output" || return 1
  case $how in
  sh) sh -c "$typed" >/dev/null ;;
  psql) sql_admin "$typed" >/dev/null ;;
  esac || fail "refused: $typed" || return 1
  run --separate-stderr bash -c "$4"
  assert_code 0 || fail "no remedy: $typed"
}

@test "each remedy of mig-seed works as it stands, in a folder with an apostrophe and from another one" {
  local file="../d'b/t.csv" way
  database_new
  mkdir "d'b" elsewhere
  cd elsewhere || return 1
  role_new "seed"
  sql "CREATE TABLE t (id int PRIMARY KEY, name text); GRANT ALL ON t TO \"$ROLE\""
  DATABASE_URL=$(database_url "$ROLE")
  export file
  printf 'id,name\n1,a\n' >"$file"
  for way in 'GRANT .*;' 'ALTER ROLE .* BYPASSRLS;' '--enable-row-security'; do
    sql 'ALTER TABLE t ENABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS p ON t; CREATE POLICY p ON t USING (true)'
    if [[ $way == --* ]]; then
      run --separate-stderr mig-seed "$file"
      says "$way"
      run --separate-stderr mig-seed "$way" "$file"
      assert_code 0
      continue
    fi
    remedy 77 psql "$way" 'mig-seed "$file"'
    sql_admin "REVOKE tester FROM \"$ROLE\"; ALTER ROLE \"$ROLE\" NOBYPASSRLS"
  done
  sql 'ALTER TABLE t DISABLE ROW LEVEL SECURITY'
  # text that is no UTF-8, and lines that are psql's
  printf 'id,name\n1,\xe4\n' >"$file"
  run --separate-stderr mig-seed "$file"
  assert_code 65
  way=$(grep -oE 'iconv -f [A-Z0-9-]+ -t UTF-8' <<<"$stderr")
  sh -c "$way" <"$file" >utf8.csv
  cp utf8.csv "$file"
  mig-seed -q "$file" >/dev/null
  assert_equal "$(sql 'SELECT name FROM t')" ä
  file="../d'b/s.sql"
  printf '\\restrict x\nSELECT 1;\n' >"$file"
  remedy 65 sh "sed -i .*" 'mig-seed "$file"'
  # a time-out that somebody set
  echo 'SELECT pg_sleep(1);' >"$file"
  sql_admin "ALTER ROLE \"$ROLE\" SET statement_timeout = '200ms'"
  run --separate-stderr mig-seed "$file"
  assert_code 1
  way=$(grep -oE 'options=[^ ]*' <<<"$stderr")
  DATABASE_URL+="&$way" mig-seed -q "$file" >/dev/null
}

@test "what is said about a busy table, a connection string and another schema works as it stands" {
  database_new
  mkdir -p "it's/m/1_a" elsewhere
  cd elsewhere || return 1
  sql 'CREATE TABLE a (id int)'
  echo 'ALTER TABLE a ADD b int;' >"../it's/m/1_a/migration.sql"
  session_begin 'BEGIN; SELECT * FROM a'
  remedy 75 psql 'select pg_terminate_backend[^;]*;' 'mig-scan "../it'\''s/m" | mig-plan --allow=not_empty | mig-apply --wait=2s'
  # a character that nobody sees
  (umask 077 && printf '\u200b%s' "$DATABASE_URL" >url)
  run --separate-stderr mig-scan -d file:url "../it's/m"
  assert_code 78
  sh -c "$(grep -oE 'LC_ALL=C sed -i .* FILE' <<<"$stderr" | sed 's/FILE/url/')"
  mig-scan -d file:url "../it's/m" >/dev/null
  rm url
  # drift: the command that writes the difference
  printf 'datasource db {\n provider = "postgresql"\n url = env("DATABASE_URL")\n}\nmodel a {\n id Int @id\n}\n' >"../it's/schema.prisma"
  run --separate-stderr bash -c 'mig-scan --catalog | mig-check schema="../it'\''s/schema.prisma"'
  assert_code 2
  sh -c "$(grep -oE 'mig-scan --catalog .*' <<<"$output")" >drift.sql
  sql <drift.sql >/dev/null
  run --separate-stderr bash -c 'mig-scan --catalog | mig-check schema="../it'\''s/schema.prisma"'
  assert_code 0
}
