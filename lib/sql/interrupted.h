/*
 * What a non-transactional statement works on, so that after an interruption the catalog can tell whether it finished.
 *
 * Pure: reads the statement's words.
 */
#ifndef MIG_SQL_INTERRUPTED_H
#define MIG_SQL_INTERRUPTED_H

#include <stdbool.h>

#include "base/bytes.h"
#include "sql/sql.h"

#define INTERRUPTED_TWIN "mig_twin"

enum interrupted_act {
	INTERRUPTED_NONE,         /* the catalog cannot tell whether it finished */
	INTERRUPTED_CREATE_INDEX, /* CREATE INDEX CONCURRENTLY */
	INTERRUPTED_DROP_INDEX,   /* DROP INDEX CONCURRENTLY of one index */
	INTERRUPTED_REINDEX,      /* REINDEX CONCURRENTLY: may run twice, but leaves a half-built index */
	INTERRUPTED_DETACH,       /* ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY: possibly only its first
	                           * transaction is committed */
	INTERRUPTED_CREATE,       /* CREATE DATABASE, TABLESPACE, SUBSCRIPTION: exists or not */
	INTERRUPTED_DROP,         /* DROP of one of these */
	INTERRUPTED_REPEAT        /* VACUUM and the like: may run twice; completed work stays */
};

enum interrupted_object { INTERRUPTED_DATABASE, INTERRUPTED_TABLESPACE, INTERRUPTED_SUBSCRIPTION };

/* The kind of statement and its names as written.  interrupted_free() frees them. */
struct interrupted {
	enum interrupted_act act;
	enum interrupted_object object; /* CREATE, DROP */
	struct bytes name;  /* CREATE INDEX: empty if the server chooses it; DETACH: the partition */
	struct bytes table; /* CREATE INDEX: the table, whose schema the index goes to; DETACH: the partitioned
	                     * table */
	struct bytes twin;  /* CREATE INDEX without a name: the same statement on pg_temp.INTERRUPTED_TWIN, not
	                     * CONCURRENTLY */
	/* REINDEX: name is the index or table; empty for a schema or the whole database */
};
struct interrupted interrupted_of(const char *text, const struct sql_statement *statement);
void interrupted_free(struct interrupted *aim);

/* CALL and DO: an error does not undo what the procedure has already committed. */
bool interrupted_may_commit(const char *text, const struct sql_statement *statement);

#endif
