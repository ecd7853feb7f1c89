/*
 * The syntax tree of schema.prisma: blocks, fields, attributes, expressions.  datamodel/parse.h makes it.  It
 * lives in the parser's arena.  Lists are linked, in the order of the source.
 */
#ifndef MIG_DATAMODEL_AST_H
#define MIG_DATAMODEL_AST_H

#include <stdbool.h>
#include <stddef.h>

/* One file; its text is valid UTF-8. */
struct source_file {
	const char *path;
	const char *text;
	size_t len;
};

struct place {
	const struct source_file *file;
	size_t offset;
};

enum expression_kind {
	EXPRESSION_STRING,
	EXPRESSION_NUMBER,  /* "-12.50", as written */
	EXPRESSION_NAME,    /* a constant, dots in it: true, Cascade, public.x */
	EXPRESSION_CALL,    /* name(arguments) */
	EXPRESSION_ARRAY    /* arguments without names */
};

struct expression {
	enum expression_kind kind;
	struct place place;
	const char *text;           /* a string is decoded; NULL: an array */
	struct argument *arguments;
};

struct argument {
	struct argument *next;
	struct place place;
	const char *name;           /* NULL: none */
	struct expression value;
};

struct attribute {
	struct attribute *next;
	struct place place;         /* of its name */
	const char *name;           /* without @ or @@: "map", "db.VarChar" */
	struct argument *arguments;
};

enum field_arity { FIELD_REQUIRED, FIELD_OPTIONAL, FIELD_MANY };

struct field_decl {
	struct field_decl *next;
	struct place place;
	const char *name;
	struct place type_place;
	const char *type;           /* of a field; the text of Unsupported("...") */
	bool is_unsupported;
	enum field_arity arity;
	struct attribute *attributes;
};

struct property {
	struct property *next;
	struct place place;
	const char *name;
	struct expression *value;   /* NULL: no value after = */
};

enum block_kind { BLOCK_MODEL, BLOCK_VIEW, BLOCK_ENUM, BLOCK_TYPE, BLOCK_DATASOURCE, BLOCK_GENERATOR };

struct block {
	struct block *next;
	enum block_kind kind;
	struct place place;         /* of the keyword */
	struct place name_place;
	const char *name;
	struct field_decl *fields;  /* also the values of an enum */
	struct attribute *attributes;
	struct property *properties; /* of datasource and generator */
};

#endif
