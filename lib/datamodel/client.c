#include "datamodel/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "datamodel/datamodel_internal.h"

enum { NANOID_LENGTH = 21 };

static const struct {
	const char *name;
	long long number;            /* its argument; 0: none */
	bool any;                    /* the argument is a length */
	enum client_function function;
} functions[] = {
	{ "cuid", 0, false, CLIENT_CUID }, { "cuid", 1, false, CLIENT_CUID }, { "cuid", 2, false, CLIENT_CUID2 },
	{ "uuid", 0, false, CLIENT_UUID4 }, { "uuid", 4, false, CLIENT_UUID4 }, { "uuid", 7, false, CLIENT_UUID7 },
	{ "nanoid", 0, false, CLIENT_NANOID }, { "nanoid", 0, true, CLIENT_NANOID }, { "ulid", 0, false, CLIENT_ULID },
	{ "now", 0, false, CLIENT_NOW },
};

/* number: the argument, or 0. */
static bool
find_function(const char *name, size_t len, long long number, enum client_function *function, int *length)
{
	size_t i;

	for (i = 0; i < sizeof functions / sizeof *functions; i++) {
		if (strlen(functions[i].name) != len || strncmp(functions[i].name, name, len) != 0)
			continue;
		if (functions[i].any ? number < 2 || number > 255 : number != functions[i].number)
			continue;
		*function = functions[i].function;
		*length = *function != CLIENT_NANOID ? 0 : functions[i].any ? (int)number : NANOID_LENGTH;
		return true;
	}
	return false;
}

bool
client_function_read(const char *text, size_t len, enum client_function *function, int *length)
{
	const char *open = memchr(text, '(', len), *end = text + len - 1;
	char digits[4] = { 0 };

	if (open == NULL || *end != ')' || end - open > 4)
		return false;
	memcpy(digits, open + 1, (size_t)(end - open - 1));
	if (strspn(digits, "0123456789") != strlen(digits) || *digits == '0')
		return false;
	return find_function(text, (size_t)(open - text), atoll(digits), function, length);
}

void
client_function_write(struct bytes *out, enum client_function function, int length)
{
	static const char *const texts[] = { "cuid()", "cuid(2)", "uuid()", "uuid(7)", "nanoid()", "ulid()", "now()", "now()" };

	if (function == CLIENT_NANOID && length != NANOID_LENGTH)
		bytes_format(out, "nanoid(%d)", length);
	else
		bytes_str(out, texts[function]);
}

/* --- from a datamodel --- */

static void
add_value(struct client_model *client, const struct field *f)
{
	const struct attribute *a = find_attribute(f->decl->attributes, "default");
	const struct expression *call = a != NULL && a->arguments != NULL ? &a->arguments->value : NULL;
	struct client_value v = { .schema = arena_copy(&client->arena, f->model->schema),
		.table = arena_copy(&client->arena, f->model->table), .column = arena_copy(&client->arena, f->column) };
	long long number = 0;

	if (call != NULL && call->kind == EXPRESSION_CALL && call->arguments != NULL && call->arguments->value.kind == EXPRESSION_NUMBER)
		number = strtoll(call->arguments->value.text, NULL, 10);
	if (find_attribute(f->decl->attributes, "updatedAt") != NULL)
		v.function = CLIENT_UPDATED_AT;
	else if (call == NULL || call->kind != EXPRESSION_CALL ||
	    !find_function(call->text, strlen(call->text), number, &v.function, &v.length))
		return;
	client->values[client->value_count++] = v;
}

static void
add_relation(struct client_model *client, const struct field *f)
{
	const struct relation_end *end = f->relation;
	const char **columns;
	size_t i;

	if (end == NULL || !end->has_fields)
		return;
	columns = arena_alloc(&client->arena, (end->field_count + 1) * sizeof *columns);
	for (i = 0; i < end->field_count; i++)
		columns[i] = arena_copy(&client->arena, end->fields[i]->column);
	client->relations[client->relation_count++] = (struct client_relation){
		.schema = arena_copy(&client->arena, f->model->schema), .table = arena_copy(&client->arena, f->model->table),
		.name = arena_copy(&client->arena, f->decl->name), .columns = { columns, end->field_count } };
}

void
make_client(const struct datamodel *d, struct client_model *client)
{
	size_t count = 1, i, k;

	for (i = 0; i < d->model_count; i++)
		count += d->models[i].field_count;
	client->values = arena_alloc(&client->arena, count * sizeof *client->values);
	client->relations = arena_alloc(&client->arena, count * sizeof *client->relations);
	client->tables = arena_alloc(&client->arena, (d->model_count + 1) * sizeof *client->tables);
	for (i = 0; i < d->model_count; i++) {
		client->tables[client->table_count++] = (struct client_table){ arena_copy(&client->arena, d->models[i].block->name),
			arena_copy(&client->arena, d->models[i].schema), arena_copy(&client->arena, d->models[i].table) };
		for (k = 0; k < d->models[i].field_count; k++) {
			const struct field *f = &d->models[i].fields[k];

			if (f->kind == FIELD_RELATION)
				add_relation(client, f);
			else if (!f->is_ignored && !d->models[i].is_ignored && !d->models[i].is_view)
				add_value(client, f);
		}
	}
}

void
client_model_free(struct client_model *client)
{
	arena_free(&client->arena);
	*client = (struct client_model){ 0 };
}

/* --- looking things up --- */

static bool
is_table(const char *schema, const char *table, const char *of_schema, const char *of_table)
{
	return strcmp(table, of_table) == 0 && (of_schema == NULL || strcmp(schema, of_schema) == 0);
}

const struct client_value *
client_model_value(const struct client_model *client, const char *schema, const char *table, const char *column)
{
	size_t i;

	for (i = 0; i < client->value_count; i++) {
		const struct client_value *v = &client->values[i];

		if (strcmp(v->column, column) == 0 && is_table(schema, table, v->schema, v->table))
			return v;
	}
	return NULL;
}

const struct client_relation *
client_model_relation(const struct client_model *client, const char *schema, const char *table, const char *name)
{
	size_t i;

	for (i = 0; i < client->relation_count; i++) {
		const struct client_relation *r = &client->relations[i];

		if (strcmp(r->name, name) == 0 && is_table(schema, table, r->schema, r->table))
			return r;
	}
	return NULL;
}

const struct client_relation *
client_model_relation_of(const struct client_model *client, const char *schema, const char *table, const char *const *columns, size_t count)
{
	size_t i, k, same;

	for (i = 0; i < client->relation_count; i++) {
		const struct client_relation *r = &client->relations[i];

		if (r->columns.count != count || !is_table(schema, table, r->schema, r->table))
			continue;
		for (k = same = 0; k < count; k++)
			same += strcmp(r->columns.items[k], columns[k]) == 0;
		if (same == count)
			return r;
	}
	return NULL;
}

const struct client_table *
client_model_table(const struct client_model *client, const char *model)
{
	size_t i;

	for (i = 0; i < client->table_count; i++)
		if (strcmp(client->tables[i].model, model) == 0)
			return &client->tables[i];
	return NULL;
}
