/*
 * Reads columns: their types under Prisma's names, and their defaults.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/default_text.h"
#include "catalog/read_internal.h"

enum arguments { NO_ARGUMENTS, LENGTH, BIT_LENGTH, PRECISION_SCALE, FRACTION };

/* PostgreSQL's names, Prisma's, what stands behind them, and how a default is written. */
static const struct native {
	const char *name, *prisma;
	enum arguments arguments;
	enum default_family family;
} natives[] = {
	{ "bit", "Bit", BIT_LENGTH, FAMILY_TEXT },
	{ "bool", "Boolean", NO_ARGUMENTS, FAMILY_BOOLEAN },
	{ "bpchar", "Char", LENGTH, FAMILY_TEXT },
	{ "bytea", "ByteA", NO_ARGUMENTS, FAMILY_BYTES },
	{ "char", "Char", NO_ARGUMENTS, FAMILY_TEXT },
	{ "citext", "Citext", NO_ARGUMENTS, FAMILY_TEXT },
	{ "date", "Date", NO_ARGUMENTS, FAMILY_TIME },
	{ "float4", "Real", NO_ARGUMENTS, FAMILY_DECIMAL },
	{ "float8", "DoublePrecision", NO_ARGUMENTS, FAMILY_DECIMAL },
	{ "inet", "Inet", NO_ARGUMENTS, FAMILY_TEXT },
	{ "int2", "SmallInt", NO_ARGUMENTS, FAMILY_INTEGER },
	{ "int4", "Integer", NO_ARGUMENTS, FAMILY_INTEGER },
	{ "int8", "BigInt", NO_ARGUMENTS, FAMILY_INTEGER },
	{ "json", "Json", NO_ARGUMENTS, FAMILY_TEXT },
	{ "jsonb", "JsonB", NO_ARGUMENTS, FAMILY_TEXT },
	{ "money", "Money", NO_ARGUMENTS, FAMILY_DECIMAL },
	{ "numeric", "Decimal", PRECISION_SCALE, FAMILY_DECIMAL },
	{ "oid", "Oid", NO_ARGUMENTS, FAMILY_INTEGER },
	{ "text", "Text", NO_ARGUMENTS, FAMILY_TEXT },
	{ "time", "Time", FRACTION, FAMILY_TIME },
	{ "timestamp", "Timestamp", FRACTION, FAMILY_TIME },
	{ "timestamptz", "Timestamptz", FRACTION, FAMILY_TIME },
	{ "timetz", "Timetz", FRACTION, FAMILY_TIME },
	{ "uuid", "Uuid", NO_ARGUMENTS, FAMILY_NONE },
	{ "varbit", "VarBit", BIT_LENGTH, FAMILY_TEXT },
	{ "varchar", "VarChar", LENGTH, FAMILY_TEXT },
	{ "xml", "Xml", NO_ARGUMENTS, FAMILY_TEXT }
};

static int
by_name(const void *name, const void *native)
{
	return strcmp(name, ((const struct native *)native)->name);
}

static const struct native *
native_of(const char *name)
{
	return bsearch(name, natives, sizeof natives / sizeof *natives, sizeof *natives, by_name);
}

enum { COLUMN_SCHEMA, COLUMN_RELATION, COLUMN_NAME, COLUMN_OID, COLUMN_NUMBER, COLUMN_TYPE_SCHEMA, COLUMN_TYPE, COLUMN_IS_ARRAY,
	COLUMN_MODIFIER, COLUMN_TYPE_TEXT, COLUMN_REQUIRED, COLUMN_NOT_NULL, COLUMN_IDENTITY, COLUMN_GENERATED, COLUMN_COLLATION,
	COLUMN_DEFAULT };

/* The arguments that a written type has: "character varying(10)[]". */
static int
written_arguments(const char *written, long long out[2])
{
	const char *bracket = strchr(written, '(');

	return bracket == NULL ? 0 : sscanf(bracket, "(%lld,%lld)", &out[0], &out[1]);
}

/* In arrays only what is written counts; elsewhere information_schema's rules do. */
static int
arguments_of(const struct native *native, bool is_array, long long modifier, const char *written, long long out[2])
{
	int count;

	switch (native->arguments) {
	case PRECISION_SCALE:
		if (is_array) {
			count = written_arguments(written, out);
			return count == 2 ? 2 : 0;
		}
		if (modifier < 4)
			return 0;
		out[0] = ((modifier - 4) >> 16) & 65535;
		out[1] = (modifier - 4) & 65535;
		return 2;
	case LENGTH:
		if (is_array)
			return written_arguments(written, out) > 0;
		out[0] = modifier - 4;
		return modifier >= 4;
	case BIT_LENGTH:
		if (is_array)
			return written_arguments(written, out) > 0;
		out[0] = modifier;
		return modifier >= 0;
	case FRACTION:
		if (is_array)
			return written_arguments(written, out) > 0;
		out[0] = modifier < 0 ? 6 : modifier;
		return 1;
	default:
		return 0;
	}
}

static enum default_family
take_type(struct reading_state *s, const struct answer *a, size_t row, struct column *column)
{
	bool is_array = answer_flag(a, row, COLUMN_IS_ARRAY);
	const char *type = answer_word(a, row, COLUMN_TYPE), *schema = answer_word(a, row, COLUMN_TYPE_SCHEMA);
	const char *element = is_array && *type == '_' ? type + 1 : type;
	const struct native *native = native_of(*type == '_' && native_of(type + 1) != NULL ? type + 1 : type);

	if (native != NULL) {
		column->type_kind = TYPE_NATIVE;
		column->type = native->prisma;
		column->argument_count = arguments_of(native, is_array, answer_number(a, row, COLUMN_MODIFIER),
		    answer_word(a, row, COLUMN_TYPE_TEXT), column->arguments);
		return native->family;
	}
	column->type = catalog_text(s->catalog, type);
	if (catalog_enum(s->catalog, schema, element) != NULL) {
		column->type_kind = TYPE_ENUM;
		column->type = catalog_text(s->catalog, element);
		column->type_schema = catalog_text(s->catalog, schema);
		return FAMILY_ENUM;
	}
	column->type_kind = TYPE_UNSUPPORTED;
	return FAMILY_NONE;
}

/* The default of a column in the other answer, which has the same order. */
static const char *
default_of(struct reading_state *s, const struct answer *a, size_t row)
{
	long long oid = answer_count(a, row, COLUMN_OID), number = answer_count(a, row, COLUMN_NUMBER);

	for (; s->defaults_at < answer_rows(s->defaults); s->defaults_at++) {
		long long at = answer_count(s->defaults, s->defaults_at, 0);

		if (at > oid || (at == oid && answer_count(s->defaults, s->defaults_at, 1) > number))
			return NULL;
		if (at == oid && answer_count(s->defaults, s->defaults_at, 1) == number)
			return answer_text(s->defaults, s->defaults_at, 2);
	}
	return NULL;
}

static void
take_column(struct reading_state *s, const struct answer *a, size_t row, struct relation *relation)
{
	struct column *c = catalog_add_column(s->catalog, relation, answer_word(a, row, COLUMN_NAME));
	bool is_array = answer_flag(a, row, COLUMN_IS_ARRAY);
	enum default_family family = take_type(s, a, row, c);

	c->arity = is_array ? ARITY_LIST : answer_flag(a, row, COLUMN_REQUIRED) ? ARITY_REQUIRED : ARITY_NULLABLE;
	default_parse(s->catalog, default_of(s, a, row), family, is_array, &c->value);
	c->type_text = catalog_text(s->catalog, answer_text(a, row, COLUMN_TYPE_TEXT));
	c->not_null = answer_flag(a, row, COLUMN_NOT_NULL);
	c->identity = catalog_text(s->catalog, answer_text(a, row, COLUMN_IDENTITY));
	c->generated = catalog_text(s->catalog, answer_text(a, row, COLUMN_GENERATED));
	c->collation = catalog_text(s->catalog, answer_text(a, row, COLUMN_COLLATION));
	c->default_text = catalog_text(s->catalog, answer_text(a, row, COLUMN_DEFAULT));
	c->autoincrement = c->identity != NULL || c->value.kind == DEFAULT_SEQUENCE;
}

static void
take_columns(struct reading_state *s, const struct answer *a)
{
	struct relation *relation = NULL;
	long long oid = 0; /* which no relation has */
	size_t i;

	for (i = 0; i < answer_rows(a); i++) {
		if (answer_count(a, i, COLUMN_OID) != oid) {
			oid = answer_count(a, i, COLUMN_OID);
			relation = catalog_relation(s->catalog, answer_word(a, i, COLUMN_SCHEMA), answer_word(a, i, COLUMN_RELATION));
		}
		if (relation != NULL)
			take_column(s, a, i, relation);
	}
}

/* A domain passes for what is below it, as in information_schema. */
const struct read_part read_part_columns = {
	.sql = "SELECT n.nspname, c.relname, a.attname, a.attrelid, a.attnum, tn.nspname, t.typname, t.typelem <> 0 AND t.typlen = -1,"
	       " CASE d.typtype WHEN 'd' THEN d.typtypmod ELSE a.atttypmod END, format_type(a.atttypid, a.atttypmod),"
	       " a.attnotnull OR (d.typtype = 'd' AND d.typnotnull), a.attnotnull,"
	       " CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,"
	       " CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' END,"
	       " (SELECT format('%I.%I', cn.nspname, l.collname) FROM pg_collation l JOIN pg_namespace cn ON cn.oid = l.collnamespace"
	       " WHERE l.oid = a.attcollation AND a.attcollation <> d.typcollation),"
	       " pg_get_expr(f.adbin, f.adrelid)"
	       " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
	       " JOIN pg_type d ON d.oid = a.atttypid"
	       " JOIN pg_type t ON t.oid = CASE d.typtype WHEN 'd' THEN d.typbasetype ELSE d.oid END"
	       " JOIN pg_namespace tn ON tn.oid = t.typnamespace"
	       " LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum"
	       " WHERE a.attnum > 0 AND NOT a.attisdropped AND " READ_TABLE " ORDER BY a.attrelid, a.attnum",
	.take = take_columns,
	.kind = OBJECT_COLUMN
};

/* As Prisma's session sees them, whose search path is the default schema: `now()`, and not what is qualified. */
const struct read_part read_part_defaults = {
	.sql = "SELECT f.adrelid, f.adnum, CASE WHEN set_config('search_path', current_setting('mig.search_path'), true) IS NOT NULL"
	       " THEN pg_get_expr(f.adbin, f.adrelid) END FROM pg_attrdef f ORDER BY f.adrelid, f.adnum",
	.kind = OBJECT_COLUMN
};
