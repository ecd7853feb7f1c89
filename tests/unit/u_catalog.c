#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/message.h"
#include "catalog/catalog.h"
#include "catalog/stream.h"
#include "check.h"

static const char first[] = "first.rec", second[] = "second.rec";

static struct text_list
list(struct catalog *c, const char *a, const char *b)
{
	return catalog_list(c, (const char *const[]){ a, b }, b != NULL ? 2 : a != NULL ? 1 : 0);
}

/* A catalog with a value in every place. */
static void
fill(struct catalog *c)
{
	struct relation *r;
	struct column *col;
	struct index *x;
	struct reference *f;
	int i;

	c->source = SOURCE_CATALOG;
	c->origin = "shop";
	c->default_schema = "public";
	c->schemas = list(c, "a \"b\"", "p\xC3\xBC");
	c->server_version = "15.4";
	c->covers[OBJECT_ENUM] = c->covers[OBJECT_GRANT] = true;
	(void)catalog_add_namespace(c, "public");
	catalog_add_extension(c, "citext")->relocatable = true;
	catalog_add_enum(c, "public", "E")->values = list(c, "a\\\t\x01,]", "");
	r = catalog_add_relation(c, NULL, "T", RELATION_TABLE);
	r->row_security = "forced";
	r->is_unlogged = true;
	for (i = DEFAULT_NONE; i <= DEFAULT_SEQUENCE; i++) {
		char name[2] = { (char)('a' + i), '\0' };

		col = catalog_add_column(c, r, name);
		col->arity = (enum arity)(i % 3);
		col->type = "Decimal";
		col->argument_count = i % 3;
		col->arguments[0] = 10;
		col->arguments[1] = 2;
		col->value.kind = (enum default_kind)i;
		col->value.literal = LITERAL_ENUM;
		if (i == DEFAULT_VALUE || i == DEFAULT_SEQUENCE)
			col->value.text = "x";
		if (i == DEFAULT_LIST)
			col->value.list = list(c, "1", "2");
	}
	catalog_add_key(c, r, "T_pkey")->columns = catalog_index_columns(c, 1);
	r->key->column_count = 1;
	r->key->columns[0] = (struct index_column){ .column = "a", .sort = SORT_DESC };
	x = catalog_add_index(c, r, "x");
	x->method = "gin";
	x->column_count = 2;
	x->columns = catalog_index_columns(c, 2);
	x->columns[1] = (struct index_column){ "b", SORT_ASC, "jsonb_ops", true };
	f = catalog_add_reference(c, "public", "T", "f");
	f->columns = list(c, "a", NULL);
	f->referenced = "U";
	f->referenced_columns = list(c, "id", NULL);
	f->on_delete = ACTION_SET_DEFAULT;
	for (i = OBJECT_CHECK; i < OBJECT_KINDS; i++)
		catalog_add_definition(c, (enum object_kind)i, "public", NULL, "d")->state = "disabled";
}

static void
write_to(const char *path, const struct catalog *c)
{
	struct writer *writer = writer_open(path, SCHEMA_STREAM);

	catalog_write(c, writer);
	(void)writer_end(writer, 0);
}

static char *
file_text(const char *path)
{
	FILE *file = fopen(path, "r");
	struct bytes b = { 0 };

	(void)bytes_read_fd(&b, fileno(file));
	fclose(file);
	return b.data;
}

static void
test_round_trip(void)
{
	static const char *const kinds[] = { SCHEMA_STREAM, NULL };
	struct catalog one = { 0 }, two = { 0 };
	struct reader *reader;
	char *a, *b;

	fill(&one);
	write_to(first, &one);
	reader = reader_open(first, "Nothing was done.", "");
	check("the stream begins", reader_begin(reader, kinds) == READING_RECORD);
	check("a catalog reads back", catalog_read(reader, &two) == READING_END);
	reader_free(reader);
	write_to(second, &two);
	a = file_text(first);
	b = file_text(second);
	check_text("and is the same", b, a);
	free(a);
	free(b);
	catalog_free(&one);
	catalog_free(&two);
}

static void
test_names(void)
{
	struct catalog c = { 0 };
	struct relation *found;
	char name[16];
	int i;

	for (i = 2000; i > 0; i--) {
		snprintf(name, sizeof name, "t%d", i);
		(void)catalog_add_relation(&c, i % 2 == 0 ? "a" : NULL, name, RELATION_TABLE);
	}
	found = catalog_relation(&c, "a", "t1234");
	check("a relation is found", found != NULL && strcmp(found->name, "t1234") == 0);
	check("a schema is part of the name", catalog_relation(&c, NULL, "t1234") == NULL);
	catalog_settle(&c, "public");
	check("what was in no schema is in that one", catalog_relation(&c, "public", "t1233") != NULL);
	catalog_order(&c);
	check_text("sorted by schema", c.relations[0]->schema, "a");
	check_text("and name, by bytes", c.relations[0]->name, "t10");
	check_text("to the last", c.relations[1999]->name, "t999");
	catalog_free(&c);
}

int
main(void)
{
	char folder[] = "/tmp/u_catalog.XXXXXX";

	message_begin("u_catalog");
	if (mkdtemp(folder) == NULL || chdir(folder) != 0)
		return 1;
	test_round_trip();
	test_names();
	unlink(first);
	unlink(second);
	rmdir(folder);
	return checks_failed();
}
