#include "rehearse/downs.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "base/signals.h"
#include "postgres/connection.h"
#include "records/words.h"
#include "rehearse/draft.h"
#include "rehearse/draft_look.h"
#include "rehearse/fingerprint.h"
#include "rehearse/quiet.h"
#include "scratch/template.h"
#include "sql/sql.h"

/* Migrations applied long ago are hardly taken back, and each costs as much as three replays of it. */
enum { APPLIED_MOST = 100 };

static bool
wants_draft(const struct downs_wish *w, size_t at)
{
	return w->draft_of == at || (w->draft_of == DOWNS_DRAFT_PENDING && at >= w->applied);
}

struct downs {
	const struct downs_wish *wish;
	struct scratch *scratch;
	struct quiet quiet;        /* runs the scripts */
	size_t verified, tried;
	struct effects found;      /* of each that was tried */
	struct losses *losses;
	struct drafts *drafts;
	struct arena *texts;
};

/* --- the scratch database --- */

/* A new one, in which the first `count` have run. */
static int
open_with(struct downs *d, size_t count)
{
	struct template_step *names = xcalloc(count + 1, sizeof *names);
	struct step *steps = xcalloc(count + 1, sizeof *steps);
	struct scratch_order order = d->wish->order;
	size_t ready, i;
	int code;

	for (i = 0; i < count; i++) {
		steps[i] = d->wish->steps[i].up;
		names[i] = (struct template_step){ steps[i].migration, steps[i].checksum };
	}
	order.steps = names;
	order.count = count;
	order.watched = true;
	d->scratch = scratch_renew(d->scratch, &order, &code);
	if (d->scratch != NULL) {
		ready = scratch_ready(d->scratch);
		code = quiet_run(&d->quiet, d->scratch, steps + ready, count - ready);
		if (code == 0 && d->quiet.failed)
			code = message_error(MIG_FAILED, "could not try out down.sql: %s does not run in the scratch database: %s",
			    d->quiet.step->migration, d->quiet.why.data);
	}
	if (code == 0)
		code = scratch_settle(d->scratch, count, d->wish->time_zone);
	free(names);
	free(steps);
	return code;
}

static int
look(struct downs *d, struct answer **fingerprint)
{
	struct db *db = scratch_watcher(d->scratch, 0);
	enum db_outcome outcome = fingerprint_take(db, fingerprint);

	return outcome == DB_OK ? 0 : db_say(db, outcome, "look at the scratch database");
}

/* --- up, down, up --- */

/* What there is: before, after up, after down, after the second up; NULL: not looked at. */
struct looks {
	struct answer *before, *up, *down, *again;
};

static void
looks_free(struct looks *l)
{
	answer_free(l->before);
	answer_free(l->up);
	answer_free(l->down);
	answer_free(l->again);
}

/* How a trial of a down.sql ended. */
struct trial {
	struct bytes detail;     /* "verified", or why not */
	size_t statement;        /* the one that fails, from 1; 0: none */
	struct sql_place place;
	struct losses losses;    /* of both scripts; only where it ran to its end */
	bool spoiled;            /* the database is now another one than a deploy makes */
};

static void
trial_free(struct trial *t)
{
	bytes_free(&t->detail);
	free(t->losses.list);
}

static bool
is_verified(const struct trial *t)
{
	return strcmp(bytes_text(&t->detail), "verified") == 0;
}

static void
add_verdict(struct downs *d, const struct step *up, const struct trial *t)
{
	bool placed = t->statement > 0;
	struct effect e = { .migration = up->migration,
		.effect = EFFECT_DOWN,
		.statement = placed ? (long long)t->statement : 1,
		.line = placed ? (long long)t->place.line : 1,
		.column = placed ? (long long)t->place.column : NUMBER_UNKNOWN,
		.calls = NUMBER_UNKNOWN,
		.counted_ms = NUMBER_UNKNOWN,
		.detail = arena_copy(d->texts, t->detail.data) };
	size_t i;

	ARRAY_ROOM(d->found.list, d->found.count, d->found.cap);
	d->found.list[d->found.count++] = e;
	d->tried++;
	if (is_verified(t))
		d->verified++;
	else
		message_warning("%s/down.sql does not take the migration back: %s", up->migration, e.detail);
	for (i = 0; i < t->losses.count; i++) {
		ARRAY_ROOM(d->losses->list, d->losses->count, d->losses->cap);
		d->losses->list[d->losses->count++] = t->losses.list[i];
	}
}

/* Down has run, and there is what was there before: up once more. */
static int
go_up_again(struct downs *d, const struct step *up, struct looks *l, struct trial *t)
{
	int code = quiet_run(&d->quiet, d->scratch, up, 1);

	t->spoiled = true;
	if (code == 0 && d->quiet.failed) {
		bytes_format(&t->detail, "differs: migration.sql fails after it: %s", d->quiet.why.data);
		return 0;
	}
	if (code == 0)
		code = look(d, &l->again);
	if (code != 0)
		return code;
	bytes_str(&t->detail, "differs: after migration.sql has run again: ");
	if (fingerprint_equal(l->up, l->again, &t->detail)) {
		t->detail.len = 0;
		bytes_str(&t->detail, "verified");
		t->spoiled = false;
	}
	return 0;
}

static int
go_down(struct downs *d, const struct step *up, const struct step *down, struct looks *l, struct trial *t)
{
	struct bytes ignored = { 0 };
	int code = quiet_run(&d->quiet, d->scratch, down, 1);

	if (code == 0)
		code = look(d, &l->down);
	if (code != 0)
		return code;
	if (d->quiet.failed) {
		bytes_format(&t->detail, "fails: %s", d->quiet.why.data);
		t->statement = d->quiet.statement;
		t->place = d->quiet.place;
		t->spoiled = !fingerprint_equal(l->up, l->down, &ignored);
		bytes_free(&ignored);
		return 0;
	}
	bytes_str(&t->detail, "differs: ");
	t->spoiled = !fingerprint_equal(l->before, l->down, &t->detail);
	if (!t->spoiled) {
		t->detail.len = 0;
		code = go_up_again(d, up, l, t);
	}
	if (code == 0)
		losses_add(&t->losses, scratch_watcher(d->scratch, 0), up->migration, &(struct losses_looks){ l->before, l->up, l->down }, d->texts);
	return code;
}

/* --- a draft --- */

static int
look_for_draft(struct downs *d, struct answer **look)
{
	struct db *db = scratch_watcher(d->scratch, 0);
	enum db_outcome outcome = draft_look_take(db, look);

	return outcome == DB_OK ? 0 : db_say(db, outcome, "look at the scratch database");
}

/* The migration has run, and has no down.sql: makes one, and tries it like any other. */
static int
try_draft(struct downs *d, const struct step *up, const struct answer *before, struct looks *l, struct trial *t)
{
	struct answer *after = NULL;
	struct bytes sql = { 0 }, ignored = { 0 };
	struct step down = { .step = 1, .action = ACTION_REVERT, .migration = up->migration, .checksum = up->checksum };
	int code = look_for_draft(d, &after);
	bool any = code == 0 && (draft_make(before, after, &sql) > 0 || !fingerprint_equal(l->before, l->up, &ignored));

	down.sql = bytes_text(&sql);
	if (code == 0 && !any)
		bytes_str(&t->detail, "empty: migration.sql changes nothing of the schema");
	else if (code == 0)
		code = go_down(d, up, &down, l, t);
	if (code == 0)
		drafts_add(d->drafts, up, t->detail.data, &t->losses, &sql, d->texts);
	answer_free(after);
	bytes_free(&ignored);
	bytes_free(&sql);
	return code;
}

/* Up, and down and up: by down.sql where there is one, else by a draft where that is wanted.  *stopped: the script does not run, and so none behind it. */
static int
try_one(struct downs *d, size_t at, bool *stopped)
{
	const struct downs_step *s = &d->wish->steps[at];
	struct looks l = { 0 };
	struct trial t = { 0 };
	struct answer *for_draft = NULL;
	bool has_down = s->down.sql != NULL && at != d->wish->draft_of, drafts = !has_down && wants_draft(d->wish, at);
	int code = has_down || drafts ? look(d, &l.before) : 0;

	if (code == 0 && drafts)
		code = look_for_draft(d, &for_draft);
	if (code == 0)
		code = quiet_run(&d->quiet, d->scratch, &s->up, 1);
	*stopped = code == 0 && d->quiet.failed;
	if (code == 0 && !*stopped && (has_down || drafts))
		code = look(d, &l.up);
	if (code == 0 && !*stopped && has_down && (code = go_down(d, &s->up, &s->down, &l, &t)) == 0)
		add_verdict(d, &s->up, &t);
	if (code == 0 && !*stopped && drafts)
		code = try_draft(d, &s->up, for_draft, &l, &t);
	if (code == 0 && t.spoiled && at + 1 < d->wish->count)
		code = open_with(d, at + 1);
	answer_free(for_draft);
	looks_free(&l);
	trial_free(&t);
	return code;
}

/* The first of the applied that could be taken back now. */
static size_t
first_of(const struct downs_wish *w)
{
	size_t first = w->applied;

	if (w->draft_of < w->count)
		return w->draft_of;
	while (first > 0 && w->applied - first < APPLIED_MOST && w->steps[first - 1].down.sql != NULL)
		first--;
	return first;
}

/* The last that is tried, plus one; `first`: none. */
static size_t
end_of(const struct downs_wish *w, size_t first)
{
	size_t end = w->count;

	if (w->draft_of < w->count)
		return w->draft_of + 1;
	while (end > first && w->steps[end - 1].down.sql == NULL && !wants_draft(w, end - 1))
		end--;
	return end;
}

/* --- the records --- */

/* Behind the others of their migrations; those of the applied ones, which have no others, in front. */
static void
merge(struct effects *effects, struct effects *found)
{
	struct effects all = { 0 };
	size_t i = 0, k;

	for (k = 0; k < found->count; k++) {
		size_t end = i, at;

		for (at = i; at < effects->count; at++)
			if (strcmp(effects->list[at].migration, found->list[k].migration) == 0)
				end = at + 1;
		for (; i < end; i++) {
			ARRAY_ROOM(all.list, all.count, all.cap);
			all.list[all.count++] = effects->list[i];
		}
		ARRAY_ROOM(all.list, all.count, all.cap);
		all.list[all.count++] = found->list[k];
	}
	for (; i < effects->count; i++) {
		ARRAY_ROOM(all.list, all.count, all.cap);
		all.list[all.count++] = effects->list[i];
	}
	effects_free(effects);
	effects_free(found);
	*effects = all;
}

bool
downs_any(const struct downs_wish *wish)
{
	size_t first = first_of(wish);

	return end_of(wish, first) > first;
}

int
downs_verify(const struct downs_wish *wish, struct scratch **scratch, struct downs_found *out, struct arena *texts)
{
	struct downs d = { .wish = wish, .scratch = *scratch, .quiet = { .folder = wish->folder, .limit_ms = wish->limit_ms }, .losses = &out->losses, .drafts = &out->drafts, .texts = texts };
	size_t first = first_of(wish), end = end_of(wish, first), at;
	long long began = clock_now_ms();
	bool stopped = false;
	char span[CLOCK_SPAN];
	int code;

	if (first == end)
		return 0;
	code = open_with(&d, first);
	for (at = first; code == 0 && !stopped && at < end; at++) {
		if (signals_caught() != 0)
			code = message_error(128 + signals_caught(), "stopped by a signal while down.sql was tried out");
		else
			code = try_one(&d, at, &stopped);
	}
	*scratch = d.scratch;
	if (code == 0 && stopped && wish->draft_of < wish->count)
		code = message_error(MIG_FAILED, "%s: there is no draft of its opposite, because migration.sql does not run: %s", d.quiet.step->migration, d.quiet.why.data);
	if (code == 0 && d.tried > 0)
		message_info("%zu of %zu down.sql take%s back what their migrations did, tried in %s", d.verified, d.tried, d.verified == 1 ? "s" : "",
		    clock_span(clock_now_ms() - began, span));
	merge(out->effects, &d.found);
	bytes_free(&d.quiet.why);
	return code;
}
