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

/* $2 and $3: those that are known.  The number of a mode is that of enum lock_mode. */
static const char locks_sql[] =
    "SELECT l.id, l.mode, l.granted FROM (SELECT CASE WHEN locktype = 'relation' AND database = (SELECT oid FROM pg_database "
    "WHERE datname = current_database()) THEN relation::int8 END AS id, mode, granted FROM pg_locks WHERE pid = $1::int4) l "
    "LEFT JOIN unnest($2::int8[], $3::int4[]) k (id, mode) ON k.id = l.id AND k.mode = array_position(ARRAY['AccessShareLock', "
    "'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', "
    "'AccessExclusiveLock'], l.mode) WHERE NOT l.granted OR (l.id IS NOT NULL AND k.id IS NULL)";

enum db_outcome
held_add(struct db *db, int pid, struct held *held, bool *waits)
{
	char number[16];
	struct bytes relations = { 0 }, modes = { 0 };
	const char *parameters[3] = { number };
	struct answer *answer;
	enum db_outcome outcome;
	size_t i;

	snprintf(number, sizeof number, "%d", pid);
	for (i = 0; i < held->count; i++) {
		bytes_format(&relations, "%s%lld", i > 0 ? "," : "{", held->list[i].relation);
		bytes_format(&modes, "%s%d", i > 0 ? "," : "{", (int)held->list[i].mode);
	}
	bytes_str(&relations, held->count > 0 ? "}" : "{}");
	bytes_str(&modes, held->count > 0 ? "}" : "{}");
	parameters[1] = relations.data;
	parameters[2] = modes.data;
	outcome = db_query_ours(db, &answer, locks_sql, 3, parameters);
	bytes_free(&relations);
	bytes_free(&modes);
	if (outcome != DB_OK)
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

void
held_copy(struct held *to, const struct held *from)
{
	size_t i;

	to->count = 0;
	for (i = 0; i < from->count; i++)
		add(to, from->list[i].relation, from->list[i].mode);
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
