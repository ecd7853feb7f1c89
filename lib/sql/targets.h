/*
 * Finds what a statement names that a role needs rights for: the relations that it alters, the schemas that it makes things in.
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
	TARGET_SCHEMA,   /* name NULL: the current one */
	TARGET_MADE,     /* the statement makes it, or gives it this name: before that there may be another, or none */
	TARGET_ROLE,     /* from here on this role's rights count; name NULL: again those of who connected */
	TARGET_PATH      /* from here on a name without a schema may mean another relation */
};

/* Two rights that no GRANT gives; the others are those of GRANT. */
#define TARGET_OWNER "owner"
#define TARGET_DROP  "drop"   /* the owner of its schema may, too */

struct sql_target {
	enum target_kind kind;
	const char *right;        /* static; of RELATION, TYPE, SCHEMA; of ROLE: "LOCAL", or NULL */
	char *name;               /* as written, without blanks and comments; or NULL */
	size_t at;                /* where the statement begins */
};

struct sql_targets {
	struct sql_target *list;
	size_t count, cap;
};

/*
 * Appends those of a statement.  False: there may be more that it needs rights for than its words tell (a function, DO, a
 * statement that is not known here).  What it only reads is not among them.
 */
bool sql_targets_add(struct sql_targets *targets, const char *text, const struct sql_statement *statement);
void sql_targets_free(struct sql_targets *targets);

#endif
