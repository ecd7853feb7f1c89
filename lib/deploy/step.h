/*
 * One step's conversation with the server: the script and its history row, in as few commits as it allows.
 *
 * A script is run segment by segment (sql/segments.h).  Each commit carries the migration's row with it: the first one
 * inserts it, the last one finishes it, and those between keep its journal (migrations/history.h), so that a run that is
 * cut off anywhere can go on from there.  An ordinary script is one segment: script and row are one transaction.
 *
 * Where a transaction meets a busy table (55P03) or a deadlock (40P01), all of it is rolled back and tried again.  Where
 * it turns out that statements cannot be together (25001, 2D000, 55P04: what no reader of the text can see), the
 * segment, rolled back whole by then, is run again statement by statement.
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
	struct source *source;      /* for the watcher, and to look at a row after a lost connection */
	const char *schema;         /* of the history */
	const char *role;           /* at the start, or NULL: not known */
	struct stall stall;         /* also has --max-stall, and the deadline: no further attempt begins after it */
	struct progress *progress;
	struct arena *texts;        /* of the results, until the deploy ends */
	char *deferrable;           /* constraints of the history that would fail only at COMMIT, which is the script's as well, */
	bool deferrable_known;      /* once they were asked for */
	bool own_role;              /* a script changed the role to one that may not write the history */
	struct batch_attempt {
		size_t attempts;    /* the next step was tried ahead, and met a busy table; 0: it was not */
		size_t overdue;     /* it was cancelled for good in this statement, from 1, as db_error() says; 0: it was not */
		long long took_ms;  /* that was so long, */
		long long worst_ms; /* and others were seen waiting for it so long; or NUMBER_UNKNOWN */
	} batch;
};

enum step_outcome {
	STEP_APPLIED,
	STEP_FAILED,      /* the server refused it */
	STEP_BUSY,        /* a table stayed busy until the deadline */
	STEP_LOST,        /* the connection is gone; what became of the step was looked up: `known` */
	STEP_STOPPED      /* a signal came */
};

/* How a step ended, beyond its result record.  Its texts are of step_context.texts. */
struct step_end {
	enum step_outcome outcome;
	struct result result;
	bool kept;                  /* its row is in the database: a part of it is, or may be */
	bool known;                 /* STEP_LOST: what became of it could be looked up */
	size_t also_unknown;        /* where not: so many steps behind it were on their way, too */
	bool finished;              /* STEP_LOST and known: it was committed whole */
	size_t statement;           /* from 1: the one that failed, or that was running; 0: none */
	size_t done;                /* statements whose work is committed */
	bool own_row;               /* the error is that of the migration's row in the history, not of its file */
	bool outside;               /* a statement had begun outside a transaction, so "rolled back" would not be true */
	bool unsure;                /* whether `statement`, which stands alone, ended is not known */
	bool leaves;                /* it failed, and left something that the next run must look at */
	const char *left;           /* that, in words; or NULL */
	struct sql_place place;     /* of the error; line 0: none */
	const char *context;        /* where inside a function it happened, in the server's words; or NULL */
	const char *lost;           /* STEP_LOST: what was said when the connection went; or NULL */
	const char *extra;          /* what is wrong where no server error says it; or NULL */
	const char *advice;         /* what to do about it, where the server has no hint; or NULL */
};

/*
 * After a lost connection: connects again, and again, while --wait lasts, but for ten seconds at least, until `look` has
 * seen what became of the work and returns true.  It waits for the deploy lock, which the old session holds for as long
 * as the server has not given it up: who has the lock sees how the old one ended.  False: nobody saw it.
 */
bool step_look_again(struct step_context *shared, const char *migration, bool (*look)(struct db *db, void *context), void *context);

/*
 * The state of the row with this id (history_row_state_sql()); an answer without rows also where the table itself is not
 * there: a history that was made just before the server was stopped may be lost with it.  False: it could not be told.  The
 * answer is the caller's.
 */
bool step_ask_row(struct db *db, const char *schema, const char *id, struct answer **answer);

struct step_end step_run(struct step_context *shared, const struct step *step);

/* Marks: what `prisma migrate resolve` writes, in one transaction. */
struct step_end step_mark(struct step_context *shared, const struct step *step);

#endif
