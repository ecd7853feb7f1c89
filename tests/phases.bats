#!/usr/bin/env bats
# Expand and contract: mig-plan --phase, the proof that something is not used, and a release in two phases under traffic.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() {
  server_start --own shared_preload_libraries=pg_stat_statements
  database_new
  sql_admin 'CREATE EXTENSION pg_stat_statements; GRANT pg_read_all_stats TO tester' >/dev/null
}
teardown_file() { server_stop; }
setup() { folder_new; }
teardown() {
  sql_admin 'DROP OWNED BY tester; GRANT pg_read_all_stats TO tester; GRANT ALL ON SCHEMA public TO PUBLIC' >/dev/null 2>&1
  sql_admin 'SELECT pg_stat_statements_reset()' >/dev/null
}

# A column gets another name, in three migrations: before, expand, contract.
rename_of_a_column() {
  migration 20260101000000_init 'CREATE TABLE "User" (id int PRIMARY KEY, name text, note text);'
  pipeline
  assert_code 0
  migration 20260102000000_add <<'SQL'
ALTER TABLE "User" ADD COLUMN "fullName" TEXT;
CREATE FUNCTION keep_both() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW."fullName" := coalesce(NEW."fullName", NEW.name);
    NEW.name := coalesce(NEW.name, NEW."fullName");
  ELSIF NEW.name IS DISTINCT FROM OLD.name THEN
    NEW."fullName" := NEW.name;
  ELSIF NEW."fullName" IS DISTINCT FROM OLD."fullName" THEN
    NEW.name := NEW."fullName";
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_both BEFORE INSERT OR UPDATE ON "User" FOR EACH ROW EXECUTE FUNCTION keep_both();
SQL
  migration 20260103000000_fill 'UPDATE "User" SET "fullName" = name WHERE "fullName" IS NULL;'
  migration 20260104000000_drop <<'SQL'
DROP TRIGGER keep_both ON "User";
DROP FUNCTION keep_both;
ALTER TABLE "User" DROP COLUMN name;
SQL
}

steps() { jq -r 'select(.record == "step").migration' <<<"$output"; }
plan() { run --separate-stderr bash -c 'mig-scan | mig-plan "$@"' plan "$@"; }

@test "--phase=expand ends before the first step that breaks the running release, and --phase=contract has the rest" {
  rename_of_a_column
  migration 20260105000000_after 'ALTER TABLE "User" ADD COLUMN age int;'
  plan --phase=expand
  assert_code 0
  assert_equal "$(steps)" $'20260102000000_add\n20260103000000_fill'
  assert_equal "$(records 'select(.record == "plan") | "\(.phase) \(.left | join(" "))"')" 'expand 20260104000000_drop 20260105000000_after'
  assert_equal "$(records 'select(.rule == "contracts").message')" 'begins the contract phase: drops "User".name'
  plan --phase=expand --format=text
  shows 'phase expand; these migrations wait for the contract phase: 20260104000000_drop, 20260105000000_after'
  plan --phase=expand --format=markdown
  shows 'phase expand; these migrations wait'

  plan --phase=contract
  assert_code 1
  says '20260102000000_add: it comes before the contract phase, and is not applied yet [expand_first]'
  run --separate-stderr bash -c "$(sed -n 's/^    \(mig-scan .*mig-apply\)    (first.*/\1/p' <<<"$stderr")"
  assert_code 0
  assert_equal "$(applied | tail -n 1)" 20260103000000_fill

  plan --phase=expand
  assert_equal "$(steps)" ''
  plan --phase=contract
  assert_code 0
  assert_equal "$(steps)" $'20260104000000_drop\n20260105000000_after'
  [[ $(mig-scan | mig-plan --format=digest) != "$(mig-scan | mig-plan --phase=contract --format=digest)" ]] || fail 'the digest does not cover the phase'
}

@test "a database at expand is what mig-check history.phase=expand expects" {
  rename_of_a_column
  mig-scan | mig-plan --phase=expand | mig-apply -q | mig-check deploy >/dev/null
  run --separate-stderr bash -c 'mig-scan | mig-check history'
  assert_code 1
  run --separate-stderr bash -c 'mig-scan | mig-check history history.phase=expand'
  assert_code 0
  shows '3 applied, 0 pending; 1 waits for the contract phase'
  migration 20260103500000_more 'CREATE TABLE more ();'
  run --separate-stderr bash -c 'mig-scan | mig-check history history.phase=expand'
  assert_code 1
  shows 'history: 1 pending' '1 waits for the contract phase'
}

@test "a rehearsal decides by what was measured, and a line in the script decides before it" {
  migration 1_init 'CREATE TABLE a (id int, b int, c int);'
  pipeline
  migration 2_quiet "DO \$\$ BEGIN EXECUTE 'ALTER TABLE a DROP COLUMN c'; END \$\$;"
  plan --phase=expand
  assert_equal "$(steps)" 2_quiet
  run --separate-stderr bash -c 'SCRATCH_URL=$(PGDATABASE=postgres; echo "${DATABASE_URL/'"$PGDATABASE"'/postgres}") mig-scan --rehearse | mig-plan --phase=expand'
  assert_code 0
  assert_equal "$(steps)" ''
  assert_equal "$(records 'select(.rule == "contracts").message')" 'begins the contract phase: drops the column c of a'

  migration 2_quiet $'-- mig: phase expand\nALTER TABLE a DROP COLUMN c;'
  migration 3_late $'-- mig: phase contract, since the job of Monday needs it\nCREATE TABLE d ();'
  plan --phase=expand
  assert_equal "$(steps)" 2_quiet
  assert_equal "$(records 'select(.rule == "contracts") | "\(.migration) \(.message)"')" '3_late begins the contract phase: it says so itself'
}

@test "the finding for a drop has the command that asks whether it is used, and takes its records as proof" {
  migration 1_init 'CREATE TABLE "User" (id int, name text, note text); CREATE TABLE "my.table" (id int);'
  pipeline
  migration 2_drop 'ALTER TABLE "User" DROP COLUMN note, DROP COLUMN name; DROP TABLE "my.table";'
  sql 'SELECT name FROM "User"' >/dev/null
  plan
  local remedies commands
  remedies=$(records 'select(.rule == "destructive").remedy')
  assert_equal "$(grep -c 'still used? see --proof' <<<"$remedies")" 3
  commands=$(sed 's/    (.*//' <<<"$remedies")
  local command n=0 proofs=()
  while read -r command; do
    bash -c "$command used.since=0" >/dev/null || true
    [[ -s proof.rec ]] || fail "no proof by $command"
    mv proof.rec "proof.$((++n)).rec"
    proofs+=("--proof=proof.$n.rec")
  done <<<"$commands"

  plan "${proofs[@]}"
  assert_code 1
  says 'User.name is dropped, and it is still used, as was checked at 20'
  assert_equal "$(records 'select(.rule == "used") | "\(.severity) \(.line)"')" 'error 1'
  assert_equal "$(records 'select(.rule == "destructive" and .severity == "note") | .message' | sed 's/ for .*//')" \
    $'DROP COLUMN destroys data: "User".note; not used\nDROP TABLE destroys data: "my.table"; not used'
  plan "${proofs[@]}" --allow=used
  assert_code 0
  run --separate-stderr bash -c 'mig-scan --rehearse | mig-plan --proof=proof.1.rec --proof=proof.2.rec'
  assert_code 1
  assert_equal "$(records 'select(.rule == "breaks" or .rule == "loses") | select(.severity == "note").rule' | sort | tr '\n' ' ')" 'breaks loses '
}

@test "a proof of another database, one that is too old, and one that could not tell are not taken, and that is said" {
  migration 1_init 'CREATE TABLE "User" (id int, note text);'
  pipeline
  migration 2_drop 'ALTER TABLE "User" DROP COLUMN note;'
  mig-check used=User.note used.since=0 -o proof.rec >/dev/null
  said() { records 'select(.rule == "destructive") | "\(.severity) \(.message)"'; }
  plan --proof=proof.rec
  [[ $(said) == 'note '*'; not used for '* ]] || fail "$(said)"
  jq -c 'if .record == "used" then .checked_at = "2020-01-01T00:00:00.000Z" else . end' proof.rec | seal >old.rec
  plan --proof=old.rec
  [[ $(said) == 'warning '*'; the proof about it is not taken: it is older than 24 h (--proof-age)' ]] || fail "$(said)"
  jq -c 'if .record == "used" then .system_identifier = "1" else . end' proof.rec | seal >other.rec
  plan --proof=other.rec
  [[ $(said) == 'warning '*'not taken: it is of another database, '* ]] || fail "$(said)"
  mig-check used=User.note -o proof.rec >/dev/null || true
  plan --proof=proof.rec
  [[ $(said) == 'warning '*'not taken: its verdict is unknown' ]] || fail "$(said)"
  plan --proof=nowhere.rec
  assert_code 65
  says 'cannot open nowhere.rec'
  mig-scan -o scan.rec >/dev/null
  plan --proof=scan.rec
  assert_code 65
  says 'expected a stream of kind "checks", got "scan"'
}

# The block of a page that begins so, in seconds instead of hours.
example() { # PAGE BEGINNING
  awk -v first="$2" '/^\.Bd -literal/ { getline; inside = index($0, first) == 1 } /^\.Ed/ { inside = 0 } inside' "$TESTS/../man/$1" |
    sed 's/=1h/=300ms/; s/=10min/=20s/; s/=5min/=100ms/'
}

@test "what the manual shows of it works as it stands" {
  migration 1_init 'CREATE TABLE "User" (id int, name text);'
  pipeline
  migration 2_drop 'ALTER TABLE "User" DROP COLUMN name;'
  local page
  for page in mig-check.1 mig-plan.1; do
    [[ -n $(example "$page" 'mig-check used=') ]] || fail "no example in $page"
    run --separate-stderr bash -ec "$(example "$page" 'mig-check used=')"
    assert_code 0
  done
  assert_equal "$(tail -n +2 <<<"$output" | jq -r 'select(.rule == "destructive").severity')" note
  printf '#!/bin/sh\ntouch rolled\n' >roll-out
  chmod +x roll-out
  run --separate-stderr bash -c "$(example mig-release.1 'mig-release --rollout') --yes --no-verify"
  assert_code 0
  [[ -e rolled && $(applied | tail -n 1) == 2_drop ]]
}

## A release in two phases

# An application: reads and writes a column of each row, prepared as clients do.
application() { # NAME COLUMN
  printf '%s\n' '\set id random(1, 500)' "SELECT id, \"$2\" FROM \"User\" WHERE id = :id;" \
    "UPDATE \"User\" SET \"$2\" = 'by $1 ' || :id WHERE id = :id;" "SELECT note FROM \"User\" WHERE \"$2\" = 'by $1 ' || :id LIMIT 1;" >"$1.sql"
  PGAPPNAME=$1 PGHOST=$MIG_TEST_SERVER PGPORT=$(server_port) PGUSER=tester \
    command pgbench -n -M prepared -c 2 -R 60 -T 120 -f "$1.sql" "$PGDATABASE" >"$1.out" 2>&1 3>&- 4>&- &
  echo $! >"$1.pid"
}
working() { [[ $(sql_admin "SELECT count(*) FROM pg_stat_statements s WHERE query LIKE '%\"$1\" = %' AND calls > 20") -gt 0 ]]; }
ended() { # NAME: without an error
  kill -ALRM "$(cat "$1.pid")" # its -T is over, it thinks
  eventually eval "! kill -0 $(cat "$1.pid")"
  refute grep -E 'ERROR|aborted' "$1.out"
  (($(sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "$1.out") > 20)) || fail "$(cat "$1.out")"
}

@test "a renamed column: the old and the new application run through an expand and contract release without an error" {
  rename_of_a_column
  sql 'INSERT INTO "User" (id, name) SELECT n, n::text FROM generate_series(1, 500) n'
  sql_admin 'SELECT pg_stat_statements_reset()' >/dev/null
  application old name
  eventually working name
  cat >roll-out <<'SH'
#!/bin/sh
# both run; then only the new one does
touch rolling
until [ -e rolled ]; do sleep 0.05; done
SH
  chmod +x roll-out
  begin mig-release --yes --no-verify --wait=30s --rollout ./roll-out used=User.name used.since=1s
  eventually 30 test -e rolling
  assert_equal "$(applied | tail -n 1)" 20260103000000_fill
  application new fullName
  eventually working fullName
  assert_equal "$(sql 'SELECT count(*) FROM "User" WHERE name IS DISTINCT FROM "fullName"')" 0
  ended old
  touch rolled
  finish
  assert_code 0
  # the function of the trigger has the name in its text
  shows 'User.name is perhaps used: by the function public.keep_both'
  ended new
  assert_equal "$(applied | tail -n 1)" 20260104000000_drop
  assert_equal "$(sql "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '\"User\"'::regclass AND attnum > 0 AND NOT attisdropped")" 'id note fullName'
  assert_equal "$(ls -d releases/2* | wc -l)" 1
}

@test "a contract phase whose column is still used is not begun" {
  migration 1_init 'CREATE TABLE "User" (id int, note text);'
  pipeline
  migration 2_drop 'ALTER TABLE "User" DROP COLUMN note;'
  run --separate-stderr mig-release --yes --no-verify --rollout 'psql -XAtqc "SELECT note FROM \"User\"" "$DATABASE_URL" >/dev/null' used=User.note used.since=0
  assert_code 1
  shows 'User.note is used: by 1 statement'
  assert_equal "$(applied | tail -n 1)" 1_init
  sql_admin 'SELECT pg_stat_statements_reset()' >/dev/null
  run --separate-stderr mig-release --yes --no-verify --rollout false used=User.note used.since=0
  assert_code 0 # it was rolled out already
  assert_equal "$(applied | tail -n 1)" 2_drop
  assert_equal "$(jq -r 'select(.rule == "destructive").severity' releases/2*/contract.rec)" note
}
