#include "catalog/catalog.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static const char *const kind_names[OBJECT_KINDS] = {
	[OBJECT_NAMESPACE] = "namespace",
	[OBJECT_EXTENSION] = "extension",
	[OBJECT_ENUM] = "enum",
	[OBJECT_RELATION] = "relation",
	[OBJECT_COLUMN] = "column",
	[OBJECT_KEY] = "key",
	[OBJECT_INDEX] = "index",
	[OBJECT_REFERENCE] = "reference",
	[OBJECT_CHECK] = "check",
	[OBJECT_EXCLUSION] = "exclusion",
	[OBJECT_VIEW] = "view",
	[OBJECT_FUNCTION] = "function",
	[OBJECT_TRIGGER] = "trigger",
	[OBJECT_POLICY] = "policy",
	[OBJECT_SEQUENCE] = "sequence",
	[OBJECT_TYPE] = "type",
	[OBJECT_PARTITION] = "partition",
	[OBJECT_GRANT] = "grant",
};

const char *
object_kind_name(enum object_kind kind)
{
	return kind_names[kind];
}

bool
object_kind_parse(const char *name, enum object_kind *kind)
{
	int i;

	for (i = 0; i < OBJECT_KINDS; i++) {
		if (strcmp(kind_names[i], name) == 0) {
			*kind = (enum object_kind)i;
			return true;
		}
	}
	return false;
}

bool
text_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

int
text_compare(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

/* --- ownership --- */

void
catalog_free(struct catalog *catalog)
{
	size_t i;

	for (i = 0; i < catalog->relation_count; i++) {
		free(catalog->relations[i]->columns);
		free(catalog->relations[i]->indexes);
	}
	free(catalog->namespaces);
	free(catalog->extensions);
	free(catalog->enums);
	free(catalog->relations);
	free(catalog->references);
	free(catalog->definitions);
	free(catalog->slots);
	arena_free(&catalog->arena);
	*catalog = (struct catalog){ 0 };
}

const char *
catalog_text(struct catalog *catalog, const char *text)
{
	return arena_copy(&catalog->arena, text);
}

struct text_list
catalog_list(struct catalog *catalog, const char *const items[], size_t count)
{
	struct text_list list = { NULL, count };
	size_t i;

	list.items = arena_alloc(&catalog->arena, (count + 1) * sizeof *list.items);
	for (i = 0; i < count; i++)
		list.items[i] = catalog_text(catalog, items[i]);
	return list;
}

/* --- relations by name --- */

struct catalog_slot {
	struct relation *relation; /* NULL: free */
};

static size_t
hash_of(const char *schema, const char *name)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */
	const char *p;

	for (p = schema; p != NULL && *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	h = (h ^ '.') * 1099511628211u;
	for (p = name; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return (size_t)(h ^ h >> 32);
}

/* The slot that has the relation, or the free one where it belongs.  Not for an empty table. */
static struct catalog_slot *
slot_of(const struct catalog *catalog, const char *schema, const char *name)
{
	size_t at = hash_of(schema, name) & (catalog->slot_count - 1);

	for (;; at = (at + 1) & (catalog->slot_count - 1)) {
		const struct relation *r = catalog->slots[at].relation;

		if (r == NULL || (strcmp(r->name, name) == 0 && text_equal(r->schema, schema)))
			return &catalog->slots[at];
	}
}

/* Half of the slots stay free.  Of two relations with one name the first is found. */
static void
slots_make(struct catalog *catalog, size_t count)
{
	size_t i;

	free(catalog->slots);
	catalog->slots = xcalloc(count, sizeof *catalog->slots);
	catalog->slot_count = count;
	for (i = 0; i < catalog->relation_count; i++) {
		struct relation *r = catalog->relations[i];
		struct catalog_slot *slot = slot_of(catalog, r->schema, r->name);

		if (slot->relation == NULL)
			slot->relation = r;
	}
}

struct relation *
catalog_relation(const struct catalog *catalog, const char *schema, const char *name)
{
	return catalog->slot_count > 0 ? slot_of(catalog, schema, name)->relation : NULL;
}

const struct enum_type *
catalog_enum(const struct catalog *catalog, const char *schema, const char *name)
{
	size_t i;

	for (i = 0; i < catalog->enum_count; i++)
		if (strcmp(catalog->enums[i].name, name) == 0 && text_equal(catalog->enums[i].schema, schema))
			return &catalog->enums[i];
	return NULL;
}

struct column *
relation_column(const struct relation *relation, const char *name)
{
	size_t i;

	for (i = 0; i < relation->column_count; i++)
		if (strcmp(relation->columns[i].name, name) == 0)
			return &relation->columns[i];
	return NULL;
}

/* --- adding --- */

struct namespace *
catalog_add_namespace(struct catalog *catalog, const char *name)
{
	struct namespace *new;

	ARRAY_ROOM(catalog->namespaces, catalog->namespace_count, catalog->namespace_cap);
	new = &catalog->namespaces[catalog->namespace_count++];
	*new = (struct namespace){ catalog_text(catalog, name) };
	return new;
}

struct extension *
catalog_add_extension(struct catalog *catalog, const char *name)
{
	struct extension *new;

	ARRAY_ROOM(catalog->extensions, catalog->extension_count, catalog->extension_cap);
	new = &catalog->extensions[catalog->extension_count++];
	*new = (struct extension){ .name = catalog_text(catalog, name) };
	return new;
}

struct enum_type *
catalog_add_enum(struct catalog *catalog, const char *schema, const char *name)
{
	struct enum_type *new;

	ARRAY_ROOM(catalog->enums, catalog->enum_count, catalog->enum_cap);
	new = &catalog->enums[catalog->enum_count++];
	*new = (struct enum_type){ .schema = catalog_text(catalog, schema), .name = catalog_text(catalog, name) };
	return new;
}

struct relation *
catalog_add_relation(struct catalog *catalog, const char *schema, const char *name, const char *kind)
{
	struct relation *new = arena_alloc(&catalog->arena, sizeof *new);
	struct catalog_slot *slot;

	*new = (struct relation){ .schema = catalog_text(catalog, schema),
		.name = catalog_text(catalog, name),
		.kind = catalog_text(catalog, kind) };
	ARRAY_ROOM(catalog->relations, catalog->relation_count, catalog->relation_cap);
	catalog->relations[catalog->relation_count++] = new;
	if (catalog->relation_count * 2 > catalog->slot_count) {
		slots_make(catalog, catalog->slot_count > 0 ? catalog->slot_count * 2 : 64);
	} else {
		slot = slot_of(catalog, new->schema, new->name);
		if (slot->relation == NULL)
			slot->relation = new;
	}
	return new;
}

/* Whether the array is full: at 0, and at each power of two. */
static bool
is_full(size_t count)
{
	return (count & (count - 1)) == 0;
}

struct column *
catalog_add_column(struct catalog *catalog, struct relation *relation, const char *name)
{
	size_t n = relation->column_count++;

	if (is_full(n))
		relation->columns = xrealloc(relation->columns, (n > 0 ? 2 * n : 1) * sizeof *relation->columns);
	relation->columns[n] = (struct column){ .name = catalog_text(catalog, name) };
	return &relation->columns[n];
}

struct key *
catalog_add_key(struct catalog *catalog, struct relation *relation, const char *name)
{
	relation->key = arena_alloc(&catalog->arena, sizeof *relation->key);
	relation->key->name = catalog_text(catalog, name);
	return relation->key;
}

struct index *
catalog_add_index(struct catalog *catalog, struct relation *relation, const char *name)
{
	size_t n = relation->index_count++;

	if (is_full(n))
		relation->indexes = xrealloc(relation->indexes, (n > 0 ? 2 * n : 1) * sizeof *relation->indexes);
	relation->indexes[n] = (struct index){ .name = catalog_text(catalog, name) };
	return &relation->indexes[n];
}

struct index_column *
catalog_index_columns(struct catalog *catalog, size_t count)
{
	return arena_alloc(&catalog->arena, count * sizeof(struct index_column));
}

struct reference *
catalog_add_reference(struct catalog *catalog, const char *schema, const char *relation, const char *name)
{
	struct reference *new;

	ARRAY_ROOM(catalog->references, catalog->reference_count, catalog->reference_cap);
	new = &catalog->references[catalog->reference_count++];
	*new = (struct reference){ .schema = catalog_text(catalog, schema),
		.relation = catalog_text(catalog, relation),
		.name = catalog_text(catalog, name) };
	return new;
}

struct definition *
catalog_add_definition(struct catalog *catalog, enum object_kind kind, const char *schema, const char *relation,
    const char *name)
{
	struct definition *new;

	ARRAY_ROOM(catalog->definitions, catalog->definition_count, catalog->definition_cap);
	new = &catalog->definitions[catalog->definition_count++];
	*new = (struct definition){ .kind = kind,
		.schema = catalog_text(catalog, schema),
		.relation = catalog_text(catalog, relation),
		.name = catalog_text(catalog, name) };
	return new;
}

/* --- order --- */

static int
by_three(const char *a1, const char *b1, const char *a2, const char *b2, const char *a3, const char *b3)
{
	int c = text_compare(a1, b1);

	c = c != 0 ? c : text_compare(a2, b2);
	return c != 0 ? c : text_compare(a3, b3);
}

static int
compare_namespaces(const void *a, const void *b)
{
	return strcmp(((const struct namespace *)a)->name, ((const struct namespace *)b)->name);
}

static int
compare_extensions(const void *a, const void *b)
{
	return strcmp(((const struct extension *)a)->name, ((const struct extension *)b)->name);
}

static int
compare_enums(const void *a, const void *b)
{
	const struct enum_type *x = a, *y = b;

	return by_three(x->schema, y->schema, x->name, y->name, NULL, NULL);
}

static int
compare_relations(const void *a, const void *b)
{
	const struct relation *x = *(struct relation *const *)a, *y = *(struct relation *const *)b;

	return by_three(x->schema, y->schema, x->name, y->name, NULL, NULL);
}

static int
compare_indexes(const void *a, const void *b)
{
	return strcmp(((const struct index *)a)->name, ((const struct index *)b)->name);
}

static int
compare_references(const void *a, const void *b)
{
	const struct reference *x = a, *y = b;

	return by_three(x->schema, y->schema, x->relation, y->relation, x->name, y->name);
}

static int
compare_definitions(const void *a, const void *b)
{
	const struct definition *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return by_three(x->schema, y->schema, x->relation, y->relation, x->name, y->name);
}

static void
sort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *))
{
	if (count > 1)
		qsort(items, count, size, compare);
}

void
catalog_order(struct catalog *c)
{
	size_t i;

	sort(c->namespaces, c->namespace_count, sizeof *c->namespaces, compare_namespaces);
	sort(c->extensions, c->extension_count, sizeof *c->extensions, compare_extensions);
	sort(c->enums, c->enum_count, sizeof *c->enums, compare_enums);
	sort(c->relations, c->relation_count, sizeof *c->relations, compare_relations);
	sort(c->references, c->reference_count, sizeof *c->references, compare_references);
	sort(c->definitions, c->definition_count, sizeof *c->definitions, compare_definitions);
	for (i = 0; i < c->relation_count; i++)
		sort(c->relations[i]->indexes, c->relations[i]->index_count, sizeof *c->relations[i]->indexes,
		    compare_indexes);
}

void
catalog_settle(struct catalog *c, const char *schema)
{
	const char *own = catalog_text(c, schema);
	size_t i, k;

#define SETTLE(member) ((member) = (member) != NULL ? (member) : own)
	SETTLE(c->default_schema);
	for (i = 0; i < c->enum_count; i++)
		SETTLE(c->enums[i].schema);
	for (i = 0; i < c->relation_count; i++) {
		SETTLE(c->relations[i]->schema);
		for (k = 0; k < c->relations[i]->column_count; k++)
			if (c->relations[i]->columns[k].type_kind == TYPE_ENUM)
				SETTLE(c->relations[i]->columns[k].type_schema);
	}
	for (i = 0; i < c->reference_count; i++) {
		SETTLE(c->references[i].schema);
		SETTLE(c->references[i].referenced_schema);
	}
	for (i = 0; i < c->definition_count; i++)
		SETTLE(c->definitions[i].schema);
#undef SETTLE
	if (c->slot_count > 0)
		slots_make(c, c->slot_count);
}
