/* @default: values, lists, functions. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "datamodel/datamodel_internal.h"

/* --- functions --- */

static bool
is_scalar(const struct field *f, const char *scalar)
{
	return f->kind == FIELD_SCALAR && strcmp(f->scalar, scalar) == 0;
}

static bool
no_arguments(struct datamodel *d, const struct expression *call)
{
	return call->arguments == NULL || wrong(d, call->arguments->place, "%s() takes no arguments", call->text);
}

static bool
read_dbgenerated(struct datamodel *d, struct field *f, const struct expression *call)
{
	const struct argument *a = call->arguments;

	f->value.kind = DEFAULT_EXPRESSION;
	if (a == NULL)
		return true;
	if (a->next != NULL || a->value.kind != EXPRESSION_STRING)
		return wrong(d, a->place, "dbgenerated() takes one string or no argument");
	if (*a->value.text == '\0')
		return wrong(d, a->place, "dbgenerated(\"\") has no expression: write one, or dbgenerated()");
	f->value.text = a->value.text;
	return true;
}

static bool
read_now(struct datamodel *d, struct field *f, const struct expression *call)
{
	f->value.kind = DEFAULT_NOW;
	return no_arguments(d, call) &&
	    (is_scalar(f, "DateTime") || wrong(d, call->place, "%s: now() is for DateTime", f->decl->name));
}

static bool
read_autoincrement(struct datamodel *d, struct field *f, const struct expression *call)
{
	f->value.kind = DEFAULT_SEQUENCE;
	f->value.text = "";
	f->autoincrement = true;
	if (!is_scalar(f, "Int") && !is_scalar(f, "BigInt"))
		return wrong(d, call->place, "%s: autoincrement() is for Int and BigInt", f->decl->name);
	return no_arguments(d, call);
}

/* A function that the client fills in: the database has no default. */
struct known_function {
	const char *name;
	bool takes_number;
	long long least, most;  /* of the number; least 0: one of the two only */
	long long other;
};
static const struct known_function known_functions[] = {
	{ "cuid", true, 0, 1, 2 },
	{ "uuid", true, 0, 4, 7 },
	{ "ulid", false, 0, 0, 0 },
	{ "nanoid", true, 2, 255, 0 },
};

static bool
check_number(struct datamodel *d, const struct known_function *function, const struct expression *call)
{
	const struct argument *a = call->arguments;
	char *end = NULL;
	long long n;

	if (a == NULL)
		return true;
	if (!function->takes_number)
		return no_arguments(d, call);
	n = a->value.kind == EXPRESSION_NUMBER ? strtoll(a->value.text, &end, 10) : -1;
	if (a->next != NULL || a->name != NULL || n < 0 || *end != '\0')
		return wrong(d, a->place, "%s() takes one whole number or no argument", function->name);
	if (function->least == 0 && n != function->most && n != function->other)
		return wrong(d, a->place, "%s() takes %lld or %lld", function->name, function->most, function->other);
	if (function->least > 0 && (n < function->least || n > function->most))
		return wrong(d, a->place, "%s() takes a number from %lld to %lld", function->name, function->least,
		    function->most);
	return true;
}

static bool
read_function(struct datamodel *d, struct field *f, const struct expression *call)
{
	size_t i;

	if (strcmp(call->text, "dbgenerated") == 0)
		return read_dbgenerated(d, f, call);
	if (strcmp(call->text, "now") == 0)
		return read_now(d, f, call);
	if (strcmp(call->text, "autoincrement") == 0)
		return read_autoincrement(d, f, call);
	for (i = 0; i < sizeof known_functions / sizeof *known_functions; i++) {
		const struct known_function *function = &known_functions[i];

		if (strcmp(call->text, function->name) != 0)
			continue;
		if (!is_scalar(f, "String"))
			return wrong(d, call->place, "%s: %s() is for String", f->decl->name, call->text);
		return check_number(d, function, call);
	}
	return wrong(d, call->place, "%s: the function %s() is not known on PostgreSQL", f->decl->name, call->text);
}

/* --- values --- */

static bool
read_list(struct datamodel *d, struct field *f, const struct expression *list)
{
	const struct argument *a;
	const char **items;
	size_t count = 0;

	for (a = list->arguments; a != NULL; a = a->next)
		count++;
	items = arena_alloc(d->arena, (count + 1) * sizeof *items);
	count = 0;
	for (a = list->arguments; a != NULL; a = a->next, count++)
		if ((items[count] = read_literal(d, f, &a->value, &f->value.literal)) == NULL)
			return false;
	f->value.kind = DEFAULT_LIST;
	f->value.list = (struct text_list){ items, count };
	return true;
}

static bool
read_value(struct datamodel *d, struct field *f, const struct expression *value)
{
	if (f->kind == FIELD_RELATION)
		return wrong(d, value->place, "%s is a relation: the default belongs to its scalar field", f->decl->name);
	if (value->kind == EXPRESSION_CALL)
		return read_function(d, f, value);
	if (f->kind == FIELD_UNSUPPORTED)
		return wrong(d, value->place, "%s is Unsupported: its default must be dbgenerated(\"...\")", f->decl->name);
	if (f->decl->arity == FIELD_MANY)
		return value->kind == EXPRESSION_ARRAY ? read_list(d, f, value)
		                                       : wrong(d, value->place, "%s is a list: its default must be a list", f->decl->name);
	if (value->kind == EXPRESSION_ARRAY)
		return wrong(d, value->place, "%s is not a list: its default must not be a list", f->decl->name);
	f->value.text = read_literal(d, f, value, &f->value.literal);
	f->value.kind = DEFAULT_VALUE;
	return f->value.text != NULL;
}

static void
read_default(struct datamodel *d, struct field *f, const struct attribute *a)
{
	static const struct argument_spec specs[] = { { "value", true }, { "map", false }, { NULL, false } };
	const struct expression *values[2];

	if (!take_arguments(d, "@default", a->arguments, specs, values) || f->kind == FIELD_UNKNOWN)
		return;
	if (values[1] != NULL)
		(void)wrong(d, values[1]->place, "%s: a default has no name on PostgreSQL", f->decl->name);
	if (values[0] == NULL)
		(void)wrong(d, a->place, "@default needs a value");
	else if (!read_value(d, f, values[0]))
		f->value = (struct column_default){ 0 };
}

void
read_defaults(struct datamodel *d)
{
	const struct attribute *a;
	size_t i, k;

	for (i = 0; i < d->model_count; i++)
		for (k = 0; k < d->models[i].field_count; k++)
			if ((a = find_attribute(d->models[i].fields[k].decl->attributes, "default")) != NULL)
				read_default(d, &d->models[i].fields[k], a);
}
