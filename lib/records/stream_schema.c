#include "records/stream_schema.h"

#include <stddef.h>

#define TEXT(type, key, member)    { key, FIELD_TEXT, false, offsetof(struct type, member), NULL }
#define TEXT_OR_NULL(type, key, member) { key, FIELD_TEXT, true, offsetof(struct type, member), NULL }
#define FLAG(type, key, member)    { key, FIELD_FLAG, false, offsetof(struct type, member), NULL }
#define LIST(type, key, member)    { key, FIELD_LIST, false, offsetof(struct type, member), NULL }
#define LIST_OR_NULL(type, key, member) { key, FIELD_LIST, true, offsetof(struct type, member), NULL }
#define LAST                       { NULL, FIELD_TEXT, false, 0, NULL }

static const struct field schema_fields[] = {
	TEXT(schema_head, "source", source),
	TEXT_OR_NULL(schema_head, "origin", origin),
	TEXT_OR_NULL(schema_head, "default_schema", default_schema),
	LIST(schema_head, "schemas", schemas),
	FLAG(schema_head, "counts_extensions", counts_extensions),
	FLAG(schema_head, "relation_mode_prisma", relation_mode_prisma),
	TEXT_OR_NULL(schema_head, "server_version", server_version),
	LIST(schema_head, "covers", covers),
	LAST,
};
const struct record_form schema_form = { "schema", schema_fields };

static const struct field namespace_fields[] = {
	TEXT(schema_namespace, "schema", schema),
	LAST,
};
const struct record_form namespace_form = { "namespace", namespace_fields };

static const struct field extension_fields[] = {
	TEXT(schema_extension, "extension", extension),
	TEXT_OR_NULL(schema_extension, "schema", schema),
	TEXT_OR_NULL(schema_extension, "version", version),
	FLAG(schema_extension, "relocatable", relocatable),
	LAST,
};
const struct record_form extension_form = { "extension", extension_fields };

static const struct field enum_fields[] = {
	TEXT_OR_NULL(schema_enum, "schema", schema),
	TEXT(schema_enum, "enum", name),
	LIST(schema_enum, "values", values),
	LAST,
};
const struct record_form enum_form = { "enum", enum_fields };

static const struct field relation_fields[] = {
	TEXT_OR_NULL(schema_relation, "schema", schema),
	TEXT(schema_relation, "relation", relation),
	TEXT(schema_relation, "kind", kind),
	FLAG(schema_relation, "unlogged", is_unlogged),
	TEXT_OR_NULL(schema_relation, "row_security", row_security),
	TEXT_OR_NULL(schema_relation, "options", options),
	TEXT_OR_NULL(schema_relation, "definition", definition),
	FLAG(schema_relation, "of_extension", is_extensions),
	LAST,
};
const struct record_form relation_form = { "relation", relation_fields };

static const struct field column_fields[] = {
	TEXT_OR_NULL(schema_column, "schema", schema),
	TEXT(schema_column, "relation", relation),
	TEXT(schema_column, "column", column),
	TEXT(schema_column, "arity", arity),
	TEXT(schema_column, "type_kind", type_kind),
	TEXT(schema_column, "type", type),
	TEXT_OR_NULL(schema_column, "type_schema", type_schema),
	TEXT_OR_NULL(schema_column, "arguments", arguments),
	TEXT_OR_NULL(schema_column, "default_kind", default_kind),
	TEXT_OR_NULL(schema_column, "default_type", default_type),
	TEXT_OR_NULL(schema_column, "default", default_value),
	LIST_OR_NULL(schema_column, "default_list", default_list),
	FLAG(schema_column, "autoincrement", autoincrement),
	TEXT_OR_NULL(schema_column, "type_text", type_text),
	FLAG(schema_column, "not_null", not_null),
	TEXT_OR_NULL(schema_column, "default_text", default_text),
	TEXT_OR_NULL(schema_column, "identity", identity),
	TEXT_OR_NULL(schema_column, "generated", generated),
	TEXT_OR_NULL(schema_column, "collation", collation),
	LAST,
};
const struct record_form column_form = { "column", column_fields };

static const struct field key_fields[] = {
	TEXT_OR_NULL(schema_key, "schema", schema),
	TEXT(schema_key, "relation", relation),
	TEXT(schema_key, "key", name),
	LIST(schema_key, "columns", columns),
	LIST(schema_key, "sorts", sorts),
	TEXT_OR_NULL(schema_key, "definition", definition),
	LAST,
};
const struct record_form key_form = { "key", key_fields };

static const struct field index_fields[] = {
	TEXT_OR_NULL(schema_index, "schema", schema),
	TEXT(schema_index, "relation", relation),
	TEXT(schema_index, "index", name),
	FLAG(schema_index, "unique", is_unique),
	TEXT(schema_index, "method", method),
	LIST(schema_index, "columns", columns),
	LIST(schema_index, "sorts", sorts),
	LIST(schema_index, "operator_classes", operator_classes),
	LIST(schema_index, "default_classes", default_classes),
	TEXT_OR_NULL(schema_index, "predicate", predicate),
	FLAG(schema_index, "constraint", is_constraint),
	FLAG(schema_index, "exclusion", is_exclusion),
	FLAG(schema_index, "invalid", is_invalid),
	TEXT_OR_NULL(schema_index, "definition", definition),
	LAST,
};
const struct record_form index_form = { "index", index_fields };

static const struct field reference_fields[] = {
	TEXT_OR_NULL(schema_reference, "schema", schema),
	TEXT(schema_reference, "relation", relation),
	TEXT(schema_reference, "reference", name),
	LIST(schema_reference, "columns", columns),
	TEXT_OR_NULL(schema_reference, "referenced_schema", referenced_schema),
	TEXT(schema_reference, "referenced_relation", referenced_relation),
	LIST(schema_reference, "referenced_columns", referenced_columns),
	TEXT(schema_reference, "on_delete", on_delete),
	TEXT(schema_reference, "on_update", on_update),
	FLAG(schema_reference, "invalid", is_invalid),
	TEXT_OR_NULL(schema_reference, "definition", definition),
	LAST,
};
const struct record_form reference_form = { "reference", reference_fields };

#define OBJECT_FIELDS(kind)                                                                       \
	static const struct field kind##_fields[] = {                                             \
		TEXT_OR_NULL(schema_object, "schema", schema),                                           \
		TEXT_OR_NULL(schema_object, "relation", relation),                                       \
		TEXT(schema_object, #kind, name),                                                 \
		TEXT(schema_object, "definition", definition),                                    \
		TEXT_OR_NULL(schema_object, "state", state),                                             \
		LAST,                                                                             \
	}
OBJECT_FIELDS(check);
OBJECT_FIELDS(exclusion);
OBJECT_FIELDS(view);
OBJECT_FIELDS(function);
OBJECT_FIELDS(trigger);
OBJECT_FIELDS(policy);
OBJECT_FIELDS(sequence);
OBJECT_FIELDS(type);
OBJECT_FIELDS(partition);
OBJECT_FIELDS(grant);

const struct record_form object_forms[] = {
	{ "check", check_fields },
	{ "exclusion", exclusion_fields },
	{ "view", view_fields },
	{ "function", function_fields },
	{ "trigger", trigger_fields },
	{ "policy", policy_fields },
	{ "sequence", sequence_fields },
	{ "type", type_fields },
	{ "partition", partition_fields },
	{ "grant", grant_fields },
	{ NULL, NULL },
};
