/* References by natural keys: which row of another table has these values, once this run is done. */
#include "seed/upsert_internal.h"

#include <string.h>

/* What a column of a staged table will be, of s (staged) and t (its row in the table). */
static void
add_later(struct bytes *out, const struct upsert_table *t, const struct upsert_column *c, bool whole)
{
	bool staged = upsert_is_staged(t, c) && c->in_file && (whole || c->reference == NULL);

	if (staged && upsert_is_compared(c) && c->sometimes) {
		bytes_str(out, "CASE WHEN t.ctid IS NULL OR ");
		upsert_add_present(out, c);
		upsert_add_choice(out, "s", "t", c->name);
	} else if (staged && upsert_is_compared(c)) {
		upsert_add_column(out, "s", c->name);
	} else if (staged) {
		bytes_str(out, "CASE WHEN t.ctid IS NULL");
		upsert_add_choice(out, "s", "t", c->name);
	} else {
		upsert_add_column(out, "t", c->name);
	}
	bytes_str(out, " AS ");
	bytes_sql_name(out, c->name);
}

/*
 * The rows of a table once this run is done.  `whole`: its files are staged already; else it is the table itself, or one of
 * its cycle, and what references it has is not known.
 */
static void
add_after(struct bytes *out, const struct upsert_node *node)
{
	const struct upsert_table *t = node->staged;
	size_t i;

	if (t == NULL) {
		bytes_sql_name(out, node->schema);
		bytes_char(out, '.');
		bytes_sql_name(out, node->table);
		return;
	}
	bytes_str(out, "(SELECT ");
	for (i = 0; i < t->count; i++) {
		bytes_str(out, i > 0 ? ", " : "");
		upsert_add_column(out, "t", t->columns[i].name);
	}
	bytes_str(out, " FROM ");
	upsert_name(out, t);
	bytes_str(out, " t WHERE NOT EXISTS (SELECT FROM ");
	if (node->whole)
		upsert_add_staged(out, t);
	else
		upsert_add_rows(out, t, false);
	bytes_str(out, " s WHERE ");
	upsert_add_match(out, t, "t", "s");
	bytes_str(out, ") UNION ALL SELECT ");
	for (i = 0; i < t->count; i++) {
		bytes_str(out, i > 0 ? ", " : "");
		add_later(out, t, &t->columns[i], node->whole);
	}
	bytes_str(out, " FROM ");
	if (node->whole)
		upsert_add_staged(out, t);
	else
		upsert_add_rows(out, t, false);
	bytes_str(out, " s LEFT JOIN ");
	upsert_name(out, t);
	bytes_str(out, " t ON ");
	upsert_add_match(out, t, "t", "s");
	bytes_char(out, ')');
}

/* Values are compared as text: no operator of an extension is needed, and 'A' is not 'a'. */
static void
add_text(struct bytes *out, const char *row, size_t number, const char *column)
{
	bytes_format(out, "%s%zu.", row, number);
	bytes_sql_name(out, column);
	bytes_str(out, "::pg_catalog.text COLLATE pg_catalog.\"C\"");
}

/* A subquery: the rows that can be referenced, each with its natural key ("p 0", ...) and its key ("v 0", ...). */
static void
add_referenced(struct bytes *out, const struct upsert_reference *r)
{
	size_t i, k;

	bytes_str(out, "(SELECT ");
	for (i = 0; i < r->part_count; i++) {
		add_text(out, "x", r->parts[i].node, r->parts[i].column);
		bytes_format(out, " AS \"p %zu\", ", i);
	}
	for (i = 0; i < r->nodes[0].count; i++) {
		bytes_str(out, i > 0 ? ", x0." : "x0.");
		bytes_sql_name(out, r->nodes[0].to[i]);
		bytes_format(out, " AS \"v %zu\"", i);
	}
	for (i = 0; i < r->node_count; i++) {
		const struct upsert_node *node = &r->nodes[i];

		bytes_str(out, i == 0 ? " FROM " : " LEFT JOIN ");
		add_after(out, node);
		bytes_format(out, " x%zu", i);
		for (k = 0; i > 0 && k < node->count; k++) {
			bytes_str(out, k == 0 ? " ON " : " AND ");
			add_text(out, "x", i, node->to[k]);
			bytes_str(out, IS);
			add_text(out, "x", node->parent, node->from[k]);
		}
	}
	bytes_char(out, ')');
}

void
upsert_candidates(struct bytes *out, const struct upsert_table *t, const struct upsert_reference *r, const char *ctid)
{
	size_t i;

	bytes_str(out, "SELECT pg_catalog.concat_ws(' '");
	for (i = 0; i < r->nodes[0].count; i++) {
		bytes_str(out, ", ");
		bytes_sql_text(out, r->nodes[0].to[i]);
		bytes_format(out, CAT "'='" CAT "pg_catalog.left(u.\"v %zu\"::pg_catalog.text, 60)", i);
	}
	bytes_str(out, ") FROM ");
	upsert_add_staged(out, t);
	bytes_str(out, " s, ");
	add_referenced(out, r);
	bytes_format(out, " u WHERE s.ctid" IS "'%s'::pg_catalog.tid", ctid);
	for (i = 0; i < r->part_count; i++) {
		bytes_format(out, " AND u.\"p %zu\"" IS "s.", i);
		bytes_sql_name(out, r->parts[i].header);
		bytes_str(out, "::pg_catalog.text COLLATE pg_catalog.\"C\"");
	}
	bytes_str(out, " ORDER BY 1");
}

void
upsert_add_lookup(struct bytes *out, const struct upsert_reference *r)
{
	size_t i;

	bytes_str(out, "(SELECT ");
	for (i = 0; i < r->part_count; i++)
		bytes_format(out, "\"p %zu\", ", i);
	for (i = 0; i < r->nodes[0].count; i++)
		bytes_format(out, "(pg_catalog.array_agg(\"v %zu\"))[1] AS \"v %zu\", ", i, i);
	bytes_str(out, "pg_catalog.count(*) AS found FROM ");
	add_referenced(out, r);
	bytes_str(out, " u GROUP BY ");
	for (i = 0; i < r->part_count; i++)
		bytes_format(out, "%s\"p %zu\"", i > 0 ? ", " : "", i);
	bytes_char(out, ')');
}

void
upsert_add_lookup_join(struct bytes *out, const struct upsert_table *t, size_t number)
{
	const struct upsert_reference *r = &t->references[number];
	size_t i;

	bytes_str(out, " LEFT JOIN ");
	upsert_add_lookup(out, r);
	bytes_format(out, " l%zu ON ", number);
	for (i = 0; i < r->part_count; i++) {
		bytes_format(out, "%sl%zu.\"p %zu\"" IS "s.", i > 0 ? " AND " : "", number, i);
		bytes_sql_name(out, r->parts[i].header);
		bytes_str(out, "::pg_catalog.text COLLATE pg_catalog.\"C\"");
	}
}

void
upsert_unresolved(struct bytes *out, const struct upsert_table *t, const struct upsert_reference *r)
{
	size_t i;

	bytes_str(out, "SELECT s.ctid, coalesce((SELECT l.found FROM ");
	upsert_add_lookup(out, r);
	bytes_str(out, " l WHERE ");
	for (i = 0; i < r->part_count; i++) {
		bytes_format(out, "%sl.\"p %zu\"" IS "s.", i > 0 ? " AND " : "", i);
		bytes_sql_name(out, r->parts[i].header);
		bytes_str(out, "::pg_catalog.text COLLATE pg_catalog.\"C\"");
	}
	bytes_str(out, "), 0)");
	for (i = 0; i < r->part_count; i++) {
		bytes_str(out, ", s.");
		bytes_sql_name(out, r->parts[i].header);
		bytes_str(out, "::pg_catalog.text");
	}
	bytes_str(out, " FROM ");
	upsert_add_staged(out, t);
	bytes_str(out, " s WHERE s.");
	bytes_sql_name(out, r->nodes[0].from[0]);
	bytes_str(out, " IS NULL AND pg_catalog.num_nonnulls(");
	for (i = 0; i < r->part_count; i++) {
		bytes_str(out, i > 0 ? ", s." : "s.");
		bytes_sql_name(out, r->parts[i].header);
	}
	bytes_str(out, ")" OVER "0 ORDER BY s.ctid LIMIT 1");
}
