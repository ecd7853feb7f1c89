/* Comparing: how many rows differ, and which rows cannot be written. */
#include "seed/upsert_internal.h"

#include <string.h>

void
upsert_count(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "SELECT c.*, (SELECT pg_catalog.count(*) FROM ");
	upsert_name(out, t);
	bytes_str(out, "), ");
	if (t->stream) {
		bytes_str(out, "(SELECT pg_catalog.count(*) FROM ");
		upsert_name(out, t);
		bytes_str(out, " t WHERE ");
		upsert_add_gone(out, t);
		bytes_char(out, ')');
	} else {
		bytes_str(out, "NULL");
	}
	/* what costs is looked at once for each row: hence OFFSET 0 */
	bytes_str(out, " FROM (SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE r.absent), "
	               "pg_catalog.count(*) FILTER (WHERE r.differs), pg_catalog.count(*) FILTER (WHERE NOT r.differs), "
	               "pg_catalog.count(*) FILTER (WHERE r.keyless) FROM (SELECT t.ctid IS NULL, CASE WHEN t.ctid IS NOT NULL THEN ");
	upsert_add_differs(out, t);
	bytes_str(out, " END, ");
	upsert_add_key(out, t, "s", " IS NULL", " OR ");
	upsert_add_join(out, t, "LEFT");
	bytes_str(out, " OFFSET 0) r(absent, differs, keyless)) c");
}

void
upsert_same(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "SELECT pg_catalog.count(*), pg_catalog.count(DISTINCT (t.tableoid, t.ctid)) FILTER (WHERE t.ctid IS NOT NULL AND NOT ");
	upsert_add_differs(out, t);
	bytes_str(out, "), (SELECT pg_catalog.count(*) FROM ");
	upsert_name(out, t);
	bytes_str(out, ") FROM (SELECT x.*, ARRAY(SELECT pg_catalog.json_object_keys(r.doc)) AS \"" KEYS_COLUMN "\" "
	               "FROM pg_catalog.json_array_elements($1::pg_catalog.json) r(doc), pg_catalog.json_populate_record(NULL::");
	upsert_name(out, t);
	bytes_str(out, ", r.doc) x) s LEFT JOIN ");
	upsert_name(out, t);
	bytes_str(out, " t ON ");
	upsert_add_match(out, t, "t", "s");
}

void
upsert_written(struct bytes *out, const struct upsert_table *t)
{
	upsert_add_join(out, t, "LEFT");
	bytes_str(out, " WHERE (t.ctid IS NULL OR ");
	upsert_add_differs(out, t);
	bytes_char(out, ')');
}

/* Whether a row would put NULL into a column; false: none can. */
static bool
add_is_null(struct bytes *out, const struct upsert_column *c)
{
	bool given = c->absent == NULL || strcmp(c->absent, "NULL") != 0; /* by the table, where the file has none */

	if (!c->required || c->key || (!c->in_file && given))
		return false;
	if (!c->in_file) {
		bytes_str(out, "t.ctid IS NULL");
		return true;
	}
	bytes_char(out, '(');
	upsert_add_column(out, "s", c->name);
	bytes_str(out, " IS NULL AND (t.ctid IS NULL");
	if (c->sometimes && given) {
		bytes_str(out, " AND ");
		upsert_add_present(out, c);
	}
	if (upsert_is_compared(c)) {
		bytes_str(out, " OR t.ctid IS NOT NULL");
		if (c->sometimes) {
			bytes_str(out, " AND ");
			upsert_add_present(out, c);
		}
	}
	bytes_str(out, "))");
	return true;
}

bool
upsert_null(struct bytes *out, const struct upsert_table *t)
{
	struct bytes any = { 0 };
	size_t i;

	bytes_str(out, "SELECT s.ctid, CASE");
	for (i = 0; i < t->count; i++) {
		struct bytes condition = { 0 };

		if (add_is_null(&condition, &t->columns[i])) {
			bytes_format(out, " WHEN %s THEN ", condition.data);
			bytes_sql_text(out, t->columns[i].name);
			bytes_format(&any, "%s%s", any.len > 0 ? " OR " : "", condition.data);
		}
		bytes_free(&condition);
	}
	bytes_str(out, " END");
	upsert_add_join(out, t, "LEFT");
	bytes_format(out, " WHERE %s ORDER BY s.ctid LIMIT 1", bytes_text(&any));
	i = any.len;
	bytes_free(&any);
	return i > 0;
}

void
upsert_keyless(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "SELECT s.ctid FROM ");
	upsert_add_staged(out, t);
	bytes_str(out, " s WHERE ");
	upsert_add_key(out, t, "s", " IS NULL", " OR ");
	bytes_str(out, " ORDER BY 1 LIMIT 1");
}

/* --- telling and exporting --- */

/* s.a, s.b */
static void
add_list(struct bytes *out, const char *const *columns, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		bytes_str(out, i > 0 ? ", " : "");
		upsert_add_column(out, "s", columns[i]);
	}
}

void
upsert_duplicate(struct bytes *out, const struct upsert_table *t, const char *const *columns, size_t count)
{
	static const char order[] = "(pg_catalog.array_agg(s.ctid ORDER BY s.ctid))";

	bytes_format(out, "SELECT %s[2], %s[1] FROM ", order, order);
	upsert_add_staged(out, t);
	bytes_str(out, " s GROUP BY ");
	add_list(out, columns, count);
	bytes_str(out, " HAVING pg_catalog.count(*)" OVER "1 AND pg_catalog.num_nulls(");
	add_list(out, columns, count);
	bytes_str(out, ")" IS "0 ORDER BY 1 LIMIT 1");
}

void
upsert_conflict(struct bytes *out, const struct upsert_table *t, const char *const *columns, const char *const *equals,
    size_t count)
{
	size_t i;

	bytes_str(out, "SELECT s.ctid, pg_catalog.concat_ws(' '");
	for (i = 0; i < t->count; i++) {
		if (!t->columns[i].key)
			continue;
		bytes_str(out, ", ");
		upsert_add_part_of_column(out, &t->columns[i], "t", PART_SHOWN_KEY);
	}
	bytes_str(out, ") FROM ");
	upsert_add_staged(out, t);
	bytes_str(out, " s JOIN ");
	upsert_name(out, t);
	bytes_str(out, " t ON ");
	for (i = 0; i < count; i++) {
		bytes_str(out, i > 0 ? " AND " : "");
		upsert_add_column(out, "t", columns[i]);
		bytes_format(out, " %s ", equals[i]);
		upsert_add_column(out, "s", columns[i]);
	}
	bytes_str(out, " WHERE NOT (");
	upsert_add_match(out, t, "t", "s");
	bytes_str(out, ") ORDER BY s.ctid LIMIT 1");
}
