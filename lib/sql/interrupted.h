/*
 * What a non-transactional statement works on, so that after an interruption the catalog can tell whether it finished.
 *
 * Pure: reads the statement's words.
 */
#ifndef MIG_SQL_INTERRUPTED_H
#define MIG_SQL_INTERRUPTED_H

#include "base/bytes.h"
#include "sql/sql.h"

#define AIM_TWIN "mig_twin"

enum aim_act {
	AIM_NONE,         /* nobody can tell afterwards whether it ended */
	AIM_CREATE_INDEX, /* CREATE INDEX CONCURRENTLY */
	AIM_DROP_INDEX,   /* DROP INDEX CONCURRENTLY of one index */
	AIM_REINDEX,      /* REINDEX CONCURRENTLY: may run twice, but what is half built stays */
	AIM_DETACH,       /* ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY: its first transaction may be committed alone */
	AIM_CREATE,       /* CREATE DATABASE, TABLESPACE, SUBSCRIPTION: there or not */
	AIM_DROP,         /* DROP of these */
	AIM_REPEAT        /* VACUUM and the like: may run twice; what it finished stays */
};

enum aim_object { AIM_DATABASE, AIM_TABLESPACE, AIM_SUBSCRIPTION };

/* What a statement is, and its names as written.  aim_free() frees their memory. */
struct aim {
	enum aim_act act;
	enum aim_object object; /* CREATE, DROP */
	struct bytes name;  /* CREATE INDEX: empty where the server chooses one; DETACH: the partition */
	struct bytes table; /* CREATE INDEX: the index is made in its schema; DETACH: the partitioned table */
	struct bytes twin;  /* CREATE INDEX without a name: the same for a table pg_temp.AIM_TWIN, not CONCURRENTLY */
	/* REINDEX: name is the index or table; empty for a schema or the whole database */
};
struct aim aim_of(const char *text, const struct sql_statement *statement);
void aim_free(struct aim *aim);

/* CALL and DO: an error does not undo what the procedure committed before it. */
bool aim_may_commit(const char *text, const struct sql_statement *statement);

#endif
