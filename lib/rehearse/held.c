#include "rehearse/held.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

static int
compare(const void *x, const void *y)
{
	const struct held_lock *a = x, *b = y;

	return a->relation != b->relation ? (a->relation < b->relation ? -1 : 1) : (int)a->mode - (int)b->mode;
}

static void
add(struct held *held, long long relation, enum lock_mode mode)
{
	if (mode == LOCK_NULL)
		return;
	ARRAY_ROOM(held->list, held->count, held->cap);
	held->list[held->count++] = (struct held_lock){ relation, mode };
}

/* In order, each once. */
static void
sort(struct held *held)
{
	size_t i, kept = 0;

	if (held->count > 0)
		qsort(held->list, held->count, sizeof *held->list, compare);
	for (i = 0; i < held->count; i++)
		if (kept == 0 || compare(&held->list[kept - 1], &held->list[i]) != 0)
			held->list[kept++] = held->list[i];
	held->count = kept;
}

enum db_outcome
held_add(struct db *db, int pid, struct held *held, bool *waits)
{
	static const char sql[] = "SELECT CASE WHEN locktype = 'relation' AND database = (SELECT oid FROM pg_database "
		"WHERE datname = current_database()) THEN relation::int8 END, mode, granted FROM pg_locks WHERE pid = $1::int4";
	char number[16];
	const char *const parameters[] = { number };
	struct answer *answer;
	enum db_outcome outcome;
	size_t i;

	snprintf(number, sizeof number, "%d", pid);
	if ((outcome = db_query_ours(db, &answer, sql, 1, parameters)) != DB_OK)
		return outcome;
	if (waits != NULL)
		*waits = false;
	for (i = 0; i < answer_rows(answer); i++) {
		if (answer_text(answer, i, 0) != NULL)
			add(held, answer_count(answer, i, 0), lock_mode_of(answer_word(answer, i, 1)));
		if (waits != NULL)
			*waits |= !answer_flag(answer, i, 2);
	}
	sort(held);
	answer_free(answer);
	return DB_OK;
}

const struct held_lock *
held_of(const struct held *held, long long relation, size_t *count)
{
	size_t from = 0, to = held->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (held->list[middle].relation < relation)
			from = middle + 1;
		else
			to = middle;
	}
	for (*count = 0; from + *count < held->count && held->list[from + *count].relation == relation; ++*count)
		;
	return held->list + from;
}

bool
held_has(const struct held *held, long long relation, enum lock_mode mode)
{
	size_t count, i;
	const struct held_lock *of = held_of(held, relation, &count);

	for (i = 0; i < count; i++)
		if (of[i].mode == mode)
			return true;
	return false;
}

enum lock_mode
held_strongest(const struct held *held, long long relation)
{
	size_t count;
	const struct held_lock *of = held_of(held, relation, &count);

	return count > 0 ? of[count - 1].mode : LOCK_NULL;
}

void
held_free(struct held *held)
{
	free(held->list);
	*held = (struct held){ 0 };
}
