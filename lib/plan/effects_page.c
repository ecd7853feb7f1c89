#include "plan/effects_page.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/page.h"
#include "base/width.h"
#include "plan/estimate.h"
#include "records/words.h"
#include "sql/hints.h"
#include "sql/sql.h"

enum { NUMBER = 6, FOLD_LINES = 20 };

void
effects_page_head(struct bytes *out, const struct rehearsal *r)
{
	bytes_format(out, "rehearsed on PostgreSQL %s, on empty tables in the time zone %s: ", r->server_version, r->time_zone);
	if (r->pending == 0)
		bytes_str(out, "nothing is pending\n");
	else if (r->rehearsed == r->pending)
		bytes_format(out, "%s\n", r->pending == 1 ? "the pending one runs" : "all pending ones run");
	else
		bytes_format(out, "%lld of %lld pending ones run, then one fails\n", r->rehearsed, r->pending);
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

	bytes_format(out, "%*lld | ", NUMBER, first->line);
	for (i = s != NULL ? s->start : 0; s != NULL && i < s->end; i++) {
		bool blank = strchr(" \t\r\n", view->sql[i]) != NULL;

		if (!blank)
			bytes_char(&line, view->sql[i]);
		else if (line.data[line.len - 1] != ' ')
			bytes_char(&line, ' ');
	}
	if (s == NULL)
		bytes_format(&line, "statement %lld", first->statement);
	if (columns > NUMBER + 3 && width_columns(line.data, line.len) > columns - NUMBER - 3) {
		size_t fits = width_fit(line.data, line.len, columns - NUMBER - 3 - 1);

		bytes_add(out, line.data, fits);
		bytes_str(out, "…");
	} else {
		bytes_add(out, line.data, line.len);
	}
	bytes_char(out, '\n');
	bytes_free(&line);
}

/* --- what it does to one relation --- */

static const char *
waiting(enum effects_waits waits)
{
	return waits == WAITS_ALL ? "reads and writes wait" : "writes wait";
}

/* What takes long, if the relation is large. */
static void
work_words(struct bytes *out, const struct effect *e)
{
	switch (e->effect) {
	case EFFECT_REWRITE:
		bytes_str(out, "it is rewritten, with its indexes");
		break;
	case EFFECT_BUILD:
		bytes_format(out, "%s is built", e->detail != NULL ? e->detail : "an index");
		break;
	case EFFECT_MOVE:
		bytes_str(out, "it is copied to another tablespace");
		break;
	default:
		bytes_str(out, "all its rows are read");
	}
}

static void
lock_words(struct bytes *out, const struct effects_view *view, const struct effect *lock, bool works)
{
	enum effects_waits waits = effects_waits(lock);
	long long last = effects_last_work(view, lock->statement);

	if (lock->detail != NULL) {
		bytes_format(out, "queries on its table wait until they can plan with this %s", lock->detail);
	} else if (waits == WAITS_NOBODY) {
		bytes_str(out, lock->mode == LOCK_ROW_EXCLUSIVE ? "nobody waits but who changes its definition"
		                                                : "nobody waits but VACUUM and who changes its definition");
	} else if (works) {
		bytes_str(out, waiting(waits));
	} else if (last > lock->statement) {
		bytes_format(out, "%s from here to the end of the transaction, which has more to do", waiting(waits));
	} else if (last == lock->statement) {
		bytes_format(out, "%s as long", waiting(waits));
	} else {
		bytes_format(out, "%s for an instant", waiting(waits));
	}
}

static void
noticed_words(struct bytes *out, const struct effect *e)
{
	const char *what = e->detail != NULL ? e->detail : "";

	switch (e->effect) {
	case EFFECT_DROP:
		bytes_format(out, "the %s is dropped", what);
		break;
	case EFFECT_RENAME:
		bytes_format(out, "renamed: %s", what);
		break;
	case EFFECT_RETYPE:
		bytes_format(out, "another type: %s", what);
		break;
	case EFFECT_REQUIRE:
		bytes_format(out, "the %s must be given from now on: an INSERT without it fails", what);
		break;
	case EFFECT_RESTRICT:
		bytes_format(out, "a new rule for its rows, those that are there and those that come: %s", what);
		break;
	default:
		bytes_str(out, "emptied");
	}
}

static bool
same_relation(const struct effect *a, const struct effect *b)
{
	return a->relation != NULL && b->relation != NULL && strcmp(a->relation, b->relation) == 0 && strcmp(a->schema, b->schema) == 0;
}

/* Behind the name: how large and how busy. */
static void
load_words(struct bytes *name, const struct effects_view *view, const struct effect *e)
{
	const struct load *load = estimate_load(view->rehearsed, e->schema, e->relation);

	if (load == NULL)
		return;
	bytes_str(name, " (");
	estimate_size(name, load);
	bytes_char(name, ')');
}

/* One sentence each: the lock and what is done under it; then rows; then what is noticed. */
static void
relation_lines(struct bytes *out, const struct effects_view *view, const struct effect of[], size_t count, const struct effect *first)
{
	const struct effect *lock = NULL;
	struct bytes name = { 0 }, text = { 0 };
	bool works = false;
	size_t i;

	if (strcmp(first->schema, "public") != 0)
		bytes_format(&name, "%s.", first->schema);
	bytes_str(&name, first->relation);
	load_words(&name, view, first);
	for (i = 0; i < count; i++)
		if (same_relation(&of[i], first)) {
			if (of[i].effect == EFFECT_LOCK)
				lock = &of[i];
			works |= effects_is_work(&of[i]);
		}
	for (i = 0; i < count; i++) {
		const struct effect *e = &of[i];
		bool waits = effects_waits(e) != WAITS_NOBODY;

		if (!same_relation(e, first) || (e->effect == EFFECT_LOCK && effects_is_covered(view, e)))
			continue;
		if (e->effect == EFFECT_LOCK && !(works && waits)) {
			lock_words(&text, view, e, works);
		} else if (effects_is_work(e)) {
			if (e->effect == EFFECT_SCAN && i + 1 < count && of[i + 1].effect == EFFECT_BUILD && same_relation(&of[i + 1], first))
				continue; /* to build it */
			bytes_str(&text, waits ? waiting(effects_waits(e)) : "nobody waits");
			bytes_str(&text, " while ");
			work_words(&text, e);
			if (view->rehearsed->load_count > 0 && estimate_work_ms(view->rehearsed, e) > 0) {
				bytes_str(&text, ", about ");
				estimate_band(&text, estimate_work_ms(view->rehearsed, e));
			}
			if (waits && effects_held_since(view, e) != e->line)
				bytes_format(&text, "; since line %lld", effects_held_since(view, e));
		} else if (e->effect == EFFECT_ROWS) {
			bytes_format(&text, "rows are written (%s); how many is not known here", e->detail);
		} else if (effects_is_noticed(e)) {
			noticed_words(&text, e);
		} else {
			continue;
		}
		bytes_format(out, "%*s   %s: %s", NUMBER, "", name.data, bytes_text(&text));
		if (e->effect == EFFECT_LOCK || (effects_is_work(e) && lock != NULL))
			bytes_format(out, " (%.*s)", (int)(strlen(lock_mode_words[e->mode]) - strlen("Lock")), lock_mode_words[e->mode]);
		bytes_char(out, '\n');
		text.len = 0;
		if (text.data != NULL)
			*text.data = '\0';
	}
	bytes_free(&name);
	bytes_free(&text);
}

/* How to write it so that nobody waits, where somebody waits for work. */
static void
better_line(struct bytes *out, const struct effects_view *view, const struct effect of[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (effects_is_work(&of[i]) && effects_waits(&of[i]) != WAITS_NOBODY && of[i].statement <= (long long)view->script.count) {
			bytes_format(out, "%*s   if that takes long: %s\n", NUMBER, "",
			    hint_of(view->sql, &view->script.statements[of[i].statement - 1]));
			return;
		}
}

/* What production runs, and no longer parses. */
static void
refused_line(struct bytes *out, const struct effect *e, size_t columns)
{
	struct bytes line = { 0 };

	bytes_format(&line, "%*s   fails in production: %s", NUMBER, "", e->detail);
	if (columns > 0 && width_columns(line.data, line.len) > columns) {
		bytes_add(out, line.data, width_fit(line.data, line.len, columns - 1));
		bytes_str(out, "…\n");
	} else {
		bytes_format(out, "%s\n", line.data);
	}
	bytes_free(&line);
}

static void
statement_lines(struct bytes *out, const struct effects_view *view, const struct effect of[], size_t count, size_t columns)
{
	size_t i, k;

	statement_line(out, view, of, columns);
	for (i = 0; i < count; i++) {
		if (of[i].effect == EFFECT_ERROR) {
			bytes_format(out, "%*s   " PAGE_RED "fails" PAGE_PLAIN ": %s\n", NUMBER, "", of[i].detail);
			continue;
		}
		if (of[i].effect == EFFECT_REFUSE) {
			refused_line(out, &of[i], columns);
			continue;
		}
		for (k = 0; k < i && !same_relation(&of[k], &of[i]); k++)
			;
		if (k == i)
			relation_lines(out, view, of, count, &of[i]);
	}
	better_line(out, view, of, count);
}

void
effects_page(struct bytes *out, const struct effects_view *view, size_t columns)
{
	size_t i, n;

	for (i = 0; i < view->count; i += n) {
		for (n = 1; i + n < view->count && view->list[i + n].statement == view->list[i].statement; n++)
			;
		statement_lines(out, view, &view->list[i], n, columns);
	}
}

static void
folded(struct bytes *out, const struct bytes *text, bool unfold)
{
	const char *end = text->data, *next = end;
	size_t lines = 0, all = 0;

	for (; *next != '\0'; next++) {
		all += *next == '\n';
		if (*next == '\n' && ++lines == (size_t)FOLD_LINES)
			end = next + 1;
	}
	if (unfold || all <= (size_t)FOLD_LINES + 1) {
		bytes_add(out, text->data, text->len);
		return;
	}
	bytes_add(out, text->data, (size_t)(end - text->data));
	bytes_format(out, "%*s   … %zu more lines (-v shows all)\n", NUMBER, "", all - FOLD_LINES);
}

void
effects_page_steps(struct bytes *out, const struct rehearsal_records *rehearsed, const struct step *steps, size_t count,
    size_t columns, bool unfold)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct effects_view view = effects_view(rehearsed, steps[i].migration, steps[i].sql);
		struct bytes text = { 0 };

		effects_page(&text, &view, columns);
		if (text.len > 0) {
			bytes_format(out, "%4lld  %s\n", steps[i].step, steps[i].migration);
			folded(out, &text, unfold);
		}
		bytes_free(&text);
		effects_view_free(&view);
	}
}
