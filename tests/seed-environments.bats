#!/usr/bin/env bats
# mig-seed --env: a base, and an environment over it.
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

# Plans in the base, two of which production changes; flags of production only; roles of the base only.
plans() {
  sql 'CREATE TABLE "Plan" (slug TEXT PRIMARY KEY, name TEXT NOT NULL, price NUMERIC NOT NULL, "apiToken" TEXT, features JSONB, on_sale BOOLEAN NOT NULL DEFAULT true);
    CREATE TABLE "Role" (key TEXT PRIMARY KEY); CREATE TABLE "Flag" (name TEXT PRIMARY KEY, value BOOLEAN NOT NULL); CREATE TABLE log (n SERIAL, what TEXT)'
  mkdir -p seed/base seed/production seed/staging
  printf 'slug,name,price,apiToken,features\nfree,Free,0,t-free,"{""seats"": 1}"\npro,Pro,20,t-pro,\nteam,Team,50,t-team,"[1,\n2]"\n' >seed/base/Plan.csv
  printf 'key\nadmin\n' >seed/base/Role.csv
  printf '[\n  {"slug": "pro", "price": 25.50, "apiToken": "t-live"},\n  {"slug": "team", "name": "Team", "on_sale": false},\n  {"slug": "max", "name": "Max", "price": 99}\n]\n' >seed/production/Plan.json
  printf 'name,value\nbeta,f\n' >seed/production/Flag.csv
  echo "INSERT INTO log (what) VALUES ('base 1');" >seed/base/1.sql
  echo "INSERT INTO log (what) VALUES ('base 3');" >seed/base/3.sql
  echo "INSERT INTO log (what) VALUES ('production 1');" >seed/production/1.sql
  echo "INSERT INTO log (what) VALUES ('production 2');" >seed/production/2.sql
}

all_plans() {
  sql 'SELECT slug, name, price, "apiToken", features, on_sale FROM "Plan" ORDER BY slug'
}

@test "a row of the environment replaces, in its columns, the row of the base with its key; files of either side are used as they are" {
  plans
  seed --env=production seed
  assert_code 0
  assert_equal "$(all_plans)" 'free|Free|0|t-free|{"seats": 1}|t
max|Max|99|||t
pro|Pro|25.50|t-live||t
team|Team|50|t-team|[1, 2]|f'
  assert_equal "$(sql 'SELECT * FROM "Role"; SELECT * FROM "Flag"; SELECT what FROM log ORDER BY n')" $'admin\nbeta|f\nproduction 1\nproduction 2\nbase 3'
  assert_equal "$(records 'select(.record == "seeded") | .file' | sort | tr '\n' ' ')" \
    'base/3.sql base/Plan.csv + production/Plan.json base/Role.csv production/1.sql production/2.sql production/Flag.csv '
  rm seed/*/*.sql
  seed --env=production seed
  assert_equal "$(records -n '[inputs | select(.record == "seeded") | .rows_unchanged] | add')" 6
  seed --env=base --prune seed
  assert_code 0
  assert_equal "$(all_plans)" $'free|Free|0|t-free|{"seats": 1}|t\npro|Pro|20|t-pro||t\nteam|Team|50|t-team|[1, 2]|f'
}

@test "a dry run shows which file and which row replaces which, and hides what is hidden" {
  plans
  seed --dry-run --env production --format=text seed
  assert_code 0
  [[ $output == *'environment production
  production/1.sql  instead of base/1.sql
  production/2.sql  only there
  production/Flag.csv  only there
  production/Plan.json:2 over :3  slug=pro  price: 20 → 25.50, apiToken: (not shown) → (not shown)
  production/Plan.json:3 over :4  slug=team  on_sale: false
  production/Plan.json:4  slug=max  added'* ]] || fail "$output"
  [[ $output == *'to do it: mig-seed --env production --format=text seed'* && $output != *t-live* ]] || fail "$output"
  rm seed/*/*.sql
  seed --dry-run=full --env=production --format=text seed
  assert_code 0
  shows 'production/Plan.json:2 over :3  slug=pro'
  seed --env=production --format=text seed
  shows_not 'over :3'
}

@test "a name that no environment has, and none where there are environments, is refused with those there are" {
  plans
  seed --env=prodction seed
  assert_code 64
  says '--env=prodction: seed has no such environment; did you mean production?' 'It has: production, staging, and base' 'Nothing was seeded'
  seed seed
  assert_code 64
  says 'seed has environments: name one, as in --env=production'
  seed --env=../seed seed
  assert_code 64
  seed --env=production seed/base/Role.csv
  assert_code 64
  says '--env=production needs the folder that has the environment'
  printf 'key\nx\n' >seed/Role.csv
  seed --env=production seed
  assert_code 65
  says 'seed has seed files, and a folder base next to them'
  assert_equal "$(sql 'SELECT count(*) FROM "Role"')" 0
}

@test "without a folder base, the files of the folder itself are the base" {
  plans
  mv seed/base/Plan.csv seed/base/Role.csv seed
  rm -r seed/base seed/staging seed/production/*.sql
  seed --env=production seed
  assert_code 0
  says_not warning
  assert_equal "$(all_plans | wc -l)" 4
  assert_equal "$(records 'select(.record == "seeded") | .file' | sort | tr '\n' ' ')" 'Plan.csv + production/Plan.json Role.csv production/Flag.csv '
  seed seed
  assert_code 0
  says 'warning: skipping the folder seed/production: to use it, name the environment with --env=production'
  assert_equal "$(all_plans | grep -c '^pro|Pro|20|t-pro')" 1
}

@test "seed.conf of the environment overrides key, prune and defaults of the base, and adds to what the base protects" {
  sql 'CREATE TABLE u (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, hash TEXT, note TEXT, n TEXT); CREATE TABLE x (id INT PRIMARY KEY)'
  mkdir -p seed/base seed/production seed/staging
  printf 'email,name,hash,note,n\na@x.com,a,h,x,1\n' >seed/base/u.csv
  printf '[u]\nkey = email\ninsert-only = hash\ndefault.id = cuid()\nprune = no\n[x]\nkey = id\n' >seed/base/seed.conf
  printf 'id\n1\n' >seed/staging/x.csv
  printf '[u]\nkey = name\ninsert-only = note\ndefault.id = uuid()\nprune = yes\n' >seed/production/seed.conf
  seed --env=production seed
  assert_code 0
  assert_equal "$(sql "SELECT id ~ '^[0-9a-f-]{36}\$' FROM u")" t
  printf 'email,name,hash,note,n\nb@x.com,a,h2,x2,2\n' >seed/base/u.csv
  sql "INSERT INTO u VALUES ('z', 'z@x.com', 'z')"
  seed --env=production --prune seed
  assert_code 0
  assert_equal "$(sql 'SELECT email, name, hash, note, n FROM u')" 'b@x.com|a|h|x|2'
  printf '[nothing]\nkey = id\n' >>seed/production/seed.conf
  seed --env=production seed
  assert_code 65
  says 'seed/production/seed.conf:6: [nothing]: there is no nothing.csv, .tsv, .ndjson, .jsonl or .json in the base or an environment'
}

@test "an error names the file and the line that the row is from; a key that is missing or there twice is refused" {
  plans
  rm seed/*/*.sql
  printf '{"slug": "pro", "price": "much"}\n' >seed/production/Plan.ndjson
  rm seed/production/Plan.json
  seed --env=production seed
  assert_code 1
  says 'seed/production/Plan.ndjson:1: column "price": ' 'over        seed/base/Plan.csv:3'
  printf 'slug,price\nfree,1\npro,2\nfree,3\n' >seed/production/Plan.csv
  rm seed/production/Plan.ndjson
  seed --env=production seed
  assert_code 65
  says 'seed/production/Plan.csv:4: slug=free appears already on line 2'
  printf 'price\n1\n' >seed/production/Plan.csv
  seed --env=production seed
  assert_code 65
  says 'seed/production/Plan.csv:2: the row has no slug, by which it is matched with a row of seed/base/Plan.csv'
  cp -r seed bare
  sed -i '1s/slug/other/' bare/base/Plan.csv
  printf 'name,price\nfree,1\n' >bare/production/Plan.csv
  seed --env=production bare
  assert_code 65
  says 'there is no column "slug", which is part of the key of table "Plan"' 'primary key: slug   --key=Plan:slug'
  printf 'slug,price\nfree,1,2\n' >seed/production/Plan.csv
  seed --env=production seed
  assert_code 65
  says 'seed/production/Plan.csv:2: the row has 3 values, and the first line names 2 columns'
  printf 'slug,prise\nfree,1\n' >seed/production/Plan.csv
  seed --env=production seed
  assert_code 65
  says 'seed/production/Plan.csv:2: table "Plan" has no column "prise"' 'Did you mean "price"?'
  printf 'slug,name,price\nmax,,2\n' >seed/production/Plan.csv
  seed --dry-run --env=production seed
  assert_code 1
  says 'seed/production/Plan.csv:2: column "name": ' '[23502]'
  assert_equal "$(sql 'SELECT count(*) FROM "Plan"')" 0
}

@test "natural keys match rows of base and environment, too" {
  sql 'CREATE TABLE "Role" (id SERIAL PRIMARY KEY, slug TEXT NOT NULL UNIQUE); CREATE TABLE "Right" (id SERIAL PRIMARY KEY, "roleId" INT NOT NULL REFERENCES "Role", name TEXT NOT NULL, level INT NOT NULL, UNIQUE ("roleId", name))'
  mkdir -p seed/base seed/production
  printf 'slug\nadmin\nguest\n' >seed/base/Role.csv
  printf 'role.slug,name,level\nadmin,read,1\nguest,read,1\n' >seed/base/Right.csv
  printf '{"role.slug": "guest", "name": "read", "level": 0}\n{"role.slug": "guest", "name": "write", "level": 0}\n' >seed/production/Right.ndjson
  seed --env=production seed
  assert_code 0
  assert_equal "$(sql 'SELECT slug, name, level FROM "Right" JOIN "Role" r ON r.id = "roleId" ORDER BY 1, 2')" $'admin|read|1\nguest|read|0\nguest|write|0'
}

@test "mig-release --env seeds that environment, and needs --seed" {
  folder_new
  export HOME=$BATS_TEST_TMPDIR
  plans
  rm seed/*/*.sql
  migration 20260101000000_init 'SELECT 1;'
  run --separate-stderr mig-release --yes --no-verify --allow=not_empty --seed seed --env=production
  assert_code 0
  assert_equal "$(sql "SELECT price FROM \"Plan\" WHERE slug = 'pro'")" 25.50
  run --separate-stderr mig-release --yes --no-verify --env=production
  assert_code 64
  says '--env=production is the environment of --seed, which is missing'
}
