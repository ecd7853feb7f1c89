#!/usr/bin/env bats
# --role: log in as one role, and everything belongs to another.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154
load helper
load words

# One database for the file; each test has a schema of its own, which the owner makes.
setup_file() {
  server_start
  database_new
  export DEPLOYER=deployer_$PGDATABASE OWNER="Own er_$PGDATABASE"
  sql_admin "CREATE ROLE \"$OWNER\"; CREATE ROLE \"$DEPLOYER\" LOGIN IN ROLE \"$OWNER\";
    GRANT CREATE ON DATABASE \"$PGDATABASE\" TO \"$OWNER\""
}
teardown_file() {
  sql_admin "DROP OWNED BY \"$OWNER\", \"$DEPLOYER\" CASCADE; DROP ROLE \"$DEPLOYER\", \"$OWNER\""
  server_stop
}

setup() {
  S=s$BATS_TEST_NUMBER
  folder_new
  # shellcheck disable=SC2155
  export DATABASE_URL="$(database_url "$DEPLOYER")&schema=$S"
}
teardown() {
  [[ -n ${BATS_TEST_COMPLETED-} ]] || server_log
  sessions_end
  roles_end
}

# deploys ARGUMENT…: mig-scan | mig-plan | mig-apply --role, with what else mig-apply is told
deploys() { pipeline plan: --allow=not_empty apply: --role "$OWNER" "$@"; }

# Objects of the schemas that are not the owner's, one a line.
not_of_owner() {
  sql_admin "SELECT what, name FROM (
      SELECT 'relation', oid::regclass::text, relowner, relnamespace FROM pg_class
      UNION ALL SELECT 'type', oid::regtype::text, typowner, typnamespace FROM pg_type
      UNION ALL SELECT 'function', oid::regprocedure::text, proowner, pronamespace FROM pg_proc
      UNION ALL SELECT 'schema', nspname, nspowner, oid FROM pg_namespace
      UNION ALL SELECT 'statistics', stxname, stxowner, stxnamespace FROM pg_statistic_ext
      UNION ALL SELECT 'extension', extname, extowner, extnamespace FROM pg_extension WHERE extname <> 'plpgsql'
    ) o (what, name, owner, space) JOIN pg_namespace n ON n.oid = space
    WHERE starts_with(nspname, '$S') AND owner <> '\"$OWNER\"'::regrole ORDER BY 1, 2"
}
owned() {
  sql_admin "SELECT count(*) FROM pg_class WHERE relnamespace = '$S'::regnamespace AND relowner = '\"$OWNER\"'::regrole"
}

@test "every object of a deploy belongs to the role, the schema and the history too" {
  migration 1_all <<-SQL
	CREATE TABLE a (id serial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, t text);
	CREATE INDEX a_t ON a (t);
	CREATE SEQUENCE q;
	CREATE TYPE mood AS ENUM ('ok');
	CREATE TYPE pair AS (a int, b int);
	CREATE DOMAIN positive AS int CHECK (VALUE > 0);
	CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
	CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';
	CREATE AGGREGATE sum2 (int) (SFUNC = int4pl, STYPE = int);
	CREATE VIEW v AS SELECT 1 AS one;
	CREATE MATERIALIZED VIEW m AS SELECT 1 AS one;
	CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
	CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (9);
	CREATE STATISTICS st ON id, n FROM a;
	CREATE SCHEMA ${S}_more CREATE TABLE inner_one (id int);
	SQL
  migration 2_concurrently 'CREATE INDEX CONCURRENTLY a_n ON a (n);'
  migration 3_own 'BEGIN; CREATE TABLE c (); COMMIT; BEGIN; CREATE TABLE d (); COMMIT;'
  migration 4_code 'DO $$ BEGIN CREATE TABLE e (); END $$;'
  migration 5_small 'CREATE TABLE g ();'
  migration 6_small 'CREATE TABLE h (); SELECT 1 INTO i;'
  migration 7_extension "CREATE EXTENSION citext SCHEMA ${S}_more;"
  deploys
  assert_code 0
  says "user $DEPLOYER, role $OWNER;"
  assert_equal "$(records 'select(.record == "run") | .user + " " + .role')" "$DEPLOYER $OWNER"
  # what is in a trusted extension belongs to whoever made the cluster
  run not_of_owner
  assert_equal "$(grep -v citext <<<"$output")" "$(sql_admin "SELECT 'function|' || oid::regprocedure::text FROM pg_proc p
    JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' WHERE pronamespace = '${S}_more'::regnamespace
    AND oid::regprocedure::text !~ 'citext' ORDER BY 1")"
  assert_equal "$(sql_admin "SELECT extowner::regrole FROM pg_extension WHERE extname = 'citext'")" "\"$OWNER\""
  assert_equal "$(owned)" 22
}

@test "a role that a script sets, leaves or loses is that of --role again for the next" {
  migration 1_set "SET ROLE \"$DEPLOYER\"; SELECT 1;"
  migration 2_left 'CREATE TABLE a (); RESET ROLE;'
  migration 3_all 'CREATE TABLE b (); DISCARD ALL;'
  migration 4_rolled_back "BEGIN; SET ROLE \"$DEPLOYER\"; ROLLBACK; CREATE TABLE d ();"
  migration 5_code 'DO $$ BEGIN PERFORM set_config($q$role$q$, $q$none$q$, false); END $$;'
  migration 6_last 'CREATE TABLE e ();'
  deploys
  assert_code 0
  says "warning: 1_set changed the role; it is $OWNER again for the following steps" 'warning: 2_left changed the role' \
    'warning: 3_all changed the role' 'warning: 5_code changed the role'
  says_not '4_rolled_back changed' '6_last changed'
  assert_equal "$(not_of_owner)" ''
  assert_equal "$(owned)" 6
}

@test "a script that leaves the role goes on as the login, and what it may not do then is found before anything runs" {
  migration 1_a 'CREATE TABLE a ();'
  deploys
  assert_code 0
  migration 2_first 'CREATE TABLE b ();'
  migration 3_leaves 'RESET ROLE; ALTER TABLE a ADD x int;'
  sql_admin "ALTER ROLE \"$DEPLOYER\" NOINHERIT; GRANT USAGE ON SCHEMA $S TO \"$DEPLOYER\"; GRANT SELECT ON $S._prisma_migrations TO \"$DEPLOYER\""
  [[ $(sql_admin 'SHOW server_version_num') -lt 160000 ]] ||
    sql_admin "GRANT \"$OWNER\" TO \"$DEPLOYER\" WITH INHERIT FALSE"
  deploys
  sql_admin "ALTER ROLE \"$DEPLOYER\" INHERIT"
  [[ $(sql_admin 'SHOW server_version_num') -lt 160000 ]] ||
    sql_admin "GRANT \"$OWNER\" TO \"$DEPLOYER\" WITH INHERIT TRUE"
  assert_code 77
  says "the role $DEPLOYER is not the owner of $S.a, which prisma/migrations/3_leaves/migration.sql:1:13 needs"
  assert_equal "$(applied_as_admin)" 1_a
}

@test "a login that inherits nothing may deploy, with SELECT on the history" {
  sql_admin "CREATE SCHEMA $S AUTHORIZATION \"$OWNER\""
  role_new apart "NOINHERIT IN ROLE \"$OWNER\""
  sql_admin "GRANT USAGE ON SCHEMA $S TO \"$ROLE\""
  [[ $(sql_admin 'SHOW server_version_num') -lt 160000 ]] || sql_admin "GRANT \"$OWNER\" TO \"$ROLE\" WITH INHERIT FALSE"
  DATABASE_URL="$(database_url "$ROLE")&schema=$S"
  migration 1_a 'CREATE TABLE a ();'
  deploys
  assert_code 0
  assert_equal "$(not_of_owner)" ''
  migration 2_b 'CREATE TABLE b ();'
  run --separate-stderr mig-scan
  assert_code 77
  says "GRANT SELECT on $S._prisma_migrations TO $ROLE;"
  sql_admin "GRANT SELECT on $S._prisma_migrations TO \"$ROLE\";"
  deploys
  assert_code 0
  assert_equal "$(owned)" 4
}

@test "a role that does not exist, or was not granted, is refused with the statements to type" {
  sql_admin "CREATE SCHEMA $S AUTHORIZATION \"$OWNER\""
  role_new stranger
  sql_admin "GRANT USAGE ON SCHEMA $S TO \"$ROLE\""
  migration 1_a 'CREATE TABLE a ();'
  mig-scan | mig-plan -o plan.rec
  DATABASE_URL="$(database_url "$ROLE")&schema=$S"
  run --separate-stderr mig-apply --role=own-er plan.rec
  assert_code 78
  says 'error: the role "own-er" does not exist (--role); nothing was touched' "  CREATE ROLE \"own-er\"; GRANT \"own-er\" TO $ROLE;"
  run --separate-stderr mig-apply "--role=${OWNER,,}" plan.rec
  assert_code 78
  says "Did you mean \"$OWNER\"? Names of roles are case-sensitive here."
  run --separate-stderr mig-apply --dry-run --role="$OWNER" plan.rec
  assert_code 77
  says "error: the role $ROLE may not become \"$OWNER\" (--role): it is not a member; nothing was touched"
  run --separate-stderr mig-apply --role="$OWNER" plan.rec
  assert_code 77
  assert_equal "$(relations_of_schema)" ''
  sql_admin "$(grep -o 'GRANT .*;$' <<<"$stderr")"
  if (($(sql_admin 'SHOW server_version_num') >= 160000)); then
    sql_admin "GRANT \"$OWNER\" TO \"$ROLE\" WITH SET FALSE"
    run --separate-stderr mig-apply --role="$OWNER" plan.rec
    assert_code 77
    says "it is a member without the right to SET ROLE; nothing was touched"
    sql_admin "$(grep -o 'GRANT .*;$' <<<"$stderr")"
  fi
  MIG_ROLE=$OWNER run --separate-stderr mig-apply plan.rec
  assert_code 0
  assert_equal "$(not_of_owner)" ''
}
relations_of_schema() { sql_admin "SELECT relname FROM pg_class WHERE relnamespace = '$S'::regnamespace"; }

@test "--role=none overrides MIG_ROLE, and a name that the server would cut off is refused" {
  MIG_ROLE=nobody_here
  export MIG_ROLE
  run --separate-stderr mig-apply --role= /dev/null
  assert_code 64
  run --separate-stderr mig-apply --role="$(printf 'x%.0s' {1..64})" /dev/null
  assert_code 64
  says '--role: a name has at most 63 bytes, and this one has 64'
  migration 1_a 'CREATE TABLE a ();'
  pipeline apply: --role=none
  assert_code 0
  pipeline plan: --allow=not_empty
  assert_code 0
}

@test "what the role may not do is found before anything runs, with the statement that lets it" {
  sql_admin "CREATE SCHEMA $S AUTHORIZATION \"$OWNER\"; CREATE TABLE $S.foreign_one (id int); CREATE INDEX f_i ON $S.foreign_one (id)"
  migration 1_first 'CREATE TABLE a ();'
  migration 2_alter 'CREATE TABLE owned (owner int, "ownerId" int); -- the owner
ALTER TABLE foreign_one ADD b int; DROP INDEX f_i;'
  deploys
  assert_code 77
  says "error: the role \"$OWNER\" is not the owner of $S.foreign_one, which prisma/migrations/2_alter/migration.sql:2:1 needs: that is postgres" \
    "  ALTER TABLE $S.foreign_one OWNER TO \"$OWNER\";    (nothing was touched)"
  assert_equal "$(relations_of_schema | sort)" $'f_i\nforeign_one'
  sql_admin "$(grep -o 'ALTER TABLE .*;' <<<"$stderr" | head -n 1)"
  deploys
  assert_code 0
  # and a schema that is to be made has to be the role's
  sql_admin "REVOKE CREATE ON DATABASE \"$PGDATABASE\" FROM \"$OWNER\"; GRANT CREATE ON DATABASE \"$PGDATABASE\" TO \"$DEPLOYER\""
  DATABASE_URL="$(database_url "$DEPLOYER")&schema=${S}_new" deploys
  sql_admin "GRANT CREATE ON DATABASE \"$PGDATABASE\" TO \"$OWNER\"; REVOKE CREATE ON DATABASE \"$PGDATABASE\" FROM \"$DEPLOYER\""
  assert_code 77
  says "the role \"$OWNER\" lacks a right: CREATE on database $PGDATABASE"
  sql_admin "REVOKE CREATE ON SCHEMA $S FROM \"$OWNER\"; ALTER SCHEMA $S OWNER TO postgres; GRANT USAGE ON SCHEMA $S TO \"$OWNER\""
  migration 3_create 'CREATE TABLE z ();'
  deploys
  assert_code 77
  says "the role \"$OWNER\" lacks a right: CREATE on $S"
  sql_admin "$(grep -o 'GRANT .*;' <<<"$stderr" | head -n 1)"
  deploys
  assert_code 0
}

@test "a plan that gives the rights itself is not refused for them" {
  sql_admin "CREATE SCHEMA $S AUTHORIZATION \"$OWNER\"; CREATE TABLE $S.given (id int)"
  role_new giver "SUPERUSER"
  DATABASE_URL="$(database_url "$ROLE")&schema=$S"
  migration 1_give "SET ROLE postgres; ALTER TABLE given OWNER TO \"$OWNER\"; SET ROLE \"$OWNER\"; ALTER TABLE given ADD b int;"
  deploys
  assert_code 0
  assert_equal "$(not_of_owner)" ''
}

@test "a history that is the login's stays with it: its rows are written as the login" {
  sql_admin "CREATE SCHEMA $S AUTHORIZATION \"$OWNER\"; GRANT CREATE, USAGE ON SCHEMA $S TO \"$DEPLOYER\""
  migration 0_before 'CREATE TABLE before ();'
  pipeline
  assert_code 0
  migration 1_a 'CREATE TABLE a (id int PRIMARY KEY);'
  migration 2_b 'CREATE TABLE b ();'
  migration 3_concurrently 'CREATE INDEX CONCURRENTLY a_id ON a (id);'
  migration 4_deferred <<-'SQL'
	CREATE TABLE c (id int, by name);
	CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE c SET by = current_user; RETURN NULL; END $$;
	CREATE CONSTRAINT TRIGGER t AFTER INSERT ON c DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();
	INSERT INTO c VALUES (1);
	SQL
  migration 5_fails 'CREATE UNIQUE INDEX CONCURRENTLY nope ON nowhere (id);'
  deploys -v
  assert_code 1
  says "the role $OWNER may not write the history: its rows are written as $DEPLOYER"
  assert_equal "$(applied_as_admin)" $'0_before\n1_a\n2_b\n3_concurrently\n4_deferred'
  assert_equal "$(sql_admin "SELECT by FROM $S.c")" "$OWNER"
  assert_equal "$(not_of_owner | grep -v -e _prisma_migrations -e before)" ''
  # nothing is left of the one that failed, so that nothing has to be resolved
  assert_equal "$(sql_admin "SELECT count(*) FROM $S._prisma_migrations WHERE finished_at IS NULL")" 0
}
applied_as_admin() { CLIENT_ROLE=postgres applied "$S"; }

@test "an interrupted migration resumes as the role, also in the middle of a script that had set another" {
  sql_admin "CREATE SCHEMA $S AUTHORIZATION \"$OWNER\""
  migration 1_a 'CREATE TABLE a (id int);'
  deploys
  migration 2_long "SET ROLE \"$OWNER\"; CREATE TABLE b (); COMMIT; CREATE INDEX CONCURRENTLY a_id ON a (id); CREATE TABLE c ();"
  session_begin CLIENT_ROLE=postgres "BEGIN; LOCK TABLE $S.a IN ROW EXCLUSIVE MODE"
  mig-scan | mig-plan -o plan.rec
  CLIENT_ROLE=postgres killed_in 'CREATE INDEX CONCURRENTLY' mig-apply --role "$OWNER" plan.rec
  session_end "$SESSION"
  deploys
  assert_code 0
  # the statements before it did not run again: CREATE TABLE b would have failed
  assert_equal "$(not_of_owner)" ''
  assert_equal "$(owned)" 6
}

@test "an attempt that met a busy table is repeated as the role" {
  sql_admin "CREATE SCHEMA $S AUTHORIZATION \"$OWNER\"; CREATE TABLE $S.busy (id int); ALTER TABLE $S.busy OWNER TO \"$OWNER\""
  migration 1_a 'CREATE TABLE a (); ALTER TABLE busy ADD b int;'
  session_begin CLIENT_ROLE=postgres "BEGIN; LOCK TABLE $S.busy"
  mig-scan | mig-plan --allow=not_empty -o plan.rec
  begin mig-apply --role "$OWNER" --wait=1min plan.rec
  eventually eval '[[ $(sql_admin "SELECT usename FROM pg_stat_activity WHERE application_name = '"'mig-apply watch'"' AND datname = current_database()") == "$DEPLOYER" ]]'
  session_end "$SESSION"
  finish
  assert_code 0
  assert_equal "$(not_of_owner)" ''
}

@test "a migration is taken back as the role, and marks are its as well" {
  mkdir -p prisma
  migration 1_a 'CREATE TABLE a ();'
  migration 2_b 'CREATE TABLE b ();'
  echo 'DROP TABLE b;' >prisma/migrations/2_b/down.sql
  deploys
  assert_code 0
  pipeline scan: plan: --down-to 1_a --allow=unverified_down apply: --role "$OWNER"
  assert_code 0
  assert_equal "$(relations_of_schema | grep -c '^[ab]$')" 1
  migration 3_c 'CREATE TABLE c ();'
  pipeline plan: --mark-applied 3_c apply: --role "$OWNER"
  assert_code 0
  assert_equal "$(not_of_owner)" ''
}

@test "a dry run sees who is in the way with the rights of the login, and changes nothing" {
  sql_admin "CREATE SCHEMA $S AUTHORIZATION \"$OWNER\""
  migration 1_a 'CREATE TABLE a ();'
  deploys --dry-run
  assert_code 0
  says 'dry run passed' 'checked: owners and rights of the 1 objects'
  assert_equal "$(relations_of_schema)" ''
}

@test "\$user in the search path: another schema for the role than for the login is refused" {
  sql_admin "CREATE SCHEMA \"$OWNER\" AUTHORIZATION \"$OWNER\"; CREATE SCHEMA \"$DEPLOYER\" AUTHORIZATION \"$OWNER\""
  DATABASE_URL=$(database_url "$DEPLOYER")
  migration 1_a 'CREATE TABLE a ();'
  deploys
  sql_admin "DROP SCHEMA \"$OWNER\"; DROP SCHEMA \"$DEPLOYER\""
  assert_code 78
  says "the search path of the role $OWNER begins with $OWNER, that of the login $DEPLOYER with $DEPLOYER; nothing was touched" \
    "add schema=$DEPLOYER to the parameters of the connection string"
}

@test "seeds are written as the role: triggers see it, policies are those for it, files that leave it do not matter" {
  sql_admin "CREATE SCHEMA $S AUTHORIZATION \"$OWNER\""
  migration 1_a <<-'SQL'
	CREATE TABLE a (id int PRIMARY KEY, t text, by name);
	CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.by := current_user; RETURN NEW; END $$;
	CREATE TRIGGER t BEFORE INSERT OR UPDATE ON a FOR EACH ROW EXECUTE FUNCTION note();
	CREATE TABLE hidden (id int PRIMARY KEY);
	ALTER TABLE hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	SQL
  deploys
  assert_code 0
  mkdir seeds
  printf 'id,t\n1,one\n' >seeds/a.csv
  printf 'SET ROLE "%s";\nRESET ROLE;\n' "$DEPLOYER" >seeds/1_leaves.sql
  printf 'CREATE TABLE made_by_seed (); RESET ROLE;\n' >seeds/2_makes.sql
  seed --role "$OWNER" seeds
  assert_code 0
  says "user $DEPLOYER, role $OWNER"
  assert_equal "$(sql_admin "SELECT id, t, by FROM $S.a")" "1|one|$OWNER"
  assert_equal "$(not_of_owner)" ''
  rm seeds/*
  printf 'id\n1\n' >seeds/hidden.csv
  seed --role "$OWNER" seeds
  assert_code 77
  says "Row level security hides rows of $S.hidden from the role \"$OWNER\""
  mkdir out
  MIG_ROLE=$OWNER seed --export --into=out a
  assert_code 0
  assert_equal "$(<out/a.csv)" $'id,t,by\n1,one,"'"$OWNER"'"' || assert_equal "$(<out/a.csv)" $'id,t,by\n1,one,'"$OWNER"
}

@test "the script for psql runs as the role that is set in front of it" {
  sql_admin "CREATE SCHEMA $S AUTHORIZATION \"$OWNER\""
  migration 1_a 'CREATE TABLE a (); BEGIN; CREATE TABLE b (); COMMIT;'
  mig-scan | mig-plan --format=sql >deploy.sql
  run client psql -X "$(database_url "$DEPLOYER")" -v ON_ERROR_STOP=1 -c "SET ROLE \"$OWNER\"" -f deploy.sql
  assert_code 0
  assert_equal "$(not_of_owner)" ''
  assert_equal "$(owned)" 4
}

@test "the launcher passes --role to those that have it" {
  run --separate-stderr mig deploy --role nobody_here --from-empty </dev/null
  [[ $status == 78 ]] || {
    migration 1_a 'CREATE TABLE a ();'
    run --separate-stderr mig deploy --role nobody_here
    assert_code 78
  }
  says 'does not exist (--role)'
  run --separate-stderr mig plan --role x
  assert_code 64
  says 'mig plan has no option --role; mig-apply has it'
}

# grants SECTION: the statements of the page below this mark, with this database and roles of its own
grants() {
  sed -n "/^\.\\\\\" $1\$/,/^\.\\\\\" end/p" "$TESTS/../man/mig-cookbook.7" | grep -v '^\.' |
    sed "s/shop_\([a-z]*\)/\"shop_\1_$PGDATABASE\"/g; s/database shop /database \"$PGDATABASE\" /; s/owned by shop /owned by \"shop_$PGDATABASE\" /"
}
as() { DATABASE_URL=$(database_url "shop_$1_$KIT") "${@:2}"; }

@test "the GRANTs of the manual suffice for each role, and give no more" {
  untrapped
  database_new
  export KIT=$PGDATABASE
  grants ROLES >grants.sql
  assert_equal "$(grep -c ';$' grants.sql)" 15
  # as on a host, where nobody is a superuser
  role_new admin CREATEROLE
  roles+=("shop_deploy_$KIT" "shop_read_$KIT" "shop_seed_$KIT" "shop_app_$KIT" "shop_$KIT" "shop_owner_$KIT")
  sql_admin "ALTER DATABASE \"$KIT\" OWNER TO \"$ROLE\"; ALTER SCHEMA public OWNER TO \"$ROLE\"; GRANT pg_monitor TO \"$ROLE\" WITH ADMIN OPTION"
  CLIENT_ROLE=$ROLE sql <grants.sql
  sql_admin "CREATE ROLE \"shop_$KIT\"; GRANT CREATE ON SCHEMA public TO \"shop_$KIT\"; SET ROLE \"shop_$KIT\"; CREATE TABLE earlier ()"
  sql_admin "$(grants 'ROLES hand over')"
  migration 1_plan 'CREATE TABLE "Plan" (id serial PRIMARY KEY, name text UNIQUE NOT NULL); ALTER TABLE earlier ADD id int;'
  migration 2_user 'CREATE TABLE "User" (id serial PRIMARY KEY, plan int REFERENCES "Plan" (id));'
  mkdir seeds
  printf 'name\nfree\n' >seeds/Plan.csv
  printf '[Plan]\nkey = name\n' >seeds/seed.conf

  as deploy pipeline plan: --allow=not_empty apply: --role "shop_owner_$KIT"
  assert_code 0
  assert_equal "$(sql_admin "SELECT DISTINCT relowner::regrole FROM pg_class WHERE relnamespace = 'public'::regnamespace")" "shop_owner_$KIT"
  CLIENT_ROLE=shop_deploy_$KIT sql "$(grants 'ROLES after the first deploy')"

  as read run --separate-stderr bash -c 'mig-scan | mig-check history database'
  assert_code 0
  as read run --separate-stderr mig-scan --catalog
  assert_code 0
  as seed run --separate-stderr mig-seed seeds
  assert_code 0
  assert_equal "$(sql_admin 'SELECT name FROM "Plan"')" free
  CLIENT_ROLE=shop_app_$KIT sql 'INSERT INTO "User" (plan) SELECT id FROM "Plan"; UPDATE "User" SET plan = NULL; DELETE FROM "User"'

  migration 3_later 'ALTER TABLE "User" ADD name text;'
  as deploy pipeline apply: --role "shop_owner_$KIT"
  assert_code 0
  migration 4_last 'ALTER TABLE "User" ADD email text;'
  as read mig-scan | mig-plan -q -o plan.rec
  local role
  for role in read seed app; do
    as "$role" run --separate-stderr mig-apply --role "shop_owner_$KIT" plan.rec
    assert_code 77
    run ! eval "CLIENT_ROLE=shop_${role}_$KIT sql 'ALTER TABLE \"User\" ADD x int' 2>/dev/null"
    run ! eval "CLIENT_ROLE=shop_${role}_$KIT sql 'CREATE TABLE x ()' 2>/dev/null"
  done
  run ! eval "CLIENT_ROLE=shop_read_$KIT sql 'INSERT INTO \"Plan\" (name) VALUES (1)' 2>/dev/null"
  run ! eval "CLIENT_ROLE=shop_read_$KIT sql 'SELECT FROM \"User\"' 2>/dev/null"
  run ! eval "CLIENT_ROLE=shop_seed_$KIT sql 'SELECT FROM \"User\"' 2>/dev/null"
  run ! eval "CLIENT_ROLE=shop_app_$KIT sql 'DELETE FROM _prisma_migrations' 2>/dev/null"
}

@test "mig-release passes --role on, and the commands that are printed have it" {
  sql_admin "CREATE SCHEMA $S AUTHORIZATION \"$OWNER\""
  migration 1_a 'CREATE TABLE a (id int PRIMARY KEY);'
  migration 2_bad 'CREATE TABLE b (id int PRIMARY KEY); SELECT 1/0;'
  mkdir seeds
  printf 'id\n1\n' >seeds/a.csv
  mig-scan | mig-plan -q -o plan.rec
  run --separate-stderr mig-apply --role "$OWNER" plan.rec
  assert_code 1
  says "mig-scan | mig-plan | mig-apply --role='$OWNER'"
  rm -r prisma/migrations/2_bad
  run --separate-stderr mig-release --yes --no-verify --role "$OWNER" --seed seeds
  assert_code 0
  assert_equal "$(sql_admin "SELECT count(*) FROM $S.a")" 1
  assert_equal "$(not_of_owner)" ''
}
