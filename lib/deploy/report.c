#include "deploy/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/page.h"
#include "base/signals.h"
#include "deploy/next_command.h"
#include "deploy/restore_point.h"
#include "database/locks.h"
#include "migrations/script_error.h"
#include "migrations/script_path.h"
#include "postgres/connection.h"
#include "postgres/sqlstate.h"
#include "records/words.h"
#include "sql/interrupted.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

static bool
is_done(const struct result *result)
{
	return result->status == STATUS_APPLIED || result->status == STATUS_MARKED || result->status == STATUS_REVERTED;
}

static size_t
count_status(const struct report *r, enum result_status status)
{
	size_t n = 0, i;

	for (i = 0; i < r->count; i++)
		n += r->results[i].status == status;
	return n;
}

/* "step 1", "steps 3 and 4", "steps 1 to 7", "steps 1 to 3 and 5": of the results that `wanted` picks. */
static void
step_list(struct bytes *out, const struct report *r, bool (*wanted)(const struct result *))
{
	struct bytes list = { 0 };
	size_t i, end, total = 0, parts = 0;

	for (i = 0; i < r->count; i = end) {
		for (end = i; end < r->count && wanted(&r->results[end]); end++)
			;
		if (end == i) {
			end++;
			continue;
		}
		total += end - i;
		bytes_str(&list, parts++ > 0 ? ", " : "");
		if (end - i == 1)
			bytes_format(&list, "%zu", i + 1);
		else
			bytes_format(&list, end - i == 2 ? "%zu and %zu" : "%zu to %zu", i + 1, end);
	}
	if (total == 0)
		bytes_str(out, "nothing");
	else
		bytes_format(out, "step%s %s", total == 1 ? "" : "s", list.data);
	bytes_free(&list);
}

static bool
is_skipped(const struct result *result)
{
	return result->status == STATUS_SKIPPED;
}

static bool
is_not_started(const struct result *result)
{
	return result->status == STATUS_NOT_STARTED;
}

static void
fact(const struct report *r, const char *word, bool (*wanted)(const struct result *), bool always)
{
	struct bytes list = { 0 };

	step_list(&list, r, wanted);
	if (always || strcmp(list.data, "nothing") != 0)
		message_line("  %-13s %s", word, list.data);
	bytes_free(&list);
}

/* How to get back to the state before, where it is another one by now. */
static void
say_restore(const struct report *r, const struct step_end *end)
{
	struct bytes text = { 0 };

	if (count_status(r, STATUS_APPLIED) + count_status(r, STATUS_MARKED) + count_status(r, STATUS_REVERTED) == 0 && end != NULL &&
	    !end->kept && !end->outside && !end->finished && (end->outcome != STEP_LOST || end->known))
		return;
	restore_point_text(&text, r->server_time, r->lsn);
	if (text.len > 0)
		message_line("  %-13s restore to %s", "to get back", text.data);
	if (r->restore_point != NULL)
		message_line("  %-13s or to the restore point %s", "", r->restore_point);
	bytes_free(&text);
}

void
report_success(const struct report *r)
{
	size_t applied = count_status(r, STATUS_APPLIED), marked = count_status(r, STATUS_MARKED);
	size_t reverted = count_status(r, STATUS_REVERTED);
	bool reverts = r->count > 0 && r->steps[0].action == ACTION_REVERT;
	size_t skipped = count_status(r, STATUS_SKIPPED), i;
	long long waited = 0, worst = 0;
	struct bytes text = { 0 };
	char span[CLOCK_SPAN];

	if (message_verbosity < 0)
		return;
	if (skipped == r->count) {
		message_line("nothing to do: another deployer %s all %zu steps", reverts ? "took back" : "applied", r->count);
		return;
	}
	for (i = 0; i < r->count; i++) {
		waited += r->results[i].waited_ms;
		worst = r->results[i].worst_stall_ms > worst ? r->results[i].worst_stall_ms : worst;
	}
	bytes_format(&text, "%s %zu of %zu in %s", reverts ? "took back" : applied > 0 || marked == 0 ? "applied" : "marked", applied + marked + reverted,
	    r->count, clock_span(r->took_ms, span));
	if (waited > 0)
		bytes_format(&text, ", of that %s waiting", clock_span(waited, span));
	if (worst > 0)
		bytes_format(&text, "; other sessions waited at most %s", clock_span(worst, span));
	if (skipped > 0)
		bytes_format(&text, "; another deployer had %s %zu", reverts ? "taken back" : "applied", skipped);
	message_line("%s", text.data);
	bytes_free(&text);
}

/* --- trouble --- */

/* It is to be taken back, and rows came since that would go with it. */
static bool
would_lose(const struct step_end *end)
{
	return end->outcome == STEP_FAILED && end->result.sqlstate != NULL && strcmp(end->result.sqlstate, STEP_WOULD_LOSE) == 0;
}

static void
say_place(const struct report *report, const struct step *step, const struct step_end *end)
{
	const struct result *r = &end->result;

	script_error_say(&(struct script_error){ .folder = report->folder,
	    .migration = step->migration,
	    .sql = step->sql,
	    .file = step_file(step),
	    .own_row = end->own_row,
	    .place = end->place,
	    .message = r->message,
	    .sqlstate = r->sqlstate,
	    .detail = r->detail,
	    .hint = r->hint,
	    .advice = end->advice,
	    .context = would_lose(end) ? NULL : end->context });
}

/* Whether the next run can tell by itself how far the statement came. */
static bool
can_tell(const struct step *step, const struct step_end *end)
{
	struct sql_script script = sql_split(step->sql, strlen(step->sql));
	struct interrupted aim = { .act = INTERRUPTED_NONE };

	if (end->done < script.count) {
		aim = interrupted_of(step->sql, &script.statements[end->done]);
		interrupted_free(&aim);
	}
	sql_script_free(&script);
	return aim.act != INTERRUPTED_NONE;
}

/* What became of the step itself. */
static void
say_fate(const struct step *step, const struct step_end *end)
{
	long long count = step->statement_count;

	if (end->outcome == STEP_LOST && !end->known) {
		if (end->also_unknown == 0)
			message_line("  %-13s step %lld: could not find out whether it was committed", "unknown", step->step);
		else
			message_line("  %-13s steps %lld to %lld: could not find out which of them are committed", "unknown",
			    step->step, step->step + (long long)end->also_unknown);
		return;
	}
	if (end->finished) {
		message_line("  %-13s all of step %lld, before the connection was lost", "committed", step->step);
		return;
	}
	if (!end->kept) {
		if (end->outside)
			message_line("  %-13s step %lld: statement %zu, which runs outside a transaction, did not finish; no `migrate resolve` needed",
			    "not done", step->step, end->done + 1);
		else
			message_line("  %-13s all of step %lld; nothing of it is in the database, no `migrate resolve` needed",
			    "rolled back", step->step);
		if (end->left != NULL)
			message_line("  %-13s %s", "left", end->left);
		return;
	}
	if (end->done == 0)
		message_line("  %-13s step %lld: none of its %lld statement%s is done", "half done", step->step, count,
		    count == 1 ? "" : "s");
	else
		message_line("  %-13s step %lld: %zu of its %lld statements %s committed", "half done",
		    step->step, end->done, count, end->done == 1 ? "is" : "are");
	if (end->left != NULL)
		message_line("  %-13s %s", "left", end->left);
	if (end->unsure)
		message_line("  %-13s %s %zu %s", "not known", end->outcome == STEP_FAILED ? "what statement" : "whether statement",
		    end->done + 1, end->outcome == STEP_FAILED ? "committed before it failed"
		        : can_tell(step, end)                   ? "ended; the next run reads it from the catalog"
		                                                 : "ended");
}

/* What the next run cannot have again, so that the plan will ask. */
static bool
lost_session(const struct step *step, const struct step_end *end)
{
	struct sql_script script;
	struct session_behind behind;
	bool lost;

	if (!end->kept || end->finished || end->done == 0)
		return false;
	script = sql_split(step->sql, strlen(step->sql));
	behind = session_behind(step->sql, &script, end->done);
	lost = behind.lost != NULL;
	if (lost)
		message_line("  %-13s %s of statement %zu, with its session", "lost", behind.lost, behind.lost_at + 1);
	else if (end->moved)
		message_line("  %-13s settings that a function or a procedure made, with its session", "lost");
	session_behind_free(&behind);
	sql_script_free(&script);
	return lost || end->moved;
}

/* A right that the role lacks: neither the file nor the database is wrong. */
static bool
is_denied(const struct step_end *end)
{
	return end->outcome == STEP_FAILED && end->result.sqlstate != NULL &&
	    strcmp(end->result.sqlstate, SQLSTATE_INSUFFICIENT_PRIVILEGE) == 0;
}

static void
say_next(const struct step *step, const struct step_end *end)
{
	if (would_lose(end))
		next_command_with("next: save them; or lose them", "--allow", "loses");
	else if (lost_session(step, end) || (end->kept && !end->finished && end->unsure && !can_tell(step, end)))
		next_command_ask("shows how to continue with %s", step->migration);
	else if (end->outcome == STEP_FAILED && end->own_row)
		next_command_deploy("next: correct that, then run the same command again");
	else if (is_denied(end))
		next_command_deploy("next: grant the right to the role, or deploy as a role that has it; then run the same command again");
	else if (end->outcome == STEP_FAILED && !end->kept)
		next_command_deploy("next: correct the file, then run the same command again");
	else if (end->outcome == STEP_FAILED)
		next_command_deploy("next: correct statement %zu or a later one in the file, then run the same command again; it resumes there", end->done + 1);
	else if (end->kept && !end->finished) /* a kept plan does not know of the row */
		next_command_deploy("next: run the same command again; it resumes where it stopped");
	else
		next_command_retry("next: run the same command again; it resumes where it stopped");
}

static void
say_holder(const struct holder *h, bool first)
{
	struct bytes text = { 0 };

	page_session(&text, &h->session);
	if (h->session.pid == 0)
		bytes_str(&text, ": select * from pg_prepared_xacts;");
	else if (h->session.state == NULL && h->session.kind == NULL)
		bytes_str(&text, " (more is visible to a role with pg_monitor)");
	message_line("  %-13s %s", first ? "held by" : "", text.data);
	bytes_free(&text);
}

/* The prepared transactions among those that hold what was waited for; NULL: there is none, or it cannot be told which. */
static struct answer *
prepared_holders(const struct step_context *shared)
{
	const struct waits *waits = &shared->stall.waits;
	const char *const parameters[] = { waits->oid };
	struct answer *answer = NULL;
	size_t i;

	for (i = 0; i < waits->count && waits->holders[i].session.pid != 0; i++)
		;
	if (i == waits->count || waits->oid == NULL)
		return NULL;
	(void)db_query(shared->db, &answer, locks_prepared_sql, 1, parameters);
	if (answer != NULL && answer_rows(answer) > 0)
		return answer;
	answer_free(answer);
	return NULL;
}

static int
say_busy(const struct report *r, size_t at, const struct step_end *end, const struct step_context *shared)
{
	const struct step *step = &r->steps[at];
	const struct waits *waits = &shared->stall.waits;
	const char *what = waits->relation != NULL ? waits->relation
	    : waits->count > 0                     ? "a row or transaction of another session"
	                                           : "a table that the step needs";
	char span[CLOCK_SPAN], limit[CLOCK_SPAN];
	struct answer *prepared = prepared_holders(shared);
	struct bytes path = { 0 };
	bool lost;
	size_t i;

	(void)message_error(MIG_BUSY, "%s stayed busy; gave up after %lld attempt%s in %s [%s]", what,
	    end->result.attempts, end->result.attempts == 1 ? "" : "s", clock_span(end->result.took_ms, span),
	    end->result.sqlstate);
	if (clock_now_ms() < shared->stall.deadline_ms)
		message_line("  %-13s the next attempt would start after its end", "--wait");
	if (end->place.line > 0) {
		script_path_of(&path, r->folder, step->migration, step_file(step));
		message_line("  %-13s %s:%lu%s%s", "wanted by", path.data, end->place.line,
		    waits->relation != NULL ? ", " : "", waits->relation != NULL ? waits->mode : "");
		bytes_free(&path);
	}
	for (i = 0; i < waits->count; i++)
		if (prepared == NULL || waits->holders[i].session.pid != 0)
			say_holder(&waits->holders[i], i == 0);
	for (i = 0; prepared != NULL && i < answer_rows(prepared); i++)
		message_line("  %-13s a prepared transaction, %s, of %s", "held by", answer_text(prepared, i, 0),
		    answer_text(prepared, i, 1));
	fact(r, "committed", is_done, true);
	if (end->kept || end->outside)
		say_fate(step, end);
	else
		message_line("  %-13s all of step %lld", "rolled back", step->step);
	lost = lost_session(step, end);
	fact(r, "not started", is_not_started, false);
	if (end->result.worst_stall_ms != NUMBER_UNKNOWN)
		message_line("  other sessions waited at most %s (--max-stall %s)",
		    clock_span(end->result.worst_stall_ms, span), clock_span(r->max_stall_ms, limit));
	say_restore(r, end);
	if (waits->count > 0 && waits->holders[0].session.pid > 0)
		message_line("next: wait until pid %lld has finished, or end it in psql:  select pg_terminate_backend(%lld);",
		    waits->holders[0].session.pid, waits->holders[0].session.pid);
	for (i = 0; prepared != NULL && i < answer_rows(prepared); i++)
		message_line("%s end it in psql:  ROLLBACK PREPARED %s;    (or COMMIT PREPARED)",
		    i == 0 && waits->holders[0].session.pid <= 0 ? "next:" : "      then", answer_text(prepared, i, 0));
	answer_free(prepared);
	if (lost)
		next_command_ask("shows how to continue with %s", step->migration);
	else
		(end->kept ? next_command_deploy : next_command_retry)("%s run the same command again; it resumes at step %lld",
		    waits->count > 0 ? "      then" : "next:", step->step);
	return MIG_BUSY;
}

int
report_trouble(const struct report *r, size_t at, const struct step_end *end, const struct step_context *shared)
{
	const struct step *step = &r->steps[at];
	int code = MIG_FAILED;

	if (end->outcome == STEP_BUSY)
		return say_busy(r, at, end, shared);
	if (end->outcome == STEP_STOPPED) {
		code = 128 + signals_caught();
		(void)message_error(code, "stopped by a signal in step %lld of %zu, %s", step->step, r->count,
		    step->migration);
	} else if (end->outcome == STEP_LOST) {
		code = MIG_UNREACHABLE;
		(void)message_error(code, "the connection was lost in step %lld of %zu, %s: %s", step->step, r->count,
		    step->migration, end->lost != NULL ? end->lost : "it was closed");
	} else {
		say_place(r, step, end);
		code = is_denied(end) ? MIG_DENIED : MIG_FAILED;
		(void)message_error(code, "step %lld of %zu failed, %s", step->step, r->count, step->migration);
	}
	fact(r, "committed", is_done, end->outcome != STEP_LOST || end->known);
	fact(r, "skipped", is_skipped, false);
	say_fate(step, end);
	fact(r, "not started", is_not_started, false);
	say_restore(r, end);
	say_next(step, end);
	return code;
}

int
report_stopped(const struct report *r, size_t at)
{
	int code = 128 + signals_caught();

	(void)message_error(code, "stopped by a signal before step %zu of %zu", at + 1, r->count);
	fact(r, "committed", is_done, true);
	fact(r, "skipped", is_skipped, false);
	fact(r, "not started", is_not_started, false);
	if (count_status(r, STATUS_APPLIED) + count_status(r, STATUS_MARKED) + count_status(r, STATUS_REVERTED) > 0)
		say_restore(r, NULL);
	next_command_retry("next: run the same command again; it resumes where it stopped");
	return code;
}
