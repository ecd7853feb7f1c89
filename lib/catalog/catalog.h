/*
 * A schema in the form in which schemas are compared: of a live catalog, a replayed history, or a schema.prisma.
 * All three produce the same struct, catalog/stream.h writes it as records and reads it back, and diff/ uses
 * nothing else.
 *
 * Pure: knows no connection, no file and no Prisma syntax.  The order of each list matters: it is the order of the
 * steps that a comparison prints.  A datamodel keeps the order of its source; a reader of a live catalog calls
 * catalog_order().
 *
 * A catalog owns everything in it: texts and lists are made with the functions below, live until catalog_free(),
 * and do not move.  The arrays of columns, indexes and the like grow, and may move.  NULL stands for what does not
 * exist.
 */
#ifndef MIG_CATALOG_CATALOG_H
#define MIG_CATALOG_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* The kinds of objects, in the order they are written. */
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
	const char *schema;          /* NULL: unknown */
	const char *version;         /* likewise */
	bool relocatable;            /* false if unknown */
};

struct enum_type {
	const char *schema;          /* NULL: the default schema; likewise in all structs below */
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
	const char *text;            /* the value; the expression (NULL: the empty one of dbgenerated()); the
	                              * sequence without schema and quotes, "" from a datamodel; else NULL */
	struct text_list list;
};

struct column {
	const char *name;
	enum arity arity;
	enum type_kind type_kind;
	const char *type;            /* as @db writes it: "VarChar", "Decimal", "JsonB"; an enum's name; the text of an unsupported one */
	const char *type_schema;     /* of an enum */
	int argument_count;          /* of a native type: none, a length or precision, or precision and scale */
	long long arguments[2];
	struct column_default value; /* as Prisma sees it */
	bool autoincrement;
	/* The fields below are set only in live catalogs: */
	const char *type_text;       /* format_type(), read with an empty search_path */
	bool not_null;               /* also of a list, which Prisma never treats as required */
	const char *default_text;    /* pg_get_expr() */
	const char *identity;        /* "always", "by default" */
	const char *generated;       /* "stored", "virtual": default_text is its expression */
	const char *collation;       /* if it differs from the type's; with its schema */
};

enum sort { SORT_NONE, SORT_ASC, SORT_DESC }; /* none: like ASC, and not written */

struct index_column {
	const char *column;          /* NULL: an expression */
	enum sort sort;
	const char *operator_class;  /* NULL: the default one; always for btree and hash, where Prisma ignores it */
	bool default_class;          /* operator_class is the default class of its type */
};

struct key {
	const char *name;
	struct index_column *columns;
	size_t column_count;
	/* Only live catalogs: */
	const char *definition;      /* pg_get_constraintdef() */
};

struct index {
	const char *name;
	bool is_unique;
	const char *method;          /* "btree", "gin" */
	struct index_column *columns; /* key columns; in live catalogs followed by those of INCLUDE, which
	                               * Prisma does not distinguish */
	size_t column_count;
	/* Only live catalogs: */
	const char *predicate;       /* of a partial index */
	bool is_constraint;          /* it belongs to a UNIQUE or EXCLUDE constraint */
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
	/* Only live catalogs: */
	bool is_unlogged;
	const char *row_security;    /* "enabled", "forced"; NULL: off */
	const char *options;         /* storage parameters, "fillfactor=70" */
	const char *definition;      /* the partition key of a partitioned table, the server of a foreign one */
	bool is_extensions;          /* owned by an extension: Prisma sees it, a comparison of catalogs does not */
	size_t position;             /* for code that compares catalogs */
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
	/* Only live catalogs: */
	bool is_invalid;             /* NOT VALID */
	const char *definition;      /* pg_get_constraintdef() */
};

/* An object of a kind that Prisma does not see, in PostgreSQL's own definition. */
struct definition {
	enum object_kind kind;
	const char *schema;
	const char *relation;        /* the relation that it belongs to; NULL: none */
	const char *name;            /* for a function, with the types of its arguments */
	const char *definition;      /* read with an empty search_path */
	const char *state;           /* if unusual: "not_valid" (check), "disabled", "replica", "always"
	                              * (trigger), "materialized" (view) */
};

struct catalog {
	const char *source;          /* SOURCE_* */
	const char *origin;          /* the file or folder; the database */
	const char *default_schema;  /* NULL: that of the connection, which a datamodel does not know */
	struct text_list schemas;    /* listed by a datamodel; none: only the default one */
	bool counts_extensions;      /* for a datamodel: has the preview feature postgresqlExtensions */
	bool relation_mode_prisma;
	const char *server_version;  /* of a live catalog */
	bool covers[OBJECT_KINDS];   /* kinds that the source can contain: a missing object of another kind
	                              * means nothing */

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

/* A copy that the catalog owns; NULL for NULL. */
const char *catalog_text(struct catalog *catalog, const char *text);
/* A list that the catalog owns, with copies of its texts. */
struct text_list catalog_list(struct catalog *catalog, const char *const items[], size_t count);

/* Each adds a new object and returns it: zeroed except for the names given, which are copied. */
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

/* The relation or column with a name, or NULL.  Uses a hash table. */
struct relation *catalog_relation(const struct catalog *catalog, const char *schema, const char *name);
const struct enum_type *catalog_enum(const struct catalog *catalog, const char *schema, const char *name);
struct column *relation_column(const struct relation *relation, const char *name);

/*
 * Sorts a catalog into Prisma's order, by the bytes of the names: namespaces, extensions, enums and relations by
 * schema and name, indexes within their relation, references by schema, relation and name, definitions by kind,
 * then likewise.  Columns keep their order.
 */
void catalog_order(struct catalog *catalog);

/* Sets the schema of every object that is in the default one (NULL) to `schema`. */
void catalog_settle(struct catalog *catalog, const char *schema);

/* Compare texts, either of which may be NULL. */
bool text_equal(const char *a, const char *b);
int text_compare(const char *a, const char *b); /* NULL sorts first, then by bytes */

#endif
