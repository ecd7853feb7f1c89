-- What a database is made of, a line an object, whoever made it and in which order: for comparisons on servers that no pg_dump here can read.
-- Nothing of it is mig's.  Neither the order of columns nor rows of tables are told.
SET search_path = pg_catalog;
WITH space AS (
  SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), relation AS (
  SELECT c.* FROM pg_class c JOIN space s ON s.oid = c.relnamespace WHERE c.relname !~ '^_prisma_migrations'
), own AS ( -- not of an extension
  SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), rights (classid, objid, objsubid, owner, acl) AS (
  SELECT 'pg_class'::regclass, oid, 0, relowner, coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)) FROM relation WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  UNION ALL SELECT 'pg_class'::regclass, a.attrelid, a.attnum, c.relowner, a.attacl FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT 'pg_proc'::regclass, p.oid, 0, proowner, coalesce(proacl, acldefault('f', proowner)) FROM pg_proc p JOIN space s ON s.oid = pronamespace
  UNION ALL SELECT 'pg_type'::regclass, t.oid, 0, typowner, coalesce(typacl, acldefault('T', typowner)) FROM pg_type t JOIN space s ON s.oid = typnamespace WHERE typtype IN ('e', 'd', 'r') OR (typtype = 'c' AND typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c'))
  UNION ALL SELECT 'pg_namespace'::regclass, n.oid, 0, nspowner, coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace n JOIN space USING (oid)
)
SELECT line FROM (
SELECT kind || ' ' || name || ' ' || regexp_replace(coalesce(said, ''), '\s+', ' ', 'g') AS line FROM (
  SELECT 'relation', c.oid::regclass::text, concat_ws(', ', c.relkind, c.relpersistence, c.reloptions::text, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relispartition, am.amname, t.spcname,
    pg_get_expr(c.relpartbound, c.oid), CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END, CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
    (SELECT string_agg(inhparent::regclass::text, ',' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = c.oid))
    FROM relation c LEFT JOIN pg_am am ON am.oid = c.relam LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.relkind NOT IN ('t', 'i', 'I')
  UNION ALL SELECT 'column', c.oid::regclass || '.' || quote_ident(a.attname), concat_ws(', ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid),
    a.attcollation::regcollation, a.attstorage, a.attcompression, nullif(a.attstattarget, -1), (SELECT string_agg(o, ',' ORDER BY o) FROM unnest(a.attoptions) o WHERE o !~ '^pg_'), a.attislocal, a.attinhcount)
    FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  UNION ALL SELECT 'constraint', coalesce(nullif(k.conrelid, 0)::regclass::text, nullif(k.contypid, 0)::regtype::text) || '.' || quote_ident(k.conname),
    concat_ws(', ', k.contype, pg_get_constraintdef(k.oid), k.convalidated, k.conislocal, k.coninhcount, k.connoinherit, nullif(k.conindid, 0)::regclass::text)
    FROM pg_constraint k JOIN space s ON s.oid = k.connamespace WHERE k.conname !~ '^_prisma_migrations'
  UNION ALL SELECT 'index', i.indexrelid::regclass::text, concat_ws(', ', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisclustered, i.indisreplident, c.relkind, c.reloptions::text, t.spcname,
    (SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = c.oid))
    FROM relation c JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.relkind IN ('i', 'I')
  UNION ALL SELECT 'type', t.oid::regtype::text, concat_ws(', ', t.typtype, t.typbasetype::regtype, t.typnotnull, t.typdefault, t.typcollation::regcollation,
    (SELECT string_agg(quote_literal(enumlabel), ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid), (SELECT rngsubtype::regtype::text FROM pg_range WHERE rngtypid = t.oid))
    FROM pg_type t JOIN space s ON s.oid = t.typnamespace WHERE t.typtype IN ('e', 'd', 'r')
  UNION ALL SELECT 'function', p.oid::regprocedure::text, CASE p.prokind WHEN 'a' THEN (SELECT concat_ws(', ', aggtransfn, aggfinalfn, aggtranstype::regtype, agginitval, aggcombinefn) FROM pg_aggregate WHERE aggfnoid = p.oid) ELSE pg_get_functiondef(p.oid) END
    FROM pg_proc p JOIN space s ON s.oid = p.pronamespace
  UNION ALL SELECT 'trigger', g.tgrelid::regclass || '.' || quote_ident(g.tgname), concat_ws(', ', pg_get_triggerdef(g.oid), g.tgenabled) FROM pg_trigger g JOIN relation c ON c.oid = g.tgrelid WHERE NOT g.tgisinternal
  UNION ALL SELECT 'rule', r.ev_class::regclass || '.' || quote_ident(r.rulename), concat_ws(', ', pg_get_ruledef(r.oid), r.ev_enabled) FROM pg_rewrite r JOIN relation c ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN'
  UNION ALL SELECT 'policy', p.polrelid::regclass || '.' || quote_ident(p.polname), concat_ws(', ', p.polcmd, p.polpermissive, p.polroles::regrole[]::text, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) FROM pg_policy p JOIN relation c ON c.oid = p.polrelid
  UNION ALL SELECT 'sequence', q.seqrelid::regclass::text, concat_ws(', ', q.seqtypid::regtype, q.seqstart, q.seqincrement, q.seqmax, q.seqmin, q.seqcache, q.seqcycle,
    (SELECT pg_describe_object(refclassid, refobjid, refobjsubid) FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = q.seqrelid AND deptype IN ('a', 'i'))) FROM pg_sequence q JOIN relation c ON c.oid = q.seqrelid
  UNION ALL SELECT 'statistics', quote_ident(s.nspname) || '.' || quote_ident(x.stxname), pg_get_statisticsobjdef(x.oid) FROM pg_statistic_ext x JOIN space s ON s.oid = x.stxnamespace
  UNION ALL SELECT 'extension', extname, concat_ws(', ', extversion, nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace
  UNION ALL SELECT 'publication', quote_ident(p.pubname), concat_ws(', ', puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot, (SELECT string_agg(prrelid::regclass::text, ',' ORDER BY prrelid::regclass::text) FROM pg_publication_rel WHERE prpubid = p.oid)) FROM pg_publication p
  UNION ALL SELECT 'default rights', concat_ws(', ', defaclrole::regrole, nullif(defaclnamespace, 0)::regnamespace, defaclobjtype), (SELECT string_agg(a, ',' ORDER BY a) FROM unnest(defaclacl::text[]) a) FROM pg_default_acl
  UNION ALL SELECT 'event trigger', evtname, concat_ws(', ', evtevent, evtfoid::regprocedure, evtenabled, evttags::text) FROM pg_event_trigger
  UNION ALL SELECT 'cast', pg_describe_object('pg_cast'::regclass, oid, 0), concat_ws(', ', castcontext, castmethod) FROM pg_cast WHERE oid >= 16384
  UNION ALL SELECT 'operator', oid::regoperator::text, concat_ws(', ', oprcode, oprrest, oprjoin, oprcanmerge, oprcanhash) FROM pg_operator WHERE oid >= 16384
  UNION ALL SELECT 'collation', collname, concat_ws(', ', collprovider, collisdeterministic) FROM pg_collation WHERE oid >= 16384
  UNION ALL SELECT 'owner and rights', pg_describe_object(classid, objid, objsubid), owner::regrole || ': ' || (SELECT string_agg(a, ',' ORDER BY a) FROM unnest(acl::text[]) a) FROM rights WHERE acl IS NOT NULL AND acl <> '{}'
  UNION ALL SELECT 'comment', pg_describe_object(classoid, objoid, objsubid), description FROM pg_description WHERE objoid >= 16384
) x (kind, name, said)
) y ORDER BY line COLLATE "C";
RESET search_path;
