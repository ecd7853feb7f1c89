# shellcheck shell=bash
# An attacker's schema: whatever he may make in `public`, where everybody up to PostgreSQL 14 may CREATE, so that a name in
# a statement of ours means his. Each of his functions, operators and casts writes down who called it, and goes on as
# pg_catalog's would have or fails; his views stand where catalogs do.
#
#   traps_plant     in the current database, as the plain role `mallory`
#   traps_called    which of our statements fell into one in the current database: a line each

# Function names that stand in our sources, with the argument types at which no function of pg_catalog is an exact match; and
# the operators with the types that the catalogs, COPY and user's columns have.
traps_plant() {
  local names operators
  names=$(cat "$TESTS"/../lib/*/*.[ch] "$TESTS"/../tools/*.c | grep -o '[a-z_0-9]\+(' | tr -d '(' | sort -u | sed "s/.*/'&'/" | paste -sd,)
  operators="'=', '<>', '<', '>', '<=', '>=', '||', '+', '-', '/', '*', '->', '->>', '~', '!~', '~~', '!~~'"
  sql_admin "DO \$\$ BEGIN CREATE ROLE mallory; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END \$\$;
    GRANT CREATE, USAGE ON SCHEMA public TO mallory; GRANT CREATE ON DATABASE \"$PGDATABASE\" TO mallory"
  sql_admin <<SQL
SET client_min_messages = warning;
SET SESSION AUTHORIZATION mallory;
SET search_path = pg_catalog;
CREATE SCHEMA mallory;
-- not a table: what is called in a transaction that is rolled back, or READ ONLY, is to be seen too
CREATE FUNCTION mallory.called(what text) RETURNS int LANGUAGE plpgsql AS \$\$
BEGIN
  RAISE EXCEPTION 'TRAP: % as %', what, current_user;
END \$\$;
GRANT USAGE ON SCHEMA mallory TO PUBLIC;
DO \$\$
DECLARE
  f record; types text[] := ARRAY['name', 'varchar', 'bpchar', '"char"', 'text', 'oid', 'int2', 'int4', 'int8', 'regclass', 'regtype',
    'xid', 'tid', 'bool', 'json', 'jsonb', 'inet', 'timestamptz', 'timestamp', 'interval', 'numeric', 'float8', 'uuid', 'pg_lsn', 'bytea'];
  a text; b text;
BEGIN
  -- functions: every argument in turn of every type, where pg_catalog has none of just these
  FOR f IN SELECT DISTINCT p.proname, p.pronargs, p.proargtypes FROM pg_catalog.pg_proc p
      WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN ($names) AND p.pronargs BETWEEN 1 AND 4 AND p.prokind = 'f'
        AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proargtypes) t JOIN pg_catalog.pg_type y ON y.oid = t
          WHERE y.typname IN ('internal', 'cstring', 'trigger', 'opaque')) LOOP
    FOREACH a IN ARRAY types LOOP
      BEGIN
        EXECUTE pg_catalog.format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', f.proname,
          (SELECT pg_catalog.string_agg(CASE WHEN t.i = 1 THEN a ELSE CASE WHEN y.typtype = 'p' THEN a ELSE t.t::regtype::text END END, ', ' ORDER BY t.i)
            FROM pg_catalog.unnest(f.proargtypes::oid[]) WITH ORDINALITY t(t, i) JOIN pg_catalog.pg_type y ON y.oid = t.t),
          'text', pg_catalog.format('BEGIN PERFORM mallory.called(%L); END', f.proname || '(' || a || ')'));
      EXCEPTION WHEN OTHERS THEN NULL;
      END;
    END LOOP;
    IF f.pronargs = 2 THEN
      FOREACH a IN ARRAY types LOOP
        BEGIN
          EXECUTE pg_catalog.format('CREATE FUNCTION public.%I(%s, %s) RETURNS text LANGUAGE plpgsql AS %L', f.proname, a, a,
            pg_catalog.format('BEGIN PERFORM mallory.called(%L); END', f.proname || '(' || a || ', ' || a || ')'));
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
      END LOOP;
    END IF;
  END LOOP;
  -- the variadic ones
  FOR f IN VALUES ('format(text, name)'), ('format(text, name, name)'), ('concat(text, text)'), ('concat(name, text)'),
      ('concat_ws(text, text)'), ('concat_ws(text, name, name)'), ('concat_ws(text, text, text)'), ('num_nulls(text)'), ('num_nulls(int4)'),
      ('num_nulls(varchar)'), ('count(int4)'), ('count(text)'), ('count(timestamptz)'), ('to_json(text)'), ('to_json(int4)'), ('to_json(varchar)'),
      ('unnest(text[])'), ('unnest(int2[])'), ('unnest(oid[])'), ('unnest(int4[])'), ('cardinality(text[])'),
      ('array_agg(tid)'), ('array_agg(text)'), ('string_agg(text, text)'), ('min(name)'), ('max(int8)'), ('greatest(int4, int4)'), ('age(xid)') LOOP
    BEGIN
      EXECUTE pg_catalog.format('CREATE FUNCTION public.%s RETURNS text LANGUAGE plpgsql AS %L', f.column1,
        pg_catalog.format('BEGIN PERFORM mallory.called(%L); END', f.column1));
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  -- operators: every pair of types for which pg_catalog has none
  FOREACH a IN ARRAY types || ARRAY['text[]', 'name[]', 'int2[]', 'oid[]', 'varchar[]', 'int4[]'] LOOP
    FOREACH b IN ARRAY types || ARRAY['text[]', 'name[]', 'int2[]', 'oid[]', 'varchar[]', 'int4[]'] LOOP
      IF a <> b AND NOT (a IN ('oid', 'int2', 'int4', 'int8', 'regclass', 'name', 'varchar', 'bpchar', 'text', '"char"', 'numeric', 'json', 'timestamptz', 'float8', 'interval')
          AND b IN ('oid', 'int2', 'int4', 'int8', 'regclass', 'name', 'varchar', 'bpchar', 'text', '"char"', 'numeric', 'timestamptz', 'float8', 'interval')) THEN
        CONTINUE;
      END IF;
      BEGIN
        EXECUTE pg_catalog.format('CREATE FUNCTION mallory.op(%s, %s, OUT bool) LANGUAGE plpgsql AS %L', a, b,
          pg_catalog.format('BEGIN PERFORM mallory.called(%L); END', a || ' op ' || b));
      EXCEPTION WHEN OTHERS THEN NULL;
      END;
      FOR f IN SELECT o FROM pg_catalog.unnest(ARRAY[$operators]) o
          WHERE pg_catalog.to_regoperator('pg_catalog.' || o || '(' || a || ',' || b || ')') IS NULL LOOP
        BEGIN
          EXECUTE pg_catalog.format('CREATE OPERATOR public.%s (leftarg = %s, rightarg = %s, function = mallory.op)', f.o, a, b);
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
      END LOOP;
    END LOOP;
  END LOOP;
  -- catalogs, for a search path in which pg_catalog is not the first
  FOR f IN SELECT c.relname FROM pg_catalog.pg_class c WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v') LOOP
    EXECUTE pg_catalog.format('CREATE VIEW public.%I AS SELECT mallory.called(%L)', f.relname, f.relname);
  END LOOP;
  -- exact matches of his, for the same
  FOR f IN SELECT p.oid, p.proname FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f'
      AND p.proname IN ('now', 'clock_timestamp', 'current_setting', 'set_config', 'quote_ident', 'to_regclass', 'current_schema', 'to_char',
        'pg_try_advisory_lock', 'pg_advisory_unlock', 'pg_backend_pid', 'lower', 'upper', 'has_table_privilege') AND p.pronargs < 4 LOOP
    BEGIN
      EXECUTE pg_catalog.format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', f.proname,
        pg_catalog.pg_get_function_identity_arguments(f.oid), pg_catalog.pg_get_function_result(f.oid),
        pg_catalog.format('BEGIN PERFORM mallory.called(%L); END', f.proname));
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
END \$\$;
-- types named as pg_catalog's are, with casts, and a collation
CREATE TYPE public.text AS (x int); CREATE TYPE public.timestamptz AS (x int); CREATE TYPE public.regclass AS (x int);
CREATE TYPE public.oid AS (x int); CREATE TYPE public.name AS (x int); CREATE TYPE public.tid AS (x int);
CREATE FUNCTION mallory.cast(public.text) RETURNS pg_catalog.text LANGUAGE plpgsql AS
  'BEGIN PERFORM mallory.called(''a cast to text''); END';
CREATE CAST (public.text AS pg_catalog.text) WITH FUNCTION mallory.cast(public.text) AS IMPLICIT;
CREATE FUNCTION mallory.cast(pg_catalog.text) RETURNS public.text LANGUAGE plpgsql AS
  'BEGIN PERFORM mallory.called(''a cast from text''); END';
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
  grep "@$PGDATABASE mig-.*TRAP: " "$MIG_TEST_SERVER/server.log"
}
