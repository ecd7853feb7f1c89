/*
 * The database side, read: who and where, who is deploying, the history.  Changes nothing, and a role that
 * may only connect and read the history suffices.
 */
#ifndef MIG_SURVEY_H
#define MIG_SURVEY_H

#include <stdbool.h>
#include <stddef.h>

#include "database.h"
#include "model.h"
#include "target.h"

struct survey {
	struct database database;
	struct history_row *rows;      /* by started_at, id */
	size_t count;
	long long deploying_ms;        /* how long the deploy lock's holder has been connected; or RECORD_NULL */
	bool has_schema;
	bool may_write;                /* the history, or where there is none, make it */
	struct answer *answers[5];     /* own the texts */
	char *schema;
};

/*
 * Looks at everything, in one read-only transaction.  `target` says the schema.  Returns 0, or an exit code,
 * said.  survey_free() is due in any case.
 */
int survey_take(struct db *db, const struct target *target, struct survey *survey);

/*
 * Only the history, for who holds the deploy lock and has a survey's identity: inside the transaction that is
 * open, or outside.  Replaces rows and count.  Returns 0, or an exit code, said.
 */
int survey_history(struct db *db, struct survey *survey);

/* Who and where alone: database.system_identifier to database.tls, and database.schema. */
int survey_identity(struct db *db, const struct target *target, struct survey *survey);

/* Whether there is a history table and whether the schema is empty; and who holds the deploy lock. */
int survey_look(struct db *db, struct survey *survey);

void survey_free(struct survey *survey);

#endif
