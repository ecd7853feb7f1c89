#!/usr/bin/env bats
# mig-seed: references by natural keys, as in role.slug.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load helper
load words

setup_file() { server_start; }
teardown_file() { server_stop; }
setup() {
  database_new
  mkdir -p "$BATS_TEST_TMPDIR/seed"
  cd "$BATS_TEST_TMPDIR" || return 1
}
teardown() {
  sessions_end
  roles_end
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
}

# inserted, updated and unchanged rows of each file
numbers() {
  records 'select(.record == "seeded") | "\(.file) \(.rows_inserted) \(.rows_updated) \(.rows_unchanged)"'
}

# Organizations have teams, which have members, who have a role; ids are the database's.
club() {
  sql <<-'SQL'
	CREATE TABLE "Role" (id SERIAL PRIMARY KEY, slug TEXT NOT NULL UNIQUE);
	CREATE TABLE "Org" (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), slug TEXT NOT NULL UNIQUE);
	CREATE TABLE "Team" (id INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "orgId" UUID NOT NULL REFERENCES "Org", name TEXT NOT NULL, UNIQUE ("orgId", name));
	CREATE TABLE "Member" (id SERIAL PRIMARY KEY, email TEXT NOT NULL UNIQUE, "roleId" INT NOT NULL REFERENCES "Role", "team_id" INT REFERENCES "Team");
	CREATE TABLE "_MemberToRole" ("A" INT NOT NULL REFERENCES "Member" ON DELETE CASCADE, "B" INT NOT NULL REFERENCES "Role" ON DELETE CASCADE);
	CREATE UNIQUE INDEX "_MemberToRole_AB_unique" ON "_MemberToRole"("A", "B");
	SQL
  printf 'slug\nadmin\nmember\n' >seed/Role.csv
  printf 'slug\nacme\nglobex\n' >seed/Org.csv
  printf 'org.slug,name\nacme,core\nglobex,core\nglobex,sales\n' >seed/Team.csv
  printf 'email,role.slug,team.name,team.org.slug\na@x.com,admin,core,globex\nb@x.com,member,core,acme\nc@x.com,member,,\n' >seed/Member.csv
  printf 'A.email,B.slug\na@x.com,admin\na@x.com,member\n' >seed/_MemberToRole.csv
}

members() {
  sql 'SELECT m.email, r.slug, t.name, o.slug, (SELECT string_agg(x.slug, $$+$$ ORDER BY x.slug) FROM "_MemberToRole" j JOIN "Role" x ON x.id = j."B" WHERE j."A" = m.id)
    FROM "Member" m JOIN "Role" r ON r.id = "roleId" LEFT JOIN "Team" t ON t.id = team_id LEFT JOIN "Org" o ON o.id = "orgId" ORDER BY email'
}

@test "role.slug, over two steps too, means the id of the row with these values, also of rows that the same run inserts" {
  local before
  club
  seed --dry-run --format=text seed
  assert_code 0
  [[ $output == *"email=a@x.com"*"role.slug='admin', team.name='core', team.org.slug='globex'"* ]] || fail "$output"
  assert_equal "$(sql "SELECT string_agg(coalesce(last_value::text, '-'), ',') FROM pg_sequences")" '-,-,-'
  seed seed
  assert_code 0
  assert_equal "$(members)" 'a@x.com|admin|core|globex|admin+member
b@x.com|member|core|acme|
c@x.com|member|||'
  before=$(sql 'SELECT xmin, * FROM "Member" ORDER BY id; SELECT xmin, * FROM "Team" ORDER BY id; SELECT sequencename, last_value FROM pg_sequences ORDER BY 1')
  seed seed
  assert_code 0
  assert_equal "$(numbers)" $'Org.csv 0 0 2\nRole.csv 0 0 2\nTeam.csv 0 0 3\nMember.csv 0 0 3\n_MemberToRole.csv 0 0 2'
  assert_equal "$(sql 'SELECT xmin, * FROM "Member" ORDER BY id; SELECT xmin, * FROM "Team" ORDER BY id; SELECT sequencename, last_value FROM pg_sequences ORDER BY 1')" "$before"
}

@test "a row that moves to another one is updated, by the value that the referenced row has after the run" {
  club
  seed seed
  assert_code 0
  printf 'id,slug\n1,root\n2,member\n' >seed/Role.csv
  printf 'email,role.slug,team.name,team.org.slug\na@x.com,root,core,globex\nb@x.com,root,core,acme\nc@x.com,member,,\n' >seed/Member.csv
  printf 'A.email,B.slug\na@x.com,root\na@x.com,member\n' >seed/_MemberToRole.csv
  seed -v seed
  assert_code 0
  assert_equal "$(members | cut -d'|' -f1,2)" $'a@x.com|root\nb@x.com|root\nc@x.com|member'
  assert_equal "$(records 'select(.record == "row" and .table == "Member") | [.change, .key, .old, .new] | tojson')" \
    '["update",{"email":"b@x.com"},{"roleId":2},{"role.slug":"root"}]'
}

@test "objects may have references, and leave them out" {
  club
  seed seed
  rm seed/*
  printf '%s\n' '{"email":"a@x.com","role.slug":"member"}' '{"email":"d@x.com","role.slug":"admin","team.name":"sales","team.org.slug":"globex"}' \
    '{"email":"e@x.com","roleId":2}' >seed/Member.ndjson
  seed seed
  assert_code 0
  assert_equal "$(numbers)" 'Member.ndjson 2 1 0'
  assert_equal "$(members | cut -d'|' -f1-4)" 'a@x.com|member|core|globex
b@x.com|member|core|acme
c@x.com|member||
d@x.com|admin|sales|globex
e@x.com|member||'
}

@test "a dry run's records say references by natural keys, so that they mean the same in another database" {
  local here=$PGDATABASE
  club
  mig-seed --dry-run -o rows.rec seed >/dev/null 2>&1
  database_new
  club
  seed - <rows.rec
  assert_code 0
  assert_equal "$(members)" 'a@x.com|admin|core|globex|admin+member
b@x.com|member|core|acme|
c@x.com|member|||'
  [[ $here != "$PGDATABASE" ]]
}

@test "a row may reference one of its own table, in any order" {
  sql 'CREATE TABLE "Category" (id SERIAL PRIMARY KEY, slug TEXT NOT NULL UNIQUE, "parentId" INT REFERENCES "Category")'
  printf 'slug,parent.slug\nshirts,clothes\nclothes,\nshorts,clothes\n' >seed/Category.csv
  seed seed
  assert_code 0
  assert_equal "$(sql 'SELECT c.slug, p.slug FROM "Category" c LEFT JOIN "Category" p ON p.id = c."parentId" ORDER BY 1')" $'clothes|\nshirts|clothes\nshorts|clothes'
  seed seed
  assert_equal "$(numbers)" 'Category.csv 0 0 3'
}

@test "what is missing, or is several rows, is refused with its line and with what there is" {
  club
  printf 'email,role.slug\na@x.com,admin\nb@x.com,admn\n' >seed/Member.csv
  seed seed
  assert_code 65
  says "seed/Member.csv:3: role.slug='admn': table \"Role\" has no such row, and no file adds it" "Did you mean 'admin'?" 'There are: admin; member' 'Nothing was seeded'
  printf 'email,role.slug,team.name\na@x.com,admin,core\n' >seed/Member.csv
  seed --dry-run seed
  assert_code 65
  says "seed/Member.csv:2: team.name='core': table \"Team\" has 2 such rows: name one of them by more of its columns" \
    'These are: id=1; id=2' 'A unique key of "Team" is (orgId, name)'
  printf 'email,rôle.slug\na@x.com,admin\n' >seed/Member.csv
  seed seed
  assert_code 65
  says 'seed/Member.csv:1: column "rôle.slug": table "Member" has no foreign key that "rôle" names' 'It has: roleId (to "Role"), team_id (to "Team")'
  printf 'email,role.slgu\na@x.com,admin\n' >seed/Member.csv
  seed seed
  assert_code 65
  says 'seed/Member.csv:1: column "role.slgu": table "Role" has no column "slgu"' 'Did you mean "slug"?'
  printf 'email,role.slug,roleId\na@x.com,admin,1\n' >seed/Member.csv
  seed seed
  assert_code 65
  says 'seed/Member.csv:1: "role.slug" and "roleId" are for the same column'
  assert_equal "$(sql 'SELECT count(*) FROM "Role"')" 0
}

@test "a relation has the name that schema.prisma gives it, whatever its column is called" {
  mkdir prisma
  mv seed prisma/seed
  sql 'CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE); CREATE TABLE posts (id TEXT PRIMARY KEY, slug TEXT NOT NULL UNIQUE,
    written_by TEXT NOT NULL REFERENCES users, checked_by TEXT REFERENCES users)'
  cat >prisma/schema.prisma <<-'PRISMA'
	datasource db {
	  provider = "postgresql"
	  url      = env("DATABASE_URL")
	}
	model User {
	  id      String @id @default(cuid())
	  email   String @unique
	  written Post[] @relation("author")
	  checked Post[] @relation("checker")
	  @@map("users")
	}
	model Post {
	  id        String  @id @default(uuid())
	  slug      String  @unique
	  author    User    @relation("author", fields: [authorId], references: [id])
	  authorId  String  @map("written_by")
	  checker   User?   @relation("checker", fields: [checkerId], references: [id])
	  checkerId String? @map("checked_by")
	  @@map("posts")
	}
	PRISMA
  printf 'email\na@x.com\nb@x.com\n' >prisma/seed/users.csv
  printf 'slug,author.email,checker.email\nfirst,a@x.com,b@x.com\nsecond,b@x.com,\n' >prisma/seed/posts.csv
  seed prisma/seed
  assert_code 0
  assert_equal "$(sql 'SELECT slug, a.email, c.email FROM posts JOIN users a ON a.id = written_by LEFT JOIN users c ON c.id = checked_by ORDER BY 1')" \
    $'first|a@x.com|b@x.com\nsecond|b@x.com|'
  seed prisma/seed
  assert_equal "$(numbers)" $'users.csv 0 0 2\nposts.csv 0 0 2'
}
