/* Which operator classes an index of each type may have, on what; and what it may be on without one. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "datamodel/datamodel_internal.h"

struct operator_class {
	const char *name;        /* as ops: writes it */
	const char *sql;
	const char *method;
	bool is_default;
	enum native natives[3];  /* which it fits, also as lists; NATIVE_SMALLINT, 0, from the second on: none */
};

#define BRIN_ALL(prefix, sql, native)                                                             \
	{ prefix "BloomOps", sql "_bloom_ops", "Brin", false, { native } },               \
	{ prefix "MinMaxOps", sql "_minmax_ops", "Brin", true, { native } },              \
	{ prefix "MinMaxMultiOps", sql "_minmax_multi_ops", "Brin", false, { native } }
#define BRIN_TWO(prefix, sql, native, other)                                                      \
	{ prefix "BloomOps", sql "_bloom_ops", "Brin", false, { native, other } },                \
	{ prefix "MinMaxOps", sql "_minmax_ops", "Brin", true, { native, other } }

static const struct operator_class classes[] = {
	{ "JsonbOps", "jsonb_ops", "Gin", true, { NATIVE_JSONB } },
	{ "JsonbPathOps", "jsonb_path_ops", "Gin", false, { NATIVE_JSONB } },
	{ "ArrayOps", "array_ops", "Gin", true, { NATIVE_COUNT } }, /* any list */
	{ "InetOps", "inet_ops", "Gist", false, { NATIVE_INET } },
	{ "InetOps", "inet_ops", "SpGist", true, { NATIVE_INET } },
	{ "TextOps", "text_ops", "SpGist", true, { NATIVE_TEXT, NATIVE_VARCHAR, NATIVE_CHAR } },
	{ "BitMinMaxOps", "bit_minmax_ops", "Brin", true, { NATIVE_BIT } },
	{ "VarBitMinMaxOps", "varbit_minmax_ops", "Brin", true, { NATIVE_VARBIT } },
	BRIN_TWO("Bpchar", "bpchar", NATIVE_CHAR, NATIVE_CHAR),
	BRIN_TWO("Bytea", "bytea", NATIVE_BYTEA, NATIVE_BYTEA),
	BRIN_ALL("Date", "date", NATIVE_DATE),
	BRIN_ALL("Float4", "float4", NATIVE_REAL),
	BRIN_ALL("Float8", "float8", NATIVE_DOUBLE),
	{ "InetInclusionOps", "inet_inclusion_ops", "Brin", true, { NATIVE_INET } },
	{ "InetBloomOps", "inet_bloom_ops", "Brin", false, { NATIVE_INET } },
	{ "InetMinMaxOps", "inet_minmax_ops", "Brin", false, { NATIVE_INET } },
	{ "InetMinMaxMultiOps", "inet_minmax_multi_ops", "Brin", false, { NATIVE_INET } },
	BRIN_ALL("Int2", "int2", NATIVE_SMALLINT),
	BRIN_ALL("Int4", "int4", NATIVE_INTEGER),
	BRIN_ALL("Int8", "int8", NATIVE_BIGINT),
	BRIN_ALL("Numeric", "numeric", NATIVE_DECIMAL),
	BRIN_ALL("Oid", "oid", NATIVE_OID),
	BRIN_TWO("Text", "text", NATIVE_TEXT, NATIVE_VARCHAR),
	BRIN_ALL("Timestamp", "timestamp", NATIVE_TIMESTAMP),
	BRIN_ALL("TimestampTz", "timestamptz", NATIVE_TIMESTAMPTZ),
	BRIN_ALL("Time", "time", NATIVE_TIME),
	BRIN_ALL("TimeTz", "timetz", NATIVE_TIMETZ),
	BRIN_ALL("Uuid", "uuid", NATIVE_UUID),
};
#define CLASSES (sizeof classes / sizeof *classes)

/* raw("...") is whatever PostgreSQL has. */
static bool
read_raw(struct datamodel *d, const struct expression *ops, struct key_part *part)
{
	const struct argument *a = ops->arguments;

	if (strcmp(ops->text, "raw") != 0 || a == NULL || a->next != NULL || a->name != NULL || a->value.kind != EXPRESSION_STRING)
		return wrong(d, ops->place, "ops must be an operator class or raw(\"...\")");
	part->operator_class = a->value.text;
	return true;
}

static bool
fits(const struct operator_class *c, const struct field *f)
{
	if (c->natives[0] == NATIVE_COUNT)
		return f->decl->arity == FIELD_MANY;
	return f->kind == FIELD_SCALAR &&
	    (f->native == c->natives[0] || (f->native != NATIVE_SMALLINT && (f->native == c->natives[1] || f->native == c->natives[2])));
}

bool
read_operator_class(struct datamodel *d, const struct expression *ops, const char *method, struct key_part *part)
{
	const struct operator_class *other = NULL;
	size_t i;

	if (ops->kind == EXPRESSION_CALL)
		return read_raw(d, ops, part);
	if (!expect_kind(d, ops, EXPRESSION_NAME, "ops"))
		return false;
	for (i = 0; i < CLASSES; i++) {
		if (strcmp(classes[i].name, ops->text) != 0)
			continue;
		other = &classes[i];
		if (strcmp(other->method, method) == 0)
			break;
	}
	if (other == NULL)
		return wrong(d, ops->place, "the operator class %s is not known; raw(\"...\") takes any", ops->text);
	if (i == CLASSES)
		return wrong(d, ops->place, "the operator class %s is for indexes of type %s, not %s", ops->text, other->method,
		    method);
	if (!fits(&classes[i], part->field))
		return wrong(d, ops->place, "the operator class %s does not fit %s, which is %s", ops->text,
		    part->field->decl->name, part->field->decl->type);
	part->operator_class = classes[i].sql;
	part->default_class = classes[i].is_default;
	return true;
}

/* Whether an index of that method may be on the field without an operator class, as Prisma sees it. */
static bool
has_default_class(const char *method, const struct field *f)
{
	size_t i;

	if (strcmp(method, "BTree") == 0 || strcmp(method, "Hash") == 0 || f->kind == FIELD_UNSUPPORTED)
		return true;
	if (strcmp(method, "Gin") == 0 && f->decl->arity == FIELD_MANY)
		return true;
	if (strcmp(method, "Gist") == 0)
		return f->kind == FIELD_SCALAR && strcmp(f->scalar, "String") == 0 && !f->has_native;
	for (i = 0; i < CLASSES; i++)
		if (classes[i].is_default && strcmp(classes[i].method, method) == 0 && classes[i].natives[0] != NATIVE_COUNT &&
		    fits(&classes[i], f))
			return true;
	return false;
}

bool
check_index_type(struct datamodel *d, const struct key_decl *k, const struct key_part *part)
{
	const struct field *f = part->field;

	if (k->kind == KEY_ID)
		return true;
	if (f->native == NATIVE_XML && f->kind == FIELD_SCALAR)
		return wrong(d, k->attribute->place, "%s is Xml, and PostgreSQL cannot index that", f->decl->name);
	if (part->operator_class == NULL && !has_default_class(k->method, f))
		return wrong(d, k->attribute->place, "an index of type %s on %s needs an operator class: %s(ops: ...)", k->method,
		    f->decl->name, f->decl->name);
	return true;
}
