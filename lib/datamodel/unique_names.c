/* No two things of one name, where the database has one space for them. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "datamodel/datamodel_internal.h"

struct taken {
	const char *schema;
	const char *name;
	struct place place;
	const char *whose;
	size_t order;
};

struct names_taken {
	struct taken *items;
	size_t count, cap;
};

static void
take(struct names_taken *names, const char *schema, const char *name, struct place place, const char *whose)
{
	ARRAY_ROOM(names->items, names->count, names->cap);
	names->items[names->count] = (struct taken){ schema, name, place, whose, names->count };
	names->count++;
}

static int
compare(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;
	int c = text_compare(x->schema, y->schema);

	c = c != 0 ? c : strcmp(x->name, y->name);
	return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

/* Says where a name comes a second time, and gives the list's memory back. */
static void
say_doubles(struct datamodel *d, struct names_taken *names, const char *what)
{
	size_t i;

	if (names->count > 1)
		qsort(names->items, names->count, sizeof *names->items, compare);
	for (i = 1; i < names->count; i++) {
		const struct taken *one = &names->items[i - 1], *two = &names->items[i];

		if (!text_equal(one->schema, two->schema) || strcmp(one->name, two->name) != 0)
			continue;
		(void)wrong(d, one->place, "%s is the name of %s twice, here and further down", one->name, what);
		(void)wrong(d, two->place, "%s is the name of %s of %s already", two->name, what, one->whose);
	}
	free(names->items);
}

static void
check_tables(struct datamodel *d)
{
	struct names_taken tables = { 0 }, enums = { 0 };
	size_t i;

	for (i = 0; i < d->model_count; i++)
		take(&tables, d->models[i].schema, d->models[i].table, d->models[i].table_place, d->models[i].block->name);
	say_doubles(d, &tables, "the table");
	for (i = 0; i < d->enum_count; i++)
		take(&enums, d->enums[i].schema, d->enums[i].name, d->enums[i].block->place, d->enums[i].block->name);
	say_doubles(d, &enums, "the enum");
}

static void
check_columns(struct datamodel *d, const struct model *m)
{
	struct names_taken columns = { 0 };
	size_t i;

	for (i = 0; i < m->field_count; i++)
		if (m->fields[i].kind != FIELD_RELATION)
			take(&columns, NULL, m->fields[i].column, m->fields[i].decl->place, m->block->name);
	say_doubles(d, &columns, "a column");
}

/* Keys, uniques and indexes of a schema share one space, those of views with them. */
static void
check_indexes(struct datamodel *d)
{
	struct names_taken indexes = { 0 };
	const struct key_decl *k;
	size_t i;

	for (i = 0; i < d->model_count; i++)
		for (k = d->models[i].keys; k != NULL; k = k->next)
			take(&indexes, d->models[i].schema, k->name, k->attribute->place, d->models[i].block->name);
	say_doubles(d, &indexes, "a key or index");
}

/* Within a table the foreign keys share it too. */
static void
check_references(struct datamodel *d, const struct model *m)
{
	struct names_taken names = { 0 };
	const struct key_decl *k;
	size_t i;

	for (i = 0; i < m->field_count; i++)
		if (m->fields[i].kind == FIELD_RELATION && m->fields[i].relation->has_fields)
			take(&names, NULL, make_reference_name(d, &m->fields[i]), m->fields[i].decl->place, m->block->name);
	if (names.count == 0)
		return;
	for (k = m->keys; k != NULL; k = k->next)
		take(&names, NULL, k->name, k->attribute->place, m->block->name);
	say_doubles(d, &names, "a constraint or index");
}

void
check_unique_names(struct datamodel *d)
{
	size_t i;

	if (d->errors->count > 0)
		return;
	check_tables(d);
	for (i = 0; i < d->model_count; i++)
		check_columns(d, &d->models[i]);
	check_indexes(d);
	for (i = 0; i < d->model_count && d->errors->count == 0; i++)
		check_references(d, &d->models[i]);
}
