/* A table as a file. */
#include "seed/upsert_internal.h"

#include <stdlib.h>

struct export {
	struct bytes *out;
	const struct upsert_table *t;
	bool json, begun;
};

/* A value under a name: of CSV a column, of JSON a member. */
static void
add_value(struct export *e, const char *row, const struct upsert_column *c, const char *name)
{
	if (e->json) {
		bytes_str(e->out, ", ");
		upsert_add_json_name(e->out, name);
		upsert_add_json(e->out, row, c, true);
		return;
	}
	upsert_add_between(e->out, &e->begun, ", ");
	upsert_add_column(e->out, row, c->name);
	if (c->boolean)
		bytes_str(e->out, "::pg_catalog.text");
	bytes_str(e->out, " AS ");
	bytes_sql_name(e->out, name);
}

/* The natural key of the row that a column references, in place of it. */
static void
add_reference(struct export *e, const struct upsert_reference *r)
{
	size_t number = (size_t)(r - e->t->references), k;

	for (k = 0; k < r->part_count; k++) {
		const struct upsert_column field = { .name = r->parts[k].column };
		char *row = xformat("x%zu_%zu", number, r->parts[k].node);

		add_value(e, row, &field, r->parts[k].header);
		free(row);
	}
}

/* LEFT JOIN of each table on the way of a reference. */
static void
add_joins(struct bytes *out, const struct upsert_table *t)
{
	size_t i, n, k;

	for (i = 0; i < t->reference_count; i++) {
		for (n = 0; n < t->references[i].node_count; n++) {
			const struct upsert_node *node = &t->references[i].nodes[n];

			bytes_str(out, " LEFT JOIN ");
			bytes_sql_name(out, node->schema);
			bytes_char(out, '.');
			bytes_sql_name(out, node->table);
			bytes_format(out, " x%zu_%zu", i, n);
			for (k = 0; k < node->count; k++) {
				bytes_format(out, "%sx%zu_%zu.", k == 0 ? " ON " : " AND ", i, n);
				bytes_sql_name(out, node->to[k]);
				bytes_str(out, "::pg_catalog.text" IS);
				bytes_str(out, n == 0 ? "t" : "");
				if (n > 0)
					bytes_format(out, "x%zu_%zu", i, node->parent);
				bytes_char(out, '.');
				bytes_sql_name(out, node->from[k]);
				bytes_str(out, "::pg_catalog.text");
			}
		}
	}
}

/* By the key; by a natural key where it stands for a column of that, so that databases with other ids have the same order. */
static void
add_order(struct bytes *out, const struct upsert_table *t)
{
	const char *between = " ORDER BY ";
	size_t i, k;

	for (i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];
		const struct upsert_reference *r = c->reference;

		if (!c->key)
			continue;
		for (k = 0; r != NULL && k < r->part_count; k++) {
			bytes_format(out, "%sx%zu_%zu.", between, (size_t)(r - t->references), r->parts[k].node);
			bytes_sql_name(out, r->parts[k].column);
			bytes_str(out, "::pg_catalog.text COLLATE pg_catalog.\"C\"");
			between = ", ";
		}
		if (r == NULL) {
			bytes_str(out, between);
			upsert_add_column(out, "t", c->name);
			bytes_str(out, c->collatable ? " COLLATE pg_catalog.\"C\"" : "");
			between = ", ";
		}
	}
}

void
upsert_export(struct bytes *out, const struct upsert_table *t, const char *where, char delimiter)
{
	struct export e = { .out = out, .t = t, .json = delimiter == 0 };
	size_t i;

	bytes_str(out, !e.json ? "COPY (SELECT " : "SELECT '{'" CAT "pg_catalog.concat_ws(','");
	for (i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];

		if (!c->in_file)
			continue;
		if (c->reference == NULL)
			add_value(&e, "t", c, c->name);
		else if (c->reference_column == 0)
			add_reference(&e, c->reference);
	}
	bytes_str(out, !e.json ? " FROM " : ")" CAT "'}' FROM ");
	if (where != NULL)
		bytes_str(out, "(SELECT * FROM ");
	upsert_name(out, t);
	if (where != NULL)
		bytes_format(out, " WHERE (%s\n))", where); /* it may end with a comment */
	bytes_str(out, " t");
	add_joins(out, t);
	add_order(out, t);
	if (!e.json)
		bytes_format(out, ") TO STDOUT (FORMAT csv, HEADER true, DELIMITER E'\\x%02x')",
		    (unsigned)delimiter);
}
