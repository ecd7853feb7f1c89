/*
 * What a file does not have and its rows need: the file's rows are in mig_seed_N_raw, the made values in mig_seed_N_made,
 * and both together, in the order of the file, go to mig_seed_N.
 */
#include "seed/upsert_internal.h"

#include <string.h>

#define ROW_NUMBER "number of the row" /* a column of mig_seed_N_made */

/* CSV has no column that is made; an object may have it. */
static bool
is_raw(const struct upsert_table *t, const struct upsert_column *c)
{
	return t->json || (c->in_file && c->made == NULL);
}

static void
add_made(struct bytes *out, const struct upsert_table *t, const char *row)
{
	size_t i;

	for (i = 0; i < t->count; i++) {
		if (t->columns[i].made == NULL)
			continue;
		bytes_str(out, ", ");
		if (row != NULL)
			upsert_add_column(out, row, t->columns[i].name);
		else
			bytes_sql_name(out, t->columns[i].name);
	}
}

void
upsert_stage_derived(struct bytes *out, const struct upsert_table *t)
{
	bool begun = false;
	size_t i;

	bytes_format(out, "; CREATE TEMPORARY TABLE mig_seed_%zu_raw ON COMMIT DROP AS SELECT ", t->number);
	for (i = 0; i < t->count; i++) {
		if (!is_raw(t, &t->columns[i]))
			continue;
		upsert_add_between(out, &begun, ", ");
		upsert_add_column(out, "t", t->columns[i].name);
	}
	bytes_str(out, t->json ? ", NULL::pg_catalog.text[] AS \"" KEYS_COLUMN "\" FROM " : " FROM ");
	upsert_name(out, t);
	bytes_format(out, " t WITH NO DATA; CREATE TEMPORARY TABLE mig_seed_%zu_made ON COMMIT DROP AS SELECT NULL::pg_catalog.int8 AS \"" ROW_NUMBER "\"",
	    t->number);
	add_made(out, t, "t");
	bytes_str(out, " FROM ");
	upsert_name(out, t);
	bytes_str(out, " t WITH NO DATA");
}

void
upsert_copy_made(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "COPY ");
	upsert_add_staged(out, t);
	bytes_str(out, "_made (\"" ROW_NUMBER "\"");
	add_made(out, t, NULL);
	bytes_str(out, ") FROM STDIN");
}

void
upsert_raw_count(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "SELECT pg_catalog.count(*) FROM ");
	upsert_add_raw(out, t);
}

void
upsert_derive(struct bytes *out, const struct upsert_table *t)
{
	size_t i;

	bytes_str(out, "INSERT INTO ");
	upsert_add_staged(out, t);
	bytes_str(out, " (");
	upsert_add_staged_columns(out, t, NULL);
	bytes_str(out, t->json ? ", \"" KEYS_COLUMN "\") SELECT " : ") SELECT ");
	for (i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];

		if (!upsert_is_staged(t, c))
			continue;
		if (c->made != NULL && t->json) {
			bytes_str(out, "CASE WHEN ");
			upsert_add_present(out, c);
			bytes_str(out, " THEN ");
			upsert_add_column(out, "s", c->name);
			bytes_str(out, " ELSE ");
			upsert_add_column(out, "m", c->name);
			bytes_str(out, " END, ");
		} else {
			upsert_add_column(out, c->made != NULL ? "m" : "s", c->name);
			bytes_str(out, ", ");
		}
	}
	if (t->json)
		bytes_str(out, "s.\"" KEYS_COLUMN "\"");
	else
		out->data[out->len -= 2] = '\0';
	bytes_str(out, " FROM (SELECT r.*, pg_catalog.row_number() OVER (ORDER BY r.ctid) AS \"" ROW_NUMBER "\" FROM ");
	upsert_add_raw(out, t);
	bytes_str(out, " r) s JOIN ");
	upsert_add_staged(out, t);
	bytes_str(out, "_made m ON m.\"" ROW_NUMBER "\"" IS "s.\"" ROW_NUMBER "\" ORDER BY s.\"" ROW_NUMBER "\"");
}
