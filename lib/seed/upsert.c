#include "seed/upsert.h"

#include <stdio.h>
#include <string.h>

/* Every operator is qualified: these statements are parsed with the search path of the session. */
#define IS    " OPERATOR(pg_catalog.=) "
#define LEAST " OPERATOR(pg_catalog.>=) "
#define MOST  " OPERATOR(pg_catalog.<=) "
#define OVER  " OPERATOR(pg_catalog.>) "
#define CAT   " OPERATOR(pg_catalog.||) "
#define KEYS_COLUMN "keys of the row" /* beside the columns of a table that is staged from JSON */

/* --- small parts --- */

static void
add_column(struct bytes *out, const char *row, const char *name)
{
	bytes_format(out, "%s.", row);
	bytes_sql_name(out, name);
}

void
upsert_name(struct bytes *out, const struct upsert_table *t)
{
	bytes_sql_name(out, t->schema);
	bytes_char(out, '.');
	bytes_sql_name(out, t->table);
}

static void
add_staged(struct bytes *out, const struct upsert_table *t)
{
	bytes_format(out, "pg_temp.mig_seed_%zu", t->number);
}

/* What goes between the parts of a list: nothing before the first. */
static void
add_between(struct bytes *out, bool *begun, const char *between)
{
	bytes_str(out, *begun ? between : "");
	*begun = true;
}

static bool
is_staged(const struct upsert_table *t, const struct upsert_column *c)
{
	return t->json || c->in_file;
}

/* row.a, row.b: the columns that are staged, in the table's order; row NULL: bare names. */
static void
add_staged_columns(struct bytes *out, const struct upsert_table *t, const char *row)
{
	bool begun = false;
	size_t i;

	for (i = 0; i < t->count; i++) {
		if (!is_staged(t, &t->columns[i]))
			continue;
		add_between(out, &begun, ", ");
		if (row != NULL)
			add_column(out, row, t->columns[i].name);
		else
			bytes_sql_name(out, t->columns[i].name);
	}
}

/* t.k = s.k AND ... */
static void
add_match(struct bytes *out, const struct upsert_table *t, const char *one, const char *other)
{
	bool begun = false;
	size_t i;

	for (i = 0; i < t->count; i++) {
		if (!t->columns[i].key)
			continue;
		add_between(out, &begun, " AND ");
		add_column(out, one, t->columns[i].name);
		bytes_format(out, " %s ", t->columns[i].equals);
		add_column(out, other, t->columns[i].name);
	}
}

/* The columns of the key, with something behind each. */
static void
add_key(struct bytes *out, const struct upsert_table *t, const char *row, const char *behind,
    const char *between)
{
	bool begun = false;
	size_t i;

	for (i = 0; i < t->count; i++) {
		if (!t->columns[i].key)
			continue;
		add_between(out, &begun, between);
		add_column(out, row, t->columns[i].name);
		bytes_str(out, behind);
	}
}

/* Whether the row has a column that not every row has. */
static void
add_present(struct bytes *out, const struct upsert_column *c)
{
	bytes_sql_text(out, c->name);
	bytes_str(out, IS "ANY (s.\"" KEYS_COLUMN "\")");
}

static bool
is_compared(const struct upsert_column *c)
{
	return c->in_file && !c->key && !c->insert_only && !c->always;
}

static bool
has_compared(const struct upsert_table *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		if (is_compared(&t->columns[i]))
			return true;
	return false;
}

static void
add_column_differs(struct bytes *out, const struct upsert_column *c)
{
	bytes_char(out, '(');
	if (c->sometimes) {
		add_present(out, c);
		bytes_str(out, " AND ");
	}
	bytes_str(out, c->exact ? "NOT coalesce(" : "pg_catalog.record_image_ne(ROW(");
	add_column(out, "t", c->name);
	bytes_str(out, c->exact ? IS : "), ROW(");
	add_column(out, "s", c->name);
	if (c->exact) {
		bytes_str(out, ", ");
		add_column(out, "t", c->name);
		bytes_str(out, " IS NULL AND ");
		add_column(out, "s", c->name);
		bytes_str(out, " IS NULL");
	}
	bytes_str(out, c->exact ? "))" : ")))");
}

/* Whether s and t differ in what the file may overwrite. */
static void
add_differs(struct bytes *out, const struct upsert_table *t)
{
	bool begun = false;
	size_t i;

	if (!has_compared(t)) {
		bytes_str(out, "false");
		return;
	}
	bytes_char(out, '(');
	for (i = 0; i < t->count; i++) {
		if (!is_compared(&t->columns[i]))
			continue;
		add_between(out, &begun, " OR ");
		add_column_differs(out, &t->columns[i]);
	}
	bytes_char(out, ')');
}

/* Whether a row of the table is to go: not in the file, or named by the stream. */
static void
add_gone(struct bytes *out, const struct upsert_table *t)
{
	bytes_format(out, "%sEXISTS (SELECT FROM ", t->stream ? "" : "NOT ");
	add_staged(out, t);
	bytes_format(out, "%s s WHERE ", t->stream ? "_gone" : "");
	add_match(out, t, "t", "s");
	bytes_char(out, ')');
}

static void
add_slice(struct bytes *out, const struct upsert_table *t, const struct upsert_slice *slice)
{
	if (slice != NULL && slice->table == t)
		bytes_format(out, " AND s.ctid" LEAST "'%s'::pg_catalog.tid AND s.ctid" MOST "'%s'::pg_catalog.tid", slice->from, slice->to);
}

/* --- staging --- */

void
upsert_stage(struct bytes *out, const struct upsert_table *t)
{
	bytes_format(out, "CREATE TEMPORARY TABLE mig_seed_%zu ON COMMIT DROP AS SELECT ", t->number);
	add_staged_columns(out, t, "t");
	bytes_str(out, t->json ? ", NULL::pg_catalog.text[] AS \"" KEYS_COLUMN "\" FROM " : " FROM ");
	upsert_name(out, t);
	bytes_str(out, " t WITH NO DATA");
	if (t->json)
		bytes_format(out,
		    "; CREATE TEMPORARY TABLE mig_seed_%zu_json (doc pg_catalog.json) ON COMMIT DROP",
		    t->number);
	if (!t->stream)
		return;
	bytes_format(out, "; CREATE TEMPORARY TABLE mig_seed_%zu_gone ON COMMIT DROP AS SELECT ", t->number);
	add_key(out, t, "t", "", ", ");
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
	add_staged(out, t);
	if (header == NULL) {
		bytes_str(out, "_json FROM STDIN");
		return;
	}
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
	add_staged(out, t);
	bytes_str(out, "_gone_json FROM STDIN");
}

void
upsert_fill(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "INSERT INTO ");
	add_staged(out, t);
	bytes_str(out, " SELECT ");
	add_staged_columns(out, t, "x");
	bytes_str(out, ", ARRAY(SELECT pg_catalog.json_object_keys(r.doc)) FROM ");
	add_staged(out, t);
	bytes_str(out, "_json r, pg_catalog.json_populate_record(NULL::");
	add_staged(out, t);
	bytes_str(out, ", r.doc) x");
}

void
upsert_try_fill(struct bytes *out, const struct upsert_table *t, const char *from, const char *to,
    const char *column)
{
	bytes_str(out, "SELECT pg_catalog.count(x) FROM ");
	add_staged(out, t);
	bytes_str(out, "_json r, pg_catalog.json_populate_record(NULL::");
	add_staged(out, t);
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
	add_staged(out, t);
	bytes_str(out, "_gone SELECT x.* FROM ");
	add_staged(out, t);
	bytes_str(out, "_gone_json r, pg_catalog.json_populate_record(NULL::");
	add_staged(out, t);
	bytes_str(out, "_gone, r.doc) x");
}

void
upsert_json_keys(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "SELECT k, pg_catalog.count(*), pg_catalog.count(DISTINCT r.ctid), (SELECT pg_catalog.count(*) FROM ");
	add_staged(out, t);
	bytes_str(out, "_json) FROM ");
	add_staged(out, t);
	bytes_str(out, "_json r, pg_catalog.json_object_keys(r.doc) k GROUP BY k ORDER BY k");
}

void
upsert_json_line(struct bytes *out, const struct upsert_table *t, const char *key)
{
	bytes_str(out, "SELECT r.ctid FROM ");
	add_staged(out, t);
	bytes_str(out, "_json r WHERE (SELECT pg_catalog.count(*) FROM pg_catalog.json_object_keys(r.doc) k WHERE k" IS);
	bytes_sql_text(out, key);
	bytes_str(out, ")" OVER "$1::pg_catalog.int8 ORDER BY r.ctid LIMIT 1");
}

/* --- comparing --- */

static void
add_join(struct bytes *out, const struct upsert_table *t, const char *kind)
{
	bytes_str(out, " FROM ");
	add_staged(out, t);
	bytes_format(out, " s %s JOIN ", kind);
	upsert_name(out, t);
	bytes_str(out, " t ON ");
	add_match(out, t, "t", "s");
}

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
		add_gone(out, t);
		bytes_char(out, ')');
	} else {
		bytes_str(out, "NULL");
	}
	bytes_str(out, " FROM (SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE t.ctid IS NULL), "
	               "pg_catalog.count(*) FILTER (WHERE t.ctid IS NOT NULL AND ");
	add_differs(out, t);
	bytes_str(out, "), pg_catalog.count(*) FILTER (WHERE t.ctid IS NOT NULL AND NOT ");
	add_differs(out, t);
	bytes_str(out, "), pg_catalog.count(*) FILTER (WHERE ");
	add_key(out, t, "s", " IS NULL", " OR ");
	bytes_char(out, ')');
	add_join(out, t, "LEFT");
	bytes_str(out, ") c");
}

void
upsert_glance(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "SELECT pg_catalog.count(*), pg_catalog.count(DISTINCT (t.tableoid, t.ctid)) FILTER (WHERE t.ctid IS NOT NULL AND NOT ");
	add_differs(out, t);
	bytes_str(out, "), (SELECT pg_catalog.count(*) FROM ");
	upsert_name(out, t);
	bytes_str(out, ") FROM (SELECT x.*, ARRAY(SELECT pg_catalog.json_object_keys(r.doc)) AS \"" KEYS_COLUMN "\" "
	               "FROM pg_catalog.json_array_elements($1::pg_catalog.json) r(doc), pg_catalog.json_populate_record(NULL::");
	upsert_name(out, t);
	bytes_str(out, ", r.doc) x) s LEFT JOIN ");
	upsert_name(out, t);
	bytes_str(out, " t ON ");
	add_match(out, t, "t", "s");
}

void
upsert_written(struct bytes *out, const struct upsert_table *t)
{
	add_join(out, t, "LEFT");
	bytes_str(out, " WHERE (t.ctid IS NULL OR ");
	add_differs(out, t);
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
	add_column(out, "s", c->name);
	bytes_str(out, " IS NULL AND (t.ctid IS NULL");
	if (c->sometimes && given) {
		bytes_str(out, " AND ");
		add_present(out, c);
	}
	if (is_compared(c)) {
		bytes_str(out, " OR t.ctid IS NOT NULL");
		if (c->sometimes) {
			bytes_str(out, " AND ");
			add_present(out, c);
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
	add_join(out, t, "LEFT");
	bytes_format(out, " WHERE %s ORDER BY s.ctid LIMIT 1", bytes_text(&any));
	i = any.len;
	bytes_free(&any);
	return i > 0;
}

void
upsert_keyless(struct bytes *out, const struct upsert_table *t)
{
	bytes_str(out, "SELECT s.ctid FROM ");
	add_staged(out, t);
	bytes_str(out, " s WHERE ");
	add_key(out, t, "s", " IS NULL", " OR ");
	bytes_str(out, " ORDER BY 1 LIMIT 1");
}

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
	add_column(&value, row, c->name);
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

/*
 * A value as JSON on one line.  A number that readers keep as a double would come back as another one: it is
 * written as a text.
 */
static void
add_json(struct bytes *out, const char *row, const struct upsert_column *c, bool exact)
{
	struct bytes value = { 0 };

	add_column(&value, row, c->name);
	bytes_str(out, "coalesce(");
	if (c->boolean)
		bytes_format(out, "%s::pg_catalog.text", value.data);
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
static void
add_json_name(struct bytes *out, const char *name)
{
	bytes_str(out, "pg_catalog.to_json(");
	bytes_sql_text(out, name);
	bytes_str(out, "::pg_catalog.text)::pg_catalog.text" CAT "':'" CAT);
}

enum part { PART_KEY, PART_OLD, PART_NEW, PART_SHOWN_KEY, PART_SHOWN };

/*
 * Whether a change tells of a column, as a condition: an update of those that differ, an insert of all that
 * are there.
 */
static void
add_told(struct bytes *out, const struct upsert_column *c)
{
	bytes_str(out, "CASE WHEN t.ctid IS NULL THEN ");
	if (c->sometimes)
		add_present(out, c);
	else
		bytes_str(out, "true");
	bytes_str(out, " ELSE ");
	if (is_compared(c))
		add_column_differs(out, c);
	else
		bytes_str(out, "false");
	bytes_str(out, " END");
}

static void
add_part_of_column(struct bytes *out, const struct upsert_column *c, const char *row, enum part part)
{
	if (part == PART_SHOWN_KEY || part == PART_SHOWN) {
		bytes_sql_text(out, c->name);
		bytes_str(out, CAT);
	} else {
		add_json_name(out, c->name);
	}
	switch (part) {
	case PART_KEY:
	case PART_NEW:
		add_json(out, row, c, false);
		break;
	case PART_OLD:
		add_json(out, "t", c, false);
		break;
	case PART_SHOWN_KEY:
		/* as in a shell: without quotes */
		bytes_str(out, "'='" CAT);
		if (c->hidden) {
			bytes_str(out, "'(not shown)'");
			break;
		}
		bytes_str(out, "pg_catalog.left(pg_catalog.replace(");
		add_column(out, row, c->name);
		bytes_str(out, "::pg_catalog.text, E'\\n', E'\\\\n'), 60)");
		break;
	case PART_SHOWN:
		bytes_str(out, "CASE WHEN t.ctid IS NULL THEN '='" CAT);
		add_shown(out, "s", c);
		bytes_str(out, " ELSE ': '" CAT);
		add_shown(out, "t", c);
		bytes_str(out, CAT "' \xE2\x86\x92 '" CAT);
		add_shown(out, "s", c);
		bytes_str(out, " END");
		break;
	}
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

		if (c->key != keys || !c->in_file)
			continue;
		bytes_str(out, ", ");
		if (!keys) {
			bytes_str(out, "CASE WHEN ");
			add_told(out, c);
			bytes_str(out, " THEN ");
		}
		add_part_of_column(out, c, row, part);
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
	add_join(out, t, "LEFT");
	bytes_str(out, " WHERE t.ctid IS NULL OR ");
	add_differs(out, t);
	bytes_str(out, " ORDER BY s.ctid");
}

static void
add_key_order(struct bytes *out, const struct upsert_table *t)
{
	bool begun = false;
	size_t i;

	bytes_str(out, " ORDER BY ");
	for (i = 0; i < t->count; i++) {
		if (!t->columns[i].key)
			continue;
		add_between(out, &begun, ", ");
		add_column(out, "t", t->columns[i].name);
		if (t->columns[i].collatable)
			bytes_str(out, " COLLATE pg_catalog.\"C\"");
	}
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
	add_gone(out, t);
	add_key_order(out, t);
}

/* --- writing --- */

static void
add_delete(struct bytes *out, const struct upsert_table *t, const char *after)
{
	bytes_str(out, "DELETE FROM ");
	upsert_name(out, t);
	bytes_str(out, " t WHERE ");
	add_gone(out, t);
	bytes_str(out, after);
}

static void
add_update(struct bytes *out, const struct upsert_table *t, const struct upsert_slice *slice, const char *after)
{
	bool begun = false;
	size_t i;

	bytes_str(out, "UPDATE ");
	upsert_name(out, t);
	bytes_str(out, " t SET ");
	for (i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];

		if (!is_compared(c))
			continue;
		add_between(out, &begun, ", ");
		bytes_sql_name(out, c->name);
		bytes_str(out, " = ");
		if (c->sometimes) {
			bytes_str(out, "CASE WHEN ");
			add_present(out, c);
			bytes_str(out, " THEN ");
		}
		add_column(out, "s", c->name);
		if (c->sometimes) {
			bytes_str(out, " ELSE ");
			add_column(out, "t", c->name);
			bytes_str(out, " END");
		}
	}
	bytes_str(out, " FROM ");
	add_staged(out, t);
	bytes_str(out, " s WHERE ");
	add_match(out, t, "t", "s");
	bytes_str(out, " AND ");
	add_differs(out, t);
	add_slice(out, t, slice);
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
		if (!t->columns[i].in_file)
			continue;
		always |= t->columns[i].always;
		add_between(out, &begun, ", ");
		bytes_sql_name(out, t->columns[i].name);
	}
	bytes_format(out, ")%s SELECT ", always ? " OVERRIDING SYSTEM VALUE" : "");
	for (begun = false, i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];

		if (!c->in_file)
			continue;
		add_between(out, &begun, ", ");
		if (c->sometimes) {
			bytes_str(out, "CASE WHEN ");
			add_present(out, c);
			bytes_str(out, " THEN ");
		}
		add_column(out, "s", c->name);
		if (c->sometimes)
			bytes_format(out, " ELSE %s END", c->absent);
	}
	bytes_str(out, " FROM ");
	add_staged(out, t);
	bytes_str(out, " s WHERE true");
	if (!t->empty) {
		bytes_str(out, " AND NOT EXISTS (SELECT FROM ");
		upsert_name(out, t);
		bytes_str(out, " t WHERE ");
		add_match(out, t, "t", "s");
		bytes_char(out, ')');
	}
	add_slice(out, t, slice);
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

		if (c->sequence == NULL || !c->in_file)
			continue;
		add_between(out, &begun, "; ");
		bytes_str(out, "SELECT pg_catalog.setval(");
		bytes_sql_text(out, c->sequence);
		bytes_str(out, "::pg_catalog.regclass, m.v) FROM (SELECT CASE WHEN d.seqincrement" OVER "0 THEN pg_catalog.max(s.v) "
		               "ELSE pg_catalog.min(s.v) END AS v, d.seqincrement FROM (SELECT ");
		add_column(out, "s", c->name);
		bytes_str(out, "::pg_catalog.int8 AS v FROM ");
		add_staged(out, t);
		bytes_str(out, " s) s, pg_catalog.pg_sequence d WHERE d.seqrelid" IS);
		bytes_sql_text(out, c->sequence);
		bytes_format(out,
		    "::pg_catalog.regclass AND s.v" LEAST "d.seqmin AND s.v" MOST "d.seqmax GROUP BY d.seqincrement) m, %s q "
		                  "WHERE (CASE WHEN m.seqincrement" OVER "0 THEN m.v" LEAST "q.last_value ELSE m.v" MOST "q.last_value END) "
		                  "AND (m.v OPERATOR(pg_catalog.<>) q.last_value OR NOT q.is_called)", c->sequence);
	}
}

/* --- telling and exporting --- */

/* s.a, s.b */
static void
add_list(struct bytes *out, const char *const *columns, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		bytes_str(out, i > 0 ? ", " : "");
		add_column(out, "s", columns[i]);
	}
}

void
upsert_duplicate(struct bytes *out, const struct upsert_table *t, const char *const *columns, size_t count)
{
	static const char order[] = "(pg_catalog.array_agg(s.ctid ORDER BY s.ctid))";

	bytes_format(out, "SELECT %s[2], %s[1] FROM ", order, order);
	add_staged(out, t);
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
		add_part_of_column(out, &t->columns[i], "t", PART_SHOWN_KEY);
	}
	bytes_str(out, ") FROM ");
	add_staged(out, t);
	bytes_str(out, " s JOIN ");
	upsert_name(out, t);
	bytes_str(out, " t ON ");
	for (i = 0; i < count; i++) {
		bytes_str(out, i > 0 ? " AND " : "");
		add_column(out, "t", columns[i]);
		bytes_format(out, " %s ", equals[i]);
		add_column(out, "s", columns[i]);
	}
	bytes_str(out, " WHERE NOT (");
	add_match(out, t, "t", "s");
	bytes_str(out, ") ORDER BY s.ctid LIMIT 1");
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

		if (c == NULL || !is_staged(t, c))
			continue;
		bytes_str(out, ", ");
		bytes_sql_text(out, c->name);
		bytes_str(out, CAT "'='" CAT);
		add_shown(out, "s", c);
	}
	bytes_str(out, ") FROM ");
	add_staged(out, t);
	bytes_format(out, " s WHERE s.ctid" IS "'%s'::pg_catalog.tid", ctid);
}

void
upsert_export(struct bytes *out, const struct upsert_table *t, char delimiter)
{
	bool begun = false;
	size_t i;

	bytes_str(out, delimiter != 0 ? "COPY (SELECT " : "SELECT '{'" CAT "pg_catalog.concat_ws(','");
	for (i = 0; i < t->count; i++) {
		const struct upsert_column *c = &t->columns[i];

		if (delimiter == 0) {
			bytes_str(out, ", ");
			add_json_name(out, c->name);
			add_json(out, "t", c, true);
			continue;
		}
		add_between(out, &begun, ", ");
		add_column(out, "t", c->name);
		if (c->boolean) {
			bytes_str(out, "::pg_catalog.text AS ");
			bytes_sql_name(out, c->name);
		}
	}
	bytes_str(out, delimiter != 0 ? " FROM " : ")" CAT "'}' FROM ");
	upsert_name(out, t);
	bytes_str(out, " t");
	add_key_order(out, t);
	if (delimiter != 0)
		bytes_format(out, ") TO STDOUT (FORMAT csv, HEADER true, DELIMITER E'\\x%02x')",
		    (unsigned)delimiter);
}
