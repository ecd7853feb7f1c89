#include "records/stream_schema.h"

#include <stddef.h>

#include "records/form.h"

static const struct field schema_fields[] = {
	TEXT(schema_head, source),
	TEXT_OR_NULL(schema_head, origin),
	TEXT_OR_NULL(schema_head, default_schema),
	TEXT_LIST(schema_head, schemas),
	FLAG(schema_head, counts_extensions),
	FLAG(schema_head, relation_mode_prisma),
	TEXT_OR_NULL(schema_head, server_version),
	TEXT_LIST(schema_head, covers),
	LAST,
};
const struct record_form schema_form = { "schema", schema_fields };

static const struct field namespace_fields[] = {
	TEXT(schema_namespace, schema),
	LAST,
};
const struct record_form namespace_form = { "namespace", namespace_fields };

static const struct field extension_fields[] = {
	TEXT(schema_extension, extension),
	TEXT_OR_NULL(schema_extension, schema),
	TEXT_OR_NULL(schema_extension, version),
	FLAG(schema_extension, relocatable),
	LAST,
};
const struct record_form extension_form = { "extension", extension_fields };

static const struct field enum_fields[] = {
	TEXT_OR_NULL(schema_enum, schema),
	TEXT_AS(schema_enum, "enum", name),
	TEXT_LIST(schema_enum, values),
	LAST,
};
const struct record_form enum_form = { "enum", enum_fields };

static const struct field relation_fields[] = {
	TEXT_OR_NULL(schema_relation, schema),
	TEXT(schema_relation, relation),
	TEXT(schema_relation, kind),
	FLAG_AS(schema_relation, "unlogged", is_unlogged),
	TEXT_OR_NULL(schema_relation, row_security),
	TEXT_OR_NULL(schema_relation, options),
	TEXT_OR_NULL(schema_relation, definition),
	FLAG_AS(schema_relation, "of_extension", is_extensions),
	LAST,
};
const struct record_form relation_form = { "relation", relation_fields };

static const struct field column_fields[] = {
	TEXT_OR_NULL(schema_column, schema),
	TEXT(schema_column, relation),
	TEXT(schema_column, column),
	TEXT(schema_column, arity),
	TEXT(schema_column, type_kind),
	TEXT(schema_column, type),
	TEXT_OR_NULL(schema_column, type_schema),
	TEXT_OR_NULL(schema_column, arguments),
	TEXT_OR_NULL(schema_column, default_kind),
	TEXT_OR_NULL(schema_column, default_type),
	TEXT_OR_NULL_AS(schema_column, "default", default_value),
	TEXT_LIST_OR_NULL(schema_column, default_list),
	FLAG(schema_column, autoincrement),
	TEXT_OR_NULL(schema_column, type_text),
	FLAG(schema_column, not_null),
	TEXT_OR_NULL(schema_column, default_text),
	TEXT_OR_NULL(schema_column, identity),
	TEXT_OR_NULL(schema_column, generated),
	TEXT_OR_NULL(schema_column, collation),
	LAST,
};
const struct record_form column_form = { "column", column_fields };

static const struct field key_fields[] = {
	TEXT_OR_NULL(schema_key, schema),
	TEXT(schema_key, relation),
	TEXT_AS(schema_key, "key", name),
	TEXT_LIST(schema_key, columns),
	TEXT_LIST(schema_key, sorts),
	TEXT_OR_NULL(schema_key, definition),
	LAST,
};
const struct record_form key_form = { "key", key_fields };

static const struct field index_fields[] = {
	TEXT_OR_NULL(schema_index, schema),
	TEXT(schema_index, relation),
	TEXT_AS(schema_index, "index", name),
	FLAG_AS(schema_index, "unique", is_unique),
	TEXT(schema_index, method),
	TEXT_LIST(schema_index, columns),
	TEXT_LIST(schema_index, sorts),
	TEXT_LIST(schema_index, operator_classes),
	TEXT_LIST(schema_index, default_classes),
	TEXT_OR_NULL(schema_index, predicate),
	FLAG_AS(schema_index, "constraint", is_constraint),
	FLAG_AS(schema_index, "exclusion", is_exclusion),
	FLAG_AS(schema_index, "invalid", is_invalid),
	TEXT_OR_NULL(schema_index, definition),
	LAST,
};
const struct record_form index_form = { "index", index_fields };

static const struct field reference_fields[] = {
	TEXT_OR_NULL(schema_reference, schema),
	TEXT(schema_reference, relation),
	TEXT_AS(schema_reference, "reference", name),
	TEXT_LIST(schema_reference, columns),
	TEXT_OR_NULL(schema_reference, referenced_schema),
	TEXT(schema_reference, referenced_relation),
	TEXT_LIST(schema_reference, referenced_columns),
	TEXT(schema_reference, on_delete),
	TEXT(schema_reference, on_update),
	FLAG_AS(schema_reference, "invalid", is_invalid),
	TEXT_OR_NULL(schema_reference, definition),
	LAST,
};
const struct record_form reference_form = { "reference", reference_fields };

#define OBJECT_FIELDS(kind)                                \
	static const struct field kind##_fields[] = {      \
		TEXT_OR_NULL(schema_object, schema),       \
		TEXT_OR_NULL(schema_object, relation),     \
		TEXT_AS(schema_object, #kind, name),       \
		TEXT(schema_object, definition),           \
		TEXT_OR_NULL(schema_object, state),        \
		LAST,                                      \
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
