/*
 * What a file does not have and its rows need.  The file's rows are in mig_seed_N_raw; made and drawn values, by the number
 * of the row, in mig_seed_N_made; both together, with references resolved and in the order of the file, go to
 * mig_seed_N.
 */
#include "seed/upsert_internal.h"

#include <string.h>

/* CSV has no column that is made or referenced; an object may have it. */
static bool
is_raw(const struct upsert_table *t, const struct upsert_column *c)
{
	return t->json || (c->in_file && c->made == NULL && c->reference == NULL);
}

static void
add_made(struct bytes *out, const struct upsert_table *t, const char *row, bool drawn)
{
	size_t i;

	for (i = 0; i < t->count; i++) {
		if (t->columns[i].made == NULL || (t->columns[i].drawn && !drawn))
			continue;
		bytes_str(out, ", ");
		if (row != NULL)
			upsert_add_column(out, row, t->columns[i].name);
		else
			bytes_sql_name(out, t->columns[i].name);
	}
}

/* A NULL of a column's type, whose own name another type may have in the session's search path. */
static void
add_typed_null(struct bytes *out, const struct upsert_node *node, const char *column)
{
	bytes_str(out, "(SELECT x.");
	bytes_sql_name(out, column);
	bytes_str(out, " FROM ");
	bytes_sql_name(out, node->schema);
	bytes_char(out, '.');
	bytes_sql_name(out, node->table);
	bytes_str(out, " x LIMIT 0) AS ");
}

/* The columns of natural keys, as NULLs of their types or by their names. */
static void
add_parts(struct bytes *out, const struct upsert_table *t, const char *row)
{
	size_t i, k;

	for (i = 0; i < t->reference_count; i++) {
		for (k = 0; k < t->references[i].part_count; k++) {
			const struct upsert_part *part = &t->references[i].parts[k];

			bytes_str(out, ", ");
			if (row == NULL) {
				bytes_sql_name(out, part->header);
			} else if (*row == '\0') {
				add_typed_null(out, &t->references[i].nodes[part->node], part->column);
				bytes_sql_name(out, part->header);
			} else {
				upsert_add_column(out, row, part->header);
			}
		}
	}
}

void
upsert_add_part_columns(struct bytes *out, const struct upsert_table *t)
{
	add_parts(out, t, "");
}

void
upsert_add_source(struct bytes *out, const char *row, const struct upsert_column *c)
{
	bytes_format(out, "%s%s\"source of column %zu\"", row, *row != '\0' ? "." : "", c->secret);
}

/* Sources of secret values, as NULLs or by their names. */
static void
add_sources(struct bytes *out, const struct upsert_table *t, const char *row)
{
	size_t i;

	for (i = 0; i < t->count; i++) {
		if (t->columns[i].secret == 0)
			continue;
		bytes_str(out, row == NULL ? ", NULL::pg_catalog.text AS " : ", ");
		upsert_add_source(out, row != NULL ? row : "", &t->columns[i]);
	}
}

void
upsert_add_source_columns(struct bytes *out, const struct upsert_table *t)
{
	add_sources(out, t, NULL);
}

static void
add_secrets(struct bytes *out, const struct upsert_table *t, const struct upsert_column *c)
{
	upsert_add_staged(out, t);
	bytes_format(out, "_secret_%zu", c->secret);
}

/* The type of the value is that of the column, so that COPY reads it as it would in the column. */
static void
stage_secrets(struct bytes *out, const struct upsert_table *t)
{
	size_t i;

	for (i = 0; i < t->count; i++) {
		if (t->columns[i].secret == 0)
			continue;
		bytes_format(out, "; CREATE TEMPORARY TABLE mig_seed_%zu_secret_%zu ON COMMIT DROP AS SELECT NULL::pg_catalog.text AS source, ",
		    t->number, t->columns[i].secret);
		upsert_add_column(out, "t", t->columns[i].name);
		bytes_str(out, " AS value FROM ");
		upsert_name(out, t);
		bytes_str(out, " t WITH NO DATA");
	}
}

void
upsert_copy_secret(struct bytes *out, const struct upsert_table *t, const struct upsert_column *c)
{
	bytes_str(out, "COPY ");
	add_secrets(out, t, c);
	bytes_str(out, " (source, value) FROM STDIN");
}

void
upsert_secret_sources(struct bytes *out, const struct upsert_table *t, const struct upsert_column *c)
{
	bytes_str(out, "SELECT r.source, pg_catalog.min(r.n) FROM (SELECT x.");
	bytes_sql_name(out, c->name);
	bytes_str(out, ", pg_catalog.row_number() OVER (ORDER BY x.ctid) FROM ");
	upsert_add_raw(out, t);
	bytes_str(out, " x) r(source, n) WHERE r.source IS NOT NULL GROUP BY 1 ORDER BY 2");
}

void
upsert_source_of_none(struct bytes *out, const struct upsert_table *t, const struct upsert_column *c)
{
	bytes_str(out, "SELECT s.ctid, s.v FROM (SELECT x.ctid, x.");
	bytes_sql_name(out, c->name);
	bytes_str(out, "::pg_catalog.text FROM ");
	upsert_add_staged(out, t);
	bytes_str(out, " x) s(ctid, v) WHERE s.v OPERATOR(pg_catalog.~) '^(env:[A-Za-z_][A-Za-z0-9_]*|file:[^[:space:]]+)$' ORDER BY 1 LIMIT 1");
}

void
upsert_stage_derived(struct bytes *out, const struct upsert_table *t)
{
	size_t i;

	bytes_format(out, "; CREATE TEMPORARY TABLE mig_seed_%zu_raw ON COMMIT DROP AS SELECT ", t->number);
	for (i = 0; i < t->count; i++) {
		if (!is_raw(t, &t->columns[i]))
			continue;
		bytes_str(out, t->columns[i].secret > 0 ? "NULL::pg_catalog.text AS " : "t.");
		bytes_sql_name(out, t->columns[i].name);
		bytes_str(out, ", ");
	}
	bytes_str(out, "NULL::pg_catalog.text[] AS \"" KEYS_COLUMN "\"");
	upsert_add_part_columns(out, t);
	bytes_str(out, " FROM ");
	upsert_name(out, t);
	bytes_format(out, " t WITH NO DATA; CREATE TEMPORARY TABLE mig_seed_%zu_made ON COMMIT DROP AS SELECT NULL::pg_catalog.int8 AS \"" ROW_NUMBER "\"",
	    t->number);
	add_made(out, t, "t", true);
	bytes_str(out, " FROM ");
	upsert_name(out, t);
	bytes_str(out, " t WITH NO DATA");
	stage_secrets(out, t);
}

void
upsert_copy_made(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "COPY ");
	upsert_add_staged(out, t);
	bytes_str(out, "_made (\"" ROW_NUMBER "\"");
	add_made(out, t, NULL, false);
	bytes_str(out, ") FROM STDIN");
}

void
upsert_raw_count(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "SELECT pg_catalog.count(*) FROM ");
	upsert_add_raw(out, t);
}

/* --- the rows with what is made --- */

/* A condition: an object has any part of a reference. */
static void
add_has_reference(struct bytes *out, const struct upsert_reference *r)
{
	size_t k;

	bytes_str(out, "s.\"" KEYS_COLUMN "\" OPERATOR(pg_catalog.&&) ARRAY[");
	for (k = 0; k < r->part_count; k++) {
		bytes_str(out, k > 0 ? ", " : "");
		bytes_sql_text(out, r->parts[k].header);
	}
	bytes_str(out, "]::pg_catalog.text[]");
}

/* What a row has in a staged column, of s (raw), m (made) and l0, l1 ... (references). */
static void
add_value(struct bytes *out, const struct upsert_table *t, const struct upsert_column *c, bool resolved)
{
	size_t n = c->reference != NULL ? (size_t)(c->reference - t->references) : 0;

	if (c->reference != NULL && !resolved) {
		bytes_str(out, "NULL");
	} else if (c->reference != NULL) {
		bytes_str(out, "CASE WHEN ");
		if (t->json) {
			bytes_str(out, "NOT (");
			add_has_reference(out, c->reference);
			bytes_str(out, ") THEN ");
			upsert_add_column(out, "s", c->name);
			bytes_str(out, " WHEN ");
		}
		bytes_format(out, "l%zu.found" IS "1 THEN l%zu.\"v %zu\" END", n, n, c->reference_column);
	} else if (c->secret > 0) {
		bytes_str(out, "(SELECT x.value FROM ");
		add_secrets(out, t, c);
		bytes_str(out, " x WHERE x.source" IS);
		upsert_add_column(out, "s", c->name);
		bytes_str(out, " LIMIT 1)");
	} else if (c->made != NULL && t->json) {
		bytes_str(out, "CASE WHEN ");
		upsert_add_present(out, c);
		upsert_add_choice(out, "s", "m", c->name);
	} else {
		upsert_add_column(out, c->made != NULL ? "m" : "s", c->name);
	}
}

/* The names of the row, and of columns that a reference stands for. */
static void
add_keys(struct bytes *out, const struct upsert_table *t)
{
	size_t i;

	bytes_str(out, "s.\"" KEYS_COLUMN "\"");
	for (i = 0; i < t->count; i++) {
		if (t->columns[i].reference == NULL)
			continue;
		bytes_str(out, CAT "CASE WHEN ");
		add_has_reference(out, t->columns[i].reference);
		bytes_str(out, " THEN ARRAY[");
		bytes_sql_text(out, t->columns[i].name);
		bytes_str(out, "]::pg_catalog.text[] END");
	}
	bytes_str(out, " AS \"" KEYS_COLUMN "\"");
}

void
upsert_add_rows(struct bytes *out, const struct upsert_table *t, bool resolved)
{
	size_t i;

	bytes_str(out, "(SELECT ");
	for (i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];

		if (!upsert_is_staged(t, c) || (c->reference != NULL && !resolved && !t->json))
			continue;
		add_value(out, t, c, resolved || c->reference == NULL);
		bytes_str(out, " AS ");
		bytes_sql_name(out, c->name);
		bytes_str(out, ", ");
	}
	add_keys(out, t);
	add_parts(out, t, "s");
	for (i = 0; i < t->count; i++) {
		if (t->columns[i].secret == 0)
			continue;
		bytes_str(out, ", ");
		upsert_add_column(out, "s", t->columns[i].name);
		bytes_str(out, " AS ");
		upsert_add_source(out, "", &t->columns[i]);
	}
	bytes_str(out, ", s.\"" ROW_NUMBER "\" FROM (SELECT r.*, pg_catalog.row_number() OVER (ORDER BY r.ctid) AS \"" ROW_NUMBER "\" FROM ");
	upsert_add_raw(out, t);
	bytes_str(out, " r) s JOIN ");
	upsert_add_staged(out, t);
	bytes_str(out, "_made m ON m.\"" ROW_NUMBER "\"" IS "s.\"" ROW_NUMBER "\"");
	for (i = 0; resolved && i < t->reference_count; i++)
		upsert_add_lookup_join(out, t, i);
	bytes_char(out, ')');
}

/* --- values of the database's defaults --- */

/* What nextval() would return for the k-th of some rows, without asking it. */
static void
add_predicted(struct bytes *out, const struct upsert_column *c)
{
	bytes_str(out, "(SELECT coalesce(pg_catalog.pg_sequence_last_value(d.seqrelid) OPERATOR(pg_catalog.+) d.seqincrement, d.seqstart) "
	    "OPERATOR(pg_catalog.+) (d.seqincrement OPERATOR(pg_catalog.*) (k.k OPERATOR(pg_catalog.-) 1)) FROM pg_catalog.pg_sequence d "
	    "WHERE d.seqrelid" IS);
	bytes_sql_text(out, c->sequence);
	bytes_str(out, "::pg_catalog.regclass)");
}

void
upsert_draw(struct bytes *out, const struct upsert_table *t, bool predict)
{
	bool begun = false;
	size_t i;

	bytes_str(out, "UPDATE ");
	upsert_add_staged(out, t);
	bytes_str(out, "_made m SET ");
	for (i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];

		if (!c->drawn)
			continue;
		upsert_add_between(out, &begun, ", ");
		bytes_sql_name(out, c->name);
		bytes_str(out, " = ");
		if (predict && c->sequence != NULL)
			add_predicted(out, c);
		else
			bytes_str(out, c->absent);
	}
	bytes_str(out, " FROM (SELECT s.\"" ROW_NUMBER "\", pg_catalog.row_number() OVER (ORDER BY s.\"" ROW_NUMBER "\") FROM ");
	upsert_add_rows(out, t, true);
	bytes_str(out, " s WHERE NOT EXISTS (SELECT FROM ");
	upsert_name(out, t);
	bytes_str(out, " t WHERE ");
	upsert_add_match(out, t, "t", "s");
	bytes_str(out, ")) k(n, k) WHERE k.n" IS "m.\"" ROW_NUMBER "\"");
}

void
upsert_derive(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "INSERT INTO ");
	upsert_add_staged(out, t);
	bytes_str(out, " (");
	upsert_add_staged_columns(out, t, NULL);
	add_parts(out, t, NULL);
	add_sources(out, t, "");
	bytes_str(out, t->json ? ", \"" KEYS_COLUMN "\") SELECT " : ") SELECT ");
	upsert_add_staged_columns(out, t, "s");
	add_parts(out, t, "s");
	add_sources(out, t, "s");
	bytes_str(out, t->json ? ", s.\"" KEYS_COLUMN "\"" : "");
	bytes_str(out, " FROM ");
	upsert_add_rows(out, t, true);
	bytes_str(out, " s ORDER BY s.\"" ROW_NUMBER "\"");
}
