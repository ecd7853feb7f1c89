/*
 * The records of a stream of kind `schema`: a struct for each, like those in records/model.h.  catalog/stream.h
 * turns them into a catalog.
 *
 * Order: one `schema`; then `namespace`, `extension` and `enum`; then each `relation`, followed by its `column`,
 * `key` and `index` records; then `reference`; then the records in object_forms.  Within a kind they are in
 * Prisma's order.
 *
 * The structs do not own their texts.  A list is JSON text: json_list_next().
 */
#ifndef MIG_RECORDS_STREAM_SCHEMA_H
#define MIG_RECORDS_STREAM_SCHEMA_H

#include <stdbool.h>

#include "records/record.h"

struct schema_head {
	const char *source;              /* "datamodel", "catalog", "replay" */
	const char *origin;
	const char *default_schema;
	const char *schemas;             /* list */
	bool counts_extensions;
	bool relation_mode_prisma;
	const char *server_version;
	const char *covers;              /* list: kinds of records */
};

struct schema_namespace {
	const char *schema;
};

struct schema_extension {
	const char *extension;
	const char *schema;
	const char *version;
	bool relocatable;
};

struct schema_enum {
	const char *schema;
	const char *name;
	const char *values;              /* list */
};

struct schema_relation {
	const char *schema;
	const char *relation;
	const char *kind;                /* "table", "partitioned_table", "foreign_table" */
	bool is_unlogged;
	const char *row_security;
	const char *options;
	const char *definition;
	bool is_extensions;
};

struct schema_column {
	const char *schema;
	const char *relation;
	const char *column;
	const char *arity;               /* "required", "nullable", "list" */
	const char *type_kind;           /* "native", "enum", "unsupported" */
	const char *type;
	const char *type_schema;
	const char *arguments;           /* "10,2" */
	const char *default_kind;        /* NULL, "value", "list", "now", "expression", "sequence" */
	const char *default_type;        /* "string", "integer", ...: of value and list */
	const char *default_value;
	const char *default_list;        /* list */
	bool autoincrement;
	const char *type_text;
	bool not_null;
	const char *default_text;
	const char *identity;
	const char *generated;
	const char *collation;
};

struct schema_key {
	const char *schema;
	const char *relation;
	const char *name;
	const char *columns;             /* lists of the same length */
	const char *sorts;               /* "asc", "desc", null */
	const char *definition;
};

struct schema_index {
	const char *schema;
	const char *relation;
	const char *name;
	bool is_unique;
	const char *method;
	const char *columns;             /* lists of the same length; null: an expression */
	const char *sorts;
	const char *operator_classes;
	const char *default_classes;     /* the same name if it is the type's default class, else null */
	const char *predicate;
	bool is_constraint;
	bool is_exclusion;
	bool is_invalid;
	const char *definition;
};

struct schema_reference {
	const char *schema;
	const char *relation;
	const char *name;
	const char *columns;             /* lists */
	const char *referenced_schema;
	const char *referenced_relation;
	const char *referenced_columns;
	const char *on_delete;           /* "no_action", "restrict", "cascade", "set_null", "set_default" */
	const char *on_update;
	bool is_invalid;
	const char *definition;
};

/* All other kinds; `name` is written under a key with the record's own name. */
struct schema_object {
	const char *schema;
	const char *relation;
	const char *name;
	const char *definition;
	const char *state;
};

extern const struct record_form schema_form, namespace_form, extension_form, enum_form, relation_form, column_form,
    key_form, index_form, reference_form;
extern const struct record_form object_forms[]; /* ends with a NULL name */

#endif
