/*
 * Runs one step: its script and its history row, in as few commits as possible.
 *
 * A script runs segment by segment (sql/segments.h).  Each commit includes the migration's row: the first inserts
 * it, the last finishes it, and those between update its journal (migrations/history.h), so that an interrupted
 * run can resume from any point.  An ordinary script is one segment: script and row are one transaction.
 *
 * If a transaction meets a busy table (55P03) or a deadlock (40P01), it is rolled back and retried.  If statements
 * turn out not to work in one transaction (25001, 2D000, 55P04; the text does not show it), the segment has been
 * rolled back and is run again statement by statement.
 */
#ifndef MIG_DEPLOY_STEP_H
#define MIG_DEPLOY_STEP_H

#include <stdbool.h>

#include "base/arena.h"
#include "migrations/progress.h"
#include "deploy/stall.h"
#include "postgres/connection.h"
#include "records/model.h"
#include "secret/source.h"
#include "sql/sql.h"

struct step_context {
	struct db *db;
	struct source *source;      /* for the watcher, and to read a row after a lost connection */
	const char *schema;         /* of the history */
	const char *role;           /* at the start, or NULL: unknown */
	const char *as_role;        /* --role, or NULL */
	struct stall stall;         /* also has --max-stall and the deadline: no attempt begins after it */
	struct progress *progress;
	struct arena *texts;        /* own the texts of the results, until the deploy ends */
	char *deferrable;           /* constraints of the history that would fail only at COMMIT, which is also
	                             * the script's */
	bool deferrable_known;      /* they were queried */
	bool own_role;              /* a script changed the role to one that may not write the history */
	struct batch_attempt {
		size_t attempts;    /* attempts of the next step in a batch, which met a busy table; 0: none */
		size_t overdue;     /* the statement, from 1, in which the batch cancelled it for good, see
		                     * db_error(); 0: none */
		long long took_ms;  /* duration of that attempt */
		long long worst_ms; /* longest observed wait of other sessions for it; or NUMBER_UNKNOWN */
	} batch;
};

enum step_outcome {
	STEP_APPLIED,
	STEP_FAILED,      /* the server reported an error */
	STEP_BUSY,        /* a table stayed busy until the deadline */
	STEP_LOST,        /* the connection is gone; `known`: whether the outcome of the step was determined */
	STEP_STOPPED      /* a signal arrived */
};

/* How a step ended, in addition to its result record.  Its texts belong to step_context.texts. */
struct step_end {
	enum step_outcome outcome;
	struct result result;
	bool kept;                  /* its row is in the database: part of the step is or may be committed */
	bool known;                 /* STEP_LOST: the outcome was determined */
	size_t also_unknown;        /* if not: number of later steps that were in flight too */
	bool finished;              /* STEP_LOST and known: all of it was committed */
	size_t statement;           /* from 1: the statement that failed or was running; 0: none */
	size_t done;                /* statements whose work is committed */
	bool keeps_session;         /* no statement of the script can have changed the session */
	bool own_row;               /* the error is in the migration's history row, not in the script */
	bool outside;               /* a non-transactional statement had started, so "rolled back" would be wrong */
	bool unsure;                /* it is unknown whether `statement`, which is non-transactional, completed */
	bool moved;                 /* its session had settings that the script's own statements do not make again */
	bool leaves;                /* it failed and left something that the next run must check */
	const char *left;           /* a description of that; or NULL */
	struct sql_place place;     /* of the error; line 0: none */
	const char *context;        /* the place inside a function, from the server's CONTEXT; or NULL */
	const char *lost;           /* STEP_LOST: the error that ended the connection; or NULL */
	const char *extra;          /* the error, if it is not the server's; or NULL */
	const char *advice;         /* the remedy, if the server has no hint; or NULL */
};

/*
 * After a lost connection: reconnects until `look` has determined the outcome and returns true, for the time of
 * --wait, but at least ten seconds.  Waits for the deploy lock, which the old session holds until the server ends
 * it: the holder of the lock sees the final outcome of the old session.  Returns false if the outcome could not be
 * determined.
 */
bool step_look_again(struct step_context *shared, const char *migration, bool (*look)(struct db *db, void *context), void *context);

/*
 * The state of the row with this id (history_row_state_sql()); as_login: read as the login, whatever role is in force.  The answer has no rows if the row or the table
 * does not exist: a history created just before a server crash may be lost.  Returns false if the state could not
 * be determined.  The caller frees the answer.
 */
bool step_ask_row(struct db *db, const char *schema, const char *id, bool as_login, struct answer **answer);

struct step_end step_run(struct step_context *shared, const struct step *step);

/* Marks a migration: what `prisma migrate resolve` writes, in one transaction. */
struct step_end step_mark(struct step_context *shared, const struct step *step);

#endif
