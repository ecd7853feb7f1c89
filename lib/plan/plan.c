#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/options.h"
#include "migrations/history.h"
#include "sql/interrupted.h"
#include "sql/misfits.h"
#include "sql/segments.h"
#include "sql/session_effects.h"
#include "sql/sql.h"

const struct plan_rule plan_rules[] = {
	{ "failed", SEVERITY_ERROR, false },
	{ "not_empty", SEVERITY_ERROR, true },
	{ "unrelated", SEVERITY_ERROR, true },
	{ "open_transaction", SEVERITY_ERROR, false },
	{ "rolled_back", SEVERITY_ERROR, false },
	{ "down", SEVERITY_ERROR, false },
	{ "copy", SEVERITY_ERROR, false },
	{ "psql", SEVERITY_ERROR, false },
	{ "resumes", SEVERITY_NOTE, false },
	{ "running", SEVERITY_NOTE, true },
	{ "edited", SEVERITY_WARNING, true },
	{ "missing", SEVERITY_WARNING, true },
	{ "late", SEVERITY_WARNING, true },
	{ "destructive", SEVERITY_WARNING, true },
	{ "not_utf8", SEVERITY_WARNING, true },
	{ "order", SEVERITY_NOTE, true },
	{ "no_script", SEVERITY_NOTE, true },
	{ NULL, NULL, false },
};

static const struct plan_rule *
rule_named(const char *name, size_t len)
{
	const struct plan_rule *rule;

	for (rule = plan_rules; rule->name != NULL; rule++)
		if (strlen(rule->name) == len && strncmp(rule->name, name, len) == 0)
			return rule;
	return NULL;
}

bool
plan_rules_known(const char *list, const char **word, size_t *len)
{
	for (; *list != '\0'; list += *len + (list[*len] == ',')) {
		const struct plan_rule *rule;

		*word = list;
		*len = strcspn(list, ",");
		rule = rule_named(list, *len);
		if (rule == NULL || !rule->movable)
			return false;
	}
	return true;
}

static bool
list_has(const char *list, const char *name)
{
	size_t len;

	for (; list != NULL && *list != '\0'; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (len == strlen(name) && strncmp(list, name, len) == 0)
			return true;
	}
	return false;
}

/* --- findings --- */

struct maker {
	const struct scan *scan;
	const struct status *status;
	const struct wishes *wishes;
	struct planned *out;
	size_t finding_cap, step_cap, text_cap;
};

/* A text that lives as long as the plan; the caller fills it at once. */
static struct bytes *
new_text(struct maker *m)
{
	ARRAY_ROOM(m->out->texts, m->out->text_count, m->text_cap);
	m->out->texts[m->out->text_count] = (struct bytes){ 0 };
	return &m->out->texts[m->out->text_count++];
}

static const char *
keep(struct maker *m, char *owned)
{
	struct bytes *text = new_text(m);

	bytes_str(text, owned);
	free(owned);
	return text->data;
}

static const char *
severity_of(const struct wishes *w, const struct plan_rule *rule)
{
	bool error = strcmp(rule->severity, SEVERITY_ERROR) == 0;

	if (!rule->movable)
		return rule->severity;
	if (list_has(w->allow, rule->name))
		return error ? SEVERITY_WARNING : rule->severity;
	if (w->strict != NULL && (list_has(w->strict, rule->name) ||
	        (*w->strict == '\0' && strcmp(rule->severity, SEVERITY_WARNING) == 0)))
		return SEVERITY_ERROR;
	return rule->severity;
}

/* Takes over message and remedy; remedy may be NULL. */
static struct finding *
add_finding(struct maker *m, const char *name, const char *migration, char *message, char *remedy)
{
	const struct plan_rule *rule = rule_named(name, strlen(name));
	struct finding *f;

	ARRAY_ROOM(m->out->findings, m->out->finding_count, m->finding_cap);
	f = &m->out->findings[m->out->finding_count++];
	*f = (struct finding){ .rule = rule->name,
		.severity = severity_of(m->wishes, rule),
		.migration = migration,
		.line = RECORD_NULL,
		.column = RECORD_NULL,
		.message = keep(m, message),
		.remedy = remedy != NULL ? keep(m, remedy) : NULL };
	m->out->errors += strcmp(f->severity, SEVERITY_ERROR) == 0;
	m->out->warnings += strcmp(f->severity, SEVERITY_WARNING) == 0;
	return f;
}

/* What shows the commits that touched a migration. */
static char *
git_log(const char *option, const char *migration)
{
	struct bytes text = { 0 };
	char *path = xformat("*/%s/*", migration);

	bytes_format(&text, "git log %s -- ", option);
	shell_word(&text, path);
	free(path);
	return text.data;
}

static void
find_in_history(struct maker *m, const struct standing *s)
{
	char since[CLOCK_INSTANT];

	switch (s->state) {
	case STATE_EDITED:
		add_finding(m, "edited", s->migration,
		    xformat("the file differs from what was applied on %s%s", clock_readable(s->row->finished_at, since),
		        s->script->edited_blanks ? ", in white space at line ends only" : ""),
		    git_log("-p", s->migration));
		break;
	case STATE_MISSING:
		add_finding(m, "missing", s->migration, xstrdup("recorded as applied, but not in the folder"),
		    git_log("--diff-filter=D", s->migration));
		break;
	case STATE_FAILED: /* decided in add_resume(), which knows the journal */
		break;
	case STATE_RUNNING:
		add_finding(m, "running", s->migration, xstrdup("another deployer has begun it and goes on"), NULL);
		break;
	case STATE_LATE:
		add_finding(m, "late", s->migration,
		    xformat("sorts before %s, which is applied already", m->status->last_applied), NULL);
		break;
	case STATE_APPLIED:
	case STATE_PENDING:
	case STATE_COUNT:
		break;
	}
	if (s->row != NULL && s->script != NULL && s->script->flaw != NULL &&
	    strcmp(s->script->flaw, FLAW_NO_SCRIPT) == 0)
		add_finding(m, "no_script", s->migration,
		    xstrdup("recorded as applied, but the folder has no migration.sql: `prisma migrate status` "
		            "fails on it (P3015)"),
		    git_log("--diff-filter=D", s->migration));
}

/* A transaction that the script opens and does not end: what it did would be lost when the session ends. */
static void
find_open_transaction(struct maker *m, const struct migration *script, const struct sql_script *split)
{
	struct segments segments = segments_of(script->sql, split);
	size_t i;

	for (i = split->count; segments.open && i-- > 0;) {
		const struct sql_statement *s = &split->statements[i];

		if (s->kind == SQL_BEGIN || s->chain) {
			struct sql_place place = sql_place(script->sql, strlen(script->sql), s->start);
			struct finding *f = add_finding(m, "open_transaction", script->migration,
			    xstrdup("the transaction that begins here is never ended: what it did would be lost"),
			    xstrdup("end it: write COMMIT; where it is to end"));

			f->line = (long long)place.line;
			f->column = (long long)place.column;
			break;
		}
	}
	segments_free(&segments);
}

/* What would be recorded as applied and is not, or what no server takes: each a place, or the script's length. */
static void
find_misfits(struct maker *m, const struct migration *script, const struct sql_script *split)
{
	const char *sql = script->sql;
	size_t len = strlen(sql), i;
	const struct {
		const char *rule;
		size_t at;
		const char *message, *remedy;
	} misfits[] = {
		{ "rolled_back", misfit_rollback(sql, len, split),
		    "the script rolls back what it does: nothing of it would stay, and it would be recorded as applied",
		    "write COMMIT; or take BEGIN and ROLLBACK out" },
		{ "down", misfit_down(sql, len),
		    "what undoes the migration begins here, and would run as well: mig and Prisma run the whole file",
		    "take this part out of migration.sql" },
		{ "psql", misfit_psql(sql, len), "a backslash command is for psql; no server takes it",
		    "take out the lines that begin with a backslash:  sed -i '/^\\\\/d' migration.sql" },
	};

	for (i = 0; i < sizeof misfits / sizeof *misfits; i++) {
		struct sql_place place;
		struct finding *f;

		if (misfits[i].at == len)
			continue;
		place = sql_place(sql, len, misfits[i].at);
		f = add_finding(m, misfits[i].rule, script->migration, xstrdup(misfits[i].message), xstrdup(misfits[i].remedy));
		f->line = (long long)place.line;
		f->column = (long long)place.column;
	}
}

static void
find_in_script(struct maker *m, const struct migration *script, const struct sql_script *split)
{
	size_t len = strlen(script->sql), i;
	struct sql_losses losses = sql_losses(script->sql, split);

	find_open_transaction(m, script, split);
	find_misfits(m, script, split);
	for (i = 0; i < losses.count; i++) {
		const struct sql_loss *loss = &losses.losses[i];
		struct sql_place place = sql_place(script->sql, len, loss->at);
		struct finding *f = add_finding(m, "destructive", script->migration,
		    *loss->object != '\0' ? xformat("%s destroys data: %s", loss->what, loss->object)
		                          : xformat("%s destroys data", loss->what),
		    NULL);

		f->line = (long long)place.line;
		f->column = (long long)place.column;
	}
	sql_losses_free(&losses);
	for (i = 0; i < split->count; i++) {
		if (split->statements[i].kind == SQL_COPY_CLIENT) {
			struct sql_place place = sql_place(script->sql, len, split->statements[i].start);
			struct finding *f = add_finding(m, "copy", script->migration,
			    xstrdup("COPY from or to the client cannot run in a migration"),
			    xstrdup("write the rows as INSERT, or as a file for mig-seed"));

			f->line = (long long)place.line;
			f->column = (long long)place.column;
		}
	}
	if (script->flaw != NULL && strcmp(script->flaw, FLAW_NOT_UTF8) == 0)
		add_finding(m, "not_utf8", script->migration,
		    xstrdup("the file has bytes that are not UTF-8; U+FFFD stands for them, as with Prisma"),
		    NULL);
}

/* --- steps --- */

static struct step *
add_step(struct maker *m, const char *action, const char *migration)
{
	struct step *s;

	ARRAY_ROOM(m->out->steps, m->out->step_count, m->step_cap);
	s = &m->out->steps[m->out->step_count++];
	*s = (struct step){ .step = (long long)m->out->step_count,
		.action = action,
		.migration = migration,
		.statement_count = RECORD_NULL,
		.size_bytes = RECORD_NULL,
		.resume_at = RECORD_NULL };
	return s;
}

/* A pending script that cannot be sent ends the plan before anything else is decided. */
static int
check_script(const struct migration *script)
{
	if (script->flaw == NULL || strcmp(script->flaw, FLAW_NOT_UTF8) == 0)
		return 0;
	if (strcmp(script->flaw, FLAW_NO_SCRIPT) == 0) {
		(void)message_error(MIG_DATA, "%s: there is no migration.sql in this folder, and it is not applied yet (P3015)",
		    script->migration);
		message_line("  Prisma would apply all before it, then stop. Restore the file, or delete the folder.");
	} else {
		(void)message_error(MIG_DATA, "%s/migration.sql: there is a NUL byte in it, which no server takes",
		    script->migration);
		message_line("  Was it saved as UTF-16? Save it as UTF-8.");
	}
	message_line("  Nothing was planned, nothing will be applied.");
	return MIG_DATA;
}

static const char *
transaction_word(enum sql_transaction transaction)
{
	switch (transaction) {
	case SQL_TRANSACTION_MIG:
		return "mig";
	case SQL_TRANSACTION_SCRIPT:
		return "script";
	case SQL_TRANSACTION_NONE:
		return "none";
	}
	return NULL;
}

/* Where an unfinished migration goes on. */
struct resume {
	const char *row_id;
	size_t at;        /* statement, from 1 */
	bool begun;       /* it had begun */
	bool told;        /* --resume said so */
};

static int
add_apply(struct maker *m, const struct migration *script, const struct resume *resume)
{
	struct sql_script split;
	struct step *step;
	int code = check_script(script);

	if (code != 0)
		return code;
	split = sql_split(script->sql, strlen(script->sql));
	find_in_script(m, script, &split);
	step = add_step(m, ACTION_APPLY, script->migration);
	if (resume != NULL) {
		step->row_id = resume->row_id;
		step->resume_at = (long long)resume->at;
		step->resume_begun = resume->begun;
		step->resume_told = resume->told;
	}
	step->checksum = script->checksum;
	step->transaction = transaction_word(sql_transaction(&split));
	step->statement_count = (long long)split.count;
	step->size_bytes = (long long)strlen(script->sql);
	step->sql = script->sql;
	m->out->statements += split.count;
	sql_script_free(&split);
	return 0;
}

static const struct standing *
standing_named(const struct status *status, const char *name)
{
	size_t i;

	for (i = 0; i < status->count; i++)
		if (strcmp(status->standings[i].migration, name) == 0)
			return &status->standings[i];
	return NULL;
}

static int
no_such(const char *option, const char *name)
{
	(void)message_error(MIG_USAGE, "--%s %s: there is no such migration in the folder (P3017)", option, name);
	message_line("  The name is that of its folder, in full. Names: mig-scan -v");
	return MIG_USAGE;
}

/* --- marks: what `prisma migrate resolve` does, with its refusals --- */

static int
marked_already(const struct maker *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->out->step_count; i++)
		if (strcmp(m->out->steps[i].migration, name) == 0)
			return options_wrong("%s is marked twice", name);
	return 0;
}

/* Of an unfinished migration: the non-transactional statement that had begun, for mig-apply to hold the mark against; or NULL. */
static const char *
begun_sql(struct maker *m, const struct standing *s)
{
	const char *sql = s != NULL && s->script != NULL ? s->script->sql : NULL;
	const struct sql_statement *begun;
	struct sql_script split;
	struct bytes *text = NULL;
	struct journal journal;

	if (sql == NULL || s->row == NULL || s->row->finished_at != NULL || !history_journal_read(s->row->logs, &journal))
		return NULL;
	split = sql_split(sql, strlen(sql));
	/* behind a search path of the script's own mig-apply would look up other names */
	if (!sql_mentions(sql, strlen(sql), "search_path") && (begun = history_journal_begun(&journal, sql, &split)) != NULL) {
		text = new_text(m);
		bytes_add(text, sql + begun->start, begun->end - begun->start);
	}
	sql_script_free(&split);
	return text != NULL ? text->data : NULL;
}

static int
mark_applied(struct maker *m, const char *option, const char *name)
{
	const struct standing *s = standing_named(m->status, name);
	struct step *step;
	size_t i;

	if (marked_already(m, name) != 0)
		return MIG_USAGE;
	if (s == NULL || s->script == NULL || s->script->checksum == NULL)
		return no_such(option, name);
	for (i = 0; i < m->scan->history_count; i++) {
		const struct history_row *row = &m->scan->history[i];

		if (strcmp(row->migration, name) == 0 && row->finished_at != NULL) {
			(void)message_error(MIG_USAGE, "--%s %s: it is recorded as applied already (P3008)", option,
			    name);
			message_line("  Nothing is to be repaired there: mig-scan");
			return MIG_USAGE;
		}
	}
	step = add_step(m, ACTION_MARK_APPLIED, name);
	step->checksum = s->script->checksum;
	step->begun_sql = begun_sql(m, s);
	return 0;
}

static int
mark_rolled_back(struct maker *m, const char *name)
{
	bool any = false, unfinished = false;
	struct step *step;
	size_t i;

	if (marked_already(m, name) != 0)
		return MIG_USAGE;
	for (i = 0; i < m->scan->history_count; i++) {
		const struct history_row *row = &m->scan->history[i];

		if (strcmp(row->migration, name) != 0)
			continue;
		any = true;
		unfinished |= row->finished_at == NULL;
	}
	if (!any) {
		(void)message_error(MIG_USAGE, "--mark-rolled-back %s: it was never applied to this database (P3011)",
		    name);
		message_line("  The name is that of its folder, in full. Names: mig-scan -v");
		return MIG_USAGE;
	}
	if (!unfinished) {
		(void)message_error(MIG_USAGE, "--mark-rolled-back %s: it is not in a failed state (P3012)", name);
		message_line("  What is applied is undone by a new migration.");
		return MIG_USAGE;
	}
	step = add_step(m, ACTION_MARK_ROLLED_BACK, name);
	step->begun_sql = begun_sql(m, standing_named(m->status, name));
	return 0;
}

/* --- going on with what an earlier run left --- */

static const char *
resume_wish(const struct wishes *w, const char *migration)
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

/* What Prisma has written of an error: the server's words where they are there, else the first line that says something. */
static char *
first_of_logs(const char *logs)
{
	const char *said = strstr(logs, "Database error:\n");

	logs = said != NULL ? said + strlen("Database error:\n") : logs;
	logs += strspn(logs, " \t\r\n");
	return xformat("%.*s", (int)strcspn(logs, "\r\n"), logs);
}

/* A row without a journal: another program's. */
static char *
why_not_ours(const struct history_row *row)
{
	char *first = row->logs != NULL ? first_of_logs(row->logs) : NULL, *why;

	if (first == NULL)
		return xstrdup("it was not run by mig, and its outcome is unknown");
	why = *first != '\0' ? xformat("it was not run by mig, and failed: %s", first)
	                     : xstrdup("it was not run by mig, and ended in an error");
	free(first);
	return why;
}

void
plan_apply_words(struct shell_words *words, const char *scan)
{
	const char *at = scan != NULL ? strstr(scan, "\n-d\n") : NULL;
	char *source = at != NULL ? xstrndup(at + 4, strcspn(at + 4, "\n")) : NULL;

	shell_program(words, "mig-apply");
	if (source != NULL)
		shell_option(words, "-d", source);
	free(source);
}

/* A line with the commands that deploy with this option of mig-plan, and what it says. */
static void
deploy_with(const struct maker *m, struct bytes *out, const char *option, const char *value, const char *meaning)
{
	const struct wishes *w = m->wishes;
	struct shell_words words = { 0 };

	shell_append(&words, m->scan->command);
	shell_program(&words, "mig-plan");
	shell_option(&words, option, value);
	if (strncmp(option, "--mark", 6) != 0 && strcmp(option, "--baseline") != 0 && w->to != NULL)
		shell_option(&words, "--to", w->to);
	if (strcmp(option, "--allow") != 0 && w->allow != NULL)
		shell_option(&words, "--allow", w->allow);
	plan_apply_words(&words, m->scan->command);
	if (out->len > 0)
		bytes_char(out, '\n');
	if (shell_words(&words) != NULL) {
		shell_command(out, shell_words(&words));
	} else {
		bytes_format(out, "the same commands again, with mig-plan's option %s=", option);
		shell_word(out, value);
	}
	bytes_format(out, "    (%s)", meaning);
	shell_words_free(&words);
}

/* What can be typed where nobody knows how far it came. */
static char *
failed_remedy(const struct maker *m, const struct standing *s, const struct journal *journal)
{
	struct bytes text = { 0 };
	size_t next = journal != NULL ? journal->next : 1, at;
	bool undone = journal == NULL && is_one_transaction(s->script);

	bytes_str(&text, "Look what is there; then one of these:");
	if (undone)
		deploy_with(m, &text, "--mark-rolled-back", s->migration,
		    "Prisma sent the script as one message, without transactions of its own: all of it was rolled back");
	for (at = next; s->script != NULL && s->script->sql != NULL &&
	     at <= next + (journal != NULL && journal->begun); at++) {
		char *value = xformat("%s:%zu", s->migration, at);
		char *meaning = at == next ? xformat("statement %zu did not happen", next) : xstrdup("it did");

		deploy_with(m, &text, "--resume", value, meaning);
		free(value);
		free(meaning);
	}
	if (!undone)
		deploy_with(m, &text, "--mark-rolled-back", s->migration, "all of it is undone");
	deploy_with(m, &text, "--mark-applied", s->migration, "all of it is there");
	return text.data;
}

static int
add_failed(struct maker *m, const struct standing *s, const struct journal *journal, const char *why)
{
	char since[CLOCK_INSTANT];

	add_finding(m, "failed", s->migration,
	    xformat("unfinished since %s: it blocks every deploy (P3009); %s",
	        clock_readable(s->row->started_at, since), why),
	    failed_remedy(m, s, journal));
	return 0;
}

static int
add_told_resume(struct maker *m, const struct standing *s, const char *number, size_t count)
{
	char *end;
	unsigned long at = strtoul(number, &end, 10);
	struct resume resume = { .row_id = s->row->id, .at = at, .told = true };

	if (*number < '0' || *number > '9' || *end != '\0' || at < 1 || at > count + 1)
		return message_error(MIG_USAGE, "--resume %s:%s: its statements are 1 to %zu, and %zu finishes its row",
		    s->migration, number, count, count + 1);
	return add_apply(m, s->script, &resume);
}

/*
 * The rest needs the session that the done part had: its settings are made again, and what nothing makes again is a
 * question.
 */
static int
add_kept_resume(struct maker *m, const struct standing *s, const struct journal *journal, const struct sql_script *split,
    const struct resume *resume)
{
	struct session_behind behind = session_behind(s->script->sql, split, journal->next - 1);
	char *why = NULL;
	int code;

	if (behind.lost != NULL)
		why = behind.lost_at < journal->next - 1
		    ? xformat("statement %zu made %s, which ended with its session", behind.lost_at + 1, behind.lost)
		    : xformat("statement %zu needs %s, which ended with the session of those before", behind.lost_at + 1,
		          behind.lost);
	else if (journal->moved)
		why = xstrdup("its session had settings that its own statements do not make, of a function, a procedure or a script "
		              "before it; they ended with it");
	if (why != NULL) {
		code = add_failed(m, s, journal, why);
	} else {
		add_finding(m, "resumes", s->migration,
		    xformat("goes on at statement %zu of %zu: what comes before is committed%s", journal->next, split->count,
		        behind.settings.len > 0 ? ", and its settings are made again" : ""),
		    NULL);
		code = add_apply(m, s->script, resume);
	}
	session_behind_free(&behind);
	free(why);
	return code;
}

/* What the journal of an unfinished row says, held against the file as it is now. */
static int
add_journal_resume(struct maker *m, const struct standing *s, const struct journal *journal,
    const struct sql_script *split)
{
	struct resume resume = { .row_id = s->row->id, .at = journal->next, .begun = journal->begun };
	char before[HISTORY_BEFORE];
	struct aim aim;

	if (journal->next > split->count + 1)
		return add_failed(m, s, journal, "its file has fewer statements now than are done");
	history_journal_before(s->script->sql,
	    journal->next > 1 ? split->statements[journal->next - 2].end : 0, before);
	if (strcmp(before, journal->before) != 0)
		return add_failed(m, s, journal, "its file was changed in what is done already");
	if (journal->begun && journal->next <= split->count) {
		aim = aim_of(s->script->sql, &split->statements[journal->next - 1]);
		aim_free(&aim);
		if (aim.act == AIM_NONE)
			return add_failed(m, s, journal, "a statement that stands alone had begun, and nobody knows whether it ended");
	}
	return add_kept_resume(m, s, journal, split, &resume);
}

/* A row that is neither finished nor rolled back. */
static int
add_resume(struct maker *m, const struct standing *s)
{
	const char *told = resume_wish(m->wishes, s->migration);
	struct sql_script split;
	struct journal journal;
	bool has_journal = history_journal_read(s->row->logs, &journal);
	int code;

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

static int
check_resume_wishes(const struct maker *m)
{
	const struct wishes *w = m->wishes;
	size_t i, j;

	for (i = 0; i < w->resume_count; i++) {
		for (j = 0; j < m->status->count; j++)
			if (m->status->standings[j].state == STATE_FAILED &&
			    resume_wish(w, m->status->standings[j].migration) == strrchr(w->resumes[i], ':') + 1)
				break;
		if (j == m->status->count) {
			(void)message_error(MIG_USAGE, "--resume %s: there is no unfinished migration of that name",
			    w->resumes[i]);
			message_line("  Which are unfinished: mig-scan");
			return MIG_USAGE;
		}
	}
	return 0;
}

static bool
is_pending(const struct standing *s)
{
	return s->state == STATE_PENDING || s->state == STATE_LATE;
}

static int
add_marks(struct maker *m)
{
	const struct wishes *w = m->wishes;
	const struct standing *last = NULL;
	int code = 0;
	size_t i;

	if (w->baseline != NULL && (last = standing_named(m->status, w->baseline)) == NULL)
		return no_such("baseline", w->baseline);
	for (i = 0; last != NULL && code == 0 && &m->status->standings[i] <= last; i++)
		if (is_pending(&m->status->standings[i]))
			code = mark_applied(m, "baseline", m->status->standings[i].migration);
	for (i = 0; code == 0 && i < w->applied_count; i++)
		code = mark_applied(m, "mark-applied", w->applied[i]);
	for (i = 0; code == 0 && i < w->rolled_back_count; i++)
		code = mark_rolled_back(m, w->rolled_back[i]);
	return code;
}

/* Prisma up to 6.5 sorts names by bytes: where that puts a pending one elsewhere, the two do not run in one order. */
static void
find_order(struct maker *m)
{
	const struct standing *s = m->status->standings;
	size_t i;

	for (i = 1; i < m->status->count; i++)
		if (strcmp(s[i - 1].migration, s[i].migration) > 0 && (is_pending(&s[i - 1]) || is_pending(&s[i])))
			add_finding(m, "order", s[i - 1].migration,
			    xformat("sorts before %s, as with Prisma 6.6 and later; up to 6.5 it is the other way round",
			        s[i].migration),
			    NULL);
}

static char *
one_remedy(const struct maker *m, const char *first, const char *option, const char *value, const char *meaning)
{
	struct bytes text = { 0 };

	bytes_str(&text, first);
	deploy_with(m, &text, option, value, meaning);
	return text.data;
}

/* Names on both sides, and none in common: a folder of another project, or the string of another database. */
static bool
is_unrelated(const struct maker *m)
{
	size_t i;
	bool any_row = false, any_folder = false;

	for (i = 0; i < m->status->count; i++) {
		const struct standing *s = &m->status->standings[i];

		if (s->row != NULL && s->script != NULL)
			return false;
		any_row |= s->row != NULL;
		any_folder |= s->script != NULL;
	}
	return any_row && any_folder;
}

static char *
unrelated_remedy(const struct maker *m)
{
	const struct standing *first = m->status->standings;
	struct bytes text = { 0 };

	while (first->script == NULL)
		first++;
	bytes_str(&text, "Look at the page of mig-scan; then one of these:");
	deploy_with(m, &text, "--baseline", first->migration, "it holds what is applied, squashed into one: its SQL does not run");
	deploy_with(m, &text, "--allow", "unrelated", "the database is right, and all of the folder is to run");
	return text.data;
}

static int
add_applies(struct maker *m)
{
	const struct wishes *w = m->wishes;
	const struct standing *last = m->status->standings + m->status->count;
	int code = 0;
	size_t i;

	if (w->to != NULL && ((last = standing_named(m->status, w->to)) == NULL || last->script == NULL))
		return no_such("to", w->to);
	if (m->scan->has_database && !w->from_empty && !m->scan->database.has_history &&
	    !m->scan->database.schema_empty)
		add_finding(m, "not_empty", NULL,
		    xformat("schema %s has tables but no history (P3005)", m->scan->database.schema),
		    one_remedy(m, "", "--baseline", "NAME", "NAME is the last migration that the tables already have"));
	if (is_unrelated(m))
		add_finding(m, "unrelated", NULL,
		    xstrdup("the folder and the history have no migration in common: is this the right database?"),
		    unrelated_remedy(m));
	find_order(m);
	code = check_resume_wishes(m);
	for (i = 0; code == 0 && i < m->status->count; i++) {
		const struct standing *s = &m->status->standings[i];
		bool wanted = s <= last;

		find_in_history(m, s);
		if (s->state == STATE_FAILED)
			code = add_resume(m, s);
		if (!is_pending(s) && !(s->state == STATE_RUNNING && s->script != NULL))
			continue;
		if (wanted)
			code = add_apply(m, s->script, NULL);
		else
			m->out->still_pending++;
	}
	return code;
}

/* --- the whole --- */

static void
fill_head(struct maker *m)
{
	const struct database *db = &m->scan->database;
	struct plan *plan = &m->out->plan;

	*plan = (struct plan){ .port = RECORD_NULL };
	if (!m->scan->has_database || m->wishes->from_empty)
		return;
	history_digest(m->scan->history, m->scan->history_count, NULL, NULL, m->out->history_digest);
	*plan = (struct plan){ .system_identifier = db->system_identifier,
		.database = db->database,
		.schema = db->schema,
		.host = db->host,
		.port = db->port,
		.history_digest = m->out->history_digest,
		.history_rows = (long long)m->scan->history_count,
		.last_applied = m->status->last_applied };
}

int
plan_make(const struct scan *scan, const struct status *status, const struct wishes *wishes,
    struct planned *planned)
{
	struct maker m = { .scan = scan, .status = status, .wishes = wishes, .out = planned };
	bool marks = wishes->baseline != NULL || wishes->applied_count > 0 || wishes->rolled_back_count > 0;
	size_t i;
	int code;

	*planned = (struct planned){ 0 };
	fill_head(&m);
	if (marks) {
		code = add_marks(&m);
		for (i = 0; i < status->count; i++)
			planned->still_pending += is_pending(&status->standings[i]);
		for (i = 0; i < planned->step_count; i++)
			planned->still_pending -= planned->steps[i].sql == NULL &&
			    strcmp(planned->steps[i].action, ACTION_MARK_APPLIED) == 0 &&
			    is_pending(standing_named(status, planned->steps[i].migration));
	} else {
		code = add_applies(&m);
	}
	if (code == 0 && planned->errors > 0)
		code = MIG_FAILED;
	return code;
}

void
plan_free(struct planned *planned)
{
	size_t i;

	for (i = 0; i < planned->text_count; i++)
		bytes_free(&planned->texts[i]);
	free(planned->texts);
	free(planned->findings);
	free(planned->steps);
	*planned = (struct planned){ 0 };
}
