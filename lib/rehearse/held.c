#include "rehearse/held.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

static void
add(struct held *held, long long relation, enum lock_mode mode)
{
	if (mode == LOCK_NULL || held_has(held, relation, mode))
		return;
	ARRAY_ROOM(held->list, held->count, held->cap);
	held->list[held->count++] = (struct held_lock){ relation, mode };
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
	answer_free(answer);
	return DB_OK;
}

bool
held_has(const struct held *held, long long relation, enum lock_mode mode)
{
	size_t i;

	for (i = 0; i < held->count; i++)
		if (held->list[i].relation == relation && held->list[i].mode == mode)
			return true;
	return false;
}

enum lock_mode
held_strongest(const struct held *held, long long relation)
{
	enum lock_mode strongest = LOCK_NULL;
	size_t i;

	for (i = 0; i < held->count; i++)
		if (held->list[i].relation == relation && held->list[i].mode > strongest)
			strongest = held->list[i].mode;
	return strongest;
}

void
held_free(struct held *held)
{
	free(held->list);
	*held = (struct held){ 0 };
}
