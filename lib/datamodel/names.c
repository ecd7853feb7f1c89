/* Models, enums and fields by name, and what the types of fields refer to. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "datamodel/datamodel_internal.h"

static const char *const scalars[] = { "Int", "BigInt", "Float", "Decimal", "Boolean", "String", "DateTime", "Json", "Bytes" };
static const char *const reserved[] = { "PrismaClient", "async", "await", "break", "case", "catch", "class", "const",
	"continue", "debugger", "default", "delete", "do", "else", "enum", "export", "extends", "false", "finally", "for",
	"function", "if", "implements", "import", "in", "instanceof", "interface", "let", "new", "null", "package", "private",
	"protected", "public", "return", "super", "switch", "this", "throw", "true", "try", "using", "typeof", "var", "void",
	"while", "with", "yield" };
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *
find_text(const char *const *list, size_t count, const char *text)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(list[i], text) == 0)
			return list[i];
	return NULL;
}

bool
check_name(struct datamodel *d, struct place place, const char *name, const char *what)
{
	if (name[0] >= '0' && name[0] <= '9')
		return wrong(d, place, "%s: the name of %s must begin with a letter", name, what);
	if (strchr(name, '-') != NULL)
		return wrong(d, place, "%s: the name of %s must not contain a hyphen", name, what);
	return true;
}

static int
compare_names(const void *a, const void *b)
{
	const struct named_block *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static const struct named_block *
find_named(const struct datamodel *d, const char *name)
{
	const struct named_block key = { .name = name };

	return d->name_count > 0 ? bsearch(&key, d->names, d->name_count, sizeof key, compare_names) : NULL;
}

struct field *
model_field(const struct model *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->field_count; i++)
		if (strcmp(m->fields[i].decl->name, name) == 0)
			return &m->fields[i];
	return NULL;
}

/* --- types --- */

static void
say_unknown_type(struct datamodel *d, const struct field_decl *f)
{
	const char **known = arena_alloc(d->arena, (d->name_count + COUNT(scalars)) * sizeof *known), *near;
	size_t count = 0, i;

	for (i = 0; i < d->name_count; i++)
		known[count++] = d->names[i].name;
	for (i = 0; i < COUNT(scalars); i++)
		known[count++] = scalars[i];
	near = suggest_nearest(f->type, strlen(f->type), known, count);
	(void)wrong(d, f->type_place, near != NULL ? "%s: the type %s is not known; did you mean %s?"
	                                           : "%s: the type %s is not known: neither a scalar, nor a model, nor an enum",
	    f->name, f->type, near);
}

/* "VarChar(3)": whether Prisma has a native type for what Unsupported says, whatever stands behind the arguments. */
static enum native
supported(const char *type)
{
	size_t len = strcspn(type, "("), begin = strspn(type, " \t\n\r"), end = len, given = 0, most;
	const char *close = type[len] == '(' ? strchr(type + len, ')') : NULL, *p;
	char name[32];
	enum native native;

	while (end > begin && strchr(" \t\n\r", type[end - 1]) != NULL)
		end--;
	if (begin >= end || end - begin >= sizeof name)
		return NATIVE_COUNT;
	memcpy(name, type + begin, end - begin);
	name[end - begin] = '\0';
	if (type[len] == '(' && strchr(type + len, '\n') != NULL)
		return NATIVE_COUNT;
	if ((native = native_find(name)) == NATIVE_COUNT || (most = (size_t)native_types[native].arguments) == 0 || close == NULL)
		return native;
	for (p = type + len; p < close; given++) {
		char *stop;

		p += 1 + strspn(p + 1, " ");
		if ((*p < '0' || *p > '9') && *p != '+')
			return NATIVE_COUNT;
		if (strtoull(p, &stop, 10) > UINT32_MAX)
			return NATIVE_COUNT;
		p = stop + strspn(stop, " ");
		if (*p != ',' && p != close)
			return NATIVE_COUNT;
	}
	return given == most ? native : NATIVE_COUNT;
}

static void
read_unsupported(struct datamodel *d, struct field *f)
{
	enum native native = supported(f->decl->type);

	f->kind = FIELD_UNSUPPORTED;
	if (*f->decl->type == '\0')
		(void)wrong(d, f->decl->type_place, "Unsupported needs a PostgreSQL type between its quotes");
	else if (native != NATIVE_COUNT)
		(void)wrong(d, f->decl->type_place, "%s: Prisma has a type for this: %s @%s.%s", f->decl->name,
		    native_types[native].scalar, d->datasource != NULL ? d->datasource : "db", native_types[native].name);
}

static void
read_type(struct datamodel *d, struct field *f)
{
	const struct named_block *named;

	if (f->decl->is_unsupported) {
		read_unsupported(d, f);
	} else if ((f->scalar = find_text(scalars, COUNT(scalars), f->decl->type)) != NULL) {
		f->kind = FIELD_SCALAR;
	} else if ((named = find_named(d, f->decl->type)) == NULL) {
		f->kind = FIELD_UNKNOWN;
		say_unknown_type(d, f->decl);
	} else if (named->model != NULL) {
		f->kind = FIELD_RELATION;
		f->target = named->model;
	} else {
		f->kind = FIELD_ENUM;
		f->enum_decl = named->enum_decl;
	}
}

/* --- collecting --- */

static void
check_fields(struct datamodel *d, const struct block *b)
{
	const char *what = b->kind == BLOCK_ENUM ? "a value" : "a field";
	const struct field_decl *f, *g;

	for (f = b->fields; f != NULL; f = f->next) {
		(void)check_name(d, f->place, f->name, what);
		for (g = b->fields; g != f; g = g->next)
			if (strcmp(f->name, g->name) == 0)
				(void)wrong(d, f->place, "%s has %s %s twice", b->name, what, f->name);
	}
}

static void
add_model(struct datamodel *d, const struct block *b)
{
	struct model *m = &d->models[d->model_count++];
	const struct field_decl *f;
	size_t count = 0;

	*m = (struct model){ .block = b, .is_view = b->kind == BLOCK_VIEW, .table = b->name };
	for (f = b->fields; f != NULL; f = f->next)
		count++;
	m->fields = arena_alloc(d->arena, (count + 1) * sizeof *m->fields);
	for (f = b->fields; f != NULL; f = f->next)
		m->fields[m->field_count++] = (struct field){ .decl = f, .model = m, .column = f->name, .native = NATIVE_COUNT };
	if (m->is_view && !d->views)
		(void)wrong(d, b->place, "view %s: views need the preview feature views", b->name);
	d->names[d->name_count++] = (struct named_block){ b->name, m, NULL };
}

static void
add_enum(struct datamodel *d, const struct block *b)
{
	struct enum_decl *e = &d->enums[d->enum_count++];
	const struct field_decl *f;

	*e = (struct enum_decl){ .block = b, .name = b->name };
	for (f = b->fields; f != NULL; f = f->next)
		e->value_count++;
	e->values = arena_alloc(d->arena, (e->value_count + 1) * sizeof *e->values);
	e->value_count = 0;
	for (f = b->fields; f != NULL; f = f->next)
		e->values[e->value_count++] = f->name;
	if (e->value_count == 0)
		(void)wrong(d, b->place, "enum %s has no values", b->name);
	d->names[d->name_count++] = (struct named_block){ b->name, NULL, e };
}

static void
check_block(struct datamodel *d, const struct block *b)
{
	static const char *const what[] = { "a model", "a view", "an enum", "a type", "a datasource" };
	const struct block *other;

	if (b->kind == BLOCK_GENERATOR || !check_name(d, b->name_place, b->name, what[b->kind]) || b->kind == BLOCK_DATASOURCE)
		return;
	if (find_text(reserved, COUNT(reserved), b->name) != NULL || find_text(scalars, COUNT(scalars), b->name) != NULL)
		(void)wrong(d, b->name_place, "%s is a reserved word", b->name);
	if (b->kind == BLOCK_TYPE)
		(void)wrong(d, b->place, "type %s: there are no composite types on PostgreSQL", b->name);
	for (other = d->blocks; other != b; other = other->next)
		if (other->kind < BLOCK_TYPE && strcmp(other->name, b->name) == 0)
			break;
	if (other != b)
		(void)wrong(d, b->name_place, "%s is defined twice", b->name);
	check_fields(d, b);
}

void
read_names(struct datamodel *d)
{
	const struct block *b;
	size_t count = 0, i, k;

	for (b = d->blocks; b != NULL; b = b->next)
		count++;
	d->models = arena_alloc(d->arena, (count + 1) * sizeof *d->models);
	d->enums = arena_alloc(d->arena, (count + 1) * sizeof *d->enums);
	d->names = arena_alloc(d->arena, (count + 1) * sizeof *d->names);
	for (b = d->blocks; b != NULL; b = b->next) {
		check_block(d, b);
		if (b->kind == BLOCK_MODEL || b->kind == BLOCK_VIEW)
			add_model(d, b);
		else if (b->kind == BLOCK_ENUM)
			add_enum(d, b);
	}
	qsort(d->names, d->name_count, sizeof *d->names, compare_names);
	for (i = 0; i < d->model_count; i++)
		for (k = 0; k < d->models[i].field_count; k++)
			read_type(d, &d->models[i].fields[k]);
}
