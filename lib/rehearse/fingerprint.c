#include "rehearse/fingerprint.h"

#include <string.h>

#include "base/bytes.h"
#include "migrations/history.h"
#include "rehearse/column_options.h"

#define NO_OBJECT ", NULL, NULL, NULL, NULL, NULL, NULL, NULL"
/* A name with its schema where that is not public. */
#define NAME(schema, name) "CASE WHEN " schema " = 'public' THEN '' ELSE " schema " || '.' END || " name
/* Rights, also where they are the default ones that are not written down. */
#define RIGHTS(acl, kind, owner) \
	"(SELECT 'rights ' || string_agg(x::text, ' ' ORDER BY x::text COLLATE \"C\") FROM unnest(coalesce(" acl ", acldefault(" kind ", " owner "))) x)"
/* Objects of extensions come and go with these. */
#define NO_EXTENSIONS(catalog, id) \
	" AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_catalog." catalog "'::regclass AND x.objid = " id " AND x.deptype = 'e') "

static const char relations_sql[] =
    "SELECT CASE c.relkind WHEN 'r' THEN 'table ' WHEN 'p' THEN 'partitioned table ' WHEN 'v' THEN 'view ' "
    "WHEN 'm' THEN 'materialized view ' WHEN 'S' THEN 'sequence ' WHEN 'f' THEN 'foreign table ' ELSE 'type ' END || c.title, "
    "concat_ws('; ', CASE c.relpersistence WHEN 'u' THEN 'unlogged' END, "
    "CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END, "
    "CASE WHEN c.relrowsecurity THEN 'row security' END, CASE WHEN c.relforcerowsecurity THEN 'row security forced' END, "
    "CASE WHEN c.relreplident <> 'd' AND c.relkind <> 'm' AND c.relkind <> 'v' AND c.relkind <> 'S' AND c.relkind <> 'c' THEN 'replica identity ' || c.relreplident::text END, "
    "'options ' || array_to_string(c.reloptions, ','), pg_get_expr(c.relpartbound, c.oid), "
    "CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END, "
    "(SELECT 'of ' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid), "
    "(SELECT 'tablespace ' || s.spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace), "
    "(SELECT 'method ' || m.amname FROM pg_am m WHERE m.oid = c.relam AND m.amname <> 'heap'), "
    "(SELECT concat_ws(' ', 'sequence', format_type(q.seqtypid, NULL), q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, q.seqcycle) "
    "FROM pg_sequence q WHERE q.seqrelid = c.oid), "
    "(SELECT 'owned by ' || d.refobjid::regclass::text || '.' || a.attname FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid "
    "AND a.attnum = d.refobjsubid WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i') LIMIT 1), "
    "(SELECT '(' || string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum) || ')' FROM pg_attribute a "
    "WHERE c.relkind = 'c' AND a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), "
    "'owner ' || pg_get_userbyid(c.relowner), "
    RIGHTS("c.relacl", "CASE c.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r'::\"char\" END", "c.relowner") "), "
    "c.schema, CASE WHEN c.relkind IN ('r', 'p') THEN c.name END, NULL, c.oid::text, NULL, NULL, NULL "
    "FROM r c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')";

static const char columns_sql[] =
    "SELECT 'column ' || a.attname || ' of ' || c.title, concat_ws('; ', format_type(a.atttypid, a.atttypmod), "
    "CASE WHEN a.attnotnull THEN 'not null' END, CASE WHEN NOT a.attislocal THEN 'inherited' END, "
    "CASE WHEN a.attgenerated <> '' THEN 'generated ' ELSE 'default ' END || pg_get_expr(d.adbin, d.adrelid), "
    "CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END, "
    "(SELECT 'collation ' || a.attcollation::regcollation::text FROM pg_type t WHERE t.oid = a.atttypid AND t.typcollation <> a.attcollation), "
    "'options ' || " COLUMN_OPTIONS ", 'storage ' || nullif(a.attstorage, (SELECT t.typstorage FROM pg_type t WHERE t.oid = a.atttypid))::text, "
    "CASE WHEN a.attstattarget >= 0 THEN 'statistics ' || a.attstattarget END, 'rights ' || a.attacl::text), "
    "c.schema, CASE WHEN c.relkind IN ('r', 'p') THEN c.name END, a.attname::text, c.oid::text, a.attnum::text, format_type(a.atttypid, a.atttypmod), "
    "CASE WHEN a.attgenerated = '' AND pg_get_expr(d.adbin, d.adrelid) !~* '\\(|current_|localtime|user' THEN pg_get_expr(d.adbin, d.adrelid) END "
    "FROM r c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')";

static const char others_sql[] =
    "SELECT 'schema ' || n.nspname, concat_ws('; ', 'owner ' || pg_get_userbyid(n.nspowner), " RIGHTS("n.nspacl", "'n'", "n.nspowner") ")" NO_OBJECT
    " FROM n UNION ALL "
    "SELECT 'index ' || i.title, concat_ws('; ', pg_get_indexdef(i.oid), CASE WHEN NOT x.indisvalid THEN 'invalid' END, "
    "CASE WHEN x.indisprimary THEN 'primary' END, CASE WHEN x.indisreplident THEN 'replica identity' END, CASE WHEN x.indisclustered THEN 'clustered' END, "
    "(SELECT 'of ' || h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = i.oid), "
    "(SELECT 'tablespace ' || s.spcname FROM pg_tablespace s WHERE s.oid = i.reltablespace))" NO_OBJECT
    " FROM r i JOIN pg_index x ON x.indexrelid = i.oid UNION ALL "
    "SELECT 'constraint ' || k.conname || ' of ' || c.title, concat_ws('; ', pg_get_constraintdef(k.oid), "
    "CASE WHEN NOT k.convalidated THEN 'not valid' END, CASE WHEN NOT k.conislocal THEN 'inherited' END)" NO_OBJECT
    " FROM r c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype <> 'n' UNION ALL "
    "SELECT 'constraint ' || k.conname || ' of ' || " NAME("n.nspname", "t.typname") ", concat_ws('; ', pg_get_constraintdef(k.oid), "
    "CASE WHEN NOT k.convalidated THEN 'not valid' END)" NO_OBJECT
    " FROM pg_type t JOIN n ON n.oid = t.typnamespace JOIN pg_constraint k ON k.contypid = t.oid AND k.contype <> 'n' UNION ALL "
    "SELECT CASE t.typtype WHEN 'e' THEN 'enum ' WHEN 'd' THEN 'domain ' ELSE 'type ' END || " NAME("n.nspname", "t.typname") ", concat_ws('; ', "
    "(SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), "
    "CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault, "
    "'owner ' || pg_get_userbyid(t.typowner), " RIGHTS("t.typacl", "'T'", "t.typowner") ")" NO_OBJECT
    " FROM pg_type t JOIN n ON n.oid = t.typnamespace WHERE t.typtype IN ('e', 'd', 'r')" NO_EXTENSIONS("pg_type", "t.oid") "UNION ALL "
    "SELECT 'trigger ' || g.tgname || ' of ' || c.title, pg_get_triggerdef(g.oid) || '; ' || g.tgenabled::text" NO_OBJECT
    " FROM r c JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal UNION ALL "
    "SELECT 'rule ' || w.rulename || ' of ' || c.title, pg_get_ruledef(w.oid) || '; ' || w.ev_enabled::text" NO_OBJECT
    " FROM r c JOIN pg_rewrite w ON w.ev_class = c.oid AND w.rulename <> '_RETURN' UNION ALL "
    "SELECT 'policy ' || p.polname || ' of ' || c.title, concat_ws('; ', p.polcmd, p.polpermissive, "
    "(SELECT string_agg(CASE WHEN o = 0 THEN 'public' ELSE pg_get_userbyid(o) END, ', ' ORDER BY o) FROM unnest(p.polroles) o), "
    "'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid))" NO_OBJECT
    " FROM r c JOIN pg_policy p ON p.polrelid = c.oid UNION ALL "
    "SELECT 'statistics ' || s.stxname, pg_get_statisticsobjdef(s.oid)" NO_OBJECT
    " FROM n JOIN pg_statistic_ext s ON s.stxnamespace = n.oid UNION ALL "
    "SELECT 'function ' || " NAME("n.nspname", "p.proname") " || '(' || pg_get_function_identity_arguments(p.oid) || ')', concat_ws('; ', "
    "CASE WHEN p.prokind = 'a' THEN p.prosrc ELSE 'body ' || md5(pg_get_functiondef(p.oid)) END, 'owner ' || pg_get_userbyid(p.proowner), "
    RIGHTS("p.proacl", "'f'", "p.proowner") ")" NO_OBJECT
    " FROM n JOIN pg_proc p ON p.pronamespace = n.oid WHERE true" NO_EXTENSIONS("pg_proc", "p.oid") "UNION ALL "
    "SELECT 'operator ' || o.oid::regoperator::text, o.oprcode::regprocedure::text" NO_OBJECT
    " FROM n JOIN pg_operator o ON o.oprnamespace = n.oid WHERE true" NO_EXTENSIONS("pg_operator", "o.oid") "UNION ALL "
    "SELECT 'extension ' || e.extname, concat_ws(' ', e.extversion, 'in', e.extnamespace::regnamespace::text)" NO_OBJECT " FROM pg_extension e UNION ALL "
    "SELECT 'cast ' || w.identity, k.castfunc::regprocedure::text || k.castcontext::text" NO_OBJECT
    " FROM pg_cast k CROSS JOIN LATERAL pg_identify_object('pg_cast'::regclass, k.oid, 0) w WHERE k.oid >= 16384" NO_EXTENSIONS("pg_cast", "k.oid") "UNION ALL "
    "SELECT w.type || ' ' || w.identity, NULL" NO_OBJECT " FROM (SELECT 'pg_collation'::regclass AS class, oid AS id FROM pg_collation UNION ALL "
    "SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict UNION ALL "
    "SELECT 'pg_opclass'::regclass, oid FROM pg_opclass UNION ALL SELECT 'pg_opfamily'::regclass, oid FROM pg_opfamily UNION ALL "
    "SELECT 'pg_language'::regclass, oid FROM pg_language UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server UNION ALL "
    "SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion UNION ALL "
    "SELECT 'pg_am'::regclass, oid FROM pg_am) o CROSS JOIN LATERAL pg_identify_object(o.class, o.id, 0) w WHERE o.id >= 16384 AND NOT EXISTS (SELECT FROM pg_depend x "
    "WHERE x.classid = o.class AND x.objid = o.id AND x.deptype = 'e') UNION ALL "
    "SELECT 'settings of the database', array_to_string(s.setconfig, ', ')" NO_OBJECT " FROM pg_db_role_setting s JOIN pg_database b ON b.oid = s.setdatabase "
    "WHERE b.datname = current_database() AND s.setrole = 0 UNION ALL "
    "SELECT 'publication ' || p.pubname, concat_ws(' ', p.puballtables, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, "
    "(SELECT string_agg(x.prrelid::regclass::text, ', ' ORDER BY x.prrelid::regclass::text COLLATE \"C\") FROM pg_publication_rel x WHERE x.prpubid = p.oid))"
    NO_OBJECT " FROM pg_publication p UNION ALL "
    "SELECT 'event trigger ' || v.evtname, concat_ws(' ', v.evtevent, v.evtfoid::regproc::text, v.evtenabled, v.evttags)" NO_OBJECT " FROM pg_event_trigger v UNION ALL "
    "SELECT 'default privileges of ' || pg_get_userbyid(a.defaclrole), concat_ws(' ', a.defaclnamespace, a.defaclobjtype, a.defaclacl)" NO_OBJECT
    " FROM pg_default_acl a UNION ALL "
    "SELECT 'comment on ' || pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description" NO_OBJECT
    " FROM pg_description d WHERE d.objoid >= 16384 AND d.classoid <> 'pg_catalog.pg_extension'::regclass"
    " AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = d.classoid AND x.objid = d.objoid AND x.deptype = 'e')";

enum db_outcome
fingerprint_take(struct db *db, struct answer **fingerprint)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	bytes_str(&sql, "WITH n AS MATERIALIZED (SELECT * FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'), "
	                "r AS MATERIALIZED (SELECT c.*, n.nspname::text AS schema, c.relname::text AS name, "
	                NAME("n.nspname", "c.relname") " AS title FROM pg_class c JOIN n ON n.oid = c.relnamespace "
	                "WHERE c.relname <> '" HISTORY_TABLE "'" NO_EXTENSIONS("pg_class", "c.oid") ") "
	                "SELECT * FROM (");
	bytes_str(&sql, relations_sql);
	bytes_str(&sql, " UNION ALL ");
	bytes_str(&sql, columns_sql);
	bytes_str(&sql, " UNION ALL ");
	bytes_str(&sql, others_sql);
	bytes_str(&sql, ") all_of_it (object, how) ORDER BY object COLLATE \"C\", how COLLATE \"C\"");
	outcome = db_query_ours(db, fingerprint, sql.data, 0, NULL);
	bytes_free(&sql);
	return outcome;
}

/* --- comparing --- */

enum { TOLD = 5, SHOWN = 100 };

/* How many bytes are shown of a text, none of them half a character. */
static int
shown(const char *text)
{
	size_t len = strlen(text);

	return (int)(utf8_count(text, len) > SHOWN ? utf8_offset(text, len, SHOWN) : len);
}

/* One more difference; on one line, and not longer than it can be read. */
static void
add(struct bytes *out, size_t *count, const char *word, const char *object, const char *is, const char *was)
{
	size_t from = out->len, i;

	if (++*count > TOLD)
		return;
	if (*count > 1)
		bytes_str(out, "; ");
	if (is == NULL)
		bytes_format(out, "%s %s", word, object);
	else
		bytes_format(out, "%s is %.*s, was %.*s", object, shown(is), is, shown(was), was);
	for (i = from; i < out->len; i++)
		if ((unsigned char)out->data[i] < ' ')
			out->data[i] = ' ';
}

bool
fingerprint_equal(const struct answer *was, const struct answer *is, struct bytes *out)
{
	size_t i = 0, k = 0, count = 0;

	while (i < answer_rows(was) || k < answer_rows(is)) {
		int c = i == answer_rows(was) ? 1 : k == answer_rows(is) ? -1
		    : strcmp(answer_word(was, i, FINGERPRINT_OBJECT), answer_word(is, k, FINGERPRINT_OBJECT));

		if (c < 0)
			add(out, &count, "missing", answer_word(was, i, FINGERPRINT_OBJECT), NULL, NULL);
		else if (c > 0)
			add(out, &count, "left over", answer_word(is, k, FINGERPRINT_OBJECT), NULL, NULL);
		else if (strcmp(answer_word(was, i, FINGERPRINT_HOW), answer_word(is, k, FINGERPRINT_HOW)) != 0)
			add(out, &count, "", answer_word(was, i, FINGERPRINT_OBJECT), answer_word(is, k, FINGERPRINT_HOW), answer_word(was, i, FINGERPRINT_HOW));
		i += c <= 0;
		k += c >= 0;
	}
	if (count > TOLD)
		bytes_format(out, "; and %zu more", count - TOLD);
	return count == 0;
}

int
fingerprint_same(const struct answer *here, size_t row, const struct answer *there)
{
	const char *id = answer_word(here, row, FINGERPRINT_ID), *number = answer_text(here, row, FINGERPRINT_NUMBER);
	size_t i;

	for (i = 0; i < answer_rows(there); i++) {
		const char *other = answer_text(there, i, FINGERPRINT_NUMBER);

		if (answer_text(there, i, FINGERPRINT_RELATION) != NULL && strcmp(answer_word(there, i, FINGERPRINT_ID), id) == 0 &&
		    (number == NULL) == (other == NULL) && (number == NULL || strcmp(number, other) == 0))
			return (int)i;
	}
	return -1;
}
