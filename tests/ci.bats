#!/usr/bin/env bats
# What make and CI servers run: release.mk, the faces of a plan and of checks for them, and the examples as they stand.
# shellcheck disable=SC2016,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
  EXAMPLES=$BATS_TEST_DIRNAME/../examples
}

dangerous() {
  migration 20260101000000_init 'CREATE TABLE "User" (id int);'
  migration 20260102000000_drop '-- ```
DROP TABLE "User";'
}

## A plan for people who review

@test "a plan as Markdown has its findings, its steps, and the SQL of each" {
  dangerous
  run mig-plan --from-empty --format=markdown <<<"$(mig-scan --offline)"
  assert_code 0
  assert_line --index 0 '<!-- mig plan -->'
  assert_line --partial '**2 steps, 2 statements** for an empty database; 1 of 2 steps needs attention'
  assert_line --partial '- **warning** <code>prisma/migrations/20260102000000\_drop/migration.sql:2:1</code> DROP TABLE destroys data'
  assert_line '| 1 | <code>20260101000000\_init</code> | 1 statement, in one transaction |'
  assert_line '<details><summary>1 <code>20260101000000\_init</code></summary>'
  assert_line '````sql' # longer than what the script has
}

@test "Markdown for a database names it, and the command that applies the plan" {
  dangerous
  run bash -c 'mig-scan | mig-plan --format=markdown'
  assert_line --regexp "for ${PGDATABASE//_/.?_} at .*; 1 of 2 steps needs attention"
  assert_line --regexp '^mig-scan \| mig-plan \| mig-apply --expect [0-9a-f]{16}$'
  mig-scan | mig-plan -o plan.rec >/dev/null
  run mig-plan --format=markdown plan.rec
  assert_line --index 0 '<!-- mig plan -->'
  assert_line --partial "$(mig-plan --format=digest plan.rec)"
}

@test "names and messages make no markup and notify nobody in Markdown" {
  migration '20260101000000_<b>@all|#1' 'CREATE TABLE a ();'
  run mig-plan --from-empty --format=markdown <<<"$(mig-scan --offline)"
  assert_line --partial '<code>20260101000000\_&lt;b>@<!-- -->all\|#<!-- -->1</code>'
}

@test "what turns the direction of a text is not shown to a reviewer as it would look, nor are control characters" {
  migration 20260101000000_a $'CREATE TABLE a (); -- \u202e\u2066 \u009b31m\e[31m'
  run mig-plan --from-empty --format=markdown <<<"$(mig-scan --offline)"
  assert_code 0
  assert_line $'CREATE TABLE a (); -- \ufffd\ufffd \ufffd31m\ufffd[31m'
  migration 20260101000000_a $'CREATE TABLE a ();\r\nCREATE TABLE b ();\r\n'
  run mig-plan --from-empty --format=markdown <<<"$(mig-scan --offline)"
  assert_line 'CREATE TABLE a ();'
  migration 20260102000000_b $'DROP TABLE "\u202ea";'
  run mig-plan --from-empty --format=github <<<"$(mig-scan --offline)"
  assert_line --index 0 --partial $'DROP TABLE destroys data: "\ufffda"'
}

@test "a comment stays below what GitHub takes, and says what is left out" {
  local i
  for i in {1..9}; do
    migration "2026010100000${i}_long" "SELECT 1; -- $(printf '%9999s' '' | tr ' ' x)"
  done
  run mig-plan --from-empty --format=markdown <<<"$(mig-scan --offline)"
  ((${#output} < 65536)) || fail "${#output} bytes"
  assert_line 'The SQL of 4 steps is too long for a comment.'
}

@test "a plan as annotations: errors first, at their lines, with what the runner demands escaped" {
  dangerous
  migration '20260103000000_a,b:c' 'BEGIN;
SELECT 1;'
  run --separate-stderr mig-plan --from-empty --format=github <<<"$(mig-scan --offline)"
  assert_code 1
  assert_line --index 0 --partial '::error file=prisma/migrations/20260103000000_a%2Cb%3Ac/migration.sql,line=1,col=1,title=mig open_transaction::'
  assert_line --index 1 --partial '::warning file=prisma/migrations/20260102000000_drop/migration.sql,line=2,col=1,title=mig destructive::DROP TABLE'
  assert_line --index 2 '::notice title=mig plan::the plan is refused, 1 error'
}

@test "a refused plan has no digest, and no script" {
  migration 20260101000000_open 'BEGIN; SELECT 1;'
  local format
  for format in digest sql; do
    run --separate-stderr mig-plan --from-empty "--format=$format" <<<"$(mig-scan --offline)"
    assert_code 1
    assert_output ''
  done
  run --separate-stderr mig-plan --diff --format=github a.prisma b.prisma
  assert_code 64
  says '--format=github is for a plan; with --diff it is text, sql or records'
}

## Checks for CI servers

well_formed() { python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' "$1"; }

@test "checks as JUnit: a case each, failures and errors apart, whatever the names have" {
  migration 20260101000000_init 'CREATE TABLE "a&b" (id int);'
  mig-scan | mig-plan | mig-apply -q >/dev/null
  run --separate-stderr mig-check --format=junit -o checks.xml database 'relation:x=a&b' 'relation:y=<&"no">' </dev/null
  assert_code 2
  run cat checks.xml
  assert_line --regexp '^<testsuite name="mig-check" tests="3" failures="1" errors="0" time="[0-9]+\.[0-9]{3}">$'
  assert_line --regexp '^<testcase classname=".*" name="database" time="[0-9.]+">$'
  assert_line --regexp '^<failure type="CRITICAL" message=".*&lt;&amp;&quot;no&quot;&gt; does not exist'
  well_formed checks.xml
}

@test "checks that cannot be read are an error in JUnit" {
  run --separate-stderr mig-check --format=junit -o checks.xml nonsense
  assert_code 3
  run cat checks.xml
  assert_line --partial '<error type="UNKNOWN" message="there is no check &quot;nonsense&quot;'
  well_formed checks.xml
}

## make

# The example project, for this database.
shop() {
  cp -R "$EXAMPLES/make/." .
  export MIG_SHARE=$BATS_TEST_DIRNAME/../scripts
}

make_() { run --separate-stderr env -u MAKEFLAGS -u MAKELEVEL make --no-print-directory "$@"; }

@test "make plan, release: what was shown is applied, seeded, checked; a second release does nothing" {
  shop
  make_ plan
  assert_code 0
  assert_output --partial '20260201000000_role_note'
  make_ release
  assert_code 0
  assert_equal "$(applied | wc -l)" 2
  assert_equal "$(sql 'SELECT count(*) FROM "Role"')" 2
  make_ release
  assert_code 0
  assert_output "make: Nothing to be done for 'release'."
  mkdir -p prisma/seed/production
  echo key >prisma/seed/production/Role.csv
  make_ -n release SEED_FLAGS=--env=production
  assert_output --partial 'mig-seed --env=production -o'
  rm -r prisma/seed/production

  migration 20260301000000_more 'ALTER TABLE "Role" ADD COLUMN more text;'
  make_ -n release
  assert_output --partial 'mig-apply'
  assert_equal "$(applied | wc -l)" 2
  make_ -j4 release
  assert_code 0
  assert_equal "$(applied | wc -l)" 3
  make_ check
  assert_code 0
  make_ status
  assert_output --partial '3 applied'
}

@test "make release after a failure starts from what is applied by then" {
  shop
  migration 20260301000000_slip 'ALTER TABLE "Role" ADD COLUMN slip nonsense;'
  make_ release
  assert_code 2
  says 'type "nonsense" does not exist'
  assert_equal "$(applied | wc -l)" 2
  make_ release
  assert_code 2
  migration 20260301000000_slip 'ALTER TABLE "Role" ADD COLUMN slip text;'
  make_ release
  assert_code 0
  assert_equal "$(applied | wc -l)" 3
}

@test "make release ends where a plan is refused, and nothing was touched" {
  shop
  migration 20260301000000_drop 'DROP TABLE "Role";'
  make_ release
  assert_code 2
  says '[destructive]'
  assert_equal "$(relations)" ''
  make_ release PLAN_FLAGS= SEEDS=
  assert_code 0
}

@test "make shows no connection string, and make verify tells what the migrations make" {
  shop
  make_ -n release seed check status verify
  refute_output --partial "$DATABASE_URL"
  cache_begin
  make_ verify
  cache_end
  assert_code 0
  make_ verify
  assert_output "make: Nothing to be done for 'verify'."
}

## CI servers

# The script of a step of a workflow of GitHub's, without its indentation.
github_step() { # NAME
  awk -v name="$1" '
    $0 == "      - name: " name { step = 1; next }
    step && /^      - / { exit }
    step && $0 == "        run: |" { script = 1; next }
    script && /^          / { print substr($0, 11); next }
    script { exit }' "$EXAMPLES/github/migrations.yml"
}

# The commands of a job of GitLab's, one a line.
gitlab_job() { # NAME
  awk -v job="$1:" '
    $0 == job { here = 1; next }
    here && /^[^ ]/ { exit }
    here && $0 == "  script:" { script = 1; next }
    script && /^    - / { print substr($0, 7); next }
    script { exit }' "$EXAMPLES/gitlab/gitlab-ci.yml"
}

# As a runner does it.
step() { # NAME [VARIABLE=VALUE…]
  github_step "$1" >step.sh
  [[ -s step.sh ]] || fail "there is no step $1"
  run --separate-stderr env GITHUB_OUTPUT="$PWD/outputs" GITHUB_STEP_SUMMARY="$PWD/summary.md" GITHUB_REPOSITORY=shop/api \
    "${@:2}" bash -e step.sh
}

# gh, which keeps what it was told.
fake_gh() { # ID-OF-THE-COMMENT
  mkdir -p fake
  cat >fake/gh <<SH
#!/bin/sh
printf '%s\n' "\$*" >>"$PWD/gh.log"
case \$* in *--jq*) echo "$1" ;; esac
SH
  chmod +x fake/gh
  PATH=$PWD/fake:$PATH
}

@test "GitHub: the plan of a pull request is a comment, annotations, and a digest; main releases just that" {
  shop
  step Plan "DATABASE_URL=$DATABASE_URL"
  assert_code 0
  assert_output --partial '::notice title=mig plan::'
  assert_equal "$(cat outputs)" "digest=$(mig-plan --format=digest plan.rec)"
  assert_equal "$(head -n 1 summary.md)" '<!-- mig plan -->'

  fake_gh ''
  step Comment PULL_REQUEST=7
  assert_code 0
  assert_equal "$(tail -n 1 gh.log)" 'pr comment 7 --body-file plan.md'
  fake_gh 4711
  step Comment PULL_REQUEST=7
  assert_equal "$(tail -n 1 gh.log)" 'api -X PATCH repos/shop/api/issues/comments/4711 -F body=@plan.md'

  step Release "DATABASE_URL=$DATABASE_URL" DIGEST=0000000000000000
  assert_code 65
  assert_equal "$(relations)" ''
  step Release "DATABASE_URL=$DATABASE_URL" "DIGEST=$(mig-plan --format=digest plan.rec)"
  assert_code 0
  assert_equal "$(applied | wc -l)" 2
  well_formed checks.xml
  step Seed "DATABASE_URL=$DATABASE_URL" ADMIN_HASH=
  assert_code 0
  run --separate-stderr bash -c 'mig-seed -q --dry-run prisma/seed | mig-check seeds'
  assert_code 0
}

@test "GitHub and GitLab: seeds are tried in an empty database, and what the release would refuse is refused" {
  shop
  step 'Try seeds' "DATABASE_URL=$DATABASE_URL" ADMIN_HASH=made-up
  assert_code 0
  says 'full dry run'
  assert_output --partial '2 inserts, 0 updates'
  printf 'id,nmae\n' >prisma/seed/Role.csv
  gitlab_job seeds >seeds.sh
  run --separate-stderr env "MIG_DATABASE=$(database_url tester)" bash -eo pipefail seeds.sh
  assert_code 65
  says 'Did you mean "name"?'
}

@test "GitHub: a pull request of a fork is planned without a database; a refused plan ends the job, with its comment" {
  shop
  step Plan DATABASE_URL=
  assert_code 0
  assert_equal "$(sed -n 2p plan.md)" '**2 steps, 3 statements** for an empty database; 0 of 2 steps need attention'
  migration 20260301000000_open 'BEGIN; SELECT 1;'
  step Plan "DATABASE_URL=$DATABASE_URL"
  assert_code 1
  assert_output --partial '::error file=prisma/migrations/20260301000000_open/migration.sql,line=1,col=1'
  grep -q 'The plan is refused: 1 error' plan.md
}

@test "GitLab: the plan's job keeps it, and the release's job applies it" {
  shop
  gitlab_job plan >plan.sh
  gitlab_job release >release.sh
  assert_equal "$(wc -l <plan.sh) $(wc -l <release.sh)" '4 3'
  run --separate-stderr env "DATABASE_URL_READ_ONLY=$DATABASE_URL" bash -eo pipefail plan.sh
  assert_code 0
  run --separate-stderr bash -eo pipefail release.sh
  assert_code 0
  assert_equal "$(applied | wc -l) $(sql 'SELECT count(*) FROM "Role"')" '2 2'
  well_formed checks.xml
}
