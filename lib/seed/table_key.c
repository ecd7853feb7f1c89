/* By which columns rows are told apart. */
#include "seed/table_internal.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/shell_quote.h"
#include "seed/members.h"

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

/* Whether the file has all columns of a key. */
static bool
key_in_file(struct seed_table *t, const struct answer *a, size_t at, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct upsert_column *c = table_column_named(t, answer_word(a, at + i, KEY_COLUMN));
		bool in_file = c != NULL && c->in_file && c->made == NULL;

		if (c != NULL && c->reference != NULL)
			in_file = !c->sometimes;
		else if (c != NULL && t->sql.json)
			in_file = members_all(t->file, c->name);
		if (!in_file)
			return false;
	}
	return true;
}

/* Whether no row can be without it: NULL is equal to nothing, and would be inserted again and again. */
static bool
key_is_required(struct seed_table *t, const struct answer *a, size_t at, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct upsert_column *c = table_column_named(t, answer_word(a, at + i, KEY_COLUMN));

		if (c == NULL || !c->required)
			return false;
	}
	return true;
}

/* Whether a new row gets a whole key without the file. */
static bool
key_is_filled(struct seed_table *t, const struct answer *a, size_t at, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct upsert_column *c = table_column_named(t, answer_word(a, at + i, KEY_COLUMN));

		if (c == NULL || (!c->in_file && !c->filled && strcmp(c->absent, "NULL") == 0))
			return false;
	}
	return true;
}

/*
 * Which key is meant where nobody names one: the primary key; if the file lacks it and new rows get it anyway, the only
 * other unique key that the file has, or the only one whose columns are NOT NULL; else the primary key, which is then reported
 * as missing.  NULL: the table has neither a primary key nor, in the file, one unique key whose columns are NOT NULL.
 */
static const char *
find_key(struct seed_table *t, const struct answer *a, size_t *at, size_t *count)
{
	const struct seed_names *wanted = &t->file->settings.key;
	size_t found = 0, required = 0, unique = 0, primary = 0, i;
	bool has_primary = false, others = wanted->count == 0;
	const char *name;

	for (i = 0; (name = next_key(a, t->oid, &i, count)) != NULL; i += *count) {
		bool meant = key_wanted(a, i, *count, wanted);

		if (meant && (wanted->count > 0 || key_in_file(t, a, i, *count))) {
			*at = i;
			return name;
		}
		if (meant) {
			primary = i;
			has_primary = true;
			others &= key_is_filled(t, a, i, *count);
		} else if (others && key_in_file(t, a, i, *count)) {
			bool whole = key_is_required(t, a, i, *count);

			if (whole || required == 0)
				unique = i;
			required += whole;
			found++;
		}
	}
	if (!has_primary && required != 1)
		return NULL;
	*at = required == 1 || found == 1 ? unique : primary;
	return next_key(a, t->oid, at, count);
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
		message_line("  It has no unique key %s, so mig cannot match rows. Add one by a migration, or seed it with SQL.",
		    others ? "that holds for all rows" : "at all");
}

/* A key may be named by the columns of the file: what role.slug fills is part of it. */
static void
name_columns(struct seed_table *t)
{
	struct seed_names *key = &t->file->settings.key, names = { 0 };
	size_t i, k;

	for (i = 0; i < key->count; i++) {
		const struct upsert_reference *r = table_reference_with(t, key->names[i]);

		for (k = 0; r != NULL && k < r->nodes[0].count; k++)
			if (!seed_names_have(&names, r->nodes[0].from[k]))
				seed_names_add(&names, xstrdup(r->nodes[0].from[k]));
		if (r == NULL)
			seed_names_add(&names, xstrdup(key->names[i]));
	}
	seed_names_free(key);
	*key = names;
}

int
table_take_key(struct db *db, const struct seed_tables *tables, struct seed_table *t)
{
	const struct answer *a = tables->answers[2];
	const struct seed_names *wanted = &t->file->settings.key;
	struct bytes list = { 0 };
	size_t at = 0, count, i;

	name_columns(t);
	t->key_name = find_key(t, a, &at, &count);
	if (t->key_name == NULL) {
		for (i = 0; i < wanted->count; i++)
			bytes_format(&list, "%s%s", i > 0 ? ", " : "", wanted->names[i]);
		if (wanted->count > 0)
			(void)seed_refuse(t->file, 0, "%s is not a unique key of table \"%s\"", list.data,
			    t->sql.table);
		else
			(void)seed_refuse(t->file, 0, "table \"%s\" has no primary key", t->sql.table);
		list_keys(db, tables, t);
		bytes_free(&list);
		return MIG_DATA;
	}
	for (i = 0; i < count; i++) {
		struct upsert_column *c = table_column_named(t, answer_word(a, at + i, KEY_COLUMN));

		if (c == NULL)
			return seed_refuse(t->file, 0,
			    "the key of table \"%s\" is generated: name another key with --key",
			    t->sql.table);
		c->key = true;
		c->equals = answer_word(a, at + i, KEY_EQUALS);
	}
	return 0;
}

int
table_check_key(struct db *db, const struct seed_tables *tables, const struct seed_table *t)
{
	size_t i;

	for (i = 0; i < t->sql.count; i++) {
		const struct upsert_column *c = &t->sql.columns[i];

		if (!c->key || (t->file->overlay == NULL ? c->in_file : c->reference != NULL || members_any(t->file, c->name)))
			continue;
		(void)seed_refuse(t->file, t->sql.json ? 0 : 1,
		    "there is no column \"%s\", which is part of the key of table \"%s\"",
		    c->name, t->sql.table);
		list_keys(db, tables, t);
		if (strcmp(c->absent, "NULL") == 0)
			message_line("  If Prisma's client makes its values, name the schema.prisma: --datamodel=FILE");
		return MIG_DATA;
	}
	return 0;
}
