/* The page of mig-plan. */
#include "plan/pages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "base/page.h"
#include "base/shell_quote.h"
#include "base/width.h"
#include "migrations/status.h"
#include "plan/effects.h"
#include "plan/effects_page.h"
#include "plan/plan.h"
#include "plan/step_page.h"
#include "plan/undo.h"
#include "records/model.h"
#include "records/words.h"

static void
nothing_to_do(struct bytes *out, const struct scan *scan, const struct status *status)
{
	const struct database *db = &scan->database;
	struct bytes rest = { 0 };

	if (scan->has_database) {
		page_place(out, db->database, db->host, db->port, db->schema);
		bytes_str(out, ": ");
	}
	if (scan->migration_count == 0)
		bytes_str(out, "there are no migrations in the folder\nnothing to do");
	else if (scan->migration_count == 1)
		bytes_str(out, "the one migration is recorded as applied\nnothing to do");
	else
		bytes_format(out, "all %zu migrations are recorded as applied\nnothing to do", scan->migration_count);
	if (status->of[STATE_EDITED] > 0)
		page_comma_count(&rest, status->of[STATE_EDITED], "edited");
	if (status->of[STATE_MISSING] > 0)
		page_comma_count(&rest, status->of[STATE_MISSING], "missing");
	if (rest.len > 0)
		bytes_format(out, "; %s (mig-scan shows them)", rest.data);
	bytes_char(out, '\n');
	bytes_free(&rest);
}

/*
 * Unless -v: a plan of more steps than FOLD has that many in detail, those with a warning, and a line for some of the others;
 * findings about no step fold beyond LINES.
 */
enum { FOLD = 10, LINES = 30, RUN = 3 };
enum showing { HIDDEN, LINE, DETAIL };

/* --- the first line --- */

/* How many steps have a finding of this rule that is more than a note; of any (0). */
static size_t
steps_with(const struct planned *planned, const struct step_rules *rules, unsigned long rule)
{
	size_t n = 0, i;

	for (i = 0; i < planned->step_count; i++)
		n += rule == 0 ? rules->of[i] != 0 : (rules->of[i] & rule) != 0;
	return n;
}

static void
attention_line(struct bytes *out, const struct planned *planned, const struct step_rules *rules)
{
	size_t need = steps_with(planned, rules, 0), n, rule;
	const char *before = ": ";

	bytes_format(out, "%s%zu of %zu steps need%s attention", need > 0 ? PAGE_YELLOW : "", need, planned->step_count, need == 1 ? "s" : "");
	for (rule = 0; plan_rules[rule].name != NULL; rule++) {
		if ((n = steps_with(planned, rules, 1UL << rule)) == 0)
			continue;
		bytes_format(out, "%s%zu %s", before, n, plan_rules[rule].name);
		before = ", ";
	}
	bytes_str(out, need > 0 ? PAGE_PLAIN : planned->rehearsed.known ? "" : ", as far as the text tells");
	bytes_str(out, planned->errors > 0 ? "; the plan is refused\n" : "\n");
}

/* "2 of 5 steps do not come back: ...". */
static void
gone_line(struct bytes *out, const struct planned *planned)
{
	enum { NAMED_STEPS = 3 };
	struct bytes gone = { 0 }, named = { 0 };
	size_t n = 0, i;

	for (i = 0; i < planned->step_count; i++) {
		const struct step *step = &planned->steps[i];
		struct effects_view view;

		if (step->action != ACTION_APPLY || step->sql == NULL)
			continue;
		view = effects_view(&planned->rehearsed, step->migration, step->sql);
		gone.len = 0;
		undo_gone(&gone, &view, planned->rehearsed.known);
		if (gone.len > 0 && n++ < NAMED_STEPS)
			bytes_format(&named, "%s%s", n > 1 ? ", " : "", gone.data);
		effects_view_free(&view);
	}
	if (n > 0)
		bytes_format(out, "%zu of %zu steps do%s not come back: %s%s; a restore is the only way\n", n, planned->step_count, n == 1 ? "es" : "",
		    named.data, n > NAMED_STEPS ? ", and more" : "");
	bytes_free(&gone);
	bytes_free(&named);
}

static void
head_lines(struct bytes *out, const struct planned *planned, const struct step_rules *rules, const char *digest)
{
	const struct plan *plan = &planned->plan;

	if (planned->step_count > 0)
		attention_line(out, planned, rules);
	gone_line(out, planned);
	bytes_format(out, "plan %.16s for ", digest);
	if (plan->database != NULL) {
		page_place(out, plan->database, plan->host, plan->port, plan->schema);
		bytes_format(out, "\nstarts from %lld history row%s", plan->history_rows, plan->history_rows == 1 ? "" : "s");
		if (plan->last_applied != NULL)
			bytes_format(out, ", the last applied is %s", plan->last_applied);
	} else {
		bytes_str(out, "an empty database");
	}
	bytes_char(out, '\n');
	if (planned->step_count > 0)
		bytes_format(out, "steps %.16s, the same for every database that would get them\n", planned->steps_digest);
	pages_phase(out, plan);
	if (planned->rehearsed.known)
		effects_page_head(out, &planned->rehearsed);
	bytes_char(out, '\n');
}

/* --- the steps --- */

static size_t
names_width(const struct planned *planned, const struct step_rules *rules, size_t columns)
{
	enum { OTHERS = 6 + 2 + 36, RULES = 16 };
	size_t width = 0, i;

	for (i = 0; i < planned->step_count; i++) {
		size_t n = width_columns(planned->steps[i].migration, strlen(planned->steps[i].migration));

		width = n > width ? n : width;
	}
	return page_name_width(width, columns, OTHERS + (steps_with(planned, rules, 0) > 0 ? RULES : 0));
}

/* How many steps that need no attention follow each other from `at` on. */
static size_t
run_of(const struct planned *planned, const struct step_rules *rules, size_t at)
{
	size_t n = 0;

	while (at + n < planned->step_count && rules->of[at + n] == 0)
		n++;
	return n;
}

/* Of a run the first and the last have a line. */
static void
choose_run(enum showing *shown, size_t count, size_t *lines)
{
	size_t i;

	for (i = 0; i < count; i++)
		if ((count <= RUN || i == 0 || i + 1 == count) && *lines > 0) {
			shown[i] = LINE;
			--*lines;
		}
}

static enum showing *
choose_steps(const struct planned *planned, const struct step_rules *rules, bool unfold)
{
	enum showing *shown = xcalloc(planned->step_count + 1, sizeof *shown);
	size_t details = FOLD, lines = LINES, i, run;

	unfold |= planned->step_count <= FOLD;
	for (i = 0; i < planned->step_count; i += run > 0 ? run : 1) {
		run = unfold ? 0 : run_of(planned, rules, i);
		if (unfold || (run == 0 && details > 0)) {
			shown[i] = DETAIL;
			details -= !unfold;
		} else if (run > 0) {
			choose_run(shown + i, run, &lines);
		} else if (lines > 0) {
			shown[i] = LINE;
			lines--;
		}
	}
	if (planned->step_count > 0 && shown[planned->step_count - 1] == HIDDEN)
		shown[planned->step_count - 1] = LINE;
	return shown;
}

static void
hidden_line(struct bytes *out, size_t hidden, size_t warned)
{
	if (hidden == 0)
		return;
	bytes_format(out, "   …  … %zu more", hidden);
	if (warned > 0)
		bytes_format(out, ", %zu of them need%s attention", warned, warned == 1 ? "s" : "");
	bytes_str(out, " (-v shows all)\n");
}

static void
step_lines(struct bytes *out, const struct planned *planned, const struct step_rules *rules, size_t columns, bool unfold)
{
	enum showing *shown = choose_steps(planned, rules, unfold);
	size_t width = names_width(planned, rules, columns), hidden = 0, warned = 0, i;

	for (i = 0; i < planned->step_count; i++) {
		const struct step *step = &planned->steps[i];

		if (shown[i] == HIDDEN) {
			hidden++;
			warned += rules->of[i] != 0;
			continue;
		}
		hidden_line(out, hidden, warned);
		hidden = warned = 0;
		step_page_head(out, step, rules->of[i], width);
		if (shown[i] != DETAIL)
			continue;
		step_page_body(out, planned, step, columns, unfold);
		if (step->sql != NULL && i + 1 < planned->step_count)
			bytes_char(out, '\n');
	}
	if (planned->step_count > 0)
		bytes_char(out, '\n');
	free(shown);
}

/* --- what is about no step --- */

static void
other_findings(struct bytes *out, const struct planned *planned, const struct step_rules *rules, bool unfold)
{
	size_t told = 0, i;

	for (i = 0; i < planned->finding_count; i++)
		if (rules->other[i] && (++told <= 2 * FOLD || unfold))
			step_page_finding(out, planned, &planned->findings[i], true, 0);
	if (told > 2 * FOLD && !unfold)
		bytes_format(out, "… %zu more findings (-v shows all)\n", told - 2 * FOLD);
	if (told > 0)
		bytes_char(out, '\n');
}

/* --- the end --- */

/* "mig-scan --rehearse --load | mig-plan ...", of the command that made this plan. */
static void
rehearse_command(struct bytes *out, const char *command, bool offline)
{
	const char *pipe = strstr(command, "\n|\n");
	char *scan = xstrndup(command, pipe != NULL ? (size_t)(pipe - command) : strlen(command));
	struct shell_words words = { 0 };

	shell_append(&words, scan);
	if (strstr(scan, "\n--rehearse") == NULL)
		shell_option(&words, "--rehearse", NULL);
	if (!offline)
		shell_option(&words, "--load", NULL);
	shell_command(out, shell_words(&words));
	if (pipe != NULL) {
		bytes_str(out, " | ");
		shell_command(out, pipe + strlen("\n|\n"));
	}
	shell_words_free(&words);
	free(scan);
}

/* What the page does not know, and what would tell it. */
static void
not_looked_at(struct bytes *out, const struct planned *planned, const char *command)
{
	bool offline = planned->plan.history_digest == NULL;

	if (planned->statements == 0)
		return;
	if (planned->rehearsed.load_count > 0) {
		bytes_str(out, "Times are estimates from sizes, for tables in memory; from disk it may take ten times as long.\n");
		return;
	}
	if (!planned->rehearsed.known)
		bytes_str(out, "not looked at: locks, rewrites, what breaks, how large and how busy the tables are; down.sql\n");
	else if (offline)
		return;
	else
		bytes_str(out, "not looked at: how large and how busy the tables are, so how long a session waits\n");
	if (command == NULL)
		return;
	bytes_str(out, "to know it:           ");
	rehearse_command(out, command, offline);
	bytes_char(out, '\n');
}

static void
sum_line(struct bytes *out, const struct planned *planned)
{
	page_count(out, planned->step_count, "step");
	bytes_str(out, ", ");
	page_count(out, planned->statements, "statement");
	if (planned->errors > 0) {
		bytes_str(out, ", ");
		page_count(out, planned->errors, "error");
	}
	bytes_str(out, ", ");
	page_count(out, planned->warnings, "warning");
	bytes_str(out, ". Nothing has been changed.\n");
	if (planned->still_pending > 0) {
		bytes_str(out, "still pending, not part of this plan: ");
		page_count(out, planned->still_pending, "migration");
		bytes_char(out, '\n');
	}
}

/* The plan is in a file: the commands that take that file. */
static void
next_of_file(struct bytes *out, const char *command, const char *file, const char *digest)
{
	struct shell_words sql = { 0 }, apply = { 0 };

	shell_program(&sql, "mig-plan");
	shell_option(&sql, "--format", "sql");
	shell_path(&sql, file);
	plan_apply_words(&apply, command);
	bytes_str(out, "to read all SQL:      ");
	shell_command(out, shell_words(&sql));
	bytes_str(out, "\nto apply this plan:   ");
	shell_command(out, shell_words(&apply));
	bytes_format(out, " --expect %.16s ", digest);
	shell_path_word(out, file);
	bytes_char(out, '\n');
	shell_words_free(&sql);
	shell_words_free(&apply);
}

static void
next_commands(struct bytes *out, const struct planned *planned, const char *digest, const char *command, const char *file)
{
	struct shell_words apply = { 0 };

	if (planned->errors > 0 || planned->plan.history_digest == NULL)
		return;
	if (file != NULL && command != NULL) {
		next_of_file(out, command, file, digest);
		return;
	}
	if (command == NULL) {
		bytes_str(out, "to read all SQL:      the same commands again, with --format=sql\n");
		bytes_format(out, "to apply this plan:   the same commands again, into mig-apply, with the same -d and --expect %.16s\n",
		    digest);
		return;
	}
	bytes_str(out, "to read all SQL:      ");
	shell_command(out, command);
	bytes_str(out, " --format=sql\nto apply this plan:   ");
	shell_command(out, command);
	bytes_str(out, " | ");
	plan_apply_words(&apply, command);
	shell_command(out, shell_words(&apply));
	bytes_format(out, " --expect %.16s\n", digest);
	shell_words_free(&apply);
}

void
pages_plan(struct bytes *out, const struct pages_plan *p, size_t columns, bool unfold)
{
	const struct planned *planned = p->planned;
	struct step_rules rules;

	if (planned->step_count == 0 && planned->errors == 0 && planned->still_pending == 0 && planned->plan.phase == PHASE_NULL) {
		if (p->scan != NULL)
			nothing_to_do(out, p->scan, p->status);
		else
			bytes_format(out, "plan %.16s: nothing to do\n", p->digest);
		return;
	}
	rules = step_rules(planned);
	head_lines(out, planned, &rules, p->digest);
	step_lines(out, planned, &rules, columns, unfold);
	other_findings(out, planned, &rules, unfold);
	step_rules_free(&rules);
	not_looked_at(out, planned, p->scan != NULL ? p->command : NULL);
	sum_line(out, planned);
	next_commands(out, planned, p->digest, p->command, p->file);
}
