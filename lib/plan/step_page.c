#include "plan/step_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/null.h"
#include "base/page.h"
#include "base/width.h"
#include "plan/effects.h"
#include "plan/effects_text.h"
#include "plan/finding_text.h"
#include "plan/plan_internal.h"
#include "plan/script_lines.h"
#include "plan/undo.h"
#include "records/words.h"
#include "sql/sql.h"
#include "sql/targets.h"

/* Findings of one statement, names in a line: more than this fold, unless -v. */
enum { FINDINGS = 8, NAMES = 8, LABELS = 6 };

/* A finding about a statement of the step. */
struct placed {
	const struct finding *finding;
	size_t statement;
};

struct page_of {
	struct bytes *out;
	const struct planned *planned;
	const struct step *step;
	struct effects_view view;
	struct script_lines lines;
	struct placed *findings;      /* by statement */
	size_t finding_count;
	size_t columns;
	bool unfold;
};

/* --- the head --- */

static int
compare_steps(const void *a, const void *b)
{
	return strcmp((*(const struct step *const *)a)->migration, (*(const struct step *const *)b)->migration);
}

static int
compare_name(const void *name, const void *step)
{
	return strcmp(name, (*(const struct step *const *)step)->migration);
}

struct step_rules
step_rules(const struct planned *planned)
{
	struct step_rules rules = { .of = xcalloc(planned->step_count + 1, sizeof *rules.of),
		.other = xcalloc(planned->finding_count + 1, sizeof *rules.other) };
	const struct step **steps = xcalloc(planned->step_count + 1, sizeof *steps);
	size_t i, rule;

	for (i = 0; i < planned->step_count; i++)
		steps[i] = &planned->steps[i];
	if (planned->step_count > 0)
		qsort(steps, planned->step_count, sizeof *steps, compare_steps);
	for (i = 0; i < planned->finding_count; i++) {
		const struct finding *f = &planned->findings[i];
		const struct step **step = f->migration != NULL && planned->step_count > 0
		    ? bsearch(f->migration, steps, planned->step_count, sizeof *steps, compare_name) : NULL;

		rules.other[i] = step == NULL;
		if (step == NULL || f->severity == SEVERITY_NOTE)
			continue;
		for (rule = 0; plan_rules[rule].name != NULL && strcmp(plan_rules[rule].name, f->rule) != 0; rule++)
			;
		rules.of[*step - planned->steps] |= 1UL << rule;
	}
	free(steps);
	return rules;
}

void
step_rules_free(struct step_rules *rules)
{
	free(rules->of);
	free(rules->other);
	*rules = (struct step_rules){ 0 };
}

void
step_page_runs(struct bytes *out, const struct step *s)
{
	if (s->action == ACTION_MARK_APPLIED)
		bytes_str(out, "is marked as applied; its SQL does not run");
	else if (s->action == ACTION_MARK_ROLLED_BACK)
		bytes_str(out, "is marked as rolled back");
	if (s->sql == NULL)
		return;
	if (s->action == ACTION_REVERT)
		bytes_str(out, "is taken back: ");
	page_count(out, s->statement_count > 0 ? (size_t)s->statement_count : 0, "statement");
	if (s->transaction == TRANSACTION_MIG)
		bytes_str(out, ", in one transaction");
	else if (s->transaction == TRANSACTION_SCRIPT)
		bytes_str(out, ", in the script's own transactions; resumable");
	else
		bytes_str(out, ", not in a transaction; resumable");
	if (s->resume_at != NUMBER_UNKNOWN)
		bytes_format(out, ", from statement %lld on", s->resume_at);
}

static const char *
colour_of(enum severity severity)
{
	return severity == SEVERITY_ERROR ? PAGE_RED : severity == SEVERITY_WARNING ? PAGE_YELLOW : "";
}

void
step_page_head(struct bytes *out, const struct step *step, unsigned long rules, size_t width)
{
	const char *before = PAGE_YELLOW;
	size_t rule;

	bytes_format(out, "%4lld  ", step->step);
	page_pad_cut(out, step->migration, width, width + 2);
	for (rule = 0; plan_rules[rule].name != NULL; rule++) {
		if ((rules >> rule & 1) == 0)
			continue;
		bytes_format(out, "%s%s", before, plan_rules[rule].name);
		before = ", ";
	}
	bytes_str(out, rules != 0 ? PAGE_PLAIN "  " : "");
	step_page_runs(out, step);
	bytes_char(out, '\n');
}

/* --- findings --- */

static void
indented(struct bytes *out, const char *text, size_t indent)
{
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		bytes_format(out, "%*s%.*s\n", (int)indent, "", (int)len, text);
	}
}

static void
finding_line(struct bytes *out, const struct finding *f, const char *message)
{
	const char *colour = colour_of(f->severity);

	bytes_format(out, "%s%s:%s %s [%s]\n", colour, severity_words[f->severity], *colour != '\0' ? PAGE_PLAIN : "", message, f->rule);
}

static void
remedy_lines(struct bytes *out, const char *folder, const struct finding *f, size_t indent)
{
	struct bytes remedy = { 0 };

	finding_remedy(&remedy, folder, f);
	indented(out, bytes_text(&remedy), indent);
	bytes_free(&remedy);
}

void
step_page_finding(struct bytes *out, const struct planned *planned, const struct finding *f, bool place, size_t indent)
{
	bytes_format(out, "%*s", (int)indent, "");
	if (place)
		finding_place(out, planned, f);
	finding_line(out, f, f->message);
	remedy_lines(out, planned->folder, f, indent + 4);
}

/* Of the message what the lines of the effects do not tell: they have who waits, and the statements that fail. */
static void
message_beside_effects(struct bytes *out, const struct finding *f)
{
	const char *cancel = strcmp(f->rule, "stalls") == 0 ? strstr(f->message, PLAN_WOULD_CANCEL) : NULL;
	const char *refused = strcmp(f->rule, "breaks") == 0 ? strstr(f->message, PLAN_REFUSED ": ") : NULL;

	if (refused != NULL)
		bytes_add(out, f->message, (size_t)(refused - f->message) + strlen(PLAN_REFUSED));
	else
		bytes_str(out, cancel != NULL ? cancel : f->message);
}

static bool
is_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
is_repeated(const struct finding *f, const struct finding *before)
{
	struct bytes text = { 0 }, text_before = { 0 };
	bool repeated;

	if (before == NULL || strcmp(f->rule, before->rule) != 0)
		return false;
	message_beside_effects(&text, f);
	message_beside_effects(&text_before, before);
	repeated = strcmp(text.data, text_before.data) == 0;
	bytes_free(&text);
	bytes_free(&text_before);
	return repeated;
}

/* Of several with one remedy the last has it. */
static bool
has_remedy_behind(const struct placed *of, size_t count, size_t at)
{
	size_t i;

	for (i = at + 1; i < count; i++)
		if (of[at].finding->remedy != NULL && is_equal(of[at].finding->remedy, of[i].finding->remedy))
			return true;
	return false;
}

static void
statement_findings(const struct page_of *p, const struct placed *of, size_t count, size_t statement)
{
	size_t told = 0, i;

	for (i = 0; i < count; i++) {
		const struct finding *f = of[i].finding;
		struct bytes message = { 0 };

		if (!is_repeated(f, i > 0 ? of[i - 1].finding : NULL) && (++told <= FINDINGS || p->unfold)) {
			bytes_format(p->out, "%*s", EFFECTS_INDENT, "");
			if (script_lines_is_inside(&p->lines, statement, f->line, f->severity == SEVERITY_ERROR ? f->column : 1))
				bytes_format(p->out, "line %lld, column %lld: ", f->line, f->column);
			message_beside_effects(&message, f);
			finding_line(p->out, f, bytes_text(&message));
			bytes_free(&message);
		}
		if (!has_remedy_behind(of, count, i))
			remedy_lines(p->out, p->planned->folder, f, EFFECTS_INDENT + 4);
	}
	if (told > FINDINGS && !p->unfold)
		bytes_format(p->out, "%*s… %zu more findings (-v shows all)\n", EFFECTS_INDENT, "", told - FINDINGS);
}

static int
compare_placed(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->statement != y->statement)
		return x->statement < y->statement ? -1 : 1;
	return x->finding < y->finding ? -1 : x->finding > y->finding;
}

/* A place that an editor opens: of the first finding that is more than a note. */
static void
first_place(const struct page_of *p)
{
	size_t i = 0;

	while (i < p->finding_count && p->findings[i].finding->severity == SEVERITY_NOTE)
		i++;
	if (i == p->finding_count)
		return;
	/* at the margin, where editors expect it */
	finding_place(p->out, p->planned, p->findings[i].finding);
	bytes_str(p->out, "the first finding\n");
}

/* Those of its statements by statement; those of the whole migration are written at once. */
static void
find_findings(struct page_of *p)
{
	size_t i;

	p->findings = xcalloc(p->planned->finding_count + 1, sizeof *p->findings);
	for (i = 0; i < p->planned->finding_count; i++) {
		const struct finding *f = &p->planned->findings[i];

		if (f->migration == NULL || strcmp(f->migration, p->step->migration) != 0)
			continue;
		if (f->line == NUMBER_UNKNOWN || p->lines.count == 0) {
			step_page_finding(p->out, p->planned, f, false, LABELS);
			continue;
		}
		p->findings[p->finding_count] = (struct placed){ f, script_lines_statement(&p->lines, f->line, f->column) };
		p->lines.list[p->findings[p->finding_count++].statement].warned |= f->severity != SEVERITY_NOTE;
	}
	qsort(p->findings, p->finding_count, sizeof *p->findings, compare_placed);
	first_place(p);
}

/* --- statements --- */

static void
find_effects(struct page_of *p)
{
	size_t i;

	for (i = 0; i < p->view.count; i++)
		if (p->view.list[i].statement <= (long long)p->lines.count && effects_waits(&p->view.list[i]) != WAITS_NOBODY)
			p->lines.list[p->view.list[i].statement - 1].does = true;
}

/* What is said of it; `effect` and `finding` are the first ones that are not about a statement before it. */
static void
below_statement(const struct page_of *p, size_t statement, size_t effect, size_t finding)
{
	/* without a target everything was made by the plan, and has findings nevertheless */
	enum effects_noticed noticed = p->planned->plan.history_digest != NULL ? NOTICED_IF_MADE_BY_PLAN : NOTICED_NONE;
	const struct effects_view *view = &p->view;
	size_t effects = 0, findings = 0;

	while (effect + effects < view->count && view->list[effect + effects].statement == (long long)statement + 1)
		effects++;
	while (finding + findings < p->finding_count && p->findings[finding + findings].statement == statement)
		findings++;
	if (effects > 0) {
		effects_text(p->out, view, &view->list[effect], effects, noticed, p->unfold);
		effects_refused(p->out, &view->list[effect], effects, p->columns, p->unfold);
	}
	statement_findings(p, p->findings + finding, findings, statement);
	if (effects > 0)
		effects_hint(p->out, view, &view->list[effect], effects);
}

static void
statements(const struct page_of *p)
{
	size_t hidden = 0, effect = 0, finding = 0, i;

	for (i = p->lines.first; i < p->lines.count; i++) {
		const struct script_lines_of *s = &p->lines.list[i];
		struct bytes below = { 0 };
		struct page_of at = *p;

		while (effect < p->view.count && p->view.list[effect].statement < (long long)i + 1)
			effect++;
		while (finding < p->finding_count && p->findings[finding].statement < i)
			finding++;
		if (s->shown > 0) {
			script_lines_hidden(p->out, hidden);
			script_lines_write(p->out, &p->lines, i, p->columns);
			hidden = 0;
		}
		hidden += s->lines - s->shown;
		at.out = &below;
		if (s->shown > 0)
			below_statement(&at, i, effect, finding);
		if (below.len > 0) {
			script_lines_hidden(p->out, hidden);
			bytes_add(p->out, below.data, below.len);
			hidden = 0;
		}
		bytes_free(&below);
	}
	script_lines_hidden(p->out, hidden);
}

/* --- below them --- */

static void
add_once(struct bytes *list, size_t *count, const char *name)
{
	struct bytes word = { 0 };

	bytes_format(&word, "%s%s", *count > 0 ? ", " : "", name);
	if (*count < NAMES)
		bytes_add(list, word.data, word.len);
	++*count;
	bytes_free(&word);
}

static bool
is_named_before(const struct sql_targets *targets, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (targets->list[i].name != NULL && strcmp(targets->list[i].name, targets->list[at].name) == 0 &&
		    (targets->list[i].kind == TARGET_MADE || (targets->list[i].kind == targets->list[at].kind &&
		                                                 is_equal(targets->list[i].right, targets->list[at].right))))
			return true;
	return false;
}

/* What the words tell of locks where nothing was measured. */
static void
locks_by_text(const struct page_of *p)
{
	struct sql_targets targets = { 0 };
	struct bytes locked = { 0 };
	size_t count = 0, i;
	bool all = true;

	for (i = p->lines.first; i < p->lines.count; i++)
		all &= sql_targets_add(&targets, p->step->sql, &p->view.script.statements[i]);
	for (i = 0; i < targets.count; i++) {
		const struct sql_target *t = &targets.list[i];

		if (t->kind == TARGET_RELATION && t->name != NULL && !is_named_before(&targets, i) &&
		    (strcmp(t->right, TARGET_OWNER) == 0 || strcmp(t->right, TARGET_DROP) == 0 || strcmp(t->right, "REFERENCES") == 0))
			add_once(&locked, &count, t->name);
	}
	bytes_format(p->out, "%*slocks  ", LABELS, "");
	if (count == 0)
		bytes_str(p->out, "none on what is there now, as far as the text tells");
	else
		bytes_format(p->out, "%s", locked.data);
	if (count > NAMES)
		bytes_format(p->out, " and %zu more", count - NAMES);
	if (count > 0)
		bytes_str(p->out, ": how strong and for how long is not known without a rehearsal");
	bytes_str(p->out, all ? "\n" : "; what its functions and blocks lock is not known\n");
	bytes_free(&locked);
	sql_targets_free(&targets);
}

void
step_page_body(struct bytes *out, const struct planned *planned, const struct step *step, size_t columns, bool unfold)
{
	struct page_of p = { .out = out, .planned = planned, .step = step, .columns = columns, .unfold = unfold,
		.view = effects_view(&planned->rehearsed, step->migration, step->sql) };

	if (step->sql != NULL)
		p.lines = script_lines(step->sql, &p.view.script, step->resume_at != NUMBER_UNKNOWN ? (size_t)step->resume_at - 1 : 0);
	find_findings(&p);
	find_effects(&p);
	script_lines_choose(&p.lines, unfold);
	statements(&p);
	if (p.lines.first < p.lines.count) {
		if (!planned->rehearsed.known)
			locks_by_text(&p);
		bytes_format(out, "%*sundo   ", LABELS, "");
		if (step->action == ACTION_REVERT)
			undo_again(out, &p.view);
		else
			undo_text(out, &p.view, planned->rehearsed.known);
		bytes_char(out, '\n');
	}
	free(p.findings);
	script_lines_free(&p.lines);
	effects_view_free(&p.view);
}
