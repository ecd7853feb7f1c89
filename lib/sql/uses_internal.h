/*
 * Shared by the files that find uses of a table (sql/uses.h); private to them.
 *
 * uses_scopes.c reads a statement into tokens, scopes (one a pair of parentheses) and items (what FROM, INTO and so on name);
 * uses.c then resolves each name.
 */
#ifndef MIG_SQL_USES_INTERNAL_H
#define MIG_SQL_USES_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "sql/sql.h"

#define USES_NONE ((size_t)-1)

enum uses_role {
	ROLE_FREE,       /* may be a column, an alias, a function, a key word */
	ROLE_RELATION,   /* part of the name of an item */
	ROLE_ALIAS,      /* gives a name, to an item or an output */
	ROLE_TARGET      /* a column of the table that the statement writes: INSERT INTO t (here), SET here = */
};

struct uses_token {
	enum sql_token_kind kind;
	const char *name;      /* of a word or a name, as the server reads it; else NULL */
	char sign;             /* of a sign; else 0 */
	size_t scope;
	enum uses_role role;
};

enum uses_scope_kind {
	SCOPE_PLAIN,     /* of an expression or a function */
	SCOPE_BRANCH,    /* a query that is one side of UNION, or the whole statement */
	SCOPE_DERIVED,   /* FROM (query) */
	SCOPE_WITH,      /* WITH name AS (query) */
	SCOPE_EXISTS,    /* EXISTS (query) */
	SCOPE_QUERY,     /* any other query: IN (query) */
	SCOPE_JOIN,      /* FROM (a JOIN b) */
	SCOPE_LIST,      /* columns of the table that is written */
	SCOPE_NAMES      /* new names: AS x (here) */
};

struct uses_scope {
	enum uses_scope_kind kind;
	size_t parent;           /* USES_NONE: the whole statement */
	size_t item;             /* that it belongs to, of DERIVED, WITH and the arguments of a function in FROM */
	const char *verb;        /* first word of a query, in upper case; else "" */
	size_t into;             /* item that it writes */
	bool inserts;            /* by INSERT, or by COPY FROM */
	bool listed;             /* that has a list of columns, or gets only defaults */
	size_t behind;           /* token from which on that item is all there is: RETURNING, ON CONFLICT */
	bool whole;              /* TABLE t */
	bool continues;          /* behind UNION, in the parentheses of its parent */
	bool expects;            /* the name of a relation comes next */
	bool in_from, in_set;
	bool expects_with;       /* the name of a WITH query comes next */
	const char *with;        /* and that name, until its query begins */
	bool with_renamed;       /* with names for its columns */
};

/* What FROM, JOIN, INTO, UPDATE and USING name, and WITH queries. */
struct uses_item {
	size_t scope;
	const char *schema, *name;   /* of a relation; else NULL */
	const char *alias;           /* under which its columns are named; NULL: none */
	size_t query;                /* scope of a derived table or WITH query */
	bool with;                   /* a WITH query, which is not in FROM by itself */
	bool renamed;                /* its columns have other names */
};

struct uses_parsed {
	struct arena arena;
	struct uses_token *tokens;   /* the last one is SQL_END */
	size_t count;
	struct uses_scope *scopes;
	size_t scope_count, scope_cap;
	struct uses_item *items;
	size_t item_count, item_cap;
};

/* Returns false for a statement that is no use of anything. */
bool uses_parse(struct uses_parsed *parsed, const char *text);
void uses_parsed_free(struct uses_parsed *parsed);

/* Whether a token is this bare word, given in upper case; is one of a list. */
bool uses_word(const struct uses_parsed *parsed, size_t at, const char *word);
bool uses_one_of(const struct uses_parsed *parsed, size_t at, const char *const words[]);
bool uses_sign(const struct uses_parsed *parsed, size_t at, char sign);

/* A query, and not an expression or a list. */
bool uses_is_query(const struct uses_scope *scope);

#endif
