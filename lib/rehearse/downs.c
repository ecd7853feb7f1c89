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
#include "rehearse/fingerprint.h"
#include "rehearse/quiet.h"
#include "scratch/template.h"

/* Migrations applied long ago are hardly taken back, and each costs as much as three replays of it. */
enum { APPLIED_MOST = 100 };

struct downs {
	const struct downs_wish *wish;
	struct scratch *scratch;
	struct quiet quiet;        /* runs the scripts */
	size_t verified, tried;
	struct effects found;      /* of each that was tried */
	struct losses *losses;
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
			code = message_error(MIG_FAILED, "could not try out down.sql: the migrations before it ran once, and not a second time: %s",
			    d->quiet.why.data);
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

static void
add_verdict(struct downs *d, const struct step *up, const struct bytes *detail, const struct quiet *failed)
{
	struct effect e = { .migration = up->migration,
		.effect = EFFECT_DOWN,
		.statement = 1,
		.line = 1,
		.column = NUMBER_UNKNOWN,
		.calls = NUMBER_UNKNOWN,
		.counted_ms = NUMBER_UNKNOWN,
		.detail = arena_copy(d->texts, detail->data) };

	if (failed != NULL && failed->statement > 0) {
		e.statement = (long long)failed->statement;
		e.line = (long long)failed->place.line;
		e.column = (long long)failed->place.column;
	}
	ARRAY_ROOM(d->found.list, d->found.count, d->found.cap);
	d->found.list[d->found.count++] = e;
	d->tried++;
	if (strcmp(e.detail, "verified") == 0)
		d->verified++;
	else
		message_warning("%s/down.sql does not take the migration back: %s", up->migration, e.detail);
}

/*
 * Down has run, and there is what was there before: up once more.  Sets *spoiled where the database is now another one than a deploy
 * makes.
 */
static int
go_up_again(struct downs *d, const struct downs_step *s, struct looks *l, struct bytes *detail, bool *spoiled)
{
	int code = quiet_run(&d->quiet, d->scratch, &s->up, 1);

	*spoiled = true;
	if (code == 0 && d->quiet.failed) {
		bytes_format(detail, "differs: migration.sql fails after it: %s", d->quiet.why.data);
		return 0;
	}
	if (code == 0)
		code = look(d, &l->again);
	if (code != 0)
		return code;
	bytes_str(detail, "differs: after migration.sql has run again: ");
	if (fingerprint_equal(l->up, l->again, detail)) {
		detail->len = 0;
		bytes_str(detail, "verified");
		*spoiled = false;
	}
	return 0;
}

static int
go_down(struct downs *d, const struct downs_step *s, struct looks *l, struct bytes *detail, bool *spoiled)
{
	struct bytes ignored = { 0 };
	int code = quiet_run(&d->quiet, d->scratch, &s->down, 1);

	if (code == 0)
		code = look(d, &l->down);
	if (code != 0)
		return code;
	if (d->quiet.failed) {
		bytes_format(detail, "fails: %s", d->quiet.why.data);
		*spoiled = !fingerprint_equal(l->up, l->down, &ignored);
		bytes_free(&ignored);
		add_verdict(d, &s->up, detail, &d->quiet);
		return 0;
	}
	bytes_str(detail, "differs: ");
	*spoiled = !fingerprint_equal(l->before, l->down, detail);
	if (!*spoiled) {
		detail->len = 0;
		code = go_up_again(d, s, l, detail, spoiled);
	}
	if (code == 0)
		add_verdict(d, &s->up, detail, NULL);
	if (code == 0)
		losses_add(d->losses, scratch_watcher(d->scratch, 0), s->up.migration, &(struct losses_looks){ l->before, l->up, l->down }, d->texts);
	return code;
}

/* Up, and where there is a down.sql, down and up.  *stopped: the script does not run, and so none behind it. */
static int
try_one(struct downs *d, size_t at, bool *stopped)
{
	const struct downs_step *s = &d->wish->steps[at];
	struct looks l = { 0 };
	struct bytes detail = { 0 };
	bool has_down = s->down.sql != NULL, spoiled = false;
	int code = has_down ? look(d, &l.before) : 0;

	if (code == 0)
		code = quiet_run(&d->quiet, d->scratch, &s->up, 1);
	*stopped = code == 0 && d->quiet.failed;
	if (code == 0 && has_down && !*stopped)
		code = look(d, &l.up);
	if (code == 0 && has_down && !*stopped)
		code = go_down(d, s, &l, &detail, &spoiled);
	if (code == 0 && spoiled && at + 1 < d->wish->count)
		code = open_with(d, at + 1);
	looks_free(&l);
	bytes_free(&detail);
	return code;
}

/* The first of the applied that could be taken back now. */
static size_t
first_of(const struct downs_wish *w)
{
	size_t first = w->applied;

	while (first > 0 && w->applied - first < APPLIED_MOST && w->steps[first - 1].down.sql != NULL)
		first--;
	return first;
}

/* The last that has a down.sql, plus one; `first`: none. */
static size_t
end_of(const struct downs_wish *w, size_t first)
{
	size_t end = w->count;

	while (end > first && w->steps[end - 1].down.sql == NULL)
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
downs_verify(const struct downs_wish *wish, struct scratch **scratch, struct effects *effects, struct losses *losses, struct arena *texts)
{
	struct downs d = { .wish = wish, .scratch = *scratch, .quiet = { .folder = wish->folder, .limit_ms = wish->limit_ms }, .losses = losses, .texts = texts };
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
	if (code == 0 && d.tried > 0)
		message_info("%zu of %zu down.sql take%s back what their migrations did, tried in %s", d.verified, d.tried, d.verified == 1 ? "s" : "",
		    clock_span(clock_now_ms() - began, span));
	merge(effects, &d.found);
	bytes_free(&d.quiet.why);
	return code;
}
