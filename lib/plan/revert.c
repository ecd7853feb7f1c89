/* Taking back: which migrations, with which script, and what would go with them. */
#include "plan/plan_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mig.h"
#include "base/null.h"
#include "migrations/history.h"
#include "migrations/journal.h"
#include "plan/do_block.h"
#include "plan/effects.h"
#include "plan/undo.h"
#include "records/words.h"
#include "sql/sql.h"

/* A migration that is to be taken back. */
struct revert {
	struct plan_maker *maker;
	const struct migration_status *status;
	struct migration script;       /* it, with down.sql as its script */
	struct sql_script split;
	const struct effect *verdict;  /* NULL: it was not tried out */
	struct bytes guard;            /* statements */
};

/* --- what would be lost --- */

/* One more condition under which the step ends with an error: `probe` is true.  `table`: it is locked first. */
static void
add_guard(struct revert *r, const char *table, const char *probe, const char *message)
{
	struct bytes body = { 0 };

	bytes_str(&r->guard, r->guard.len > 0 ? ";\n" : "");
	if (table != NULL)
		bytes_format(&r->guard, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE;\n", table);
	bytes_format(&body, "IF %s THEN RAISE EXCEPTION USING ERRCODE = '" STEP_WOULD_LOSE "', MESSAGE = ", probe);
	bytes_sql_text(&body, message);
	bytes_str(&body, "; END IF;");
	do_block(&r->guard, &body);
}

/* What was measured when down.sql was tried. */
static bool
guard_measured(struct revert *r)
{
	const struct rehearsal_records *all = &r->maker->scan->rehearsed;
	bool any = false;
	size_t i;

	for (i = 0; i < all->loss_count; i++) {
		const struct loss *l = &all->losses[i];
		const struct rehearsal_records one = { .losses = &all->losses[i], .loss_count = 1 };
		struct bytes table = { 0 }, message = { 0 };

		if (l->by != LOSS_BY_DOWN || l->probe == NULL || strcmp(l->migration, r->script.migration) != 0)
			continue;
		any = true;
		bytes_sql_name(&table, l->schema);
		bytes_char(&table, '.');
		bytes_sql_name(&table, l->relation);
		bytes_str(&message, "this would lose ");
		undo_losses(&message, &one, l->migration, LOSS_BY_DOWN);
		bytes_str(&message, ", and there are some");
		add_guard(r, table.data, l->probe, message.data);
		bytes_free(&table);
		bytes_free(&message);
	}
	return any;
}

/* Where the last part of a name begins, behind its dot; 0: it has one part. */
static size_t
last_part(const char *name)
{
	bool quoted = false;
	size_t at = 0, i;

	for (i = 0; name[i] != '\0'; i++) {
		quoted ^= name[i] == '"';
		if (name[i] == '.' && !quoted)
			at = i + 1;
	}
	return at;
}

/* What the words of down.sql tell, as far as measuring does not: rows that it deletes; all, where it was not tried. */
static bool
guard_by_text(struct revert *r)
{
	struct sql_losses losses = sql_losses(r->script.sql, &r->split);
	bool any = false;
	size_t i;

	for (i = 0; i < losses.count; i++) {
		const struct sql_loss *l = &losses.losses[i];
		bool rows = strcmp(l->what, "TRUNCATE") == 0 || strncmp(l->what, "DELETE", 6) == 0, table = strcmp(l->what, "DROP TABLE") == 0;
		size_t part = last_part(l->object);
		struct bytes probe = { 0 };
		char *message;

		if (*l->object == '\0' || (!rows && r->verdict != NULL) || (!rows && !table && (strcmp(l->what, "DROP COLUMN") != 0 || part == 0)))
			continue;
		any = true;
		if (rows || table)
			bytes_format(&probe, "EXISTS (SELECT FROM %s)", l->object);
		else
			bytes_format(&probe, "EXISTS (SELECT FROM %.*s WHERE %s IS NOT NULL)", (int)part - 1, l->object, l->object + part);
		message = xformat("this would lose what %s %s takes away, and there is something", l->what, l->object);
		add_guard(r, NULL, probe.data, message);
		free(message);
		bytes_free(&probe);
	}
	sql_losses_free(&losses);
	return any;
}

/* "the values of column note of User; what TRUNCATE logs takes away" */
static void
what_goes(const struct revert *r, struct bytes *out)
{
	struct sql_losses losses = sql_losses(r->script.sql, &r->split);
	size_t i;

	undo_losses(out, &r->maker->scan->rehearsed, r->script.migration, LOSS_BY_DOWN);
	for (i = 0; i < losses.count; i++)
		if (r->verdict == NULL || strcmp(losses.losses[i].what, "TRUNCATE") == 0 || strncmp(losses.losses[i].what, "DELETE", 6) == 0)
			bytes_format(out, "%swhat %s %s takes away", out->len > 0 ? ", " : "", losses.losses[i].what, losses.losses[i].object);
	sql_losses_free(&losses);
}

static void
find_losses(struct revert *r)
{
	struct plan_maker *m = r->maker;
	struct bytes up = { 0 }, down = { 0 }, remedy = { 0 };
	bool allowed = plan_allows(m, "loses"), measured = guard_measured(r), told = guard_by_text(r);

	undo_losses(&up, &m->scan->rehearsed, r->script.migration, LOSS_BY_UP);
	if (up.len > 0)
		plan_add_finding(m, "loses", r->script.migration,
		    xformat("the migration took away what no down.sql gives back, only a backup has it: %s", up.data), NULL);
	if (measured || told) {
		what_goes(r, &down);
		plan_deploy_with(m, &remedy, "--allow", "loses", "take it back with what is there");
		plan_add_finding(m, "loses", r->script.migration,
		    allowed ? xformat("what was written since goes with it: %s", down.data)
		            : xformat("mig-apply looks for what was written since, and stops if there is any: %s", down.data),
		    allowed ? NULL : xstrdup(remedy.data));
	}
	if (allowed)
		r->guard.len = 0;
	if (r->guard.len > 0 && plan_transaction(&r->split) != TRANSACTION_MIG) {
		plan_add_finding(m, "unverified_down", r->script.migration,
		    xstrdup("its down.sql is not one transaction, so nobody can look under its locks for what was written since"),
		    xstrdup(remedy.data));
		r->guard.len = 0;
	}
	bytes_free(&up);
	bytes_free(&down);
	bytes_free(&remedy);
}

/* --- whether it may run --- */

static const struct effect *
verdict_of(const struct plan_maker *m, const char *migration)
{
	const struct rehearsal_records *r = &m->scan->rehearsed;
	size_t i;

	for (i = 0; i < r->count; i++)
		if (r->effects[i].effect == EFFECT_DOWN && strcmp(r->effects[i].migration, migration) == 0)
			return &r->effects[i];
	return NULL;
}

/* The scan that tries it, and the plan of it. */
static char *
rehearse_remedy(const struct plan_maker *m)
{
	struct shell_words words = { 0 };
	struct bytes text = { 0 };

	if (!m->scan->rehearsed.known && m->scan->command != NULL) {
		shell_append(&words, m->scan->command);
		shell_option(&words, "--rehearse", NULL);
		shell_program(&words, "mig-plan");
		shell_option(&words, "--down-to", m->options->down_to);
		shell_command(&text, shell_words(&words));
		bytes_str(&text, "    (tries it out first)");
	}
	shell_words_free(&words);
	plan_deploy_with(m, &text, "--allow", "unverified_down", "runs it as it is");
	return text.data;
}

static void
find_unverified(const struct revert *r)
{
	struct plan_maker *m = r->maker;
	const struct effect *v = r->verdict;
	struct finding *f;

	if (v != NULL && strcmp(v->detail, "verified") == 0)
		return;
	f = plan_add_finding(m, "unverified_down", r->script.migration,
	    v == NULL ? xstrdup("its down.sql was not tried out, so nothing says that it takes the migration back")
	              : xformat("its down.sql does not take the migration back: it %s", v->detail),
	    rehearse_remedy(m));
	if (v != NULL && strncmp(v->detail, "fails", 5) == 0) {
		f->line = v->line;
		f->column = v->column != NUMBER_UNKNOWN ? v->column : 1;
	}
}

/* There is nothing that could be run. */
static void
find_no_down(struct plan_maker *m, const struct migration_status *s)
{
	plan_add_finding(m, "no_down", s->migration,
	    xstrdup(s->script == NULL ? "it is not in the folder, so nothing takes it back"
	            : s->script->down_checksum == NULL ? "it has no down.sql, so nothing takes it back"
	                                               : "its down.sql is not UTF-8 or has a NUL byte, which no server accepts"),
	    xstrdup(s->script == NULL ? "restore its folder, with a down.sql"
	            : s->script->down_checksum == NULL ? "write a down.sql beside its migration.sql; mig-scan --rehearse tries it out"
	                                               : "save it as UTF-8"));
}

/* --- steps --- */

static int
refuse_unfinished(const struct plan_maker *m, const struct migration_status *s)
{
	(void)refusal_make(m->refusal, MIG_FAILED, "--down-to %s: %s is not finished, which blocks every deploy (P3009)", m->options->down_to,
	    s->migration);
	plan_refusal_scan(m, "  What to do about it, by its mig-plan", NULL);
	return MIG_FAILED;
}

/* Where an interrupted one goes on. */
static int
find_place(struct revert *r, struct step *step)
{
	struct journal journal;

	if (r->status->row->finished_at != NULL)
		return 0;
	if (!journal_read(r->status->row->logs, &journal) || !journal.reverts || journal.moved ||
	    journal_fits(&journal, r->script.sql, &r->split) != JOURNAL_FITS)
		return refuse_unfinished(r->maker, r->status);
	step->resume_at = (long long)journal.next;
	step->resume_begun = journal.begun;
	plan_add_finding(r->maker, "resumes", r->script.migration,
	    xformat("resumes at statement %zu of %zu of its down.sql: the statements before it are committed", journal.next, r->split.count), NULL);
	return 0;
}

static int
add_revert(struct plan_maker *m, const struct migration_status *s)
{
	struct revert r = { .maker = m, .status = s, .script = *s->script, .verdict = verdict_of(m, s->migration) };
	struct step *step;
	int code;

	r.script.sql = s->script->down_sql;
	r.script.checksum = s->script->down_checksum;
	r.split = sql_split(r.script.sql, strlen(r.script.sql));
	find_unverified(&r);
	plan_find_faults(m, &r.script, &r.split);
	find_losses(&r);
	step = plan_add_step(m, ACTION_REVERT, s->migration);
	step->checksum = r.script.checksum;
	step->transaction = plan_transaction(&r.split);
	step->statement_count = (long long)r.split.count;
	step->size_bytes = (long long)strlen(r.script.sql);
	step->row_id = s->row->id;
	step->sql = r.script.sql;
	code = find_place(&r, step);
	if (r.guard.len > 0 && !step_resumes(step)) {
		struct bytes *text = plan_new_text(m);

		bytes_add(text, r.guard.data, r.guard.len);
		step->guard_sql = text->data;
	}
	m->out->statements += r.split.count;
	bytes_free(&r.guard);
	sql_script_free(&r.split);
	return code;
}

static bool
is_unfinished(const struct migration_status *s)
{
	return s->state == STATE_FAILED || s->state == STATE_RUNNING;
}

int
plan_add_reverts(struct plan_maker *m)
{
	const struct migration_status *keep = plan_status_named(m->status, m->options->down_to), *s;
	int code = 0;

	if (keep == NULL)
		return plan_no_such(m, "down-to", m->options->down_to);
	if (keep->row == NULL) {
		(void)refusal_make(m->refusal, MIG_USAGE, "--down-to %s: it is not applied; name the one that is to be the last applied one",
		    m->options->down_to);
		plan_refusal_scan(m, "  The applied ones", "-v");
		return MIG_USAGE;
	}
	for (s = m->status->list; s <= keep; s++)
		if (is_unfinished(s))
			return refuse_unfinished(m, s);
	for (s = m->status->list + m->status->count - 1; code == 0 && s > keep; s--) {
		m->out->still_pending += s->row == NULL;
		if (s->row == NULL)
			continue;
		if (!is_unfinished(s))
			plan_find_in_history(m, s);
		if (s->script == NULL || s->script->down_sql == NULL)
			find_no_down(m, s);
		else
			code = add_revert(m, s);
	}
	return code;
}
