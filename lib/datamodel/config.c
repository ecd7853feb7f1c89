/* The blocks datasource and generator. */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/suggest.h"
#include "datamodel/datamodel_internal.h"

static const char *const datasource_properties[] = { "provider", "url", "directUrl", "shadowDatabaseUrl", "relationMode",
	"referentialIntegrity", "schemas", "extensions" };
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct property *
find_property(const struct block *b, const char *name)
{
	const struct property *p;

	for (p = b->properties; p != NULL; p = p->next)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

/* The string of a property; NULL if it is missing, or not a string and reported. */
static const char *
string_of(struct datamodel *d, const struct property *p)
{
	if (p == NULL)
		return NULL;
	if (p->value == NULL || p->value->kind != EXPRESSION_STRING) {
		(void)wrong(d, p->place, "%s must be a string", p->name);
		return NULL;
	}
	return p->value->text;
}

/* A string, or env("NAME"). */
static void
check_string_or_env(struct datamodel *d, const struct property *p)
{
	const struct expression *e = p != NULL ? p->value : NULL;

	if (e == NULL || e->kind == EXPRESSION_STRING)
		return;
	if (e->kind != EXPRESSION_CALL || strcmp(e->text, "env") != 0 || e->arguments == NULL || e->arguments->next != NULL ||
	    e->arguments->value.kind != EXPRESSION_STRING)
		(void)wrong(d, p->place, "%s must be a string or env(\"NAME\")", p->name);
}

static void
check_properties(struct datamodel *d, const struct block *b)
{
	const struct property *p, *q;

	for (p = b->properties; p != NULL; p = p->next) {
		for (q = b->properties; q != p; q = q->next)
			if (strcmp(p->name, q->name) == 0)
				(void)wrong(d, p->place, "%s appears twice in %s", p->name, b->name);
		if (p->value == NULL)
			(void)wrong(d, p->place, "%s has no value", p->name);
	}
}

static void
check_datasource_properties(struct datamodel *d, const struct block *b)
{
	const struct property *p;
	const char *near;
	size_t i;

	for (p = b->properties; p != NULL; p = p->next) {
		for (i = 0; i < COUNT(datasource_properties); i++)
			if (strcmp(p->name, datasource_properties[i]) == 0)
				break;
		if (i < COUNT(datasource_properties))
			continue;
		near = suggest_nearest(p->name, strlen(p->name), datasource_properties, COUNT(datasource_properties));
		(void)wrong(d, p->place, near != NULL ? "a datasource has no property %s; did you mean %s?"
		                                      : "a datasource has no property %s", p->name, near);
	}
}

static void
read_provider(struct datamodel *d, const struct block *b)
{
	const struct property *p = find_property(b, "provider");
	const char *provider = string_of(d, p);

	if (p == NULL)
		(void)wrong(d, b->place, "the datasource %s has no provider", b->name);
	else if (provider != NULL && strcmp(provider, "postgresql") != 0 && strcmp(provider, "postgres") != 0)
		(void)wrong(d, p->place, "the provider is \"%s\"; mig supports only postgresql", provider);
}

static void
read_relation_mode(struct datamodel *d, const struct block *b)
{
	const struct property *p = find_property(b, "relationMode"), *old = find_property(b, "referentialIntegrity");
	const char *mode;

	if (p != NULL && old != NULL)
		(void)wrong(d, old->place, "referentialIntegrity is the old name of relationMode: use only one of them");
	p = p != NULL ? p : old;
	if ((mode = string_of(d, p)) == NULL)
		return;
	d->relation_mode_prisma = strcmp(mode, "prisma") == 0;
	if (!d->relation_mode_prisma && strcmp(mode, "foreignKeys") != 0)
		(void)wrong(d, p->place, "%s must be \"prisma\" or \"foreignKeys\"", p->name);
}

static void
read_schemas(struct datamodel *d, const struct block *b)
{
	const struct property *p = find_property(b, "schemas");
	const char **names;
	const struct argument *a;
	size_t count = 0, i;

	if (p == NULL || p->value == NULL)
		return;
	d->has_schemas = true;
	if (p->value->kind != EXPRESSION_ARRAY) {
		(void)wrong(d, p->place, "schemas must be a list of names");
		return;
	}
	for (a = p->value->arguments; a != NULL; a = a->next)
		count++;
	if (count == 0)
		(void)wrong(d, p->place, "schemas is empty: name one, or remove it");
	names = arena_alloc(d->arena, (count + 1) * sizeof *names);
	count = 0;
	for (a = p->value->arguments; a != NULL; a = a->next) {
		if (a->value.kind != EXPRESSION_STRING || *a->value.text == '\0') {
			(void)wrong(d, a->place, "the name of a schema must be a string");
			continue;
		}
		for (i = 0; i < count; i++)
			if (strcmp(names[i], a->value.text) == 0)
				(void)wrong(d, a->place, "the schema \"%s\" appears twice in the list", names[i]);
		names[count++] = a->value.text;
	}
	d->schemas = (struct text_list){ names, count };
}

/* --- preview features --- */

/* What 6.19 still knows, so that a misspelt one is found.  Of these only two matter here. */
static const char *const features[] = { "aggregateApi", "atomicNumberOperations", "clientExtensions", "cockroachdb",
	"connectOrCreate", "createMany", "dataProxy", "deno", "distinct", "driverAdapters", "extendedIndexes",
	"extendedWhereUnique", "fieldReference", "filteredRelationCount", "filterJson", "fullTextIndex", "fullTextSearch",
	"fullTextSearchPostgres", "groupBy", "improvedQueryRaw", "insensitiveFilters", "interactiveTransactions",
	"jsonProtocol", "metrics", "microsoftSqlServer", "middlewares", "mongoDb", "mongodb", "multiSchema",
	"namedConstraints", "nApi", "nativeDistinct", "nativeTypes", "omitApi", "orderByAggregateGroup", "orderByNulls",
	"orderByRelation", "postgresqlExtensions", "prismaSchemaFolder", "queryCompiler", "reactNative", "referentialActions",
	"referentialIntegrity", "relationJoins", "schemaEngineDriverAdapters", "selectRelationCount", "shardKeys",
	"strictUndefinedChecks", "tracing", "transactionApi", "transactionalApi", "typedSql", "uncheckedScalarInputs",
	"views" };

static void
read_feature(struct datamodel *d, const struct expression *value)
{
	const char *near;
	size_t i;

	if (value->kind != EXPRESSION_STRING) {
		(void)wrong(d, value->place, "a preview feature must be a string");
		return;
	}
	for (i = 0; i < COUNT(features); i++)
		if (strcasecmp(features[i], value->text) == 0)
			break;
	if (i == COUNT(features)) {
		near = suggest_nearest(value->text, strlen(value->text), features, COUNT(features));
		(void)wrong(d, value->place, near != NULL ? "there is no preview feature \"%s\"; did you mean \"%s\"?"
		                                          : "there is no preview feature \"%s\"", value->text, near);
	}
	d->views = d->views || strcasecmp(value->text, "views") == 0;
	d->counts_extensions = d->counts_extensions || strcasecmp(value->text, "postgresqlExtensions") == 0;
}

static void
read_generator(struct datamodel *d, const struct block *b)
{
	const struct property *p = find_property(b, "previewFeatures");
	const struct block *other;
	const struct argument *a;

	if (find_property(b, "provider") == NULL)
		(void)wrong(d, b->place, "the generator %s has no provider", b->name);
	check_string_or_env(d, find_property(b, "provider"));
	check_string_or_env(d, find_property(b, "output"));
	for (other = d->blocks; other != b; other = other->next)
		if (other->kind == BLOCK_GENERATOR && strcmp(other->name, b->name) == 0)
			(void)wrong(d, b->place, "the generator %s is defined twice", b->name);
	if (p == NULL || p->value == NULL)
		return;
	if (p->value->kind != EXPRESSION_ARRAY) {
		read_feature(d, p->value);
		return;
	}
	for (a = p->value->arguments; a != NULL; a = a->next)
		read_feature(d, &a->value);
}

/* Whether two addresses are written the same way. */
static bool
same_address(const struct property *a, const struct property *b)
{
	const struct expression *x = a != NULL ? a->value : NULL, *y = b != NULL ? b->value : NULL;

	if (x == NULL || y == NULL || x->kind != y->kind)
		return false;
	if (x->kind == EXPRESSION_CALL && x->arguments != NULL && y->arguments != NULL)
		return text_equal(x->arguments->value.text, y->arguments->value.text);
	return x->kind == EXPRESSION_STRING && strcmp(x->text, y->text) == 0;
}

/* Prisma's shadow database is emptied. */
static void
check_shadow(struct datamodel *d, const struct block *b)
{
	static const char *const others[] = { "url", "directUrl" };
	const struct property *shadow = find_property(b, "shadowDatabaseUrl");
	size_t i;

	for (i = 0; i < COUNT(others); i++)
		if (same_address(shadow, find_property(b, others[i])))
			(void)wrong(d, shadow->place, "shadowDatabaseUrl is the same as %s: a shadow database loses all that is in it",
			    others[i]);
}

static void
read_datasource(struct datamodel *d, const struct block *b)
{
	if (d->datasource != NULL) {
		(void)wrong(d, b->place, "there is a second datasource: only one is allowed");
		return;
	}
	d->datasource = b->name;
	check_datasource_properties(d, b);
	check_string_or_env(d, find_property(b, "url"));
	check_string_or_env(d, find_property(b, "directUrl"));
	check_string_or_env(d, find_property(b, "shadowDatabaseUrl"));
	check_shadow(d, b);
	read_provider(d, b);
	read_relation_mode(d, b);
	read_schemas(d, b);
	d->extensions = find_property(b, "extensions");
}

/* Extensions are read by to_catalog.c: here only whether they may be there at all. */
static void
check_extension(struct datamodel *d, const struct expression *e)
{
	static const struct argument_spec specs[] = { { "map", false }, { "schema", false }, { "version", false },
		{ NULL, false } };
	const struct expression *values[3];
	size_t i;

	if (e->kind != EXPRESSION_NAME && e->kind != EXPRESSION_CALL) {
		(void)wrong(d, e->place, "write an extension as its name, or as name(map: \"...\", schema: \"...\", version: \"...\")");
		return;
	}
	if (strchr(e->text, '-') != NULL)
		(void)wrong(d, e->place, "%s: the name of an extension must not contain a hyphen here; map: \"...\" may", e->text);
	if (e->kind == EXPRESSION_NAME || !take_arguments(d, e->text, e->arguments, specs, values))
		return;
	for (i = 0; i < COUNT(values); i++)
		if (values[i] != NULL)
			(void)expect_kind(d, values[i], EXPRESSION_STRING, specs[i].name);
}

static void
check_extensions(struct datamodel *d)
{
	const struct property *p = d->extensions;
	const struct argument *a;

	if (p == NULL || p->value == NULL)
		return;
	if (!d->counts_extensions) {
		(void)wrong(d, p->place, "extensions needs the preview feature postgresqlExtensions");
		return;
	}
	if (p->value->kind != EXPRESSION_ARRAY) {
		check_extension(d, p->value);
		return;
	}
	for (a = p->value->arguments; a != NULL; a = a->next)
		check_extension(d, &a->value);
}

void
read_config(struct datamodel *d)
{
	const struct block *b;

	for (b = d->blocks; b != NULL; b = b->next) {
		if (b->kind != BLOCK_DATASOURCE && b->kind != BLOCK_GENERATOR)
			continue;
		check_properties(d, b);
		if (b->kind == BLOCK_DATASOURCE)
			read_datasource(d, b);
		else
			read_generator(d, b);
	}
	if (d->datasource == NULL)
		(void)wrong(d, d->blocks != NULL ? d->blocks->place : d->begin, "there is no datasource, so the kind of database is unknown");
	check_extensions(d);
}
