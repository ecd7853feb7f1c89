/*
 * A step under way: what of its script and of its row is where, and what each part of deploy/step.c and deploy/nontransactional.c does with it: send
 * some statements, bring the row up to date, note an error, look what became of it.
 *
 * Only for the rooms that run steps; deploy/step.h is for everybody else.
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

/* A step under way. */
struct step_exec {
	struct step_context *shared;
	const struct step *step;
	struct sql_script script;
	struct segments segments;
	struct step_end end;
	char id[HISTORY_ID];
	bool rowed;              /* the row is committed */
	bool finished;           /* and finished */
	size_t done;             /* statements behind which we are: committed, or rolled back by the script itself */
	struct bytes role;       /* shared->role, as SQL; once the first journal is written */
	struct bytes names;      /* settings that the script names (session_names_sql()), once the first journal is written */
	bool named;
	bool makes_temporary;    /* the script itself does, */
	bool sets_row_security;  /* or may switch it on: our row is not to be hidden by it */
	struct bytes locals;     /* SET LOCAL of statements before, which the transaction that runs next is to have as well, */
	bool bound_by_locals;    /* and without which the statements behind them must not run */
	bool in_script;          /* a part of the script is running: */
	size_t first, running;   /*   its first statement, and how many they are, */
	size_t ended;            /*   and how many of them the server has finished */
	size_t offset;           /*   where the text that was sent begins in the script */
	long long began_ms;      /* of the step, */
	long long run_ms;        /* and of what was sent last */
	unsigned tries;          /* since a short lock_timeout was begun with (again) */
	long long lock_timeout_ms; /* of the next attempt */
	enum stall_verdict verdict; /* of the last one */
	bool unlimited;          /* lock_timeout and statement_timeout are off, for a statement that stands alone */
	bool rebuilt;            /* an index that was in the way and not valid was removed */
	long long deadlocked_ms; /* when a statement that stands alone was first a deadlock's victim; 0: not yet */
};

/*
 * The statements of a script.  While the whole of it runs they are given back (of a million they take half as much
 * memory as the text), and found again when they are needed.
 */
const struct sql_statement *step_exec_statements(struct step_exec *g);

/* While the server is at work: hooks for db_hooks(). */
void step_exec_tick(void *context, long long ms);
void step_exec_notice(void *context, const struct db_message *message);

/* Statements first to first + count: sends them, and nothing else.  g->ended says how many ended well. */
enum db_outcome step_exec_run(struct step_exec *g, size_t first, size_t count);

/*
 * Text that is not the script's; frees it.  row_statements: the first so many of its statements are those of the migration's row, so
 * that an error in them is told from one of the script, which COMMIT may raise.
 */
enum { STEP_EXEC_ALL = -1 };
enum db_outcome step_exec_run_text(struct step_exec *g, struct bytes *sql, int row_statements);

/* The same for what needs no time, and is limited.  `row`: all of it is the row's. */
enum db_outcome step_exec_tell_text(struct step_exec *g, struct bytes *sql, bool row);

/*
 * Text that brings the row up to date: `done` statements lie behind, `why` (or NULL) says why it stops there.
 * `alone`: it is no part of a transaction that is open.  Returns how many statements it takes.
 */
size_t step_exec_row_text(struct step_exec *g, struct bytes *out, enum history_progress progress, size_t done, const char *why,
    bool alone);

/* Sends that, alone.  `before`: statements in the same message, ends in a semicolon; or NULL. */
enum db_outcome step_exec_write_row(struct step_exec *g, const char *before, enum history_progress progress, size_t done);

/* Notes in the row why it stays unfinished, or takes it back.  The error outlives this. */
void step_exec_note_unfinished(struct step_exec *g);

/* Puts the session's error into the result, with its place in the script. */
void step_exec_note_error(struct step_exec *g);
bool step_exec_error_is(const struct step_exec *g, const char *sqlstate);

/* Whether the same may work when it is tried again: a busy table, a deadlock, or a cancel of ours while we waited. */
bool step_exec_is_busy(const struct step_exec *g);

/*
 * True, with the step's outcome noted and the transaction rolled back, for whatever ends a step; false for DB_OK.  Where
 * step_exec_is_busy(), the caller may try again all the same.
 */
bool step_exec_give_up(struct step_exec *g, enum db_outcome outcome);

/*
 * Pauses after a failed attempt, and then until nobody is in the way who would outlast the next one; false when the
 * deadline would pass, or a signal came.
 */
bool step_exec_pause(struct step_exec *g);

#endif
