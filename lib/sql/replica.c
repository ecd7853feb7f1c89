#include "sql/replica.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "sql/sql_internal.h"
#include "sql/targets.h"

/* A name as written, without blanks and comments; NULL if none comes next.  The caller frees it. */
static char *
take_name(struct sql_reader *r)
{
	struct bytes name = { 0 };
	struct sql_reader from = *r;

	if (!sql_accept_name(r))
		return NULL;
	for (; from.token.start < r->token.start && from.token.kind != SQL_END; sql_reader_advance(&from))
		bytes_add(&name, from.text + from.token.start, from.token.end - from.token.start);
	return name.data;
}

static bool
same_name(const char *a, const char *b)
{
	char *schema_a, *schema_b, *x, *y;
	bool same;

	if (a == NULL || b == NULL)
		return false;
	x = sql_name_parts(a, &schema_a);
	y = sql_name_parts(b, &schema_b);
	same = strcmp(x, y) == 0 && (schema_a == NULL || schema_b == NULL || strcmp(schema_a, schema_b) == 0);
	free(schema_a);
	free(schema_b);
	free(x);
	free(y);
	return same;
}

/* Takes the object over, copies the table. */
static void
add(struct replica_steps *steps, enum replica_change change, const char *table, char *object, size_t statement)
{
	ARRAY_ROOM(steps->list, steps->count, steps->cap);
	steps->list[steps->count++] = (struct replica_step){ change, table != NULL ? xstrdup(table) : NULL, object, statement };
}

/* From here on rows of the table are identified: what was said before of them no longer holds. */
static void
is_identified(struct replica_steps *steps, const char *table, size_t statement)
{
	size_t i, kept = 0;

	for (i = 0; i < steps->count; i++) {
		struct replica_step *s = &steps->list[i];

		if (s->change == REPLICA_CREATE_KEYLESS && same_name(s->table, table))
			s->change = REPLICA_CREATE;
		if ((s->change == REPLICA_NO_IDENTITY || s->change == REPLICA_DROP_INDEX) && same_name(s->table, table)) {
			free(s->table);
			free(s->object);
		} else {
			steps->list[kept++] = *s;
		}
	}
	steps->count = kept;
	add(steps, REPLICA_IDENTIFIED, table, NULL, statement);
}

/* Whether a primary key is meant that is checked at once, up to the next comma: only such a one identifies rows. */
static bool
is_primary_key(struct sql_reader r)
{
	bool primary = false;

	while (r.token.kind != SQL_END && !sql_is_sign(r.text, r.token, ',') && !sql_is_sign(r.text, r.token, ')')) {
		if (sql_reader_match(&r, "PRIMARY KEY"))
			primary = true;
		else if (sql_reader_match(&r, "NOT DEFERRABLE"))
			continue;
		else if (primary && sql_is(r.text, r.token, "DEFERRABLE"))
			return false;
		else if (!sql_accept_parentheses(&r))
			sql_reader_advance(&r);
	}
	return primary;
}

/* Whether the list of columns and constraints has a primary key; LIKE may bring one along. */
static bool
has_key(struct sql_reader r)
{
	if (!sql_accept_sign(&r, '('))
		return false;
	do {
		if (sql_is(r.text, r.token, "LIKE") || is_primary_key(r))
			return true;
		sql_skip_to_comma(&r);
	} while (sql_accept_sign(&r, ','));
	return false;
}

/* Temporary and unlogged tables are never published, and partitions get the key of their table. */
static void
create(struct replica_steps *steps, struct sql_reader r, size_t statement)
{
	char *table;

	if (!sql_reader_match(&r, "CREATE TABLE [IF NOT EXISTS]") || (table = take_name(&r)) == NULL)
		return;
	add(steps, has_key(r) || sql_reader_match(&r, "PARTITION OF") ? REPLICA_CREATE : REPLICA_CREATE_KEYLESS, table, NULL, statement);
	free(table);
}

/* A generated column, which is not replicated, as far as the next comma. */
static bool
is_generated(struct sql_reader r)
{
	while (r.token.kind != SQL_END && !sql_is_sign(r.text, r.token, ',')) {
		if (sql_reader_match(&r, "GENERATED ALWAYS AS ("))
			return true;
		if (!sql_accept_parentheses(&r))
			sql_reader_advance(&r);
	}
	return false;
}

static void
add_column(struct replica_steps *steps, struct sql_reader r, const char *table, size_t statement)
{
	static const char *const others[] = { "CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "EXCLUDE", "NOT NULL", "TABLE" };
	struct sql_reader rest = r;
	char *column;

	if (is_primary_key(r))
		is_identified(steps, table, statement);
	if (sql_reader_match_any(&rest, others, sizeof others / sizeof *others))
		return;
	(void)sql_reader_match(&r, "[COLUMN] [IF NOT EXISTS]");
	column = take_name(&r);
	if (column != NULL && !is_generated(r))
		add(steps, REPLICA_ADD, table, column, statement);
	else
		free(column);
}

static void
identity(struct replica_steps *steps, struct sql_reader *r, const char *table, size_t statement)
{
	if (sql_reader_match(r, "NOTHING"))
		add(steps, REPLICA_NO_IDENTITY, table, NULL, statement);
	else
		is_identified(steps, table, statement);
}

/* RENAME, which is alone in its statement. */
static void
rename_any(struct replica_steps *steps, struct sql_reader *r, const char *table, size_t statement)
{
	if (sql_reader_match(r, "TO"))
		add(steps, REPLICA_RENAME, table, NULL, statement);
	else if (!sql_reader_match(r, "CONSTRAINT")) {
		(void)sql_reader_match(r, "[COLUMN]");
		add(steps, REPLICA_RENAME_COLUMN, table, take_name(r), statement);
	}
}

/* An action of ALTER TABLE. */
static void
action(struct replica_steps *steps, struct sql_reader *r, const char *table, size_t statement)
{
	struct sql_reader type;
	char *column;

	if (sql_reader_match(r, "ADD"))
		add_column(steps, *r, table, statement);
	else if (sql_reader_match(r, "DROP CONSTRAINT [IF EXISTS]"))
		add(steps, REPLICA_DROP_INDEX, table, take_name(r), statement);
	else if (sql_reader_match(r, "DROP [COLUMN] [IF EXISTS]"))
		add(steps, REPLICA_DROP, table, take_name(r), statement);
	else if (sql_reader_match(r, "REPLICA IDENTITY"))
		identity(steps, r, table, statement);
	else if (sql_reader_match(r, "RENAME"))
		rename_any(steps, r, table, statement);
	else if (sql_reader_match(r, "SET SCHEMA"))
		add(steps, REPLICA_RENAME, table, NULL, statement);
	else if (sql_reader_match(r, "ALTER CONSTRAINT"))
		return;
	else if (sql_reader_match(r, "ALTER [COLUMN]")) {
		column = take_name(r);
		type = *r;
		if (sql_reader_match(&type, "TYPE") || sql_reader_match(&type, "SET DATA TYPE"))
			add(steps, REPLICA_RETYPE, table, column, statement);
		else
			free(column);
	}
}

static void
alter(struct replica_steps *steps, struct sql_reader r, size_t statement)
{
	char *table;

	if (!sql_reader_match(&r, "ALTER TABLE [IF EXISTS] [ONLY]") || (table = take_name(&r)) == NULL)
		return;
	(void)sql_reader_match(&r, "[*]");
	do
		action(steps, &r, table, statement);
	while (sql_skip_to_comma(&r), sql_accept_sign(&r, ','));
	free(table);
}

static void
drop_tables(struct replica_steps *steps, struct sql_reader r, size_t statement)
{
	char *table;

	if (!sql_reader_match(&r, "DROP TABLE [IF EXISTS]"))
		return;
	do
		if ((table = take_name(&r)) != NULL) {
			add(steps, REPLICA_IDENTIFIED, table, NULL, statement);
			free(table);
		}
	while (sql_accept_sign(&r, ','));
}

static void
drop_indexes(struct replica_steps *steps, struct sql_reader r, size_t statement)
{
	if (!sql_reader_match(&r, "DROP INDEX [CONCURRENTLY] [IF EXISTS]"))
		return;
	do
		add(steps, REPLICA_DROP_INDEX, NULL, take_name(&r), statement);
	while (sql_accept_sign(&r, ','));
}

/* INSERT ... ON CONFLICT DO UPDATE writes rows that are there, too. */
static bool
updates_conflicts(struct sql_reader r)
{
	while (r.token.kind != SQL_END) {
		if (sql_reader_match(&r, "DO UPDATE"))
			return true;
		if (!sql_accept_parentheses(&r))
			sql_reader_advance(&r);
	}
	return false;
}

static void
writes(struct replica_steps *steps, struct sql_reader r, size_t statement)
{
	bool inserts = sql_reader_match(&r, "INSERT INTO");
	char *table;

	if (!inserts && !sql_reader_match(&r, "UPDATE [ONLY]") && !sql_reader_match(&r, "DELETE FROM [ONLY]") &&
	    !sql_reader_match(&r, "MERGE INTO [ONLY]"))
		return;
	table = take_name(&r);
	if (table != NULL && (!inserts || updates_conflicts(r)))
		add(steps, REPLICA_WRITE, table, NULL, statement);
	free(table);
}

struct replica_steps
replica_steps(const char *text, const struct sql_script *script)
{
	struct replica_steps steps = { 0 };
	size_t i;

	for (i = 0; i < script->count; i++) {
		const struct sql_statement *s = &script->statements[i];
		struct sql_reader r = sql_reader_at(text, s->start, s->end);

		if (!sql_begins_with(&r, "CADUIM")) /* CREATE, ALTER, DROP, DELETE, UPDATE, INSERT, MERGE */
			continue;
		create(&steps, r, i);
		alter(&steps, r, i);
		drop_tables(&steps, r, i);
		drop_indexes(&steps, r, i);
		writes(&steps, r, i);
	}
	return steps;
}

void
replica_steps_free(struct replica_steps *steps)
{
	size_t i;

	for (i = 0; i < steps->count; i++) {
		free(steps->list[i].table);
		free(steps->list[i].object);
	}
	free(steps->list);
	*steps = (struct replica_steps){ 0 };
}
