#include "rehearse/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define OURS "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(toast_)?temp_'"

/* The counters from the functions below the views, for the wanted alone. */
#define RELATION_COLUMNS(id, scans) \
	"SELECT " id "::int8, n.nspname, c.relname, c.relkind, c.reltablespace::int8, pg_relation_filenode(c.oid)::int8, i.indrelid::int8, " \
	"i.indisunique, " scans "(" id "), n.oid::int8, "
#define RELATIONS(scans)                                                                                           \
	RELATION_COLUMNS("c.oid", scans) "NULL::int8 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace " \
	"LEFT JOIN pg_index i ON i.indexrelid = c.oid WHERE " OURS " ORDER BY c.oid"
#define COLUMN_COLUMNS                                                                                            \
	"SELECT a.attrelid::int8, a.attnum::int8, a.attname, format_type(a.atttypid, a.atttypmod), "              \
	"a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attgenerated = '', a.atthasdef, a.attisdropped, "
#define COLUMN_TABLES                                                                                             \
	"FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace " \
	"WHERE a.attnum > 0 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND " OURS
#define CONSTRAINT_COLUMNS "SELECT k.oid::int8, k.conrelid::int8, k.contype, k.conname, "
#define CONSTRAINT_TABLES \
	"FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE k.conrelid <> 0 AND " OURS

static const char labels_sql[] =
    "SELECT e.oid::int8, n.nspname, t.typname, e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid "
    "JOIN pg_namespace n ON n.oid = t.typnamespace ORDER BY 1";
static const char schemas_sql[] = "SELECT n.oid::int8, n.nspname FROM pg_namespace n WHERE " OURS " ORDER BY 1";
#define NOTHING_SQL "SELECT NULL::int8 WHERE false"

enum { ASK_RELATIONS, ASK_COLUMNS, ASK_CONSTRAINTS, ASK_LABELS, ASK_SCHEMAS, ASK_GONE, ASKS };

/* All that there is. */
static const char *const all_sql[][ASKS] = {
	{ RELATIONS("pg_stat_get_xact_numscans"), COLUMN_COLUMNS "NULL::int8 " COLUMN_TABLES " ORDER BY 1, 2",
	    CONSTRAINT_COLUMNS "NULL::int8 " CONSTRAINT_TABLES " ORDER BY 1", labels_sql, schemas_sql, NOTHING_SQL },
	{ RELATIONS("pg_stat_get_numscans"), COLUMN_COLUMNS "NULL::int8 " COLUMN_TABLES " ORDER BY 1, 2",
	    CONSTRAINT_COLUMNS "NULL::int8 " CONSTRAINT_TABLES " ORDER BY 1", labels_sql, schemas_sql, NOTHING_SQL },
};

/*
 * What this transaction has written since the last look, of the relations $1: by the number of the command in it, where the
 * highest that has been seen is $2.  Nobody else is in the database.  $3: the relations' counters as they were.
 */
#define WRITTEN(row) "age(" row ".xmin) <= age(pg_current_xact_id_if_assigned()::xid)"
#define NEWER(row) WRITTEN(row) " AND " row ".cmin::text::int8 > $2::int8"
static const char *const newer_sql[ASKS] = {
	RELATION_COLUMNS("c.id", "pg_stat_get_xact_numscans") "CASE WHEN c.written THEN c.cmin::text::int8 END "
	"FROM (SELECT w.id, c.*, c.cmin, " WRITTEN("c") " AS written FROM unnest($1::oid[], $3::int8[]) w (id, scans) "
	"LEFT JOIN pg_class c ON c.oid = w.id WHERE c.oid IS NULL OR (" NEWER("c") ") OR pg_stat_get_xact_numscans(w.id) <> w.scans "
	"OFFSET 0) c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid "
	"WHERE c.oid IS NULL OR (" OURS ") ORDER BY c.id",
	COLUMN_COLUMNS "a.cmin::text::int8 " COLUMN_TABLES " AND a.attrelid = ANY ($1::oid[]) AND " NEWER("a") " ORDER BY 1, 2",
	CONSTRAINT_COLUMNS "k.cmin::text::int8 " CONSTRAINT_TABLES " AND k.conrelid = ANY ($1::oid[]) AND " NEWER("k") " ORDER BY 1",
	labels_sql,
	schemas_sql,
	"SELECT w.id::int8 FROM unnest($1::oid[]) w (id) WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.oid = w.id) ORDER BY 1",
};

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

/* --- asking --- */

static enum db_outcome
ask(struct db *db, struct db_ask asks[ASKS], struct answer *answers[ASKS])
{
	enum db_outcome outcome = db_query_batch(db, asks, ASKS);
	size_t i;

	for (i = 0; i < ASKS; i++) {
		answers[i] = asks[i].answer;
		if (outcome == DB_OK && asks[i].outcome != DB_OK)
			outcome = DB_ERROR;
	}
	for (i = 0; outcome != DB_OK && i < ASKS; i++)
		answer_free(answers[i]);
	return outcome;
}

static enum db_outcome
ask_all(struct db *db, enum look_counters counters, struct answer *answers[ASKS])
{
	struct db_ask asks[ASKS];
	size_t i;

	for (i = 0; i < ASKS; i++)
		asks[i] = (struct db_ask){ .sql = all_sql[counters][i], .ours = true };
	return ask(db, asks, answers);
}

static void
add_number(struct bytes *list, long long number)
{
	bytes_format(list, "%s%lld", list->len == 0 ? "{" : ",", number);
}

static void
end_list(struct bytes *list)
{
	bytes_str(list, list->len == 0 ? "{}" : "}");
}

/* Of what `last` has not, and of all where that is too old, no counter is the one that is known. */
static enum db_outcome
ask_newer(struct db *db, const struct look *last, const struct look *before, const struct look_ids *ids, bool all,
    struct answer *answers[ASKS])
{
	struct bytes relations = { 0 }, scans = { 0 }, constraints = { 0 };
	char command[24];
	const char *parameters[3], *gone[1];
	struct db_ask asks[ASKS];
	enum db_outcome outcome;
	size_t i;

	for (i = 0; i < ids->count; i++) {
		const struct look_relation *r = all ? NULL : look_relation(last, ids->list[i]);

		add_number(&relations, ids->list[i]);
		add_number(&scans, r != NULL ? r->scans : -1);
	}
	for (i = 0; i < last->constraint_count; i++)
		if (!look_has_constraint(before, last->constraints[i].oid))
			add_number(&constraints, last->constraints[i].oid);
	end_list(&relations);
	end_list(&scans);
	end_list(&constraints);
	snprintf(command, sizeof command, "%lld", all ? -1 : last->command);
	parameters[0] = relations.data;
	parameters[1] = command;
	parameters[2] = scans.data;
	gone[0] = constraints.data;
	for (i = 0; i < ASKS; i++)
		asks[i] = (struct db_ask){ .sql = newer_sql[i], .ours = true,
			.parameter = i == ASK_GONE ? gone : i <= ASK_CONSTRAINTS ? parameters : NULL,
			.more = i == ASK_RELATIONS ? 2 : i <= ASK_CONSTRAINTS ? 1 : 0 };
	outcome = ask(db, asks, answers);
	bytes_free(&relations);
	bytes_free(&scans);
	bytes_free(&constraints);
	return outcome;
}

/* --- answers --- */

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
		.scans = answer_count(a, row, 8),
		.namespace = answer_count(a, row, 9) };
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

/* The old ones, each replaced where there is a newer one; who has no name is gone. */
static void
merge_relations(struct look *look, const struct look *old, const struct answer *a, struct arena *arena)
{
	size_t at = 0, row, rows = answer_rows(a);

	look->relations = xcalloc(old->relation_count + rows + 1, sizeof *look->relations);
	for (row = 0; row < rows; row++) {
		struct look_relation r = relation_of(a, row, arena);

		while (at < old->relation_count && old->relations[at].oid < r.oid)
			look->relations[look->relation_count++] = old->relations[at++];
		if (at < old->relation_count && old->relations[at].oid == r.oid)
			at++;
		if (answer_text(a, row, 2) != NULL)
			look->relations[look->relation_count++] = r;
	}
	while (at < old->relation_count)
		look->relations[look->relation_count++] = old->relations[at++];
}

static int
compare_columns(const struct look_column *a, const struct look_column *b)
{
	if (a->relation != b->relation)
		return a->relation < b->relation ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

static void
merge_columns(struct look *look, const struct look *old, const struct answer *a, struct arena *arena)
{
	size_t at = 0, row, rows = answer_rows(a);

	look->columns = xcalloc(old->column_count + rows + 1, sizeof *look->columns);
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

/* Those that `gone` names are left out. */
static void
merge_constraints(struct look *look, const struct look *old, const struct answer *a, const struct answer *gone, struct arena *arena)
{
	size_t at = 0, row = 0, rows = answer_rows(a), lost = 0;

	look->constraints = xcalloc(old->constraint_count + rows + 1, sizeof *look->constraints);
	while (row < rows || at < old->constraint_count) {
		struct look_constraint c = row < rows ? constraint_of(a, row, arena) : old->constraints[at];

		if (at < old->constraint_count && old->constraints[at].oid <= c.oid) {
			if (row == rows || old->constraints[at].oid < c.oid)
				c = old->constraints[at];
			else
				row++;
			at++;
		} else {
			row++;
		}
		while (lost < answer_rows(gone) && answer_count(gone, lost, 0) < c.oid)
			lost++;
		if (lost == answer_rows(gone) || answer_count(gone, lost, 0) != c.oid)
			look->constraints[look->constraint_count++] = c;
	}
}

/* The highest number of a command that has written any of it. */
static long long
last_command(const struct look *old, struct answer *const answers[ASKS])
{
	static const int columns[] = { [ASK_RELATIONS] = 10, [ASK_COLUMNS] = 7, [ASK_CONSTRAINTS] = 4 };
	long long last = old->command;
	size_t i, row;

	for (i = 0; i <= ASK_CONSTRAINTS; i++)
		for (row = 0; row < answer_rows(answers[i]); row++)
			if (answer_text(answers[i], row, columns[i]) != NULL && answer_count(answers[i], row, columns[i]) > last)
				last = answer_count(answers[i], row, columns[i]);
	return last;
}

enum db_outcome
look_again(struct db *db, const struct look *last, const struct look *before, const struct look_ids *ids, bool all,
    struct arena *arena, struct look *look)
{
	struct answer *answers[ASKS];
	enum db_outcome outcome = ask_newer(db, last, before, ids, all, answers);
	size_t i;

	if (outcome != DB_OK)
		return outcome;
	*look = (struct look){ .command = last_command(last, answers) };
	merge_relations(look, last, answers[ASK_RELATIONS], arena);
	merge_columns(look, last, answers[ASK_COLUMNS], arena);
	merge_constraints(look, last, answers[ASK_CONSTRAINTS], answers[ASK_GONE], arena);
	take_labels(look, answers[ASK_LABELS], arena);
	take_schemas(look, answers[ASK_SCHEMAS], arena);
	rename_schemas(look, last);
	for (i = 0; i < ASKS; i++)
		answer_free(answers[i]);
	return DB_OK;
}

enum db_outcome
look_all(struct db *db, enum look_counters counters, struct arena *arena, struct look *look)
{
	struct answer *answers[ASKS];
	enum db_outcome outcome = ask_all(db, counters, answers);
	size_t i;

	if (outcome != DB_OK)
		return outcome;
	*look = (struct look){ .command = -1 };
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
