/* Tables, columns, indexes and references that are the same on both sides. */
#include <string.h>

#include "diff/diff_internal.h"

static struct column_change
compare_columns(const struct column *from, const struct column *to)
{
	return (struct column_change){ .from = from,
		.to = to,
		.cast = cast_of(from, to),
		.arity = from->arity != to->arity,
		.value = !defaults_equal(from, to),
		.autoincrement = from->autoincrement != to->autoincrement };
}

static void
match_columns(struct work *w, struct pair *p)
{
	const struct relation *from = p->from->relation;
	size_t i;

	p->columns = arena_alloc(&w->diff->arena, (from->column_count + 1) * sizeof *p->columns);
	for (i = 0; i < from->column_count; i++) {
		const struct column *to = relation_column(p->to->relation, from->columns[i].name);

		if (to != NULL)
			p->columns[p->column_count++] = compare_columns(&from->columns[i], to);
	}
}

void
match_tables(struct work *w)
{
	size_t i;

	w->pairs = arena_alloc(&w->diff->arena, (w->from.table_count + 1) * sizeof *w->pairs);
	for (i = 0; i < w->from.table_count; i++) {
		struct side_table *from = &w->from.tables[i];
		struct side_table *to = side_table(&w->to, from->relation->schema, from->relation->name);
		struct pair *p = &w->pairs[w->pair_count];

		if (to == NULL)
			continue;
		w->pair_count++;
		*p = (struct pair){ .from = from, .to = to };
		from->pair = to->pair = p;
		match_columns(w, p);
	}
}

const struct column_change *
pair_column(const struct pair *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->column_count; i++)
		if (strcmp(p->columns[i].from->name, name) == 0)
			return &p->columns[i];
	return NULL;
}

/* Equal, or one side has none and the other's is the default one. */
static bool
classes_match(const struct index_column *a, const struct index_column *b)
{
	if (a->operator_class == NULL || b->operator_class == NULL)
		return (a->operator_class == NULL || a->default_class) && (b->operator_class == NULL || b->default_class);
	return strcmp(a->operator_class, b->operator_class) == 0;
}

bool
indexes_match(const struct index *a, const struct index *b)
{
	size_t i;

	if (a->column_count != b->column_count || a->is_unique != b->is_unique || strcmp(a->method, b->method) != 0)
		return false;
	for (i = 0; i < a->column_count; i++) {
		const struct index_column *x = &a->columns[i], *y = &b->columns[i];

		if (strcmp(x->column, y->column) != 0 || (x->sort == SORT_DESC) != (y->sort == SORT_DESC) ||
		    !classes_match(x, y))
			return false;
	}
	return true;
}

static bool
lists_equal(const struct text_list *a, const struct text_list *b)
{
	size_t i;

	if (a->count != b->count)
		return false;
	for (i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

bool
references_match(const struct pair *p, const struct reference *a, const struct reference *b)
{
	size_t i;

	if (strcmp(a->referenced, b->referenced) != 0 || !lists_equal(&a->columns, &b->columns) ||
	    !lists_equal(&a->referenced_columns, &b->referenced_columns) || a->on_delete != b->on_delete ||
	    a->on_update != b->on_update)
		return false;
	for (i = 0; i < a->columns.count; i++) {
		const struct column_change *c = pair_column(p, a->columns.items[i]);

		if (c == NULL || c->cast != CAST_NONE)
			return false;
	}
	return true;
}
