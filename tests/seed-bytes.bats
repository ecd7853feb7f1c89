#!/usr/bin/env bats
# mig-seed: bytes that are no text, quotes that are none, files that are no files.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  sql 'CREATE TABLE t (id int PRIMARY KEY, v text)'
  mkdir "$BATS_TEST_TMPDIR/data"
  cd "$BATS_TEST_TMPDIR/data" || return 1
}
teardown() {
  sessions_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

@test "what is no text, no CSV or no JSON is 65 with the line where the row begins, and nothing is seeded" {
  local file line text
  while IFS='|' read -r file line text; do
    printf '%b' "$text" >"$file"
    seed "$file"
    [[ $status == 65 && $stderr == *"error: $file:$line: "* ]] || fail "$text: exit code $status, $stderr" || return 1
    says 'Nothing was seeded'
    iconv -f UTF-8 -t UTF-8 <<<"$stderr" >/dev/null || fail "$text: no text on stderr" || return 1
    assert_equal "$(sql 'SELECT count(*) FROM t')" 0
  done <<'CASES'
t.csv|3|id,v\n1,a\n2,Do\xf1a\n
t.tsv|2|id\tv\n1\ta\0b\n
t.ndjson|2|{"id":1}\n{"id":2,"v":"Do\xf1a"}\n
t.ndjson|1|{"id":1,"v":"a\0b"}\n
t.sql|2|SELECT 1;\nSELECT 'Do\xf1a';\n
t.csv|1|\xff\xfei\0d\0\n\0
t.csv|2|id,v\n1,5" x 6" board\n2,3" pipe\n3,next\n
t.csv|3|id,v\n1,a\n2,"5" x 6"\n
t.csv|3|id,v\n1,a\n2,"never closed\n3,c\n4,d\n
t.csv|4|id,v\n1,"two\nlines"\n2, "blank before"\n
t.csv|1|id,v"\n1,a\n
t.csv|2|id,v\n1,a\r\n2,b\n
t.ndjson|2|{"id":1,"v":"ok"}\n{"id":2,"v":"x\\u0000y"}\n
t.ndjson|2|{"id":1}\n{"id":2,"x":{"\\u0000":1}}\n
t.ndjson|2|{"id":1,"v":"\\ud83d\\ude00"}\n{"id":2,"v":"\\ud800"}\n
t.ndjson|1|{"id":1,"v":"\\uDC00 \\uD800"}\n
t.ndjson|1|{"id":1,"v":"\\ud800\\\\udc00"}\n
t.ndjson|1|{"id":1,"\\udfff":1}\n
t.ndjson|3|{"id":1}\n\n{"id":2,"v":"cut\n
t.ndjson|1|{"id":1}}\n
t.ndjson|2|{"id":1}\n[{"id":2}]\n
t.csv|1|sep=;\r\nid;v\r\n1;a\r\n
t.csv|1|sep=,\nid,v\n1,a\n
t.csv|1|id\tv\n1\ta\n
t.tsv|1|id,v\n1,a\n
t.csv|1|id,"v\xe2\x80\x8b"\n1,a\n
t.csv|1|id,\xc2\xa0v\n1,a\n
t.ndjson|1|{"id":1,"v\xe2\x81\xa0":"a"}\n
t.csv|1|id,Vv\n1,a\n
CASES
}

@test "UTF-16, with and without its mark, is named with what converts it, whatever the kind of file" {
  local encoding name
  for name in a.csv a.TSV a.json a.ndjson a.sql; do
    for encoding in UTF-16LE UTF-16BE; do
      printf '[{"id": 1}]\n' | iconv -t "$encoding" >"$name"
      seed --dry-run "$name"
      assert_code 65
      says "$name:1: this is not UTF-8 text but UTF-16: save it as UTF-8, as with  iconv -f $encoding -t UTF-8"
    done
    printf '\uFEFF[]\n' | iconv -t UTF-16LE >"$name"
    seed --dry-run "$name"
    assert_code 65
    says 'as with  iconv -f UTF-16 -t UTF-8'
    rm "$name"
  done
}

@test "backslash commands, which pg_dump writes for psql, are named with what takes them out" {
  local file command
  for file in dump.sql "it's \$(touch pwned).sql"; do
    printf '%s\n' '\restrict abc' "INSERT INTO t VALUES (1, E'\\\\restrict');" 'UPDATE t SET v = v;' '\unrestrict abc' >"$file"
    sql 'DELETE FROM t'
    seed "$file"
    assert_code 65
    says "$file:1:1: a backslash command is for psql" 'Nothing was seeded'
    command=$(sed -n 's/^  Remove the lines that begin with a backslash:  //p' <<<"$stderr")
    sh -c "$command"
    seed "$file"
    assert_code 0
  done
  [[ ! -e pwned ]]
  printf 'SELECT 1 \\gexec\n' >dump.sql
  seed dump.sql
  assert_code 65
  says 'dump.sql:1:10: a backslash command'
  run --separate-stderr mig-seed - <<<'\connect other'
  assert_code 65
  says_not 'sed -i'
}

@test "another separator, a line for spreadsheets and a name that is nearly a column are said by name" {
  local file text said
  sql 'CREATE TABLE item (id int PRIMARY KEY, name text, "unitPrice" numeric, "a;b" int)'
  while IFS='|' read -r file text said; do
    printf '%b' "$text" >"$file"
    seed "$file"
    assert_code 65
    says "$said"
  done <<'CASES'
item.tsv|id;name\n1;x\n|item.tsv:1: fields are separated by ;: write tabs
item.csv|id\tname\n|fields are separated by tabs: name it .tsv
item.tsv|id,name\n|fields are separated by commas: name it .csv
item.csv|sep=;\r\nid;name\r\n|"sep=;" is for spreadsheets: remove this line
item.csv|id,na\xe2\x80\x8bme\n1,x\n|has no column "na<U+200B>me"
item.csv|id,name\xc2\xa0\n1,x\n|Did you mean "name"?
item.csv|id,unit_price\n1,2\n|Did you mean "unitPrice"?
item.ndjson|{"id":1,"nmae":"x"}\n|Did you mean "name"?
CASES
  says 'It has id, name, unitPrice, a;b.'
  printf 'id,"a;b"\n1,2\n' >item.csv
  seed item.csv
  assert_code 0
  printf '"a;b"\n3\n' >item.csv
  seed --key='"a;b"' item.csv
  assert_code 65
  says 'is not a unique key'
}

@test "quotes, line ends, blank last lines and backslashes that are well-formed are taken as they are" {
  printf '\xef\xbb\xbfid,v\r\n1,"5"" x 6"""\r\n2,"a\nb"\r\n3,""\r\n\r\n\r\n' >t.csv
  seed t.csv
  assert_code 0
  assert_equal "$(sql "SELECT id, replace(v, E'\n', '/') FROM t ORDER BY id")" $'1|5" x 6"\n2|a/b\n3|'
  printf '%s\n' '{"id":4,"v":"\\u0000"}' >t.ndjson
  seed t.ndjson
  assert_code 0
  assert_equal "$(sql 'SELECT v FROM t WHERE id = 4')" '\u0000'
  printf '%s\n' '{"id":4,"v":"\ud83d\ude00 \\ud800"}' >t.ndjson
  seed t.ndjson
  assert_code 0
  assert_equal "$(sql 'SELECT v FROM t WHERE id = 4')" '😀 \ud800'
}

@test "a FIFO or a device in the place of a file is refused at once" {
  local name
  folder_new
  for name in seed.conf t.csv t.ndjson t.sql; do
    mkdir "d$name"
    mkfifo "d$name/$name"
    [[ $name != seed.conf ]] || printf 'id,v\n' >"d$name/t.csv"
    run --separate-stderr timeout 20 mig-seed --dry-run "d$name"
    assert_code 65
    says "$name: it is not a regular file"
    ln -sf /dev/zero "d$name/$name"
    run --separate-stderr timeout 20 mig-seed --dry-run "d$name"
    assert_code 65
  done
  mkfifo fifo
  for name in fifo /dev/zero; do
    run --separate-stderr timeout 20 mig-scan -d "file:$name"
    assert_code 78
    says "cannot read the file \"$name\": it is not a regular file"
    run --separate-stderr timeout 20 mig-plan "$name"
    assert_code 65
    says "cannot open $name: it is not a regular file"
  done
  ln -s /dev/zero "$FOLDER/migration_lock.toml" 2>/dev/null || ln -sf /dev/zero "$FOLDER/migration_lock.toml"
  run --separate-stderr timeout 20 mig-scan --offline "$FOLDER"
  assert_code 65
  says 'migration_lock.toml: it is not a regular file'
}

@test "a connection string and records come through a descriptor or the shell's <(...) as well" {
  local url=$DATABASE_URL
  sql 'DROP TABLE t'
  unset DATABASE_URL
  folder_new
  migration 1_a 'CREATE TABLE a ();'
  run --separate-stderr mig-scan -d file:/dev/stdin < <(echo "$url")
  assert_code 0
  run --separate-stderr mig-scan -d file:/dev/fd/9 9< <(echo "$url")
  assert_code 0
  mkfifo fifo
  echo "$url" >fifo &
  run --separate-stderr mig-scan -d file:/proc/self/fd/9 9<fifo
  assert_code 0
  run --separate-stderr mig-scan -d "file:"<(echo "$url") -o scan.rec
  assert_code 0
  run --separate-stderr mig-plan <(cat scan.rec)
  assert_code 0
}
