#include "deploy/step_exec.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/null.h"
#include "deploy/stall.h"
#include "deploy/step_exec_internal.h"
#include "deploy/together.h"
#include "migrations/progress.h"
#include "postgres/sqlstate.h"
#include "records/model.h"
#include "records/words.h"
#include "sql/hints.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

const struct sql_statement *
step_exec_statements(struct step_exec *g)
{
	if (g->script.statements == NULL)
		g->script = sql_split(g->step->sql, strlen(g->step->sql));
	return g->script.statements;
}

/* --- while the server is at work --- */

size_t
step_exec_running(const struct step_exec *g)
{
	return g->first + g->ended;
}

void
step_exec_tick(void *context, long long ms)
{
	struct step_exec *g = context;
	struct bytes note = { 0 };

	stall_tick(&g->shared->stall);
	if (g->in_script && (g->running != 1 || step_exec_statements(g) != NULL))
		progress_statements(&note, g->step->sql, &g->script, g->first, g->running);
	stall_note(&g->shared->stall, &note);
	progress_running(g->shared->progress, g->step, ms, bytes_text(&note));
	bytes_free(&note);
}

void
step_exec_notice(void *context, const struct db_message *message)
{
	const struct step_exec *g = context;

	/*
	 * 25001, 25P01: "there is already a transaction", "... no transaction": from BEGIN and COMMIT inside ours
	 */
	if (g->in_script && strcmp(message->sqlstate, SQLSTATE_ACTIVE_SQL_TRANSACTION) != 0 &&
	    strcmp(message->sqlstate, SQLSTATE_NO_ACTIVE_SQL_TRANSACTION) != 0)
		message_info("%s: %s: %s", g->step->migration, message->severity, message->text);
}

/* --- errors --- */

bool
step_exec_error_is(const struct step_exec *g, const char *sqlstate)
{
	return strcmp(db_error(g->shared->db)->sqlstate, sqlstate) == 0;
}

/* Whether it was cancelled, and by us. */
bool
step_exec_is_ours(const struct step_exec *g)
{
	return g->verdict != STALL_FINE && step_exec_error_is(g, SQLSTATE_QUERY_CANCELED);
}

bool
step_exec_is_busy(const struct step_exec *g)
{
	return db_is_busy(db_error(g->shared->db)) || (step_exec_is_ours(g) && g->verdict != STALL_HELD);
}

void
step_exec_forget_texts(struct step_exec *g)
{
	g->end.extra = g->end.advice = NULL;
}

/*
 * Handles a cancel of our own, which the server reports like any other.  If we were waiting, a retry may succeed;
 * if we were working, it would take as long again.
 */
static void
note_cancelled(struct step_exec *g)
{
	const struct stall *t = &g->shared->stall;
	struct arena *texts = g->shared->texts;
	struct bytes why = { 0 };
	char limit[CLOCK_SPAN];

	if (g->verdict == STALL_HELD) {
		bytes_format(&why, "this needs longer than --max-stall allows, %s, while %zu session%s wait%s",
		    clock_span(t->max_stall_ms, limit), t->view.behind, t->view.behind == 1 ? "" : "s",
		    t->view.behind == 1 ? "s" : "");
		if (t->view.relation[0] != '\0')
			bytes_format(&why, " for %s", t->view.relation);
		g->end.advice = arena_format(texts, "%s. To accept a longer stall: --max-stall=%llds",
		    hint_of(g->step->sql, g->end.statement > 0 ? &step_exec_statements(g)[g->end.statement - 1] : NULL),
		    t->max_stall_ms < 1000 ? 10 : t->max_stall_ms / 100);
		g->end.result.hint = g->end.advice;
	} else {
		bytes_str(&why, "cancelled by mig-apply while it waited for a lock");
	}
	g->end.extra = arena_copy(texts, why.data);
	bytes_free(&why);
	g->end.result.message = g->end.extra;
}

/* Where in the script it happened. */
static void
note_place(struct step_exec *g)
{
	size_t position = db_error(g->shared->db)->position;
	const char *sql = g->step->sql;
	size_t len, at;
	struct result *r = &g->end.result;

	r->line = r->column = NUMBER_UNKNOWN;
	g->end.statement = 0;
	g->end.place = (struct sql_place){ 0 };
	if (!g->in_script)
		return;
	len = at = strlen(sql);
	if (step_exec_running(g) < g->script.count) {
		g->end.statement = step_exec_running(g) + 1;
		at = step_exec_statements(g)[g->end.statement - 1].start;
	}
	if (position > 0)
		at = g->offset + utf8_offset(sql + g->offset, len - g->offset, position - 1);
	if (at < len || position > 0) {
		g->end.place = sql_place(sql, len, at);
		r->line = (long long)g->end.place.line;
		r->column = (long long)g->end.place.column;
	}
}

void
step_exec_note_error(struct step_exec *g)
{
	const struct db_error *e = db_error(g->shared->db);
	struct arena *texts = g->shared->texts;
	struct result *r = &g->end.result;

	r->sqlstate = e->sqlstate[0] != '\0' ? arena_copy(texts, e->sqlstate) : NULL;
	r->message = arena_copy(texts, e->message);
	r->detail = arena_copy(texts, e->detail);
	r->hint = arena_copy(texts, e->hint);
	g->end.context = arena_copy(texts, e->context);
	note_place(g);
	step_exec_forget_texts(g);
	if (step_exec_is_ours(g))
		note_cancelled(g);
	else if (g->end.own_row) {
		g->end.extra = arena_format(texts, "its row in %s." HISTORY_TABLE " could not be written: %s", g->shared->schema, e->message);
		r->message = g->end.extra;
	}
}

/* --- the row and its journal --- */

static const char *
names_of(struct step_exec *g)
{
	(void)step_exec_statements(g);
	if (!g->named) {
		session_names_sql(&g->names, g->step->sql, &g->script);
		g->makes_temporary = session_makes_objects(g->step->sql, &g->script);
		if (g->shared->role != NULL)
			bytes_sql_text(&g->role, g->shared->role);
	}
	g->named = true;
	return bytes_text(&g->names);
}

/*
 * Turns DB_OK into an error if answers are missing or unexpected, because the outcome is then unknown.  The server
 * splits a script like the plan does (tests/sql.bats), so each statement has exactly one answer.
 */
enum db_outcome
step_exec_check_answers(struct step_exec *g, enum db_outcome outcome, size_t sent)
{
	return outcome == DB_OK && db_answered(g->shared->db) != sent ? db_give_up(g->shared->db) : outcome;
}

/* The same of a text of ours. */
static enum db_outcome
check_answers_of(struct step_exec *g, enum db_outcome outcome, const struct bytes *sql)
{
	struct sql_script script;

	if (outcome != DB_OK)
		return outcome;
	script = sql_split(sql->data, sql->len);
	outcome = step_exec_check_answers(g, outcome, script.count);
	sql_script_free(&script);
	return outcome;
}

size_t
step_exec_row_text(struct step_exec *g, struct bytes *out, enum history_progress progress, size_t done, const char *why,
    bool alone)
{
	struct history_entry entry = { .id = g->id,
		.migration = g->step->migration,
		.checksum = g->step->checksum,
		.progress = progress,
		.done = done,
		.count = g->script.count,
		.behind = done > 0 && progress != HISTORY_FINISHED ? step_exec_statements(g)[done - 1].end : 0,
		.text = g->step->sql,
		.why = why,
		.exists = g->rowed,
		.reverts = g->step->action == ACTION_REVERT,
		.own_role = g->shared->own_role,
		.all_rows = g->sets_row_security,
		.alone = alone };

	if (progress != HISTORY_FINISHED) {
		entry.names = names_of(g);
		entry.role_sql = g->role.len > 0 ? g->role.data : NULL;
		entry.makes_temporary = g->makes_temporary;
	}
	return history_entry_sql(out, g->shared->schema, &entry);
}

enum db_outcome
step_exec_run_text(struct step_exec *g, struct bytes *sql, int row_statements)
{
	enum db_outcome outcome;
	size_t done = 0;
	const char *table;

	g->in_script = false;
	outcome = check_answers_of(g, db_run(g->shared->db, sql->data, &done), sql);
	bytes_free(sql);
	table = outcome == DB_ERROR ? db_error(g->shared->db)->table : NULL;
	g->end.own_row = outcome == DB_ERROR && row_statements != 0 &&
	    (row_statements == STEP_EXEC_ALL || done < (size_t)row_statements || (table != NULL && strcmp(table, HISTORY_TABLE) == 0));
	return outcome;
}

enum db_outcome
step_exec_tell_text(struct step_exec *g, struct bytes *sql, bool row)
{
	enum db_outcome outcome;

	g->in_script = false;
	outcome = check_answers_of(g, db_tell(g->shared->db, sql->data), sql);
	bytes_free(sql);
	g->end.own_row = row && outcome == DB_ERROR;
	return outcome;
}

enum db_outcome
step_exec_begin_text(struct step_exec *g, struct bytes *sql)
{
	enum db_outcome outcome;

	if (!db_has_along(g->shared->db))
		return step_exec_tell_text(g, sql, false);
	g->in_script = g->end.own_row = false;
	outcome = together_tell(g->shared->db, sql->data);
	bytes_free(sql);
	return outcome;
}

enum db_outcome
step_exec_write_row(struct step_exec *g, const char *before, enum history_progress progress, size_t done)
{
	struct bytes sql = { 0 };
	enum db_outcome outcome;

	bytes_str(&sql, before != NULL ? before : "");
	step_exec_row_text(g, &sql, progress, done, NULL, true);
	outcome = step_exec_tell_text(g, &sql, true);
	if (outcome == DB_ERROR && step_exec_error_is(g, SQLSTATE_INSUFFICIENT_PRIVILEGE) && !g->shared->own_role) {
		db_rollback(g->shared->db);
		g->shared->own_role = true;
		return step_exec_write_row(g, before, progress, done);
	}
	if (outcome == DB_OK) {
		g->rowed = true;
		g->finished = progress == HISTORY_FINISHED;
	}
	return outcome;
}

/*
 * If the first statement is non-transactional and failed without leftovers, the row is deleted too, and there is
 * nothing to resolve; a migration that was to be taken back is an applied one again.  If the role may not delete, the row stays and
 * says so.
 */
static bool
take_row_back(struct step_exec *g)
{
	struct bytes sql = { 0 };
	bool gone;

	if (g->done > 0 || g->end.unsure || g->end.leaves || step_resumes(g->step))
		return false;
	bytes_str(&sql, g->shared->own_role ? HISTORY_AS_LOGIN : "");
	if (g->step->action == ACTION_REVERT)
		history_restore_sql(&sql, g->shared->schema, g->id);
	else
		history_delete_sql(&sql, g->shared->schema, g->id);
	gone = db_run_best_effort(g->shared->db, sql.data);
	bytes_free(&sql);
	if (gone)
		g->rowed = g->end.kept = false;
	return gone;
}

void
step_exec_note_unfinished(struct step_exec *g)
{
	struct bytes why = { 0 }, sql = { 0 };

	if (!g->rowed || g->finished || take_row_back(g))
		return;
	bytes_str(&why, g->end.extra != NULL ? g->end.extra
	        : g->end.result.message != NULL ? g->end.result.message : "it did not end");
	if (g->end.extra == NULL && g->end.result.sqlstate != NULL)
		bytes_format(&why, " [%s]", g->end.result.sqlstate);
	step_exec_row_text(g, &sql, g->end.unsure || g->end.leaves ? HISTORY_BEGINS_ALONE : HISTORY_GOES_ON, g->done, why.data,
	    true);
	db_run_best_effort(g->shared->db, sql.data);
	bytes_free(&why);
	bytes_free(&sql);
}
