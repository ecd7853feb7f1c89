/*
 * What a statement that stands alone aims at: what it leaves can tell afterwards whether it ended.
 *
 * Pure: reads the statement's words.
 */
#ifndef MIG_SQL_INDEX_COMMAND_H
#define MIG_SQL_INDEX_COMMAND_H

#include "base/bytes.h"
#include "sql/sql.h"

#define AIM_TWIN "mig_twin"

enum aim_act {
	AIM_NONE,    /* nobody can tell afterwards whether it ended */
	AIM_CREATE_INDEX,  /* CREATE INDEX CONCURRENTLY */
	AIM_DROP_INDEX,    /* DROP INDEX CONCURRENTLY of one index */
	AIM_REINDEX,      /* REINDEX CONCURRENTLY: may run twice, but what is half built stays */
	AIM_REPEAT        /* VACUUM and the like: may run twice */
};

/* What a statement is, and its names as written.  aim_free() gives their memory back. */
struct aim {
	enum aim_act act;
	struct bytes name;  /* CREATE: empty where the server chooses one */
	struct bytes table; /* CREATE: the index is made in its schema */
	struct bytes twin;  /* CREATE without a name: the same for a table pg_temp.AIM_TWIN, not CONCURRENTLY */
	/* REINDEX: name is the index or table; empty for a schema or the whole database */
};
struct aim aim_of(const char *text, const struct sql_statement *statement);
void aim_free(struct aim *aim);

#endif
