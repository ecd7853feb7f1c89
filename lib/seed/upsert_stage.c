/* Staging: temporary tables, COPY into them, JSON to columns. */
#include "seed/upsert_internal.h"

#include <string.h>

/* --- staging --- */

void
upsert_stage(struct bytes *out, const struct upsert_table *t)
{
	bytes_format(out, "CREATE TEMPORARY TABLE mig_seed_%zu ON COMMIT DROP AS SELECT ", t->number);
	upsert_add_staged_columns(out, t, "t");
	bytes_str(out, t->json ? ", NULL::pg_catalog.text[] AS \"" KEYS_COLUMN "\"" : "");
	upsert_add_part_columns(out, t);
	upsert_add_source_columns(out, t);
	bytes_str(out, " FROM ");
	upsert_name(out, t);
	bytes_str(out, " t WITH NO DATA");
	if (t->json)
		bytes_format(out,
		    "; CREATE TEMPORARY TABLE mig_seed_%zu_json (doc pg_catalog.json) ON COMMIT DROP",
		    t->number);
	if (t->derived)
		upsert_stage_derived(out, t);
	if (!t->stream)
		return;
	bytes_format(out, "; CREATE TEMPORARY TABLE mig_seed_%zu_gone ON COMMIT DROP AS SELECT ", t->number);
	upsert_add_key(out, t, "t", "", ", ");
	bytes_str(out, " FROM ");
	upsert_name(out, t);
	bytes_format(out, " t WITH NO DATA; CREATE TEMPORARY TABLE mig_seed_%zu_gone_json (doc pg_catalog.json) ON COMMIT DROP",
	    t->number);
}

void
upsert_copy(struct bytes *out, const struct upsert_table *t, char *const *header, size_t count, char delimiter)
{
	size_t i;

	bytes_str(out, "COPY ");
	if (header == NULL) {
		upsert_add_staged(out, t);
		bytes_str(out, "_json FROM STDIN");
		return;
	}
	upsert_add_raw(out, t);
	for (i = 0; i < count; i++) {
		bytes_str(out, i == 0 ? " (" : ", ");
		bytes_sql_name(out, header[i]);
	}
	bytes_format(out, ") FROM STDIN (FORMAT csv, HEADER true, DELIMITER E'\\x%02x')", (unsigned)delimiter);
}

void
upsert_copy_gone(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "COPY ");
	upsert_add_staged(out, t);
	bytes_str(out, "_gone_json FROM STDIN");
}

void
upsert_fill(struct bytes *out, const struct upsert_table *t)
{
	size_t i, k;

	bytes_str(out, "INSERT INTO ");
	upsert_add_raw(out, t);
	bytes_str(out, " SELECT ");
	upsert_add_staged_columns(out, t, "x");
	bytes_str(out, ", ARRAY(SELECT pg_catalog.json_object_keys(r.doc))");
	for (i = 0; i < t->reference_count; i++) {
		for (k = 0; k < t->references[i].part_count; k++) {
			bytes_str(out, ", ");
			upsert_add_column(out, "x", t->references[i].parts[k].header);
		}
	}
	bytes_str(out, " FROM ");
	upsert_add_staged(out, t);
	bytes_str(out, "_json r, pg_catalog.json_populate_record(NULL::");
	upsert_add_raw(out, t);
	bytes_str(out, ", r.doc) x");
}

void
upsert_try_fill(struct bytes *out, const struct upsert_table *t, const char *from, const char *to,
    const char *column)
{
	bytes_str(out, "SELECT pg_catalog.count(x) FROM ");
	upsert_add_staged(out, t);
	bytes_str(out, "_json r, pg_catalog.json_populate_record(NULL::");
	upsert_add_raw(out, t);
	bytes_str(out, ", ");
	if (column == NULL) {
		bytes_str(out, "r.doc");
	} else {
		bytes_str(out, "pg_catalog.json_build_object(");
		bytes_sql_text(out, column);
		bytes_str(out, "::pg_catalog.text, r.doc OPERATOR(pg_catalog.->) ");
		bytes_sql_text(out, column);
		bytes_char(out, ')');
	}
	bytes_format(out, ") x WHERE r.ctid" LEAST "'%s'::pg_catalog.tid AND r.ctid" MOST "'%s'::pg_catalog.tid", from,
	    to);
}

void
upsert_fill_gone(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "INSERT INTO ");
	upsert_add_staged(out, t);
	bytes_str(out, "_gone SELECT x.* FROM ");
	upsert_add_staged(out, t);
	bytes_str(out, "_gone_json r, pg_catalog.json_populate_record(NULL::");
	upsert_add_staged(out, t);
	bytes_str(out, "_gone, r.doc) x");
}

void
upsert_json_keys(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "SELECT k, pg_catalog.count(*), pg_catalog.count(DISTINCT r.ctid), (SELECT pg_catalog.count(*) FROM ");
	upsert_add_staged(out, t);
	bytes_str(out, "_json) FROM ");
	upsert_add_staged(out, t);
	bytes_str(out, "_json r, pg_catalog.json_object_keys(r.doc) k GROUP BY k ORDER BY k");
}

void
upsert_json_line(struct bytes *out, const struct upsert_table *t, const char *key)
{
	bytes_str(out, "SELECT r.ctid FROM ");
	upsert_add_staged(out, t);
	bytes_str(out, "_json r WHERE (SELECT pg_catalog.count(*) FROM pg_catalog.json_object_keys(r.doc) k WHERE k" IS);
	bytes_sql_text(out, key);
	bytes_str(out, ")" OVER "$1::pg_catalog.int8 ORDER BY r.ctid LIMIT 1");
}
