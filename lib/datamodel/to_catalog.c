/* The blocks of schema.prisma, which are right by now, as the catalog that Prisma Migrate would make of them. */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "datamodel/datamodel_internal.h"

static const char *
text(const struct catalog *c, const char *t)
{
	return catalog_text((struct catalog *)c, t);
}

/* --- head --- */

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
make_head(struct datamodel *d, struct catalog *c)
{
	static const enum object_kind covered[] = { OBJECT_NAMESPACE, OBJECT_EXTENSION, OBJECT_ENUM, OBJECT_RELATION,
		OBJECT_COLUMN, OBJECT_KEY, OBJECT_INDEX, OBJECT_REFERENCE };
	size_t i;

	c->source = SOURCE_DATAMODEL;
	c->counts_extensions = d->counts_extensions;
	c->relation_mode_prisma = d->relation_mode_prisma;
	for (i = 0; i < sizeof covered / sizeof *covered; i++)
		c->covers[covered[i]] = true;
	c->covers[OBJECT_EXTENSION] = d->counts_extensions;
	if (d->schemas.count > 1)
		qsort(d->schemas.items, d->schemas.count, sizeof *d->schemas.items, compare_texts);
	c->schemas = catalog_list(c, d->schemas.items, d->schemas.count);
	for (i = 0; i < d->schemas.count; i++)
		(void)catalog_add_namespace(c, d->schemas.items[i]);
}

static const char *
extension_argument(const struct expression *e, const char *name)
{
	const struct argument *a;

	for (a = e->arguments; a != NULL; a = a->next)
		if (text_equal(a->name, name))
			return a->value.text;
	return NULL;
}

static const char *
extension_name(const struct expression *e)
{
	const char *map = e->kind == EXPRESSION_CALL ? extension_argument(e, "map") : NULL;

	return map != NULL ? map : e->text;
}

static void
make_extension(struct catalog *c, const struct expression *e)
{
	struct extension *new = catalog_add_extension(c, extension_name(e));

	if (e->kind != EXPRESSION_CALL)
		return;
	new->schema = text(c, extension_argument(e, "schema"));
	new->version = text(c, extension_argument(e, "version"));
}

/* In the order of the words that name them in schema.prisma; of two that are the same in the database the last counts. */
static void
make_extensions(struct datamodel *d, struct catalog *c)
{
	const struct argument *a;
	const struct expression **sorted;
	size_t count = 0, i, k;

	if (d->extensions == NULL)
		return;
	if (d->extensions->value->kind != EXPRESSION_ARRAY) {
		make_extension(c, d->extensions->value);
		return;
	}
	for (a = d->extensions->value->arguments; a != NULL; a = a->next)
		count++;
	sorted = arena_alloc(d->arena, (count + 1) * sizeof *sorted);
	count = 0;
	for (a = d->extensions->value->arguments; a != NULL; a = a->next, count++) {
		for (i = count; i > 0 && strcmp(sorted[i - 1]->text, a->value.text) > 0; i--)
			sorted[i] = sorted[i - 1];
		sorted[i] = &a->value;
	}
	for (i = 0; i < count; i++) {
		for (k = i + 1; k < count && strcmp(extension_name(sorted[i]), extension_name(sorted[k])) != 0; k++)
			;
		if (k == count)
			make_extension(c, sorted[i]);
	}
}

/* --- columns --- */

static enum arity
arity_of(const struct field *f)
{
	return f->decl->arity == FIELD_MANY ? ARITY_LIST : f->decl->arity == FIELD_OPTIONAL ? ARITY_NULLABLE : ARITY_REQUIRED;
}

static void
make_type(struct catalog *c, const struct field *f, struct column *column)
{
	if (f->kind == FIELD_ENUM) {
		column->type_kind = TYPE_ENUM;
		column->type = text(c, f->enum_decl->name);
		column->type_schema = text(c, f->enum_decl->schema);
	} else if (f->kind == FIELD_UNSUPPORTED) {
		column->type_kind = TYPE_UNSUPPORTED;
		column->type = text(c, f->decl->type);
	} else {
		column->type_kind = TYPE_NATIVE;
		column->type = native_types[f->native].name;
		column->argument_count = f->argument_count;
		column->arguments[0] = f->arguments[0];
		column->arguments[1] = f->arguments[1];
	}
}

static void
make_column(struct catalog *c, struct relation *r, const struct field *f)
{
	struct column *column = catalog_add_column(c, r, f->column);

	column->arity = arity_of(f);
	make_type(c, f, column);
	column->value = f->value;
	column->value.text = text(c, f->value.text);
	column->value.list = catalog_list(c, f->value.list.items, f->value.list.count);
	column->autoincrement = f->autoincrement;
}

/* --- keys --- */

static struct index_column *
make_index_columns(struct catalog *c, const struct key_decl *k)
{
	struct index_column *columns = catalog_index_columns(c, k->count);
	size_t i;

	for (i = 0; i < k->count; i++)
		columns[i] = (struct index_column){ .column = text(c, k->parts[i].field->column),
			.sort = k->parts[i].sort,
			.operator_class = text(c, k->parts[i].operator_class),
			.default_class = k->parts[i].default_class };
	return columns;
}

static const char *
method_of(struct catalog *c, const char *prisma)
{
	char lower[16];
	size_t i;

	for (i = 0; prisma[i] != '\0' && i < sizeof lower - 1; i++)
		lower[i] = (char)tolower((unsigned char)prisma[i]);
	lower[i] = '\0';
	return text(c, lower);
}

static void
make_index(struct catalog *c, struct relation *r, const struct key_decl *k)
{
	struct index *x = catalog_add_index(c, r, k->name);

	x->is_unique = k->kind == KEY_UNIQUE;
	x->method = method_of(c, k->method);
	x->columns = make_index_columns(c, k);
	x->column_count = k->count;
}

/* In Prisma's order: @unique of fields, @@index, @@unique. */
static void
make_keys(struct catalog *c, struct relation *r, const struct model *m)
{
	const struct key_decl *k;
	int pass;

	if (m->id != NULL) {
		struct key *key = catalog_add_key(c, r, m->id->name);

		key->columns = make_index_columns(c, m->id);
		key->column_count = m->id->count;
	}
	for (pass = 0; pass < 3; pass++) {
		for (k = m->keys; k != NULL; k = k->next) {
			if (k->kind == KEY_ID || (k->kind == KEY_INDEX) != (pass == 1) ||
			    (k->kind == KEY_UNIQUE && k->of_field != (pass == 0)))
				continue;
			make_index(c, r, k);
		}
	}
}

static void
make_relation(struct catalog *c, const struct model *m)
{
	struct relation *r = catalog_add_relation(c, m->schema, m->table, RELATION_TABLE);
	size_t i;

	for (i = 0; i < m->field_count; i++)
		if (m->fields[i].kind != FIELD_RELATION)
			make_column(c, r, &m->fields[i]);
	make_keys(c, r, m);
}

/* --- references --- */

static struct text_list
columns_of(struct catalog *c, struct field *const *fields, size_t count)
{
	const char **names = xcalloc(count + 1, sizeof *names);
	struct text_list list;
	size_t i;

	for (i = 0; i < count; i++)
		names[i] = fields[i]->column;
	list = catalog_list(c, names, count);
	free(names);
	return list;
}

static void
make_reference(struct datamodel *d, struct catalog *c, const struct field *f)
{
	const struct relation_end *r = f->relation;
	struct text_list columns = columns_of(c, r->fields, r->field_count);
	struct reference *new = catalog_add_reference(c, f->model->schema, f->model->table, make_reference_name(d, f));

	new->columns = columns;
	new->referenced_schema = text(c, f->target->schema);
	new->referenced = text(c, f->target->table);
	new->referenced_columns = columns_of(c, r->references, r->reference_count);
	new->on_delete = delete_action(f);
	new->on_update = update_action(f);
}

/* --- implicit many-to-many relations --- */

static void
join_column(struct catalog *c, struct relation *r, const char *name, const struct model *m)
{
	struct field copy = *m->id->parts[0].field;

	copy.column = name;
	copy.value = (struct column_default){ 0 };
	copy.autoincrement = false;
	make_column(c, r, &copy);
}

static void
join_reference(struct catalog *c, const struct relation *r, const char *column, const struct model *m, const char *name)
{
	struct reference *new = catalog_add_reference(c, r->schema, r->name, name);

	new->columns = catalog_list(c, &column, 1);
	new->referenced_schema = text(c, m->schema);
	new->referenced = text(c, m->table);
	new->referenced_columns = catalog_list(c, &m->id->parts[0].field->column, 1);
	new->on_delete = new->on_update = ACTION_CASCADE;
}

static void
make_join(struct datamodel *d, struct catalog *c, const struct field *a)
{
	const char *name = make_join_name(d, a);
	int cut = (int)first_characters(name, 55), bytes = (int)strlen(name);
	struct relation *r = catalog_add_relation(c, a->model->schema, name, RELATION_TABLE);
	static const char *const columns[] = { "A", "B" };
	struct key *key;
	struct index *x;

	join_column(c, r, columns[0], a->model);
	join_column(c, r, columns[1], a->target);
	key = catalog_add_key(c, r, arena_format(d->arena, "%.*s_AB_pkey", cut, name));
	key->columns = catalog_index_columns(c, 2);
	key->column_count = 2;
	key->columns[0].column = text(c, columns[0]);
	key->columns[1].column = text(c, columns[1]);
	x = catalog_add_index(c, r, arena_format(d->arena, "%.*s_B_index", cut, name));
	x->method = text(c, "btree");
	x->columns = catalog_index_columns(c, 1);
	x->column_count = 1;
	x->columns[0].column = text(c, columns[1]);
	if (d->relation_mode_prisma)
		return;
	bytes = bytes > JOIN_BYTES ? JOIN_BYTES : bytes;
	join_reference(c, r, columns[0], a->model, arena_format(d->arena, "%.*s_A_fkey", bytes, name));
	join_reference(c, r, columns[1], a->target, arena_format(d->arena, "%.*s_B_fkey", bytes, name));
}

/* --- all --- */

typedef void each_relation(struct datamodel *d, struct catalog *c, const struct field *f);

static void
for_relations(struct datamodel *d, struct catalog *c, each_relation *each)
{
	size_t i, k;

	for (i = 0; i < d->model_count; i++)
		for (k = 0; k < d->models[i].field_count; k++)
			if (d->models[i].fields[k].kind == FIELD_RELATION && !d->models[i].is_view &&
			    !d->models[i].fields[k].target->is_view)
				each(d, c, &d->models[i].fields[k]);
}

static void
forward(struct datamodel *d, struct catalog *c, const struct field *f)
{
	if (f->relation->has_fields && !d->relation_mode_prisma)
		make_reference(d, c, f);
}

static void
join(struct datamodel *d, struct catalog *c, const struct field *f)
{
	if (side_a(f) == f)
		make_join(d, c, f);
}

void
make_catalog(struct datamodel *d, struct catalog *c)
{
	size_t i;

	make_head(d, c);
	make_extensions(d, c);
	for (i = 0; i < d->enum_count; i++)
		catalog_add_enum(c, d->enums[i].schema, d->enums[i].name)->values =
		    catalog_list(c, d->enums[i].values, d->enums[i].value_count);
	for (i = 0; i < d->model_count; i++)
		if (!d->models[i].is_view)
			make_relation(c, &d->models[i]);
	for_relations(d, c, forward);
	for_relations(d, c, join);
}
