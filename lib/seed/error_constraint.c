/* Constraints of a table, and rows that do not keep them. */
#include "seed/error_row_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "seed/upsert.h"

/* --- constraints --- */

/*
 * The columns of a constraint or an index of a table; with the parent's name, columns and operators where it
 * points at one.
 */
enum { LINK_COLUMN, LINK_PARENT_OID, LINK_PARENT, LINK_PARENT_COLUMN, LINK_EQUALS };

struct answer *
error_row_constraint_columns(struct db *db, const struct seed_table *t, const char *constraint)
{
	struct bytes sql = { 0 };

	bytes_str(&sql, "SELECT a.attname, c.confrelid, CASE WHEN p.oid IS NOT NULL THEN format('%I.%I', n.nspname, p.relname) END, "
	                "b.attname, CASE WHEN o.oid IS NOT NULL THEN format('OPERATOR(%I.%s)', m.nspname, o.oprname) END FROM pg_catalog.pg_constraint c "
	                "CROSS JOIN LATERAL ROWS FROM (unnest(c.conkey), unnest(c.confkey), unnest(c.conpfeqop)) "
	                "WITH ORDINALITY k(mine, theirs, op, n) "
	                "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.mine "
	                "LEFT JOIN pg_catalog.pg_class p ON p.oid = c.confrelid "
	                "LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace "
	                "LEFT JOIN pg_catalog.pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.theirs "
	                "LEFT JOIN pg_catalog.pg_operator o ON o.oid = k.op "
	                "LEFT JOIN pg_catalog.pg_namespace m ON m.oid = o.oprnamespace "
	                "WHERE c.contype NOT IN ('p', 'u') AND c.conname = ");
	bytes_sql_text(&sql, constraint);
	bytes_format(&sql, " AND c.conrelid = %s UNION ALL SELECT a.attname, NULL, NULL, NULL, "
	                   "format('OPERATOR(%%I.%%s)', m.nspname, o.oprname) "
	                   "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid "
	                   "CROSS JOIN LATERAL ROWS FROM (unnest(i.indkey::int2[]), unnest(i.indclass::oid[])) WITH ORDINALITY k(attnum, class, n) "
	                   "JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
	                   "JOIN pg_catalog.pg_opclass c ON c.oid = k.class "
	                   "JOIN pg_catalog.pg_amop p ON p.amopfamily = c.opcfamily AND p.amoplefttype = c.opcintype "
	                   "AND p.amoprighttype = c.opcintype AND p.amopstrategy = 3 "
	                   "JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr JOIN pg_catalog.pg_namespace m ON m.oid = o.oprnamespace "
	                   "WHERE i.indisunique AND i.indexprs IS NULL AND i.indpred IS NULL AND k.n <= i.indnkeyatts "
	                   "AND i.indrelid = %s AND x.relname = ", t->oid,
	                   t->oid);
	bytes_sql_text(&sql, constraint);
	return error_row_ask_by(db_query_ours, db, &sql);
}

bool
error_row_in_file(const struct seed_table *t, const struct answer *columns)
{
	size_t i;

	for (i = 0; i < answer_rows(columns); i++) {
		const char *name = answer_word(columns, i, LINK_COLUMN);
		const struct upsert_column *c = error_row_column_named(t, name, strlen(name));

		if (c == NULL || !c->in_file)
			return false;
	}
	return true;
}

const char **
error_row_names_of(const struct answer *columns)
{
	const char **names = xcalloc(answer_rows(columns) + 1, sizeof *names);
	size_t i;

	for (i = 0; i < answer_rows(columns); i++)
		names[i] = answer_word(columns, i, LINK_COLUMN);
	return names;
}

static const char **
operators_of(const struct answer *columns)
{
	const char **operators = xcalloc(answer_rows(columns) + 1, sizeof *operators);
	size_t i;

	for (i = 0; i < answer_rows(columns); i++)
		operators[i] = answer_text(columns, i, LINK_EQUALS);
	return operators;
}

/* s.a = p.b AND ... */
static void
add_link(struct bytes *sql, const struct answer *columns)
{
	size_t i;

	for (i = 0; i < answer_rows(columns); i++) {
		bytes_str(sql, i > 0 ? " AND p." : "p.");
		bytes_sql_name(sql, answer_word(columns, i, LINK_PARENT_COLUMN));
		bytes_format(sql, " %s s.", answer_word(columns, i, LINK_EQUALS));
		bytes_sql_name(sql, answer_word(columns, i, LINK_COLUMN));
	}
}

/* Whether all columns that a link points at are staged. */
static bool
stages_parents(const struct seed_table *parent, const struct answer *columns)
{
	size_t i;

	for (i = 0; i < answer_rows(columns); i++) {
		const char *name = answer_word(columns, i, LINK_PARENT_COLUMN);
		const struct upsert_column *c = error_row_column_named(parent, name, strlen(name));

		if (c == NULL || !c->in_file)
			return false;
	}
	return true;
}

/*
 * The first staged row that is to be written and points at nothing, neither in the parent nor in what is to be put there;
 * where --prune leaves of the parent only what is staged, that alone counts.
 */
struct answer *
error_row_find_orphan(struct db *db, const struct seed_tables *tables, const struct seed_table *t,
    const struct answer *columns, bool written)
{
	const char *parent = answer_word(columns, 0, LINK_PARENT_OID);
	struct bytes sql = { 0 }, staged = { 0 };
	bool pruned = false;
	size_t i;

	for (i = 0; i < tables->count; i++) {
		const struct seed_table *p = &tables->tables[i];

		if (written || strcmp(p->oid, parent) != 0 || !stages_parents(p, columns))
			continue;
		bytes_format(&staged, " AND NOT EXISTS (SELECT FROM pg_temp.mig_seed_%zu p WHERE ", p->sql.number);
		add_link(&staged, columns);
		bytes_char(&staged, ')');
		pruned = p->sql.deletes && !p->sql.stream;
	}
	bytes_str(&sql, "SELECT s.ctid");
	if (written)
		bytes_format(&sql, " FROM pg_temp.mig_seed_%zu s WHERE true", t->sql.number);
	else
		upsert_written(&sql, &t->sql);
	if (!pruned) {
		bytes_format(&sql, " AND NOT EXISTS (SELECT FROM %s p WHERE ", answer_word(columns, 0, LINK_PARENT));
		add_link(&sql, columns);
		bytes_char(&sql, ')');
	}
	bytes_str(&sql, bytes_text(&staged));
	for (i = 0; i < answer_rows(columns); i++) {
		bytes_str(&sql, " AND s.");
		bytes_sql_name(&sql, answer_word(columns, i, LINK_COLUMN));
		bytes_str(&sql, " IS NOT NULL");
	}
	bytes_str(&sql, " ORDER BY s.ctid LIMIT 1");
	bytes_free(&staged);
	return error_row_ask(db, &sql);
}

/* "on line 3"; where there are two files, in which one. */
static void
say_row(struct bytes *out, const struct seed_table *t, unsigned long line)
{
	struct bytes place = { 0 };

	seed_place(&place, t->file, line);
	if (t->file->overlay != NULL)
		bytes_format(out, "in %s", place.data);
	else
		bytes_format(out, "on line %lu", line);
	bytes_free(&place);
}

/* The row that has what another row has: of the file, or of the table. */
struct answer *
error_row_find_twin(struct db *db, const struct seed_table *t, const struct answer *columns, struct bytes *other)
{
	const char **names = error_row_names_of(columns), **operators = operators_of(columns);
	struct bytes sql = { 0 };
	struct answer *a;

	upsert_duplicate(&sql, &t->sql, names, answer_rows(columns));
	if ((a = error_row_ask(db, &sql)) != NULL) {
		say_row(other, t, seed_table_line(db, t, answer_text(a, 0, 1), false));
	} else {
		upsert_conflict(&sql, &t->sql, names, operators, answer_rows(columns));
		if ((a = error_row_ask(db, &sql)) != NULL)
			bytes_format(other, "in the table, in the row %s", answer_word(a, 0, 1));
	}
	free(names);
	free(operators);
	return a;
}

struct answer *
error_row_values(struct db *db, const struct seed_table *t, const char *ctid, const char *const *names, size_t count)
{
	const char **all = xcalloc(t->sql.count + count + 1, sizeof *all);
	struct bytes sql = { 0 };
	struct answer *a;
	size_t i, n = 0;

	for (i = 0; i < t->sql.count; i++)
		if (t->sql.columns[i].key)
			all[n++] = t->sql.columns[i].name;
	for (i = 0; i < count; i++)
		if (error_row_column_named(t, names[i], strlen(names[i])) != NULL &&
		    !error_row_column_named(t, names[i], strlen(names[i]))->key)
			all[n++] = names[i];
	upsert_row_text(&sql, &t->sql, all, n, ctid);
	a = error_row_ask(db, &sql);
	free(all);
	return a;
}
