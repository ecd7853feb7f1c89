/*
 * Shared by datamodel/'s files: the blocks of schema.prisma with their names resolved.
 *
 * Each part is filled by one file, in this order: config.c (datasource, generators), names.c (models, enums,
 * fields and their types), attributes.c (maps, schemas, allowed attributes), defaults.c, keys.c, relations.c,
 * unique_names.c.  Then to_catalog.c makes the catalog, or client.c what the client knows.  Everything lives in the
 * arena.
 */
#ifndef MIG_DATAMODEL_INTERNAL_H
#define MIG_DATAMODEL_INTERNAL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "catalog/catalog.h"
#include "catalog/native_types.h"
#include "datamodel/ast.h"
#include "datamodel/client.h"
#include "datamodel/datamodel.h"

enum field_kind { FIELD_SCALAR, FIELD_ENUM, FIELD_UNSUPPORTED, FIELD_RELATION, FIELD_UNKNOWN };

struct enum_decl {
	const struct block *block;
	const char *name;            /* in the database */
	const char *schema;
	size_t value_count;
	const char **values;         /* in the database, in the order of block->fields */
};

/* The @relation of a field, resolved. */
struct relation_end {
	const char *name;            /* NULL: none */
	const char *called;          /* its name, else one derived from its models */
	struct field **fields;
	size_t field_count;
	bool has_fields;
	struct field **references;
	size_t reference_count;
	bool has_references;
	const struct expression *on_delete, *on_update;
	enum action delete_action, update_action; /* as written; see delete_action() */
	const char *map;
	struct field *opposite;      /* NULL: none, which was reported */
};

struct field {
	const struct field_decl *decl;
	struct model *model;
	enum field_kind kind;
	const char *scalar;          /* "Int"; NULL unless FIELD_SCALAR */
	const struct enum_decl *enum_decl;
	struct model *target;        /* for a relation */
	const char *column;          /* its name in the database */
	enum native native;
	bool has_native;             /* by @db, not by its scalar type */
	int argument_count;
	long long arguments[2];
	bool is_ignored;
	struct column_default value;
	bool autoincrement;
	struct relation_end *relation;
};

enum key_kind { KEY_ID, KEY_UNIQUE, KEY_INDEX };

struct key_part {
	struct field *field;
	enum sort sort;
	const char *operator_class;  /* PostgreSQL's name; NULL: none */
	bool default_class;
};

/* @id, @unique, @@id, @@unique or @@index. */
struct key_decl {
	struct key_decl *next;
	enum key_kind kind;
	bool of_field;               /* @, not @@ */
	const struct attribute *attribute;
	struct key_part *parts;
	size_t count;
	const char *name;            /* of the constraint or index */
	const char *client_name;     /* name: of @@id and @@unique */
	const char *method;          /* Prisma's spelling: "BTree" */
};

struct model {
	const struct block *block;
	bool is_view;
	bool is_ignored;
	const char *table;           /* its name in the database */
	struct place table_place;    /* where the name is written */
	const char *schema;
	const struct attribute *schema_attribute;
	struct field *fields;
	size_t field_count;
	struct key_decl *keys;       /* in the order of the source; those of fields first */
	struct key_decl *id;         /* NULL: none */
};

struct named_block {
	const char *name;
	struct model *model;         /* one of the two */
	struct enum_decl *enum_decl;
};

struct datamodel {
	struct arena *arena;
	struct datamodel_errors *errors;
	struct block *blocks;
	struct place begin;          /* of the first file */

	const char *datasource;      /* its name: the prefix of native types */
	bool has_schemas;
	struct text_list schemas;
	const struct property *extensions;
	bool views, counts_extensions, relation_mode_prisma;

	struct model *models;        /* including views, in the order of the source */
	size_t model_count;
	struct enum_decl *enums;
	size_t enum_count;
	struct named_block *names;   /* sorted */
	size_t name_count;
};

/* Records an error; only the first few are kept.  Returns false. */
bool wrong(struct datamodel *d, struct place place, const char *format, ...) MIG_PRINTF(3, 4);

/* --- attributes.c --- */

/* The arguments of an attribute or function; each may be given once. */
struct argument_spec {
	const char *name;
	bool unnamed;                /* may be given first without its name */
};

/*
 * Puts the value of each argument in `specs` (ends with a NULL name), or NULL, into values.  Returns false with
 * the error recorded.
 */
bool take_arguments(struct datamodel *d, const char *what, const struct argument *arguments,
    const struct argument_spec *specs, const struct expression **values);

const struct attribute *find_attribute(const struct attribute *attributes, const char *name);

/* The text of a string argument that names a database object; NULL with the error recorded. */
const char *take_name(struct datamodel *d, const struct expression *value);

bool expect_kind(struct datamodel *d, const struct expression *value, enum expression_kind kind, const char *what);

/* Checks where attributes may stand, and reads all except keys, defaults and relations. */
void read_attributes(struct datamodel *d);

/* --- the others --- */

void read_config(struct datamodel *d);
void read_names(struct datamodel *d);
void read_defaults(struct datamodel *d);
void read_keys(struct datamodel *d);
void read_relations(struct datamodel *d);
void check_unique_names(struct datamodel *d);
void make_catalog(struct datamodel *d, struct catalog *catalog);
void make_client(const struct datamodel *d, struct client_model *client);

struct field *model_field(const struct model *m, const char *name);

/* Whether the schema language allows this name; what: "model". */
bool check_name(struct datamodel *d, struct place place, const char *name, const char *what);

/* A value in a default of a scalar or enum type, as a literal in the arena; NULL with the error recorded. */
const char *read_literal(struct datamodel *d, const struct field *f, const struct expression *value,
    enum literal_kind *literal);

/* Reads the operator class in `ops:` for an index method and field.  Returns false with the error recorded. */
bool read_operator_class(struct datamodel *d, const struct expression *ops, const char *method, struct key_part *part);

/* Whether an index of that kind may be on the field; false: the error is recorded. */
bool check_index_type(struct datamodel *d, const struct key_decl *k, const struct key_part *part);

/* Names derived by Prisma from database names, at most 63 bytes long. */
const char *make_key_name(struct datamodel *d, const char *table);
const char *make_index_name(struct datamodel *d, const char *table, const char *const columns[], size_t count,
    const char *suffix);
const char *make_reference_name(struct datamodel *d, const struct field *f); /* its map:, or a derived one */

/*
 * The table of an implicit many-to-many relation, from its side A; the byte length of the first characters of a
 * text; and whether Prisma, which derives reference names from the table's first JOIN_BYTES bytes, would cut
 * inside a character and crash.
 */
enum { JOIN_BYTES = 56 };
const char *make_join_name(struct datamodel *d, const struct field *a);
size_t first_characters(const char *text, size_t count);
bool join_name_is_cut(const char *name);

/* The default action of a relation depends on whether the side that holds it has a required field. */
bool holds_required(const struct field *f);
enum action delete_action(const struct field *f);
enum action update_action(const struct field *f);

/* Checks relationMode = "prisma": actions that the client cannot emulate. */
void check_emulated(struct datamodel *d);

/* Side A of a relation in which both sides are lists, where f is one side; NULL: another kind of relation. */
const struct field *side_a(const struct field *f);

#endif
