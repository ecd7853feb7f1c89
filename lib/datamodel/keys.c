/* @id, @unique, @@id, @@unique and @@index. */
#include <stdbool.h>
#include <string.h>

#include "datamodel/datamodel_internal.h"

enum { NAME_BYTES = 63 };

/* The arguments that any of them takes. */
enum { ARGUMENT_FIELDS, ARGUMENT_MAP, ARGUMENT_NAME, ARGUMENT_TYPE, ARGUMENT_SORT, ARGUMENT_COUNT };
static const struct argument_spec index_specs[] = { { "fields", true }, { "map", false }, { "name", false },
	{ "type", false }, { NULL, false } };
static const struct argument_spec key_specs[] = { { "fields", true }, { "map", false }, { "name", false }, { NULL, false } };
static const struct argument_spec field_specs[] = { { "map", false }, { "sort", false }, { NULL, false } };

static const char *
shown(const struct key_decl *k)
{
	if (k->of_field)
		return k->kind == KEY_ID ? "@id" : "@unique";
	return k->kind == KEY_ID ? "@@id" : k->kind == KEY_UNIQUE ? "@@unique" : "@@index";
}

/* An explicit constraint name; NULL if it is wrong, which is reported. */
static const char *
read_map(struct datamodel *d, const struct key_decl *k, const struct expression *value)
{
	const char *name = value != NULL ? take_name(d, value) : NULL;

	if (name != NULL && strlen(name) > NAME_BYTES)
		(void)wrong(d, k->attribute->place, "%s: a name has at most %d bytes in PostgreSQL, this one has %zu", shown(k),
		    NAME_BYTES, strlen(name));
	return name;
}

static bool
read_sort(struct datamodel *d, const struct expression *value, enum sort *sort)
{
	if (!expect_kind(d, value, EXPRESSION_NAME, "sort"))
		return false;
	*sort = strcmp(value->text, "Asc") == 0 ? SORT_ASC : SORT_DESC;
	return *sort == SORT_ASC || strcmp(value->text, "Desc") == 0 || wrong(d, value->place, "sort must be Asc or Desc");
}

/* --- parts --- */

/* What may be in a key of any kind. */
static bool
check_part(struct datamodel *d, const struct key_decl *k, const struct field *f, struct place place)
{
	if (f->kind == FIELD_RELATION)
		return wrong(d, place, "%s: %s is a relation and has no column; name its scalar field", shown(k), f->decl->name);
	if (k->kind != KEY_ID || f->model->is_ignored) /* of what the client passes over no more is asked */
		return f->kind != FIELD_UNKNOWN;
	if (f->decl->arity == FIELD_OPTIONAL)
		return wrong(d, place, "%s: %s is optional, and a key is required", shown(k), f->decl->name);
	if (f->decl->arity == FIELD_MANY)
		return wrong(d, place, "%s: %s is a list", shown(k), f->decl->name);
	return f->kind != FIELD_UNKNOWN;
}

/* The value of an argument of a part, or NULL; returns false if it is given twice, which is reported. */
static bool
part_argument(struct datamodel *d, const struct expression *e, const char *name, const struct expression **value)
{
	const struct argument *a;

	*value = NULL;
	for (a = e->arguments; a != NULL; a = a->next) {
		if (!text_equal(a->name, name))
			continue;
		if (*value != NULL)
			return wrong(d, a->place, "%s: %s is given twice", e->text, name);
		*value = &a->value;
	}
	return true;
}

/* Arguments that are neither of these Prisma passes over, whatever they say. */
static bool
read_part_arguments(struct datamodel *d, const struct key_decl *k, const struct expression *e, struct key_part *part)
{
	const struct expression *sort, *ops, *length;

	if (!part_argument(d, e, "sort", &sort) || !part_argument(d, e, "ops", &ops) || !part_argument(d, e, "length", &length))
		return false;
	if (length != NULL)
		return wrong(d, length->place, "%s takes no length on PostgreSQL", shown(k));
	if (sort != NULL && k->kind == KEY_ID)
		return wrong(d, sort->place, "%s has no sort on PostgreSQL", shown(k));
	if (sort != NULL && !read_sort(d, sort, &part->sort))
		return false;
	if (ops == NULL)
		return true;
	if (k->kind != KEY_INDEX)
		return wrong(d, ops->place, "%s has no operator classes", shown(k));
	return read_operator_class(d, ops, k->method, part);
}

static bool
read_part(struct datamodel *d, const struct model *m, struct key_decl *k, const struct expression *e)
{
	struct key_part *part = &k->parts[k->count];
	size_t i;

	if (e->kind != EXPRESSION_NAME && e->kind != EXPRESSION_CALL)
		return wrong(d, e->place, "%s needs a list of fields", shown(k));
	if ((part->field = model_field(m, e->text)) == NULL)
		return wrong(d, e->place, "%s: %s has no field %s", shown(k), m->block->name, e->text);
	for (i = 0; i < k->count; i++)
		if (k->parts[i].field == part->field)
			return wrong(d, e->place, "%s names %s twice", shown(k), e->text);
	k->count++;
	if (!check_part(d, k, part->field, e->place))
		return false;
	if (e->kind == EXPRESSION_CALL && !read_part_arguments(d, k, e, part))
		return false;
	return check_index_type(d, k, part);
}

static bool
read_parts(struct datamodel *d, const struct model *m, struct key_decl *k, const struct expression *fields)
{
	const struct argument *a;
	size_t count = 0;

	if (fields == NULL)
		return wrong(d, k->attribute->place, "%s needs a list of fields: %s([a, b])", shown(k), shown(k));
	if (fields->kind != EXPRESSION_ARRAY) {
		k->parts = arena_alloc(d->arena, sizeof *k->parts);
		return read_part(d, m, k, fields);
	}
	for (a = fields->arguments; a != NULL; a = a->next)
		count++;
	if (count == 0)
		return wrong(d, fields->place, "%s lists no fields", shown(k));
	k->parts = arena_alloc(d->arena, count * sizeof *k->parts);
	for (a = fields->arguments; a != NULL; a = a->next)
		if (!read_part(d, m, k, &a->value))
			return false;
	return true;
}

/* --- names --- */

static void
name_key(struct datamodel *d, const struct model *m, struct key_decl *k, const char *map)
{
	const char **columns = arena_alloc(d->arena, (k->count + 1) * sizeof *columns);
	size_t i;

	for (i = 0; i < k->count; i++)
		columns[i] = k->parts[i].field->column;
	if (map != NULL)
		k->name = map;
	else if (k->kind == KEY_ID)
		k->name = make_key_name(d, m->table);
	else
		k->name = make_index_name(d, m->table, columns, k->count, k->kind == KEY_UNIQUE ? "_key" : "_idx");
}

/* The name: of @@id and @@unique, by which the client knows it. */
static bool
read_client_name(struct datamodel *d, const struct model *m, struct key_decl *k, const struct expression *value)
{
	const struct key_decl *other;
	const char *p;

	if (!expect_kind(d, value, EXPRESSION_STRING, "name"))
		return false;
	k->client_name = value->text;
	for (p = value->text; *p != '\0'; p++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", *p) == NULL)
			break;
	if (*p != '\0' || *value->text == '\0')
		return wrong(d, value->place, "%s: \"%s\" is not a valid name for the client; for the name in the database use map:", shown(k),
		    value->text);
	if (model_field(m, value->text) != NULL)
		return wrong(d, value->place, "%s: %s has a field %s", shown(k), m->block->name, value->text);
	for (other = m->keys; other != NULL; other = other->next)
		if (text_equal(other->client_name, value->text))
			return wrong(d, value->place, "%s: the name %s is taken", shown(k), value->text);
	return true;
}

/* The client calls a key of several fields by their names, joined, which is not to be the name of another field. */
static bool
check_joined_name(struct datamodel *d, const struct model *m, const struct key_decl *k)
{
	const char *joined;
	const struct field *f;
	size_t i;

	if (k->kind == KEY_INDEX || k->count < 2)
		return true;
	joined = k->parts[0].field->decl->name;
	for (i = 1; i < k->count; i++)
		joined = arena_format(d->arena, "%s_%s", joined, k->parts[i].field->decl->name);
	f = model_field(m, joined);
	return f == NULL || f->kind == FIELD_RELATION ||
	    wrong(d, k->attribute->place, "%s: the client calls this %s, and %s has a field of that name", shown(k),
	        f->decl->name, m->block->name);
}

/* --- the attributes --- */

static bool
read_field_key(struct datamodel *d, struct model *m, struct key_decl *k, struct field *f)
{
	const struct expression *values[2];
	const char *map;

	k->parts = arena_alloc(d->arena, sizeof *k->parts);
	k->parts[0].field = f;
	k->count = 1;
	if (!check_part(d, k, f, k->attribute->place) || !check_index_type(d, k, &k->parts[0]) ||
	    !take_arguments(d, shown(k), k->attribute->arguments, field_specs, values))
		return false;
	if (values[1] != NULL && k->kind == KEY_ID)
		return wrong(d, values[1]->place, "@id has no sort on PostgreSQL");
	if (values[1] != NULL && !read_sort(d, values[1], &k->parts[0].sort))
		return false;
	map = read_map(d, k, values[0]);
	name_key(d, m, k, map);
	return true;
}

static const char *
read_method(struct datamodel *d, const struct expression *value)
{
	static const char *const methods[] = { "BTree", "Hash", "Gist", "Gin", "SpGist", "Brin" };
	size_t i;

	if (value == NULL)
		return methods[0];
	if (!expect_kind(d, value, EXPRESSION_NAME, "type"))
		return NULL;
	for (i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(methods[i], value->text) == 0)
			return methods[i];
	(void)wrong(d, value->place, "the type %s of an index is not known: it must be BTree, Hash, Gist, Gin, SpGist or Brin", value->text);
	return NULL;
}

static bool
check_method(struct datamodel *d, const struct key_decl *k)
{
	size_t i;

	if (strcmp(k->method, "SpGist") == 0 && k->count > 1)
		return wrong(d, k->attribute->place, "an index of type %s can have only one field", k->method);
	for (i = 0; i < k->count && strcmp(k->method, "Hash") == 0; i++)
		if (k->parts[i].sort != SORT_NONE)
			return wrong(d, k->attribute->place, "an index of type %s has no sort", k->method);
	return true;
}

static bool
read_block_key(struct datamodel *d, struct model *m, struct key_decl *k)
{
	const struct expression *values[ARGUMENT_COUNT] = { NULL };
	const struct argument_spec *specs = k->kind == KEY_INDEX ? index_specs : key_specs;
	const char *map;

	if (!take_arguments(d, shown(k), k->attribute->arguments, specs, values))
		return false;
	if (k->kind == KEY_INDEX && (k->method = read_method(d, values[ARGUMENT_TYPE])) == NULL)
		return false;
	if (!read_parts(d, m, k, values[ARGUMENT_FIELDS]) || !check_method(d, k) || !check_joined_name(d, m, k))
		return false;
	if (k->kind != KEY_INDEX && values[ARGUMENT_NAME] != NULL && !read_client_name(d, m, k, values[ARGUMENT_NAME]))
		return false;
	/* name: of @@index is an old spelling of map: */
	if (k->kind == KEY_INDEX && values[ARGUMENT_NAME] != NULL) {
		if (values[ARGUMENT_MAP] != NULL)
			return wrong(d, values[ARGUMENT_NAME]->place, "@@index: name is the old word for map: use only one of them");
		values[ARGUMENT_MAP] = values[ARGUMENT_NAME];
	}
	map = read_map(d, k, values[ARGUMENT_MAP]);
	name_key(d, m, k, map);
	return true;
}

static void
add_key(struct datamodel *d, struct model *m, enum key_kind kind, const struct attribute *a, struct field *f)
{
	struct key_decl *k = arena_alloc(d->arena, sizeof *k), **last = &m->keys;

	*k = (struct key_decl){ .kind = kind, .of_field = f != NULL, .attribute = a, .method = "BTree" };
	if (m->is_view && kind != KEY_UNIQUE) {
		(void)wrong(d, a->place, "%s: a view has no %s", shown(k), kind == KEY_ID ? "key" : "indexes");
		return;
	}
	if (!(f != NULL ? read_field_key(d, m, k, f) : read_block_key(d, m, k)))
		return;
	while (*last != NULL)
		last = &(*last)->next;
	*last = k;
	if (kind == KEY_ID && m->id != NULL)
		(void)wrong(d, a->place, "%s has a second key", m->block->name);
	if (kind == KEY_ID)
		m->id = k;
}

/* --- models --- */

/* Whether the client can tell one row from the others. */
static bool
has_criterion(const struct model *m)
{
	const struct key_decl *k;
	size_t i;

	for (k = m->keys; k != NULL; k = k->next) {
		for (i = 0; i < k->count; i++)
			if (k->kind == KEY_INDEX || k->parts[i].field->decl->arity == FIELD_OPTIONAL ||
			    k->parts[i].field->kind == FIELD_UNSUPPORTED)
				break;
		if (i == k->count)
			return true;
	}
	return false;
}

static void
read_model_keys(struct datamodel *d, struct model *m)
{
	size_t before = d->errors->count + d->errors->more, i;
	const struct attribute *a;

	for (i = 0; i < m->field_count; i++) {
		struct field *f = &m->fields[i];
		const struct attribute *id = find_attribute(f->decl->attributes, "id");

		a = find_attribute(f->decl->attributes, "unique");
		if (id != NULL)
			add_key(d, m, KEY_ID, id, f);
		if (a != NULL)
			add_key(d, m, KEY_UNIQUE, a, f);
	}
	for (a = m->block->attributes; a != NULL; a = a->next) {
		if (strcmp(a->name, "id") == 0)
			add_key(d, m, KEY_ID, a, NULL);
		else if (strcmp(a->name, "unique") == 0)
			add_key(d, m, KEY_UNIQUE, a, NULL);
		else if (strcmp(a->name, "index") == 0)
			add_key(d, m, KEY_INDEX, a, NULL);
	}
	if (d->errors->count + d->errors->more == before && !m->is_view && !m->is_ignored && !has_criterion(m))
		(void)wrong(d, m->block->place,
		    "model %s has neither @id, @@id, @unique nor @@unique on required fields", m->block->name);
}

void
read_keys(struct datamodel *d)
{
	size_t i;

	for (i = 0; i < d->model_count; i++)
		read_model_keys(d, &d->models[i]);
}
