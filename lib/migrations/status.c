#include "migrations/status.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/null.h"
#include "migrations/folder.h"

const char *
state_word(enum state state)
{
	static const char *const words[STATE_COUNT] = { "applied", "edited", "missing", "failed", "running",
		"pending", "late" };

	return words[state];
}

void
status_look_at(const struct history_index *index, struct migration *m)
{
	const struct history_row *row = history_find(index, m->migration, NULL);

	m->edited = row != NULL && m->checksum != NULL &&
	    !migration_checksum_matches(row->checksum, m->checksum, m->sql);
	m->edited_blanks = m->edited && m->sql != NULL && migration_differs_in_blanks(row->checksum, m->sql);
}

static enum state
state_of(const struct migration *script, const struct history_row *row, bool deploying)
{
	if (row == NULL)
		return STATE_PENDING;
	if (history_row_unfinished(row))
		return deploying ? STATE_RUNNING : STATE_FAILED;
	if (script == NULL)
		return STATE_MISSING;
	return script->edited ? STATE_EDITED : STATE_APPLIED;
}

static int
compare_names(const void *a, const void *b)
{
	const struct migration_status *x = a, *y = b;

	return migration_compare(x->migration, y->migration);
}

/* One entry for each name in the history that the folder does not have. */
static void
add_missing(struct status *status, const struct history_index *index, size_t in_folder, bool deploying)
{
	size_t i;

	for (i = 0; i < index->count; i++) {
		struct migration_status key = { .migration = index->rows[i]->migration };

		if (i > 0 && strcmp(index->rows[i - 1]->migration, key.migration) == 0)
			continue;
		if (in_folder > 0 && bsearch(&key, status->list, in_folder, sizeof key, compare_names))
			continue;
		key.row = history_find(index, key.migration, &key.runs);
		if (key.row == NULL)
			continue; /* rolled back: nothing of it counts */
		key.state = state_of(NULL, key.row, deploying);
		status->list[status->count++] = key;
	}
}

static bool
is_applied(const struct migration_status *s)
{
	return s->state == STATE_APPLIED || s->state == STATE_EDITED || s->state == STATE_MISSING;
}

static void
count_undone(struct status *status, const struct history_index *index)
{
	size_t i, j;

	for (i = 0; i < status->count; i++) {
		struct migration_status *s = &status->list[i];

		for (j = 0; s->runs > 1 && j < index->count; j++)
			s->undone += strcmp(index->rows[j]->migration, s->migration) == 0 && !history_row_counts(index->rows[j]);
	}
}

static void
count_states(struct status *status)
{
	bool applied_behind = false;
	size_t i;

	for (i = status->count; i-- > 0;) {
		struct migration_status *s = &status->list[i];

		if (s->state == STATE_PENDING && applied_behind)
			s->state = STATE_LATE;
		if (is_applied(s) && !applied_behind) {
			applied_behind = true;
			status->last_applied = s->migration;
		}
		status->of[s->state]++;
	}
}

struct status
status_make(const struct scan *scan, const struct history_index *index)
{
	struct status status = { 0 };
	bool deploying = scan->has_database && scan->database.deployer_pid != NUMBER_UNKNOWN;
	size_t i;

	status.list = xcalloc(scan->migration_count + index->count, sizeof *status.list);
	for (i = 0; i < scan->migration_count; i++) {
		struct migration_status *s = &status.list[status.count++];

		s->script = &scan->migrations[i];
		s->migration = s->script->migration;
		s->row = history_find(index, s->migration, &s->runs);
		s->state = state_of(s->script, s->row, deploying);
	}
	add_missing(&status, index, scan->migration_count, deploying);
	if (status.count > 0)
		qsort(status.list, status.count, sizeof *status.list, compare_names);
	count_undone(&status, index);
	count_states(&status);
	for (i = 0; i < index->count; i++) {
		status.rolled_back += !history_row_counts(index->rows[i]);
		status.unfinished += history_row_unfinished(index->rows[i]);
	}
	return status;
}

void
status_free(struct status *status)
{
	free(status->list);
	*status = (struct status){ 0 };
}
