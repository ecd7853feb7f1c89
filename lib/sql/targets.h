/*
 * Finds the objects of a statement that a role needs rights on: relations that it alters, schemas that it creates
 * objects in.
 *
 * Pure: reads the statement's words.
 */
#ifndef MIG_SQL_TARGETS_H
#define MIG_SQL_TARGETS_H

#include <stdbool.h>
#include <stddef.h>

#include "sql/sql.h"

enum target_kind {
	TARGET_RELATION, /* needs `right` on it */
	TARGET_TYPE,
	TARGET_SCHEMA,   /* name NULL: the current schema */
	TARGET_MADE,     /* the statement makes it or renames something to it: before that, the name may mean
	                  * another object or none */
	TARGET_ROLE,     /* from here on this role's rights count; name NULL: those of the login role again */
	TARGET_PATH      /* from here on a name without a schema may mean another relation */
};

/* Two rights that GRANT cannot give; all others are GRANT's. */
#define TARGET_OWNER "owner"
#define TARGET_DROP  "drop"   /* the owner of its schema may do it too */

struct sql_target {
	enum target_kind kind;
	const char *right;        /* static text, for RELATION, TYPE, SCHEMA; for ROLE: "LOCAL" or NULL */
	char *name;               /* as written, without blanks and comments; or NULL; owned */
	size_t at;                /* byte offset of the statement */
};

struct sql_targets {
	struct sql_target *list;
	size_t count, cap;
};

/*
 * Appends the targets of a statement.  Returns false if the statement may need more rights than its words tell (a
 * function, DO, an unknown statement).  Objects that it only reads are left out.
 */
bool sql_targets_add(struct sql_targets *targets, const char *text, const struct sql_statement *statement);
void sql_targets_free(struct sql_targets *targets);

/*
 * The last part of such a name, and the part in front of it, as the server reads them: "shop"."Order" are Order and shop.
 * *schema is NULL where the name has one part.  The caller frees both.
 */
char *sql_name_parts(const char *name, char **schema);

#endif
