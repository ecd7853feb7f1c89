#include "seed/table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hidden.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/own_sql.h"
#include "base/shell_quote.h"
#include "base/suggest.h"
#include "seed/copy_source.h"

/* --- asking the catalog --- */

enum { NAME_OID, NAME_KIND, NAME_SCHEMA, NAME_TABLE, NAME_PARENT, NAME_LIKE };

static void
names_sql(struct bytes *out, const struct seed_file *files, size_t count)
{
	struct bytes name = { 0 };
	size_t i;

	bytes_str(out, "SELECT c.oid, c.relkind, n.nspname, c.relname, c.relkind = 'r' AND "
	               "EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid), "
	               "(SELECT pg_catalog.min(o.relname) "
	               "FROM pg_catalog.pg_class o WHERE pg_catalog.lower(o.relname) = pg_catalog.lower(u.bare) "
	               "AND o.relkind IN ('r', 'p') AND " OWN_SQL_AS_SESSION("pg_table_is_visible(o.oid)") ") "
	               "FROM (SELECT u.*, " OWN_SQL_AS_SESSION("to_regclass(u.name)") " AS oid FROM ROWS FROM (unnest(ARRAY[");
	for (i = 0; i < count; i++) {
		name.len = 0;
		if (files[i].schema != NULL) {
			bytes_sql_name(&name, files[i].schema);
			bytes_char(&name, '.');
		}
		bytes_sql_name(&name, files[i].table);
		bytes_str(out, i > 0 ? ", " : "");
		bytes_sql_text(out, name.data);
	}
	bytes_str(out, "]::text[]), unnest(ARRAY[");
	for (i = 0; i < count; i++) {
		bytes_str(out, i > 0 ? ", " : "");
		bytes_sql_text(out, files[i].table);
	}
	bytes_str(out, "]::text[])) WITH ORDINALITY u(name, bare, i)) u "
	               "LEFT JOIN pg_catalog.pg_class c ON c.oid = u.oid AND c.relpersistence <> 't' "
	               "LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ORDER BY u.i");
	bytes_free(&name);
}

enum { COLUMN_TABLE, COLUMN_NAME, COLUMN_GENERATED, COLUMN_IDENTITY, COLUMN_EXACT, COLUMN_CATEGORY, COLUMN_TYPE,
	COLUMN_COLLATABLE, COLUMN_SEQUENCE, COLUMN_DEFAULT, COLUMN_REQUIRED };

/*
 * An enum and a text whose collation tells all texts apart are exact; so are types with one form for each
 * value.  A default has its column's type, since it stands in a CASE beside values of that type: beside 1.5 a
 * bigint would be a float there, and rounded.  What counts has a sequence; a text may only be made of one.
 */
static const char columns_sql[] =
    "SELECT a.attrelid, a.attname, a.attgenerated <> '', a.attidentity, "
    "y.typtype = 'e' OR a.atttypid IN ('bool'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype, "
    "'oid'::regtype, 'uuid'::regtype, 'date'::regtype, 'time'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, "
    "'bytea'::regtype) OR a.atttypid IN ('text'::regtype, 'varchar'::regtype) AND coalesce(l.collisdeterministic, true), "
    "y.typcategory, a.atttypid::regtype, a.attcollation <> 0, q.name, "
    "coalesce(CASE WHEN a.attidentity <> '' THEN 'pg_catalog.nextval(' || quote_literal(q.name) || '::pg_catalog.regclass)' END, "
    "'(' || coalesce(pg_get_expr(d.adbin, d.adrelid), pg_get_expr(y.typdefaultbin, 0)) || ')::' "
    "|| pg_catalog.format_type(a.atttypid, -1), 'NULL'), a.attnotnull "
    "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type y ON y.oid = a.atttypid "
    "LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation "
    "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = '' "
    "LEFT JOIN LATERAL (SELECT coalesce(pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname), "
    "(SELECT format('%I.%I', m.nspname, s.relname) FROM pg_catalog.pg_depend p JOIN pg_catalog.pg_class s ON s.oid = p.refobjid "
    "JOIN pg_catalog.pg_namespace m ON m.oid = s.relnamespace WHERE p.classid = 'pg_catalog.pg_attrdef'::regclass "
    "AND p.objid = d.oid AND p.refclassid = 'pg_catalog.pg_class'::regclass AND s.relkind = 'S' LIMIT 1)) AS name "
    "WHERE y.typcategory = 'N') q ON true "
    "WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid = ANY (ARRAY[%s]::oid[]) "
    "ORDER BY a.attrelid, a.attnum";

enum { KEY_TABLE, KEY_INDEX, KEY_PRIMARY, KEY_COLUMN, KEY_EQUALS };

/* Unique keys that hold for all rows, each with the operator by which its index tells two values apart. */
static const char keys_sql[] =
    "SELECT i.indrelid, x.relname, i.indisprimary, a.attname, format('OPERATOR(%I.%s)', m.nspname, o.oprname) "
    "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid "
    "JOIN pg_catalog.pg_am b ON b.oid = x.relam AND b.amname = 'btree' "
    "CROSS JOIN LATERAL ROWS FROM (unnest(i.indkey::int2[]), unnest(i.indclass::oid[])) WITH ORDINALITY k(attnum, class, n) "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
    "JOIN pg_catalog.pg_opclass c ON c.oid = k.class "
    "JOIN pg_catalog.pg_amop p ON p.amopfamily = c.opcfamily AND p.amoplefttype = c.opcintype "
    "AND p.amoprighttype = c.opcintype AND p.amopstrategy = 3 "
    "JOIN pg_catalog.pg_operator o ON o.oid = p.amopopr JOIN pg_catalog.pg_namespace m ON m.oid = o.oprnamespace "
    "WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.n <= i.indnkeyatts "
    "AND i.indrelid = ANY (ARRAY[%s]::oid[]) ORDER BY i.indrelid, NOT i.indisprimary, x.relname, k.n";

static const char links_sql[] =
    "SELECT DISTINCT conrelid, confrelid FROM pg_catalog.pg_constraint WHERE contype = 'f' AND conrelid <> confrelid "
    "AND conrelid = ANY (ARRAY[%s]::oid[]) AND confrelid = ANY (ARRAY[%s]::oid[])";

/* Puts text for each %s of a query; other percent signs (of format()) stay. */
static void
fill_in(struct bytes *out, const char *sql, const char *text)
{
	const char *at;

	for (; (at = strstr(sql, "ARRAY[%s]")) != NULL; sql = at + strlen("ARRAY[%s]")) {
		bytes_add(out, sql, (size_t)(at - sql));
		bytes_format(out, "ARRAY[%s]", text);
	}
	bytes_str(out, sql);
}

static enum db_outcome
ask_catalog(struct db *db, struct seed_tables *tables)
{
	static const char *const queries[] = { columns_sql, keys_sql, links_sql };
	struct bytes oids = { 0 }, texts[3] = { { 0 } };
	struct db_ask asks[3];
	enum db_outcome outcome;
	size_t i;

	bytes_str(&oids, "");
	for (i = 0; i < tables->count; i++)
		bytes_format(&oids, "%s%s", i > 0 ? "," : "", tables->tables[i].oid);
	for (i = 0; i < 3; i++) {
		fill_in(&texts[i], queries[i], oids.data);
		asks[i] = (struct db_ask){ .sql = texts[i].data, .ours = true };
	}
	outcome = db_round(db, asks, 3);
	for (i = 0; i < 3; i++) {
		tables->answers[i + 1] = asks[i].answer;
		if (outcome == DB_OK && asks[i].outcome != DB_OK)
			outcome = DB_ERROR;
		bytes_free(&texts[i]);
	}
	bytes_free(&oids);
	return outcome;
}

/* --- one table --- */

static int
say_missing(struct db *db, const struct seed_file *file, const char *like)
{
	struct bytes place = { 0 };

	db_place(db, &place);
	(void)message_error(MIG_FAILED, "%s: there is no table %s%s%s in %s [42P01]", file->path,
	    file->schema != NULL ? file->schema : "", file->schema != NULL ? "." : "", file->table, place.data);
	if (like != NULL && file->schema == NULL && strcmp(like, file->table) != 0)
		message_line("  There is \"%s\": a file is named as its table is, capitals and all.", like);
	message_line("  Migrations come first:  mig-scan | mig-plan | mig-apply");
	message_line("  Nothing was seeded.");
	bytes_free(&place);
	return MIG_FAILED;
}

static int
take_names(struct db *db, struct seed_tables *tables)
{
	const struct answer *a = tables->answers[0];
	size_t i, j;

	for (i = 0; i < tables->count; i++) {
		struct seed_table *t = &tables->tables[i];
		const char *kind = answer_text(a, i, NAME_KIND);

		if (kind == NULL)
			return say_missing(db, t->file, answer_text(a, i, NAME_LIKE));
		if (*kind != 'r' && *kind != 'p')
			return seed_refuse(t->file, 0, "%s is no table", t->file->table);
		if (answer_flag(a, i, NAME_PARENT))
			return seed_refuse(t->file, 0,
			    "other tables inherit from %s, and its rows and theirs cannot be told apart: "
			    "seed it with SQL", t->file->table);
		t->oid = answer_word(a, i, NAME_OID);
		t->sql.schema = answer_word(a, i, NAME_SCHEMA);
		t->sql.table = answer_word(a, i, NAME_TABLE);
		t->sql.number = i + 1;
		t->sql.json = t->file->kind == SEED_NDJSON || t->file->kind == SEED_ROWS;
		t->sql.stream = t->file->kind == SEED_ROWS;
		for (j = 0; j < i; j++)
			if (strcmp(tables->tables[j].oid, t->oid) == 0)
				return seed_refuse(t->file, 0, "%s is for the same table",
				    tables->tables[j].file->path);
	}
	return 0;
}

/* What one would rather not have on a screen, also where nobody thought of saying so. */
static bool
sounds_secret(const char *name)
{
	static const char *const words[] = { "password", "passwd", "secret", "token" };
	size_t i;
	const char *c;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		for (c = name; *c != '\0'; c++)
			if (strncasecmp(c, words[i], strlen(words[i])) == 0)
				return true;
	return false;
}

static struct upsert_column *
column_named(struct seed_table *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->sql.count; i++)
		if (strcmp(t->sql.columns[i].name, name) == 0)
			return &t->sql.columns[i];
	return NULL;
}

static struct upsert_column
make_column(const struct answer *a, size_t row, const struct seed_settings *settings)
{
	const char *name = answer_word(a, row, COLUMN_NAME), *type = answer_word(a, row, COLUMN_TYPE);
	char category = *answer_word(a, row, COLUMN_CATEGORY);

	return (struct upsert_column){ .name = name,
		.insert_only = seed_names_have(&settings->insert_only, name),
		.hidden = seed_names_have(&settings->hide, name) || sounds_secret(name),
		.exact = answer_flag(a, row, COLUMN_EXACT),
		.bare = category == 'N' || category == 'B',
		.large_number = strcmp(type, "bigint") == 0 || strcmp(type, "numeric") == 0,
		.collatable = answer_flag(a, row, COLUMN_COLLATABLE),
		.always = *answer_word(a, row, COLUMN_IDENTITY) == 'a',
		.boolean = strcmp(type, "boolean") == 0,
		.json = strcmp(type, "json") == 0 || strcmp(type, "jsonb") == 0,
		.required = answer_flag(a, row, COLUMN_REQUIRED),
		.absent = answer_text(a, row, COLUMN_DEFAULT),
		.sequence = answer_text(a, row, COLUMN_SEQUENCE) };
}

/* All columns that can be written. */
static void
take_columns(struct seed_tables *tables, struct seed_table *t)
{
	const struct answer *a = tables->answers[1];
	size_t rows = answer_rows(a), i, cap = 0;

	for (i = 0; i < rows; i++) {
		if (strcmp(answer_word(a, i, COLUMN_TABLE), t->oid) != 0 || answer_flag(a, i, COLUMN_GENERATED))
			continue;
		ARRAY_ROOM(t->sql.columns, t->sql.count, cap);
		t->sql.columns[t->sql.count++] = make_column(a, i, &t->file->settings);
	}
}

/* The column that a name is probably meant to be, once what does not show is taken out of it; or NULL. */
static const char *
nearest_column(const struct seed_table *t, const char *name)
{
	const char **names = xcalloc(t->sql.count + 1, sizeof *names), *nearest = NULL;
	struct bytes bare = { 0 };
	size_t i;

	hidden_strip(&bare, name);
	for (i = 0; i < t->sql.count; i++) {
		names[i] = t->sql.columns[i].name;
		if (strcmp(names[i], bare.data) == 0)
			nearest = names[i];
	}
	if (nearest == NULL)
		nearest = suggest_nearest(bare.data, bare.len, names, t->sql.count);
	bytes_free(&bare);
	free(names);
	return nearest;
}

static int
say_unknown(const struct seed_table *t, unsigned long line, const char *name, const char *more)
{
	const char *nearest = nearest_column(t, name);
	struct bytes list = { 0 }, shown = { 0 };
	size_t i;

	for (i = 0; i < t->sql.count; i++)
		bytes_format(&list, "%s%s", i > 0 ? ", " : "", t->sql.columns[i].name);
	hidden_reveal(&shown, name);
	(void)seed_refuse(t->file, line, "table \"%s\" has no column \"%s\"%s", t->sql.table, shown.data, more);
	if (nearest != NULL)
		message_line("  Did you mean \"%s\"?", nearest);
	message_line("  It has %s.", bytes_text(&list));
	bytes_free(&list);
	bytes_free(&shown);
	return MIG_DATA;
}

static int
say_no_column(struct seed_tables *tables, const struct seed_table *t, unsigned long line, const char *name)
{
	const struct answer *a = tables->answers[1];
	size_t rows = a != NULL ? answer_rows(a) : 0, i;

	for (i = 0; i < rows; i++)
		if (strcmp(answer_word(a, i, COLUMN_TABLE), t->oid) == 0 &&
		    answer_flag(a, i, COLUMN_GENERATED) &&
		    strcmp(answer_word(a, i, COLUMN_NAME), name) == 0)
			return seed_refuse(t->file, line,
			    "column \"%s\" is generated by the database: leave it out", name);
	return say_unknown(t, line, name, "");
}

static int
take_header(struct seed_tables *tables, struct seed_table *t)
{
	const struct seed_names *lists[] =
	    { &t->file->header, &t->file->settings.key, &t->file->settings.insert_only,
		&t->file->settings.hide };
	size_t i, k;

	for (k = 0; k < sizeof lists / sizeof *lists; k++) {
		for (i = 0; i < lists[k]->count; i++) {
			struct upsert_column *c = column_named(t, lists[k]->names[i]);

			if (c == NULL)
				return say_no_column(tables, t, k == 0 ? 1 : 0, lists[k]->names[i]);
			c->in_file |= k == 0;
		}
	}
	return 0;
}

/* --- keys --- */

/* Rows of one index, from *at; NULL at the end.  *count: how many. */
static const char *
next_key(const struct answer *a, const char *oid, size_t *at, size_t *count)
{
	size_t rows = answer_rows(a);
	const char *name;

	while (*at < rows && strcmp(answer_word(a, *at, KEY_TABLE), oid) != 0)
		++*at;
	if (*at == rows)
		return NULL;
	name = answer_word(a, *at, KEY_INDEX);
	for (*count = 0; *at + *count < rows && strcmp(answer_word(a, *at + *count, KEY_INDEX), name) == 0 &&
	     strcmp(answer_word(a, *at + *count, KEY_TABLE), oid) == 0;)
		++*count;
	return name;
}

static bool
key_wanted(const struct answer *a, size_t at, size_t count, const struct seed_names *wanted)
{
	size_t i;

	if (wanted->count == 0)
		return answer_flag(a, at, KEY_PRIMARY);
	for (i = 0; i < count; i++)
		if (!seed_names_have(wanted, answer_word(a, at + i, KEY_COLUMN)))
			return false;
	return wanted->count == count;
}

enum { OTHER_INDEX, OTHER_VALID, OTHER_PREDICATE, OTHER_EXPRESSIONS };

/* Unique indexes that are no keys, since they do not hold for all rows, or not for columns. */
static const char others_sql[] =
    "SELECT x.relname, i.indisvalid, pg_get_expr(i.indpred, i.indrelid), pg_get_expr(i.indexprs, i.indrelid) "
    "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE i.indisunique "
    "AND (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL OR NOT i.indisvalid) AND i.indrelid = $1::oid ORDER BY x.relname";

/* Says why those are none; whether there is any. */
static bool
list_no_keys(struct db *db, const struct seed_table *t)
{
	const char *const oid = t->oid;
	struct answer *a = NULL;
	size_t rows, i;

	(void)db_query_ours(db, &a, others_sql, 1, &oid);
	rows = a != NULL ? answer_rows(a) : 0;
	for (i = 0; i < rows; i++) {
		const char *name = answer_word(a, i, OTHER_INDEX);

		if (!answer_flag(a, i, OTHER_VALID))
			message_line("  no key: %s is not valid: REINDEX it", name);
		else if (answer_text(a, i, OTHER_PREDICATE) != NULL)
			message_line("  no key: %s is partial, WHERE %s", name, answer_text(a, i, OTHER_PREDICATE));
		else
			message_line("  no key: %s is on an expression, %s", name, answer_word(a, i, OTHER_EXPRESSIONS));
	}
	answer_free(a);
	return rows > 0;
}

/* Which unique keys there are, in a form to be typed again. */
static void
list_keys(struct db *db, const struct seed_tables *tables, const struct seed_table *t)
{
	const struct answer *a = tables->answers[2];
	size_t at = 0, count, i;
	bool any = false, others;

	for (; next_key(a, t->oid, &at, &count) != NULL; at += count) {
		struct bytes list = { 0 }, table = { 0 }, option = { 0 };
		char *word;

		for (i = 0; i < count; i++) {
			bytes_str(&list, i > 0 ? "," : "");
			seed_column_write(&list, answer_word(a, at + i, KEY_COLUMN));
		}
		seed_table_write(&table, t->file->schema, t->file->table);
		word = xformat("--key=%s:%s", table.data, list.data);
		shell_word(&option, word);
		message_line("  %s: %s   %s, or in seed.conf below [%s]: key = %s",
		    answer_flag(a, at, KEY_PRIMARY) ? "primary key" : "unique key", list.data, option.data, table.data,
		    list.data);
		any = true;
		free(word);
		bytes_free(&list);
		bytes_free(&table);
		bytes_free(&option);
	}
	others = list_no_keys(db, t);
	if (!any)
		message_line("  It has no unique key %s: rows cannot be told apart. Add one by a migration, or seed it with SQL.",
		    others ? "that holds for all rows" : "at all");
}

static int
take_key(struct db *db, const struct seed_tables *tables, struct seed_table *t)
{
	const struct answer *a = tables->answers[2];
	const struct seed_names *wanted = &t->file->settings.key;
	struct bytes list = { 0 };
	size_t at = 0, count, i;

	for (; (t->key_name = next_key(a, t->oid, &at, &count)) != NULL; at += count)
		if (key_wanted(a, at, count, wanted))
			break;
	if (t->key_name == NULL) {
		for (i = 0; i < wanted->count; i++)
			bytes_format(&list, "%s%s", i > 0 ? ", " : "", wanted->names[i]);
		if (wanted->count > 0)
			(void)seed_refuse(t->file, 0, "%s is no unique key of table \"%s\"", list.data,
			    t->sql.table);
		else
			(void)seed_refuse(t->file, 0, "table \"%s\" has no primary key", t->sql.table);
		list_keys(db, tables, t);
		bytes_free(&list);
		return MIG_DATA;
	}
	for (i = 0; i < count; i++) {
		struct upsert_column *c = column_named(t, answer_word(a, at + i, KEY_COLUMN));

		if (c == NULL)
			return seed_refuse(t->file, 0,
			    "the key of table \"%s\" is generated: name another one with --key",
			    t->sql.table);
		c->key = true;
		c->equals = answer_word(a, at + i, KEY_EQUALS);
	}
	return 0;
}

static int
check_key(struct db *db, const struct seed_tables *tables, const struct seed_table *t)
{
	size_t i;

	for (i = 0; i < t->sql.count; i++) {
		const struct upsert_column *c = &t->sql.columns[i];

		if (!c->key || c->in_file)
			continue;
		(void)seed_refuse(t->file, t->sql.json ? 0 : 1,
		    "there is no column \"%s\", which is in the key of table \"%s\"",
		    c->name, t->sql.table);
		list_keys(db, tables, t);
		return MIG_DATA;
	}
	return 0;
}

int
seed_table_keys(struct db *db, struct seed_table *t, const struct answer *keys)
{
	size_t rows = answer_rows(keys), i;

	for (i = 0; i < rows; i++) {
		const char *name = answer_word(keys, i, 0);
		struct upsert_column *c = column_named(t, name);
		bool twice = answer_number(keys, i, 1) != answer_number(keys, i, 2);
		struct bytes sql = { 0 };
		struct answer *line = NULL;
		const char *least = twice ? "1" : "0";
		unsigned long at = 0;

		if (c != NULL && !twice) {
			c->in_file = true;
			c->sometimes = answer_number(keys, i, 2) != answer_number(keys, i, 3);
			continue;
		}
		upsert_json_line(&sql, &t->sql, name);
		if (db_query(db, &line, sql.data, 1, &least) == DB_OK && answer_rows(line) > 0)
			at = seed_table_line(db, t, answer_text(line, 0, 0), true);
		answer_free(line);
		bytes_free(&sql);
		if (twice)
			return seed_refuse(t->file, at, "the key \"%s\" is there twice", name);
		return say_unknown(t, at, name, " that can be written");
	}
	for (i = 0; i < t->sql.count; i++)
		if (t->sql.columns[i].key && (!t->sql.columns[i].in_file) && rows > 0)
			return seed_refuse(t->file, 0, "no row has \"%s\", which is in the key of table \"%s\"",
			    t->sql.columns[i].name, t->sql.table);
	for (i = 0; i < t->sql.count; i++)
		if (t->sql.columns[i].key) /* where a row lacks it, it is NULL there: that is said with its line */
			t->sql.columns[i].sometimes = false, t->sql.columns[i].in_file = true;
	return 0;
}

unsigned long
seed_table_line(struct db *db, const struct seed_table *t, const char *ctid, bool json)
{
	struct bytes sql = { 0 };
	struct answer *count = NULL;
	unsigned long line = 0;

	bytes_format(&sql, "SELECT pg_catalog.count(*) FROM pg_temp.mig_seed_%zu%s WHERE ctid OPERATOR(pg_catalog.<=) $1::pg_catalog.tid", t->sql.number,
	    json ? "_json" : "");
	if (ctid != NULL && db_query(db, &count, sql.data, 1, &ctid) == DB_OK)
		line = seed_line_of_row(t->file, (unsigned long)answer_count(count, 0, 0));
	answer_free(count);
	bytes_free(&sql);
	return line;
}

/* --- which first --- */

static size_t
index_of(const struct seed_tables *tables, const char *oid)
{
	size_t i;

	for (i = 0; i < tables->count && strcmp(tables->tables[i].oid, oid) != 0; i++)
		;
	return i;
}

/* points[i * n + j]: whether i points at j, by any way. */
static bool *
find_links(const struct seed_tables *tables)
{
	const struct answer *a = tables->answers[3];
	size_t n = tables->count, rows = answer_rows(a), i, j, k;
	bool *points = xcalloc(n * n + 1, sizeof *points);

	for (i = 0; i < rows; i++)
		points[index_of(tables, answer_word(a, i, 0)) * n + index_of(tables, answer_word(a, i, 1))] =
		    true;
	for (k = 0; k < n; k++)
		for (i = 0; i < n; i++)
			for (j = 0; points[i * n + k] && j < n; j++)
				points[i * n + j] |= points[k * n + j];
	return points;
}

/* What a table points at comes before it; tables that point at each other come together, and are one unit. */
static void
order_tables(struct seed_tables *tables)
{
	size_t n = tables->count, placed = 0, unit = 0, i, j;
	bool *points = find_links(tables), *done = xcalloc(n + 1, sizeof *done);
	struct seed_table *ordered = xcalloc(n + 1, sizeof *ordered);

	while (placed < n) {
		for (i = 0; i < n; i++) {
			bool ready = !done[i];

			for (j = 0; ready && j < n; j++)
				ready = !points[i * n + j] || done[j] || points[j * n + i];
			if (ready)
				break;
		}
		unit++;
		for (j = 0; j < n; j++) {
			if (j != i && !(points[i * n + j] && points[j * n + i]))
				continue;
			ordered[placed] = tables->tables[j];
			ordered[placed++].unit = unit;
			done[j] = true;
		}
	}
	free(tables->tables);
	tables->tables = ordered;
	free(points);
	free(done);
}

/* --- all tables --- */

static enum db_outcome
find(struct db *db, struct seed_file *files, size_t count, bool all_columns, struct seed_tables *tables,
    int *code)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	size_t i, j;

	*code = 0;
	*tables = (struct seed_tables){ .count = count, .tables = xcalloc(count + 1, sizeof *tables->tables) };
	for (i = 0; i < count; i++)
		tables->tables[i].file = &files[i];
	names_sql(&sql, files, count);
	outcome = db_query_ours(db, &tables->answers[0], sql.data, 0, NULL);
	bytes_free(&sql);
	if (outcome == DB_OK && (*code = take_names(db, tables)) == 0)
		outcome = ask_catalog(db, tables);
	for (i = 0; outcome == DB_OK && *code == 0 && i < count; i++) {
		struct seed_table *t = &tables->tables[i];

		take_columns(tables, t);
		*code = take_header(tables, t);
		if (*code == 0)
			*code = take_key(db, tables, t);
		for (j = 0; all_columns && j < t->sql.count; j++)
			t->sql.columns[j].in_file = true;
		if (*code == 0 && !t->sql.json)
			*code = check_key(db, tables, t);
	}
	if (outcome == DB_OK && *code == 0)
		order_tables(tables);
	return outcome;
}

enum db_outcome
seed_tables_find(struct db *db, struct seed_file *files, size_t count, struct seed_tables *tables, int *code)
{
	return find(db, files, count, false, tables, code);
}

enum db_outcome
seed_tables_export(struct db *db, struct seed_file *files, size_t count, struct seed_tables *tables, int *code)
{
	return find(db, files, count, true, tables, code);
}

void
seed_tables_free(struct seed_tables *tables)
{
	size_t i;

	for (i = 0; i < tables->count; i++)
		free(tables->tables[i].sql.columns);
	free(tables->tables);
	for (i = 0; i < sizeof tables->answers / sizeof *tables->answers; i++)
		answer_free(tables->answers[i]);
	*tables = (struct seed_tables){ 0 };
}
