/* Findings from a rehearsal: what a step was seen to do. */
#include "plan/plan_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "plan/effects.h"
#include "plan/estimate.h"
#include "plan/excuse.h"
#include "records/json.h"
#include "records/words.h"

struct measured {
	struct plan_maker *maker;
	const char *migration;
	const struct effects_view *view;
};

static bool
is_told(const struct measured *m, const struct effect *e)
{
	return e->made_by == NULL || m->maker->options->from_empty;
}

static struct finding *
add(const struct measured *m, const struct effect *e, const char *rule, char *message, const char *remedy)
{
	size_t at = (size_t)e->statement - 1;
	struct finding *f;

	if (at < m->view->script.count)
		return plan_excusable(m->maker, rule, m->migration, m->view->sql, &m->view->script, at, message,
		    remedy != NULL ? xstrdup(remedy) : NULL);
	f = plan_add_finding(m->maker, rule, m->migration, message, remedy != NULL ? xstrdup(remedy) : NULL);
	f->line = e->line;
	f->column = 1;
	return f;
}

/* With its schema where that is not public. */
static char *
name_of(const struct effect *e)
{
	return strcmp(e->schema, "public") == 0 ? xstrdup(e->relation) : xformat("%s.%s", e->schema, e->relation);
}

static bool
is_column(const struct effect *e)
{
	return strncmp(e->detail, "column ", 7) == 0;
}

/* A finding about a drop: with a proof that it is not used it is a note; without one it has the command that tells it. */
static void
add_drop(const struct measured *m, const struct effect *e, const char *rule, char *message, const char *remedy)
{
	struct plan_dropped what = { e->schema, e->relation, is_column(e) ? e->detail + strlen("column ") : NULL };
	struct bytes text = { 0 }, next = { 0 };
	bool unused;
	struct finding *f;

	bytes_str(&text, message);
	if (remedy != NULL)
		bytes_str(&next, remedy);
	unused = plan_is_unused(m->maker, &what, &text, &next);
	f = add(m, e, rule, xstrdup(text.data), !unused && remedy != NULL ? next.data : NULL);
	if (unused)
		plan_excuse(m->maker, f);
	free(message);
	bytes_free(&text);
	bytes_free(&next);
}

static void
find_used(const struct measured *m, const struct effect *e)
{
	struct plan_dropped what = { e->schema, e->relation, is_column(e) ? e->detail + strlen("column ") : NULL };
	struct bytes text = { 0 };

	if (plan_is_used(m->maker, &what, &text))
		(void)add(m, e, "used", xstrdup(text.data), "first deploy a release that does not use it");
	bytes_free(&text);
}

static void
find_drop(const struct measured *m, const struct effect *e, const char *name)
{
	static const char remedy[] = "first deploy a release that does not use it; drop it in a later one";

	find_used(m, e);
	if (is_column(e)) {
		add_drop(m, e, "loses", xformat("the %s of %s is dropped, with its values", e->detail, name), NULL);
		add_drop(m, e, "breaks", xformat("the %s of %s is dropped: statements of the running release that name it fail", e->detail, name),
		    remedy);
		return;
	}
	if (strcmp(e->detail, "table") == 0)
		add_drop(m, e, "loses", xformat("the table %s is dropped, with its rows", name), NULL);
	add_drop(m, e, "breaks", xformat("the %s %s is dropped: statements of the running release that use it fail", e->detail, name), remedy);
}

static void
find_rename(const struct measured *m, const struct effect *e, const char *name)
{
	if (is_column(e))
		add(m, e, "breaks", xformat("%s of %s: statements of the running release that use the old name fail", e->detail, name),
		    "add a column with the new name, write both, read the new one; drop the old one in a later release");
	else if (strncmp(e->detail, "value ", 6) == 0)
		add(m, e, "breaks", xformat("%s of %s: the running release writes and expects the old one", e->detail, name),
		    "add the new value, use it, and leave the old one unused");
	else
		add(m, e, "breaks", xformat("%s is renamed %s: statements of the running release that use the old name fail", name, e->detail),
		    "in the same migration create a view with the old name; drop it in a later release");
}

static void
find_noticed(const struct measured *m, const struct effect *e)
{
	char *name = name_of(e);

	switch (e->effect) {
	case EFFECT_DROP:
		find_drop(m, e, name);
		break;
	case EFFECT_EMPTY:
		add(m, e, "loses", xformat("%s is emptied", name), NULL);
		break;
	case EFFECT_RENAME:
		find_rename(m, e, name);
		break;
	case EFFECT_RETYPE:
		add(m, e, "retypes", xformat("%s of %s: statements that compare it or compute with it may fail", e->detail, name), NULL);
		break;
	case EFFECT_REQUIRE:
		add(m, e, "breaks", xformat("the %s of %s must be given: an INSERT of the running release that leaves it out fails", e->detail,
		    name), "give it a default, or set NOT NULL in a later release");
		break;
	default:
		add(m, e, "restricts", xformat("%s of %s is a new rule: where a row violates it, the migration fails", e->detail, name), NULL);
	}
	free(name);
}

static void
find_error(const struct measured *m, const struct effect *e)
{
	struct finding *f = plan_add_finding(m->maker, "rehearsal_failed", m->migration,
	    strlen(e->detail) > 6 ? xformat("failed in the rehearsal: %s [%.5s]", e->detail + 6, e->detail) : xstrdup("failed in the rehearsal"),
	    xstrdup("correct the script, and rehearse again; where only the scratch server lacks something, name another: --scratch"));

	f->line = e->line;
	f->column = e->column != NUMBER_UNKNOWN ? e->column : 1;
}

/* --- statements of production --- */

/* "SELECT ... FROM ... (42703, 1204 calls, 38/s)", from its detail: "42703 1204 calls: SELECT ...". */
static void
refused_words(struct bytes *out, const struct effect *e)
{
	enum { SHOWN = 160, STATE = 5 };
	const char *text = strstr(e->detail, ": ");
	size_t len, cut;

	text = text != NULL ? text + 2 : e->detail;
	len = strlen(text);
	cut = len > SHOWN ? utf8_offset(text, len, utf8_count(text, SHOWN) - 1) : len;
	bytes_format(out, "%.*s%s (%.*s", (int)cut, text, cut < len ? "..." : "", STATE, e->detail);
	if (e->calls != NUMBER_UNKNOWN) {
		bytes_format(out, ", %lld call%s", e->calls, e->calls == 1 ? "" : "s");
		estimate_rate(out, e->calls, e->counted_ms);
	}
	bytes_char(out, ')');
}

/* All that a statement of the script breaks, as one finding; the most called first, as the effects are. */
static void
find_refused(const struct measured *m, const struct effect *first)
{
	enum { NAMED = 5 };
	const struct effect *end = m->view->list + m->view->count, *e;
	long long tried = m->maker->scan->rehearsed.head.statements;
	struct bytes names = { 0 };
	size_t n = 0;

	for (e = first; e < end && e->statement == first->statement; e++) {
		if (e->effect != EFFECT_REFUSE)
			continue;
		if (n++ < NAMED) {
			bytes_str(&names, n > 1 ? "; " : "");
			refused_words(&names, e);
		}
	}
	if (n > NAMED)
		bytes_format(&names, "; and %zu more", n - NAMED);
	add(m, first, "breaks", tried != NUMBER_UNKNOWN
	        ? xformat("%zu of %lld statements that production runs fail%s " PLAN_REFUSED ": %s", n, tried, n == 1 ? "s" : "", names.data)
	        : xformat("statements that production runs fail " PLAN_REFUSED ": %s", names.data),
	    "first deploy a release that sends none of them");
	bytes_free(&names);
}

static bool
is_first_refused(const struct effects_view *view, size_t at)
{
	return view->list[at].effect == EFFECT_REFUSE &&
	    (at == 0 || view->list[at - 1].effect != EFFECT_REFUSE || view->list[at - 1].statement != view->list[at].statement);
}

void
plan_find_measured(struct plan_maker *maker, const struct migration *script)
{
	struct effects_view view;
	struct measured m = { maker, script->migration, &view };
	size_t i;

	if (maker->scan->rehearsed.count == 0) /* reading a long script for it takes a while */
		return;
	view = effects_view(&maker->scan->rehearsed, script->migration, script->sql);
	for (i = 0; i < view.count; i++) {
		const struct effect *e = &view.list[i];

		if (e->effect == EFFECT_ERROR)
			find_error(&m, e);
		else if (is_first_refused(&view, i))
			find_refused(&m, e);
		else if (effects_is_noticed(e) && is_told(&m, e))
			find_noticed(&m, e);
	}
	effects_view_free(&view);
}

bool
plan_loss_is_measured(const struct plan_maker *m, const char *migration, long long statement)
{
	const struct rehearsal_records *r = &m->scan->rehearsed;
	size_t i;

	for (i = 0; i < r->count; i++) {
		const struct effect *e = &r->effects[i];

		if (e->statement == statement && strcmp(e->migration, migration) == 0 &&
		    (e->effect == EFFECT_EMPTY || (e->effect == EFFECT_DROP && (is_column(e) || strcmp(e->detail, "table") == 0))))
			return true;
	}
	return false;
}

/* --- the rehearsal as a whole --- */

/* "public.a, public.b and 3 more"; the number of them. */
static size_t
list_words(struct bytes *out, const char *list)
{
	enum { SHOWN = 5 };
	struct bytes item = { 0 };
	size_t n = 0;
	bool null;

	for (; list != NULL && json_list_next(&list, &item, &null); n++)
		if (n < SHOWN)
			bytes_format(out, "%s%s", n > 0 ? ", " : "", bytes_text(&item));
	if (n > SHOWN)
		bytes_format(out, " and %zu more", n - SHOWN);
	bytes_free(&item);
	return n;
}

static void
find_only(struct plan_maker *m, const char *list, const char *what)
{
	struct bytes names = { 0 };

	if (list_words(&names, list) > 0)
		plan_add_finding(m, "differs", NULL, xformat("%s: %s", what, names.data), NULL);
	bytes_free(&names);
}

void
plan_find_differences(struct plan_maker *m)
{
	const struct rehearsal_records *r = &m->scan->rehearsed;
	const struct database *d = &m->scan->database;

	if (!r->known)
		return;
	if (m->scan->has_database && r->head.server_version_num / 10000 != d->server_version_num / 10000)
		plan_add_finding(m, "differs", NULL, xformat("rehearsed on PostgreSQL %s, and the database has %s", r->head.server_version,
		    d->server_version), NULL);
	find_only(m, r->head.not_replayed, "applied, and not replayed, since there is no script");
	find_only(m, r->head.only_database, "in the database, and not created by the applied migrations");
	find_only(m, r->head.only_replay, "created by the applied migrations, and not in the database");
}
