/* What attributes may stand where; their arguments; maps, schemas, native types, and the marks. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "datamodel/datamodel_internal.h"

/* --- arguments --- */

bool
take_arguments(struct datamodel *d, const char *what, const struct argument *arguments,
    const struct argument_spec *specs, const struct expression **values)
{
	const struct argument *a;
	size_t i;

	for (i = 0; specs[i].name != NULL; i++)
		values[i] = NULL;
	for (a = arguments; a != NULL; a = a->next) {
		for (i = 0; specs[i].name != NULL; i++)
			if (a->name != NULL ? strcmp(specs[i].name, a->name) == 0 : specs[i].unnamed)
				break;
		if (specs[i].name == NULL)
			return a->name != NULL ? wrong(d, a->place, "%s has no argument %s", what, a->name)
			                       : wrong(d, a->place, "every argument of %s needs a name", what);
		if (values[i] != NULL)
			return wrong(d, a->place, "%s: %s is given twice", what, specs[i].name);
		values[i] = &a->value;
	}
	return true;
}

const struct attribute *
find_attribute(const struct attribute *a, const char *name)
{
	for (; a != NULL; a = a->next)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

bool
expect_kind(struct datamodel *d, const struct expression *value, enum expression_kind kind, const char *what)
{
	static const char *const kinds[] = { "a string", "a number", "a constant", "a function", "a list" };

	return value->kind == kind || wrong(d, value->place, "%s is %s", what, kinds[kind]);
}

const char *
take_name(struct datamodel *d, const struct expression *value)
{
	if (!expect_kind(d, value, EXPRESSION_STRING, "a name in the database"))
		return NULL;
	if (*value->text == '\0') {
		(void)wrong(d, value->place, "a name in the database must not be empty");
		return NULL;
	}
	return value->text;
}

/* The argument of @map, @@map and @@schema; NULL if the attribute is missing, or wrong and reported. */
static const struct expression *
take_only(struct datamodel *d, const struct attribute *a, const char *argument)
{
	const struct argument_spec specs[] = { { argument, true }, { NULL, false } };
	const struct expression *value;

	if (a == NULL || !take_arguments(d, a->name, a->arguments, specs, &value))
		return NULL;
	if (value == NULL)
		(void)wrong(d, a->place, "%s needs a name", a->name);
	return value;
}

static const char *
take_only_name(struct datamodel *d, const struct attribute *a, const char *argument)
{
	const struct expression *value = take_only(d, a, argument);

	return value != NULL ? take_name(d, value) : NULL;
}

static void
expect_no_arguments(struct datamodel *d, const struct attribute *a)
{
	if (a != NULL && a->arguments != NULL)
		(void)wrong(d, a->arguments->place, "%s takes no arguments", a->name);
}

/* --- what may stand where --- */

static const char *const of_models[] = { "id", "unique", "index", "map", "schema", "ignore" };
static const char *const of_enums[] = { "map", "schema" };
static const char *const of_fields[] = { "id", "unique", "default", "relation", "map", "updatedAt", "ignore" };
static const char *const of_values[] = { "map" };
#define LIST(names) names, sizeof(names) / sizeof *(names)

static bool
may_repeat(const char *at, const char *name)
{
	return strcmp(at, "@@") == 0 && (strcmp(name, "unique") == 0 || strcmp(name, "index") == 0);
}

static void
check_attributes(struct datamodel *d, const struct attribute *first, const char *at, const char *const *known, size_t count)
{
	const struct attribute *a, *b;
	const char *near;
	size_t i;

	for (a = first; a != NULL; a = a->next) {
		for (i = 0; i < count && strcmp(known[i], a->name) != 0; i++)
			;
		for (b = first; b != a && (strcmp(a->name, b->name) != 0 || may_repeat(at, a->name)); b = b->next)
			;
		if (b != a)
			(void)wrong(d, a->place, "%s%s appears here twice", at, a->name);
		if (i < count || (known == of_fields && strchr(a->name, '.') != NULL))
			continue;
		near = suggest_nearest(a->name, strlen(a->name), known, count);
		if (near != NULL)
			(void)wrong(d, a->place, "the attribute %s%s is not known here; did you mean %s%s?", at, a->name, at, near);
		else
			(void)wrong(d, a->place, "the attribute %s%s is not known here", at, a->name);
	}
}

/* --- native types --- */

static long long
whole_number(const struct expression *e)
{
	char *end;
	long long n;

	if (e->kind != EXPRESSION_NUMBER)
		return -1;
	n = strtoll(e->text, &end, 10);
	return *end == '\0' && strlen(e->text) < 18 ? n : -1;
}

static bool
read_native_arguments(struct datamodel *d, struct field *f, const struct attribute *a)
{
	const struct native_type *t = &native_types[f->native];
	const struct argument *argument;
	int count = 0;

	for (argument = a->arguments; argument != NULL; argument = argument->next) {
		if (count == t->arguments)
			return wrong(d, argument->place, t->arguments == 0 ? "@%s takes no arguments" : "@%s takes at most %d",
			    a->name, t->arguments);
		if ((f->arguments[count++] = whole_number(&argument->value)) < 0)
			return wrong(d, argument->place, "the arguments of @%s must be whole numbers", a->name);
	}
	f->argument_count = count;
	if (count > 0 && count < t->arguments)
		return wrong(d, a->place, "@%s needs both precision and scale, or neither", a->name);
	if (count > 0 && (f->arguments[0] < t->least || f->arguments[0] > t->most))
		return wrong(d, a->place, "the argument of @%s must be a number from %lld to %lld", a->name, t->least, t->most);
	if (count == 2 && f->arguments[1] > f->arguments[0])
		return wrong(d, a->place, "@%s: the scale must not be greater than the precision", a->name);
	return true;
}

/* @db.NAME, where db is the name of the datasource. */
static bool
read_native(struct datamodel *d, struct field *f, const struct attribute *a)
{
	size_t prefix = strcspn(a->name, ".");

	if (d->datasource == NULL || strlen(d->datasource) != prefix || strncmp(a->name, d->datasource, prefix) != 0)
		return wrong(d, a->place, "@%s: a native type must begin with the name of the datasource, @%s.", a->name,
		    d->datasource != NULL ? d->datasource : "db");
	f->native = native_find(a->name + prefix + 1);
	if (f->native == NATIVE_COUNT)
		return wrong(d, a->place, "@%s: this native type is not known", a->name);
	if (f->kind != FIELD_SCALAR || strcmp(native_types[f->native].scalar, f->scalar) != 0)
		return wrong(d, a->place, "%s: @%s is for %s, not for %s", f->decl->name, a->name, native_types[f->native].scalar,
		    f->decl->type);
	return read_native_arguments(d, f, a);
}

static void
default_native(struct field *f)
{
	static const struct {
		const char *scalar;
		enum native native;
		int count;
		long long arguments[2];
	} natives[] = {
		{ "Int", NATIVE_INTEGER, 0, { 0, 0 } },
		{ "BigInt", NATIVE_BIGINT, 0, { 0, 0 } },
		{ "Float", NATIVE_DOUBLE, 0, { 0, 0 } },
		{ "Decimal", NATIVE_DECIMAL, 2, { 65, 30 } },
		{ "Boolean", NATIVE_BOOLEAN, 0, { 0, 0 } },
		{ "String", NATIVE_TEXT, 0, { 0, 0 } },
		{ "DateTime", NATIVE_TIMESTAMP, 1, { 3, 0 } },
		{ "Json", NATIVE_JSONB, 0, { 0, 0 } },
		{ "Bytes", NATIVE_BYTEA, 0, { 0, 0 } },
	};
	size_t i = 0;

	while (strcmp(natives[i].scalar, f->scalar) != 0)
		i++;
	f->native = natives[i].native;
	f->argument_count = natives[i].count;
	memcpy(f->arguments, natives[i].arguments, sizeof f->arguments);
}

/* --- fields --- */

static void
read_updated_at(struct datamodel *d, const struct field *f, const struct attribute *a)
{
	expect_no_arguments(d, a);
	if (a == NULL)
		return;
	if (f->kind != FIELD_SCALAR || strcmp(f->scalar, "DateTime") != 0)
		(void)wrong(d, a->place, "%s: @updatedAt is for DateTime", f->decl->name);
	else if (f->decl->arity == FIELD_MANY)
		(void)wrong(d, a->place, "%s: @updatedAt is not for lists", f->decl->name);
}

static void
read_ignore(struct datamodel *d, struct field *f, const struct attribute *a)
{
	expect_no_arguments(d, a);
	f->is_ignored = a != NULL;
	if (a != NULL && f->kind == FIELD_UNSUPPORTED)
		(void)wrong(d, a->place, "%s is Unsupported, and so ignored by the client as it is", f->decl->name);
	else if (a != NULL && f->model->is_ignored && f->kind != FIELD_RELATION)
		(void)wrong(d, a->place, "%s: @@ignore ignores the whole model already", f->decl->name);
}

static void
read_field(struct datamodel *d, struct field *f)
{
	const struct attribute *attributes = f->decl->attributes, *map = find_attribute(attributes, "map"), *a;
	const char *name;

	check_attributes(d, attributes, "@", LIST(of_fields));
	if (map != NULL && f->kind == FIELD_RELATION)
		(void)wrong(d, map->place, "%s is a relation and has no column: @map is for its scalar fields", f->decl->name);
	if ((name = take_only_name(d, map, "name")) != NULL)
		f->column = name;
	for (a = attributes; a != NULL; a = a->next) {
		if (strchr(a->name, '.') == NULL)
			continue;
		if (f->has_native)
			(void)wrong(d, a->place, "%s has a second native type", f->decl->name);
		else
			(void)read_native(d, f, a);
		f->has_native = true;
	}
	if (f->kind == FIELD_SCALAR && !f->has_native)
		default_native(f);
	read_updated_at(d, f, find_attribute(attributes, "updatedAt"));
	read_ignore(d, f, find_attribute(attributes, "ignore"));
}

/* --- blocks --- */

/* @@schema, which is there where the datasource lists schemas, and only there. */
static const char *
read_schema(struct datamodel *d, const struct block *b, const struct attribute *a)
{
	const char *name = take_only_name(d, a, "map");
	size_t i;

	if (a == NULL && d->has_schemas)
		(void)wrong(d, b->place, "%s has no @@schema: the datasource lists several", b->name);
	if (name == NULL)
		return NULL;
	if (!d->has_schemas) {
		(void)wrong(d, a->place, "@@schema: the datasource lists no schemas");
		return name;
	}
	for (i = 0; i < d->schemas.count; i++)
		if (strcmp(d->schemas.items[i], name) == 0)
			return name;
	(void)wrong(d, a->place, "the datasource does not list the schema \"%s\"", name);
	return name;
}

static void
read_model(struct datamodel *d, struct model *m)
{
	const struct attribute *attributes = m->block->attributes;
	const struct attribute *ignore = find_attribute(attributes, "ignore");
	const struct attribute *map = find_attribute(attributes, "map");
	const char *name = take_only_name(d, map, "name");
	size_t i;

	check_attributes(d, attributes, "@@", LIST(of_models));
	m->table_place = map != NULL ? map->place : m->block->place;
	if (name != NULL)
		m->table = name;
	m->schema_attribute = find_attribute(attributes, "schema");
	m->schema = read_schema(d, m->block, m->schema_attribute);
	expect_no_arguments(d, ignore);
	m->is_ignored = ignore != NULL;
	for (i = 0; i < m->field_count; i++)
		read_field(d, &m->fields[i]);
}

static void
read_enum(struct datamodel *d, struct enum_decl *e)
{
	const struct attribute *attributes = e->block->attributes;
	const char *name = take_only_name(d, find_attribute(attributes, "map"), "name");
	const struct field_decl *value;
	const struct expression *map;
	size_t i = 0;

	check_attributes(d, attributes, "@@", LIST(of_enums));
	if (name != NULL)
		e->name = name;
	e->schema = read_schema(d, e->block, find_attribute(attributes, "schema"));
	for (value = e->block->fields; value != NULL; value = value->next, i++) {
		check_attributes(d, value->attributes, "@", LIST(of_values));
		map = take_only(d, find_attribute(value->attributes, "map"), "name"); /* '' is a value as any other */
		if (map != NULL && expect_kind(d, map, EXPRESSION_STRING, "a value in the database"))
			e->values[i] = map->text;
	}
}

void
read_attributes(struct datamodel *d)
{
	size_t i;

	for (i = 0; i < d->model_count; i++)
		read_model(d, &d->models[i]);
	for (i = 0; i < d->enum_count; i++)
		read_enum(d, &d->enums[i]);
}
