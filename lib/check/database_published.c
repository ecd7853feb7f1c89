/* Judges logical replication: published tables that take no UPDATE, and slots for which WAL is kept. */
#include "check/database_internal.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "base/page.h"
#include "check/check.h"
#include "postgres/connection.h"

METRIC(identity, "published_without_identity", "published_without_identity", "published_without_identity", METRIC_COUNT,
    "Published tables of which every UPDATE and DELETE fails.");
METRIC(slot, "slot_percent", "slot", "slot_retained_ratio", METRIC_PERCENT,
    "WAL kept for the replication slot that is furthest behind, as a share of max_wal_size.");

void
database_judge_published(const struct database_look *l)
{
	enum { TABLE, PUBLICATIONS, COUNT };
	const struct answer *a = database_answer(l, ASK_PUBLISHED, "published tables");
	enum check_state means = (enum check_state)database_limit(l, IDENTITY);
	size_t count, i;

	if (a == NULL)
		return;
	count = answer_rows(a) > 0 ? database_count_of(a, COUNT) : 0;
	check_count(l->outcome, &identity_metric, count, means);
	if (count == 1)
		check_say(l->outcome, means, "published table %s has no replica identity", answer_text(a, 0, TABLE));
	else if (count > 1)
		check_say(l->outcome, means, "%zu published tables have no replica identity", count);
	for (i = 0; i < answer_rows(a); i++) {
		check_detail(l->outcome, "published", "%s, by %s: UPDATE and DELETE fail [55000]; a primary key, or", answer_text(a, i, TABLE),
		    answer_text(a, i, PUBLICATIONS));
		check_detail(l->outcome, "", "alter table %s replica identity full;", answer_text(a, i, TABLE));
	}
}

enum { NAME, DATABASE, ACTIVE, STATUS, RETAINED, MOST, QUOTED };

static bool
is_status(const struct answer *a, size_t row, const char *status)
{
	return strcmp(answer_word(a, row, STATUS), status) == 0;
}

/* One whose WAL is gone is told for itself: it keeps none. */
static void
say_lost(const struct database_look *l, const struct answer *a, size_t row)
{
	check_say(l->outcome, CHECK_CRITICAL, "slot %s has lost WAL that its reader needs", answer_text(a, row, NAME));
	check_detail(l->outcome, "slot", "what reads it must be made again; then");
	check_detail(l->outcome, "", "select pg_drop_replication_slot(%s);", answer_text(a, row, QUOTED));
}

static void
say_behind(const struct database_look *l, enum check_state state, const struct answer *a)
{
	struct bytes size = { 0 };

	page_bytes(&size, answer_number(a, 0, RETAINED));
	check_say(l->outcome, state, "slot %s holds back %s of WAL", answer_text(a, 0, NAME), size.data);
	check_detail(l->outcome, "slot", "its reader is %s; WAL is kept for it until the disk is full", answer_flag(a, 0, ACTIVE)
	        ? "connected and behind" : "not connected: bring it back, or");
	if (!answer_flag(a, 0, ACTIVE))
		check_detail(l->outcome, "", "select pg_drop_replication_slot(%s);", answer_text(a, 0, QUOTED));
	bytes_free(&size);
}

void
database_judge_slots(const struct database_look *l)
{
	const struct answer *a = database_answer(l, ASK_SLOTS, "replication slots");
	enum check_state state;
	long long retained, most;
	size_t i;

	if (a == NULL || answer_rows(a) == 0)
		return;
	for (i = 0; i < answer_rows(a); i++)
		if (is_status(a, i, "lost"))
			say_lost(l, a, i);
	retained = answer_number(a, 0, RETAINED);
	most = answer_count(a, 0, MOST);
	if (retained == NUMBER_UNKNOWN || most <= 0)
		return;
	state = database_measure(l, &slot_metric, retained / (most / 100 + 1), SLOT_WARN);
	if (is_status(a, 0, "unreserved"))
		state = CHECK_CRITICAL;
	if (state != CHECK_OK && !is_status(a, 0, "lost"))
		say_behind(l, state, a);
}
