#include "deploy/stall.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/null.h"
#include "base/page.h"
#include "base/signals.h"

enum {
	TICK_MS = 50,          /* the session's own ticks: looks cannot be denser */
	FIRST_LOOK_MS = 250,   /* what is over before costs no second connection */
	AGAIN_MS = 200,        /* a cancel that found nothing to cancel is sent again */
	LOOK_FIRST_MS = 50,
	FLOW_MS = 5000,        /* how long to wait for a quiet moment; after that, one as good as the best so
	                        * far will do */
	FLOW_END_MS = 15000,   /* and then no longer */
	YIELD_MS = 500         /* what an autovacuum has to end, beyond deadlock_timeout */
};

static long long
within(long long value, long long least, long long most)
{
	return value < least ? least : value > most ? most : value;
}

void
stall_step(struct stall *t, const char *migration)
{
	t->migration = migration;
	t->worst_ms = NUMBER_UNKNOWN;
	t->waited = t->autovacuum_stays = false;
	t->life_ms = 0;
	t->yields[0] = '\0';
	waits_free(&t->waits);
}

void
stall_end(struct stall *t)
{
	locks_close(t->watch);
	t->watch = NULL;
	waits_free(&t->waits);
}

void
stall_attempt(struct stall *t, bool bounded)
{
	long long now = clock_now_ms();

	t->verdict = STALL_FINE;
	t->bounded = bounded;
	t->began_ms = now;
	t->next_ms = t->waited ? now : now + within(t->max_stall_ms / 4, TICK_MS, FIRST_LOOK_MS);
	t->waiting_ms = t->view_ms = t->behind_ms = 0;
	t->view = (struct lock_view){ 0 };
}

/* --- looking --- */

static bool
has_watch(struct stall *t)
{
	if (t->watch != NULL || t->locks_tried)
		return t->watch != NULL;
	t->locks_tried = true;
	if ((t->watch = locks_open(t->source, "mig-apply watch", 0, NULL)) == NULL)
		message_warning("could not open a second connection: sessions blocked by this deploy will not be detected");
	else
		message_verbose("%s: a second connection monitors blocked sessions", t->migration);
	return t->watch != NULL;
}

static void
cancel(struct stall *t, enum stall_verdict why)
{
	t->verdict = why;
	t->cancelled_ms = clock_now_ms();
	db_cancel(t->db);
}

static void
say_why(const struct stall *t, const char *why)
{
	char longest[CLOCK_SPAN];

	message_verbose("%s: cancelled: %zu session%s waited for this deploy for %s%s", t->migration, t->view.behind,
	    t->view.behind == 1 ? "" : "s", clock_span(t->view.longest_ms, longest), why);
}

/*
 * Whether it has to end now: at the next look, which is `lead` away, it would be too late.  Where most of the time
 * went by while we waited ourselves, it is not our work that takes too long.
 */
static void
judge(struct stall *t, long long lead)
{
	const struct lock_view *s = &t->view;

	if (s->behind > 0 && s->longest_ms + lead >= t->max_stall_ms) {
		bool waited = s->waiting || t->waiting_ms > s->longest_ms / 4 + TICK_MS;

		say_why(t, waited ? ", while it waited itself; retrying" : " because of a lock that it held; not retried");
		cancel(t, waited ? STALL_WAITED : STALL_HELD);
	} else if (s->waiting && !t->bounded && t->began_ms + t->waiting_ms >= t->deadline_ms) {
		message_verbose("%s: cancelled: it was still waiting when --wait was over", t->migration);
		cancel(t, STALL_LATE);
	}
}

static void
look(struct stall *t)
{
	long long before = clock_now_ms(), now, cost, lead;

	if (!has_watch(t)) {
		t->next_ms = before + 3600000;
		return;
	}
	if (t->view_ms > 0 && t->view.waiting)
		t->waiting_ms += before - t->view_ms;
	if (!locks_look(t->watch, t->pid, &t->view)) {
		if (locks_is_lost(t->watch)) {
			locks_close(t->watch);
			t->watch = NULL;
			t->locks_tried = false;
		}
		t->next_ms = clock_now_ms() + 1000;
		return;
	}
	t->view_ms = before;
	t->behind_ms = t->view.behind == 0 ? 0 : t->behind_ms != 0 ? t->behind_ms : before;
	if (t->view.behind > 0 && t->view.longest_ms == 0) /* unknown: PostgreSQL 13, and the session of another
	                                                    * role */
		t->view.longest_ms = before - t->behind_ms;
	if (t->worst_ms == NUMBER_UNKNOWN || t->view.longest_ms > t->worst_ms)
		t->worst_ms = t->view.longest_ms;
	if (t->view.waiting)
		locks_waits(t->watch, t->pid, &t->waits);
	now = clock_now_ms();
	cost = now - before;
	lead = TICK_MS + 2 * cost + TICK_MS / 4;
	/* if no session waits, a quarter of the limit may pass before one is seen */
	t->next_ms = t->view.waiting || t->view.behind > 0 ? now + cost
	                                                     : now + within(t->max_stall_ms / 4, 2 * cost, 500);
	judge(t, lead);
}

void
stall_tick(struct stall *t)
{
	long long now = clock_now_ms();

	if (t->verdict != STALL_FINE) {
		if (now - t->cancelled_ms >= AGAIN_MS)
			cancel(t, t->verdict);
	} else if (now >= t->next_ms) {
		look(t);
	}
}

enum stall_verdict
stall_ended(struct stall *t)
{
	/* a session that waited in the last view may have waited until now */
	if (t->view_ms > 0 && t->view.behind > 0) {
		long long longest = t->view.longest_ms + clock_now_ms() - t->view_ms;

		t->worst_ms = longest > t->worst_ms ? longest : t->worst_ms;
	}
	t->view_ms = 0;
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

struct blockers {
	struct seen *list;
	size_t count, cap;
	long long life_ms;   /* the longest that one which has ended had lasted */
	long long best_ms;   /* the least time in which all should have ended, so far; NUMBER_UNKNOWN: nothing known yet */
	bool looked;         /* before: a new holder has only just arrived */
};

static struct seen *
find(struct blockers *c, const char *transaction, long long now)
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
blockers_see(struct blockers *c, const struct waits *holders, bool autovacuum_stays, long long now)
{
	size_t i, kept = 0;

	for (i = 0; i < c->count; i++)
		c->list[i].here = false;
	for (i = 0; i < holders->count; i++) {
		const struct holder *h = &holders->holders[i];
		struct seen *s;

		if (h->transaction == NULL || (h->yields && !autovacuum_stays))
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
blockers_outlasts(const struct blockers *c, long long lock_timeout_ms, long long now)
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

/* Whether the same session has been blocking all the time: waiting for it delays no other session. */
static bool
blockers_stays(const struct blockers *c, long long now)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		if (now - c->list[i].first_ms >= FLOW_MS)
			return true;
	return false;
}

/* In how long all of them should have ended, going by how long others lasted. */
static long long
blockers_remains_ms(const struct blockers *c)
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
decide(const struct stall *t, struct blockers *c, long long lock_timeout_ms, long long began, long long now)
{
	long long remains = blockers_remains_ms(c);

	if (c->life_ms > lock_timeout_ms)
		lock_timeout_ms = t->max_stall_ms; /* a shorter wait would not succeed */
	if (!blockers_outlasts(c, lock_timeout_ms, now) || now >= t->deadline_ms)
		return lock_timeout_ms;
	if (c->best_ms == NUMBER_UNKNOWN || remains < c->best_ms)
		c->best_ms = remains;
	if (now - began < FLOW_MS || blockers_stays(c, now))
		return WAIT_ON;
	if (remains <= c->best_ms + LOOK_FIRST_MS || now - began >= FLOW_END_MS)
		return t->max_stall_ms;
	return WAIT_ON;
}

static void
note_yielding(struct stall *t, const struct waits *holders)
{
	size_t i;

	t->yields[0] = '\0';
	for (i = 0; i < holders->count && !t->autovacuum_stays; i++)
		if (holders->holders[i].yields && holders->relation != NULL)
			bytes_copy(t->yields, sizeof t->yields, holders->relation);
}

long long
stall_look_first(struct stall *t, long long lock_timeout_ms, void (*waiting)(void *context), void *context)
{
	struct blockers blockers = { .life_ms = t->life_ms, .best_ms = NUMBER_UNKNOWN };
	struct waits holders = { 0 };
	long long began = clock_now_ms(), now = began, timeout = WAIT_ON;
	char span[CLOCK_SPAN];

	t->waited = true;
	while (timeout == WAIT_ON) {
		if (t->waits.oid == NULL || !has_watch(t) || !locks_holders(t->watch, t->pid, &t->waits, &holders)) {
			timeout = lock_timeout_ms;
			break;
		}
		now = clock_now_ms();
		blockers_see(&blockers, &holders, t->autovacuum_stays, now);
		timeout = decide(t, &blockers, lock_timeout_ms, began, now);
		if (timeout != WAIT_ON || signals_caught() != 0)
			break;
		waiting(context);
		clock_sleep_ms(within(t->deadline_ms - now, 1, LOOK_FIRST_MS));
	}
	t->life_ms = blockers.life_ms;
	note_yielding(t, &holders);
	if (now > began)
		message_verbose("%s: waited %s; blocking sessions on %s: %zu; retrying with lock_timeout %lld ms",
		    t->migration, clock_span(now - began, span), t->waits.relation, blockers.count, timeout);
	waits_free(&holders);
	free(blockers.list);
	return timeout != WAIT_ON ? timeout : lock_timeout_ms;
}

void
stall_resume(struct stall *t, long long worst_ms)
{
	t->worst_ms = worst_ms;
	t->waited = true;
}

void
stall_extend_deadline(struct stall *t, long long ms)
{
	t->deadline_ms += ms;
}

void
stall_autovacuum_stays(struct stall *t)
{
	t->autovacuum_stays = true;
}

bool
stall_displaces_in_vain(const struct stall *t)
{
	return t->autovacuum_stays && t->yields[0] != '\0';
}

void
stall_displace(struct stall *t, struct bytes *sql)
{
	if (t->yields[0] == '\0' || !has_watch(t))
		return;
	message_verbose("%s: autovacuum holds %s; requesting SHARE UPDATE EXCLUSIVE first, which blocks no reads or writes",
	    t->migration, t->yields);
	bytes_format(sql, "SET LOCAL lock_timeout = %lld; LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE; ",
	    locks_deadlock_ms(t->watch) + YIELD_MS, t->yields);
}

/* --- saying --- */

void
stall_name_holder(const struct waits *waits, struct bytes *out)
{
	struct page_session session;

	if (waits->count == 0)
		return;
	session = waits->holders[0].session;
	session.word = NULL;
	page_session(out, &session);
}

void
stall_note(const struct stall *t, struct bytes *note)
{
	if (t->view_ms == 0)
		return;
	if (t->view.progress[0] != '\0')
		bytes_format(note, "%s%s", note->len > 0 ? "; " : "", t->view.progress);
	if (t->view.waiting && t->waits.count > 0) {
		bytes_format(note, "%swaits for ", note->len > 0 ? "; " : "");
		stall_name_holder(&t->waits, note);
	}
}
