#!/usr/bin/env bats
# mig-check schema=: do the migrations, and does production, have what the code expects?
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words
load prisma

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  folder_new
  # a scratch database beside this one: quicker than a server of our own
  SHADOW_DATABASE_URL=$(PGDATABASE=postgres database_url)
  export SHADOW_DATABASE_URL
}

datamodel() {
  cat >"$PROJECT/prisma/schema.prisma" <<-'PRISMA'
	datasource db {
	  provider = "postgresql"
	}

	enum Role {
	  USER
	  ADMIN
	}

	model User {
	  id        Int      @id @default(autoincrement())
	  email     String   @unique
	  role      Role     @default(USER)
	  createdAt DateTime @default(now())
	}
	PRISMA
}

matching() {
  migration 1_user <<'SQL'
CREATE TYPE "Role" AS ENUM ('USER', 'ADMIN');
CREATE TABLE "User" (
    "id" SERIAL NOT NULL,
    "email" TEXT NOT NULL,
    "role" "Role" NOT NULL DEFAULT 'USER',
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);
SQL
  migration 2_email 'CREATE UNIQUE INDEX "User_email_key" ON "User"("email");'
}

# replayed [ARGUMENT…]: mig-scan --replay | mig-check …; catalogued: the same of this database.
replayed() { run --separate-stderr bash -c 'mig-scan -q --replay --same-server | mig-check "$@"' check "$@"; }
catalogued() { run --separate-stderr bash -c 'mig-scan --catalog | mig-check "$@"' check "$@"; }

@test "migrations that make what the code expects are OK, and others CRITICAL with each difference named, the worst first" {
  datamodel
  matching
  replayed schema=prisma/schema.prisma
  assert_code 0
  shows '1 table as prisma/schema.prisma says'

  migration 3_more 'ALTER TABLE "User" ADD "phone" TEXT; DROP INDEX "User_email_key"; CREATE TABLE "Old" (id int PRIMARY KEY);'
  replayed --format=text schema=prisma/schema.prisma
  assert_code 2
  shows 'and 2 more'
  shows 'column User.phone'
  shows 'index User.User_email_key'
  shows 'table Old'
  shows 'mig-scan --replay'
  shows 'mig-plan --diff --format=sql - prisma/schema.prisma'
  assert_equal "$(grep -oE '^ *(loses|may fail|differs|harmless)' <<<"$output" | xargs)" 'loses loses may fail'

  replayed schema=prisma/schema.prisma 'schema.ignore=Old' 'schema.ignore=User.phone' 'schema.ignore=index:*'
  assert_code 0
  replayed schema=prisma/schema.prisma 'schema.ignore=public.*'
  assert_code 0
  replayed schema=prisma/schema.prisma 'schema.ignore=trigger:*'
  assert_code 2
}

@test "production is compared with the datamodel, with a kept replay, and with the first migration before it is adopted" {
  untrapped
  datamodel
  matching
  pipeline
  assert_code 0
  catalogued schema=prisma/schema.prisma
  assert_code 0
  mig-scan -q --replay --same-server -o want.rec >/dev/null
  catalogued schema=want.rec
  assert_code 0
  sql 'ALTER TABLE "User" ADD CONSTRAINT adult CHECK (id > 17)'
  catalogued schema=prisma/schema.prisma
  assert_code 0
  catalogued --format=text schema=want.rec
  assert_code 2
  shows 'check User.adult'

  # adopted
  database_new
  mig-scan -q --replay --to 1_user --same-server -o first.rec >/dev/null
  sql <"$FOLDER/1_user/migration.sql"
  catalogued schema=first.rec
  assert_code 0
  pipeline plan: --baseline 1_user
  assert_code 0
  pipeline
  assert_code 0
  catalogued schema=want.rec
  assert_code 0
}

@test "what cannot be told is UNKNOWN, and a migration that does not run is CRITICAL" {
  datamodel
  matching
  run --separate-stderr bash -c 'mig-scan --catalog | head -n 3 | mig-check schema=prisma/schema.prisma'
  assert_code 3
  shows 'the schema on standard input is incomplete or invalid'
  catalogued schema=nowhere.prisma
  assert_code 3
  says 'nowhere.prisma'
  echo 'model {' >prisma/schema.prisma
  catalogued schema=prisma/schema.prisma
  assert_code 3
  says 'prisma/schema.prisma:1:'
  catalogued schema=-
  assert_code 3
  run --separate-stderr bash -c 'mig-scan --offline | mig-check schema=prisma/migrations'
  assert_code 3
  datamodel
  migration 3_bad 'SELECT nix;'
  replayed schema=prisma/schema.prisma
  assert_code 2
  shows '3_bad'
}

@test "records, performance data and Prometheus count the differences" {
  datamodel
  matching
  mig-scan -q --replay --same-server --to 1_user -o made.rec >/dev/null
  run --separate-stderr mig-check --format=records schema=prisma/schema.prisma <made.rec
  assert_code 2
  assert_equal "$(jq -c 'select(.record == "check") | [.check, .status, .measures.differences, .limits.differences]' <<<"$output")" \
    '["schema","critical",1,{"critical":0}]'
  run --separate-stderr mig-check --format=nagios schema=prisma/schema.prisma <made.rec
  assert_code 2
  shows 'schema_differences=1;;0'
  run --separate-stderr mig-check --format=prometheus schema=prisma/schema.prisma <made.rec
  shows 'mig_schema_differences'
}

@test "databases deployed by mig, by Prisma, and by dump and restore show no drift" {
  untrapped
  local kind
  prisma_available
  prisma_project
  # Prisma cannot deploy what stands alone beside others, so each is one that it can.
  migrations_many 20
  mig-scan -q --replay --same-server -o want.rec >/dev/null
  for kind in mig prisma restored; do
    case $kind in
    mig) pipeline && assert_code 0 ;;
    prisma)
      database_new
      prisma_project
      run prisma deploy
      assert_success
      ;;
    restored)
      pg_dump >dump.sql
      database_new
      sql <dump.sql >/dev/null
      ;;
    esac
    catalogued --format=text schema=want.rec
    [[ $status == 0 ]] || fail "$kind: $output $stderr" || return 1
  done
}
