#include "plan/effects_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "base/page.h"
#include "base/width.h"
#include "plan/estimate.h"
#include "records/words.h"
#include "sql/hints.h"

/* More relations, and statements of production, of one statement than this fold; names share a column up to this width. */
enum { RELATIONS = 8, NAME_MOST = 24, REFUSED = 8 };

void
effects_name(struct bytes *out, const struct effect *e)
{
	if (strcmp(e->schema, "public") != 0)
		bytes_format(out, "%s.", e->schema);
	bytes_str(out, e->relation);
}

static bool
same_relation(const struct effect *a, const struct effect *b)
{
	return a->relation != NULL && b->relation != NULL && strcmp(a->relation, b->relation) == 0 && strcmp(a->schema, b->schema) == 0;
}

/* --- sentences --- */

static const char *
waiting(enum effects_waits waits)
{
	return waits == WAITS_ALL ? "reads and writes wait" : waits == WAITS_WRITERS ? "writes wait" : "no session waits";
}

/* " about 3–27 s"; nothing where sizes are not known. */
static void
how_long(struct bytes *out, const struct effects_view *view, struct estimate time)
{
	if (view->rehearsed->load_count == 0 || !estimate_is_known(time))
		return;
	bytes_char(out, ' ');
	estimate_band(out, time);
}

static void
mode_words(struct bytes *out, const struct effect *e, long long since)
{
	bytes_format(out, " (%.*s", (int)(strlen(lock_mode_words[e->mode]) - strlen("Lock")), lock_mode_words[e->mode]);
	if (since != e->line)
		bytes_format(out, ", since line %lld", since);
	bytes_char(out, ')');
}

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

/* What takes the longer the larger the relation is, and who waits for it. */
static void
work_text(struct bytes *out, const struct effects_view *view, const struct effect *e)
{
	enum effects_waits waits = effects_waits(e);

	bytes_str(out, waiting(waits));
	how_long(out, view, estimate_work(view, e));
	bytes_str(out, " while ");
	work_words(out, e);
	if (e->mode != LOCK_NULL)
		mode_words(out, e, waits != WAITS_NOBODY ? effects_held_since(view, e) : e->line);
}

static void
lock_text(struct bytes *out, const struct effects_view *view, const struct effect *lock)
{
	enum effects_waits waits = effects_waits(lock);
	long long last = effects_last_work(view, lock->statement), longest;

	if (lock->detail != NULL) {
		bytes_format(out, "queries on its table wait until they can plan with this %s", lock->detail);
	} else if (waits == WAITS_NOBODY) {
		bytes_str(out, lock->mode == LOCK_ROW_EXCLUSIVE ? "no session waits but one that changes its definition"
		                                                : "no session waits but VACUUM and one that changes its definition");
	} else if (last > lock->statement) {
		bytes_str(out, waiting(waits));
		how_long(out, view, estimate_held(view, lock, &longest));
		bytes_str(out, ", from here to the end of the transaction, which has more to do");
	} else if (last == lock->statement) {
		bytes_str(out, waiting(waits));
		how_long(out, view, estimate_held(view, lock, &longest));
		bytes_str(out, ", as long as the rest of this statement takes");
	} else {
		bytes_format(out, "%s for an instant", waiting(waits));
	}
	mode_words(out, lock, lock->line);
}

static void
noticed_text(struct bytes *out, const struct effect *e)
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
		bytes_format(out, "a new rule for existing and new rows: %s", what);
		break;
	default:
		bytes_str(out, "emptied");
	}
}

/* --- the lines of a relation --- */

struct relation_of {
	const struct effects_view *view;
	const struct effect *of;
	size_t count;
	const struct effect *first;   /* of the relation */
	size_t width;                 /* of the names */
	enum effects_noticed noticed;
	bool works, writes;           /* there is work on it; rows of it are written */
};

/* Whether it says no more than the line of the index that is built from what is read. */
static bool
is_read_to_build(const struct relation_of *r, size_t i)
{
	return r->of[i].effect == EFFECT_SCAN && i + 1 < r->count && r->of[i + 1].effect == EFFECT_BUILD &&
	    same_relation(&r->of[i + 1], r->first);
}

static bool
sentence(struct bytes *text, const struct relation_of *r, size_t i)
{
	const struct effect *e = &r->of[i];

	if (e->effect == EFFECT_LOCK && (effects_is_covered(r->view, e) || (r->works && effects_waits(e) != WAITS_NOBODY) ||
	    (r->writes && e->mode == LOCK_ROW_EXCLUSIVE)))
		return false;
	if (e->effect == EFFECT_LOCK)
		lock_text(text, r->view, e);
	else if (effects_is_work(e) && !is_read_to_build(r, i))
		work_text(text, r->view, e);
	else if (e->effect == EFFECT_ROWS)
		bytes_format(text, "rows are written (%s); how many is not measured", e->detail);
	else if (effects_is_noticed(e) && (r->noticed == NOTICED_ALL || (r->noticed == NOTICED_IF_MADE_BY_PLAN && e->made_by != NULL)))
		noticed_text(text, e);
	return text->len > 0;
}

/* Told where a relation is named for the first time, and where work on it takes its time. */
static bool
tells_size(const struct relation_of *r)
{
	const struct effect *e = r->view->list;
	size_t i;

	for (i = 0; i < r->count; i++)
		if (same_relation(&r->of[i], r->first) && effects_is_work(&r->of[i]) &&
		    !estimate_is_short(estimate_work(r->view, &r->of[i])))
			return true;
	while (e < r->first && !same_relation(e, r->first))
		e++;
	return e == r->first;
}

static void
indent(struct bytes *out, size_t columns)
{
	bytes_format(out, "%*s", (int)columns, "");
}

static bool
relation_lines(struct bytes *out, const struct relation_of *r)
{
	const struct load *load = estimate_load(r->view->rehearsed, r->first->schema, r->first->relation);
	struct bytes name = { 0 }, text = { 0 };
	bool any = false;
	size_t i;

	effects_name(&name, r->first);
	for (i = 0; i < r->count; i++) {
		text.len = 0;
		if (!same_relation(&r->of[i], r->first) || !sentence(&text, r, i))
			continue;
		indent(out, EFFECTS_INDENT);
		if (!any)
			page_pad(out, name.data, r->width + 2);
		else
			indent(out, r->width + 2);
		bytes_format(out, "%s\n", text.data);
		any = true;
	}
	if (any && load != NULL && tells_size(r)) {
		indent(out, EFFECTS_INDENT + r->width + 2);
		estimate_size(out, load);
		bytes_char(out, '\n');
	}
	bytes_free(&name);
	bytes_free(&text);
	return any;
}

/* --- the statement --- */

static size_t
names_width(const struct effect of[], size_t count)
{
	size_t width = 0, i;

	for (i = 0; i < count; i++) {
		struct bytes name = { 0 };

		if (of[i].relation == NULL)
			continue;
		effects_name(&name, &of[i]);
		if (width_columns(name.data, name.len) > width)
			width = width_columns(name.data, name.len);
		bytes_free(&name);
	}
	return width < NAME_MOST ? width : NAME_MOST;
}

static bool
is_first_of_relation(const struct effect of[], size_t i)
{
	size_t k = 0;

	while (!same_relation(&of[k], &of[i]))
		k++;
	return k == i;
}

void
effects_text(struct bytes *out, const struct effects_view *view, const struct effect of[], size_t count,
    enum effects_noticed noticed, bool unfold)
{
	struct relation_of r = { .view = view, .of = of, .count = count, .width = names_width(of, count), .noticed = noticed };
	size_t told = 0, i, k;

	for (i = 0; i < count; i++) {
		if (of[i].relation == NULL || !is_first_of_relation(of, i))
			continue;
		r.first = &of[i];
		r.works = r.writes = false;
		for (k = i; k < count; k++) {
			r.works |= same_relation(&of[k], &of[i]) && effects_is_work(&of[k]);
			r.writes |= same_relation(&of[k], &of[i]) && of[k].effect == EFFECT_ROWS;
		}
		if (!unfold && told > RELATIONS) {
			indent(out, EFFECTS_INDENT);
			bytes_str(out, "… and more relations (-v shows all)\n");
			return;
		}
		told += relation_lines(out, &r);
	}
}

/* "42703, 1204 calls, 38/s: SELECT ...", from its detail, "42703 1204 calls: SELECT ...". */
static void
refused_text(struct bytes *out, const struct effect *e)
{
	enum { STATE = 5 };
	const char *text = strstr(e->detail, ": ");

	if (text == NULL || strlen(e->detail) < STATE) {
		bytes_str(out, e->detail);
		return;
	}
	bytes_format(out, "%.*s", STATE, e->detail);
	if (e->calls != NUMBER_UNKNOWN) {
		bytes_format(out, ", %lld call%s", e->calls, e->calls == 1 ? "" : "s");
		estimate_rate(out, e->calls, e->counted_ms);
	}
	bytes_str(out, text);
}

void
effects_refused(struct bytes *out, const struct effect of[], size_t count, size_t columns, bool unfold)
{
	size_t told = 0, i;

	for (i = 0; i < count; i++) {
		struct bytes line = { 0 };

		if (of[i].effect != EFFECT_REFUSE || (++told > REFUSED && !unfold))
			continue;
		bytes_format(&line, "%*sfails in production: ", EFFECTS_INDENT, "");
		refused_text(&line, &of[i]);
		if (columns > EFFECTS_INDENT && width_columns(line.data, line.len) > columns) {
			bytes_add(out, line.data, width_fit(line.data, line.len, columns - 2));
			bytes_str(out, "…\n");
		} else {
			bytes_format(out, "%s\n", line.data);
		}
		bytes_free(&line);
	}
	if (told > REFUSED && !unfold)
		bytes_format(out, "%*s… %zu more (-v shows all)\n", EFFECTS_INDENT, "", told - REFUSED);
}

/* A type of the same values, such as citext of text, is changed without writing the rows anew. */
const char *
effects_remedy(const struct effects_view *view, long long statement)
{
	bool retypes = false, rewrites = false, builds = false;
	size_t i;

	for (i = 0; i < view->count; i++) {
		if (view->list[i].statement != statement)
			continue;
		retypes |= view->list[i].effect == EFFECT_RETYPE;
		rewrites |= view->list[i].effect == EFFECT_REWRITE;
		builds |= view->list[i].effect == EFFECT_BUILD;
	}
	if (retypes && !rewrites && builds)
		return "this builds each index of the column anew: first DROP INDEX CONCURRENTLY, and afterwards CREATE INDEX CONCURRENTLY, each in "
		       "a migration of its own";
	if (retypes && !rewrites)
		return "this reads all rows for a CHECK or a foreign key of the column: drop that first, then add it again NOT VALID, and VALIDATE "
		       "CONSTRAINT in a migration of its own";
	return hint_of(view->sql, &view->script.statements[statement - 1]);
}

void
effects_hint(struct bytes *out, const struct effects_view *view, const struct effect of[], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const struct effect *e = &of[i];

		if (!effects_is_work(e) || effects_waits(e) == WAITS_NOBODY || e->statement > (long long)view->script.count ||
		    (view->rehearsed->load_count > 0 && estimate_is_known(estimate_work(view, e))))
			continue;
		indent(out, EFFECTS_INDENT);
		bytes_format(out, "if that takes long: %s\n", effects_remedy(view, e->statement));
		return;
	}
}
