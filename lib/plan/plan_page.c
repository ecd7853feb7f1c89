/* The page of mig-plan. */
#include "plan/pages.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "base/page.h"
#include "base/shell_quote.h"
#include "base/width.h"
#include "migrations/status.h"
#include "plan/effects_page.h"
#include "plan/finding_text.h"
#include "plan/plan.h"
#include "records/model.h"
#include "records/words.h"

/* Lists of more lines than this fold, unless -v. */
enum { FOLD = 10 };

static void
indented(struct bytes *out, const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		bytes_format(out, "    %.*s\n", (int)len, text);
	}
}

static void
finding_lines(struct bytes *out, const char *folder, const struct finding *f)
{
	const char *colour = f->severity == SEVERITY_ERROR ? PAGE_RED
	    : f->severity == SEVERITY_WARNING             ? PAGE_YELLOW
	                                                  : "";
	struct bytes remedy = { 0 };

	finding_place(out, folder, f);
	bytes_format(out, "%s%s:%s %s [%s]\n", colour, severity_words[f->severity], *colour != '\0' ? PAGE_PLAIN : "", f->message,
	    f->rule);
	finding_remedy(&remedy, folder, f);
	indented(out, bytes_text(&remedy));
	bytes_free(&remedy);
}

static void
runs_words(struct bytes *out, const struct step *s)
{
	if (s->action == ACTION_MARK_APPLIED)
		bytes_str(out, "is marked as applied; its SQL does not run");
	else if (s->action == ACTION_MARK_ROLLED_BACK)
		bytes_str(out, "is marked as rolled back");
	else if (s->transaction == TRANSACTION_MIG)
		bytes_str(out, "in one transaction");
	else if (s->transaction == TRANSACTION_SCRIPT)
		bytes_str(out, "in the script's own transactions; resumable");
	else
		bytes_str(out, "not in a transaction; resumable");
	if (s->resume_at != NUMBER_UNKNOWN)
		bytes_format(out, ", from statement %lld on", s->resume_at);
}

static bool
step_has(const struct planned *planned, const struct step *step, const char *rule)
{
	size_t i;

	for (i = 0; i < planned->finding_count; i++)
		if (planned->findings[i].migration != NULL && strcmp(planned->findings[i].rule, rule) == 0 &&
		    strcmp(planned->findings[i].migration, step->migration) == 0)
			return true;
	return false;
}

static void
step_line(struct bytes *out, const struct planned *planned, const struct step *s, size_t width)
{
	bool late = step_has(planned, s, "late"), loss = step_has(planned, s, "destructive") || step_has(planned, s, "loses");

	bytes_format(out, "%4lld  ", s->step);
	page_pad_cut(out, s->migration, width, width + 2);
	if (s->sql == NULL)
		bytes_format(out, "%10s %7s   ", "-", "-");
	else
		bytes_format(out, "%10lld %7lld   ", s->statement_count, s->size_bytes);
	runs_words(out, s);
	if (late)
		bytes_str(out, "   late");
	if (loss)
		bytes_str(out, "   " PAGE_YELLOW "destroys data" PAGE_PLAIN);
	bytes_char(out, '\n');
}

static void
step_lines(struct bytes *out, const struct planned *planned, size_t columns, bool unfold)
{
	enum { OTHERS = 6 + 2 + 10 + 8 + 3 + 18 };
	size_t width = strlen("migration"), i;

	for (i = 0; i < planned->step_count; i++) {
		size_t n = width_columns(planned->steps[i].migration, strlen(planned->steps[i].migration));

		width = n > width ? n : width;
	}
	width = page_name_width(width, columns, OTHERS);
	bytes_str(out, "step  ");
	page_pad(out, "migration", width + 2);
	bytes_str(out, "statements   bytes   runs\n");
	for (i = 0; i < planned->step_count; i++) {
		if (!unfold && planned->step_count > FOLD && i == FOLD - 2) {
			bytes_format(out, "   …  … %zu more (-v shows all)\n", planned->step_count - FOLD + 1);
			i = planned->step_count - 1;
		}
		step_line(out, planned, &planned->steps[i], width);
	}
}

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

static void
preview_sum(struct bytes *out, const struct planned *planned, const char *digest, const char *command, bool kept)
{
	struct shell_words apply = { 0 };

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
	if (planned->errors > 0 || planned->plan.history_digest == NULL || kept)
		return;
	if (command == NULL) {
		bytes_str(out, "to read the SQL:      the same commands again, with --format=sql\n");
		bytes_format(out, "to apply this plan:   the same commands again, into mig-apply, with the same -d and --expect %.16s\n",
		    digest);
		return;
	}
	bytes_str(out, "to read the SQL:      ");
	shell_command(out, command);
	bytes_str(out, " --format=sql\nto apply this plan:   ");
	shell_command(out, command);
	bytes_str(out, " | ");
	plan_apply_words(&apply, command);
	shell_command(out, shell_words(&apply));
	bytes_format(out, " --expect %.16s\n", digest);
	shell_words_free(&apply);
}

/* The steps with a warning, or worse. */
static size_t
needing_attention(const struct planned *planned)
{
	size_t n = 0, i, k;

	for (i = 0; i < planned->step_count; i++) {
		for (k = 0; k < planned->finding_count; k++) {
			const struct finding *f = &planned->findings[k];

			if (f->severity != SEVERITY_NOTE && f->migration != NULL && strcmp(f->migration, planned->steps[i].migration) == 0)
				break;
		}
		n += k < planned->finding_count;
	}
	return n;
}

static void
rehearsed_lines(struct bytes *out, const struct planned *planned, size_t columns, bool unfold)
{
	effects_page_head(out, &planned->rehearsed.head);
	effects_page_steps(out, &planned->rehearsed, planned->steps, planned->step_count, columns, unfold);
	bytes_char(out, '\n');
}

void
pages_plan(struct bytes *out, const struct scan *scan, const struct status *status,
    const struct planned *planned, const char *digest, const char *command, size_t columns, bool unfold)
{
	const struct plan *plan = &planned->plan;
	size_t i;

	if (planned->step_count == 0 && planned->errors == 0 && planned->still_pending == 0) {
		if (scan != NULL)
			nothing_to_do(out, scan, status);
		else
			bytes_format(out, "plan %.16s: nothing to do\n", digest);
		return;
	}
	if (planned->rehearsed.known)
		bytes_format(out, "%zu of %zu steps need%s attention\n", needing_attention(planned), planned->step_count,
		    needing_attention(planned) == 1 ? "s" : "");
	bytes_format(out, "plan %.16s for ", digest);
	if (plan->database != NULL) {
		page_place(out, plan->database, plan->host, plan->port, plan->schema);
		bytes_format(out, "\nstarts from %lld history row%s", plan->history_rows,
		    plan->history_rows == 1 ? "" : "s");
		if (plan->last_applied != NULL)
			bytes_format(out, ", the last applied is %s", plan->last_applied);
	} else {
		bytes_str(out, "an empty database");
	}
	bytes_str(out, "\n\n");
	if (planned->step_count > 0) {
		step_lines(out, planned, columns, unfold);
		bytes_char(out, '\n');
	}
	if (planned->rehearsed.known)
		rehearsed_lines(out, planned, columns, unfold);
	for (i = 0; i < planned->finding_count; i++) {
		if (!unfold && planned->finding_count > 2 * FOLD && i == 2 * FOLD - 1) {
			bytes_format(out, "… %zu more findings (-v shows all)\n", planned->finding_count - i);
			break;
		}
		finding_lines(out, planned->folder, &planned->findings[i]);
	}
	if (planned->finding_count > 0)
		bytes_char(out, '\n');
	preview_sum(out, planned, digest, command, scan == NULL);
}
