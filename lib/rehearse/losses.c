#include "rehearse/losses.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "records/words.h"
#include "rehearse/fingerprint.h"

/* "EXISTS (SELECT FROM "public"."users"" */
static void
begin_probe(struct bytes *out, const struct answer *look, size_t row)
{
	bytes_str(out, "EXISTS (SELECT FROM ");
	bytes_sql_name(out, answer_word(look, row, FINGERPRINT_SCHEMA));
	bytes_char(out, '.');
	bytes_sql_name(out, answer_word(look, row, FINGERPRINT_RELATION));
}

/* Any value; but for those that the column's default gives rows that nobody has touched. */
static void
any_value(struct bytes *out, const struct answer *look, size_t row, bool but_default)
{
	const char *constant = but_default ? answer_text(look, row, FINGERPRINT_CONSTANT) : NULL;

	begin_probe(out, look, row);
	bytes_str(out, " WHERE ");
	bytes_sql_name(out, answer_word(look, row, FINGERPRINT_COLUMN));
	bytes_str(out, " IS NOT NULL");
	if (constant != NULL) {
		bytes_str(out, " AND ");
		bytes_sql_name(out, answer_word(look, row, FINGERPRINT_COLUMN));
		bytes_format(out, "::pg_catalog.text OPERATOR(pg_catalog.<>) (%s)::pg_catalog.text", constant);
	}
	bytes_char(out, ')');
}

/* A value that is another one when it has been of the new type. */
static void
changed_value(struct bytes *out, const struct answer *look, size_t row, const char *type)
{
	struct bytes name = { 0 };

	bytes_sql_name(&name, answer_word(look, row, FINGERPRINT_COLUMN));
	begin_probe(out, look, row);
	bytes_format(out, " WHERE %s::%s::%s::pg_catalog.text OPERATOR(pg_catalog.<>) %s::pg_catalog.text)", name.data, type,
	    answer_word(look, row, FINGERPRINT_TYPE), name.data);
	bytes_free(&name);
}

static bool
parses(struct db *db, const struct bytes *probe)
{
	struct bytes sql = { 0 };
	bool does;

	bytes_format(&sql, "SELECT %s", probe->data);
	does = db_query_ours(db, NULL, sql.data, 0, NULL) == DB_OK;
	if (!does)
		(void)db_rollback(db);
	bytes_free(&sql);
	return does;
}

/* The expression to look for rows that would be lost; the coarsest is the rows of the table. */
static void
probe_of(struct bytes *out, struct db *db, const struct answer *look, size_t row, const char *type)
{
	bool column = answer_text(look, row, FINGERPRINT_COLUMN) != NULL;

	if (column && type != NULL)
		changed_value(out, look, row, type);
	else if (column)
		any_value(out, look, row, true);
	if (column && parses(db, out))
		return;
	out->len = 0;
	if (column) {
		any_value(out, look, row, false);
	} else {
		begin_probe(out, look, row);
		bytes_char(out, ')');
	}
}

/* Whether the table that this column is of is gone as well, which says it all. */
static bool
is_with_its_table(const struct answer *here, size_t row, const struct answer *there)
{
	const char *id = answer_word(here, row, FINGERPRINT_ID);
	size_t i;

	for (i = 0; i < answer_rows(there); i++)
		if (answer_text(there, i, FINGERPRINT_RELATION) != NULL && answer_text(there, i, FINGERPRINT_COLUMN) == NULL &&
		    strcmp(answer_word(there, i, FINGERPRINT_ID), id) == 0)
			return false;
	return true;
}

/* A type without its modifier, "timestamp without time zone" of "timestamp(3) without time zone"; returns the first one, or -1. */
static long
split_type(const char *type, struct bytes *base)
{
	const char *open = strchr(type, '('), *close = open != NULL ? strchr(open, ')') : NULL, *dot = strrchr(type, '.');

	if (dot != NULL && strcmp(dot, ".citext") == 0) /* an extension's, in whatever schema it is */
		type = dot + 1;
	if (close == NULL) {
		bytes_str(base, type);
		return -1;
	}
	bytes_add(base, type, (size_t)(open - type));
	bytes_str(base, close + 1);
	return strtol(open + 1, NULL, 10);
}

/* Whether every value of the old type is one of the new one: a longer one, or one of the pairs that are known to be wider. */
static bool
is_wider(const char *old, const char *new)
{
	static const char *const wider[][2] = { { "smallint", "integer" }, { "smallint", "bigint" }, { "integer", "bigint" },
		{ "smallint", "numeric" }, { "integer", "numeric" }, { "bigint", "numeric" }, { "real", "double precision" },
		{ "character varying", "citext" }, { "text", "citext" }, { "citext", "character varying" }, { "text", "character varying" }, { "json", "jsonb" } };
	struct bytes a = { 0 }, b = { 0 };
	long length = split_type(old, &a), now = split_type(new, &b);
	bool is = strcmp(bytes_text(&b), "text") == 0 || (strcmp(bytes_text(&a), bytes_text(&b)) == 0 && (now < 0 || (length >= 0 && length <= now)));
	size_t i;

	for (i = 0; i < sizeof wider / sizeof *wider; i++)
		is |= now < 0 && strcmp(bytes_text(&a), wider[i][0]) == 0 && strcmp(bytes_text(&b), wider[i][1]) == 0;
	bytes_free(&a);
	bytes_free(&b);
	return is;
}

static void
add(struct losses *losses, const struct loss *loss, struct arena *texts)
{
	ARRAY_ROOM(losses->list, losses->count, losses->cap);
	losses->list[losses->count++] = (struct loss){ .migration = loss->migration,
		.by = loss->by,
		.schema = arena_copy(texts, loss->schema),
		.relation = arena_copy(texts, loss->relation),
		.column = arena_copy(texts, loss->column),
		.type = arena_copy(texts, loss->type),
		.probe = arena_copy(texts, loss->probe) };
}

/* What is in the one and not in the other, and columns that have another type there. */
static void
add_side(struct losses *losses, struct db *db, struct loss *loss, const struct answer *here, const struct answer *there, struct arena *texts)
{
	struct bytes probe = { 0 };
	size_t i;

	for (i = 0; i < answer_rows(here); i++) {
		bool column = answer_text(here, i, FINGERPRINT_COLUMN) != NULL;
		int same;

		if (answer_text(here, i, FINGERPRINT_RELATION) == NULL)
			continue;
		same = fingerprint_same(here, i, there);
		if (same < 0 ? column && is_with_its_table(here, i, there)
		             : !column || strcmp(answer_word(here, i, FINGERPRINT_TYPE), answer_word(there, (size_t)same, FINGERPRINT_TYPE)) == 0)
			continue;
		if (same >= 0 && loss->by == LOSS_BY_UP && is_wider(answer_word(here, i, FINGERPRINT_TYPE), answer_word(there, (size_t)same, FINGERPRINT_TYPE)))
			continue;
		loss->schema = answer_word(here, i, FINGERPRINT_SCHEMA);
		loss->relation = answer_word(here, i, FINGERPRINT_RELATION);
		loss->column = answer_text(here, i, FINGERPRINT_COLUMN);
		loss->type = same >= 0 ? answer_text(there, (size_t)same, FINGERPRINT_TYPE) : NULL;
		loss->probe = NULL;
		probe.len = 0;
		if (loss->by == LOSS_BY_DOWN) {
			probe_of(&probe, db, here, i, loss->type);
			loss->probe = probe.data;
		}
		add(losses, loss, texts);
	}
	bytes_free(&probe);
}

void
losses_add(struct losses *losses, struct db *db, const char *migration, const struct losses_looks *l, struct arena *texts)
{
	struct loss by_up = { .migration = migration, .by = LOSS_BY_UP }, by_down = { .migration = migration, .by = LOSS_BY_DOWN };

	add_side(losses, db, &by_up, l->before, l->up, texts);
	add_side(losses, db, &by_down, l->up, l->down, texts);
}
