#!/usr/bin/env bats
# mig-seed for Prisma projects: values that Prisma's client makes.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words
load prisma

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  mkdir -p "$BATS_TEST_TMPDIR/prisma/seed"
  cd "$BATS_TEST_TMPDIR" || return 1
}
teardown() {
  sessions_end
  roles_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

# Users, in a database and in a datamodel; the names of the client and of the database differ.
users() {
  sql <<-'SQL'
	CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, "fullName" TEXT, slug TEXT NOT NULL, token2 VARCHAR(12) NOT NULL,
	  public_id UUID NOT NULL, seen_at TIMESTAMPTZ(3) NOT NULL, created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP(3) NOT NULL);
	SQL
  cat >prisma/schema.prisma <<-'PRISMA'
	datasource db {
	  provider = "postgresql"
	  url      = env("DATABASE_URL")
	}
	model User {
	  id        String   @id @default(cuid())
	  email     String   @unique
	  fullName  String?
	  slug      String   @default(cuid(2))
	  token     String   @default(nanoid(12)) @map("token2") @db.VarChar(12)
	  publicId  String   @default(uuid(7)) @map("public_id") @db.Uuid
	  seenAt    DateTime @default(now()) @map("seen_at") @db.Timestamptz(3)
	  createdAt DateTime @default(now()) @map("created_at")
	  updatedAt DateTime @updatedAt @map("updated_at")
	  @@map("users")
	}
	PRISMA
}

made() {
  sql 'SELECT id, slug, token2, public_id, seen_at, created_at, updated_at FROM users ORDER BY email'
}

@test "values of Prisma's client are made for new rows, by the schema.prisma next to the files; rows that exist keep theirs" {
  local before
  users
  printf 'email,fullName\na@example.com,Ada\nb@example.com,Bob\n' >prisma/seed/users.csv
  seed --dry-run --format=text prisma/seed
  assert_code 0
  [[ $output == *"email=a@example.com     id=(cuid()), fullName='Ada', slug=(cuid(2)), token2="*", public_id=(uuid(7))"* ]] || fail "$output"
  seed prisma/seed
  assert_code 0
  assert_equal "$(sql "SELECT count(*) FROM users WHERE id ~ '^c[0-9a-z]{24}\$' AND slug ~ '^[a-z][0-9a-z]{23}\$' AND token2 ~ '^[A-Za-z0-9_-]{12}\$'
    AND public_id::text ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\$'
    AND seen_at BETWEEN now() - interval '1 min' AND now() AND updated_at BETWEEN timezone('UTC', now() - interval '1 min') AND timezone('UTC', now())")" 2
  before=$(made)
  seed prisma/seed
  assert_code 0
  assert_equal "$(made)" "$before"
}

@test "a file, or an argument, with the name of a model is told the name of its table" {
  users
  printf 'email\na@example.com\n' >prisma/seed/User.csv
  seed prisma/seed
  assert_code 1
  says 'there is no table User' 'The table of the model User is "users", by its @@map'
  says_not 'Migrations come first'
  seed --export --natural-keys --into=prisma/seed users
  assert_code 0
  assert_equal "$(<prisma/seed/users.csv)" 'email,fullName,slug,public_id'
}

@test "updatedAt moves when something else of a row changes, and the other made values stay" {
  local before after
  users
  printf 'email,fullName\na@example.com,Ada\nb@example.com,Bob\n' >prisma/seed/users.csv
  seed prisma/seed
  assert_code 0
  sql "UPDATE users SET updated_at = '2020-01-01'"
  before=$(made)
  printf 'email,fullName\na@example.com,Ada\nb@example.com,Robert\n' >prisma/seed/users.csv
  seed prisma/seed
  assert_code 0
  after=$(made)
  assert_equal "$(head -n 1 <<<"$after")" "$(head -n 1 <<<"$before")"
  assert_equal "$(tail -n 1 <<<"$after" | cut -d'|' -f1-6)" "$(tail -n 1 <<<"$before" | cut -d'|' -f1-6)"
  assert_equal "$(sql "SELECT email FROM users WHERE updated_at > '2020-01-02'")" b@example.com
}

@test "an object may have a value that others let mig-seed make" {
  users
  printf '%s\n' '{"email":"a@example.com","id":"mine","fullName":"A"}' '{"email":"b@example.com"}' >prisma/seed/users.ndjson
  seed -v prisma/seed
  assert_code 0
  assert_equal "$(sql "SELECT id = 'mine', id ~ '^c[0-9a-z]{24}\$' FROM users ORDER BY email")" $'t|f\nf|t'
  assert_equal "$(records 'select(.record == "row") | [.key, .new] | tojson')" \
    $'[{"email":"a@example.com"},{"id":"mine","fullName":"A"}]\n[{"email":"b@example.com"},{}]'
  seed prisma/seed
  assert_equal "$(records 'select(.record == "seeded") | "\(.rows_inserted) \(.rows_updated) \(.rows_unchanged)"')" '0 0 2'
}

@test "seed.conf has the same functions for a project without schema.prisma" {
  sql 'CREATE TABLE a (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, n TEXT, u UUID NOT NULL, l TEXT, at TIMESTAMP(3) NOT NULL)'
  printf 'name\nx\n' >prisma/seed/a.csv
  printf '[a]\ndefault.id = nanoid()\ndefault.n = cuid()\ndefault.u = uuid()\ndefault.l = ulid()\nupdated-at = at\n' >prisma/seed/seed.conf
  seed prisma/seed
  assert_code 0
  assert_equal "$(sql "SELECT id ~ '^[A-Za-z0-9_-]{21}\$', n ~ '^c[0-9a-z]{24}\$', u::text ~ '-4[0-9a-f]{3}-[89ab]', l ~ '^0[0-7][0-9A-HJKMNP-TV-Z]{24}\$', at IS NOT NULL FROM a")" \
    't|t|t|t|t'
  printf '[a]\ndefault.id = sha256()\n' >prisma/seed/seed.conf
  seed prisma/seed
  assert_code 65
  says 'prisma/seed/seed.conf:2: default.id: expected cuid(), cuid(2), uuid()'
  printf '[a]\ndefault.at = cuid()\n' >prisma/seed/seed.conf
  seed prisma/seed
  assert_code 65
  says 'prisma/seed/a.csv: column "at" of table "a" cannot contain a value of cuid()'
}

@test "a datamodel that cannot be read is named before anything is done; --datamodel names another one, or none" {
  users
  echo 'model {' >prisma/schema.prisma
  printf 'email\na@example.com\n' >prisma/seed/users.csv
  seed prisma/seed
  assert_code 65
  says 'prisma/schema.prisma:1:7:' '--datamodel=none'
  seed --datamodel=none --dry-run prisma/seed
  assert_code 65
  says 'prisma/seed/users.csv:1: there is no column "id", which is part of the key' '--datamodel=FILE'
  seed --datamodel=none --dry-run --key=email prisma/seed
  assert_code 1
  says 'column "id"' '[23502]' 'default.id = cuid()'
}

@test "a file without the primary key is matched by the only unique key that it has; of two, one must be named" {
  sql "CREATE TABLE a (id SERIAL PRIMARY KEY, x TEXT UNIQUE, y TEXT UNIQUE, z TEXT); INSERT INTO a (x, y, z) VALUES ('a', 'b', 'old')"
  printf 'x,z\na,new\n' >prisma/seed/a.csv
  seed prisma/seed
  assert_code 0
  assert_equal "$(sql 'SELECT * FROM a')" '1|a|b|new'
  printf 'x,y,z\na,b,new\n' >prisma/seed/a.csv
  seed prisma/seed
  assert_code 65
  says 'prisma/seed/a.csv:1: there is no column "id", which is part of the key of table "a"' 'unique key: x' 'unique key: y'
}

@test "the real client of Prisma makes ids and times in the same forms" {
  prisma_available
  run env BUILD="$(dirname "$(command -v mig-seed)")" "$TESTS/fuzz/client-values" 200
  assert_equal "$output" '200 rows each, 7 forms of ids, 2 times: 0 differences'
}

@test "arrays, lines of objects, files of spreadsheets, and endings in capitals are read, with the lines of the file" {
  sql 'CREATE TABLE a (id int PRIMARY KEY, b jsonb); CREATE TABLE c (id int PRIMARY KEY, d text); CREATE TABLE e (id int PRIMARY KEY); CREATE TABLE f (id int PRIMARY KEY, d text)'
  printf '[\n  {\n    "id": 1,\n    "b": { "x": "}],[\\"" }\n  },\n  { "id": 2, "b": [1, 2] }, { "id": 3 }\n]\n' >prisma/seed/a.json
  printf '\xef\xbb\xbfid;d\r\n1;"x;y"\r\n2;z, or w\r\n' >prisma/seed/c.CSV
  echo '{"id":7}' >prisma/seed/e.JSONL
  printf 'id\td\n1\tx\n' >prisma/seed/f.Tsv
  printf '[c]\nkey = id\n[e]\nkey = id\n' >prisma/seed/seed.conf
  seed prisma/seed
  assert_code 0
  assert_equal "$(sql 'SELECT id, b FROM a ORDER BY id; SELECT * FROM c ORDER BY id; SELECT * FROM e; SELECT * FROM f')" \
    $'1|{"x": "}],[\\""}\n2|[1, 2]\n3|\n1|x;y\n2|z, or w\n7\n1|x'
  seed prisma/seed
  assert_equal "$(records -n '[inputs | select(.record == "seeded") | .rows_unchanged] | add')" 7
  printf '[\n  {\n    "id": 1\n  },\n  {\n    "id": "x"\n  }\n]\n' >prisma/seed/a.json
  seed prisma/seed
  assert_code 1
  says 'prisma/seed/a.json:5: column "id": '
  while IFS='|' read -r text message; do
    printf '%b' "$text" >prisma/seed/a.json
    seed prisma/seed/a.json
    assert_code 65
    says "prisma/seed/a.json:$message"
  done <<'WRONG'
{"id": 1}|1: a .json file must be an array of objects
[{"id": 1},\n 2]|2: an element of the array is not an object
[{"id": 1}\n {"id": 2}]|2: a comma is missing before this
[{"id": 1},\n]|2: an element of the array is not an object
[\n{"id": 1|2: the object that begins here does not end
[{"id": 1}|1: the array does not end
[]\n{}|2: there is text after the array
WRONG
}

# Everything that the real run would refuse, with no sequence moved.
refused_in_full() {
  seed --dry-run=full --key=email prisma/seed
  assert_code "$1"
  says "${@:2}" 'Nothing was seeded'
  assert_equal "$(sql 'SELECT count(*) FROM u; SELECT last_value, is_called FROM u_id_seq')" $'1\n1|t'
}

@test "a full dry run refuses what the real run would: constraints, triggers that swallow rows, ids that are taken; and leaves nothing" {
  sql "CREATE TABLE u (id SERIAL PRIMARY KEY, email TEXT NOT NULL UNIQUE, age INT CHECK (age > 17), nick TEXT UNIQUE, boss INT REFERENCES u DEFERRABLE INITIALLY DEFERRED)"
  sql "INSERT INTO u (email, nick) VALUES ('a@x.com', 'al')"
  printf 'email,age\nb@x.com,20\nc@x.com,21\n' >prisma/seed/u.csv
  seed --dry-run=full --format=text prisma/seed
  assert_code 0
  [[ $output == *'email=b@x.com'*'id=(autoincrement())'*'2 inserts'*'Nothing has been changed.'*'to do it: mig-seed --format=text prisma/seed' ]] || fail "$output"
  says 'full dry run: '
  assert_equal "$(sql 'SELECT count(*) FROM u; SELECT last_value, is_called FROM u_id_seq')" $'1\n1|t'
  printf 'email,age\nb@x.com,20\nc@x.com,1\n' >prisma/seed/u.csv
  refused_in_full 1 'prisma/seed/u.csv:3: ' 'violates check constraint "u_age_check"' '[23514]'
  printf 'email,nick\nb@x.com,al\n' >prisma/seed/u.csv
  refused_in_full 1 'prisma/seed/u.csv:2: ' '"u_nick_key"' '[23505]'
  printf 'email,boss\nb@x.com,99\n' >prisma/seed/u.csv
  refused_in_full 1 'prisma/seed/u.csv:2: ' "row         email='b@x.com', boss=99" '"u_boss_fkey"' '[23503]'
  printf 'email\nb@x.com\n' >prisma/seed/u.csv
  sql "INSERT INTO u (id, email) VALUES (2, 'z@x.com'); DELETE FROM u WHERE id = 1; SELECT setval('u_id_seq', 1)" >/dev/null
  refused_in_full 1 '"u_pkey"' '[23505]'
  sql "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER swallow BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION swallow()"
  refused_in_full 1 'of 1 rows to insert in table "u" the server took 0'
}

@test "a full dry run runs SQL files too, and names a sequence that they or a trigger moved" {
  sql "CREATE TABLE log (id SERIAL PRIMARY KEY, what TEXT); CREATE TABLE a (id int PRIMARY KEY)"
  printf 'id\n1\n' >prisma/seed/a.csv
  echo "INSERT INTO log (what) VALUES ('x');" >prisma/seed/1.sql
  seed --dry-run=full --format=text prisma/seed
  assert_code 0
  says 'warning: sequences were moved during the dry run' 'public.log_id_seq'
  [[ $output != *'not run'* ]]
  assert_equal "$(sql 'SELECT count(*) FROM log; SELECT count(*) FROM a')" $'0\n0'
  seed --dry-run=half prisma/seed
  assert_code 64
}

@test "a price list with environments leaves what its seed script leaves, and the second run writes nothing" {
  prisma_available
  run env BUILD="$(dirname "$(command -v mig-seed)")" "$TESTS/fuzz/seeds" billing
  assert_equal "$output" 'billing: 12 rows in 4 tables, equal; the second run writes nothing'
}

# The database by natural keys, without what differs from run to run: ids and times.
blog() {
  sql 'SELECT u.email, u.name, u."passwordHash", r.slug, o.slug, u."createdAt" IS NOT NULL, u."updatedAt" IS NOT NULL, length(u.id) FROM "User" u JOIN "Role" r ON r.id = u."roleId"
      LEFT JOIN "Org" o ON o.id = u."orgId" ORDER BY 1; SELECT slug, rank, rights FROM "Role" ORDER BY 1; SELECT slug FROM "Org" ORDER BY 1;
    SELECT p.slug, p.body, p.price, u.email, (SELECT string_agg(t.name, $$+$$ ORDER BY t.name) FROM "_PostToTag" x JOIN "Tag" t ON t.id = x."B" WHERE x."A" = p.id)
      FROM "Post" p JOIN "User" u ON u.id = p."authorId" ORDER BY 1'
}

@test "a seed script of the real client, in files: upsert, createMany, connect, connectOrCreate, nested create leave the same rows" {
  local theirs before
  prisma_available
  export PROJECT=$PWD NODE_NO_WARNINGS=1
  cat >prisma/schema.prisma <<-'PRISMA'
	generator client {
	  provider   = "prisma-client-js"
	  engineType = "client"
	  output     = "../client"
	}
	datasource db {
	  provider = "postgresql"
	  url      = env("DATABASE_URL")
	}
	model Role {
	  id     Int      @id @default(autoincrement())
	  slug   String   @unique
	  rank   Int      @default(0)
	  rights String[]
	  users  User[]
	}
	model Org {
	  id    String @id @default(uuid()) @db.Uuid
	  slug  String @unique
	  users User[]
	}
	model User {
	  id           String   @id @default(cuid())
	  email        String   @unique
	  name         String?
	  passwordHash String?
	  role         Role     @relation(fields: [roleId], references: [id])
	  roleId       Int
	  org          Org?     @relation(fields: [orgId], references: [id])
	  orgId        String?  @db.Uuid
	  posts        Post[]
	  createdAt    DateTime @default(now())
	  updatedAt    DateTime @updatedAt
	}
	model Post {
	  id       String  @id @default(nanoid())
	  slug     String  @unique
	  body     Json
	  price    Decimal @db.Decimal(10, 2)
	  author   User    @relation(fields: [authorId], references: [id])
	  authorId String
	  tags     Tag[]
	}
	model Tag {
	  id    String @id @default(ulid())
	  name  String @unique
	  posts Post[]
	}
	PRISMA
  cat >seed.mjs <<-'SEED'
	for (const [slug, rank, rights] of [['admin', 9, ['read', 'write']], ['member', 1, ['read']]])
	  await prisma.role.upsert({ where: { slug }, update: { rank, rights }, create: { slug, rank, rights } })
	await prisma.tag.createMany({ data: [{ name: 'news' }, { name: 'tips' }], skipDuplicates: true })
	await prisma.user.upsert({
	  where: { email: 'root@example.com' },
	  update: {},
	  create: {
	    email: 'root@example.com',
	    name: 'Root',
	    passwordHash: process.env.ADMIN_HASH,
	    role: { connect: { slug: 'admin' } },
	    org: { connectOrCreate: { where: { slug: 'acme' }, create: { slug: 'acme' } } },
	    posts: { create: [{ slug: 'hello', body: { blocks: [1, { t: 'x' }] }, price: '1.50', tags: { connect: [{ name: 'news' }, { name: 'tips' }] } }] },
	  },
	})
	await prisma.user.upsert({ where: { email: 'eve@example.com' }, update: {}, create: { email: 'eve@example.com', role: { connect: { slug: 'member' } } } })
	SEED
  mig-scan --datamodel prisma/schema.prisma -o to.rec >/dev/null
  mig-plan --diff --from-empty to.rec --format=sql >create.sql
  sql <create.sql 2>/dev/null
  prisma_client
  ADMIN_HASH='$2b$10$hash' prisma_script seed.mjs
  theirs=$(blog)

  database_new
  sql <create.sql 2>/dev/null
  printf 'slug,rank,rights\nadmin,9,"{read,write}"\nmember,1,{read}\n' >prisma/seed/Role.csv
  printf 'slug\nacme\n' >prisma/seed/Org.csv
  printf 'name\nnews\ntips\n' >prisma/seed/Tag.csv
  echo '[{"email": "root@example.com", "name": "Root", "role.slug": "admin", "org.slug": "acme", "passwordHash": "env:ADMIN_HASH"}, {"email": "eve@example.com", "role.slug": "member"}]' >prisma/seed/User.json
  printf '[User]\nsecret = passwordHash\ninsert-only = name, passwordHash\n' >prisma/seed/seed.conf
  printf '[{"slug": "hello", "body": {"blocks": [1, {"t": "x"}]}, "price": 1.50, "author.email": "root@example.com"}]' >prisma/seed/Post.json
  printf 'A.slug,B.name\nhello,news\nhello,tips\n' >prisma/seed/_PostToTag.csv
  export ADMIN_HASH='$2b$10$hash'
  seed --dry-run=full prisma/seed
  assert_code 0
  [[ $output != *'2b$10$hash'* && $stderr != *'2b$10$hash'* ]]
  seed prisma/seed
  assert_code 0
  assert_equal "$(blog)" "$theirs"
  before=$(sql 'SELECT xmin, * FROM "User" ORDER BY id; SELECT xmin, * FROM "Post"; SELECT xmin, * FROM "Role" ORDER BY id; SELECT last_value FROM "Role_id_seq"')
  ADMIN_HASH=another seed prisma/seed
  assert_code 0
  assert_equal "$(sql 'SELECT xmin, * FROM "User" ORDER BY id; SELECT xmin, * FROM "Post"; SELECT xmin, * FROM "Role" ORDER BY id; SELECT last_value FROM "Role_id_seq"')" "$before"
}
