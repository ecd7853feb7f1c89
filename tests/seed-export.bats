#!/usr/bin/env bats
# mig-seed --export: which columns and rows, what is hidden, and that the files are the table.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  cd "$BATS_TEST_TMPDIR" || return 1
}
teardown() {
  sessions_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

users() {
  sql <<-'SQL'
	CREATE TABLE "Role" (id SERIAL PRIMARY KEY, slug TEXT NOT NULL UNIQUE);
	CREATE TABLE "Org" (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), slug TEXT NOT NULL UNIQUE);
	CREATE TABLE "Team" (id SERIAL PRIMARY KEY, "orgId" UUID NOT NULL REFERENCES "Org", name TEXT NOT NULL, UNIQUE ("orgId", name));
	CREATE TABLE "User" (id SERIAL PRIMARY KEY, email TEXT NOT NULL UNIQUE, "passwordHash" TEXT NOT NULL, "roleId" INT NOT NULL REFERENCES "Role",
	  "teamId" INT REFERENCES "Team", "apiToken" TEXT, active BOOLEAN NOT NULL DEFAULT true, "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT now());
	INSERT INTO "Role" (id, slug) VALUES (7, 'admin'), (8, 'member');
	INSERT INTO "Org" (slug) VALUES ('acme'), ('globex');
	INSERT INTO "Team" (id, "orgId", name) SELECT 10 + row_number() OVER (ORDER BY slug), id, 'core' FROM "Org";
	INSERT INTO "User" VALUES (41, 'b@x.com', 'made-up-hash-b', 7, 12, 'made-up-token', true), (40, 'a@x.com', 'made-up-hash-a', 8, NULL, NULL, false),
	  (42, 'c@x.com', 'made-up-hash-c', 8, 11, NULL, true);
	SQL
}

@test "hidden columns are left out, with a word about them; named, or with --with-hidden, they are written to a file for the owner alone" {
  users
  umask 022
  seed --export --into=new/folder User Role
  assert_code 0
  assert_equal "$(head -n 1 new/folder/User.csv)" 'id,email,roleId,teamId,active,createdAt'
  says 'new/folder/User.csv: left out, since their values are hidden: passwordHash, apiToken (NOT NULL' '--with-hidden writes them'
  assert_equal "$(stat -c %a new/folder/User.csv new/folder/Role.csv | tr '\n' ' ')" '644 644 '
  run ! grep -r made-up new
  seed --export --into=new/folder --with-hidden User Role
  assert_code 0
  says_not 'left out'
  assert_equal "$(head -n 1 new/folder/User.csv)" 'id,email,passwordHash,roleId,teamId,apiToken,active,createdAt'
  assert_equal "$(stat -c %a new/folder/User.csv new/folder/Role.csv | tr '\n' ' ')" '600 644 '
  chmod 644 new/folder/User.csv
  seed --export --into=new/folder --with-hidden User
  assert_equal "$(stat -c %a new/folder/User.csv)" 600
  seed --export --columns=email,passwordHash User
  assert_equal "$(cat User.csv; stat -c %a User.csv)" $'email,passwordHash\na@x.com,made-up-hash-a\nb@x.com,made-up-hash-b\nc@x.com,made-up-hash-c\n600'
  printf '[Role]\nhide = slug\n' >new/folder/seed.conf
  seed --export --into=new/folder Role
  assert_equal "$(<new/folder/Role.csv)" $'id\n7\n8'
}

@test "columns and rows are chosen; the key is always written, and a reference can be written by its natural key" {
  users
  seed --export --columns=User:-createdAt,-active --where="User:active AND email LIKE 'b%' -- they say" User Role
  assert_code 0
  assert_equal "$(<User.csv)" $'id,email,roleId,teamId\n41,b@x.com,7,12'
  assert_equal "$(wc -l <Role.csv)" 3
  seed --export --columns=User:email,role.slug,team.name,team.org.slug --columns=Role:slug --columns=Org:slug --columns=Team:org.slug,name User Role Org Team
  assert_code 0
  assert_equal "$(cat User.csv Team.csv)" 'email,role.slug,team.name,team.org.slug
a@x.com,member,,
b@x.com,admin,core,globex
c@x.com,member,core,acme
org.slug,name
acme,core
globex,core'
  seed --export --as=ndjson --columns=User:email,role.slug --where='"roleId"::int = 7' User
  assert_code 0
  assert_equal "$(<User.ndjson)" '{"email":"b@x.com","role.slug":"admin"}'
  # what was written so is another database's seed
  rm User.ndjson
  sql 'SELECT u.email, r.slug, o.slug, t.name FROM "User" u JOIN "Role" r ON r.id = "roleId" LEFT JOIN "Team" t ON t.id = "teamId" LEFT JOIN "Org" o ON o.id = "orgId" ORDER BY 1' >wanted
  sql 'TRUNCATE "User", "Role", "Team", "Org" RESTART IDENTITY; ALTER TABLE "User" ALTER "passwordHash" DROP NOT NULL'
  seed .
  assert_code 0
  sql 'SELECT u.email, r.slug, o.slug, t.name FROM "User" u JOIN "Role" r ON r.id = "roleId" LEFT JOIN "Team" t ON t.id = "teamId" LEFT JOIN "Org" o ON o.id = "orgId" ORDER BY 1' | diff wanted -
}

@test "--natural-keys writes no id that another key can stand for, over two steps, and says which table keeps its ids; seeded elsewhere it is the same" {
  users
  sql <<-'SQL'
	CREATE TABLE "Folder" (id SERIAL PRIMARY KEY, public UUID NOT NULL UNIQUE DEFAULT gen_random_uuid(), "parentId" INT REFERENCES "Folder", path TEXT NOT NULL UNIQUE, alias TEXT UNIQUE);
	CREATE TABLE "Loop" (id SERIAL PRIMARY KEY, "nextId" INT NOT NULL REFERENCES "Loop" UNIQUE, name TEXT);
	CREATE TABLE "OfLoop" (id SERIAL PRIMARY KEY, "loopId" INT REFERENCES "Loop", "orgId" UUID NOT NULL REFERENCES "Org" UNIQUE);
	CREATE TABLE "Tag" (id SERIAL PRIMARY KEY, a TEXT NOT NULL UNIQUE, b TEXT NOT NULL UNIQUE);
	CREATE TABLE "Country" (code TEXT PRIMARY KEY, "capitalId" INT REFERENCES "Tag");
	CREATE TABLE "_RoleToUser" ("A" INT NOT NULL REFERENCES "Role", "B" INT NOT NULL REFERENCES "User", PRIMARY KEY ("A", "B"));
	INSERT INTO "Folder" (id, "parentId", path) VALUES (3, NULL, '/'), (4, 3, '/a'); INSERT INTO "Loop" VALUES (1, 1, 'x'); INSERT INTO "OfLoop" SELECT 6, 1, id FROM "Org" WHERE slug = 'acme'; INSERT INTO "Tag" VALUES (5, 'x', 'y');
	INSERT INTO "Country" VALUES ('DE', 5); INSERT INTO "_RoleToUser" VALUES (7, 40);
	SQL
  seed --export --natural-keys User Role Org Team Folder Loop OfLoop Tag Country _RoleToUser
  assert_code 0
  assert_equal "$(cat User.csv Team.csv Folder.csv Loop.csv OfLoop.csv Tag.csv Country.csv _RoleToUser.csv)" 'email,role.slug,team.org.slug,team.name,active
a@x.com,member,,,false
b@x.com,admin,globex,core,true
c@x.com,member,acme,core,true
org.slug,name
acme,core
globex,core
parent.path,path,alias
,/,
/,/a,
id,nextId,name
1,1,x
loopId,org.slug
1,acme
id,a,b
5,x,y
code,capitalId
DE,5
A.slug,B.email
admin,a@x.com'
  says 'User.csv: left out, since their values are hidden: passwordHash, apiToken' \
    '"Loop" keeps its ids: its unique key leads back to itself' '"Tag" keeps its ids: it has several other unique keys: name one with --key'
  seed --export --natural-keys --key=Tag:b Tag Country
  assert_equal "$(cat Tag.csv Country.csv)" $'a,b\nx,y\ncode,capital.b\nDE,y'
  seed --dry-run .
  assert_code 65
  says 'Tag.csv' 'unique key: b' # which of the two, each run must know
  printf '[Tag]\nkey = b\n' >seed.conf
  seed --dry-run .
  assert_code 0
  says_not 'updated, 0 the same' '1 inserted'
  sql 'TRUNCATE "User", "Role", "Team", "Org", "Folder", "Loop", "OfLoop", "Tag", "Country", "_RoleToUser"; ALTER TABLE "User" ALTER "passwordHash" DROP NOT NULL'
  seed .
  assert_code 0
  assert_equal "$(sql 'SELECT email, slug, path FROM "_RoleToUser" JOIN "User" u ON u.id = "B" JOIN "Role" r ON r.id = "A", "Folder" f WHERE f."parentId" IS NOT NULL')" 'a@x.com|admin|/a'
}

@test "what cannot be chosen is refused by name, and no condition can write" {
  local arguments message
  users
  while IFS='|' read -r arguments message; do
    eval "seed --export --into=out $arguments"
    ((status == 64 || status == 65)) || fail "$status: $arguments: $stderr"
    says "$message"
  done <<'WRONG'
--columns=emial User|table "User" has no column "emial"
--columns=-emial User|table "User" has no column "emial"
--columns=email,-active User|either name the columns to write, or each with a - those to leave out
--columns=rol.slug User|column "rol.slug": table "User" has no foreign key that "rol" names
--columns=Usr:email User|--columns=Usr:email: that table is not exported
--where='User:a' --where=b User|--where=a and --where=b are for the same table: join them with AND
--env=production User|--export writes the files of one folder
WRONG
  seed --columns=a Role.csv
  assert_code 64
  says 'need --export'
  seed --export --where='emial = 1' User
  assert_code 1
  says 'could not export: column "emial" does not exist [42703]' '--where=emial = 1'
  seed --export --where="setval('\"User_id_seq\"', 1) > 0" User
  ((status > 0)) || fail "$output"
  says 'read-only transaction'
  [[ ! -e User.csv ]]
}

@test "an export that is seeded elsewhere is equal, whatever the types: arrays, jsonb, bytea, numeric, times, enums, NULL and empty texts" {
  local as
  sql <<-'SQL'
	CREATE TYPE mood AS ENUM ('sad', 'ok', 'very "happy", indeed');
	CREATE DOMAIN code AS TEXT CHECK (VALUE ~ '^[A-Z]*$');
	CREATE TYPE pair AS (a INT, b TEXT);
	CREATE TABLE t (id BIGINT PRIMARY KEY, s TEXT, v VARCHAR(20), c CHAR(4), i2 SMALLINT, n NUMERIC, n2 NUMERIC(12,4), f4 REAL, f8 DOUBLE PRECISION, b BOOLEAN, by BYTEA, u UUID,
	  d DATE, tm TIME(3), ttz TIMETZ, ts TIMESTAMP(3), tz TIMESTAMPTZ(3), iv INTERVAL, j JSON, jb JSONB, m mood, dom code, p pair, net CIDR, ip INET, mac MACADDR, bits BIT VARYING, mo MONEY,
	  r INT4RANGE, pt POINT, x XML, ta TEXT[], ia INT[], na NUMERIC[][], ma mood[], ja JSONB[], ba BYTEA[], za TIMESTAMPTZ[], da code[], pa pair[], tsv TSVECTOR);
	INSERT INTO t VALUES (1, E'q"uo,te\n\\ \t', E'\u00fc\u4e2d\U0001F600', 'ab', -32768, 12345678901234567890.123456789000, 1.5, 1e-30, 0.1, true, '\x00ff5c0a22', gen_random_uuid(),
	  'infinity', '23:59:59.999', '12:00+05:30', '2024-02-29 12:00:00.123', '-infinity', '1 year 2 mons -3 days 04:05:06.7', '{"a": 1,  "a": [2,null]}', '{"k": "v\u00fc\\n", "n": 1.50, "x": null}', 'very "happy", indeed', 'AB', '(1,"x,y")',
	  '10.0.0.0/8', '::1', '08:00:2b:01:02:03', B'0101', 12.5, '[1,5)', '(1,2)', '<a b="c">d</a>', ARRAY['a', NULL, '', 'NULL', 'q"', 'b,c', '\\'], '{}', '{{1.0,2},{3,NULL}}',
	  '{sad,"very \"happy\", indeed"}', ARRAY['{"a":1}', 'null', '[]']::jsonb[], ARRAY['\x00'::bytea, NULL], ARRAY['2024-01-01 00:00:00+02'::timestamptz], '{AB,""}', ARRAY['(1,x)', NULL]::pair[], 'a:1 b:2A'::tsvector);
	INSERT INTO t (id, s, jb) VALUES (2, '', 'true'), (3, NULL, NULL), (4, '\.', '"x"'), (-9223372036854775808, 'NULL', '0'), (9223372036854775807, ' ', '{}');
	SQL
  sql "SELECT t::text FROM t ORDER BY id" >wanted
  for as in csv tsv ndjson; do
    seed --export --as="$as" --into="$as" t
    assert_code 0
    sql "BEGIN; CREATE TABLE other (LIKE t); ALTER TABLE t RENAME TO kept; ALTER TABLE other RENAME TO t; ALTER TABLE t ADD PRIMARY KEY (id); COMMIT"
    seed "$as"
    assert_code 0
    diff wanted <(sql "SELECT t::text FROM t ORDER BY id")
    seed "$as"
    assert_equal "$(records 'select(.record == "seeded") | .rows_unchanged')" 6
    sql 'DROP TABLE t; ALTER TABLE kept RENAME TO t'
  done
}
