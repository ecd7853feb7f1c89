#!/usr/bin/env bats
# shellcheck disable=SC2154
# schema.prisma to a schema, and the script between two: what the real Prisma Migrate 6.19 answered, in tests/schema/.
#
# A case is one file: what it shows; `from KIND, exit CODE, broken_ddl yes|no`; then its files, each behind `#### NAME`.
load helper
load prisma

setup_file() { server_start; }
teardown_file() { server_stop; }

setup() {
  cd "$BATS_TEST_TMPDIR" || return
  CASES=$BATS_TEST_DIRNAME/schema
}

# Makes the files of a case in a folder of its name; $from, $code and $broken say what is expected.
unpack() {
  local line
  rm -rf "$1"
  mkdir -p "$1/to/x"
  awk -v dir="$1" '/^#### / { file = dir "/" $2; folder = file; sub(/\/[^\/]*$/, "", folder); system("mkdir -p \"" folder "\""); next }
    file != "" { print >file }' "$CASES/$1.case"
  rmdir "$1/to/x" "$1/to" 2>/dev/null || true
  line=$(sed -n 2p "$CASES/$1.case")
  [[ $line =~ ^from\ ([a-z]+),\ exit\ ([0-9]+),\ broken_ddl\ (yes|no)$ ]]
  from=${BASH_REMATCH[1]} code=${BASH_REMATCH[2]} broken=${BASH_REMATCH[3]}
}

# The two sides of a case as arguments; a datamodel goes through its records, as a file and as a stream.
diff_case() {
  local to=$1/to.prisma
  [[ -e $to ]] || to=$1/to
  case $from in
    empty) mig-scan --datamodel="$to" | mig-plan --diff --from-empty --exit-code "${@:2}" - ;;
    datamodel)
      mig-scan --datamodel="$1/from.prisma" >"$1/from.rec"
      mig-scan --datamodel="$to" | mig-plan --diff --exit-code "${@:2}" "$1/from.rec" -
      ;;
  esac
}

@test "the script between two datamodels is what Prisma prints, byte for byte, and findings say where that cannot run" {
  local case name bad='' ran=0 status has
  for case in "$CASES"/*.case; do
    name=$(basename "$case" .case)
    unpack "$name"
    [[ $from != catalog ]] || continue
    status=0
    diff_case "$name" --format=sql >"$name/script" 2>/dev/null || status=$?
    cmp -s "$name/script" "$name/expected.sql" && ((status == code)) || bad+=" $name($status)"
    has=$(diff_case "$name" --format=records | jq -rs 'if any(.rule == "broken_ddl") then "yes" else "no" end') || true
    [[ $has == "$broken" ]] || bad+=" $name(broken_ddl: $has)"
    ran=$((ran + 1))
  done
  assert_equal "$bad" ''
  assert [ "$ran" -gt 40 ]
}

@test "the script from a database to a datamodel is what Prisma prints, whatever else is in the database" {
  local case name bad='' ran=0 all=6 status has
  # NULLS NOT DISTINCT
  (($(sql 'SHOW server_version_num') >= 150000)) || all=5
  for case in "$CASES"/catalog-*.case; do
    name=$(basename "$case" .case)
    [[ $name != catalog-indexes ]] || ((all == 6)) || continue
    unpack "$name"
    database_new
    DATABASE_URL=$(database_url)
    export DATABASE_URL
    sql_admin <"$name/from.sql" >/dev/null
    mig-scan --catalog >"$name/from.rec"
    status=0
    mig-plan --diff --format=sql --exit-code "$name/from.rec" "$name/to.prisma" >"$name/script" 2>/dev/null || status=$?
    cmp -s "$name/script" "$name/expected.sql" && ((status == code)) || bad+=" $name($status)"
    has=$(mig-plan --diff --format=records "$name/from.rec" "$name/to.prisma" |
      jq -rs 'if any(.rule == "broken_ddl") then "yes" else "no" end')
    [[ $has == "$broken" ]] || bad+=" $name(broken_ddl: $has)"
    run mig-plan --diff --exit-code "$name/from.rec" "$name/from.rec"
    ((status == 0)) || bad+=" $name(itself: $status)"
    ran=$((ran + 1))
  done
  assert_equal "$bad" ''
  assert_equal "$ran" "$all"
}

@test "a foreign key into a schema that the datamodel does not list: no script, as with Prisma, and a check names it" {
  database_new
  sql 'create schema other; create table other.u (id int primary key)'
  sql 'create table "T" (id int constraint "T_pkey" primary key, u int constraint out references other.u)'
  cat >to.prisma <<'PRISMA'
datasource db {
  provider = "postgresql"
}

model T {
  id Int  @id
  u  Int?
}
PRISMA
  mig-scan --catalog >from.rec
  run --separate-stderr mig-plan --diff --format=sql from.rec to.prisma
  assert_code 65
  assert_equal "$output" ''
  assert_regex "$stderr" 'the foreign key out of public.T refers to other.u, and the datamodel does not list the schema other'
  run bash -c 'mig-check --format=text schema=to.prisma <from.rec'
  assert_line --index 0 'CRITICAL: schema: foreign key T.out is not expected: refers to other.u'
  sql 'alter table "T" drop constraint out'
  run bash -c 'mig-scan --catalog | mig-plan --diff --format=sql --exit-code - to.prisma'
  assert_code 0
}

@test "what Prisma refuses is refused, with file and line" {
  local name line what bad='' ran=0
  awk '/^#### / { file = $2; next } file != "" { print >file }' "$CASES/refused"
  while read -r name line what; do
    run --separate-stderr mig-scan --datamodel="$name"
    [[ $status == 65 && $stderr == *"$name:$line:"* && -z ${output//*\"failed\"*/} ]] || bad+=" $name:$line ($what)"
    ran=$((ran + 1))
  done < <(sed -n 's/^#### //p' "$CASES/refused")
  assert_equal "$bad" ''
  assert [ "$ran" -gt 20 ]
}

@test "a datamodel and its own stream are no different, whichever side is which, and files may be given as they are" {
  unpack columns-retype
  mig-scan --datamodel=columns-retype/to.prisma >to.rec
  run mig-plan --diff --exit-code --format=text to.rec columns-retype/to.prisma
  assert_code 0
  assert_line --index 0 'no difference'
  run bash -c 'mig-plan --diff --exit-code --format=text columns-retype/to.prisma - <to.rec'
  assert_code 0
  run mig-plan --diff --exit-code --format=text columns-retype/from.prisma to.rec
  assert_code 2
  assert_line '~ column T.b: BIGINT -> INTEGER; its values may not fit'
}

@test "the page of differences says what would be lost, the worst first" {
  unpack columns-add-drop
  run mig-plan --diff --format=text columns-add-drop/from.prisma columns-add-drop/to.prisma
  assert_code 0
  assert_line --index 0 --regexp '^[0-9]+ differences, [0-9]+ of them lose rows or values$'
  assert_line --index 3 --regexp '^- column .*; its values are lost$'
  run bash -c "mig-plan --diff --format=records columns-add-drop/{from,to}.prisma | jq -r 'select(.record == \"difference\").damage' | uniq"
  assert_line --index 0 'loses'
}

@test "the page of a datamodel reads like psql's \\d" {
  cat >one.prisma <<'PRISMA'
datasource db {
  provider = "postgresql"
}

model User {
  id    Int     @id @default(autoincrement())
  email String  @unique @db.VarChar(200)
  age   Int?    @default(3)
}
PRISMA
  run mig-scan --format=text --datamodel=one.prisma
  assert_code 0
  assert_output 'one.prisma (datamodel): 1 table, 0 enums, 0 foreign keys

Table "User"
 Column | Type         | Nullable | Default
--------+--------------+----------+---------
 id     | integer      | not null | nextval of its sequence
 email  | varchar(200) | not null |
 age    | integer      |          | 3
Indexes:
    User_pkey PRIMARY KEY (id)
    User_email_key UNIQUE btree (email)'
}

@test "all faults of a datamodel are named in one run, each at its place, with what was probably meant" {
  cat >bad.prisma <<'PRISMA'
datasource db {
  provider = "postgresql"
}
model A {
  id Int @id
  x  Strng
  y  Int @uniqe
  z  Int @default("a")
}
PRISMA
  run --separate-stderr mig-scan --datamodel=bad.prisma
  assert_code 65
  assert_equal "${stderr_lines[0]}" 'mig-scan: error: bad.prisma:6:6: x: the type Strng is not known; did you mean String?'
  assert_equal "${stderr_lines[1]}" 'mig-scan: error: bad.prisma:7:11: the attribute @uniqe is not known here; did you mean @unique?'
  assert_equal "${stderr_lines[2]}" 'mig-scan: error: bad.prisma:8:19: z is Int: its default cannot be a string'
}

@test "a datamodel that cannot be read, or is none, is said with its path, and the pipe ends with that code" {
  run --separate-stderr mig-scan --datamodel=nowhere.prisma
  assert_code 65
  assert_equal "${stderr_lines[0]}" 'mig-scan: error: cannot read nowhere.prisma: No such file or directory'
  mkdir empty
  run --separate-stderr mig-scan --datamodel=empty
  assert_code 65
  assert_equal "${stderr_lines[0]}" 'mig-scan: error: empty has no file whose name ends in .prisma'
  ln -s . empty/again
  run --separate-stderr mig-scan --datamodel=empty
  assert_code 65
  run --separate-stderr bash -c 'mig-scan --datamodel=nowhere.prisma 2>/dev/null | mig-plan --diff --from-empty -'
  assert_code 65
  printf 'model A {\n  id Int @id // \xff\n}\n' >latin.prisma
  run --separate-stderr mig-scan --datamodel=latin.prisma
  assert_code 65
  assert_equal "${stderr_lines[0]}" 'mig-scan: error: latin.prisma:2:17: this is not UTF-8'
}

@test "--diff and --datamodel are refused with what does not go with them" {
  local words
  for words in 'mig-plan --diff' 'mig-plan --diff a' 'mig-plan --diff a b c' 'mig-plan --diff --from-empty a b' \
    'mig-plan --diff - -' 'mig-plan --diff --to=x a b' 'mig-plan --diff --strict a b' 'mig-scan --datamodel=a b' \
    'mig-scan --datamodel=a --offline' 'mig-scan --datamodel=a -d env:X'; do
    # shellcheck disable=SC2086
    run --separate-stderr $words
    assert_equal "$words: $status" "$words: 64"
  done
}

@test "a schema stream that does not fit together is refused with its line" {
  local good line bad=''
  unpack references-change
  mig-scan --datamodel=references-change/to.prisma >good.rec
  # each makes one line another, or moves it; the digest is made anew, so that only the line is wrong
  for line in '/"record":"schema"/d' 's/"arity":"required"/"arity":"often"/' '/"record":"relation"/d' \
    's/"on_delete":"[a-z_]*"/"on_delete":"explode"/' 's/"columns":\[[^]]*\]/"columns":[null]/' 's/"type_kind":"native"/"type_kind":7/' \
    's/"record":"column"/"record":"colour"/' 's/"sorts":\[[^]]*\]/"sorts":[]/' 's/"columns":\[[^]]*\]/"columns":[1]/'; do
    sed '$d' good.rec | sed "$line" >lines
    { cat lines && printf '{"record":"end","records":%d,"digest":"%s"}\n' "$(wc -l <lines)" "$(b2sum -l 256 <lines | cut -d' ' -f1)"; } >bad.rec
    run --separate-stderr mig-plan --diff --from-empty bad.rec
    [[ $status == 65 && $stderr == *'bad.rec, line '* ]] || bad+=" $line: $status $stderr"
  done
  assert_equal "$bad" ''
  good=$(mig-plan --diff --from-empty --format=sql good.rec | md5sum)
  assert_equal "$(mig-plan --diff --from-empty --format=sql references-change/to.prisma | md5sum)" "$good"
}

@test "random datamodels: mig and the real schema engine answer alike, both ways" {
  prisma_available
  run --separate-stderr "$BATS_TEST_DIRNAME/fuzz/schema-oracle" 40 7
  assert_success
  assert_line --regexp '^40 pairs: [0-9]+ equal, [0-9]+ refused by both, 0 different'
}
