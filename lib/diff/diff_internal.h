/*
 * Shared by diff/'s files: a side as Prisma sees it, pairs, steps.  Everything lives in the arena of the diff.
 */
#ifndef MIG_DIFF_INTERNAL_H
#define MIG_DIFF_INTERNAL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "catalog/catalog.h"
#include "catalog/native_types.h"
#include "diff/diff.h"
#include "records/words.h"

struct side_index {
	const struct index *index;
	struct side_table *table;
	size_t id;
};

struct side_reference {
	const struct reference *reference;
	struct side_table *table;
	size_t id;
};

struct side_table {
	const struct relation *relation;
	size_t id;
	struct side_index *indexes;
	size_t index_count;
	struct side_reference **references;
	size_t reference_count;
	struct pair *pair;          /* NULL: missing on the other side */
};

struct side_enum {
	const struct enum_type *type;
	size_t id;
};

/* What Prisma sees of a catalog; NULL catalog: an empty schema. */
struct side {
	struct catalog *catalog;
	bool live;                  /* read from a database */
	const char *default_schema;
	struct text_list schemas;   /* existing schemas that are compared */
	struct side_table *tables;
	size_t table_count;
	struct side_reference *references;
	size_t reference_count;
	struct side_enum *enums;
	size_t enum_count;
	const struct extension **extensions;
	size_t extension_count;
};

enum cast { CAST_NONE, CAST_SAFE, CAST_RISKY, CAST_IMPOSSIBLE };

/* A column on both sides. */
struct column_change {
	const struct column *from, *to;
	enum cast cast;             /* CAST_NONE: the type is the same */
	bool arity, value, autoincrement;
};

/* A table on both sides. */
struct pair {
	struct side_table *from, *to;
	struct column_change *columns; /* in the order of from */
	size_t column_count;
};

/* In printing order. */
enum step_kind {
	STEP_CREATE_SCHEMA,
	STEP_DROP_EXTENSION,
	STEP_CREATE_EXTENSION,
	STEP_ALTER_EXTENSION,
	STEP_CREATE_ENUM,
	STEP_ALTER_ENUM,
	STEP_DROP_FOREIGN_KEY,
	STEP_DROP_INDEX,
	STEP_ALTER_TABLE,
	STEP_DROP_TABLE,
	STEP_DROP_ENUM,
	STEP_CREATE_TABLE,
	STEP_CREATE_INDEX,
	STEP_RENAME_FOREIGN_KEY,
	STEP_ADD_FOREIGN_KEY,
	STEP_RENAME_INDEX
};

struct step {
	enum step_kind kind;
	size_t key[4];              /* sort key within a kind */
	size_t order;               /* sort key within a key */
	struct bytes sql;           /* statements, each with its ; and line end */
	/* For STEP_DROP_INDEX and STEP_ALTER_TABLE, because of the one exception to the order: */
	const struct side_index *index;
	const struct pair *pair;
	bool adds_key;
	const char **touched;       /* columns that are dropped or recreated */
	size_t touched_count;
};

struct work {
	struct diff *diff;
	struct side from, to;
	struct pair *pairs;         /* in the order of from */
	size_t pair_count;
	bool has_quote;             /* a written name contains a quote, which Prisma does not double */
};

/* --- side.c --- */
void sides_make(struct work *w, struct catalog *from, struct catalog *to);
struct side_table *side_table(const struct side *s, const char *schema, const char *name);
const struct side_enum *side_enum(const struct side *s, const char *schema, const char *name);

/* --- lower.c --- */
char *lower_text(struct arena *arena, const char *text);

/* --- match.c --- */
void match_tables(struct work *w);
const struct column_change *pair_column(const struct pair *p, const char *name);
bool indexes_match(const struct index *a, const struct index *b);
bool references_match(const struct pair *p, const struct reference *a, const struct reference *b);

/* --- types.c: how a type changes, including enums --- */
enum cast cast_of(const struct column *from, const struct column *to);

/* --- values.c: whether Prisma treats two defaults as equal --- */
bool defaults_equal(const struct column *from, const struct column *to);

/* --- steps --- */
struct step *add_step(struct work *w, enum step_kind kind, size_t key0, size_t key1);
void make_schemas(struct work *w);
void make_extensions(struct work *w);
void make_enums(struct work *w);
void make_tables(struct work *w);
void alter_table(struct work *w, const struct pair *p);
void order_steps(struct diff *diff);

/* --- ddl.c: parts of statements.  The side decides how a schema is written. --- */
const char *shown_schema(const struct side *s, const char *schema);
const char *dropped_schema(const struct work *w, const char *schema); /* as DROP writes it */
void put_name(struct work *w, struct bytes *out, const char *name);
void put_qualified(struct work *w, struct bytes *out, const char *schema, const char *name);
void put_type(struct work *w, struct bytes *out, const struct side *s, const struct column *c);
void put_default(struct work *w, struct bytes *out, const struct side *s, const struct column *c);
void put_column(struct work *w, struct bytes *out, const struct side *s, const struct column *c);
void put_enum_values(struct work *w, struct bytes *out, const struct enum_type *e);
void put_create_table(struct work *w, struct bytes *out, const struct relation *r);
void put_create_index(struct work *w, struct bytes *out, const struct relation *r, const struct index *x);
void put_add_reference(struct work *w, struct bytes *out, const struct reference *f);

/* --- differences and findings --- */
struct difference *add_difference(struct diff *diff, enum change_kind change, enum object_kind object, const char *schema,
    const char *relation, const char *name);
void add_finding(struct diff *diff, const char *rule, enum severity severity, const char *remedy, const char *format, ...)
    MIG_PRINTF(5, 6);

#define RULE_BROKEN  "broken_ddl"
#define RULE_SETTLES "never_settles"

/* --- words.c: for the from and to of a difference, in the arena --- */
const char *words_type(struct work *w, const struct side *s, const struct column *c);
const char *words_default(struct work *w, const struct side *s, const struct column *c);
const char *words_columns(struct diff *diff, const struct index_column *columns, size_t count);
const char *words_index(struct diff *diff, const struct index *x);
const char *words_reference(struct diff *diff, const struct reference *f);

#endif
