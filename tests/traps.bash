# shellcheck shell=bash
# An attacker's schema: whatever he may make in `public`, where everybody up to PostgreSQL 14 may CREATE, so that a name in
# a statement of ours means his. Each of his functions, operators and casts does what pg_catalog's would have done, and the
# server's log says who called it, where that was one of our programs; his views stand where catalogs do.
#
#   traps_plant      in the current database, as the plain role `mallory`
#   traps_called     who fell into one in the current database: a line each, with the statement
#   traps_ours FILE DIR…    of those calls the ones in a statement of ours: what stands in no script and no test below DIR
#
# MIG_TEST_TRAPS=FILE: every database of every test has them (server.bash), and FILE is told of each call; `make check-traps`.

# Where `x` may be: every type of the catalogs, of COPY and of users' columns.
TRAP_TYPES="name varchar bpchar \"char\" text oid int2 int4 int8 regclass regtype regnamespace xid tid bool json jsonb inet timestamptz timestamp
  interval numeric float8 uuid pg_lsn bytea"
TRAP_ARRAYS='text[] name[] int2[] oid[] varchar[] int4[] "char"[]'
TRAP_OPERATORS='= <> < > <= >= || + - / * -> ->> ~ !~ ~~ !~~ @> <@ && ? #>>'
TRAP_AGGREGATES='count min max sum avg array_agg bool_or bool_and every json_agg jsonb_agg'

traps_plant() {
  local names root
  root=$(dirname "${BASH_SOURCE[0]}")
  [[ -z $(sql_admin "SELECT 1 FROM pg_namespace WHERE nspname = 'mallory'") ]] || return 0
  names=$(cat "$root"/../lib/*/*.[ch] "$root"/../tools/*.c | grep -o '[a-z_0-9]\+ *(' | tr -d ' (' | sort -u | sed "s/.*/'&'/" | paste -sd,)
  sql_admin "DO \$\$ BEGIN CREATE ROLE mallory; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END \$\$;
    GRANT CREATE, USAGE ON SCHEMA public TO mallory; GRANT CREATE ON DATABASE \"$PGDATABASE\" TO mallory"
  sql_admin <<SQL
SET client_min_messages = warning;
SET SESSION AUTHORIZATION mallory;
SET search_path = pg_catalog;
CREATE SCHEMA mallory;
GRANT USAGE ON SCHEMA mallory TO PUBLIC;
-- A line in the log and not in a table: what is called in a transaction that is rolled back, or READ ONLY, is to be seen too.
-- Behind so many functions of ours there is nobody's but the statement itself: what a user's function calls is his affair.
CREATE FUNCTION mallory.called(what text, ours int DEFAULT 2) RETURNS bool LANGUAGE plpgsql SET search_path = pg_catalog AS \$\$
DECLARE stack text;
BEGIN
  IF starts_with(current_setting('application_name'), 'mig-'::text) THEN
    GET DIAGNOSTICS stack = PG_CONTEXT;
    IF (SELECT count(*) FROM regexp_matches(stack, '^(PL/pgSQL|SQL) function (?!inline_code_block)', 'gn')) <= ours THEN
      RAISE LOG 'TRAP: % as %: %', what, current_user, regexp_replace(current_query(), '\s+', ' ', 'g');
    END IF;
  END IF;
  RETURN true;
END \$\$;

-- a function of his, if pg_catalog has an answer to those types: what it is given, it hands on
CREATE FUNCTION mallory.trap(name text, types text[]) RETURNS void LANGUAGE plpgsql AS \$\$
DECLARE result text; is_set bool; how text; given text; types_list text := array_to_string(types, ', ');
BEGIN
  EXECUTE format('SELECT pg_typeof((SELECT pg_catalog.%I(%s) LIMIT 0))', name, (SELECT string_agg('NULL::' || t, ', ') FROM unnest(types) t)) INTO result;
  IF result = 'record' THEN RETURN; END IF;
  SELECT bool_or(proretset), CASE WHEN bool_or(provolatile = 'v') THEN 'VOLATILE' WHEN bool_or(provolatile = 's') THEN 'STABLE' ELSE 'IMMUTABLE' END
    INTO is_set, how FROM pg_proc WHERE proname = name AND pronamespace = 'pg_catalog'::regnamespace;
  SELECT string_agg('\$' || n, ', ') INTO given FROM generate_series(1, cardinality(types)) n;
  EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s %s LANGUAGE plpgsql %s AS %L', name, types_list, CASE WHEN is_set THEN 'SETOF' END, result, how,
    format(CASE WHEN is_set THEN 'BEGIN PERFORM mallory.called(%L); RETURN QUERY SELECT pg_catalog.%I(%s); END'
      ELSE 'BEGIN PERFORM mallory.called(%L); RETURN pg_catalog.%I(%s); END' END, format('%s(%s)', name, types_list), name, given));
EXCEPTION WHEN OTHERS THEN NULL; -- pg_catalog has none, or it is there
END \$\$;

-- an operator of his, for the same
CREATE FUNCTION mallory.trap_operator(o text, a text, b text) RETURNS void LANGUAGE plpgsql AS \$\$
DECLARE result text;
BEGIN
  EXECUTE format('SELECT pg_typeof((SELECT NULL::%s OPERATOR(pg_catalog.%s) NULL::%s LIMIT 0))', a, o, b) INTO result;
  EXECUTE format('CREATE FUNCTION mallory.%I(%s, %s) RETURNS %s LANGUAGE plpgsql %s AS %L', o, a, b, result,
    CASE WHEN a ~ '^(time|interval)' AND a <> b THEN 'STABLE' ELSE 'IMMUTABLE' END,
    format('BEGIN PERFORM mallory.called(%L); RETURN \$1 OPERATOR(pg_catalog.%s) \$2; END', format('%s %s %s', a, o, b), o));
  EXECUTE format('CREATE OPERATOR public.%s (leftarg = %s, rightarg = %s, function = mallory.%I)', o, a, b, o);
EXCEPTION WHEN OTHERS THEN NULL;
END \$\$;

-- an aggregate of his: what it is given, it collects, and asks pg_catalog's in the end
CREATE FUNCTION mallory.trap_aggregate(name text, type text) RETURNS void LANGUAGE plpgsql AS \$\$
DECLARE result text;
BEGIN
  EXECUTE format('SELECT pg_typeof((SELECT pg_catalog.%I(NULL::%s) LIMIT 0))', name, type) INTO result;
  EXECUTE format('CREATE FUNCTION mallory.%I(%s[]) RETURNS %s LANGUAGE plpgsql AS %L', name, type, result,
    format('BEGIN PERFORM mallory.called(%L); RETURN (SELECT pg_catalog.%I(x) FROM pg_catalog.unnest(\$1) x); END', format('%s(%s)', name, type), name));
  EXECUTE format('CREATE AGGREGATE public.%I(%s) (sfunc = pg_catalog.array_append, stype = %s[], finalfunc = mallory.%I)', name, type, type, name);
EXCEPTION WHEN OTHERS THEN NULL;
END \$\$;

DO \$\$
DECLARE
  f record; a text; b text;
  types text[] := regexp_split_to_array('$TRAP_TYPES', '\s+');
  with_arrays text[] := types || regexp_split_to_array('$TRAP_ARRAYS', '\s+');
  operators text[] := regexp_split_to_array('$TRAP_OPERATORS', '\s+');
BEGIN
  -- each function that stands in our sources: the first argument of every type, and of two both; what is any type is that too
  FOR f IN SELECT DISTINCT p.proname, p.pronargs, p.proargtypes::oid[] AS args FROM pg_proc p
      WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN ($names) AND p.pronargs BETWEEN 1 AND 4 AND p.prokind = 'f'
        AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) t WHERE t IN ('internal'::regtype, 'cstring'::regtype)) LOOP
    FOREACH a IN ARRAY with_arrays LOOP
      PERFORM mallory.trap(f.proname, (SELECT array_agg(CASE WHEN t.i = 1 OR y.typtype = 'p' THEN a ELSE format_type(t.t, NULL) END ORDER BY t.i)
        FROM unnest(f.args) WITH ORDINALITY t(t, i) JOIN pg_type y ON y.oid = t.t));
      IF f.pronargs = 2 THEN
        PERFORM mallory.trap(f.proname, ARRAY[a, a]);
      END IF;
    END LOOP;
    -- and exactly as pg_catalog has it, for a search path in which that is not the first
    PERFORM mallory.trap(f.proname, (SELECT array_agg(format_type(t.t, NULL) ORDER BY t.i) FROM unnest(f.args) WITH ORDINALITY t(t, i)));
  END LOOP;
  -- the variadic ones
  FOREACH a IN ARRAY with_arrays LOOP
    PERFORM mallory.trap(v, ARRAY[a]) FROM unnest(ARRAY['num_nulls', 'num_nonnulls', 'concat']) v;
    PERFORM mallory.trap('format', ARRAY['text', a]), mallory.trap('format', ARRAY['text', a, a]), mallory.trap('concat', ARRAY[a, a]),
      mallory.trap('concat', ARRAY[a, 'text']), mallory.trap('concat_ws', ARRAY['text', a]), mallory.trap('concat_ws', ARRAY['text', a, a]);
    PERFORM mallory.trap_aggregate(v, a) FROM unnest(regexp_split_to_array('$TRAP_AGGREGATES', '\s+')) v;
  END LOOP;
  -- operators: every pair of types
  FOREACH a IN ARRAY with_arrays LOOP
    FOREACH b IN ARRAY with_arrays LOOP
      PERFORM mallory.trap_operator(o, a, b) FROM unnest(operators) o WHERE to_regoperator('pg_catalog.' || o || '(' || a || ',' || b || ')') IS NULL;
    END LOOP;
  END LOOP;
  -- catalogs, for a search path in which pg_catalog is not the first
  FOR f IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v') LOOP
    BEGIN
      EXECUTE format('CREATE VIEW public.%I AS SELECT * FROM pg_catalog.%I WHERE (SELECT mallory.called(%L, 1))', f.relname, f.relname, f.relname);
    EXCEPTION WHEN invalid_table_definition THEN -- a view can have no column of anyarray
      EXECUTE format('CREATE VIEW public.%I AS SELECT mallory.called(%L, 1)', f.relname, f.relname);
    END;
    EXECUTE format('GRANT SELECT ON public.%I TO PUBLIC', f.relname);
  END LOOP;
END \$\$;
-- types named as pg_catalog's are, with casts, and a collation
CREATE TYPE public.text AS (x int); CREATE TYPE public.timestamptz AS (x int); CREATE TYPE public.regclass AS (x int);
CREATE TYPE public.oid AS (x int); CREATE TYPE public.name AS (x int); CREATE TYPE public.tid AS (x int);
CREATE FUNCTION mallory.cast(public.text) RETURNS pg_catalog.text LANGUAGE plpgsql AS
  'BEGIN PERFORM mallory.called(''a cast to text''); RETURN (\$1).x; END';
CREATE CAST (public.text AS pg_catalog.text) WITH FUNCTION mallory.cast(public.text) AS IMPLICIT;
CREATE FUNCTION mallory.cast(pg_catalog.text) RETURNS public.text LANGUAGE plpgsql AS
  'BEGIN PERFORM mallory.called(''a cast from text''); RETURN ROW(1); END';
CREATE CAST (pg_catalog.text AS public.text) WITH FUNCTION mallory.cast(pg_catalog.text) AS IMPLICIT;
CREATE COLLATION public."C" (provider = libc, locale = 'C');
-- a history of his
CREATE TABLE mallory._prisma_migrations (id public.text, checksum public.text, migration_name public.text, logs public.text,
  started_at public.timestamptz, finished_at public.timestamptz, rolled_back_at public.timestamptz, applied_steps_count int);
GRANT ALL ON mallory._prisma_migrations TO PUBLIC;
INSERT INTO mallory._prisma_migrations (id) VALUES (ROW(1));
RESET SESSION AUTHORIZATION;
REVOKE CREATE ON SCHEMA public FROM mallory;
SQL
}

traps_called() {
  grep -a "@$PGDATABASE mig-.*LOG:  TRAP: " "$MIG_TEST_SERVER/server.log"
}

# What a user's own statement calls is his affair, and so is what his constraints and defaults call: a function or an
# operator that our text does not name, nor has a word for. The rights of the planter himself are none to gain.
traps_ours() {
  # shellcheck disable=SC2016
  perl -MFile::Find -e '
    my ($calls, @folders) = @ARGV;
    my $theirs = "";
    find(sub {
      return unless -f && /\.(sql|bats|bash)$|^[^.]+$/ && open(my $file, "<", $_);
      local $/;
      $theirs .= (<$file> =~ s/\s+/ /gr) . "\n";
    }, @folders);
    my %words = ("=" => qr/\b(IN|DISTINCT|NULLIF|CASE|USING)\b/i, "~~" => qr/\bLIKE\b/i, "!~~" => qr/\bLIKE\b/i,
      "<=" => qr/\bBETWEEN\b/i, ">=" => qr/\bBETWEEN\b/i, "<>" => qr/!=/);
    my $named = sub { # whether the text has the name of what was called: NAME(…), TYPE OPERATOR TYPE, a catalog
      my ($call, $text) = @_;
      my ($name) = $call =~ /^(\w+)\(/ ? $1 : $call =~ /^\S+ (\S+) \S+$/ ? $1 : $call =~ /^(\w+)$/ ? $1 : return 1;
      return index(lc $text, $name) >= 0 || exists $words{$name} && $text =~ $words{$name};
    };
    open(my $file, "<", $calls) or die "$calls: $!";
    while (<$file>) {
      next unless /@\S+ (mig-.*?): LOG:  TRAP: (.*?) as (\S+): (.*)/ && $1 ne "mig-nobody" && $3 ne "mallory";
      print "$1 called $2 as $3: $4\n" unless $seen{"$2 $4"}++ || index($theirs, $4) >= 0 || !$named->($2, $4);
    }' "$@"
}

# For server.bash: a database with them, which all others are made of.
traps_template() {
  PGDATABASE=postgres sql_admin 'CREATE DATABASE trapped TEMPLATE template0' &&
    PGDATABASE=trapped traps_plant &&
    PGDATABASE=trapped sql_admin <<'SQL' &&
-- of which mig-plan would warn
DROP TABLE mallory._prisma_migrations;
-- where nothing but a literal is given, as tests do, his are no better than pg_catalog's, and mean another
DO $$ DECLARE f text; BEGIN
  FOR f IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname IN ('nextval', 'setval', 'currval') LOOP
    EXECUTE format('DROP FUNCTION %s', f);
  END LOOP;
END $$;
SQL
    PGDATABASE=postgres sql_admin 'ALTER DATABASE trapped WITH IS_TEMPLATE true ALLOW_CONNECTIONS false'
}
