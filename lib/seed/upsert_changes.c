/* Changes as text: for people, and as JSON. */
#include "seed/upsert_internal.h"

#include <string.h>

/* --- values as text --- */

/* A value for people: numbers and booleans as they are, else in quotes; long ones are cut. */
static void
add_shown(struct bytes *out, const char *row, const struct upsert_column *c)
{
	struct bytes value = { 0 };

	if (c->hidden) {
		bytes_str(out, "'(not shown)'");
		return;
	}
	bytes_str(&value, "pg_catalog.replace(");
	upsert_add_column(&value, row, c->name);
	bytes_str(&value, "::pg_catalog.text, E'\\n', E'\\\\n')"); /* a change is a line */
	if (c->bare)
		bytes_format(out, "coalesce(%s, 'null')", value.data);
	else
		bytes_format(out,
		    "coalesce(''''" CAT "pg_catalog.replace(pg_catalog.left(%s, 60), '''', '''''')" CAT
		                  "CASE WHEN pg_catalog.length(%s)" OVER "60 THEN '\xE2\x80\xA6''' ELSE '''' END, 'null')",
		    value.data, value.data);
	bytes_free(&value);
}

/* The same for a new row: of a made value its function, since the next run makes another; of a secret where it is from. */
static void
add_shown_new(struct bytes *out, const struct upsert_column *c)
{
	if (c->secret > 0) {
		bytes_str(out, "coalesce('('" CAT);
		upsert_add_source(out, "s", c);
		bytes_str(out, CAT "')', 'null')");
		return;
	}
	if (c->made == NULL) {
		add_shown(out, "s", c);
		return;
	}
	if (c->given) {
		bytes_str(out, "CASE WHEN ");
		upsert_add_present(out, c);
		bytes_str(out, " THEN ");
		add_shown(out, "s", c);
		bytes_str(out, " ELSE ");
	}
	bytes_str(out, "'('" CAT);
	bytes_sql_text(out, c->made);
	bytes_str(out, CAT "')'");
	bytes_str(out, c->given ? " END" : "");
}

/*
 * A value as JSON on one line.  A number that readers keep as a double would come back as another one: it is
 * written as a text.
 */
void
upsert_add_json(struct bytes *out, const char *row, const struct upsert_column *c, bool exact)
{
	struct bytes value = { 0 };

	upsert_add_column(&value, row, c->name);
	bytes_str(out, "coalesce(");
	if (c->boolean)
		bytes_format(out, "%s::pg_catalog.text", value.data);
	else if (c->json_list) /* its nulls are JSON's or SQL's */
		bytes_format(out, "pg_catalog.to_json(%s::pg_catalog.text)::pg_catalog.text", value.data);
	else if (c->large_number && !exact)
		bytes_format(out,
		    "CASE WHEN pg_catalog.length(%s::pg_catalog.text)" MOST "15 THEN pg_catalog.to_json(%s)::pg_catalog.text "
		                  "ELSE pg_catalog.to_json(%s::pg_catalog.text)::pg_catalog.text END",
		                  value.data, value.data, value.data);
	else
		bytes_format(out,
		    "pg_catalog.translate(pg_catalog.to_json(%s)::pg_catalog.text, E'\\n\\r\\t', '   ')",
		    value.data);
	bytes_str(out, ", 'null')");
	bytes_free(&value);
}

/* The member's name, as JSON, and a colon: a literal. */
void
upsert_add_json_name(struct bytes *out, const char *name)
{
	bytes_str(out, "pg_catalog.to_json(");
	bytes_sql_text(out, name);
	bytes_str(out, "::pg_catalog.text)::pg_catalog.text" CAT "':'" CAT);
}

/*
 * A condition: a change includes this column.  An update includes those that differ, an insert all that are
 * present.
 */
static void
add_told(struct bytes *out, const struct upsert_column *c, bool json)
{
	bytes_str(out, "CASE WHEN t.ctid IS NULL THEN ");
	if (c->sometimes || (json && c->given))
		upsert_add_present(out, c);
	else
		bytes_str(out, "true");
	bytes_str(out, " ELSE ");
	if (upsert_is_compared(c))
		upsert_add_column_differs(out, c);
	else
		bytes_str(out, "false");
	bytes_str(out, " END");
}

void
upsert_add_part_of_column(struct bytes *out, const struct upsert_column *c, const char *row, enum part part)
{
	if (part == PART_SHOWN_KEY || part == PART_SHOWN) {
		bytes_sql_text(out, c->name);
		bytes_str(out, CAT);
	} else {
		upsert_add_json_name(out, c->name);
	}
	switch (part) {
	case PART_KEY:
	case PART_NEW:
		if (c->secret == 0) {
			upsert_add_json(out, row, c, false);
			break;
		}
		bytes_str(out, "coalesce(pg_catalog.to_json(");
		upsert_add_source(out, row, c);
		bytes_str(out, ")::pg_catalog.text, 'null')");
		break;
	case PART_OLD:
		upsert_add_json(out, "t", c, false);
		break;
	case PART_SHOWN_KEY:
		/* as in a shell: without quotes */
		bytes_str(out, "'='" CAT);
		if (c->hidden) {
			bytes_str(out, "'(not shown)'");
			break;
		}
		bytes_str(out, "pg_catalog.left(pg_catalog.replace(");
		upsert_add_column(out, row, c->name);
		bytes_str(out, "::pg_catalog.text, E'\\n', E'\\\\n'), 60)");
		break;
	case PART_SHOWN:
		bytes_str(out, "CASE WHEN t.ctid IS NULL THEN '='" CAT);
		add_shown_new(out, c);
		bytes_str(out, " ELSE ': '" CAT);
		add_shown(out, "t", c);
		bytes_str(out, CAT "' \xE2\x86\x92 '" CAT);
		if (c->secret > 0)
			add_shown_new(out, c);
		else
			add_shown(out, "s", c);
		bytes_str(out, " END");
		break;
	}
}

/* s."role.slug", ... */
static void
add_part_names(struct bytes *out, const struct upsert_reference *r)
{
	size_t k;

	for (k = 0; k < r->part_count; k++) {
		bytes_str(out, k > 0 ? ", " : "");
		upsert_add_column(out, "s", r->parts[k].header);
	}
}

/* A reference, in the first of its columns: the natural key, which means the same in every database. */
static void
add_reference(struct bytes *out, const struct upsert_column *c, enum part part)
{
	const struct upsert_reference *r = c->reference;
	bool json = part != PART_SHOWN_KEY && part != PART_SHOWN;
	size_t k;

	bytes_format(out, "pg_catalog.concat_ws(%s, NULL", json ? "','" : part == PART_SHOWN ? "', '" : "' '");
	for (k = 0; k < r->part_count; k++) {
		const struct upsert_column shown = { .name = r->parts[k].header, .hidden = r->parts[k].hidden };

		bytes_str(out, ", ");
		if (json) {
			upsert_add_json_name(out, shown.name);
			upsert_add_json(out, "s", &shown, false);
			continue;
		}
		bytes_sql_text(out, shown.name);
		bytes_str(out, CAT);
		if (part == PART_SHOWN) {
			bytes_str(out, "'='" CAT);
			add_shown(out, "s", &shown);
		} else {
			bytes_str(out, "'='" CAT "pg_catalog.left(s.");
			bytes_sql_name(out, shown.name);
			bytes_str(out, "::pg_catalog.text, 60)");
		}
	}
	bytes_char(out, ')');
}

/* All columns of a part as one text. */
static void
add_part(struct bytes *out, const struct upsert_table *t, const char *row, enum part part)
{
	bool json = part != PART_SHOWN_KEY && part != PART_SHOWN;
	bool keys = part == PART_KEY || part == PART_SHOWN_KEY;
	size_t i;

	bytes_format(out, "%spg_catalog.concat_ws(%s, NULL", json ? "'{'" CAT : "",
	    json ? "','" : keys ? "' '" : "', '");
	for (i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];

		if (c->reference != NULL && c->reference_column > 0 && strcmp(row, "s") == 0 && part != PART_OLD)
			continue;
		if (c->secret > 0 && part == PART_OLD)
			continue;
		if (c->key != keys || !c->in_file || (json && c->made != NULL && !c->given))
			continue;
		bytes_str(out, ", ");
		if (!keys) {
			bytes_str(out, "CASE WHEN ");
			add_told(out, c, json);
			bytes_str(out, " THEN ");
		}
		if (c->reference != NULL && part != PART_OLD && strcmp(row, "s") == 0) {
			if (c->given) {
				bytes_str(out, "CASE WHEN pg_catalog.num_nonnulls(");
				add_part_names(out, c->reference);
				bytes_str(out, ")" IS "0 THEN ");
				upsert_add_part_of_column(out, c, row, part);
				bytes_str(out, " ELSE ");
			}
			add_reference(out, c, part);
			bytes_str(out, c->given ? " END" : "");
		} else {
			upsert_add_part_of_column(out, c, row, part);
		}
		bytes_str(out, keys ? "" : " END");
	}
	bytes_format(out, ")%s", json ? CAT "'}'" : "");
}

void
upsert_changes(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "SELECT CASE WHEN t.ctid IS NULL THEN 'insert' ELSE 'update' END, ");
	add_part(out, t, "s", PART_SHOWN_KEY);
	bytes_str(out, ", ");
	add_part(out, t, "s", PART_SHOWN);
	bytes_str(out, ", ");
	add_part(out, t, "s", PART_KEY);
	bytes_str(out, ", CASE WHEN t.ctid IS NOT NULL THEN ");
	add_part(out, t, "t", PART_OLD);
	bytes_str(out, " END, ");
	add_part(out, t, "s", PART_NEW);
	upsert_add_join(out, t, "LEFT");
	bytes_str(out, " WHERE t.ctid IS NULL OR ");
	upsert_add_differs(out, t);
	bytes_str(out, " ORDER BY s.ctid");
}

void
upsert_deletes(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "SELECT 'delete', ");
	add_part(out, t, "t", PART_SHOWN_KEY);
	bytes_str(out, ", '', ");
	add_part(out, t, "t", PART_KEY);
	bytes_str(out, ", NULL, NULL FROM ");
	upsert_name(out, t);
	bytes_str(out, " t WHERE ");
	upsert_add_gone(out, t);
	upsert_add_key_order(out, t);
}

static const struct upsert_column *
column_named(const struct upsert_table *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (strcmp(t->columns[i].name, name) == 0)
			return &t->columns[i];
	return NULL;
}

void
upsert_row_text(struct bytes *out, const struct upsert_table *t, const char *const *columns, size_t count,
    const char *ctid)
{
	size_t i;

	bytes_str(out, "SELECT pg_catalog.concat_ws(', ', NULL");
	for (i = 0; i < count; i++) {
		const struct upsert_column *c = column_named(t, columns[i]);

		if (c == NULL || !upsert_is_staged(t, c))
			continue;
		bytes_str(out, ", ");
		bytes_sql_text(out, c->name);
		bytes_str(out, CAT "'='" CAT);
		add_shown(out, "s", c);
	}
	bytes_str(out, ") FROM ");
	upsert_add_staged(out, t);
	bytes_format(out, " s WHERE s.ctid" IS "'%s'::pg_catalog.tid", ctid);
}
