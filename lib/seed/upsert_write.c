/* Writing: DELETE, UPDATE and INSERT of some tables as one statement; then their sequences. */
#include "seed/upsert_internal.h"

#include <stdio.h>
#include <string.h>

/* --- writing --- */

static void
add_delete(struct bytes *out, const struct upsert_table *t, const char *after)
{
	bytes_str(out, "DELETE FROM ");
	upsert_name(out, t);
	bytes_str(out, " t WHERE ");
	upsert_add_gone(out, t);
	bytes_str(out, after);
}

/* What a row gets in a column that its file does not have. */
static const char *
absent_in_update(const struct upsert_column *c, struct bytes *old)
{
	if (c->touched)
		return c->absent;
	old->len = 0;
	upsert_add_column(old, "t", c->name);
	return old->data;
}

/* updatedAt: only in rows that change. */
static void
add_touched(struct bytes *out, const struct upsert_table *t)
{
	size_t i;

	for (i = 0; i < t->count; i++) {
		if (!t->columns[i].touched || upsert_is_compared(&t->columns[i]))
			continue;
		bytes_str(out, ", ");
		bytes_sql_name(out, t->columns[i].name);
		bytes_format(out, " = %s", t->columns[i].absent);
	}
}

static void
add_update(struct bytes *out, const struct upsert_table *t, const struct upsert_slice *slice, const char *after)
{
	struct bytes old = { 0 };
	bool begun = false;
	size_t i;

	bytes_str(out, "UPDATE ");
	upsert_name(out, t);
	bytes_str(out, " t SET ");
	for (i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];

		if (!upsert_is_compared(c))
			continue;
		upsert_add_between(out, &begun, ", ");
		bytes_sql_name(out, c->name);
		bytes_str(out, " = ");
		if (c->sometimes) {
			bytes_str(out, "CASE WHEN ");
			upsert_add_present(out, c);
			bytes_str(out, " THEN ");
		}
		upsert_add_column(out, "s", c->name);
		if (c->sometimes)
			bytes_format(out, " ELSE %s END", absent_in_update(c, &old));
	}
	add_touched(out, t);
	bytes_free(&old);
	bytes_str(out, " FROM ");
	upsert_add_staged(out, t);
	bytes_str(out, " s WHERE ");
	upsert_add_match(out, t, "t", "s");
	bytes_str(out, " AND ");
	upsert_add_differs(out, t);
	upsert_add_slice(out, t, slice);
	bytes_str(out, after);
}

static void
add_insert(struct bytes *out, const struct upsert_table *t, const struct upsert_slice *slice, const char *after)
{
	bool begun = false, always = false;
	size_t i;

	bytes_str(out, "INSERT INTO ");
	upsert_name(out, t);
	bytes_str(out, " (");
	for (i = 0; i < t->count; i++) {
		if (!t->columns[i].in_file && !t->columns[i].filled)
			continue;
		always |= t->columns[i].always;
		upsert_add_between(out, &begun, ", ");
		bytes_sql_name(out, t->columns[i].name);
	}
	bytes_format(out, ")%s SELECT ", always ? " OVERRIDING SYSTEM VALUE" : "");
	for (begun = false, i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];

		if (!c->in_file && !c->filled)
			continue;
		upsert_add_between(out, &begun, ", ");
		if (!c->in_file) {
			bytes_str(out, c->absent);
			continue;
		}
		if (c->sometimes) {
			bytes_str(out, "CASE WHEN ");
			upsert_add_present(out, c);
			bytes_str(out, " THEN ");
		}
		upsert_add_column(out, "s", c->name);
		if (c->sometimes)
			bytes_format(out, " ELSE %s END", c->absent);
	}
	bytes_str(out, " FROM ");
	upsert_add_staged(out, t);
	bytes_str(out, " s WHERE true");
	if (!t->empty) {
		bytes_str(out, " AND NOT EXISTS (SELECT FROM ");
		upsert_name(out, t);
		bytes_str(out, " t WHERE ");
		upsert_add_match(out, t, "t", "s");
		bytes_char(out, ')');
	}
	upsert_add_slice(out, t, slice);
	bytes_str(out, after);
	if (!t->empty)
		bytes_str(out, " ORDER BY s.ctid"); /* a serial counts in the order of the file */
}

enum act { ACT_DELETE, ACT_UPDATE, ACT_INSERT };

static bool
has_act(const struct upsert_table *t, enum act act)
{
	return act == ACT_DELETE ? t->deletes : act == ACT_UPDATE ? t->updates : t->inserts;
}

/* One act as a part of the statement, begun once the part before it has ended: `last` names that. */
static void
add_act(struct bytes *out, const struct upsert_table *t, enum act act, const struct upsert_slice *slice,
    char last[48])
{
	static const char letters[] = { 'd', 'u', 'i' };
	char after[96] = "";

	if (!has_act(t, act))
		return;
	if (*last != '\0')
		snprintf(after, sizeof after, " AND (SELECT pg_catalog.count(*) FROM %s)" LEAST "0", last);
	bytes_str(out, *last == '\0' ? "WITH " : ", ");
	snprintf(last, 48, "%c%zu", letters[act], t->number);
	bytes_format(out, "%s AS (", last);
	if (act == ACT_DELETE)
		add_delete(out, t, after);
	else if (act == ACT_UPDATE)
		add_update(out, t, slice, after);
	else
		add_insert(out, t, slice, after);
	bytes_str(out, " RETURNING 1)");
}

static void
add_done(struct bytes *out, const struct upsert_table *t, enum act act, char letter)
{
	if (has_act(t, act))
		bytes_format(out, "(SELECT pg_catalog.count(*) FROM %c%zu)", letter, t->number);
	else
		bytes_char(out, '0');
}

void
upsert_write(struct bytes *out, const struct upsert_table *const tables[], size_t count,
    const struct upsert_slice *slice)
{
	char last[48] = "";
	size_t i;

	for (i = count; i-- > 0;)
		add_act(out, tables[i], ACT_DELETE, slice, last);
	for (i = 0; i < count; i++) {
		add_act(out, tables[i], ACT_UPDATE, slice, last);
		add_act(out, tables[i], ACT_INSERT, slice, last);
	}
	for (i = 0; i < count; i++) {
		bytes_str(out, i == 0 ? " SELECT " : ", ");
		add_done(out, tables[i], ACT_INSERT, 'i');
		bytes_str(out, ", ");
		add_done(out, tables[i], ACT_UPDATE, 'u');
		bytes_str(out, ", ");
		add_done(out, tables[i], ACT_DELETE, 'd');
	}
}

void
upsert_sequences(struct bytes *out, const struct upsert_table *t)
{
	bool begun = out->len > 0;
	size_t i;

	for (i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];

		if (c->sequence == NULL || !c->in_file || c->drawn)
			continue;
		upsert_add_between(out, &begun, "; ");
		bytes_str(out, "SELECT pg_catalog.setval(");
		bytes_sql_text(out, c->sequence);
		bytes_str(out, "::pg_catalog.regclass, m.v) FROM (SELECT CASE WHEN d.seqincrement" OVER "0 THEN pg_catalog.max(s.v) "
		               "ELSE pg_catalog.min(s.v) END AS v, d.seqincrement FROM (SELECT ");
		upsert_add_column(out, "s", c->name);
		bytes_str(out, "::pg_catalog.int8 AS v FROM ");
		upsert_add_staged(out, t);
		bytes_str(out, " s) s, pg_catalog.pg_sequence d WHERE d.seqrelid" IS);
		bytes_sql_text(out, c->sequence);
		bytes_format(out,
		    "::pg_catalog.regclass AND s.v" LEAST "d.seqmin AND s.v" MOST "d.seqmax GROUP BY d.seqincrement) m, %s q "
		                  "WHERE (CASE WHEN m.seqincrement" OVER "0 THEN m.v" LEAST "q.last_value ELSE m.v" MOST "q.last_value END) "
		                  "AND (m.v OPERATOR(pg_catalog.<>) q.last_value OR NOT q.is_called)", c->sequence);
	}
}
