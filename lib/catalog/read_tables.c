/*
 * Reads the objects that Prisma sees: schemas, extensions, enums, tables with their columns, keys and indexes,
 * references.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "catalog/read_internal.h"

static const char *
text(struct reading_state *s, const struct answer *a, size_t row, int column)
{
	return catalog_text(s->catalog, answer_text(a, row, column));
}

/* --- namespaces, extensions, enums --- */

static void
take_namespaces(struct reading_state *s, const struct answer *a)
{
	size_t i;

	for (i = 0; i < answer_rows(a); i++)
		(void)catalog_add_namespace(s->catalog, answer_word(a, i, 0));
}

const struct read_part read_part_namespaces = { .sql = "SELECT n.nspname FROM pg_namespace n WHERE " READ_OURS,
	.take = take_namespaces,
	.kind = OBJECT_NAMESPACE };

static void
take_extensions(struct reading_state *s, const struct answer *a)
{
	size_t i;

	for (i = 0; i < answer_rows(a); i++) {
		struct extension *e = catalog_add_extension(s->catalog, answer_word(a, i, 0));

		e->schema = text(s, a, i, 1);
		e->version = text(s, a, i, 2);
		e->relocatable = answer_flag(a, i, 3);
	}
}

const struct read_part read_part_extensions = { .sql = "SELECT e.extname, n.nspname, e.extversion, e.extrelocatable FROM pg_extension e"
	                                          " JOIN pg_namespace n ON n.oid = e.extnamespace",
	.take = take_extensions,
	.kind = OBJECT_EXTENSION };

static void
take_enums(struct reading_state *s, const struct answer *a)
{
	const char **values = xcalloc(answer_rows(a) + 1, sizeof *values);
	size_t i, end;

	for (i = 0; i < answer_rows(a); i = end) {
		struct enum_type *e = catalog_add_enum(s->catalog, answer_word(a, i, 0), answer_word(a, i, 1));

		for (end = i; end < answer_rows(a) && strcmp(answer_word(a, end, 3), answer_word(a, i, 3)) == 0; end++)
			values[end - i] = answer_text(a, end, 2);
		e->values = catalog_list(s->catalog, values, values[0] == NULL ? 0 : end - i);
	}
	free(values);
}

const struct read_part read_part_enums = { .sql = "SELECT n.nspname, t.typname, v.enumlabel, t.oid FROM pg_type t"
	                                     " JOIN pg_namespace n ON n.oid = t.typnamespace"
	                                     " LEFT JOIN pg_enum v ON v.enumtypid = t.oid"
	                                     " WHERE t.typtype = 'e' AND " READ_OURS " ORDER BY t.oid, v.enumsortorder",
	.take = take_enums,
	.kind = OBJECT_ENUM };

/* --- relations --- */

static const char *
kind_of_relation(const char *relkind)
{
	return *relkind == 'p' ? RELATION_PARTITIONED : *relkind == 'f' ? RELATION_FOREIGN : RELATION_TABLE;
}

static void
take_relations(struct reading_state *s, const struct answer *a)
{
	size_t i;

	for (i = 0; i < answer_rows(a); i++) {
		struct relation *r = catalog_add_relation(s->catalog, answer_word(a, i, 0), answer_word(a, i, 1),
		    kind_of_relation(answer_word(a, i, 2)));

		r->is_unlogged = answer_flag(a, i, 3);
		r->row_security = text(s, a, i, 4);
		r->options = text(s, a, i, 5);
		r->definition = text(s, a, i, 6);
		r->is_extensions = answer_flag(a, i, 7);
	}
}

const struct read_part read_part_relations = {
	.sql = "SELECT n.nspname, c.relname, c.relkind, c.relpersistence = 'u',"
	       " CASE WHEN c.relforcerowsecurity AND c.relrowsecurity THEN 'forced' WHEN c.relrowsecurity THEN 'enabled' END,"
	       " nullif(array_to_string(c.reloptions, ', '), ''),"
	       " CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) WHEN 'f' THEN (SELECT format('SERVER %I', f.srvname)"
	       " || coalesce(' OPTIONS (' || array_to_string(t.ftoptions, ', ') || ')', '')"
	       " FROM pg_foreign_table t JOIN pg_foreign_server f ON f.oid = t.ftserver WHERE t.ftrelid = c.oid)"
	       " ELSE (SELECT 'INHERITS (' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) || ')'"
	       " FROM pg_inherits i WHERE i.inhrelid = c.oid) END,"
	       " " READ_EXTENSIONS("pg_class", "c.oid")
	       " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE " READ_TABLE,
	.take = take_relations,
	.kind = OBJECT_RELATION
};

/* --- indexes and keys --- */

enum { INDEX_SCHEMA, INDEX_RELATION, INDEX_NAME, INDEX_UNIQUE, INDEX_PRIMARY, INDEX_METHOD, INDEX_PREDICATE, INDEX_CONSTRAINT,
	INDEX_VALID, INDEX_DEFINITION, INDEX_KEY_DEFINITION, INDEX_OID, INDEX_COLUMN, INDEX_OPTION, INDEX_CLASS, INDEX_CLASS_DEFAULT };

/* Those whose operator classes count for Prisma. */
static bool
has_classes(const char *method)
{
	static const char *const methods[] = { "gist", "gin", "spgist", "brin" };
	size_t i;

	for (i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(methods[i], method) == 0)
			return true;
	return false;
}

static struct index_column *
take_index_columns(struct reading_state *s, const struct answer *a, size_t first, size_t count)
{
	struct index_column *columns = catalog_index_columns(s->catalog, count);
	size_t i;

	for (i = 0; i < count; i++) {
		columns[i].column = text(s, a, first + i, INDEX_COLUMN);
		columns[i].sort = answer_count(a, first + i, INDEX_OPTION) % 2 == 1 ? SORT_DESC : SORT_ASC;
		if (!has_classes(answer_word(a, first, INDEX_METHOD)))
			continue;
		columns[i].operator_class = text(s, a, first + i, INDEX_CLASS);
		columns[i].default_class = answer_flag(a, first + i, INDEX_CLASS_DEFAULT);
	}
	return columns;
}

static void
take_index(struct reading_state *s, const struct answer *a, size_t row, size_t count, struct relation *r)
{
	struct index *index;

	if (answer_flag(a, row, INDEX_PRIMARY)) {
		struct key *key = catalog_add_key(s->catalog, r, answer_word(a, row, INDEX_NAME));

		key->columns = take_index_columns(s, a, row, count);
		key->column_count = count;
		key->definition = text(s, a, row, INDEX_KEY_DEFINITION);
		return;
	}
	index = catalog_add_index(s->catalog, r, answer_word(a, row, INDEX_NAME));
	index->is_unique = answer_flag(a, row, INDEX_UNIQUE);
	index->method = text(s, a, row, INDEX_METHOD);
	index->columns = take_index_columns(s, a, row, count);
	index->column_count = count;
	index->predicate = text(s, a, row, INDEX_PREDICATE);
	index->is_constraint = answer_flag(a, row, INDEX_CONSTRAINT);
	index->is_invalid = !answer_flag(a, row, INDEX_VALID);
	index->definition = text(s, a, row, INDEX_DEFINITION);
}

static void
take_indexes(struct reading_state *s, const struct answer *a)
{
	size_t i, end;

	for (i = 0; i < answer_rows(a); i = end) {
		struct relation *r = catalog_relation(s->catalog, answer_word(a, i, INDEX_SCHEMA), answer_word(a, i, INDEX_RELATION));

		for (end = i; end < answer_rows(a) && strcmp(answer_word(a, end, INDEX_OID), answer_word(a, i, INDEX_OID)) == 0; end++)
			continue;
		if (r != NULL)
			take_index(s, a, i, end - i, r);
	}
}

/* One row a column; texts of the whole index stand in its first row.  Exclusion constraints are definitions. */
const struct read_part read_part_indexes = {
	.sql = "SELECT n.nspname, c.relname, x.relname, i.indisunique, i.indisprimary, m.amname,"
	       " CASE k.ord WHEN 1 THEN pg_get_expr(i.indpred, i.indrelid) END, u.oid IS NOT NULL, i.indisvalid,"
	       " CASE k.ord WHEN 1 THEN pg_get_indexdef(i.indexrelid) || CASE WHEN u.condeferred THEN ' DEFERRABLE INITIALLY DEFERRED'"
	       " WHEN u.condeferrable THEN ' DEFERRABLE' ELSE '' END END,"
	       " CASE k.ord WHEN 1 THEN pg_get_constraintdef(u.oid) END, i.indexrelid, a.attname, k.option, o.opcname, o.opcdefault"
	       " FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid"
	       " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am m ON m.oid = x.relam"
	       " LEFT JOIN pg_constraint u ON u.conindid = i.indexrelid AND u.conrelid = i.indrelid AND u.contype IN ('p', 'u')"
	       " CROSS JOIN LATERAL ROWS FROM (unnest(i.indkey), unnest(i.indclass), unnest(i.indoption))"
	       " WITH ORDINALITY k(attnum, class, option, ord)"
	       " LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0"
	       " LEFT JOIN pg_opclass o ON o.oid = k.class"
	       " WHERE NOT i.indisexclusion AND " READ_TABLE " ORDER BY i.indexrelid, k.ord",
	.take = take_indexes,
	.kind = OBJECT_INDEX
};

/* --- references --- */

enum { REF_SCHEMA, REF_RELATION, REF_NAME, REF_TO_SCHEMA, REF_TO, REF_DELETE, REF_UPDATE, REF_VALID, REF_DEFINITION, REF_OID,
	REF_COLUMN, REF_TO_COLUMN };

static enum action
action_of(const char *letter)
{
	switch (*letter) {
	case 'r': return ACTION_RESTRICT;
	case 'c': return ACTION_CASCADE;
	case 'n': return ACTION_SET_NULL;
	case 'd': return ACTION_SET_DEFAULT;
	default: return ACTION_NO_ACTION;
	}
}

static void
take_reference(struct reading_state *s, const struct answer *a, size_t row, size_t count)
{
	struct reference *r = catalog_add_reference(s->catalog, answer_word(a, row, REF_SCHEMA), answer_word(a, row, REF_RELATION),
	    answer_word(a, row, REF_NAME));
	const char **columns = xcalloc(count, sizeof *columns), **to = xcalloc(count, sizeof *to);
	size_t i;

	for (i = 0; i < count; i++) {
		columns[i] = answer_word(a, row + i, REF_COLUMN);
		to[i] = answer_word(a, row + i, REF_TO_COLUMN);
	}
	r->columns = catalog_list(s->catalog, columns, count);
	r->referenced_columns = catalog_list(s->catalog, to, count);
	r->referenced_schema = text(s, a, row, REF_TO_SCHEMA);
	r->referenced = text(s, a, row, REF_TO);
	r->on_delete = action_of(answer_word(a, row, REF_DELETE));
	r->on_update = action_of(answer_word(a, row, REF_UPDATE));
	r->is_invalid = !answer_flag(a, row, REF_VALID);
	r->definition = text(s, a, row, REF_DEFINITION);
	free(columns);
	free(to);
}

static void
take_references(struct reading_state *s, const struct answer *a)
{
	size_t i, end;

	for (i = 0; i < answer_rows(a); i = end) {
		for (end = i; end < answer_rows(a) && strcmp(answer_word(a, end, REF_OID), answer_word(a, i, REF_OID)) == 0; end++)
			continue;
		/* of one to a partitioned table there is another for each of its partitions */
		if (catalog_relation(s->catalog, answer_word(a, i, REF_SCHEMA), answer_word(a, i, REF_RELATION)) != NULL &&
		    catalog_relation(s->catalog, answer_word(a, i, REF_TO_SCHEMA), answer_word(a, i, REF_TO)) != NULL)
			take_reference(s, a, i, end - i);
	}
}

const struct read_part read_part_references = {
	.sql = "SELECT n.nspname, c.relname, f.conname, tn.nspname, t.relname, f.confdeltype, f.confupdtype, f.convalidated,"
	       " CASE k.ord WHEN 1 THEN pg_get_constraintdef(f.oid) END, f.oid, a.attname, b.attname"
	       " FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
	       " JOIN pg_class t ON t.oid = f.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace"
	       " CROSS JOIN LATERAL ROWS FROM (unnest(f.conkey), unnest(f.confkey)) WITH ORDINALITY k(attnum, refnum, ord)"
	       " JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum"
	       " JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.refnum"
	       " WHERE f.contype = 'f' AND " READ_TABLE " ORDER BY f.oid, k.ord",
	.take = take_references,
	.kind = OBJECT_REFERENCE
};
