#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/shell_quote.h"
#include "base/suggest.h"
#include "migrations/history.h"
#include "migrations/other_schemas.h"
#include "migrations/script_path.h"
#include "plan/plan_internal.h"
#include "records/words.h"
#include "sql/sql.h"

/* --- steps --- */

struct step *
plan_add_step(struct plan_maker *m, enum step_action action, const char *migration)
{
	struct step *s;

	ARRAY_ROOM(m->out->steps, m->out->step_count, m->step_cap);
	s = &m->out->steps[m->out->step_count++];
	*s = (struct step){ .step = (long long)m->out->step_count,
		.action = action,
		.migration = migration,
		.statement_count = NUMBER_UNKNOWN,
		.size_bytes = NUMBER_UNKNOWN,
		.resume_at = NUMBER_UNKNOWN };
	return s;
}

/* A pending script that cannot be sent ends the plan before anything else is decided. */
static int
check_script(struct plan_maker *m, const struct migration *script)
{
	struct bytes path = { 0 };

	if (script->flaw == FLAW_NONE || script->flaw == FLAW_NOT_UTF8)
		return 0;
	if (script->flaw == FLAW_NO_SCRIPT) {
		(void)refusal_make(m->refusal, MIG_DATA, "%s: there is no migration.sql in this folder, and the migration is pending (P3015)",
		    script->migration);
		refusal_line(m->refusal, "  Prisma would apply the migrations before it, then stop. Restore the file, or delete the folder.");
	} else {
		script_path(&path, m->scan->folder, script->migration);
		(void)refusal_make(m->refusal, MIG_DATA, "%s: it contains a NUL byte, which PostgreSQL does not accept", path.data);
		bytes_free(&path);
		refusal_line(m->refusal, "  Was it saved as UTF-16? Save it as UTF-8.");
	}
	refusal_line(m->refusal, "  Nothing was planned, and nothing will be applied.");
	return MIG_DATA;
}

enum step_transaction
plan_transaction(const struct sql_script *script)
{
	switch (sql_transaction(script)) {
	case SQL_TRANSACTION_MIG:
		return TRANSACTION_MIG;
	case SQL_TRANSACTION_SCRIPT:
		return TRANSACTION_SCRIPT;
	case SQL_TRANSACTION_NONE:
		return TRANSACTION_NONE;
	}
	return TRANSACTION_NULL;
}

int
plan_add_apply(struct plan_maker *m, const struct migration *script, const struct plan_resume *resume)
{
	struct sql_script split;
	struct step *step;
	int code = check_script(m, script);

	if (code != 0)
		return code;
	split = sql_split(script->sql, strlen(script->sql));
	plan_find_in_script(m, script, &split);
	step = plan_add_step(m, ACTION_APPLY, script->migration);
	if (resume != NULL) {
		step->row_id = resume->row_id;
		step->resume_at = (long long)resume->at;
		step->resume_begun = resume->begun;
		step->resume_told = resume->told;
	}
	step->checksum = script->checksum;
	step->transaction = plan_transaction(&split);
	step->statement_count = (long long)split.count;
	step->size_bytes = (long long)strlen(script->sql);
	step->sql = script->sql;
	m->out->statements += split.count;
	sql_script_free(&split);
	return 0;
}

const struct migration_status *
plan_status_named(const struct status *status, const char *name)
{
	size_t i;

	for (i = 0; i < status->count; i++)
		if (strcmp(status->list[i].migration, name) == 0)
			return &status->list[i];
	return NULL;
}

void
plan_refusal_scan(const struct plan_maker *m, const char *text, const char *option)
{
	struct shell_words words = { 0 };
	char *line;

	shell_append(&words, m->scan->command);
	if (option != NULL)
		shell_option(&words, option, NULL);
	line = shell_sentence(text, &words, option != NULL ? "the same scan, on a terminal, with -v" : "the same scan, on a terminal");
	refusal_line(m->refusal, "%s", line);
	free(line);
}

void
plan_refusal_name(const struct plan_maker *m, const char *option, const char *name, size_t len)
{
	const char **names = xcalloc(m->status->count + 1, sizeof *names), *nearest;
	struct bytes word = { 0 };
	size_t i;

	for (i = 0; i < m->status->count; i++)
		names[i] = m->status->list[i].migration;
	nearest = suggest_nearest(name, len, names, m->status->count);
	if (nearest != NULL && strncmp(nearest, name, len) == 0 && nearest[len] == '\0')
		nearest = NULL; /* it exists, and is in another state */
	if (nearest != NULL) {
		shell_word(&word, nearest);
		refusal_line(m->refusal, "  Did you mean --%s %s%s?", option, word.data, name + len);
	} else {
		refusal_line(m->refusal, "  Give the full name of its folder.");
	}
	bytes_free(&word);
	free(names);
}

int
plan_no_such(const struct plan_maker *m, const char *option, const char *name)
{
	(void)refusal_make(m->refusal, MIG_USAGE, "--%s %s: there is no such migration in the folder (P3017)", option, name);
	plan_refusal_name(m, option, name, strlen(name));
	plan_refusal_scan(m, "  All names", "-v");
	return MIG_USAGE;
}

/* The rest of the line behind `option` in a command of a scan; NULL: it has no such option.  The caller frees it. */
static char *
scan_option(const char *scan, const char *option)
{
	const char *at = scan != NULL ? strstr(scan, option) : NULL;

	return at != NULL ? xstrndup(at + strlen(option), strcspn(at + strlen(option), "\n")) : NULL;
}

void
plan_words(struct shell_words *words, const char *program, const char *scan)
{
	char *source = scan_option(scan, "\n-d\n"), *schema = scan_option(scan, "\n--schema=");

	shell_program(words, program);
	if (source != NULL)
		shell_option(words, "-d", source);
	if (schema != NULL && strcmp(program, "mig-check") != 0)
		shell_option(words, "--schema", schema);
	free(source);
	free(schema);
}

void
plan_apply_words(struct shell_words *words, const char *scan)
{
	plan_words(words, "mig-apply", scan);
}

static bool
is_pending(const struct migration_status *s)
{
	return s->state == STATE_PENDING || s->state == STATE_LATE;
}

static int
add_marks(struct plan_maker *m)
{
	const struct plan_options *w = m->options;
	const struct migration_status *last = NULL;
	int code = 0;
	size_t i;

	if (w->baseline != NULL && (last = plan_status_named(m->status, w->baseline)) == NULL)
		return plan_no_such(m, "baseline", w->baseline);
	for (i = 0; last != NULL && code == 0 && &m->status->list[i] <= last; i++)
		if (is_pending(&m->status->list[i]))
			code = plan_mark_applied(m, "baseline", m->status->list[i].migration);
	if (code == 0 && m->out->step_count > 0)
		plan_find_baseline(m, last->migration);
	for (i = 0; code == 0 && i < w->applied_count; i++)
		code = plan_mark_applied(m, "mark-applied", w->applied[i]);
	for (i = 0; code == 0 && i < w->rolled_back_count; i++)
		code = plan_mark_rolled_back(m, w->rolled_back[i]);
	return code;
}

/* Prisma up to 6.5 sorts names by bytes: where that puts a pending one elsewhere, the two do not run in one order. */
static void
find_order(struct plan_maker *m)
{
	const struct migration_status *s = m->status->list;
	size_t i;

	for (i = 1; i < m->status->count; i++)
		if (strcmp(s[i - 1].migration, s[i].migration) > 0 && (is_pending(&s[i - 1]) || is_pending(&s[i])))
			plan_add_finding(m, "order", s[i - 1].migration,
			    xformat("sorts before %s, as with Prisma 6.6 and later; up to 6.5 the order is the reverse",
			        s[i].migration),
			    NULL);
}

/* The tables are those of some migrations, of all of them, or of none. */
static char *
not_empty_remedy(const struct plan_maker *m)
{
	const struct status *status = m->status;
	const struct rehearsal_records *r = &m->scan->rehearsed;
	struct bytes text = { 0 };

	if (r->prefix_count > 0 && r->prefixes[r->prefix_count - 1].equal) {
		plan_deploy_with(m, &text, "--baseline", r->prefixes[r->prefix_count - 1].migration,
		    "compared: the schema is what the migrations up to this one make");
		if (r->prefix_count > 1)
			plan_deploy_with(m, &text, "--baseline", r->prefixes[0].migration,
			    "the same schema: if the later ones, which may change rows, have not run");
		return text.data;
	}
	bytes_str(&text, "Check the tables; then choose one of these:");
	if (status->count > 1)
		plan_deploy_with(m, &text, "--baseline", status->list[0].migration,
		    "the tables are exactly those of this migration; name a later one if they have its changes too");
	if (status->count > 0)
		plan_deploy_with(m, &text, "--baseline", status->list[status->count - 1].migration,
		    "the tables are those of the whole folder");
	plan_deploy_with(m, &text, "--allow", "not_empty", "the tables are unrelated to the folder, and the whole folder must run");
	return text.data;
}

/* The history may be in a schema that the connection string does not name. */
static void
find_no_history(struct plan_maker *m)
{
	const struct database *d = &m->scan->database;
	struct bytes elsewhere = { 0 };

	if (other_schemas(&elsewhere, d))
		plan_add_finding(m, "other_schema", NULL, xformat("schema %s has no history, but %s", d->schema, elsewhere.data), NULL);
	bytes_free(&elsewhere);
	if (!d->schema_empty)
		plan_add_finding(m, "not_empty", NULL, xformat("schema %s has tables but no history (P3005)", d->schema),
		    not_empty_remedy(m));
}

/* Names on both sides, and none in common: a folder of another project, or the string of another database. */
static bool
is_unrelated(const struct plan_maker *m)
{
	size_t i;
	bool any_row = false, any_folder = false;

	for (i = 0; i < m->status->count; i++) {
		const struct migration_status *s = &m->status->list[i];

		if (s->row != NULL && s->script != NULL)
			return false;
		any_row |= s->row != NULL;
		any_folder |= s->script != NULL;
	}
	return any_row && any_folder;
}

static char *
unrelated_remedy(const struct plan_maker *m)
{
	const struct migration_status *first = m->status->list;
	struct bytes text = { 0 };

	while (first->script == NULL)
		first++;
	bytes_str(&text, "Check the page of mig-scan; then choose one of these:");
	plan_deploy_with(m, &text, "--baseline", first->migration, "it contains the applied migrations, squashed into one: its SQL does not run");
	plan_deploy_with(m, &text, "--allow", "unrelated", "the database is right, and the whole folder must run");
	return text.data;
}

static int
add_applies(struct plan_maker *m)
{
	const struct plan_options *w = m->options;
	const struct migration_status *last = NULL, *end = m->status->list + m->status->count;
	int code = 0;
	size_t i;

	if (w->to != NULL && ((last = plan_status_named(m->status, w->to)) == NULL || last->script == NULL))
		return plan_no_such(m, "to", w->to);
	if (m->scan->has_database && !w->from_empty && !m->scan->database.has_history)
		find_no_history(m);
	if (is_unrelated(m))
		plan_add_finding(m, "unrelated", NULL,
		    xstrdup("the folder and the history have no migration in common: is this the right database?"),
		    unrelated_remedy(m));
	find_order(m);
	end = last != NULL ? last + 1 : end;
	plan_find_phase(m, m->status->list, &end);
	code = plan_check_resumes(m);
	for (i = 0; code == 0 && i < m->status->count; i++) {
		const struct migration_status *s = &m->status->list[i];
		bool wanted = s < end;

		plan_find_in_history(m, s);
		if (s->state == STATE_FAILED && (wanted || w->phase == PHASE_NULL))
			code = plan_add_resume(m, s);
		if (!is_pending(s) && !(s->state == STATE_RUNNING && s->script != NULL))
			continue;
		if (wanted)
			code = plan_add_apply(m, s->script, NULL);
		else
			m->out->still_pending++;
	}
	return code;
}

/* --- the whole --- */

static void
fill_head(struct plan_maker *m)
{
	const struct database *db = &m->scan->database;
	struct plan *plan = &m->out->plan;

	*plan = (struct plan){ .port = NUMBER_UNKNOWN };
	if (!m->scan->has_database || m->options->from_empty)
		return;
	history_digest(m->scan->history, m->scan->history_count, NULL, NULL, m->out->history_digest);
	history_sha256(m->scan->history, m->scan->history_count, m->out->history_sha256);
	*plan = (struct plan){ .system_identifier = db->system_identifier,
		.database = db->database,
		.schema = db->schema,
		.host = db->host,
		.port = db->port,
		.history_digest = m->out->history_digest,
		.history_sha256 = db->has_history ? m->out->history_sha256 : NULL,
		.history_rows = (long long)m->scan->history_count,
		.last_applied = m->status->last_applied };
}

static bool
is_of_step(const struct plan_maker *m, const char *migration)
{
	size_t i;

	for (i = 0; i < m->out->step_count && strcmp(m->out->steps[i].migration, migration) != 0; i++)
		;
	return i < m->out->step_count;
}

/* The plan has what its steps did: --to leaves some out. */
static void
keep_effects(struct plan_maker *m)
{
	const struct rehearsal_records *all = &m->scan->rehearsed;
	struct rehearsal_records *kept = &m->out->rehearsed;
	size_t i;

	if (!all->known)
		return;
	plan_find_differences(m);
	if (m->out->step_count > 0)
		plan_find_published_before(m);
	*kept = (struct rehearsal_records){ .known = true,
		.head = all->head,
		.live_known = all->live_known,
		.live = all->live,
		.activities = xcalloc(all->activity_count + 1, sizeof *all->activities),
		.activity_count = all->activity_count,
		.loads = xcalloc(all->load_count + 1, sizeof *all->loads),
		.load_count = all->load_count,
		.effects = xcalloc(all->count + 1, sizeof *all->effects) };
	for (i = 0; i < all->activity_count; i++)
		kept->activities[i] = all->activities[i];
	for (i = 0; i < all->load_count; i++)
		kept->loads[i] = all->loads[i];
	for (i = 0; i < all->count; i++)
		if (is_of_step(m, all->effects[i].migration))
			kept->effects[kept->count++] = all->effects[i];
	kept->losses = xcalloc(all->loss_count + 1, sizeof *all->losses);
	for (i = 0; i < all->loss_count; i++)
		if (is_of_step(m, all->losses[i].migration))
			kept->losses[kept->loss_count++] = all->losses[i];
}

int
plan_make(const struct scan *scan, const struct status *status, const struct plan_options *options,
    struct planned *planned)
{
	struct plan_maker m = { .scan = scan, .status = status, .options = options, .out = planned,
		.refusal = &planned->refusal };
	bool marks = options->baseline != NULL || options->applied_count > 0 || options->rolled_back_count > 0;
	size_t i;
	int code;

	*planned = (struct planned){ .folder = scan->folder };
	fill_head(&m);
	if (marks) {
		code = add_marks(&m);
		for (i = 0; i < status->count; i++)
			planned->still_pending += is_pending(&status->list[i]);
		for (i = 0; i < planned->step_count; i++)
			planned->still_pending -= planned->steps[i].sql == NULL &&
			    planned->steps[i].action == ACTION_MARK_APPLIED &&
			    is_pending(plan_status_named(status, planned->steps[i].migration));
	} else {
		code = options->down_to != NULL ? plan_add_reverts(&m) : add_applies(&m);
		keep_effects(&m);
	}
	steps_digest(planned->steps, planned->step_count, planned->steps_digest);
	planned->plan.steps_digest = planned->steps_digest;
	if (code == 0 && planned->errors > 0)
		code = MIG_FAILED;
	return code;
}

const char *
planned_file(const struct planned *planned)
{
	return planned->step_count > 0 ? step_file(&planned->steps[0]) : "migration.sql";
}

void
plan_free(struct planned *planned)
{
	size_t i;

	refusal_free(&planned->refusal);
	for (i = 0; i < planned->text_count; i++)
		bytes_free(&planned->texts[i]);
	free(planned->texts);
	rehearsal_records_free(&planned->rehearsed);
	free(planned->findings);
	free(planned->steps);
	*planned = (struct planned){ 0 };
}
