#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/mig.h"
#include "catalog/catalog.h"
#include "catalog/stream.h"
#include "catalog/words.h"
#include "records/json.h"
#include "records/record.h"
#include "records/stream_schema.h"

/* A stream that is being read. */
struct reading_state {
	struct reader *reader;
	struct catalog *catalog;
	struct relation *relation; /* the last one, to which column, key and index belong */
	int order;                 /* of the record before: see order_of() */
};

static int
bad_word(struct reader *reader, const char *key, const char *word)
{
	return reader_refuse(reader, "\"%s\": \"%s\" is not known", key, word != NULL ? word : "null");
}

/* A list into the catalog.  The JSON is one that the reader has let pass. */
static struct text_list
take_list(struct catalog *c, const char *json)
{
	struct text_list list = { 0 };
	struct bytes item = { 0 };
	const char *at = json;
	bool null;

	while (json_list_next(&at, &item, &null))
		list.count++;
	list.items = arena_alloc(&c->arena, (list.count + 1) * sizeof *list.items);
	list.count = 0;
	for (at = json; json_list_next(&at, &item, &null);)
		list.items[list.count++] = null ? NULL : catalog_text(c, item.data);
	bytes_free(&item);
	return list;
}

static int
take_full_list(struct reading_state *s, const char *key, const char *json, struct text_list *list)
{
	size_t i;

	*list = take_list(s->catalog, json);
	for (i = 0; i < list->count; i++)
		if (list->items[i] == NULL)
			return reader_refuse(s->reader, "\"%s\" contains a null", key);
	return 0;
}

#define FILL(s, record, form, out)                                                                \
	do {                                                                                      \
		if (record_fill((s)->reader, (record), &(form), (out)) != 0)                      \
			return MIG_DATA;                                                          \
	} while (0)

static int
take_head(struct reading_state *s, const struct record *record)
{
	struct catalog *c = s->catalog;
	struct schema_head head;
	struct text_list covers;
	enum object_kind kind;
	size_t i;

	FILL(s, record, schema_form, &head);
	c->source = catalog_text(c, head.source);
	c->origin = catalog_text(c, head.origin);
	c->default_schema = catalog_text(c, head.default_schema);
	c->counts_extensions = head.counts_extensions;
	c->relation_mode_prisma = head.relation_mode_prisma;
	c->server_version = catalog_text(c, head.server_version);
	if (take_full_list(s, "schemas", head.schemas, &c->schemas) != 0 ||
	    take_full_list(s, "covers", head.covers, &covers) != 0)
		return MIG_DATA;
	for (i = 0; i < covers.count; i++) /* a kind of a later release says nothing to us */
		if (object_kind_parse(covers.items[i], &kind))
			c->covers[kind] = true;
	return 0;
}

static int
take_namespace(struct reading_state *s, const struct record *record)
{
	struct schema_namespace in;

	FILL(s, record, namespace_form, &in);
	(void)catalog_add_namespace(s->catalog, in.schema);
	return 0;
}

static int
take_extension(struct reading_state *s, const struct record *record)
{
	struct schema_extension in;
	struct extension *e;

	FILL(s, record, extension_form, &in);
	e = catalog_add_extension(s->catalog, in.extension);
	e->schema = catalog_text(s->catalog, in.schema);
	e->version = catalog_text(s->catalog, in.version);
	e->relocatable = in.relocatable;
	return 0;
}

static int
take_enum(struct reading_state *s, const struct record *record)
{
	struct schema_enum in;

	FILL(s, record, enum_form, &in);
	return take_full_list(s, "values", in.values, &catalog_add_enum(s->catalog, in.schema, in.name)->values);
}

static int
take_relation(struct reading_state *s, const struct record *record)
{
	struct schema_relation in;
	struct relation *r;

	FILL(s, record, relation_form, &in);
	if (catalog_relation(s->catalog, in.schema, in.relation) != NULL)
		return reader_refuse(s->reader, "the relation \"%s\" appears twice", in.relation);
	r = catalog_add_relation(s->catalog, in.schema, in.relation, in.kind);
	r->is_unlogged = in.is_unlogged;
	r->row_security = catalog_text(s->catalog, in.row_security);
	r->options = catalog_text(s->catalog, in.options);
	r->definition = catalog_text(s->catalog, in.definition);
	r->is_extensions = in.is_extensions;
	s->relation = r;
	return 0;
}

/* Whether a record belongs to the relation that was read last. */
static int
check_relation(struct reading_state *s, const char *schema, const char *relation)
{
	if (s->relation == NULL || strcmp(s->relation->name, relation) != 0 || !text_equal(s->relation->schema, schema))
		return reader_refuse(s->reader, "it does not follow its relation, \"%s\"", relation);
	return 0;
}

/* "10" or "10,2". */
static bool
take_arguments(const char *text, struct column *c)
{
	char *end;

	for (c->argument_count = 0; text != NULL && c->argument_count < 2; text = end + 1) {
		if (*text < '0' || *text > '9')
			return false;
		c->arguments[c->argument_count++] = strtoll(text, &end, 10);
		if (*end == '\0')
			return true;
		if (*end != ',')
			return false;
	}
	return text == NULL;
}

static int
take_default(struct reading_state *s, const struct schema_column *in, struct column_default *d)
{
	int kind = word_find(&default_kind_words, in->default_kind), literal;

	if (kind < 0)
		return bad_word(s->reader, "default_kind", in->default_kind);
	d->kind = (enum default_kind)kind;
	d->text = catalog_text(s->catalog, in->default_value);
	if (d->kind == DEFAULT_VALUE || d->kind == DEFAULT_LIST) {
		if ((literal = word_find(&literal_kind_words, in->default_type)) < 0)
			return bad_word(s->reader, "default_type", in->default_type);
		d->literal = (enum literal_kind)literal;
	}
	if ((d->kind == DEFAULT_VALUE || d->kind == DEFAULT_SEQUENCE) && d->text == NULL)
		return reader_refuse(s->reader, "the column \"%s\" has a default without \"default\"", in->column);
	if (d->kind == DEFAULT_LIST && in->default_list == NULL)
		return reader_refuse(s->reader, "the column \"%s\" has a default without \"default_list\"", in->column);
	return d->kind == DEFAULT_LIST ? take_full_list(s, "default_list", in->default_list, &d->list) : 0;
}

static int
take_column(struct reading_state *s, const struct record *record)
{
	struct catalog *catalog = s->catalog;
	struct schema_column in;
	struct column *c;
	int arity, kind;

	FILL(s, record, column_form, &in);
	if (check_relation(s, in.schema, in.relation) != 0)
		return MIG_DATA;
	if (relation_column(s->relation, in.column) != NULL)
		return reader_refuse(s->reader, "the column \"%s\" appears twice", in.column);
	if ((arity = word_find(&arity_words, in.arity)) < 0)
		return bad_word(s->reader, "arity", in.arity);
	if ((kind = word_find(&type_kind_words, in.type_kind)) < 0)
		return bad_word(s->reader, "type_kind", in.type_kind);
	c = catalog_add_column(catalog, s->relation, in.column);
	c->arity = (enum arity)arity;
	c->type_kind = (enum type_kind)kind;
	c->type = catalog_text(catalog, in.type);
	c->type_schema = catalog_text(catalog, in.type_schema);
	if (!take_arguments(in.arguments, c))
		return bad_word(s->reader, "arguments", in.arguments);
	c->autoincrement = in.autoincrement;
	c->type_text = catalog_text(catalog, in.type_text);
	c->not_null = in.not_null;
	c->default_text = catalog_text(catalog, in.default_text);
	c->identity = catalog_text(catalog, in.identity);
	c->generated = catalog_text(catalog, in.generated);
	c->collation = catalog_text(catalog, in.collation);
	return take_default(s, &in, &c->value);
}

/* The columns of a key or index from their lists; classes may be NULL. */
static int
take_columns(struct reading_state *s, const char *const lists[4], struct index_column **columns, size_t *count)
{
	struct text_list list[4] = { 0 };
	size_t i, k;

	for (k = 0; k < 4 && lists[k] != NULL; k++) {
		list[k] = take_list(s->catalog, lists[k]);
		if (list[k].count != list[0].count)
			return reader_refuse(s->reader, "its lists do not have the same length");
	}
	*count = list[0].count;
	*columns = catalog_index_columns(s->catalog, *count);
	for (i = 0; i < *count; i++) {
		int sort = word_find(&sort_words, list[1].items[i]);

		if (sort < 0)
			return bad_word(s->reader, "sorts", list[1].items[i]);
		(*columns)[i] = (struct index_column){ .column = list[0].items[i], .sort = (enum sort)sort };
		if (lists[2] != NULL) {
			(*columns)[i].operator_class = list[2].items[i];
			(*columns)[i].default_class = list[3].items[i] != NULL;
		}
	}
	return 0;
}

static int
take_key(struct reading_state *s, const struct record *record)
{
	struct schema_key in;
	struct key *k;
	size_t i;

	FILL(s, record, key_form, &in);
	if (check_relation(s, in.schema, in.relation) != 0)
		return MIG_DATA;
	if (s->relation->key != NULL)
		return reader_refuse(s->reader, "the relation \"%s\" has two keys", in.relation);
	k = catalog_add_key(s->catalog, s->relation, in.name);
	k->definition = catalog_text(s->catalog, in.definition);
	if (take_columns(s, (const char *const[4]){ in.columns, in.sorts, NULL, NULL }, &k->columns, &k->column_count) != 0)
		return MIG_DATA;
	for (i = 0; i < k->column_count; i++)
		if (k->columns[i].column == NULL)
			return reader_refuse(s->reader, "\"columns\" contains a null");
	return 0;
}

static int
take_index(struct reading_state *s, const struct record *record)
{
	struct schema_index in;
	struct index *x;

	FILL(s, record, index_form, &in);
	if (check_relation(s, in.schema, in.relation) != 0)
		return MIG_DATA;
	x = catalog_add_index(s->catalog, s->relation, in.name);
	x->is_unique = in.is_unique;
	x->method = catalog_text(s->catalog, in.method);
	x->predicate = catalog_text(s->catalog, in.predicate);
	x->is_constraint = in.is_constraint;
	x->is_exclusion = in.is_exclusion;
	x->is_invalid = in.is_invalid;
	x->definition = catalog_text(s->catalog, in.definition);
	return take_columns(s, (const char *const[4]){ in.columns, in.sorts, in.operator_classes, in.default_classes },
	    &x->columns, &x->column_count);
}

static int
take_action(struct reading_state *s, const char *key, const char *word, enum action *action)
{
	int found = word_find(&action_words, word);

	if (found < 0)
		return bad_word(s->reader, key, word);
	*action = (enum action)found;
	return 0;
}

static int
take_reference(struct reading_state *s, const struct record *record)
{
	struct schema_reference in;
	struct reference *f;

	FILL(s, record, reference_form, &in);
	f = catalog_add_reference(s->catalog, in.schema, in.relation, in.name);
	f->referenced_schema = catalog_text(s->catalog, in.referenced_schema);
	f->referenced = catalog_text(s->catalog, in.referenced_relation);
	f->is_invalid = in.is_invalid;
	f->definition = catalog_text(s->catalog, in.definition);
	if (take_action(s, "on_delete", in.on_delete, &f->on_delete) != 0 ||
	    take_action(s, "on_update", in.on_update, &f->on_update) != 0 ||
	    take_full_list(s, "columns", in.columns, &f->columns) != 0)
		return MIG_DATA;
	return take_full_list(s, "referenced_columns", in.referenced_columns, &f->referenced_columns);
}

static int
take_definition(struct reading_state *s, const struct record *record, enum object_kind kind)
{
	struct schema_object in;
	struct definition *d;

	FILL(s, record, object_forms[kind - OBJECT_CHECK], &in);
	d = catalog_add_definition(s->catalog, kind, in.schema, in.relation, in.name);
	d->definition = catalog_text(s->catalog, in.definition);
	d->state = catalog_text(s->catalog, in.state);
	return 0;
}

/* Records whose number is lower come before; those of equal numbers are mixed. */
static int
order_of(enum object_kind kind)
{
	if (kind == OBJECT_COLUMN || kind == OBJECT_KEY || kind == OBJECT_INDEX)
		return OBJECT_RELATION;
	return kind < OBJECT_CHECK ? (int)kind : (int)OBJECT_CHECK;
}

static int
take_record(struct reading_state *s, const struct record *record)
{
	static int (*const takes[OBJECT_CHECK])(struct reading_state *, const struct record *) = {
		[OBJECT_NAMESPACE] = take_namespace,
		[OBJECT_EXTENSION] = take_extension,
		[OBJECT_ENUM] = take_enum,
		[OBJECT_RELATION] = take_relation,
		[OBJECT_COLUMN] = take_column,
		[OBJECT_KEY] = take_key,
		[OBJECT_INDEX] = take_index,
		[OBJECT_REFERENCE] = take_reference,
	};
	enum object_kind kind;

	if (!object_kind_parse(record_name(record), &kind))
		return reader_refuse(s->reader, "unexpected record of kind \"%s\"", record_name(record));
	if (order_of(kind) < s->order)
		return reader_refuse(s->reader, "the %s record must come earlier", record_name(record));
	s->order = order_of(kind);
	return kind < OBJECT_CHECK ? takes[kind](s, record) : take_definition(s, record, kind);
}

enum reading
catalog_read(struct reader *reader, struct catalog *catalog)
{
	struct reading_state state = { .reader = reader, .catalog = catalog };
	struct record *record;
	enum reading got = reader_next(reader, &record);
	int code;

	if (got == READING_END)
		(void)reader_refuse(reader, "the schema record is missing");
	if (got != READING_RECORD)
		return got == READING_END ? READING_BAD : got;
	if (record_is(record, &schema_form))
		code = take_head(&state, record);
	else
		code = reader_refuse(reader, "expected the schema record first, not \"%s\"", record_name(record));
	record_free(record);
	while (code == 0 && (got = reader_next(reader, &record)) == READING_RECORD) {
		code = take_record(&state, record);
		record_free(record);
	}
	return code != 0 ? READING_BAD : got;
}
