/*
 * Compares two live catalogs in all kinds that both cover: each object is a row of facts in PostgreSQL's words,
 * and the rows of both sides are merged.  Excludes what changes by itself: versions of extensions, objects of
 * extensions, partitions, the history.
 */
#include <stdlib.h>
#include <string.h>

#include "catalog/page.h"
#include "diff/diff_internal.h"

enum { FACTS = 7 };

struct fact {
	const char *label;       /* "default"; "": the fact says what it is by itself */
	const char *value;       /* NULL: it has none */
};

struct row {
	enum object_kind object;
	const char *schema, *relation, *name;
	struct fact facts[FACTS];
	size_t fact_count;
};

struct rows {
	struct diff *diff;
	const struct catalog *catalog, *other;
	struct row *items;
	size_t count, cap;
};

static struct row *
add_row(struct rows *rows, enum object_kind object, const char *schema, const char *relation, const char *name)
{
	struct row *r;

	ARRAY_ROOM(rows->items, rows->count, rows->cap);
	r = &rows->items[rows->count++];
	*r = (struct row){ .object = object, .schema = schema, .relation = relation, .name = name };
	return r;
}

static void
add_fact(struct row *r, const char *label, const char *value)
{
	r->facts[r->fact_count++] = (struct fact){ label, value };
}

/* --- rows of a catalog --- */

static bool
is_history(const char *name)
{
	return strcmp(name, "_prisma_migrations") == 0;
}

/* What belongs to a relation is looked at where both sides have that. */
static bool
is_compared(const struct rows *rows, const char *schema, const char *relation)
{
	const struct relation *here = catalog_relation(rows->catalog, schema, relation);

	if (is_history(relation) || (here != NULL && here->is_extensions))
		return false;
	/* a view is not a relation on either side */
	return (here == NULL) == (catalog_relation(rows->other, schema, relation) == NULL);
}

static const char *
values_text(struct diff *diff, const struct text_list *values)
{
	struct bytes out = { 0 };
	const char *text;
	size_t i;

	for (i = 0; i < values->count; i++)
		bytes_format(&out, "%s%s", i > 0 ? ", " : "", values->items[i]);
	text = arena_text(&diff->arena, bytes_text(&out), out.len);
	bytes_free(&out);
	return text;
}

static const char *
type_text(struct diff *diff, const struct column *c)
{
	struct bytes out = { 0 };
	const char *text;

	page_type(&out, c);
	text = arena_text(&diff->arena, bytes_text(&out), out.len);
	bytes_free(&out);
	return text;
}

/* Stored is what there was alone before PostgreSQL 18. */
static const char *
generated_text(struct diff *diff, const struct column *c)
{
	if (c->generated == NULL || c->default_text == NULL || strcmp(c->generated, "stored") == 0)
		return c->generated != NULL ? c->default_text : NULL;
	return arena_format(&diff->arena, "%s %s", c->default_text, c->generated);
}

static void
add_column_row(struct rows *rows, const struct relation *t, const struct column *c)
{
	struct row *r = add_row(rows, OBJECT_COLUMN, t->schema, t->name, c->name);

	add_fact(r, "", type_text(rows->diff, c));
	add_fact(r, "", c->not_null ? "not null" : "nullable");
	add_fact(r, "default", c->generated == NULL ? c->default_text : NULL);
	add_fact(r, "generated", generated_text(rows->diff, c));
	add_fact(r, "identity", c->identity);
	add_fact(r, "collation", c->collation);
}

static void
add_index_row(struct rows *rows, const struct relation *t, const struct index *x)
{
	struct row *r = add_row(rows, OBJECT_INDEX, t->schema, t->name, x->name);

	add_fact(r, "", x->definition != NULL ? x->definition : words_index(rows->diff, x));
	add_fact(r, "", x->is_invalid ? "invalid" : "valid");
	add_fact(r, "", x->is_constraint ? "a constraint" : "no constraint");
}

static void
add_relation_rows(struct rows *rows, const struct relation *t)
{
	struct row *r;
	size_t i;

	if (is_history(t->name) || t->is_extensions)
		return;
	r = add_row(rows, OBJECT_RELATION, t->schema, NULL, t->name);
	add_fact(r, "", t->kind);
	add_fact(r, "", t->is_unlogged ? "unlogged" : "logged");
	add_fact(r, "row security", t->row_security);
	add_fact(r, "options", t->options);
	add_fact(r, "", t->definition);
	if (!is_compared(rows, t->schema, t->name))
		return;
	for (i = 0; i < t->column_count; i++)
		add_column_row(rows, t, &t->columns[i]);
	if (t->key != NULL)
		add_fact(add_row(rows, OBJECT_KEY, t->schema, t->name, t->key->name), "",
		    t->key->definition != NULL ? t->key->definition
		                               : words_columns(rows->diff, t->key->columns, t->key->column_count));
	for (i = 0; i < t->index_count; i++)
		add_index_row(rows, t, &t->indexes[i]);
}

static void
add_rows(struct rows *rows)
{
	const struct catalog *c = rows->catalog;
	struct row *r;
	size_t i;

	for (i = 0; i < c->namespace_count; i++)
		(void)add_row(rows, OBJECT_NAMESPACE, NULL, NULL, c->namespaces[i].name);
	for (i = 0; i < c->extension_count; i++)
		add_fact(add_row(rows, OBJECT_EXTENSION, NULL, NULL, c->extensions[i].name), "schema", c->extensions[i].schema);
	for (i = 0; i < c->enum_count; i++)
		add_fact(add_row(rows, OBJECT_ENUM, c->enums[i].schema, NULL, c->enums[i].name), "",
		    values_text(rows->diff, &c->enums[i].values));
	for (i = 0; i < c->relation_count; i++)
		add_relation_rows(rows, c->relations[i]);
	for (i = 0; i < c->reference_count; i++) {
		const struct reference *f = &c->references[i];

		if (!is_compared(rows, f->schema, f->relation))
			continue;
		r = add_row(rows, OBJECT_REFERENCE, f->schema, f->relation, f->name);
		add_fact(r, "", f->definition != NULL ? f->definition : words_reference(rows->diff, f));
		add_fact(r, "", f->is_invalid ? "not valid" : "valid");
	}
	for (i = 0; i < c->definition_count; i++) {
		const struct definition *d = &c->definitions[i];

		if (d->kind == OBJECT_PARTITION || (d->relation != NULL && !is_compared(rows, d->schema, d->relation)))
			continue;
		r = add_row(rows, d->kind, d->schema, d->relation, d->name);
		add_fact(r, "", d->definition);
		add_fact(r, "state", d->state);
	}
}

static int
compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int c;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	c = text_compare(x->schema, y->schema);
	c = c != 0 ? c : text_compare(x->relation, y->relation);
	return c != 0 ? c : text_compare(x->name, y->name);
}

/* --- differences --- */

static const char *
fact_words(struct diff *diff, const struct fact *f)
{
	if (f->value == NULL)
		return arena_format(&diff->arena, "no %s", *f->label != '\0' ? f->label : "definition");
	return *f->label != '\0' ? arena_format(&diff->arena, "%s %s", f->label, f->value) : f->value;
}

static bool
is_lost(enum object_kind object)
{
	return object == OBJECT_RELATION || object == OBJECT_COLUMN;
}

static void
add_single(struct diff *diff, const struct row *r, enum change_kind change)
{
	struct difference *d = add_difference(diff, change, r->object, r->schema, r->relation, r->name);
	const char *what = r->fact_count > 0 && r->object != OBJECT_RELATION ? r->facts[0].value : NULL;

	if (change == CHANGE_ADDED) {
		d->to = what;
		return;
	}
	d->from = what;
	d->damage = is_lost(r->object) ? DAMAGE_LOSES : DAMAGE_CHANGES;
	if (is_lost(r->object))
		d->consequence = r->object == OBJECT_RELATION ? "all its rows are lost" : "its values are lost";
}

static void
add_changes(struct diff *diff, const struct row *from, const struct row *to)
{
	size_t i;

	for (i = 0; i < from->fact_count; i++) {
		struct difference *d;

		if (text_equal(from->facts[i].value, to->facts[i].value))
			continue;
		d = add_difference(diff, CHANGE_CHANGED, from->object, from->schema, from->relation, from->name);
		d->from = fact_words(diff, &from->facts[i]);
		d->to = fact_words(diff, &to->facts[i]);
		d->damage = DAMAGE_CHANGES;
	}
}

static void
merge(struct diff *diff, const struct rows *from, const struct rows *to)
{
	size_t i = 0, k = 0;

	while (i < from->count || k < to->count) {
		int c = i == from->count ? 1 : k == to->count ? -1 : compare_rows(&from->items[i], &to->items[k]);
		const struct row *row = c <= 0 ? &from->items[i] : &to->items[k];

		if (from->catalog->covers[row->object] && to->catalog->covers[row->object]) {
			if (c == 0)
				add_changes(diff, &from->items[i], &to->items[k]);
			else
				add_single(diff, row, c < 0 ? CHANGE_REMOVED : CHANGE_ADDED);
		}
		i += c <= 0;
		k += c >= 0;
	}
}

void
diff_drift(struct catalog *from, struct catalog *to, struct diff *diff)
{
	struct rows a = { .diff = diff, .catalog = from, .other = to }, b = { .diff = diff, .catalog = to, .other = from };

	catalog_settle(from, from->default_schema != NULL ? from->default_schema : "public");
	catalog_settle(to, to->default_schema != NULL ? to->default_schema : "public");
	add_rows(&a);
	add_rows(&b);
	if (a.count > 1)
		qsort(a.items, a.count, sizeof *a.items, compare_rows);
	if (b.count > 1)
		qsort(b.items, b.count, sizeof *b.items, compare_rows);
	merge(diff, &a, &b);
	free(a.items);
	free(b.items);
}
