/* Findings: the rules, their severity, and what is looked at in folder, history and scripts. */
#include "plan/plan_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/null.h"
#include "plan/excuse.h"
#include "records/words.h"
#include "sql/unexpected.h"
#include "sql/segments.h"
#include "sql/sql.h"

const struct plan_rule plan_rules[] = {
	{ "failed", SEVERITY_ERROR, false },
	{ "open_transaction", SEVERITY_ERROR, false },
	{ "rolled_back", SEVERITY_ERROR, false },
	{ "down", SEVERITY_ERROR, false },
	{ "copy", SEVERITY_ERROR, false },
	{ "psql", SEVERITY_ERROR, false },
	{ "resumes", SEVERITY_NOTE, false },

	/* as --help has them: the common ones first */
	{ "edited", SEVERITY_WARNING, true },
	{ "missing", SEVERITY_WARNING, true },
	{ "late", SEVERITY_WARNING, true },
	{ "destructive", SEVERITY_WARNING, true },
	{ "not_empty", SEVERITY_ERROR, true },
	{ "other_schema", SEVERITY_WARNING, true },
	{ "unrelated", SEVERITY_ERROR, true },
	{ "rehearsal_failed", SEVERITY_ERROR, false },
	{ "no_down", SEVERITY_ERROR, false },
	{ "not_at", SEVERITY_ERROR, true },
	{ "on_faith", SEVERITY_WARNING, true },
	{ "unverified_down", SEVERITY_ERROR, true },
	{ "stalls", SEVERITY_WARNING, true },
	{ "waits", SEVERITY_WARNING, true },
	{ "used", SEVERITY_ERROR, true },
	{ "expand_first", SEVERITY_ERROR, false },
	{ "breaks", SEVERITY_WARNING, true },
	{ "loses", SEVERITY_WARNING, true },
	{ "retypes", SEVERITY_NOTE, true },
	{ "restricts", SEVERITY_NOTE, true },
	{ "subscribers", SEVERITY_WARNING, true },
	{ "no_identity", SEVERITY_WARNING, true },
	{ "slots", SEVERITY_WARNING, true },
	{ "differs", SEVERITY_NOTE, true },
	{ "contracts", SEVERITY_NOTE, false },
	{ "not_utf8", SEVERITY_WARNING, true },
	{ "order", SEVERITY_NOTE, true },
	{ "no_script", SEVERITY_NOTE, true },
	{ "running", SEVERITY_NOTE, true },
	{ NULL, SEVERITY_NOTE, false },
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

bool
plan_allows(const struct plan_maker *m, const char *rule)
{
	return list_has(m->options->allow, rule);
}

struct bytes *
plan_new_text(struct plan_maker *m)
{
	ARRAY_ROOM(m->out->texts, m->out->text_count, m->text_cap);
	m->out->texts[m->out->text_count] = (struct bytes){ 0 };
	return &m->out->texts[m->out->text_count++];
}

static const char *
keep(struct plan_maker *m, char *owned)
{
	struct bytes *text = plan_new_text(m);

	bytes_str(text, owned);
	free(owned);
	return text->data;
}

static enum severity
severity_of(const struct plan_options *w, const struct plan_rule *rule)
{
	bool error = rule->severity == SEVERITY_ERROR;

	if (!rule->movable)
		return rule->severity;
	if (list_has(w->allow, rule->name))
		return error ? SEVERITY_WARNING : rule->severity;
	if (w->strict != NULL && (list_has(w->strict, rule->name) ||
	        (*w->strict == '\0' && rule->severity == SEVERITY_WARNING)))
		return SEVERITY_ERROR;
	return rule->severity;
}

struct finding *
plan_add_finding(struct plan_maker *m, const char *name, const char *migration, char *message, char *remedy)
{
	const struct plan_rule *rule = rule_named(name, strlen(name));
	enum severity severity = severity_of(m->options, rule);
	bool allowed = rule->severity == SEVERITY_ERROR && severity != SEVERITY_ERROR;
	struct finding *f;

	if (allowed) { /* it is decided, and the commands would make the plan depend on how it was asked for */
		free(remedy);
		remedy = NULL;
	}
	ARRAY_ROOM(m->out->findings, m->out->finding_count, m->finding_cap);
	f = &m->out->findings[m->out->finding_count++];
	*f = (struct finding){ .rule = rule->name,
		.severity = severity,
		.migration = migration,
		.line = NUMBER_UNKNOWN,
		.column = NUMBER_UNKNOWN,
		.message = keep(m, message),
		.remedy = remedy != NULL ? keep(m, remedy) : NULL };
	m->out->errors += f->severity == SEVERITY_ERROR;
	m->out->warnings += f->severity == SEVERITY_WARNING;
	return f;
}

void
plan_excuse(struct plan_maker *m, struct finding *f)
{
	m->out->errors -= f->severity == SEVERITY_ERROR;
	m->out->warnings -= f->severity == SEVERITY_WARNING;
	f->severity = SEVERITY_NOTE;
}

struct finding *
plan_excusable(struct plan_maker *m, const char *rule, const char *migration, const char *sql, const struct sql_script *script,
    size_t at, char *message, char *remedy)
{
	struct sql_place place = sql_place(sql, strlen(sql), script->statements[at].start);
	struct excuse excuse = excuse_of(sql, script, at, rule);
	struct finding *f = plan_add_finding(m, rule, migration,
	    excuse.reason != NULL ? xformat("%s; allowed in the script: %s", message, excuse.reason)
	    : excuse.flaw != NULL ? xformat("%s; %s", message, excuse.flaw) : xstrdup(message),
	    excuse.reason != NULL ? NULL : remedy);

	f->line = (long long)place.line;
	f->column = (long long)place.column;
	if (excuse.reason != NULL) {
		plan_excuse(m, f);
		free(remedy);
	}
	free(message);
	free(excuse.reason);
	free(excuse.flaw);
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

void
plan_find_in_history(struct plan_maker *m, const struct migration_status *s)
{
	char since[CLOCK_INSTANT];

	switch (s->state) {
	case STATE_EDITED:
		plan_add_finding(m, "edited", s->migration,
		    xformat("the file differs from what was applied on %s%s", clock_readable(s->row->finished_at, since),
		        s->script->edited_blanks ? ", in white space at line ends only" : ""),
		    git_log("-p", s->migration));
		break;
	case STATE_MISSING:
		plan_add_finding(m, "missing", s->migration, xstrdup("recorded as applied, but not in the folder"),
		    git_log("--diff-filter=D", s->migration));
		break;
	case STATE_FAILED: /* decided in plan_add_resume(), which knows the journal */
		break;
	case STATE_RUNNING:
		plan_add_finding(m, "running", s->migration, xstrdup("another deployer is applying it"), NULL);
		break;
	case STATE_LATE:
		plan_add_finding(m, "late", s->migration,
		    xformat("sorts before %s, which is applied already", m->status->last_applied), NULL);
		break;
	case STATE_APPLIED:
	case STATE_PENDING:
	case STATE_COUNT:
		break;
	}
	if (s->row != NULL && s->script != NULL && s->script->flaw == FLAW_NO_SCRIPT)
		plan_add_finding(m, "no_script", s->migration,
		    xstrdup("recorded as applied, but the folder has no migration.sql: `prisma migrate status` "
		            "fails on it (P3015)"),
		    git_log("--diff-filter=D", s->migration));
}

/* A transaction that the script opens and does not end: what it did would be lost when the session ends. */
static void
find_open_transaction(struct plan_maker *m, const struct migration *script, const struct sql_script *split)
{
	struct segments segments = segments_of(script->sql, split);
	size_t i;

	for (i = split->count; segments.open && i-- > 0;) {
		const struct sql_statement *s = &split->statements[i];

		if (s->kind == SQL_BEGIN || s->chain) {
			struct sql_place place = sql_place(script->sql, strlen(script->sql), s->start);
			struct finding *f = plan_add_finding(m, "open_transaction", script->migration,
			    xstrdup("BEGIN without COMMIT: its work would be rolled back"),
			    xstrdup("add COMMIT; where the transaction ends"));

			f->line = (long long)place.line;
			f->column = (long long)place.column;
			break;
		}
	}
	segments_free(&segments);
}

/* What would be recorded as applied and is not, or what no server takes: each a place, or the script's length. */
static void
find_unexpected(struct plan_maker *m, const struct migration *script, const struct sql_script *split)
{
	const char *sql = script->sql;
	size_t len = strlen(sql), i;
	const struct {
		const char *rule;
		size_t at;
		const char *message, *remedy;
	} unexpected[] = {
		{ "rolled_back", unexpected_rollback(sql, len, split),
		    "the script rolls back its work: nothing would remain, and it would be recorded as applied",
		    "write COMMIT, or remove BEGIN and ROLLBACK" },
		{ "down", unexpected_down(sql, len),
		    "the part that undoes the migration begins here and would run as well: mig and Prisma run the whole file",
		    "remove this part from migration.sql" },
		{ "psql", unexpected_psql(sql, len), "a backslash command is for psql; the server does not accept it",
		    "remove the lines that begin with a backslash" },
	};

	for (i = 0; i < sizeof unexpected / sizeof *unexpected; i++) {
		struct sql_place place;
		struct finding *f;

		if (unexpected[i].at == len)
			continue;
		place = sql_place(sql, len, unexpected[i].at);
		f = plan_add_finding(m, unexpected[i].rule, script->migration, xstrdup(unexpected[i].message), xstrdup(unexpected[i].remedy));
		f->line = (long long)place.line;
		f->column = (long long)place.column;
	}
}

static size_t
statement_at(const struct sql_script *split, size_t byte)
{
	size_t i = 0;

	while (i + 1 < split->count && split->statements[i].end <= byte)
		i++;
	return i;
}

/* COPY to or from the client, which no file can contain. */
static void
find_copy(struct plan_maker *m, const struct migration *script, const struct sql_script *split)
{
	size_t i;

	for (i = 0; i < split->count; i++) {
		struct sql_place place;
		struct finding *f;

		if (split->statements[i].kind != SQL_COPY_CLIENT)
			continue;
		place = sql_place(script->sql, strlen(script->sql), split->statements[i].start);
		f = plan_add_finding(m, "copy", script->migration,
		    xstrdup("COPY from or to the client cannot run in a migration"),
		    xstrdup("write the rows as INSERT, or as a file for mig-seed"));
		f->line = (long long)place.line;
		f->column = (long long)place.column;
	}
}

void
plan_find_faults(struct plan_maker *m, const struct migration *script, const struct sql_script *split)
{
	find_open_transaction(m, script, split);
	find_unexpected(m, script, split);
	find_copy(m, script, split);
}

/* What a statement destroys by its words; of a table or column also whether it is still used. */
static void
find_loss(struct plan_maker *m, const struct migration *script, const struct sql_script *split, const struct sql_loss *loss)
{
	bool column = strcmp(loss->what, "DROP COLUMN") == 0, dropped = column || strcmp(loss->what, "DROP TABLE") == 0;
	struct sql_place place = sql_place(script->sql, strlen(script->sql), loss->at);
	size_t at = statement_at(split, loss->at);
	struct bytes message = { 0 }, remedy = { 0 }, names = { 0 }, used = { 0 };
	struct plan_dropped what = plan_dropped_words(&names, loss->object, column);
	bool unused;
	struct finding *f;

	if (!plan_loss_is_measured(m, script->migration, (long long)at + 1)) {
		bytes_format(&message, "%s destroys data%s%s", loss->what, *loss->object != '\0' ? ": " : "", loss->object);
		unused = dropped && what.relation != NULL && plan_is_unused(m, &what, &message, &remedy);
		f = plan_excusable(m, "destructive", script->migration, script->sql, split, at, xstrdup(message.data),
		    remedy.len > 0 ? xstrdup(remedy.data) : NULL);
		f->line = (long long)place.line;
		f->column = (long long)place.column;
		if (unused)
			plan_excuse(m, f);
		if (dropped && what.relation != NULL && plan_is_used(m, &what, &used)) {
			f = plan_excusable(m, "used", script->migration, script->sql, split, at, xstrdup(used.data), NULL);
			f->line = (long long)place.line;
			f->column = (long long)place.column;
		}
	}
	bytes_free(&message);
	bytes_free(&remedy);
	bytes_free(&names);
	bytes_free(&used);
}

void
plan_find_in_script(struct plan_maker *m, const struct migration *script, const struct sql_script *split)
{
	size_t i;
	struct sql_losses losses = sql_losses(script->sql, split);

	find_open_transaction(m, script, split);
	find_unexpected(m, script, split);
	for (i = 0; i < losses.count; i++)
		find_loss(m, script, split, &losses.losses[i]);
	sql_losses_free(&losses);
	find_copy(m, script, split);
	plan_find_stalls(m, script);
	plan_find_waits(m, script);
	plan_find_published(m, script, split);
	plan_find_measured(m, script);
	if (script->flaw == FLAW_NOT_UTF8)
		plan_add_finding(m, "not_utf8", script->migration,
		    xstrdup("the file has bytes that are not UTF-8; U+FFFD stands for them, as with Prisma"),
		    NULL);
}
