/* An export without ids: rows are named by what people call them. */
#include "seed/table_internal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"

/* Columns of the answer about keys. */
enum { PART_TABLE, PART_INDEX, PART_PRIMARY, PART_COLUMN, PART_REQUIRED, PART_FILLED, PART_TOLD };

/*
 * The unique keys of all tables that are reachable, and whether the database fills in a column.  A foreign key of several columns
 * needs the ids that it references.
 */
static const char keys_sql[] = TABLE_REACHABLE
    "SELECT i.indrelid, x.relname, i.indisprimary, a.attname, a.attnotnull, a.attgenerated <> '' OR a.attidentity <> '' OR a.atthasdef "
    "OR y.typdefault IS NOT NULL, EXISTS (SELECT FROM r s JOIN pg_catalog.pg_constraint c ON c.conrelid = s.oid AND c.contype = 'f' "
    "WHERE c.confrelid = i.indrelid AND cardinality(c.conkey) > 1) "
    "FROM r JOIN pg_catalog.pg_index i ON i.indrelid = r.oid JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid "
    "CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n) "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum JOIN pg_catalog.pg_type y ON y.oid = a.atttypid "
    "WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.n <= i.indnkeyatts "
    "ORDER BY i.indrelid, NOT i.indisprimary, x.relname, k.n";

struct naming {
	const struct seed_tables *tables;
	const struct client_model *client;
	const struct answer *keys, *links;
};

/* Rows of `keys`. */
struct known_by {
	size_t at, count;
};

struct in_table {
	const char *oid, *schema, *table;
};

/* The tables whose keys are being named, from the first on: one that is met again would have no end. */
struct way {
	const char *oid;
	const struct way *from;
};

static const char leads_back[] = "its unique key leads back to itself";

static bool name_column(const struct naming *n, struct in_table of, const char *prefix, const char *column, const struct way *way,
    struct seed_names *out);

static size_t
key_columns(const struct answer *a, size_t at)
{
	size_t count = 1;

	while (at + count < answer_rows(a) && strcmp(answer_word(a, at + count, PART_INDEX), answer_word(a, at, PART_INDEX)) == 0 &&
	    strcmp(answer_word(a, at + count, PART_TABLE), answer_word(a, at, PART_TABLE)) == 0)
		count++;
	return count;
}

/* Whether new rows get the column without a file. */
static bool
is_filled(const struct naming *n, struct in_table of, size_t row)
{
	return answer_flag(n->keys, row, PART_FILLED) ||
	    (n->client != NULL && client_model_value(n->client, of.schema, of.table, answer_word(n->keys, row, PART_COLUMN)) != NULL);
}

/* Whether a file may have the key, and another database too: given by people, never NULL, not hidden. */
static bool
key_serves(const struct naming *n, struct in_table of, struct known_by key)
{
	size_t i;

	for (i = key.at; i < key.at + key.count; i++)
		if (!answer_flag(n->keys, i, PART_REQUIRED) || is_filled(n, of, i) || table_sounds_secret(answer_word(n->keys, i, PART_COLUMN)))
			return false;
	return true;
}

static bool
key_is(const struct naming *n, struct known_by key, const struct seed_names *wanted)
{
	size_t i;

	for (i = 0; i < key.count; i++)
		if (!seed_names_have(wanted, answer_word(n->keys, key.at + i, PART_COLUMN)))
			return false;
	return wanted->count == key.count;
}

/* What --key or seed.conf names for a table of this export. */
static const struct seed_names *
wanted_key(const struct naming *n, const char *oid)
{
	static const struct seed_names none;
	size_t i;

	for (i = 0; i < n->tables->count; i++)
		if (strcmp(n->tables->tables[i].oid, oid) == 0)
			return &n->tables->tables[i].file->settings.key;
	return &none;
}

/* Each column of a key, under the names that a file has for it. */
static bool
name_key(const struct naming *n, struct in_table of, struct known_by key, const char *prefix, const struct way *way, struct seed_names *out)
{
	size_t i;

	for (i = key.at; i < key.at + key.count; i++)
		if (!name_column(n, of, prefix, answer_word(n->keys, i, PART_COLUMN), way, out))
			return false;
	return true;
}

/*
 * The key that people know rows by: the one that is wanted; the primary key if nobody fills it in; else the only other one that
 * serves.  False with the reason: the table keeps its ids, as does each whose key has a column that references it without end.
 */
static bool
natural_key(const struct naming *n, struct in_table of, const struct way *from, struct known_by *found, const char **why)
{
	const struct way way = { of.oid, from };
	const struct seed_names *wanted = wanted_key(n, of.oid);
	struct seed_names names = { 0 };
	size_t at, serve = 0;
	bool whole;

	for (*why = leads_back; from != NULL; from = from->from)
		if (strcmp(from->oid, of.oid) == 0)
			return false;
	*why = "it has no other unique key that is NOT NULL and that people give";
	for (at = 0; at < answer_rows(n->keys); at += key_columns(n->keys, at)) {
		struct known_by key = { at, key_columns(n->keys, at) };

		if (strcmp(answer_word(n->keys, at, PART_TABLE), of.oid) != 0)
			continue;
		if (answer_flag(n->keys, at, PART_TOLD)) {
			*why = "a foreign key of several columns references them";
			return false;
		}
		if (wanted->count > 0 ? !key_is(n, key, wanted) : !key_serves(n, of, key))
			continue;
		*found = key;
		serve++;
		if (wanted->count > 0 || answer_flag(n->keys, at, PART_PRIMARY))
			break;
	}
	if (serve > 1 && !(found->count > 0 && answer_flag(n->keys, found->at, PART_PRIMARY)) && wanted->count == 0) {
		*why = "it has several other unique keys: name one with --key";
		return false;
	}
	if (serve == 0)
		return false;
	whole = name_key(n, of, *found, "", &way, &names);
	seed_names_free(&names);
	if (!whole)
		*why = leads_back;
	return whole;
}

/* A column, or in place of it the natural key of the row that it references.  False: it has no end. */
static bool
name_column(const struct naming *n, struct in_table of, const char *prefix, const char *column, const struct way *way,
    struct seed_names *out)
{
	const char *why = NULL;
	char *name = NULL;
	struct known_by key = { 0 };
	struct in_table to = { 0 };
	bool ends = true;
	size_t at = table_link_of(n->links, of.oid, column);

	if (at < answer_rows(n->links)) {
		table_link_target(n->links, at, &to.oid, &to.schema, &to.table);
		name = table_link_name(n->links, at, of.schema, of.table, n->client);
	}
	if (name == NULL || !natural_key(n, to, way, &key, &why) ||
	    (key.count == 1 && strcmp(answer_word(n->keys, key.at, PART_COLUMN), table_link_to(n->links, at)) == 0)) {
		ends = why != leads_back;
		seed_names_add(out, xformat("%s%s", prefix, column));
	} else {
		char *longer = xformat("%s%s.", prefix, name);

		ends = name_key(n, to, key, longer, &(struct way){ to.oid, way }, out);
		free(longer);
	}
	free(name);
	return ends;
}

/* The time at which a row came, or changed: new rows get theirs. */
static bool
is_time_of_row(const struct naming *n, struct in_table of, const struct upsert_column *c)
{
	const struct client_value *value = n->client != NULL ? client_model_value(n->client, of.schema, of.table, c->name) : NULL;

	return value != NULL ? value->function == CLIENT_UPDATED_AT || value->function == CLIENT_NOW
	                     : strncmp(c->absent, "(CURRENT_TIMESTAMP", 18) == 0 || strncmp(c->absent, "(now()", 6) == 0;
}

/* Whether a key has only this column. */
static bool
is_alone(const struct answer *a, size_t at)
{
	size_t i, same = 0;

	for (i = 0; i < answer_rows(a); i++)
		same += strcmp(answer_word(a, i, PART_TABLE), answer_word(a, at, PART_TABLE)) == 0 &&
		    strcmp(answer_word(a, i, PART_INDEX), answer_word(a, at, PART_INDEX)) == 0;
	return same == 1;
}

/* Of the primary key, or a unique key of its own, which new rows get anyway. */
static bool
is_id(const struct naming *n, struct in_table of, const char *column)
{
	size_t i;

	for (i = 0; i < answer_rows(n->keys); i++)
		if (strcmp(answer_word(n->keys, i, PART_TABLE), of.oid) == 0 && strcmp(answer_word(n->keys, i, PART_COLUMN), column) == 0 &&
		    (answer_flag(n->keys, i, PART_PRIMARY) || is_alone(n->keys, i)))
			return is_filled(n, of, i);
	return false;
}

static bool
is_part(const struct naming *n, struct known_by key, const char *column)
{
	size_t i;

	for (i = 0; i < key.count; i++)
		if (strcmp(answer_word(n->keys, key.at + i, PART_COLUMN), column) == 0)
			return true;
	return false;
}

static void
name_columns(const struct naming *n, struct seed_table *t, bool with_hidden)
{
	struct in_table of = { t->oid, t->sql.schema, t->sql.table };
	struct known_by key = { 0 };
	const char *why;
	bool natural = natural_key(n, of, NULL, &key, &why);
	size_t i, k;

	if (!natural)
		message_info("\"%s\" keeps its ids: %s", t->sql.table, why);
	for (i = 0; i < t->sql.count; i++) {
		struct upsert_column *c = &t->sql.columns[i];
		struct seed_names names = { 0 };

		c->left_out = c->hidden && !with_hidden && !is_part(n, key, c->name);
		if (c->left_out || (natural && is_id(n, of, c->name) && !is_part(n, key, c->name)) || is_time_of_row(n, of, c))
			continue;
		if (name_column(n, of, "", c->name, NULL, &names))
			for (k = 0; k < names.count; k++)
				seed_names_add(&t->file->header, xstrdup(names.names[k]));
		else
			seed_names_add(&t->file->header, xstrdup(c->name));
		seed_names_free(&names);
	}
}

enum db_outcome
table_name_naturally(struct db *db, struct seed_tables *tables, const struct client_model *client, bool with_hidden)
{
	struct answer *keys = NULL;
	struct bytes sql = { 0 };
	enum db_outcome outcome;
	size_t i;

	table_reachable_sql(&sql, tables, keys_sql);
	outcome = db_query_ours(db, &keys, sql.data, 0, NULL);
	if (outcome == DB_OK) {
		const struct naming n = { tables, client, keys, tables->answers[4] };

		for (i = 0; i < tables->count; i++)
			if (tables->tables[i].file->settings.columns.count == 0)
				name_columns(&n, &tables->tables[i], with_hidden);
	}
	answer_free(keys);
	bytes_free(&sql);
	return outcome;
}
