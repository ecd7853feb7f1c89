/*
 * A schema as it is compared: of a live catalog, of a replayed history, or of a schema.prisma.  All three make the same
 * struct, catalog/stream.h makes records of it and reads them back, and diff/ knows nothing else.
 *
 * Pure: knows no connection, no file and no Prisma syntax.  Order inside each list matters: it is the order of the steps
 * that a comparison prints.  A datamodel has that of its source; whoever reads a catalog calls catalog_order().
 *
 * A catalog owns all that hangs on it: texts and lists are made with the functions below, live until catalog_free(), and
 * do not move, but for the arrays of columns, indexes and the like, which grow.  NULL stands for what is not there.
 */
#ifndef MIG_CATALOG_CATALOG_H
#define MIG_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* The kinds of objects, in the order in which they are written. */
enum object_kind {
	OBJECT_NAMESPACE,
	OBJECT_EXTENSION,
	OBJECT_ENUM,
	OBJECT_RELATION,
	OBJECT_COLUMN,
	OBJECT_KEY,
	OBJECT_INDEX,
	OBJECT_REFERENCE,
	/* from here on struct definition */
	OBJECT_CHECK,
	OBJECT_EXCLUSION,
	OBJECT_VIEW,
	OBJECT_FUNCTION,
	OBJECT_TRIGGER,
	OBJECT_POLICY,
	OBJECT_SEQUENCE,
	OBJECT_TYPE,
	OBJECT_PARTITION,
	OBJECT_GRANT,
	OBJECT_KINDS
};
const char *object_kind_name(enum object_kind kind);                 /* "namespace"; also the name of its record */
bool object_kind_parse(const char *name, enum object_kind *kind);

struct text_list {
	const char **items;
	size_t count;
};

struct namespace {
	const char *name;
};

struct extension {
	const char *name;
	const char *schema;          /* NULL: not told */
	const char *version;         /* likewise */
	bool relocatable;            /* false where it is not known */
};

struct enum_type {
	const char *schema;          /* NULL: the default one; so in all structs below */
	const char *name;
	struct text_list values;
};

enum arity { ARITY_REQUIRED, ARITY_NULLABLE, ARITY_LIST };

enum type_kind {
	TYPE_NATIVE,                 /* one that Prisma knows */
	TYPE_ENUM,
	TYPE_UNSUPPORTED
};

enum default_kind {
	DEFAULT_NONE,
	DEFAULT_VALUE,
	DEFAULT_LIST,                /* of values */
	DEFAULT_NOW,                 /* now(), CURRENT_TIMESTAMP */
	DEFAULT_EXPRESSION,
	DEFAULT_SEQUENCE
};

enum literal_kind {
	LITERAL_STRING,
	LITERAL_INTEGER,             /* "-12" */
	LITERAL_DECIMAL,             /* "12.50", digits kept */
	LITERAL_BOOLEAN,             /* "true", "false" */
	LITERAL_TIME,                /* "2020-01-01 10:20:30.500 +02:00" */
	LITERAL_JSON,
	LITERAL_BYTES,               /* in hex, without \x */
	LITERAL_ENUM
};

struct column_default {
	enum default_kind kind;
	enum literal_kind literal;   /* of DEFAULT_VALUE and, of all elements, DEFAULT_LIST */
	const char *text;            /* the value; the expression, NULL: the empty one of dbgenerated(); the sequence without
	                              * schema and quotes, "" from a datamodel; else NULL */
	struct text_list list;
};

struct column {
	const char *name;
	enum arity arity;
	enum type_kind type_kind;
	const char *type;            /* as @db writes it: "VarChar", "Decimal", "JsonB"; an enum's name; the text of an unsupported one */
	const char *type_schema;     /* of an enum */
	int argument_count;          /* of a native type: none, a length or precision, (precision, scale) */
	long long arguments[2];
	struct column_default value; /* as Prisma sees it */
	bool autoincrement;
	/* only catalogs have the rest */
	const char *type_text;       /* format_type(), read with an empty search_path */
	bool not_null;               /* also of a list, which is never required for Prisma */
	const char *default_text;    /* pg_get_expr() */
	const char *identity;        /* "always", "by default" */
	const char *generated;       /* "stored", "virtual": default_text is its expression */
	const char *collation;       /* other than the type's, with its schema */
};

enum sort { SORT_NONE, SORT_ASC, SORT_DESC }; /* none: as ASC, and not written */

struct index_column {
	const char *column;          /* NULL: an expression */
	enum sort sort;
	const char *operator_class;  /* NULL: the default one; always so for btree and hash, whose classes do not count */
	bool default_class;          /* operator_class is the default one of its type */
};

struct key {
	const char *name;
	struct index_column *columns;
	size_t column_count;
	/* only catalogs */
	const char *definition;      /* pg_get_constraintdef() */
};

struct index {
	const char *name;
	bool is_unique;
	const char *method;          /* "btree", "gin" */
	struct index_column *columns; /* key columns, then, in catalogs, those of INCLUDE: Prisma makes no difference */
	size_t column_count;
	/* only catalogs */
	const char *predicate;       /* of a partial index */
	bool is_constraint;          /* UNIQUE or EXCLUDE made it */
	bool is_exclusion;
	bool is_invalid;
	const char *definition;      /* pg_get_indexdef() */
};

struct relation {
	const char *schema;
	const char *name;
	const char *kind;            /* RELATION_* */
	struct column *columns;
	size_t column_count;
	struct key *key;             /* NULL: none */
	struct index *indexes;
	size_t index_count;
	/* only catalogs */
	bool is_unlogged;
	const char *row_security;    /* "enabled", "forced"; NULL: off */
	const char *options;         /* storage parameters, "fillfactor=70" */
	const char *definition;      /* the partition key of a partitioned table, the server of a foreign one */
	bool is_extensions;          /* an extension owns it: Prisma sees it, a comparison of catalogs does not */
	size_t position;             /* for whoever compares catalogs */
};
#define RELATION_TABLE       "table"
#define RELATION_PARTITIONED "partitioned_table"
#define RELATION_FOREIGN     "foreign_table"

enum action { ACTION_NO_ACTION, ACTION_RESTRICT, ACTION_CASCADE, ACTION_SET_NULL, ACTION_SET_DEFAULT };

/* A foreign key. */
struct reference {
	const char *schema;
	const char *relation;
	const char *name;
	struct text_list columns;
	const char *referenced_schema;
	const char *referenced;
	struct text_list referenced_columns;
	enum action on_delete;
	enum action on_update;
	/* only catalogs */
	bool is_invalid;             /* NOT VALID */
	const char *definition;      /* pg_get_constraintdef() */
};

/* An object of one of the kinds that Prisma does not see, as PostgreSQL writes it down. */
struct definition {
	enum object_kind kind;
	const char *schema;
	const char *relation;        /* whose it is; NULL: nobody's */
	const char *name;            /* of a function with the types of its arguments */
	const char *definition;      /* read with an empty search_path */
	const char *state;           /* what is not as usual: "not_valid" (check), "disabled", "replica", "always" (trigger),
	                              * "materialized" (view) */
};

struct catalog {
	const char *source;          /* SOURCE_* */
	const char *origin;          /* the file or folder; the database */
	const char *default_schema;  /* NULL: that of the connection, which a datamodel does not know */
	struct text_list schemas;    /* those that a datamodel lists; none: the default one alone */
	bool counts_extensions;      /* a datamodel: with the preview feature postgresqlExtensions */
	bool relation_mode_prisma;
	const char *server_version;  /* of a catalog */
	bool covers[OBJECT_KINDS];   /* the kinds that the source can know: silence about another says nothing */

	struct namespace *namespaces;
	size_t namespace_count, namespace_cap;
	struct extension *extensions;
	size_t extension_count, extension_cap;
	struct enum_type *enums;
	size_t enum_count, enum_cap;
	struct relation **relations;
	size_t relation_count, relation_cap;
	struct reference *references;
	size_t reference_count, reference_cap;
	struct definition *definitions;
	size_t definition_count, definition_cap;

	struct arena arena;
	struct catalog_slot *slots;  /* relations by name */
	size_t slot_count;
};
#define SOURCE_DATAMODEL "datamodel"
#define SOURCE_CATALOG   "catalog"
#define SOURCE_REPLAY    "replay"
#define SOURCE_EMPTY     "empty"

/* {0} is an empty catalog. */
void catalog_free(struct catalog *catalog);

/* A text that the catalog owns; NULL: NULL. */
const char *catalog_text(struct catalog *catalog, const char *text);
/* A list that the catalog owns, with its texts. */
struct text_list catalog_list(struct catalog *catalog, const char *const items[], size_t count);

/* What an object is to be added to returns the new one, zeroed but for the names given, which are copied. */
struct namespace *catalog_add_namespace(struct catalog *catalog, const char *name);
struct extension *catalog_add_extension(struct catalog *catalog, const char *name);
struct enum_type *catalog_add_enum(struct catalog *catalog, const char *schema, const char *name);
struct relation *catalog_add_relation(struct catalog *catalog, const char *schema, const char *name, const char *kind);
struct column *catalog_add_column(struct catalog *catalog, struct relation *relation, const char *name);
struct key *catalog_add_key(struct catalog *catalog, struct relation *relation, const char *name);
struct index *catalog_add_index(struct catalog *catalog, struct relation *relation, const char *name);
struct index_column *catalog_index_columns(struct catalog *catalog, size_t count);
struct reference *catalog_add_reference(struct catalog *catalog, const char *schema, const char *relation,
    const char *name);
struct definition *catalog_add_definition(struct catalog *catalog, enum object_kind kind, const char *schema,
    const char *relation, const char *name);

/* The relation or column of a name, or NULL.  As fast for 2,000 relations as for 2. */
struct relation *catalog_relation(const struct catalog *catalog, const char *schema, const char *name);
const struct enum_type *catalog_enum(const struct catalog *catalog, const char *schema, const char *name);
struct column *relation_column(const struct relation *relation, const char *name);

/*
 * Sorts what a catalog has into Prisma's order, by the bytes of the names: namespaces, extensions, enums and relations by
 * schema and name, indexes in their relation, references by schema, relation and name, definitions by kind and then so.  Columns
 * stay as they were added.
 */
void catalog_order(struct catalog *catalog);

/* Writes `schema` wherever an object is in the default one: what was NULL is known from then on. */
void catalog_settle(struct catalog *catalog, const char *schema);

/* Texts of which either may be NULL. */
bool text_equal(const char *a, const char *b);
int text_compare(const char *a, const char *b); /* NULL first, then by bytes */

#endif
