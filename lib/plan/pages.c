#include "plan/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/null.h"
#include "base/page.h"
#include "base/shell_quote.h"
#include "base/width.h"
#include "migrations/history.h"
#include "migrations/journal.h"
#include "migrations/other_schemas.h"
#include "plan/effects.h"
#include "plan/effects_page.h"
#include "plan/finding_text.h"
#include "plan/plan.h"
#include "records/json.h"
#include "records/words.h"

/* Lists of more lines than this fold, unless -v. */
enum { FOLD = 10, FOLD_HEAD = 5 };

static size_t
longest_name(const struct status *status)
{
	size_t width = strlen("migration"), i;

	for (i = 0; i < status->count; i++) {
		size_t n = width_columns(status->list[i].migration, strlen(status->list[i].migration));

		width = n > width ? n : width;
	}
	return width;
}

static const char *
colour_of(enum state state)
{
	switch (state) {
	case STATE_FAILED:
		return PAGE_RED;
	case STATE_EDITED:
	case STATE_MISSING:
	case STATE_LATE:
		return PAGE_YELLOW;
	case STATE_PENDING:
	case STATE_RUNNING:
		return PAGE_BOLD;
	case STATE_APPLIED:
	case STATE_COUNT:
		break;
	}
	return "";
}

static void
status_note(struct bytes *out, const struct migration_status *s)
{
	struct journal journal;

	switch (s->state) {
	case STATE_EDITED:
		bytes_str(out, "file differs from what was applied");
		if (s->script->edited_blanks)
			bytes_str(out, ", in white space only");
		break;
	case STATE_MISSING:
		bytes_str(out, "recorded, but not in the folder");
		break;
	case STATE_FAILED:
		bytes_str(out, "started and not finished");
		if (journal_read(s->row->logs, &journal))
			bytes_format(out, "; next: statement %zu of %zu", journal.next, journal.count);
		break;
	case STATE_RUNNING:
		bytes_str(out, "another deployer is applying it");
		break;
	case STATE_LATE:
		bytes_str(out, "sorts before an applied one");
		break;
	case STATE_APPLIED:
		if (s->runs > 1 && s->undone + 1 != s->runs)
			bytes_format(out, "recorded %zu times, %zu of them rolled back", s->runs, s->undone);
		else if (s->runs == 2)
			bytes_str(out, "2nd run; the 1st was rolled back");
		else if (s->runs > 2)
			bytes_format(out, "run %zu; those before were rolled back", s->runs);
		break;
	case STATE_PENDING:
		if (s->runs > 0)
			bytes_str(out, "was rolled back");
		break;
	case STATE_COUNT:
		break;
	}
	if (s->script != NULL && s->script->flaw != FLAW_NONE) {
		if (s->script->flaw == FLAW_NO_SCRIPT)
			bytes_str(out, "  its folder has no migration.sql");
		else if (s->script->flaw == FLAW_NUL)
			bytes_str(out, "  its script has a NUL byte");
		else
			bytes_str(out, "  its script is not UTF-8");
	}
}

/* Why it stands where it does, in the server's words. */
static void
status_error(struct bytes *out, const struct history_row *row)
{
	char *error = journal_error(row->logs);

	if (error != NULL)
		bytes_format(out, "%9s%s\n", "", error);
	free(error);
}

static void
status_line(struct bytes *out, const struct migration_status *s, size_t width)
{
	struct bytes note = { 0 };
	char when[CLOCK_INSTANT] = "-";
	const char *colour = colour_of(s->state);

	if (s->row != NULL)
		clock_readable(s->row->finished_at != NULL ? s->row->finished_at : s->row->started_at, when);
	status_note(&note, s);
	bytes_str(out, colour);
	page_pad(out, state_word(s->state), 9);
	bytes_str(out, *colour != '\0' ? PAGE_PLAIN : "");
	page_pad_cut(out, s->migration, width, width + 2);
	if (note.len > 0) {
		page_pad(out, when, 22);
		bytes_str(out, note.data + strspn(note.data, " "));
	} else {
		bytes_str(out, when);
	}
	bytes_char(out, '\n');
	if (s->state == STATE_FAILED)
		status_error(out, s->row);
	bytes_free(&note);
}

static bool
is_plain(const struct migration_status *s)
{
	return (s->state == STATE_APPLIED && s->runs == 1) || (s->state == STATE_PENDING && s->runs == 0);
}

/* How many plain lines of one state begin at `at`. */
static size_t
run_of(const struct status *status, size_t at)
{
	size_t n = 0;

	while (at + n < status->count && is_plain(&status->list[at + n]) &&
	    status->list[at + n].state == status->list[at].state)
		n++;
	return n;
}

static void
folded_line(struct bytes *out, const struct migration_status *first, size_t count, bool oldest, size_t width)
{
	char text[64];

	bytes_str(out, colour_of(first->state));
	page_pad(out, state_word(first->state), 9);
	bytes_str(out, *colour_of(first->state) != '\0' ? PAGE_PLAIN : "");
	if (first->state == STATE_PENDING) {
		bytes_format(out, "… %zu more\n", count);
		return;
	}
	snprintf(text, sizeof text, "… %zu %s, all as recorded", count, oldest ? "older" : "more");
	bytes_str(out, PAGE_DIM);
	page_pad(out, text, width + 2);
	bytes_format(out, "%.10s to %.10s" PAGE_PLAIN "\n", first[0].row->finished_at, first[count - 1].row->finished_at);
}

/* Runs of what is as it should be fold: what a person must see stands out then. */
static void
status_lines(struct bytes *out, const struct status *status, size_t width, bool unfold)
{
	size_t i = 0, run, shown;

	unfold |= status->count <= FOLD;
	while (i < status->count) {
		const struct migration_status *s = &status->list[i];

		run = run_of(status, i);
		shown = s->state == STATE_PENDING ? FOLD_HEAD : 0;
		if (unfold || run < shown + 3) {
			status_line(out, s, width);
			i++;
			continue;
		}
		while (shown-- > 0 && run-- > 0)
			status_line(out, &status->list[i++], width);
		/* the last one stays in sight */
		folded_line(out, &status->list[i], run - 1, i == 0, width);
		i += run - 1;
		status_line(out, &status->list[i++], width);
	}
}

static void
status_sum(struct bytes *out, const struct scan *scan, const struct status *status,
    const char *deploying_for)
{
	const struct database *db = &scan->database;
	size_t pending = status->of[STATE_PENDING] + status->of[STATE_LATE];
	bool trouble = status->of[STATE_FAILED] > 0;
	struct page_session holder;
	struct bytes sum = { 0 };

	page_comma_count(&sum, pending, "pending");
	if (status->of[STATE_LATE] > 0)
		bytes_format(&sum, " (%zu of them late)", status->of[STATE_LATE]);
	page_comma_count(&sum, status->of[STATE_FAILED], "failed");
	if (status->of[STATE_RUNNING] > 0)
		page_comma_count(&sum, status->of[STATE_RUNNING], "running");
	if (status->of[STATE_EDITED] > 0)
		page_comma_count(&sum, status->of[STATE_EDITED], "edited");
	if (status->of[STATE_MISSING] > 0)
		page_comma_count(&sum, status->of[STATE_MISSING], "missing");
	bytes_add(out, sum.data, sum.len);
	bytes_free(&sum);
	if (scan->has_database && db->deployer_pid != NUMBER_UNKNOWN) {
		bytes_str(out, "; a deploy is running: ");
		holder = database_deployer(db);
		page_session(out, &holder);
		if (deploying_for != NULL)
			bytes_format(out, ", for %s", deploying_for);
	} else if (trouble) {
		bytes_str(out, "; no deploy is running");
	}
	bytes_char(out, '\n');
	if (pending == 0 && !trouble)
		return;
	if (!scan->has_database) {
		bytes_str(out, "next: scan with a connection string to see what is applied\n");
	} else if (scan->command != NULL) {
		bytes_str(out, "next: ");
		shell_command(out, scan->command);
		bytes_str(out, " | mig-plan\n");
	} else {
		bytes_str(out, "next: mig-plan, given the same scan, shows what a deploy would do\n");
	}
}

/* "your database is at 20240312_add_orders": what it has is what the migrations up to there make. */
static void
prefix_lines(struct bytes *out, const struct scan *scan)
{
	const struct rehearsal_records *r = &scan->rehearsed;
	const struct prefix *last = r->prefix_count > 0 ? &r->prefixes[r->prefix_count - 1] : NULL;
	const char *list = last != NULL ? last->differences : NULL;
	struct bytes item = { 0 };
	bool null;

	if (last == NULL)
		return;
	if (last->equal) {
		bytes_format(out, "\nyour database is at %s: its schema is what the migrations up to there make\n", last->migration);
		if (r->prefix_count > 1)
			bytes_format(out,
			    "those up to %s make the same one, so nothing tells whether the later ones have run, which may change rows; if they have not, name %s\n",
			    r->prefixes[0].migration, r->prefixes[0].migration);
	} else {
		bytes_format(out, "\nyour database is not at %s: its schema differs in %lld place%s from what the migrations up to there make\n", last->migration,
		    last->difference_count, last->difference_count == 1 ? "" : "s");
		while (json_list_next(&list, &item, &null))
			bytes_format(out, "    %s\n", bytes_text(&item));
	}
	if (last->equal && scan->command != NULL && !scan->database.has_history) {
		struct shell_words words = { 0 };

		shell_append(&words, scan->command);
		shell_program(&words, "mig-plan");
		shell_option(&words, "--baseline", last->migration);
		plan_apply_words(&words, scan->command);
		bytes_str(out, "to record that:  ");
		shell_command(out, shell_words(&words));
		bytes_char(out, '\n');
		shell_words_free(&words);
	}
	bytes_free(&item);
}

/* Drafts of down.sql, to be copied as they stand. */
static void
draft_lines(struct bytes *out, const struct scan *scan)
{
	const struct rehearsal_records *r = &scan->rehearsed;
	size_t i;

	for (i = 0; i < r->draft_count; i++) {
		const struct draft *d = &r->drafts[i];

		if (d->sql != NULL)
			bytes_format(out, "\n%s has no down.sql; a draft of one:\n%s", d->migration, d->sql);
		else
			bytes_format(out, "\n%s has no down.sql, and there is no draft that takes it back: %s\n", d->migration, d->detail);
	}
}

/* What the pending ones did in a scratch database. */
static void
rehearsal_lines(struct bytes *out, const struct scan *scan, const struct status *status, size_t columns, bool unfold)
{
	size_t i;

	bytes_char(out, '\n');
	effects_page_head(out, &scan->rehearsed);
	for (i = 0; i < status->count; i++) {
		const struct migration *m = status->list[i].script;
		struct effects_view view;

		if (m == NULL || m->sql == NULL)
			continue;
		view = effects_view(&scan->rehearsed, m->migration, m->sql);
		if (view.count > 0)
			bytes_format(out, "%s\n", m->migration);
		effects_page(out, &view, columns, unfold);
		effects_view_free(&view);
	}
}

void
pages_status(struct bytes *out, const struct scan *scan, const struct status *status, const char *folder,
    const char *deploying_for, size_t columns, bool unfold)
{
	enum { OTHERS = 9 + 2 + 20 }; /* the columns next to the names */
	const struct database *db = &scan->database;
	size_t width = page_name_width(longest_name(status), columns, OTHERS);
	struct bytes elsewhere = { 0 };

	if (scan->has_database) {
		bytes_str(out, "database   ");
		page_place(out, db->database, db->host, db->port, db->schema);
		bytes_format(out, ", user %s\nserver     PostgreSQL %s, %s, %s\n", db->user, db->server_version,
		    db->in_recovery ? "standby" : "primary", db->tls != NULL ? db->tls : "no TLS");
	}
	bytes_format(out, "folder     %s: ", folder != NULL ? folder : "standard input");
	page_count(out, scan->migration_count, "migration");
	bytes_char(out, '\n');
	if (scan->has_database && !scan->database.has_history) {
		bytes_str(out, db->schema_empty ? "history    none yet; the schema is empty\n"
		                                : "history    none, but the schema has tables (P3005)\n");
		if (other_schemas(&elsewhere, db))
			bytes_format(out, "           %s\n", elsewhere.data);
		bytes_free(&elsewhere);
	} else if (scan->has_database) {
		size_t applied = status->of[STATE_APPLIED] + status->of[STATE_EDITED] + status->of[STATE_MISSING];

		bytes_str(out, "history    ");
		page_count(out, scan->history_count, "row");
		bytes_format(out, ": %zu applied, %zu unfinished, %zu rolled back\n", applied, status->unfinished,
		    status->rolled_back);
	}
	if (status->count > 0) {
		bytes_str(out, "\nstate    ");
		page_pad(out, "migration", width + 2);
		bytes_str(out, "recorded (UTC)\n");
		status_lines(out, status, width, unfold);
	}
	if (scan->rehearsed.known)
		rehearsal_lines(out, scan, status, columns, unfold);
	draft_lines(out, scan);
	prefix_lines(out, scan);
	bytes_char(out, '\n');
	status_sum(out, scan, status, deploying_for);
}

void
pages_phase(struct bytes *out, const struct plan *plan)
{
	enum { SHOWN = 5 };
	struct bytes names = { 0 }, item = { 0 };
	const char *list = plan->left;
	size_t n = 0;
	bool null;

	if (plan->phase == PHASE_NULL)
		return;
	for (; list != NULL && json_list_next(&list, &item, &null); n++)
		if (n < SHOWN)
			bytes_format(&names, "%s%s", n > 0 ? ", " : "", bytes_text(&item));
	if (n > SHOWN)
		bytes_format(&names, " and %zu more", n - SHOWN);
	bytes_format(out, "phase %s", phase_words[plan->phase]);
	if (plan->phase == PHASE_EXPAND && n == 0)
		bytes_str(out, ": nothing waits for the contract phase");
	else if (n > 0)
		bytes_format(out, "; %s for the contract phase: %s", n == 1 ? "1 migration waits" : "these migrations wait", names.data);
	bytes_char(out, '\n');
	bytes_free(&names);
	bytes_free(&item);
}
