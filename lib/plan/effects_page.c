#include "plan/effects_page.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/page.h"
#include "base/width.h"
#include "plan/effects_text.h"
#include "records/words.h"
#include "sql/sql.h"

static void
in_the_way(struct bytes *out, const struct rehearsal_records *rehearsed)
{
	enum { SHOWN = 5 };
	size_t i, n = 0;

	for (i = 0; i < rehearsed->activity_count; i++) {
		if (rehearsed->activities[i].relation == NULL || n++ >= SHOWN)
			continue;
		bytes_str(out, "in the way then: ");
		activity_line(out, &rehearsed->activities[i]);
		bytes_char(out, '\n');
	}
	if (n > SHOWN)
		bytes_format(out, "and %zu more locks that are in the way\n", n - SHOWN);
}

void
effects_page_head(struct bytes *out, const struct rehearsal_records *rehearsed)
{
	const struct rehearsal *r = &rehearsed->head;

	bytes_format(out, "rehearsed on PostgreSQL %s, on empty tables in the time zone %s: ", r->server_version, r->time_zone);
	if (r->pending == 0)
		bytes_str(out, "nothing is pending\n");
	else if (r->rehearsed == r->pending)
		bytes_format(out, "%s\n", r->pending == 1 ? "the pending one runs" : "all pending ones run");
	else
		bytes_format(out, "%lld of %lld pending ones run, then one fails\n", r->rehearsed, r->pending);
	in_the_way(out, rehearsed);
}

/* --- a statement --- */

/* On one line, blanks as one, and cut. */
static void
statement_line(struct bytes *out, const struct effects_view *view, const struct effect *first, size_t columns)
{
	const struct sql_statement *s = view->sql != NULL && first->statement <= (long long)view->script.count
	    ? &view->script.statements[first->statement - 1] : NULL;
	struct bytes line = { 0 };
	size_t i;

	bytes_format(out, "%*lld | ", EFFECTS_NUMBER, first->line);
	for (i = s != NULL ? s->start : 0; s != NULL && i < s->end; i++) {
		bool blank = strchr(" \t\r\n", view->sql[i]) != NULL;

		if (!blank)
			bytes_char(&line, view->sql[i]);
		else if (line.data[line.len - 1] != ' ')
			bytes_char(&line, ' ');
	}
	if (s == NULL)
		bytes_format(&line, "statement %lld", first->statement);
	if (columns > EFFECTS_INDENT && width_columns(line.data, line.len) > columns - EFFECTS_INDENT) {
		size_t fits = width_fit(line.data, line.len, columns - EFFECTS_INDENT - 1);

		bytes_add(out, line.data, fits);
		bytes_str(out, "…");
	} else {
		bytes_add(out, line.data, line.len);
	}
	bytes_char(out, '\n');
	bytes_free(&line);
}

static void
statement_lines(struct bytes *out, const struct effects_view *view, const struct effect of[], size_t count, size_t columns,
    bool unfold)
{
	size_t i;

	statement_line(out, view, of, columns);
	for (i = 0; i < count; i++)
		if (of[i].effect == EFFECT_ERROR)
			bytes_format(out, "%*s" PAGE_RED "fails" PAGE_PLAIN ": %s\n", EFFECTS_INDENT, "", of[i].detail);
	effects_text(out, view, of, count, NOTICED_ALL, unfold);
	effects_refused(out, of, count, columns, unfold);
	effects_hint(out, view, of, count);
}

void
effects_page(struct bytes *out, const struct effects_view *view, size_t columns, bool unfold)
{
	size_t i, n;

	for (i = 0; i < view->count; i += n) {
		for (n = 1; i + n < view->count && view->list[i + n].statement == view->list[i].statement; n++)
			;
		statement_lines(out, view, &view->list[i], n, columns, unfold);
	}
}
