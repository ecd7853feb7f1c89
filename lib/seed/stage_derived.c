/* Stages what the files do not have: values that are made, and references that are found by natural keys. */
#include "seed/seed_internal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/suggest.h"
#include "seed/client_ids.h"
#include "seed/file.h"
#include "seed/upsert.h"

/* Makes a line of COPY for each row of a file. */
struct maker {
	const struct seed_table *table;
	struct client_ids ids;
	struct bytes out;
	unsigned long long row, rows;
};

static size_t
make_lines(void *context, const char **data)
{
	struct maker *m = context;
	size_t i;

	m->out.len = 0;
	while (m->row < m->rows && m->out.len < 65536) {
		bytes_format(&m->out, "%llu", ++m->row);
		for (i = 0; i < m->table->made_count; i++) {
			bytes_char(&m->out, '\t');
			client_ids_add(&m->ids, &m->out, m->table->made[i].function, m->table->made[i].length);
		}
		bytes_char(&m->out, '\n');
	}
	*data = m->out.data;
	return m->out.len;
}

/* For each row: only those of new rows will be used. */
enum db_outcome
seed_make_values(struct seeding *s, const struct seed_table *t)
{
	struct maker maker = { .table = t };
	struct bytes sql = { 0 };
	struct answer *count = NULL;
	enum db_outcome outcome;

	upsert_raw_count(&sql, &t->sql);
	outcome = db_query(s->db, &count, sql.data, 0, NULL);
	if (outcome == DB_OK) {
		client_ids_begin(&maker.ids, (unsigned long long)clock_wall_ms());
		maker.rows = (unsigned long long)answer_count(count, 0, 0);
		sql.len = 0;
		upsert_copy_made(&sql, &t->sql);
		outcome = db_copy_in(s->db, sql.data, make_lines, &maker);
	}
	bytes_free(&sql);
	bytes_free(&maker.out);
	answer_free(count);
	return outcome;
}


/* --- references --- */

/* The natural key of a row that was not found, or found more than once: "role.slug='admn'". */
static void
add_natural_key(struct bytes *out, const struct upsert_reference *r, const struct answer *row)
{
	size_t k;

	for (k = 0; k < r->part_count; k++) {
		const char *value = answer_text(row, 0, 2 + (int)k);

		bytes_format(out, "%s%s=", k > 0 ? ", " : "", r->parts[k].header);
		if (r->parts[k].hidden)
			bytes_str(out, "(not shown)");
		else
			bytes_format(out, "%s%.60s%s", value != NULL ? "'" : "", value != NULL ? value : "null", value != NULL ? "'" : "");
	}
}

/* Which values there are; and the nearest one, if there is one part. */
static void
list_values(struct seeding *s, const struct upsert_reference *r, const char *wanted)
{
	enum { SHOWN = 8, LOOKED_AT = 10000 };
	struct bytes sql = { 0 }, list = { 0 };
	struct answer *a = NULL;
	const char **names, *nearest = NULL;
	size_t rows, i, k;

	for (k = 0; k < r->part_count; k++)
		if (r->parts[k].hidden)
			return;
	bytes_str(&sql, "SELECT pg_catalog.concat_ws(', ', NULL");
	for (k = 0; k < r->part_count; k++)
		bytes_format(&sql, ", coalesce(l.\"p %zu\", 'null')", k);
	bytes_str(&sql, ") FROM ");
	upsert_add_lookup(&sql, r);
	bytes_format(&sql, " l ORDER BY 1 LIMIT %d", (int)LOOKED_AT);
	rows = db_query(s->db, &a, sql.data, 0, NULL) == DB_OK ? answer_rows(a) : 0;
	names = xcalloc(rows + 1, sizeof *names);
	for (i = 0; i < rows; i++) {
		names[i] = answer_word(a, i, 0);
		if (i < SHOWN)
			bytes_format(&list, "%s%.60s", i > 0 ? "; " : "", names[i]);
	}
	if (r->part_count == 1 && wanted != NULL)
		nearest = suggest_nearest(wanted, strlen(wanted), names, rows);
	if (nearest != NULL)
		message_line("  Did you mean '%s'?", nearest);
	message_line("  There %s %s%s", rows == 0 ? "is" : "are:", rows == 0 ? "none" : list.data, rows > SHOWN ? "; ..." : "");
	free(names);
	answer_free(a);
	bytes_free(&sql);
	bytes_free(&list);
}

/* The unique keys of the referenced table that have a column of the natural key: what else would name one row. */
static const char keys_sql[] =
    "SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM pg_catalog.pg_index i "
    "CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n) "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
    "WHERE i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND k.n <= i.indnkeyatts AND i.indrelid = $1::oid "
    "GROUP BY i.indexrelid HAVING bool_or(a.attname = $2) ORDER BY 1";

/* Which rows have the natural key, and which columns would tell them apart. */
static void
list_candidates(struct seeding *s, const struct seed_table *t, const struct upsert_reference *r, const char *ctid)
{
	enum { SHOWN = 8 };
	const char *const parameters[] = { r->nodes[0].oid, r->parts[0].column };
	struct bytes sql = { 0 }, list = { 0 };
	struct answer *a = NULL;
	size_t rows, i;

	upsert_candidates(&sql, &t->sql, r, ctid);
	rows = db_query(s->db, &a, sql.data, 0, NULL) == DB_OK ? answer_rows(a) : 0;
	for (i = 0; i < rows && i < SHOWN; i++)
		bytes_format(&list, "%s%s", i > 0 ? "; " : "", answer_word(a, i, 0));
	if (rows > 0)
		message_line("  These are: %s%s", list.data, rows > SHOWN ? "; ..." : "");
	answer_free(a);
	a = NULL;
	if (r->parts[0].node == 0 && db_query_ours(s->db, &a, keys_sql, 2, parameters) == DB_OK)
		for (i = 0; i < answer_rows(a); i++)
			message_line("  A unique key of \"%s\" is (%s)", r->nodes[0].table, answer_word(a, i, 0));
	answer_free(a);
	bytes_free(&sql);
	bytes_free(&list);
}

/* Refuses the first row whose reference is not one row. */
static enum db_outcome
check_reference(struct seeding *s, const struct seed_table *t, const struct upsert_reference *r)
{
	struct bytes sql = { 0 }, key = { 0 };
	struct answer *a = NULL;
	enum db_outcome outcome;
	long long found;

	upsert_unresolved(&sql, &t->sql, r);
	outcome = db_query(s->db, &a, sql.data, 0, NULL);
	if (outcome == DB_OK && answer_rows(a) > 0) {
		unsigned long line = seed_table_line(s->db, t, answer_text(a, 0, 0), false);

		found = answer_count(a, 0, 1);
		add_natural_key(&key, r, a);
		if (found == 0)
			s->code = seed_refuse(t->file, line, "%s: table \"%s\" has no such row, and no file adds it", key.data, r->nodes[0].table);
		else
			s->code = seed_refuse(t->file, line, "%s: table \"%s\" has %lld such rows: name one of them by more of its columns",
			    key.data, r->nodes[0].table, found);
		if (found == 0)
			list_values(s, r, answer_text(a, 0, 2));
		else
			list_candidates(s, t, r, answer_text(a, 0, 0));
	}
	answer_free(a);
	bytes_free(&sql);
	bytes_free(&key);
	return outcome;
}

static bool
draws(const struct seed_table *t)
{
	size_t i;

	for (i = 0; i < t->sql.count; i++)
		if (t->sql.columns[i].drawn)
			return true;
	return false;
}

static enum db_outcome
derive_table(struct seeding *s, struct seed_table *t)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	size_t i;

	upsert_derive(&sql, &t->sql);
	outcome = seed_run_text(s->db, &sql);
	for (i = 0; outcome == DB_OK && s->code == 0 && i < t->sql.reference_count; i++)
		outcome = check_reference(s, t, &t->sql.references[i]);
	return outcome;
}

/* In the order of the tables: what a row references is staged before it; but in a cycle all ids are drawn first. */
enum db_outcome
seed_derive(struct seeding *s)
{
	const struct seed_tables *tables = s->tables;
	enum db_outcome outcome = DB_OK;
	size_t first, end, i;

	for (first = 0; first < tables->count; first = end) {
		for (end = first; end < tables->count && tables->tables[end].unit == tables->tables[first].unit; end++)
			;
		for (i = first; outcome == DB_OK && i < end; i++) {
			struct bytes sql = { 0 };

			if (!draws(&tables->tables[i]))
				continue;
			upsert_draw(&sql, &tables->tables[i].sql, s->job->dry_run);
			outcome = seed_run_text(s->db, &sql);
		}
		for (i = first; outcome == DB_OK && s->code == 0 && i < end; i++)
			if (tables->tables[i].sql.derived)
				outcome = derive_table(s, &tables->tables[i]);
	}
	return outcome;
}
