#include "catalog/stream.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "catalog/words.h"
#include "records/json.h"
#include "records/stream_schema.h"

/* The JSON of a list, into a buffer that the caller frees. */
static const char *
list_json(struct bytes *out, const char *const items[], size_t count)
{
	out->len = 0;
	json_add_list(out, items, count);
	return bytes_text(out);
}

static const char *
text_list_json(struct bytes *out, const struct text_list *list)
{
	return list_json(out, list->items, list->count);
}

static void
write_head(const struct catalog *c, struct writer *writer)
{
	struct bytes schemas = { 0 }, covers = { 0 };
	const char *kinds[OBJECT_KINDS];
	size_t count = 0;
	int kind;

	for (kind = 0; kind < OBJECT_KINDS; kind++)
		if (c->covers[kind])
			kinds[count++] = object_kind_name((enum object_kind)kind);
	writer_put(writer, &schema_form,
	    &(struct schema_head){ .source = c->source,
	        .origin = c->origin,
	        .default_schema = c->default_schema,
	        .schemas = text_list_json(&schemas, &c->schemas),
	        .counts_extensions = c->counts_extensions,
	        .relation_mode_prisma = c->relation_mode_prisma,
	        .server_version = c->server_version,
	        .covers = list_json(&covers, kinds, count) });
	bytes_free(&schemas);
	bytes_free(&covers);
}

static void
write_column(const struct relation *r, const struct column *c, struct writer *writer)
{
	struct bytes list = { 0 };
	bool valued = c->value.kind == DEFAULT_VALUE || c->value.kind == DEFAULT_LIST;
	char arguments[48] = "";

	if (c->argument_count == 1)
		snprintf(arguments, sizeof arguments, "%lld", c->arguments[0]);
	else if (c->argument_count == 2)
		snprintf(arguments, sizeof arguments, "%lld,%lld", c->arguments[0], c->arguments[1]);
	writer_put(writer, &column_form,
	    &(struct schema_column){ .schema = r->schema,
	        .relation = r->name,
	        .column = c->name,
	        .arity = word_of(&arity_words, (int)c->arity),
	        .type_kind = word_of(&type_kind_words, (int)c->type_kind),
	        .type = c->type,
	        .type_schema = c->type_schema,
	        .arguments = c->argument_count > 0 ? arguments : NULL,
	        .default_kind = word_of(&default_kind_words, (int)c->value.kind),
	        .default_type = valued ? word_of(&literal_kind_words, (int)c->value.literal) : NULL,
	        .default_value = c->value.text,
	        .default_list = c->value.kind == DEFAULT_LIST ? text_list_json(&list, &c->value.list) : NULL,
	        .autoincrement = c->autoincrement,
	        .type_text = c->type_text,
	        .not_null = c->not_null,
	        .default_text = c->default_text,
	        .identity = c->identity,
	        .generated = c->generated,
	        .collation = c->collation });
	bytes_free(&list);
}

/* The lists that stand for the columns of a key or an index. */
struct column_lists {
	struct bytes columns, sorts, classes, defaults;
};

static void
make_lists(struct column_lists *lists, const struct index_column *columns, size_t count)
{
	const char **items = xcalloc(count + 1, sizeof *items);
	size_t i;

	for (i = 0; i < count; i++)
		items[i] = columns[i].column;
	list_json(&lists->columns, items, count);
	for (i = 0; i < count; i++)
		items[i] = word_of(&sort_words, (int)columns[i].sort);
	list_json(&lists->sorts, items, count);
	for (i = 0; i < count; i++)
		items[i] = columns[i].operator_class;
	list_json(&lists->classes, items, count);
	for (i = 0; i < count; i++)
		items[i] = columns[i].default_class ? columns[i].operator_class : NULL;
	list_json(&lists->defaults, items, count);
	free(items);
}

static void
free_lists(struct column_lists *lists)
{
	bytes_free(&lists->columns);
	bytes_free(&lists->sorts);
	bytes_free(&lists->classes);
	bytes_free(&lists->defaults);
}

static void
write_key(const struct relation *r, const struct key *k, struct writer *writer)
{
	struct column_lists lists = { 0 };

	make_lists(&lists, k->columns, k->column_count);
	writer_put(writer, &key_form,
	    &(struct schema_key){ .schema = r->schema,
	        .relation = r->name,
	        .name = k->name,
	        .columns = bytes_text(&lists.columns),
	        .sorts = bytes_text(&lists.sorts),
	        .definition = k->definition });
	free_lists(&lists);
}

static void
write_index(const struct relation *r, const struct index *x, struct writer *writer)
{
	struct column_lists lists = { 0 };

	make_lists(&lists, x->columns, x->column_count);
	writer_put(writer, &index_form,
	    &(struct schema_index){ .schema = r->schema,
	        .relation = r->name,
	        .name = x->name,
	        .is_unique = x->is_unique,
	        .method = x->method,
	        .columns = bytes_text(&lists.columns),
	        .sorts = bytes_text(&lists.sorts),
	        .operator_classes = bytes_text(&lists.classes),
	        .default_classes = bytes_text(&lists.defaults),
	        .predicate = x->predicate,
	        .is_constraint = x->is_constraint,
	        .is_exclusion = x->is_exclusion,
	        .is_invalid = x->is_invalid,
	        .definition = x->definition });
	free_lists(&lists);
}

static void
write_relation(const struct relation *r, struct writer *writer)
{
	size_t i;

	writer_put(writer, &relation_form,
	    &(struct schema_relation){ .schema = r->schema,
	        .relation = r->name,
	        .kind = r->kind,
	        .is_unlogged = r->is_unlogged,
	        .row_security = r->row_security,
	        .options = r->options,
	        .definition = r->definition,
	        .is_extensions = r->is_extensions });
	for (i = 0; i < r->column_count; i++)
		write_column(r, &r->columns[i], writer);
	if (r->key != NULL)
		write_key(r, r->key, writer);
	for (i = 0; i < r->index_count; i++)
		write_index(r, &r->indexes[i], writer);
}

static void
write_reference(const struct reference *f, struct writer *writer)
{
	struct bytes columns = { 0 }, referenced = { 0 };

	writer_put(writer, &reference_form,
	    &(struct schema_reference){ .schema = f->schema,
	        .relation = f->relation,
	        .name = f->name,
	        .columns = text_list_json(&columns, &f->columns),
	        .referenced_schema = f->referenced_schema,
	        .referenced_relation = f->referenced,
	        .referenced_columns = text_list_json(&referenced, &f->referenced_columns),
	        .on_delete = word_of(&action_words, (int)f->on_delete),
	        .on_update = word_of(&action_words, (int)f->on_update),
	        .is_invalid = f->is_invalid,
	        .definition = f->definition });
	bytes_free(&columns);
	bytes_free(&referenced);
}

static void
write_enum(const struct enum_type *e, struct writer *writer)
{
	struct bytes values = { 0 };

	writer_put(writer, &enum_form, &(struct schema_enum){ e->schema, e->name, text_list_json(&values, &e->values) });
	bytes_free(&values);
}

static void
write_definition(const struct definition *d, struct writer *writer)
{
	writer_put(writer, &object_forms[d->kind - OBJECT_CHECK],
	    &(struct schema_object){ d->schema, d->relation, d->name, d->definition != NULL ? d->definition : "",
	        d->state });
}

void
catalog_write(const struct catalog *c, struct writer *writer)
{
	size_t i;

	write_head(c, writer);
	for (i = 0; i < c->namespace_count; i++)
		writer_put(writer, &namespace_form, &(struct schema_namespace){ c->namespaces[i].name });
	for (i = 0; i < c->extension_count; i++)
		writer_put(writer, &extension_form,
		    &(struct schema_extension){ c->extensions[i].name, c->extensions[i].schema,
		        c->extensions[i].version, c->extensions[i].relocatable });
	for (i = 0; i < c->enum_count; i++)
		write_enum(&c->enums[i], writer);
	for (i = 0; i < c->relation_count; i++)
		write_relation(c->relations[i], writer);
	for (i = 0; i < c->reference_count; i++)
		write_reference(&c->references[i], writer);
	for (i = 0; i < c->definition_count; i++)
		write_definition(&c->definitions[i], writer);
}
