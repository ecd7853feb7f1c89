/*
 * Finds what a script does that subscribers of its tables would have to do as well, since logical replication does not: tables and
 * columns that are made, changed or dropped; and what identifies the rows of a table, without which a published one takes no
 * UPDATE and no DELETE.
 *
 * Pure.  Reads the words of statements; bodies of functions and DO blocks are not read.
 */
#ifndef MIG_SQL_REPLICA_H
#define MIG_SQL_REPLICA_H

#include <stdbool.h>
#include <stddef.h>

#include "sql/sql.h"

enum replica_change {
	REPLICA_CREATE,         /* a table */
	REPLICA_CREATE_KEYLESS, /* one whose rows nothing identifies by the end of the script */
	REPLICA_ADD,            /* a column; not one that is generated, which is not replicated */
	REPLICA_DROP,
	REPLICA_RETYPE,
	REPLICA_RENAME_COLUMN,
	REPLICA_RENAME,         /* a table, also into another schema */
	REPLICA_NO_IDENTITY,    /* REPLICA IDENTITY NOTHING */
	REPLICA_DROP_INDEX,     /* an index or a constraint, which may be what identifies rows */
	REPLICA_WRITE,          /* UPDATE, DELETE, INSERT ... ON CONFLICT DO UPDATE */
	REPLICA_IDENTIFIED      /* from here on its rows are identified: a primary key, REPLICA IDENTITY; or it is dropped */
};

struct replica_step {
	enum replica_change change;
	char *table;            /* as written, without blanks; NULL: DROP INDEX */
	char *object;           /* as written: the column, index or constraint; or NULL */
	size_t statement;       /* from 0 */
};

struct replica_steps {
	struct replica_step *list;
	size_t count, cap;
};

/* In the order of the text.  What the same script takes back (a key that is dropped and made again) is left out. */
struct replica_steps replica_steps(const char *text, const struct sql_script *script);
void replica_steps_free(struct replica_steps *steps);

#endif
