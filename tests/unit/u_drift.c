#include "catalog/catalog.h"
#include "check.h"
#include "diff/diff.h"

/* A live catalog of one table, whose parts the tests change. */
static void
fill(struct catalog *c)
{
	struct relation *r;
	struct column *col;
	struct definition *d;
	int kind;

	c->source = SOURCE_CATALOG;
	c->default_schema = "public";
	for (kind = 0; kind < OBJECT_KINDS; kind++)
		c->covers[kind] = true;
	(void)catalog_add_namespace(c, "public");
	(void)catalog_add_relation(c, "public", "_prisma_migrations", RELATION_TABLE);
	r = catalog_add_relation(c, "public", "T", RELATION_TABLE);
	col = catalog_add_column(c, r, "a");
	col->type = col->type_text = "integer";
	col->default_text = "1";
	catalog_add_index(c, r, "x")->definition = "CREATE INDEX x ON public.\"T\" USING btree (a)";
	d = catalog_add_definition(c, OBJECT_TRIGGER, "public", "T", "t");
	d->definition = "CREATE TRIGGER t ...";
	catalog_add_definition(c, OBJECT_VIEW, "public", NULL, "v")->definition = "SELECT 1;";
}

/* The only line that two catalogs differ in; "" where they do not, "many" where in more. */
static const char *
only_line(struct catalog *from, struct catalog *to)
{
	static char line[256];
	struct diff diff = { 0 };
	struct bytes out = { 0 };

	diff_drift(from, to, &diff);
	if (diff.difference_count == 1)
		difference_line(&diff.differences[0], &out);
	snprintf(line, sizeof line, "%s", diff.difference_count > 1 ? "many" : bytes_text(&out));
	bytes_free(&out);
	diff_free(&diff);
	catalog_free(from);
	catalog_free(to);
	return line;
}

int
main(void)
{
	struct catalog a = { 0 }, b = { 0 };

	fill(&a);
	fill(&b);
	check_text("the same catalog twice", only_line(&a, &b), "");

	fill(&a);
	fill(&b);
	(void)catalog_add_column(&a, catalog_relation(&a, "public", "_prisma_migrations"), "id");
	catalog_add_extension(&a, "x")->version = "1";
	catalog_add_extension(&b, "x")->version = "2";
	catalog_add_relation(&b, "public", "spatial", RELATION_TABLE)->is_extensions = true;
	check_text("what changes by itself", only_line(&a, &b), "");

	fill(&a);
	fill(&b);
	catalog_relation(&b, "public", "T")->columns[0].default_text = NULL;
	check_text("a default", only_line(&a, &b), "column T.a: default 1 -> no default");

	fill(&a);
	fill(&b);
	catalog_relation(&b, "public", "T")->columns[0].not_null = true;
	check_text("nullability", only_line(&a, &b), "column T.a: nullable -> not null");

	fill(&a);
	fill(&b);
	catalog_relation(&a, "public", "T")->indexes[0].is_invalid = true;
	check_text("an invalid index", only_line(&a, &b), "index T.x: invalid -> valid");

	fill(&a);
	fill(&b);
	a.definitions[0].state = "disabled";
	check_text("a trigger that is off", only_line(&a, &b), "trigger T.t: state disabled -> no state");

	fill(&a);
	fill(&b);
	(void)catalog_add_column(&a, catalog_add_relation(&a, "public", "U", RELATION_TABLE), "id");
	check_text("a table with all that is in it is one difference", only_line(&a, &b),
	    "table U removed; all its rows are lost");

	fill(&a);
	fill(&b);
	b.definition_count = 0;
	b.covers[OBJECT_VIEW] = b.covers[OBJECT_TRIGGER] = false;
	check_text("silence about what one side cannot know", only_line(&a, &b), "");
	return checks_failed();
}
