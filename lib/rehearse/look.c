#include "rehearse/look.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* $1: the relations, or NULL: all. */
#define WANTED(oid) "($1::oid[] IS NULL OR " oid " = ANY ($1::oid[]))"
#define OURS "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(toast_)?temp_'"

/* The counters from the functions below the views, for the wanted alone. */
#define RELATIONS(scans)                                                                                          \
	"SELECT c.oid::int8, n.nspname, c.relname, c.relkind, c.reltablespace::int8, pg_relation_filenode(c.oid)::int8, " \
	"i.indrelid::int8, i.indisunique, " scans "(c.oid), "                                                     \
	"(SELECT sum(" scans "(x.indexrelid))::int8 FROM pg_index x WHERE x.indrelid = c.oid), n.oid::int8 "      \
	"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid " \
	"WHERE " WANTED("c.oid") " AND " OURS " ORDER BY c.oid"

static const char *const relations_sql[] = { RELATIONS("pg_stat_get_xact_numscans"), RELATIONS("pg_stat_get_numscans") };

/* The rows that this transaction has written are enough where the others are known: nobody else is in the database. */
#define WRITTEN "($1::oid[] IS NULL OR age(a.xmin) <= age(pg_current_xact_id_if_assigned()::xid))"

static const char columns_sql[] =
    "SELECT a.attrelid::int8, a.attnum::int8, a.attname, format_type(a.atttypid, a.atttypmod), "
    "a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '', a.atthasdef, a.attisdropped "
    "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE " WANTED("a.attrelid") " AND " WRITTEN " AND a.attnum > 0 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND " OURS " ORDER BY 1, 2";

static const char constraints_sql[] =
    "SELECT k.oid::int8, k.conrelid::int8, k.contype, k.conname FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace "
    "WHERE " WANTED("k.conrelid") " AND k.conrelid <> 0 AND " OURS " ORDER BY 1";

static const char labels_sql[] =
    "SELECT e.oid::int8, n.nspname, t.typname, e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid "
    "JOIN pg_namespace n ON n.oid = t.typnamespace ORDER BY 1";

static const char schemas_sql[] = "SELECT n.oid::int8, n.nspname FROM pg_namespace n WHERE " OURS " ORDER BY 1";

enum { ASK_RELATIONS, ASK_COLUMNS, ASK_CONSTRAINTS, ASK_LABELS, ASK_SCHEMAS, ASKS };

/* --- lists of numbers --- */

/* Where it is, or would be. */
static size_t
place_of(const struct look_ids *ids, long long id)
{
	size_t from = 0, to = ids->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (ids->list[middle] < id)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

bool
look_ids_has(const struct look_ids *ids, long long id)
{
	size_t at = place_of(ids, id);

	return at < ids->count && ids->list[at] == id;
}

void
look_ids_add(struct look_ids *ids, long long id)
{
	size_t at = place_of(ids, id);

	if (at < ids->count && ids->list[at] == id)
		return;
	ARRAY_ROOM(ids->list, ids->count, ids->cap);
	memmove(ids->list + at + 1, ids->list + at, (ids->count - at) * sizeof *ids->list);
	ids->list[at] = id;
	ids->count++;
}

static char *
ids_text(const struct look_ids *ids)
{
	struct bytes text = { 0 };
	size_t i;

	bytes_char(&text, '{');
	for (i = 0; i < ids->count; i++)
		bytes_format(&text, "%s%lld", i > 0 ? "," : "", ids->list[i]);
	bytes_char(&text, '}');
	return text.data;
}

/* --- answers --- */

static enum db_outcome
ask(struct db *db, enum look_counters counters, const struct look_ids *ids, struct answer *answers[ASKS])
{
	const char *const sql[] = { relations_sql[counters], columns_sql, constraints_sql, labels_sql, schemas_sql };
	char *list = ids != NULL ? ids_text(ids) : NULL;
	const char *parameter = list;
	struct db_ask asks[ASKS] = { 0 };
	enum db_outcome outcome;
	size_t i;

	for (i = 0; i < ASKS; i++)
		asks[i] = (struct db_ask){ .sql = sql[i], .ours = true, .parameter = i < ASK_LABELS ? &parameter : NULL };
	outcome = db_query_batch(db, asks, ASKS);
	for (i = 0; i < ASKS; i++) {
		answers[i] = asks[i].answer;
		if (outcome == DB_OK && asks[i].outcome != DB_OK)
			outcome = DB_ERROR;
	}
	for (i = 0; outcome != DB_OK && i < ASKS; i++)
		answer_free(answers[i]);
	free(list);
	return outcome;
}

static struct look_relation
relation_of(const struct answer *a, size_t row, struct arena *arena)
{
	return (struct look_relation){ .oid = answer_count(a, row, 0),
		.schema = arena_copy(arena, answer_word(a, row, 1)),
		.name = arena_copy(arena, answer_word(a, row, 2)),
		.kind = *answer_word(a, row, 3),
		.tablespace = answer_count(a, row, 4),
		.filenode = answer_count(a, row, 5),
		.table = answer_count(a, row, 6),
		.unique = answer_flag(a, row, 7),
		.seq_scans = answer_count(a, row, 8),
		.index_scans = answer_count(a, row, 9),
		.namespace = answer_count(a, row, 10) };
}

static struct look_column
column_of(const struct answer *a, size_t row, struct arena *arena)
{
	return (struct look_column){ .relation = answer_count(a, row, 0),
		.number = answer_count(a, row, 1),
		.name = arena_copy(arena, answer_word(a, row, 2)),
		.type = arena_copy(arena, answer_word(a, row, 3)),
		.must = answer_flag(a, row, 4),
		.has_default = answer_flag(a, row, 5),
		.dropped = answer_flag(a, row, 6) };
}

static struct look_constraint
constraint_of(const struct answer *a, size_t row, struct arena *arena)
{
	return (struct look_constraint){ answer_count(a, row, 0), answer_count(a, row, 1), *answer_word(a, row, 2),
		arena_copy(arena, answer_word(a, row, 3)) };
}

static struct look_label
label_of(const struct answer *a, size_t row, struct arena *arena)
{
	return (struct look_label){ answer_count(a, row, 0), arena_copy(arena, answer_word(a, row, 1)),
		arena_copy(arena, answer_word(a, row, 2)), arena_copy(arena, answer_word(a, row, 3)) };
}

/* --- looks --- */

static void
take_schemas(struct look *look, const struct answer *a, struct arena *arena)
{
	size_t i;

	look->schema_count = answer_rows(a);
	look->schemas = xcalloc(look->schema_count + 1, sizeof *look->schemas);
	for (i = 0; i < look->schema_count; i++)
		look->schemas[i] = (struct look_schema){ answer_count(a, i, 0), arena_copy(arena, answer_word(a, i, 1)) };
}

/* A schema gets another name without a lock on what is in it. */
static void
rename_schemas(struct look *look, const struct look *old)
{
	size_t i, k, r;

	for (i = 0; i < look->schema_count; i++) {
		for (k = 0; k < old->schema_count && old->schemas[k].oid != look->schemas[i].oid; k++)
			;
		if (k == old->schema_count || strcmp(old->schemas[k].name, look->schemas[i].name) == 0)
			continue;
		for (r = 0; r < look->relation_count; r++)
			if (look->relations[r].namespace == look->schemas[i].oid)
				look->relations[r].schema = look->schemas[i].name;
	}
}

static void
take_labels(struct look *look, const struct answer *a, struct arena *arena)
{
	size_t i;

	look->label_count = answer_rows(a);
	look->labels = xcalloc(look->label_count + 1, sizeof *look->labels);
	for (i = 0; i < look->label_count; i++)
		look->labels[i] = label_of(a, i, arena);
}

/*
 * Merges what is kept of an old list, those whose relation is not among the ids, with the rows of an answer; both are in order.
 * `key` is what they are in the order of, `of` the relation.
 */
#define MERGE(to, to_count, from, from_count, answer, make, before, of)                                            \
	do {                                                                                                       \
		size_t old_at = 0, row = 0, rows = answer_rows(answer);                                            \
		(to) = xcalloc((from_count) + rows + 1, sizeof *(to));                                             \
		(to_count) = 0;                                                                                    \
		while (row < rows || old_at < (from_count)) {                                                      \
			if (old_at < (from_count) && look_ids_has(ids, (from)[old_at].of)) {                       \
				old_at++;                                                                          \
				continue;                                                                          \
			}                                                                                          \
			if (row < rows)                                                                            \
				(to)[to_count] = make(answer, row, arena);                                         \
			if (row < rows && (old_at == (from_count) || before(&(to)[to_count], &(from)[old_at])))     \
				row++;                                                                             \
			else                                                                                       \
				(to)[to_count] = (from)[old_at++];                                                 \
			(to_count)++;                                                                              \
		}                                                                                                  \
	} while (0)

static bool
relation_before(const struct look_relation *a, const struct look_relation *b)
{
	return a->oid < b->oid;
}

static bool
constraint_before(const struct look_constraint *a, const struct look_constraint *b)
{
	return a->oid < b->oid;
}

static int
compare_columns(const struct look_column *a, const struct look_column *b)
{
	if (a->relation != b->relation)
		return a->relation < b->relation ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* The old ones, each replaced where it was written since. */
static void
merge_columns(struct look *look, const struct look *old, const struct answer *a, struct arena *arena)
{
	size_t at = 0, row, rows = answer_rows(a);

	look->columns = xcalloc(old->column_count + rows + 1, sizeof *look->columns);
	look->column_count = 0;
	for (row = 0; row < rows; row++) {
		struct look_column c = column_of(a, row, arena);

		while (at < old->column_count && compare_columns(&old->columns[at], &c) < 0)
			look->columns[look->column_count++] = old->columns[at++];
		if (at < old->column_count && compare_columns(&old->columns[at], &c) == 0)
			at++;
		look->columns[look->column_count++] = c;
	}
	while (at < old->column_count)
		look->columns[look->column_count++] = old->columns[at++];
}

enum db_outcome
look_again(struct db *db, const struct look *old, const struct look_ids *ids, struct arena *arena, struct look *look)
{
	struct answer *answers[ASKS];
	enum db_outcome outcome = ask(db, LOOK_TRANSACTION, ids, answers);
	size_t i;

	if (outcome != DB_OK)
		return outcome;
	MERGE(look->relations, look->relation_count, old->relations, old->relation_count, answers[ASK_RELATIONS], relation_of,
	    relation_before, oid);
	merge_columns(look, old, answers[ASK_COLUMNS], arena);
	MERGE(look->constraints, look->constraint_count, old->constraints, old->constraint_count, answers[ASK_CONSTRAINTS],
	    constraint_of, constraint_before, relation);
	take_labels(look, answers[ASK_LABELS], arena);
	take_schemas(look, answers[ASK_SCHEMAS], arena);
	rename_schemas(look, old);
	for (i = 0; i < ASKS; i++)
		answer_free(answers[i]);
	return DB_OK;
}

enum db_outcome
look_all(struct db *db, enum look_counters counters, struct arena *arena, struct look *look)
{
	struct answer *answers[ASKS];
	enum db_outcome outcome = ask(db, counters, NULL, answers);
	size_t i;

	if (outcome != DB_OK)
		return outcome;
	look->relation_count = answer_rows(answers[ASK_RELATIONS]);
	look->column_count = answer_rows(answers[ASK_COLUMNS]);
	look->constraint_count = answer_rows(answers[ASK_CONSTRAINTS]);
	look->relations = xcalloc(look->relation_count + 1, sizeof *look->relations);
	look->columns = xcalloc(look->column_count + 1, sizeof *look->columns);
	look->constraints = xcalloc(look->constraint_count + 1, sizeof *look->constraints);
	for (i = 0; i < look->relation_count; i++)
		look->relations[i] = relation_of(answers[ASK_RELATIONS], i, arena);
	for (i = 0; i < look->column_count; i++)
		look->columns[i] = column_of(answers[ASK_COLUMNS], i, arena);
	for (i = 0; i < look->constraint_count; i++)
		look->constraints[i] = constraint_of(answers[ASK_CONSTRAINTS], i, arena);
	take_labels(look, answers[ASK_LABELS], arena);
	take_schemas(look, answers[ASK_SCHEMAS], arena);
	for (i = 0; i < ASKS; i++)
		answer_free(answers[i]);
	return DB_OK;
}

void
look_free(struct look *look)
{
	free(look->schemas);
	free(look->relations);
	free(look->columns);
	free(look->constraints);
	free(look->labels);
	*look = (struct look){ 0 };
}

const struct look_relation *
look_relation(const struct look *look, long long oid)
{
	size_t from = 0, to = look->relation_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (look->relations[middle].oid == oid)
			return &look->relations[middle];
		if (look->relations[middle].oid < oid)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

bool
look_has_constraint(const struct look *look, long long oid)
{
	size_t from = 0, to = look->constraint_count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (look->constraints[middle].oid == oid)
			return true;
		if (look->constraints[middle].oid < oid)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}

bool
look_is_told(const struct look_relation *relation)
{
	return relation != NULL && strchr("rpvmf", relation->kind) != NULL && relation->kind != '\0';
}
