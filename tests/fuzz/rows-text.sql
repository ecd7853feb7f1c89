-- What is in the tables, a line a column: its type, how many rows, and a checksum of its values in the order of the key.
SET search_path = pg_catalog;
CREATE FUNCTION pg_temp.told(relation regclass, col name, key text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE said text;
BEGIN
  EXECUTE format('SELECT count(*) || '' '' || md5(coalesce(string_agg(coalesce(%1$I::text, ''-''), '','' ORDER BY %2$s, %1$I::text), '''')) FROM %3$s', col, key, relation) INTO said;
  RETURN said;
END $$;
SELECT c.relname || '.' || a.attname || '|' || format_type(a.atttypid, a.atttypmod) || '|' || pg_temp.told(c.oid, a.attname,
    coalesce((SELECT string_agg(quote_ident(k.attname) || '::text', ', ' ORDER BY k.attname) FROM pg_index i JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = ANY (i.indkey) WHERE i.indrelid = c.oid AND i.indisprimary), '1'))
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname !~ '^_prisma_migrations' ORDER BY c.relname COLLATE "C", a.attname COLLATE "C";
