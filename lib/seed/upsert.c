#include "seed/upsert.h"

#include <string.h>

#include "seed/upsert_internal.h"

void
upsert_add_column(struct bytes *out, const char *row, const char *name)
{
	bytes_format(out, "%s.", row);
	bytes_sql_name(out, name);
}

void
upsert_add_choice(struct bytes *out, const char *row, const char *other, const char *name)
{
	bytes_str(out, " THEN ");
	upsert_add_column(out, row, name);
	bytes_str(out, " ELSE ");
	upsert_add_column(out, other, name);
	bytes_str(out, " END");
}

void
upsert_name(struct bytes *out, const struct upsert_table *t)
{
	bytes_sql_name(out, t->schema);
	bytes_char(out, '.');
	bytes_sql_name(out, t->table);
}

void
upsert_add_staged(struct bytes *out, const struct upsert_table *t)
{
	bytes_format(out, "pg_temp.mig_seed_%zu", t->number);
}

void
upsert_add_raw(struct bytes *out, const struct upsert_table *t)
{
	upsert_add_staged(out, t);
	bytes_str(out, t->derived ? "_raw" : "");
}

/* What goes between the parts of a list: nothing before the first. */
void
upsert_add_between(struct bytes *out, bool *begun, const char *between)
{
	bytes_str(out, *begun ? between : "");
	*begun = true;
}

bool
upsert_is_staged(const struct upsert_table *t, const struct upsert_column *c)
{
	return t->json || c->in_file;
}

/* row.a, row.b: the columns that are staged, in the table's order; row NULL: bare names. */
void
upsert_add_staged_columns(struct bytes *out, const struct upsert_table *t, const char *row)
{
	bool begun = false;
	size_t i;

	for (i = 0; i < t->count; i++) {
		if (!upsert_is_staged(t, &t->columns[i]))
			continue;
		upsert_add_between(out, &begun, ", ");
		if (row != NULL)
			upsert_add_column(out, row, t->columns[i].name);
		else
			bytes_sql_name(out, t->columns[i].name);
	}
}

/* t.k = s.k AND ... */
void
upsert_add_match(struct bytes *out, const struct upsert_table *t, const char *one, const char *other)
{
	bool begun = false;
	size_t i;

	for (i = 0; i < t->count; i++) {
		if (!t->columns[i].key)
			continue;
		upsert_add_between(out, &begun, " AND ");
		upsert_add_column(out, one, t->columns[i].name);
		bytes_format(out, " %s ", t->columns[i].equals);
		upsert_add_column(out, other, t->columns[i].name);
	}
}

/* The columns of the key, with something behind each. */
void
upsert_add_key(struct bytes *out, const struct upsert_table *t, const char *row, const char *behind,
    const char *between)
{
	bool begun = false;
	size_t i;

	for (i = 0; i < t->count; i++) {
		if (!t->columns[i].key)
			continue;
		upsert_add_between(out, &begun, between);
		upsert_add_column(out, row, t->columns[i].name);
		bytes_str(out, behind);
	}
}

/* Whether the row has a column that not every row has. */
void
upsert_add_present(struct bytes *out, const struct upsert_column *c)
{
	bytes_sql_text(out, c->name);
	bytes_str(out, IS "ANY (s.\"" KEYS_COLUMN "\")");
}

bool
upsert_is_compared(const struct upsert_column *c)
{
	return c->in_file && !c->key && !c->insert_only && !c->always;
}

static bool
has_compared(const struct upsert_table *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (upsert_is_compared(&t->columns[i]))
			return true;
	return false;
}

void
upsert_add_column_differs(struct bytes *out, const struct upsert_column *c)
{
	bytes_char(out, '(');
	if (c->sometimes) {
		upsert_add_present(out, c);
		bytes_str(out, " AND ");
	}
	bytes_str(out, c->exact ? "NOT coalesce(" : "pg_catalog.record_image_ne(ROW(");
	upsert_add_column(out, "t", c->name);
	bytes_str(out, c->exact ? IS : "), ROW(");
	upsert_add_column(out, "s", c->name);
	if (c->exact) {
		bytes_str(out, ", ");
		upsert_add_column(out, "t", c->name);
		bytes_str(out, " IS NULL AND ");
		upsert_add_column(out, "s", c->name);
		bytes_str(out, " IS NULL");
	}
	bytes_str(out, c->exact ? "))" : ")))");
}

/* Whether s and t differ in what the file may overwrite. */
void
upsert_add_differs(struct bytes *out, const struct upsert_table *t)
{
	bool begun = false;
	size_t i;

	if (!has_compared(t)) {
		bytes_str(out, "false");
		return;
	}
	bytes_char(out, '(');
	for (i = 0; i < t->count; i++) {
		if (!upsert_is_compared(&t->columns[i]))
			continue;
		upsert_add_between(out, &begun, " OR ");
		upsert_add_column_differs(out, &t->columns[i]);
	}
	bytes_char(out, ')');
}

/* Whether a row of the table is to go: not in the file, or named by the stream. */
void
upsert_add_gone(struct bytes *out, const struct upsert_table *t)
{
	bytes_format(out, "%sEXISTS (SELECT FROM ", t->stream ? "" : "NOT ");
	upsert_add_staged(out, t);
	bytes_format(out, "%s s WHERE ", t->stream ? "_gone" : "");
	upsert_add_match(out, t, "t", "s");
	bytes_char(out, ')');
}

void
upsert_add_slice(struct bytes *out, const struct upsert_table *t, const struct upsert_slice *slice)
{
	if (slice != NULL && slice->table == t)
		bytes_format(out, " AND s.ctid" LEAST "'%s'::pg_catalog.tid AND s.ctid" MOST "'%s'::pg_catalog.tid", slice->from, slice->to);
}

/* --- comparing --- */

void
upsert_add_join(struct bytes *out, const struct upsert_table *t, const char *kind)
{
	bytes_str(out, " FROM ");
	upsert_add_staged(out, t);
	bytes_format(out, " s %s JOIN ", kind);
	upsert_name(out, t);
	bytes_str(out, " t ON ");
	upsert_add_match(out, t, "t", "s");
}

void
upsert_add_key_order(struct bytes *out, const struct upsert_table *t)
{
	bool begun = false;
	size_t i;

	bytes_str(out, " ORDER BY ");
	for (i = 0; i < t->count; i++) {
		if (!t->columns[i].key)
			continue;
		upsert_add_between(out, &begun, ", ");
		upsert_add_column(out, "t", t->columns[i].name);
		if (t->columns[i].collatable)
			bytes_str(out, " COLLATE pg_catalog.\"C\"");
	}
}
