/* Columns such as role.slug: rows of other tables, named by their natural keys. */
#include "seed/table_internal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/suggest.h"
#include "seed/members.h"

/* Columns of answers[4]: a row for each pair of columns of a foreign key; and of answers[5]. */
enum { LINK_TABLE, LINK_NAME, LINK_TARGET, LINK_SCHEMA, LINK_TARGET_NAME, LINK_FROM, LINK_TO, LINK_PAIRS };
enum { FIELD_TABLE, FIELD_NAME };

static const char links_sql[] = TABLE_REACHABLE
    "SELECT c.conrelid, c.conname, c.confrelid, n.nspname, p.relname, a.attname, b.attname, cardinality(c.conkey) FROM r "
    "JOIN pg_catalog.pg_constraint c ON c.conrelid = r.oid AND c.contype = 'f' JOIN pg_catalog.pg_class p ON p.oid = c.confrelid "
    "JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace "
    "CROSS JOIN LATERAL ROWS FROM (unnest(c.conkey), unnest(c.confkey)) WITH ORDINALITY k(mine, theirs, n) "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.mine "
    "JOIN pg_catalog.pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.theirs ORDER BY c.conrelid, c.conname, k.n";
static const char fields_sql[] = TABLE_REACHABLE
    "SELECT a.attrelid, a.attname FROM r JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid "
    "WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum";

/* The names of a file's columns; an export has those to write in the place of a header. */
static const struct seed_names *
names_of(const struct seed_file *file)
{
	return seed_is_csv(file) || file->header.count > 0 ? &file->header : &file->members;
}

static bool
has_dotted(const struct seed_tables *tables)
{
	size_t i, k;

	for (i = 0; i < tables->count; i++) {
		const struct seed_names *names = names_of(tables->tables[i].file);

		for (k = 0; k < names->count; k++)
			if (strchr(names->names[k], '.') != NULL)
				return true;
	}
	return false;
}

void
table_reachable_sql(struct bytes *out, const struct seed_tables *tables, const char *sql)
{
	struct bytes oids = { 0 };
	size_t i;

	for (i = 0; i < tables->count; i++)
		bytes_format(&oids, "%s%s", i > 0 ? "," : "", tables->tables[i].oid);
	table_fill_in(out, sql, oids.data);
	bytes_free(&oids);
}

enum db_outcome
table_ask_references(struct db *db, struct seed_tables *tables, bool always)
{
	static const char *const queries[] = { links_sql, fields_sql };
	enum db_outcome outcome = DB_OK;
	size_t i;

	for (i = 0; outcome == DB_OK && (always || has_dotted(tables)) && i < 2; i++) {
		struct bytes sql = { 0 };

		table_reachable_sql(&sql, tables, queries[i]);
		outcome = db_query_ours(db, &tables->answers[4 + i], sql.data, 0, NULL);
		bytes_free(&sql);
	}
	return outcome;
}

/* --- which foreign key a name means --- */

static bool
is_column_for(const char *column, const char *name)
{
	size_t len = strlen(name);

	return strcmp(column, name) == 0 ||
	    (strncasecmp(column, name, len) == 0 && (strcasecmp(column + len, "Id") == 0 || strcasecmp(column + len, "_id") == 0));
}

static bool
has_columns(const struct answer *a, size_t at, const struct client_relation *relation)
{
	size_t i, k;

	if (answer_count(a, at, LINK_PAIRS) != (long long)relation->columns.count)
		return false;
	for (i = 0; i < relation->columns.count; i++) {
		for (k = 0; k < relation->columns.count; k++)
			if (strcmp(answer_word(a, at + i, LINK_FROM), relation->columns.items[k]) == 0)
				break;
		if (k == relation->columns.count)
			return false;
	}
	return true;
}

/*
 * Where the foreign key begins in answers[4]: that of the datamodel's relation with the name; else the one of a column with
 * it, or with Id or _id behind it; else the only one to a table with it.  The number of rows if there is none.
 */
static size_t
find_link(const struct answer *a, const char *oid, const char *schema, const char *table, const char *name, const struct client_model *client)
{
	const struct client_relation *relation = client != NULL ? client_model_relation(client, schema, table, name) : NULL;
	size_t rows = answer_rows(a), at, by_column = rows, by_table = rows, tables = 0;

	for (at = 0; at < rows; at += (size_t)answer_count(a, at, LINK_PAIRS)) {
		if (strcmp(answer_word(a, at, LINK_TABLE), oid) != 0)
			continue;
		if (relation != NULL && has_columns(a, at, relation))
			return at;
		if (answer_count(a, at, LINK_PAIRS) == 1 && is_column_for(answer_word(a, at, LINK_FROM), name))
			by_column = at;
		if (strcasecmp(answer_word(a, at, LINK_TARGET_NAME), name) == 0)
			by_table = at, tables++;
	}
	return by_column < rows ? by_column : tables == 1 ? by_table : rows;
}

size_t
table_link_of(const struct answer *a, const char *oid, const char *column)
{
	size_t rows = answer_rows(a), at;

	for (at = 0; at < rows; at += (size_t)answer_count(a, at, LINK_PAIRS))
		if (strcmp(answer_word(a, at, LINK_TABLE), oid) == 0 && answer_count(a, at, LINK_PAIRS) == 1 &&
		    strcmp(answer_word(a, at, LINK_FROM), column) == 0)
			break;
	return at;
}

void
table_link_target(const struct answer *a, size_t at, const char **oid, const char **schema, const char **table)
{
	*oid = answer_word(a, at, LINK_TARGET);
	*schema = answer_word(a, at, LINK_SCHEMA);
	*table = answer_word(a, at, LINK_TARGET_NAME);
}

const char *
table_link_to(const struct answer *a, size_t at)
{
	return answer_word(a, at, LINK_TO);
}

/* Without Id or _id. */
static char *
bare_name(const char *column)
{
	size_t len = strlen(column);

	if (len > 3 && strcasecmp(column + len - 3, "_id") == 0)
		return xstrndup(column, len - 3);
	return xstrndup(column, len > 2 && strcasecmp(column + len - 2, "Id") == 0 ? len - 2 : len);
}

char *
table_link_name(const struct answer *a, size_t at, const char *schema, const char *table, const struct client_model *client)
{
	const char *column = answer_word(a, at, LINK_FROM);
	const struct client_relation *relation =
	    client != NULL ? client_model_relation_of(client, schema, table, &column, 1) : NULL;
	char *name = relation != NULL ? xstrdup(relation->name) : bare_name(column);

	if (strchr(name, '.') == NULL && find_link(a, answer_word(a, at, LINK_TABLE), schema, table, name, client) == at)
		return name;
	free(name);
	return NULL;
}

static int
say_no_link(const struct seed_table *t, const struct answer *a, unsigned long line, const char *header, const char *oid, const char *table,
    const char *name)
{
	struct bytes list = { 0 };
	size_t rows = answer_rows(a), at;

	for (at = 0; at < rows; at += (size_t)answer_count(a, at, LINK_PAIRS))
		if (strcmp(answer_word(a, at, LINK_TABLE), oid) == 0)
			bytes_format(&list, "%s%s (to \"%s\")", list.len > 0 ? ", " : "", answer_word(a, at, LINK_FROM),
			    answer_word(a, at, LINK_TARGET_NAME));
	(void)seed_refuse(t->file, line, "column \"%s\": table \"%s\" has no foreign key that \"%s\" names", header, table, name);
	message_line("  %s%s", list.len > 0 ? "It has: " : "It has none.", bytes_text(&list));
	bytes_free(&list);
	return MIG_DATA;
}

/* The node that a link leads to, added if no other column of the reference took this way. */
static size_t
node_for(struct upsert_reference *r, size_t parent, const struct answer *a, size_t at)
{
	size_t count = (size_t)answer_count(a, at, LINK_PAIRS), i;
	struct upsert_node *node;

	for (i = 0; i < r->node_count; i++)
		if (r->nodes[i].from[0] == answer_word(a, at, LINK_FROM) && r->nodes[i].parent == parent)
			return i;
	r->nodes = xrealloc(r->nodes, (r->node_count + 1) * sizeof *r->nodes);
	node = &r->nodes[r->node_count];
	*node = (struct upsert_node){ .parent = parent, .oid = answer_word(a, at, LINK_TARGET), .schema = answer_word(a, at, LINK_SCHEMA),
		.table = answer_word(a, at, LINK_TARGET_NAME), .count = count,
		.from = xcalloc(count, sizeof *node->from), .to = xcalloc(count, sizeof *node->to) };
	for (i = 0; i < count; i++) {
		node->from[i] = answer_word(a, at + i, LINK_FROM);
		node->to[i] = answer_word(a, at + i, LINK_TO);
	}
	return r->node_count++;
}

static bool
has_field(const struct answer *a, const char *oid, const char *column)
{
	size_t i;

	for (i = 0; i < answer_rows(a); i++)
		if (strcmp(answer_word(a, i, FIELD_TABLE), oid) == 0 && strcmp(answer_word(a, i, FIELD_NAME), column) == 0)
			return true;
	return false;
}

static int
say_no_field(const struct seed_table *t, const struct answer *a, unsigned long line, const char *header, const struct upsert_node *node,
    const char *column)
{
	const char **names = xcalloc(answer_rows(a) + 1, sizeof *names), *nearest;
	size_t count = 0, i;

	for (i = 0; i < answer_rows(a); i++)
		if (strcmp(answer_word(a, i, FIELD_TABLE), node->oid) == 0)
			names[count++] = answer_word(a, i, FIELD_NAME);
	nearest = suggest_nearest(column, strlen(column), names, count);
	(void)seed_refuse(t->file, line, "column \"%s\": table \"%s\" has no column \"%s\"", header, node->table, column);
	if (nearest != NULL)
		message_line("  Did you mean \"%s\"?", nearest);
	free(names);
	return MIG_DATA;
}

/* The reference of this name, so far without columns if it is new. */
static struct upsert_reference *
reference_named(struct seed_table *t, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < t->sql.reference_count; i++)
		if (strlen(t->sql.references[i].name) == len && strncmp(t->sql.references[i].name, name, len) == 0)
			return &t->sql.references[i];
	t->sql.references = xrealloc(t->sql.references, (i + 1) * sizeof *t->sql.references);
	t->sql.references[i] = (struct upsert_reference){ .name = xstrndup(name, len) };
	t->sql.reference_count++;
	return &t->sql.references[i];
}

static int
take(struct seed_tables *tables, struct seed_table *t, unsigned long line, const char *header, const struct client_model *client)
{
	const struct answer *a = tables->answers[4];
	struct upsert_reference *r = reference_named(t, header, strcspn(header, "."));
	const char *oid = t->oid, *schema = t->sql.schema, *table = t->sql.table, *at = header, *dot;
	size_t node = 0, link;

	for (; (dot = strchr(at, '.')) != NULL; at = dot + 1) {
		char *name = xstrndup(at, (size_t)(dot - at));

		link = find_link(a, oid, schema, table, name, client);
		if (link == answer_rows(a)) {
			int code = say_no_link(t, a, line, header, oid, table, name);

			free(name);
			return code;
		}
		node = node_for(r, at == header ? (size_t)-1 : node, a, link);
		oid = r->nodes[node].oid;
		schema = r->nodes[node].schema;
		table = r->nodes[node].table;
		free(name);
	}
	if (!has_field(tables->answers[5], oid, at))
		return say_no_field(t, tables->answers[5], line, header, &r->nodes[node], at);
	r->parts = xrealloc(r->parts, (r->part_count + 1) * sizeof *r->parts);
	r->parts[r->part_count++] = (struct upsert_part){ .header = header, .node = node, .column = at,
		.hidden = table_sounds_secret(at) || seed_names_have(&t->file->settings.hide, header) };
	return 0;
}

/* The columns that a reference fills. */
static int
link_columns(struct seed_table *t, const struct upsert_reference *r)
{
	const struct upsert_node *node = &r->nodes[0];
	size_t i, k;

	for (i = 0; i < node->count; i++) {
		struct upsert_column *c = table_column_named(t, node->from[i]);

		if (c == NULL || c->reference != NULL || seed_names_have(&t->file->header, node->from[i]))
			return seed_refuse(t->file, seed_header_line(t->file), "\"%s\" and \"%s\" are for the same column", r->parts[0].header,
			    c != NULL && c->reference != NULL ? c->reference->parts[0].header : node->from[i]);
		c->reference = r;
		c->reference_column = i;
		c->given = t->sql.json && members_any(t->file, c->name);
		c->in_file = true;
		for (k = 0; t->sql.json && k < r->part_count; k++)
			c->sometimes |= !members_all(t->file, r->parts[k].header);
		c->sometimes &= !c->key;
	}
	t->sql.derived = true;
	return 0;
}

int
table_take_references(struct seed_tables *tables, struct seed_table *t, const struct client_model *client)
{
	const struct seed_names *names = names_of(t->file);
	size_t i;
	int code = 0;

	for (i = 0; code == 0 && tables->answers[4] != NULL && i < names->count; i++)
		if (strchr(names->names[i], '.') != NULL && table_column_named(t, names->names[i]) == NULL)
			code = take(tables, t, seed_header_line(t->file), names->names[i], client);
	for (i = 0; code == 0 && i < t->sql.reference_count; i++)
		code = link_columns(t, &t->sql.references[i]);
	return code;
}

const struct upsert_reference *
table_reference_with(const struct seed_table *t, const char *header)
{
	size_t i, k;

	for (i = 0; i < t->sql.reference_count; i++)
		for (k = 0; k < t->sql.references[i].part_count; k++)
			if (strcmp(t->sql.references[i].parts[k].header, header) == 0)
				return &t->sql.references[i];
	return NULL;
}

/* --- once all tables are known, in their order --- */

/* A referenced column that the database fills in itself: it is needed before the row is written. */
static void
draw(struct seed_table *t, const char *name)
{
	struct upsert_column *c = table_column_named(t, name);

	if (c == NULL || c->made != NULL || c->reference != NULL || strcmp(c->absent, "NULL") == 0)
		return;
	if (t->sql.json ? members_all(t->file, name) && t->file->rows > 0 : c->in_file)
		return;
	c->made = c->sequence != NULL ? "autoincrement()" : "default";
	c->drawn = true;
	c->given = t->sql.json && members_any(t->file, name);
	c->in_file = c->insert_only = true;
	c->sometimes = false;
	t->sql.derived = true;
}

void
table_link_references(struct seed_tables *tables)
{
	size_t i, k, n, to, p;

	for (i = 0; i < tables->count; i++) {
		struct upsert_table *t = &tables->tables[i].sql;

		for (k = 0; k < t->reference_count; k++) {
			for (n = 0; n < t->references[k].node_count; n++) {
				struct upsert_node *node = &t->references[k].nodes[n];

				for (to = 0; to < tables->count && strcmp(tables->tables[to].oid, node->oid) != 0; to++)
					;
				if (to == tables->count)
					continue;
				node->staged = &tables->tables[to].sql;
				node->whole = to < i;
				for (p = 0; p < node->count; p++)
					draw(&tables->tables[to], node->to[p]);
			}
		}
	}
}

void
seed_tables_draw(struct seed_tables *tables)
{
	size_t i, k;

	for (i = 0; i < tables->count; i++) {
		struct seed_table *t = &tables->tables[i];

		for (k = 0; k < t->sql.count; k++)
			if (t->sql.columns[k].sequence != NULL && !t->sql.columns[k].key)
				draw(t, t->sql.columns[k].name);
	}
}

void
table_free_references(struct seed_table *t)
{
	size_t i, n;

	for (i = 0; i < t->sql.reference_count; i++) {
		struct upsert_reference *r = &t->sql.references[i];

		for (n = 0; n < r->node_count; n++) {
			free(r->nodes[n].from);
			free(r->nodes[n].to);
		}
		free(r->name);
		free(r->nodes);
		free(r->parts);
	}
	free(t->sql.references);
}
