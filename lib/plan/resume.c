/* Going on with what an earlier run left. */
#include "plan/plan_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mig.h"
#include "migrations/journal.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

static const char *
resume_wish(const struct plan_options *w, const char *migration)
{
	size_t i;

	for (i = 0; i < w->resume_count; i++) {
		const char *colon = strrchr(w->resumes[i], ':');

		if (strlen(migration) == (size_t)(colon - w->resumes[i]) &&
		    strncmp(w->resumes[i], migration, strlen(migration)) == 0)
			return colon + 1;
	}
	return NULL;
}

/* Whether a script that fails as one message leaves nothing. */
static bool
is_one_transaction(const struct migration *script)
{
	struct sql_script split;
	bool one;

	if (script == NULL || script->sql == NULL)
		return false;
	split = sql_split(script->sql, strlen(script->sql));
	one = sql_transaction(&split) == SQL_TRANSACTION_MIG;
	sql_script_free(&split);
	return one;
}

/* A row without a journal: another program's. */
static char *
why_not_ours(const struct history_row *row)
{
	char *first = journal_error(row->logs), *why;

	if (row->logs == NULL)
		return xstrdup("it was not run by mig, and its outcome is unknown");
	why = first != NULL ? xformat("it was not run by mig, and failed: %s", first)
	                    : xstrdup("it was not run by mig, and failed");
	free(first);
	return why;
}

void
plan_deploy_with(const struct plan_maker *m, struct bytes *out, const char *option, const char *value, const char *meaning)
{
	const struct plan_options *w = m->options;
	struct shell_words words = { 0 };

	shell_append(&words, m->scan->command);
	shell_program(&words, "mig-plan");
	shell_option(&words, option, value);
	if (strncmp(option, "--mark", 6) != 0 && strcmp(option, "--baseline") != 0 && w->to != NULL)
		shell_option(&words, "--to", w->to);
	if (w->down_to != NULL)
		shell_option(&words, "--down-to", w->down_to);
	if (w->allow != NULL)
		shell_option(&words, "--allow", w->allow);
	plan_apply_words(&words, m->scan->command);
	if (out->len > 0)
		bytes_char(out, '\n');
	if (shell_words(&words) != NULL) {
		shell_command(out, shell_words(&words));
	} else {
		bytes_format(out, "repeat the same commands, with mig-plan's option %s=", option);
		shell_word(out, value);
	}
	bytes_format(out, "    (%s)", meaning);
	shell_words_free(&words);
}

/* The commands to choose from if the progress is unknown. */
static char *
failed_remedy(const struct plan_maker *m, const struct migration_status *s, const struct journal *journal)
{
	struct bytes text = { 0 };
	size_t next = journal != NULL ? journal->next : 1, at;
	bool undone = journal == NULL && is_one_transaction(s->script);

	bytes_str(&text, "Check what it left; then choose one of these:");
	if (undone)
		plan_deploy_with(m, &text, "--mark-rolled-back", s->migration,
		    "Prisma sent the script as one message without its own transactions: all of it was rolled back");
	for (at = next; s->script != NULL && s->script->sql != NULL &&
	     at <= next + (journal != NULL && journal->begun); at++) {
		char *value = xformat("%s:%zu", s->migration, at);
		char *meaning = at == next ? xformat("statement %zu did not happen", next) : xstrdup("it did");

		plan_deploy_with(m, &text, "--resume", value, meaning);
		free(value);
		free(meaning);
	}
	if (!undone)
		plan_deploy_with(m, &text, "--mark-rolled-back", s->migration, "all of it was undone");
	plan_deploy_with(m, &text, "--mark-applied", s->migration, "all of it is applied");
	return text.data;
}

static int
add_failed(struct plan_maker *m, const struct migration_status *s, const struct journal *journal, const char *why)
{
	char since[CLOCK_INSTANT];

	plan_add_finding(m, "failed", s->migration,
	    xformat("started at %s and not finished; it blocks every deploy (P3009); %s",
	        clock_readable(s->row->started_at, since), why),
	    failed_remedy(m, s, journal));
	return 0;
}

static int
add_told_resume(struct plan_maker *m, const struct migration_status *s, const char *number, size_t count)
{
	char *end;
	unsigned long at = strtoul(number, &end, 10);
	struct plan_resume resume = { .row_id = s->row->id, .at = at, .told = true };

	if (*number < '0' || *number > '9' || *end != '\0' || at < 1 || at > count + 1)
		return refusal_make(m->refusal, MIG_USAGE, "--resume %s:%s: its statements are 1 to %zu, and %zu finishes its row",
		    s->migration, number, count, count + 1);
	return plan_add_apply(m, s->script, &resume);
}

/*
 * The rest needs the session that the done part had: its settings are made again, and what nothing makes again is a
 * question.
 */
static int
add_kept_resume(struct plan_maker *m, const struct migration_status *s, const struct journal *journal, const struct sql_script *split,
    const struct plan_resume *resume)
{
	struct session_behind behind = session_behind(s->script->sql, split, journal->next - 1);
	char *why = NULL;
	int code;

	if (behind.lost != NULL)
		why = behind.lost_at < journal->next - 1
		    ? xformat("statement %zu made %s, which ended with its session", behind.lost_at + 1, behind.lost)
		    : xformat("statement %zu needs %s, which ended with the session of the earlier statements", behind.lost_at + 1,
		          behind.lost);
	else if (journal->moved)
		why = xstrdup("its session had settings from a function, a procedure or an earlier script; they ended with that "
		              "session");
	if (why != NULL) {
		code = add_failed(m, s, journal, why);
	} else {
		plan_add_finding(m, "resumes", s->migration,
		    xformat("resumes at statement %zu of %zu: the statements before it are committed%s", journal->next, split->count,
		        behind.settings.len > 0 ? ", and its settings are made again" : ""),
		    NULL);
		code = plan_add_apply(m, s->script, resume);
	}
	session_behind_free(&behind);
	free(why);
	return code;
}

/* What the journal of an unfinished row says, held against the file as it is now. */
static int
add_journal_resume(struct plan_maker *m, const struct migration_status *s, const struct journal *journal,
    const struct sql_script *split)
{
	struct plan_resume resume = { .row_id = s->row->id, .at = journal->next, .begun = journal->begun };

	switch (journal_fits(journal, s->script->sql, split)) {
	case JOURNAL_TOO_FAR:
		return add_failed(m, s, journal, "its file now has fewer statements than were committed");
	case JOURNAL_CHANGED:
		return add_failed(m, s, journal, "its file was changed in a part that is already committed");
	case JOURNAL_IN_DOUBT:
		return add_failed(m, s, journal, "a non-transactional statement was interrupted; it may or may not have completed");
	case JOURNAL_FITS:
		break;
	}
	return add_kept_resume(m, s, journal, split, &resume);
}

/* Taking it back was interrupted: what is left of its down.sql finishes that. */
static int
add_half_reverted(struct plan_maker *m, const struct migration_status *s, const struct journal *journal)
{
	const struct migration_status *before = s;
	struct bytes text = { 0 };

	while (before > m->status->list && before[-1].row == NULL)
		before--;
	if (before > m->status->list)
		plan_deploy_with(m, &text, "--down-to", before[-1].migration, "finishes that");
	plan_deploy_with(m, &text, "--mark-rolled-back", s->migration, "all of it was undone");
	plan_add_finding(m, "failed", s->migration,
	    xformat("taking it back was interrupted at statement %zu of %zu of its down.sql; it blocks every deploy (P3009)", journal->next,
	        journal->count),
	    text.data);
	return 0;
}

int
plan_add_resume(struct plan_maker *m, const struct migration_status *s)
{
	const char *told = resume_wish(m->options, s->migration);
	struct sql_script split;
	struct journal journal;
	bool has_journal = journal_read(s->row->logs, &journal);
	int code;

	if (has_journal && journal.reverts)
		return add_half_reverted(m, s, &journal);
	if (s->script == NULL || s->script->sql == NULL)
		return add_failed(m, s, NULL, "its script is not in the folder");
	split = sql_split(s->script->sql, strlen(s->script->sql));
	if (told != NULL)
		code = add_told_resume(m, s, told, split.count);
	else if (has_journal)
		code = add_journal_resume(m, s, &journal, &split);
	else {
		char *why = why_not_ours(s->row);

		code = add_failed(m, s, NULL, why);
		free(why);
	}
	sql_script_free(&split);
	return code;
}

int
plan_check_resumes(const struct plan_maker *m)
{
	const struct plan_options *w = m->options;
	size_t i, j;

	for (i = 0; i < w->resume_count; i++) {
		for (j = 0; j < m->status->count; j++)
			if (m->status->list[j].state == STATE_FAILED &&
			    resume_wish(w, m->status->list[j].migration) == strrchr(w->resumes[i], ':') + 1)
				break;
		if (j == m->status->count) {
			(void)refusal_make(m->refusal, MIG_USAGE, "--resume %s: there is no unfinished migration of that name",
			    w->resumes[i]);
			plan_refusal_name(m, "resume", w->resumes[i], (size_t)(strrchr(w->resumes[i], ':') - w->resumes[i]));
			plan_refusal_scan(m, "  The unfinished ones", NULL);
			return MIG_USAGE;
		}
	}
	return 0;
}
