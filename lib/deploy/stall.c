#include "deploy/stall.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/page.h"
#include "base/signals.h"
#include "records/record.h"

enum {
	TICK_MS = 50,          /* the session's own ticks: looks cannot be denser */
	FIRST_LOOK_MS = 250,   /* what is over before costs no second connection */
	AGAIN_MS = 200,        /* a cancel that found nothing to cancel is sent again */
	LOOK_FIRST_MS = 50,
	FLOW_MS = 5000,        /* so long a quiet moment is waited for, then one as good as the best of that time */
	FLOW_END_MS = 15000,   /* and then no longer */
	YIELD_MS = 500         /* what an autovacuum has to end, beyond deadlock_timeout */
};

static long long
within(long long value, long long least, long long most)
{
	return value < least ? least : value > most ? most : value;
}

void
traffic_step(struct traffic *t, const char *migration)
{
	t->migration = migration;
	t->worst_ms = NUMBER_UNKNOWN;
	t->waited = t->stubborn = false;
	t->life_ms = 0;
	t->yields[0] = '\0';
	waits_free(&t->waits);
}

void
traffic_end(struct traffic *t)
{
	watch_close(t->watch);
	t->watch = NULL;
	waits_free(&t->waits);
}

void
traffic_attempt(struct traffic *t, bool bounded)
{
	long long now = clock_now_ms();

	t->verdict = TRAFFIC_FINE;
	t->bounded = bounded;
	t->began_ms = now;
	t->next_ms = t->waited ? now : now + within(t->max_stall_ms / 4, TICK_MS, FIRST_LOOK_MS);
	t->waiting_ms = t->sight_ms = t->behind_ms = 0;
	t->sight = (struct sight){ 0 };
}

/* --- looking --- */

static bool
has_watch(struct traffic *t)
{
	if (t->watch != NULL || t->watch_tried)
		return t->watch != NULL;
	t->watch_tried = true;
	if ((t->watch = watch_open(t->source, "mig-apply watch", 0, NULL)) == NULL)
		message_warning("could not open a second connection: sessions blocked by this deploy will not be detected");
	else
		message_verbose("%s: a second connection watches who waits for whom", t->migration);
	return t->watch != NULL;
}

static void
cancel(struct traffic *t, enum traffic_verdict why)
{
	t->verdict = why;
	t->cancelled_ms = clock_now_ms();
	db_cancel(t->db);
}

static void
say_why(const struct traffic *t, const char *why)
{
	char longest[CLOCK_SPAN];

	message_verbose("%s: cancelled: %zu session%s waited for us, for %s%s", t->migration, t->sight.behind,
	    t->sight.behind == 1 ? "" : "s", clock_span(t->sight.longest_ms, longest), why);
}

/*
 * Whether it has to end now: at the next look, which is `lead` away, it would be too late.  Where most of the time
 * went by while we waited ourselves, it is not our work that takes too long.
 */
static void
judge(struct traffic *t, long long lead)
{
	const struct sight *s = &t->sight;

	if (s->behind > 0 && s->longest_ms + lead >= t->max_stall_ms) {
		bool waited = s->waiting || t->waiting_ms > s->longest_ms / 4 + TICK_MS;

		say_why(t, waited ? ", while we waited; trying again" : " and what we hold; this is not tried again");
		cancel(t, waited ? TRAFFIC_WAITED : TRAFFIC_HELD);
	} else if (s->waiting && !t->bounded && t->began_ms + t->waiting_ms >= t->deadline_ms) {
		message_verbose("%s: cancelled: --wait is over, and it still waits", t->migration);
		cancel(t, TRAFFIC_LATE);
	}
}

static void
look(struct traffic *t)
{
	long long before = clock_now_ms(), now, cost, lead;

	if (!has_watch(t)) {
		t->next_ms = before + 3600000;
		return;
	}
	if (t->sight_ms > 0 && t->sight.waiting)
		t->waiting_ms += before - t->sight_ms;
	if (!watch_look(t->watch, t->pid, &t->sight)) {
		if (watch_is_lost(t->watch)) {
			watch_close(t->watch);
			t->watch = NULL;
			t->watch_tried = false;
		}
		t->next_ms = clock_now_ms() + 1000;
		return;
	}
	t->sight_ms = before;
	t->behind_ms = t->sight.behind == 0 ? 0 : t->behind_ms != 0 ? t->behind_ms : before;
	if (t->sight.behind > 0 && t->sight.longest_ms == 0) /* not told: PostgreSQL 13, and somebody else's session */
		t->sight.longest_ms = before - t->behind_ms;
	if (t->worst_ms == NUMBER_UNKNOWN || t->sight.longest_ms > t->worst_ms)
		t->worst_ms = t->sight.longest_ms;
	if (t->sight.waiting)
		watch_waits(t->watch, t->pid, &t->waits);
	now = clock_now_ms();
	cost = now - before;
	lead = TICK_MS + 2 * cost + TICK_MS / 4;
	/* where nobody waits, a quarter of what is allowed may pass until somebody is seen */
	t->next_ms = t->sight.waiting || t->sight.behind > 0 ? now + cost
	                                                     : now + within(t->max_stall_ms / 4, 2 * cost, 500);
	judge(t, lead);
}

void
traffic_tick(struct traffic *t)
{
	long long now = clock_now_ms();

	if (t->verdict != TRAFFIC_FINE) {
		if (now - t->cancelled_ms >= AGAIN_MS)
			cancel(t, t->verdict);
	} else if (now >= t->next_ms) {
		look(t);
	}
}

enum traffic_verdict
traffic_ended(struct traffic *t)
{
	/* whoever waited at the last look may have waited until now */
	if (t->sight_ms > 0 && t->sight.behind > 0) {
		long long longest = t->sight.longest_ms + clock_now_ms() - t->sight_ms;

		t->worst_ms = longest > t->worst_ms ? longest : t->worst_ms;
	}
	t->sight_ms = 0;
	return t->verdict;
}

/* --- before the next attempt --- */

/* A transaction that was seen to hold what we want. */
struct seen {
	char transaction[32];
	long long first_ms;
	long long age_ms;    /* when it was seen last */
	bool hidden;         /* how old it is only we have seen */
	bool here;
};

struct crowd {
	struct seen *list;
	size_t count, cap;
	long long life_ms;   /* the longest that one which has ended had lasted */
	long long best_ms;   /* the least time in which all should have ended, so far; NUMBER_UNKNOWN: nothing known yet */
	bool looked;         /* before: who is new now has only come now */
};

static struct seen *
find(struct crowd *c, const char *transaction, long long now)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		if (strcmp(c->list[i].transaction, transaction) == 0)
			return &c->list[i];
	ARRAY_ROOM(c->list, c->count, c->cap);
	c->list[c->count] = (struct seen){ .first_ms = c->looked ? now : now - 1 };
	bytes_copy(c->list[c->count].transaction, sizeof c->list[0].transaction, transaction);
	return &c->list[c->count++];
}

/* Those that are here now; an autovacuum that will end for us does not count. */
static void
crowd_see(struct crowd *c, const struct waits *holders, bool stubborn, long long now)
{
	size_t i, kept = 0;

	for (i = 0; i < c->count; i++)
		c->list[i].here = false;
	for (i = 0; i < holders->count; i++) {
		const struct holder *h = &holders->holders[i];
		struct seen *s;

		if (h->transaction == NULL || (h->yields && !stubborn))
			continue;
		s = find(c, h->transaction, now);
		s->here = true;
		s->age_ms = now - s->first_ms;
		s->hidden = h->session.age_ms == NUMBER_UNKNOWN;
		if (!s->hidden)
			s->age_ms = h->session.age_ms;
	}
	for (i = 0; i < c->count; i++) {
		if (c->list[i].here) {
			c->list[kept++] = c->list[i];
		} else if (c->list[i].age_ms > c->life_ms) {
			c->life_ms = c->list[i].age_ms;
			c->best_ms = NUMBER_UNKNOWN;
		}
	}
	c->count = kept;
	c->looked = true;
}

/*
 * Whether one of them would outlast us.  One that is older than those that have ended, and than we may wait, is not
 * about to end; a younger one should last as long as they did.  One whose age is hidden, and that stays, is old.
 */
static bool
crowd_outlasts(const struct crowd *c, long long lock_timeout_ms, long long now)
{
	size_t i;

	for (i = 0; i < c->count; i++) {
		const struct seen *s = &c->list[i];

		if (s->hidden && now > s->first_ms)
			return true;
		if (s->age_ms > c->life_ms ? s->age_ms >= lock_timeout_ms : c->life_ms - s->age_ms > lock_timeout_ms * 4 / 5)
			return true;
	}
	return false;
}

/* Whether the same one is in the way all the time: waiting for it costs nobody anything. */
static bool
crowd_stays(const struct crowd *c, long long now)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		if (now - c->list[i].first_ms >= FLOW_MS)
			return true;
	return false;
}

/* In how long all of them should have ended, going by how long others lasted. */
static long long
crowd_remains_ms(const struct crowd *c)
{
	long long most = 0;
	size_t i;

	for (i = 0; i < c->count; i++)
		if (c->life_ms - c->list[i].age_ms > most)
			most = c->life_ms - c->list[i].age_ms;
	return most;
}

/* What to do now: wait on, or go with this time-out. */
enum { WAIT_ON = -1 };

static long long
decide(const struct traffic *t, struct crowd *c, long long lock_timeout_ms, long long began, long long now)
{
	long long remains = crowd_remains_ms(c);

	if (c->life_ms > lock_timeout_ms)
		lock_timeout_ms = t->max_stall_ms; /* less would be in vain */
	if (!crowd_outlasts(c, lock_timeout_ms, now) || now >= t->deadline_ms)
		return lock_timeout_ms;
	if (c->best_ms == NUMBER_UNKNOWN || remains < c->best_ms)
		c->best_ms = remains;
	if (now - began < FLOW_MS || crowd_stays(c, now))
		return WAIT_ON;
	if (remains <= c->best_ms + LOOK_FIRST_MS || now - began >= FLOW_END_MS)
		return t->max_stall_ms;
	return WAIT_ON;
}

static void
note_yielding(struct traffic *t, const struct waits *holders)
{
	size_t i;

	t->yields[0] = '\0';
	for (i = 0; i < holders->count && !t->stubborn; i++)
		if (holders->holders[i].yields && holders->relation != NULL)
			bytes_copy(t->yields, sizeof t->yields, holders->relation);
}

long long
traffic_look_first(struct traffic *t, long long lock_timeout_ms, void (*waiting)(void *context), void *context)
{
	struct crowd crowd = { .life_ms = t->life_ms, .best_ms = NUMBER_UNKNOWN };
	struct waits holders = { 0 };
	long long began = clock_now_ms(), now = began, timeout = WAIT_ON;
	char span[CLOCK_SPAN];

	while (timeout == WAIT_ON) {
		if (t->waits.oid == NULL || !has_watch(t) || !watch_holders(t->watch, t->pid, &t->waits, &holders)) {
			timeout = lock_timeout_ms;
			break;
		}
		now = clock_now_ms();
		crowd_see(&crowd, &holders, t->stubborn, now);
		timeout = decide(t, &crowd, lock_timeout_ms, began, now);
		if (timeout != WAIT_ON || signals_caught() != 0)
			break;
		waiting(context);
		clock_sleep_ms(within(t->deadline_ms - now, 1, LOOK_FIRST_MS));
	}
	t->life_ms = crowd.life_ms;
	note_yielding(t, &holders);
	if (now > began)
		message_verbose("%s: looked for %s: %zu in the way of %s now; going in with a lock_timeout of %lld ms",
		    t->migration, clock_span(now - began, span), crowd.count, t->waits.relation, timeout);
	waits_free(&holders);
	free(crowd.list);
	return timeout != WAIT_ON ? timeout : lock_timeout_ms;
}

void
traffic_displace(struct traffic *t, struct bytes *sql)
{
	if (t->yields[0] == '\0' || !has_watch(t))
		return;
	message_verbose("%s: an autovacuum has %s; waiting for it with SHARE UPDATE EXCLUSIVE, which stops no traffic",
	    t->migration, t->yields);
	bytes_format(sql, "SET LOCAL lock_timeout = %lld; LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE; ",
	    watch_deadlock_ms(t->watch) + YIELD_MS, t->yields);
}

/* --- saying --- */

void
traffic_name_holder(const struct waits *waits, struct bytes *out)
{
	struct page_session session;

	if (waits->count == 0)
		return;
	session = waits->holders[0].session;
	session.word = NULL;
	face_session(out, &session);
}

void
traffic_note(const struct traffic *t, struct bytes *note)
{
	if (t->sight_ms == 0)
		return;
	if (t->sight.progress[0] != '\0')
		bytes_format(note, "%s%s", note->len > 0 ? "; " : "", t->sight.progress);
	if (t->sight.waiting && t->waits.count > 0) {
		bytes_format(note, "%swaits for ", note->len > 0 ? "; " : "");
		traffic_name_holder(&t->waits, note);
	}
}
