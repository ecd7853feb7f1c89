/*
 * State of the step being executed, and its operations: send statements, update the row, record an error,
 * determine the outcome.  Shared by deploy/step.c and deploy/nontransactional.c.
 *
 * Only for the files that run steps; all others use deploy/step.h.
 */
#ifndef MIG_DEPLOY_STEP_EXEC_H
#define MIG_DEPLOY_STEP_EXEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "deploy/stall.h"
#include "deploy/step.h"
#include "migrations/history.h"
#include "postgres/connection.h"
#include "sql/segments.h"
#include "sql/sql.h"

/* A step in progress. */
struct step_exec {
	struct step_context *shared;
	const struct step *step;
	struct sql_script script;
	struct segments segments;
	struct step_end end;
	char id[HISTORY_ID];
	bool rowed;              /* the row is committed */
	bool finished;           /* the row is finished */
	size_t done;             /* statements that are done: committed, or rolled back by the script itself */
	struct bytes role;       /* shared->role as SQL; set with the first journal */
	struct bytes names;      /* settings that the script names (session_names_sql()); set with the first
	                          * journal */
	bool named;
	bool makes_temporary;    /* the script itself makes temporary tables */
	bool sets_row_security;  /* the script may enable row security, which must not hide our row */
	struct bytes locals;     /* SET LOCAL of earlier statements that the next transaction needs too */
	bool bound_by_locals;    /* the following statements must not run without them */
	bool in_script;          /* a part of the script is running: */
	size_t first, running;   /* its first statement, and the number of statements */
	size_t ended;            /* how many of them the server has finished */
	size_t offset;           /* byte offset of the sent text in the script */
	long long began_ms;      /* start of the step */
	long long run_ms;        /* start of what was sent last */
	unsigned tries;          /* attempts since lock_timeout was last reset to a short value */
	long long lock_timeout_ms; /* of the next attempt */
	enum stall_verdict verdict; /* of the last attempt */
	bool unlimited;          /* lock_timeout and statement_timeout are off, for a non-transactional statement */
	bool rebuilt;            /* a blocking invalid index was removed */
	long long deadlocked_ms; /* when a non-transactional statement was first a deadlock victim; 0: never */
};

/*
 * The statements of a script.  They are freed while the whole script runs (for a million statements they take half
 * as much memory as the text), and computed again when needed.
 */
const struct sql_statement *step_exec_statements(struct step_exec *g);

/* Hooks for db_hooks(), called while the server works. */
void step_exec_tick(void *context, long long ms);
void step_exec_notice(void *context, const struct db_message *message);

/* Sends statements first to first + count and nothing else.  g->ended is the number that succeeded. */
enum db_outcome step_exec_run(struct step_exec *g, size_t first, size_t count);

/*
 * Sends text that is not the script's; frees it.  The first row_statements statements are those of the migration's
 * row, so that an error in them is distinguished from an error of the script, which COMMIT may raise.
 */
enum { STEP_EXEC_ALL = -1 };
enum db_outcome step_exec_run_text(struct step_exec *g, struct bytes *sql, int row_statements);

/* The same for short statements, limited like db_query().  `row`: all of it belongs to the row. */
enum db_outcome step_exec_tell_text(struct step_exec *g, struct bytes *sql, bool row);

/* The same for the statements that begin a transaction, in one round trip with what db_send_along() was given. */
enum db_outcome step_exec_begin_text(struct step_exec *g, struct bytes *sql);

/*
 * Appends text that updates the row: `done` statements are done; `why` (or NULL) is the reason for stopping.
 * `alone`: it is not part of an open transaction.  Returns the number of statements.
 */
size_t step_exec_row_text(struct step_exec *g, struct bytes *out, enum history_progress progress, size_t done, const char *why,
    bool alone);

/* Sends that text separately.  `before`: statements for the same message, ending in a semicolon; or NULL. */
enum db_outcome step_exec_write_row(struct step_exec *g, const char *before, enum history_progress progress, size_t done);

/* Records in the row why it stays unfinished, or deletes the row.  Keeps the session's error. */
void step_exec_note_unfinished(struct step_exec *g);
/* Whether the row says that nothing makes the session's settings again. */
void step_exec_note_moved(struct step_exec *g);

/* Puts the session's error into the result, with its place in the script. */
void step_exec_note_error(struct step_exec *g);
bool step_exec_error_is(const struct step_exec *g, const char *sqlstate);

/* Whether a retry may succeed: a busy table, a deadlock, or a cancel of ours while we waited. */
bool step_exec_is_busy(const struct step_exec *g);

/*
 * Returns true if the outcome ends the step; then the outcome is recorded and the transaction is rolled back.
 * Returns false for DB_OK.  If step_exec_is_busy(), the caller may still retry.
 */
bool step_exec_give_up(struct step_exec *g, enum db_outcome outcome);

/*
 * Pauses after a failed attempt, and then waits until no blocker would outlast the next one.  Returns false if the
 * deadline would pass, or a signal arrived.
 */
bool step_exec_pause(struct step_exec *g);

#endif
