/* A catalog as Prisma sees it: which schemas, tables, indexes, references and extensions count. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "diff/diff_internal.h"

static bool
in_list(const struct text_list *list, const char *text)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

/* Tables of PostGIS, whatever the case of their letters, and the history. */
static bool
is_ignored(const char *name)
{
	static const char *const ignored[] = { "spatial_ref_sys", "geometry_columns", "geography_columns", "raster_columns",
		"raster_overviews" };
	size_t i, k;

	for (i = 0; i < sizeof ignored / sizeof *ignored; i++) {
		for (k = 0; name[k] != '\0' && tolower((unsigned char)name[k]) == ignored[i][k]; k++)
			;
		if (name[k] == '\0' && ignored[i][k] == '\0')
			return true;
	}
	return strcmp(name, "_prisma_migrations") == 0;
}

static bool
sees_relation(const struct side *s, const struct relation *r)
{
	return (strcmp(r->kind, RELATION_TABLE) == 0 || strcmp(r->kind, RELATION_PARTITIONED) == 0) && !is_ignored(r->name) &&
	    in_list(&s->schemas, r->schema);
}

static bool
sees_index(const struct index *x)
{
	size_t i;

	for (i = 0; i < x->column_count; i++)
		if (x->columns[i].column == NULL)
			return false;
	return x->predicate == NULL && !x->is_exclusion;
}

/* --- schemas --- */

static bool
is_live(const struct catalog *c)
{
	return c != NULL && strcmp(c->source, SOURCE_DATAMODEL) != 0;
}

/* What a side asks for: a datamodel's schemas, or the default one; NULL: it asks for nothing in particular. */
static struct text_list
asked_for(struct diff *diff, const struct catalog *c, const char *default_schema)
{
	struct text_list list = c->schemas;

	if (list.count == 0) {
		list.items = arena_alloc(&diff->arena, sizeof *list.items);
		list.items[0] = default_schema;
		list.count = 1;
	}
	return list;
}

static struct text_list
all_of(struct diff *diff, const struct catalog *c)
{
	struct text_list list = { NULL, 0 };
	size_t i;

	list.items = arena_alloc(&diff->arena, (c->namespace_count + 1) * sizeof *list.items);
	for (i = 0; i < c->namespace_count; i++)
		list.items[list.count++] = c->namespaces[i].name;
	return list;
}

/* The schemas of a live side that are there and that the other one asks for; those of another live side: all. */
static struct text_list
schemas_of(struct diff *diff, const struct catalog *c, const struct catalog *other, const char *default_schema)
{
	struct text_list all, asked;
	size_t i, n = 0;

	if (!is_live(c))
		return asked_for(diff, c, default_schema);
	all = all_of(diff, c);
	if (other == NULL || is_live(other))
		return all;
	asked = asked_for(diff, other, default_schema);
	for (i = 0; i < all.count; i++)
		if (in_list(&asked, all.items[i]))
			all.items[n++] = all.items[i];
	all.count = n;
	return all;
}

/* --- objects --- */

static void
make_side_tables(struct diff *diff, struct side *s)
{
	struct catalog *c = s->catalog;
	size_t i, k, index_id = 0;

	s->tables = arena_alloc(&diff->arena, (c->relation_count + 1) * sizeof *s->tables);
	for (i = 0; i < c->relation_count; i++) {
		struct relation *r = c->relations[i];
		struct side_table *t = &s->tables[s->table_count];

		r->position = SIZE_MAX;
		if (!sees_relation(s, r))
			continue;
		r->position = s->table_count;
		*t = (struct side_table){ .relation = r, .id = s->table_count++ };
		t->indexes = arena_alloc(&diff->arena, (r->index_count + 1) * sizeof *t->indexes);
		for (k = 0; k < r->index_count; k++)
			if (sees_index(&r->indexes[k]))
				t->indexes[t->index_count++] = (struct side_index){ &r->indexes[k], t, index_id++ };
	}
}

struct side_table *
side_table(const struct side *s, const char *schema, const char *name)
{
	const struct relation *r = s->catalog != NULL ? catalog_relation(s->catalog, schema, name) : NULL;

	return r != NULL && r->position != SIZE_MAX ? &s->tables[r->position] : NULL;
}

/*
 * A foreign key into a schema that is not compared.  Prisma gives up there.  We report a difference, because a
 * datamodel without that schema cannot contain it.
 */
static void
note_leading_out(struct diff *diff, const struct side *s, const struct reference *f, bool is_from)
{
	const char *words = arena_format(&diff->arena, "refers to %s.%s", f->referenced_schema, f->referenced);
	struct difference *d;

	if (in_list(&s->schemas, f->referenced_schema))
		return;
	d = add_difference(diff, is_from ? CHANGE_REMOVED : CHANGE_ADDED, OBJECT_REFERENCE, f->schema, f->relation,
	    f->name);
	*(is_from ? &d->from : &d->to) = words;
	d->damage = DAMAGE_CHANGES;
	d->consequence = "the datamodel does not list that schema";
	if (diff->refused == NULL)
		diff->refused = arena_format(&diff->arena, "the foreign key %s of %s.%s %s, and the datamodel does not list the "
		    "schema %s", f->name, f->schema, f->relation, words, f->referenced_schema);
}

static void
make_side_references(struct diff *diff, struct side *s, bool is_from)
{
	struct catalog *c = s->catalog;
	size_t i;

	s->references = arena_alloc(&diff->arena, (c->reference_count + 1) * sizeof *s->references);
	for (i = 0; i < c->reference_count; i++) {
		const struct reference *f = &c->references[i];
		struct side_table *t = side_table(s, f->schema, f->relation);

		if (t == NULL)
			continue;
		if (side_table(s, f->referenced_schema, f->referenced) == NULL) {
			note_leading_out(diff, s, f, is_from);
			continue;
		}
		s->references[s->reference_count] = (struct side_reference){ f, t, s->reference_count };
		s->reference_count++;
		t->reference_count++;
	}
	for (i = 0; i < s->table_count; i++) {
		s->tables[i].references = arena_alloc(&diff->arena,
		    (s->tables[i].reference_count + 1) * sizeof *s->tables[i].references);
		s->tables[i].reference_count = 0;
	}
	for (i = 0; i < s->reference_count; i++) {
		struct side_table *t = s->references[i].table;

		t->references[t->reference_count++] = &s->references[i];
	}
}

static void
make_side_enums(struct diff *diff, struct side *s)
{
	size_t i;

	s->enums = arena_alloc(&diff->arena, (s->catalog->enum_count + 1) * sizeof *s->enums);
	for (i = 0; i < s->catalog->enum_count; i++)
		if (in_list(&s->schemas, s->catalog->enums[i].schema)) {
			s->enums[s->enum_count] = (struct side_enum){ &s->catalog->enums[i], s->enum_count };
			s->enum_count++;
		}
}

const struct side_enum *
side_enum(const struct side *s, const char *schema, const char *name)
{
	size_t i;

	for (i = 0; i < s->enum_count; i++)
		if (strcmp(s->enums[i].type->name, name) == 0 && text_equal(s->enums[i].type->schema, schema))
			return &s->enums[i];
	return NULL;
}

/* Extensions of a database count only if the datamodel has the preview feature. */
static void
make_side_extensions(struct diff *diff, struct side *s, const struct catalog *other)
{
	size_t i;

	if (s->live && (other == NULL || is_live(other) || !other->counts_extensions))
		return;
	s->extensions = arena_alloc(&diff->arena, (s->catalog->extension_count + 1) * sizeof *s->extensions);
	for (i = 0; i < s->catalog->extension_count; i++)
		s->extensions[s->extension_count++] = &s->catalog->extensions[i];
}

static void
make_side(struct diff *diff, struct side *s, struct catalog *c, const struct catalog *other, const char *default_schema,
    bool is_from)
{
	*s = (struct side){ .catalog = c, .live = is_live(c), .default_schema = default_schema };
	if (c == NULL)
		return;
	s->schemas = schemas_of(diff, c, other, default_schema);
	make_side_tables(diff, s);
	make_side_references(diff, s, is_from);
	make_side_enums(diff, s);
	make_side_extensions(diff, s, other);
}

bool
diff_is_drift(const struct catalog *from, const struct catalog *to)
{
	return is_live(from) && is_live(to);
}

void
sides_make(struct work *w, struct catalog *from, struct catalog *to)
{
	const char *schema = to->default_schema;

	if (schema == NULL && from != NULL)
		schema = from->default_schema;
	if (schema == NULL)
		schema = "public";
	schema = arena_copy(&w->diff->arena, schema);
	if (from != NULL)
		catalog_settle(from, schema);
	catalog_settle(to, schema);
	make_side(w->diff, &w->from, from, to, schema, true);
	make_side(w->diff, &w->to, to, from, schema, false);
}
